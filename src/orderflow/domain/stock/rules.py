"""How a stock row decides and changes."""

from __future__ import annotations

from typing import TypeAlias

from orderflow.domain.limits import MAX_QUANTITY
from orderflow.domain.machine import Absent, Refusal, refuse
from orderflow.domain.stamp import Stamp
from orderflow.domain.stock import messages as m
from orderflow.domain.stock.states import NOTHING, Stocked

__all__ = [
    "adjust",
    "adjusted",
    "allocate",
    "allocated",
    "backorder",
    "backorder_dropped",
    "backordered",
    "count",
    "covers_expected",
    "drop_backorder",
    "expect",
    "expected",
    "has_room",
    "is_allocated",
    "is_available",
    "is_backordered",
    "is_on_hand",
    "is_unavailable",
    "mark_unavailable",
    "marked_unavailable",
    "not_found",
    "pick_short",
    "receive",
    "received",
    "release",
    "released",
    "restock",
    "restocked",
    "restore",
    "restored",
    "ship",
    "shipped",
    "stays_whole",
    "transfer_in",
    "transfer_out",
    "transferred_in",
    "transferred_out",
]


Row: TypeAlias = Absent | Stocked
Incoming: TypeAlias = m.ReceiveGoods | m.Restock | m.TransferIn


def _row(state: Row) -> Stocked:
    return state if isinstance(state, Stocked) else NOTHING


# -- guards


def is_available(state: Stocked, command: m.Allocate | m.TransferOut, stamp: Stamp) -> Refusal | None:
    """No more is promised or sent away than is available, and nothing while a shortfall stands (never oversold)."""
    if command.quantity <= state.available and not state.shortfall:
        return None
    have = 0 if state.shortfall else state.available
    return refuse(
        "insufficient_stock", "{wanted} wanted, {available} available", wanted=command.quantity, available=have
    )


def is_allocated(state: Stocked, command: m.Release | m.Ship | m.PickShort, stamp: Stamp) -> Refusal | None:
    """Only what is promised is released, shipped or found missing."""
    if command.quantity <= state.allocated:
        return None
    return refuse("not_allocated", "{wanted} wanted, {found} allocated", wanted=command.quantity, found=state.allocated)


def is_on_hand(state: Stocked, command: m.Ship | m.MarkUnavailable, stamp: Stamp) -> Refusal | None:
    """Only what is there can leave or be set aside."""
    left = state.on_hand - (state.unavailable if isinstance(command, m.MarkUnavailable) else 0)
    if command.quantity <= left:
        return None
    return refuse("not_on_hand", "{wanted} wanted, {found} on hand", wanted=command.quantity, found=left)


def is_unavailable(state: Stocked, command: m.Restore, stamp: Stamp) -> Refusal | None:
    """Only what was set aside is restored."""
    if command.quantity <= state.unavailable:
        return None
    return refuse(
        "not_unavailable", "{wanted} wanted, {found} set aside", wanted=command.quantity, found=state.unavailable
    )


def is_backordered(state: Stocked, command: m.DropBackorder, stamp: Stamp) -> Refusal | None:
    """Only demand that waits can be dropped."""
    if command.quantity <= state.backordered:
        return None
    return refuse(
        "not_backordered", "{wanted} wanted, {found} waiting", wanted=command.quantity, found=state.backordered
    )


def covers_expected(state: Row, command: m.ReceiveGoods, stamp: Stamp) -> Refusal | None:
    """No more is taken off the announcements than was announced and has come."""
    most = min(_row(state).incoming, command.quantity)
    if command.expected <= most:
        return None
    return refuse("not_expected", "{asked} announced units, {found} possible", asked=command.expected, found=most)


def stays_whole(state: Row, command: m.Adjust | m.ExpectGoods, stamp: Stamp) -> Refusal | None:
    """A difference never takes a counter below 0 and is never nothing."""
    row = _row(state)
    before = row.on_hand if isinstance(command, m.Adjust) else row.incoming
    if command.quantity == 0:
        return refuse("no_difference", "a difference of 0 changes nothing")
    if before + command.quantity < 0:
        return refuse("below_zero", "{change} on {found}", change=command.quantity, found=before)
    return None


