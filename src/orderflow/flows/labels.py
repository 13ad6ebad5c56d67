"""Labels: bought for packed shipments, and given back."""

from __future__ import annotations

from typing import Any

from orderflow.domain.engine.decide import Flow, Read, ask
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.shipping.choosing import CarrierChoice, ChooseCarrier
from orderflow.domain.shipping.labelling import RecordLabel
from orderflow.domain.shipping.state import Packing, ShippingLabel
from orderflow.errors import PortError
from orderflow.flows.asks import BuyLabel, CancelLabel, Commands
from orderflow.flows.choosing import choose_carrier
from orderflow.ports.carrier import Label, LabelRequest, Parcel
from orderflow.ports.storage import Lease

__all__ = ["buy_label", "void_label"]


def buy_label(lease: Lease, choose: CarrierChoice) -> Flow[Commands]:
    """Buy a label that a shipment waits for, and tell it; where no carrier is named, first have one chosen.

    If the shipment waits for it no longer, an earlier attempt may still have bought it: the same key returns that
    label, and the shipment has it voided, so that every bought label is used or voided (I30).
    """
    key, data = lease.message.lane, dict(lease.message.data)
    shipment = (yield from ask(Read([key])))[key].state
    plan, packing = shipment.plan, _packing(shipment)
    waits = packing is not None and packing.wanted == data["wanted"] and getattr(shipment, "label", None) is None
    if packing is None or not (waits or lease.maybe_sent):
        return ()
    request = LabelRequest(
        shipment=key.id,
        reference=plan.reference,
        tariff_zone=data["tariff_zone"],
        country=data["country"],
        parcels=(Parcel(packing.weight_grams, packing.pieces),),
        service=data["service"] or None,
        idempotency_key=lease.message.id,
        collect=plan.collect,
        tenant=key.tenant,
        requested=plan.requested,
        gift=plan.gift,
        value=plan.value,
        ship_to=data["ship_to"],
    )
    if not data["carrier"]:
        # Nothing was bought under this key: the choice is recorded first, so that it stays the same.
        offer = (yield from choose_carrier(request, choose, lease)) if waits else None
        return [(key, ChooseCarrier(data["wanted"], offer.carrier, offer.service))] if offer else ()
    label = yield from ask(BuyLabel(data["carrier"], request, lease))
    return [(key, RecordLabel(_checked_label(data["carrier"], label), data["wanted"]))]


def _packing(shipment: Any) -> Packing | None:
    """What was packed: of a shipment that has left, it is with its carriage."""
    packing: Packing | None = getattr(getattr(shipment, "carriage", shipment), "packing", None)
    return packing


def _checked_label(carrier: str, label: Any) -> ShippingLabel:
    """The label, once it is checked: answers from outside are not trusted.

    Raises:
        PortError: the answer is anything else.
    """
    if type(label) is not Label:
        raise PortError(carrier, f"sold a {type(label).__name__}, not a Label")
    minor, currency = getattr(label.price, "minor", None), getattr(label.price, "currency", "")
    sold = ShippingLabel(
        carrier or label.carrier, label.service, label.tracking_number, minor, currency, label.data, label.media_type
    )
    faults = faults_of(sold)
    if label.price is not None and minor is None:
        raise PortError(carrier, f"sold a label whose price is a {type(label.price).__name__}, not a Money")
    if faults:
        raise PortError(carrier, f"sold a malformed label: {'; '.join(map(str, faults))}")
    return sold


def void_label(lease: Lease) -> Flow[Commands]:
    data = dict(lease.message.data)
    yield from ask(CancelLabel(data["carrier"], data["tracking_number"], lease))
    return ()
