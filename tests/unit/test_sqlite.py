"""The SQLite storage beyond the contract: layout, plans, counts, crashes, processes, privacy, safety."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Self

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from orderflow.adapters.storage import reads
from orderflow.adapters.storage.layout import LAYOUT, table_of
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.session import KeptRow, RowCache, Session
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.billing.account import ACCOUNT, Account, Sums
from orderflow.domain.engine.decide import NOTHING, Entry, Loaded, Message
from orderflow.domain.engine.machine import ABSENT, Absent, Machine, rule
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.machine import STOCK
from orderflow.domain.inventory.stock import GoodsReceived
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import OrderContent, OrderLine
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.placing import OrderPlaced, PlaceOrder
from orderflow.domain.parties.party import PARTY, Person, RecordParty
from orderflow.domain.values import PartyRef, stock_key
from orderflow.errors import ConcurrencyConflict, DefinitionError, InputError, Key, StorageError
from orderflow.ports.storage import Batch, Query, Redacted, Storage, Write
from orderflow.testing.storage_material import command, receipt, received, store

ANN = PartyRef("ann", 1)

MACHINES = (STOCK, ORDER, PARTY, ACCOUNT)
AT = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
SKUS = ("TEA-1", "TEA-2", "CUP-9")
ROW = stock_key("main", "TEA-1", "TOKYO")
KNOWN = KeptRow(7, 8, 0, Loaded(1, "state 1"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "shop.db"


@pytest.fixture
def storage(path: Path) -> Iterator[SqliteStorage]:
    """A storage on a fresh file."""
    with closing(SqliteStorage(path, MACHINES)) as opened:
        yield opened


def content(
    number: str = "SO-1", *, lines: int = 3, customer: str = "17850", tags: tuple[str, ...] = ()
) -> OrderContent:
    """What was ordered, in some lines."""
    price, tax = Price(Decimal("2.55"), "GBP"), TaxCategory("S", Decimal(20))
    made = tuple(OrderLine.of(n + 1, SKUS[n % 3], n + 1, price, tax, description=f"Tea {n}") for n in range(lines))
    return OrderContent(
        "GBP", made, TaxPolicy(), customer, number, "", f"X{number}", bill_to=ANN, ship_to=ANN, tags=tags
    )


def placed(number: str = "SO-1", at: datetime = AT, **facts: Any) -> Batch:
    """A batch that places an order."""
    key = Key("main", "order", number)
    event, state = ORDER.step(ABSENT, PlaceOrder(content(number, **facts)), Stamp(at, "me", f"{number}/place"))
    entry = Entry(key, 1, event, f"{number}/place")
    return Batch((command(f"{number}/place", key, 1, at=at),), (Write(key, 0, 1, state, at),), (entry,))


def values(path: Path, text: str) -> list[tuple[Any, ...]]:
    """What somebody with SQL sees."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(text).fetchall()


# --- a database people can read ---


def test_an_order_is_legible(storage: SqliteStorage, path: Path) -> None:
    """A colleague with SQL finds number, customer, total and lines of an order in columns."""
    store(storage, placed(tags=("vip",)))
    assert values(path, "SELECT number, customer, currency, placed_at, total_minor, status, tags FROM orders") == [
        ("SO-1", "17850", "GBP", "2026-03-31T09:30:00", 1836, "Placed", '["vip"]')
    ]
    assert values(path, "SELECT order_id, line, sku, quantity, price, net_minor, kind FROM order_lines") == [
        ("SO-1", 1, "TEA-1", 1, "2.55 GBP", 255, "goods"),
        ("SO-1", 2, "TEA-2", 2, "2.55 GBP", 510, "goods"),
        ("SO-1", 3, "CUP-9", 3, "2.55 GBP", 765, "goods"),
    ]


def test_stock_and_its_movements_are_legible(storage: SqliteStorage, path: Path) -> None:
    """Stock rows have their counters in columns; their movements are the stock journal, seen through a view."""
    received(storage, "c-1", stock_key("main", "CUP-9", "TOKYO"), 5)
    assert values(path, "SELECT sku, location, on_hand, shortfall FROM stock") == [("CUP-9", "TOKYO", 5, 0)]
    assert values(path, "SELECT stock, type, at, actor, command_id FROM stock_movements") == [
        ("CUP-9@TOKYO", "GoodsReceived", "2026-03-31T09:30:00", "tester", "c-1")
    ]


def test_account_sums_are_legible(storage: SqliteStorage, path: Path) -> None:
    """The sums of an account, kept by currency in one state, are rows of a view."""
    key = Key("main", "account", "17850")
    state = Account((Sums("GBP", 1, 2, 3), Sums("JPY", 0, 5)))
    store(storage, Batch((command("c-1", key, 1),), (Write(key, 0, 1, state, AT),), ()))
    assert values(path, "SELECT customer, currency, ordered_minor, invoiced_minor, paid_minor FROM account_sums") == [
        ("17850", "GBP", 1, 2, 0),
        ("17850", "JPY", 0, 5, 0),
    ]