def has_room(state: Row, command: Incoming | m.Adjust | m.Backorder | m.ExpectGoods, stamp: Stamp) -> Refusal | None:
    """No counter grows beyond the largest quantity."""
    row = _row(state)
    most = max(row.on_hand, row.incoming, row.backordered)
    if most + command.quantity <= MAX_QUANTITY:
        return None
    return refuse("too_much", "a row holds at most {most} units", most=MAX_QUANTITY)


# -- decide and evolve


def receive(state: Row, command: m.ReceiveGoods, stamp: Stamp) -> m.GoodsReceived:
    """What ``ReceiveGoods`` becomes."""
    return m.GoodsReceived(command.quantity, command.document, command.expected)


def received(state: Row, event: m.GoodsReceived) -> Stocked:
    """The row after ``GoodsReceived``."""
    s = _row(state)
    return _healed(
        s.on_hand + event.quantity, s.allocated, s.unavailable, s.incoming - event.expected, s.backordered, s.shortfall
    )


def expect(state: Row, command: m.ExpectGoods, stamp: Stamp) -> m.GoodsExpected:
    """What ``ExpectGoods`` becomes."""
    return m.GoodsExpected(command.quantity, command.document)


def expected(state: Row, event: m.GoodsExpected) -> Stocked:
    """The row after ``GoodsExpected``."""
    s = _row(state)
    return Stocked(s.on_hand, s.allocated, s.unavailable, s.incoming + event.quantity, s.backordered, s.shortfall)


def allocate(state: Stocked, command: m.Allocate, stamp: Stamp) -> m.UnitsAllocated:
    """What ``Allocate`` becomes."""
    return m.UnitsAllocated(command.quantity, command.document)


def allocated(s: Stocked, event: m.UnitsAllocated) -> Stocked:
    """The row after ``UnitsAllocated``."""
    return Stocked(s.on_hand, s.allocated + event.quantity, s.unavailable, s.incoming, s.backordered, s.shortfall)


def release(state: Stocked, command: m.Release, stamp: Stamp) -> m.UnitsReleased:
    """What ``Release`` becomes."""
    return m.UnitsReleased(command.quantity, command.document)


def released(s: Stocked, event: m.UnitsReleased) -> Stocked:
    """The row after ``UnitsReleased``."""
    return _healed(s.on_hand, s.allocated - event.quantity, s.unavailable, s.incoming, s.backordered, s.shortfall)


def backorder(state: Row, command: m.Backorder, stamp: Stamp) -> m.UnitsBackordered:
    """What ``Backorder`` becomes."""
    return m.UnitsBackordered(command.quantity, command.document)


def backordered(state: Row, event: m.UnitsBackordered) -> Stocked:
    """The row after ``UnitsBackordered``."""
    s = _row(state)
    return Stocked(s.on_hand, s.allocated, s.unavailable, s.incoming, s.backordered + event.quantity, s.shortfall)


def drop_backorder(state: Stocked, command: m.DropBackorder, stamp: Stamp) -> m.BackorderDropped:
    """What ``DropBackorder`` becomes."""
    return m.BackorderDropped(command.quantity, command.document)


def backorder_dropped(s: Stocked, event: m.BackorderDropped) -> Stocked:
    """The row after ``BackorderDropped``."""
    return Stocked(s.on_hand, s.allocated, s.unavailable, s.incoming, s.backordered - event.quantity, s.shortfall)


def ship(state: Stocked, command: m.Ship, stamp: Stamp) -> m.UnitsShipped:
    """What ``Ship`` becomes."""
    return m.UnitsShipped(command.quantity, command.document)


def shipped(s: Stocked, event: m.UnitsShipped) -> Stocked:
    """The row after ``UnitsShipped``."""
    units = event.quantity
    return _healed(s.on_hand - units, s.allocated - units, s.unavailable, s.incoming, s.backordered, s.shortfall)


def restock(state: Row, command: m.Restock, stamp: Stamp) -> m.UnitsRestocked:
    """What ``Restock`` becomes."""
    return m.UnitsRestocked(command.quantity, command.usable, command.document)


def restocked(state: Row, event: m.UnitsRestocked) -> Stocked:
    """The row after ``UnitsRestocked``."""
    s = _row(state)
    aside = 0 if event.usable else event.quantity
    return _healed(
        s.on_hand + event.quantity, s.allocated, s.unavailable + aside, s.incoming, s.backordered, s.shortfall
    )


