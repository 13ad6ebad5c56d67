"""Reading an SQLite file across rows: the journal, listings and sums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from orderflow.adapters.codec import Codec
from orderflow.adapters.storage.columns import asks_for_open
from orderflow.adapters.storage.conditions import ROWS, Condition, check_limit, check_sums, conditions
from orderflow.adapters.storage.layout import CONTENTED, INDEXED, SPARSE, table_of
from orderflow.adapters.storage.session import Session, Sessions
from orderflow.adapters.storage.unit import moment
from orderflow.domain.values import StockRef
from orderflow.errors import Key
from orderflow.ports.storage import VAULT, Query, Recorded, Redacted, Row

#: History entries read at a time.
PAGE: Final = 500
#: A condition without its values: columns, test and number of values.
Shape: TypeAlias = tuple[tuple[str, ...], str, int]

_SIGNS: Final = {"is": "=", "from": ">=", "before": "<", "by": "<="}

_RECORDED: Final = """
    SELECT j.position, j.kind, j.id, j.version, j.type, j.schema, j.data, c.at, c.actor, j.command_id, c.cause,
        c.occurred_at, c.workflow
    FROM journal AS j JOIN commands AS c ON c.tenant = j.tenant AND c.id = j.command_id
"""
#: The plus keeps SQLite from scanning all of a tenant's commands instead of starting at the position.
ENTRIES: Final = _RECORDED + "WHERE +j.tenant = ? AND j.position > ? ORDER BY j.position LIMIT ?"


#: Every event of a stock row has a ``quantity``: the units it moves.
MOVEMENTS: Final = """
    SELECT id, type, sum(json_extract(data, '$.quantity')) FROM journal
    WHERE tenant = ? AND kind = 'stock' GROUP BY id, type
"""


def history(sessions: Sessions, codec: Codec, key: Key) -> Iterator[Recorded]:
    """Every entry of one row, oldest first: read the chain of positions, then the entries page by page."""
    with sessions.reading() as session:
        positions = [position for (position,) in session.rows(chain_text(key.kind), (key.tenant, key.id))]
    positions.reverse()
    for start in range(0, len(positions), PAGE):
        part = positions[start : start + PAGE]
        with sessions.reading() as session:
            rows = session.rows(recorded_text(len(part)), part)
        yield from (_recorded(codec, key.tenant, row) for row in rows)


def entries(session: Session, codec: Codec, tenant: str, after: int, limit: int) -> list[Recorded]:
    """Entries after a position, in commit order, across all rows of the tenant."""
    check_limit(limit)
    return [_recorded(codec, tenant, row) for row in session.rows(ENTRIES, (tenant, after, limit))]


def find(session: Session, codec: Codec, tenant: str, query: Query) -> list[Row[Any]]:
    """Up to ``query.limit`` rows in order of creation."""
    wanted = conditions(query)
    values: list[Any] = [tenant, query.cursor]
    for condition in wanted:
        values += condition.value if isinstance(condition.value, tuple) else [condition.value] * _uses(condition)
    rows = session.rows(find_text(query.kind, tuple(map(_shape, wanted)), asks_for_open(query)), [*values, query.limit])
    return [_row(session, codec, Key(tenant, query.kind, row[1]), row) for row in rows]


def sums(
    session: Session, tenant: str, kind: str, columns: Sequence[str], by: Sequence[str]
) -> Mapping[tuple[str, ...], tuple[int, ...]]:
    """Exact sums of integer columns, grouped; a missing value counts as 0, and groups as an empty text."""
    check_sums(kind, columns, by)
    rows = session.rows(_sums_text(kind, tuple(columns), tuple(by)), (tenant,))
    return {row[: len(by)]: row[len(by) :] for row in rows}


def movements(session: Session, tenant: str) -> Mapping[tuple[str, str, str], int]:
    """Stock movements summed: (SKU, location, event type) to units."""
    rows = session.rows(MOVEMENTS, (tenant,))
    parts = ((StockRef.read(id_), type_, units) for id_, type_, units in rows)
    return {(ref.sku, ref.location, type_): units for ref, type_, units in parts}


@lru_cache(maxsize=64)
def chain_text(kind: str) -> str:
    """Select the positions of a row's entries, latest first, by tenant and id. A damaged chain cannot loop."""
    return (
        "WITH RECURSIVE chain (position, previous) AS ("  # noqa: S608
        f"SELECT position, previous FROM journal WHERE position = (SELECT last FROM {table_of(kind)} WHERE tenant = ?"
        " AND id = ?) UNION ALL SELECT j.position, j.previous FROM chain JOIN journal AS j"
        " ON j.position = chain.previous AND j.position < chain.position) SELECT position FROM chain"
    )


