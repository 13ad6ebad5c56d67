"""Which earlier order lines a cancellation gives back: by customer, SKU and price, first in, first out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from orderflow.domain.billing.credit_note import CreditedBefore
from orderflow.domain.money.price import Price
from orderflow.domain.money.split import cumulative
from orderflow.domain.money.tax import TaxCategory, TaxRounding
from orderflow.importing.documents import CancellationDocument, CancelledLine, OrderDocument

__all__ = ["Match", "Matcher", "invoice_of"]


class Match(NamedTuple):
    """Units of a cancelled line that belong to an order line, and their amount in minor units.

    ``order`` is empty for what matches nothing. ``before`` is what earlier cancellations credited of the order's
    invoice in the tax group of the line; None where that is nothing.
    """

    order: str
    line: int
    quantity: int
    net_minor: int
    before: CreditedBefore | None = None


class _Bought(NamedTuple):
    """An order line: the units not given back yet, the units and the amount it was ordered with."""

    order: str
    line: int
    left: int
    quantity: int
    net_minor: int


class Matcher:
    """Remembers what named customers have bought and not given back. A pure function of the documents so far."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str, Price], list[_Bought]] = {}
        self._credited: dict[tuple[str, TaxCategory], CreditedBefore] = {}

    def bought(self, document: OrderDocument) -> None:
        """Take the lines of an order in; guests and free lines can never be matched."""
        content, order = document.content, document.number
        if not content.customer:
            return
        for line in content.lines:
            if line.price.amount > 0:
                key = (content.customer, line.sku, line.price)
                bought = _Bought(order, line.line, line.quantity, line.quantity, line.net_minor)
                self._open.setdefault(key, []).append(bought)

    def given_back(self, document: CancellationDocument) -> list[list[Match]]:
        """For each line of a cancellation, the parts it matches, the unmatched rest last."""
        matches = [[*self._parts(document, line)] for line in document.lines]
        self._remember(document, matches)
        return matches

    def _parts(self, document: CancellationDocument, line: CancelledLine) -> Iterator[Match]:
        """The parts of one order line end exactly on its amount, however many cancellations give it back."""
        waiting = self._open.get((document.customer, line.sku, line.price), [])
        rounding, left = document.tax.rounding, line.quantity
        while left and waiting:
            order, number, kept, quantity, whole = first = waiting[0]
            taken = min(left, kept)
            net = cumulative(whole, quantity, quantity - kept, taken, rounding)
            yield Match(order, number, taken, net, self._credited.get((order, line.tax)))
            left -= taken
            if taken == kept:
                waiting.pop(0)
            else:
                waiting[0] = first._replace(left=kept - taken)
        if left:
            yield Match("", 0, left, line.price.line_minor(left, rounding))

    def _remember(self, document: CancellationDocument, matches: list[list[Match]]) -> None:
        """What this cancellation credits is before the next one; not so where tax is rounded on units or lines."""
        if document.tax.rounding_level is not TaxRounding.PER_DOCUMENT:
            return
        sums = Counter[tuple[str, TaxCategory]]()
        for line, parts in zip(document.lines, matches, strict=True):
            for match in parts:
                if match.order:
                    sums[match.order, line.tax] += match.net_minor
        for (order, category), amount in sums.items():
            before = self._credited.get((order, category)) or CreditedBefore(invoice_of(order), category, 0, 0)
            self._credited[order, category] = before.plus(amount, document.tax)


def invoice_of(order: str) -> str:
    """The invoice of an order of a file: its first."""
    return f"{order}/1"
