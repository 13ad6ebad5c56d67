"""What a payment is told (commands, imperative) and what then has happened (events, past).

Amounts are positive and in the payment's one currency. ``at`` of an event is when its source says that it happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from typing import NamedTuple, TypeAlias

from attrs import frozen

from orderflow.domain.money import Money, money_faults
from orderflow.domain.shape import Id, Name
from orderflow.errors import Fault

__all__ = [
    "AllocatePayment",
    "Allocation",
    "AllocationTarget",
    "AuthorisePayment",
    "CapturePayment",
    "ChargeBackPayment",
    "ChargedBack",
    "ClosePayment",
    "DeallocatePayment",
    "DisputePayment",
    "DisputeWon",
    "ExpectPayment",
    "MarkPending",
    "Operation",
    "OperationFailed",
    "OperationPending",
    "Origin",
    "PaymentAllocated",
    "PaymentAuthorised",
    "PaymentCaptured",
    "PaymentClosed",
    "PaymentCommand",
    "PaymentDeallocated",
    "PaymentDisputed",
    "PaymentEvent",
    "PaymentExpected",
    "PaymentReceived",
    "PaymentRefunded",
    "RecordPayment",
    "RefundPayment",
    "ResolveDispute",
    "ResolvePending",
]


class AllocationTarget(Enum):
    """What money is allocated to."""

    INVOICE = "invoice"
    ORDER = "order"


class Operation(Enum):
    """What the payment's provider is asked to do."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    REFUND = "refund"


class Allocation(NamedTuple):
    """Money of a payment that pays an invoice or an order (入金消込), in minor units."""

    target: AllocationTarget
    id: str
    minor: int


@frozen
class Origin:
    """Where a payment comes from. ``source`` and ``external_id`` together name it for ever.

    ``authorises`` tells methods that reserve the money first (cards) from those that do not (cash on delivery,
    transfer, konbini).
    """

    source: Id
    external_id: Id
    customer: Name = ""
    method: Name = ""
    authorises: bool = False


class _WithAmount:
    """A command that states an amount of money."""

    __slots__ = ()
    amount: Money

    def faults(self) -> Iterator[Fault]:
        """The amount is positive, in a known currency."""
        yield from money_faults(self.amount, "amount", least=1)


@frozen
class ExpectPayment(_WithAmount):
    """Money is expected."""

    origin: Origin
    amount: Money


@frozen
class AuthorisePayment(_WithAmount):
    """The provider has reserved the money."""

    amount: Money


@frozen
class CapturePayment(_WithAmount):
    """The provider has taken authorised money, all or a part."""

    amount: Money


@frozen
class RecordPayment(_WithAmount):
    """Money has come in, as an account statement or a person says. ``value_date`` is 入金日 where it is told."""

    origin: Origin
    amount: Money
    value_date: date | None = None


@frozen
class AllocatePayment(_WithAmount):
    """Use free money to pay an invoice or an order."""

    target: AllocationTarget
    id: Id
    amount: Money


@frozen
class DeallocatePayment(_WithAmount):
    """Take money off an invoice or an order; it is free again."""

    target: AllocationTarget
    id: Id
    amount: Money


@frozen
class RefundPayment(_WithAmount):
    """Free money was given back."""

    amount: Money


@frozen
class ChargeBackPayment(_WithAmount):
    """The bank has taken money back without asking."""

    amount: Money


@frozen
class DisputePayment(_WithAmount):
    """The payer disputes an amount."""

    amount: Money


@frozen
class ResolveDispute:
    """The dispute is over; when it is not ``won``, the disputed amount is charged back."""

    won: bool


@frozen
class MarkPending(_WithAmount):
    """The provider was asked and its answer is not known. One operation of a kind may be pending."""

    operation: Operation
    amount: Money


@frozen
class ResolvePending:
    """What became of a pending operation is known now; when it ``succeeded``, it takes effect."""

    operation: Operation
    succeeded: bool


@frozen
class ClosePayment:
    """Nothing is left to do: all is allocated or given back, or no money will come."""


@frozen
class PaymentExpected:
    """Money is expected."""

    origin: Origin
    amount: Money


@frozen
class PaymentAuthorised:
    """The money is reserved."""

    amount: Money
    at: datetime


@frozen
class PaymentCaptured:
    """Authorised money was taken."""

    amount: Money
    at: datetime


@frozen
class PaymentReceived:
    """Money has come in."""

    origin: Origin
    amount: Money
    value_date: date | None
    at: datetime


@frozen
class PaymentAllocated:
    """Free money pays an invoice or an order."""

    target: AllocationTarget
    id: str
    amount: Money


@frozen
class PaymentDeallocated:
    """Money was taken off an invoice or an order."""

    target: AllocationTarget
    id: str
    amount: Money


@frozen
class PaymentRefunded:
    """Free money was given back."""

    amount: Money
    at: datetime


@frozen
class ChargedBack:
    """Money was taken back; ``released`` allocations, the newest, lost their money by it."""

    amount: Money
    released: tuple[Allocation, ...]
    at: datetime


@frozen
class PaymentDisputed:
    """An amount is disputed."""

    amount: Money
    at: datetime


@frozen
class DisputeWon:
    """The money stays."""


@frozen
class OperationPending:
    """Nobody knows yet whether this happened."""

    operation: Operation
    amount: Money


@frozen
class OperationFailed:
    """A pending operation did not happen."""

    operation: Operation


@frozen
class PaymentClosed:
    """The payment is closed."""

    at: datetime


PaymentCommand: TypeAlias = (
    ExpectPayment | AuthorisePayment | CapturePayment | RecordPayment | AllocatePayment | DeallocatePayment
    | RefundPayment | ChargeBackPayment | DisputePayment | ResolveDispute | MarkPending | ResolvePending | ClosePayment
)  # fmt: skip
PaymentEvent: TypeAlias = (
    PaymentExpected | PaymentAuthorised | PaymentCaptured | PaymentReceived | PaymentAllocated | PaymentDeallocated
    | PaymentRefunded | ChargedBack | PaymentDisputed | DisputeWon | OperationPending | OperationFailed | PaymentClosed
)  # fmt: skip
