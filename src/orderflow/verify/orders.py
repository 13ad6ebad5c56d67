"""What a single order must keep: its lines, its totals, what was billed of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from orderflow.domain.book import Happened
from orderflow.domain.invariants import Violation
from orderflow.domain.invoice.states import InvoiceState
from orderflow.domain.keys import Key
from orderflow.domain.limits import MAX_LINES, MAX_QUANTITY
from orderflow.domain.order.events import OrderPlaced, ShipmentDispatched, UnitsBilled, UnitsUnbilled
from orderflow.domain.order.states import Cancelled, Draft, Lived, cancellable, totals_of
from orderflow.domain.order.values import Basket, InvoiceBasis, LineKind
from orderflow.verify.checks import Balance, Check

__all__ = ["Orders"]


class Orders(Check):
    """Orders one by one (I06, I12 to I16), and against the invoices they are billed on (I20)."""

    kinds = frozenset({"order", "invoice"})

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted)
        self._placed: Basket | None = None
        self._dispatched: Counter[int] = Counter()
        self._billed: Balance[str] = Balance()

    def event(self, happened: Happened, version: int, *, root: bool) -> Iterator[Violation]:
        """Remember what was placed and dispatched; nothing is billed beyond it where dispatch is the basis.

        Voided invoices keep their lines, so units taken off them count as billed here.
        """
        event = happened.event
        if isinstance(event, OrderPlaced):
            self._placed = event.basket
        elif isinstance(event, ShipmentDispatched):
            for load in event.loads:
                self._dispatched[load.line] += load.quantity
        elif isinstance(event, UnitsUnbilled):
            for line, quantity in event.units:
                self._billed.add(happened.key.id, quantity * hash((happened.key.id, line)))
        elif isinstance(event, UnitsBilled):
            yield from self._within_dispatched(happened)

    def _within_dispatched(self, happened: Happened) -> Iterator[Violation]:
        basket = happened.after.basket
        if basket.policy.invoice_basis is not InvoiceBasis.DISPATCHED:
            return
        for billed in happened.event.lines:
            self.counted["I20"] += 1
            vector = happened.after.progress.lines[billed.line - 1]
            net, left = vector.invoiced - vector.credited, self._dispatched[billed.line]
            if basket.lines[billed.line - 1].kind is LineKind.GOODS and net > left:
                yield Violation("I20", happened.key, f"line {billed.line}: {net} units billed, {left} dispatched")

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """An invoice's units are taken off the balance; an order's are added and the order is looked at."""
        if key.kind == "invoice":
            self._on_invoice(state)
            return
        placed, self._placed = self._placed, None
        self._dispatched.clear()
        yield from _basket(key, state.basket, self.counted)
        if isinstance(state, Draft):
            return
        self.counted["I14"] += 1
        if placed is not None and state.basket != placed:
            yield Violation("I14", key, "the basket is not the one that was placed")
        self.counted["I13"] += 1
        if state.totals != totals_of(state.basket):
            yield Violation("I13", key, f"totals are {state.totals.gross}, lines give {totals_of(state.basket).gross}")
        yield from self._lines(key, state)

    def _on_invoice(self, state: InvoiceState) -> None:
        for line in state.content.lines:
            self._billed.add(line.order, -line.quantity * hash((line.order, line.line)))

    def _lines(self, key: Key, state: Lived) -> Iterator[Violation]:
        self.counted["I15"] += isinstance(state, Cancelled)
        if isinstance(state, Cancelled) and (
            state.progress.exposed_minor or any(map(cancellable, state.progress.lines))
        ):
            yield Violation("I15", key, "the cancelled order still holds stock or credit")
        for line, vector in zip(state.basket.lines, state.progress.lines, strict=False):
            self.counted["I06"] += 1
            self._billed.add(key.id, vector.invoiced * hash((key.id, line.line)))
            if line.kind is LineKind.GOODS and vector.dispatched > line.quantity - vector.cancelled - vector.moved:
                yield Violation("I06", key, f"line {line.line}: more is shipped than was ordered and not cancelled")

    def end(self) -> Iterator[Violation]:
        """Orders that their invoices do not agree with."""
        for order, _ in self._billed.left():
            yield Violation("I20", None, f"order {order!r}: units billed are not those on its invoices")


def _basket(key: Key, basket: Basket, counted: Counter[str]) -> Iterator[Violation]:
    counted["I12"] += 1
    counted["I16"] += len(basket.lines)
    for fault in basket.faults():
        yield Violation("I12" if fault.code == "not_consecutive" else "I13", key, str(fault))
    if not 1 <= len(basket.lines) <= MAX_LINES or any(not 1 <= line.quantity <= MAX_QUANTITY for line in basket.lines):
        yield Violation("I16", key, "a quantity or the number of lines is out of bounds")
