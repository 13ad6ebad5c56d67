"""Planning and packing: what is in a shipment, what is taken out of it, giving it up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar, cast

from attrs import evolve

from orderflow.domain.engine.bounds import Count, Quantity
from orderflow.domain.engine.machine import Absent, refuse
from orderflow.domain.engine.record import Command, Event, Fields, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.labelling import tracking_number_of
from orderflow.domain.shipping.state import (
    SCANNED,
    UNTRACKED,
    HasGoods,
    Item,
    Items,
    Packed,
    Packing,
    Plan,
    Planned,
    Voided,
    repeated_items,
)
from orderflow.domain.values import Task, summed
from orderflow.errors import Fault, Refusal

G = TypeVar("G", bound=HasGoods)

# -- planning


class _Planning(Fields):
    items: Items
    plan: Plan = Plan()

    def faults(self) -> Iterator[Fault]:
        """Faults between fields: no order line appears twice with the same location."""
        return repeated_items(self.items, "items")


class PlanShipment(_Planning, Command):
    """Plan a shipment. An order line appears in it once for each location."""


class ShipmentPlanned(_Planning, Event):
    """A shipment was planned."""


def planned(state: Absent, event: ShipmentPlanned) -> Planned:
    return Planned(event.items, event.plan, UNTRACKED)


# -- packing


class PackShipment(Command):
    """Pack the picked goods: their weight in grams (0: not weighed) and the number of pieces."""

    weight_grams: Count
    pieces: Quantity


class ShipmentPacked(Event):
    """The goods were packed. ``wanted`` is the purchase of a label that this asks for, if the carrier needs one."""

    weight_grams: int
    pieces: int
    wanted: str
    at: datetime


def pack(state: Planned, command: PackShipment, stamp: Stamp) -> ShipmentPacked:
    """A purchase is known by the command that asked for it."""
    wanted = stamp.command_id if state.plan.needs_label else ""
    return ShipmentPacked(command.weight_grams, command.pieces, wanted, stamp.moment)


class _SomeItems(Fields):
    items: Items

    def faults(self) -> Iterator[Fault]:
        """Faults between fields: no order line appears twice with the same location."""
        return repeated_items(self.items, "items")


class RecordShortPick(_SomeItems, Command):
    """Note units not found while picking; the shipment goes on without them, or is voided if nothing is left."""


class ShortPickRecorded(Event):
    """Units were not found and are out of the shipment."""

    items: tuple[Item, ...]
    at: datetime


def packed(state: Planned, event: ShipmentPacked) -> Packed:
    packing = Packing(event.weight_grams, event.pieces, event.at, event.wanted)
    return Packed(state.items, state.plan, state.tracking, packing)


# -- more than was ordered


class RecordOverPick(_SomeItems, Command):
    """Note units picked beyond those that are in the shipment: goods by weight come out a little heavier."""


class OverPickRecorded(_SomeItems, Event):
    """More was picked; each order says as which lines."""


class AddItems(_SomeItems, Internal):
    """Take in what was picked beyond an order, by the lines that it became."""


class ItemsAdded(_SomeItems, Event):
    """What was picked beyond an order is in the shipment."""


def over_picked(state: Planned, event: OverPickRecorded) -> Planned:
    """The orders answer in the same decision."""
    return state


def items_added(state: Planned, event: ItemsAdded) -> Planned:
    collect = state.plan.collect
    tasks = [Task("collects_too_little", (("amount", str(collect)),))] if collect else []
    units = summed([(item[:3], item.quantity) for item in (*state.items, *event.items)])
    items = tuple([Item(*place, quantity) for place, quantity in units.items()])
    return evolve(state, items=items, tracking=state.tracking.tasked(*tasks))


# -- taking out


class DropItems(_SomeItems, Command):
    """Take units out; they stay allocated, unless their order has cancelled them meanwhile."""


class DropCancelledItems(_SomeItems, Internal):
    """Take units out that their orders have cancelled, before anything is packed."""


class ItemsDropped(Event):
    """Units were taken out. ``tracking_number`` names a label that must now be voided, empty if there is none."""

    items: tuple[Item, ...]
    cancelled: bool
    tracking_number: str
    at: datetime


def enough_in_shipment(
    state: HasGoods, command: RecordShortPick | DropItems | DropCancelledItems, stamp: Stamp
) -> Refusal | None:
    """Only units that are in the shipment are taken out of it."""
    have = {item[:3]: item.quantity for item in state.items}
    for item in command.items:
        found = have.get(item[:3], 0)
        if item.quantity > found:
            return refuse(
                "not_in_shipment",
                "order {order} line {line} from {location}: {wanted} wanted, {found} in the shipment",
                order=item.order, line=item.line, location=item.location, wanted=item.quantity, found=found,
            )  # fmt: skip
    return None


def drop(state: HasGoods, command: DropItems | DropCancelledItems, stamp: Stamp) -> ItemsDropped:
    """If nothing is left, a bought label is not needed any more, so it is named."""
    cancelled = isinstance(command, DropCancelledItems)
    label = "" if _left(state.items, command.items) else tracking_number_of(state)
    return ItemsDropped(command.items, cancelled, label, stamp.moment)


def taken_out(state: G, event: ItemsDropped | ShortPickRecorded) -> G | Voided:
    """The rest stays as far as it was; a weight that was given is not that of the rest, nor is what it collects."""
    kept = _left(state.items, event.items)
    if not kept:
        return _void(state, event.items, event.at)
    rest: G = evolve(cast("Any", state), items=kept, tracking=state.tracking.tasked(*_to_see_to(state)))
    return rest


def _to_see_to(state: HasGoods) -> Iterator[Task]:
    packing, collect = _packing(state), state.plan.collect
    if packing is not None and packing.weight_grams > 0:
        yield Task("weigh_again")
    if collect is not None:
        yield Task("collects_too_much", (("amount", str(collect)),))


def _left(items: tuple[Item, ...], gone: tuple[Item, ...]) -> tuple[Item, ...]:
    less = {item[:3]: item.quantity for item in gone}
    left = [item._replace(quantity=item.quantity - less.get(item[:3], 0)) for item in items]
    return tuple([item for item in left if item.quantity])


def _void(state: HasGoods, last: tuple[Item, ...], at: datetime) -> Voided:
    """What a carrier told of it cannot be true of a shipment that never left, so somebody must look at it."""
    tracking = state.tracking.tasked(SCANNED) if state.tracking.parked else state.tracking
    packing = _packing(state)
    return Voided(last, state.plan, tracking, at, packing and packing.wanting(""))


def _packing(state: HasGoods) -> Packing | None:
    packing: Packing | None = getattr(state, "packing", None)
    return packing


# -- giving up


class VoidShipment(Command):
    """Give up a shipment that has not left."""


class ShipmentVoided(Event):
    """The shipment was given up. ``tracking_number`` names a label that must now be voided, empty if there is none."""

    items: tuple[Item, ...]
    tracking_number: str
    at: datetime


def void(state: HasGoods, command: VoidShipment, stamp: Stamp) -> ShipmentVoided:
    return ShipmentVoided(state.items, tracking_number_of(state), stamp.moment)


def voided(state: HasGoods, event: ShipmentVoided) -> Voided:
    return _void(state, event.items, event.at)
