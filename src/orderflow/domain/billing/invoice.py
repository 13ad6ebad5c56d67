"""The invoice: drafted, numbered and issued in one commit. Paid, partly paid and credited are standings, not states."""

from __future__ import annotations

from datetime import date
from typing import Final, TypeVar

from attrs import evolve

from orderflow.domain.billing import invoice_credit as c
from orderflow.domain.billing import invoice_money as m
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
from orderflow.domain.engine.bounds import Minor, Name
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, rules
from orderflow.domain.engine.record import Command, Event, Fields, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.calendar import due_date
from orderflow.domain.money.tax import Totals
from orderflow.errors import Refusal

N = TypeVar("N", bound=Numbered)


# -- drafting and issuing


class DraftInvoice(Internal):
    """Begin an invoice over these sums, of which ``prepaid_minor`` is paid already."""

    content: InvoiceContent
    totals: Totals
    prepaid_minor: Minor = 0


class InvoiceDrafted(Event):
    """An invoice was begun, its due date set."""

    content: InvoiceContent
    totals: Totals
    due_date: date
    prepaid_minor: int = 0


class _Number(Fields):
    number: Name


class IssueInvoice(_Number, Internal):
    """Give the invoice its number."""


class InvoiceIssued(_Number, Event):
    """The invoice got its number."""


def has_party(state: Absent, command: DraftInvoice, stamp: Stamp) -> Refusal | None:
    """An invoice names who is billed, as a party version."""
    return None if command.content.bill_to else refuse("no_party", "the order does not say who is billed (bill_to)")


def draft(state: Absent, command: DraftInvoice, stamp: Stamp) -> InvoiceDrafted:
    content = command.content
    return InvoiceDrafted(content, command.totals, due_date(content.terms, content.dated), command.prepaid_minor)


def drafted(state: Absent, event: InvoiceDrafted) -> Draft:
    return Draft(event.content, event.totals, event.due_date, event.prepaid_minor)


def issued(state: Draft, event: InvoiceIssued) -> Numbered:
    """If nothing is left to pay, it is settled at once."""
    kind = Issued if state.totals.gross_minor > state.prepaid_minor else Settled
    amounts = Amounts(prepaid=state.prepaid_minor)
    return kind(state.content, state.totals, state.due_date, event.number, amounts)


# -- sending and taking back


class MarkSent(Command):
    """The customer has the invoice."""


class InvoiceSent(Event):
    """The invoice was sent."""


class _Voiding(Fields):
    reason: Name


class VoidInvoice(_Voiding, Command):
    """Take back an invoice that nobody has seen; its number stays used."""


class InvoiceVoided(_Voiding, Event):
    """The invoice was taken back."""


def sent(state: N, event: InvoiceSent) -> N:
    return evolve(state, amounts=evolve(state.amounts, sent=True))


def never_seen(state: Numbered, command: VoidInvoice, stamp: Stamp) -> Refusal | None:
    """Only an invoice that was never sent, and that nobody has paid directly, credited or written off by hand."""
    a = state.amounts
    if a.sent or a.paid_by or a.credit_used or a.written_off or any(any(credit) for credit in a.lines):
        return refuse("already_used", "already sent, paid or credited: issue a credit note")
    return None


def voided(state: Numbered, event: InvoiceVoided) -> Void:
    return Void(state.content, state.totals, state.due_date, state.number, event.reason)


# -- the table

NUMBERED: tuple[type[Numbered], ...] = (Issued, Settled)
SETTLED: tuple[type[Numbered], ...] = (Settled,)

PAY = (m.same_currency, m.is_payable)
USE = (m.same_currency, m.same_customer, m.is_owed)
CREDIT = (m.same_currency, m.same_customer, c.items_are_whole, c.within_line, c.within_invoice)

INVOICE: Final = Machine(
    "invoice",
    rules=(
        rule(Absent, DraftInvoice, InvoiceDrafted, Draft, drafted, guards=(has_party,), decide=draft),
        rule(Draft, IssueInvoice, InvoiceIssued, NUMBERED, issued),
        rules(NUMBERED, m.RecordPrepaid, m.PrepaidRecorded, NUMBERED, m.prepaid_recorded, guards=(m.was_prepaid,)),
        rule(
            Issued, m.RecordApplication, m.ApplicationRecorded, NUMBERED, m.application_recorded,
            guards=PAY, decide=m.record_application,
        ),
        rule(
            Settled, m.RecordApplication, m.ApplicationRecorded, SETTLED, m.application_recorded,
            guards=PAY, decide=m.record_application,
        ),
        rules(
            NUMBERED, m.WithdrawApplication, m.ApplicationWithdrawn, NUMBERED, m.application_withdrawn,
            guards=(m.was_applied,),
        ),
        rule(
            Issued, m.RecordCreditUse, m.CreditUseRecorded, NUMBERED, m.credit_use_recorded,
            guards=USE, decide=m.record_credit_use,
        ),
        rule(Issued, c.ApplyCredit, c.CreditApplied, NUMBERED, c.credit_applied, guards=CREDIT, decide=c.apply_credit),
        rule(Settled, c.ApplyCredit, c.CreditApplied, SETTLED, c.credit_applied, guards=CREDIT, decide=c.apply_credit),
        rule(Issued, m.WriteOff, m.WrittenOff, NUMBERED, m.written_off, guards=(m.is_owed,)),
        rules(
            NUMBERED, m.TakeBackWriteOff, m.WriteOffTakenBack, NUMBERED, m.write_off_taken_back,
            guards=(m.was_written_off,),
        ),
        rules(NUMBERED, MarkSent, InvoiceSent, None, sent),
        rules(NUMBERED, VoidInvoice, InvoiceVoided, Void, voided, guards=(never_seen,)),
    ),
    final=(Settled, Void, Issued),
    check=check_invoice,
)  # fmt: skip
