"""What an order is told: commands, imperative. What then has happened stands in ``events`` and is given on here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

from attrs import frozen

from orderflow.domain.allocation import Pick
from orderflow.domain.limits import MAX_LINES, MAX_TAGS
from orderflow.domain.order.events import (
    AllocationExpired,
    Billed,
    DraftDiscarded,
    DraftEdited,
    DraftOpened,
    Filled,
    HoldPlaced,
    HoldReleased,
    LossResolved,
    OrderAnnotated,
    OrderCancelled,
    OrderCompleted,
    OrderConfirmed,
    OrderEvent,
    OrderPlaced,
    OrderUnconfirmed,
    PreparationCancelled,
    PrepaymentRecorded,
    SettlementRecorded,
    ShipmentDispatched,
    ShipmentPrepared,
    StockAllocated,
    StockReleased,
    UnitsBilled,
    UnitsCancelled,
    UnitsCredited,
    UnitsDelivered,
    UnitsPickedShort,
    UnitsReturned,
    UnitsUnbilled,
)
from orderflow.domain.order.values import Basket, By, Gate, Hold, HoldReason, Units
from orderflow.domain.shape import Count, FreeText, Id, Length, Minor, Name

__all__ = [
    "AllocateStock",
    "AllocationExpired",
    "AnnotateOrder",
    "BillUnits",
    "Billed",
    "CancelPreparation",
    "CancelUnits",
    "CompleteOrder",
    "ConfirmOrder",
    "DiscardDraft",
    "DispatchShipment",
    "DraftDiscarded",
    "DraftEdited",
    "DraftOpened",
    "EditDraft",
    "ExpireAllocation",
    "FillBackorder",
    "Filled",
    "HoldPlaced",
    "HoldReleased",
    "LossResolved",
    "OpenDraft",
    "OrderAnnotated",
    "OrderCancelled",
    "OrderCommand",
    "OrderCompleted",
    "OrderConfirmed",
    "OrderEvent",
    "OrderPlaced",
    "OrderUnconfirmed",
    "PlaceHold",
    "PlaceOrder",
    "PreparationCancelled",
    "PrepareShipment",
    "PrepaymentRecorded",
    "RecordCredit",
    "RecordDelivery",
    "RecordPrepayment",
    "RecordReturn",
    "RecordSettlement",
    "RecordUnbilling",
    "ReleaseHold",
    "ReleaseStock",
    "ResolveLoss",
    "SettlementRecorded",
    "ShipmentDispatched",
    "ShipmentPrepared",
    "ShortPick",
    "StockAllocated",
    "StockReleased",
    "UnconfirmOrder",
    "UnitsBilled",
    "UnitsCancelled",
    "UnitsCredited",
    "UnitsDelivered",
    "UnitsPickedShort",
    "UnitsReturned",
    "UnitsUnbilled",
]


Picks: TypeAlias = Annotated[tuple[Pick, ...], Length(0, MAX_LINES)]
Loads: TypeAlias = Annotated[tuple[Pick, ...], Length(1, MAX_LINES)]
SomeUnits: TypeAlias = Annotated[tuple[Units, ...], Length(1, MAX_LINES)]


@frozen
class PlaceOrder:
    """Place an order; out of a draft, ``basket`` may be left out."""

    basket: Basket | None = None
    holds: tuple[Hold, ...] = ()


@frozen
class OpenDraft:
    """Begin an order that is not placed yet."""

    basket: Basket


@frozen
class EditDraft:
    """Replace what a draft holds."""

    basket: Basket


@frozen
class DiscardDraft:
    """Throw a draft away."""


@frozen
class ConfirmOrder:
    """Contents, payment, credit and address are checked: accept the order."""


@frozen
class UnconfirmOrder:
    """Step back from confirmed to placed."""


@frozen
class AllocateStock:
    """Allocate open units at locations (``picks``), put others on back-order (``backorder``)."""

    picks: Picks = ()
    backorder: Picks = ()
    until: datetime | None = None


@frozen
class FillBackorder:
    """Allocate units that wait for stock."""

    picks: Picks
    until: datetime | None = None


@frozen
class ReleaseStock:
    """Give allocated units back to the stock; they are open again."""

    picks: Picks


@frozen
class ExpireAllocation:
    """Give back every allocation whose time has run out."""


@frozen
class PrepareShipment:
    """Take allocated units into a shipment."""

    shipment: Id
    loads: Loads


@frozen
class CancelPreparation:
    """Take units out of a shipment; they stay allocated."""

    shipment: Id
    loads: Loads


@frozen
class ShortPick:
    """Units of a shipment were not found; they are open again and their stock is out of use."""

    shipment: Id
    loads: Loads


@frozen
class DispatchShipment:
    """The shipment has left with these units."""

    shipment: Id
    loads: Loads


@frozen
class RecordDelivery:
    """Units of a shipment have arrived, as its carrier says."""

    shipment: Id
    units: SomeUnits


@frozen
class RecordReturn:
    """Units came back to ``location``; ``usable`` ones go on sale again.

    More than went out is refused, unless a shipment has ``brought`` it back: then the goods are there all the same.
    """

    document: Id
    units: SomeUnits
    location: Id
    usable: bool = True
    brought: bool = False


@frozen
class ResolveLoss:
    """Missing units are written off, or owed again (``resupply``)."""

    units: SomeUnits
    resupply: bool = False


@frozen
class CancelUnits:
    """Cancel units that have not left; no ``units`` means all that have not left."""

    reason: FreeText
    by: By
    units: Annotated[tuple[Units, ...], Length(0, MAX_LINES)] = ()


@frozen
class BillUnits:
    """Put all that is billable now on a new invoice; ``shipment`` names the parcel it goes with."""

    invoice: Id
    series: Id
    shipment: Name = ""


@frozen
class RecordCredit:
    """Billed units stand on a credit note."""

    credit_note: Id
    units: SomeUnits


@frozen
class RecordUnbilling:
    """An invoice was voided: its units can be billed again, and nobody waits for its payment."""

    invoice: Id
    units: SomeUnits


@frozen
class RecordSettlement:
    """An invoice of this order is paid or credited in full."""

    invoice: Id


@frozen
class RecordPrepayment:
    """Money of a payment is kept for this order before any invoice; a negative amount was taken off it again."""

    payment: Id
    amount_minor: Minor
    currency: Name


@frozen
class CompleteOrder:
    """Nothing is left to do: close the order."""


@frozen
class PlaceHold:
    """Close a gate."""

    hold: Hold


@frozen
class ReleaseHold:
    """Open a gate again."""

    reason: HoldReason
    gate: Gate
    line: Count = 0


@frozen
class AnnotateOrder:
    """Add and remove tags, and leave an internal note (no personal data: it stays in the journal)."""

    note: FreeText = ""
    add: Annotated[tuple[Name, ...], Length(0, MAX_TAGS)] = ()
    remove: Annotated[tuple[Name, ...], Length(0, MAX_TAGS)] = ()


OrderCommand: TypeAlias = (
    PlaceOrder | OpenDraft | EditDraft | DiscardDraft | ConfirmOrder | UnconfirmOrder | AllocateStock | FillBackorder
    | ReleaseStock | ExpireAllocation | PrepareShipment | CancelPreparation | ShortPick | DispatchShipment
    | RecordDelivery | RecordReturn | ResolveLoss | CancelUnits | BillUnits | RecordCredit | RecordUnbilling
    | RecordSettlement | RecordPrepayment | CompleteOrder | PlaceHold | ReleaseHold | AnnotateOrder
)  # fmt: skip
