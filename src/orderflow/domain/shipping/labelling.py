"""Labels: bought by the relay, given back by a person."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.state import HasLabel, Labelled, Packed, ShippingLabel
from orderflow.errors import Refusal


@frozen(eq=False, repr=False)
class RecordLabel(Command):
    """Note that the carrier has sold this label."""

    label: ShippingLabel


@frozen(eq=False, repr=False)
class LabelBought(Event):
    """A label was bought."""

    label: ShippingLabel
    at: datetime


def needs_label(state: Packed, command: RecordLabel, stamp: Stamp) -> Refusal | None:
    """A label is bought only for a carrier that needs one."""
    return None if state.plan.needs_label else refuse("no_label_needed", "this shipment travels without a label")


def label_bought(state: Packed, event: LabelBought) -> Labelled:
    return Labelled(state.items, state.plan, state.tracking, state.packing, event.label, event.at)


@frozen(eq=False, repr=False)
class VoidLabel(Command):
    """Give the label back, for example because the address has changed."""


@frozen(eq=False, repr=False)
class LabelVoided(Event):
    """The label was given back and must be voided with the carrier."""

    tracking_number: str


def void_label(state: HasLabel, command: VoidLabel, stamp: Stamp) -> LabelVoided:
    return LabelVoided(state.label.tracking_number)


def label_voided(state: HasLabel, event: LabelVoided) -> Packed:
    return Packed(state.items, state.plan, state.tracking, state.packing)