def test_content_is_stored_once(storage: SqliteStorage, path: Path) -> None:
    """The content stands once, however often its order changes; state and event read back whole."""
    batch = placed()
    store(storage, batch)
    (write,), key = batch.writes, batch.writes[0].key
    with storage.unit() as unit:
        held = unit.load([key])[key]
        unit.commit(Batch((command("c-2", key, 2),), (Write(key, 1, 2, held.state, AT),), ()))
    assert values(path, "SELECT position FROM journal WHERE data LIKE '%Tea%'") == [(1,)]
    assert values(path, "SELECT content FROM orders") == [(1,)]
    assert values(path, "SELECT count(*) FROM orders WHERE state LIKE '%Tea%'") == [(0,)]
    with closing(SqliteStorage(path, MACHINES)) as fresh:
        assert [entry.event for entry in fresh.history(key)] == [batch.entries[0].event]
        with fresh.unit() as unit:
            assert unit.load([key])[key] == Loaded(2, write.state, AT)


def test_edited_content_is_stored_again(storage: SqliteStorage, path: Path) -> None:
    """What no event brought as it is stands in the state, and is what is read."""
    batch = placed()
    store(storage, batch)
    key, state = batch.writes[0].key, batch.writes[0].state
    other = evolve(state, content=content(customer="other"))
    store(storage, Batch((command("c-2", key, 2),), (Write(key, 1, 2, other, AT),), ()))
    with closing(SqliteStorage(path, MACHINES)) as fresh, fresh.unit() as unit:
        assert unit.load([key])[key] == Loaded(2, other, AT)
    assert values(path, "SELECT count(*) FROM order_lines") == [(3,)]


def test_old_rows_are_brought_to_the_present_and_written_so(path: Path) -> None:
    """A row says which schema version its state has; the next write is of the present one."""
    with closing(SqliteStorage(path, MACHINES)) as old:
        received(old, "c-1", ROW, 5)
    told: list[dict[str, Any]] = []

    def counted(data: dict[str, Any]) -> dict[str, Any]:
        told.append(data)
        return {**data, "incoming": 3}

    machines = [STOCK.upcasting(StockLevel, counted)]
    with closing(SqliteStorage(path, machines)) as storage:
        assert [row.state for row in storage.find(Query("stock"))] == [StockLevel(5, incoming=3)]
        told.clear()
        store(storage, Batch((), (Write(ROW, 1, 2, storage.read([ROW])[ROW].state, AT),), ()))
    assert values(path, "SELECT version, schema FROM stock") == [(2, 2)]
    with closing(SqliteStorage(path, machines)) as storage:
        assert storage.read([ROW])[ROW].state == StockLevel(5, incoming=3)
    assert told == [{"on_hand": 5}]
    with closing(SqliteStorage(path, MACHINES)) as storage, pytest.raises(StorageError, match="unknown schema version"):
        storage.read([ROW])


# --- a kind of a host's own ---


class Wrap(Command):
    """Wrap a gift."""


class GiftWrapped(Event):
    """A gift was wrapped."""


@frozen
class Wrapped:
    """Wrapped."""


def machine_of(kind: str) -> Machine:
    """The smallest machine there is."""
    wrap = rule(Absent, Wrap, GiftWrapped, Wrapped, lambda s, e: Wrapped())
    return Machine(kind, rules=(wrap,), final=(Wrapped,))


def test_a_host_has_kinds_of_its_own(path: Path) -> None:
    """A kind of a host's own gets a table, also in a file that was made without it."""
    SqliteStorage(path, MACHINES).close()
    with closing(SqliteStorage(path, (*MACHINES, machine_of("gift_wrap")))) as storage:
        key = Key("main", "gift_wrap", "G-1")
        store(storage, Batch((command("c-1", key, 1),), (Write(key, 0, 1, Wrapped(), AT),), ()))
        assert [row.state for row in storage.find(Query("gift_wrap", text="g-"))] == [Wrapped()]
    assert values(path, "SELECT id, status FROM x_gift_wrap") == [("G-1", "Wrapped")]


@pytest.mark.parametrize("kind", ["", "Gift", "gift wrap", "a; DROP TABLE orders", "x" * 41, "贈り物"])
def test_a_kind_that_cannot_name_a_table_is_refused(kind: str) -> None:
    """A table is never named by text that was not checked."""
    with pytest.raises(DefinitionError):
        table_of(kind)


def test_an_unknown_kind_is_refused(storage: SqliteStorage) -> None:
    """A kind that the workflow does not have is named as a fault of the input."""
    with storage.unit() as unit, pytest.raises(InputError, match="no machine 'ghost'"):
        unit.load([Key("main", "ghost", "1")])
    with pytest.raises(InputError, match="no machine 'ghost'"):
        storage.find(Query("ghost"))


