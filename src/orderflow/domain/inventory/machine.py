"""The table of a stock row, and nothing else."""

from __future__ import annotations

from typing import Final

from orderflow.domain.engine.machine import Absent, Machine, rule, rules
from orderflow.domain.inventory import counting as c
from orderflow.domain.inventory import inspected as i
from orderflow.domain.inventory import reordering as r
from orderflow.domain.inventory import stock as s
from orderflow.domain.inventory.level import Row, StockLevel, check_stock

ANY: tuple[type[Row], ...] = (Absent, StockLevel)

INSPECTED = (i.wait_in_returns,)

STOCK: Final = Machine(
    "stock",
    rules=(
        rules(
            ANY, s.ReceiveGoods, s.GoodsReceived, StockLevel, s.received,
            guards=(s.covers_expected, s.has_room), decide=s.seen(s.GoodsReceived),
        ),
        rules(ANY, s.ExpectGoods, s.GoodsExpected, StockLevel, s.expected, guards=(s.stays_announced, s.has_room)),
        rule(StockLevel, s.Allocate, s.UnitsAllocated, StockLevel, s.allocated, guards=(s.is_available, s.is_its_turn)),
        rule(StockLevel, s.Release, s.UnitsReleased, StockLevel, s.released, guards=(s.is_allocated,)),
        rules(ANY, s.Backorder, s.UnitsBackordered, StockLevel, s.backordered, guards=(s.has_room,)),
        rule(
            StockLevel, s.DropBackorder, s.BackorderDropped, StockLevel, s.backorder_dropped, guards=(s.is_backordered,)
        ),
        rules(ANY, s.Ship, s.UnitsShipped, StockLevel, s.shipped, decide=s.ship),
        rules(ANY, s.Restock, s.UnitsRestocked, StockLevel, s.restocked, decide=s.seen(s.UnitsRestocked)),
        rule(StockLevel, s.TakeOutShort, s.UnitsNotFound, StockLevel, s.not_found, guards=(s.is_allocated,)),
        rule(StockLevel, c.Quarantine, c.UnitsQuarantined, StockLevel, c.quarantined, guards=(c.is_free,)),
        rule(
            StockLevel, c.ReleaseQuarantine, c.QuarantineReleased, StockLevel, c.quarantine_released,
            guards=(c.is_quarantined,), decide=c.release,
        ),
        rule(
            StockLevel, c.Discard, c.UnitsDiscarded, StockLevel, c.discarded,
            guards=(c.is_quarantined, c.is_on_hand), decide=s.seen(c.UnitsDiscarded),
        ),
        rules(ANY, i.ClaimReturned, i.ReturnedClaimed, StockLevel, i.claimed, decide=i.claim),
        rule(StockLevel, i.KeepReturned, i.ReturnedKept, StockLevel, i.kept, guards=INSPECTED),
        rule(
            StockLevel, i.ReleaseReturned, c.QuarantineReleased, StockLevel, c.quarantine_released,
            guards=INSPECTED, decide=i.release,
        ),
        rule(
            StockLevel, i.DiscardReturned, c.UnitsDiscarded, StockLevel, c.discarded, guards=INSPECTED, decide=i.discard
        ),
        rules(ANY, r.SetReorderLevels, r.ReorderLevelsSet, StockLevel, r.levels_set, guards=(r.reaches_above,)),
        rules(ANY, c.RequestRecount, c.RecountRequested, StockLevel, c.recount_requested),
        rule(
            StockLevel, s.TransferOut, s.UnitsTransferredOut, StockLevel, s.transferred_out,
            guards=(s.may_go,), decide=s.seen(s.UnitsTransferredOut),
        ),
        rules(
            ANY, s.TransferIn, s.UnitsTransferredIn, StockLevel, s.transferred_in,
            guards=(s.has_room,), decide=s.seen(s.UnitsTransferredIn),
        ),
        rules(
            ANY, c.Adjust, c.StockAdjusted, StockLevel, c.adjusted,
            guards=(c.stays_whole, s.has_room), decide=s.seen(c.StockAdjusted),
        ),
        rules(ANY, c.CountStock, c.StockCounted, StockLevel, c.counted, decide=c.count),
    ),
    final=(StockLevel,),
    check=check_stock,
)  # fmt: skip
