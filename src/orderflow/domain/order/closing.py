"""How an order is cancelled, billed, completed, held and annotated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain.money import cumulative
from orderflow.domain.order import lines as moves
from orderflow.domain.order import messages as m
from orderflow.domain.order.lines import LineVector, Slice
from orderflow.domain.order.rules import moved, moved_within
from orderflow.domain.order.states import (
    Accepted,
    Cancelled,
    Completed,
    Draft,
    Lived,
    Open,
    Placed,
    Progress,
    billable_lines,
    landed,
)
from orderflow.domain.order.values import Gate, Hold, HoldReason
from orderflow.domain.stamp import Stamp

__all__ = [
    "annotate",
    "annotated",
    "bill",
    "billed",
    "cancel",
    "complete",
    "completed",
    "credit",
    "credited",
    "draft_freed",
    "draft_held",
    "hold_placed",
    "hold_released",
    "order_cancelled",
    "place_hold",
    "prepaid",
    "prepay",
    "release_hold",
    "settle",
    "settled",
    "unbill",
    "unbilled",
    "units_cancelled",
    "units_cancelled_early",
]


Working: TypeAlias = Placed | Accepted
Same = TypeVar("Same", bound=Lived)

# -- cancel


def cancel(state: Working, command: m.CancelUnits, stamp: Stamp) -> m.UnitsCancelled | m.OrderCancelled:
    """What ``CancelUnits`` becomes."""
    wanted = Counter[int]()
    for number, quantity in command.units:
        wanted[number] += quantity
    slices: list[Slice] = []
    for line, vector in enumerate(state.progress.lines, start=1):
        slices += _slices(line, vector, wanted[line] if wanted else vector.quantity)
    left = state.progress.tally.live - sum(piece.quantity for piece in slices)
    if left:
        return m.UnitsCancelled(command.reason, command.by, tuple(slices))
    exposed = state.progress.exposed_minor
    return m.OrderCancelled(command.reason, command.by, tuple(slices), exposed, stamp.moment)


def _slices(line: int, v: LineVector, quantity: int) -> Iterator[Slice]:
    """Cancelled first where it costs least: open, waiting, allocated, preparing."""
    for piece in _pieces(line, v):
        taken = min(quantity, piece.quantity)
        if taken:
            yield piece._replace(quantity=taken)
        quantity -= taken


def _pieces(line: int, v: LineVector) -> Iterator[Slice]:
    yield Slice(line, "open", v.open)
    for waiting in v.backordered:
        yield Slice(line, "backordered", waiting.quantity, waiting.location)
    for allotment in v.allocated:
        yield Slice(line, "allocated", allotment.quantity, allotment.location)
    for picking in v.preparing:
        yield Slice(line, "preparing", picking.quantity, picking.location, picking.shipment)


def _cancellation(state: Working, slices: tuple[Slice, ...]) -> Progress:
    return moved(state, slices, moves.cancel)


def units_cancelled_early(state: Placed, event: m.UnitsCancelled) -> Placed:
    """The order after ``UnitsCancelled``."""
    return state.with_progress(_cancellation(state, event.slices))


def units_cancelled(state: Accepted, event: m.UnitsCancelled) -> Accepted:
    """The order after ``UnitsCancelled``."""
    return landed(state, _cancellation(state, event.slices), state.confirmed_at)


def order_cancelled(state: Working, event: m.OrderCancelled) -> Cancelled:
    """The order after ``OrderCancelled``."""
    progress = _cancellation(state, event.slices).with_exposed(0)
    return Cancelled(state.basket, state.totals, progress, event.at, event.reason, event.by, state.placed_at)


# -- bill and complete


def bill(state: Accepted | Completed, command: m.BillUnits, stamp: Stamp) -> m.UnitsBilled:
    """What ``BillUnits`` becomes."""
    rounding = state.basket.tax.rounding
    vectors = state.progress.lines
    lines, units, minor = [], 0, 0
    for line, quantity in billable_lines(state):
        v = vectors[line.line - 1]
        net = cumulative(line.net_minor, line.quantity, v.invoiced - v.credited, quantity, rounding)
        lines.append(m.Billed(line.line, quantity, net, command.shipment))
        units += quantity
        minor += net
    return m.UnitsBilled(command.invoice, command.series, tuple(lines), _relieved(state, units, minor))


def _relieved(state: Accepted | Completed, units: int, net_minor: int) -> int:
    """Exposure that moves to the invoice: all of it with the last units, else at most the amount billed."""
    exposed = state.progress.exposed_minor
    billed = units + sum([v.invoiced for v in state.progress.lines])
    whole = sum([line.quantity for line in state.basket.lines])
    return exposed if billed >= whole else max(0, min(exposed, net_minor))


def billed(state: Same, event: m.UnitsBilled) -> Same:
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


def credit(state: Lived, command: m.RecordCredit, stamp: Stamp) -> m.UnitsCredited:
    """What ``RecordCredit`` becomes."""
    return m.UnitsCredited(command.credit_note, command.units)


def credited(state: Same, event: m.UnitsCredited) -> Same:
    """The order after ``UnitsCredited``."""
    return moved_within(state, event.units, lambda v, units: moves.credit(v, units.quantity))


def unbill(state: Lived, command: m.RecordUnbilling, stamp: Stamp) -> m.UnitsUnbilled:
    """What ``RecordUnbilling`` becomes."""
    return m.UnitsUnbilled(command.invoice, command.units)


def unbilled(state: Same, event: m.UnitsUnbilled) -> Same:
    """The order after ``UnitsUnbilled``."""
    progress = moved(state, event.units, lambda v, units: moves.unbill(v, units.quantity))
    return _settled(state.with_progress(progress), event.invoice)


def settle(state: Lived, command: m.RecordSettlement, stamp: Stamp) -> m.SettlementRecorded:
    """What ``RecordSettlement`` becomes."""
    return m.SettlementRecorded(command.invoice)


def settled(state: Same, event: m.SettlementRecorded) -> Same:
    """The order after ``SettlementRecorded``."""
    return _settled(state, event.invoice)


def _settled(state: Same, invoice: str) -> Same:
    progress = state.progress
    return state.with_progress(progress.with_settled(tuple(dict.fromkeys((*progress.settled, invoice)))))


def prepay(state: Lived, command: m.RecordPrepayment, stamp: Stamp) -> m.PrepaymentRecorded:
    """What ``RecordPrepayment`` becomes."""
    return m.PrepaymentRecorded(command.payment, command.amount_minor, command.currency)


def prepaid(state: Same, event: m.PrepaymentRecorded) -> Same:
    """The order after ``PrepaymentRecorded``: once all of its total is paid, no hold keeps stock from it."""
    p = state.progress
    minor = p.prepaid_minor + event.amount_minor
    holds = p.holds if minor < state.totals.gross_minor else tuple(hold for hold in p.holds if not _awaits_money(hold))
    return state.with_progress(evolve(p, holds=holds, prepaid_minor=minor))


def _awaits_money(hold: Hold) -> bool:
    return hold.reason is HoldReason.PAYMENT and hold.gate is Gate.ALLOCATE


def complete(state: Accepted, command: m.CompleteOrder, stamp: Stamp) -> m.OrderCompleted:
    """What ``CompleteOrder`` becomes."""
    return m.OrderCompleted(state.progress.exposed_minor, stamp.moment)


def completed(state: Accepted, event: m.OrderCompleted) -> Completed:
    """The order after ``OrderCompleted``."""
    progress = state.progress.with_exposed(0)
    return Completed(state.basket, state.totals, progress, state.placed_at, state.confirmed_at, event.at)


# -- holds and annotations


def place_hold(state: Draft | Open, command: m.PlaceHold, stamp: Stamp) -> m.HoldPlaced:
    """What ``PlaceHold`` becomes."""
    return m.HoldPlaced(command.hold)


def draft_held(state: Draft, event: m.HoldPlaced) -> Draft:
    """The order after ``HoldPlaced``."""
    return Draft(state.basket, (*state.holds, event.hold))


def hold_placed(state: Same, event: m.HoldPlaced) -> Same:
    """The order after ``HoldPlaced``."""
    return state.with_progress(evolve(state.progress, holds=(*state.progress.holds, event.hold)))


def release_hold(state: Draft | Open, command: m.ReleaseHold, stamp: Stamp) -> m.HoldReleased:
    """What ``ReleaseHold`` becomes."""
    holds = state.holds if isinstance(state, Draft) else state.progress.holds
    asked = (command.reason, command.gate, command.line)
    return m.HoldReleased(next(hold for hold in holds if (hold.reason, hold.gate, hold.line) == asked))


def draft_freed(state: Draft, event: m.HoldReleased) -> Draft:
    """The order after ``HoldReleased``."""
    return Draft(state.basket, tuple(hold for hold in state.holds if hold != event.hold))


def hold_released(state: Same, event: m.HoldReleased) -> Same:
    """The order after ``HoldReleased``."""
    holds = tuple(hold for hold in state.progress.holds if hold != event.hold)
    return state.with_progress(evolve(state.progress, holds=holds))


def annotate(state: Lived, command: m.AnnotateOrder, stamp: Stamp) -> m.OrderAnnotated:
    """What ``AnnotateOrder`` becomes."""
    return m.OrderAnnotated(command.note, command.add, command.remove)


def annotated(state: Same, event: m.OrderAnnotated) -> Same:
    """The order after ``OrderAnnotated``."""
    p = state.progress
    tags = tuple(tag for tag in dict.fromkeys((*p.tags, *event.add)) if tag not in event.remove)
    notes = (*p.notes, event.note) if event.note else p.notes
    return state.with_progress(evolve(p, tags=tags, notes=notes))
