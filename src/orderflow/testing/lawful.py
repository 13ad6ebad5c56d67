"""A storage that asks the laws of goods, money and attention after every commit; wrap it around yours in tests."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, Final, cast

from orderflow.domain.engine.decide import Entry
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import EventContext, Workflow
from orderflow.domain.workflow.goods_laws import GoodsLaws
from orderflow.domain.workflow.laws import Breach, MoneyLaws
from orderflow.domain.workflow.limbo import LimboLaws
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import InvariantBroken, Key
from orderflow.ports.storage import Batch, Recorded, Storage, UnitOfWork

__all__ = ["KINDS", "breaches", "lawful"]

#: The kinds of rows that the laws speak of.
KINDS: Final = MoneyLaws.KINDS | GoodsLaws.KINDS | LimboLaws.KINDS

_PAGE = 1_000


def breaches(rows: Iterable[tuple[Key, Any]], events: Iterable[EventContext] = ()) -> list[Breach]:
    """The laws of goods, money and attention that rows break together, and events by themselves."""
    every, happened, found = [*rows], [*events], list[Breach]()
    for laws in (GoodsLaws(), MoneyLaws(), LimboLaws()):
        found += [breach for context in happened for breach in laws.event(context)]
        found += [breach for key, state in every if key.kind in laws.KINDS for breach in laws.row(key, state)]
        found += laws.end()
    return found


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
        after = 0
        while entries := storage.entries(after, _PAGE):
            for entry in entries:
                self._fold(entry)
            after = entries[-1].position

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

    @contextmanager
    def unit(self) -> Generator[UnitOfWork]:
        """A transaction of the wrapped storage, whose commit is followed by the laws."""
        with self.wrapped.unit() as unit:
            yield _Lawful(unit, self)

    def check(self, batch: Batch) -> None:
        """Ask the laws of all rows, and of the events of a batch that was stored."""
        stamps = {
            command.ack.command_id: Stamp(command.ack.at, command.actor, command.ack.command_id)
            for command in batch.commands
        }
        events = [
            EventContext(entry.key, self._states.get(entry.key, ABSENT), entry.event, after, stamps[entry.command_id])
            for entry in batch.entries
            for after in [self._fold(entry)]
        ]
        found = breaches(self._states.items(), events)
        if found:
            raise InvariantBroken(found[0].law, "; ".join(f"{b.law} {b.key or ''} {b.found}" for b in found))

    def _fold(self, entry: Entry | Recorded) -> Any:
        machine = self._workflow.machines.get(entry.key.kind)
        if machine is None or entry.key.kind not in KINDS:
            return None
        before = self._states.get(entry.key, ABSENT)
        after = self._states[entry.key] = machine.evolve(before, entry.event)
        return after


class _Lawful:
    def __init__(self, unit: UnitOfWork, storage: _LawfulStorage) -> None:
        self._unit, self._storage = unit, storage
        self.known_commands, self.load = unit.known_commands, unit.load

    def commit(self, batch: Batch) -> None:
        self._unit.commit(batch)
        self._storage.check(batch)
