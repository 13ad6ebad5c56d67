"""A stock document moves stock of many SKUs at once: goods receipt, adjustment, transfer."""

from __future__ import annotations

from typing import Annotated, NamedTuple, TypeAlias

from attrs import frozen

from orderflow.domain.engine.limits import MAX_LINES
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, to
from orderflow.domain.engine.schema import Count, Delta, Id, Length, Name, Quantity
from orderflow.domain.engine.stamp import Stamp
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
    "StockDocumentCommand",
    "StockDocumentEvent",
    "TransferPosted",
]


class SkuQuantity(NamedTuple):
    """Units of a SKU at a location."""

    sku: Id
    location: Id
    quantity: Quantity


class SkuChange(NamedTuple):
    """A signed difference of a SKU at a location."""

    sku: Id
    location: Id
    quantity: Delta
    reason: Name = ""


@frozen
class PostReceipt:
    """Goods came in (入荷)."""

    items: Annotated[tuple[SkuQuantity, ...], Length(1, MAX_LINES)]
    reference: Name = ""


@frozen
class PostAdjustment:
    """Differences are booked. ``memo`` counts lines that move no stock."""

    items: Annotated[tuple[SkuChange, ...], Length(0, MAX_LINES)]
    reference: Name = ""
    reason: Name = ""
    memo: Count = 0


@frozen
class PostTransfer:
    """Units go from one location to another, by way of a virtual location in transit if that is ``to``."""

    items: Annotated[tuple[SkuQuantity, ...], Length(1, MAX_LINES)]
    to: Id
    reference: Name = ""


@frozen
class ReceiptPosted:
    """Goods came in."""

    items: tuple[SkuQuantity, ...]
    reference: str


@frozen
class AdjustmentPosted:
    """Differences were booked."""

    items: tuple[SkuChange, ...]
    reference: str
    reason: str
    memo: int


@frozen
class TransferPosted:
    """Units went elsewhere."""

    items: tuple[SkuQuantity, ...]
    to: str
    reference: str


@frozen
class StockDocument:
    """A posted note; it never changes. ``lines`` counts its items, moving or not."""

    kind: str
    reference: str
    reason: str
    lines: int


StockDocumentCommand: TypeAlias = PostReceipt | PostAdjustment | PostTransfer


StockDocumentEvent: TypeAlias = ReceiptPosted | AdjustmentPosted | TransferPosted


def goes_elsewhere(state: Absent, command: PostTransfer, stamp: Stamp) -> Refusal | None:
    """A transfer leaves its location."""
    if all(item.location != command.to for item in command.items):
        return None
    return refuse("same_location", "units are at {location} already", location=command.to)


def _receive(state: Absent, command: PostReceipt, stamp: Stamp) -> ReceiptPosted:
    return ReceiptPosted(command.items, command.reference)


def _received(state: Absent, event: ReceiptPosted) -> StockDocument:
    return StockDocument("receipt", event.reference, "", len(event.items))


def _adjust(state: Absent, command: PostAdjustment, stamp: Stamp) -> AdjustmentPosted:
    return AdjustmentPosted(command.items, command.reference, command.reason, command.memo)


def _adjusted(state: Absent, event: AdjustmentPosted) -> StockDocument:
    return StockDocument("adjustment", event.reference, event.reason, len(event.items) + event.memo)


def _transfer(state: Absent, command: PostTransfer, stamp: Stamp) -> TransferPosted:
    return TransferPosted(command.items, command.to, command.reference)


def _transferred(state: Absent, event: TransferPosted) -> StockDocument:
    return StockDocument("transfer", event.reference, "", len(event.items))


def _check(state: StockDocument) -> None:
    """A note has no invariant beyond its shape."""


STOCK_DOCUMENT = Machine(
    "stock_document",
    commands=StockDocumentCommand,
    events=StockDocumentEvent,
    final=(StockDocument,),
    check=_check,
    rules=(
        rule(Absent, PostReceipt, _receive, to(ReceiptPosted, StockDocument, _received)),
        rule(Absent, PostAdjustment, _adjust, to(AdjustmentPosted, StockDocument, _adjusted)),
        rule(
            Absent, PostTransfer, _transfer, to(TransferPosted, StockDocument, _transferred), guards=(goes_elsewhere,)
        ),
    ),
)
