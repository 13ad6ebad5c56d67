"""Preparing: one shipment for each location an order is allocated at, planned and packed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from attrs import frozen

from orderflow.domain.orders.state import Accepted
from orderflow.domain.shipping.planning import PackShipment, PlanShipment
from orderflow.domain.shipping.state import Item, Plan
from orderflow.domain.values import summed
from orderflow.errors import Key

__all__ = ["ShipmentPlan", "ShippingSettings", "shipments_for"]


class ShipmentPlan(NamedTuple):
    """A shipment to be: its row and the two commands that plan and pack it."""

    key: Key
    plan: PlanShipment
    pack: PackShipment


@frozen
class ShippingSettings:
    """How to send: the carrier and service by name, and whether the carrier sells a label."""

    carrier: str = ""
    service: str = ""
    needs_label: bool = True


def shipments_for(key: Key, order: object, shipping: ShippingSettings) -> Iterator[ShipmentPlan]:
    """One shipment for each location that holds allocated units of the order; ids are ``order/n``.

    Weight is the sum of the units' weights in grams, pieces the number of units.
    """
    if not isinstance(order, Accepted):
        return
    loads: dict[str, list[Item]] = {}
    for line, vector in zip(order.content.lines, order.progress.lines, strict=True):
        for location, quantity in summed((location, units) for location, units, _ in vector.allocated).items():
            loads.setdefault(location, []).append(Item(key.id, line.line, location, quantity))
    weights = {line.line: line.weight_grams for line in order.content.lines}
    first = 1 + order.progress.shipments
    for number, (_, items) in enumerate(sorted(loads.items()), start=first):
        grams = sum(weights[item.line] * item.quantity for item in items)
        yield ShipmentPlan(
            key.beside("shipment", f"{key.id}/{number}"),
            PlanShipment(tuple(items), _plan(order, shipping)),
            PackShipment(grams, sum(item.quantity for item in items)),
        )


def _plan(order: Accepted, shipping: ShippingSettings) -> Plan:
    content = order.content
    return Plan(
        carrier=shipping.carrier,
        service=shipping.service,
        country=content.country,
        ship_to=content.ship_to,
        needs_label=shipping.needs_label,
        reference=content.number,
    )
