"""What rows can be filtered by: the columns of each kind, and how to read them from a state.

The SQLite storage writes these columns to its tables, the in-memory storage reads them when queried, so both answer a
query alike. A kind that is not in ``COLUMNS`` has only its id, version and status.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

from orderflow.domain.workflow.standing import RESTING
from orderflow.errors import Key
from orderflow.ports.storage import Query

Value = str | int | None


class Column(NamedTuple):
    """One column: its SQL type, how to read its value from a row's key and state, and whether it is fixed.

    A fixed column derives from the row's id, or from what ``SETTLED`` names. It is written again only when those
    change, as SQLite rewrites an index entry whenever its column is written.
    """

    type: str
    read: Callable[[Key, Any], Value]
    fixed: bool = False


def time_text(at: datetime) -> str:
    """A time as UTC text that sorts chronologically: no offset, and a fraction only if there is one."""
    return _utc_text(at.astimezone(UTC))


@lru_cache(maxsize=256)
def _utc_text(at: datetime) -> str:
    # Cached for UTC only: in other zones, the two times that share a wall clock in autumn are equal and hash alike.
    return at.replace(tzinfo=None).isoformat()


def status_of(state: object) -> str:
    """The status of a row: the name of its state's class."""
    return type(state).__name__


def _plain(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value.value if isinstance(value, Enum) else value)


def _fact(*paths: str) -> Callable[[Any], Any]:
    """The first of these dotted attributes that the state has; None if it has none of them."""
    getters = tuple(attrgetter(path) for path in paths)

    def read(state: Any) -> Any:
        for getter in getters:
            try:
                return getter(state)
            except AttributeError:
                continue
        return None

    return read


def _text(*paths: str, fixed: bool = False) -> Column:
    fact = _fact(*paths)
    return Column("TEXT", lambda key, state: _plain(fact(state)), fixed)


def _number(*paths: str, fixed: bool = False) -> Column:
    fact = _fact(*paths)
    return Column("INTEGER", lambda key, state: fact(state), fixed)


def _count(name: str) -> Column:
    """A counter that every state of its kind has."""
    get = attrgetter(name)
    return Column("INTEGER NOT NULL", lambda key, state: get(state))


def _listed(*paths: str) -> Column:
    """The texts of all these attributes, as a JSON array; None if there are none."""
    getters = tuple(attrgetter(path) for path in paths)

    def read(key: Key, state: Any) -> Value:
        found: dict[str, None] = {}
        for getter in getters:
            try:
                found.update(dict.fromkeys(getter(state)))
            except AttributeError:
                continue
        return json.dumps(list(found), ensure_ascii=False) if found else None

    return Column("TEXT", read)


def _part(separator: str, index: int) -> Column:
    """A part of the row's id, which never changes: before (0) or after (2) the first separator."""
    return Column("TEXT NOT NULL", lambda key, state: key.id.partition(separator)[index], fixed=True)


def _first_expiry(key: Key, state: Any) -> Value:
    """When the first of an order's allocations expires; None if none does."""
    progress = getattr(state, "progress", None)
    if progress is None:
        return None
    ends = [a.until for vector in progress.lines for a in vector.allocated if a.until is not None]
    return min(map(time_text, ends)) if ends else None


def _first_order(*paths: str, fixed: bool = False) -> Column:
    """The order of a document's first item or line; None if it has none, or that belongs to no order."""
    getters = tuple(attrgetter(path) for path in paths)

    def read(key: Key, state: Any) -> Value:
        for getter in getters:
            try:
                items = getter(state)
            except AttributeError:
                continue
            return (items[0].order or None) if items else None
        return None

    return Column("TEXT", read, fixed)


def _is_open(kind: str, state: Any) -> bool:
    """Whether somebody may have to look at a row, now or later."""
    if status_of(state) not in RESTING[kind]:
        return True
    # What rows wait for is known by the whole domain; importing a storage must not load it.
    from orderflow.domain.workflow.attention import waits

    return waits(state)


def _open(kind: str) -> Column:
    return Column("INTEGER NOT NULL", lambda key, state: int(_is_open(kind, state)), fixed=True)


