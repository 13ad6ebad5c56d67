"""Prepaying: money kept for the order, the pool, and where it lies: on invoices while any is due, else with the order.

The order's row alone decides where its money goes: to its due invoices in the order of their ids, and back from the
pool first, then from the newest invoice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import starmap
from typing import NamedTuple, Protocol, TypeVar

from orderflow.domain.engine.bounds import Id, Minor, Name, NotNegative, Positive
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Event, Fields, Internal, replacing
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.currencies import Currency
from orderflow.domain.money.money import at_most
from orderflow.domain.orders.state import Authorisation, Bill, Completed, HasProgress, Prepayment, Progress
from orderflow.errors import Refusal

K = TypeVar("K", bound=HasProgress)


class HasInvoice(Protocol):
    @property
    def invoice(self) -> str: ...


class Moved(NamedTuple):
    """Money of the order that goes on one of its invoices, in minor units; below 0 it comes off."""

    invoice: str
    minor: int


# -- money in


class _Prepayment(Fields):
    payment: Id
    amount_minor: Positive
    currency: Currency
    payer: Name = ""


class RecordPrepayment(_Prepayment, Internal):
    """Keep money of a payment, of the customer ``payer``, for this order."""


class RecordCapture(_Prepayment, Internal):
    """Money that was reserved for this order was taken, and is the order's, whatever has become of it."""


class PrepaymentRecorded(Event):
    """Money is kept for the order; ``moved`` of it went on invoices that were due."""

    payment: str
    amount_minor: int
    payer: str
    moved: tuple[Moved, ...]


def same_currency(state: HasProgress, command: RecordPrepayment | RecordCapture, stamp: Stamp) -> Refusal | None:
    """An order is paid in its own currency."""
    ours = state.content.currency
    if command.currency == ours:
        return None
    return refuse("currency_differs", "payment in {paid}, order in {ordered}", paid=command.currency, ordered=ours)


def still_due(state: Completed, command: RecordPrepayment, stamp: Stamp) -> Refusal | None:
    """A completed order takes what its invoices have open."""
    return at_most("more_than_open", command.amount_minor, state.progress.open_minor, state.content.currency)


def prepay(state: HasProgress, command: RecordPrepayment | RecordCapture, stamp: Stamp) -> PrepaymentRecorded:
    after = _kept(state.progress, command.amount_minor)
    return PrepaymentRecorded(command.payment, command.amount_minor, command.payer, distributed(after))


def prepaid(state: K, event: PrepaymentRecorded) -> K:
    return state.with_progress(with_moved(_changed(state.progress, event.payment, event.amount_minor), event.moved))


# -- money out


class WithdrawPrepayment(Internal):
    """Note that money of a payment is the order's no longer: it was refunded, charged back or taken off."""

    payment: Id
    amount_minor: Positive
    payer: Name = ""


class PrepaymentWithdrawn(Event):
    """Money is the order's no longer; ``moved`` of it came off invoices, which are due again."""

    payment: str
    amount_minor: int
    payer: str
    moved: tuple[Moved, ...]


def was_prepaid(state: HasProgress, command: WithdrawPrepayment, stamp: Stamp) -> Refusal | None:
    """No more is withdrawn than is kept for the order of that payment."""
    applied = dict(state.progress.prepayments).get(command.payment, 0)
    return at_most("not_applied", command.amount_minor, applied, state.content.currency)


def withdraw(state: HasProgress, command: WithdrawPrepayment, stamp: Stamp) -> PrepaymentWithdrawn:
    p = state.progress
    off = tuple(_taken_off(p, command.amount_minor - p.pool_minor))
    return PrepaymentWithdrawn(command.payment, command.amount_minor, command.payer, off)


def _taken_off(p: Progress, minor: int) -> Iterator[Moved]:
    for bill in reversed(p.bills):
        taken = min(minor, bill.prepaid_minor)
        if taken > 0:
            yield Moved(bill.invoice, -taken)
            minor -= taken


def withdrawn(state: K, event: PrepaymentWithdrawn) -> K:
    return state.with_progress(_changed(with_moved(state.progress, event.moved), event.payment, -event.amount_minor))


# -- money reserved


class _Reserved(Fields):
    payment: Id
    amount_minor: Minor
    until: datetime | None = None


