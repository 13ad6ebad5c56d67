"""The shipment's table, and nothing else. Read this first.

A carrier's events come late, early, twice and out of order: once the shipment has left they are recorded, before that
(and when it is voided) they are parked. A delivery told while the shipment is returning is recorded only: carriers
report the arrival back at the sender with the same word.
"""

from __future__ import annotations

from typing import Final, TypeVar

from orderflow.domain.machine import Absent, Machine, Rule, rule, to, to_any
from orderflow.domain.shipment import messages as m
from orderflow.domain.shipment import rules as r
from orderflow.domain.shipment.states import (
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

__all__ = ["SHIPMENT"]

L = TypeVar("L", InTransit, Delivered, Returning, ReturnedToSender, Lost)
P = TypeVar("P", Planned, Packed, Labelled, Voided)
U = TypeVar("U", Planned, Packed, Labelled)
W = TypeVar("W", InTransit, Returning)


def _told(source: type[L]) -> Rule:
    return rule(source, m.RecordTracking, r.record, to(m.TrackingRecorded, source, r.recorded))


def _late(source: type[L]) -> tuple[Rule, Rule, Rule]:
    recorded = to(m.TrackingRecorded, source, r.recorded)
    return (
        _told(source),
        rule(source, m.RecordDelivered, r.record, recorded),
        rule(source, m.RecordReturning, r.record, recorded),
    )


def _early(source: type[P]) -> tuple[Rule, Rule]:
    parked = to(m.TrackingParked, source, r.parked)
    return rule(source, m.RecordTracking, r.park, parked), rule(source, m.RecordReturning, r.park, parked)


def _too_early(source: type[P]) -> Rule:
    return rule(source, m.RecordDelivered, r.park, to(m.TrackingParked, source, r.parked))


def _give_up(source: type[U]) -> tuple[Rule, Rule, Rule]:
    dropped = to_any(m.ItemsDropped, r.dropped, Planned, Voided)
    return (
        rule(source, m.DropItems, r.drop, dropped, guards=(r.dropped_there,)),
        rule(source, m.DropCancelledItems, r.drop, dropped, guards=(r.dropped_there,)),
        rule(source, m.VoidShipment, r.void, to(m.ShipmentVoided, Voided, r.voided)),
    )


def _lose(source: type[W]) -> Rule:
    return rule(source, m.DeclareLost, r.declare_lost, to(m.ShipmentLost, Lost, r.lost))


SHIPMENT: Final = Machine(
    "shipment",
    commands=m.ShipmentCommand,
    events=m.ShipmentEvent,
    final=(Delivered, ReturnedToSender, Voided),
    check=check_shipment,
    rules=(
        rule(Absent, m.PlanShipment, r.plan, to(m.ShipmentPlanned, Planned, r.planned)),
        rule(
            Planned, m.PackShipment, r.pack, to_any(m.ItemsShort, r.shortened, Planned, Voided),
            to(m.ShipmentPacked, Packed, r.packed), guards=(r.short_there,),
        ),
        rule(Packed, m.RecordLabel, r.buy_label, to(m.LabelBought, Labelled, r.label_bought), guards=(r.needs_label,)),
        rule(Labelled, m.VoidLabel, r.void_label, to(m.LabelVoided, Packed, r.label_voided)),
        rule(Packed, m.HandOver, r.hand_over, to(m.HandedOver, InTransit, r.handed_over), guards=(r.needs_no_label,)),
        rule(Labelled, m.HandOver, r.hand_over, to(m.HandedOver, InTransit, r.handed_over)),
        *_give_up(Planned),
        *_give_up(Packed),
        *_give_up(Labelled),
        rule(InTransit, m.RecordDelivered, r.deliver, to(m.ShipmentDelivered, Delivered, r.delivered)),
        rule(
            Labelled, m.RecordDelivered, r.deliver_unscanned,
            to(m.DeliveredUnscanned, Delivered, r.delivered_unscanned), to(m.TrackingParked, Labelled, r.parked),
        ),
        rule(InTransit, m.RecordReturning, r.start_return, to(m.ReturnStarted, Returning, r.return_started)),
        rule(Returning, m.ReceiveBack, r.receive_back, to(m.ReceivedBack, ReturnedToSender, r.received_back)),
        _lose(InTransit),
        _lose(Returning),
        rule(
            Lost, m.RecordDelivered, r.find, to(m.ShipmentFound, Delivered, r.found),
            to(m.TrackingRecorded, Lost, r.recorded),
        ),
        rule(
            Lost, m.RecordReturning, r.return_found, to(m.ReturnStarted, Returning, r.return_started),
            to(m.TrackingRecorded, Lost, r.recorded),
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
