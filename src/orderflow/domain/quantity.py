"""Quantities: exact integers in the SKU's smallest unit. Unknown is an error, never 0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from orderflow.domain.limits import MAX_QUANTITY
from orderflow.errors import Fault

__all__ = ["check_quantity", "summed"]

K = TypeVar("K")


def check_quantity(value: object, path: str, *, least: int = 1, most: int = MAX_QUANTITY) -> Fault | None:
    """The fault of a quantity that is not an integer from ``least`` to ``most``; None when it is one."""
    if not isinstance(value, int) or isinstance(value, bool):
        return Fault(path, "type", f"must be an integer, not {type(value).__name__}")
    if not least <= value <= most:
        return Fault(path, "range", f"must be from {least} to {most}")
    return None


def summed(items: Iterable[tuple[K, int]]) -> dict[K, int]:
    """Quantities by name, in the order of first appearance, where a name may come more than once."""
    sums: dict[K, int] = {}
    for name, quantity in items:
        sums[name] = sums.get(name, 0) + quantity
    return sums
