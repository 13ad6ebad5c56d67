"""One transaction on an SQLite file.

It begins with ``BEGIN IMMEDIATE``, so nobody else can write after the first load: loaded rows stay current, versions
are compared in memory, and rows are written by row number. Constraints are a second line of defence.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from orderflow.adapters.codec import Codec
from orderflow.adapters.storage import statements as sql
from orderflow.adapters.storage.columns import all_columns, columns_touched, reader_of, time_text
from orderflow.adapters.storage.conditions import check_tenant
from orderflow.adapters.storage.layout import CONTENTED, table_of
from orderflow.adapters.storage.searching import write_keys
from orderflow.adapters.storage.session import KeptRow, Session, Sessions
from orderflow.domain.engine.decide import NOTHING, Entry, Loaded, Message
from orderflow.errors import ConcurrencyConflict, InputError, Key, StorageError
from orderflow.ports.storage import VAULT, Ack, Batch, CommandRecord, KnownCommand, Write

_dumps: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_NEW: Final = KeptRow(None, 0, 0, NOTHING)
_MOST_IDS: Final = 128
_MOST_PARTS: Final = 64

#: A message's ``n`` is the last journal position at its commit, followed by this many bits that number the messages.
_MESSAGE_BITS: Final = 20


class _Cold(NamedTuple):
    """A row as read, its state not yet decoded: with the state's class, schema version and text."""

    kept: KeptRow
    status: str
    schema: int
    text: str


def moment(text: str) -> datetime:
    """A stored time, aware and in UTC.

    Raises:
        StorageError: the text is not a time.
    """
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except (TypeError, ValueError) as error:
        raise StorageError(f"{text!r:.40} is not a stored time", retry=False) from error


def answer(session: Session, tenant: str, message_ids: Sequence[str], at: datetime | None) -> None:
    """Mark messages done, whoever holds their lease."""
    answered_at = "" if at is None else time_text(at)
    for part in sql.chunks(len(message_ids)):
        ids = message_ids[part]
        session.run(sql.answered_text(len(ids)), [answered_at, tenant, *ids])


