"""The invoice: drafted, numbered and issued in one commit. Paid, part paid and credited are standings, not states."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, NamedTuple, TypeAlias, TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.limits import MAX_LINES
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, rules
from orderflow.domain.engine.record import Command, Event, Internal, Record
from orderflow.domain.engine.schema import Id, Length, Minor, Name, Positive, Quantity
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.calendar import PaymentTerms, due_date
from orderflow.domain.money.currencies import Currency
from orderflow.domain.money.tax import TaxableLine, TaxCategory, TaxPolicy, Totals, totals
from orderflow.domain.values import PartyRef
from orderflow.errors import InvariantBroken, Refusal

__all__ = [
    "INVOICE",
    "Amounts",
    "ApplicationRecorded",
    "ApplicationWithdrawn",
    "ApplyCredit",
    "CreditApplied",
    "Draft",
    "DraftInvoice",
    "InvoiceContent",
    "InvoiceDrafted",
    "InvoiceIssued",
    "InvoiceLine",
    "InvoiceSent",
    "InvoiceState",
    "InvoiceVoided",
    "IssueInvoice",
    "Issued",
    "MarkSent",
    "Numbered",
    "RecordApplication",
    "Settled",
    "Void",
    "VoidInvoice",
    "WithdrawApplication",
    "WriteOff",
    "WrittenOff",
    "check_invoice",
    "paid_standing",
]


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
    """What an invoice says; it never changes. What a line sold stands on its order, which never changes either."""

    series: Id
    customer: Name
    bill_to: PartyRef | None
    currency: Currency
    lines: Annotated[tuple[InvoiceLine, ...], Length(1, MAX_LINES)]
    tax: TaxPolicy
    dated: date
    terms: PaymentTerms = PaymentTerms()


# -- states


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
N = TypeVar("N", bound=Numbered)


def paid_standing(invoice: Numbered) -> str:
    """How an invoice stands: ``open``, ``part_paid``, ``paid``, ``credited`` or ``written_off``."""
    a = invoice.amounts
    if invoice.open_minor > 0:
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
    if isinstance(state, Settled) is not (state.open_minor <= 0):
        raise InvariantBroken("settled", f"{type(state).__name__} with {state.open_minor} owed")


# -- drafting and issuing


@frozen(eq=False, repr=False)
class DraftInvoice(Internal):
    """Begin an invoice."""

    content: InvoiceContent


@frozen(eq=False, repr=False)
class InvoiceDrafted(Event):
    """An invoice was begun, its sums computed, its due date set."""

    content: InvoiceContent
    totals: Totals
    due_date: date


@frozen(eq=False, repr=False)
class _Number:
    number: Name


class IssueInvoice(_Number, Internal):
    """Give the invoice its number."""

    __slots__ = ()


class InvoiceIssued(_Number, Event):
    """The invoice got its number."""

    __slots__ = ()


def has_party(state: Absent, command: DraftInvoice, stamp: Stamp) -> Refusal | None:
    """An invoice names who is billed, as a party version."""
    return None if command.content.bill_to else refuse("no_party", "the order names nobody to bill (bill_to)")


def draft(state: Absent, command: DraftInvoice, stamp: Stamp) -> InvoiceDrafted:
    content = command.content
    lines = [TaxableLine(line.net_minor, line.tax, line.quantity) for line in content.lines]
    sums = totals(lines, content.tax, content.currency)
    return InvoiceDrafted(content, sums, due_date(content.terms, content.dated))


def drafted(state: Absent, event: InvoiceDrafted) -> Draft:
    return Draft(event.content, event.totals, event.due_date)


def issued(state: Draft, event: InvoiceIssued) -> Numbered:
    """A total of 0 (or less) owes nothing and is settled at once."""
    kind = Issued if state.totals.gross_minor > 0 else Settled
    return kind(state.content, state.totals, state.due_date, event.number)


# -- money, credit, loss


@frozen(eq=False, repr=False)
class RecordApplication(Internal):
    """Money of a payment pays this invoice (入金消込)."""

    payment: Id
    amount_minor: Positive
    currency: Currency


@frozen(eq=False, repr=False)
class ApplicationRecorded(Event):
    """Money was applied."""

    payment: str
    amount_minor: int


@frozen(eq=False, repr=False)
class WithdrawApplication(Internal):
    """Money of a payment is taken off this invoice again."""

    payment: Id
    amount_minor: Positive
    currency: Currency


@frozen(eq=False, repr=False)
class ApplicationWithdrawn(Event):
    """Money was taken off again."""

    payment: str
    amount_minor: int


@frozen(eq=False, repr=False)
class ApplyCredit(Internal):
    """A credit note takes an amount off this invoice."""

    credit_note: Id
    amount_minor: Positive
    currency: Currency


@frozen(eq=False, repr=False)
class CreditApplied(Event):
    """A credit was applied."""

    credit_note: str
    amount_minor: int


@frozen(eq=False, repr=False)
class _WriteOff:
    amount_minor: Positive
    reason: Name


class WriteOff(_WriteOff, Command):
    """Give up an amount still due: a bank fee, a rounding."""

    __slots__ = ()


class WrittenOff(_WriteOff, Event):
    """An amount was given up."""

    __slots__ = ()


def is_owed(state: Numbered, command: RecordApplication | WriteOff, stamp: Stamp) -> Refusal | None:
    """No more is applied or written off than is owed."""
    if command.amount_minor <= state.open_minor:
        return None
    return refuse("more_than_open", "{asked} asked, {open} open", asked=command.amount_minor, open=state.open_minor)


def same_currency(
    state: Numbered, command: RecordApplication | WithdrawApplication | ApplyCredit, stamp: Stamp
) -> Refusal | None:
    """An invoice is paid and credited in its own currency."""
    own = state.content.currency
    if command.currency == own:
        return None
    return refuse("currency_differs", "billed in {own}, not in {given}", own=own, given=command.currency)


def was_applied(state: Numbered, command: WithdrawApplication, stamp: Stamp) -> Refusal | None:
    """No more is taken off than was applied."""
    found = state.amounts.applied
    if command.amount_minor <= found:
        return None
    return refuse("not_applied", "{asked} asked, {found} applied", asked=command.amount_minor, found=found)


def within_invoice(state: Numbered, command: ApplyCredit, stamp: Stamp) -> Refusal | None:
    """Credits never exceed what was billed (I21)."""
    after = state.amounts.credited + command.amount_minor
    if abs(after) <= abs(state.totals.gross_minor):
        return None
    return refuse("more_than_billed", "{after} credited of {gross}", after=after, gross=state.totals.gross_minor)


def record_application(state: Numbered, command: RecordApplication, stamp: Stamp) -> ApplicationRecorded:
    return ApplicationRecorded(command.payment, command.amount_minor)


def withdraw_application(state: Numbered, command: WithdrawApplication, stamp: Stamp) -> ApplicationWithdrawn:
    return ApplicationWithdrawn(command.payment, command.amount_minor)


def apply_credit(state: Numbered, command: ApplyCredit, stamp: Stamp) -> CreditApplied:
    return CreditApplied(command.credit_note, command.amount_minor)


def application_recorded(state: Numbered, event: ApplicationRecorded) -> Numbered:
    return _standing(state, evolve(state.amounts, applied=state.amounts.applied + event.amount_minor))


def application_withdrawn(state: Numbered, event: ApplicationWithdrawn) -> Numbered:
    return _standing(state, evolve(state.amounts, applied=state.amounts.applied - event.amount_minor))


def credit_applied(state: Numbered, event: CreditApplied) -> Numbered:
    return _standing(state, evolve(state.amounts, credited=state.amounts.credited + event.amount_minor))


def written_off(state: Numbered, event: WrittenOff) -> Numbered:
    return _standing(state, evolve(state.amounts, written_off=state.amounts.written_off + event.amount_minor))


def _standing(state: Numbered, amounts: Amounts) -> Numbered:
    owed = state.totals.gross_minor - amounts.applied - amounts.credited - amounts.written_off
    kind = Issued if owed > 0 else Settled
    return kind(state.content, state.totals, state.due_date, state.number, amounts)


# -- sending and taking back


@frozen(eq=False, repr=False)
class MarkSent(Command):
    """The customer has the invoice."""


@frozen(eq=False, repr=False)
class InvoiceSent(Event):
    """The invoice was sent."""


@frozen(eq=False, repr=False)
class _Voiding:
    reason: Name


class VoidInvoice(_Voiding, Command):
    """Take back an invoice nobody has seen; its number is kept."""

    __slots__ = ()


class InvoiceVoided(_Voiding, Event):
    """The invoice was taken back."""

    __slots__ = ()


def sent(state: N, event: InvoiceSent) -> N:
    return evolve(state, amounts=evolve(state.amounts, sent=True))


def never_seen(state: Numbered, command: VoidInvoice, stamp: Stamp) -> Refusal | None:
    """Only an invoice that was never sent and has nothing applied can be taken back."""
    return None if state.amounts == Amounts() else refuse("already_used", "sent, paid or credited: issue a credit note")


def voided(state: Numbered, event: InvoiceVoided) -> Void:
    return Void(state.content, state.totals, state.due_date, state.number, event.reason)


# -- the table

NUMBERED: tuple[type[Numbered], ...] = (Issued, Settled)
SETTLED: tuple[type[Numbered], ...] = (Settled,)

APPLY = (same_currency, is_owed)
WITHDRAW = (same_currency, was_applied)
CREDIT = (same_currency, within_invoice)

INVOICE: Final = Machine(
    "invoice",
    rules=(
        rule(Absent, DraftInvoice, InvoiceDrafted, Draft, drafted, guards=(has_party,), decide=draft),
        rule(Draft, IssueInvoice, InvoiceIssued, NUMBERED, issued),
        rule(
            Issued, RecordApplication, ApplicationRecorded, NUMBERED, application_recorded,
            guards=APPLY, decide=record_application,
        ),
        rules(
            NUMBERED, WithdrawApplication, ApplicationWithdrawn, NUMBERED, application_withdrawn,
            guards=WITHDRAW, decide=withdraw_application,
        ),
        rule(Issued, ApplyCredit, CreditApplied, NUMBERED, credit_applied, guards=CREDIT, decide=apply_credit),
        rule(Settled, ApplyCredit, CreditApplied, SETTLED, credit_applied, guards=CREDIT, decide=apply_credit),
        rule(Issued, WriteOff, WrittenOff, NUMBERED, written_off, guards=(is_owed,)),
        rules(NUMBERED, MarkSent, InvoiceSent, None, sent),
        rule(Issued, VoidInvoice, InvoiceVoided, Void, voided, guards=(never_seen,)),
    ),
    final=(Settled, Void, Issued),
    check=check_invoice,
)  # fmt: skip
