"""What a file holds, whatever its format: orders, what changes them, stock and payments, and what was rejected."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

from orderflow.domain.engine.bounds import Quantity
from orderflow.domain.engine.record import Record
from orderflow.domain.inventory.documents import SkuChange, SkuQuantity
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import OrderContent
from orderflow.domain.parties.party import Person
from orderflow.domain.payments.state import PaymentSource
from orderflow.domain.values import Location, PartyRef, Sku

__all__ = [
    "AdjustmentDocument",
    "CancellationDocument",
    "CancelledLine",
    "DatedDocument",
    "Document",
    "Format",
    "OrderDocument",
    "Party",
    "PaymentDocument",
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


class OrderDocument(Record):
    """An order; ``content`` names its party version."""

    number: str
    at: datetime
    line: int
    content: OrderContent
    party: Party

    @property
    def customer(self) -> str:
        """The customer, empty for a guest."""
        return self.content.customer


class CancelledLine(NamedTuple):
    """Units given back at a price; only goods come back into stock."""

    sku: Sku
    quantity: Quantity
    price: Price
    tax: TaxCategory
    goods: bool = True


class CancellationDocument(Record):
    """Goods and money come back. Lines are matched to earlier orders by customer, SKU and price."""

    number: str
    at: datetime
    line: int
    customer: str
    currency: str
    lines: tuple[CancelledLine, ...]
    tax: TaxPolicy
    party: Party
    location: Location = "main"


class AdjustmentDocument(Record):
    """Signed changes of stock. ``memo`` counts the lines that move no stock."""

    number: str
    at: datetime
    line: int
    changes: tuple[SkuChange, ...]
    memo: int = 0


class ReceiptDocument(Record):
    """Goods received."""

    number: str
    at: datetime
    line: int
    items: tuple[SkuQuantity, ...]


class PaymentDocument(Record):
    """Money has come in, for the order that ``origin`` names if it names one."""

    number: str
    at: datetime
    line: int
    origin: PaymentSource
    amount: Money


class RejectedRow(NamedTuple):
    """Why a row of the file was rejected: its line number, a stable code, a sentence."""

    line: int
    code: str
    reason: str


class RejectedDocument(Record):
    """A document that was rejected as a whole; ``rows`` are the bad ones."""

    number: str
    line: int
    rows: tuple[RejectedRow, ...]


DatedDocument: TypeAlias = OrderDocument | CancellationDocument | AdjustmentDocument | ReceiptDocument | PaymentDocument
Document: TypeAlias = DatedDocument | RejectedDocument


class Source(Protocol):
    """A file of documents, whatever its format."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def channel(self) -> str:
        """The channel its orders come from."""
        ...

    @property
    def timezone(self) -> str:
        """The time zone of its business dates."""
        ...

    def count(self) -> int:
        """How many documents it holds."""
        ...

    def documents(self) -> Iterator[Document]:
        """Every document once, in the order of its first line."""
        ...


class Format(Protocol):
    """Opens a file as a source of documents: a class or a function of the file's path.

    A package registers its formats as entry points of the group ``orderflow.formats``. A document that cannot be
    read is yielded as a :class:`RejectedDocument`; ``InputError`` is for a file that is not in this format.
    """

    def __call__(self, path: Path, /) -> Source:
        """The source at ``path``; the file is opened when its documents are read."""
        ...


def name_of(source: Source) -> str:
    """The name under which the progress of a run is recorded: the file's channel and a digest of its bytes.

    A file that was corrected or extended counts as a new file: it is read from the beginning, and documents that were
    taken before are skipped one by one.
    """
    with source.path.open("rb") as file:
        return f"{source.channel}/{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
