"""An audit of a whole SQLite file: every row with its journal, in key order, and the damage that SQLite itself finds.

The file is opened read-only on a connection of its own, and read as of one moment, even while others write.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from attrs import define, field

from orderflow.adapters.codec import Codec
from orderflow.adapters.storage.columns import columns_of, row_values
from orderflow.adapters.storage.layout import CONTENTED, check_prepared, table_of
from orderflow.adapters.storage.session import FOREIGN
from orderflow.adapters.storage.unit import moment
from orderflow.domain.engine.machine import Machine
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import Key, OrderFlowError, StorageError
from orderflow.ports.audit import Cited, Logged, Sent, Stored, Stream, Unreadable
from orderflow.ports.storage import VAULT

__all__ = ["SqliteAudit"]

_CACHE_KIB: Final = 32_768
_FAULTS: Final = 100
_MESSAGES_AT_ONCE: Final = 100_000

_ENTRIES: Final = """
    SELECT j.id, j.position, j.version, j.type, j.schema, j.data, c.id, c.kind, c.row_id, c.at, c.actor, c.occurred_at,
        c.workflow, c.command
    FROM journal AS j LEFT JOIN commands AS c ON c.tenant = j.tenant AND c.id = j.command_id
    WHERE j.tenant = ? AND j.kind = ? ORDER BY j.id, j.version
"""
_MESSAGES: Final = """
    SELECT id, topic, lane_kind, lane_id, data FROM outbox WHERE tenant = ? AND id >= ? AND id < ?
"""
_COMMAND_FAULTS: Final = """
    SELECT CASE WHEN j.version IS NULL THEN 'no event of its row cites command '
        ELSE 'its version is not the one its events led to: command ' END || c.id
    FROM commands AS c LEFT JOIN (
        SELECT command_id, kind, id, max(version) AS version FROM journal WHERE tenant = ? GROUP BY 1, 2, 3
    ) AS j ON j.command_id = c.id AND j.kind = c.kind AND j.id = c.row_id
    WHERE c.tenant = ? AND j.version IS NOT c.version
"""
_CHAINS: Final = """
    SELECT 'the chain of ' || kind || ' ' || id || ' is broken at version ' || version FROM (
        SELECT kind, id, version, previous, lag(position, 1, 0) OVER (PARTITION BY kind, id ORDER BY version) AS before
        FROM journal WHERE tenant = ?
    ) WHERE previous <> before
"""
_STATELESS: Final = """
    SELECT 'message ' || id || ' is in an unknown state' FROM outbox
    WHERE tenant = ? AND state NOT IN ('pending', 'done', 'dead')
"""
_FOREIGN_TENANT: Final = """
    SELECT count(*) FROM journal AS j
    WHERE j.tenant = ? AND NOT EXISTS (SELECT 1 FROM commands WHERE tenant = j.tenant AND id = j.command_id)
        AND EXISTS (SELECT 1 FROM commands WHERE id = j.command_id)
"""


@define
class _Seen:
    """The position and time of a row's last entry, and the contents its entries brought, by position."""

    position: int = 0
    at: str | None = None
    contents: dict[int, Any] = field(factory=dict)


