"""Orders on an SQLite file, each command durable: the library against SQL written by hand (see ``_by_hand``)."""

from __future__ import annotations

import itertools
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from _by_hand import ByHand
from _measure import Goal, Work, compare, interleaved, micro, print_head
from _sample import BUYER, LOCATION, SKUS, basket_of, picks_of

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.safety import commit_cost_microseconds
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.book import Book
from orderflow.domain.order.messages import (
    AllocateStock,
    ConfirmOrder,
    DispatchShipment,
    PlaceOrder,
    PrepareShipment,
)
from orderflow.domain.party import Person
from orderflow.domain.shipment.messages import HandOver, RecordDelivered
from orderflow.domain.standard import standard_book
from orderflow.domain.stock.messages import ReceiveGoods
from orderflow.facade import Do, OrderFlow
from orderflow.flows.advance import Plans
from orderflow.flows.prepare import Parcelling
from orderflow.ports.storage import Ack

GROUP: Final = 20
#: Least rate as a multiple of the floor's, by journal mode: one command a commit, and twenty.
GOALS: Final = {"delete": (0.7, 2.5), "wal": (0.45, 1.5)}


def life_of(number: int) -> Sequence[tuple[str, Any]]:
    """The five commands that take an order from placed to dispatched."""
    order, basket = f"o-{number:08}", basket_of(number, 3)
    picks = picks_of(basket)
    return (
        (order, PlaceOrder(basket)),
        (order, ConfirmOrder()),
        (order, AllocateStock(picks)),
        (order, PrepareShipment(f"{order}/1", picks)),
        (order, DispatchShipment(f"{order}/1", picks)),
    )


def one_by_one(shop: OrderFlow) -> Work:
    """One order, its five commands in five commits."""
    numbers = itertools.count()

    def work() -> int:
        for order, command in life_of(next(numbers)):
            shop.handle(order, command)
        return 1

    return work


def in_groups(shop: OrderFlow) -> Work:
    """Twenty orders, each step of all of them in one commit."""
    numbers = itertools.count()

    def work() -> int:
        lives = [life_of(number) for number in itertools.islice(numbers, GROUP)]
        for step in zip(*lives, strict=True):
            outcomes = shop.handle_many([Do(order, command) for order, command in step])
            assert all(isinstance(outcome, Ack) for outcome in outcomes)
        return GROUP

    return work


def whole(shop: OrderFlow) -> Work:
    """One order from received to completed: shipment, label, invoice and three notices."""
    numbers = itertools.count()

    def work() -> int:
        order = f"o-{next(numbers):08}"
        shop.receive(order, basket_of(int(order[2:]), 3))
        shop.advance(order)
        shop.relay()
        shop.handle(f"{order}/1", HandOver())
        shop.handle(f"{order}/1", RecordDelivered("delivered"))
        end = shop.advance(order)
        assert end.state == "Completed", end
        shop.relay()
        return 1

    return work


def by_hand(path: Path, storage: SqliteStorage, *, exclusive: bool) -> Work:
    """The floor in the same journal mode."""
    floor, numbers = ByHand(path, storage.mode, exclusive=exclusive), itertools.count()

    def work() -> int:
        floor.live(next(numbers))
        return 1

    return work


def shop_on(path: Path, book: Book, *, exclusive: bool) -> OrderFlow:
    """A shop with stock of every SKU on a fresh file."""
    storage = SqliteStorage(path, book.machines.values(), exclusive=exclusive)
    plans = Plans(parcelling=Parcelling(carrier="memory"))
    shop = OrderFlow(storage, book=book, carriers=[MemoryCarrier()], notifier=MemoryNotifier(), plans=plans)
    shop.handle_many([Do(f"SKU-{sku:04}@{LOCATION}", ReceiveGoods(900_000_000)) for sku in range(SKUS)])
    return shop


def measure(folder: Path, *, exclusive: bool) -> bool:
    """One journal mode; whether its goals are met."""
    lean, full = standard_book().only("order", "stock"), standard_book()
    shops = [shop_on(folder / name, lean, exclusive=exclusive) for name in ("one.db", "group.db")]
    life = shop_on(folder / "whole.db", full, exclusive=exclusive)
    life.record_party(BUYER.id, Person(name="Ann", email="ann@example.org"))
    storage = shops[0].storage
    assert isinstance(storage, SqliteStorage)
    cost = commit_cost_microseconds(folder, storage.mode, exclusive=exclusive)
    measured = interleaved(
        {
            "floor": by_hand(folder / "floor.db", storage, exclusive=exclusive),
            "one": one_by_one(shops[0]),
            "group": in_groups(shops[1]),
            "whole": whole(life),
        },
        seconds=0.5,
        rounds=15,
    )
    mode = storage.mode
    print_head(f"journal {mode.journal_mode}, synchronous {mode.synchronous}, orders a second", "wall time")
    print(f"a commit of one row takes {cost} us on this disk now: the slower, the nearer the first ratio comes to 1")
    single, grouped = GOALS[mode.journal_mode]
    goals = (
        Goal("five commands, one a commit", "one", "floor", least=single),
        Goal(f"five commands, {GROUP} orders a commit", "group", "floor", least=grouped),
        Goal("received to completed, one command a commit", "whole", "floor", least=0),
    )
    met = [compare(goal, measured.wall, _rate) for goal in goals]
    print_head("the same, what an order costs", "processor time")
    for name, contender, _, _, _ in goals:
        compare(Goal(name, contender, "floor"), measured.processor, micro)
    return all(met)


def _rate(seconds: float) -> str:
    return f"{1 / seconds:.0f} /s"


def main() -> int:
    """Measure both modes and print; 1 when a goal is missed."""
    print(f"SQLite {sqlite3.sqlite_version}, three lines an order")
    met: list[bool] = []
    for exclusive in (False, True):
        with tempfile.TemporaryDirectory(prefix="orderflow-bench-") as place:
            met.append(measure(Path(place), exclusive=exclusive))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
