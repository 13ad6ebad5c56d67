"""How a shipment decides and changes: guards, then for each command a decide and for each event an evolve."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain.machine import Absent, Refusal, refuse
from orderflow.domain.shipment import messages as m
from orderflow.domain.shipment.messages import Item, Scan
from orderflow.domain.shipment.states import (
    UNTRACKED,
    Carriage,
    Delivered,
    InTransit,
    Labelled,
    Left,
    Lost,
    Packed,
    Packing,
    Planned,
    ReturnedToSender,
    Returning,
    Unsent,
    Voided,
)
from orderflow.domain.stamp import Stamp

__all__ = [
    "buy_label",
    "declare_lost",
    "deliver",
    "deliver_unscanned",
    "delivered",
    "delivered_unscanned",
    "drop",
    "dropped",
    "dropped_there",
    "find",
    "found",
    "hand_over",
    "handed_over",
    "label_bought",
    "label_voided",
    "lost",
    "needs_label",
    "needs_no_label",
    "pack",
    "packed",
    "park",
    "parked",
    "plan",
    "planned",
    "receive_back",
    "received_back",
    "record",
    "recorded",
    "return_found",
    "return_started",
    "short_there",
    "shortened",
    "start_return",
    "void",
    "void_label",
    "voided",
]

Told: TypeAlias = m.RecordTracking | m.RecordDelivered | m.RecordReturning
Arrived: TypeAlias = m.ShipmentDelivered | m.ShipmentFound
L = TypeVar("L", InTransit, Delivered, Returning, ReturnedToSender, Lost)
P = TypeVar("P", Planned, Packed, Labelled, Voided)

# -- guards


def short_there(state: Planned, command: m.PackShipment, stamp: Stamp) -> Refusal | None:
    """What is picked short is in the shipment."""
    return _there(state.items, command.short)


def dropped_there(state: Unsent, command: m.DropItems, stamp: Stamp) -> Refusal | None:
    """What is taken out is in the shipment."""
    return _there(state.items, command.items)


def needs_label(state: Packed, command: m.RecordLabel, stamp: Stamp) -> Refusal | None:
    """A label is bought only for a carrier that needs one."""
    return None if state.plan.needs_label else refuse("no_label_needed", "this shipment travels without a label")


def needs_no_label(state: Packed, command: m.HandOver, stamp: Stamp) -> Refusal | None:
    """Without a label only a carrier that needs none takes a shipment."""
    return refuse("not_labelled", "this shipment needs a label first") if state.plan.needs_label else None


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


# -- plan and pack


def plan(state: Absent, command: m.PlanShipment, stamp: Stamp) -> m.ShipmentPlanned:
    """Planned as asked."""
    return m.ShipmentPlanned(command.items, command.plan)


def planned(state: Absent, event: m.ShipmentPlanned) -> Planned:
    """The first state."""
    return Planned(event.items, event.plan, UNTRACKED)


def pack(state: Planned, command: m.PackShipment, stamp: Stamp) -> m.ShipmentPacked | m.ItemsShort:
    """Packed, unless something was not found."""
    if command.short:
        return m.ItemsShort(command.short, stamp.at)
    return m.ShipmentPacked(command.weight_grams, command.pieces)


def packed(state: Planned, event: m.ShipmentPacked) -> Packed:
    """With its weight and pieces."""
    return Packed(state.items, state.plan, state.tracking, Packing(event.weight_grams, event.pieces))


def shortened(state: Planned, event: m.ItemsShort) -> Planned | Voided:
    """Without the units that were not found."""
    return _reduced(state, event.items, event.at)


def drop(state: Unsent, command: m.DropItems, stamp: Stamp) -> m.ItemsDropped:
    """Dropped; a bought label no longer fits and is named."""
    cancelled = isinstance(command, m.DropCancelledItems)
    return m.ItemsDropped(command.items, cancelled, _tracking_number(state), stamp.at)


def dropped(state: Unsent, event: m.ItemsDropped) -> Planned | Voided:
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


# -- label


def buy_label(state: Packed, command: m.RecordLabel, stamp: Stamp) -> m.LabelBought:
    """Bought when the carrier says so."""
    return m.LabelBought(command.label, stamp.moment)


def label_bought(state: Packed, event: m.LabelBought) -> Labelled:
    """With its label."""
    return Labelled(state.items, state.plan, state.tracking, state.packing, event.label, event.at)


def void_label(state: Labelled, command: m.VoidLabel, stamp: Stamp) -> m.LabelVoided:
    """The label that must be voided is named."""
    return m.LabelVoided(state.label.tracking_number)


def label_voided(state: Labelled, event: m.LabelVoided) -> Packed:
    """Packed still, without its label."""
    return Packed(state.items, state.plan, state.tracking, state.packing)


def void(state: Unsent, command: m.VoidShipment, stamp: Stamp) -> m.ShipmentVoided:
    """Given up with all its items and its label."""
    return m.ShipmentVoided(state.items, _tracking_number(state), stamp.at)


def voided(state: Unsent, event: m.ShipmentVoided) -> Voided:
    """Nothing is in it any more."""
    return Voided(state.plan, state.tracking, event.at)


# -- on the way


def hand_over(state: Packed | Labelled, command: m.HandOver, stamp: Stamp) -> m.HandedOver:
    """Handed over with all its items."""
    return m.HandedOver(stamp.moment)


def handed_over(state: Packed | Labelled, event: m.HandedOver) -> InTransit:
    """With the carrier."""
    return InTransit(state.items, state.plan, state.tracking, _carriage(state, event.at))


def _carriage(state: Packed | Labelled, at: datetime) -> Carriage:
    return Carriage(state.packing, state.label if isinstance(state, Labelled) else None, at)


def record(state: Left, command: Told, stamp: Stamp) -> m.TrackingRecorded:
    """Noted; a known event id is a duplicate."""
    return m.TrackingRecorded(_scan(command, stamp), state.tracking.knows(command.event_id))


def recorded(state: L, event: m.TrackingRecorded) -> L:
    """The same state, with the event in its log."""
    return evolve(state, tracking=state.tracking.noted(event.scan))


def park(state: Unsent | Voided, command: Told, stamp: Stamp) -> m.TrackingParked:
    """Parked."""
    return m.TrackingParked(_scan(command, stamp))


def parked(state: P, event: m.TrackingParked) -> P:
    """The same state, with the event parked."""
    return evolve(state, tracking=state.tracking.parking(event.scan))


def deliver(state: InTransit, command: m.RecordDelivered, stamp: Stamp) -> m.ShipmentDelivered:
    """Arrived with all its items."""
    return m.ShipmentDelivered(_scan(command, stamp))


def find(state: Lost, command: m.RecordDelivered, stamp: Stamp) -> m.ShipmentFound | m.TrackingRecorded:
    """Found, unless this very event was noted before the shipment was lost."""
    if state.tracking.knows(command.event_id):
        return record(state, command, stamp)
    return m.ShipmentFound(_scan(command, stamp))


def delivered(state: InTransit, event: m.ShipmentDelivered) -> Delivered:
    """Arrived."""
    return _delivered(state, event.scan)


def found(state: Lost, event: m.ShipmentFound) -> Delivered:
    """Arrived after all."""
    return _delivered(state, event.scan)


def _delivered(state: InTransit | Lost, scan: Scan) -> Delivered:
    return Delivered(state.items, state.plan, state.tracking.noted(scan), state.carriage, scan.at)


def deliver_unscanned(
    state: Labelled, command: m.RecordDelivered, stamp: Stamp
) -> m.DeliveredUnscanned | m.TrackingParked:
    """Arrived and therefore dispatched, unless it is said to have arrived before its label was bought."""
    scan = _scan(command, stamp)
    return m.TrackingParked(scan) if scan.at < state.bought_at else m.DeliveredUnscanned(scan)


def delivered_unscanned(state: Labelled, event: m.DeliveredUnscanned) -> Delivered:
    """Arrived; it left at the latest when it arrived."""
    scan = event.scan
    return Delivered(state.items, state.plan, state.tracking.noted(scan), _carriage(state, scan.at), scan.at)


def start_return(state: InTransit, command: m.RecordReturning, stamp: Stamp) -> m.ReturnStarted:
    """On its way back."""
    return m.ReturnStarted(command.why, _scan(command, stamp))


def return_found(state: Lost, command: m.RecordReturning, stamp: Stamp) -> m.ReturnStarted | m.TrackingRecorded:
    """Found on its way back, unless this very event was noted before the shipment was lost."""
    if state.tracking.knows(command.event_id):
        return record(state, command, stamp)
    return m.ReturnStarted(command.why, _scan(command, stamp))


def return_started(state: InTransit | Lost, event: m.ReturnStarted) -> Returning:
    """With the carrier, the other way."""
    return Returning(state.items, state.plan, state.tracking.noted(event.scan), state.carriage, event.why)


def receive_back(state: Returning, command: m.ReceiveBack, stamp: Stamp) -> m.ReceivedBack:
    """Back with all its items."""
    return m.ReceivedBack(command.location, command.usable, stamp.moment)


def received_back(state: Returning, event: m.ReceivedBack) -> ReturnedToSender:
    """At one of our locations."""
    return ReturnedToSender(state.items, state.plan, state.tracking, state.carriage, event.location, event.at)


def declare_lost(state: InTransit | Returning, command: m.DeclareLost, stamp: Stamp) -> m.ShipmentLost:
    """Lost from now on."""
    return m.ShipmentLost(stamp.at)


def lost(state: InTransit | Returning, event: m.ShipmentLost) -> Lost:
    """Missing."""
    return Lost(state.items, state.plan, state.tracking, state.carriage, event.at)


def _scan(command: Told, stamp: Stamp) -> Scan:
    at = stamp.moment
    if isinstance(command, m.RecordTracking):
        return Scan(command.event_id, command.status.value, command.detail, at)
    status = command.why.value if isinstance(command, m.RecordReturning) else "delivered"
    return Scan(command.event_id, status, "", at)
