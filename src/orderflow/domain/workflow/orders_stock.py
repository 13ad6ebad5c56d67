"""What orders tell stock: stock rows count what an order allocates, gives back, sends and gets back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final

from orderflow.domain.engine.workflow import Effect, EventContext, Send
from orderflow.domain.inventory import counting, inspected, stock
from orderflow.domain.inventory.level import level_of
from orderflow.domain.orders.state import HasProgress, lines_of
from orderflow.domain.values import Pick, stock_key, summed

#: What a stock row is told of units that came back.
RESTOCKING: Final = (stock.Restock, inspected.ClaimReturned, counting.RequestRecount)

#: After these a row may have something for those who wait, or less than it has promised.
TENDING: Final[tuple[type[Any], ...]] = (
    stock.GoodsReceived,
    stock.UnitsAllocated,
    stock.UnitsReleased,
    stock.UnitsBackordered,
    stock.BackorderDropped,
    stock.UnitsShipped,
    stock.UnitsRestocked,
    stock.UnitsTransferredIn,
    counting.UnitsQuarantined,
    counting.QuarantineReleased,
    inspected.ReturnedClaimed,
    counting.StockAdjusted,
    counting.StockCounted,
)


def _to_stock(context: EventContext, picks: Iterable[Pick], command: Callable[[int, str], Any]) -> Iterator[Send]:
    """One command for each stock row, however many lines draw on it."""
    for (sku, location), quantity in _by_row(context, picks).items():
        yield Send(stock_key(context.key.tenant, sku, location), command(quantity, context.key.id))


def _by_row(context: EventContext, picks: Iterable[Pick], less: Iterable[Pick] = ()) -> dict[tuple[str, str], int]:
    """Units by SKU and location."""
    content, signed = context.after.content, [(pick, 1) for pick in picks] + [(pick, -1) for pick in less]
    return summed(
        [((content.line(line).sku, location), sign * quantity) for (line, location, quantity), sign in signed]
    )


def _drop(context: EventContext, waited: Iterable[Pick]) -> Iterator[Send]:
    priority = context.after.content.policy.priority
    return _to_stock(context, waited, lambda quantity, order: stock.DropBackorder(quantity, order, priority))


def allocate_units(context: EventContext) -> Iterator[Send]:
    """Waiting units that are filled are allocated with the others, and taken off the back-orders where they waited."""
    event, priority = context.event, context.after.content.policy.priority
    waited = [Pick(item.line, item.waited_at, item.quantity) for item in event.filled]
    filled = [Pick(item.line, item.location, item.quantity) for item in event.filled]
    still = [Pick(line.line, *wait) for line, v in lines_of(context.after) for wait in v.backordered]
    own = _by_row(context, still, less=event.backordered)
    yield from _drop(context, waited)
    for (sku, location), quantity in _by_row(context, (*event.picks, *filled)).items():
        waits = own.get((sku, location), 0)
        yield Send(
            stock_key(context.key.tenant, sku, location),
            stock.Allocate(quantity, context.key.id, priority, waits, event.skip_queue),
        )
    yield from _to_stock(context, event.backordered, lambda units, order: stock.Backorder(units, order, priority))


def allocate_excess(context: EventContext) -> Iterator[Send]:
    """It is in the picker's hands: whoever waits for it is not asked, but what is promised is not there to take."""
    priority = context.after.content.policy.priority
    picks = [Pick(*added) for added in context.event.units]
    return _to_stock(context, picks, lambda units, order: stock.Allocate(units, order, priority, 0, skip_queue=True))


def return_units(context: EventContext) -> Iterator[Send]:
    """What is not there any more is promised no longer, and waited for."""
    picks, priority = context.event.picks, context.after.content.policy.priority
    yield from _to_stock(context, picks, stock.Release)
    yield from _to_stock(context, picks, lambda units, order: stock.Backorder(units, order, priority))


def release_units(context: EventContext) -> Iterator[Send]:
    return _to_stock(context, context.event.picks, stock.Release)


