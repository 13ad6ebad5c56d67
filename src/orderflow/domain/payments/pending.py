"""An operation whose outcome the payment provider has not told is pending until it is resolved."""

from __future__ import annotations

from attrs import evolve, frozen

from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.payments.collecting import K, PaymentAuthorised, PaymentCaptured, PaymentReceived
from orderflow.domain.payments.guards import at_most, capturable, enough_free, resolved
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
    Received,
    WithAmount,
    currency_of,
    pending_minor,
)
from orderflow.errors import Refusal

__all__ = [
    "MarkPending",
    "OperationFailed",
    "OperationPending",
    "ResolvePending",
    "failed",
    "is_pending",
    "mark_pending",
    "marked",
    "operation_possible",
    "resolve",
    "resolve_authorised",
    "resolve_closed",
    "resolve_expected",
]


@frozen
class MarkPending(WithAmount):
    """The provider was asked and its answer is not known. One operation of a kind may be pending."""

    operation: Operation
    amount: Money


@frozen
class ResolvePending:
    """What became of a pending operation is known now; when it ``succeeded``, it takes effect."""

    operation: Operation
    succeeded: bool


@frozen
class OperationPending:
    """Nobody knows yet whether this happened."""

    operation: Operation
    amount: Money


@frozen
class OperationFailed:
    """A pending operation did not happen."""

    operation: Operation


def is_pending(state: Known, command: ResolvePending, stamp: Stamp) -> Refusal | None:
    """Only an operation that is pending is resolved."""
    if pending_minor(state.pending, command.operation):
        return None
    return refuse("not_pending", "{operation} is not pending", operation=command.operation.value)


def operation_possible(state: Known, command: MarkPending, stamp: Stamp) -> Refusal | None:
    """Only what could happen now, and is not pending already, can be pending."""
    operation = command.operation
    if pending_minor(state.pending, operation):
        return refuse("pending", "the outcome of {operation} is not known yet", operation=operation.value)
    if operation is Operation.REFUND and isinstance(state, Funded):
        return enough_free(state, command, stamp)
    if operation is Operation.CAPTURE and isinstance(state, Authorised | Received):
        return at_most("exceeds_authorised", capturable(state), command)
    asked = Operation.AUTHORISE if isinstance(state, Expected) and state.origin.authorises else Operation.CAPTURE
    if isinstance(state, Expected) and operation is asked:
        return None
    return refuse("not_possible", "{operation} is not possible now", operation=operation.value)


def mark_pending(state: Known, command: MarkPending, stamp: Stamp) -> OperationPending:
    """Pending as told."""
    return OperationPending(command.operation, command.amount)


def marked(state: K, event: OperationPending) -> K:
    """The same state; the amount is set aside."""
    return evolve(state, pending=(*state.pending, Pending(event.operation, event.amount.minor)))


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


def resolve(
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


def failed(state: K, event: OperationFailed) -> K:
    """The same state; the amount is not set aside any more."""
    return evolve(state, pending=resolved(state.pending, event.operation))


def _pending_amount(state: Known, operation: Operation) -> Money:
    return Money(pending_minor(state.pending, operation), currency_of(state))
