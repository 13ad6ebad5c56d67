"""The SQL texts of a unit of work: constant for each number of rows, so that SQLite prepares each of them once.

One statement writes many rows: measured, many rows of ``VALUES`` take half the time of ``json_each`` and count as one
statement, where ``executemany`` counts one for each row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from orderflow.adapters.storage.columns import columns_of
from orderflow.adapters.storage.layout import table_of

__all__ = [
    "COMMANDS",
    "CONTENTS",
    "JOURNAL",
    "MESSAGES",
    "answered_text",
    "chunks",
    "contents_text",
    "insert_text",
    "known_commands_text",
    "load_text",
    "padded",
    "upsert_text",
]

COMMANDS: Final = (
    "INSERT INTO commands (tenant, id, fingerprint, kind, row_id, version, command, actor, at, cause, workflow,"
    " occurred_at) VALUES "
)
JOURNAL: Final = "INSERT INTO journal (position, tenant, kind, id, version, type, schema, data, previous) VALUES "
CONTENTS: Final = "INSERT INTO contents (tenant, id, version, content) VALUES "
MESSAGES: Final = "INSERT INTO outbox (tenant, id, topic, lane_kind, lane_id, data) VALUES "

#: Up to so many rows each number has a text of its own; beyond, blocks are taken off first.
_EXACT: Final = 32
_BLOCKS: Final = (128, 64)
_SIZES: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)


def chunks(count: int) -> Iterator[slice]:
    """Slices that together cover ``count`` rows, in sizes for which there are texts."""
    start = 0
    while count - start > _EXACT:
        size = next((block for block in _BLOCKS if block <= count - start), _EXACT)
        yield slice(start, start + size)
        start += size
    if start < count:
        yield slice(start, count)


def padded(ids: Sequence[str]) -> Sequence[str]:
    """Up to 128 ids, the last repeated until there is a text for their number."""
    size = next(size for size in _SIZES if size >= len(ids))
    return [*ids, *[ids[-1]] * (size - len(ids))]


@lru_cache(maxsize=512)
def insert_text(head: str, columns: int, rows: int) -> str:
    """``head`` followed by so many rows of parameters."""
    return head + _rows(columns, rows)


@lru_cache(maxsize=512)
def upsert_text(kind: str, rows: int) -> str:
    """Write rows of a kind: new ones with NULL for ``n``, others by their ``n``; never back to an older version."""
    columns = columns_of(kind)
    table = table_of(kind)
    changing = ["version", "last", "status", *(name for name, column in columns.items() if not column.fixed), "state"]
    sets = ", ".join(f"{name} = excluded.{name}" for name in changing)
    return (
        f"INSERT INTO {table} (n, tenant, id, version, last, status, {''.join(f'{name}, ' for name in columns)}state)"  # noqa: S608
        f" VALUES {_rows(7 + len(columns), rows)}"
        f" ON CONFLICT (n) DO UPDATE SET {sets} WHERE {table}.version < excluded.version"
    )


@lru_cache(maxsize=512)
def load_text(parts: tuple[tuple[str, int], ...]) -> str:
    """Read rows of several kinds: for each part the tenant, then so many ids."""
    return " UNION ALL ".join(
        f"SELECT '{kind}', n, id, version, last, status, state FROM {table_of(kind)}"  # noqa: S608
        f" WHERE tenant = ? AND id IN {_list(ids)}"
        for kind, ids in parts
    )


@lru_cache(maxsize=32)
def contents_text(ids: int) -> str:
    """Read the latest content of orders: the tenant, then so many ids."""
    return f"SELECT id, content, max(version) FROM contents WHERE tenant = ? AND id IN {_list(ids)} GROUP BY id"  # noqa: S608


@lru_cache(maxsize=32)
def known_commands_text(ids: int) -> str:
    """Read remembered commands: the tenant, then so many ids."""
    return (
        "SELECT id, fingerprint, kind, row_id, version, at FROM commands"  # noqa: S608
        f" WHERE tenant = ? AND id IN {_list(ids)}"
    )


@lru_cache(maxsize=512)
def answered_text(leases: int) -> str:
    """Mark messages done: for each lease its id and token, then the moment and the tenant.

    ``CROSS JOIN`` keeps SQLite from walking all that is pending instead of searching by id.
    """
    return (
        f"WITH lease (id, token) AS (VALUES {_rows(2, leases)})"  # noqa: S608
        " UPDATE outbox SET state = 'done', done_at = ?, error = NULL WHERE n IN (SELECT m.n"
        " FROM lease CROSS JOIN outbox AS m ON m.tenant = ? AND m.id = lease.id AND m.token = lease.token"
        " WHERE m.state = 'pending')"
    )


def _rows(columns: int, rows: int) -> str:
    return ", ".join([_list(columns)] * rows)


def _list(count: int) -> str:
    return f"({', '.join('?' * count)})"
