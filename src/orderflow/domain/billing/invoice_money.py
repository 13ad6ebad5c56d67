"""What pays an invoice besides credit notes: prepayments, payments, credit on account; and what is given up.

Its standing, issued or settled, follows from its amounts.
"""

from __future__ import annotations

from typing import Protocol

from attrs import evolve

from orderflow.domain.billing.invoice_state import (
    Amounts,
    CreditUse,
    Issued,
    Numbered,
    PaidBy,
    Settled,
)
from orderflow.domain.engine.bounds import Id, Minor, Name, Positive
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Fields, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.currencies import Currency
from orderflow.domain.money.money import at_most
from orderflow.errors import Refusal


class HasCurrency(Protocol):
    @property
    def currency(self) -> str: ...


class HasCustomer(Protocol):
    @property
    def customer(self) -> str: ...


def stands_at(state: Numbered, amounts: Amounts) -> Numbered:
    """The invoice with these amounts: settled when nothing is open."""
    is_open = state.totals.gross_minor > amounts.settled
    reopened = is_open and (state.amounts.reopened or isinstance(state, Settled))
    if reopened is not amounts.reopened:
        amounts = evolve(amounts, reopened=reopened)
    kind = Issued if is_open else Settled
    return kind(state.content, state.totals, state.due_date, state.number, amounts)


# -- money of the order


class _Prepaid(Fields):
    order: Id
    amount_minor: Minor


class RecordPrepaid(_Prepaid, Internal):
    """Note money of the order that pays this invoice; below 0, it does so no longer."""


class PrepaidRecorded(_Prepaid, Event):
    """Money of the order pays the invoice, or no longer."""


def was_prepaid(state: Numbered, command: RecordPrepaid, stamp: Stamp) -> Refusal | None:
    """No more comes off than the order's money pays."""
    return at_most("not_applied", -command.amount_minor, state.amounts.prepaid, state.content.currency)


def prepaid_recorded(state: Numbered, event: PrepaidRecorded) -> Numbered:
    return stands_at(state, evolve(state.amounts, prepaid=state.amounts.prepaid + event.amount_minor))


# -- payments


class RecordApplication(Internal):
    """Apply money of a payment, of the customer ``payer``, to this invoice (入金消込)."""

    payment: Id
    amount_minor: Positive
    currency: Currency
    payer: Name = ""


class ApplicationRecorded(Event):
    """Money was applied; ``written_back_minor`` of it had been written off before it came."""

    payment: str
    amount_minor: int
    payer: str
    written_back_minor: int = 0


class _Withdrawal(Fields):
    payment: Id
    amount_minor: Positive
    payer: Name = ""


class WithdrawApplication(_Withdrawal, Internal):
    """Take money of a payment off this invoice again."""


class ApplicationWithdrawn(_Withdrawal, Event):
    """Money was taken off again."""


def same_currency(state: Numbered, command: HasCurrency, stamp: Stamp) -> Refusal | None:
    """An invoice is paid and credited in its own currency."""
    own = state.content.currency
    if command.currency == own:
        return None
    return refuse("currency_differs", "billed in {own}, not {given}", own=own, given=command.currency)


def is_payable(state: Numbered, command: RecordApplication, stamp: Stamp) -> Refusal | None:
    """No more is applied than is open or was written off: what was given up may still be paid."""
    return at_most(
        "more_than_open", command.amount_minor, state.open_minor + state.amounts.written_off, state.content.currency
    )


def is_owed(state: Numbered, command: WriteOff | RecordCreditUse, stamp: Stamp) -> Refusal | None:
    """No more is written off, or paid by credit, than is open."""
    return at_most("more_than_open", command.amount_minor, state.open_minor, state.content.currency)


def was_applied(state: Numbered, command: WithdrawApplication, stamp: Stamp) -> Refusal | None:
    """No more is taken off than the payment pays."""
    found = sum(p.minor for p in state.amounts.paid_by if p.payment == command.payment)
    return at_most("not_applied", command.amount_minor, found, state.content.currency)


