"""The laws of goods across rows (law A: units are conserved), as code; asked as the laws of money are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from orderflow.domain.engine.workflow import EventContext
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.stock import UnitsRestocked, UnitsShipped
from orderflow.domain.orders.content import OrderLine
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.parcels import DepartureRecorded, UnitsOwedAgain, UnitsReturned
from orderflow.domain.orders.shipping import ShipmentDispatched
from orderflow.domain.orders.state import HasProgress, lines_of
from orderflow.domain.returns.receiving import ReturnReceived
from orderflow.domain.shipping.fates import on_the_way
from orderflow.domain.shipping.state import Item, Left
from orderflow.domain.values import Pick, StockRef
from orderflow.domain.workflow.laws import Breach, Laws
from orderflow.errors import Key

__all__ = ["GOODS_LAWS", "GoodsLaws"]

#: Id to law. A breach names the id.
GOODS_LAWS: Final = {
    "A1": "Of each order line, as many units are on the way, delivered, returned and lost as its shipments say.",
    "A2": "What an order is preparing in a shipment is in it, and the shipment has not left.",
    "A3": "A stock row's allocated and backordered units are those its orders hold and wait for, by priority.",
    "A4": "A stock row ships and takes back the units that orders and returns say have left it and come back to it.",
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


class GoodsLaws(Laws):
    """The laws of goods, ``GOODS_LAWS``."""

    KINDS = frozenset({"return", "shipment", "order", "stock"})

    def __init__(self) -> None:
        super().__init__()
        self._packed: dict[tuple[str, Item], int] = {}

    def event(self, context: EventContext) -> Iterator[Breach]:
        """Add one side of what an event says of goods that leave a location or come back to it."""
        event = context.event
        if isinstance(event, UnitsShipped):
            self._add("A4", (StockRef.read(context.key.id), "out"), -event.quantity)
        elif isinstance(event, UnitsRestocked):
            self._add("A4", (StockRef.read(context.key.id), "back"), -event.quantity)
        for way, sku, location, quantity in _travelled(context):
            self._add("A4", (StockRef(sku, location), way), quantity)
        return iter(())

    def row(self, key: Key, state: Any) -> Iterator[Breach]:
        """Add one side of what a row says; what it says shows at the end."""
        if isinstance(state, HasProgress):
            for line, vector in lines_of(state):
                self._line(key, line, vector, state.content.policy.priority)
        elif isinstance(state, StockLevel):
            ref = StockRef.read(key.id)
            self._add("A3", (ref, "allocated"), -state.allocated)
            for priority, units in ((0, state.waiting(0)), *state.classes):
                self._add("A3", (ref, "backordered", priority), -units)
        elif isinstance(state, Left):
            self._left(state)
        elif key.kind == "shipment":
            for item in getattr(state, "items", ()):
                self._prepare(key.id, item, item.quantity)
        return iter(())

    def end(self) -> Iterator[Breach]:
        """The sums on which two sides differ."""
        yield from super().end()
        for (shipment, item), units in self._packed.items():
            if units < 0:
                yield Breach("A2", None, f"{shipment}, {item[:3]}: {-units} more prepared than are in it")

    def _prepare(self, shipment: str, item: Item, units: int) -> None:
        self.checked["A2"] += 1
        name = shipment, item._replace(quantity=0)
        self._packed[name] = self._packed.get(name, 0) + units

    def _line(self, key: Key, line: OrderLine, v: LineVector, priority: int) -> None:
        self._add("A1", (key.id, line.line, "shipped"), v.shipped)
        for bucket in _OUT:
            self._add("A1", (key.id, line.line, bucket), getattr(v, bucket))
        for picking in v.preparing:
            self._prepare(picking.shipment, Item(key.id, line.line, picking.location, 0), -picking.quantity)
        for location, quantity in (*[a[:2] for a in v.allocated], *[p[1:] for p in v.preparing]):
            self._add("A3", (StockRef(line.sku, location), "allocated"), quantity)
        for waiting in v.backordered:
            self._add("A3", (StockRef(line.sku, waiting.location), "backordered", priority), waiting.quantity)

    def _left(self, shipment: Left) -> None:
        for item, fate in zip(shipment.items, shipment.fates, strict=True):
            self._add("A1", (item.order, item.line, "shipped"), -on_the_way(item.quantity, fate))
            for bucket in _OUT:
                self._add("A1", (item.order, item.line, bucket), -getattr(fate, bucket))