def mark_unavailable(state: Stocked, command: m.MarkUnavailable, stamp: Stamp) -> m.UnitsMarkedUnavailable:
    """What ``MarkUnavailable`` becomes."""
    return m.UnitsMarkedUnavailable(command.quantity, command.reason, command.document)


def marked_unavailable(s: Stocked, event: m.UnitsMarkedUnavailable) -> Stocked:
    """The row after ``UnitsMarkedUnavailable``."""
    return _found(s, s.on_hand, s.unavailable + event.quantity)


def pick_short(state: Stocked, command: m.PickShort, stamp: Stamp) -> m.UnitsNotFound:
    """What ``PickShort`` becomes."""
    return m.UnitsNotFound(command.quantity, command.document)


def not_found(s: Stocked, event: m.UnitsNotFound) -> Stocked:
    """The row after ``UnitsNotFound``: what a stocktake has found missing already is not set aside once more."""
    units = event.quantity
    freed = _healed(s.on_hand, s.allocated - units, s.unavailable, s.incoming, s.backordered, s.shortfall)
    aside = s.unavailable + min(units, freed.available)
    return Stocked(s.on_hand, freed.allocated, aside, s.incoming, s.backordered, freed.shortfall)


def restore(state: Stocked, command: m.Restore, stamp: Stamp) -> m.UnitsRestored:
    """What ``Restore`` becomes."""
    return m.UnitsRestored(command.quantity, command.document)


def restored(s: Stocked, event: m.UnitsRestored) -> Stocked:
    """The row after ``UnitsRestored``."""
    return _healed(s.on_hand, s.allocated, s.unavailable - event.quantity, s.incoming, s.backordered, s.shortfall)


def transfer_out(state: Stocked, command: m.TransferOut, stamp: Stamp) -> m.UnitsTransferredOut:
    """What ``TransferOut`` becomes."""
    return m.UnitsTransferredOut(command.quantity, command.document)


def transferred_out(s: Stocked, event: m.UnitsTransferredOut) -> Stocked:
    """The row after ``UnitsTransferredOut``."""
    return Stocked(s.on_hand - event.quantity, s.allocated, s.unavailable, s.incoming, s.backordered, s.shortfall)


def transfer_in(state: Row, command: m.TransferIn, stamp: Stamp) -> m.UnitsTransferredIn:
    """What ``TransferIn`` becomes."""
    return m.UnitsTransferredIn(command.quantity, command.document)


def transferred_in(state: Row, event: m.UnitsTransferredIn) -> Stocked:
    """The row after ``UnitsTransferredIn``."""
    s = _row(state)
    return _healed(s.on_hand + event.quantity, s.allocated, s.unavailable, s.incoming, s.backordered, s.shortfall)


def adjust(state: Row, command: m.Adjust, stamp: Stamp) -> m.StockAdjusted:
    """What ``Adjust`` becomes."""
    return m.StockAdjusted(command.quantity, command.reason, command.document)


def count(state: Row, command: m.CountStock, stamp: Stamp) -> m.StockCounted:
    """What ``CountStock`` becomes."""
    return m.StockCounted(command.counted, command.counted - _row(state).on_hand, command.reason, command.document)


def adjusted(state: Row, event: m.StockAdjusted | m.StockCounted) -> Stocked:
    """The row after ``StockAdjusted`` or ``StockCounted``."""
    s = _row(state)
    return _found(s, s.on_hand + event.quantity, s.unavailable)


def _healed(on_hand: int, allocated: int, unavailable: int, incoming: int, backordered: int, shortfall: int) -> Stocked:
    """A movement that can only make a shortfall smaller."""
    if shortfall:
        shortfall = min(shortfall, max(0, allocated + unavailable - on_hand))
    return Stocked(on_hand, allocated, unavailable, incoming, backordered, shortfall)


def _found(s: Stocked, on_hand: int, unavailable: int) -> Stocked:
    """A finding: what is promised beyond it is the shortfall."""
    missing = max(0, s.allocated + unavailable - on_hand)
    return Stocked(on_hand, s.allocated, unavailable, s.incoming, s.backordered, missing)
