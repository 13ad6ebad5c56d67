"""Labels: wanted for packed shipments, bought by the relay, given back.

A shipment knows which purchase it waits for. What a carrier has sold is a fact: a label that nothing waits for is
noted, and voided with the carrier. So each label that was bought is on a shipment that left, or is given back.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Name
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Fields, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.state import (
    HasGoods,
    HasLabel,
    Labelled,
    Left,
    Packed,
    Plan,
    Planned,
    ShippingLabel,
    Unsent,
    Voided,
)
from orderflow.domain.values import PartyRef
from orderflow.errors import Refusal

L = TypeVar("L", bound=Left)
S = TypeVar("S", bound="Unsent | Left | Voided")

# -- wanted


class RequestLabel(Command):
    """Have a label bought for a packed shipment that has none; another purchase is no longer waited for."""


class LabelRequested(Event):
    """A label is to be bought."""

    wanted: str


def needs_label(state: Packed, command: RequestLabel, stamp: Stamp) -> Refusal | None:
    """A label is bought only for a carrier that needs one."""
    return None if state.plan.needs_label else refuse("no_label_needed", "this shipment travels without a label")


def request_label(state: Packed, command: RequestLabel, stamp: Stamp) -> LabelRequested:
    """A purchase is known by the command that asked for it."""
    return LabelRequested(stamp.command_id)


def label_requested(state: Packed, event: LabelRequested) -> Packed:
    return evolve(state, packing=state.packing.wanting(event.wanted))


class ChangeCarrier(Command):
    """Send a shipment with another carrier or service; a label that was bought is given back, and a new one bought."""

    carrier: Name
    service: Name = ""
    needs_label: bool = True


class CarrierChanged(Event):
    """The carrier or service is another. ``tracking_number`` names a label that must now be voided."""

    carrier: str
    service: str
    needs_label: bool
    wanted: str
    tracking_number: str


def change_carrier(state: Unsent, command: ChangeCarrier, stamp: Stamp) -> CarrierChanged:
    wanted = _wanted(state, stamp, needs_label=command.needs_label)
    return CarrierChanged(command.carrier, command.service, command.needs_label, wanted, tracking_number_of(state))


def _wanted(state: Unsent, stamp: Stamp, *, needs_label: bool) -> str:
    """A label is wanted once the goods are packed."""
    return stamp.command_id if needs_label and not isinstance(state, Planned) else ""


def tracking_number_of(state: HasGoods) -> str:
    """The number of the label that a shipment has; empty without one."""
    label: ShippingLabel | None = getattr(state, "label", None)
    return label.tracking_number if label else ""


class Readdress(Internal):
    """Send a shipment elsewhere, where all that is in it is to go now."""

    ship_to: PartyRef | None
    country: Name


class ShipmentReaddressed(Event):
    """The shipment goes elsewhere. ``tracking_number`` names a label that must now be voided."""

    ship_to: PartyRef | None
    country: str
    wanted: str
    tracking_number: str


def readdress(state: Unsent, command: Readdress, stamp: Stamp) -> ShipmentReaddressed:
    wanted = _wanted(state, stamp, needs_label=state.plan.needs_label)
    return ShipmentReaddressed(command.ship_to, command.country, wanted, tracking_number_of(state))


def planned_anew(state: Planned, event: CarrierChanged | ShipmentReaddressed) -> Planned:
    return evolve(state, plan=_plan(state, event))


def unlabelled(state: Packed | Labelled, event: CarrierChanged | ShipmentReaddressed) -> Packed:
    return Packed(state.items, _plan(state, event), state.tracking, state.packing.wanting(event.wanted))


def _plan(state: Unsent, event: CarrierChanged | ShipmentReaddressed) -> Plan:
    if isinstance(event, CarrierChanged):
        return evolve(state.plan, carrier=event.carrier, service=event.service, needs_label=event.needs_label)
    # The zone was that of the old address; the carrier finds the new one by the country.
    return evolve(state.plan, ship_to=event.ship_to, country=event.country, tariff_zone="")


# -- bought


class _Bought(Fields):
    """A label, and the purchase that brought it; none if somebody has bought it by hand."""

    label: ShippingLabel
    wanted: Name = ""


class RecordLabel(_Bought, Command):
    """Note that a carrier has sold this label. It is a fact, whether anything waits for it or not."""


class LabelBought(Event):
    """A label was bought, and is on the shipment."""

    label: ShippingLabel
    at: datetime


class SpareLabelRecorded(Event):
    """A label was bought that nothing waits for. It must be voided, unless no ``tracking_number`` names it.

    That is so where it is the one which the shipment has.
    """

    label: ShippingLabel
    tracking_number: str


def take_label(state: Packed, command: RecordLabel, stamp: Stamp) -> LabelBought | SpareLabelRecorded:
    """The label that is waited for, or one that was bought by hand."""
    if state.plan.needs_label and command.wanted in ("", state.packing.wanted):
        return LabelBought(command.label, stamp.moment)
    return SpareLabelRecorded(command.label, command.label.tracking_number)


def attach_label(state: Left, command: RecordLabel, stamp: Stamp) -> LabelBought | SpareLabelRecorded:
    """The answer may come after the shipment has left."""
    carriage = state.carriage
    if carriage.label is None and command.wanted and command.wanted == carriage.packing.wanted:
        return LabelBought(command.label, stamp.moment)
    return _spare(carriage.label, command.label)


def keep_label(state: Labelled, command: RecordLabel, stamp: Stamp) -> SpareLabelRecorded:
    return _spare(state.label, command.label)


def leave_label(state: Planned | Voided, command: RecordLabel, stamp: Stamp) -> SpareLabelRecorded:
    return SpareLabelRecorded(command.label, command.label.tracking_number)


def _spare(own: ShippingLabel | None, label: ShippingLabel) -> SpareLabelRecorded:
    """The shipment's own label may be told of again."""
    same = own is not None and (own.carrier, own.tracking_number) == (label.carrier, label.tracking_number)
    return SpareLabelRecorded(label, "" if same else label.tracking_number)


def label_bought(state: Packed, event: LabelBought) -> Labelled:
    packing = state.packing.wanting("")
    return Labelled(state.items, state.plan, state.tracking, packing, event.label, event.at)


def label_attached(state: L, event: LabelBought) -> L:
    carriage = state.carriage
    attached: L = evolve(state, carriage=carriage._replace(label=event.label, packing=carriage.packing.wanting("")))
    return attached


def spare_recorded(state: S, event: SpareLabelRecorded) -> S:
    return state


# -- given back


class VoidLabel(Command):
    """Give the label back. Another is bought when somebody asks for it."""


class LabelVoided(Event):
    """The label was given back and must be voided with the carrier."""

    tracking_number: str


def void_label(state: HasLabel, command: VoidLabel, stamp: Stamp) -> LabelVoided:
    return LabelVoided(state.label.tracking_number)


def label_voided(state: HasLabel, event: LabelVoided) -> Packed:
    return Packed(state.items, state.plan, state.tracking, state.packing.wanting(""))
