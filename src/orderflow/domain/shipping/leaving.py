"""Leaving: handed over to a carrier, or as it turns out once somebody tells of the shipment on its way."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Id, Length, Name
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Fields, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.dates import questioned
from orderflow.domain.shipping.fates import COMING_BACK, ON_THE_WAY, Fate, Move, turned
from orderflow.domain.shipping.moving import counting, moves_of_items, or_back, or_missing
from orderflow.domain.shipping.state import (
    SCANNED,
    Back,
    Carriage,
    Delivered,
    HasPacking,
    InTransit,
    Item,
    Items,
    Left,
    Packed,
    Packing,
    Plan,
    Report,
    ReturnedToSender,
    Returning,
    Scan,
    Tracking,
    Unsent,
    Voided,
)
from orderflow.domain.values import MAX_LINES, Pick, Task, summed
from orderflow.errors import Refusal

__all__ = [
    "AnswerRecorded",
    "DispatchRecorded",
    "HandOver",
    "HandedOver",
    "LeftBehindRecorded",
    "OrderDateRecorded",
    "RecordAnswer",
    "RecordDispatch",
    "RecordLeftBehind",
    "RecordOrderDate",
    "ShipmentLeft",
]

L = TypeVar("L", bound=Left)
N = TypeVar("N", bound="Unsent")

# -- handed over


class HandOver(Command):
    """Note that the carrier has taken the shipment."""


class HandedOver(Event):
    """The shipment has left with these units."""

    at: datetime


def needs_no_label(state: Packed, command: HandOver, stamp: Stamp) -> Refusal | None:
    """A shipment without a label is handed over only to a carrier that needs none."""
    return refuse("not_labelled", "this shipment needs a label first") if state.plan.needs_label else None


def handed_over(state: HasPacking, event: HandedOver) -> InTransit:
    return _packed_left(state, event.at)


def _packed_left(state: HasPacking, at: datetime) -> InTransit:
    carriage = Carriage(state.packing, getattr(state, "label", None), at)
    packed = ("packed", state.packing.packed_at)
    tracking = questioned(state.tracking, "left_before_it_was_packed", ("left", at), packed)
    return _left(state.items, state.plan, tracking, carriage)


def _left(items: tuple[Item, ...], plan: Plan, tracking: Tracking, carriage: Carriage) -> InTransit:
    return InTransit(items, plan, tracking, carriage, tuple([Fate() for _ in items]))


# -- nobody handed it over, and yet it left


class ShipmentLeft(Event):
    """What was told of a packed shipment says that it has left: a carrier's ``scan``, or a ``report`` that it is back.

    That is looked at once its orders have said whether they owed what is in it.
    """

    scan: Scan | None
    report: Report | None
    at: datetime


def left(state: HasPacking, event: ShipmentLeft) -> InTransit:
    after = _packed_left(state, event.at)
    tracking = after.tracking.parking(event.scan) if event.scan else after.tracking
    if event.report:
        tracking = tracking._replace(reports=(event.report,)).tasked(Task("came_back_unsent"))
    return evolve(after, tracking=tracking._replace(asked=_orders(state.items)))


def _orders(items: tuple[Item, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.order for item in items))


# -- voided, and yet it left


class RecordDispatch(Command):
    """Note that a voided shipment has left after all, with what was taken out of it last."""


class DispatchRecorded(Event):
    """A voided shipment has left."""

    at: datetime


def dispatch_recorded(state: Voided, event: DispatchRecorded) -> InTransit:
    pieces = sum([item.quantity for item in state.last_items])
    carriage = Carriage(state.packing or Packing(0, pieces, event.at), None, event.at)
    tracking = state.tracking.without(SCANNED.code)._replace(asked=_orders(state.last_items))
    return _left(state.last_items, state.plan, tracking, carriage)


# -- what its orders answer


class _Answer(Fields):
    """Units that left beyond what the order owed, and the codes of what else speaks against their leaving."""

    order: Id
    surplus: Annotated[tuple[Pick, ...], Length(0, MAX_LINES)] = ()
    against: Annotated[tuple[Name, ...], Length(0, 10)] = ()


class RecordAnswer(_Answer, Internal):
    """Note what an order says of units that have left though nobody handed them over."""


class AnswerRecorded(_Answer, Event):
    """An order has said whether it owed what left."""


def was_asked(state: InTransit, command: RecordAnswer, stamp: Stamp) -> Refusal | None:
    """The order was asked, and the units are of its items."""
    items = {item[:3] for item in state.items}
    known = all((command.order, line, location) in items for line, location, _ in command.surplus)
    if known and command.order in state.tracking.asked:
        return None
    return refuse("not_asked", "order {order} was not asked about these units", order=command.order)


def answer_recorded(state: InTransit, event: AnswerRecorded) -> InTransit:
    places = {item[:3]: place for place, item in enumerate(state.items)}
    surplus = [(places[event.order, line, location], quantity) for line, location, quantity in event.surplus]
    fates = turned(state.fates, [Move(place, ON_THE_WAY, "surplus", quantity) for place, quantity in surplus])
    tasks = [Task("left_unowed", _told(event.order, pick)) for pick in event.surplus]
    tasks += [Task("left_in_spite", (("order", event.order), ("why", why))) for why in event.against]
    asked = tuple([order for order in state.tracking.asked if order != event.order])
    reports = state.tracking.reports if asked else ()
    tracking = state.tracking.tasked(*tasks)._replace(asked=asked, reports=reports)
    return evolve(state, fates=fates, tracking=tracking)


def _told(order: str, pick: Pick) -> tuple[tuple[str, str], ...]:
    return (("order", order), ("line", str(pick.line)), ("units", str(pick.quantity)))


# -- gone before its order was placed


class _OrderDate(Fields):
    order: Id
    placed_at: datetime


class RecordOrderDate(_OrderDate, Internal):
    """Note that an order in the shipment was placed after the shipment had left, as the dates say."""


class OrderDateRecorded(_OrderDate, Event):
    """An order was placed after the shipment had left, as the dates say."""


def order_date_recorded(state: L, event: OrderDateRecorded) -> L:
    left = ("left", state.carriage.handed_over_at.isoformat())
    dates = (("order", event.order), left, ("placed", event.placed_at.isoformat()))
    dated: L = evolve(state, tracking=state.tracking.tasked(Task("left_before_it_was_placed", dates)))
    return dated


# -- handed over, and yet some of it stayed


class _Stayed(Fields):
    items: Items


class RecordLeftBehind(_Stayed, Command):
    """Note that the carrier did not take these units: they are where they were, and owed again. It is a fact."""


class LeftBehindNoted(_Stayed, Event):
    """Units had not left, nor had the shipment, as far as anybody knows."""


class LeftBehindRecorded(Event):
    """Units had not left. Those ``beyond`` what was out cannot have stayed: they are to be counted."""

    items: tuple[Item, ...]
    moves: tuple[Move, ...]
    beyond: tuple[Item, ...]
    at: datetime


#: What had not left is here. What was settled otherwise is back, or the stock's alone, and is not owed again.
_STAYING: Final = {**COMING_BACK, ON_THE_WAY: "left_behind", "delivered": "left_behind"}


def leave_behind(state: Left, command: RecordLeftBehind, stamp: Stamp) -> LeftBehindRecorded:
    wanted = summed([(item[:3], item.quantity) for item in command.items])
    items = tuple([Item(*where, quantity) for where, quantity in wanted.items()])
    moves = moves_of_items(state, _STAYING, items)
    found = summed([(state.items[move.place][:3], move.quantity) for move in moves])
    beyond = [item._replace(quantity=item.quantity - found.get(item[:3], 0)) for item in items]
    return LeftBehindRecorded(items, moves, tuple([item for item in beyond if item.quantity]), stamp.moment)


def left_behind(state: L, event: LeftBehindRecorded) -> L | ReturnedToSender | Voided:
    """If all of it stayed, it never left."""
    after = stayed(state, event)
    if all(fate.left_behind == item.quantity for item, fate in zip(after.items, after.fates, strict=True)):
        packing = after.carriage.packing.wanting("")
        return Voided(after.items, after.plan, after.tracking, event.at, packing)
    return _less(after, event)


def returning_less(state: Returning, event: LeftBehindRecorded) -> Left | Voided:
    return or_missing(left_behind(state, event), event.at)


def delivered_less(state: Delivered, event: LeftBehindRecorded) -> Delivered | ReturnedToSender:
    return _less(stayed(state, event), event)


def _less(after: L, event: LeftBehindRecorded) -> L | ReturnedToSender:
    return or_back(after, event.items[0].location, event.at) if event.moves else after


def stayed(state: L, event: LeftBehindRecorded) -> L:
    """What had been told of these units speaks against their having stayed."""
    tasks = [counting(item.location, Back(*item[:2], item.quantity)) for item in event.beyond]
    for place, source, _, quantity in event.moves:
        if source != ON_THE_WAY:
            item = state.items[place]
            tasks.append(Task("stayed_here", (*_told(item.order, Pick(item.line, "", quantity)), ("told", source))))
    tracking = state.tracking.tasked(*tasks)
    return evolve(state, fates=turned(state.fates, event.moves), tracking=tracking)


def stayed_unsent(state: N, event: LeftBehindNoted) -> N:
    """The carrier may have taken the rest."""
    tasks = [Task("left_behind_unsent", _told(item.order, Pick(*item[1:]))) for item in event.items]
    return evolve(state, tracking=state.tracking.tasked(*tasks))


def stayed_voided(state: Voided, event: LeftBehindNoted) -> Voided:
    return state
