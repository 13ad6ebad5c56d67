"""The invoice: drafted, numbered and issued in one commit. Paid, partly paid and credited are standings, not states."""

from __future__ import annotations

from datetime import date
from typing import Final, TypeVar

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
from orderflow.domain.engine.bounds import Id, Name, Positive
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, rules
from orderflow.domain.engine.record import Command, Event, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.calendar import due_date
from orderflow.domain.money.currencies import Currency
from orderflow.domain.money.tax import TaxableLine, Totals, totals
from orderflow.errors import Refusal

N = TypeVar("N", bound=Numbered)


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
    return None if command.content.bill_to else refuse("no_party", "the order does not say who is billed (bill_to)")


def draft(state: Absent, command: DraftInvoice, stamp: Stamp) -> InvoiceDrafted:
    content = command.content
    lines = [TaxableLine(line.net_minor, line.tax, line.quantity) for line in content.lines]
    sums = totals(lines, content.tax, content.currency)
    return InvoiceDrafted(content, sums, due_date(content.terms, content.dated))


def drafted(state: Absent, event: InvoiceDrafted) -> Draft:
    return Draft(event.content, event.totals, event.due_date)


def issued(state: Draft, event: InvoiceIssued) -> Numbered:
    """With a total of 0 (or less) nothing is owed, and it is settled at once."""
    kind = Issued if state.totals.gross_minor > 0 else Settled
    return kind(state.content, state.totals, state.due_date, event.number)


# -- money, credit, loss


@frozen(eq=False, repr=False)
class RecordApplication(Internal):
    """Apply money of a payment to this invoice (入金消込)."""

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
    """Take money of a payment off this invoice again."""

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
    """Take the amount of a credit note off this invoice."""

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
    """Give up an amount still due, such as a bank fee or a rounding difference."""

    __slots__ = ()


class WrittenOff(_WriteOff, Event):
    """An amount was given up."""

    __slots__ = ()


def is_owed(state: Numbered, command: RecordApplication | WriteOff, stamp: Stamp) -> Refusal | None:
    """No more is applied or written off than is owed."""
    if command.amount_minor <= state.open_minor:
        return None
    return refuse(
        "more_than_open", "{asked} minor units wanted, {open} open", asked=command.amount_minor, open=state.open_minor
    )


def same_currency(
    state: Numbered, command: RecordApplication | WithdrawApplication | ApplyCredit, stamp: Stamp
) -> Refusal | None:
    """An invoice is paid and credited in its own currency."""
    own = state.content.currency
    if command.currency == own:
        return None
    return refuse("currency_differs", "billed in {own}, not {given}", own=own, given=command.currency)


def was_applied(state: Numbered, command: WithdrawApplication, stamp: Stamp) -> Refusal | None:
    """No more is taken off than was applied."""
    found = state.amounts.applied
    if command.amount_minor <= found:
        return None
    return refuse("not_applied", "{asked} minor units wanted, {found} applied", asked=command.amount_minor, found=found)


def within_invoice(state: Numbered, command: ApplyCredit, stamp: Stamp) -> Refusal | None:
    """Credits never exceed what was billed (I21)."""
    after = state.amounts.credited + command.amount_minor
    if abs(after) <= abs(state.totals.gross_minor):
        return None
    return refuse(
        "more_than_billed",
        "{after} would be credited, {gross} were billed (minor units)",
        after=after,
        gross=state.totals.gross_minor,
    )


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
    """Take back an invoice that nobody has seen; its number stays used."""

    __slots__ = ()


class InvoiceVoided(_Voiding, Event):
    """The invoice was taken back."""

    __slots__ = ()


def sent(state: N, event: InvoiceSent) -> N:
    return evolve(state, amounts=evolve(state.amounts, sent=True))


def never_seen(state: Numbered, command: VoidInvoice, stamp: Stamp) -> Refusal | None:
    """Only an invoice that was never sent and has nothing applied can be taken back."""
    return (
        None
        if state.amounts == Amounts()
        else refuse("already_used", "already sent, paid or credited: issue a credit note")
    )


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
