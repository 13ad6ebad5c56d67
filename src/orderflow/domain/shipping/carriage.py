"""What the carrier tells. Its events come late, early, twice and out of order, and none is refused."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Id, Name
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.dates import questioned
from orderflow.domain.shipping.fates import ARRIVING, Move, turned
from orderflow.domain.shipping.leaving import ShipmentLeft
from orderflow.domain.shipping.moving import moves_of_items
from orderflow.domain.shipping.state import (
    SCANNED,
    Delivered,
    HasPacking,
    HasTracking,
    Left,
    Lost,
    Returning,
    ReturnReason,
    Scan,
    Unsent,
    Voided,
)
from orderflow.domain.values import Task

__all__ = [
    "LossClaimed",
    "RecordDelivered",
    "RecordLost",
    "RecordReturning",
    "RecordTracking",
    "ReturnExpected",
    "ReturnStarted",
    "ShipmentDelivered",
    "ShipmentLost",
    "TrackingParked",
    "TrackingRecorded",
    "TrackingStatus",
]


class TrackingStatus(Enum):
    """What a carrier reports on the way. All but ``info`` say that the shipment has left."""

    OUT_FOR_DELIVERY = "out_for_delivery"
    EXCEPTION = "exception"
    IN_TRANSIT = "in_transit"
    INFO = "info"


class RecordTracking(Command):
    """Record where the carrier says the shipment is. ``detail`` must hold no personal data: it stays in the journal."""

    event_id: Id
    status: TrackingStatus
    detail: Name = ""


class RecordDelivered(Command):
    """Record that the carrier says the shipment has arrived (配達完了)."""

    event_id: Id


class RecordReturning(Command):
    """Record that the carrier says the shipment is on its way back."""

    event_id: Id
    why: ReturnReason


class RecordLost(Command):
    """Record that the carrier says the shipment is lost."""

    event_id: Id


Told: TypeAlias = RecordTracking | RecordDelivered | RecordReturning | RecordLost


def _scan(state: HasTracking, command: Told, stamp: Stamp) -> Scan:
    """The event as it was reported; one that was parked keeps its time."""
    for scan in state.tracking.parked:
        if scan.event_id == command.event_id:
            return scan
    if isinstance(command, RecordTracking):
        return Scan(command.event_id, command.status.value, command.detail, stamp.moment)
    status = "delivered" if isinstance(command, RecordDelivered) else "lost"
    status = command.why.value if isinstance(command, RecordReturning) else status
    return Scan(command.event_id, status, "", stamp.moment)


# -- noted or parked, and nothing moves


class TrackingRecorded(Event):
    """A carrier's event was noted and moves nothing; a ``duplicate`` is not noted a second time."""

    scan: Scan
    duplicate: bool


class TrackingParked(Event):
    """A carrier's event came before the shipment had left, or after it was voided: it is looked at again later."""

    scan: Scan


S = TypeVar("S", bound="Unsent | Left | Voided")
N = TypeVar("N", bound="Unsent")


def record(state: HasTracking, command: Told, stamp: Stamp) -> TrackingRecorded:
    """An event whose id is known is a duplicate."""
    return TrackingRecorded(_scan(state, command, stamp), state.tracking.knows(command.event_id))


def recorded(state: S, event: TrackingRecorded) -> S:
    return evolve(state, tracking=state.tracking.noted(event.scan))


def park(state: Unsent | Voided, command: Told, stamp: Stamp) -> TrackingParked:
    return TrackingParked(_scan(state, command, stamp))


def parked(state: N, event: TrackingParked) -> N:
    return evolve(state, tracking=state.tracking.parking(event.scan))


def parked_voided(state: Voided, event: TrackingParked) -> Voided:
    return evolve(state, tracking=state.tracking.parking(event.scan).tasked(SCANNED))


def park_or_note(state: Voided, command: RecordTracking, stamp: Stamp) -> TrackingParked | TrackingRecorded:
    """That the carrier knows of a shipment is no sign that it has it."""
    info = command.status is TrackingStatus.INFO
    return record(state, command, stamp) if info else park(state, command, stamp)


def leave(state: HasPacking, command: Told, stamp: Stamp) -> ShipmentLeft | TrackingParked:
    """The carrier has it, unless this is said to be earlier than the packing."""
    scan = _scan(state, command, stamp)
    return TrackingParked(scan) if scan.at < state.packing.packed_at else ShipmentLeft(scan, None, scan.at)


