"""What stands in the way of a payment command: each guard answers ``None`` or why not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, Protocol, TypeAlias

from orderflow.domain.machine import Guard, Refusal, refuse
from orderflow.domain.money import Money
from orderflow.domain.payment import messages as m
from orderflow.domain.payment.messages import Operation
from orderflow.domain.payment.states import (
    MAX_ALLOCATIONS,
    Authorised,
    Expected,
    Funded,
    Received,
    currency_of,
    pending_minor,
)
from orderflow.domain.stamp import Stamp

__all__ = [
    "FUTURE_DAYS",
    "allocated_there",
    "enough_free",
    "is_pending",
    "method_authorises",
    "method_pays_at_once",
    "not_in_the_future",
    "not_pending",
    "nothing_free",
    "nothing_pending",
    "operation_possible",
    "reversible",
    "room_to_allocate",
    "same_currency",
    "same_origin",
    "value_date_not_in_the_future",
    "within_authorised",
]

FUTURE_DAYS: Final = 1
"""How far a fact may be dated in the future; clocks and time zones differ."""

Known: TypeAlias = Expected | Authorised | Funded
Taking: TypeAlias = Authorised | Received


class _WithAmount(Protocol):
    @property
    def amount(self) -> Money: ...


def same_currency(state: Known, command: _WithAmount, stamp: Stamp) -> Refusal | None:
    """A payment has one currency."""
    own, given = currency_of(state), command.amount.currency
    return (
        None if own == given else refuse("other_currency", "the payment is in {own}, not {given}", own=own, given=given)
    )


def not_in_the_future(state: object, command: object, stamp: Stamp) -> Refusal | None:
    """A fact is not dated in the future, beyond a tolerance of a day."""
    at = stamp.occurred_at
    if at is None or at <= stamp.at + timedelta(days=FUTURE_DAYS):
        return None
    return refuse("in_the_future", "is said to happen at {at}", at=at.isoformat())


def value_date_not_in_the_future(state: object, command: m.RecordPayment, stamp: Stamp) -> Refusal | None:
    """A value date is not in the future, beyond a tolerance of a day."""
    day = command.value_date
    if day is None or day <= stamp.at.date() + timedelta(days=FUTURE_DAYS):
        return None
    return refuse("in_the_future", "the value date is {day}", day=day.isoformat())


def same_origin(state: Expected, command: m.RecordPayment, stamp: Stamp) -> Refusal | None:
    """The money comes from the source that it is expected from, under the same id."""
    own, given = state.origin, command.origin
    if (own.source, own.external_id) == (given.source, given.external_id):
        return None
    return refuse("other_origin", "{source} {id} is another payment", source=given.source, id=given.external_id)


def method_authorises(state: Expected, command: m.AuthorisePayment, stamp: Stamp) -> Refusal | None:
    """Only some methods authorise before they pay."""
    return None if state.origin.authorises else refuse("method_pays_at_once", "this method does not authorise")


def method_pays_at_once(state: Expected, command: m.RecordPayment, stamp: Stamp) -> Refusal | None:
    """Money of a method that authorises is captured, not merely recorded."""
    return refuse("method_authorises", "authorise, then capture") if state.origin.authorises else None


def within_authorised(state: Taking, command: m.CapturePayment, stamp: Stamp) -> Refusal | None:
    """No more is captured than is authorised."""
    return _at_most("exceeds_authorised", _capturable(state), command)


def enough_free(state: Funded, command: _WithAmount, stamp: Stamp) -> Refusal | None:
    """Only free money is allocated or given back."""
    return _at_most("exceeds_free", state.free, command)


def reversible(state: Funded, command: _WithAmount, stamp: Stamp) -> Refusal | None:
    """No more is disputed or charged back than was received and has not gone back."""
    return _at_most("exceeds_received", state.reversible, command)


def allocated_there(state: Funded, command: m.DeallocatePayment, stamp: Stamp) -> Refusal | None:
    """No more is taken off an invoice or order than is allocated to it."""
    return _at_most("exceeds_allocated", state.funds.allocated_to(command.target, command.id), command)


def room_to_allocate(state: Funded, command: m.AllocatePayment, stamp: Stamp) -> Refusal | None:
    """A payment pays a bounded number of invoices and orders."""
    funds = state.funds
    if len(funds.allocations) < MAX_ALLOCATIONS or funds.allocated_to(command.target, command.id):
        return None
    return refuse("too_many_allocations", "at most {most} invoices and orders", most=MAX_ALLOCATIONS)


def not_pending(operation: Operation) -> Guard[Any, Any]:
    """A guard: the outcome of no earlier ``operation`` is unknown, so that it is not done twice."""

    def guard(state: Known, command: object, stamp: Stamp) -> Refusal | None:
        if not pending_minor(state.pending, operation):
            return None
        return refuse("pending", "the outcome of {operation} is not known yet", operation=operation.value)

    guard.__name__ = f"no_{operation.value}_pending"
    guard.__doc__ = f"The outcome of no earlier {operation.value} is unknown."
    return guard


def nothing_pending(state: Known, command: object, stamp: Stamp) -> Refusal | None:
    """The outcome of every operation is known."""
    names = ", ".join(item.operation.value for item in state.pending)
    return refuse("pending", "the outcome of {names} is not known yet", names=names) if names else None


def is_pending(state: Known, command: m.ResolvePending, stamp: Stamp) -> Refusal | None:
    """Only an operation that is pending is resolved."""
    if pending_minor(state.pending, command.operation):
        return None
    return refuse("not_pending", "{operation} is not pending", operation=command.operation.value)


def operation_possible(state: Known, command: m.MarkPending, stamp: Stamp) -> Refusal | None:
    """Only what could happen now, and is not pending already, can be pending."""
    operation = command.operation
    if pending_minor(state.pending, operation):
        return refuse("pending", "the outcome of {operation} is not known yet", operation=operation.value)
    if operation is Operation.REFUND and isinstance(state, Funded):
        return enough_free(state, command, stamp)
    if operation is Operation.CAPTURE and isinstance(state, Authorised | Received):
        return _at_most("exceeds_authorised", _capturable(state), command)
    asked = Operation.AUTHORISE if isinstance(state, Expected) and state.origin.authorises else Operation.CAPTURE
    if isinstance(state, Expected) and operation is asked:
        return None
    return refuse("not_possible", "{operation} is not possible now", operation=operation.value)


def nothing_free(state: Funded, command: m.ClosePayment, stamp: Stamp) -> Refusal | None:
    """All money is allocated or has gone back."""
    return refuse("money_left", "{free} minor units are free", free=state.free) if state.free else None


def _at_most(code: str, free: int, command: _WithAmount) -> Refusal | None:
    asked = command.amount.minor
    if asked <= free:
        return None
    return refuse(code, "{asked} minor units asked, {free} free", asked=asked, free=free)


def _capturable(state: Taking) -> int:
    return state.authorised.minor if isinstance(state, Authorised) else state.funds.authorised - state.funds.received
