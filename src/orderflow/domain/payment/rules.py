"""How a payment decides and changes: for each command a decide, for each event an evolve, a few lines each."""

from __future__ import annotations

from typing import Protocol, TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain.machine import Absent
from orderflow.domain.money import Money
from orderflow.domain.payment import messages as m
from orderflow.domain.payment.messages import Allocation, AllocationTarget, Operation
from orderflow.domain.payment.states import (
    Authorised,
    Closed,
    Disputed,
    Expected,
    Funded,
    Funds,
    Pending,
    Received,
    currency_of,
    pending_minor,
)
from orderflow.domain.stamp import Stamp

__all__ = [
    "allocate",
    "allocated",
    "authorise",
    "authorised",
    "capture",
    "captured",
    "charge_back",
    "charged_back",
    "close",
    "closed",
    "deallocate",
    "deallocated",
    "dispute",
    "dispute_lost",
    "dispute_won",
    "disputed",
    "expect",
    "expected",
    "failed",
    "first_captured",
    "mark_pending",
    "marked",
    "received",
    "record",
    "refund",
    "refunded",
    "resolve",
    "resolve_authorised",
    "resolve_closed",
    "resolve_dispute",
    "resolve_expected",
]

Known: TypeAlias = Expected | Authorised | Funded
Taking: TypeAlias = Authorised | Received
F = TypeVar("F", bound=Funded)
K = TypeVar("K", Expected, Authorised, Received, Disputed, Closed)


class _Allocated(Protocol):
    @property
    def target(self) -> AllocationTarget: ...
    @property
    def id(self) -> str: ...


# -- money comes in


def expect(state: Absent, command: m.ExpectPayment, stamp: Stamp) -> m.PaymentExpected:
    """Expected as told."""
    return m.PaymentExpected(command.origin, command.amount)


def expected(state: Absent, event: m.PaymentExpected) -> Expected:
    """Nothing has come yet."""
    return Expected(event.origin, event.amount, ())


def authorise(state: Expected, command: m.AuthorisePayment, stamp: Stamp) -> m.PaymentAuthorised:
    """Authorised as told."""
    return m.PaymentAuthorised(command.amount, stamp.moment)


def authorised(state: Expected, event: m.PaymentAuthorised) -> Authorised:
    """The money is reserved."""
    return Authorised(state.origin, event.amount, _resolved(state.pending, Operation.AUTHORISE))


def capture(state: Taking, command: m.CapturePayment, stamp: Stamp) -> m.PaymentCaptured:
    """Captured as told."""
    return m.PaymentCaptured(command.amount, stamp.moment)


def first_captured(state: Authorised, event: m.PaymentCaptured) -> Received:
    """The first money is here."""
    funds = Funds(event.amount.currency, state.authorised.minor, event.amount.minor, received_at=event.at)
    return Received(state.origin, funds, _resolved(state.pending, Operation.CAPTURE))


def captured(state: F, event: m.PaymentCaptured) -> F:
    """More money is here."""
    funds = evolve(state.funds, received=state.funds.received + event.amount.minor)
    return state.with_money(funds, _resolved(state.pending, Operation.CAPTURE))


def record(state: Absent | Expected, command: m.RecordPayment, stamp: Stamp) -> m.PaymentReceived:
    """Received as told."""
    return m.PaymentReceived(command.origin, command.amount, command.value_date, stamp.moment)


def received(state: Absent | Expected, event: m.PaymentReceived) -> Received:
    """The money is here, all of it free."""
    amount = event.amount
    funds = Funds(amount.currency, 0, amount.minor, 0, 0, (), event.value_date, event.at)
    return Received(event.origin, funds, ())


# -- money is used


def allocate(state: Funded, command: m.AllocatePayment, stamp: Stamp) -> m.PaymentAllocated:
    """Allocated as asked."""
    return m.PaymentAllocated(command.target, command.id, command.amount)


def allocated(state: F, event: m.PaymentAllocated) -> F:
    """Less is free."""
    return _with_allocation(state, event, event.amount.minor)


def deallocate(state: Funded, command: m.DeallocatePayment, stamp: Stamp) -> m.PaymentDeallocated:
    """Taken off as asked."""
    return m.PaymentDeallocated(command.target, command.id, command.amount)


def deallocated(state: F, event: m.PaymentDeallocated) -> F:
    """More is free."""
    return _with_allocation(state, event, -event.amount.minor)


def _with_allocation(state: F, event: _Allocated, change: int) -> F:
    f, place = state.funds, (event.target, event.id)
    others = tuple([item for item in f.allocations if item[:2] != place])
    minor = f.allocated_to(*place) + change
    allocations = (*others, Allocation(*place, minor)) if minor else others
    return state.with_money(_with_allocations(f, allocations), state.pending)


def _with_allocations(f: Funds, allocations: tuple[Allocation, ...]) -> Funds:
    return Funds(
        f.currency, f.authorised, f.received, f.refunded, f.charged_back, allocations, f.value_date, f.received_at
    )


# -- money goes back


def refund(state: Funded, command: m.RefundPayment, stamp: Stamp) -> m.PaymentRefunded:
    """Refunded as told."""
    return m.PaymentRefunded(command.amount, stamp.moment)


def refunded(state: F, event: m.PaymentRefunded) -> F:
    """Less is kept."""
    funds = evolve(state.funds, refunded=state.funds.refunded + event.amount.minor)
    return state.with_money(funds, _resolved(state.pending, Operation.REFUND))


