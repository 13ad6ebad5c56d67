"""Storage in memory: the reference of what a storage does, in the fewest lines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from attrs import define

from orderflow.adapters.storage.columns import Value, row_values
from orderflow.adapters.storage.conditions import ROWS, Condition, check_limit, check_sums, conditions, holds
from orderflow.adapters.storage.vault import kept
from orderflow.domain.engine.decide import Entry, Loaded, Message
from orderflow.domain.engine.machine import ABSENT
from orderflow.errors import ConcurrencyConflict, InputError, Key, NotFound, StorageError
from orderflow.ports.storage import Batch, CommandRecord, KnownCommand, Lease, Query, Recorded, Row

__all__ = ["MemoryStorage"]

_NOTHING: Final = Loaded(0, ABSENT)


@define
class _Stored:
    cursor: int
    version: int
    state: Any


@define
class _Posted:
    message: Message
    standing: str = "pending"
    due: datetime | None = None
    leased_until: datetime | None = None
    attempts: int = 0
    token: int = 0
    error: str = ""


class MemoryStorage:
    """Keeps everything of one tenant in this process, states as they are.

    A unit holds the one lock from beginning to end, so units of several threads follow one another.
    """

    def __init__(self, tenant: str = "main") -> None:
        self._tenant = tenant
        self._lock = threading.RLock()
        self._unit: MemoryUnit | None = None
        self._rows: dict[Key, _Stored] = {}
        self._remembered: dict[str, KnownCommand] = {}
        self._journal: list[Recorded] = []
        self._streams: dict[Key, list[Recorded]] = {}
        self._outbox: dict[str, _Posted] = {}

    @property
    def tenant(self) -> str:
        """Whose rows these are."""
        return self._tenant

    @contextmanager
    def unit(self) -> Generator[MemoryUnit]:
        """A transaction; it waits until that of every other thread has ended."""
        with self._lock:
            if self._unit is not None:
                raise StorageError("a unit is already open in this thread", retry=False)
            self._unit = MemoryUnit(self._tenant, self._rows, self._remembered, self._commit)
            try:
                yield self._unit
            finally:
                self._unit.finished = True
                self._unit = None

    # --- outbox ---

    def claim(
        self, limit: int, now: datetime, lease_seconds: int, topics: Collection[str] | None = None
    ) -> Sequence[Lease]:
        """Lease up to ``limit`` due messages, each the first unfinished one of its lane, oldest first.

        A lane whose first message is leased, not due or of another topic has nothing to hand out.
        """
        check_limit(limit)
        with self._lock:
            ready = [posted for posted in self._heads() if _ready(posted, now, topics)][:limit]
            return [_lease(posted, now + timedelta(seconds=lease_seconds)) for posted in ready]

    def done(self, leases: Iterable[Lease], now: datetime) -> None:
        """The effects are carried out; those whose lease was lost are ignored."""
        with self._lock:
            for lease in leases:
                posted = self._held(lease)
                if posted is not None:
                    posted.standing = "done"

    def retry(self, lease: Lease, due: datetime, error: str) -> None:
        """The effect failed and is due again at ``due``; ignored if the lease was lost."""
        with self._lock:
            posted = self._held(lease)
            if posted is not None:
                posted.due, posted.leased_until, posted.error = due, None, error

    def dead_letter(self, lease: Lease, now: datetime, error: str) -> None:
        """Make the message a dead letter; ignored if the lease was lost."""
        with self._lock:
            posted = self._held(lease)
            if posted is not None:
                posted.standing, posted.error = "dead", error

    def dead_letters(self, limit: int = 100) -> Sequence[tuple[Message, str]]:
        """The oldest dead letters with their last error."""
        check_limit(limit)
        with self._lock:
            return [(p.message, p.error) for p in self._outbox.values() if p.standing == "dead"][:limit]

    def requeue(self, message_id: str, now: datetime) -> None:
        """Make a dead letter due again, with its attempts counted anew.

        Raises:
            NotFound: there is no dead letter of that id.
        """
        with self._lock:
            posted = self._outbox.get(message_id)
            if posted is None or posted.standing != "dead":
                raise NotFound(Key(self._tenant, "message", message_id))
            posted.standing, posted.due, posted.leased_until, posted.attempts = "pending", now, None, 0

    def pending(self) -> int:
        """Messages neither done nor dead."""
        with self._lock:
            return sum(posted.standing == "pending" for posted in self._outbox.values())

    def _heads(self) -> Iterator[_Posted]:
        lanes: set[Key] = set()
        for posted in self._outbox.values():
            if posted.standing == "pending" and posted.message.lane not in lanes:
                lanes.add(posted.message.lane)
                yield posted

    def _held(self, lease: Lease) -> _Posted | None:
        """The message, if the lease is still the one that counts."""
        posted = self._outbox.get(lease.message.id)
        fenced = posted is None or posted.standing != "pending" or posted.token != lease.token
        return None if fenced else posted

    # --- feed and queries ---

    def history(self, key: Key) -> Iterator[Recorded]:
        """Every entry of one row, oldest first. Events of the vault are ``Redacted``.

        Raises:
            InputError: a key of another tenant.
        """
        _check_tenant(self._tenant, key)
        with self._lock:
            return iter(self._streams.get(key, ())[:])

    def entries(self, after: int, limit: int) -> Sequence[Recorded]:
        """Entries after a position in commit order, across all rows of the tenant."""
        check_limit(limit)
        with self._lock:
            return self._journal[max(after, 0) : max(after, 0) + limit]

    def read(self, keys: Collection[Key]) -> Mapping[Key, Loaded]:
        """Every key's row as last committed."""
        with self.unit() as unit:
            return unit.load(keys)

    def find(self, query: Query) -> Sequence[Row]:
        """Up to ``query.limit`` rows in order of creation; ``conditions`` says what a query means."""
        wanted = conditions(query)
        with self._lock:
            rows = [
                Row(stored.cursor, key, stored.version, stored.state)
                for key, stored in self._rows.items()
                if key.kind == query.kind and stored.cursor > query.cursor
            ]
        return list(islice((row for row in rows if _matches(row, wanted)), query.limit))

    def sums(
        self, kind: str, columns: Sequence[str], by: Sequence[str] = ()
    ) -> Mapping[tuple[str, ...], tuple[int, ...]]:
        """Exact sums of integer columns, grouped; an absent value counts as 0 and groups as empty text."""
        check_sums(kind, columns, by)
        with self._lock:
            rows = [Row(s.cursor, key, s.version, s.state) for key, s in self._rows.items() if key.kind == kind]
        groups: dict[tuple[str, ...], tuple[int, ...]] = {} if by else {(): (0,) * len(columns)}
        for row in rows:
            values = _values(row)
            group = tuple(str(values[name] if values[name] is not None else "") for name in by)
            before = groups.get(group, (0,) * len(columns))
            groups[group] = tuple(
                sum_ + (1 if name == ROWS else int(values[name] or 0))
                for sum_, name in zip(before, columns, strict=True)
            )
        return groups

    def movements(self) -> Mapping[tuple[str, str, str], int]:
        """Every stock movement summed: (SKU, location, event type) to units, as its events give them."""
        summed: dict[tuple[str, str, str], int] = {}
        with self._lock:
            for recorded in self._journal:
                if recorded.key.kind == "stock":
                    sku, _, location = recorded.key.id.rpartition("@")
                    movement = (sku, location, type(recorded.event).__name__)
                    summed[movement] = summed.get(movement, 0) + recorded.event.quantity
        return summed

    # --- what a unit does ---

    def _commit(self, batch: Batch) -> None:
        """Check everything first, then store it; nothing below the checks can fail."""
        self._check(batch)
        for write in batch.writes:
            self._write(write.key, write.version, write.state)
        for command in batch.commands:
            self._remembered[command.ack.command_id] = KnownCommand(command.fingerprint, command.ack)
        known = {command.ack.command_id: command for command in batch.commands}
        for entry in batch.entries:
            recorded = _recorded(len(self._journal) + 1, entry, known[entry.command_id])
            self._journal.append(recorded)
            self._streams.setdefault(entry.key, []).append(recorded)
        for message in batch.messages:
            self._outbox[message.id] = _Posted(message)
        for lease in batch.answered:
            posted = self._held(lease)
            if posted is not None:
                posted.standing = "done"

    def _check(self, batch: Batch) -> None:
        for write in batch.writes:
            _check_tenant(self._tenant, write.key)
            stored = self._rows.get(write.key)
            found = stored.version if stored is not None else 0
            if found != write.expected:
                raise ConcurrencyConflict(write.key, write.expected, found)
        ids = [command.ack.command_id for command in batch.commands]
        if len(set(ids)) < len(ids) or not self._remembered.keys().isdisjoint(ids):
            raise ConcurrencyConflict(None)
        if {entry.command_id for entry in batch.entries} - set(ids):
            raise StorageError("an entry cites a command that is not in its batch", retry=False)
        posted = [message.id for message in batch.messages]
        if len(set(posted)) < len(posted) or not self._outbox.keys().isdisjoint(posted):
            raise StorageError("a message of that id is already in the outbox", retry=False)

    def _write(self, key: Key, version: int, state: object) -> None:
        stored = self._rows.get(key)
        if stored is None:
            self._rows[key] = _Stored(len(self._rows) + 1, version, state)
        else:
            stored.version, stored.state = version, state


