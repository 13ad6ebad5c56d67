"""Units are billed and credited, invoices settled, prepayments kept, and the order completed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.schema import Id, Minor, Name
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.split import cumulative
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.content import CompleteOn, Gate, Hold, HoldReason, InvoiceBasis, LineKind, OrderLine
from orderflow.domain.orders.guards import SomeUnits, enough
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import Accepted, Completed, HasProgress, Placed, Progress, moved, moved_within
from orderflow.domain.values import LineQuantity
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
    "bill",
    "billable",
    "billable_lines",
    "billed",
    "billed_before",
    "complete",
    "completed",
    "credit",
    "credited",
    "nothing_billable",
    "nothing_live",
    "nothing_on_the_way",
    "prepaid",
    "prepay",
    "same_currency",
    "settle",
    "settled",
    "settled_if_asked",
    "something_billable",
    "unbill",
    "unbilled",
]


def billable(line: OrderLine, vector: LineVector, basis: InvoiceBasis, *, started: bool) -> int:
    """Units of a line that may go on an invoice now, never below 0.

    Goods: the basis, less what came back or was lost, less what is billed and not credited. Other lines are billed
    once, when the order has ``started`` to leave (or has no goods, or is billed as ordered).
    """
    if line.kind is not LineKind.GOODS:
        return line.quantity - vector.invoiced if started or basis is InvoiceBasis.ORDERED else 0
    v = vector
    if basis is InvoiceBasis.DISPATCHED:
        basic = v.shipped + v.delivered
    else:
        basic = line.quantity - v.cancelled - v.moved - v.returned - v.lost
    return max(0, basic - (v.invoiced - v.credited))


def billable_lines(order: Accepted | Completed) -> list[tuple[OrderLine, int]]:
    """Every line of which units may be billed now, with their number."""
    seen = order.progress.tally
    started = seen.dispatched > 0 or seen.ordered == 0
    basis = order.content.policy.invoice_basis
    found = []
    for line, vector in zip(order.content.lines, order.progress.lines, strict=True):
        quantity = billable(line, vector, basis, started=started)
        if quantity:
            found.append((line, quantity))
    return found


def billed_before(state: Any, command: RecordCredit | RecordUnbilling, stamp: Stamp) -> Refusal | None:
    """No more is credited or taken back than was billed (I21)."""
    return enough(state, command.units, lambda v: v.invoiced - v.credited, "billed", goods_only=False)


def nothing_live(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """No goods are left to deliver."""
    count = state.progress.tally.live
    return refuse("goods_left", "{units} units are still owed", units=count) if count else None


def nothing_on_the_way(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """Every unit has been delivered, has come back or is written off."""
    count = state.progress.tally.shipped
    return refuse("on_the_way", "{units} units have not arrived", units=count) if count else None


def nothing_billable(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """All that may be billed is billed."""
    count = sum([quantity for _, quantity in billable_lines(state)])
    return refuse("not_billed", "{units} units are not billed", units=count) if count else None


def something_billable(state: Accepted | Completed, command: BillUnits, stamp: Stamp) -> Refusal | None:
    """An invoice has something to say."""
    return None if billable_lines(state) else refuse("nothing_billable", "nothing can be billed now")


def same_currency(state: Any, command: RecordPrepayment, stamp: Stamp) -> Refusal | None:
    """An order is paid in its own currency."""
    ours = state.content.currency
    if command.currency == ours:
        return None
    return refuse("currency_differs", "paid in {paid}, ordered in {ordered}", paid=command.currency, ordered=ours)


def settled_if_asked(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """Where the policy waits for payment, every invoice is settled."""
    progress = state.progress
    if state.content.policy.complete_on is not CompleteOn.PAID or set(progress.invoices) <= set(progress.settled):
        return None
    return refuse("not_paid", "invoices are not settled yet")


@frozen
class BillUnits:
    """Put all that is billable now on a new invoice; ``shipment`` names the parcel it goes with."""

    invoice: Id
    series: Id
    shipment: Name = ""


@frozen
class RecordCredit:
    """Billed units stand on a credit note."""

    credit_note: Id
    units: SomeUnits


@frozen
class RecordUnbilling:
    """An invoice was voided: its units can be billed again, and nobody waits for its payment."""

    invoice: Id
    units: SomeUnits


@frozen
class RecordSettlement:
    """An invoice of this order is paid or credited in full."""

    invoice: Id


@frozen
class RecordPrepayment:
    """Money of a payment is kept for this order before any invoice; a negative amount was taken off it again."""

    payment: Id
    amount_minor: Minor
    currency: Name


@frozen
class CompleteOrder:
    """Nothing is left to do: close the order."""


class Billed(NamedTuple):
    """Units of a line on an invoice and their amount, cumulatively rounded, in minor units."""

    line: int
    quantity: int
    net_minor: int
    shipment: str = ""


@frozen
class UnitsBilled:
    """Units went onto an invoice; ``relieved_minor`` of credit exposure moved there with them."""

    invoice: str
    series: str
    lines: tuple[Billed, ...]
    relieved_minor: int


@frozen
class UnitsCredited:
    """Billed units went onto a credit note."""

    credit_note: str
    units: tuple[LineQuantity, ...]


@frozen
class UnitsUnbilled:
    """Units are no longer billed: their invoice was voided."""

    invoice: str
    units: tuple[LineQuantity, ...]


@frozen
class SettlementRecorded:
    """An invoice was settled."""

    invoice: str


@frozen
class PrepaymentRecorded:
    """Money was kept for the order, or taken off it again; all of its total opens the gate that waited for it."""

    payment: str
    amount_minor: int
    currency: str


@frozen
class OrderCompleted:
    """The order is closed."""

    relieved_minor: int
    at: datetime


Working: TypeAlias = Placed | Accepted


Same = TypeVar("Same", bound=HasProgress)


def bill(state: Accepted | Completed, command: BillUnits, stamp: Stamp) -> UnitsBilled:
    """What ``BillUnits`` becomes."""
    rounding = state.content.tax.rounding
    vectors = state.progress.lines
    lines, units, minor = [], 0, 0
    for line, quantity in billable_lines(state):
        v = vectors[line.line - 1]
        net = cumulative(line.net_minor, line.quantity, v.invoiced - v.credited, quantity, rounding)
        lines.append(Billed(line.line, quantity, net, command.shipment))
        units += quantity
        minor += net
    return UnitsBilled(command.invoice, command.series, tuple(lines), _relieved(state, units, minor))


def _relieved(state: Accepted | Completed, units: int, net_minor: int) -> int:
    """Exposure that moves to the invoice: all of it with the last units, else at most the amount billed."""
    exposed = state.progress.exposed_minor
    billed = units + sum([v.invoiced for v in state.progress.lines])
    whole = sum([line.quantity for line in state.content.lines])
    return exposed if billed >= whole else max(0, min(exposed, net_minor))


def billed(state: Same, event: UnitsBilled) -> Same:
    """The order after ``UnitsBilled``."""
    p = state.progress
    vectors = list(p.lines)
    for item in event.lines:
        vectors[item.line - 1] = moves.bill(vectors[item.line - 1], item.quantity)
    exposed = p.exposed_minor - event.relieved_minor
    invoices = (*p.invoices, event.invoice)
    return state.with_progress(
        Progress(tuple(vectors), p.holds, p.tags, p.notes, invoices, p.settled, exposed, p.shipments, p.prepaid_minor)
    )


def credit(state: HasProgress, command: RecordCredit, stamp: Stamp) -> UnitsCredited:
    """What ``RecordCredit`` becomes."""
    return UnitsCredited(command.credit_note, command.units)


def credited(state: Same, event: UnitsCredited) -> Same:
    """The order after ``UnitsCredited``."""
    return moved_within(state, event.units, lambda v, units: moves.credit(v, units.quantity))


def unbill(state: HasProgress, command: RecordUnbilling, stamp: Stamp) -> UnitsUnbilled:
    """What ``RecordUnbilling`` becomes."""
    return UnitsUnbilled(command.invoice, command.units)


def unbilled(state: Same, event: UnitsUnbilled) -> Same:
    """The order after ``UnitsUnbilled``."""
    progress = moved(state, event.units, lambda v, units: moves.unbill(v, units.quantity))
    return _settled(state.with_progress(progress), event.invoice)


def settle(state: HasProgress, command: RecordSettlement, stamp: Stamp) -> SettlementRecorded:
    """What ``RecordSettlement`` becomes."""
    return SettlementRecorded(command.invoice)


def settled(state: Same, event: SettlementRecorded) -> Same:
    """The order after ``SettlementRecorded``."""
    return _settled(state, event.invoice)


def _settled(state: Same, invoice: str) -> Same:
    progress = state.progress
    return state.with_progress(progress.with_settled(tuple(dict.fromkeys((*progress.settled, invoice)))))


def prepay(state: HasProgress, command: RecordPrepayment, stamp: Stamp) -> PrepaymentRecorded:
    """What ``RecordPrepayment`` becomes."""
    return PrepaymentRecorded(command.payment, command.amount_minor, command.currency)


def prepaid(state: Same, event: PrepaymentRecorded) -> Same:
    """The order after ``PrepaymentRecorded``: once all of its total is paid, no hold keeps stock from it."""
    p = state.progress
    minor = p.prepaid_minor + event.amount_minor
    holds = p.holds if minor < state.totals.gross_minor else tuple(hold for hold in p.holds if not _awaits_money(hold))
    return state.with_progress(evolve(p, holds=holds, prepaid_minor=minor))


def _awaits_money(hold: Hold) -> bool:
    return hold.reason is HoldReason.PAYMENT and hold.gate is Gate.ALLOCATE


def complete(state: Accepted, command: CompleteOrder, stamp: Stamp) -> OrderCompleted:
    """What ``CompleteOrder`` becomes."""
    return OrderCompleted(state.progress.exposed_minor, stamp.moment)


def completed(state: Accepted, event: OrderCompleted) -> Completed:
    """The order after ``OrderCompleted``."""
    progress = state.progress.with_exposed(0)
    return Completed(state.content, state.totals, progress, state.placed_at, state.confirmed_at, event.at)
