"""The states of an invoice: what it says, and what has been taken off it. Its standing follows from its amounts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, NamedTuple, TypeAlias

from attrs import frozen

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


@frozen(eq=False, repr=False)
class InvoiceContent(Record):
    """What an invoice says; it never changes. What each line sold is on its order, which never changes either."""

    series: Id
    customer: Name
    bill_to: PartyRef | None
    currency: Currency
    lines: Annotated[tuple[InvoiceLine, ...], Length(1, MAX_LINES)]
    tax: TaxPolicy
    dated: date
    terms: PaymentTerms = PaymentTerms()


@frozen(eq=False, repr=False)
class Amounts(Record):
    """What has been taken off the total, in minor units, and whether the customer has the invoice."""

    applied: int = 0
    credited: int = 0
    written_off: int = 0
    sent: bool = False


@frozen(eq=False, repr=False)
class Draft(Record):
    """Begun, without a number."""

    content: InvoiceContent
    totals: Totals
    due_date: date


@frozen(eq=False, repr=False)
class Numbered(Record):
    """What issued and settled invoices have in common; never a state itself."""

    content: InvoiceContent
    totals: Totals
    due_date: date
    number: str
    amounts: Amounts = Amounts()

    @property
    def open_minor(self) -> int:
        """What is still owed, in minor units; negative when more was credited than was open."""
        a = self.amounts
        return self.totals.gross_minor - a.applied - a.credited - a.written_off


class Issued(Numbered):
    """Numbered and owed."""

    __slots__ = ()


class Settled(Numbered):
    """Nothing is owed."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class Void(Record):
    """Taken back before anybody saw it; the number stays used."""

    content: InvoiceContent
    totals: Totals
    due_date: date
    number: str
    reason: str


InvoiceState: TypeAlias = Draft | Issued | Settled | Void


def check_invoice(state: InvoiceState) -> None:
    """No amount is negative, no more is credited than was billed (I21), and a settled invoice owes nothing.

    Raises:
        InvariantBroken: naming the amounts.
    """
    if not isinstance(state, Numbered):
        return
    a = state.amounts
    if a.applied < 0 or a.written_off < 0 or abs(a.credited) > abs(state.totals.gross_minor):
        raise InvariantBroken("I21", repr(a))
    if isinstance(state, Settled) is not (state.open_minor <= 0):
        raise InvariantBroken("settled", f"{type(state).__name__} with {state.open_minor} owed")
