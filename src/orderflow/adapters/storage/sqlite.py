"""Storage in an SQLite file, on one host: durable, readable with SQL, safe with threads and processes."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from orderflow.adapters.codec import Codec
from orderflow.adapters.storage import outbox, reads, searching
from orderflow.adapters.storage.conditions import check_limit, check_tenant
from orderflow.adapters.storage.layout import check_prepared, prepare, table_of
from orderflow.adapters.storage.safety import Mode, file_system_of, mode_for
from orderflow.adapters.storage.session import Sessions
from orderflow.adapters.storage.unit import SqliteUnit
from orderflow.domain.engine.decide import Loaded
from orderflow.domain.engine.machine import Machine
from orderflow.domain.parties.searching import SearchTerm
from orderflow.domain.workflow.table import MACHINES
from orderflow.errors import InputError, Key, StorageError
from orderflow.ports.storage import DeadLetter, Lease, Query, Recorded, Row

__all__ = ["SqliteStorage"]

#: The first SQLite with RETURNING.
_OLDEST: Final = (3, 35, 0)


class SqliteStorage:
    """Everything of one tenant in one file. Any number of threads and processes may use it at once.

    Args:
        path: the file; it is created if missing.
        machines: those of the workflow, by default the standard one; each kind has a table.
        tenant: whose rows to read and write; several tenants may share a file.
        exclusive: use one connection and lock out other processes, which is quicker; see ``safety``.
        read_only: for queries; ``unit`` and the outbox are refused.
        timeout_seconds: how long to wait for other writers before giving up.

    Raises:
        InputError: ``path`` cannot name a file.
        StorageError: the file cannot be opened, has another layout, or belongs to another application.
        DefinitionError: a kind's name cannot name a table.
    """

    def __init__(
        self,
        path: Path | str,
        machines: Iterable[Machine] | None = None,
        *,
        tenant: str = "main",
        exclusive: bool = False,
        read_only: bool = False,
        timeout_seconds: float = 30.0,
    ) -> None:
        if not isinstance(path, Path | str) or "\0" in str(path):
            raise InputError.at("path", "wrong_type", "must be a Path or a text without null characters")
        if str(path) == ":memory:":
            raise InputError.at("path", "not_a_file", "SQLite needs a file here; MemoryStorage needs none")
        if sqlite3.sqlite_version_info < _OLDEST:
            raise StorageError(f"SQLite {sqlite3.sqlite_version} is too old, 3.35 is needed", retry=False)
        machines = MACHINES if machines is None else tuple(machines)
        self._tenant = tenant
        self._codec = Codec(machines)
        self._kinds = {machine.kind: table_of(machine.kind) for machine in machines}
        self._read_only = read_only
        place = Path(path).absolute()
        self.mode: Mode = mode_for(sqlite3.sqlite_version_info, file_system_of(place), exclusive=exclusive)
        self._sessions = Sessions(
            place, self.mode, exclusive=exclusive, read_only=read_only, timeout_seconds=timeout_seconds
        )
        self._prepare()

    def _prepare(self) -> None:
        session = self._sessions.session()
        try:
            with session.lock:
                if self._read_only:
                    check_prepared(session.run)
                else:
                    prepare(session.run, self._kinds)
        except BaseException:
            session.rollback()
            self._sessions.close()
            raise

    @property
    def tenant(self) -> str:
        """The tenant whose rows these are."""
        return self._tenant

    def for_tenant(self, tenant: str) -> SqliteStorage:
        """The storage of another tenant in the same file, using the same connections."""
        other = copy.copy(self)
        other._tenant = tenant  # noqa: SLF001 - same class
        return other

    def close(self) -> None:
        """Close this process's connections, each once its current work has ended; no new work is accepted.

        Raises:
            StorageError: some work did not end within the timeout.
        """
        self._sessions.close()

    def unit(self) -> SqliteUnit:
        """A transaction that locks the file for other writers from its beginning to its end."""
        self._check_writable()
        return SqliteUnit(self._sessions, self._codec, self._kinds, self._tenant)

    # --- outbox ---

    def due(self, now: datetime) -> Collection[str]:
        """The topics with a message that may be leased."""
        with self._sessions.reading() as session:
            return outbox.due(session, self._tenant, now)

    def lease(
        self, topic: str, limit: int, now: datetime, until: datetime, done: Collection[str] = ()
    ) -> Sequence[Lease]:
        """Mark messages done, then lease up to ``limit`` due messages of a topic, the longest overdue first."""
        self._check_writable()
        with self._sessions.writing() as session:
            return outbox.lease(session, self._tenant, topic, limit, now, until, [*done])

    def renew(self, lease: Lease, until: datetime) -> None:
        """Extend a lease. Ignored if it was lost."""
        self._check_writable()
        with self._sessions.writing() as session:
            outbox.renew(session, self._tenant, lease, until)

    def retry(self, lease: Lease, due: datetime, error: str, *, maybe_sent: bool = True) -> None:
        """Make the message due again at ``due``. Ignored if the lease was lost."""
        self._check_writable()
        with self._sessions.writing() as session:
            outbox.retry(session, self._tenant, lease, due, error, maybe_sent=maybe_sent)

    def dead_letter(self, lease: Lease, now: datetime, error: str, *, maybe_sent: bool = True) -> None:
        """Give up on the message. Ignored if the lease was lost."""
        self._check_writable()
        with self._sessions.writing() as session:
            outbox.dead_letter(session, self._tenant, lease, now, error, maybe_sent=maybe_sent)

    def dead_letters(
        self,
        limit: int = 100,
        *,
        cursor: int = 0,
        topic: str = "",
        since: datetime | None = None,
        lane: Key | None = None,
        message_id: str = "",
    ) -> Sequence[DeadLetter]:
        """The oldest dead letters that meet all conditions."""
        with self._sessions.reading() as session:
            return outbox.dead_letters(
                session, self._tenant, limit, cursor=cursor, topic=topic, since=since, lane=lane, message_id=message_id
            )

    def requeue(self, message_id: str, now: datetime) -> None:
        """Make a dead letter due again, at the end of its lane, with all its attempts to come.

        Raises:
            NotFound: no dead letter has that id.
        """
        self._check_writable()
        with self._sessions.writing() as session:
            outbox.requeue(session, self._tenant, message_id, now)

    def discard(self, message_id: str, now: datetime, by: str) -> None:
        """Close a dead letter; its error says who closed it.

        Raises:
            NotFound: no dead letter has that id.
        """
        self._check_writable()
        with self._sessions.writing() as session:
            outbox.discard(session, self._tenant, message_id, now, by)

    def pending(self) -> int:
        """Messages neither done nor dead."""
        with self._sessions.reading() as session:
            return outbox.pending(session, self._tenant)

    # --- feed and queries ---

    def history(self, key: Key) -> Iterator[Recorded]:
        """Every entry of one row, oldest first. Events of vault kinds are ``Redacted``.

        Raises:
            InputError: the key belongs to another tenant.
        """
        check_tenant(self._tenant, key)
        return reads.history(self._sessions, self._codec, key)

    def entries(self, after: int, limit: int) -> Sequence[Recorded]:
        """Entries after a position, in commit order, across all rows of the tenant; positions may have gaps."""
        with self._sessions.reading() as session:
            return reads.entries(session, self._codec, self._tenant, after, limit)

    def read(self, keys: Collection[Key]) -> Mapping[Key, Loaded]:
        """Every key's row as last committed; version 0 and ``ABSENT`` if there is none."""
        return SqliteUnit(self._sessions, self._codec, self._kinds, self._tenant).read(keys)

    def find(self, query: Query) -> Sequence[Row[Any]]:
        """Up to ``query.limit`` rows in order of creation; ``conditions`` defines what a query means.

        Raises:
            InputError: the kind or a column is unknown, or the limit is out of bounds.
        """
        self._check_kind(query.kind)
        with self._sessions.reading() as session:
            return reads.find(session, self._codec, self._tenant, query)

    def sums(
        self, kind: str, columns: Sequence[str], by: Sequence[str] = ()
    ) -> Mapping[tuple[str, ...], tuple[int, ...]]:
        """Exact sums of integer columns, grouped; a missing value counts as 0, and groups as an empty text."""
        self._check_kind(kind)
        with self._sessions.reading() as session:
            return reads.sums(session, self._tenant, kind, columns, by)

    def search(self, terms: Sequence[SearchTerm], after: str = "", limit: int = 100) -> Sequence[Key]:
        """Customers who use a party with any of the terms, by id.

        Raises:
            InputError: the limit is out of bounds.
        """
        check_limit(limit)
        with self._sessions.reading() as session:
            return searching.search(session, self._tenant, terms, after, limit)

    def movements(self) -> Mapping[tuple[str, str, str], int]:
        """Stock movements summed: (SKU, location, event type) to units, as the events state them."""
        with self._sessions.reading() as session:
            return reads.movements(session, self._tenant)

    def _check_kind(self, kind: str) -> None:
        if kind not in self._kinds:
            raise InputError.at("kind", "unknown_kind", f"the workflow has no machine {kind!r}")

    def _check_writable(self) -> None:
        if self._read_only:
            raise StorageError("the storage was opened read-only", retry=False)
