"""Shipments: no two have the same tracking number, unless they are of one order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from orderflow.audit.checks import Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.shipping.state import Left, ShippingLabel
from orderflow.errors import Key


class Shipments(Check):
    """The labels of shipments (I30)."""

    kinds = frozenset({"shipment"})

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted)
        self._orders: dict[int, frozenset[str]] = {}

    def event(self, seen: Seen) -> tuple[Violation, ...]:
        """Rows say it all."""
        return ()

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """Check that no shipment of other orders has the same tracking number."""
        label = state.carriage.label if isinstance(state, Left) else getattr(state, "label", None)
        if label is not None:
            yield from self._label(key, label, frozenset(item.order for item in state.items))

    def _label(self, key: Key, label: ShippingLabel, orders: frozenset[str]) -> Iterator[Violation]:
        self.counted["I30"] += 1
        number = hash((label.carrier, label.tracking_number))
        others = self._orders.get(number, orders)
        if others.isdisjoint(orders):
            yield Violation("I30", key, f"tracking number {label.tracking_number!r} belongs to another shipment too")
        self._orders[number] = others | orders
