"""Shipments to orders, and orders to shipments after the commit; labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from orderflow.domain.engine.workflow import Effect, EventContext, Send
from orderflow.domain.orders import shipping as orders
from orderflow.domain.shipping.state import Item
from orderflow.domain.values import LineQuantity, Pick, summed
from orderflow.errors import Key

Loads = tuple[Pick, ...]


def _by_order(shipment: Key, items: Iterable[Item]) -> Iterator[tuple[Key, Loads]]:
    found: dict[str, list[Pick]] = {}
    for order, line, location, quantity in items:
        found.setdefault(order, []).append(Pick(line, location, quantity))
    for order, picks in found.items():
        yield shipment.beside("order", order), tuple(picks)


def _told(h: EventContext, items: Iterable[Item], command: Callable[[str, Loads], Any]) -> Iterator[Send]:
    """One command for each order in the shipment."""
    for key, loads in _by_order(h.key, items):
        yield Send(key, command(h.key.id, loads))


def _units(loads: Loads) -> tuple[LineQuantity, ...]:
    sums = summed([(line, quantity) for line, _, quantity in loads])
    return tuple([LineQuantity(line, quantity) for line, quantity in sums.items()])


def prepare(h: EventContext) -> Iterator[Send]:
    return _told(h, h.event.items, orders.PrepareShipment)


def take_out_short(h: EventContext) -> Iterator[Send]:
    return _told(h, h.event.items, orders.TakeOutShort)


def cancel_preparation(h: EventContext) -> Iterator[Send]:
    return _told(h, h.event.items, orders.CancelPreparation)


def return_dropped(h: EventContext) -> Iterator[Send]:
    """Units that their order has cancelled are no longer in it."""
    return iter(()) if h.event.cancelled else cancel_preparation(h)


def dispatch(h: EventContext) -> Iterator[Send]:
    return _told(h, h.after.items, orders.DispatchShipment)


def deliver(h: EventContext) -> Iterator[Send]:
    return _told(h, h.after.items, lambda shipment, loads: orders.RecordDelivery(shipment, _units(loads)))


def dispatch_and_deliver(h: EventContext) -> Iterator[Send]:
    yield from dispatch(h)
    yield from deliver(h)


def take_back(h: EventContext) -> Iterator[Send]:
    event = h.event

    def command(shipment: str, loads: Loads) -> orders.RecordReturn:
        return orders.RecordReturn(shipment, _units(loads), event.location, event.usable, brought=True)

    return _told(h, h.after.items, command)


# -- after the commit


def drop_items(h: EventContext) -> Iterator[Effect]:
    """A shipment stands below its order in the order of locks, so it hears of a cancellation afterwards."""
    for piece in h.event.slices:
        if piece.bucket == "preparing":
            data = (("order", h.key.id), ("line", str(piece.line)), ("location", piece.location))
            lane = h.key.beside("shipment", piece.shipment)
            yield Effect("drop_items", lane, (*data, ("quantity", str(piece.quantity))))


def buy_label(h: EventContext) -> Iterator[Effect]:
    if h.after.plan.needs_label:
        yield Effect("buy_label", h.key)


def void_label(h: EventContext) -> Iterator[Effect]:
    if h.event.tracking_number:
        data = (("tracking_number", h.event.tracking_number), ("carrier", h.before.plan.carrier))
        yield Effect("void_label", h.key, data)


def replace_label(h: EventContext) -> Iterator[Effect]:
    yield from void_label(h)
    yield Effect("buy_label", h.key)
