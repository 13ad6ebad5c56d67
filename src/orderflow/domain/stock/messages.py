"""What a stock row is told, and what then has happened. Every event cites the document that caused it."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

from orderflow.domain.shape import Count, Delta, Name, Quantity

__all__ = [
    "Adjust",
    "Allocate",
    "Backorder",
    "BackorderDropped",
    "CountStock",
    "DropBackorder",
    "ExpectGoods",
    "GoodsExpected",
    "GoodsReceived",
    "MarkUnavailable",
    "PickShort",
    "ReceiveGoods",
    "Release",
    "Restock",
    "Restore",
    "Ship",
    "StockAdjusted",
    "StockCommand",
    "StockCounted",
    "StockEvent",
    "TransferIn",
    "TransferOut",
    "UnitsAllocated",
    "UnitsBackordered",
    "UnitsMarkedUnavailable",
    "UnitsNotFound",
    "UnitsReleased",
    "UnitsRestocked",
    "UnitsRestored",
    "UnitsShipped",
    "UnitsTransferredIn",
    "UnitsTransferredOut",
]


@frozen
class ReceiveGoods:
    """Goods came in (入荷); ``expected`` of them had been announced."""

    quantity: Quantity
    expected: Count = 0
    document: Name = ""


@frozen
class ExpectGoods:
    """Goods are announced (入荷予定); a negative quantity takes an announcement back."""

    quantity: Delta
    document: Name = ""


@frozen
class Allocate:
    """Promise units to a document (引当)."""

    quantity: Quantity
    document: Name = ""


@frozen
class Release:
    """Take a promise back."""

    quantity: Quantity
    document: Name = ""


@frozen
class Backorder:
    """Count units of demand that wait for stock."""

    quantity: Quantity
    document: Name = ""


@frozen
class DropBackorder:
    """Waiting demand was filled or given up."""

    quantity: Quantity
    document: Name = ""


@frozen
class Ship:
    """Promised units leave."""

    quantity: Quantity
    document: Name = ""


@frozen
class Restock:
    """Units come back, on sale again or (not ``usable``) set aside."""

    quantity: Quantity
    usable: bool = True
    document: Name = ""


@frozen
class MarkUnavailable:
    """Set units aside: damaged, held for quality, not found."""

    quantity: Quantity
    reason: Name = ""
    document: Name = ""


@frozen
class PickShort:
    """Promised units were not found: the promise is taken back, and they are set aside."""

    quantity: Quantity
    document: Name = ""


@frozen
class Restore:
    """Units set aside go on sale again."""

    quantity: Quantity
    document: Name = ""


@frozen
class TransferOut:
    """Units leave for another location."""

    quantity: Quantity
    document: Name = ""


@frozen
class TransferIn:
    """Units arrive from another location."""

    quantity: Quantity
    document: Name = ""


@frozen
class Adjust:
    """Book a difference: found, damaged, lost."""

    quantity: Delta
    reason: Name = ""
    document: Name = ""


@frozen
class CountStock:
    """Book what a stocktake has counted."""

    counted: Count
    reason: Name = ""
    document: Name = ""


@frozen
class GoodsReceived:
    """Goods came in."""

    quantity: int
    document: str
    expected: int = 0


@frozen
class GoodsExpected:
    """An announcement changed."""

    quantity: int
    document: str


@frozen
class UnitsAllocated:
    """Units were promised."""

    quantity: int
    document: str


@frozen
class UnitsReleased:
    """A promise was taken back."""

    quantity: int
    document: str


@frozen
class UnitsBackordered:
    """Demand waits."""

    quantity: int
    document: str


@frozen
class BackorderDropped:
    """Demand no longer waits."""

    quantity: int
    document: str


@frozen
class UnitsShipped:
    """Promised units left."""

    quantity: int
    document: str


@frozen
class UnitsRestocked:
    """Units came back."""

    quantity: int
    usable: bool
    document: str


@frozen
class UnitsMarkedUnavailable:
    """Units were set aside."""

    quantity: int
    reason: str
    document: str


@frozen
class UnitsNotFound:
    """Promised units were not found."""

    quantity: int
    document: str


@frozen
class UnitsRestored:
    """Units are on sale again."""

    quantity: int
    document: str


@frozen
class UnitsTransferredOut:
    """Units left for another location."""

    quantity: int
    document: str


@frozen
class UnitsTransferredIn:
    """Units arrived from another location."""

    quantity: int
    document: str


@frozen
class StockAdjusted:
    """A difference was booked."""

    quantity: int
    reason: str
    document: str


@frozen
class StockCounted:
    """A stocktake was booked; ``quantity`` is the signed difference it found."""

    counted: int
    quantity: int
    reason: str
    document: str


StockCommand: TypeAlias = (
    ReceiveGoods | ExpectGoods | Allocate | Release | Backorder | DropBackorder | Ship | Restock | MarkUnavailable
    | PickShort | Restore | TransferOut | TransferIn | Adjust | CountStock
)  # fmt: skip
StockEvent: TypeAlias = (
    GoodsReceived | GoodsExpected | UnitsAllocated | UnitsReleased | UnitsBackordered | BackorderDropped | UnitsShipped
    | UnitsRestocked | UnitsMarkedUnavailable | UnitsNotFound | UnitsRestored | UnitsTransferredOut
    | UnitsTransferredIn | StockAdjusted | StockCounted
)  # fmt: skip
