"""The statements of an order's life: what SQLite does for each of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderflow.adapters.storage import outbox, reads
from orderflow.adapters.storage import statements as sql
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.engine.decide import Message
from orderflow.domain.inventory.machine import STOCK
from orderflow.domain.orders.machine import ORDER
from orderflow.errors import Key
from orderflow.ports.storage import Batch
from orderflow.testing.storage_contract import store

AT = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "shop.db"


@pytest.fixture
def storage(path: Path) -> Iterator[SqliteStorage]:
    """A storage on a fresh file."""
    with closing(SqliteStorage(path, (STOCK, ORDER))) as opened:
        yield opened


SEARCHES = {
    sql.load_text((("order", 1), ("stock", 3))): "(tenant=? AND id=?)",
    sql.contents_text(2): "(tenant=? AND id=?)",
    sql.known_commands_text(2): "(tenant=? AND id=?)",
    sql.answered_text(2): "(tenant=? AND id=?)",
    reads.chain_text("order"): "(tenant=? AND id=?)",
    reads.recorded_text(2): "INTEGER PRIMARY KEY (rowid=?)",
    outbox.RETRY: "(tenant=? AND id=?)",
    outbox.DEAD_LETTER: "(tenant=? AND id=?)",
    outbox.REQUEUE: "(tenant=? AND id=?)",
    outbox.CLAIM_ANY: "(tenant=? AND lane_kind=? AND lane_id=?)",
    reads.find_text("order", ((("status",), "in", 1),)): "(tenant=? AND status=? AND rowid>?)",
    reads.find_text("order", ((("customer",), "is", 1),)): "(tenant=? AND customer=? AND rowid>?)",
    reads.find_text("order", ((("expires_at",), "by", 1),)): "(tenant=? AND expires_at<?)",
}


def plan(path: Path, text: str) -> list[str]:
    """What SQLite would do for a statement, whose parameters do not matter."""
    with closing(sqlite3.connect(path)) as connection:
        for count in range(40):
            with suppress(sqlite3.ProgrammingError):
                return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", ["x"] * count)]
    raise AssertionError("too many parameters")


@pytest.mark.parametrize("text, bound", SEARCHES.items())
def test_every_search_binds_all_columns_of_its_key(storage: SqliteStorage, path: Path, text: str, bound: str) -> None:
    """No statement of an order's life walks a table: each one searches an index by its whole key."""
    steps = plan(path, text)
    assert any(bound in step for step in steps), steps
    walked = [step for step in steps if step.startswith("SCAN")]
    assert not [step for step in walked if not any(small in step for small in ("CONSTANT", "lease", "chain"))]


def test_writes_search_nothing(storage: SqliteStorage, path: Path) -> None:
    """Rows are written by their row number or as new ones, so there is nothing to search."""
    texts = [sql.upsert_text("order", 2), sql.insert_text(sql.JOURNAL, 9, 2), sql.insert_text(sql.COMMANDS, 12, 2)]
    assert {step for text in texts for step in plan(path, text)} == {"SCAN 2 CONSTANT ROWS"}


@given(st.integers(0, 2000))
def test_chunks_cover_every_row_once(count: int) -> None:
    """Rows are cut into statements without loss or overlap, and into few sizes only."""
    parts = [range(count)[part] for part in sql.chunks(count)]
    assert [row for part in parts for row in part] == list(range(count))
    assert all(len(part) <= 32 or len(part) in {64, 128} for part in parts)


def test_claiming_stays_quick_when_much_is_done(storage: SqliteStorage, path: Path) -> None:
    """What is done stays recognisable and is in no index that a claim walks."""
    store(storage, Batch((), (), (), tuple(Message(f"m-{n}", "t", Key("main", "order", f"{n}")) for n in range(200))))
    storage.done(storage.claim(200, AT, 60), AT)
    with closing(sqlite3.connect(path)) as connection:
        done = connection.execute("SELECT state, count(*), min(done_at) FROM outbox").fetchall()
    assert done == [("done", 200, "2026-03-31T09:30:00")]
    assert set(plan(path, outbox.PENDING)) == {"SEARCH outbox USING INDEX outbox_pending (tenant=?)"}
