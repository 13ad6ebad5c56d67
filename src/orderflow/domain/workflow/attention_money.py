"""What invoices and payments wait for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

from orderflow.domain.billing.invoice_money import WriteOff
from orderflow.domain.billing.invoice_state import Issued
from orderflow.domain.money.calendar import business_date
from orderflow.domain.money.money import Money
from orderflow.domain.payments.applying import ApplyPayment
from orderflow.domain.payments.collecting import CapturePayment, ClosePayment, EndAuthorisation, RecordPayment
from orderflow.domain.payments.facts import ClosePaymentTask
from orderflow.domain.payments.guards import capturable
from orderflow.domain.payments.pending import DECLINED, RequestOperation, ResolvePending
from orderflow.domain.payments.refunding import RefundPayment, ResolveDispute
from orderflow.domain.payments.state import (
    Authorised,
    Closed,
    Disputed,
    Expected,
    Funded,
    Known,
    Received,
    currency_of,
)
from orderflow.domain.workflow.attention_goods import said
from orderflow.domain.workflow.standing import Facts, amount, is_due, is_listed, states

__all__ = ["INVOICES", "PAYMENTS"]

# -- invoices


def _owed(invoice: Issued) -> Facts:
    return {**amount(invoice.open_minor, invoice.content.currency), "due": invoice.due_date.isoformat()}


def _is_overdue(invoice: Issued, at: datetime) -> bool:
    return invoice.due_date < business_date(at, "UTC")


def _open(invoice: Issued, at: datetime) -> Iterator[tuple[date, Facts]]:
    """Until the day it is due."""
    if not invoice.amounts.reopened and not _is_overdue(invoice, at):
        yield invoice.due_date, _owed(invoice)


def _overdue(invoice: Issued, at: datetime) -> Iterator[Facts]:
    """From the day after it was due."""
    if not invoice.amounts.reopened and _is_overdue(invoice, at):
        yield _owed(invoice)


def _reopened(invoice: Issued, at: datetime) -> Iterator[Facts]:
    """It was settled before."""
    if invoice.amounts.reopened:
        yield _owed(invoice)


INVOICES: Final = (
    is_due(states(Issued), _open, "invoices_due", "open", "{amount} is due on {due}", RecordPayment),
    is_listed(
        states(Issued), _overdue, "invoices_due", "overdue", "{amount} was due on {due}", RecordPayment, WriteOff,
    ),
    is_listed(
        states(Issued), _reopened, "invoices_due", "reopened", "{amount} open again, due {due}",
        RecordPayment, WriteOff,
    ),
)  # fmt: skip

# -- payments

#: How long a provider's answer may take before somebody looks into it.
ANSWER_WITHIN: Final = timedelta(days=1)
#: How long money is waited for where nobody said until when.
EXPECTED_WITHIN: Final = timedelta(days=30)
#: How long money is taken to be reserved where nobody said until when, as usual with cards.
RESERVED_WITHIN: Final = timedelta(days=7)
#: How long before a reservation ends somebody is told, to take the money in time.
ENDS_SOON: Final = timedelta(days=1)


def _unknown(payment: Known, at: datetime) -> Iterator[tuple[datetime, Facts]]:
    """A day after its provider was asked, until the outcome is known."""
    for item in payment.pending:
        facts = {"operation": item.operation.value, **amount(item.minor, currency_of(payment))}
        yield item.since + ANSWER_WITHIN, facts


def _declined(payment: Known, at: datetime) -> Iterator[Facts]:
    """With the task that the provider has declined."""
    yield from _tasks(payment, declined=True)


def _contradicted(payment: Known, at: datetime) -> Iterator[Facts]:
    """With any other task."""
    yield from _tasks(payment, declined=False)


def _tasks(payment: Known, *, declined: bool) -> Iterator[Facts]:
    for task in payment.notes.tasks:
        if (task.code == DECLINED) is declined:
            yield {"task": task.code, "facts": said(task)}


def _disputed(payment: Disputed, at: datetime) -> Iterator[Facts]:
    """Always."""
    yield amount(payment.disputed, currency_of(payment))


def _not_come(payment: Expected, at: datetime) -> Iterator[tuple[datetime, Facts]]:
    """From the time it could be paid until, or else 30 days after it was expected."""
    until = payment.until or payment.since + EXPECTED_WITHIN
    yield until, {"amount": str(payment.amount), "until": until.isoformat()}


def _free(payment: Funded, at: datetime) -> Iterator[Facts]:
    """Money of it pays nothing."""
    if payment.free > 0:
        yield {**amount(payment.free, currency_of(payment)), "order": payment.origin.order or "no order"}


def _reserved(payment: Authorised | Funded, at: datetime) -> Iterator[tuple[datetime, Facts]]:
    """A day before what is reserved ends by itself; where nobody said when, that is taken to be after a week."""
    minor = capturable(payment)
    if minor and not isinstance(payment, Closed):
        until = _reserved_until(payment, at)
        yield until - ENDS_SOON, {"amount": str(Money(minor, currency_of(payment))), "until": until.isoformat()}


def _reserved_until(payment: Funded | Authorised, at: datetime) -> datetime:
    if isinstance(payment, Authorised):
        return payment.until or payment.since + RESERVED_WITHIN
    return (payment.funds.received_at or at) + RESERVED_WITHIN


def _in_vain(payment: Closed, at: datetime) -> Iterator[Facts]:
    """Some of it is still reserved."""
    minor = capturable(payment)
    if minor:
        yield {"amount": str(Money(minor, currency_of(payment)))}


_ANY: Final[tuple[type[Any], ...]] = (Expected, Authorised, Funded)

PAYMENTS: Final = (
    is_due(
        states(*_ANY), _unknown, "to_reconcile",
        "outcome_unknown", "the outcome of {operation} of {amount} is unknown", ResolvePending,
    ),
    is_listed(
        states(*_ANY), _declined, "contradictions", "contradiction", "{task}: {facts}",
        ClosePaymentTask, RequestOperation,
    ),
    is_listed(
        states(*_ANY), _contradicted, "contradictions", "contradiction", "{task}: {facts}", ClosePaymentTask,
    ),
    is_listed(states(Disputed), _disputed, "disputed", "disputed", "{amount} is disputed", ResolveDispute),
    is_due(
        states(Expected), _not_come, "payments_due", "not_come", "{amount} was to come until {until}",
        RecordPayment, ClosePayment,
    ),
    is_listed(
        states(Received, Closed), _free, "to_apply", "to_apply", "{amount} pays nothing yet, and names {order}",
        ApplyPayment, RequestOperation, RefundPayment,
    ),
    is_due(
        states(Authorised, Funded), _reserved, "payments_due",
        "authorisation_ends", "{amount} is reserved until {until}", RequestOperation, CapturePayment, EndAuthorisation,
    ),
    is_listed(
        states(Closed), _in_vain, "payments_due",
        "reserved_in_vain", "{amount} is reserved, and the payment is closed", RequestOperation, EndAuthorisation,
    ),
)  # fmt: skip
