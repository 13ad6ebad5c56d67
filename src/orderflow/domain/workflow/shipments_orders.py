"""What shipments tell orders, and orders tell shipments after the commit; labels."""

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


def _to_orders(context: EventContext, items: Iterable[Item], command: Callable[[str, Loads], Any]) -> Iterator[Send]:
    """One command for each order in the shipment."""
    for key, loads in _by_order(context.key, items):
        yield Send(key, command(context.key.id, loads))


def _units(loads: Loads) -> tuple[LineQuantity, ...]:
    sums = summed([(line, quantity) for line, _, quantity in loads])
    return tuple([LineQuantity(line, quantity) for line, quantity in sums.items()])


def prepare(context: EventContext) -> Iterator[Send]:
    return _to_orders(context, context.event.items, orders.PrepareShipment)


def take_out_short(context: EventContext) -> Iterator[Send]:
    return _to_orders(context, context.event.items, orders.TakeOutShort)


def cancel_preparation(context: EventContext) -> Iterator[Send]:
    return _to_orders(context, context.event.items, orders.CancelPreparation)


def return_dropped(context: EventContext) -> Iterator[Send]:
    """Units that their order has cancelled need no return: it does not count them in the shipment."""
    return iter(()) if context.event.cancelled else cancel_preparation(context)


def dispatch(context: EventContext) -> Iterator[Send]:
    return _to_orders(context, context.after.items, orders.DispatchShipment)


def deliver(context: EventContext) -> Iterator[Send]:
    return _to_orders(
        context, context.after.items, lambda shipment, loads: orders.RecordDelivery(shipment, _units(loads))
    )


def dispatch_and_deliver(context: EventContext) -> Iterator[Send]:
    yield from dispatch(context)
    yield from deliver(context)


def take_back(context: EventContext) -> Iterator[Send]:
    event = context.event

    def command(shipment: str, loads: Loads) -> orders.RecordReturn:
        return orders.RecordReturn(shipment, _units(loads), event.location, event.usable, brought=True)

    return _to_orders(context, context.after.items, command)


# -- after the commit


def drop_items(context: EventContext) -> Iterator[Effect]:
    """A shipment stands below its order in lock order, so it hears of a cancellation afterwards."""
    for piece in context.event.slices:
        if piece.bucket == "preparing":
            data = (("order", context.key.id), ("line", str(piece.line)), ("location", piece.location))
            lane = context.key.beside("shipment", piece.shipment)
            yield Effect("drop_items", lane, (*data, ("quantity", str(piece.quantity))))


def buy_label(context: EventContext) -> Iterator[Effect]:
    if context.after.plan.needs_label:
        yield Effect("buy_label", context.key)


def void_label(context: EventContext) -> Iterator[Effect]:
    if context.event.tracking_number:
        data = (("tracking_number", context.event.tracking_number), ("carrier", context.before.plan.carrier))
        yield Effect("void_label", context.key, data)


def replace_label(context: EventContext) -> Iterator[Effect]:
    yield from void_label(context)
    yield Effect("buy_label", context.key)
