"""Whole decisions: what an event told other rows to do was done, and the effects it asked for were sent."""

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


#: At a stock row, a breach is a movement without a cause or a cause without a movement.
_NUMBERS: Final = {"stock": "I08"}


class _Known(NamedTuple):
    """What is checked of a workflow: the names in its rules, and the fields that its commands and events share."""

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
    """Commands led to events by a rule (I09); other rows did what the events told them, and nothing else (I08, I42).

    Only decisions of the given workflows are checked. The commands sent to a row are compared with its events by the
    fields that both have; only a sum of hashes is kept for each row.
    """

    def __init__(self, counted: Counter[str], workflows: Iterable[Workflow]) -> None:
        super().__init__(counted)
        self._known = {workflow.fingerprint: _Known.of(workflow) for workflow in workflows}
        self._open: Balance[Key] = Balance()

    def concerns(self, kind: str) -> bool:
        """Every kind."""
        return True

    def event(self, seen: Seen) -> Iterator[Violation]:
        """Check the event against the command that caused it, and note the commands that it sends."""
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
        """Report the rows whose events are not those that other rows caused."""
        for key, _ in self._open.left():
            what = "its events do not match the commands that other rows sent it"
            yield Violation(_NUMBERS.get(key.kind, "I42"), key, what)


def _hash(shared: Names, command_id: str, message: Any) -> int:
    names = shared.get(type(message), ())
    return hash((command_id, *(getattr(message, name) for name in names)))


def _shared_names(workflow: Workflow) -> Names:
    """The field names that each command sent by a reaction shares with every event it may lead to."""
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
    """The outbox holds exactly the messages that events ask for (I32), in decisions of the given workflows."""

    def __init__(self, counted: Counter[str], workflows: Iterable[Workflow], source: AuditSource) -> None:
        super().__init__(counted)
        self._source = source
        self._kinds = {kind for workflow in workflows for kind in _asking(workflow)}
        self._wanted: list[Sent] = []
        self._asked: set[int] = set()

    def concerns(self, kind: str) -> bool:
        """The kinds whose events may ask for effects."""
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
    """The kinds of rows whose events ask for effects."""
    asking = {line.event for line in workflow.table for part in line.parts if isinstance(part, Asks)}
    return (kind for kind, machine in workflow.machines.items() if asking.intersection(machine.events))
