"""The table of a stock row. It has one state: its life is in its counters, and it never ends."""

from __future__ import annotations

from typing import Final

from orderflow.domain.machine import Absent, Machine, rule, to
from orderflow.domain.stock import messages as m
from orderflow.domain.stock import rules as r
from orderflow.domain.stock.states import Stocked, check_stock

__all__ = ["STOCK"]

RECEIVED = to(m.GoodsReceived, Stocked, r.received)
EXPECTED = to(m.GoodsExpected, Stocked, r.expected)
BACKORDERED = to(m.UnitsBackordered, Stocked, r.backordered)
RESTOCKED = to(m.UnitsRestocked, Stocked, r.restocked)
TRANSFERRED_IN = to(m.UnitsTransferredIn, Stocked, r.transferred_in)
ADJUSTED = to(m.StockAdjusted, Stocked, r.adjusted)
COUNTED = to(m.StockCounted, Stocked, r.adjusted)

STOCK: Final = Machine(
    "stock",
    commands=m.StockCommand,
    events=m.StockEvent,
    final=(Stocked,),
    check=check_stock,
    rules=(
        rule(Absent, m.ReceiveGoods, r.receive, RECEIVED, guards=(r.covers_expected,)),
        rule(Absent, m.ExpectGoods, r.expect, EXPECTED, guards=(r.stays_whole,)),
        rule(Absent, m.Backorder, r.backorder, BACKORDERED),
        rule(Absent, m.Restock, r.restock, RESTOCKED),
        rule(Absent, m.TransferIn, r.transfer_in, TRANSFERRED_IN),
        rule(Absent, m.Adjust, r.adjust, ADJUSTED, guards=(r.stays_whole,)),
        rule(Absent, m.CountStock, r.count, COUNTED),
        rule(Stocked, m.ReceiveGoods, r.receive, RECEIVED, guards=(r.covers_expected, r.has_room)),
        rule(Stocked, m.ExpectGoods, r.expect, EXPECTED, guards=(r.stays_whole, r.has_room)),
        rule(Stocked, m.Allocate, r.allocate, to(m.UnitsAllocated, Stocked, r.allocated), guards=(r.is_available,)),
        rule(Stocked, m.Release, r.release, to(m.UnitsReleased, Stocked, r.released), guards=(r.is_allocated,)),
        rule(Stocked, m.Backorder, r.backorder, BACKORDERED, guards=(r.has_room,)),
        rule(
            Stocked,
            m.DropBackorder,
            r.drop_backorder,
            to(m.BackorderDropped, Stocked, r.backorder_dropped),
            guards=(r.is_backordered,),
        ),
        rule(Stocked, m.Ship, r.ship, to(m.UnitsShipped, Stocked, r.shipped), guards=(r.is_allocated, r.is_on_hand)),
        rule(Stocked, m.Restock, r.restock, RESTOCKED, guards=(r.has_room,)),
        rule(
            Stocked,
            m.MarkUnavailable,
            r.mark_unavailable,
            to(m.UnitsMarkedUnavailable, Stocked, r.marked_unavailable),
            guards=(r.is_on_hand,),
        ),
        rule(
            Stocked,
            m.PickShort,
            r.pick_short,
            to(m.UnitsNotFound, Stocked, r.not_found),
            guards=(r.is_allocated,),
        ),
        rule(Stocked, m.Restore, r.restore, to(m.UnitsRestored, Stocked, r.restored), guards=(r.is_unavailable,)),
        rule(
            Stocked,
            m.TransferOut,
            r.transfer_out,
            to(m.UnitsTransferredOut, Stocked, r.transferred_out),
            guards=(r.is_available,),
        ),
        rule(Stocked, m.TransferIn, r.transfer_in, TRANSFERRED_IN, guards=(r.has_room,)),
        rule(Stocked, m.Adjust, r.adjust, ADJUSTED, guards=(r.stays_whole, r.has_room)),
        rule(Stocked, m.CountStock, r.count, COUNTED),
    ),
)
