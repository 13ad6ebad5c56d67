"""Connections to an SQLite file: one per thread and process, or a single one; SQLite's errors are translated here."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from orderflow.adapters.storage.safety import Mode
from orderflow.domain.engine.decide import Loaded
from orderflow.errors import ConcurrencyConflict, Key, OrderFlowError, StorageError

FOREIGN: Final = (sqlite3.Error, OverflowError, UnicodeError)
"""What sqlite3 raises: its own errors, and those for numbers and texts it cannot store."""


_STATEMENTS: Final = 512


_CACHE_KIB: Final = 16_384


#: Pages of 4 KiB between checkpoints; measured 5 to 9 % quicker than the default of 1,000.
_CHECKPOINT_PAGES: Final = 16_000


_PASSING: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


_CLASH: Final = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})


def translated(error: Exception) -> OrderFlowError:
    """Our error for one of sqlite3's. A repeated version or command id is a conflict, a repeated message id a fault."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code in _CLASH and "outbox" not in str(error):
        return ConcurrencyConflict(None)
    return StorageError(str(error), retry=code & 0xFF in _PASSING)


class KeptRow(NamedTuple):
    """A stored row: its number in the table, its last entry, the event that brought its content, and the row itself.

    The number is None if the row is not stored; last entry and content are journal positions, 0 for none.
    """

    number: int | None
    last: int
    content: int
    row: Loaded


class RowCache:
    """Committed rows as this connection last saw them.

    Until another connection writes to the file, they are current and need not be read again. A state never changes for
    a given version and entry, so it need not be decoded again either. Rows are dropped oldest first: many stock rows
    are kept, being small and used again and again, but few of other kinds, as one may hold thousands of lines. SQLite
    does not report this connection's own writes, so the writer of a row must put it here, or invalidate all rows,
    before the next write.
    """

    def __init__(self, stock: int = 8_192, others: int = 512) -> None:
        self._stock: dict[Key, tuple[int, KeptRow]] = {}
        self._others: dict[Key, tuple[int, KeptRow]] = {}
        self._bounds = stock, others
        self._seen = self._age = 0
        self.position: int | None = None
        """The last journal position, if known."""

    def sync(self, data_version: int) -> None:
        """Note the file's data version; if it has changed, another connection has written and cached rows may be stale.

        https://www.sqlite.org/pragma.html#pragma_data_version
        """
        if data_version != self._seen:
            self._seen = data_version
            self.invalidate()

    def invalidate(self) -> None:
        """Mark every row as stale, to be read again."""
        self._age += 1
        self.position = None

    def fresh(self, key: Key) -> KeptRow | None:
        """The row as currently stored, or None if that is not known."""
        found = (self._stock if key[1] == "stock" else self._others).get(key)
        return found[1] if found is not None and found[0] == self._age else None

    def decoded(self, key: Key, version: int, last: int) -> Loaded | None:
        """The row at this version and entry, if it is cached."""
        found = (self._stock if key[1] == "stock" else self._others).get(key)
        return found[1].row if found is not None and found[1].row.version == version and found[1].last == last else None

    def put(self, key: Key, row: KeptRow) -> None:
        """Cache a committed row."""
        other = key[1] != "stock"
        kept = self._others if other else self._stock
        kept[key] = self._age, row
        if len(kept) > self._bounds[other]:
            del kept[next(iter(kept))]


