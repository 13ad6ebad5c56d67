"""E06: a storage is closed while eight threads read, write and lease."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.engine.decide import Message
from orderflow.domain.values import stock_key
from orderflow.errors import ConcurrencyConflict, OrderFlowError, StorageError
from orderflow.ports.storage import Query
from orderflow.testing.storage_material import receipt

AT = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
KEYS = [stock_key("main", f"SKU-{number}", "TOKYO") for number in range(20)]
ROUNDS = 20


def writing(storage: SqliteStorage, worker: int) -> Callable[[int], None]:
    """Receives goods, with a message for each."""

    def work(lap: int) -> None:
        key, name = KEYS[lap % len(KEYS)], f"{worker}/{lap}"
        with storage.unit() as unit:
            batch = receipt(name, key, unit.load([key])[key])
            unit.commit(type(batch)(batch.commands, batch.writes, batch.entries, (Message(name, "notify", key),)))

    return work


def reading(storage: SqliteStorage, worker: int) -> Callable[[int], None]:
    """Reads rows, listings, sums and the feed."""

    def work(lap: int) -> None:
        storage.read(KEYS)
        storage.find(Query("stock", text="sku"))
        storage.sums("stock", ["on_hand"])
        list(storage.history(KEYS[lap % len(KEYS)]))
        storage.entries(0, 100)

    return work


def leasing(storage: SqliteStorage, worker: int) -> Callable[[int], None]:
    """Leases and puts off."""

    def work(lap: int) -> None:
        storage.due(AT)
        for lease in storage.lease("notify", 5, AT, AT + timedelta(seconds=60)):
            storage.retry(lease, AT, "later")
        storage.pending()

    return work


def close_under_way(path: Path, *, exclusive: bool) -> None:
    """Close a storage at which eight threads are at work; each must end with a typed error."""
    storage = SqliteStorage(path, exclusive=exclusive)
    works = [make(storage, worker) for worker, make in enumerate((writing, reading, leasing, reading) * 2)]
    ends: list[BaseException] = []
    under_way = threading.Barrier(len(works) + 1)

    def run(work: Callable[[int], None]) -> None:
        under_way.wait()
        for lap in count():
            try:
                work(lap)
            except ConcurrencyConflict:
                continue
            except BaseException as error:  # noqa: BLE001 - any end is noted
                ends.append(error)
                return

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    under_way.wait()
    threading.Event().wait(0.05)
    storage.close()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert len(ends) == len(works)
    assert all(isinstance(error, StorageError) for error in ends), ends
    check_closed(storage)


def check_closed(storage: SqliteStorage) -> None:
    """Every call gives a typed error once a storage is closed."""
    calls: list[Callable[[], object]] = [
        lambda: storage.unit().__enter__(),
        lambda: storage.read(KEYS),
        lambda: storage.find(Query("stock")),
        lambda: storage.sums("stock", ["on_hand"]),
        lambda: list(storage.history(KEYS[0])),
        lambda: storage.entries(0, 1),
        storage.movements,
        lambda: storage.due(AT),
        lambda: storage.lease("notify", 1, AT, AT),
        lambda: storage.requeue("m", AT),
        storage.dead_letters,
        storage.pending,
    ]
    for call in calls:
        with pytest.raises(OrderFlowError, match="closed"):
            call()
    storage.close()


@pytest.mark.parametrize("exclusive", [False, True])
def test_e06_close_lets_what_is_under_way_end_and_the_process_lives(exclusive: bool, tmp_path: Path) -> None:
    """Threads at work get a typed error, every later call too, and no process dies of it, however often it is tried."""
    tried = subprocess.run(
        [sys.executable, __file__, str(tmp_path), str(int(exclusive))],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (tried.returncode, tried.stderr) == (0, "")


def test_e06_close_waits_for_a_unit_only_so_long(tmp_path: Path) -> None:
    """A unit that does not end keeps its connection, and whoever closes is told; nothing new begins all the same."""
    storage = SqliteStorage(tmp_path / "shop.db", timeout_seconds=0.05)
    entered, leave = threading.Event(), threading.Event()
    ends: list[BaseException] = []

    def hold() -> None:
        try:
            with storage.unit() as unit:
                unit.load(KEYS)
                entered.set()
                leave.wait(10)
                unit.commit(receipt("c-1", KEYS[0], unit.load(KEYS)[KEYS[0]]))
        except BaseException as error:  # noqa: BLE001 - noted
            ends.append(error)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(10)
    with pytest.raises(StorageError, match="still using the storage"):
        storage.close()
    with pytest.raises(StorageError, match="closed"):
        storage.pending()
    leave.set()
    holder.join(10)
    assert ends == []


if __name__ == "__main__":
    for number in range(ROUNDS):
        close_under_way(Path(sys.argv[1]) / f"{number}.db", exclusive=bool(int(sys.argv[2])))
