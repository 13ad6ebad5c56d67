"""Which earlier order lines a cancellation gives back: by customer, SKU and price, first in, first out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from orderflow.batch.documents import CancellationDocument, CancelledLine, OrderDocument
from orderflow.domain.price import Price

__all__ = ["Match", "Matcher"]


class Match(NamedTuple):
    """Units of a cancelled line that belong to an order line; ``order`` is empty for what matches nothing."""

    order: str
    line: int
    quantity: int


class Matcher:
    """Remembers what named customers have bought and not given back. A pure function of the documents so far."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str, Price], list[Match]] = {}

    def bought(self, document: OrderDocument) -> None:
        """Take the lines of an order in; guests and free lines can never be matched."""
        basket = document.basket
        if not basket.customer:
            return
        for line in basket.lines:
            if line.price.amount > 0:
                key = (basket.customer, line.sku, line.price)
                self._open.setdefault(key, []).append(Match(document.number, line.line, line.quantity))

    def given_back(self, document: CancellationDocument) -> list[list[Match]]:
        """For each line of a cancellation, the parts it matches, the unmatched rest last."""
        return [[*self._parts(document.customer, line)] for line in document.lines]

    def _parts(self, customer: str, line: CancelledLine) -> Iterator[Match]:
        waiting = self._open.get((customer, line.sku, line.price), [])
        left = line.quantity
        while left and waiting:
            first = waiting[0]
            taken = min(left, first.quantity)
            yield first._replace(quantity=taken)
            left -= taken
            if taken == first.quantity:
                waiting.pop(0)
            else:
                waiting[0] = first._replace(quantity=first.quantity - taken)
        if left:
            yield Match("", 0, left)