#: What invoices and credit notes have in common.
_NUMBERED: Final[Mapping[str, Column]] = {
    "number": _text("number", fixed=True),
    "series": _text("content.series", fixed=True),
    "customer": _text("content.customer", fixed=True),
    "currency": _text("content.currency", fixed=True),
    "issued_on": _text("content.dated", fixed=True),
}

COLUMNS: Final[Mapping[str, Mapping[str, Column]]] = {
    "order": {
        "open": _open("order"),
        "number": _text("content.number", fixed=True),
        "channel": _text("content.channel", fixed=True),
        "external_id": _text("content.external_id", fixed=True),
        "customer": _text("content.customer", fixed=True),
        "currency": _text("content.currency", fixed=True),
        "placed_at": _text("placed_at", fixed=True),
        "total_minor": _number("totals.gross_minor", fixed=True),
        "lines": Column("INTEGER", lambda key, state: len(state.content.lines), fixed=True),
        "expires_at": Column("TEXT", _first_expiry),
        "tags": _listed("content.tags", "progress.tags"),
    },
    "stock": {
        "open": _open("stock"),
        "sku": _part("@", 0),
        "location": _part("@", 2),
        "on_hand": _count("on_hand"),
        "allocated": _count("allocated"),
        "unavailable": _count("unavailable"),
        "quarantined": _count("quarantined"),
        "missing": _count("missing"),
        "incoming": _count("incoming"),
        "backordered": _count("backordered"),
        "shortfall": _count("shortfall"),
    },
    "shipment": {
        "open": _open("shipment"),
        "order_id": _first_order("items", fixed=True),
        "carrier": _text("label.carrier", "carriage.label.carrier", "plan.carrier", fixed=True),
        "service": _text("label.service", "carriage.label.service", "plan.service", fixed=True),
        "tracking_number": _text("label.tracking_number", "carriage.label.tracking_number", fixed=True),
        "handed_over_at": _text("carriage.handed_over_at"),
        "delivered_at": _text("delivered_at"),
    },
    "invoice": {
        "open": _open("invoice"),
        **_NUMBERED,
        "order_id": _first_order("content.lines", fixed=True),
        "due_on": _text("due_date", fixed=True),
        "gross_minor": _number("totals.gross_minor", fixed=True),
        "prepaid_minor": _number("amounts.prepaid"),
        "applied_minor": _number("amounts.applied"),
        "credited_minor": _number("amounts.credited"),
        "written_off_minor": _number("amounts.written_off"),
        "open_minor": _number("open_minor"),
    },
    "credit_note": {
        **_NUMBERED,
        "order_id": _first_order("parts", fixed=True),
        "document": _text("content.document", fixed=True),
        "gross_minor": _number("totals.gross_minor", fixed=True),
        "free_minor": _number("free_minor"),
    },
    "payment": {
        "open": _open("payment"),
        "source": _text("origin.source", fixed=True),
        "external_id": _text("origin.external_id", fixed=True),
        "method": _text("origin.method", fixed=True),
        "customer": _text("origin.customer", fixed=True),
        "currency": _text("funds.currency", "authorised.currency", "amount.currency"),
        "expected_minor": _number("amount.minor"),
        "authorised_minor": _number("funds.authorised", "authorised.minor"),
        "received_minor": _number("funds.received"),
        "refunded_minor": _number("funds.refunded"),
        "charged_back_minor": _number("funds.charged_back"),
        "applied_minor": _number("funds.applied"),
        "free_minor": _number("free"),
        "value_on": _text("funds.value_date"),
    },
    "return": {
        "open": _open("return"),
        "order_id": Column("TEXT", lambda key, state: state.order or None),
        "customer": _text("wish.customer"),
        "location": _text("location"),
        "reason": _text("wish.reason"),
        "wanted": _text("wish.wanted"),
        "tracking_number": _text("handling.tracking"),
        "exchange": _text("handling.exchange"),
        "credit_note": _text("handling.credit_note"),
        "due_at": _text("due"),
    },
    "customer": {
        "party": _text("party"),
        "tags": _listed("tags"),
        "reason": _text("reason"),
    },
    "party": {
        "purpose": _text("purpose"),
        "retain_until": _text("retain_until", "until"),
    },
    "account": {
        "blocked": Column("INTEGER", lambda key, state: int(getattr(state, "blocked", False))),
        "limit_minor": _number("limit.minor"),
        "limit_currency": _text("limit.currency"),
    },
    "series": {
        "prefix": _text("prefix"),
        "start_number": _number("start"),
        "next_number": _number("next"),
        "closed_through": _text("closed_through"),
    },
    "number_prefix": {
        "series": _text("series"),
    },
    "intake": {
        "channel": _part("/", 0),
        "external_id": _part("/", 2),
        "became_kind": _text("kind"),
        "became_id": _text("id"),
        "line": _number("line"),
    },
    "stock_document": {
        "type": _text("kind"),
        "reference": _text("reference"),
        "reason": _text("reason"),
        "lines": _number("lines"),
    },
}

