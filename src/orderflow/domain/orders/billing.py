"""Billing and completing: what may be billed, what was credited, money kept for the order, closing it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, TypeAlias, TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.bounds import Id, Minor, Name
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Internal, replacing
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.currencies import Currency
from orderflow.domain.money.split import cumulative
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.content import CompleteOn, Gate, Hold, HoldReason, InvoiceBasis, LineKind, OrderLine
from orderflow.domain.orders.guards import SomeUnits, enough, not_held
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import (
    Accepted,
    Completed,
    HasProgress,
    Progress,
    lines_of,
    moved,
    moved_within,
    with_exposed,
)
from orderflow.errors import Refusal

__all__ = [
    "BillUnits",
    "Billed",
    "CompleteOrder",
    "OrderCompleted",
    "PrepaymentRecorded",
    "RecordCredit",
    "RecordPrepayment",
    "RecordSettlement",
    "RecordUnbilling",
    "SettlementRecorded",
    "UnitsBilled",
    "UnitsCredited",
    "UnitsUnbilled",
    "billable_lines",
]

K = TypeVar("K", bound=HasProgress)
Billing: TypeAlias = Accepted | Completed

# -- billing


class Billed(NamedTuple):
    """Units of a line on an invoice and their amount in minor units, rounded on the running sum."""

    line: int
    quantity: int
    net_minor: int
    shipment: str = ""


@frozen(eq=False, repr=False)
class BillUnits(Command):
    """Put everything billable now on a new invoice; ``shipment`` names the shipment it goes with."""

    invoice: Id
    series: Id
    shipment: Name = ""


@frozen(eq=False, repr=False)
class UnitsBilled(Event):
    """Units were billed; ``relieved_minor`` of credit exposure moved to the invoice with them."""

    invoice: str
    series: str
    lines: tuple[Billed, ...]
    relieved_minor: int


def billable(line: OrderLine, v: LineVector, basis: InvoiceBasis, *, started: bool) -> int:
    """Units of a line that may go on an invoice now, never below 0.

    Of goods: the basis, less what came back or was lost, less what is billed and not credited. Other lines are billed
    once, when goods of the order have ``started`` to leave (or it has no goods, or is billed as ordered).
    """
    if line.kind is not LineKind.GOODS:
        return line.quantity - v.invoiced if started or basis is InvoiceBasis.ORDERED else 0
    if basis is InvoiceBasis.DISPATCHED:
        basic = v.shipped + v.delivered
    else:
        basic = line.quantity - v.cancelled - v.moved - v.returned - v.lost
    return max(0, basic - (v.invoiced - v.credited))


def billable_lines(order: HasProgress) -> list[tuple[OrderLine, LineVector, int]]:
    """Every line with units that may be billed now, its vector, and how many they are."""
    seen = order.progress.tally
    started = seen.dispatched > 0 or seen.ordered == 0
    basis = order.content.policy.invoice_basis
    found = [(line, vector, billable(line, vector, basis, started=started)) for line, vector in lines_of(order)]
    return [item for item in found if item[2]]


def something_billable(state: Billing, command: BillUnits, stamp: Stamp) -> Refusal | None:
    """There is something to bill."""
    return None if billable_lines(state) else refuse("nothing_billable", "nothing can be billed now")


def bill(state: Billing, command: BillUnits, stamp: Stamp) -> UnitsBilled:
    """Amounts are differences of rounded running sums, so the bills of a line sum exactly to its amount."""
    rounding = state.content.tax.rounding
    lines = []
    for line, v, units in billable_lines(state):
        net = cumulative(line.net_minor, line.quantity, v.invoiced - v.credited, units, rounding)
        lines.append(Billed(line.line, units, net, command.shipment))
    return UnitsBilled(command.invoice, command.series, tuple(lines), _relieved(state, lines))


def _relieved(state: Billing, lines: list[Billed]) -> int:
    """Exposure that moves to the invoice: all of it with the last units, else at most the amount billed."""
    exposed = state.progress.exposed_minor
    billed = sum([line.quantity for line in lines]) + sum([v.invoiced for _, v in lines_of(state)])
    ordered = sum([line.quantity for line, _ in lines_of(state)])
    return exposed if billed >= ordered else max(0, min(exposed, sum([line.net_minor for line in lines])))


_billed = replacing(Progress, lambda p: p.invoices, lambda p: p.exposed_minor)


def billed(state: K, event: UnitsBilled) -> K:
    p = moved(state, event.lines, lambda v, item: moves.bill(v, item.quantity))
    return state.with_progress(_billed(p, (*p.invoices, event.invoice), p.exposed_minor - event.relieved_minor))


# -- what happened to what was billed


@frozen(eq=False, repr=False)
class _Credit:
    credit_note: Id
    units: SomeUnits


class RecordCredit(_Credit, Internal):
    """Note that billed units were credited by a credit note."""

    __slots__ = ()


class UnitsCredited(_Credit, Event):
    """Billed units were credited."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class _Unbilling:
    invoice: Id
    units: SomeUnits