class SqliteUnit:
    """A context manager: entering begins a transaction, leaving rolls back what was not committed."""

    def __init__(self, sessions: Sessions, codec: Codec, kinds: Collection[str], tenant: str) -> None:
        self._sessions, self._codec, self._kinds, self._tenant = sessions, codec, kinds, tenant
        self._kept: dict[Key, KeptRow] = {}
        self._session: Session | None = None

    def __enter__(self) -> Self:
        session = self._sessions.acquire()
        try:
            session.begin("BEGIN IMMEDIATE")
        except BaseException:
            self._sessions.release(session)
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
        """The commands already stored under these ids."""
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
        """Every key's row; version 0 and ``ABSENT`` if there is none.

        Raises:
            InputError: a key belongs to another tenant, or its kind is not in the workflow.
        """
        session, kept = self._open(), self._kept
        missing: dict[str, list[str]] = {}
        for key in keys:
            if key not in kept:
                self._check_key(key)
                known = session.cache.fresh(key)
                if known is None:
                    missing.setdefault(key.kind, []).append(key.id)
                kept[key] = known or _NEW
        if missing:
            self._fetch(session, missing)
        return {key: kept[key].row for key in keys}

    def read(self, keys: Collection[Key]) -> Mapping[Key, Loaded]:
        """Load rows as last committed, all as of one moment, without taking any lock."""
        with self._sessions.reading() as session:
            alone = not session.connection.in_transaction
            if alone:
                session.sync()
                for key in keys:
                    self._check_key(key)
                known = {key: session.cache.fresh(key) for key in keys}
                if None not in known.values():
                    return {key: kept.row for key, kept in known.items() if kept}
                session.begin("BEGIN")
            self._session = session
            try:
                return self.load(keys)
            finally:
                self._session = None
                if alone:
                    session.rollback()

    def commit(self, batch: Batch) -> None:
        """Store the whole batch durably; this finishes the unit, whether it succeeds or not.

        Raises:
            ConcurrencyConflict: a row is not at its expected version, or a command id is already in use.
            StorageError: the batch could not be stored; none of it is.
        """
        session = self._open()
        stored = False
        try:
            self._check_versions(batch)
            position, rows = self._store(session, batch)
            session.run("COMMIT")
            # Before the gate opens, because this connection's next writer takes the cached rows as current.
            for key, kept in rows.items():
                session.cache.put(key, kept)
            session.cache.position = position
            stored = True
            if self._erases(batch) or not self._sessions.log_is_clear:
                self._sessions.clear_log(session)
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
            self._sessions.release(session)

    def _check_key(self, key: Key) -> None:
        check_tenant(self._tenant, key)
        if key.kind not in self._kinds:
            raise InputError.at("key.kind", "unknown_kind", f"the workflow has no machine {key.kind!r}")

    # --- reading ---

    def _fetch(self, session: Session, missing: Mapping[str, list[str]]) -> None:
        parts = [
            (kind, sql.padded(ids[start : start + _MOST_IDS]))
            for kind, ids in missing.items()
            for start in range(0, len(ids), _MOST_IDS)
        ]
        cold: dict[Key, _Cold] = {}
        for start in range(0, len(parts), _MOST_PARTS):
            some = parts[start : start + _MOST_PARTS]
            text = sql.load_text(tuple([(kind, len(ids)) for kind, ids in some]))
            values = [value for _, ids in some for value in (self._tenant, *ids)]
            for kind, number, id_, version, last, at, status, schema, state, content in session.rows(text, values):
                key = Key(self._tenant, kind, id_)
                known = session.cache.decoded(key, version, last)
                if known is None:
                    row = Loaded(version, None, moment(at))
                    cold[key] = _Cold(KeptRow(number, last, content, row), status, schema, state)
                else:
                    self._keep(session, key, KeptRow(number, last, content, known))
        if cold:
            self._decode(session, cold)

    def _decode(self, session: Session, cold: Mapping[Key, _Cold]) -> None:
        contents = self._contents(session, [row.kept.content for row in cold.values() if row.kept.content])
        for key, (kept, status, schema, text) in cold.items():
            state = self._codec.state(key.kind, status, text, schema, contents.get(kept.content))
            self._keep(session, key, kept._replace(row=kept.row._replace(state=state)))

    def _contents(self, session: Session, positions: Sequence[int]) -> dict[int, Any]:
        """Order contents, by the position of the event that brought each."""
        found: dict[int, Any] = {}
        for start in range(0, len(positions), _MOST_IDS):
            part = sql.padded(positions[start : start + _MOST_IDS])
            for position, name, schema, data in session.rows(sql.contents_text(len(part)), part):
                found[position] = self._codec.event(CONTENTED, name, data, schema).content
        return found

    def _keep(self, session: Session, key: Key, kept: KeptRow) -> None:
        self._kept[key] = kept
        session.cache.put(key, kept)

    # --- writing ---

    def _check_versions(self, batch: Batch) -> None:
        needed = [*batch.read, *((write.key, write.expected) for write in batch.writes)]
        unloaded = [key for key, _ in needed if key not in self._kept]
        if unloaded:
            self.load(unloaded)
        for key, expected in needed:
            found = self._kept[key].row.version
            if found != expected:
                raise ConcurrencyConflict(key, expected, found)

    def _store(self, session: Session, batch: Batch) -> tuple[int, dict[Key, KeptRow]]:
        """Write everything; returns the new last journal position, and the rows as stored."""
        self._insert(session, sql.COMMANDS, [_command_row(self._tenant, command) for command in batch.commands])
        position = session.cache.position
        if position is None:
            ((position,),) = session.rows(sql.LAST_POSITION)
        journal = _Journal(position, self._kept, {command.ack.command_id for command in batch.commands})
        self._insert(session, sql.JOURNAL, [journal.row(self._codec, entry) for entry in batch.entries])
        rows = {write.key: journal.kept(write) for write in batch.writes}
        by_kind: dict[str, list[Key]] = {}
        for key in rows:
            by_kind.setdefault(key.kind, []).append(key)
        for kind, keys in by_kind.items():
            self._store_rows(session, kind, keys, rows)
        write_keys(session, ((key, self._kept[key].row.state, row.row.state) for key, row in rows.items()))
        if self._erases(batch):
            tables = ["search_keys", *map(table_of, sorted(VAULT & by_kind.keys()))]
            for text in chain.from_iterable(map(sql.rewriting_texts, tables)):
                session.run(text)
        at = batch.commands[-1].ack.at if batch.commands else None
        self._insert(session, sql.MESSAGES, [*_message_rows(self._tenant, batch.messages, journal.position, at)])
        answer(session, self._tenant, batch.answered, at)
        return journal.position, rows

    def _erases(self, batch: Batch) -> bool:
        """Whether a row of the vault gets other content, so that the former one must go."""
        return any(key.kind in VAULT and self._kept[key].number is not None for key, *_ in batch.writes)

    def _store_rows(self, session: Session, kind: str, keys: Sequence[Key], rows: dict[Key, KeptRow]) -> None:
        """Write the rows of a kind: insert new ones, which get numbers, and update stored ones by number."""
        new: list[Key] = []
        there: dict[tuple[str, ...], list[Key]] = {}
        for key in keys:
            before, after = self._kept[key], rows[key]
            if before.number is None:
                new.append(key)
            else:
                columns = columns_touched(kind, before.row.state, after.row.state)
                there.setdefault(columns, []).append(key)
        for columns, known in there.items():
            self._update(session, kind, columns, known, rows)
        for part in sql.chunks(len(new)):
            some = new[part]
            values = [(self._tenant, key.id, *self._values(key, rows[key], all_columns(kind))) for key in some]
            text = sql.insert_text(sql.rows_head(kind), len(values[0]), len(some))
            last = session.run(text, [*chain.from_iterable(values)]).lastrowid or 0
            # One statement numbers its rows consecutively, as nobody else is writing.
            rows.update((key, rows[key]._replace(number=last - ahead)) for ahead, key in enumerate(reversed(some)))

    def _update(
        self, session: Session, kind: str, columns: tuple[str, ...], keys: Sequence[Key], rows: Mapping[Key, KeptRow]
    ) -> None:
        for part in sql.chunks(len(keys)):
            some = keys[part]
            values = [(*self._values(key, rows[key], columns), rows[key].number, rows[key].row.version) for key in some]
            changed = session.run(sql.update_text(kind, columns, len(some)), [*chain.from_iterable(values)]).rowcount
            if changed != len(some):
                raise ConcurrencyConflict(None)

    def _values(self, key: Key, kept: KeptRow, columns: tuple[str, ...]) -> list[Any]:
        """The values written for a row, in statement order: these columns, then those written with every version."""
        version, state, at = kept.row
        form = self._codec.form_of(type(state))
        values = reader_of(key.kind, columns)(key, state)
        text = form.write_rest(state) if kept.content else form.write(state)
        values += (version, kept.last, "" if at is None else time_text(at), form.name, form.schema, text)
        return [*values, kept.content or None] if key.kind == CONTENTED else values

    def _insert(self, session: Session, head: str, rows: Sequence[tuple[Any, ...]]) -> None:
        for part in sql.chunks(len(rows)):
            some = rows[part]
            session.run(sql.insert_text(head, len(some[0]), len(some)), [*chain.from_iterable(some)])


