"""Preparing: one shipment for each location an order is allocated at, planned and packed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from attrs import frozen

from orderflow.domain.keys import Key
from orderflow.domain.order.states import Accepted
from orderflow.domain.quantity import summed
from orderflow.domain.shipment.messages import Item, PackShipment, Plan, PlanShipment

__all__ = ["Parcelling", "ShipmentPlan", "shipments_for"]


class ShipmentPlan(NamedTuple):
    """A shipment to be: its row and the two commands that plan and pack it."""

    key: Key
    plan: PlanShipment
    pack: PackShipment


@frozen
class Parcelling:
    """How to send: the carrier and service by name, and whether the carrier sells a label."""

    carrier: str = ""
    service: str = ""
    needs_label: bool = True


def shipments_for(key: Key, order: object, parcelling: Parcelling) -> Iterator[ShipmentPlan]:
    """One shipment for each location that holds allocated units of the order; ids are ``order/n``.

    Weight is the sum of the units' weights in grams, pieces the number of units.
    """
    if not isinstance(order, Accepted):
        return
    loads: dict[str, list[Item]] = {}
    for line, vector in zip(order.basket.lines, order.progress.lines, strict=True):
        for location, quantity in summed((location, units) for location, units, _ in vector.allocated).items():
            loads.setdefault(location, []).append(Item(key.id, line.line, location, quantity))
    weights = {line.line: line.weight_grams for line in order.basket.lines}
    first = 1 + order.progress.shipments
    for number, (_, items) in enumerate(sorted(loads.items()), start=first):
        grams = sum(weights[item.line] * item.quantity for item in items)
        yield ShipmentPlan(
            key.beside("shipment", f"{key.id}/{number}"),
            PlanShipment(tuple(items), _plan(order, parcelling)),
            PackShipment(grams, sum(item.quantity for item in items)),
        )


def _plan(order: Accepted, parcelling: Parcelling) -> Plan:
    basket = order.basket
    return Plan(
        carrier=parcelling.carrier,
        service=parcelling.service,
        country=basket.country,
        ship_to=basket.ship_to,
        needs_label=parcelling.needs_label,
        reference=basket.number,
    )
