"""What orders tell stock: stock rows count what an order allocates, gives back, sends and gets back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from orderflow.domain.engine.workflow import EventContext, Send
from orderflow.domain.inventory import stock
from orderflow.domain.values import Pick, stock_key, summed


def _to_stock(context: EventContext, picks: Iterable[Pick], command: Callable[[int, str], Any]) -> Iterator[Send]:
    """One command for each stock row, however many lines draw on it."""
    content, tenant, order = context.after.content, context.key.tenant, context.key.id
    units = summed([((content.line(line).sku, location), quantity) for line, location, quantity in picks])
    for (sku, location), quantity in units.items():
        yield Send(stock_key(tenant, sku, location), command(quantity, order))


def allocate_units(context: EventContext) -> Iterator[Send]:
    """Waiting units that are filled are allocated with the others, and taken off the back-orders where they waited."""
    event = context.event
    waited = [Pick(item.line, item.waited_at, item.quantity) for item in event.filled]
    filled = [Pick(item.line, item.location, item.quantity) for item in event.filled]
    yield from _to_stock(context, waited, stock.DropBackorder)
    yield from _to_stock(context, (*event.picks, *filled), stock.Allocate)
    yield from _to_stock(context, event.backordered, stock.Backorder)


def release_units(context: EventContext) -> Iterator[Send]:
    return _to_stock(context, context.event.picks, stock.Release)


def take_out_short(context: EventContext) -> Iterator[Send]:
    return _to_stock(context, context.event.loads, stock.TakeOutShort)


def ship_units(context: EventContext) -> Iterator[Send]:
    return _to_stock(context, context.event.loads, stock.Ship)


def restock_units(context: EventContext) -> Iterator[Send]:
    event = context.event
    back = [Pick(line, event.location, quantity) for line, quantity in event.units]
    return _to_stock(context, back, lambda quantity, _: stock.Restock(quantity, event.usable, event.document))


def free_units(context: EventContext) -> Iterator[Send]:
    """Cancelled units that were allocated or being prepared are released, waiting ones taken off the back-orders."""
    slices = context.event.slices
    kept = [Pick(s.line, s.location, s.quantity) for s in slices if s.bucket in ("allocated", "preparing")]
    waiting = [Pick(s.line, s.location, s.quantity) for s in slices if s.bucket == "backordered"]
    yield from _to_stock(context, kept, stock.Release)
    yield from _to_stock(context, waiting, stock.DropBackorder)
