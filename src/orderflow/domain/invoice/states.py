"""The states of an invoice. Paid, part paid and credited are standings of its amounts, not states."""

from __future__ import annotations

from datetime import date
from typing import Self, TypeAlias

from attrs import frozen

from orderflow.domain.invoice.messages import Content
from orderflow.domain.tax import Totals
from orderflow.errors import InvariantBroken

__all__ = [
    "Amounts",
    "Draft",
    "InvoiceState",
    "Issued",
    "Numbered",
    "Settled",
    "Void",
    "check_invoice",
    "paid_standing",
]


@frozen
class Amounts:
    """What has been taken off the total, in minor units, and whether the customer has the invoice."""

    applied: int = 0
    credited: int = 0
    written_off: int = 0
    sent: bool = False


@frozen
class Draft:
    """Begun, without a number."""

    content: Content
    totals: Totals
    due: date


@frozen
class Numbered:
    """What issued and settled invoices have in common; never a state itself."""

    content: Content
    totals: Totals
    due: date
    number: str
    amounts: Amounts = Amounts()

    @property
    def due_minor(self) -> int:
        """What is still owed, in minor units; negative when more was credited than was open."""
        a = self.amounts
        return self.totals.gross_minor - a.applied - a.credited - a.written_off

    def with_amounts(self, amounts: Amounts) -> Self:
        """The same state with other amounts."""
        return type(self)(self.content, self.totals, self.due, self.number, amounts)


class Issued(Numbered):
    """Numbered and owed."""

    __slots__ = ()


class Settled(Numbered):
    """Nothing is owed."""

    __slots__ = ()


@frozen
class Void:
    """Taken back before anybody saw it; the number stays used."""

    content: Content
    totals: Totals
    due: date
    number: str
    reason: str


InvoiceState: TypeAlias = Draft | Issued | Settled | Void


def paid_standing(invoice: Numbered) -> str:
    """How an invoice stands: ``open``, ``part_paid``, ``paid``, ``credited`` or ``written_off``."""
    a = invoice.amounts
    if invoice.due_minor > 0:
        return "part_paid" if a.applied or a.credited else "open"
    if a.credited >= invoice.totals.gross_minor and a.credited:
        return "credited"
    return "written_off" if a.written_off else "paid"


def check_invoice(state: InvoiceState) -> None:
    """No amount is negative, no more is credited than was billed (I21), and settled means nothing is owed.

    Raises:
        InvariantBroken: naming the amounts.
    """
    if not isinstance(state, Numbered):
        return
    a = state.amounts
    if a.applied < 0 or a.written_off < 0 or abs(a.credited) > abs(state.totals.gross_minor):
        raise InvariantBroken("I21", repr(a))
    if isinstance(state, Settled) is not (state.due_minor <= 0):
        raise InvariantBroken("settled", f"{type(state).__name__} with {state.due_minor} owed")