class RecordUnbilling(_Unbilling, Internal):
    """Note that an invoice was voided: its units can be billed again, and its payment is not waited for."""

    __slots__ = ()


class UnitsUnbilled(_Unbilling, Event):
    """Units are no longer billed: their invoice was voided."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class _Settlement:
    invoice: Id


class RecordSettlement(_Settlement, Internal):
    """Note that an invoice of this order is paid or credited in full."""

    __slots__ = ()


class SettlementRecorded(_Settlement, Event):
    """An invoice was settled."""

    __slots__ = ()


def enough_billed(state: HasProgress, command: RecordCredit | RecordUnbilling, stamp: Stamp) -> Refusal | None:
    """No more is credited or taken back than was billed (I21)."""
    return enough(state, command.units, lambda v: v.invoiced - v.credited, "billed", goods_only=False)


def credited(state: K, event: UnitsCredited) -> K:
    return moved_within(state, event.units, lambda v, units: moves.credit(v, units.quantity))


def unbilled(state: K, event: UnitsUnbilled) -> K:
    progress = moved(state, event.units, lambda v, units: moves.unbill(v, units.quantity))
    return state.with_progress(_with_invoice_settled(progress, event.invoice))


def settled(state: K, event: SettlementRecorded) -> K:
    return state.with_progress(_with_invoice_settled(state.progress, event.invoice))


_with_settled = replacing(Progress, lambda p: p.settled)


def _with_invoice_settled(progress: Progress, invoice: str) -> Progress:
    return _with_settled(progress, tuple(dict.fromkeys((*progress.settled, invoice))))


# -- money kept for the order


@frozen(eq=False, repr=False)
class _Prepayment:
    payment: Id
    amount_minor: Minor
    currency: Currency


class RecordPrepayment(_Prepayment, Internal):
    """Note money of a payment kept for this order before any invoice; a negative amount was taken off it again."""

    __slots__ = ()


class PrepaymentRecorded(_Prepayment, Event):
    """Money was kept for the order, or taken off it again; when it covers the total, it ends the hold for it."""

    __slots__ = ()


def same_currency(state: HasProgress, command: RecordPrepayment, stamp: Stamp) -> Refusal | None:
    """An order is paid in its own currency."""
    ours = state.content.currency
    if command.currency == ours:
        return None
    return refuse("currency_differs", "payment in {paid}, order in {ordered}", paid=command.currency, ordered=ours)


def prepaid(state: K, event: PrepaymentRecorded) -> K:
    """Once its total is paid, the hold that kept stock from the order is released."""
    p = state.progress
    minor = p.prepaid_minor + event.amount_minor
    paid = minor >= state.totals.gross_minor
    holds = tuple([hold for hold in p.holds if not (paid and _awaits_money(hold))])
    return state.with_progress(evolve(p, holds=holds, prepaid_minor=minor))


def _awaits_money(hold: Hold) -> bool:
    return hold.reason is HoldReason.PAYMENT and hold.gate is Gate.ALLOCATE


# -- completing, 受注完了

not_held_at_complete = not_held(Gate.COMPLETE)


@frozen(eq=False, repr=False)
class CompleteOrder(Command):
    """Close the order: nothing is left to do."""


@frozen(eq=False, repr=False)
class OrderCompleted(Event):
    """The order is closed."""

    relieved_minor: int
    at: datetime


def nothing_live(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """No goods are left to deliver."""
    count = state.progress.tally.live
    return refuse("goods_left", "units still owed: {units}", units=count) if count else None


def nothing_on_the_way(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """Every unit has been delivered, has come back or is written off."""
    count = state.progress.tally.shipped
    return refuse("on_the_way", "units still on the way: {units}", units=count) if count else None


def nothing_billable(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """Everything that may be billed is billed."""
    count = sum([units for _, _, units in billable_lines(state)])
    return refuse("not_billed", "units not billed yet: {units}", units=count) if count else None


def settled_if_asked(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """If the policy waits for payment, every invoice is settled."""
    progress = state.progress
    if state.content.policy.complete_on is not CompleteOn.PAID or set(progress.invoices) <= set(progress.settled):
        return None
    return refuse("not_paid", "some invoices are not settled yet")


def complete(state: Accepted, command: CompleteOrder, stamp: Stamp) -> OrderCompleted:
    return OrderCompleted(state.progress.exposed_minor, stamp.moment)


def completed(state: Accepted, event: OrderCompleted) -> Completed:
    progress = with_exposed(state.progress, 0)
    return Completed(state.content, state.totals, progress, state.placed_at, state.confirmed_at, event.at)
