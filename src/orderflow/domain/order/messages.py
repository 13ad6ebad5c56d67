"""What an order is told (commands, imperative) and what then has happened (events, past)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NamedTuple, TypeAlias

from attrs import frozen

from orderflow.domain.allocation import Pick
from orderflow.domain.limits import MAX_LINES, MAX_TAGS
from orderflow.domain.order.lines import Slice
from orderflow.domain.order.values import Basket, By, Gate, Hold, HoldReason, Units
from orderflow.domain.shape import Count, FreeText, Id, Length, Name, Quantity
from orderflow.domain.tax import Totals

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
    "Filled",
    "FillBackorder",
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
    "PrepareShipment",
    "PreparationCancelled",
    "RecordCredit",
    "RecordDelivery",
    "RecordReturn",
    "RecordSettlement",
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
]


class Filled(NamedTuple):
    """Units that waited at one location and are allocated at another (or the same)."""

    line: int
    waited_at: str
    location: str
    quantity: int


class Billed(NamedTuple):
    """Units of a line on an invoice and their amount, cumulatively rounded, in minor units."""

    line: int
    quantity: int
    net_minor: int
    shipment: str = ""


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
    """Units of a shipment have arrived."""

    shipment: Id
    units: SomeUnits


@frozen
class RecordReturn:
    """Units came back to ``location``; ``usable`` ones go on sale again."""

    document: Id
    units: SomeUnits
    location: Id
    usable: bool = True


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
class RecordSettlement:
    """An invoice of this order is paid or credited in full."""

    invoice: Id


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


@frozen
class DraftOpened:
    """A draft was begun."""

    basket: Basket


@frozen
class DraftEdited:
    """A draft holds something else."""

    basket: Basket


@frozen
class DraftDiscarded:
    """A draft was thrown away."""

    at: datetime


@frozen
class OrderPlaced:
    """The order was received, with totals recomputed."""

    basket: Basket
    totals: Totals
    holds: tuple[Hold, ...]
    at: datetime


@frozen
class OrderConfirmed:
    """The order was accepted."""

    at: datetime


@frozen
class OrderUnconfirmed:
    """The order is merely placed again; ``relieved_minor`` of credit exposure is set free."""

    relieved_minor: int


@frozen
class StockAllocated:
    """Open units were allocated or put on back-order, waiting ones were ``filled``."""

    picks: tuple[Pick, ...]
    backordered: tuple[Pick, ...]
    filled: tuple[Filled, ...]
    until: datetime | None = None


@frozen
class StockReleased:
    """Allocated units are open again."""

    picks: tuple[Pick, ...]


@frozen
class AllocationExpired:
    """Allocations ran out and were given back."""

    picks: tuple[Pick, ...]


@frozen
class ShipmentPrepared:
    """Units are being prepared in a shipment."""

    shipment: str
    loads: tuple[Pick, ...]


@frozen
class PreparationCancelled:
    """Units came out of a shipment and stay allocated."""

    shipment: str
    loads: tuple[Pick, ...]


@frozen
class UnitsPickedShort:
    """Units of a shipment were not found."""

    shipment: str
    loads: tuple[Pick, ...]


@frozen
class ShipmentDispatched:
    """Units have left."""

    shipment: str
    loads: tuple[Pick, ...]


@frozen
class UnitsDelivered:
    """Units have arrived."""

    shipment: str
    units: tuple[Units, ...]


@frozen
class UnitsReturned:
    """Units came back."""

    document: str
    units: tuple[Units, ...]
    location: str
    usable: bool


@frozen
class LossResolved:
    """Missing units were written off or are owed again."""

    units: tuple[Units, ...]
    resupply: bool


@frozen
class UnitsCancelled:
    """Units were cancelled out of the buckets named in ``slices``."""

    reason: str
    by: By
    slices: tuple[Slice, ...]


@frozen
class OrderCancelled:
    """The last live units were cancelled, and with them the order."""

    reason: str
    by: By
    slices: tuple[Slice, ...]
    relieved_minor: int
    at: datetime


@frozen
class UnitsBilled:
    """Units went onto an invoice; ``relieved_minor`` of credit exposure moved there with them."""

    invoice: str
    series: str
    lines: tuple[Billed, ...]
    relieved_minor: int


@frozen
class UnitsCredited:
    """Billed units went onto a credit note."""

    credit_note: str
    units: tuple[Units, ...]


@frozen
class SettlementRecorded:
    """An invoice was settled."""

    invoice: str


@frozen
class OrderCompleted:
    """The order is closed."""

    relieved_minor: int
    at: datetime


@frozen
class HoldPlaced:
    """A gate was closed."""

    hold: Hold


@frozen
class HoldReleased:
    """A gate was opened."""

    hold: Hold


@frozen
class OrderAnnotated:
    """Tags or notes changed."""

    note: str
    add: tuple[str, ...]
    remove: tuple[str, ...]


OrderCommand: TypeAlias = (
    PlaceOrder | OpenDraft | EditDraft | DiscardDraft | ConfirmOrder | UnconfirmOrder | AllocateStock | FillBackorder
    | ReleaseStock | ExpireAllocation | PrepareShipment | CancelPreparation | ShortPick | DispatchShipment
    | RecordDelivery | RecordReturn | ResolveLoss | CancelUnits | BillUnits | RecordCredit | RecordSettlement | CompleteOrder
    | PlaceHold | ReleaseHold | AnnotateOrder
)  # fmt: skip
OrderEvent: TypeAlias = (
    OrderPlaced | DraftOpened | DraftEdited | DraftDiscarded | OrderConfirmed | OrderUnconfirmed | StockAllocated
    | StockReleased | AllocationExpired | ShipmentPrepared | PreparationCancelled | UnitsPickedShort
    | ShipmentDispatched | UnitsDelivered | UnitsReturned | LossResolved | UnitsCancelled | OrderCancelled | UnitsBilled
    | UnitsCredited | SettlementRecorded | OrderCompleted | HoldPlaced | HoldReleased | OrderAnnotated
)  # fmt: skip