# --- the vault ---


def test_the_journal_keeps_nothing_of_the_vault(storage: SqliteStorage, path: Path) -> None:
    """Personal data stands in its row alone: not in the journal, and nowhere in the file once it is erased."""
    key = Key("main", "party", "P-1@1")
    canary = "Canary Yellowfeather"
    event, state = PARTY.step(ABSENT, RecordParty(Person(canary)), Stamp(AT, "me", "c-1"))
    store(storage, Batch((command("c-1", key, 1),), (Write(key, 0, 1, state, AT),), (Entry(key, 1, event, "c-1"),)))
    assert [entry.event for entry in storage.history(key)] == [Redacted("PartyRecorded")]
    assert canary.encode() in path.read_bytes()
    erase = next(row.command for row in PARTY.rules if row.command.__name__ == "ErasePartyVersion")
    event, state = PARTY.step(state, erase(), Stamp(AT, "me", "c-2"))
    store(storage, Batch((command("c-2", key, 2),), (Write(key, 1, 2, state, AT),), (Entry(key, 2, event, "c-2"),)))
    storage.close()
    assert not [file.name for file in path.parent.iterdir() if canary.encode() in file.read_bytes()]


# --- opening ---


def test_a_file_of_a_later_layout_is_refused(path: Path) -> None:
    """A release does not touch what a later one wrote."""
    SqliteStorage(path, MACHINES).close()
    values(path, f"PRAGMA user_version = {LAYOUT + 1}")
    for read_only in (False, True):
        with pytest.raises(StorageError, match=f"layout {LAYOUT + 1}"):
            SqliteStorage(path, MACHINES, read_only=read_only)


def test_a_file_of_before_the_first_release_is_refused(path: Path) -> None:
    """Layouts are counted anew from 1, so a file that was counted otherwise is told by its mark."""
    values(path, "PRAGMA application_id = 1330007127")
    values(path, "PRAGMA user_version = 1")
    for read_only in (False, True):
        with pytest.raises(StorageError, match="before the first release") as caught:
            SqliteStorage(path, MACHINES, read_only=read_only)
        assert not caught.value.retry


def test_a_database_of_another_application_is_refused(path: Path) -> None:
    """Somebody else's tables are left alone."""
    values(path, "CREATE TABLE theirs (n INTEGER)")
    with pytest.raises(StorageError, match="another application"):
        SqliteStorage(path, MACHINES)
    assert values(path, "SELECT name FROM sqlite_schema") == [("theirs",)]


def test_what_is_no_database_is_refused(path: Path) -> None:
    """A file that is no database gives one sentence, with the foreign error as its cause."""
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError, match="not a database") as caught:
        SqliteStorage(path, MACHINES)
    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)
    assert not caught.value.retry


def test_an_old_library_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An SQLite that lacks what the statements need is named, before anything is opened."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(StorageError, match=r"3\.35 is needed"):
        SqliteStorage(path, MACHINES)
    assert not path.exists()


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A path that cannot be opened gives one sentence."""
    with pytest.raises(StorageError, match=r"cannot open '.*nowhere/shop\.db'"):
        SqliteStorage(tmp_path / "nowhere" / "shop.db", MACHINES)


def test_memory_is_not_a_file() -> None:
    """SQLite's name for memory would give each thread a database of its own."""
    with pytest.raises(InputError, match="MemoryStorage"):
        SqliteStorage(":memory:", MACHINES)


@pytest.mark.parametrize("path", [None, 5, b"shop.db", "shop\x00.db", ["shop.db"]])
def test_what_is_no_path_is_refused(path: Any) -> None:
    """A text with a null character would name another file."""
    with pytest.raises(InputError) as caught:
        SqliteStorage(path)
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [("path", "wrong_type")]


def test_a_time_that_is_none_is_a_storage_error(storage: SqliteStorage, path: Path) -> None:
    """A damaged time is said in the words of the library, whoever meets it."""
    received(storage, "c-1", ROW, 1)
    edit(path, "UPDATE stock SET changed_at = 'yesterday'", "UPDATE commands SET at = 'yesterday'")
    with closing(SqliteStorage(path, MACHINES)) as fresh:
        for act in (lambda: fresh.read([ROW]), lambda: [*fresh.history(ROW)], lambda: fresh.entries(0, 9)):
            with pytest.raises(StorageError, match="yesterday"):
                act()


def test_a_chain_that_bites_its_tail_ends(storage: SqliteStorage, path: Path) -> None:
    """A history whose entries point to each other in a circle, by damage, is read once."""
    received(storage, "c-1", ROW, 1)
    received(storage, "c-2", ROW, 1)
    edit(path, "UPDATE journal SET previous = 2 WHERE position = 1")
    assert [recorded.version for recorded in storage.history(ROW)] == [1, 2]


