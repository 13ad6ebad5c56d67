"""The health of an SQLite file: its layout, its sizes, and what is pending or dead in its outbox."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from orderflow.adapters.storage.layout import APPLICATION_ID
from orderflow.adapters.storage.outbox import PENDING
from orderflow.adapters.storage.session import FOREIGN
from orderflow.errors import StorageError

#: The most dead letters that are named; all are counted.
_NAMED: Final = 10
_MESSAGES: Final = (
    "SELECT id, topic, lane_kind, lane_id, attempts, coalesce(error, '') FROM outbox"
    " WHERE tenant = ? AND state = '{state}' ORDER BY n LIMIT ?"
)
_WAITING: Final = _MESSAGES.format(state="pending")
_DEAD: Final = _MESSAGES.format(state="dead")


@frozen
class Unfinished:
    """A pending or dead message: its lane, the number of attempts and the last error."""

    id: str
    topic: str
    lane_kind: str
    lane_id: str
    attempts: int
    error: str


@frozen
class Health:
    """The state of a file. ``log_bytes`` is the size of its write-ahead log; ``rows`` counts rows by table.

    ``oldest`` is the pending message that was committed first; ``dead_letters`` names the first of the dead letters.
    """

    layout: int
    journal_mode: str
    file_bytes: int
    log_bytes: int
    free_bytes: int
    rows: tuple[tuple[str, int], ...]
    pending: int
    dead: int
    oldest: Unfinished | None
    dead_letters: tuple[Unfinished, ...]


def health(path: Path, tenant: str = "main") -> Health:
    """Examine a file without writing to it. Messages are those of ``tenant``, rows those of all tenants.

    Raises:
        StorageError: the file cannot be read, or is another application's database.
    """
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            return _health(connection, path, tenant)
        finally:
            connection.close()
    except FOREIGN as error:
        raise StorageError(str(error), retry=False) from error


def _health(connection: sqlite3.Connection, path: Path, tenant: str) -> Health:
    def one(text: str, *values: str) -> Any:
        return connection.execute(text, values).fetchone()[0]

    if one("PRAGMA application_id") != APPLICATION_ID:
        raise StorageError("the file is a database of another application", retry=False)
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    log = path.with_name(f"{path.name}-wal")
    oldest = connection.execute(_WAITING, (tenant, 1)).fetchone()
    dead = connection.execute(_DEAD, (tenant, _NAMED)).fetchall()
    return Health(
        layout=one("PRAGMA user_version"),
        journal_mode=one("PRAGMA journal_mode"),
        file_bytes=path.stat().st_size,
        log_bytes=log.stat().st_size if log.exists() else 0,
        free_bytes=one("PRAGMA freelist_count") * one("PRAGMA page_size"),
        rows=tuple((name, one(f"SELECT count(*) FROM {name}")) for (name,) in names),  # noqa: S608
        pending=one(PENDING, tenant),
        dead=one("SELECT count(*) FROM outbox INDEXED BY outbox_dead WHERE tenant = ? AND state = 'dead'", tenant),
        oldest=Unfinished(*oldest) if oldest else None,
        dead_letters=tuple(Unfinished(*row) for row in dead),
    )