class _Journal:
    """The entries of a batch as they are appended, each chained to its row's previous one."""

    def __init__(self, position: int, before: Mapping[Key, KeptRow], command_ids: Collection[str]) -> None:
        self.position, self._before, self._command_ids = position, before, command_ids
        self._last: dict[Key, int] = {}
        self._contents: dict[Key, tuple[int, Any]] = {}

    def row(self, codec: Codec, entry: Entry) -> tuple[Any, ...]:
        """The next row of the journal."""
        key, version, event, command_id = entry
        if command_id not in self._command_ids:
            raise StorageError("an entry cites a command that is not in its batch", retry=False)
        self.position += 1
        previous = self._last.get(key) or self._before.get(key, _NEW).last
        self._last[key] = self.position
        if key.kind == CONTENTED and getattr(event, "content", None) is not None:
            self._contents[key] = self.position, event.content
        name, schema, write, _ = codec.form_of(type(event))
        data = "{}" if key.kind in VAULT else write(event)
        return (self.position, *key, version, name, schema, data, command_id, previous)

    def kept(self, write: Write) -> KeptRow:
        """A row as stored after the batch; its content is stored separately if an event brought it unchanged."""
        key, _, version, state, at = write
        before = self._before[key]
        content = self._content_at(key, before, state) if key.kind == CONTENTED else 0
        return KeptRow(before.number, self._last.get(key, before.last), content, Loaded(version, state, at))

    def _content_at(self, key: Key, before: KeptRow, state: Any) -> int:
        """The position of the event that brought a state's content unchanged; 0 if there is none."""
        content = getattr(state, "content", None)
        at, brought = self._contents.get(key, (0, None))
        if content is None:
            return 0
        if content is brought:
            return at
        return before.content if content is getattr(before.row.state, "content", None) else 0


def _command_row(tenant: str, command: CommandRecord) -> tuple[Any, ...]:
    ack, occurred = command.ack, command.occurred_at
    at = time_text(ack.at)
    return (
        tenant, ack.command_id, command.fingerprint, ack.key.kind, ack.key.id, ack.version, command.command,
        command.actor, at, command.cause, command.workflow, None if occurred is None else time_text(occurred),
    )  # fmt: skip


def _message_rows(
    tenant: str, messages: Iterable[Message], position: int, at: datetime | None
) -> Iterator[tuple[str | int, ...]]:
    for number, (id_, topic, lane, data) in enumerate(messages, start=position << _MESSAGE_BITS):
        if at is None:
            raise StorageError("a batch with messages needs a command", retry=False)
        since = time_text(at)
        yield (tenant, id_, number, topic, lane.kind, lane.id, _dumps(data), since, since)