def edit(path: Path, *statements: str) -> None:
    """Damage a file by hand."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_reading_only_changes_nothing(storage: SqliteStorage, path: Path) -> None:
    """A storage opened to read answers queries and refuses everything else, and does not make a file."""
    received(storage, "c-1", ROW, 5)
    with closing(SqliteStorage(path, MACHINES, read_only=True)) as reader:
        assert [row.state for row in reader.find(Query("stock"))] == [StockLevel(5)]
        for refused in (reader.unit, lambda: reader.lease("t", 1, AT, AT), lambda: reader.requeue("m", AT)):
            with pytest.raises(StorageError, match="read-only"):
                refused()
    missing = path.with_name("missing.db")
    with pytest.raises(StorageError):
        SqliteStorage(missing, MACHINES, read_only=True)
    assert not missing.exists()


def test_a_closed_storage_says_so(storage: SqliteStorage) -> None:
    """After closing, a new connection is not opened behind the caller's back."""
    storage.close()
    with pytest.raises(StorageError, match="closed"), ThreadOf(storage.pending) as thread:
        thread.join()


def test_a_file_in_use_as_wal_is_not_opened_otherwise(path: Path) -> None:
    """Where the safe journal mode cannot be had, nothing is written in another."""
    with closing(SqliteStorage(path, MACHINES, exclusive=True)) as alone:
        received(alone, "c-1", ROW)
        with pytest.raises(StorageError, match="locked") as caught:
            SqliteStorage(path, MACHINES, timeout_seconds=0.05)
        assert caught.value.retry
    with closing(SqliteStorage(path, MACHINES)) as storage:
        assert storage.pending() == 0


class ThreadOf(threading.Thread):
    """Runs one call in a thread and raises here what it raised there."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__()
        self._call = call
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Called by the thread."""
        try:
            self._call()
        except BaseException as error:  # noqa: BLE001 - raised again in the other thread
            self._error = error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.join()
        if self._error is not None:
            raise self._error


# --- locks, constraints, crashes ---


def test_a_unit_in_a_unit_is_refused(storage: SqliteStorage) -> None:
    """One thread has one transaction at a time; another would wait for itself."""
    with storage.unit(), pytest.raises(StorageError, match="already open"):
        storage.unit().__enter__()
    received(storage, "c-1", ROW)


def test_a_locked_file_is_worth_another_try(storage: SqliteStorage, path: Path) -> None:
    """When another process holds the file for longer than the timeout, the error says to try again."""
    with closing(SqliteStorage(path, MACHINES, timeout_seconds=0.05)) as waiter, storage.unit():
        with pytest.raises(StorageError, match="locked") as caught, waiter.unit():
            pass
        assert caught.value.retry
    received(storage, "c-1", ROW)


def test_a_thread_waits_no_longer_than_its_timeout(path: Path) -> None:
    """Threads of one storage queue, and give up in time."""
    with closing(SqliteStorage(path, MACHINES, timeout_seconds=0.05)) as storage, storage.unit():
        with pytest.raises(StorageError, match="another thread") as caught, ThreadOf(storage.unit().__enter__):
            pass
        assert caught.value.retry


def test_the_law_of_stock_stands_in_the_database(storage: SqliteStorage) -> None:
    """What no rule may produce, no row can hold: a counter below 0 is refused by a constraint."""
    impossible = Batch((command("c-1", ROW, 1),), (Write(ROW, 0, 1, StockLevel(-1), AT),), ())
    with pytest.raises(StorageError, match="CHECK") as caught:
        store(storage, impossible)
    assert isinstance(caught.value.__cause__, sqlite3.IntegrityError)
    assert not caught.value.retry


def test_a_lease_that_breaks_off_leaves_nothing(storage: SqliteStorage, path: Path) -> None:
    """Where noting what is done fails midway, or leasing after it, nothing is done and nothing leased."""
    lanes = [Key("main", "order", f"{n}") for n in range(40)]
    messages = tuple(Message(f"m-{lane.id}", "t", lane) for lane in lanes)
    store(storage, evolve(receipt("c-1", ROW, NOTHING), messages=messages))
    done, session = [message.id for message in messages], storage._sessions.session()
    connection = session.connection
    for statement in (3, 4):
        session.connection = Tripped(connection, statement, fail)  # type: ignore[assignment]
        with pytest.raises(StorageError, match="disk"):
            storage.lease("t", 5, AT, AT, done)
        session.connection = connection
        assert storage.pending() == 40
    assert list(storage.lease("t", 5, AT, AT, done)) == []
    assert storage.pending() == 0


