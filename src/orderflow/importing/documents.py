"""What a file holds, whatever its layout: orders, cancellations, adjustments, receipts, and what was rejected."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

from attrs import frozen

from orderflow.domain.inventory.documents import SkuChange, SkuQuantity
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import OrderContent
from orderflow.domain.parties.party import Person
from orderflow.domain.values import PartyRef

__all__ = [
    "AdjustmentDocument",
    "CancellationDocument",
    "CancelledLine",
    "Document",
    "OrderDocument",
    "Party",
    "ReceiptDocument",
    "RejectedDocument",
    "RejectedRow",
    "Source",
    "name_of",
]


class Party(NamedTuple):
    """Who a document is for: the version its rows point to, and the data kept under it."""

    ref: PartyRef
    person: Person


@frozen
class OrderDocument:
    """An order; ``content`` names its party version."""

    number: str
    at: datetime
    line: int
    content: OrderContent
    party: Party


class CancelledLine(NamedTuple):
    """Units given back at a price; only goods come back into stock."""

    sku: str
    quantity: int
    price: Price
    tax: TaxCategory
    goods: bool


@frozen
class CancellationDocument:
    """Goods and money come back. Lines are matched to earlier orders by customer, SKU and price."""

    number: str
    at: datetime
    line: int
    customer: str
    currency: str
    lines: tuple[CancelledLine, ...]
    tax: TaxPolicy
    party: Party
    location: str = "main"


@frozen
class AdjustmentDocument:
    """Signed changes of stock. ``memo`` counts lines that move none."""

    number: str
    at: datetime
    line: int
    changes: tuple[SkuChange, ...]
    memo: int = 0


@frozen
class ReceiptDocument:
    """Goods that came in."""

    number: str
    at: datetime
    line: int
    items: tuple[SkuQuantity, ...]


class RejectedRow(NamedTuple):
    """Why a row of the file cannot be taken: its line number, a stable code, a sentence."""

    line: int
    code: str
    reason: str


@frozen
class RejectedDocument:
    """A document with a bad row is rejected as a whole."""

    number: str
    at: datetime | None
    line: int
    rows: tuple[RejectedRow, ...]


Document: TypeAlias = OrderDocument | CancellationDocument | AdjustmentDocument | ReceiptDocument | RejectedDocument


class Source(Protocol):
    """A file in some layout."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def channel(self) -> str:
        """The channel its orders come from."""
        ...

    @property
    def zone(self) -> str:
        """The time zone of its business dates."""
        ...

    def count(self) -> int:
        """How many documents it holds."""
        ...

    def documents(self) -> Iterator[Document]:
        """Every document once, in the order of its first line."""
        ...


def name_of(source: Source) -> str:
    """What a run of a file is marked under: its channel and a digest of the file.

    A file that was mended or has grown is another one: it is gone through from its beginning, and what is known from
    before is passed over document by document.
    """
    with source.path.open("rb") as file:
        return f"{source.channel}/{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
