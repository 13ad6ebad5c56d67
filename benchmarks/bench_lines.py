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
from _sample import BUYER, content_of
from attrs import evolve, frozen

from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.domain.orders.content import OrderContent
from orderflow.domain.parties.party import Person
from orderflow.importing.documents import CancellationDocument, CancelledLine, Document, OrderDocument, Party
from orderflow.importing.pipeline import Pipeline
from orderflow.importing.wiring import import_workflow, shop_for, start_clock, storage_at

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
    timezone: str = "UTC"

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


def contents(lines: int) -> list[OrderContent]:
    """A thousand lines in contents of so many, each for a customer of its own."""
    return [content_of(number, lines) for number in range(LINES // lines)]


def order(number: int, content: OrderContent) -> OrderDocument:
    """A content as a document; few units a line, so that a shipment weighs little whatever its lines."""
    lines = tuple([evolve(line, quantity=1, net_minor=255) for line in content.lines])
    return OrderDocument(f"o-{number}", AT, number + 1, evolve(content, lines=lines), ANN)


def cancellation(document: OrderDocument) -> CancellationDocument:
    """All of an order given back."""
    content = document.content
    lines = tuple([CancelledLine(line.sku, line.quantity, line.price, line.tax, goods=True) for line in content.lines])
    number = f"C{document.number}"
    return CancellationDocument(number, AT, document.line, content.customer, content.currency, lines, content.tax, ANN)


def spent(path: Path, lines: int) -> Spent:
    """A fresh database, orders and then cancellations of so many lines each."""
    workflow, clock = import_workflow(), start_clock()
    storage = storage_at(path, workflow)
    shop = shop_for(storage, workflow, clock, notifier=MemoryNotifier())
    orders = [order(number, content) for number, content in enumerate(contents(lines))]
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
