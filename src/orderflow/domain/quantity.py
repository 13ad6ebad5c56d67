"""Quantities: exact integers in the SKU's smallest unit. Unknown is an error, never 0."""

from __future__ import annotations

from orderflow.domain.limits import MAX_QUANTITY
from orderflow.errors import Fault

__all__ = ["check_quantity"]


def check_quantity(value: object, path: str, *, least: int = 1, most: int = MAX_QUANTITY) -> Fault | None:
    """The fault of a quantity that is not an integer from ``least`` to ``most``; None when it is one."""
    if not isinstance(value, int) or isinstance(value, bool):
        return Fault(path, "type", f"must be an integer, not {type(value).__name__}")
    if not least <= value <= most:
        return Fault(path, "range", f"must be from {least} to {most}")
    return None
