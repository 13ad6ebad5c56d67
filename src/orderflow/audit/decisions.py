"""Settlements as a whole: what events told other rows happened there, and what they asked of the world is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from attrs import fields

from orderflow.audit.checks import Balance, Check
from orderflow.audit.invariants import Violation
from orderflow.domain.engine.workflow import EventContext, Workflow
from orderflow.errors import Key
from orderflow.ports.audit import AuditSource, Sent

__all__ = ["Decisions", "Effects"]


Names: TypeAlias = Mapping[type[Any], tuple[str, ...]]


#: Breaches at a stock row are movements without a cause, or causes without a movement.
_NUMBERS: Final = {"stock": "I08"}


class Decisions(Check):
    """Every command that an event sent another row has its event there, in the same settlement, and no other has.

    Commands and events are compared by what both name alike. Only sums of hashes are kept, one for each row.
    """

    def __init__(self, counted: Counter[str], workflow: Workflow) -> None:
        super().__init__(counted)
        self._workflow = workflow
        self._facts = _shared_names(workflow)
        self._open: Balance[Key] = Balance()

    def concerns(self, kind: str) -> bool:
        """All rows."""
        return True

    def event(self, happened: EventContext, version: int, *, root: bool) -> Iterator[Violation]:
        """One event: it answers a command, unless it is the first of all, and sends others."""
        key, _, event, _, stamp = happened
        number = _NUMBERS.get(key.kind, "I42")
        self.counted[number] += 1
        if not root:
            self._open.add(key, -self._hash(stamp.command_id, event))
            if key.kind == "stock" and not event.document:
                yield Violation("I08", key, f"version {version} was caused by another row and cites no document")
        for told in self._workflow.sends_of(happened):
            self._open.add(told.key, self._hash(stamp.command_id, told.command))

    def end(self) -> Iterator[Violation]:
        """Rows where the two sides differ."""
        for key, _ in self._open.left():
            what = "its events are not what other rows' events told it"
            yield Violation(_NUMBERS.get(key.kind, "I42"), key, what)

    def _hash(self, command_id: str, message: Any) -> int:
        names = self._facts.get(type(message), ())
        return hash((command_id, *(getattr(message, name) for name in names)))


def _shared_names(workflow: Workflow) -> Names:
    """For commands that reactions send, and their events, the names of the fields that all of them have in common."""
    told = {command for reaction in workflow.reactions for _, command in reaction.tells}
    pairs = [
        (row.command, transition.event)
        for machine in workflow.machines.values()
        for row in machine.rules
        if row.command in told
        for transition in row.transitions
    ]
    names = {kind: frozenset(field.name for field in fields(kind)) for pair in pairs for kind in pair}
    settled = False
    while not settled:
        settled = True
        for pair in pairs:
            common = names[pair[0]] & names[pair[1]]
            settled = settled and names[pair[0]] == common == names[pair[1]]
            names[pair[0]] = names[pair[1]] = common
    return {kind: tuple(sorted(common)) for kind, common in names.items()}


class Effects(Check):
    """The messages of the outbox are those that the events ask for (I32)."""

    def __init__(self, counted: Counter[str], workflow: Workflow, source: AuditSource) -> None:
        super().__init__(counted)
        self._workflow, self._source = workflow, source
        asking = {follow_up.event for follow_up in workflow.follow_ups}
        self._kinds = {kind for kind, machine in workflow.machines.items() if asking.intersection(machine.events)}
        self._wanted: list[Sent] = []

    def concerns(self, kind: str) -> bool:
        """Rows whose events may ask for something."""
        return kind in self._kinds

    def event(self, happened: EventContext, version: int, *, root: bool) -> tuple[Violation, ...]:
        """Note what the event asks for."""
        self._wanted += [Sent(version, *effect) for effect in self._workflow.effects_of(happened)]
        return ()

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """Compare with what was sent."""
        wanted, self._wanted = self._wanted, []
        if not whole:
            return
        sent = [*self._source.messages(key)]
        self.counted["I32"] += len(wanted)
        for message in wanted:
            if message in sent:
                sent.remove(message)
            else:
                yield Violation("I32", key, f"version {message.version} asks for {message.topic}, which was not sent")
        for message in sent:
            yield Violation(
                "I32", key, f"{message.topic} was sent for version {message.version}, which does not ask for it"
            )