def leave_or_note(
    state: HasPacking, command: RecordTracking, stamp: Stamp
) -> ShipmentLeft | TrackingParked | TrackingRecorded:
    """That the carrier knows of a shipment is no sign that it has it."""
    return record(state, command, stamp) if command.status is TrackingStatus.INFO else leave(state, command, stamp)


# -- arriving


class ShipmentDelivered(Event):
    """The shipment has arrived."""

    scan: Scan
    moves: tuple[Move, ...]


def deliver(state: Left, command: RecordDelivered, stamp: Stamp) -> ShipmentDelivered:
    return ShipmentDelivered(_scan(state, command, stamp), moves_of_items(state, ARRIVING))


def find(state: Lost, command: RecordDelivered, stamp: Stamp) -> ShipmentDelivered | TrackingRecorded:
    """Found, unless this very event was noted before the shipment was lost."""
    known = state.tracking.knows(command.event_id)
    return record(state, command, stamp) if known else deliver(state, command, stamp)


def delivered(state: Left, event: ShipmentDelivered) -> Delivered:
    """Units that were replaced meanwhile are a gift, which somebody may ask to have back."""
    scan = event.scan
    tracking = state.tracking.noted(scan)
    gifts = sum([move.quantity for move in event.moves if move.target == "gift"])
    if gifts:
        tracking = tracking.tasked(Task("replaced_and_delivered", (("units", str(gifts)),)))
    left = ("left", state.carriage.handed_over_at)
    tracking = questioned(tracking, "arrived_before_it_left", ("arrived", scan.at), left)
    return Delivered(state.items, state.plan, tracking, state.carriage, turned(state.fates, event.moves), scan.at)


# -- coming back


class ReturnStarted(Event):
    """The shipment is on its way back."""

    why: ReturnReason
    scan: Scan


class ReturnExpected(Event):
    """What was delivered is said to be coming back."""

    scan: Scan


def start_return(state: Left, command: RecordReturning, stamp: Stamp) -> ReturnStarted:
    return ReturnStarted(command.why, _scan(state, command, stamp))


def find_returning(state: Lost, command: RecordReturning, stamp: Stamp) -> ReturnStarted | TrackingRecorded:
    """Found on its way back, unless this very event was noted before the shipment was lost."""
    known = state.tracking.knows(command.event_id)
    return record(state, command, stamp) if known else start_return(state, command, stamp)


def return_started(state: Left, event: ReturnStarted) -> Returning:
    tracking = state.tracking.noted(event.scan)
    return Returning(state.items, state.plan, tracking, state.carriage, state.fates, event.why)


def expect_return(state: Delivered, command: RecordReturning, stamp: Stamp) -> ReturnExpected | TrackingRecorded:
    known = state.tracking.knows(command.event_id)
    return record(state, command, stamp) if known else ReturnExpected(_scan(state, command, stamp))


def return_expected(state: Delivered, event: ReturnExpected) -> Delivered:
    fates = tuple([fate._replace(expected_back=fate.delivered) for fate in state.fates])
    return evolve(state, fates=fates, tracking=state.tracking.noted(event.scan))


# -- missing


class ShipmentLost(Event):
    """The shipment is missing; its units stay shipped until they are written off or sent again.

    ``scan`` is the carrier's word; None if it is ours.
    """

    scan: Scan | None
    at: datetime


class LossClaimed(Event):
    """The carrier says that it has lost what it had delivered."""

    scan: Scan


def lose(state: Left, command: RecordLost, stamp: Stamp) -> ShipmentLost:
    scan = _scan(state, command, stamp)
    return ShipmentLost(scan, scan.at)


def lost(state: Left, event: ShipmentLost) -> Lost:
    tracking = state.tracking.noted(event.scan) if event.scan else state.tracking
    return Lost(state.items, state.plan, tracking, state.carriage, state.fates, event.at)


def claim(state: Delivered, command: RecordLost, stamp: Stamp) -> LossClaimed:
    return LossClaimed(_scan(state, command, stamp))


def claimed(state: Delivered, event: LossClaimed) -> Delivered:
    task = Task("lost_after_delivery", (("event", event.scan.event_id),))
    return evolve(state, tracking=state.tracking.noted(event.scan).tasked(task))
