"""Keys: which row of which tenant, and the order in which rows are locked."""

from __future__ import annotations

from typing import Final, NamedTuple

from orderflow.domain.shape import Id, Quantity

__all__ = ["RANKS", "Key", "PartyRef", "lock_order", "party_id", "rank_of", "stock_key"]

#: Rows are loaded and locked in this order, then by id; climbing only is what rules out deadlock.
RANKS: Final[dict[str, int]] = {
    kind: rank
    for rank, kind in enumerate(
        (
            "customer",
            "party",
            "return",
            "credit_note",
            "shipment",
            "order",
            "intake",
            "payment",
            "invoice",
            "account",
            "series",
            "stock_note",
            "stock",
        )
    )
}

_LAST: Final = len(RANKS)


class Key(NamedTuple):
    """Names one row: ``tenant`` and ``id`` are opaque text, ``kind`` one of a book's machines."""

    tenant: str
    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    def beside(self, kind: str, id: str) -> Key:  # noqa: A002 - the field's own name
        """The key of another row of the same tenant."""
        return Key(self.tenant, kind, id)


def rank_of(kind: str) -> int:
    """Where a kind stands in the order of locks. Kinds of a host's own come last."""
    return RANKS.get(kind, _LAST)


def lock_order(key: Key) -> tuple[int, str, str]:
    """Sort key for loading: rank of the kind, then kind and id."""
    return (rank_of(key.kind), key.kind, key.id)


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
