"""A query as a list of conditions on columns, so that it means the same to every storage.

``since`` is inclusive, ``until`` exclusive, ``due_by`` inclusive. Text is found anywhere in a value, ignoring the case
of ASCII letters.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Final, Literal, NamedTuple

from orderflow.adapters.storage.columns import DATED, DUE, SEARCHED, Value, columns_of, time_text
from orderflow.domain.engine.bounds import Between
from orderflow.domain.engine.schema import faults_at, faults_of
from orderflow.errors import Fault, InputError, Key
from orderflow.ports.storage import MAX_FOUND, Query

_GENERIC: Final = {"id": "TEXT", "version": "INTEGER", "status": "TEXT"}
_ASCII_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

_TESTS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "is": operator.eq,
    "in": lambda value, wanted: value in wanted,
    "from": operator.ge,
    "before": operator.lt,
    "by": operator.le,
    "lists": lambda value, wanted: wanted in json.loads(value),
}


class Condition(NamedTuple):
    """What one or more columns must satisfy; ``contains`` is satisfied by any of them."""

    columns: tuple[str, ...]
    test: Literal["is", "in", "from", "before", "by", "lists", "contains"]
    value: str | int | tuple[str, ...]


#: In sums: the number of rows.
ROWS: Final = "*"


def folded(text: str) -> str:
    """Text with its ASCII letters in lower case, as SQLite's ``lower`` does."""
    return text.translate(_ASCII_LOWER)


def conditions(query: Query) -> tuple[Condition, ...]:
    """The conditions a row must satisfy, once the query has been validated.

    Raises:
        InputError: unknown columns, a limit out of bounds, or a date or tag for a kind that has none.
    """
    faults = faults_of(query) or _faults(query)
    if faults:
        raise InputError(faults)
    found = [Condition(("status",), "in", query.status)] if query.status else []
    found += [Condition((name,), "is", value) for name, value in query.where]
    dated = DATED.get(query.kind, "")
    if query.since is not None:
        found.append(Condition((dated,), "from", _bound(dated, query.since)))
    if query.until is not None:
        found.append(Condition((dated,), "before", _bound(dated, query.until)))
    if query.due_by is not None:
        due = DUE[query.kind]
        text = time_text(query.due_by) if due.endswith("_at") else query.due_by.date().isoformat()
        found.append(Condition((due,), "by", text))
    if query.tag:
        found.append(Condition(("tags",), "lists", query.tag))
    if query.text:
        known = columns_of(query.kind)
        found.append(Condition(("id", *(n for n in SEARCHED if n in known)), "contains", folded(query.text)))
    return tuple(found)


def holds(condition: Condition, values: Mapping[str, Value]) -> bool:
    """Whether a row's values satisfy a condition. A missing value satisfies none."""
    found = [value for value in map(values.__getitem__, condition.columns) if value is not None]
    if condition.test == "contains":
        return any(str(condition.value) in folded(str(value)) for value in found)
    return bool(found) and _TESTS[condition.test](found[0], condition.value)


def check_tenant(tenant: str, key: Key) -> None:
    """Raise an ``InputError`` for a key of another tenant."""
    if key.tenant != tenant:
        raise InputError.at("key.tenant", "other_tenant", f"this is the storage of {tenant!r}, not of {key.tenant!r}")


def check_limit(limit: int) -> None:
    """Raise an ``InputError`` unless ``limit`` is 1 to ``MAX_FOUND``."""
    if faults := faults_at("limit", Annotated[int, Between(1, MAX_FOUND)], limit):
        raise InputError(faults)


def check_sums(kind: str, columns: Sequence[str], by: Sequence[str]) -> None:
    """Raise an ``InputError`` unless ``columns`` are known integer columns (or ``ROWS``) and ``by`` known columns."""
    faults = [
        Fault(f"columns[{index}]", "unknown_column", f"{name!r} is not a numeric column of {kind!r}")
        for index, name in enumerate(columns)
        if name != ROWS and (name not in columns_of(kind) or not _is_number(kind, name))
    ]
    faults += [*_unknown(kind, "by", by)]
    if not columns:
        faults.append(Fault("columns", "bad_length", "name at least one column"))
    if faults:
        raise InputError(faults)


def _faults(query: Query) -> list[Fault]:
    faults = _unknown(query.kind, "where", [name for name, _ in query.where])
    for index, (name, value) in enumerate(query.where):
        if isinstance(value, int) is not _is_number(query.kind, name):
            faults.append(Fault(f"where[{index}]", "wrong_type", f"{name!r} cannot be compared with {value!r}"))
    moments = (("since", query.since, DATED), ("until", query.until, DATED), ("due_by", query.due_by, DUE))
    for name, moment, columns in moments:
        if moment is not None and query.kind not in columns:
            faults.append(Fault(name, "not_dated", f"rows of {query.kind!r} have no such date"))
    if query.tag and "tags" not in columns_of(query.kind):
        faults.append(Fault("tag", "not_tagged", f"rows of {query.kind!r} have no tags"))
    return faults


def _is_number(kind: str, name: str) -> bool:
    known = columns_of(kind)
    return (known[name].type if name in known else _GENERIC.get(name, "")).startswith("INTEGER")


def _unknown(kind: str, path: str, names: Sequence[str]) -> list[Fault]:
    known = columns_of(kind)
    listed = ", ".join([*_GENERIC, *known])
    return [
        Fault(f"{path}[{index}]", "unknown_column", f"{kind!r} has no column {name!r}; it has {listed}")
        for index, name in enumerate(names)
        if name not in known and name not in _GENERIC
    ]


def _bound(column: str, moment: datetime) -> str:
    """The bound as column text; in a column of whole days, the first day that starts at or after the moment."""
    if column.endswith("_at"):
        return time_text(moment)
    whole = moment.time() == time.min
    return (moment if whole else moment + timedelta(days=1)).date().isoformat()
