"""The lean floor: the least that an order with its stock and history costs on SQLite.

Placing inserts an order and its three lines, takes units of three SKUs if they suffice, and appends an event; to
confirm, prepare, ship and complete is a conditional update and an event each. 24 statements in WAL mode with
``synchronous=FULL``. No command is remembered, no effect queued, no rule checked: no library can reach it, and every
one can be held against it.
"""

from __future__ import annotations

import itertools
import json
import secrets
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from _sample import SKUS, skus_of

__all__ = ["GROUP", "LeanFloor"]

GROUP: Final = 20

_STATUSES: Final = ("Placed", "Confirmed", "Preparing", "Shipped", "Completed")
_SCHEMA: Final = """
CREATE TABLE orders (id TEXT PRIMARY KEY, customer TEXT NOT NULL, status TEXT NOT NULL, version INTEGER NOT NULL,
    total_minor INTEGER NOT NULL, currency TEXT NOT NULL, placed_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE lines (order_id TEXT NOT NULL, line INTEGER NOT NULL, sku TEXT NOT NULL, quantity INTEGER NOT NULL,
    price_minor INTEGER NOT NULL, PRIMARY KEY (order_id, line)) WITHOUT ROWID;
CREATE TABLE stock (sku TEXT PRIMARY KEY, available INTEGER NOT NULL, reserved INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE events (n INTEGER PRIMARY KEY, order_id TEXT NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL,
    at TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (order_id, version));
"""
_ORDER: Final = "INSERT INTO orders VALUES (?, ?, ?, 1, ?, 'GBP', ?)"
_LINE: Final = "INSERT INTO lines VALUES (?, ?, ?, ?, 255)"
_RESERVE: Final = "UPDATE stock SET available = available - ?, reserved = reserved + ? WHERE sku = ? AND available >= ?"
_MOVE: Final = "UPDATE orders SET status = ?, version = ? WHERE id = ? AND status = ? AND version = ?"
_EVENT: Final = "INSERT INTO events (order_id, version, type, at, data) VALUES (?, ?, ?, ?, ?)"


class LeanFloor:
    """A shop of four tables on a file of its own."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._run = self._connection.execute
        self._run("PRAGMA journal_mode = WAL")
        self._run("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)
        self._run("BEGIN")
        for sku in range(SKUS):
            self._run("INSERT INTO stock VALUES (?, 1000000000, 0)", (f"SKU-{sku:04}",))
        self._run("COMMIT")
        self._numbers = itertools.count()

    def one(self) -> int:
        """An order in five commits."""
        return self._live(1)

    def group(self) -> int:
        """Twenty orders, each step of all of them in one commit."""
        return self._live(GROUP)

    def _live(self, orders: int) -> int:
        self._run("BEGIN IMMEDIATE")
        ids = [self._place(number) for number in itertools.islice(self._numbers, orders)]
        self._run("COMMIT")
        for version in range(1, len(_STATUSES)):
            self._run("BEGIN IMMEDIATE")
            for order in ids:
                self._step(order, version)
            self._run("COMMIT")
        return orders

    def _place(self, number: int) -> str:
        # Ids are drawn at random, as those that come from elsewhere are in no order.
        order, skus = f"{secrets.token_hex(8)}{number:08x}", [*skus_of(number, 3)]
        self._run(_ORDER, (order, f"c-{number % 5000}", _STATUSES[0], 1836, _now()))
        self._connection.executemany(_LINE, [(order, line, sku, line) for line, sku in enumerate(skus, start=1)])
        for quantity, sku in enumerate(skus, start=1):
            assert self._run(_RESERVE, (quantity, quantity, sku, quantity)).rowcount == 1, "out of stock"
        self._event(order, 1, {"order": order, "skus": skus})
        return order

    def _step(self, order: str, version: int) -> None:
        before, after = _STATUSES[version - 1 : version + 1]
        assert self._run(_MOVE, (after, version + 1, order, before, version)).rowcount == 1, "conflict"
        self._event(order, version + 1, {"order": order})

    def _event(self, order: str, version: int, data: object) -> None:
        self._run(_EVENT, (order, version, _STATUSES[version - 1], _now(), json.dumps(data)))


def _now() -> str:
    return datetime.now(UTC).isoformat()
