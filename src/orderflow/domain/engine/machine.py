"""The engine: a machine is a table of rules, and a step can only follow a rule.

A rule says which command a state takes, which guards are asked, and how the one event is decided; its transitions say
where each event leads. The table is checked when the machine is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar, overload

import attrs

from orderflow.domain.engine.law import foreign_messages, unreachable
from orderflow.domain.engine.record import Fields, Record, values_of
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import CommandRefused, DefinitionError, InvariantBroken, Refusal

__all__ = [
    "ABSENT",
    "Absent",
    "Edge",
    "Guard",
    "Machine",
    "Rule",
    "Transition",
    "choice",
    "refuse",
    "rule",
    "rules",
    "to",
]

S = TypeVar("S")
From_contra = TypeVar("From_contra", contravariant=True)
C = TypeVar("C")
E1 = TypeVar("E1")
E2 = TypeVar("E2")
E3 = TypeVar("E3")
T = TypeVar("T")
K = TypeVar("K")


class Absent(Record):
    """The state before the first event: nothing is stored under the key."""


ABSENT: Final = Absent()


def refuse(code: str, message: str, **facts: object) -> Refusal:
    """A refusal with ``message`` as its sentence, ``facts`` filled in."""
    return Refusal(code, message.format(**facts), tuple(facts.items()))


Guard = Callable[[S, C, Stamp], Refusal | None]


class Transition(NamedTuple, Generic[From_contra, E1, T]):
    """Where an event leads. There are several targets only if quantities decide between them."""

    event: type[E1]
    targets: tuple[type[T], ...]
    evolve: Callable[[From_contra, E1], T]


class Rule(Fields):
    """One line of a table: in ``source``, ``command`` is asked of ``guards`` and decided into one event."""

    source: type[Any]
    command: type[Any]
    decide: Callable[[Any, Any, Stamp], Any]
    transitions: tuple[Transition[Any, Any, Any], ...]
    guards: tuple[Guard[Any, Any], ...] = ()


@overload
def rule(
    source: type[S],
    command: type[C],
    event: type[E1],
    target: type[T],
    evolve: Callable[[S, E1], T],
    *,
    guards: tuple[Guard[S, C], ...] = (),
    decide: Callable[[S, C, Stamp], E1] | None = None,
) -> Rule: ...
@overload
def rule(
    source: type[S],
    command: type[C],
    event: type[E1],
    target: tuple[type[T], ...],
    evolve: Callable[[S, E1], T],
    *,
    guards: tuple[Guard[S, C], ...] = (),
    decide: Callable[[S, C, Stamp], E1] | None = None,
) -> Rule: ...
def rule(
    source: type[Any],
    command: type[Any],
    event: type[Any],
    target: Any,
    evolve: Callable[[Any, Any], Any],
    *,
    guards: tuple[Guard[Any, Any], ...] = (),
    decide: Callable[[Any, Any, Stamp], Any] | None = None,
) -> Rule:
    """A line with one event. It has several targets if quantities decide between them.

    Without ``decide`` the event records the command: fields of the same name are copied, and a last field ``at`` of the
    event is the stamp's moment.

    Raises:
        DefinitionError: there is no ``decide``, and the fields of the event differ from those of the command.
    """
    return Rule(source, command, decide or _recording(command, event), (to(event, target, evolve),), guards)


@overload
def rules(
    sources: tuple[type[K], ...],
    command: type[C],
    event: type[E1],
    targets: None,
    evolve: Callable[[K, E1], K],
    *,
    guards: tuple[Guard[K, C], ...] = (),
    decide: Callable[[K, C, Stamp], E1] | None = None,
) -> tuple[Rule, ...]: ...
@overload
def rules(
    sources: tuple[type[S], ...],
    command: type[C],
    event: type[E1],
    targets: type[T],
    evolve: Callable[[S, E1], T],
    *,
    guards: tuple[Guard[S, C], ...] = (),
    decide: Callable[[S, C, Stamp], E1] | None = None,
) -> tuple[Rule, ...]: ...
@overload
def rules(
    sources: tuple[type[S], ...],
    command: type[C],
    event: type[E1],
    targets: tuple[type[T], ...],
    evolve: Callable[[S, E1], T],
    *,
    guards: tuple[Guard[S, C], ...] = (),
    decide: Callable[[S, C, Stamp], E1] | None = None,
) -> tuple[Rule, ...]: ...
def rules(
    sources: tuple[type[Any], ...],
    command: type[Any],
    event: type[Any],
    targets: Any,
    evolve: Callable[[Any, Any], Any],
    *,
    guards: tuple[Guard[Any, Any], ...] = (),
    decide: Callable[[Any, Any, Stamp], Any] | None = None,
) -> tuple[Rule, ...]:
    """The same line for several states; with ``targets`` None each state stays what it is."""
    return tuple(
        rule(source, command, event, targets or source, evolve, guards=guards, decide=decide) for source in sources
    )


@overload
def to(event: type[E1], target: type[T], evolve: Callable[[S, E1], T]) -> Transition[S, E1, T]: ...
@overload
def to(event: type[E1], target: tuple[type[T], ...], evolve: Callable[[S, E1], T]) -> Transition[S, E1, T]: ...
def to(event: type[Any], target: Any, evolve: Callable[[Any, Any], Any]) -> Transition[Any, Any, Any]:
    """Say where one event of a :func:`choice` leads."""
    return Transition(event, target if isinstance(target, tuple) else (target,), evolve)


@overload
def choice(
    source: type[S],
    command: type[C],
    decide: Callable[[S, C, Stamp], E1 | E2],
    first: Transition[S, E1, Any],
    second: Transition[S, E2, Any],
    /,
    *,
    guards: tuple[Guard[S, C], ...] = (),
) -> Rule: ...
@overload
def choice(
    source: type[S],
    command: type[C],
    decide: Callable[[S, C, Stamp], E1 | E2 | E3],
    first: Transition[S, E1, Any],
    second: Transition[S, E2, Any],
    third: Transition[S, E3, Any],
    /,
    *,
    guards: tuple[Guard[S, C], ...] = (),
) -> Rule: ...
def choice(
    source: type[Any],
    command: type[Any],
    decide: Callable[[Any, Any, Stamp], Any],
    /,
    *transitions: Transition[Any, Any, Any],
    guards: tuple[Guard[Any, Any], ...] = (),
) -> Rule:
    """A line whose ``decide`` chooses between events."""
    return Rule(source, command, decide, transitions, guards)


def _recording(command: Any, event: Any) -> Callable[[Any, Any, Stamp], Any]:
    """The decide of a line without one."""
    for kind in (command, event):
        if not attrs.has(kind):
            raise DefinitionError(f"{kind.__name__} is not made with attrs")
    have, want = ([field.name for field in attrs.fields(kind)] for kind in (command, event))
    dated = [*have, "at"] == want
    if have != want and not dated:
        raise DefinitionError(f"{event.__name__} does not record {command.__name__}: give the rule a decide")
    values = values_of(command)
    if dated:
        return lambda state, command, stamp: event(*values(command), stamp.moment)
    return lambda state, command, stamp: event(*values(command))


#: Turns the stored fields of a class, of one schema version, into those of the next.
Upcaster: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]


class Edge(NamedTuple):
    """One arrow of the diagram."""

    source: type[Any]
    command: type[Any]
    event: type[Any]
    target: type[Any]


class Machine:
    """The life of one kind of row, as a checked table.

    Args:
        kind: the kind of row this machine governs, as in :class:`~orderflow.errors.Key`.
        rules: the lines, and groups of lines. The life begins in :class:`Absent`.
        final: the states a life may end in; lines out of them may lead to final states only.
        check: asserts the invariants of a state, raising :class:`~orderflow.errors.InvariantBroken`.
        upcasters: for a class of states or events whose stored form has changed, see :meth:`upcasting`.

    Raises:
        DefinitionError: the table is not sound; everything wrong with it is named.
    """

    def __init__(
        self,
        kind: str,
        *,
        rules: Iterable[Rule | tuple[Rule, ...]],
        final: tuple[type[Any], ...],
        check: Callable[[Any], None] = lambda state: None,
        upcasters: Mapping[type[Any], tuple[Upcaster, ...]] = MappingProxyType({}),
    ) -> None:
        self.kind = kind
        self.rules = tuple(chain.from_iterable(line if isinstance(line, tuple) else (line,) for line in rules))
        self.final = final
        self.check = check
        self.upcasters = upcasters
        self.commands: tuple[type[Any], ...] = tuple(dict.fromkeys(line.command for line in self.rules))
        self.events: tuple[type[Any], ...] = tuple(dict.fromkeys(edge.event for edge in self.edges()))
        self.states: tuple[type[Any], ...] = tuple(
            dict.fromkeys(state for edge in self.edges() for state in (edge.source, edge.target))
        )
        breaches = [*_breaches(self)]
        if breaches:
            raise DefinitionError(f"machine {kind!r}: " + "; ".join(breaches))
        self._rules = {(line.source, line.command): line for line in self.rules}
        self._transitions = {(line.source, way.event): way for line in self.rules for way in line.transitions}
        self.fingerprint = _fingerprint(self.edges())

    def edges(self) -> Iterator[Edge]:
        """Every arrow of the table, in table order."""
        for line in self.rules:
            for transition in line.transitions:
                for target in transition.targets:
                    yield Edge(line.source, line.command, transition.event, target)

    def rule_for(self, state: type[Any], command: type[Any]) -> Rule | None:
        """The rule for a state class and a command class, if the table has one."""
        return self._rules.get((state, command))

    def explain(self, state: object, command: object, stamp: Stamp) -> tuple[Refusal, ...]:
        """Every reason why ``command`` would be refused now; empty if it would be accepted."""
        found = self._rules.get((type(state), type(command)))
        if found is None:
            return (self._not_now(state, command),)
        answers = [guard(state, command, stamp) for guard in found.guards]
        return tuple([answer for answer in answers if answer is not None])

    def step(self, state: Any, command: Any, stamp: Stamp) -> tuple[Any, Any]:
        """Decide and evolve: the one event and the state it leads to.

        Raises:
            CommandRefused: no rule for this state and command, or a guard refuses.
            InvariantBroken: a rule broke its promise; a bug.
        """
        found = self._rules.get((type(state), type(command)))
        if found is None:
            raise CommandRefused((self._not_now(state, command),))
        for guard in found.guards:
            if guard(state, command, stamp) is not None:
                raise CommandRefused(self.explain(state, command, stamp))
        event = found.decide(state, command, stamp)
        return event, self.evolve(state, event)

    def evolve(self, state: Any, event: Any) -> Any:
        """The state after ``event``: what a step ends with, and what a replay folds."""
        found = self._transitions.get((type(state), type(event)))
        if found is None:
            raise InvariantBroken(self.kind, f"no rule leads from {type(state).__name__} by {type(event).__name__}")
        target = found.evolve(state, event)
        if type(target) not in found.targets:
            raise InvariantBroken(self.kind, f"{type(event).__name__} led to undeclared {type(target).__name__}")
        self.check(target)
        return target

    def extended(self, *rules: Rule | tuple[Rule, ...], final: tuple[type[Any], ...] = ()) -> Machine:
        """A new machine with more lines, checked in full again."""
        return self._with(rules=(*self.rules, *rules), final=(*self.final, *final))

    def upcasting(self, kind: type[Any], *upcasters: Upcaster) -> Machine:
        """A new machine that reads older stored forms of a class of its states or events.

        The first function makes the fields of schema version 2 out of those of version 1, the next version 3; what is
        written has the version after the last. An order's content is no part of the fields of what holds it.

        Raises:
            DefinitionError: the machine has no such state or event.
        """
        if kind not in (*self.states, *self.events):
            raise DefinitionError(f"machine {self.kind!r}: {kind.__name__} is neither a state nor an event")
        return self._with(upcasters={**self.upcasters, kind: upcasters})

    def guarded(self, command: type[C], guard: Guard[Any, C]) -> Machine:
        """A new machine that also asks ``guard`` wherever ``command`` is taken; it can only refuse more.

        Raises:
            DefinitionError: no rule takes ``command``.
        """
        if command not in self.commands:
            raise DefinitionError(f"machine {self.kind!r}: no rule takes {command.__name__}, so nothing to guard")
        lines = [
            attrs.evolve(line, guards=(*line.guards, guard)) if line.command is command else line for line in self.rules
        ]
        return self._with(rules=lines)

    def _with(self, **changes: Any) -> Machine:
        kept = {name: getattr(self, name) for name in ("rules", "final", "check", "upcasters")}
        return Machine(self.kind, **(kept | changes))

    def _not_now(self, state: object, command: object) -> Refusal:
        facts = {"kind": self.kind, "state": type(state).__name__, "command": type(command).__name__}
        if type(state) is Absent:
            return refuse("not_found", "{command}: there is no such {kind}", **facts)
        return refuse("not_now", "{command} is not possible for {kind} in state {state}", **facts)


def _fingerprint(edges: Iterable[Edge]) -> str:
    text = "\n".join(sorted(" ".join(part.__name__ for part in edge) for edge in edges))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _breaches(machine: Machine) -> Iterator[str]:
    yield from _duplicates(machine.rules)
    yield from unreachable([(edge.source, edge.target) for edge in machine.edges()], Absent, machine.final)
    yield from foreign_messages((*machine.commands, *machine.events))


def _duplicates(rules: tuple[Rule, ...]) -> Iterator[str]:
    lines: set[tuple[type, type]] = set()
    evolves: dict[tuple[type, type], object] = {}
    for line in rules:
        name = f"({line.source.__name__}, {line.command.__name__})"
        if (line.source, line.command) in lines:
            yield f"{name} stands twice"
        lines.add((line.source, line.command))
        for event, targets, evolve in line.transitions:
            if evolves.setdefault((line.source, event), (targets, evolve)) != (targets, evolve):
                yield f"({line.source.__name__}, {event.__name__}) leads two ways"
