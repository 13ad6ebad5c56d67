"""The states of an invoice: what it says, and what has been taken off it. Its standing follows from its amounts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, NamedTuple, TypeAlias

from orderflow.domain.engine.bounds import Id, Length, Minor, Name, Quantity
from orderflow.domain.engine.record import Record
from orderflow.domain.money.calendar import PaymentTerms
from orderflow.domain.money.currencies import Currency
from orderflow.domain.money.tax import TaxCategory, TaxPolicy, Totals
from orderflow.domain.values import MAX_LINES, PartyRef
from orderflow.errors import InvariantBroken


class InvoiceLine(NamedTuple):
    """Units of an order line, in a shipment where one is named, and their amount in minor units."""

    order: Id
    line: Quantity
    quantity: Quantity
    net_minor: Minor
    tax: TaxCategory
    shipment: Name = ""


class InvoiceContent(Record):
    """What an invoice says; it never changes. What each line sold is on its order, whose lines never change either."""

    series: Id
    customer: Name
    bill_to: PartyRef | None
    currency: Currency
    lines: Annotated[tuple[InvoiceLine, ...], Length(1, MAX_LINES)]
    tax: TaxPolicy
    dated: date
    terms: PaymentTerms = PaymentTerms()

    @property
    def order(self) -> str:
        """The order that is billed."""
        return self.lines[0].order


class LineCredit(NamedTuple):
    """What was credited of a line: units, what they were charged, and price reductions of the units that are left."""

    units: int = 0
    unit_minor: int = 0
    reduced_minor: int = 0


class PaidBy(NamedTuple):
    """Money of a payment that pays the invoice directly; ``payer`` is that payment's customer."""

    payment: str
    minor: int
    payer: str


class CreditUse(NamedTuple):
    """Credit on account of a credit note that pays the invoice."""

    credit_note: str
    minor: int


class Amounts(Record):
    """What has been taken off the total, in minor units, and whether the customer has the invoice.

    ``prepaid`` comes from the order's prepayments (BT-113). ``lines`` are in the places of the content's, none as long
    as nothing is credited. Payments and credit notes are listed oldest first. ``reopened``: it was settled before.
    """

    prepaid: int = 0
    credited: int = 0
    written_off: int = 0
    paid_by: tuple[PaidBy, ...] = ()
    credit_used: tuple[CreditUse, ...] = ()
    lines: tuple[LineCredit, ...] = ()
    sent: bool = False
    reopened: bool = False

    @property
    def applied(self) -> int:
        """What payments pay directly."""
        return sum([paid.minor for paid in self.paid_by])

    @property
    def used(self) -> int:
        """What credit on account pays."""
        return sum([use.minor for use in self.credit_used])

    @property
    def settled(self) -> int:
        """All that was taken off the total."""
        return self.prepaid + self.applied + self.used + self.credited + self.written_off


class Draft(Record):
    """Begun, without a number."""

    content: InvoiceContent
    totals: Totals
    due_date: date
    prepaid_minor: int = 0


class Numbered(Record):
    """What issued and settled invoices have in common; never a state itself."""

    content: InvoiceContent
    totals: Totals
    due_date: date
    number: str
    amounts: Amounts = Amounts()

    @property
    def open_minor(self) -> int:
        """What is still owed, in minor units."""
        return self.totals.gross_minor - self.amounts.settled

    @property
    def due_minor(self) -> int:
        """What is owed before the order's prepayments, in minor units."""
        return self.open_minor + self.amounts.prepaid

    @property
    def credits(self) -> tuple[LineCredit, ...]:
        """What was credited of each line."""
        return self.amounts.lines or (LineCredit(),) * len(self.content.lines)

    def left(self) -> list[tuple[InvoiceLine, int, int]]:
        """Each line with the units and minor units that it still charges."""
        return [
            (line, line.quantity - credit.units, line.net_minor - credit.unit_minor - credit.reduced_minor)
            for line, credit in zip(self.content.lines, self.credits, strict=True)
        ]


class Issued(Numbered):
    """Numbered and owed."""


class Settled(Numbered):
    """Nothing is owed."""


class Void(Record):
    """Taken back before anybody saw it; the number stays used."""

    content: InvoiceContent
    totals: Totals
    due_date: date
    number: str
    reason: str


InvoiceState: TypeAlias = Draft | Issued | Settled | Void


def check_invoice(state: InvoiceState) -> None:
    """No amount is negative, and no more is credited than was billed (I21).

    That nothing is paid twice is a law across rows: the order takes its money off after a credit.

    Raises:
        InvariantBroken: naming the amounts.
    """
    if not isinstance(state, Numbered):
        return
    a, gross = state.amounts, state.totals.gross_minor
    if min(a.prepaid, a.written_off, a.applied, a.used) < 0 or abs(a.credited) > abs(gross):
        raise InvariantBroken("I21", repr(a))
    if a.lines and any(units < 0 or (not units and minor) for _, units, minor in state.left()):
        raise InvariantBroken("I21", f"more units are credited than were billed, or money without units: {a.lines}")
    if isinstance(state, Settled) is not (state.open_minor <= 0):
        raise InvariantBroken("settled", f"{type(state).__name__} with {state.open_minor} owed")
