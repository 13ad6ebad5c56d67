"""Attention (law D): what a row waits for, as a pure function of its state. Worklists are views of it.

A row is at rest, or moves by itself, or is due at a time, or is on a worklist with the reason and the commands that
would help. Here stands what concerns money (of orders, invoices, payments and credit notes), stock and returns.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, Final, NamedTuple

from orderflow.domain.billing.credit_note import DraftCreditNote
from orderflow.domain.billing.invoice_money import WriteOff
from orderflow.domain.billing.invoice_state import Issued
from orderflow.domain.engine.machine import refuse
from orderflow.domain.inventory.counting import CountStock, Discard, ReleaseQuarantine
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.stock import ExpectGoods, ReceiveGoods
from orderflow.domain.money.calendar import business_date
from orderflow.domain.money.money import Money
from orderflow.domain.orders.billing import BillUnits
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.charging import (
    billable_lines,
    credit_due_minor,
    credits_due,
    missing_minor,
    to_refund_minor,
)
from orderflow.domain.orders.content import CompleteOn, Gate
from orderflow.domain.orders.guards import waits_for_money
from orderflow.domain.orders.state import (
    Allocated,
    AwaitingStock,
    Confirmed,
    HasProgress,
    PartlyShipped,
    Placed,
    Preparing,
    Shipped,
    lines_of,
)
from orderflow.domain.payments.applying import ApplyPayment
from orderflow.domain.payments.collecting import CapturePayment, ClosePayment, EndAuthorisation, RecordPayment
from orderflow.domain.payments.facts import ClosePaymentTask
from orderflow.domain.payments.guards import capturable
from orderflow.domain.payments.pending import DECLINED, RequestOperation, ResolvePending
from orderflow.domain.payments.refunding import RefundPayment, ResolveDispute
from orderflow.domain.payments.state import Authorised, Closed, Disputed, Expected, Funded, currency_of
from orderflow.domain.returns.inspecting import CloseShort, InspectReturn, SettleReturn
from orderflow.domain.returns.receiving import ReceiveReturn
from orderflow.domain.returns.requesting import AuthoriseReturn, CancelReturn, DeclineReturn
from orderflow.domain.returns.state import HasReturn, Inspected, PartlyReceived, Requested
from orderflow.domain.values import Task
from orderflow.errors import Refusal

__all__ = ["Attention", "Standing", "attention"]


class Standing(Enum):
    """What a row waits for."""

    DUE = "due"
    """A time."""
    LISTED = "listed"
    """Somebody: it is on a worklist."""


class Attention(NamedTuple):
    """One thing that a row waits for. ``worklist`` shows it; one of ``commands``, the first accepted, leads on.

    ``due`` is the time or the day of what is merely due.
    """

    standing: Standing
    worklist: str
    reason: Refusal
    commands: tuple[type[Any], ...]
    due: datetime | date | None = None


def attention(state: Any, at: datetime) -> tuple[Attention, ...]:
    """Everything that a row waits for at a time; nothing for one at rest."""
    return tuple(_attention(state, at))


def _attention(state: Any, at: datetime) -> Iterator[Attention]:
    if isinstance(state, HasProgress):
        yield from _order(state, at)
    elif isinstance(state, StockLevel):
        yield from _stock(state, at)
    elif isinstance(state, Issued):
        yield _invoice(state, at)
    elif isinstance(state, Funded | Expected | Authorised):
        yield from _payment(state, at)
    elif isinstance(state, HasReturn):
        yield from _return(state, at)


def _by(due: datetime, at: datetime, worklist: str, reason: Refusal, *commands: type[Any]) -> Attention:
    """Due at a time, and from then on listed."""
    standing = Standing.LISTED if due <= at else Standing.DUE
    return Attention(standing, worklist, reason, commands, due)


def _listed(worklist: str, reason: Refusal, *commands: type[Any]) -> Attention:
    return Attention(Standing.LISTED, worklist, reason, commands)


def _amount(minor: int, currency: str) -> dict[str, str | int]:
    """An amount as two facts: to be read, and to be counted with."""
    return {"amount": str(Money(minor, currency)), "minor": minor}


# -- orders

#: The gate that an order in a state comes to next.
_NEXT: dict[type[HasProgress], Gate] = {
    Placed: Gate.CONFIRM,
    Confirmed: Gate.ALLOCATE,
    AwaitingStock: Gate.ALLOCATE,
    Allocated: Gate.PREPARE,
    Preparing: Gate.SHIP,
    PartlyShipped: Gate.SHIP,
}


def _order(order: HasProgress, at: datetime) -> Iterator[Attention]:
    currency = order.content.currency
    units = sum(units for _, _, units in billable_lines(order))
    if units:
        yield _listed("to_bill", refuse("to_bill", "{units} units may be billed", units=units), BillUnits)
    if credits_due(order):
        minor = credit_due_minor(order)
        reason = refuse("to_credit", "{amount} to credit", **_amount(minor, currency))
        yield _listed("to_credit", reason, DraftCreditNote)
    ahead = sum(v.ahead for _, v in lines_of(order))
    if ahead:
        reason = refuse("credited_ahead", "{units} units were credited ahead and are still there", units=ahead)
        yield _listed("to_credit", reason, CancelUnits)
    refund = to_refund_minor(order)
    if refund:
        reason = refuse("to_refund", "{amount} kept and not needed", **_amount(refund, currency))
        yield _listed("to_refund", reason, RequestOperation, RefundPayment)
    missing = _unpaid_minor(order, at)
    if missing > 0:
        reason = refuse("unpaid", "waits for {amount}", **_amount(missing, currency))
        yield _listed("unpaid", reason, RecordPayment, CancelUnits)


def _unpaid_minor(order: HasProgress, at: datetime) -> int:
    """What the order waits for at its next gate, or before it completes."""
    open_minor = order.progress.open_minor
    if isinstance(order, Shipped):
        return open_minor if order.content.policy.complete_on is CompleteOn.PAID else 0
    gate = _NEXT.get(type(order))
    if gate is None or not waits_for_money(order, gate):
        return 0
    return max(0, missing_minor(order, at)) + open_minor


# -- stock


def _stock(row: StockLevel, at: datetime) -> Iterator[Attention]:
    if row.recount or row.missing:
        reason = refuse("to_count", "to be counted; {missing} units were not found", missing=row.missing)
        yield _listed("to_count", reason, CountStock)
    if row.shortfall:
        reason = refuse("short", "{units} units are promised or set aside, and not there", units=row.shortfall)
        yield _listed("to_count", reason, CountStock, ReceiveGoods)
    if row.quarantined:
        reason = refuse("to_inspect", "{units} units are set aside", units=row.quarantined)
        yield _listed("to_inspect", reason, ReleaseQuarantine, Discard)
    if row.incoming and row.expected_by:
        facts = {"units": row.incoming, "by": row.expected_by.isoformat()}
        reason = refuse("late", "{units} units were to come by {by}", **facts)
        yield _by(row.expected_by, at, "to_reorder", reason, ReceiveGoods, ExpectGoods)
    if row.to_order:
        reason = refuse("to_reorder", "{units} units to order", units=row.to_order)
        yield _listed("to_reorder", reason, ExpectGoods)


# -- invoices and payments


def _invoice(invoice: Issued, at: datetime) -> Attention:
    facts = {**_amount(invoice.open_minor, invoice.content.currency), "due": invoice.due_date.isoformat()}
    if invoice.amounts.reopened:
        reason = refuse("reopened", "{amount} open again, due {due}", **facts)
    elif invoice.due_date < business_date(at, "UTC"):
        reason = refuse("overdue", "{amount} was due on {due}", **facts)
    else:
        reason = refuse("open", "{amount} is due on {due}", **facts)
        return Attention(Standing.DUE, "invoices_due", reason, (RecordPayment,), invoice.due_date)
    return _listed("invoices_due", reason, RecordPayment, WriteOff)


def _said(task: Task) -> str:
    return ", ".join(f"{name} {value}" for name, value in task.facts)


#: How long a provider's answer may take before somebody looks into it.
ANSWER_WITHIN: Final = timedelta(days=1)
#: How long money is waited for where nobody said until when.
EXPECTED_WITHIN: Final = timedelta(days=30)
#: How long money is taken to be reserved where nobody said until when, as usual with cards.
RESERVED_WITHIN: Final = timedelta(days=7)
#: How long before a reservation ends somebody is told, to take the money in time.
ENDS_SOON: Final = timedelta(days=1)


def _payment(payment: Funded | Expected | Authorised, at: datetime) -> Iterator[Attention]:
    currency = currency_of(payment)
    for item in payment.pending:
        facts = {"operation": item.operation.value, **_amount(item.minor, currency)}
        reason = refuse("outcome_unknown", "the outcome of {operation} of {amount} is unknown", **facts)
        yield _by(item.since + ANSWER_WITHIN, at, "to_reconcile", reason, ResolvePending)
    for task in payment.notes.tasks:
        reason = refuse("contradiction", "{task}: {facts}", task=task.code, facts=_said(task))
        again = (RequestOperation,) if task.code == DECLINED else ()
        yield _listed("contradictions", reason, ClosePaymentTask, *again)
    if isinstance(payment, Disputed):
        reason = refuse("disputed", "{amount} is disputed", **_amount(payment.disputed, currency))
        yield _listed("disputed", reason, ResolveDispute)
    elif isinstance(payment, Expected):
        until = payment.until or payment.since + EXPECTED_WITHIN
        facts = {"amount": str(payment.amount), "until": until.isoformat()}
        reason = refuse("not_come", "{amount} was to come until {until}", **facts)
        yield _by(until, at, "payments_due", reason, RecordPayment, ClosePayment)
    elif isinstance(payment, Funded) and payment.free > 0:
        facts = {**_amount(payment.free, currency), "order": payment.origin.order or "no order"}
        reason = refuse("to_apply", "{amount} pays nothing yet, and names {order}", **facts)
        yield _listed("to_apply", reason, ApplyPayment, RequestOperation, RefundPayment)
    if not isinstance(payment, Expected) and capturable(payment):
        yield _reserved(payment, at)


def _reserved(payment: Funded | Authorised, at: datetime) -> Attention:
    """What is reserved is to be taken in time; a closed payment takes nothing any more."""
    facts = {"amount": str(Money(capturable(payment), currency_of(payment)))}
    if isinstance(payment, Closed):
        reason = refuse("reserved_in_vain", "{amount} is reserved, and the payment is closed", **facts)
        return _listed("payments_due", reason, RequestOperation, EndAuthorisation)
    until = _reserved_until(payment, at)
    reason = refuse("authorisation_ends", "{amount} is reserved until {until}", until=until.isoformat(), **facts)
    return _by(until - ENDS_SOON, at, "payments_due", reason, RequestOperation, CapturePayment, EndAuthorisation)


def _reserved_until(payment: Funded | Authorised, at: datetime) -> datetime:
    if isinstance(payment, Authorised):
        return payment.until or payment.since + RESERVED_WITHIN
    return (payment.funds.received_at or at) + RESERVED_WITHIN


# -- what comes back


def _return(state: HasReturn, at: datetime) -> Iterator[Attention]:
    """A return waits for a decision, for goods, for an inspection, or for its money."""
    facts = {"order": state.order or "no order", "out": state.units_outstanding, "here": state.goods.waiting}
    if isinstance(state, Requested):
        wish = {"why": state.wish.reason.value, "wanted": state.wish.wanted.value}
        reason = refuse("to_decide", "{order}, {why}, {wanted} wanted", **facts, **wish)
        yield _listed("returns", reason, AuthoriseReturn, DeclineReturn, CancelReturn)
    elif isinstance(state, PartlyReceived):
        reason = refuse("still_out", "{out} units of {order} still out", **facts)
        yield _listed("returns", reason, CloseShort, ReceiveReturn)
    elif state.due is not None:
        reason = refuse("not_sent_back", "{order}: to be sent by {due}", **facts, due=state.due.isoformat())
        yield _by(state.due, at, "returns", reason, CancelReturn, ReceiveReturn)
    if state.goods.waiting:
        yield _listed("returns_to_inspect", refuse("to_inspect", "{here} units to inspect", **facts), InspectReturn)
    if isinstance(state, Inspected):
        # The amount stands on the order: the list asks it, see ``returns_to_credit``.
        yield _listed(
            "returns_to_credit", refuse("to_settle", "{order}: to be settled", **facts), SettleReturn, DraftCreditNote
        )