class RecordAuthorisation(_Reserved, Internal):
    """Note what is reserved for this order of a payment now, 0 for nothing any more; its time is told once."""


class AuthorisationRecorded(_Reserved, Event):
    """Money is reserved for the order, or no longer."""


_reserved = replacing(Progress, lambda p: p.authorisations)


def authorised(state: K, event: AuthorisationRecorded) -> K:
    p = state.progress
    until = {item.payment: item.until for item in p.authorisations}.get(event.payment)
    others = tuple([item for item in p.authorisations if item.payment != event.payment])
    mine = (Authorisation(event.payment, event.amount_minor, event.until or until),) if event.amount_minor else ()
    return state.with_progress(_reserved(p, (*others, *mine)))


# -- what is due on an invoice


class RecordDue(Internal):
    """Note what is due on an invoice of this order before its own money: it was paid or written off, or no longer."""

    invoice: Id
    due_minor: NotNegative


class DueRecorded(Event):
    """What is due on an invoice has changed; ``moved`` is money of the order that went on invoices, or came off."""

    invoice: str
    due_minor: int
    moved: tuple[Moved, ...]


def is_billed(state: HasProgress, command: HasInvoice, stamp: Stamp) -> Refusal | None:
    """The invoice is one of the order's."""
    if any(bill.invoice == command.invoice for bill in state.progress.bills):
        return None
    return refuse("no_such_invoice", "{invoice} is not an invoice of this order", invoice=command.invoice)


def record_due(state: HasProgress, command: RecordDue, stamp: Stamp) -> DueRecorded:
    after = with_due(state.progress, command.invoice, command.due_minor)
    return DueRecorded(command.invoice, command.due_minor, distributed(after))


def due_recorded(state: K, event: DueRecorded) -> K:
    return state.with_progress(with_moved(with_due(state.progress, event.invoice, event.due_minor), event.moved))


# -- where the money lies

_with_bills = replacing(Progress, lambda p: p.bills)
_with_pool = replacing(Progress, lambda p: p.pool_minor)
_with_prepayments = replacing(Progress, lambda p: p.prepayments, lambda p: p.pool_minor)
_with_money = replacing(Progress, lambda p: p.bills, lambda p: p.pool_minor)


def _kept(p: Progress, minor: int) -> Progress:
    return _with_pool(p, p.pool_minor + minor)


def _changed(p: Progress, payment: str, minor: int) -> Progress:
    """Money of a payment comes into the pool, or goes out of it; what comes is the newest then."""
    known = dict(p.prepayments)
    after = known.get(payment, 0) + minor
    if minor > 0:
        known.pop(payment, None)
    known[payment] = after
    prepayments = tuple([Prepayment(*item) for item in known.items() if item[1]])
    return _with_prepayments(p, prepayments, p.pool_minor + minor)


def with_due(p: Progress, invoice: str, due_minor: int, *, void: bool = False) -> Progress:
    """The order's progress with another amount due on one of its invoices."""
    bills = [b._replace(due_minor=due_minor, void=void) if b.invoice == invoice else b for b in p.bills]
    return _with_bills(p, tuple(bills))


def distributed(p: Progress) -> tuple[Moved, ...]:
    """How the order's money moves: what an invoice does not need comes off it, and the pool goes to those still due."""
    off = {bill.invoice: bill.due_minor - bill.prepaid_minor for bill in p.bills if bill.open_minor < 0}
    left, moved = p.pool_minor - sum(off.values()), [*starmap(Moved, off.items())]
    for bill in sorted(p.bills):
        taken = min(left, bill.open_minor)
        if taken > 0:
            moved.append(Moved(bill.invoice, taken))
            left -= taken
    return tuple(moved)


def with_moved(p: Progress, moved: tuple[Moved, ...]) -> Progress:
    """The order's progress once its money has moved."""
    if not moved:
        return p
    minor = dict(moved)
    bills = tuple([_paid(bill, minor.get(bill.invoice, 0)) for bill in p.bills])
    return _with_money(p, bills, p.pool_minor - sum(minor.values()))


def _paid(bill: Bill, minor: int) -> Bill:
    return bill._replace(prepaid_minor=bill.prepaid_minor + minor)