class SqliteAudit:
    """A context manager over one tenant's rows in a file. Not thread-safe.

    Args:
        path: the file, which must exist.
        machines: those of the workflow that wrote the file.
        tenant: whose rows to read.

    Raises:
        StorageError: the file cannot be read, or has another layout.
    """

    def __init__(self, path: Path | str, machines: Iterable[Machine], *, tenant: str = "main") -> None:
        machines = tuple(machines)
        self._tenant = tenant
        self._codec = Codec(machines)
        self._own = frozenset(machine.kind for machine in machines)
        with _translated():
            uri = f"{Path(path).absolute().as_uri()}?mode=ro"
            self._connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        self._begin()

    def _begin(self) -> None:
        try:
            with _translated():
                check_prepared(self._connection.execute)
            self._rows(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._rows("BEGIN")
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    # --- rows with their journal ---

    def kinds(self) -> Sequence[str]:
        """The kinds in the journal, and those of the workflow that have a table, in order of name."""
        journal = {kind for (kind,) in self._rows("SELECT DISTINCT kind FROM journal WHERE tenant = ?", self._tenant)}
        tables = {name for (name,) in self._rows("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        return sorted(journal | {kind for kind in self._own if table_of(kind) in tables})

    def streams(self, kind: str) -> Iterator[Stream]:
        """Every row of a kind that has a journal, a stored state, or both, in order of id, read one at a time."""
        content = ["content" if kind == CONTENTED else "NULL"]
        names = ["id", "version", "status", "schema", "state", *content, "last", "changed_at", *columns_of(kind)]
        text = f"SELECT {', '.join(names)} FROM {table_of(kind)} WHERE tenant = ? ORDER BY id"  # noqa: S608
        rows = self._cursor(text, self._tenant)
        row = next(rows, None)
        for id_, entries in groupby(self._cursor(_ENTRIES, self._tenant, kind), itemgetter(0)):
            while row is not None and row[0] < id_:
                yield self._stream(kind, row[0], (), row)
                row = next(rows, None)
            if row is not None and row[0] == id_:
                yield self._stream(kind, id_, entries, row)
                row = next(rows, None)
            else:
                yield self._stream(kind, id_, entries, None)
        while row is not None:
            yield self._stream(kind, row[0], (), row)
            row = next(rows, None)

    def _stream(self, kind: str, id_: str, entries: Iterable[tuple[Any, ...]], row: tuple[Any, ...] | None) -> Stream:
        key, seen = Key(self._tenant, kind, id_), _Seen()
        return Stream(
            key, self._logged(key, entries, seen), lambda: None if row is None else self._stored(key, row, seen)
        )

    def _logged(self, key: Key, entries: Iterable[tuple[Any, ...]], seen: _Seen) -> Iterator[Logged]:
        for _, position, version, name, schema, data, command, kind, row, *decided in entries:
            event: Any = None if key.kind in VAULT else self._event(key.kind, name, schema, data)
            seen.position, seen.at = position, decided[0]
            if getattr(event, "content", None) is not None:
                seen.contents[position] = event.content
            cited = None if command is None else _cited(Key(key.tenant, kind, row), command, *decided)
            yield Logged(version, event, cited)

    def _event(self, kind: str, name: str, schema: int, data: str) -> Any:
        try:
            return self._codec.event(kind, name, data, schema)
        except StorageError as error:
            return Unreadable(str(error))

    def _stored(self, key: Key, row: tuple[Any, ...], seen: _Seen) -> Stored:
        _, version, status, schema, text, content, *values = row
        try:
            state = self._codec.state(key.kind, status, text, schema, seen.contents.get(content))
        except StorageError as error:
            return Stored(version, Unreadable(str(error)))
        try:
            wanted = row_values(key, version, state) | {"last": seen.position, "changed_at": seen.at}
        except (OrderFlowError, ArithmeticError, LookupError, ValueError):
            return Stored(version, state, ("open",))  # Of a state that cannot be, nobody can say what it waits for.
        found = zip(["last", "changed_at", *columns_of(key.kind)], values, strict=True)
        return Stored(version, state, tuple(name for name, value in found if value != wanted[name]))

    # --- outbox, commands, the file ---

    def messages(self, key: Key) -> Sequence[Sent]:
        """The messages that, by their ids, are effects of this row's events, in any order."""
        prefix = f"{self._tenant}/{key.kind}/{key.id}/"
        found = self._rows(_MESSAGES, self._tenant, prefix, prefix[:-1] + chr(ord("/") + 1))
        return [
            Sent(int(parts[0]), topic, Key(self._tenant, kind, lane), _pairs(data))
            for id_, topic, kind, lane, data in found
            # A longer remainder belongs to another row, whose id starts with this one's and a slash.
            if len(parts := id_[len(prefix) :].split("/")) == 3 and parts[0].isdecimal() and parts[1] == topic
        ]

    def messages_without_event(self) -> Iterator[str]:
        """Ids of messages that do not name an event in the journal."""
        ids = self._cursor("SELECT id FROM outbox WHERE tenant = ?", self._tenant)
        while some := [id_ for (id_,) in islice(ids, _MESSAGES_AT_ONCE)]:
            named = {id_: self._named(id_) for id_ in some}
            wanted = set(named.values())
            events = self._cursor("SELECT kind, id, version FROM journal WHERE tenant = ?", self._tenant)
            known = {event for event in events if event in wanted}
            yield from (id_ for id_, event in named.items() if event not in known)

    def _named(self, message_id: str) -> tuple[str, str, int]:
        """The event that a message's id names: kind, row and version; version 0 if it names none of this tenant's."""
        own, _, rest = message_id.partition(f"{self._tenant}/")
        kind, _, rest = rest.partition("/")
        row, *last = rest.rsplit("/", 3)
        whole = not own and len(last) == 3 and last[0].isdecimal() and last[2].isdecimal()
        return (kind, row, int(last[0])) if whole else (kind, rest, 0)

    def command_faults(self) -> Iterator[str]:
        """A sentence for each command that no event of its row cites, or whose events led to another version."""
        return (sentence for (sentence,) in self._cursor(_COMMAND_FAULTS, self._tenant, self._tenant))

    def commands(self) -> int:
        """The number of stored commands."""
        return int(self._rows("SELECT count(*) FROM commands WHERE tenant = ?", self._tenant)[0][0])

    def foreign_tenant(self) -> int:
        """The number of entries whose command belongs to another tenant."""
        return int(self._rows(_FOREIGN_TENANT, self._tenant)[0][0])

    def faults(self) -> Iterator[str]:
        """Damage that SQLite finds, broken journal chains, and messages in an unknown state."""
        for (text,) in self._rows(f"PRAGMA integrity_check({_FAULTS})"):
            if text != "ok":
                yield text
        for query in (_CHAINS, _STATELESS):
            yield from (text for (text,) in self._cursor(query, self._tenant))

    def _rows(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        with _translated():
            return self._connection.execute(text, values).fetchall()

    def _cursor(self, text: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        with _translated():
            yield from self._connection.execute(text, values)


def _cited(
    key: Key, command_id: str, at: str, actor: str, occurred: str | None, workflow: str, command: str
) -> Cited | None:
    try:
        stamp = Stamp(moment(at), actor, command_id, None if occurred is None else moment(occurred))
    except StorageError:
        return None
    return Cited(key, stamp, workflow, command)


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """A message's data; malformed text is returned as it is, so that it matches no effect."""
    try:
        return tuple((name, value) for name, value in json.loads(text))
    except (ValueError, TypeError):
        return (("", text),)


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except FOREIGN as error:
        raise StorageError(str(error), retry=False) from error
