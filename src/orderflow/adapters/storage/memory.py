"""In-memory storage: the reference implementation, in as few lines as possible."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from orderflow.adapters.storage.columns import Value, row_values
from orderflow.adapters.storage.conditions import (
    ROWS,
    Condition,
    check_limit,
    check_sums,
    check_tenant,
    conditions,
    holds,
)
from orderflow.adapters.storage.memory_outbox import MemoryOutbox
from orderflow.domain.engine.decide import NOTHING, Entry, Loaded
from orderflow.domain.parties.searching import USES, SearchTerm, search_keys
from orderflow.domain.values import StockRef
from orderflow.errors import ConcurrencyConflict, Key, StorageError
from orderflow.ports.storage import VAULT, Batch, CommandRecord, KnownCommand, Query, Recorded, Redacted, Row

__all__ = ["MemoryStorage"]


class _Stored(NamedTuple):
    cursor: int
    row: Loaded


class MemoryStorage(MemoryOutbox):
    """Keeps everything of one tenant in this process, states as the objects they are.

    A unit holds the only lock from beginning to end, so the units of different threads run one after another.
    """

    def __init__(self, tenant: str = "main") -> None:
        super().__init__(tenant)
        self._unit: MemoryUnit | None = None
        self._rows: dict[Key, _Stored] = {}
        self._remembered: dict[str, KnownCommand] = {}
        self._journal: list[Recorded] = []
        self._streams: dict[Key, list[Recorded]] = {}

    @property
    def tenant(self) -> str:
        """The tenant whose rows these are."""
        return self._tenant

    @contextmanager
    def unit(self) -> Generator[MemoryUnit]:
        """A transaction; it waits until no other thread has one open."""
        with self._lock:
            if self._unit is not None:
                raise StorageError("a unit is already open in this thread", retry=False)
            self._unit = MemoryUnit(self._tenant, self._rows, self._remembered, self._commit)
            try:
                yield self._unit
            finally:
                self._unit.finished = True
                self._unit = None

    # --- feed and queries ---

    def history(self, key: Key) -> Iterator[Recorded]:
        """Every entry of one row, oldest first. Events of vault kinds are ``Redacted``.

        Raises:
            InputError: a key belongs to another tenant.
        """
        check_tenant(self._tenant, key)
        with self._lock:
            return iter(self._streams.get(key, ())[:])

    def entries(self, after: int, limit: int) -> Sequence[Recorded]:
        """Entries after a position, in commit order, across all rows of the tenant."""
        check_limit(limit)
        with self._lock:
            return self._journal[max(after, 0) : max(after, 0) + limit]

    def read(self, keys: Collection[Key]) -> Mapping[Key, Loaded]:
        """Every key's row as last committed."""
        with self.unit() as unit:
            return unit.load(keys)

    def find(self, query: Query) -> Sequence[Row[Any]]:
        """Up to ``query.limit`` rows in order of creation; ``conditions`` defines what a query means."""
        wanted = conditions(query)
        with self._lock:
            rows = [row for row in self._listed(query.kind) if row.cursor > query.cursor]
        return list(islice((row for row in rows if _matches(row, wanted)), query.limit))

    def sums(
        self, kind: str, columns: Sequence[str], by: Sequence[str] = ()
    ) -> Mapping[tuple[str, ...], tuple[int, ...]]:
        """Exact sums of integer columns, grouped; a missing value counts as 0, and groups as an empty text."""
        check_sums(kind, columns, by)
        with self._lock:
            rows = self._listed(kind)
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

    def search(self, terms: Sequence[SearchTerm], after: str = "", limit: int = 100) -> Sequence[Key]:
        """Customers who use a party with any of the terms, by id."""
        check_limit(limit)
        with self._lock:
            parties, customers = self._listed("party"), self._listed("customer")
        found = {
            (USES, row.key.id)
            for row in parties
            if any(term.holds(*key) for key in search_keys("party", row.state) for term in terms)
        }
        keys = [row.key for row in customers if row.key.id > after and search_keys("customer", row.state) & found]
        return sorted(keys)[:limit]

    def movements(self) -> Mapping[tuple[str, str, str], int]:
        """Stock movements summed: (SKU, location, event type) to units, as the events state them."""
        summed: dict[tuple[str, str, str], int] = {}
        with self._lock:
            for recorded in self._journal:
                if recorded.key.kind == "stock":
                    ref = StockRef.read(recorded.key.id)
                    movement = (ref.sku, ref.location, type(recorded.event).__name__)
                    summed[movement] = summed.get(movement, 0) + recorded.event.quantity
        return summed

    def _listed(self, kind: str) -> list[Row[Any]]:
        return [
            Row(cursor, key, row.version, row.state, row.at)
            for key, (cursor, row) in self._rows.items()
            if key.kind == kind
        ]

    # --- commit ---

    def _commit(self, batch: Batch) -> None:
        """Check everything first, then store it; nothing below the checks can fail."""
        self._check(batch)
        for write in batch.writes:
            cursor = self._rows[write.key].cursor if write.key in self._rows else len(self._rows) + 1
            self._rows[write.key] = _Stored(cursor, Loaded(write.version, write.state, write.at))
        known = {command.ack.command_id: command for command in batch.commands}
        for command_id, command in known.items():
            self._remembered[command_id] = KnownCommand(command.fingerprint, command.ack)
        for entry in batch.entries:
            recorded = _recorded(len(self._journal) + 1, entry, known[entry.command_id])
            self._journal.append(recorded)
            self._streams.setdefault(entry.key, []).append(recorded)
        if batch.messages:
            self._post(batch.messages, max(command.ack.at for command in batch.commands))
        self._answer(batch.answered)

    def _check(self, batch: Batch) -> None:
        needed = [(write.key, write.expected) for write in batch.writes]
        for key, version in (*needed, *batch.read):
            check_tenant(self._tenant, key)
            found = self._rows[key].row.version if key in self._rows else 0
            if found != version:
                raise ConcurrencyConflict(key, version, found)
        ids = [command.ack.command_id for command in batch.commands]
        if len(set(ids)) < len(ids) or not self._remembered.keys().isdisjoint(ids):
            raise ConcurrencyConflict(None)
        if {entry.command_id for entry in batch.entries} - set(ids):
            raise StorageError("an entry cites a command that is not in its batch", retry=False)
        if batch.messages and not ids:
            raise StorageError("a batch with messages needs a command", retry=False)
        self._check_new(batch.messages)


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
        """The commands already stored under these ids."""
        self._check_open()
        return {id_: self._remembered[id_] for id_ in command_ids if id_ in self._remembered}

    def load(self, keys: Collection[Key]) -> Mapping[Key, Loaded]:
        """Every key's row; version 0 and ``ABSENT`` if there is none.

        Raises:
            InputError: a key belongs to another tenant.
        """
        self._check_open()
        found: dict[Key, Loaded] = {}
        for key in keys:
            check_tenant(self._tenant, key)
            stored = self._rows.get(key)
            found[key] = NOTHING if stored is None else stored.row
        return found

    def commit(self, batch: Batch) -> None:
        """Store the whole batch; this finishes the unit, whether it succeeds or not.

        Raises:
            ConcurrencyConflict: a row is not at its expected version, or a command id is already in use.
            StorageError: the batch contradicts itself or what is stored; nothing of it is stored.
        """
        self._check_open()
        self.finished = True
        self._commit(batch)

    def _check_open(self) -> None:
        if self.finished:
            raise StorageError("the unit is finished", retry=False)


def _values(row: Row[Any]) -> dict[str, Value]:
    return row_values(row.key, row.version, row.state)


def _matches(row: Row[Any], wanted: Iterable[Condition]) -> bool:
    values = _values(row)
    return all(holds(condition, values) for condition in wanted)


def _recorded(position: int, entry: Entry, by: CommandRecord) -> Recorded:
    event, ack = entry.event, by.ack
    return Recorded(
        position,
        entry.key,
        entry.version,
        Redacted(type(event).__name__) if entry.key.kind in VAULT else event,
        ack.at,
        by.actor,
        ack.command_id,
        by.cause,
        by.occurred_at,
        by.workflow,
    )