def test_a_row_never_goes_back(storage: SqliteStorage) -> None:
    """Behind the check of versions stands another: no statement writes a version that is not a newer one."""
    received(storage, "c-1", ROW, 5)
    with pytest.raises(ConcurrencyConflict):
        store(storage, Batch((command("c-2", ROW, 1),), (Write(ROW, 1, 1, StockLevel(9), AT),), ()))
    assert [row.state for row in storage.find(Query("stock"))] == [StockLevel(5)]


def test_an_entry_without_its_command_is_refused(storage: SqliteStorage) -> None:
    """Every movement cites a command of its own batch."""
    stray = Batch((command("c-1", ROW, 1),), (), (Entry(ROW, 1, GoodsReceived(1), "c-9"),))
    for target in (storage, MemoryStorage()):
        with pytest.raises(StorageError, match="cites a command"):
            store(target, stray)


def batch_of_everything() -> Batch:
    """Two orders with stock, journal and messages."""
    orders = [placed(f"SO-{n}") for n in (1, 2)]
    stock = [receipt(f"r-{sku}", stock_key("main", sku, "TOKYO"), NOTHING) for sku in SKUS]
    parts = [*orders, *stock]
    return Batch(
        tuple(c for part in parts for c in part.commands),
        tuple(w for part in parts for w in part.writes),
        tuple(e for part in parts for e in part.entries),
        (Message("m-1", "notify", Key("main", "order", "SO-1")),),
    )