class Session:
    """A connection with its cache. Not for two threads at once: whoever uses it holds its lock."""

    __slots__ = ("__weakref__", "_alone", "cache", "connection", "in_unit", "lock")

    def __init__(self, connection: sqlite3.Connection, *, alone: bool) -> None:
        self.connection, self._alone = connection, alone
        self.cache = RowCache()
        self.in_unit = False
        self.lock = threading.RLock()

    def begin(self, text: str) -> None:
        """Begin a transaction, and check whether the cached rows are still current."""
        try:
            self.run(text)
            self.sync()
        except BaseException:
            self.rollback()
            raise

    def sync(self) -> None:
        """Check whether the cached rows are still current; for an exclusive file they always are."""
        if not self._alone:
            ((data_version,),) = self.rows("PRAGMA data_version")
            self.cache.sync(data_version)

    def run(self, text: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        try:
            return self.connection.execute(text, values)
        except FOREIGN as error:
            raise translated(error) from error

    def rows(self, text: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and read all its rows."""
        try:
            return self.connection.execute(text, values).fetchall()
        except FOREIGN as error:
            raise translated(error) from error

    def rollback(self) -> None:
        """Roll back, unless SQLite already has. The cache holds only committed rows, so it stays valid."""
        try:
            if self.connection.in_transaction:
                self.run("ROLLBACK")
        except FOREIGN as error:
            raise translated(error) from error


class Sessions:
    """Opens the connections of one file and hands them out.

    Writers of one process queue at a gate, instead of polling the file's lock. An exclusive file has one connection for
    all threads, so its readers queue there too.
    """

    def __init__(self, path: Path, mode: Mode, *, exclusive: bool, read_only: bool, timeout_seconds: float) -> None:
        self._path, self._mode = path, mode
        self._exclusive, self._read_only, self._timeout = exclusive, read_only, timeout_seconds
        self._inherited: list[object] = []
        self._closed = self._orphaned = False
        self.log_is_clear = True
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._gate = threading.RLock()
        self._local = threading.local()
        self._alone: Session | None = None
        self._opening = threading.Lock()
        self._open: weakref.WeakSet[Session] = weakref.WeakSet()

    def session(self) -> Session:
        """This thread's session.

        Raises:
            StorageError: the file cannot be opened, or the storage is closed.
        """
        if os.getpid() != self._process:
            self._after_fork()
        self._check_open()
        found: Session | None = self._alone if self._exclusive else getattr(self._local, "session", None)
        if found is None:
            found = self._connect()
            if self._exclusive:
                self._alone = found
            else:
                self._local.session = found
        return found

    def _after_fork(self) -> None:
        """Abandon the parent's connections: using or closing them here would break its locks.

        https://www.sqlite.org/howtocorrupt.html section 2.6. SQLite keeps the locks of a process in its memory, so a
        child forked while one was held would always believe that it holds that lock itself.
        """
        self._orphaned = self._exclusive or any(session.in_unit for session in self._open)
        self._inherited += [self._local, self._alone, *self._open]
        self._begin()

    def acquire(self) -> Session:
        """This thread's session, with the gate held; call :meth:`release` afterwards.

        Raises:
            StorageError: the gate stayed closed for the whole timeout, or this thread already has a unit open.
        """
        if os.getpid() != self._process:
            self._after_fork()
        if not self._gate.acquire(timeout=self._timeout):
            raise StorageError("another thread holds the storage")
        try:
            return self._locked_session()
        except BaseException:
            self._gate.release()
            raise

    def _locked_session(self) -> Session:
        session = self.session()
        if session.in_unit:
            raise StorageError("a unit is already open in this thread", retry=False)
        session.lock.acquire()
        if self._closed:
            session.lock.release()
            self._check_open()
        return session

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError("the storage is closed", retry=False)

    def release(self, session: Session) -> None:
        """Let the next writer in."""
        session.lock.release()
        self._gate.release()

    @contextmanager
    def writing(self) -> Generator[Session]:
        """A session for statements that are each a transaction."""
        session = self.acquire()
        try:
            yield session
        finally:
            self.release(session)

    @contextmanager
    def reading(self) -> Generator[Session]:
        """A session for reading; while this thread has a unit open, it is the unit's own."""
        with self._gate if self._exclusive else nullcontext():
            session = self.session()
            with session.lock:
                # It may have been closed while this thread waited for the lock.
                self._check_open()
                yield session

    def clear_log(self, session: Session) -> None:
        """Empty the log, which keeps the former content of pages, once its content is in the file.

        Readers in other processes may delay this for longer than the timeout; then it is for a later commit.
        """
        with suppress(StorageError):
            ((busy, _, _),) = session.rows("PRAGMA wal_checkpoint(TRUNCATE)")
            self.log_is_clear = not busy

    def close(self) -> None:
        """Close this process's connections, each once its current work has ended; no new work is accepted.

        Raises:
            StorageError: some work did not end within the timeout; its connection stays open.
        """
        self._closed = True
        if os.getpid() != self._process:
            return
        with self._opening:
            sessions = [*self._open]
        busy = [session for session in sessions if not self._close_free(session)]
        if busy:
            raise StorageError("closed, but another thread is still using the storage", retry=False)

    def _close_free(self, session: Session) -> bool:
        """Close a connection if it is free, or becomes free in time."""
        if not session.lock.acquire(timeout=self._timeout):
            return False
        try:
            if self._exclusive and not self._read_only:
                _leave_wal(session.connection)
            session.connection.close()
        finally:
            session.lock.release()
        return True

    def _connect(self) -> Session:
        if self._orphaned:
            raise StorageError("forked while the parent held the file: fork before opening it", retry=False)
        try:
            session = Session(self._dial(), alone=self._exclusive)
        except FOREIGN as error:
            raise StorageError(f"cannot open {str(self._path)!r}: {error}", retry=False) from error
        weakref.finalize(session, _close, session.connection, self._process)
        with self._opening:
            # Either the closing thread sees this connection, or this thread sees below that the storage is closed.
            self._open.add(session)
        with session.lock:
            self._check_open()
            self._configure(session)
        return session

    def _dial(self) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{self._path.as_uri()}?mode={'ro' if self._read_only else 'rwc'}",
            uri=True,
            timeout=self._timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS,
        )

    def _configure(self, session: Session) -> None:
        session.run(f"PRAGMA cache_size = -{_CACHE_KIB}")
        if self._read_only:
            session.run("PRAGMA query_only = ON")
            return
        if self._exclusive:
            session.run("PRAGMA locking_mode = EXCLUSIVE")
        wanted = self._mode.journal_mode
        ((got,),) = session.rows("PRAGMA journal_mode = WAL" if wanted == "wal" else "PRAGMA journal_mode = DELETE")
        if got != wanted:
            raise StorageError(f"the file is in journal mode {got!r} and cannot be brought to {wanted!r}")
        session.run("PRAGMA synchronous = FULL" if self._mode.synchronous == "full" else "PRAGMA synchronous = EXTRA")
        session.run(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        # Erased personal data must not survive in free pages, in the journal that an exclusive connection keeps beside
        # its file, or in the log of a process that was killed.
        session.run("PRAGMA secure_delete = ON")
        if wanted == "delete":
            session.run("PRAGMA journal_size_limit = 0")
        elif self._exclusive:
            session.run("PRAGMA wal_checkpoint(TRUNCATE)")


def _leave_wal(connection: sqlite3.Connection) -> None:
    """Leave the file without a log beside it, so that it can be read even from a read-only folder."""
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA journal_mode = DELETE")


def _close(connection: sqlite3.Connection, process: int) -> None:
    if os.getpid() == process:
        connection.close()