def take_out_short(context: EventContext) -> Iterator[Send]:
    return _to_stock(context, context.event.loads, stock.TakeOutShort)


def ship_units(context: EventContext) -> Iterator[Send]:
    return _to_stock(context, context.event.loads, lambda quantity, order: stock.Ship(quantity, order, quantity))


def depart_units(context: EventContext) -> Iterator[Send]:
    """Units that left are off the shelf where they were; what the order had done with them is undone there."""
    event = context.event
    held = summed([((p.line, p.location), p.quantity) for p in event.taken if p.bucket in ("preparing", "allocated")])
    for load in event.loads:
        allocated = min(load.quantity, held.get((load.line, load.location), 0))
        held[load.line, load.location] = held.get((load.line, load.location), 0) - allocated
        yield from _to_stock(context, [load], partial(_ship, allocated=allocated))
    elsewhere = [Pick(line, location, quantity) for (line, location), quantity in held.items() if quantity]
    waiting = [Pick(p.line, p.location, p.quantity) for p in event.taken if p.bucket == "backordered"]
    yield from _to_stock(context, elsewhere, stock.Release)
    yield from _drop(context, waiting)


def _ship(quantity: int, order: str, *, allocated: int) -> stock.Ship:
    return stock.Ship(quantity, order, allocated)


def restock_units(context: EventContext) -> Iterator[Send]:
    """Whatever came back is at hand; where more is told of than there was, somebody counts."""
    event = context.event
    back = [Pick(line, event.location, quantity) for line, _, quantity in event.units]
    back += [Pick(line, event.location, quantity) for line, quantity in event.recovered]

    def restock(quantity: int, _: str) -> stock.Restock:
        return stock.Restock(quantity, event.usable, event.document, event.in_return)

    yield from _to_stock(context, back, restock)
    claimed = [Pick(line, event.location, quantity) for line, quantity in event.claimed]
    yield from _to_stock(context, claimed, lambda quantity, _: inspected.ClaimReturned(quantity, event.document))
    doubted = [Pick(line, event.location, 1) for line in event.recount]
    yield from _to_stock(context, doubted, lambda _, __: counting.RequestRecount(event.document))


def restock_left_behind(context: EventContext) -> Iterator[Send]:
    return _to_stock(context, context.event.here, lambda quantity, order: stock.Restock(quantity, document=order))


def free_units(context: EventContext) -> Iterator[Send]:
    """Cancelled units that were allocated or being prepared are released, waiting ones taken off the back-orders."""
    slices = context.event.slices
    kept = [Pick(s.line, s.location, s.quantity) for s in slices if s.bucket in ("allocated", "preparing")]
    waiting = [Pick(s.line, s.location, s.quantity) for s in slices if s.bucket == "backordered"]
    yield from _to_stock(context, kept, stock.Release)
    yield from _drop(context, waiting)


# -- after the commit


def tend(context: EventContext) -> Iterator[Effect]:
    """Whoever waits is served from what is there; what is promised and not there goes back to waiting."""
    row, before = context.after, level_of(context.before)
    if row.available and row.backordered:
        yield Effect("fill_backorders", context.key)
    if row.shortfall and row.allocated and (row.shortfall > before.shortfall or row.allocated < before.allocated):
        yield Effect("rebalance", context.key)


def look_for_shortfall(context: EventContext) -> Iterator[Effect]:
    """Units that come out of a shipment may not be there; nobody could send them back while they were in it."""
    for sku, location in _by_row(context, context.event.loads):
        yield Effect("rebalance", stock_key(context.key.tenant, sku, location))


def serve(context: EventContext) -> Iterator[Effect]:
    """An order whose hold is lifted was passed over until now."""
    order = context.after
    if not isinstance(order, HasProgress):
        return
    rows = {(line.sku, wait.location) for line, v in lines_of(order) for wait in v.backordered}
    for sku, location in sorted(rows):
        yield Effect("fill_backorders", stock_key(context.key.tenant, sku, location))
