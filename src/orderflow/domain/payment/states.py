"""The states of a payment: a class for each, with the facts that are true in it, and their invariants."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple, Self, TypeAlias

from attrs import frozen

from orderflow.domain.money import Money
from orderflow.domain.payment.messages import Allocation, AllocationTarget, Operation, Origin
from orderflow.errors import InvariantBroken

__all__ = [
    "MAX_ALLOCATIONS",
    "Authorised",
    "Closed",
    "Disputed",
    "Expected",
    "Funded",
    "Funds",
    "PaymentState",
    "Pending",
    "Received",
    "check_payment",
    "currency_of",
    "pending_minor",
]

MAX_ALLOCATIONS = 1_000
"""Invoices and orders that one payment may pay."""


class Pending(NamedTuple):
    """An operation whose outcome is unknown, and its amount in minor units."""

    operation: Operation
    minor: int


def pending_minor(pending: tuple[Pending, ...], operation: Operation) -> int:
    """The amount of a pending operation in minor units, 0 when none is pending."""
    return sum([item.minor for item in pending if item.operation is operation])


@frozen
class Funds:
    """The money of a payment, in minor units of one currency. ``received`` is what was captured or has come in."""

    currency: str
    authorised: int = 0
    received: int = 0
    refunded: int = 0
    charged_back: int = 0
    allocations: tuple[Allocation, ...] = ()
    value_date: date | None = None
    received_at: datetime | None = None

    @property
    def kept(self) -> int:
        """What was received and has not gone back."""
        return self.received - self.refunded - self.charged_back

    @property
    def allocated(self) -> int:
        """What pays invoices and orders."""
        return sum([allocation.minor for allocation in self.allocations])

    def allocated_to(self, target: AllocationTarget, id: str) -> int:  # noqa: A002 - the field's own name
        """What pays one invoice or order."""
        return sum([allocation.minor for allocation in self.allocations if allocation[:2] == (target, id)])


@frozen
class Expected:
    """Money should come; none has."""

    origin: Origin
    amount: Money
    pending: tuple[Pending, ...]


@frozen
class Authorised:
    """The money is reserved; none has been taken."""

    origin: Origin
    authorised: Money
    pending: tuple[Pending, ...]


@frozen
class Funded:
    """What every state with funds has in common; never a state itself."""

    origin: Origin
    funds: Funds
    pending: tuple[Pending, ...]

    @property
    def free(self) -> int:
        """Customer credit (仮受金) in minor units: kept, not allocated, and not perhaps refunded already."""
        return self.funds.kept - self.funds.allocated - pending_minor(self.pending, Operation.REFUND)

    @property
    def reversible(self) -> int:
        """What may still be taken back, in minor units: kept, and not perhaps refunded already."""
        return self.funds.kept - pending_minor(self.pending, Operation.REFUND)

    def with_money(self, funds: Funds, pending: tuple[Pending, ...]) -> Self:
        """The same state with other funds and pending operations."""
        return type(self)(self.origin, funds, pending)


class Received(Funded):
    """Money is here; what is not allocated is customer credit (仮受金)."""

    __slots__ = ()


@frozen
class Disputed(Funded):
    """The payer disputes ``disputed`` minor units of it."""

    disputed: int

    def with_money(self, funds: Funds, pending: tuple[Pending, ...]) -> Self:
        """The same state with other funds and pending operations."""
        return type(self)(self.origin, funds, pending, self.disputed)


@frozen
class Closed(Funded):
    """Done with. Late refunds, chargebacks and other allocations are still recorded."""

    closed_at: datetime

    def with_money(self, funds: Funds, pending: tuple[Pending, ...]) -> Self:
        """The same state with other funds and pending operations."""
        return type(self)(self.origin, funds, pending, self.closed_at)


PaymentState: TypeAlias = Expected | Authorised | Received | Disputed | Closed


def currency_of(state: Expected | Authorised | Funded) -> str:
    """The payment's one currency."""
    if isinstance(state, Expected):
        return state.amount.currency
    return state.authorised.currency if isinstance(state, Authorised) else state.funds.currency


def check_payment(state: PaymentState) -> None:
    """The payment's invariants: captured <= authorised where the method authorises, and no money is used twice.

    Raises:
        InvariantBroken: naming what is wrong.
    """
    if len(state.pending) > 1 and len({item.operation for item in state.pending}) != len(state.pending):
        raise InvariantBroken("payment pending", "two operations of a kind are pending")
    if isinstance(state, Funded):
        _check_funds(state)


def _check_funds(state: Funded) -> None:
    funds = state.funds
    if min(funds.received, funds.refunded, funds.charged_back, *[item.minor for item in funds.allocations]) < 0:
        raise InvariantBroken("payment funds", "an amount is negative")
    if state.origin.authorises and funds.received > funds.authorised:
        raise InvariantBroken("payment captured", "more is captured than was authorised")
    if funds.kept < 0:
        raise InvariantBroken("payment reversed", "more is refunded and charged back than was received")
    if state.free < 0:
        raise InvariantBroken("payment allocated", "more is allocated and given back than was received")
    if len(funds.allocations) > 1 and len({item[:2] for item in funds.allocations}) != len(funds.allocations):
        raise InvariantBroken("payment allocations", "an invoice or order stands twice")
