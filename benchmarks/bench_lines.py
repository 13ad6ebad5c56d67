"""Long documents against short ones: what a line costs in an order, and in its cancellation, from file to completed.

A thousand lines each time: in one document, and in a hundred of ten lines.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from _measure import Goal, compare, micro, print_head
from _sample import BUYER, basket_of
from attrs import evolve, frozen

from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.batch.documents import CancellationDocument, CancelledLine, Document, OrderDocument, Party
from orderflow.batch.pipeline import Pipeline
from orderflow.batch.wiring import batch_book, shop_for, start_clock, storage_at
from orderflow.domain.order.values import Basket
from orderflow.domain.party import Person

LINES: Final = 1000
SIZES: Final = (10, LINES)
ROUNDS: Final = 7
AT: Final = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
ANN: Final = Party(BUYER, Person(name="Ann", email="ann@example.org"))


@frozen
class Listed:
    """Documents as a source."""

    listed: Sequence[Document]
    path: Path = Path()
    channel: str = "web"
    zone: str = "UTC"

    def count(self) -> int:
        """How many."""
        return len(self.listed)

    def documents(self) -> Iterator[Document]:
        """Each of them."""
        return iter(self.listed)


class Spent(NamedTuple):
    """Processor seconds a line: of the orders, and of the cancellations."""

    orders: float
    cancellations: float


def baskets(lines: int) -> list[Basket]:
    """A thousand lines in baskets of so many, each for a customer of its own."""
    return [basket_of(number, lines) for number in range(LINES // lines)]


def order(number: int, basket: Basket) -> OrderDocument:
    """A basket as a document; few units a line, so that a shipment weighs little whatever its lines."""
    lines = tuple([evolve(line, quantity=1, net_minor=255) for line in basket.lines])
    return OrderDocument(f"o-{number}", AT, number + 1, evolve(basket, lines=lines), ANN)


def cancellation(document: OrderDocument) -> CancellationDocument:
    """All of an order given back."""
    basket = document.basket
    lines = tuple([CancelledLine(line.sku, line.quantity, line.price, line.tax, goods=True) for line in basket.lines])
    number = f"C{document.number}"
    return CancellationDocument(number, AT, document.line, basket.customer, basket.currency, lines, basket.tax, ANN)


def spent(path: Path, lines: int) -> Spent:
    """A fresh database, orders and then cancellations of so many lines each."""
    book, clock = batch_book(), start_clock()
    storage = storage_at(path, book)
    shop = shop_for(storage, book, clock, notifier=MemoryNotifier())
    orders = [order(number, basket) for number, basket in enumerate(baskets(lines))]
    pipeline = Pipeline(shop, Listed([*orders, *map(cancellation, orders)]), clock, "lines", receive=True)
    begun: list[float] = []
    pipeline.advanced = lambda done: begun.append(time.process_time()) if done == len(orders) else None
    start = time.process_time()
    pipeline.run()
    end = time.process_time()
    assert not pipeline.refused, pipeline.refused[0]
    storage.close()
    return Spent((begun[0] - start) / LINES, (end - begun[0]) / LINES)


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    found: dict[int, list[Spent]] = {lines: [] for lines in SIZES}
    with tempfile.TemporaryDirectory(prefix="orderflow-bench-") as place:
        for turn, lines in itertools.product(range(ROUNDS + 1), SIZES):
            each = spent(Path(place) / f"{turn}-{lines}.db", lines)
            if turn:
                found[lines].append(each)
    print_head(f"a line in documents of {LINES}; the floor is in documents of 10", "processor time")
    met = []
    for name in Spent._fields:
        costs = {str(lines): [getattr(each, name) for each in all_] for lines, all_ in found.items()}
        met.append(compare(Goal(f"{name}, a line", str(LINES), "10", most=1), costs, micro))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
