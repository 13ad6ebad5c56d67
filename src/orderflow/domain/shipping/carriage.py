"""A shipment on its way: handed over, tracked, delivered, returning, received back or lost."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias, TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.schema import Id, Name
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.state import (
    Carriage,
    Delivered,
    InTransit,
    Labelled,
    Left,
    Lost,
    Packed,
    Planned,
    ReturnedToSender,
    Returning,
    ReturnReason,
    Scan,
    TrackingStatus,
    Unsent,
    Voided,
)
from orderflow.errors import Refusal

__all__ = [
    "DeclareLost",
    "DeliveredUnscanned",
    "HandOver",
    "HandedOver",
    "ReceiveBack",
    "ReceivedBack",
    "RecordDelivered",
    "RecordReturning",
    "RecordTracking",
    "ReturnStarted",
    "ShipmentDelivered",
    "ShipmentFound",
    "ShipmentLost",
    "TrackingParked",
    "TrackingRecorded",
    "declare_lost",
    "deliver",
    "deliver_unscanned",
    "delivered",
    "delivered_unscanned",
    "find",
    "found",
    "hand_over",
    "handed_over",
    "lost",
    "needs_no_label",
    "park",
    "parked",
    "receive_back",
    "received_back",
    "record",
    "recorded",
    "return_found",
    "return_started",
    "start_return",
]


@frozen
class HandOver:
    """The carrier has taken the shipment."""


@frozen
class RecordTracking:
    """The carrier tells where the shipment is. ``detail`` must hold no personal data: it stays in the journal."""

    event_id: Id
    status: TrackingStatus
    detail: Name = ""


@frozen
class RecordDelivered:
    """The carrier tells that the shipment has arrived (配達完了)."""

    event_id: Id


@frozen
class RecordReturning:
    """The carrier tells that the shipment is on its way back."""

    event_id: Id
    why: ReturnReason


@frozen
class ReceiveBack:
    """The returned shipment is at ``location``; ``usable`` goods may be sold again."""

    location: Id
    usable: bool = True


@frozen
class DeclareLost:
    """Nobody knows where the shipment is."""


@frozen
class HandedOver:
    """The shipment has left with these units."""

    at: datetime


@frozen
class TrackingRecorded:
    """A carrier's event was noted and moves nothing; a ``duplicate`` is not noted a second time."""

    scan: Scan
    duplicate: bool


@frozen
class TrackingParked:
    """A carrier's event came before the shipment has left, or after it was voided: somebody must look at it."""

    scan: Scan


@frozen
class ShipmentDelivered:
    """The shipment has arrived."""

    scan: Scan


@frozen
class DeliveredUnscanned:
    """The shipment has arrived though nobody recorded that it left: this implies its dispatch."""

    scan: Scan


@frozen
class ShipmentFound:
    """A lost shipment has arrived after all."""

    scan: Scan


@frozen
class ReturnStarted:
    """The shipment is on its way back."""

    why: ReturnReason
    scan: Scan


@frozen
class ReceivedBack:
    """The units came back to ``location``."""

    location: str
    usable: bool
    at: datetime


@frozen
class ShipmentLost:
    """The shipment is missing; its units stay shipped until their orders write them off or supply them again."""

    at: datetime


Told: TypeAlias = RecordTracking | RecordDelivered | RecordReturning


Arrived: TypeAlias = ShipmentDelivered | ShipmentFound


L = TypeVar("L", InTransit, Delivered, Returning, ReturnedToSender, Lost)


P = TypeVar("P", Planned, Packed, Labelled, Voided)


def needs_no_label(state: Packed, command: HandOver, stamp: Stamp) -> Refusal | None:
    """Without a label only a carrier that needs none takes a shipment."""
    return refuse("not_labelled", "this shipment needs a label first") if state.plan.needs_label else None


def hand_over(state: Packed | Labelled, command: HandOver, stamp: Stamp) -> HandedOver:
    """Handed over with all its items."""
    return HandedOver(stamp.moment)


def handed_over(state: Packed | Labelled, event: HandedOver) -> InTransit:
    """With the carrier."""
    return InTransit(state.items, state.plan, state.tracking, _carriage(state, event.at))


def _carriage(state: Packed | Labelled, at: datetime) -> Carriage:
    return Carriage(state.packing, state.label if isinstance(state, Labelled) else None, at)


