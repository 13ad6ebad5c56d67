"""Keys: which row of which tenant, and the order in which rows are locked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from orderflow.domain.engine.schema import Id, Quantity
from orderflow.errors import Key

__all__ = ["LineQuantity", "PartyRef", "Pick", "party_id", "stock_key", "summed"]


class Pick(NamedTuple):
    """``quantity`` units, at least 1, for ``line`` from ``location``."""

    line: Quantity
    location: Id
    quantity: Quantity


class LineQuantity(NamedTuple):
    """A number of units of one line."""

    line: Quantity
    quantity: Quantity


def stock_key(tenant: str, sku: str, location: str) -> Key:
    """The stock row of one SKU at one location."""
    return Key(tenant, "stock", f"{sku}@{location}")


class PartyRef(NamedTuple):
    """Points to one immutable version of a party."""

    id: Id
    version: Quantity

    def __str__(self) -> str:
        return party_id(self.id, self.version)


def party_id(id: str, version: int) -> str:  # noqa: A002 - the field's own name
    """The row id of a party version, ``id@n``."""
    return f"{id}@{version}"


K = TypeVar("K")


def summed(items: Iterable[tuple[K, int]]) -> dict[K, int]:
    """Quantities by name, in the order of first appearance, where a name may come more than once."""
    sums: dict[K, int] = {}
    for name, quantity in items:
        sums[name] = sums.get(name, 0) + quantity
    return sums
