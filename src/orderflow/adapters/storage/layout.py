"""The SQLite layout: a readable table for each kind, the journal with its commands, the outbox, and views for people.

Times are ISO 8601 text in UTC. An order's content is stored once, in the event that brought it, and the order's row
points there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from orderflow.adapters.storage.columns import columns_of
from orderflow.domain.workflow.standing import RESTING
from orderflow.errors import DefinitionError, StorageError

Run = Callable[[str], Any]

#: Marks the file as ours ("OFL1"), see https://www.sqlite.org/pragma.html#pragma_application_id.
APPLICATION_ID: Final = 0x4F464C31

#: The mark of files written before the first release.
_UNRELEASED: Final = 0x4F464C57

#: The layout that this release writes. A released layout never changes.
LAYOUT: Final = 1

#: The kind whose states have a content, which is stored separately.
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
    "number_prefix": "number_prefixes",
    "intake": "intake",
    "stock_document": "stock_documents",
}

_OWN_KIND: Final = re.compile(r"[a-z_]{1,40}")

_CHECKS: Final[Mapping[str, tuple[str, ...]]] = {
    "stock": (
        *(f"{name} >= 0" for name in ("on_hand", "allocated", "quarantined", "missing", "incoming", "backordered")),
        "allocated + unavailable <= on_hand + shortfall",
    ),
}

#: Columns that hosts search by value.
INDEXED: Final[Mapping[str, tuple[str, ...]]] = {
    "order": ("customer", "number", "external_id", "placed_at"),
    "stock": ("sku",),
    "shipment": ("order_id", "tracking_number"),
    "invoice": ("order_id", "customer", "number", "due_on"),
    "credit_note": ("order_id", "customer", "number"),
    "payment": ("customer", "external_id"),
    "return": ("order_id", "customer", "tracking_number"),
}

#: Columns that are empty in many rows, which are left out of the index.
SPARSE: Final = frozenset({"number", "external_id", "tracking_number"})

_BASE: Final = (
    """CREATE TABLE commands (
        tenant TEXT NOT NULL, id TEXT NOT NULL, fingerprint TEXT NOT NULL,
        kind TEXT NOT NULL, row_id TEXT NOT NULL, version INTEGER NOT NULL, command TEXT NOT NULL,
        actor TEXT NOT NULL, at TEXT NOT NULL, cause TEXT NOT NULL, workflow TEXT NOT NULL, occurred_at TEXT,
        PRIMARY KEY (tenant, id)) WITHOUT ROWID""",
    # No index but the position: a commit only appends. A row's history is a chain that starts at the row's ``last``
    # entry and follows ``previous``.
    """CREATE TABLE journal (
        position INTEGER PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
        version INTEGER NOT NULL, type TEXT NOT NULL, schema INTEGER NOT NULL, data TEXT NOT NULL,
        command_id TEXT NOT NULL, previous INTEGER NOT NULL)""",
    # A message may be leased from ``due_at`` on; a lease moves that to its end and sets ``sending``.
    # ``since`` is meaningful once there was an attempt. Exactly one of ``due_at`` and ``done_at`` is set, so the row
    # keeps its length and SQLite can update it in place. ``n`` grows with each commit. ``maybe_sent``: a sending may
    # have reached the other side.
    """CREATE TABLE outbox (
        tenant TEXT NOT NULL, id TEXT NOT NULL, n INTEGER NOT NULL, topic TEXT NOT NULL,
        lane_kind TEXT NOT NULL, lane_id TEXT NOT NULL, data TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'dead')),
        due_at TEXT, attempts INTEGER NOT NULL DEFAULT 0, token INTEGER NOT NULL DEFAULT 0,
        since TEXT, sending INTEGER NOT NULL DEFAULT 0, maybe_sent INTEGER NOT NULL DEFAULT 0, done_at TEXT, error TEXT,
        PRIMARY KEY (tenant, id)) WITHOUT ROWID""",
    # Personal data, derived from the rows of parties and customers and written with them; see ``searching``.
    """CREATE TABLE search_keys (
        tenant TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
        PRIMARY KEY (tenant, field, value, kind, id)) WITHOUT ROWID""",
    "CREATE INDEX search_keys_rows ON search_keys (tenant, kind, id)",
    # Only pending and dead messages are indexed, so that leasing stays quick however many are done.
    "CREATE INDEX outbox_due ON outbox (tenant, topic, due_at, n) WHERE state = 'pending'",
    "CREATE INDEX outbox_lanes ON outbox (tenant, topic, lane_kind, lane_id, n) WHERE state = 'pending'",
    "CREATE INDEX outbox_dead ON outbox (tenant, n) WHERE state = 'dead'",
    """CREATE VIEW journal_entries AS
        SELECT j.position, j.tenant, j.kind, j.id, j.version, j.type, j.schema, j.data, c.at, c.actor,
            j.command_id, c.command, c.cause, c.occurred_at, c.workflow
        FROM journal AS j JOIN commands AS c ON c.tenant = j.tenant AND c.id = j.command_id""",
    """CREATE VIEW stock_movements AS
        SELECT position, tenant, id AS stock, version, type, data, at, actor, command_id, cause
        FROM journal_entries WHERE kind = 'stock'""",
)


#: Views that show as rows what is stored as a list.
_VIEWS: Final[Mapping[str, str]] = {
    "order": """CREATE VIEW order_lines AS
        SELECT o.tenant, o.id AS order_id, json_extract(line.value, '$.line') AS line,
            json_extract(line.value, '$.sku') AS sku, json_extract(line.value, '$.description') AS description,
            coalesce(json_extract(line.value, '$.kind'), 'goods') AS kind,
            json_extract(line.value, '$.quantity') AS quantity, json_extract(line.value, '$.price') AS price,
            json_extract(line.value, '$.net_minor') AS net_minor, json_extract(line.value, '$.tax') AS tax,
            coalesce(json_extract(line.value, '$.discount_minor'), 0) AS discount_minor
        FROM orders AS o LEFT JOIN journal AS j ON j.position = o.content,
            json_each(coalesce(j.data, o.state), '$.content.lines') AS line""",
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
    """The table of a kind; for a host's own kinds, its name has a prefix.

    Raises:
        DefinitionError: the kind's name does not consist of 1 to 40 letters a to z or underscores.
    """
    if _OWN_KIND.fullmatch(kind) is None:
        raise DefinitionError(f"kind {kind!r} cannot name a table: use 1 to 40 letters a to z and underscores")
    return _TABLES.get(kind) or f"x_{kind}"


def kind_statements(kind: str) -> Iterator[str]:
    """The statements that create a kind's table, its indexes and its view."""
    table = table_of(kind)
    parts = ["n INTEGER PRIMARY KEY", "tenant TEXT NOT NULL", "id TEXT NOT NULL", "version INTEGER NOT NULL"]
    parts += ["last INTEGER NOT NULL", "changed_at TEXT NOT NULL", "status TEXT NOT NULL"]
    # The journal position of the event that brought the content; NULL if the state holds it.
    parts += ["content INTEGER"] * (kind == CONTENTED)
    parts += [f"{name} {column.type}" for name, column in columns_of(kind).items()]
    parts += ["schema INTEGER NOT NULL", "state TEXT NOT NULL", "UNIQUE (tenant, id)"]
    parts += [f"CHECK ({law})" for law in _CHECKS.get(kind, ())]
    yield f"CREATE TABLE {table} ({', '.join(parts)})"
    for name in INDEXED.get(kind, ()):
        sparse = f" WHERE {name} > ''" if name in SPARSE else ""
        yield f"CREATE INDEX {table}_{name} ON {table} (tenant, {name}){sparse}"
    if kind in RESTING:
        yield f"CREATE INDEX {table}_open ON {table} (tenant, n) WHERE open = 1"
    if kind == CONTENTED:
        # Most orders have neither an expiring allocation nor a tag.
        yield f"CREATE INDEX {table}_expires_at ON {table} (tenant, expires_at) WHERE expires_at IS NOT NULL"
        yield f"CREATE INDEX {table}_tags ON {table} (tenant, n) WHERE tags IS NOT NULL"
    if kind in _VIEWS:
        yield _VIEWS[kind]


