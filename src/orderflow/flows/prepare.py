"""Preparing: one shipment for each location an order is allocated at, planned and packed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from orderflow.domain.engine.bounds import Name
from orderflow.domain.engine.decide import Flow, Message, Read, ask
from orderflow.domain.engine.record import Record
from orderflow.domain.money.money import Money
from orderflow.domain.orders.collecting import shares_to_collect, value_minor
from orderflow.domain.orders.content import OrderContent, OrderLine, Route
from orderflow.domain.orders.shipping import units_preparing
from orderflow.domain.orders.state import Accepted, HasProgress
from orderflow.domain.shipping.choosing import CarrierChoice, cheapest_in_time
from orderflow.domain.shipping.labelling import Readdress
from orderflow.domain.shipping.planning import DropCancelledItems, PackShipment, PlanShipment
from orderflow.domain.shipping.state import Item, Left, Plan, Planned, Voided
from orderflow.domain.values import PartyRef, summed
from orderflow.errors import Key
from orderflow.flows.asks import Commands


class ShipmentPlan(NamedTuple):
    """A shipment in the making: its row and the two commands that plan and pack it."""

    key: Key
    plan: PlanShipment
    pack: PackShipment


class ShippingSettings(Record):
    """How to send what names no carrier: the carrier and service by name; and whether carriers sell labels.

    Where several carriers are wired and none is named, ``choose`` says which.
    """

    carrier: Name = ""
    service: Name = ""
    needs_label: bool = True
    choose: CarrierChoice = cheapest_in_time


def shipment_key(order: Key, number: int) -> Key:
    """The row of an order's shipment by its number, counted from 1."""
    return order.beside("shipment", f"{order.id}/{number}")


def shipments_for(key: Key, order: object, settings: ShippingSettings) -> Iterator[ShipmentPlan]:
    """One shipment for each location that holds allocated units of the order, and each way they go from there.

    Weight is the sum of the units' weights in grams, pieces the number of units.
    """
    if not isinstance(order, Accepted):
        return
    content, loads = order.content_now, dict[Route, list[Item]]()
    for line, vector in zip(content.lines, order.progress.lines, strict=True):
        for location, quantity in summed([(a.location, a.quantity) for a in vector.allocated]).items():
            way = route_for(content, line, settings)._replace(location=location)
            loads.setdefault(way, []).append(Item(key.id, line.line, location, quantity))
    ways = sorted(loads, key=_turn)
    shares = shares_to_collect(order, [_contents(loads[way]) for way in ways])
    for number, (way, share) in enumerate(zip(ways, shares, strict=True), start=len(order.progress.shipments) + 1):
        items = tuple(loads[way])
        grams = sum([content.line(item.line).weight_grams * item.quantity for item in items])
        pieces = sum([item.quantity for item in items])
        plan = PlanShipment(items, _plan(order, way, settings, _contents(items), share))
        yield ShipmentPlan(shipment_key(key, number), plan, PackShipment(grams, pieces))


def _contents(items: Iterable[Item]) -> Mapping[int, int]:
    return summed([(item.line, item.quantity) for item in items])


def route_for(content: OrderContent, line: OrderLine, settings: ShippingSettings) -> Route:
    """The way of a line; where neither it nor its order names a carrier, it is the shop's."""
    way = content.route(line)
    if way.carrier:
        return way
    return way._replace(carrier=settings.carrier, service=way.service or settings.service)


def _turn(way: Route) -> tuple[str, ...]:
    return tuple([str(said or "") for said in (way.location, way.ship_to, way.country, way.carrier, way.service)])


def _plan(order: Accepted, way: Route, settings: ShippingSettings, contents: Mapping[int, int], share: int) -> Plan:
    content = order.content
    return Plan(
        carrier=way.carrier,
        service=way.service,
        country=way.country,
        ship_to=way.ship_to,
        needs_label=settings.needs_label and not content.policy.shipped_elsewhere,
        reference=content.number,
        collect=Money(share, content.currency) if share else None,
        requested=content.requested,
        gift=content.gift,
        value=Money(max(0, value_minor(order, contents)), content.currency),
    )


def drop_items(message: Message) -> Flow[Commands]:
    """Have a shipment drop what its order has cancelled, unless it is packed: then a person takes it out."""
    data, key = dict(message.data), message.lane
    order = key.beside("order", data["order"])
    rows = yield from ask(Read([key, order]))
    shipment, place = rows[key].state, (data["order"], int(data["line"]), data["location"])
    if not isinstance(shipment, Planned):
        return ()
    vector = rows[order].state.progress.lines[rows[order].state.content.places[place[1]]]
    inside = sum([item.quantity for item in shipment.items if item[:3] == place])
    cancelled = inside - units_preparing(vector, key.id, place[2])
    return [(key, DropCancelledItems((Item(*place, cancelled),)))] if cancelled > 0 else ()


def readdress(message: Message) -> Flow[Commands]:
    """Have a shipment that waits go where all that is in it goes now; goods that part are for a person to take out."""
    key = message.lane
    shipment = (yield from ask(Read([key])))[key].state
    if isinstance(shipment, Voided | Left):
        return ()
    orders = sorted({item.order for item in shipment.items})
    rows = yield from ask(Read([key.beside("order", order) for order in orders]))
    found = {row.id: loaded.state for row, loaded in rows.items()}
    ways = {_goes_to(found[item.order], item.line) for item in shipment.items}
    changed = any(order.progress.readdressed for order in found.values())
    if not changed or len(ways) > 1 or ways == {(shipment.plan.ship_to, shipment.plan.country)}:
        return ()
    return [(key, Readdress(*ways.pop()))]


def _goes_to(order: HasProgress, line: int) -> tuple[PartyRef | None, str]:
    content = order.content_now
    return content.route(content.line(line))[:2]