def dumped(path: Path) -> list[str]:
    """The whole database as text."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


class Tripped:
    """A connection that acts in the place of its n-th statement."""

    def __init__(self, connection: sqlite3.Connection, number: int, action: Callable[[], object]) -> None:
        self._connection, self._left, self._action = connection, number, action

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    def execute(self, text: str, parameters: Any = ()) -> sqlite3.Cursor:
        """Runs a statement, if it is not the one."""
        self._left -= 1
        if self._left == 0:
            self._action()
        return self._connection.execute(text, parameters)


def fail() -> None:
    """What a full or broken disk looks like."""
    raise sqlite3.OperationalError("disk I/O error")


def breaks_off(path: Path, number: int, action: Callable[[], object]) -> bool:
    """Whether a commit fails when its unit acts in the place of its n-th statement."""
    with closing(SqliteStorage(path, MACHINES)) as storage:
        session = storage._sessions.session()
        connection = session.connection
        session.connection = Tripped(connection, number, action)  # type: ignore[assignment]
        try:
            store(storage, batch_of_everything())
        except StorageError:
            return True
        finally:
            session.connection = connection
    return False


def test_a_commit_that_fails_leaves_nothing(path: Path) -> None:
    """Wherever a commit fails, the file is as it was; the next one stores it all."""
    with closing(SqliteStorage(path, MACHINES)) as storage:
        received(storage, "before", stock_key("main", "OLD", "TOKYO"))
    before, number = dumped(path), 1
    while breaks_off(path, number, fail):
        assert dumped(path) == before
        number += 1
    assert number == 11
    with closing(SqliteStorage(path, MACHINES)) as storage:
        assert len(storage.entries(0, 100)) == 6


HERE = "import pathlib, runpy, sys; runpy.run_path(sys.argv[1])[sys.argv[2]](pathlib.Path(sys.argv[3]), sys.argv[4])"


def process(function: str, path: Path, argument: object) -> subprocess.Popen[bytes]:
    """A function of this file in a process of its own."""
    return subprocess.Popen([sys.executable, "-c", HERE, __file__, function, str(path), str(argument)])


def dies(path: Path, number: str) -> None:
    """Kills its own process in the place of the n-th statement."""
    breaks_off(path, int(number), lambda: os.kill(os.getpid(), signal.SIGKILL))


@pytest.mark.parametrize("number", [5, 8, 9])
def test_a_process_that_dies_leaves_nothing(path: Path, number: int) -> None:
    """A process killed within a commit leaves the file as it was for whoever opens it next."""
    with closing(SqliteStorage(path, MACHINES)) as storage:
        received(storage, "before", stock_key("main", "OLD", "TOKYO"))
    before = dumped(path)
    assert process("dies", path, number).wait() == -signal.SIGKILL
    with closing(SqliteStorage(path, MACHINES)) as storage:
        assert len(storage.entries(0, 100)) == 1
    assert dumped(path) == before


# --- processes ---


def receives_many(path: Path, name: str) -> None:
    """Receives goods forty times, again after each conflict."""
    with closing(SqliteStorage(path, MACHINES)) as storage:
        for number in range(40):
            while True:
                with suppress(ConcurrencyConflict):
                    received(storage, f"{name}/{number}", ROW)
                    break


def test_racing_processes_lose_nothing(path: Path) -> None:
    """Several processes on one row: no update is lost, and none fails because the file is locked."""
    racers = [process("receives_many", path, f"p{n}") for n in range(3)]
    assert [racer.wait() for racer in racers] == [0, 0, 0]
    with closing(SqliteStorage(path, MACHINES)) as storage, storage.unit() as unit:
        assert unit.load([ROW])[ROW] == Loaded(120, StockLevel(120), AT)


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("exclusive", [False, True])
def test_a_child_forked_while_the_file_was_held_is_refused(path: Path, exclusive: bool) -> None:
    """A fork in the midst of a unit leaves the parent its transaction; the child is told, and writes nothing."""
    with closing(SqliteStorage(path, MACHINES, exclusive=exclusive)) as storage:
        with storage.unit() as unit:
            held = unit.load([ROW])[ROW]
            child = os.fork()
            if child == 0:
                os._exit(_told_of_the_fork(storage))
            assert os.waitpid(child, 0)[1] == 0
            unit.commit(receipt("c-1", ROW, held))
        assert [entry.command_id for entry in storage.history(ROW)] == ["c-1"]


def _told_of_the_fork(storage: SqliteStorage) -> int:
    try:
        received(storage, "c-2", ROW)
    except StorageError as error:
        return 0 if "forked" in str(error) and not error.retry else 1
    return 2


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_opens_its_own_connection(storage: SqliteStorage) -> None:
    """A connection does not survive a fork: parent and child write side by side, each by its own."""
    received(storage, "c-1", ROW)
    child = os.fork()
    if child == 0:
        try:
            received(storage, "c-2", ROW)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    received(storage, "c-3", ROW)
    assert status == 0
    assert [entry.command_id for entry in storage.history(ROW)] == ["c-1", "c-2", "c-3"]


def test_an_exclusive_file_serves_many_threads(path: Path) -> None:
    """Threads share the one connection in turn: a reader waits for the unit of another thread, and sees all of it."""
    with closing(SqliteStorage(path, MACHINES, exclusive=True)) as storage:
        with storage.unit() as unit:
            seen: list[int] = []
            reader = ThreadOf(lambda: seen.append(len(storage.find(Query("stock")))))
            unit.commit(receipt("c-1", ROW, unit.load([ROW])[ROW]))
        with reader:
            pass
    assert seen == [1]


def test_a_unit_reads_what_it_has_loaded(storage: SqliteStorage) -> None:
    """Within a unit a listing is of the same moment as its loads."""
    received(storage, "c-1", ROW, 5)
    with storage.unit() as unit:
        assert [Loaded(row.version, row.state, AT) for row in storage.find(Query("stock"))] == [unit.load([ROW])[ROW]]


def test_rows_are_kept_within_bounds() -> None:
    """The first kept are forgotten first, and another version is never taken for the one asked."""
    cache = RowCache(stock=2, others=1)
    keys = [stock_key("main", sku, "TOKYO") for sku in SKUS]
    for version, key in enumerate([*keys[:2], keys[0], keys[2]], start=1):
        cache.put(key, KeptRow(7, 8, 0, Loaded(version, f"state {version}")))
    assert [cache.decoded(key, version, 8) for key, version in zip(keys, (3, 2, 4), strict=True)] == [
        None,
        Loaded(2, "state 2"),
        Loaded(4, "state 4"),
    ]
    assert cache.decoded(keys[1], 1, 8) is None
    assert cache.decoded(keys[1], 2, 9) is None
    orders = [Key("main", "order", number) for number in ("1", "2")]
    for order in orders:
        cache.put(order, KNOWN)
    assert [cache.fresh(order) for order in orders] == [None, KNOWN]


def test_rows_kept_are_doubted_once_somebody_else_has_written() -> None:
    """A row is taken for the present one only as long as the file's data version stays; its state stays right."""
    cache = RowCache()
    cache.sync(1)
    cache.put(ROW, KNOWN)
    cache.position = 9
    cache.sync(1)
    assert (cache.fresh(ROW), cache.position) == (KNOWN, 9)
    cache.sync(2)
    assert cache.fresh(ROW) is None
    assert cache.position is None
    assert cache.decoded(ROW, 1, 8) == KNOWN.row
    cache.sync(1)
    assert cache.fresh(ROW) is None


def traced(storage: SqliteStorage, act: Callable[[], object]) -> list[str]:
    """The first words of the statements that ``act`` runs on this thread's connection."""
    connection, statements = storage._sessions.session().connection, list[str]()
    connection.set_trace_callback(statements.append)
    try:
        act()
    finally:
        connection.set_trace_callback(None)
    return [text.split()[0] for text in statements if text.split()[0] != "--"]


