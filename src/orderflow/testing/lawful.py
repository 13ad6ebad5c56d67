"""A storage that asks the laws across rows after every commit; wrap it around yours in tests."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, cast

from orderflow.domain.engine.decide import Entry
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import EventContext, Workflow
from orderflow.domain.workflow.laws import KINDS, Breach, Said, Sums, said_by_event, said_by_row
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import InvariantBroken, Key
from orderflow.ports.storage import Batch, Recorded, Storage, UnitOfWork

__all__ = ["lawful"]

_PAGE: Final = 1_000


def lawful(storage: Storage, workflow: Workflow | None = None) -> Storage:
    """A storage that behaves as the one it wraps, and asks the laws of goods, money and attention after every commit.

    A commit after which a law is broken raises :class:`InvariantBroken`, which names the law, though it is stored by
    then. The journal is folded by ``workflow`` to know each row: every commit must go through it, or stand in the feed.
    """
    return cast("Storage", _LawfulStorage(storage, workflow or standard_workflow()))


class _LawfulStorage:
    def __init__(self, storage: Storage, workflow: Workflow) -> None:
        self.wrapped, self._workflow = storage, workflow
        self._states: dict[Key, Any] = {}
        self._said: dict[Key, tuple[Said, ...]] = {}
        self._sums = Sums()
        after = 0
        while entries := storage.entries(after, _PAGE):
            for entry in entries:
                self._fold(entry)
            after = entries[-1].position
        for key in self._states:
            _raise([*self._ask_again(key)])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

    @contextmanager
    def unit(self) -> Generator[UnitOfWork]:
        """A transaction of the wrapped storage, whose commit is followed by the laws."""
        with self.wrapped.unit() as unit:
            yield _Lawful(unit, self)

    def check(self, batch: Batch) -> None:
        """Ask the laws of the events of a batch that was stored, and of the rows it has changed."""
        stamps = {
            command.ack.command_id: Stamp(command.ack.at, command.actor, command.ack.command_id)
            for command in batch.commands
        }
        happened, found = Sums(), list[Breach]()
        ours = [entry for entry in batch.entries if entry.key.kind in KINDS]
        for entry in ours:
            before = self._states.get(entry.key, ABSENT)
            context = EventContext(entry.key, before, entry.event, self._fold(entry), stamps[entry.command_id])
            found += happened.add(said_by_event(context))
        for key in {entry.key: None for entry in ours}:
            found += self._ask_again(key)
        _raise([*found, *happened.breaches(), *self._sums.breaches()])

    def _fold(self, entry: Entry | Recorded) -> Any:
        machine = self._workflow.machines.get(entry.key.kind)
        if machine is None or entry.key.kind not in KINDS:
            return None
        before = self._states.get(entry.key, ABSENT)
        after = self._states[entry.key] = machine.evolve(before, entry.event)
        return after

    def _ask_again(self, key: Key) -> list[Breach]:
        """Put what a row says now in the place of what it said before; its own breaches."""
        self._sums.take_out(self._said.get(key, ()))
        said = self._said[key] = tuple(said_by_row(key, self._states[key]))
        return [*self._sums.add(said)]


def _raise(found: list[Breach]) -> None:
    if found:
        raise InvariantBroken(found[0].law, "; ".join(map(str, found)))


class _Lawful:
    def __init__(self, unit: UnitOfWork, storage: _LawfulStorage) -> None:
        self._unit, self._storage = unit, storage
        self.known_commands, self.load = unit.known_commands, unit.load

    def commit(self, batch: Batch) -> None:
        self._unit.commit(batch)
        self._storage.check(batch)
