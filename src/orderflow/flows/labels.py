"""Labels: bought for packed shipments, and given back."""

from __future__ import annotations

from typing import Any

from orderflow.domain.engine.decide import Flow, Read, ask
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.shipping.labelling import RecordLabel
from orderflow.domain.shipping.state import Packed, ShippingLabel
from orderflow.errors import PortError
from orderflow.flows.asks import BuyLabel, CancelLabel, Commands
from orderflow.ports.carrier import Label, LabelRequest, Parcel
from orderflow.ports.storage import Lease

__all__ = ["buy_label", "void_label"]


def buy_label(lease: Lease) -> Flow[Commands]:
    """Buy the label of a packed shipment.

    If the shipment has moved on, an earlier attempt may still have bought a label: the same key returns that label, and
    it is given back, so that every bought label is used or voided (I30).
    """
    key = lease.message.lane
    shipment = (yield from ask(Read([key])))[key].state
    plan, packing = shipment.plan, getattr(shipment, "packing", None)
    if packing is None or not (lease.maybe_sent or isinstance(shipment, Packed)):
        return ()
    request = LabelRequest(
        shipment=key.id,
        reference=plan.reference,
        tariff_zone=plan.tariff_zone,
        country=plan.country,
        parcels=(Parcel(packing.weight_grams, packing.pieces),),
        service=plan.service or None,
        idempotency_key=lease.message.id,
        collect=plan.collect,
        tenant=key.tenant,
    )
    label = yield from ask(BuyLabel(plan.carrier, request, lease))
    record = RecordLabel(_checked_label(plan.carrier, label))
    if isinstance(shipment, Packed):
        return [(key, record)]
    if record.label.tracking_number != getattr(getattr(shipment, "label", None), "tracking_number", ""):
        yield from ask(CancelLabel(plan.carrier, record.label.tracking_number, lease))
    return ()


def _checked_label(carrier: str, label: Any) -> ShippingLabel:
    """The label, once it is checked: answers from outside are not trusted.

    Raises:
        PortError: the answer is anything else.
    """
    if type(label) is not Label:
        raise PortError(carrier, f"sold a {type(label).__name__}, not a Label")
    minor, currency = getattr(label.price, "minor", None), getattr(label.price, "currency", "")
    sold = ShippingLabel(
        label.carrier, label.service, label.tracking_number, minor, currency, label.data, label.media_type
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
