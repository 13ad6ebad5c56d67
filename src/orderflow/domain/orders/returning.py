"""What the returns desk decides about units that came back: rejected ones are the customer's again."""

from __future__ import annotations

from typing import Annotated, NamedTuple, TypeVar

from orderflow.domain.engine.bounds import Id, Length, Quantity
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Event, Fields, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.charging import credit_due_minor
from orderflow.domain.orders.guards import are_goods, enough
from orderflow.domain.orders.state import HasProgress, moved_within
from orderflow.domain.values import MAX_LINES, InspectionOutcome, LineQuantity, Location
from orderflow.errors import Refusal

K = TypeVar("K", bound=HasProgress)


class InspectedLine(NamedTuple):
    """What becomes of units of a line that came back to a location."""

    line: Quantity
    location: Location
    outcome: InspectionOutcome
    quantity: Quantity


class _Inspection(Fields):
    document: Id
    units: Annotated[tuple[InspectedLine, ...], Length(1, MAX_LINES)]


class RecordInspection(_Inspection, Internal):
    """Note what became of units that came back and stay here, so that their stock follows."""


class UnitsInspected(_Inspection, Event):
    """Units that came back were inspected."""


class _Rejection(Fields):
    document: Id
    location: Location
    units: Annotated[tuple[LineQuantity, ...], Length(0, MAX_LINES)]
    recovered: Annotated[tuple[LineQuantity, ...], Length(0, MAX_LINES)] = ()


class RecordRejection(_Rejection, Internal):
    """Note that units which came back to ``location`` are sent to the customer again.

    ``recovered`` ones belong to no order, and leave the stock alone.
    """


class UnitsRejected(_Rejection, Event):
    """Units that came back are the customer's again."""


lines_are_goods = are_goods(lambda command: [item.line for item in command.units])
rejected_are_goods = are_goods(lambda command: [item.line for item in (*command.units, *command.recovered)])


def enough_returned(state: HasProgress, command: RecordRejection, stamp: Stamp) -> Refusal | None:
    """No more is sent back than came back, by line."""
    return enough(state, command.units, lambda v: v.returned, "returned")


def inspected(state: K, event: UnitsInspected) -> K:
    """Where the units are is for the stock to say; the order keeps that they came back."""
    return state


def rejected(state: K, event: UnitsRejected) -> K:
    return moved_within(state, event.units, lambda v, item: moves.reject(v, item.quantity))


def nothing_to_credit(order: HasProgress, lines: set[int], name: str) -> Refusal | None:
    """Whether units of these lines are charged that the customer will not have: the refusal names their amount."""
    minor = credit_due_minor(order, lines)
    if minor <= 0:
        return None
    facts = {"order": name, "amount": str(Money(minor, order.content.currency)), "minor": minor}
    return refuse("to_credit", "{amount} of order {order} are to be credited", **facts)
