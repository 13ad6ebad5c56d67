"""One hash of everything a database says: two runs of the same file must have the same hash, interrupted or not."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

__all__ = ["content_digest", "content_of"]


#: Columns that say where a row is stored and how a delivery went: only these may differ after an interruption.
_INCIDENTAL: Final = frozenset({
    "n", "position", "previous", "last", "content", "due_at", "since", "sending", "maybe_sent", "attempts", "token",
    "done_at",
})  # fmt: skip


#: The columns that rows are ordered by, those of them that the table has.
_KEY: Final = ("tenant", "kind", "id", "version")


#: The journal is read with the command of each entry beside it.
_READ_AS: Final = {"journal": "journal_entries"}


def content_digest(path: Path | str) -> str:
    """The SHA-256, in hex, of everything an SQLite database of orderflow holds: of every tenant, ordered by key."""
    digest = hashlib.sha256()
    for line in content_of(path):
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()


def content_of(path: Path | str) -> Iterator[str]:
    """What is hashed, line by line: each table's name and columns, then its rows."""
    address = f"file:{quote(str(Path(path).absolute()))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        for (table,) in tables.fetchall():
            yield from _rows(connection, table)


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    source = _READ_AS.get(table, table)
    found = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({source})")]
    names = [name for name in found if name not in _INCIDENTAL]
    keys = [name for name in _KEY if name in names]
    yield repr((table, *names))
    query = f"SELECT {', '.join(names)} FROM {source} ORDER BY {', '.join(keys)}"
    for row in connection.execute(query):
        yield repr(row)