class MemoryUnit:
    """One transaction on a :class:`MemoryStorage`."""

    def __init__(
        self,
        tenant: str,
        rows: Mapping[Key, _Stored],
        remembered: Mapping[str, KnownCommand],
        commit: Callable[[Batch], None],
    ) -> None:
        self._tenant, self._rows, self._remembered, self._commit = tenant, rows, remembered, commit
        self.finished = False

    def known_commands(self, command_ids: Collection[str]) -> Mapping[str, KnownCommand]:
        """What is remembered of these command ids."""
        self._check_open()
        return {id_: self._remembered[id_] for id_ in command_ids if id_ in self._remembered}

    def load(self, keys: Collection[Key]) -> Mapping[Key, Loaded]:
        """Every key's row, version 0 and ``ABSENT`` where there is none.

        Raises:
            InputError: a key of another tenant.
        """
        self._check_open()
        found: dict[Key, Loaded] = {}
        for key in keys:
            _check_tenant(self._tenant, key)
            stored = self._rows.get(key)
            found[key] = _NOTHING if stored is None else Loaded(stored.version, stored.state)
        return found

    def commit(self, batch: Batch) -> None:
        """Store the whole batch; the unit is finished then, whether it could be stored or not.

        Raises:
            ConcurrencyConflict: a row is not at its expected version, or a command id is already remembered.
            StorageError: the batch contradicts itself or what is stored; nothing of it is stored.
        """
        self._check_open()
        self.finished = True
        self._commit(batch)

    def _check_open(self) -> None:
        if self.finished:
            raise StorageError("the unit is finished", retry=False)


