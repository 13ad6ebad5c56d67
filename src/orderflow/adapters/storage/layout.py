"""The SQLite layout: a legible table for each kind, the journal with its commands, the outbox, and views for people.

Times are ISO 8601 text in UTC. The journal keeps an order's content once, in ``contents``; an event that brought the
content shows the rest of itself. A released layout never changes: another one is a step more in ``STEPS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from orderflow.adapters.storage.columns import columns_of
from orderflow.errors import DefinitionError, StorageError

__all__ = [
    "APPLICATION_ID",
    "CONTENTED",
    "INDEXED",
    "LAYOUT",
    "POSITION_BITS",
    "STEPS",
    "kind_statements",
    "migrate",
    "table_of",
]

Run = Callable[[str], Any]

#: Marks the file as ours ("OFLW"), see https://www.sqlite.org/pragma.html#pragma_application_id.
APPLICATION_ID: Final = 0x4F464C57

#: A journal position is its command's number, then so many bits that number the command's entries.
POSITION_BITS: Final = 20

#: The kind whose states hold what was ordered, which is stored apart.
CONTENTED: Final = "order"

_TABLES: Final[Mapping[str, str]] = {
    "order": "orders",
    "stock": "stock",
    "shipment": "shipments",
    "invoice": "invoices",
    "credit_note": "credit_notes",
    "payment": "payments",
    "return": "returns",
    "customer": "customers",
    "party": "parties",
    "account": "accounts",
    "series": "series",
    "intake": "intake",
    "stock_document": "stock_documents",
}

_OWN_KIND: Final = re.compile(r"[a-z_]{1,40}")

_CHECKS: Final[Mapping[str, tuple[str, ...]]] = {
    "stock": (
        *(f"{name} >= 0" for name in ("on_hand", "allocated", "unavailable", "incoming", "backordered", "shortfall")),
        "allocated + unavailable <= on_hand + shortfall",
    ),
}

#: Columns that are searched by value often enough to pay for an index.
INDEXED: Final[Mapping[str, tuple[str, ...]]] = {
    "order": ("status", "customer"),
    "stock": ("sku",),
    "shipment": ("status", "order_id"),
    "invoice": ("status", "order_id", "customer"),
    "credit_note": ("customer",),
    "payment": ("status", "customer"),
    "return": ("customer",),
}

_BASE: Final = (
    """CREATE TABLE commands (
        n INTEGER PRIMARY KEY, tenant TEXT NOT NULL, id TEXT NOT NULL, fingerprint TEXT NOT NULL,
        kind TEXT NOT NULL, row_id TEXT NOT NULL, version INTEGER NOT NULL, command TEXT NOT NULL,
        actor TEXT NOT NULL, at TEXT NOT NULL, cause TEXT NOT NULL, workflow TEXT NOT NULL, occurred_at TEXT,
        UNIQUE (tenant, id))""",
    # No index but the position: a commit only appends. A row's own history is a chain, from the row's ``last`` entry
    # by ``previous``. The command's n is the position without its last 20 bits.
    """CREATE TABLE journal (
        position INTEGER PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
        version INTEGER NOT NULL, type TEXT NOT NULL, schema INTEGER NOT NULL, data TEXT NOT NULL,
        previous INTEGER NOT NULL)""",
    """CREATE TABLE contents (
        tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, content TEXT NOT NULL,
        PRIMARY KEY (tenant, id, version))""",
    """CREATE TABLE outbox (
        n INTEGER PRIMARY KEY, tenant TEXT NOT NULL, id TEXT NOT NULL, topic TEXT NOT NULL,
        lane_kind TEXT NOT NULL, lane_id TEXT NOT NULL, data TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'dead')),
        due_at TEXT NOT NULL DEFAULT '', lease_until TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL DEFAULT 0, token INTEGER NOT NULL DEFAULT 0,
        done_at TEXT, error TEXT,
        UNIQUE (tenant, id))""",
    # Only what is not done is indexed, so that claiming stays quick however much is done.
    "CREATE INDEX outbox_pending ON outbox (tenant, n) WHERE state = 'pending'",
    "CREATE INDEX outbox_lanes ON outbox (tenant, lane_kind, lane_id, n) WHERE state = 'pending'",
    "CREATE INDEX outbox_dead ON outbox (tenant, n) WHERE state = 'dead'",
    """CREATE VIEW journal_entries AS
        SELECT j.position, j.tenant, j.kind, j.id, j.version, j.type, j.schema, j.data, b.content, c.at, c.actor,
            c.id AS command_id, c.command, c.cause, c.occurred_at, c.workflow
        FROM journal AS j JOIN commands AS c ON c.n = j.position >> 20
        LEFT JOIN contents AS b
            ON j.kind = 'order' AND b.tenant = j.tenant AND b.id = j.id AND b.version = j.version""",
    """CREATE VIEW stock_movements AS
        SELECT position, tenant, id AS stock, version, type, data, at, actor, command_id, cause
        FROM journal_entries WHERE kind = 'stock'""",
    """CREATE VIEW order_lines AS
        SELECT b.tenant, b.id AS order_id, json_extract(line.value, '$.line') AS line,
            json_extract(line.value, '$.sku') AS sku, json_extract(line.value, '$.description') AS description,
            coalesce(json_extract(line.value, '$.kind'), 'goods') AS kind,
            json_extract(line.value, '$.quantity') AS quantity, json_extract(line.value, '$.price') AS price,
            json_extract(line.value, '$.net_minor') AS net_minor, json_extract(line.value, '$.tax') AS tax,
            coalesce(json_extract(line.value, '$.discount_minor'), 0) AS discount_minor
        FROM contents AS b, json_each(b.content, '$.lines') AS line
        WHERE b.version = (SELECT max(version) FROM contents WHERE tenant = b.tenant AND id = b.id)""",
)


#: What people may want to see of a kind as rows, though its state holds it as a list.
_VIEWS: Final[Mapping[str, str]] = {
    "account": """CREATE VIEW account_sums AS
        SELECT a.tenant, a.id AS customer, json_extract(sums.value, '$.currency') AS currency,
            coalesce(json_extract(sums.value, '$.ordered'), 0) AS ordered_minor,
            coalesce(json_extract(sums.value, '$.invoiced'), 0) AS invoiced_minor,
            coalesce(json_extract(sums.value, '$.credited'), 0) AS credited_minor,
            coalesce(json_extract(sums.value, '$.paid'), 0) AS paid_minor,
            coalesce(json_extract(sums.value, '$.written_off'), 0) AS written_off_minor
        FROM accounts AS a, json_each(a.state, '$.sums') AS sums""",
}


def table_of(kind: str) -> str:
    """The table of a kind; a kind of a host's own has one with a prefix.

    Raises:
        DefinitionError: the kind's name is not 1 to 40 letters a to z and underscores.
    """
    if _OWN_KIND.fullmatch(kind) is None:
        raise DefinitionError(f"kind {kind!r} cannot name a table: use 1 to 40 letters a to z and underscores")
    return _TABLES.get(kind) or f"x_{kind}"


def kind_statements(kind: str) -> Iterator[str]:
    """What makes the table of a kind, its indexes and its view."""
    table = table_of(kind)
    parts = ["n INTEGER PRIMARY KEY", "tenant TEXT NOT NULL", "id TEXT NOT NULL", "version INTEGER NOT NULL"]
    parts += [
        "last INTEGER NOT NULL",
        "status TEXT NOT NULL",
        *(f"{name} {column.type}" for name, column in columns_of(kind).items()),
    ]
    parts += ["state TEXT NOT NULL", "UNIQUE (tenant, id)", *(f"CHECK ({law})" for law in _CHECKS.get(kind, ()))]
    yield f"CREATE TABLE {table} ({', '.join(parts)})"
    for name in INDEXED.get(kind, ()):
        yield f"CREATE INDEX {table}_{name} ON {table} (tenant, {name})"
    if kind == CONTENTED:
        # Most orders never have a promise that expires.
        yield f"CREATE INDEX {table}_expires_at ON {table} (tenant, expires_at) WHERE expires_at IS NOT NULL"
    if kind in _VIEWS:
        yield _VIEWS[kind]


def _first(run: Run) -> None:
    for statement in _BASE:
        run(statement)
    run(f"PRAGMA application_id = {APPLICATION_ID}")


#: Step n leads from layout n to layout n + 1, in a transaction of its own; so an interrupted migration goes on.
STEPS: Final[tuple[Callable[[Run], None], ...]] = (_first,)

LAYOUT: Final = len(STEPS)


def migrate(run: Run, kinds: Iterable[str]) -> None:
    """Bring a file to this layout, with a table for each kind; nothing is done where nothing is missing.

    Raises:
        StorageError: the file was written by a later release, or is a database of something else.
    """
    while (version := _version(run)) < LAYOUT:
        run("BEGIN IMMEDIATE")
        if _version(run) == version:
            STEPS[version](run)
            run(f"PRAGMA user_version = {version + 1}")
        run("COMMIT")
    tables = _tables(run)
    missing = [kind for kind in kinds if table_of(kind) not in tables]
    if missing:
        run("BEGIN IMMEDIATE")
        tables = _tables(run)
        for kind in missing:
            if table_of(kind) not in tables:
                for statement in kind_statements(kind):
                    run(statement)
        run("COMMIT")


def _version(run: Run) -> int:
    (version,) = run("PRAGMA user_version").fetchone()
    (mark,) = run("PRAGMA application_id").fetchone()
    if version > LAYOUT:
        raise StorageError(f"the file has layout {version}, this release reads up to {LAYOUT}", retry=False)
    if mark != APPLICATION_ID and (version or _tables(run)):
        raise StorageError("the file is a database of another application", retry=False)
    return int(version)


def _tables(run: Run) -> set[str]:
    return {name for (name,) in run("SELECT name FROM sqlite_schema WHERE type = 'table'")}
