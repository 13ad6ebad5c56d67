"""The library's own format: JSON lines, one document on each line.

::

    {"type": "receipt", "number": "R-1", "at": "2026-01-05T08:00:00Z", "items": [["TEA", "main", 40]]}
    {"type": "order", "number": "A-1", "at": "2026-01-05T09:00:00Z", "person": {"name": "Ann"}, "content": {...}}
    {"type": "cancellation", "number": "C-1", "at": "2026-01-07T09:00:00Z", "customer": "ann", "currency": "EUR",
     "bill_to": "ann@1", "lines": [["TEA", 1, "2.50 EUR", "S 20", true]]}
    {"type": "adjustment", "number": "J-1", "at": "2026-01-08T09:00:00Z", "changes": [["TEA", "main", -1, "broken"]]}
    {"type": "payment", "number": "P-1", "at": "2026-01-09T09:00:00Z", "order": "A-1", "amount": "2.50 EUR"}

``content`` is what ``PlaceOrder`` takes; ``person`` is stored under the party version that its ``bill_to`` names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

from orderflow.adapters.json_input import MAX_SIZE, load_tree, read_outside
from orderflow.domain.engine.bounds import Id, Length, Name
from orderflow.domain.engine.record import Fields
from orderflow.domain.inventory.documents import SkuChange, SkuQuantity
from orderflow.domain.money.currencies import Currency
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxPolicy
from orderflow.domain.orders.content import OrderContent
from orderflow.domain.parties.party import Person
from orderflow.domain.payments.state import PaymentSource
from orderflow.domain.values import MAX_LINES, Location, PartyRef
from orderflow.errors import Fault, InputError
from orderflow.importing.documents import (
    AdjustmentDocument,
    CancellationDocument,
    CancelledLine,
    Document,
    OrderDocument,
    Party,
    PaymentDocument,
    ReceiptDocument,
    RejectedDocument,
    RejectedRow,
)
from orderflow.importing.lines import lines_of

__all__ = ["JsonLinesFile"]


class _Receipt(Fields):
    number: Id
    at: datetime
    items: Annotated[tuple[SkuQuantity, ...], Length(1, MAX_LINES)]


class _Order(Fields):
    number: Id
    at: datetime
    content: OrderContent
    person: Person = Person()


class _Cancellation(Fields):
    number: Id
    at: datetime
    customer: Name
    currency: Currency
    bill_to: PartyRef
    lines: Annotated[tuple[CancelledLine, ...], Length(1, MAX_LINES)]
    tax: TaxPolicy = TaxPolicy()
    location: Location = "main"
    person: Person = Person()


class _Adjustment(Fields):
    number: Id
    at: datetime
    changes: Annotated[tuple[SkuChange, ...], Length(1, MAX_LINES)]


class _Payment(Fields):
    number: Id
    at: datetime
    amount: Price
    order: Name = ""
    customer: Name = ""
    method: Name = ""


_Entry: TypeAlias = _Receipt | _Order | _Cancellation | _Adjustment | _Payment


_KINDS: Final[dict[Any, type[_Entry]]] = {
    "receipt": _Receipt,
    "order": _Order,
    "cancellation": _Cancellation,
    "adjustment": _Adjustment,
    "payment": _Payment,
}


class JsonLinesFile:
    """A file in this format, plain or gzipped, in UTF-8.

    A line that is not a valid document is rejected, with every fault and its path.
    """

    channel = "orderflow"

    def __init__(self, path: Path, timezone: str = "UTC") -> None:
        self.path, self.timezone = path, timezone

    def count(self) -> int:
        """How many documents there are: lines that are not blank."""
        return sum(1 for _ in lines_of(self.path, MAX_SIZE))

    def documents(self) -> Iterator[Document]:
        """Every document, in the order of the file. A second document with the same number is rejected."""
        lines: dict[str, int] = {}
        for line, text, fault in lines_of(self.path, MAX_SIZE):
            try:
                document = _document(line, _entry(text, fault))
                known = lines.setdefault(document.number, line)
                if known != line:
                    raise InputError.at("number", "repeated", f"{document.number} is also on line {known}")
                yield document
            except InputError as error:
                rows = tuple([RejectedRow(line, fault.code, str(fault)) for fault in error.faults])
                yield RejectedDocument(f"{self._first} line {line}", line, rows)

    @cached_property
    def _first(self) -> str:
        """The first document number; rejected lines are named after it, to tell them from those of other files."""
        for line, text, fault in lines_of(self.path, MAX_SIZE):
            with suppress(InputError):
                return _document(line, _entry(text, fault)).number
        return ""


def _entry(text: str, fault: Fault | None) -> _Entry:
    if fault is not None:
        raise InputError([fault])
    if text.lstrip()[:1] not in ("{", "["):
        like = ", but looks like CSV" if any(sign in text for sign in ",;\t") else ""
        raise InputError.at("", "not_json_lines", f"is not a line of JSON{like}: is --format right?")
    tree, faults = load_tree(text)
    if faults:
        raise InputError(faults)
    kind = _KINDS.get(_name(tree.pop("type", None)))
    if kind is None:
        raise InputError.at("type", "not_a_choice", f"must be one of {', '.join(_KINDS)}")
    return read_outside(kind, tree)


def _name(value: Any) -> Any:
    return value if isinstance(value, str) else None


def _document(line: int, entry: _Entry) -> Document:
    if isinstance(entry, _Receipt):
        return ReceiptDocument(entry.number, entry.at, line, entry.items)
    if isinstance(entry, _Adjustment):
        return AdjustmentDocument(entry.number, entry.at, line, entry.changes)
    if isinstance(entry, _Cancellation):
        return _cancellation(line, entry)
    if isinstance(entry, _Payment):
        return _payment(line, entry)
    if entry.content.bill_to is None:
        raise InputError([Fault("content.bill_to", "missing", "is required: it says who is billed")])
    return OrderDocument(entry.number, entry.at, line, entry.content, Party(entry.content.bill_to, entry.person))


def _cancellation(line: int, entry: _Cancellation) -> CancellationDocument:
    foreign = [n for n, item in enumerate(entry.lines) if item.price.currency != entry.currency]
    if foreign:
        raise InputError(
            Fault(f"lines[{n}].price", "currency_mismatch", f"must be in {entry.currency}") for n in foreign
        )
    party = Party(entry.bill_to, entry.person)
    return CancellationDocument(
        entry.number, entry.at, line, entry.customer, entry.currency, entry.lines, entry.tax, party, entry.location
    )


def _payment(line: int, entry: _Payment) -> PaymentDocument:
    amount = Money.of(entry.amount.amount, entry.amount.currency)
    if amount.minor < 1 or entry.amount.per != 1:
        raise InputError.at("amount", "out_of_range", "must be at least 1 minor unit, and not per several units")
    origin = PaymentSource(JsonLinesFile.channel, entry.number, entry.customer, entry.method, order=entry.order)
    return PaymentDocument(entry.number, entry.at, line, origin, amount)
