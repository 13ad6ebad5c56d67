"""The shipment's table, and nothing else. Read this first.

Once the shipment has left, a carrier's events are recorded; before that, and once it is voided, they are parked. A
delivery reported while the shipment is returning is only recorded: carriers report the arrival back at the sender in
the same way.
"""

from __future__ import annotations

from typing import Final

from orderflow.domain.engine.machine import Absent, Machine, choice, rule, rules, to
from orderflow.domain.shipping import carriage as c
from orderflow.domain.shipping import labelling
from orderflow.domain.shipping import planning as p
from orderflow.domain.shipping.state import (
    Delivered,
    InTransit,
    Labelled,
    Left,
    Lost,
    Packed,
    Planned,
    ReturnedToSender,
    Returning,
    Unsent,
    Voided,
    check_shipment,
)

UNSENT: tuple[type[Unsent], ...] = (Planned, Packed, Labelled)
REDUCED: tuple[type[Planned | Voided], ...] = (Planned, Voided)
NOT_SENT: tuple[type[Unsent | Voided], ...] = (*UNSENT, Voided)
UNREADY: tuple[type[Planned | Packed | Voided], ...] = (Planned, Packed, Voided)
TRAVELLING: tuple[type[Left], ...] = (InTransit, Returning)
ENDED: tuple[type[Left], ...] = (Delivered, Returning, ReturnedToSender)
LEFT: tuple[type[Left], ...] = (InTransit, Lost, *ENDED)

DROP = (p.enough_in_shipment,)

PLAN: Final = (
    rule(Absent, p.PlanShipment, p.ShipmentPlanned, Planned, p.planned),
    rule(Planned, p.PackShipment, p.ShipmentPacked, Packed, p.packed),
    rule(Planned, p.RecordShortPick, p.ShortPickRecorded, REDUCED, p.taken_out_short, guards=DROP),
    rules(UNSENT, p.DropItems, p.ItemsDropped, REDUCED, p.dropped, guards=DROP, decide=p.drop),
    rules(UNSENT, p.DropCancelledItems, p.ItemsDropped, REDUCED, p.dropped, guards=DROP, decide=p.drop),
    rules(UNSENT, p.VoidShipment, p.ShipmentVoided, Voided, p.voided, decide=p.void),
)

LABEL: Final = (
    rule(
        Packed,
        labelling.RecordLabel,
        labelling.LabelBought,
        Labelled,
        labelling.label_bought,
        guards=(labelling.needs_label,),
    ),
    rule(
        Labelled,
        labelling.VoidLabel,
        labelling.LabelVoided,
        Packed,
        labelling.label_voided,
        decide=labelling.void_label,
    ),
)

LEAVE: Final = (
    rule(Packed, c.HandOver, c.HandedOver, InTransit, c.handed_over, guards=(c.needs_no_label,)),
    rule(Labelled, c.HandOver, c.HandedOver, InTransit, c.handed_over),
)

ARRIVE: Final = (
    rule(InTransit, c.RecordDelivered, c.ShipmentDelivered, Delivered, c.delivered, decide=c.deliver),
    choice(
        Labelled, c.RecordDelivered, c.deliver_unscanned,
        to(c.DeliveredUnscanned, Delivered, c.delivered_unscanned), to(c.TrackingParked, Labelled, c.parked),
    ),
    choice(
        Lost, c.RecordDelivered, c.find,
        to(c.ShipmentFound, Delivered, c.found), to(c.TrackingRecorded, Lost, c.recorded),
    ),
)  # fmt: skip

COME_BACK: Final = (
    rule(InTransit, c.RecordReturning, c.ReturnStarted, Returning, c.return_started, decide=c.start_return),
    choice(
        Lost, c.RecordReturning, c.find_returning,
        to(c.ReturnStarted, Returning, c.return_started), to(c.TrackingRecorded, Lost, c.recorded),
    ),
    rule(Returning, c.ReceiveBack, c.ReceivedBack, ReturnedToSender, c.received_back),
    rules(TRAVELLING, c.DeclareLost, c.ShipmentLost, Lost, c.lost),
)  # fmt: skip

NOTED: Final = (
    rules(LEFT, c.RecordTracking, c.TrackingRecorded, None, c.recorded, decide=c.record),
    rules(ENDED, c.RecordDelivered, c.TrackingRecorded, None, c.recorded, decide=c.record),
    rules(ENDED, c.RecordReturning, c.TrackingRecorded, None, c.recorded, decide=c.record),
    rules(NOT_SENT, c.RecordTracking, c.TrackingParked, None, c.parked, decide=c.park),
    rules(NOT_SENT, c.RecordReturning, c.TrackingParked, None, c.parked, decide=c.park),
    rules(UNREADY, c.RecordDelivered, c.TrackingParked, None, c.parked, decide=c.park),
)

SHIPMENT: Final = Machine(
    "shipment",
    rules=(*PLAN, *LABEL, *LEAVE, *ARRIVE, *COME_BACK, *NOTED),
    final=(Delivered, ReturnedToSender, Voided),
    check=check_shipment,
)