def test_a_row_is_not_read_again_while_nobody_else_writes(storage: SqliteStorage, path: Path) -> None:
    """What this connection has stored or read is known to it until another connection has written."""
    received(storage, "c-1", ROW, 5)
    assert traced(storage, lambda: storage.read([ROW])) == ["PRAGMA"]
    with closing(SqliteStorage(path, MACHINES)) as other:
        received(other, "c-2", stock_key("main", "TEA-2", "TOKYO"), 7)
    assert traced(storage, lambda: storage.read([ROW])) == ["PRAGMA", "BEGIN", "PRAGMA", "SELECT", "ROLLBACK"]
    assert traced(storage, lambda: storage.read([ROW])) == ["PRAGMA"]
    assert storage.read([ROW])[ROW] == Loaded(1, StockLevel(5), AT)


def test_a_known_row_of_another_tenant_is_refused(storage: SqliteStorage) -> None:
    """Tenants share a connection, and yet not the rows it knows."""
    received(storage, "c-1", ROW, 5)
    with pytest.raises(InputError, match="not of 'main'"):
        storage.for_tenant("other").read([ROW])


def test_a_begin_that_is_interrupted_lets_go_of_the_file(path: Path) -> None:
    """Ctrl-C while another writes is heard once the lock is there; it is given back."""
    with closing(SqliteStorage(path, MACHINES)) as storage:
        received(storage, "c-1", ROW, 5)
        session = storage._sessions.session()
        connection = session.connection
        session.connection = Interrupted(connection)  # type: ignore[assignment]
        with pytest.raises(KeyboardInterrupt):
            received(storage, "c-2", ROW, 7)
        session.connection = connection
        with closing(SqliteStorage(path, MACHINES)) as other:
            received(other, "c-3", ROW, 1)
        received(storage, "c-4", ROW, 1)
        assert storage.read([ROW])[ROW] == Loaded(3, StockLevel(7), AT)


