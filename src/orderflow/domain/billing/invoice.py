"""The invoice: drafted, issued, paid, credited, written off, voided."""

from __future__ import annotations

from datetime import date
from typing import Final, TypeAlias, TypeVar

from attrs import evolve, frozen

from orderflow.domain.billing.invoice_state import (
    Amounts,
    Draft,
    InvoiceContent,
    Issued,
    Numbered,
    Settled,
    Void,
    check_invoice,
)
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, to, to_one_of
from orderflow.domain.engine.schema import Id, Name, Positive
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.calendar import due_date
from orderflow.domain.money.tax import TaxableLine, Totals, totals
from orderflow.errors import Refusal

__all__ = [
    "INVOICE",
    "ApplicationRecorded",
    "ApplicationWithdrawn",
    "ApplyCredit",
    "CreditApplied",
    "DraftInvoice",
    "InvoiceCommand",
    "InvoiceDrafted",
    "InvoiceEvent",
    "InvoiceIssued",
    "InvoiceSent",
    "InvoiceVoided",
    "IssueInvoice",
    "MarkSent",
    "RecordApplication",
    "VoidInvoice",
    "WithdrawApplication",
    "WriteOff",
    "WrittenOff",
    "application_recorded",
    "application_withdrawn",
    "apply_credit",
    "credit_applied",
    "credit_settled",
    "draft",
    "drafted",
    "has_party",
    "is_owed",
    "issue",
    "issued",
    "mark_sent",
    "never_seen",
    "record_application",
    "same_currency",
    "sent",
    "void",
    "voided",
    "was_applied",
    "withdraw_application",
    "within_invoice",
    "write_off",
    "written_off",
]


@frozen
class DraftInvoice:
    """Begin an invoice."""

    content: InvoiceContent


@frozen
class IssueInvoice:
    """Give the invoice its number."""

    number: Name


@frozen
class RecordApplication:
    """Money of a payment pays this invoice (入金消込)."""

    payment: Id
    amount_minor: Positive
    currency: Name


@frozen
class WithdrawApplication:
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

    content: InvoiceContent
    totals: Totals
    due_date: date


@frozen
class InvoiceIssued:
    """The invoice got its number."""

    number: str


@frozen
class ApplicationRecorded:
    """Money was applied."""

    payment: str
    amount_minor: int


@frozen
class ApplicationWithdrawn:
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
    DraftInvoice
    | IssueInvoice
    | RecordApplication
    | WithdrawApplication
    | ApplyCredit
    | WriteOff
    | MarkSent
    | VoidInvoice
)


InvoiceEvent: TypeAlias = (
    InvoiceDrafted | InvoiceIssued | ApplicationRecorded | ApplicationWithdrawn | CreditApplied | WrittenOff
    | InvoiceSent | InvoiceVoided
)  # fmt: skip


N = TypeVar("N", bound=Numbered)


def has_party(state: Absent, command: DraftInvoice, stamp: Stamp) -> Refusal | None:
    """An invoice names who is billed, as a party version."""
    return None if command.content.bill_to else refuse("no_party", "the order names nobody to bill (bill_to)")


def is_owed(state: Issued, command: RecordApplication | WriteOff, stamp: Stamp) -> Refusal | None:
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


def never_seen(state: Numbered, command: VoidInvoice, stamp: Stamp) -> Refusal | None:
    """Only an invoice that was never sent and has nothing applied can be taken back."""
    return None if state.amounts == Amounts() else refuse("already_used", "sent, paid or credited: issue a credit note")


def draft(state: Absent, command: DraftInvoice, stamp: Stamp) -> InvoiceDrafted:
    """What ``DraftInvoice`` becomes."""
    content = command.content
    lines = [TaxableLine(line.net_minor, line.tax, line.quantity) for line in content.lines]
    sums = totals(lines, content.tax, content.currency)
    return InvoiceDrafted(content, sums, due_date(content.terms, content.dated))


def drafted(state: Absent, event: InvoiceDrafted) -> Draft:
    """The invoice after ``InvoiceDrafted``."""
    return Draft(event.content, event.totals, event.due_date)


def issue(state: Draft, command: IssueInvoice, stamp: Stamp) -> InvoiceIssued:
    """What ``IssueInvoice`` becomes."""
    return InvoiceIssued(command.number)


def issued(state: Draft, event: InvoiceIssued) -> Issued | Settled:
    """A total of 0 (or less) owes nothing and is settled at once."""
    kind = Issued if state.totals.gross_minor > 0 else Settled
    return kind(state.content, state.totals, state.due_date, event.number)


def record_application(state: Issued, command: RecordApplication, stamp: Stamp) -> ApplicationRecorded:
    """What ``ApplyPayment`` becomes."""
    return ApplicationRecorded(command.payment, command.amount_minor)


