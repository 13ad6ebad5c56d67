"""A stock document: one that moves stock of many SKUs at once (goods receipt, adjustment, transfer)."""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple, TypeAlias

from orderflow.domain.engine.bounds import Count, Delta, Length, Name, Quantity
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule
from orderflow.domain.engine.record import Command, Event, Fields, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.values import MAX_LINES, Location, Sku
from orderflow.errors import Refusal

__all__ = [
    "STOCK_DOCUMENT",
    "AdjustmentPosted",
    "PostAdjustment",
    "PostReceipt",
    "PostTransfer",
    "ReceiptPosted",
    "SkuChange",
    "SkuQuantity",
    "StockDocument",
    "TransferPosted",
]


class SkuQuantity(NamedTuple):
    """Units of a SKU at a location."""

    sku: Sku
    location: Location
    quantity: Quantity


class SkuChange(NamedTuple):
    """A signed difference of a SKU at a location."""

    sku: Sku
    location: Location
    quantity: Delta
    reason: Name = ""


Items: TypeAlias = Annotated[tuple[SkuQuantity, ...], Length(1, MAX_LINES)]


class StockDocument(Record):
    """A posted document; it never changes. ``lines`` counts its items, moving or not."""

    kind: str
    reference: str
    reason: str
    lines: int


class _Receipt(Fields):
    items: Items
    reference: Name = ""


class PostReceipt(_Receipt, Command):
    """Goods came in (入荷)."""


class ReceiptPosted(_Receipt, Event):
    """Goods came in."""


class _Adjustment(Fields):
    items: Annotated[tuple[SkuChange, ...], Length(0, MAX_LINES)]
    reference: Name = ""
    reason: Name = ""
    memo: Count = 0


class PostAdjustment(_Adjustment, Command):
    """Differences are booked. ``memo`` counts lines that move no stock."""


class AdjustmentPosted(_Adjustment, Event):
    """Differences were booked."""


class _Transfer(Fields):
    items: Items
    to: Location
    reference: Name = ""


class PostTransfer(_Transfer, Command):
    """Units go from one location to another; ``to`` may be a virtual location for goods in transit."""


class TransferPosted(_Transfer, Event):
    """Units went to another location."""


def goes_elsewhere(state: Absent, command: PostTransfer, stamp: Stamp) -> Refusal | None:
    """A transfer goes to another location."""
    if all(item.location != command.to for item in command.items):
        return None
    return refuse("same_location", "the units are already at {location}", location=command.to)


def _received(state: Absent, event: ReceiptPosted) -> StockDocument:
    return StockDocument("receipt", event.reference, "", len(event.items))


def _adjusted(state: Absent, event: AdjustmentPosted) -> StockDocument:
    return StockDocument("adjustment", event.reference, event.reason, len(event.items) + event.memo)


def _transferred(state: Absent, event: TransferPosted) -> StockDocument:
    return StockDocument("transfer", event.reference, "", len(event.items))


STOCK_DOCUMENT: Final = Machine(
    "stock_document",
    rules=(
        rule(Absent, PostReceipt, ReceiptPosted, StockDocument, _received),
        rule(Absent, PostAdjustment, AdjustmentPosted, StockDocument, _adjusted),
        rule(Absent, PostTransfer, TransferPosted, StockDocument, _transferred, guards=(goes_elsewhere,)),
    ),
    final=(StockDocument,),
)
