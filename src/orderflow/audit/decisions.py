"""Decisions as a whole: what events told other rows happened there, and what they asked of the world is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from attrs import fields

from orderflow.audit.checks import Balance, Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.engine.workflow import Asks, Send, Tells, Workflow
from orderflow.errors import Key
from orderflow.ports.audit import AuditSource, Sent

Names: TypeAlias = Mapping[type[Any], tuple[str, ...]]


#: Breaches at a stock row are movements without a cause, or causes without a movement.
_NUMBERS: Final = {"stock": "I08"}


class _Known(NamedTuple):
    """Of a workflow: its rules by kind and names, and what commands and events name alike."""

    rules: frozenset[tuple[str, str, str, str]]
    names: Names

    @classmethod
    def of(cls, workflow: Workflow) -> _Known:
        rules = frozenset(
            (kind, edge.source.__name__, edge.command.__name__, edge.event.__name__)
            for kind, machine in workflow.machines.items()
            for edge in machine.edges()
        )
        return cls(rules, _shared_names(workflow))


class Decisions(Check):
    """A command led to an event by a rule (I09), and what the event told other rows happened there, and nothing else.

    Only decisions of workflows at hand are asked. Commands that were told are compared with events by what both name
    alike, and of that only sums of hashes are kept, one for each row.
    """

    def __init__(self, counted: Counter[str], workflows: Iterable[Workflow]) -> None:
        super().__init__(counted)
        self._known = {workflow.fingerprint: _Known.of(workflow) for workflow in workflows}
        self._open: Balance[Key] = Balance()

    def concerns(self, kind: str) -> bool:
        """All rows."""
        return True

    def event(self, seen: Seen) -> Iterator[Violation]:
        """One event: it answers a command, unless it is the first of all, and sends others."""
        key, event = seen.context.key, seen.context.event
        number = _NUMBERS.get(key.kind, "I42")
        self.counted[number] += 1
        if key.kind == "stock" and seen.command is None and not getattr(event, "document", ""):
            yield Violation("I08", key, f"version {seen.version} was caused by another row and cites no document")
        if seen.workflow is None:
            return
        (rules, names), command_id = self._known[seen.workflow.fingerprint], seen.context.stamp.command_id
        if seen.command is None:
            self._open.add(key, -_hash(names, command_id, event))
        elif (key.kind, type(seen.context.before).__name__, seen.command, type(event).__name__) not in rules:
            yield Violation(
                "I09", key, f"version {seen.version}: {seen.command} does not lead to {type(event).__name__}"
            )
        for reaction in seen.workflow.reactions(seen.context):
            if isinstance(reaction, Send):
                self._open.add(reaction.key, _hash(names, command_id, reaction.command))

    def end(self) -> Iterator[Violation]:
        """Rows where the two sides differ."""
        for key, _ in self._open.left():
            what = "its events are not what other rows' events told it"
            yield Violation(_NUMBERS.get(key.kind, "I42"), key, what)


def _hash(shared: Names, command_id: str, message: Any) -> int:
    names = shared.get(type(message), ())
    return hash((command_id, *(getattr(message, name) for name in names)))


def _shared_names(workflow: Workflow) -> Names:
    """For commands that reactions send, and their events, the names of the fields that all of them have in common."""
    parts = [part for line in workflow.table for part in line.parts if isinstance(part, Tells)]
    sent = {command for part in parts for command in part.commands}
    pairs = [
        (rule.command, transition.event)
        for machine in workflow.machines.values()
        for rule in machine.rules
        if rule.command in sent
        for transition in rule.transitions
    ]
    names = {kind: frozenset(field.name for field in fields(kind)) for pair in pairs for kind in pair}
    level = False
    while not level:
        level = True
        for pair in pairs:
            common = names[pair[0]] & names[pair[1]]
            level = level and names[pair[0]] == common == names[pair[1]]
            names[pair[0]] = names[pair[1]] = common
    return {kind: tuple(sorted(common)) for kind, common in names.items()}


class Effects(Check):
    """The messages of the outbox are those that the events ask for (I32), of decisions of workflows at hand."""

    def __init__(self, counted: Counter[str], workflows: Iterable[Workflow], source: AuditSource) -> None:
        super().__init__(counted)
        self._source = source
        self._kinds = {kind for workflow in workflows for kind in _asking(workflow)}
        self._wanted: list[Sent] = []
        self._asked: set[int] = set()

    def concerns(self, kind: str) -> bool:
        """Rows whose events may ask for something."""
        return kind in self._kinds

    def event(self, seen: Seen) -> tuple[Violation, ...]:
        """Note what the event asks for."""
        if seen.workflow is not None:
            self._asked.add(seen.version)
            self._wanted += [Sent(seen.version, *effect) for effect in seen.workflow.effects(seen.context)]
        return ()

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """Compare with what was sent."""
        wanted, self._wanted = self._wanted, []
        asked, self._asked = self._asked, set()
        if not whole:
            return
        sent = [message for message in self._source.messages(key) if message.version in asked]
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


def _asking(workflow: Workflow) -> Iterator[str]:
    """The kinds of rows whose events ask something of the world."""
    asking = {line.event for line in workflow.table for part in line.parts if isinstance(part, Asks)}
    return (kind for kind, machine in workflow.machines.items() if asking.intersection(machine.events))