def record_application(state: Numbered, command: RecordApplication, stamp: Stamp) -> ApplicationRecorded:
    back = max(0, command.amount_minor - state.open_minor)
    return ApplicationRecorded(command.payment, command.amount_minor, command.payer, back)


def application_recorded(state: Numbered, event: ApplicationRecorded) -> Numbered:
    a = state.amounts
    paid = with_paid(a.paid_by, PaidBy(event.payment, event.amount_minor, event.payer))
    return stands_at(state, evolve(a, paid_by=paid, written_off=a.written_off - event.written_back_minor))


def application_withdrawn(state: Numbered, event: ApplicationWithdrawn) -> Numbered:
    paid = with_paid(state.amounts.paid_by, PaidBy(event.payment, -event.amount_minor, event.payer))
    return stands_at(state, evolve(state.amounts, paid_by=paid))


def with_paid(paid_by: tuple[PaidBy, ...], change: PaidBy) -> tuple[PaidBy, ...]:
    """What pays the invoice once a payment pays more or, below 0, less; a payment keeps its place."""
    known = {item.payment: item for item in paid_by}
    before = known.get(change.payment)
    known[change.payment] = change if before is None else change._replace(minor=before.minor + change.minor)
    return tuple([item for item in known.values() if item.minor])


# -- credit on account


class RecordCreditUse(Internal):
    """Pay this invoice with credit on account of a customer."""

    credit_note: Id
    amount_minor: Positive
    currency: Currency
    customer: Name


class CreditUseRecorded(Event):
    """Credit on account pays the invoice."""

    credit_note: str
    amount_minor: int


def same_customer(state: Numbered, command: HasCustomer, stamp: Stamp) -> Refusal | None:
    """A credit concerns invoices of its own customer."""
    if command.customer == state.content.customer:
        return None
    return refuse("other_customer", "the invoice is another customer's")


def record_credit_use(state: Numbered, command: RecordCreditUse, stamp: Stamp) -> CreditUseRecorded:
    return CreditUseRecorded(command.credit_note, command.amount_minor)


def credit_use_recorded(state: Numbered, event: CreditUseRecorded) -> Numbered:
    used = with_use(state.amounts.credit_used, CreditUse(event.credit_note, event.amount_minor))
    return stands_at(state, evolve(state.amounts, credit_used=used))


def with_use(credit_used: tuple[CreditUse, ...], change: CreditUse) -> tuple[CreditUse, ...]:
    """What credit pays the invoice once a note pays more or, below 0, less."""
    known = dict(credit_used)
    known[change.credit_note] = known.get(change.credit_note, 0) + change.minor
    return tuple([CreditUse(note, minor) for note, minor in known.items() if minor])


# -- giving up


class _WriteOff(Fields):
    amount_minor: Positive
    reason: Name


class WriteOff(_WriteOff, Command):
    """Give up an amount still due, such as a bank fee or a rounding difference."""


class WrittenOff(_WriteOff, Event):
    """An amount was given up."""


class TakeBackWriteOff(_WriteOff, Command):
    """Ask for an amount again that was given up. Money that comes for it takes it back by itself."""


class WriteOffTakenBack(_WriteOff, Event):
    """An amount that was given up is due again."""


def was_written_off(state: Numbered, command: TakeBackWriteOff, stamp: Stamp) -> Refusal | None:
    """No more is taken back than was written off."""
    return at_most("not_written_off", command.amount_minor, state.amounts.written_off, state.content.currency)


def written_off(state: Numbered, event: WrittenOff) -> Numbered:
    return stands_at(state, evolve(state.amounts, written_off=state.amounts.written_off + event.amount_minor))


def write_off_taken_back(state: Numbered, event: WriteOffTakenBack) -> Numbered:
    return stands_at(state, evolve(state.amounts, written_off=state.amounts.written_off - event.amount_minor))
