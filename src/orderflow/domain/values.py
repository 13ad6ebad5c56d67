"""Values that several subjects share: picks, line quantities, references to parties and stock rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from enum import Enum
from typing import Annotated, NamedTuple, TypeVar

from orderflow.domain.engine.bounds import Between, Id, Name, Quantity, Text
from orderflow.domain.engine.limits import MAX_ID
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.text import TextForm
from orderflow.errors import Key, Refusal

__all__ = [
    "MAX_LINES",
    "MAX_ORDER_ID",
    "MAX_TAGS",
    "MAX_TASKS",
    "CreditIntent",
    "DeliveryWish",
    "Gift",
    "InspectionOutcome",
    "LineQuantity",
    "Location",
    "PartyRef",
    "Percent",
    "Pick",
    "Priority",
    "Sku",
    "StockRef",
    "Task",
    "party_id",
    "stock_key",
    "summed",
]

K = TypeVar("K")

MAX_LINES = 5_000
"""Lines of one order, of any kind."""

MAX_ORDER_ID = 88
"""Characters of an order's id: those of its shipments and invoices, ``order/n``, fit into an identifier."""

MAX_TAGS = 50
"""Tags of one order."""

MAX_TASKS = 50
"""Tasks of one row, the newest; the journal keeps all."""

#: Between SKU and location where a stock row is printed, so neither may contain it.
_AT = "@"

Sku = Annotated[str, Text(MAX_ID, least=1, without=_AT)]
Location = Annotated[str, Text(MAX_ID, least=1, without=_AT)]


Percent = Annotated[int, Between(0, 100)]

Priority = Annotated[int, Between(-9, 9)]
"""A class in which orders wait for stock; a smaller one is served first."""


class Pick(NamedTuple):
    """``quantity`` units, at least 1, for ``line`` from ``location``."""

    line: Quantity
    location: Location
    quantity: Quantity


class CreditIntent(Enum):
    """What a credit of units means for those that are not due: whether they are billed again."""

    KEPT = "kept"
    """They are refunded and stay with the customer: damaged, goodwill. They are not billed again."""
    AHEAD = "ahead"
    """They are refunded before they are cancelled, come back or are lost."""
    REBILL = "rebill"
    """The invoice was wrong: they are to be billed again."""


class InspectionOutcome(Enum):
    """What becomes of units that came back, once somebody has looked at them."""

    RESTOCK = "restock"
    """They are on sale again."""
    QUARANTINE = "quarantine"
    """They stay set aside."""
    DISCARD = "discard"
    """They leave the stock."""
    REJECT = "reject"
    """They stay the customer's, and are sent back."""


class Task(NamedTuple):
    """Something for a person to look at: a fact that contradicts what was there. ``facts`` say what, by name."""

    code: Name
    facts: tuple[tuple[Name, Name], ...] = ()


def with_tasks(tasks: tuple[Task, ...], more: Iterable[Task]) -> tuple[Task, ...]:
    """With more tasks, each once; of too many, the latest."""
    return tuple(dict.fromkeys((*tasks, *more)))[-MAX_TASKS:]


def without_task(tasks: tuple[Task, ...], code: str) -> tuple[Task, ...]:
    """Without the oldest task of a code, if there is one."""
    oldest = next((task for task in tasks if task.code == code), None)
    return tuple([task for task in tasks if task != oldest])


def has_task(tasks: tuple[Task, ...], code: str) -> Refusal | None:
    """Only a task that stands can be closed."""
    if any(task.code == code for task in tasks):
        return None
    return refuse("no_such_task", "there is no task {task}", task=code)


class DeliveryWish(Record):
    """Requested delivery: a date, and a time slot in the carrier's own code."""

    date: date
    slot: Name = ""

    def __str__(self) -> str:
        return f"{self.date} {self.slot}".rstrip()


class Gift(Record):
    """Gift data without its message, which is personal and kept with the party."""

    wrapping: Name = ""
    noshi: Name = ""


class LineQuantity(NamedTuple):
    """A number of units of one line."""

    line: Quantity
    quantity: Quantity


class StockRef(NamedTuple):
    """Names the stock row of one SKU at one location; printed as ``SKU@location``, the row's id."""

    sku: Sku
    location: Location

    def __str__(self) -> str:
        return f"{self.sku}{_AT}{self.location}"

    @classmethod
    def read(cls, text: str) -> StockRef:
        """From the printed form; a part that is missing is empty."""
        sku, _, location = text.partition(_AT)
        return cls(sku, location)


def stock_key(tenant: str, sku: str, location: str) -> Key:
    """The key of the stock row of one SKU at one location."""
    return Key(tenant, "stock", f"{sku}{_AT}{location}")


class PartyRef(NamedTuple):
    """Points to one immutable version of a party."""

    id: Id
    version: Quantity

    def __str__(self) -> str:
        return party_id(self.id, self.version)


def party_id(id: str, version: int) -> str:  # noqa: A002 - the field's own name
    """The row id of a party version, ``id@n``."""
    return f"{id}@{version}"


def _read_reference(text: str) -> PartyRef:
    party, _, version = text.rpartition("@")
    return PartyRef(party, int(version))


PartyRef.text_form = TextForm(str, _read_reference, re.compile(r".+@[1-9][0-9]{0,9}"), "ACME@1")  # type: ignore[attr-defined]


def summed(items: Iterable[tuple[K, int]]) -> dict[K, int]:
    """Quantities summed by name, in the order of first appearance; a name may appear more than once."""
    sums: dict[K, int] = {}
    for name, quantity in items:
        sums[name] = sums.get(name, 0) + quantity
    return sums
