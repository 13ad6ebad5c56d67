"""The statements of an order's life: what SQLite does for each of them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orderflow.adapters.storage import outbox, reads, searching
from orderflow.adapters.storage import statements as sql
from orderflow.adapters.storage.columns import all_columns
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.engine.decide import NOTHING, Message
from orderflow.domain.values import stock_key
from orderflow.errors import Key
from orderflow.testing.storage_material import receipt, store

AT = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "shop.db"


@pytest.fixture
def storage(path: Path) -> Iterator[SqliteStorage]:
    """A storage on a fresh file."""
    with closing(SqliteStorage(path)) as opened:
        yield opened


DATES = ((("placed_at",), "from", 1), (("placed_at",), "before", 1))

SEARCHES = {
    sql.load_text((("order", 1), ("stock", 3))): "(tenant=? AND id=?)",
    sql.contents_text(2): "INTEGER PRIMARY KEY (rowid=?)",
    sql.known_commands_text(2): "(tenant=? AND id=?)",
    sql.answered_text(2): "(tenant=? AND id=?)",
    sql.update_text("order", ("expires_at", "tags"), 1): "INTEGER PRIMARY KEY (rowid=?)",
    sql.update_text("stock", all_columns("stock"), 3): "INTEGER PRIMARY KEY (rowid=?)",
    reads.chain_text("order"): "(tenant=? AND id=?)",
    reads.recorded_text(2): "INTEGER PRIMARY KEY (rowid=?)",
    outbox.DUE: "outbox_due (tenant=? AND topic=? AND due_at<?)",
    outbox.DUE_TOPICS: "outbox_due (tenant=? AND topic=? AND due_at<?)",
    outbox.LEASE: "(tenant=? AND id=?)",
    outbox.RENEW: "(tenant=? AND id=?)",
    outbox.RETRY: "(tenant=? AND id=?)",
    outbox.DEAD_LETTER: "(tenant=? AND id=?)",
    outbox.REQUEUE: "(tenant=? AND id=?)",
    reads.find_text("order", ((("status",), "in", 1),), True): "orders_open (tenant=? AND n>?)",
    reads.find_text("order", ((("customer",), "is", 1),), False): "(tenant=? AND customer=? AND rowid>?)",
    reads.find_text("order", ((("number",), "given", 1),), False): "(tenant=? AND number=? AND rowid>?)",
    reads.find_text("order", ((("external_id",), "given", 1),), False): "(tenant=? AND external_id=? AND rowid>?)",
    reads.find_text("order", DATES, False): "orders_placed_at (tenant=? AND placed_at>? AND placed_at<?)",
    reads.find_text("order", ((("expires_at",), "by", 1),), False): "(tenant=? AND expires_at<?)",
    reads.find_text("order", ((("tags",), "lists", 1),), False): "orders_tags (tenant=? AND n>?)",
    searching.EXACT: "(tenant=? AND field=? AND value=?)",
    searching.PREFIX: "(tenant=? AND field=? AND value>? AND value<?)",
    searching.DELETE: "search_keys_rows (tenant=? AND kind=? AND id=?)",
    reads.find_text("shipment", ((("tracking_number",), "given", 1),), False): "(tenant=? AND tracking_number=?",
    reads.find_text("shipment", ((("order_id",), "is", 1),), False): "(tenant=? AND order_id=? AND rowid>?)",
    reads.find_text("invoice", ((("order_id",), "is", 1),), False): "(tenant=? AND order_id=? AND rowid>?)",
    reads.find_text("invoice", ((("due_on",), "by", 1),), True): "(tenant=? AND",
}


def plan(path: Path, text: str) -> list[str]:
    """What SQLite would do for a statement, whose parameters do not matter."""
    names = dict.fromkeys(re.findall(r":(\w+)", text), "x")
    with closing(sqlite3.connect(path)) as connection:
        for values in [names] if names else [("x",) * count for count in range(90)]:
            with suppress(sqlite3.ProgrammingError):
                return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    raise AssertionError("too many parameters")


@pytest.mark.parametrize("text, bound", SEARCHES.items())
def test_every_search_binds_all_columns_of_its_key(storage: SqliteStorage, path: Path, text: str, bound: str) -> None:
    """No statement of an order's life walks a table: each one searches an index by its whole key."""
    steps = plan(path, text)
    assert any(bound in step for step in steps), steps
    walked = [step for step in steps if step.startswith("SCAN")]
    assert not [
        step
        for step in walked
        if not any(small in step for small in ("CONSTANT", "topics", "chain", "SCAN v", "json_each"))
    ]


def test_new_rows_search_nothing(storage: SqliteStorage, path: Path) -> None:
    """What is new is appended, so there is nothing to search."""
    heads = {sql.JOURNAL: 10, sql.COMMANDS: 12, sql.MESSAGES: 9, sql.rows_head("order"): 20}
    texts = [sql.insert_text(head, columns, 2) for head, columns in heads.items()]
    assert {step for text in texts for step in plan(path, text)} == {"SCAN 2 CONSTANT ROWS"}


@given(st.integers(0, 2000))
def test_chunks_cover_every_row_once(count: int) -> None:
    """Rows are cut into statements without loss or overlap, and into few sizes only."""
    parts = [range(count)[part] for part in sql.chunks(count)]
    assert [row for part in parts for row in part] == list(range(count))
    assert all(len(part) <= 32 or len(part) in {64, 128} for part in parts)


def test_leasing_stays_quick_when_much_is_done(storage: SqliteStorage, path: Path) -> None:
    """What is done stays recognisable and is in no index that a lease walks."""
    messages = tuple(Message(f"m-{n}", "t", Key("main", "order", f"{n}")) for n in range(200))
    store(storage, evolve(receipt("c-1", stock_key("main", "A", "B"), NOTHING), messages=messages))
    storage.lease("t", 1, AT, AT, [message.id for message in messages])
    with closing(sqlite3.connect(path)) as connection:
        done = connection.execute("SELECT state, count(*), min(done_at) FROM outbox").fetchall()
    assert done == [("done", 200, "2026-03-31T09:30:00")]
    assert plan(path, outbox.PENDING) == ["SEARCH outbox USING INDEX outbox_due (tenant=?)"]
    assert plan(path, outbox.DEAD_LETTERS) == ["SEARCH outbox USING INDEX outbox_dead (tenant=? AND n>?)"]
