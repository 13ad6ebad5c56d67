"""How an invoice decides and changes."""

from __future__ import annotations

from typing import TypeVar

from attrs import evolve

from orderflow.domain.calendar import due_date
from orderflow.domain.invoice import messages as m
from orderflow.domain.invoice.states import Amounts, Draft, Issued, Numbered, Settled, Void
from orderflow.domain.machine import Absent, Refusal, refuse
from orderflow.domain.stamp import Stamp
from orderflow.domain.tax import TaxableLine, totals

__all__ = [
    "apply_credit",
    "apply_payment",
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
    "payment_applied",
    "payment_unapplied",
    "same_currency",
    "sent",
    "unapply_payment",
    "void",
    "voided",
    "was_applied",
    "within_invoice",
    "write_off",
    "written_off",
]


N = TypeVar("N", bound=Numbered)

# -- guards


def has_party(state: Absent, command: m.DraftInvoice, stamp: Stamp) -> Refusal | None:
    """An invoice names who is billed, as a party version."""
    return None if command.content.bill_to else refuse("no_party", "the order names nobody to bill (bill_to)")


def is_owed(state: Issued, command: m.ApplyPayment | m.WriteOff, stamp: Stamp) -> Refusal | None:
    """No more is applied or written off than is owed."""
    if command.amount_minor <= state.due_minor:
        return None
    return refuse("more_than_due", "{asked} asked, {due} due", asked=command.amount_minor, due=state.due_minor)


def same_currency(
    state: Numbered, command: m.ApplyPayment | m.UnapplyPayment | m.ApplyCredit, stamp: Stamp
) -> Refusal | None:
    """An invoice is paid and credited in its own currency."""
    own = state.content.currency
    if command.currency == own:
        return None
    return refuse("currency_differs", "billed in {own}, not in {given}", own=own, given=command.currency)


def was_applied(state: Numbered, command: m.UnapplyPayment, stamp: Stamp) -> Refusal | None:
    """No more is taken off than was applied."""
    found = state.amounts.applied
    if command.amount_minor <= found:
        return None
    return refuse("not_applied", "{asked} asked, {found} applied", asked=command.amount_minor, found=found)


def within_invoice(state: Numbered, command: m.ApplyCredit, stamp: Stamp) -> Refusal | None:
    """Credits never exceed what was billed (I21)."""
    after = state.amounts.credited + command.amount_minor
    if abs(after) <= abs(state.totals.gross_minor):
        return None
    return refuse("more_than_billed", "{after} credited of {gross}", after=after, gross=state.totals.gross_minor)


def never_seen(state: Numbered, command: m.VoidInvoice, stamp: Stamp) -> Refusal | None:
    """Only an invoice that was never sent and has nothing applied can be taken back."""
    return None if state.amounts == Amounts() else refuse("already_used", "sent, paid or credited: issue a credit note")


# -- decide and evolve


def draft(state: Absent, command: m.DraftInvoice, stamp: Stamp) -> m.InvoiceDrafted:
    """What ``DraftInvoice`` becomes."""
    content = command.content
    lines = [TaxableLine(line.net_minor, line.tax, line.quantity) for line in content.lines]
    sums = totals(lines, content.tax, content.currency)
    return m.InvoiceDrafted(content, sums, due_date(content.terms, content.dated))


def drafted(state: Absent, event: m.InvoiceDrafted) -> Draft:
    """The invoice after ``InvoiceDrafted``."""
    return Draft(event.content, event.totals, event.due)


def issue(state: Draft, command: m.IssueInvoice, stamp: Stamp) -> m.InvoiceIssued:
    """What ``IssueInvoice`` becomes."""
    return m.InvoiceIssued(command.number)


def issued(state: Draft, event: m.InvoiceIssued) -> Issued | Settled:
    """A total of 0 (or less) owes nothing and is settled at once."""
    kind = Issued if state.totals.gross_minor > 0 else Settled
    return kind(state.content, state.totals, state.due, event.number)


def apply_payment(state: Issued, command: m.ApplyPayment, stamp: Stamp) -> m.PaymentApplied:
    """What ``ApplyPayment`` becomes."""
    return m.PaymentApplied(command.payment, command.amount_minor)


def payment_applied(state: Issued, event: m.PaymentApplied) -> Issued | Settled:
    """The invoice after ``PaymentApplied``."""
    a = state.amounts
    return _standing(state, Amounts(a.applied + event.amount_minor, a.credited, a.written_off, a.sent))


def unapply_payment(state: Numbered, command: m.UnapplyPayment, stamp: Stamp) -> m.PaymentUnapplied:
    """What ``UnapplyPayment`` becomes."""
    return m.PaymentUnapplied(command.payment, command.amount_minor)


def payment_unapplied(state: Numbered, event: m.PaymentUnapplied) -> Issued | Settled:
    """The invoice after ``PaymentUnapplied``."""
    return _standing(state, evolve(state.amounts, applied=state.amounts.applied - event.amount_minor))


def apply_credit(state: Numbered, command: m.ApplyCredit, stamp: Stamp) -> m.CreditApplied:
    """What ``ApplyCredit`` becomes."""
    return m.CreditApplied(command.credit_note, command.amount_minor)


def credit_applied(state: Numbered, event: m.CreditApplied) -> Issued | Settled:
    """The invoice after ``CreditApplied``."""
    return _standing(state, evolve(state.amounts, credited=state.amounts.credited + event.amount_minor))


def credit_settled(state: Settled, event: m.CreditApplied) -> Settled:
    """The invoice after ``CreditApplied``."""
    return state.with_amounts(evolve(state.amounts, credited=state.amounts.credited + event.amount_minor))


def write_off(state: Issued, command: m.WriteOff, stamp: Stamp) -> m.WrittenOff:
    """What ``WriteOff`` becomes."""
    return m.WrittenOff(command.amount_minor, command.reason)


def written_off(state: Issued, event: m.WrittenOff) -> Issued | Settled:
    """The invoice after ``WrittenOff``."""
    return _standing(state, evolve(state.amounts, written_off=state.amounts.written_off + event.amount_minor))


def mark_sent(state: Numbered, command: m.MarkSent, stamp: Stamp) -> m.InvoiceSent:
    """What ``MarkSent`` becomes."""
    return m.InvoiceSent()


def sent(state: N, event: m.InvoiceSent) -> N:
    """The invoice after ``InvoiceSent``."""
    return state.with_amounts(evolve(state.amounts, sent=True))


def void(state: Issued, command: m.VoidInvoice, stamp: Stamp) -> m.InvoiceVoided:
    """What ``VoidInvoice`` becomes."""
    return m.InvoiceVoided(command.reason)


def voided(state: Issued, event: m.InvoiceVoided) -> Void:
    """The invoice after ``InvoiceVoided``."""
    return Void(state.content, state.totals, state.due, state.number, event.reason)


def _standing(state: Numbered, amounts: Amounts) -> Issued | Settled:
    owed = state.totals.gross_minor - amounts.applied - amounts.credited - amounts.written_off
    kind = Issued if owed > 0 else Settled
    return kind(state.content, state.totals, state.due, state.number, amounts)