def _check_tenant(tenant: str, key: Key) -> None:
    if key.tenant != tenant:
        raise InputError.at("key.tenant", "other_tenant", f"this is the storage of {tenant!r}, not of {key.tenant!r}")


def _values(row: Row) -> dict[str, Value]:
    return row_values(row.key, row.version, row.state)


def _matches(row: Row, wanted: Iterable[Condition]) -> bool:
    values = _values(row)
    return all(holds(condition, values) for condition in wanted)


def _ready(posted: _Posted, now: datetime, topics: Collection[str] | None) -> bool:
    due = posted.due is None or posted.due <= now
    free = posted.leased_until is None or posted.leased_until <= now
    return due and free and (topics is None or posted.message.topic in topics)


def _lease(posted: _Posted, until: datetime) -> Lease:
    posted.leased_until = until
    posted.attempts += 1
    posted.token += 1
    return Lease(posted.message, posted.attempts, posted.token)


def _recorded(position: int, entry: Entry, by: CommandRecord) -> Recorded:
    event, ack = kept(entry.key.kind, entry.event), by.ack
    return Recorded(
        position,
        entry.key,
        entry.version,
        event,
        ack.at,
        by.actor,
        ack.command_id,
        by.cause,
        by.occurred_at,
        by.workflow,
    )
