"""A shipment is planned, packed, cut down and voided, before it has left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated

from attrs import frozen

from orderflow.domain.engine.limits import MAX_LINES
from orderflow.domain.engine.machine import Absent, refuse
from orderflow.domain.engine.schema import Count, Length, Quantity
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.state import (
    UNTRACKED,
    Item,
    Items,
    Labelled,
    Packed,
    Packing,
    Plan,
    Planned,
    Unsent,
    Voided,
)
from orderflow.errors import Fault, Refusal

__all__ = [
    "DropCancelledItems",
    "DropItems",
    "ItemsDropped",
    "PackShipment",
    "PlanShipment",
    "ShipmentPacked",
    "ShipmentPlanned",
    "ShipmentVoided",
    "ShortPickRecorded",
    "VoidShipment",
    "drop",
    "dropped",
    "enough_in_shipment",
    "enough_planned",
    "pack",
    "packed",
    "plan",
    "planned",
    "shortened",
    "void",
    "voided",
]


def _repeated(items: Iterable[Item], path: str) -> Iterator[Fault]:
    seen: set[tuple[str, int, str]] = set()
    for index, item in enumerate(items):
        place = item[:3]
        if place in seen:
            yield Fault(f"{path}[{index}]", "repeated", "names an order line and location a second time")
        seen.add(place)


@frozen
class PlanShipment:
    """Plan a shipment. An order line stands in it once for each location."""

    items: Items
    plan: Plan = Plan()

    def faults(self) -> Iterator[Fault]:
        """Faults between fields: no order line and location stands twice."""
        return _repeated(self.items, "items")


@frozen
class PackShipment:
    """The goods are picked and packed: their weight in grams (0: not weighed) and the number of pieces.

    With ``short`` the units named there were not found; the shipment then goes back to planned without them, and
    is packed once more.
    """

    weight_grams: Count
    pieces: Quantity
    short: Annotated[tuple[Item, ...], Length(0, MAX_LINES)] = ()

    def faults(self) -> Iterator[Fault]:
        """Faults between fields: no order line and location stands twice."""
        return _repeated(self.short, "short")


@frozen
class DropItems:
    """Take units out; they stay allocated."""

    items: Items

    def faults(self) -> Iterator[Fault]:
        """Faults between fields: no order line and location stands twice."""
        return _repeated(self.items, "items")


@frozen
class DropCancelledItems(DropItems):
    """Take units out that their orders have cancelled."""


@frozen
class VoidShipment:
    """Give up a shipment that has not left."""


@frozen
class ShipmentPlanned:
    """A shipment was planned."""

    items: tuple[Item, ...]
    plan: Plan


@frozen
class ShipmentPacked:
    """The goods were packed."""

    weight_grams: int
    pieces: int


@frozen
class ShortPickRecorded:
    """Units were not found and are out of the shipment."""

    items: tuple[Item, ...]
    at: datetime


@frozen
class ItemsDropped:
    """Units were taken out. ``tracking_number`` names a label that must now be voided, empty if there is none."""

    items: tuple[Item, ...]
    cancelled: bool
    tracking_number: str
    at: datetime


@frozen
class ShipmentVoided:
    """The shipment was given up. ``tracking_number`` names a label that must now be voided, empty if there is none."""

    items: tuple[Item, ...]
    tracking_number: str
    at: datetime


def enough_planned(state: Planned, command: PackShipment, stamp: Stamp) -> Refusal | None:
    """What is picked short is in the shipment."""
    return _there(state.items, command.short)


def enough_in_shipment(state: Unsent, command: DropItems, stamp: Stamp) -> Refusal | None:
    """What is taken out is in the shipment."""
    return _there(state.items, command.items)


def _there(items: tuple[Item, ...], wanted: tuple[Item, ...]) -> Refusal | None:
    have = {item[:3]: item.quantity for item in items}
    for item in wanted:
        found = have.get(item[:3], 0)
        if item.quantity > found:
            return refuse(
                "not_in_shipment", "order {order} line {line} from {location}: {wanted} wanted, {found} in it",
                order=item.order, line=item.line, location=item.location, wanted=item.quantity, found=found,
            )  # fmt: skip
    return None


def plan(state: Absent, command: PlanShipment, stamp: Stamp) -> ShipmentPlanned:
    """Planned as asked."""
    return ShipmentPlanned(command.items, command.plan)


def planned(state: Absent, event: ShipmentPlanned) -> Planned:
    """The first state."""
    return Planned(event.items, event.plan, UNTRACKED)


def pack(state: Planned, command: PackShipment, stamp: Stamp) -> ShipmentPacked | ShortPickRecorded:
    """Packed, unless something was not found."""
    if command.short:
        return ShortPickRecorded(command.short, stamp.at)
    return ShipmentPacked(command.weight_grams, command.pieces)


def packed(state: Planned, event: ShipmentPacked) -> Packed:
    """With its weight and pieces."""
    return Packed(state.items, state.plan, state.tracking, Packing(event.weight_grams, event.pieces))


def shortened(state: Planned, event: ShortPickRecorded) -> Planned | Voided:
    """Without the units that were not found."""
    return _reduced(state, event.items, event.at)


def drop(state: Unsent, command: DropItems, stamp: Stamp) -> ItemsDropped:
    """Dropped; a bought label no longer fits and is named."""
    cancelled = isinstance(command, DropCancelledItems)
    return ItemsDropped(command.items, cancelled, _tracking_number(state), stamp.at)


def dropped(state: Unsent, event: ItemsDropped) -> Planned | Voided:
    """To be packed again without the units, or void when none is left."""
    return _reduced(state, event.items, event.at)


def _reduced(state: Unsent, gone: tuple[Item, ...], at: datetime) -> Planned | Voided:
    left = _without(state.items, gone)
    return Planned(left, state.plan, state.tracking) if left else Voided(state.plan, state.tracking, at)


def _without(items: tuple[Item, ...], gone: tuple[Item, ...]) -> tuple[Item, ...]:
    less = {item[:3]: item.quantity for item in gone}
    left = [item._replace(quantity=item.quantity - less.get(item[:3], 0)) for item in items]
    return tuple([item for item in left if item.quantity])


def _tracking_number(state: Unsent) -> str:
    return state.label.tracking_number if isinstance(state, Labelled) else ""


def void(state: Unsent, command: VoidShipment, stamp: Stamp) -> ShipmentVoided:
    """Given up with all its items and its label."""
    return ShipmentVoided(state.items, _tracking_number(state), stamp.at)


def voided(state: Unsent, event: ShipmentVoided) -> Voided:
    """Nothing is in it any more."""
    return Voided(state.plan, state.tracking, event.at)
