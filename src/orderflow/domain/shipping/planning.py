"""Planning and packing: what is in a shipment, what is taken out of it, giving it up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from attrs import frozen

from orderflow.domain.engine.bounds import Count, Quantity
from orderflow.domain.engine.machine import Absent, refuse
from orderflow.domain.engine.record import Command, Event, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.state import (
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
from orderflow.errors import Fault, Refusal

# -- planning


@frozen(eq=False, repr=False)
class _Planning:
    items: Items
    plan: Plan = Plan()

    def faults(self) -> Iterator[Fault]:
        """Faults between fields: no order line appears twice with the same location."""
        return repeated_items(self.items, "items")


class PlanShipment(_Planning, Command):
    """Plan a shipment. An order line appears in it once for each location."""

    __slots__ = ()


class ShipmentPlanned(_Planning, Event):
    """A shipment was planned."""

    __slots__ = ()


def planned(state: Absent, event: ShipmentPlanned) -> Planned:
    return Planned(event.items, event.plan, UNTRACKED)


# -- packing


@frozen(eq=False, repr=False)
class _Packing:
    weight_grams: Count
    pieces: Quantity


class PackShipment(_Packing, Command):
    """Pack the picked goods: their weight in grams (0: not weighed) and the number of pieces."""

    __slots__ = ()


class ShipmentPacked(_Packing, Event):
    """The goods were packed."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class _SomeItems:
    items: Items

    def faults(self) -> Iterator[Fault]:
        """Faults between fields: no order line appears twice with the same location."""
        return repeated_items(self.items, "items")


class RecordShortPick(_SomeItems, Command):
    """Note units not found while picking; the shipment goes on without them, or is voided if nothing is left."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class ShortPickRecorded(Event):
    """Units were not found and are out of the shipment."""

    items: tuple[Item, ...]
    at: datetime


def packed(state: Planned, event: ShipmentPacked) -> Packed:
    return Packed(state.items, state.plan, state.tracking, Packing(event.weight_grams, event.pieces))


def taken_out_short(state: Planned, event: ShortPickRecorded) -> Planned | Voided:
    return _reduced(state, event.items, event.at)


# -- taking out


class DropItems(_SomeItems, Command):
    """Take units out; they stay allocated."""

    __slots__ = ()


class DropCancelledItems(_SomeItems, Internal):
    """Take units out that their orders have cancelled."""

    __slots__ = ()


@frozen(eq=False, repr=False)
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
    """A bought label does not fit any more, so it is named."""
    cancelled = isinstance(command, DropCancelledItems)
    return ItemsDropped(command.items, cancelled, _tracking_number(state), stamp.moment)


def dropped(state: HasGoods, event: ItemsDropped) -> Planned | Voided:
    """It is packed again without the units, or voided if none is left."""
    return _reduced(state, event.items, event.at)


def _reduced(state: HasGoods, gone: tuple[Item, ...], at: datetime) -> Planned | Voided:
    less = {item[:3]: item.quantity for item in gone}
    left = [item._replace(quantity=item.quantity - less.get(item[:3], 0)) for item in state.items]
    kept = tuple([item for item in left if item.quantity])
    return Planned(kept, state.plan, state.tracking) if kept else Voided(state.plan, state.tracking, at)


def _tracking_number(state: HasGoods) -> str:
    label = getattr(state, "label", None)
    return label.tracking_number if label is not None else ""


# -- giving up


@frozen(eq=False, repr=False)
class VoidShipment(Command):
    """Give up a shipment that has not left."""


@frozen(eq=False, repr=False)
class ShipmentVoided(Event):
    """The shipment was given up. ``tracking_number`` names a label that must now be voided, empty if there is none."""

    items: tuple[Item, ...]
    tracking_number: str
    at: datetime


def void(state: HasGoods, command: VoidShipment, stamp: Stamp) -> ShipmentVoided:
    return ShipmentVoided(state.items, _tracking_number(state), stamp.moment)


def voided(state: HasGoods, event: ShipmentVoided) -> Voided:
    return Voided(state.plan, state.tracking, event.at)
