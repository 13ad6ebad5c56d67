"""The shipment's table, and nothing else. Read this first.

What the world tells of a shipment is taken in every state. While it has not been packed, and once it is voided, a
carrier's events are parked, and looked at again when it leaves; of a packed one they say that it has left. A delivery
reported while the shipment is returning is only recorded: carriers report the arrival back at the sender in the same
way.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from orderflow.domain.engine.machine import Absent, Machine, Rule, choice, rule, rules, to
from orderflow.domain.shipping import carriage as c
from orderflow.domain.shipping import choosing as h
from orderflow.domain.shipping import labelling as b
from orderflow.domain.shipping import leaving as v
from orderflow.domain.shipping import planning as p
from orderflow.domain.shipping import rejecting as j
from orderflow.domain.shipping import resolving as w
from orderflow.domain.shipping import returning as r
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

Lines: TypeAlias = tuple[Rule | tuple[Rule, ...], ...]

REDUCED: tuple[type[Planned | Voided], ...] = (Planned, Voided)
UNPACKED: tuple[type[Planned | Voided], ...] = (Planned, Voided)
PACKED: tuple[type[Packed | Labelled], ...] = (Packed, Labelled)
UNSENT: tuple[type[Unsent], ...] = (Planned, *PACKED)
TRAVELLING: tuple[type[InTransit | Returning], ...] = (InTransit, Returning)
ENDED: tuple[type[Left], ...] = (Delivered, Returning, ReturnedToSender)
TURNED: tuple[type[Left], ...] = (Returning, ReturnedToSender)
LEFT: tuple[type[Left], ...] = (InTransit, Lost, *ENDED)
ALL: tuple[type[Unsent | Left | Voided], ...] = (*UNSENT, *LEFT, Voided)

DROP = (p.enough_in_shipment,)

PLAN: Lines = (
    rule(Absent, p.PlanShipment, p.ShipmentPlanned, Planned, p.planned),
    rule(Planned, p.PackShipment, p.ShipmentPacked, Packed, p.packed, decide=p.pack),
    rule(Planned, p.RecordShortPick, p.ShortPickRecorded, REDUCED, p.taken_out, guards=DROP),
    rule(Planned, p.DropItems, p.ItemsDropped, REDUCED, p.taken_out, guards=DROP, decide=p.drop),
    rule(Packed, p.DropItems, p.ItemsDropped, (Packed, Voided), p.taken_out, guards=DROP, decide=p.drop),
    rule(Labelled, p.DropItems, p.ItemsDropped, (Labelled, Voided), p.taken_out, guards=DROP, decide=p.drop),
    rule(Planned, p.DropCancelledItems, p.ItemsDropped, REDUCED, p.taken_out, guards=DROP, decide=p.drop),
    rules(UNSENT, p.VoidShipment, p.ShipmentVoided, Voided, p.voided, decide=p.void),
)

OVER: Lines = (
    rule(Planned, p.RecordOverPick, p.OverPickRecorded, Planned, p.over_picked),
    rule(Planned, p.AddItems, p.ItemsAdded, Planned, p.items_added),
)

LABEL: Lines = (
    rule(Planned, b.ChangeCarrier, b.CarrierChanged, Planned, b.planned_anew, decide=b.change_carrier),
    rules(PACKED, b.ChangeCarrier, b.CarrierChanged, Packed, b.unlabelled, decide=b.change_carrier),
    rule(Planned, b.Readdress, b.ShipmentReaddressed, Planned, b.planned_anew, decide=b.readdress),
    rules(PACKED, b.Readdress, b.ShipmentReaddressed, Packed, b.unlabelled, decide=b.readdress),
    rule(
        Packed, b.RequestLabel, b.LabelRequested, Packed, b.label_requested,
        guards=(b.needs_label,), decide=b.request_label,
    ),
    rule(Packed, h.ChooseCarrier, h.CarrierChosen, Packed, h.carrier_chosen, guards=(h.still_waits,)),
    rules(LEFT, h.ChooseCarrier, h.CarrierChosen, None, h.carrier_chosen, guards=(h.still_waits,)),
    rule(Labelled, b.VoidLabel, b.LabelVoided, Packed, b.label_voided, decide=b.void_label),
    choice(
        Packed, b.RecordLabel, b.take_label,
        to(b.LabelBought, Labelled, b.label_bought), to(b.SpareLabelRecorded, Packed, b.spare_recorded),
    ),
    *[
        choice(
            state, b.RecordLabel, b.attach_label,
            to(b.LabelBought, state, b.label_attached), to(b.SpareLabelRecorded, state, b.spare_recorded),
        )
        for state in LEFT
    ],
    rule(Labelled, b.RecordLabel, b.SpareLabelRecorded, Labelled, b.spare_recorded, decide=b.keep_label),
    rules(UNPACKED, b.RecordLabel, b.SpareLabelRecorded, None, b.spare_recorded, decide=b.leave_label),
)  # fmt: skip

LEAVE: Lines = (
    rule(Packed, v.HandOver, v.HandedOver, InTransit, v.handed_over, guards=(v.needs_no_label,)),
    rule(Labelled, v.HandOver, v.HandedOver, InTransit, v.handed_over),
    rule(Voided, v.RecordDispatch, v.DispatchRecorded, InTransit, v.dispatch_recorded),
    rule(InTransit, v.RecordAnswer, v.AnswerRecorded, InTransit, v.answer_recorded, guards=(v.was_asked,)),
    rules(LEFT, v.RecordOrderDate, v.OrderDateRecorded, None, v.order_date_recorded),
)  # fmt: skip

STAY: Lines = (
    rules(UNSENT, v.RecordLeftBehind, v.LeftBehindNoted, None, v.stayed_unsent),
    rule(Voided, v.RecordLeftBehind, v.LeftBehindNoted, Voided, v.stayed_voided),
    *[
        rule(
            state, v.RecordLeftBehind, v.LeftBehindRecorded, (state, ReturnedToSender, Voided), v.left_behind,
            decide=v.leave_behind,
        )
        for state in (InTransit, Lost)
    ],
    rule(
        Returning, v.RecordLeftBehind, v.LeftBehindRecorded, (Returning, ReturnedToSender, Lost, Voided),
        v.returning_less, decide=v.leave_behind,
    ),
    rule(
        Delivered, v.RecordLeftBehind, v.LeftBehindRecorded, (Delivered, ReturnedToSender), v.delivered_less,
        decide=v.leave_behind,
    ),
    rule(
        ReturnedToSender, v.RecordLeftBehind, v.LeftBehindRecorded, ReturnedToSender, v.stayed, decide=v.leave_behind
    ),
)  # fmt: skip

BACK: tuple[type[r.AnyBack], ...] = (r.ReceiveBack, r.ReceiveReturned)
TOLD: tuple[type[c.Told], ...] = (c.RecordTracking, c.RecordDelivered, c.RecordReturning, c.RecordLost)

PARK: Lines = (
    *[rule(Planned, told, c.TrackingParked, Planned, c.parked, decide=c.park) for told in TOLD],
    choice(
        Voided, c.RecordTracking, c.park_or_note,
        to(c.TrackingParked, Voided, c.parked_voided), to(c.TrackingRecorded, Voided, c.recorded),
    ),
    *[rule(Voided, told, c.TrackingParked, Voided, c.parked_voided, decide=c.park) for told in TOLD[1:]],
)  # fmt: skip

#: Of a packed shipment they say that it has left.
GONE: Lines = (
    *[
        choice(
            state, c.RecordTracking, c.leave_or_note,
            to(v.ShipmentLeft, InTransit, v.left),
            to(c.TrackingParked, state, c.parked),
            to(c.TrackingRecorded, state, c.recorded),
        )
        for state in PACKED
    ],
    *[
        choice(state, told, c.leave, to(v.ShipmentLeft, InTransit, v.left), to(c.TrackingParked, state, c.parked))
        for state in PACKED
        for told in TOLD[1:]
    ],
    *[rules(PACKED, told, v.ShipmentLeft, InTransit, v.left, decide=r.leave_and_come_back) for told in BACK],
)  # fmt: skip

ARRIVE: Lines = (
    rules(LEFT, c.RecordTracking, c.TrackingRecorded, None, c.recorded, decide=c.record),
    rule(InTransit, c.RecordDelivered, c.ShipmentDelivered, Delivered, c.delivered, decide=c.deliver),
    choice(
        Lost, c.RecordDelivered, c.find,
        to(c.ShipmentDelivered, Delivered, c.delivered), to(c.TrackingRecorded, Lost, c.recorded),
    ),
    rules(ENDED, c.RecordDelivered, c.TrackingRecorded, None, c.recorded, decide=c.record),
)  # fmt: skip

TURN: Lines = (
    rule(InTransit, c.RecordReturning, c.ReturnStarted, Returning, c.return_started, decide=c.start_return),
    choice(
        Lost, c.RecordReturning, c.find_returning,
        to(c.ReturnStarted, Returning, c.return_started), to(c.TrackingRecorded, Lost, c.recorded),
    ),
    choice(
        Delivered, c.RecordReturning, c.expect_return,
        to(c.ReturnExpected, Delivered, c.return_expected), to(c.TrackingRecorded, Delivered, c.recorded),
    ),
    rules(TURNED, c.RecordReturning, c.TrackingRecorded, None, c.recorded, decide=c.record),
    rule(Delivered, w.ClearExpected, w.ExpectationCleared, Delivered, w.expectation_cleared, guards=(w.expects_units,)),
)  # fmt: skip

COME_BACK: Lines = (
    *[
        rule(state, told, r.ReceivedBack, (state, ReturnedToSender), r.received_back, decide=r.receive_back)
        for state in (InTransit, Delivered, Lost)
        for told in BACK
    ],
    *[
        rule(
            Returning, told, r.ReceivedBack, (Returning, ReturnedToSender, Lost), r.returning_received,
            decide=r.receive_back,
        )
        for told in BACK
    ],
    *[
        rule(ReturnedToSender, told, r.ReceivedBack, ReturnedToSender, r.received_again, decide=r.receive_back)
        for told in BACK
    ],
    *[rules(UNPACKED, told, r.ReportedUnsent, None, r.reported_unsent, decide=r.report_unsent) for told in BACK],
    rules(
        (InTransit, Returning, Delivered, Lost),
        j.SendBack, j.UnitsSentBack, None, j.sent_back, guards=(j.enough_back,), decide=j.send_back,
    ),
    rule(
        ReturnedToSender, j.SendBack, j.UnitsSentBack, Delivered, j.delivered_again,
        guards=(j.enough_back,), decide=j.send_back,
    ),
)  # fmt: skip

LOSE: Lines = (
    rules(TRAVELLING, c.RecordLost, c.ShipmentLost, Lost, c.lost, decide=c.lose),
    rules(TRAVELLING, w.DeclareLost, c.ShipmentLost, Lost, c.lost, decide=w.declare_lost),
    rule(Delivered, c.RecordLost, c.LossClaimed, Delivered, c.claimed, decide=c.claim),
    rules((ReturnedToSender, Lost), c.RecordLost, c.TrackingRecorded, None, c.recorded, decide=c.record),
    rule(Lost, w.WriteOffParcel, w.ParcelWrittenOff, Lost, w.resolved, guards=(w.enough_missing,), decide=w.write_off),
    rule(Lost, w.ResupplyParcel, w.ParcelResupplied, Lost, w.resolved, guards=(w.enough_missing,), decide=w.resupply),
)

CLOSE: Final = rules(ALL, w.CloseShipmentTask, w.ShipmentTaskClosed, None, w.task_closed, guards=(w.has_task,))

SHIPMENT: Final = Machine(
    "shipment",
    rules=(*PLAN, *OVER, *LABEL, *LEAVE, *STAY, *PARK, *GONE, *ARRIVE, *TURN, *COME_BACK, *LOSE, CLOSE),
    final=(Delivered, ReturnedToSender),
    check=check_shipment,
)
