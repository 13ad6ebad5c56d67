"""What has happened to an order: events, past participles."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, TypeAlias

from attrs import frozen

from orderflow.domain.allocation import Pick
from orderflow.domain.order.lines import Slice
from orderflow.domain.order.values import Basket, By, Hold, Units
from orderflow.domain.tax import Totals

__all__ = [
    "AllocationExpired",
    "Billed",
    "DraftDiscarded",
    "DraftEdited",
    "DraftOpened",
    "Filled",
    "HoldPlaced",
    "HoldReleased",
    "LossResolved",
    "OrderAnnotated",
    "OrderCancelled",
    "OrderCompleted",
    "OrderConfirmed",
    "OrderEvent",
    "OrderPlaced",
    "OrderUnconfirmed",
    "PreparationCancelled",
    "PrepaymentRecorded",
    "SettlementRecorded",
    "ShipmentDispatched",
    "ShipmentPrepared",
    "StockAllocated",
    "StockReleased",
    "UnitsBilled",
    "UnitsCancelled",
    "UnitsCredited",
    "UnitsDelivered",
    "UnitsPickedShort",
    "UnitsReturned",
    "UnitsUnbilled",
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
    """Units have arrived; the order no longer counted the ``surplus`` among them as sent."""

    shipment: str
    units: tuple[Units, ...]
    surplus: tuple[Units, ...] = ()


@frozen
class UnitsReturned:
    """Units came back; the order no longer counted the ``surplus`` among them as sent."""

    document: str
    units: tuple[Units, ...]
    location: str
    usable: bool
    surplus: tuple[Units, ...] = ()


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
class UnitsUnbilled:
    """Units are no longer billed: their invoice was voided."""

    invoice: str
    units: tuple[Units, ...]


@frozen
class SettlementRecorded:
    """An invoice was settled."""

    invoice: str


@frozen
class PrepaymentRecorded:
    """Money was kept for the order, or taken off it again; all of its total opens the gate that waited for it."""

    payment: str
    amount_minor: int
    currency: str


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


OrderEvent: TypeAlias = (
    OrderPlaced | DraftOpened | DraftEdited | DraftDiscarded | OrderConfirmed | OrderUnconfirmed | StockAllocated
    | StockReleased | AllocationExpired | ShipmentPrepared | PreparationCancelled | UnitsPickedShort
    | ShipmentDispatched | UnitsDelivered | UnitsReturned | LossResolved | UnitsCancelled | OrderCancelled | UnitsBilled
    | UnitsCredited | UnitsUnbilled | PrepaymentRecorded | SettlementRecorded | OrderCompleted | HoldPlaced
    | HoldReleased | OrderAnnotated
)  # fmt: skip
