"""Stock rows against their movements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from orderflow.audit.checks import Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.inventory.counting import StockAdjusted, StockCounted
from orderflow.domain.inventory.stock import (
    GoodsReceived,
    UnitsRestocked,
    UnitsShipped,
    UnitsTransferredIn,
    UnitsTransferredOut,
)
from orderflow.errors import Key

#: The movements that change what is on hand, and which way.
_SIGNS: Final = {
    GoodsReceived: 1,
    UnitsRestocked: 1,
    UnitsTransferredIn: 1,
    StockAdjusted: 1,
    StockCounted: 1,
    UnitsShipped: -1,
    UnitsTransferredOut: -1,
}


class Stocks(Check):
    """Units on hand follow from movements (I07)."""

    kinds = frozenset({"stock"})

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted)
        self._on_hand = 0

    def event(self, seen: Seen) -> tuple[Violation, ...]:
        """Add up the movements."""
        event = seen.context.event
        sign = _SIGNS.get(type(event), 0)
        if sign:
            self._on_hand += sign * event.quantity + getattr(event, "found", 0)
        return ()

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """Check a stock row against its movements."""
        moved, self._on_hand = self._on_hand, 0
        self.counted["I07"] += 1
        if whole and state.on_hand != moved:
            yield Violation("I07", key, f"{state.on_hand} on hand, movements sum to {moved}")
