"""The shipment's table, and nothing else. Read this first.

A carrier's events come late, early, twice and out of order: once the shipment has left they are recorded, before that
(and when it is voided) they are parked. A delivery told while the shipment is returning is recorded only: carriers
report the arrival back at the sender with the same word.
"""

from __future__ import annotations

from typing import Final, TypeAlias, TypeVar

from orderflow.domain.engine.machine import Absent, Machine, Rule, rule, to, to_one_of
from orderflow.domain.shipping.carriage import (
    DeclareLost,
    DeliveredUnscanned,
    HandedOver,
    HandOver,
    ReceiveBack,
    ReceivedBack,
    RecordDelivered,
    RecordReturning,
    RecordTracking,
    ReturnStarted,
    ShipmentDelivered,
    ShipmentFound,
    ShipmentLost,
    TrackingParked,
    TrackingRecorded,
    declare_lost,
    deliver,
    deliver_unscanned,
    delivered,
    delivered_unscanned,
    find,
    found,
    hand_over,
    handed_over,
    lost,
    needs_no_label,
    park,
    parked,
    receive_back,
    received_back,
    record,
    recorded,
    return_found,
    return_started,
    start_return,
)
from orderflow.domain.shipping.labelling import (
    LabelBought,
    LabelVoided,
    RecordLabel,
    VoidLabel,
    buy_label,
    label_bought,
    label_voided,
    needs_label,
    void_label,
)
from orderflow.domain.shipping.planning import (
    DropCancelledItems,
    DropItems,
    ItemsDropped,
    PackShipment,
    PlanShipment,
    ShipmentPacked,
    ShipmentPlanned,
    ShipmentVoided,
    ShortPickRecorded,
    VoidShipment,
    drop,
    dropped,
    enough_in_shipment,
    enough_planned,
    pack,
    packed,
    plan,
    planned,
    shortened,
    void,
    voided,
)
from orderflow.domain.shipping.state import (
    Delivered,
    InTransit,
    Labelled,
    Lost,
    Packed,
    Planned,
    ReturnedToSender,
    Returning,
    Voided,
    check_shipment,
)

__all__ = ["SHIPMENT", "ShipmentCommand", "ShipmentEvent"]


ShipmentCommand: TypeAlias = (
    PlanShipment | PackShipment | RecordLabel | DropItems | DropCancelledItems | VoidLabel | HandOver | RecordTracking
    | RecordDelivered | RecordReturning | ReceiveBack | DeclareLost | VoidShipment
)  # fmt: skip


ShipmentEvent: TypeAlias = (
    ShipmentPlanned | ShipmentPacked | ShortPickRecorded | LabelBought | ItemsDropped | LabelVoided | HandedOver
    | TrackingRecorded | TrackingParked | ShipmentDelivered | DeliveredUnscanned | ShipmentFound | ReturnStarted
    | ReceivedBack | ShipmentLost | ShipmentVoided
)  # fmt: skip


L = TypeVar("L", InTransit, Delivered, Returning, ReturnedToSender, Lost)


P = TypeVar("P", Planned, Packed, Labelled, Voided)


U = TypeVar("U", Planned, Packed, Labelled)


W = TypeVar("W", InTransit, Returning)


def _told(source: type[L]) -> Rule:
    return rule(source, RecordTracking, record, to(TrackingRecorded, source, recorded))


def _late(source: type[L]) -> tuple[Rule, Rule, Rule]:
    noted = to(TrackingRecorded, source, recorded)
    return (
        _told(source),
        rule(source, RecordDelivered, record, noted),
        rule(source, RecordReturning, record, noted),
    )


def _early(source: type[P]) -> tuple[Rule, Rule]:
    kept = to(TrackingParked, source, parked)
    return rule(source, RecordTracking, park, kept), rule(source, RecordReturning, park, kept)


def _too_early(source: type[P]) -> Rule:
    return rule(source, RecordDelivered, park, to(TrackingParked, source, parked))


def _give_up(source: type[U]) -> tuple[Rule, Rule, Rule]:
    reduced = to_one_of(ItemsDropped, dropped, Planned, Voided)
    return (
        rule(source, DropItems, drop, reduced, guards=(enough_in_shipment,)),
        rule(source, DropCancelledItems, drop, reduced, guards=(enough_in_shipment,)),
        rule(source, VoidShipment, void, to(ShipmentVoided, Voided, voided)),
    )


def _lose(source: type[W]) -> Rule:
    return rule(source, DeclareLost, declare_lost, to(ShipmentLost, Lost, lost))


SHIPMENT: Final = Machine(
    "shipment",
    commands=ShipmentCommand,
    events=ShipmentEvent,
    final=(Delivered, ReturnedToSender, Voided),
    check=check_shipment,
    rules=(
        rule(Absent, PlanShipment, plan, to(ShipmentPlanned, Planned, planned)),
        rule(
            Planned, PackShipment, pack, to_one_of(ShortPickRecorded, shortened, Planned, Voided),
            to(ShipmentPacked, Packed, packed), guards=(enough_planned,),
        ),
        rule(Packed, RecordLabel, buy_label, to(LabelBought, Labelled, label_bought), guards=(needs_label,)),
        rule(Labelled, VoidLabel, void_label, to(LabelVoided, Packed, label_voided)),
        rule(Packed, HandOver, hand_over, to(HandedOver, InTransit, handed_over), guards=(needs_no_label,)),
        rule(Labelled, HandOver, hand_over, to(HandedOver, InTransit, handed_over)),
        *_give_up(Planned),
        *_give_up(Packed),
        *_give_up(Labelled),
        rule(InTransit, RecordDelivered, deliver, to(ShipmentDelivered, Delivered, delivered)),
        rule(
            Labelled, RecordDelivered, deliver_unscanned,
            to(DeliveredUnscanned, Delivered, delivered_unscanned), to(TrackingParked, Labelled, parked),
        ),
        rule(InTransit, RecordReturning, start_return, to(ReturnStarted, Returning, return_started)),
        rule(Returning, ReceiveBack, receive_back, to(ReceivedBack, ReturnedToSender, received_back)),
        _lose(InTransit),
        _lose(Returning),
        rule(
            Lost, RecordDelivered, find, to(ShipmentFound, Delivered, found),
            to(TrackingRecorded, Lost, recorded),
        ),
        rule(
            Lost, RecordReturning, return_found, to(ReturnStarted, Returning, return_started),
            to(TrackingRecorded, Lost, recorded),
        ),
        _told(InTransit),
        _told(Lost),
        *_late(Delivered),
        *_late(Returning),
        *_late(ReturnedToSender),
        *_early(Planned),
        *_early(Packed),
        *_early(Labelled),
        *_early(Voided),
        _too_early(Planned),
        _too_early(Packed),
        _too_early(Voided),
    ),
)  # fmt: skip
