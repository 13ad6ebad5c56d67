"""Operations with an unknown outcome: they are marked, so that they are not done twice, and resolved later."""

from __future__ import annotations

from typing import TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.payments.collecting import PaymentAuthorised, PaymentCaptured, PaymentReceived
from orderflow.domain.payments.guards import enough_free, within_authorised
from orderflow.domain.payments.refunding import PaymentRefunded
from orderflow.domain.payments.state import (
    Authorised,
    Closed,
    Disputed,
    Expected,
    Funded,
    Known,
    Operation,
    Pending,
    PositiveAmount,
    Received,
    currency_of,
    pending_minor,
    without,
)
from orderflow.errors import Refusal

K = TypeVar("K", bound=Known)


@frozen(eq=False, repr=False)
class _Marked(PositiveAmount):
    operation: Operation
    amount: Money


class MarkPending(_Marked, Command):
    """Note that the provider was asked and its answer is not known. One operation of each kind may be pending."""

    __slots__ = ()


class OperationPending(_Marked, Event):
    """Nobody knows yet whether this happened."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class ResolvePending(Command):
    """Record what became of a pending operation; if it ``succeeded``, it takes effect."""

    operation: Operation
    succeeded: bool


@frozen(eq=False, repr=False)
class OperationFailed(Event):
    """A pending operation did not happen."""

    operation: Operation


def operation_possible(state: Known, command: MarkPending, stamp: Stamp) -> Refusal | None:
    """Only an operation that is possible now, and not pending already, can be marked as pending."""
    operation = command.operation
    if pending_minor(state.pending, operation):
        return refuse("pending", "the outcome of {operation} is not known yet", operation=operation.value)
    if operation is Operation.REFUND and isinstance(state, Funded):
        return enough_free(state, command, stamp)
    if operation is Operation.CAPTURE and isinstance(state, Authorised | Received):
        return within_authorised(state, command, stamp)
    asked = Operation.AUTHORISE if isinstance(state, Expected) and state.origin.authorises else Operation.CAPTURE
    if isinstance(state, Expected) and operation is asked:
        return None
    return refuse("not_possible", "{operation} is not possible now", operation=operation.value)


def is_pending(state: Known, command: ResolvePending, stamp: Stamp) -> Refusal | None:
    """Only a pending operation can be resolved."""
    if pending_minor(state.pending, command.operation):
        return None
    return refuse("not_pending", "{operation} is not pending", operation=command.operation.value)


def marked(state: K, event: OperationPending) -> K:
    return evolve(state, pending=(*state.pending, Pending(event.operation, event.amount.minor)))


def failed(state: K, event: OperationFailed) -> K:
    return evolve(state, pending=without(state.pending, event.operation))


def resolve_expected(
    state: Expected, command: ResolvePending, stamp: Stamp
) -> OperationFailed | PaymentAuthorised | PaymentReceived:
    """The money was reserved or has come in, or nothing happened."""
    if not command.succeeded:
        return OperationFailed(command.operation)
    amount, at = _pending_amount(state, command.operation), stamp.moment
    if command.operation is Operation.AUTHORISE:
        return PaymentAuthorised(amount, at)
    return PaymentReceived(state.origin, amount, None, at)


def resolve_authorised(state: Authorised, command: ResolvePending, stamp: Stamp) -> OperationFailed | PaymentCaptured:
    """The money was taken, or nothing happened."""
    if not command.succeeded:
        return OperationFailed(command.operation)
    return PaymentCaptured(_pending_amount(state, command.operation), stamp.moment)


def resolve_funded(
    state: Received | Disputed, command: ResolvePending, stamp: Stamp
) -> OperationFailed | PaymentCaptured | PaymentRefunded:
    """The money was taken or given back, or nothing happened."""
    if not command.succeeded:
        return OperationFailed(command.operation)
    amount, at = _pending_amount(state, command.operation), stamp.moment
    return PaymentCaptured(amount, at) if command.operation is Operation.CAPTURE else PaymentRefunded(amount, at)


def resolve_closed(state: Closed, command: ResolvePending, stamp: Stamp) -> OperationFailed | PaymentRefunded:
    """The money was given back, or nothing happened."""
    if not command.succeeded:
        return OperationFailed(command.operation)
    return PaymentRefunded(_pending_amount(state, command.operation), stamp.moment)


def _pending_amount(state: Known, operation: Operation) -> Money:
    return Money(pending_minor(state.pending, operation), currency_of(state))
