"""Which earlier order lines a cancellation gives back: by customer, SKU and price, first in, first out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final, NamedTuple

from orderflow.domain.money.price import Price
from orderflow.importing.documents import CancellationDocument, CancelledLine, OrderDocument


class Match(NamedTuple):
    """Units of a cancelled line that belong to an order line; ``order`` is empty for units that match nothing."""

    order: str
    line: int
    quantity: int


#: Order lines, each with the units not given back yet (``left``).
_TABLE: Final = """
PRAGMA journal_mode = OFF;
CREATE TABLE bought (
    n INTEGER PRIMARY KEY, customer TEXT, sku TEXT, price TEXT, "order" TEXT, line INTEGER, left INTEGER
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

    def close(self) -> None:
        """Discard the temporary database."""
        self._db.close()

    def bought(self, document: OrderDocument) -> None:
        """Remember the lines of an order; guests' orders and free lines are never matched."""
        content, order = document.content, document.number
        if content.customer:
            self._db.executemany(
                'INSERT INTO bought (customer, sku, price, "order", line, left) VALUES (?, ?, ?, ?, ?, ?)',
                [
                    (
                        content.customer,
                        line.sku,
                        _text(line.price),
                        order,
                        line.line,
                        line.quantity,
                    )
                    for line in content.lines
                    if line.price.amount > 0
                ],
            )

    def given_back(self, document: CancellationDocument) -> list[list[Match]]:
        """For each line of a cancellation, the parts that match order lines, then the rest that matches nothing."""
        return [[*self._parts(document, line)] for line in document.lines]

    def _parts(self, document: CancellationDocument, line: CancelledLine) -> Iterator[Match]:
        left = line.quantity
        while left and (first := self._first(document.customer, line)):
            n, order, number, kept = first
            taken = min(left, kept)
            yield Match(order, number, taken)
            left -= taken
            if taken == kept:
                self._db.execute("DELETE FROM bought WHERE n = ?", (n,))
            else:
                self._db.execute("UPDATE bought SET left = ? WHERE n = ?", (kept - taken, n))
        if left:
            yield Match("", 0, left)

    def _first(self, customer: str, line: CancelledLine) -> tuple[int, str, int, int] | None:
        """The oldest order line that a cancelled line may give back."""
        found: tuple[int, str, int, int] | None = self._db.execute(
            'SELECT n, "order", line, left FROM bought WHERE customer = ? AND sku = ? AND price = ? ORDER BY n LIMIT 1',
            (customer, line.sku, _text(line.price)),
        ).fetchone()
        return found


_text: Final = Price.text_form.write


def invoice_of(order: str) -> str:
    """The id of an imported order's first invoice."""
    return f"{order}/1"
