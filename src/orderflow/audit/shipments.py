"""Shipments: what left in them is what their orders say, and no two have the same tracking number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from orderflow.audit.checks import Balance, Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.orders.shipping import ShipmentDispatched
from orderflow.domain.shipping.state import ShippingLabel
from orderflow.errors import Key


class Shipments(Check):
    """Shipments against orders (I29), and their labels (I30)."""

    kinds = frozenset({"shipment", "order"})

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted)
        self._left: Balance[str] = Balance()
        self._numbers: set[int] = set()

    def event(self, seen: Seen) -> tuple[Violation, ...]:
        """Add what an order says was dispatched."""
        event = seen.context.event
        if isinstance(event, ShipmentDispatched):
            for load in event.loads:
                units = load.quantity * hash((event.shipment, load.line, load.location))
                self._left.add(seen.context.key.id, units)
        return ()

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """Subtract the items of a shipment that has left, and check that no other has its tracking number."""
        if key.kind != "shipment":
            return
        label, carriage = getattr(state, "label", None), getattr(state, "carriage", None)
        if carriage is not None:
            label = carriage.label
            for item in state.items:
                self.counted["I29"] += 1
                self._left.add(item.order, -item.quantity * hash((key.id, item.line, item.location)))
        if label is not None:
            yield from self._label(key, label)

    def _label(self, key: Key, label: ShippingLabel) -> Iterator[Violation]:
        self.counted["I30"] += 1
        number = hash((label.carrier, label.tracking_number))
        if number in self._numbers:
            yield Violation("I30", key, f"tracking number {label.tracking_number!r} belongs to another shipment too")
        self._numbers.add(number)

    def end(self) -> Iterator[Violation]:
        """Report the orders whose shipments do not agree."""
        for order, _ in self._left.left():
            yield Violation("I29", None, f"order {order!r}: what it dispatched differs from what left in its shipments")
