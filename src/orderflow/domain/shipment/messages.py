"""What a shipment is told (commands, imperative) and what then has happened (events, past)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import Enum
from typing import Annotated, NamedTuple, TypeAlias

from attrs import frozen

from orderflow.domain.keys import PartyRef
from orderflow.domain.limits import MAX_LINES, MAX_MONEY_MINOR
from orderflow.domain.shape import Between, Count, Id, Length, Name, Quantity, Text
from orderflow.errors import Fault

__all__ = [
    "MAX_LABEL_DATA",
    "DeclareLost",
    "DeliveredUnscanned",
    "DropCancelledItems",
    "DropItems",
    "HandOver",
    "HandedOver",
    "Item",
    "Items",
    "ItemsDropped",
    "ItemsShort",
    "LabelBought",
    "LabelVoided",
    "PackShipment",
    "Plan",
    "PlanShipment",
    "ReceiveBack",
    "ReceivedBack",
    "RecordDelivered",
    "RecordLabel",
    "RecordReturning",
    "RecordTracking",
    "ReturnReason",
    "ReturnStarted",
    "Scan",
    "ShipmentCommand",
    "ShipmentDelivered",
    "ShipmentEvent",
    "ShipmentFound",
    "ShipmentLost",
    "ShipmentPacked",
    "ShipmentPlanned",
    "ShipmentVoided",
    "ShippingLabel",
    "TrackingParked",
    "TrackingRecorded",
    "TrackingStatus",
    "VoidLabel",
    "VoidShipment",
]

MAX_LABEL_DATA = 20_000
"""Characters of a label's print data."""


class TrackingStatus(Enum):
    """What a carrier tells on the way that moves nothing."""

    OUT_FOR_DELIVERY = "out_for_delivery"
    EXCEPTION = "exception"
    IN_TRANSIT = "in_transit"
    INFO = "info"


class ReturnReason(Enum):
    """Why a parcel turns round."""

    REFUSED = "refused"
    UNDELIVERABLE = "undeliverable"
    RECALLED = "recalled"


class Item(NamedTuple):
    """Units of one order line, taken from one location."""

    order: Id
    line: Quantity
    location: Id
    quantity: Quantity


Items: TypeAlias = Annotated[tuple[Item, ...], Length(1, MAX_LINES)]


@frozen
class Plan:
    """How a shipment is to travel; it never changes. ``zone`` and ``country`` are what a carrier's tariff asks for."""

    carrier: Name = ""
    service: Name = ""
    zone: Name = ""
    country: Name = ""
    ship_to: PartyRef | None = None
    needs_label: bool = True
    reference: Name = ""


@frozen
class ShippingLabel:
    """A bought label (送り状). ``data`` is print data of ``media_type`` and must hold no personal data.

    ``price_minor`` is in minor units of ``currency``; None where the carrier does not tell it.
    """

    carrier: Name
    service: Name
    tracking_number: Id
    price_minor: Annotated[int, Between(0, MAX_MONEY_MINOR)] | None = None
    currency: Name = ""
    data: Annotated[str, Text(MAX_LABEL_DATA, lines=True)] = ""
    media_type: Name = ""

    def faults(self) -> Iterator[Fault]:
        """A price has a currency."""
        if self.price_minor is not None and not self.currency:
            yield Fault("currency", "blank", "must be given with the price")


class Scan(NamedTuple):
    """One event as the carrier told it.

    ``status`` is the value of a :class:`TrackingStatus` or :class:`ReturnReason`, or ``delivered``.
    """

    event_id: str
    status: str
    detail: str
    at: datetime


def _repeated(items: Iterable[Item], path: str) -> Iterator[Fault]:
    seen: set[tuple[str, int, str]] = set()
    for index, item in enumerate(items):
        place = item[:3]
        if place in seen:
            yield Fault(f"{path}[{index}]", "repeated", "names an order line and location a second time")
        seen.add(place)


@frozen
class PlanShipment:
    """Plan a shipment. An order line stands in it once for each location."""

    items: Items
    plan: Plan = Plan()

    def faults(self) -> Iterator[Fault]:
        """Faults between fields: no order line and location stands twice."""
        return _repeated(self.items, "items")


@frozen
class PackShipment:
    """The goods are picked and packed: their weight in grams (0: not weighed) and the number of pieces.

    With ``short`` the units named there were not found; the shipment then goes back to planned without them, and
    is packed once more.
    """

    weight_grams: Count
    pieces: Quantity
    short: Annotated[tuple[Item, ...], Length(0, MAX_LINES)] = ()

    def faults(self) -> Iterator[Fault]:
        """Faults between fields: no order line and location stands twice."""
        return _repeated(self.short, "short")


