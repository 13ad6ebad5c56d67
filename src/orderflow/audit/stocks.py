"""Stock rows against their movements, and against the orders that hold and wait for their units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from orderflow.audit.checks import Balance, Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.inventory.counting import StockAdjusted, StockCounted
from orderflow.domain.inventory.stock import (
    GoodsReceived,
    UnitsRestocked,
    UnitsShipped,
    UnitsTransferredIn,
    UnitsTransferredOut,
)
from orderflow.domain.orders.state import HasProgress, lines_of
from orderflow.domain.values import StockRef
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
    """Units on hand follow from movements (I07); allocated and backordered units are those of the orders (I03)."""

    kinds = frozenset({"stock", "order"})

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted)
        self._on_hand = 0
        self._held: Balance[tuple[StockRef, str]] = Balance()

    def event(self, seen: Seen) -> tuple[Violation, ...]:
        """Add up the movements."""
        event = seen.context.event
        sign = _SIGNS.get(type(event), 0)
        if sign:
            self._on_hand += sign * event.quantity
        return ()

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """Check a stock row against its movements and subtract what it holds; add what an order holds."""
        if key.kind == "stock":
            yield from self._stock(key, state, whole=whole)
        elif hasattr(state, "progress"):
            self._order(state)

    def _stock(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        moved, self._on_hand = self._on_hand, 0
        self.counted["I07"] += 1
        if whole and state.on_hand != moved:
            yield Violation("I07", key, f"{state.on_hand} on hand, movements sum to {moved}")
        self.counted["I03"] += 1
        ref = StockRef.read(key.id)
        self._held.add((ref, "allocated"), -state.allocated)
        self._held.add((ref, "backordered"), -state.backordered)

    def _order(self, state: HasProgress) -> None:
        for line, vector in lines_of(state):
            for allotment in vector.allocated:
                self._held.add((StockRef(line.sku, allotment.location), "allocated"), allotment.quantity)
            for picking in vector.preparing:
                self._held.add((StockRef(line.sku, picking.location), "allocated"), picking.quantity)
            for waiting in vector.backordered:
                self._held.add((StockRef(line.sku, waiting.location), "backordered"), waiting.quantity)

    def end(self) -> Iterator[Violation]:
        """Report the rows and orders that do not agree."""
        for (ref, counter), more in self._held.left():
            than = f"{abs(more)} {'more' if more > 0 else 'fewer'} units {counter} than the row"
            yield Violation("I03", None, f"{ref}: orders have {than}")
