"""Orders: their lines, their totals, and what was billed of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from orderflow.audit.checks import Balance, Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.billing.invoice_state import InvoiceState
from orderflow.domain.engine.limits import MAX_QUANTITY
from orderflow.domain.engine.workflow import EventContext
from orderflow.domain.orders.billing import UnitsBilled, UnitsUnbilled
from orderflow.domain.orders.content import InvoiceBasis, LineKind, OrderContent, totals_of
from orderflow.domain.orders.placing import OrderPlaced
from orderflow.domain.orders.shipping import ShipmentDispatched
from orderflow.domain.orders.state import Cancelled, HasProgress, lines_of
from orderflow.domain.values import MAX_LINES
from orderflow.errors import Key


class Orders(Check):
    """Orders one by one (I06, I12 to I16), and against the invoices they are billed on (I20)."""

    kinds = frozenset({"order", "invoice"})

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted)
        self._placed: OrderContent | None = None
        self._dispatched: Counter[int] = Counter()
        self._billed: Balance[str] = Balance()

    def event(self, seen: Seen) -> Iterator[Violation]:
        """Remember what was placed and dispatched; if dispatch is the basis, no more may be billed than dispatched.

        Voided invoices keep their lines, so the units that a void unbills still count as billed here.
        """
        event, order = seen.context.event, seen.context.key.id
        if isinstance(event, OrderPlaced):
            self._placed = event.content
        elif isinstance(event, ShipmentDispatched):
            for load in event.loads:
                self._dispatched[load.line] += load.quantity
        elif isinstance(event, UnitsUnbilled):
            for line, quantity in event.units:
                self._billed.add(order, quantity * hash((order, line)))
        elif isinstance(event, UnitsBilled):
            yield from self._within_dispatched(seen.context)

    def _within_dispatched(self, context: EventContext) -> Iterator[Violation]:
        if context.after.content.policy.invoice_basis is not InvoiceBasis.DISPATCHED:
            return
        billed = {item.line for item in context.event.lines}
        for line, vector in lines_of(context.after):
            if line.line in billed and line.kind is LineKind.GOODS:
                self.counted["I20"] += 1
                net, left = vector.invoiced - vector.credited, self._dispatched[line.line]
                if net > left:
                    yield Violation("I20", context.key, f"line {line.line}: {net} units billed, {left} dispatched")

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """Subtract an invoice's units from the balance; add an order's units, and check the order."""
        if key.kind == "invoice":
            self._on_invoice(state)
            return
        placed, self._placed = self._placed, None
        self._dispatched.clear()
        yield from _content(key, state.content, self.counted)
        if not hasattr(state, "progress"):
            return
        self.counted["I14"] += 1
        if placed is not None and state.content != placed:
            yield Violation("I14", key, "the content differs from what was placed")
        self.counted["I13"] += 1
        if state.totals != totals_of(state.content):
            yield Violation("I13", key, f"totals are {state.totals.gross}, lines give {totals_of(state.content).gross}")
        yield from self._lines(key, state)

    def _on_invoice(self, state: InvoiceState) -> None:
        for line in state.content.lines:
            self._billed.add(line.order, -line.quantity * hash((line.order, line.line)))

    def _lines(self, key: Key, state: HasProgress) -> Iterator[Violation]:
        self.counted["I15"] += isinstance(state, Cancelled)
        if isinstance(state, Cancelled) and (
            state.progress.exposed_minor or any(vector.unsent for vector in state.progress.lines)
        ):
            yield Violation("I15", key, "the cancelled order still holds stock or credit")
        for line, vector in lines_of(state):
            self.counted["I06"] += 1
            self._billed.add(key.id, vector.invoiced * hash((key.id, line.line)))
            if line.kind is LineKind.GOODS and vector.dispatched > line.quantity - vector.cancelled - vector.moved:
                yield Violation("I06", key, f"line {line.line}: more units shipped than were ordered and not cancelled")

    def end(self) -> Iterator[Violation]:
        """Report the orders whose invoices do not agree."""
        for order, _ in self._billed.left():
            yield Violation("I20", None, f"order {order!r}: units billed differ from those on its invoices")


def _content(key: Key, content: OrderContent, counted: Counter[str]) -> Iterator[Violation]:
    counted["I12"] += 1
    counted["I16"] += len(content.lines)
    for fault in content.faults():
        yield Violation("I12" if fault.code == "repeated" else "I13", key, str(fault))
    if not 1 <= len(content.lines) <= MAX_LINES or any(
        not 1 <= line.quantity <= MAX_QUANTITY for line in content.lines
    ):
        yield Violation("I16", key, "a quantity or the number of lines is out of bounds")
