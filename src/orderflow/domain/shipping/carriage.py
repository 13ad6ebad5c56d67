"""On the way: handing over, and what the carrier reports. Its events come late, early, twice and out of order."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TypeAlias, TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.bounds import Id, Name
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.state import (
    Carriage,
    Delivered,
    HasLabel,
    HasPacking,
    InTransit,
    Left,
    Lost,
    Packed,
    ReturnedToSender,
    Returning,
    ReturnReason,
    Scan,
    Unsent,
    Voided,
)
from orderflow.domain.values import Location
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
    "TrackingStatus",
]

# -- leaving


@frozen(eq=False, repr=False)
class HandOver(Command):
    """Note that the carrier has taken the shipment."""


@frozen(eq=False, repr=False)
class HandedOver(Event):
    """The shipment has left with these units."""

    at: datetime


def needs_no_label(state: Packed, command: HandOver, stamp: Stamp) -> Refusal | None:
    """A shipment without a label is handed over only to a carrier that needs none."""
    return refuse("not_labelled", "this shipment needs a label first") if state.plan.needs_label else None


def handed_over(state: HasPacking, event: HandedOver) -> InTransit:
    return InTransit(state.items, state.plan, state.tracking, _carriage(state, event.at))


def _carriage(state: HasPacking, at: datetime) -> Carriage:
    return Carriage(state.packing, getattr(state, "label", None), at)


# -- what the carrier reports


class TrackingStatus(Enum):
    """What a carrier reports on the way that moves nothing."""

    OUT_FOR_DELIVERY = "out_for_delivery"
    EXCEPTION = "exception"
    IN_TRANSIT = "in_transit"
    INFO = "info"


@frozen(eq=False, repr=False)
class RecordTracking(Command):
    """Record where the carrier says the shipment is. ``detail`` must hold no personal data: it stays in the journal."""

    event_id: Id
    status: TrackingStatus
    detail: Name = ""


@frozen(eq=False, repr=False)
class RecordDelivered(Command):
    """Record that the carrier says the shipment has arrived (配達完了)."""

    event_id: Id


@frozen(eq=False, repr=False)
class RecordReturning(Command):
    """Record that the carrier says the shipment is on its way back."""

    event_id: Id
    why: ReturnReason


Told: TypeAlias = RecordTracking | RecordDelivered | RecordReturning


def _scan(command: Told, stamp: Stamp) -> Scan:
    if isinstance(command, RecordTracking):
        return Scan(command.event_id, command.status.value, command.detail, stamp.moment)
    status = command.why.value if isinstance(command, RecordReturning) else "delivered"
    return Scan(command.event_id, status, "", stamp.moment)


# -- noted or parked, and nothing moves


@frozen(eq=False, repr=False)
class TrackingRecorded(Event):
    """A carrier's event was noted and moves nothing; a ``duplicate`` is not noted a second time."""

    scan: Scan
    duplicate: bool


@frozen(eq=False, repr=False)
class TrackingParked(Event):
    """A carrier's event came before the shipment had left, or after it was voided: someone must look at it."""

    scan: Scan


L = TypeVar("L", bound=Left)
P = TypeVar("P", bound="Unsent | Voided")


def record(state: Left, command: Told, stamp: Stamp) -> TrackingRecorded:
    """An event whose id is known is a duplicate."""
    return TrackingRecorded(_scan(command, stamp), state.tracking.knows(command.event_id))


def recorded(state: L, event: TrackingRecorded) -> L:
    return evolve(state, tracking=state.tracking.noted(event.scan))


def park(state: Unsent | Voided, command: Told, stamp: Stamp) -> TrackingParked:
    return TrackingParked(_scan(command, stamp))


def parked(state: P, event: TrackingParked) -> P:
    return evolve(state, tracking=state.tracking.parking(event.scan))


# -- arriving


@frozen(eq=False, repr=False)
class _Scanned:
    scan: Scan


class ShipmentDelivered(_Scanned, Event):
    """The shipment has arrived."""

    __slots__ = ()


class DeliveredUnscanned(_Scanned, Event):
    """The shipment has arrived though nobody recorded that it left: this implies its dispatch."""

    __slots__ = ()


class ShipmentFound(_Scanned, Event):
    """A lost shipment has arrived after all."""

    __slots__ = ()


def deliver(state: InTransit, command: RecordDelivered, stamp: Stamp) -> ShipmentDelivered:
    return ShipmentDelivered(_scan(command, stamp))


def find(state: Lost, command: RecordDelivered, stamp: Stamp) -> ShipmentFound | TrackingRecorded:
    """Found, unless this very event was noted before the shipment was lost."""
    if state.tracking.knows(command.event_id):
        return record(state, command, stamp)
    return ShipmentFound(_scan(command, stamp))


def delivered(state: InTransit, event: ShipmentDelivered) -> Delivered:
    return _delivered(state, event.scan)


def found(state: Lost, event: ShipmentFound) -> Delivered:
    return _delivered(state, event.scan)


def _delivered(state: Left, scan: Scan) -> Delivered:
    return Delivered(state.items, state.plan, state.tracking.noted(scan), state.carriage, scan.at)


def deliver_unscanned(state: HasLabel, command: RecordDelivered, stamp: Stamp) -> DeliveredUnscanned | TrackingParked:
    """Arrived and therefore dispatched, unless it is reported to have arrived before its label was bought."""
    scan = _scan(command, stamp)
    return TrackingParked(scan) if scan.at < state.bought_at else DeliveredUnscanned(scan)


def delivered_unscanned(state: HasLabel, event: DeliveredUnscanned) -> Delivered:
    """It left no later than it arrived."""
    scan = event.scan
    return Delivered(state.items, state.plan, state.tracking.noted(scan), _carriage(state, scan.at), scan.at)


# -- coming back


@frozen(eq=False, repr=False)
class ReturnStarted(Event):
    """The shipment is on its way back."""

    why: ReturnReason
    scan: Scan


def start_return(state: InTransit, command: RecordReturning, stamp: Stamp) -> ReturnStarted:
    return ReturnStarted(command.why, _scan(command, stamp))


def find_returning(state: Lost, command: RecordReturning, stamp: Stamp) -> ReturnStarted | TrackingRecorded:
    """Found on its way back, unless this very event was noted before the shipment was lost."""
    if state.tracking.knows(command.event_id):
        return record(state, command, stamp)
    return ReturnStarted(command.why, _scan(command, stamp))


def return_started(state: Left, event: ReturnStarted) -> Returning:
    return Returning(state.items, state.plan, state.tracking.noted(event.scan), state.carriage, event.why)


@frozen(eq=False, repr=False)
class ReceiveBack(Command):
    """Take in the returned shipment at ``location``; ``usable`` goods go on sale again."""

    location: Location
    usable: bool = True


@frozen(eq=False, repr=False)
class ReceivedBack(Event):
    """The units came back to ``location``."""

    location: str
    usable: bool
    at: datetime


def received_back(state: Returning, event: ReceivedBack) -> ReturnedToSender:
    return ReturnedToSender(state.items, state.plan, state.tracking, state.carriage, event.location, event.at)


# -- missing


@frozen(eq=False, repr=False)
class DeclareLost(Command):
    """Note that nobody knows where the shipment is."""


@frozen(eq=False, repr=False)
class ShipmentLost(Event):
    """The shipment is missing; its units stay shipped until their orders write them off or owe them again."""

    at: datetime


def lost(state: Left, event: ShipmentLost) -> Lost:
    return Lost(state.items, state.plan, state.tracking, state.carriage, event.at)