def record(state: Left, command: Told, stamp: Stamp) -> TrackingRecorded:
    """Noted; a known event id is a duplicate."""
    return TrackingRecorded(_scan(command, stamp), state.tracking.knows(command.event_id))


def recorded(state: L, event: TrackingRecorded) -> L:
    """The same state, with the event in its log."""
    return evolve(state, tracking=state.tracking.noted(event.scan))


def park(state: Unsent | Voided, command: Told, stamp: Stamp) -> TrackingParked:
    """Parked."""
    return TrackingParked(_scan(command, stamp))


def parked(state: P, event: TrackingParked) -> P:
    """The same state, with the event parked."""
    return evolve(state, tracking=state.tracking.parking(event.scan))


def deliver(state: InTransit, command: RecordDelivered, stamp: Stamp) -> ShipmentDelivered:
    """Arrived with all its items."""
    return ShipmentDelivered(_scan(command, stamp))


def find(state: Lost, command: RecordDelivered, stamp: Stamp) -> ShipmentFound | TrackingRecorded:
    """Found, unless this very event was noted before the shipment was lost."""
    if state.tracking.knows(command.event_id):
        return record(state, command, stamp)
    return ShipmentFound(_scan(command, stamp))


def delivered(state: InTransit, event: ShipmentDelivered) -> Delivered:
    """Arrived."""
    return _delivered(state, event.scan)


def found(state: Lost, event: ShipmentFound) -> Delivered:
    """Arrived after all."""
    return _delivered(state, event.scan)


def _delivered(state: InTransit | Lost, scan: Scan) -> Delivered:
    return Delivered(state.items, state.plan, state.tracking.noted(scan), state.carriage, scan.at)


def deliver_unscanned(state: Labelled, command: RecordDelivered, stamp: Stamp) -> DeliveredUnscanned | TrackingParked:
    """Arrived and therefore dispatched, unless it is said to have arrived before its label was bought."""
    scan = _scan(command, stamp)
    return TrackingParked(scan) if scan.at < state.bought_at else DeliveredUnscanned(scan)


def delivered_unscanned(state: Labelled, event: DeliveredUnscanned) -> Delivered:
    """Arrived; it left at the latest when it arrived."""
    scan = event.scan
    return Delivered(state.items, state.plan, state.tracking.noted(scan), _carriage(state, scan.at), scan.at)


def start_return(state: InTransit, command: RecordReturning, stamp: Stamp) -> ReturnStarted:
    """On its way back."""
    return ReturnStarted(command.why, _scan(command, stamp))


def return_found(state: Lost, command: RecordReturning, stamp: Stamp) -> ReturnStarted | TrackingRecorded:
    """Found on its way back, unless this very event was noted before the shipment was lost."""
    if state.tracking.knows(command.event_id):
        return record(state, command, stamp)
    return ReturnStarted(command.why, _scan(command, stamp))


def return_started(state: InTransit | Lost, event: ReturnStarted) -> Returning:
    """With the carrier, the other way."""
    return Returning(state.items, state.plan, state.tracking.noted(event.scan), state.carriage, event.why)


def receive_back(state: Returning, command: ReceiveBack, stamp: Stamp) -> ReceivedBack:
    """Back with all its items."""
    return ReceivedBack(command.location, command.usable, stamp.moment)


def received_back(state: Returning, event: ReceivedBack) -> ReturnedToSender:
    """At one of our locations."""
    return ReturnedToSender(state.items, state.plan, state.tracking, state.carriage, event.location, event.at)


def declare_lost(state: InTransit | Returning, command: DeclareLost, stamp: Stamp) -> ShipmentLost:
    """Lost from now on."""
    return ShipmentLost(stamp.at)


def lost(state: InTransit | Returning, event: ShipmentLost) -> Lost:
    """Missing."""
    return Lost(state.items, state.plan, state.tracking, state.carriage, event.at)


def _scan(command: Told, stamp: Stamp) -> Scan:
    at = stamp.moment
    if isinstance(command, RecordTracking):
        return Scan(command.event_id, command.status.value, command.detail, at)
    status = command.why.value if isinstance(command, RecordReturning) else "delivered"
    return Scan(command.event_id, status, "", at)
