"""The floor of ``bench_sqlite``: the life of an order in SQL written by hand for this one purpose.

Orders with their lines and progress as JSON, stock rows decremented conditionally, a journal with an entry for each
event of order and stock, an outbox, remembered command ids that are unique, time-ordered ids, constant statements, and
one commit for each command. It reads nothing: whoever calls it knows the order and what to do with it, and no rule is
checked but that stock suffices.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from _sample import LOCATION, SKUS, skus_of

from orderflow.adapters.storage.safety import Mode

__all__ = ["ByHand"]

_SCHEMA: Final = """
CREATE TABLE commands (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, command TEXT NOT NULL, row_id TEXT NOT NULL,
    actor TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE orders (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, status TEXT NOT NULL,
    customer TEXT NOT NULL, channel TEXT NOT NULL, external_id TEXT NOT NULL, total_minor INTEGER NOT NULL,
    placed_at TEXT NOT NULL, lines TEXT NOT NULL, progress TEXT NOT NULL);
CREATE INDEX orders_status ON orders (status);
CREATE INDEX orders_customer ON orders (customer);
CREATE TABLE stock (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,
    on_hand INTEGER NOT NULL CHECK (on_hand >= 0), allocated INTEGER NOT NULL CHECK (allocated >= 0));
CREATE TABLE journal (position INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    type TEXT NOT NULL, data TEXT NOT NULL, command_n INTEGER NOT NULL REFERENCES commands (n),
    UNIQUE (kind, id, version));
CREATE TABLE outbox (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, topic TEXT NOT NULL, row_id TEXT NOT NULL,
    data TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0);
CREATE INDEX outbox_waiting ON outbox (n) WHERE done = 0;
"""
_COMMAND: Final = "INSERT INTO commands (id, command, row_id, actor, at) VALUES (?, ?, ?, ?, ?)"
_PLACE: Final = (
    "INSERT INTO orders (id, version, status, customer, channel, external_id, total_minor, placed_at, lines, progress)"
    " VALUES (?, 1, 'Placed', ?, ?, ?, ?, ?, ?, ?)"
)
_MOVE: Final = "UPDATE orders SET version = ?, status = ?, progress = ? WHERE id = ? AND version = ?"
_ALLOCATE: Final = (
    "UPDATE stock SET version = version + 1, allocated = allocated + ? WHERE id = ? AND on_hand - allocated >= ?"
    " RETURNING version"
)
_SHIP: Final = (
    "UPDATE stock SET version = version + 1, on_hand = on_hand - ?, allocated = allocated - ?"
    " WHERE id = ? AND allocated >= ? RETURNING version"
)
_JOURNAL: Final = "INSERT INTO journal (kind, id, version, type, data, command_n) VALUES (?, ?, ?, ?, ?, ?)"
_JOURNAL_4: Final = _JOURNAL + ", (?, ?, ?, ?, ?, ?)" * 3
_OUTBOX: Final = "INSERT INTO outbox (id, topic, row_id, data) VALUES (?, ?, ?, ?)"


class ByHand:
    """A shop of three-line orders on a file of its own, in the journal mode of the storage it is compared with."""

    def __init__(self, path: Path, mode: Mode, *, exclusive: bool) -> None:
        self._run = sqlite3.connect(path, isolation_level=None).execute
        if exclusive:
            self._run("PRAGMA locking_mode = EXCLUSIVE")
        self._run(f"PRAGMA journal_mode = {mode.journal_mode}").fetchall()
        self._run(f"PRAGMA synchronous = {mode.synchronous}")
        self._run("PRAGMA wal_autocheckpoint = 16000")
        for statement in _SCHEMA.split(";\n"):
            self._run(statement)
        self._run("BEGIN")
        for sku in range(SKUS):
            self._run("INSERT INTO stock VALUES (NULL, ?, 1, 1000000000, 0)", (f"SKU-{sku:04}@{LOCATION}",))
        self._run("COMMIT")

    def live(self, number: int) -> None:
        """An order from placed to dispatched, in five commits."""
        order, stock = f"o-{number:08}", [f"{sku}@{LOCATION}" for sku in skus_of(number, 3)]
        lines = [
            {"line": line, "sku": sku, "quantity": line, "price": "2.55", "net_minor": 255 * line, "tax": ["S", "20"]}
            for line, sku in enumerate(skus_of(number, 3), start=1)
        ]
        self._place(order, number, lines)
        self._confirm(order)
        self._stocked(order, "Allocated", "StockAllocated", "UnitsAllocated", 3, stock)
        self._prepare(order)
        self._stocked(order, "Shipped", "ShipmentDispatched", "UnitsShipped", 5, stock)

    @contextmanager
    def _command(self, name: str, order: str) -> Generator[tuple[int, str]]:
        """A transaction that remembers a command: its row number and time."""
        at = datetime.now(UTC).isoformat()
        self._run("BEGIN IMMEDIATE")
        number = self._run(_COMMAND, (_new_id(), name, order, "bench", at)).lastrowid
        assert number is not None
        yield number, at
        self._run("COMMIT")

    def _place(self, order: str, number: int, lines: Sequence[dict[str, Any]]) -> None:
        with self._command("PlaceOrder", order) as (command, at):
            net = sum(line["net_minor"] for line in lines)
            text, progress = _json(lines), _json([{"open": line["quantity"]} for line in lines])
            total = net + (net * 20 + 50) // 100
            self._run(_PLACE, (order, f"c-{number % 5000}", "web", str(number), total, at, text, progress))
            event = _json({"net_minor": net, "gross_minor": total, "at": at})
            self._run(_JOURNAL, ("order", order, 1, "OrderPlaced", event, command))
            self._run(_OUTBOX, (f"{order}/1/notify", "notify", order, _json({"template": "order_received"})))

    def _confirm(self, order: str) -> None:
        with self._command("ConfirmOrder", order) as (command, at):
            self._move(order, 2, "Confirmed", [{"open": units} for units in (1, 2, 3)])
            self._run(_JOURNAL, ("order", order, 2, "OrderConfirmed", _json({"at": at}), command))
            self._run(_OUTBOX, (f"{order}/2/notify", "notify", order, _json({"template": "order_confirmed"})))

    def _prepare(self, order: str) -> None:
        shipment = f"{order}/1"
        with self._command("PrepareShipment", order) as (command, _):
            self._move(order, 4, "Preparing", [{"preparing": [[shipment, LOCATION, units]]} for units in (1, 2, 3)])
            event = _json({"shipment": shipment, "loads": [[units, LOCATION, units] for units in (1, 2, 3)]})
            self._run(_JOURNAL, ("order", order, 4, "ShipmentPrepared", event, command))

    def _stocked(self, order: str, status: str, event: str, moved: str, version: int, stock: Sequence[str]) -> None:
        """A step that moves stock: three conditional updates, four entries."""
        with self._command(event, order) as (command, _):
            bucket = "allocated" if status == "Allocated" else "shipped"
            self._move(order, version, status, [{bucket: [[LOCATION, units]]} for units in (1, 2, 3)])
            picks = _json({"picks": [[units, LOCATION, units] for units in (1, 2, 3)]})
            entries: list[Any] = ["order", order, version, event, picks, command]
            for units, row in enumerate(stock, start=1):
                values = (units, row, units) if status == "Allocated" else (units, units, row, units)
                ((found,),) = self._run(_ALLOCATE if status == "Allocated" else _SHIP, values).fetchall()
                entries += ["stock", row, found, moved, _json({"quantity": units, "document": order}), command]
            self._run(_JOURNAL_4, entries)

    def _move(self, order: str, version: int, status: str, progress: Sequence[dict[str, Any]]) -> None:
        changed = self._run(_MOVE, (version, status, _json(progress), order, version - 1)).rowcount
        assert changed == 1


def _new_id() -> str:
    """Time-ordered and unique, as UUID version 7 is."""
    return f"{time.time_ns() // 1_000_000:012x}-{secrets.token_hex(10)}"


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
