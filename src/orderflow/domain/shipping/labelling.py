"""A label is bought for a packed shipment, or voided."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.state import Labelled, Packed, ShippingLabel
from orderflow.errors import Refusal

__all__ = [
    "LabelBought",
    "LabelVoided",
    "RecordLabel",
    "VoidLabel",
    "buy_label",
    "label_bought",
    "label_voided",
    "needs_label",
    "void_label",
]


@frozen
class RecordLabel:
    """The carrier has sold this label."""

    label: ShippingLabel


@frozen
class VoidLabel:
    """Give the label back, for example because the address was amended."""


@frozen
class LabelBought:
    """A label was bought."""

    label: ShippingLabel
    at: datetime


@frozen
class LabelVoided:
    """The label was given back and must be voided with the carrier."""

    tracking_number: str


def needs_label(state: Packed, command: RecordLabel, stamp: Stamp) -> Refusal | None:
    """A label is bought only for a carrier that needs one."""
    return None if state.plan.needs_label else refuse("no_label_needed", "this shipment travels without a label")


def buy_label(state: Packed, command: RecordLabel, stamp: Stamp) -> LabelBought:
    """Bought when the carrier says so."""
    return LabelBought(command.label, stamp.moment)


def label_bought(state: Packed, event: LabelBought) -> Labelled:
    """With its label."""
    return Labelled(state.items, state.plan, state.tracking, state.packing, event.label, event.at)


def void_label(state: Labelled, command: VoidLabel, stamp: Stamp) -> LabelVoided:
    """The label that must be voided is named."""
    return LabelVoided(state.label.tracking_number)


def label_voided(state: Labelled, event: LabelVoided) -> Packed:
    """Packed still, without its label."""
    return Packed(state.items, state.plan, state.tracking, state.packing)
