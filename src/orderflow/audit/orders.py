"""Orders: their lines, their totals, and what was billed of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from orderflow.audit.checks import Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.engine.limits import MAX_QUANTITY
from orderflow.domain.engine.workflow import EventContext
from orderflow.domain.orders.amending import placed_content
from orderflow.domain.orders.billing import UnitsBilled
from orderflow.domain.orders.content import InvoiceBasis, LineKind, OrderContent, totals_of
from orderflow.domain.orders.parcels import DepartureRecorded
from orderflow.domain.orders.placing import OrderPlaced
from orderflow.domain.orders.shipping import ShipmentDispatched
from orderflow.domain.orders.state import Cancelled, HasProgress, lines_of
from orderflow.domain.values import MAX_LINES
from orderflow.errors import Key


class Orders(Check):
    """Orders one by one (I06, I12 to I16), and what was billed of them by what was dispatched (I20)."""

    kinds = frozenset({"order"})

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted)
        self._placed: OrderContent | None = None
        self._dispatched: Counter[int] = Counter()

    def event(self, seen: Seen) -> Iterator[Violation]:
        """Remember what was placed and dispatched; if dispatch is the basis, no more may be billed than dispatched."""
        event = seen.context.event
        if isinstance(event, OrderPlaced):
            self._placed = event.content
        elif isinstance(event, ShipmentDispatched | DepartureRecorded):
            for left in event.loads if isinstance(event, ShipmentDispatched) else event.taken:
                self._dispatched[left.line] += left.quantity
        elif isinstance(event, UnitsBilled):
            yield from self._within_dispatched(seen.context)

    def _within_dispatched(self, context: EventContext) -> Iterator[Violation]:
        if context.after.content.policy.invoice_basis is not InvoiceBasis.DISPATCHED:
            return
        billed = {item.line for item in context.event.lines}
        for line, vector in lines_of(context.after):
            if line.line in billed and line.kind is LineKind.GOODS:
                self.counted["I20"] += 1
                charged, left = vector.charged, self._dispatched[line.line]
                if charged > left:
                    yield Violation("I20", context.key, f"line {line.line}: {charged} units billed, {left} dispatched")

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """Check the order."""
        placed, self._placed = self._placed, None
        self._dispatched.clear()
        yield from _content(key, state.content, self.counted)
        if not hasattr(state, "progress"):
            return
        self.counted["I14"] += 1
        if placed is not None and placed_content(state) != placed:
            yield Violation("I14", key, "the content differs from what was placed")
        self.counted["I13"] += 1
        totals = totals_of(state.content, {line.line: vector.moved for line, vector in lines_of(state)})
        if state.totals != totals:
            yield Violation("I13", key, f"totals are {state.totals.gross}, lines give {totals.gross}")
        yield from self._lines(key, state)

    def _lines(self, key: Key, state: HasProgress) -> Iterator[Violation]:
        self.counted["I15"] += isinstance(state, Cancelled)
        if isinstance(state, Cancelled) and any(vector.unsent for vector in state.progress.lines):
            yield Violation("I15", key, "the cancelled order still holds stock")
        for line, vector in lines_of(state):
            self.counted["I06"] += 1
            if line.kind is LineKind.GOODS and vector.dispatched > line.quantity - vector.cancelled - vector.moved:
                yield Violation("I06", key, f"line {line.line}: more units shipped than were ordered and not cancelled")


def _content(key: Key, content: OrderContent, counted: Counter[str]) -> Iterator[Violation]:
    counted["I12"] += 1
    counted["I16"] += len(content.lines)
    for fault in content.faults():
        yield Violation("I12" if fault.code == "repeated" else "I13", key, str(fault))
    if not 1 <= len(content.lines) <= MAX_LINES or any(
        not 1 <= line.quantity <= MAX_QUANTITY for line in content.lines
    ):
        yield Violation("I16", key, "a quantity or the number of lines is out of bounds")