def charge_back(state: Funded, command: m.ChargeBackPayment, stamp: Stamp) -> m.ChargedBack:
    """Charged back; where free money does not suffice, the newest allocations lose theirs."""
    return _charge_back(state, command.amount, stamp)


def _charge_back(state: Funded, amount: Money, stamp: Stamp) -> m.ChargedBack:
    released = []
    missing = amount.minor - state.free
    for allocation in reversed(state.funds.allocations):
        if missing > 0:
            released.append(allocation._replace(minor=min(missing, allocation.minor)))
            missing -= allocation.minor
    return m.ChargedBack(amount, tuple(released), stamp.moment)


def charged_back(state: F, event: m.ChargedBack) -> F:
    """Less is kept, and less is allocated."""
    return state.with_money(_reversed(state.funds, event), state.pending)


def _reversed(funds: Funds, event: m.ChargedBack) -> Funds:
    less = {item[:2]: item.minor for item in event.released}
    left = [item._replace(minor=item.minor - less.get(item[:2], 0)) for item in funds.allocations]
    allocations = tuple([item for item in left if item.minor])
    return evolve(funds, charged_back=funds.charged_back + event.amount.minor, allocations=allocations)


def dispute(state: Received, command: m.DisputePayment, stamp: Stamp) -> m.PaymentDisputed:
    """Disputed as told."""
    return m.PaymentDisputed(command.amount, stamp.moment)


def disputed(state: Received, event: m.PaymentDisputed) -> Disputed:
    """Until the dispute is resolved, no money is allocated or refunded."""
    return Disputed(state.origin, state.funds, state.pending, event.amount.minor)


def resolve_dispute(state: Disputed, command: m.ResolveDispute, stamp: Stamp) -> m.DisputeWon | m.ChargedBack:
    """Won, or charged back."""
    return m.DisputeWon() if command.won else _charge_back(state, Money(state.disputed, state.funds.currency), stamp)


def dispute_won(state: Disputed, event: m.DisputeWon) -> Received:
    """As before the dispute."""
    return Received(state.origin, state.funds, state.pending)


def dispute_lost(state: Disputed, event: m.ChargedBack) -> Received:
    """Less the disputed amount."""
    return Received(state.origin, _reversed(state.funds, event), state.pending)


# -- outcomes that are not known yet


def mark_pending(state: Known, command: m.MarkPending, stamp: Stamp) -> m.OperationPending:
    """Pending as told."""
    return m.OperationPending(command.operation, command.amount)


def marked(state: K, event: m.OperationPending) -> K:
    """The same state; the amount is set aside."""
    return evolve(state, pending=(*state.pending, Pending(event.operation, event.amount.minor)))


def resolve_expected(
    state: Expected, command: m.ResolvePending, stamp: Stamp
) -> m.OperationFailed | m.PaymentAuthorised | m.PaymentReceived:
    """The money was reserved or has come in, or nothing happened."""
    if not command.succeeded:
        return m.OperationFailed(command.operation)
    amount, at = _pending_amount(state, command.operation), stamp.moment
    if command.operation is Operation.AUTHORISE:
        return m.PaymentAuthorised(amount, at)
    return m.PaymentReceived(state.origin, amount, None, at)


def resolve_authorised(
    state: Authorised, command: m.ResolvePending, stamp: Stamp
) -> m.OperationFailed | m.PaymentCaptured:
    """The money was taken, or nothing happened."""
    if not command.succeeded:
        return m.OperationFailed(command.operation)
    return m.PaymentCaptured(_pending_amount(state, command.operation), stamp.moment)


def resolve(
    state: Received | Disputed, command: m.ResolvePending, stamp: Stamp
) -> m.OperationFailed | m.PaymentCaptured | m.PaymentRefunded:
    """The money was taken or given back, or nothing happened."""
    if not command.succeeded:
        return m.OperationFailed(command.operation)
    amount, at = _pending_amount(state, command.operation), stamp.moment
    return m.PaymentCaptured(amount, at) if command.operation is Operation.CAPTURE else m.PaymentRefunded(amount, at)


def resolve_closed(state: Closed, command: m.ResolvePending, stamp: Stamp) -> m.OperationFailed | m.PaymentRefunded:
    """The money was given back, or nothing happened."""
    if not command.succeeded:
        return m.OperationFailed(command.operation)
    return m.PaymentRefunded(_pending_amount(state, command.operation), stamp.moment)


def failed(state: K, event: m.OperationFailed) -> K:
    """The same state; the amount is not set aside any more."""
    return evolve(state, pending=_resolved(state.pending, event.operation))


def _pending_amount(state: Known, operation: Operation) -> Money:
    return Money(pending_minor(state.pending, operation), currency_of(state))


def _resolved(pending: tuple[Pending, ...], operation: Operation) -> tuple[Pending, ...]:
    return tuple([item for item in pending if item.operation is not operation])


# -- close


def close(state: Known, command: m.ClosePayment, stamp: Stamp) -> m.PaymentClosed:
    """Closed now."""
    return m.PaymentClosed(stamp.at)


def closed(state: Known, event: m.PaymentClosed) -> Closed:
    """With the funds it had, if any."""
    if isinstance(state, Funded):
        return Closed(state.origin, state.funds, (), event.at)
    held = state.authorised.minor if isinstance(state, Authorised) else 0
    return Closed(state.origin, Funds(currency_of(state), held), (), event.at)
