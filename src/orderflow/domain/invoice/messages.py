"""What an invoice is told, and what then has happened."""

from __future__ import annotations

from datetime import date
from typing import Annotated, NamedTuple, TypeAlias

from attrs import frozen

from orderflow.domain.calendar import PaymentTerms
from orderflow.domain.keys import PartyRef
from orderflow.domain.limits import MAX_LINES
from orderflow.domain.shape import Id, Length, Minor, Name, Positive, Quantity
from orderflow.domain.tax import TaxCategory, TaxPolicy, Totals

__all__ = [
    "ApplyCredit",
    "ApplyPayment",
    "Content",
    "CreditApplied",
    "DraftInvoice",
    "InvoiceCommand",
    "InvoiceDrafted",
    "InvoiceEvent",
    "InvoiceIssued",
    "InvoiceLine",
    "InvoiceSent",
    "InvoiceVoided",
    "IssueInvoice",
    "MarkSent",
    "PaymentApplied",
    "PaymentUnapplied",
    "UnapplyPayment",
    "VoidInvoice",
    "WriteOff",
    "WrittenOff",
]


class InvoiceLine(NamedTuple):
    """Units of an order line, in a shipment where one is named, and their amount in minor units."""

    order: Id
    line: Quantity
    quantity: Quantity
    net_minor: Minor
    tax: TaxCategory
    shipment: Name = ""


@frozen
class Content:
    """What an invoice says; it never changes. What a line sold stands on its order, which never changes either."""

    series: Id
    customer: Name
    bill_to: PartyRef | None
    currency: Name
    lines: Annotated[tuple[InvoiceLine, ...], Length(1, MAX_LINES)]
    tax: TaxPolicy
    dated: date
    terms: PaymentTerms = PaymentTerms()


@frozen
class DraftInvoice:
    """Begin an invoice."""

    content: Content


@frozen
class IssueInvoice:
    """Give the invoice its number."""

    number: Name


@frozen
class ApplyPayment:
    """Money of a payment pays this invoice (入金消込)."""

    payment: Id
    amount_minor: Positive
    currency: Name


@frozen
class UnapplyPayment:
    """Money of a payment is taken off this invoice again."""

    payment: Id
    amount_minor: Positive
    currency: Name


@frozen
class ApplyCredit:
    """A credit note takes an amount off this invoice."""

    credit_note: Id
    amount_minor: Positive
    currency: Name


@frozen
class WriteOff:
    """Give up an amount still due: a bank fee, a rounding."""

    amount_minor: Positive
    reason: Name


@frozen
class MarkSent:
    """The customer has the invoice."""


@frozen
class VoidInvoice:
    """Take back an invoice nobody has seen; its number is kept."""

    reason: Name


@frozen
class InvoiceDrafted:
    """An invoice was begun, its sums computed, its due date set."""

    content: Content
    totals: Totals
    due: date


@frozen
class InvoiceIssued:
    """The invoice got its number."""

    number: str


@frozen
class PaymentApplied:
    """Money was applied."""

    payment: str
    amount_minor: int


@frozen
class PaymentUnapplied:
    """Money was taken off again."""

    payment: str
    amount_minor: int


@frozen
class CreditApplied:
    """A credit was applied."""

    credit_note: str
    amount_minor: int


@frozen
class WrittenOff:
    """An amount was given up."""

    amount_minor: int
    reason: str


@frozen
class InvoiceSent:
    """The invoice was sent."""


@frozen
class InvoiceVoided:
    """The invoice was taken back."""

    reason: str


InvoiceCommand: TypeAlias = (
    DraftInvoice | IssueInvoice | ApplyPayment | UnapplyPayment | ApplyCredit | WriteOff | MarkSent | VoidInvoice
)
InvoiceEvent: TypeAlias = (
    InvoiceDrafted | InvoiceIssued | PaymentApplied | PaymentUnapplied | CreditApplied | WrittenOff | InvoiceSent
    | InvoiceVoided
)  # fmt: skip