@lru_cache(maxsize=64)
def recorded_text(entries: int) -> str:
    """Select the entries at a number of positions, in order."""
    return f"{_RECORDED} WHERE j.position IN ({', '.join('?' * entries)}) ORDER BY j.position"


@lru_cache(maxsize=256)
def find_text(kind: str, shape: tuple[Shape, ...], open_only: bool) -> str:  # noqa: FBT001 - of a cached text
    """Select rows of a kind under conditions of this shape: columns, test and number of values.

    ``open_only``: the wanted statuses are all open ones, so the index of open rows can be used.
    """
    table = table_of(kind)
    tests = "".join(f" AND {_test(*part)}" for part in shape)
    if open_only:
        tests += " AND open = 1"
    # If no index helps, rows are scanned in order until there are enough; the plus hides the tenant's index.
    tenant = "tenant = ?" if open_only or _is_helped(kind, shape) else "+tenant = ?"
    content = ", j.type, j.schema, j.data" if kind == CONTENTED else ", NULL, NULL, NULL"
    join = " LEFT JOIN journal AS j ON j.position = t.content" if kind == CONTENTED else ""
    return (
        f"SELECT t.n, t.id, t.version, t.last, t.changed_at, t.status, t.schema, t.state{content}"  # noqa: S608
        f" FROM {table} AS t{join}"
        f" WHERE t.n IN (SELECT n FROM {table} WHERE {tenant} AND n > ?{tests} ORDER BY n LIMIT ?) ORDER BY t.n"
    )


def _is_helped(kind: str, shape: Sequence[Shape]) -> bool:
    """Whether an index on one of the columns narrows the search to a few rows."""
    indexed = INDEXED.get(kind, ())
    tests = {(columns[0], test) for columns, test, _ in shape}
    if any(name in indexed and {(name, "from"), (name, "before")} <= tests for name, _ in tests):
        return True
    exact = any(name in indexed for name, test in tests if test in {"is", "given", "in"})
    return exact or bool(tests & {("expires_at", "by"), ("due_on", "by"), ("tags", "lists")})


def _shape(condition: Condition) -> Shape:
    columns, test, value = condition
    if test == "is" and value and columns[0] in SPARSE:
        return columns, "given", 1
    return columns, test, len(value) if isinstance(value, tuple) else 1


@lru_cache(maxsize=256)
def _sums_text(kind: str, columns: tuple[str, ...], by: tuple[str, ...]) -> str:
    groups = ", ".join(f"coalesce(CAST({name} AS TEXT), '')" for name in by)
    totals = ", ".join("count(*)" if name == ROWS else f"coalesce(sum({name}), 0)" for name in columns)
    chosen = f"{groups}, {totals}" if by else totals
    return f"SELECT {chosen} FROM {table_of(kind)} WHERE +tenant = ?" + (f" GROUP BY {groups}" if by else "")  # noqa: S608


def _test(columns: tuple[str, ...], test: str, count: int) -> str:
    if test == "contains":
        return f"({' OR '.join(f'instr(lower({name}), ?) > 0' for name in columns)})"
    (name,) = columns
    if test == "lists":
        return f"{name} IS NOT NULL AND EXISTS (SELECT 1 FROM json_each({name}) WHERE value = ?)"  # noqa: S608
    if test == "given":
        return f"{name} = ? AND {name} > ''"
    if test == "in":
        return f"{name} IN ({', '.join('?' * count)})"
    return f"{name} {_SIGNS[test]} ?"


def _uses(condition: Condition) -> int:
    return len(condition.columns) if condition.test == "contains" else 1


def _row(session: Session, codec: Codec, key: Key, row: tuple[Any, ...]) -> Row[Any]:
    cursor, _, version, last, changed_at, status, schema, text, *event = row
    at = moment(changed_at) if changed_at else None
    known = session.cache.decoded(key, version, last)
    if known is not None:
        return Row(cursor, key, version, known.state, at)
    name, event_schema, data = event
    content = None if name is None else codec.event(key.kind, name, data, event_schema).content
    return Row(cursor, key, version, codec.state(key.kind, status, text, schema, content), at)


def _recorded(codec: Codec, tenant: str, row: tuple[Any, ...]) -> Recorded:
    position, kind, id_, version, name, schema, data, at, actor, command_id, cause, occurred, workflow = row
    event: Any = Redacted(name) if kind in VAULT else codec.event(kind, name, data, schema)
    occurred_at = None if occurred is None else moment(occurred)
    key = Key(tenant, kind, id_)
    return Recorded(position, key, version, event, moment(at), actor, command_id, cause, occurred_at, workflow)
