"""The laws of goods across rows (law A: units are conserved), as code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from orderflow.domain.engine.workflow import EventContext
from orderflow.domain.inventory.inspected import ReturnedClaimed, ReturnedKept
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.stock import UnitsRestocked, UnitsShipped
from orderflow.domain.orders.content import OrderLine
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.parcels import DepartureRecorded, UnitsOwedAgain, UnitsReturned
from orderflow.domain.orders.returning import UnitsInspected, UnitsRejected
from orderflow.domain.orders.shipping import ShipmentDispatched
from orderflow.domain.orders.state import HasProgress, lines_of
from orderflow.domain.returns.inspecting import ReturnInspected
from orderflow.domain.returns.receiving import ReturnReceived
from orderflow.domain.returns.state import HasReturn
from orderflow.domain.shipping.fates import on_the_way
from orderflow.domain.shipping.state import Item, Left
from orderflow.domain.values import Pick, StockRef
from orderflow.domain.workflow.sums import Laws, Share
from orderflow.errors import Key

__all__ = ["GOODS", "GOODS_LAWS"]

#: Id to law. A breach names the id.
GOODS_LAWS: Final = {
    "A1": "Of each order line, as many units are on the way, delivered, returned and lost as its shipments say.",
    "A2": "What an order is preparing in a shipment is in it, and the shipment has not left.",
    "A3": "A stock row's allocated and backordered units are those its orders hold and wait for, by priority.",
    "A4": "A stock row ships and takes back the units that orders and returns say have left it and come back to it.",
    "A5": "Returns hold no more units of a shipment than have come back of it.",
    "A6": "A stock row sets aside for returns the units that orders and returns say wait there.",
}

#: The buckets of units that have left, but for those on the way.
_OUT: Final = ("delivered", "returned", "lost")


def _travelled(context: EventContext) -> Iterator[tuple[str, str, str, int]]:
    """What an event of an order or a return says of stock: which way, SKU, location and units."""
    event = context.event
    if isinstance(event, ReturnReceived):
        yield from (("back", item.sku, event.location, item.quantity) for item in event.unmatched)
    if not isinstance(context.after, HasProgress):
        return
    way, picks = _picks(event)
    for line, location, quantity in picks:
        yield way, context.after.content.line(line).sku, location, quantity


def _picks(event: Any) -> tuple[str, list[Pick]]:
    """Which way an event of an order says that units go, and from or to where."""
    if isinstance(event, ShipmentDispatched | DepartureRecorded):
        return "out", [*event.loads]
    if isinstance(event, UnitsOwedAgain):
        return "back", [*event.here]
    if isinstance(event, UnitsReturned):
        units = [(line, quantity) for line, _, quantity in event.units] + [*event.recovered]
        return "back", [Pick(line, event.location, quantity) for line, quantity in units]
    return "", []


def _waiting(context: EventContext) -> Iterator[tuple[str, str, int]]:
    """What an event of an order or a return says of units that wait in returns: SKU, location and units, signed."""
    event, after = context.event, context.after
    if isinstance(event, ReturnReceived) and not event.usable:
        yield from ((item.sku, event.location, item.quantity) for item in event.unmatched)
    elif isinstance(event, ReturnInspected):
        yield from ((item.sku, item.location, -item.quantity) for item in event.unmatched)
    elif isinstance(event, UnitsReturned):
        came = [(line, quantity) for line, _, quantity in event.units] + [*event.recovered]
        waits = [*event.claimed, *(came if event.in_return else ())]
        yield from ((after.content.line(line).sku, event.location, quantity) for line, quantity in waits)
    elif isinstance(event, UnitsInspected):
        yield from ((after.content.line(i.line).sku, i.location, -i.quantity) for i in event.units)
    elif isinstance(event, UnitsRejected):
        sent = (*event.units, *event.recovered)
        yield from ((after.content.line(line).sku, event.location, -quantity) for line, quantity in sent)


def _set_aside(event: Any) -> int:
    """How many units more an event of a stock row has set aside for returns."""
    if isinstance(event, ReturnedClaimed):
        return event.quantity
    if isinstance(event, UnitsRestocked):
        return event.quantity if event.in_return else 0
    if isinstance(event, ReturnedKept):
        return -event.quantity
    return -event.quantity if getattr(event, "in_return", False) else 0


def _event(context: EventContext) -> Iterator[Share]:
    """What an event says of goods that leave a location or come back to it, or wait there for somebody."""
    event = context.event
    if context.key.kind == "stock":
        yield Share("A6", StockRef.read(context.key.id), -_set_aside(event))
    for sku, location, quantity in _waiting(context):
        yield Share("A6", StockRef(sku, location), quantity)
    if isinstance(event, UnitsShipped):
        yield Share("A4", (StockRef.read(context.key.id), "out"), -event.quantity)
    elif isinstance(event, UnitsRestocked):
        yield Share("A4", (StockRef.read(context.key.id), "back"), -event.quantity)
    for way, sku, location, quantity in _travelled(context):
        yield Share("A4", (StockRef(sku, location), way), quantity)


def _row(key: Key, state: Any) -> Iterator[Share]:
    if isinstance(state, HasProgress):
        return _order(key, state)
    if isinstance(state, StockLevel):
        return _stock(key, state)
    if isinstance(state, Left):
        return _left(key, state)
    if isinstance(state, HasReturn):
        return _return(state)
    items = getattr(state, "items", ()) if key.kind == "shipment" else ()
    return (_prepared(key.id, item, item.quantity) for item in items)


GOODS: Final = Laws(frozenset({"return", "shipment", "order", "stock"}), _row, _event)


def _prepared(shipment: str, item: Item, units: int) -> Share:
    return Share("A2", (shipment, item._replace(quantity=0)), units)


def _order(key: Key, order: HasProgress) -> Iterator[Share]:
    for line, vector in lines_of(order):
        yield from _line(key, line, vector, order.content.policy.priority)


def _line(key: Key, line: OrderLine, v: LineVector, priority: int) -> Iterator[Share]:
    yield Share("A1", (key.id, line.line, "shipped"), v.shipped)
    for bucket in _OUT:
        yield Share("A1", (key.id, line.line, bucket), getattr(v, bucket))
    for picking in v.preparing:
        yield _prepared(picking.shipment, Item(key.id, line.line, picking.location, 0), -picking.quantity)
    for location, quantity in (*[a[:2] for a in v.allocated], *[p[1:] for p in v.preparing]):
        yield Share("A3", (StockRef(line.sku, location), "allocated"), quantity)
    for waiting in v.backordered:
        yield Share("A3", (StockRef(line.sku, waiting.location), "backordered", priority), waiting.quantity)


def _stock(key: Key, level: StockLevel) -> Iterator[Share]:
    ref = StockRef.read(key.id)
    yield Share("A3", (ref, "allocated"), -level.allocated)
    for priority, units in ((0, level.waiting(0)), *level.classes):
        yield Share("A3", (ref, "backordered", priority), -units)


def _return(state: HasReturn) -> Iterator[Share]:
    for lot in state.goods.lots:
        if lot.shipment:
            yield Share("A5", (lot.shipment, lot.order, lot.line), lot.rejected - lot.received)


def _left(key: Key, shipment: Left) -> Iterator[Share]:
    for item, fate in zip(shipment.items, shipment.fates, strict=True):
        yield Share("A5", (key.id, item.order, item.line), fate.returned + fate.recovered)
        yield Share("A1", (item.order, item.line, "shipped"), -on_the_way(item.quantity, fate))
        for bucket in _OUT:
            yield Share("A1", (item.order, item.line, bucket), -getattr(fate, bucket))
