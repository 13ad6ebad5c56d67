"""Storage in an SQLite file, for one host: durable, readable with SQL, safe under threads and processes."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from orderflow.adapters.codec import Codec
from orderflow.adapters.storage import outbox, reads
from orderflow.adapters.storage.layout import LAYOUT, migrate, table_of
from orderflow.adapters.storage.safety import Mode, file_system_of, mode_for
from orderflow.adapters.storage.session import Sessions
from orderflow.adapters.storage.unit import SqliteUnit
from orderflow.domain.engine.decide import Loaded, Message
from orderflow.domain.engine.machine import Machine
from orderflow.domain.workflow.table import MACHINES
from orderflow.errors import InputError, Key, StorageError
from orderflow.ports.storage import Lease, Query, Recorded, Row

__all__ = ["SqliteStorage"]

#: The first SQLite with RETURNING.
_OLDEST: Final = (3, 35, 0)


class SqliteStorage:
    """Everything of one tenant in one file. Made by any number of threads and processes at once.

    Args:
        path: the file; it is made, or brought to the present layout, when it is not there yet.
        machines: of the workflow, the standard one by default; a table is kept for each of their kinds.
        tenant: whose rows to read and write; several may share a file.
        exclusive: one connection, and no other process: quicker, see ``safety``.
        read_only: for queries; ``unit`` and the outbox are refused.
        timeout_seconds: how long to wait for others before giving up.
        codec: in place of the one made from ``machines``, where events have upcasters.

    Raises:
        StorageError: the file cannot be opened, has a later layout, or is of another application.
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
        codec: Codec | None = None,
    ) -> None:
        if str(path) == ":memory:":
            raise InputError.at("path", "not_a_file", "SQLite needs a file here; MemoryStorage needs none")
        if sqlite3.sqlite_version_info < _OLDEST:
            raise StorageError(f"SQLite {sqlite3.sqlite_version} is too old, 3.35 is needed", retry=False)
        machines = MACHINES if machines is None else tuple(machines)
        self._tenant = tenant
        self._codec = Codec(machines) if codec is None else codec
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
            if self._read_only:
                self._check_layout()
            else:
                migrate(session.run, self._kinds)
        except BaseException:
            session.rollback()
            self._sessions.close()
            raise

    def _check_layout(self) -> None:
        ((version,),) = self._sessions.session().rows("PRAGMA user_version")
        if version != LAYOUT:
            raise StorageError(f"the file has layout {version}, this release reads {LAYOUT}", retry=False)

    @property
    def tenant(self) -> str:
        """Whose rows these are."""
        return self._tenant

    def for_tenant(self, tenant: str) -> SqliteStorage:
        """The storage of another tenant in the same file, by the same connections."""
        other = copy.copy(self)
        other._tenant = tenant  # noqa: SLF001 - it is one of us
        return other

    def close(self) -> None:
        """Close the connections of this process."""
        self._sessions.close()

    def unit(self) -> SqliteUnit:
        """A transaction that locks the file for other writers from its beginning to its end."""
        self._check_writable()
        return SqliteUnit(self._sessions, self._codec, self._kinds, self._tenant)

    # --- outbox ---

    def claim(
        self, limit: int, now: datetime, lease_seconds: int, topics: Collection[str] | None = None
    ) -> Sequence[Lease]:
        """Lease up to ``limit`` due messages, each the first unfinished one of its lane, oldest first.

        A lane whose first message is leased, not due or of another topic has nothing to hand out.
        """
        self._check_writable()
        with self._sessions.writing() as session:
            return outbox.claim(session, self._tenant, limit, now, lease_seconds, topics)

    def done(self, leases: Iterable[Lease], now: datetime) -> None:
        """The effects are carried out; those whose lease was lost are ignored."""
        self._check_writable()
        with self._sessions.writing() as session:
            outbox.done(session, self._tenant, leases, now)

    def retry(self, lease: Lease, due: datetime, error: str) -> None:
        """The effect failed and is due again at ``due``; ignored if the lease was lost."""
        self._check_writable()
        with self._sessions.writing() as session:
            outbox.retry(session, self._tenant, lease, due, error)

    def dead_letter(self, lease: Lease, now: datetime, error: str) -> None:
        """Make the message a dead letter; ignored if the lease was lost."""
        self._check_writable()
        with self._sessions.writing() as session:
            outbox.dead_letter(session, self._tenant, lease, now, error)

    def dead_letters(self, limit: int = 100) -> Sequence[tuple[Message, str]]:
        """The oldest dead letters with their last error."""
        with self._sessions.reading() as session:
            return outbox.dead_letters(session, self._tenant, limit)

    def requeue(self, message_id: str, now: datetime) -> None:
        """Make a dead letter due again, with its attempts counted anew.

        Raises:
            NotFound: there is no dead letter of that id.
        """
        self._check_writable()
        with self._sessions.writing() as session:
            outbox.requeue(session, self._tenant, message_id, now)

    def pending(self) -> int:
        """Messages neither done nor dead."""
        with self._sessions.reading() as session:
            return outbox.pending(session, self._tenant)

    # --- feed and queries ---

    def history(self, key: Key) -> Iterator[Recorded]:
        """Every entry of one row, oldest first. Events of the vault are ``Redacted``.

        Raises:
            InputError: a key of another tenant.
        """
        if key.tenant != self._tenant:
            raise InputError.at("key.tenant", "other_tenant", f"this is the storage of {self._tenant!r}")
        return reads.history(self._sessions, self._codec, key)

    def entries(self, after: int, limit: int) -> Sequence[Recorded]:
        """Entries after a position in commit order, across all rows of the tenant; positions may leave gaps."""
        with self._sessions.reading() as session:
            return reads.entries(session, self._codec, self._tenant, after, limit)

    def read(self, keys: Collection[Key]) -> Mapping[Key, Loaded]:
        """Every key's row as last committed, version 0 and ``ABSENT`` where there is none."""
        return SqliteUnit(self._sessions, self._codec, self._kinds, self._tenant).read(keys)

    def find(self, query: Query) -> Sequence[Row]:
        """Up to ``query.limit`` rows in order of creation; ``conditions`` says what a query means.

        Raises:
            InputError: unknown kind or columns, or a limit out of bounds.
        """
        self._check_kind(query.kind)
        with self._sessions.reading() as session:
            return reads.find(session, self._codec, self._tenant, query)

    def sums(
        self, kind: str, columns: Sequence[str], by: Sequence[str] = ()
    ) -> Mapping[tuple[str, ...], tuple[int, ...]]:
        """Exact sums of integer columns, grouped; an absent value counts as 0 and groups as empty text."""
        self._check_kind(kind)
        with self._sessions.reading() as session:
            return reads.sums(session, self._tenant, kind, columns, by)

    def movements(self) -> Mapping[tuple[str, str, str], int]:
        """Every stock movement summed: (SKU, location, event type) to units, as its events give them."""
        with self._sessions.reading() as session:
            return reads.movements(session, self._tenant)

    def _check_kind(self, kind: str) -> None:
        if kind not in self._kinds:
            raise InputError.at("kind", "unknown_kind", f"the workflow has no machine {kind!r}")

    def _check_writable(self) -> None:
        if self._read_only:
            raise StorageError("the storage was opened to read only", retry=False)