def application_recorded(state: Issued, event: ApplicationRecorded) -> Issued | Settled:
    """The invoice after ``ApplicationRecorded``."""
    a = state.amounts
    return _standing(state, Amounts(a.applied + event.amount_minor, a.credited, a.written_off, a.sent))


def withdraw_application(state: Numbered, command: WithdrawApplication, stamp: Stamp) -> ApplicationWithdrawn:
    """What ``UnapplyPayment`` becomes."""
    return ApplicationWithdrawn(command.payment, command.amount_minor)


def application_withdrawn(state: Numbered, event: ApplicationWithdrawn) -> Issued | Settled:
    """The invoice after ``ApplicationWithdrawn``."""
    return _standing(state, evolve(state.amounts, applied=state.amounts.applied - event.amount_minor))


def apply_credit(state: Numbered, command: ApplyCredit, stamp: Stamp) -> CreditApplied:
    """What ``ApplyCredit`` becomes."""
    return CreditApplied(command.credit_note, command.amount_minor)


def credit_applied(state: Numbered, event: CreditApplied) -> Issued | Settled:
    """The invoice after ``CreditApplied``."""
    return _standing(state, evolve(state.amounts, credited=state.amounts.credited + event.amount_minor))


def credit_settled(state: Settled, event: CreditApplied) -> Settled:
    """The invoice after ``CreditApplied``."""
    return state.with_amounts(evolve(state.amounts, credited=state.amounts.credited + event.amount_minor))


def write_off(state: Issued, command: WriteOff, stamp: Stamp) -> WrittenOff:
    """What ``WriteOff`` becomes."""
    return WrittenOff(command.amount_minor, command.reason)


def written_off(state: Issued, event: WrittenOff) -> Issued | Settled:
    """The invoice after ``WrittenOff``."""
    return _standing(state, evolve(state.amounts, written_off=state.amounts.written_off + event.amount_minor))


def mark_sent(state: Numbered, command: MarkSent, stamp: Stamp) -> InvoiceSent:
    """What ``MarkSent`` becomes."""
    return InvoiceSent()


def sent(state: N, event: InvoiceSent) -> N:
    """The invoice after ``InvoiceSent``."""
    return state.with_amounts(evolve(state.amounts, sent=True))


def void(state: Issued, command: VoidInvoice, stamp: Stamp) -> InvoiceVoided:
    """What ``VoidInvoice`` becomes."""
    return InvoiceVoided(command.reason)


def voided(state: Issued, event: InvoiceVoided) -> Void:
    """The invoice after ``InvoiceVoided``."""
    return Void(state.content, state.totals, state.due_date, state.number, event.reason)


def _standing(state: Numbered, amounts: Amounts) -> Issued | Settled:
    owed = state.totals.gross_minor - amounts.applied - amounts.credited - amounts.written_off
    kind = Issued if owed > 0 else Settled
    return kind(state.content, state.totals, state.due_date, state.number, amounts)


APPLIED = to_one_of(ApplicationRecorded, application_recorded, Issued, Settled)


UNAPPLIED = to_one_of(ApplicationWithdrawn, application_withdrawn, Issued, Settled)


CREDITED = to_one_of(CreditApplied, credit_applied, Issued, Settled)


SETTLED_CREDITED = to(CreditApplied, Settled, credit_settled)


INVOICE: Final = Machine(
    "invoice",
    commands=InvoiceCommand,
    events=InvoiceEvent,
    final=(Settled, Void, Issued),
    check=check_invoice,
    rules=(
        rule(Absent, DraftInvoice, draft, to(InvoiceDrafted, Draft, drafted), guards=(has_party,)),
        rule(Draft, IssueInvoice, issue, to_one_of(InvoiceIssued, issued, Issued, Settled)),
        rule(Issued, RecordApplication, record_application, APPLIED, guards=(same_currency, is_owed)),
        rule(Issued, WithdrawApplication, withdraw_application, UNAPPLIED, guards=(same_currency, was_applied)),
        rule(Issued, ApplyCredit, apply_credit, CREDITED, guards=(same_currency, within_invoice)),
        rule(
            Issued,
            WriteOff,
            write_off,
            to_one_of(WrittenOff, written_off, Issued, Settled),
            guards=(is_owed,),
        ),
        rule(Issued, MarkSent, mark_sent, to(InvoiceSent, Issued, sent)),
        rule(Issued, VoidInvoice, void, to(InvoiceVoided, Void, voided), guards=(never_seen,)),
        rule(Settled, WithdrawApplication, withdraw_application, UNAPPLIED, guards=(same_currency, was_applied)),
        rule(Settled, ApplyCredit, apply_credit, SETTLED_CREDITED, guards=(same_currency, within_invoice)),
        rule(Settled, MarkSent, mark_sent, to(InvoiceSent, Settled, sent)),
    ),
)
