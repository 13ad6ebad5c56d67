"""One transaction on an SQLite file.

It begins with ``BEGIN IMMEDIATE``, so nobody else writes from the first load on: what was loaded is what is stored,
versions are compared in memory, and rows are written by their row number. Constraints stand behind it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from types import TracebackType
from typing import Any, Final, Self

from orderflow.adapters.codec import Codec
from orderflow.adapters.storage import statements as sql
from orderflow.adapters.storage.columns import reader_of, status_of, time_text
from orderflow.adapters.storage.layout import CONTENTED, POSITION_BITS
from orderflow.adapters.storage.session import Session, Sessions
from orderflow.adapters.storage.vault import VAULT
from orderflow.domain.engine.decide import Entry, Loaded, Message
from orderflow.domain.engine.machine import ABSENT
from orderflow.errors import ConcurrencyConflict, InputError, Key, StorageError
from orderflow.ports.storage import Ack, Batch, CommandRecord, KnownCommand, Write

__all__ = ["SqliteUnit", "moment"]

_NOTHING: Final = Loaded(0, ABSENT)
_MOST_IDS: Final = 128
_MOST_PARTS: Final = 64


def moment(text: str) -> datetime:
    """A stored time, aware and in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class SqliteUnit:
    """A context manager: entering begins, leaving rolls back what was not committed."""

    def __init__(self, sessions: Sessions, codec: Codec, kinds: Collection[str], tenant: str) -> None:
        self._sessions, self._codec, self._kinds, self._tenant = sessions, codec, kinds, tenant
        self._held: dict[Key, Loaded] = {}
        self._numbers: dict[Key, int] = {}
        self._last: dict[Key, int] = {}
        self._session: Session | None = None

    def __enter__(self) -> Self:
        session = self._sessions.acquire()
        try:
            session.begin("BEGIN IMMEDIATE")
        except BaseException:
            self._sessions.release()
            raise
        session.in_unit = True
        self._session = session
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            self._end(rollback=True)

    def known_commands(self, command_ids: Collection[str]) -> Mapping[str, KnownCommand]:
        """What is remembered of these command ids."""
        session, ids = self._open(), list(command_ids)
        found: dict[str, KnownCommand] = {}
        for start in range(0, len(ids), _MOST_IDS):
            part = sql.padded(ids[start : start + _MOST_IDS])
            for id_, fingerprint, kind, row, version, at in session.rows(
                sql.known_commands_text(len(part)), [self._tenant, *part]
            ):
                found[id_] = KnownCommand(fingerprint, Ack(id_, Key(self._tenant, kind, row), version, moment(at)))
        return found

    def load(self, keys: Collection[Key]) -> Mapping[Key, Loaded]:
        """Every key's row, version 0 and ``ABSENT`` where there is none.

        Raises:
            InputError: a key of another tenant, or of a kind that the workflow does not have.
        """
        session, held = self._open(), self._held
        missing: dict[str, list[str]] = {}
        for key in keys:
            if key not in held:
                self._check_key(key)
                known = session.cache.fresh(key)
                if known is None:
                    missing.setdefault(key.kind, []).append(key.id)
                    held[key] = _NOTHING
                else:
                    self._numbers[key], self._last[key], held[key] = known
        if missing:
            self._fetch(session, missing)
        return {key: held[key] for key in keys}

    def read(self, keys: Collection[Key]) -> Mapping[Key, Loaded]:
        """Load rows without locking anything: what was committed last, all of one moment."""
        with self._sessions.reading() as session:
            alone = not session.connection.in_transaction
            if alone:
                session.begin("BEGIN")
            self._session = session
            try:
                return self.load(keys)
            finally:
                self._session = None
                if alone:
                    session.run("COMMIT")

    def commit(self, batch: Batch) -> None:
        """Store the whole batch durably; the unit is finished then, whether it could be stored or not.

        Raises:
            ConcurrencyConflict: a row is not at its expected version, or a command id is already remembered.
            StorageError: it could not be stored; nothing of it is.
        """
        session = self._open()
        stored = False
        try:
            self._check_versions(batch.writes)
            self._store(session, batch)
            session.run("COMMIT")
            # Before the gate opens: the next writer of this connection takes what it finds here for the present rows.
            for key, _, version, state in batch.writes:
                session.cache.put(key, self._numbers[key], self._last.get(key, 0), Loaded(version, state))
            stored = True
        finally:
            if not stored:
                session.cache.invalidate()
            self._end(rollback=not stored)

    # --- beginning and end ---

    def _open(self) -> Session:
        if self._session is None:
            raise StorageError("the unit is finished", retry=False)
        return self._session

    def _end(self, *, rollback: bool) -> None:
        session = self._open()
        self._session = None
        try:
            if rollback:
                session.rollback()
        finally:
            session.in_unit = False
            self._sessions.release()

    def _check_key(self, key: Key) -> None:
        if key.tenant != self._tenant:
            message = f"this is the storage of {self._tenant!r}, not of {key.tenant!r}"
            raise InputError.at("key.tenant", "other_tenant", message)
        if key.kind not in self._kinds:
            raise InputError.at("key.kind", "unknown_kind", f"the workflow has no machine {key.kind!r}")

    # --- reading ---

    def _fetch(self, session: Session, missing: Mapping[str, list[str]]) -> None:
        parts = [
            (kind, sql.padded(ids[start : start + _MOST_IDS]))
            for kind, ids in missing.items()
            for start in range(0, len(ids), _MOST_IDS)
        ]
        cold: dict[str, tuple[int, str, str]] = {}
        for start in range(0, len(parts), _MOST_PARTS):
            some = parts[start : start + _MOST_PARTS]
            text = sql.load_text(tuple([(kind, len(ids)) for kind, ids in some]))
            values = [value for _, ids in some for value in (self._tenant, *ids)]
            for kind, row, id_, version, last, status, state in session.rows(text, values):
                key = Key(self._tenant, kind, id_)
                self._numbers[key], self._last[key] = row, last
                known = session.cache.decoded(key, version, last)
                if known is not None:
                    self._hold(session, key, known)
                elif kind == CONTENTED:
                    cold[id_] = version, status, state
                else:
                    self._hold(session, key, Loaded(version, self._codec.state(kind, status, state)))
        if cold:
            self._fetch_contents(session, cold)

    def _fetch_contents(self, session: Session, cold: Mapping[str, tuple[int, str, str]]) -> None:
        ids, contents = list(cold), dict[str, str]()
        for start in range(0, len(ids), _MOST_IDS):
            part = sql.padded(ids[start : start + _MOST_IDS])
            found = session.rows(sql.contents_text(len(part)), [self._tenant, *part])
            contents.update({id_: content for id_, content, _ in found})
        for id_, (version, status, rest) in cold.items():
            state = self._codec.join(CONTENTED, status, contents.get(id_), rest)
            self._hold(session, Key(self._tenant, CONTENTED, id_), Loaded(version, state))

    def _hold(self, session: Session, key: Key, held: Loaded) -> None:
        self._held[key] = held
        session.cache.put(key, self._numbers[key], self._last[key], held)

    # --- writing ---

    def _check_versions(self, writes: Iterable[Write]) -> None:
        unloaded = [write.key for write in writes if write.key not in self._held]
        if unloaded:
            self.load(unloaded)
        for key, expected, *_ in writes:
            found = self._held[key].version
            if found != expected:
                raise ConcurrencyConflict(key, expected, found)

    def _store(self, session: Session, batch: Batch) -> None:
        numbers = self._store_commands(session, batch.commands)
        by_kind: dict[str, list[Write]] = {}
        for write in batch.writes:
            by_kind.setdefault(write.key.kind, []).append(write)
        brought = self._store_contents(session, by_kind.get(CONTENTED, ()), batch.entries)
        self._store_entries(session, batch.entries, numbers, brought)
        for kind, writes in by_kind.items():
            self._store_rows(session, kind, writes)
        self._insert(session, sql.MESSAGES, [_message_row(self._tenant, message) for message in batch.messages])
        for part in sql.chunks(len(batch.answered)):
            leases = batch.answered[part]
            values = chain.from_iterable((lease.message.id, lease.token) for lease in leases)
            answered_at = time_text(batch.commands[-1].ack.at) if batch.commands else ""
            session.run(sql.answered_text(len(leases)), [*values, answered_at, self._tenant])

    def _store_commands(self, session: Session, commands: Sequence[CommandRecord]) -> dict[str, int]:
        """Their row numbers by id. One statement numbers its rows one after the other, as nobody else writes."""
        numbers: dict[str, int] = {}
        for part in sql.chunks(len(commands)):
            some = commands[part]
            rows = [_command_row(self._tenant, command) for command in some]
            text = sql.insert_text(sql.COMMANDS, 12, len(rows))
            last = session.run(text, [*chain.from_iterable(rows)]).lastrowid or 0
            first = last - len(some) + 1
            numbers.update({command.ack.command_id: first + index for index, command in enumerate(some)})
        return numbers

    def _store_rows(self, session: Session, kind: str, writes: Sequence[Write]) -> None:
        """Write the rows of a kind: those that are there by their number, and new ones, which get their numbers."""
        numbers = self._numbers
        there = [write for write in writes if write.key in numbers]
        for part in sql.chunks(len(there)):
            self._upsert(session, kind, there[part])
        new = [write for write in writes if write.key not in numbers]
        for part in sql.chunks(len(new)):
            last = self._upsert(session, kind, new[part]).lastrowid or 0
            numbers.update((write.key, last - ahead) for ahead, write in enumerate(reversed(new[part])))

    def _upsert(self, session: Session, kind: str, writes: Sequence[Write]) -> sqlite3.Cursor:
        """Write rows in one statement."""
        read = reader_of(kind)
        encode: Callable[[Any], str] = self._codec.rest if kind == CONTENTED else self._codec.encode
        values: list[Any] = []
        for key, _, version, state in writes:
            values += (self._numbers.get(key), self._tenant, key.id, version, self._last.get(key, 0), status_of(state))
            values += read(key, state)
            values.append(encode(state))
        stored = session.run(sql.upsert_text(kind, len(writes)), values)
        if stored.rowcount != len(writes):
            raise ConcurrencyConflict(None)
        return stored

    def _store_contents(self, session: Session, orders: Collection[Write], entries: Iterable[Entry]) -> set[int]:
        """Store what was ordered where it is new; the entries (by identity) whose event has brought it.

        It stands under the version of the event that brought it, or of the write where no event brought it as it is.
        """
        contents = {write.key: write.state.content for write in orders}
        if not contents:
            return set()
        brought = [e for e in entries if e.key in contents and getattr(e.event, "content", None) is contents[e.key]]
        places = [(entry.key, entry.version) for entry in brought]
        placed = {key for key, _ in places}
        for write in orders:
            held = self._held[write.key].state
            if write.key not in placed and getattr(held, "content", None) is not write.state.content:
                places.append((write.key, write.version))
        texts = {key: self._codec.encode(contents[key]) for key, _ in places}
        self._insert(session, sql.CONTENTS, [(self._tenant, key.id, version, texts[key]) for key, version in places])
        return {id(entry) for entry in brought}

    def _store_entries(
        self, session: Session, entries: Iterable[Entry], numbers: Mapping[str, int], brought: Collection[int]
    ) -> None:
        """Append the entries, each chained to the one before it of its row."""
        codec, tenant, last = self._codec, self._tenant, self._last
        rows = []
        free = {command_id: number << POSITION_BITS for command_id, number in numbers.items()}
        for entry in entries:
            key, version, event, command_id = entry
            position = free.get(command_id)
            if position is None:
                raise StorageError("an entry cites a command that is not in its batch", retry=False)
            free[command_id] = position + 1
            previous = last.get(key, 0)
            last[key] = position
            _, kind, id_ = key
            name, schema, write = codec.form_of(type(event))
            data = "{}" if kind in VAULT else codec.rest(event) if id(entry) in brought else write(event)
            rows.append((position, tenant, kind, id_, version, name, schema, data, previous))
        self._insert(session, sql.JOURNAL, rows)

    def _insert(self, session: Session, head: str, rows: Sequence[tuple[Any, ...]]) -> None:
        for part in sql.chunks(len(rows)):
            some = rows[part]
            session.run(sql.insert_text(head, len(some[0]), len(some)), [*chain.from_iterable(some)])


def _command_row(tenant: str, command: CommandRecord) -> tuple[Any, ...]:
    ack, occurred = command.ack, command.occurred_at
    at = time_text(ack.at)
    return (
        tenant, ack.command_id, command.fingerprint, ack.key.kind, ack.key.id, ack.version, command.command,
        command.actor, at, command.cause, command.workflow, None if occurred is None else time_text(occurred),
    )  # fmt: skip


def _message_row(tenant: str, message: Message) -> tuple[str, ...]:
    data = json.dumps(message.data, ensure_ascii=False, separators=(",", ":"))
    return (tenant, message.id, message.topic, message.lane.kind, message.lane.id, data)