#: What the fixed columns of a kind derive from, besides the row's id and whether it is open.
SETTLED: Final[Mapping[str, tuple[Callable[[Any], Any], ...]]] = {
    "order": (_fact("content"), _fact("totals"), _fact("placed_at")),
    "shipment": (_fact("items"), _fact("plan"), _fact("label", "carriage.label")),
    "invoice": (_fact("content"), _fact("totals"), _fact("number"), _fact("due_date")),
    "credit_note": (_fact("content"), _fact("totals"), _fact("number")),
    "payment": (_fact("origin"),),
}

#: The column that dates the rows of a kind, for ``since`` and ``until``: a moment (``_at``) or a day (``_on``).
DATED: Final[Mapping[str, str]] = {
    "order": "placed_at",
    "shipment": "handed_over_at",
    "invoice": "issued_on",
    "credit_note": "issued_on",
    "payment": "value_on",
}

#: The column that says when the rows of a kind fall due, for ``due_by``.
DUE: Final[Mapping[str, str]] = {"order": "expires_at", "invoice": "due_on", "return": "due_at"}

#: The columns that a text search covers, besides the id.
SEARCHED: Final[tuple[str, ...]] = ("number", "external_id", "customer", "tracking_number", "tags")

_NONE: Final[Mapping[str, Column]] = {}


def columns_of(kind: str) -> Mapping[str, Column]:
    """The columns of a kind, in table order; none for a host's own kinds."""
    return COLUMNS.get(kind, _NONE)


@cache
def reader_of(kind: str, names: tuple[str, ...]) -> Callable[[Key, Any], list[Value]]:
    """The function that reads these columns from a row."""
    reads = [columns_of(kind)[name].read for name in names]
    return lambda key, state: [read(key, state) for read in reads]


@cache
def all_columns(kind: str) -> tuple[str, ...]:
    """The columns of a new row."""
    return tuple(columns_of(kind))


@cache
def _moving(kind: str) -> tuple[str, ...]:
    return tuple(name for name, column in columns_of(kind).items() if not column.fixed)


def columns_touched(kind: str, before: Any, after: Any) -> tuple[str, ...]:
    """The columns that may differ after a change; fixed ones only if what they derive from has changed."""
    facts = SETTLED.get(kind, ())
    if [fact(before) for fact in facts] != [fact(after) for fact in facts]:
        return all_columns(kind)
    if kind in RESTING and _is_open(kind, before) is not _is_open(kind, after):
        return ("open", *_moving(kind))
    return _moving(kind)


def asks_for_open(query: Query) -> bool:
    """Whether a query finds only open rows."""
    if query.kind not in RESTING:
        return False
    return ("open", 1) in query.where or (bool(query.status) and RESTING[query.kind].isdisjoint(query.status))


def row_values(key: Key, version: int, state: object) -> dict[str, Value]:
    """Everything about a row that a query can compare, by column name."""
    read = zip(columns_of(key.kind), reader_of(key.kind, all_columns(key.kind))(key, state), strict=True)
    return {"id": key.id, "version": version, "status": status_of(state), **dict(read)}
