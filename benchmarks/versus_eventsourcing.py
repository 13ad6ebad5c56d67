"""The library against the package ``eventsourcing`` (extra ``bench``): the same orders on SQLite, side by side.

Both place an order of three lines, confirm it, allocate units of three stock rows, prepare and dispatch it: five
durable commits in WAL mode, stock and order in one of them where both change, no units sold that are not there. The
package has its default settings: it makes an aggregate from its events each time, and remembers no command.
"""

from __future__ import annotations

import itertools
import sqlite3
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from _measure import Goal, Work, compare, interleaved, print_head, rate
from _sample import LOCATION, SKUS, skus_of
from bench_sqlite import MEMORY, modelled_costs, one_by_one, shop_on
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from orderflow.domain.workflow.table import standard_workflow

LEAST: Final = 1.8


class Stock(Aggregate):
    """Units of a SKU at a location."""

    @event("Registered")
    def __init__(self, name: str, on_hand: int) -> None:
        self.name, self.on_hand, self.allocated = name, on_hand, 0

    @staticmethod
    def create_id(name: str) -> UUID:
        """The id that follows from the name."""
        return uuid5(NAMESPACE_URL, name)

    def allocate(self, order: str, quantity: int) -> None:
        """Take units for an order, if they are there."""
        assert self.on_hand - self.allocated >= quantity, "out of stock"
        self._allocated(order, quantity)

    @event("UnitsAllocated")
    def _allocated(self, order: str, quantity: int) -> None:
        self.allocated += quantity

    @event("UnitsShipped")
    def ship(self, order: str, quantity: int) -> None:
        """Units that were allocated leave."""
        self.allocated -= quantity
        self.on_hand -= quantity


class Order(Aggregate):
    """An order with its lines as plain data."""

    @event("Placed")
    def __init__(self, customer: str, external_id: str, lines: list[dict[str, Any]], total_minor: int) -> None:
        self.customer, self.external_id, self.lines, self.total_minor = customer, external_id, lines, total_minor
        self.status = "Placed"

    def move(self, before: str, after: str, shipment: str = "") -> None:
        """Go on to the next state."""
        assert self.status == before, f"{before} expected, not {self.status}"
        self._moved(after, shipment)

    @event("Moved")
    def _moved(self, after: str, shipment: str) -> None:
        self.status, self.shipment = after, shipment


class Shop(Application[UUID]):
    """Orders and stock, each command one save."""

    env: ClassVar[dict[str, str]] = {"PERSISTENCE_MODULE": "eventsourcing.sqlite"}

    def stock_up(self, sku: str) -> None:
        """Plenty of a SKU."""
        self.save(Stock(f"{sku}@{LOCATION}", 900_000_000))

    def place(self, number: int, lines: Sequence[str]) -> UUID:
        """A new order."""
        data = [{"line": n, "sku": sku, "quantity": n, "price": "2.55"} for n, sku in enumerate(lines, start=1)]
        order = Order(f"c-{number % 5000}", str(number), data, 1836)
        self.save(order)
        return order.id

    def move(self, order_id: UUID, before: str, after: str) -> None:
        """A step that moves no stock."""
        order: Order = self.repository.get(order_id)
        order.move(before, after, f"{order_id}/1")
        self.save(order)

    def stocked(self, order_id: UUID, before: str, after: str) -> None:
        """A step that moves stock."""
        order: Order = self.repository.get(order_id)
        order.move(before, after)
        rows: list[Stock] = []
        for line in order.lines:
            row: Stock = self.repository.get(Stock.create_id(f"{line['sku']}@{LOCATION}"))
            (row.allocate if after == "Allocated" else row.ship)(str(order_id), line["quantity"])
            rows.append(row)
        self.save(order, *rows)


def aggregates(path: Path) -> Work:
    """One order by the package."""
    shop, numbers = Shop(env={"SQLITE_DBNAME": str(path)}), itertools.count()
    for sku in range(SKUS):
        shop.stock_up(f"SKU-{sku:04}")

    def work() -> int:
        number = next(numbers)
        order = shop.place(number, [*skus_of(number, 3)])
        shop.move(order, "Placed", "Confirmed")
        shop.stocked(order, "Confirmed", "Allocated")
        shop.move(order, "Allocated", "Preparing")
        shop.stocked(order, "Preparing", "Shipped")
        return 1

    return work


def contenders(folder: Path) -> Mapping[str, Work]:
    """Both, each on a fresh file of its name."""
    ours, theirs = folder / "ours", folder / "theirs"
    works = {
        "ours": one_by_one(shop_on(ours, standard_workflow().only("order", "stock"), exclusive=True)),
        "theirs": aggregates(theirs),
    }
    with sqlite3.connect(theirs) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",), "as safe as ours, or it proves nothing"
        # Its log begins anew so often that pages are counted from an empty one.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return works


def main() -> int:
    """Measure and print; 1 when the goal is missed."""
    goal = Goal("five commands, one a commit", "ours", "theirs", least=LEAST)
    with tempfile.TemporaryDirectory(prefix="orderflow-bench-") as place:
        measured = interleaved(contenders(Path(place)), seconds=0.5, rounds=15)
    print_head("orders a second on SQLite; the floor is eventsourcing", "wall time")
    met = compare(goal, measured.wall, rate)
    if MEMORY.exists():
        with tempfile.TemporaryDirectory(prefix="orderflow-bench-", dir=MEMORY) as place:
            met &= compare(goal, modelled_costs(contenders(Path(place)), Path(place)), rate)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
