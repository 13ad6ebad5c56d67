"""Which earlier order lines a cancellation gives back: by customer, SKU and price, first in, first out."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from orderflow.domain.billing.credit_note import CreditedBefore
from orderflow.domain.money.price import Price
from orderflow.domain.money.split import cumulative
from orderflow.domain.money.tax import TaxCategory, TaxRounding
from orderflow.importing.documents import CancellationDocument, CancelledLine, OrderDocument


class Match(NamedTuple):
    """Units of a cancelled line that belong to an order line, and their amount in minor units.

    ``order`` is empty for units that match nothing. ``before`` is what earlier cancellations credited of the order's
    invoice in the tax group of the line, None if nothing.
    """

    order: str
    line: int
    quantity: int
    net_minor: int
    before: CreditedBefore | None = None


#: Order lines, each with the units not given back yet (``left``) and the quantity and amount ordered.
_TABLE: Final = """
PRAGMA journal_mode = OFF;
CREATE TABLE bought (
    n INTEGER PRIMARY KEY, customer TEXT, sku TEXT, price TEXT, "order" TEXT, line INTEGER, left INTEGER,
    quantity INTEGER, net_minor INTEGER
);
CREATE INDEX bought_by ON bought (customer, sku, price, n);
"""


class Matcher:
    """Remembers what named customers have bought and not given back. Its answers depend only on the documents so far.

    It uses a temporary database that grows on disk, because a file may hold more lines than fit in memory.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_TABLE)
        self._credited: dict[tuple[str, TaxCategory], CreditedBefore] = {}

    def close(self) -> None:
        """Discard the temporary database."""
        self._db.close()

    def bought(self, document: OrderDocument) -> None:
        """Remember the lines of an order; guests' orders and free lines are never matched."""
        content, order = document.content, document.number
        if content.customer:
            self._db.executemany(
                'INSERT INTO bought (customer, sku, price, "order", line, left, quantity, net_minor)'
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        content.customer,
                        line.sku,
                        _text(line.price),
                        order,
                        line.line,
                        line.quantity,
                        line.quantity,
                        line.net_minor,
                    )
                    for line in content.lines
                    if line.price.amount > 0
                ],
            )

    def given_back(self, document: CancellationDocument) -> list[list[Match]]:
        """For each line of a cancellation, the parts that match order lines, then the rest that matches nothing."""
        matches = [[*self._parts(document, line)] for line in document.lines]
        self._remember(document, matches)
        return matches

    def _parts(self, document: CancellationDocument, line: CancelledLine) -> Iterator[Match]:
        """Split a cancelled line; the parts of one order line always add up to its exact amount."""
        rounding, left = document.tax.rounding, line.quantity
        while left and (first := self._first(document.customer, line)):
            n, order, number, kept, quantity, whole = first
            taken = min(left, kept)
            net = cumulative(whole, quantity, quantity - kept, taken, rounding)
            yield Match(order, number, taken, net, self._credited.get((order, line.tax)))
            left -= taken
            if taken == kept:
                self._db.execute("DELETE FROM bought WHERE n = ?", (n,))
            else:
                self._db.execute("UPDATE bought SET left = ? WHERE n = ?", (kept - taken, n))
        if left:
            yield Match("", 0, left, line.price.line_minor(left, rounding))

    def _first(self, customer: str, line: CancelledLine) -> tuple[int, str, int, int, int, int] | None:
        """The oldest order line that a cancelled line may give back."""
        found: tuple[int, str, int, int, int, int] | None = self._db.execute(
            'SELECT n, "order", line, left, quantity, net_minor FROM bought'
            " WHERE customer = ? AND sku = ? AND price = ? ORDER BY n LIMIT 1",
            (customer, line.sku, _text(line.price)),
        ).fetchone()
        return found

    def _remember(self, document: CancellationDocument, matches: list[list[Match]]) -> None:
        """Remember what this cancellation credits, for the next one; only tax rounded per document needs it."""
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


_text: Final = Price.text_form.write


def invoice_of(order: str) -> str:
    """The id of an imported order's first invoice."""
    return f"{order}/1"