@frozen
class RecordLabel:
    """The carrier has sold this label."""

    label: ShippingLabel


@frozen
class DropItems:
    """Take units out; they stay allocated."""

    items: Items

    def faults(self) -> Iterator[Fault]:
        """Faults between fields: no order line and location stands twice."""
        return _repeated(self.items, "items")


@frozen
class DropCancelledItems(DropItems):
    """Take units out that their orders have cancelled."""


@frozen
class VoidLabel:
    """Give the label back, for example because the address was amended."""


@frozen
class HandOver:
    """The carrier has taken the shipment."""


@frozen
class RecordTracking:
    """The carrier tells where the shipment is. ``detail`` must hold no personal data: it stays in the journal."""

    event_id: Id
    status: TrackingStatus
    detail: Name = ""


@frozen
class RecordDelivered:
    """The carrier tells that the shipment has arrived (配達完了)."""

    event_id: Id


@frozen
class RecordReturning:
    """The carrier tells that the shipment is on its way back."""

    event_id: Id
    why: ReturnReason


@frozen
class ReceiveBack:
    """The returned shipment is at ``location``; ``usable`` goods may be sold again."""

    location: Id
    usable: bool = True


@frozen
class DeclareLost:
    """Nobody knows where the shipment is."""


@frozen
class VoidShipment:
    """Give up a shipment that has not left."""


@frozen
class ShipmentPlanned:
    """A shipment was planned."""

    items: tuple[Item, ...]
    plan: Plan


@frozen
class ShipmentPacked:
    """The goods were packed."""

    weight_grams: int
    pieces: int


@frozen
class ItemsShort:
    """Units were not found and are out of the shipment."""

    items: tuple[Item, ...]
    at: datetime


@frozen
class LabelBought:
    """A label was bought."""

    label: ShippingLabel
    at: datetime


@frozen
class ItemsDropped:
    """Units were taken out. ``tracking_number`` names a label that must now be voided, empty if there is none."""

    items: tuple[Item, ...]
    cancelled: bool
    tracking_number: str
    at: datetime


@frozen
class LabelVoided:
    """The label was given back and must be voided with the carrier."""

    tracking_number: str


@frozen
class HandedOver:
    """The shipment has left with these units."""

    at: datetime


@frozen
class TrackingRecorded:
    """A carrier's event was noted and moves nothing; a ``duplicate`` is not noted a second time."""

    scan: Scan
    duplicate: bool


@frozen
class TrackingParked:
    """A carrier's event came before the shipment has left, or after it was voided: somebody must look at it."""

    scan: Scan


@frozen
class ShipmentDelivered:
    """The shipment has arrived."""

    scan: Scan


@frozen
class DeliveredUnscanned:
    """The shipment has arrived though nobody recorded that it left: this implies its dispatch."""

    scan: Scan


@frozen
class ShipmentFound:
    """A lost shipment has arrived after all."""

    scan: Scan


@frozen
class ReturnStarted:
    """The shipment is on its way back."""

    why: ReturnReason
    scan: Scan


@frozen
class ReceivedBack:
    """The units came back to ``location``."""

    location: str
    usable: bool
    at: datetime


@frozen
class ShipmentLost:
    """The shipment is missing; its units stay shipped until their orders write them off or supply them again."""

    at: datetime


@frozen
class ShipmentVoided:
    """The shipment was given up. ``tracking_number`` names a label that must now be voided, empty if there is none."""

    items: tuple[Item, ...]
    tracking_number: str
    at: datetime


ShipmentCommand: TypeAlias = (
    PlanShipment | PackShipment | RecordLabel | DropItems | DropCancelledItems | VoidLabel | HandOver | RecordTracking
    | RecordDelivered | RecordReturning | ReceiveBack | DeclareLost | VoidShipment
)  # fmt: skip
ShipmentEvent: TypeAlias = (
    ShipmentPlanned | ShipmentPacked | ItemsShort | LabelBought | ItemsDropped | LabelVoided | HandedOver
    | TrackingRecorded | TrackingParked | ShipmentDelivered | DeliveredUnscanned | ShipmentFound | ReturnStarted
    | ReceivedBack | ShipmentLost | ShipmentVoided
)  # fmt: skip
