"""The layout of the UCI Online Retail file: a line for each item; lines of a document share its number.

Chen, D. (2015), Online Retail, UCI Machine Learning Repository: numbers beginning with C are cancellations, those
beginning with A adjust bad debts; documents with no customer and no prices adjust the stock; all others are orders.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path
from sys import intern
from typing import Final, NamedTuple, TextIO
from zoneinfo import ZoneInfo

from orderflow.domain.engine.limits import MAX_ID, MAX_NAME, MAX_QUANTITY
from orderflow.domain.inventory.documents import SkuChange
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import LineKind, OrderContent, OrderLine, Policy
from orderflow.domain.parties.party import Person
from orderflow.domain.values import PartyRef
from orderflow.errors import InputError
from orderflow.importing.documents import (
    AdjustmentDocument,
    CancellationDocument,
    CancelledLine,
    Document,
    OrderDocument,
    Party,
    RejectedDocument,
    RejectedRow,
)

__all__ = ["COLUMNS", "UciFile"]


COLUMNS: Final = (
    "InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country",
)  # fmt: skip


#: The file has no tax: category O, outside the scope of tax.
UNTAXED: Final = TaxCategory("O", Decimal(0))


POLICY: Final = TaxPolicy()


TIMEZONE: Final = "Europe/London"


WORKING: Final = Policy(timezone=TIMEZONE)


CURRENCY: Final = "GBP"


LOCATION: Final = "main"


#: The most characters of customer and country together that still fit into an id.
MAX_PARTY: Final = MAX_ID - len("guest/unknown")


#: Longer cells are not even read: cells that are too long are rejected one by one, but must not fill the memory.
MAX_CELL: Final = 2**24


_LONDON = ZoneInfo(TIMEZONE)


_GOODS = re.compile(r"[0-9]{5}")


_WHOLE = re.compile(r"-?[0-9]{1,10}")


_PRICE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


class Item(NamedTuple):
    """A valid row."""

    line: int
    sku: str
    description: str
    quantity: int
    at: datetime
    price: Price
    customer: str
    country: str


class UciFile:
    """A file in this layout, plain or gzipped. It is read twice: first to count each document's lines, then in full.

    Raises:
        InputError: the columns in the header are not the expected ones.
    """

    channel = "uci"
    timezone = TIMEZONE

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _lines_of(self) -> Counter[str]:
        with self._open() as file:
            return Counter(row[0] if row else "" for _, row in _rows(file))

    def count(self) -> int:
        """How many documents there are."""
        return len(self._lines_of)

    def documents(self) -> Iterator[Document]:
        """Every document, in the order of their first lines, as soon as all its lines are read."""
        lines_of = self._lines_of
        parts: dict[str, list[Item | RejectedRow]] = {}
        with self._open() as file:
            for line, row in _rows(file):
                number = row[0] if row else ""
                parts.setdefault(number, []).append(_item(line, row))
                while parts and len(parts[first := next(iter(parts))]) == lines_of[first]:
                    yield _document(first, parts.pop(first))

    def _open(self) -> TextIO:
        if self.path.suffix == ".gz":
            return gzip.open(self.path, "rt", encoding="utf-8", errors="surrogateescape", newline="")
        return self.path.open(encoding="utf-8", errors="surrogateescape", newline="")


def _rows(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(file)
    header = next(reader, [])
    if tuple(header) != COLUMNS:
        raise InputError.at("line 1", "unknown_layout", f"the columns must be {','.join(COLUMNS)}")
    for row in reader:
        yield reader.line_num, row


def _item(line: int, row: list[str]) -> Item | RejectedRow:
    if len(row) != len(COLUMNS):
        return RejectedRow(line, "wrong_columns", f"has {len(row)} columns, not {len(COLUMNS)}")
    _, sku, description, quantity, at, price, customer, country = row
    if not _WHOLE.fullmatch(quantity) or not 0 < abs(int(quantity)) <= MAX_QUANTITY:
        return RejectedRow(line, "bad_quantity", f"quantity {quantity[:30]!r} is not a whole number other than 0")
    if not _PRICE.fullmatch(price):
        return RejectedRow(line, "bad_price", f"price {price[:30]!r} is not a plain decimal")
    when = _time(at)
    if when is None:
        return RejectedRow(line, "bad_time", f"time {at[:30]!r} is not like 2010-12-01 08:26:00")
    if _unfit(sku, description, f"{customer}/{country}"):
        return RejectedRow(line, "bad_text", "the stock code is empty, or a text is too long or unprintable")
    customer = intern(customer.removesuffix(".0"))
    return Item(line, intern(sku), description, int(quantity), when, _price(price), customer, intern(country))


def _unfit(sku: str, description: str, party: str) -> bool:
    if not sku.strip() or not f"{sku}{description}{party}".isprintable():
        return True
    return len(sku) > MAX_ID or len(description) > MAX_NAME or len(party) > MAX_PARTY


@lru_cache(maxsize=4096)
def _price(text: str) -> Price:
    return Price.of(text, CURRENCY)


@lru_cache(maxsize=256)
def _time(text: str) -> datetime | None:
    if not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=_LONDON).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _document(number: str, rows: list[Item | RejectedRow]) -> Document:
    bad = tuple([row for row in rows if isinstance(row, RejectedRow)])
    items = [row for row in rows if isinstance(row, Item)]
    at = items[0].at if items else None
    bad += tuple(_misfits(number, items))
    if bad or at is None:
        return RejectedDocument(number or f"line {rows[0].line}", rows[0].line, bad)
    if number.startswith("C"):
        return _cancellation(number, at, items)
    if not items[0].customer and all(item.price.amount == 0 for item in items):
        return _adjustment(number, at, items)
    return _order(number, at, items)


def _misfits(number: str, items: list[Item]) -> Iterator[RejectedRow]:
    """Rows that are valid alone but wrong in their document."""
    if not number.strip() or len(number) > MAX_ID or not number.isprintable():
        yield RejectedRow(items[0].line if items else 0, "bad_number", "the document has no usable number")
    if number.startswith("A"):
        yield RejectedRow(items[0].line if items else 0, "bad_debt", "adjusts a bad debt: book it with the payments")
        return
    free = all(item.price.amount == 0 for item in items)
    for item in items:
        if item.customer != items[0].customer or item.country != items[0].country:
            yield RejectedRow(item.line, "two_parties", "names another customer or country than its document")
        if number.startswith("C") is (item.quantity > 0) and not (free and not item.customer):
            sign = "negative" if number.startswith("C") else "positive"
            yield RejectedRow(item.line, "bad_quantity", f"quantity {item.quantity} must be {sign} here")


def _party(item: Item) -> Party:
    country = item.country or "unknown"
    return Party(PartyRef(f"{item.customer or 'guest'}/{country}", 1), Person(country=country))


def _order(number: str, at: datetime, items: list[Item]) -> OrderDocument:
    party = _party(items[0])
    lines = tuple(
        [
            OrderLine.of(
                n,
                item.sku,
                item.quantity,
                item.price,
                UNTAXED,
                description=item.description,
                kind=LineKind.GOODS if _GOODS.match(item.sku) else LineKind.CHARGE,
            )
            for n, item in enumerate(items, start=1)
        ]
    )
    content = OrderContent(
        CURRENCY,
        lines,
        POLICY,
        customer=items[0].customer,
        number=number,
        channel="uci",
        external_id=number,
        bill_to=party.ref,
        ship_to=party.ref,
        country=items[0].country,
        policy=WORKING,
    )
    return OrderDocument(number, at, items[0].line, content, party)


def _cancellation(number: str, at: datetime, items: list[Item]) -> CancellationDocument:
    lines = tuple([CancelledLine(i.sku, -i.quantity, i.price, UNTAXED, _GOODS.match(i.sku) is not None) for i in items])
    return CancellationDocument(
        number, at, items[0].line, items[0].customer, CURRENCY, lines, POLICY, _party(items[0]), LOCATION
    )


def _adjustment(number: str, at: datetime, items: list[Item]) -> AdjustmentDocument:
    goods = [item for item in items if _GOODS.match(item.sku)]
    changes = tuple([SkuChange(item.sku, LOCATION, item.quantity, item.description) for item in goods])
    return AdjustmentDocument(number, at, items[0].line, changes, len(items) - len(goods))