class Interrupted:
    """A connection on which an interrupt is heard right after the first statement."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._heard = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, text: str, parameters: Any = ()) -> sqlite3.Cursor:
        """Run it, and be interrupted once."""
        cursor = self._connection.execute(text, parameters)
        if not self._heard:
            self._heard = True
            raise KeyboardInterrupt
        return cursor


def test_a_commit_tells_the_connection_before_the_next_writer_may_begin(path: Path) -> None:
    """Two threads on one connection: what the first has stored is known when the second loads, and never put back."""
    with closing(SqliteStorage(path, MACHINES, exclusive=True)) as storage:
        received(storage, "c-1", ROW, 5)
        release = storage._sessions.release

        def slowly(session: Session) -> None:
            storage._sessions.release = release  # type: ignore[method-assign]
            release(session)
            other = threading.Thread(target=received, args=(storage, "c-3", ROW, 1))
            other.start()
            other.join()

        storage._sessions.release = slowly  # type: ignore[method-assign]
        received(storage, "c-2", ROW, 7)
        assert storage.read([ROW])[ROW] == Loaded(3, StockLevel(13), AT)


def test_rows_are_known_by_the_numbers_they_have(storage: SqliteStorage, path: Path) -> None:
    """New rows get their numbers from one statement, among rows that are there, however many there are."""
    skus = [stock_key("main", f"S-{n}", "TOKYO") for n in range(150)]
    received(storage, "c-0", skus[40])
    held = storage.read(skus)
    parts = [receipt(f"r-{key.id}", key, held[key]) for key in skus]
    store(
        storage,
        Batch(
            tuple(command for part in parts for command in part.commands),
            tuple(write for part in parts for write in part.writes),
            tuple(entry for part in parts for entry in part.entries),
        ),
    )
    numbers = dict(values(path, "SELECT id, n FROM stock"))
    known = {key: storage._sessions.session().cache.fresh(key) for key in skus}
    assert {key.id: found and found.number for key, found in known.items()} == numbers


def test_a_row_is_read_again_after_a_commit_that_failed(path: Path) -> None:
    """Nobody knows what a failed commit has left, so the rows are looked at again."""
    with closing(SqliteStorage(path, MACHINES)) as storage:
        received(storage, "c-1", ROW, 5)
        session = storage._sessions.session()
        connection = session.connection
        session.connection = Tripped(connection, 4, fail)  # type: ignore[assignment]
        with pytest.raises(StorageError):
            received(storage, "c-2", ROW, 7)
        session.connection = connection
        assert "SELECT" in traced(storage, lambda: storage.read([ROW]))
        received(storage, "c-3", ROW, 1)
        assert storage.read([ROW])[ROW] == Loaded(2, StockLevel(6), AT)


def test_what_another_process_wrote_is_seen(storage: SqliteStorage, path: Path) -> None:
    """Decoded states are kept by version: when somebody else has written, the row is read anew."""
    received(storage, "c-1", ROW, 5)
    with closing(SqliteStorage(path, MACHINES)) as other:
        received(other, "c-2", ROW, 7)
    received(storage, "c-3", ROW, 1)
    assert [row.state for row in storage.find(Query("stock"))] == [StockLevel(13)]


# --- economy ---


def test_a_commit_takes_a_constant_number_of_statements(storage: SqliteStorage) -> None:
    """One order with three stock rows and a message: ten statements, and not one more with thirty rows of stock."""
    received(storage, "c-1", ROW)
    for count in (3, 30):
        keys = [stock_key("main", f"{count}-{n}", "TOKYO") for n in range(count)]
        order = placed(f"SO-{count}")
        assert traced(storage, partial(stores, storage, order, keys)) == [
            "BEGIN", "PRAGMA", "SELECT", "SELECT", "INSERT", "INSERT", "INSERT", "INSERT", "INSERT", "COMMIT",
        ]  # fmt: skip


def stores(storage: SqliteStorage, order: Batch, keys: list[Key]) -> None:
    """Commit an order with receipts for stock rows, and a message."""
    number = order.writes[0].key.id
    with storage.unit() as unit:
        unit.known_commands([f"{number}/place"])
        held = unit.load([order.writes[0].key, *keys])
        stock = [receipt(f"r-{key.id}", key, held[key]) for key in keys]
        writes = (*order.writes, *(write for part in stock for write in part.writes))
        entries = tuple(evolve_entry(entry, order) for part in stock for entry in part.entries)
        message = Message(f"m-{number}", "notify", order.writes[0].key)
        unit.commit(Batch(order.commands, writes, (*order.entries, *entries), (message,)))


def evolve_entry(entry: Entry, by: Batch) -> Entry:
    """The entry as caused by the command of another batch."""
    return entry._replace(command_id=by.commands[0].ack.command_id)


# --- queries agree ---


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["A", "b", "Ä"]),
        st.integers(0, 3),
        st.lists(st.sampled_from(["vip", 'q"t', "50%"]), unique=True),
    ),
    max_size=6,
)
QUERIES = st.builds(
    Query,
    kind=st.just("order"),
    status=st.sampled_from([(), ("Placed",), ("Draft", "Placed"), ("Cancelled",)]),
    where=st.sampled_from([(), (("customer", "A"),), (("currency", "GBP"), ("version", 1)), (("total_minor", 306),)]),
    since=st.none() | st.sampled_from([AT, AT + timedelta(days=1)]),
    until=st.none() | st.sampled_from([AT, AT + timedelta(days=2)]),
    due_by=st.none() | st.just(AT),
    tag=st.sampled_from(["", "vip", 'q"t', "vi"]),
    text=st.sampled_from(["", "so", "XSO-1", "a", "ä", "%", "VIP", '"']),
    cursor=st.integers(0, 2),
    limit=st.integers(1, 3),
)


@given(ORDERS, st.lists(QUERIES, min_size=1, max_size=5))
def test_memory_and_sqlite_find_the_same(
    tmp_path_factory: pytest.TempPathFactory, orders: list[tuple[str, int, list[str]]], queries: list[Query]
) -> None:
    """A query means one thing, whichever storage it is asked of."""
    memory = MemoryStorage()
    with closing(SqliteStorage(tmp_path_factory.mktemp("find") / "shop.db", MACHINES, exclusive=True)) as storage:
        for number, (customer, days, tags) in enumerate(orders):
            at = AT + timedelta(days=days)
            for target in (memory, storage):
                store(target, placed(f"SO-{number}", at, lines=1, customer=customer, tags=tuple(tags)))
        for query in queries:
            assert list(storage.find(query)) == list(memory.find(query))
        by = ["customer", "status"]
        assert storage.sums("order", ["total_minor", "version"][:1], by) == memory.sums("order", ["total_minor"], by)


def test_a_long_history_is_read_whole(storage: SqliteStorage) -> None:
    """A history of more entries than a page holds is read to its end, and page bounds repeat nothing."""
    count = 2 * reads.PAGE + 1
    entries = tuple(Entry(ROW, n, GoodsReceived(1), "c-1") for n in range(1, count + 1))
    store(storage, Batch((command("c-1", ROW, count),), (Write(ROW, 0, count, StockLevel(count), AT),), entries))
    assert [entry.version for entry in storage.history(ROW)] == list(range(1, count + 1))


@pytest.mark.parametrize("limit", [0, 1001])
def test_every_reading_is_bounded(storage: SqliteStorage, limit: int) -> None:
    """Feed, leases and dead letters are read in pages of at most a thousand."""
    for target in (storage, MemoryStorage()):
        lease, letters = partial(target.lease, "t", limit, AT, AT), partial(target.dead_letters, limit)
        for read in (partial(target.entries, 0, limit), lease, letters):
            with pytest.raises(InputError, match="between 1 and 1000"):
                read()


def test_a_placed_order_round_trips_through_the_feed(storage: Storage) -> None:
    """The feed gives the event with the content it brought."""
    store(storage, placed())
    (entry,) = storage.entries(0, 10)
    assert isinstance(entry.event, OrderPlaced)
    assert entry.event.content == content()