def prepare(run: Run, kinds: Iterable[str]) -> None:
    """Create the tables that a file lacks, in one transaction; do nothing if none is missing.

    Raises:
        StorageError: the file has another layout, or is another application's database.
    """
    wanted = {table_of(kind): kind for kind in kinds}
    if check_layout(run) and not wanted.keys() - _tables(run):
        return
    run("BEGIN IMMEDIATE")
    if not check_layout(run):
        for statement in _BASE:
            run(statement)
        run(f"PRAGMA application_id = {APPLICATION_ID}")
        run(f"PRAGMA user_version = {LAYOUT}")
    tables = _tables(run)
    for table, kind in wanted.items():
        if table not in tables:
            for statement in kind_statements(kind):
                run(statement)
    run("COMMIT")


def check_prepared(run: Run) -> None:
    """Check that a file has this layout.

    Raises:
        StorageError: it has another layout or none, or is another application's database.
    """
    if not check_layout(run):
        raise StorageError(f"the file is empty; this release reads layout {LAYOUT}", retry=False)


def check_layout(run: Run) -> bool:
    """Whether a file has this layout; false if it is empty.

    Raises:
        StorageError: it has another layout, or is another application's database.
    """
    (version,) = run("PRAGMA user_version").fetchone()
    (mark,) = run("PRAGMA application_id").fetchone()
    if mark == _UNRELEASED:
        raise StorageError("the file was written before the first release and cannot be read", retry=False)
    if mark != APPLICATION_ID and (version or _tables(run)):
        raise StorageError("the file is a database of another application", retry=False)
    if version not in {0, LAYOUT}:
        raise StorageError(f"the file has layout {version}; this release reads layout {LAYOUT}", retry=False)
    return bool(version)


def _tables(run: Run) -> set[str]:
    return {name for (name,) in run("SELECT name FROM sqlite_schema WHERE type = 'table'")}
