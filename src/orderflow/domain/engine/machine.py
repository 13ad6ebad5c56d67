"""The engine: a machine is a table of rules, and a step can only follow a row.

A rule says which command a state takes, which guards are asked, and how the one event is decided; its outcomes
say where each event leads. The law of the table is checked when the machine is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar, get_args, overload

from attrs import frozen

from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import CommandRefused, DefinitionError, InvariantBroken, Refusal

__all__ = ["ABSENT", "Absent", "Edge", "Guard", "Machine", "Rule", "Transition", "refuse", "rule", "to", "to_one_of"]


S = TypeVar("S")


From_contra = TypeVar("From_contra", contravariant=True)


C = TypeVar("C")


E1 = TypeVar("E1")


E2 = TypeVar("E2")


E3 = TypeVar("E3")


T = TypeVar("T")


@frozen
class Absent:
    """The state before the first event: nothing is stored under the key."""


ABSENT: Final = Absent()


def refuse(code: str, message: str, **facts: object) -> Refusal:
    """A refusal whose sentence is ``message`` with ``facts`` filled in."""
    return Refusal(code, message.format(**facts), tuple(facts.items()))


Guard = Callable[[S, C, Stamp], Refusal | None]


@frozen
class Transition(Generic[From_contra, E1, T]):
    """Where an event leads. More than one target only where quantities decide which it is."""

    event: type[E1]
    targets: tuple[type[T], ...]
    evolve: Callable[[From_contra, E1], T]


def to(event: type[E1], target: type[T], evolve: Callable[[S, E1], T]) -> Transition[S, E1, T]:
    """A transition with one target."""
    return Transition(event, (target,), evolve)


def to_one_of(event: type[E1], evolve: Callable[[S, E1], T], *targets: type[T]) -> Transition[S, E1, T]:
    """A transition whose target follows from the quantities, one of ``targets``."""
    return Transition(event, targets, evolve)


@frozen(eq=False)
class Rule:
    """One row of a table. Made by :func:`rule`, which lets a type checker hold the row together."""

    source: type[Any]
    command: type[Any]
    decide: Callable[[Any, Any, Stamp], Any]
    transitions: tuple[Transition[Any, Any, Any], ...]
    guards: tuple[Guard[Any, Any], ...] = ()


@overload
def rule(
    source: type[S],
    command: type[C],
    decide: Callable[[S, C, Stamp], E1],
    first: Transition[S, E1, Any],
    /,
    *,
    guards: tuple[Guard[S, C], ...] = (),
) -> Rule: ...
@overload
def rule(
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
def rule(
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
def rule(
    source: type[Any],
    command: type[Any],
    decide: Callable[[Any, Any, Stamp], Any],
    /,
    *transitions: Transition[Any, Any, Any],
    guards: tuple[Guard[Any, Any], ...] = (),
) -> Rule:
    """A row: in ``source``, ``command`` is asked of ``guards`` and decided into one event of ``outcomes``."""
    return Rule(source, command, decide, transitions, guards)


class Edge(NamedTuple):
    """One arrow of the diagram."""

    source: type[Any]
    command: type[Any]
    event: type[Any]
    target: type[Any]


class Machine:
    """One life, as a checked table.

    Args:
        kind: the kind of row this machine governs, as in :class:`~orderflow.domain.keys.Key`.
        commands, events: the unions of message classes; each member must appear in a row.
        rules: the rows. The life begins in :class:`Absent`.
        final: the states a life may end in; rows out of them may lead to final states only.
        check: asserts the invariants of a state, raising :class:`~orderflow.errors.InvariantBroken`.

    Raises:
        DefinitionError: the table breaks its law; every breach is named.
    """

    def __init__(
        self,
        kind: str,
        *,
        commands: Any,
        events: Any,
        rules: Iterable[Rule],
        final: tuple[type[Any], ...],
        check: Callable[[Any], None],
    ) -> None:
        self.kind = kind
        self.commands = _members(commands)
        self.events = _members(events)
        self.rules = tuple(rules)
        self.final = final
        self.check = check
        breaches = [*_breaches(self)]
        if breaches:
            raise DefinitionError(f"machine {kind!r}: " + "; ".join(breaches))
        self.states = tuple(dict.fromkeys(state for edge in self.edges() for state in (edge.source, edge.target)))
        self._rows = {(row.source, row.command): row for row in self.rules}
        self._outcomes = {
            (row.source, transition.event): transition for row in self.rules for transition in row.transitions
        }
        self.fingerprint = _fingerprint(self.edges())

    def edges(self) -> Iterator[Edge]:
        """Every arrow of the table, in table order."""
        for row in self.rules:
            for transition in row.transitions:
                for target in transition.targets:
                    yield Edge(row.source, row.command, transition.event, target)

    def rule_for(self, state: type[Any], command: type[Any]) -> Rule | None:
        """The row for a state class and a command class, if the table has one."""
        return self._rows.get((state, command))

    def explain(self, state: object, command: object, stamp: Stamp) -> tuple[Refusal, ...]:
        """Every reason why ``command`` may not happen now; empty when it may."""
        row = self._rows.get((type(state), type(command)))
        return (self._not_now(state, command),) if row is None else _refusals(row, state, command, stamp)

    def step(self, state: Any, command: Any, stamp: Stamp) -> tuple[Any, Any]:
        """Decide and evolve: the one event and the state it leads to.

        Raises:
            CommandRefused: no row for this state and command, or a guard refuses.
            InvariantBroken: a rule broke its promise; a bug.
        """
        row = self._rows.get((type(state), type(command)))
        if row is None:
            raise CommandRefused((self._not_now(state, command),))
        for guard in row.guards:
            if guard(state, command, stamp) is not None:
                raise CommandRefused(_refusals(row, state, command, stamp))
        event = row.decide(state, command, stamp)
        return event, self.evolve(state, event)

    def evolve(self, state: Any, event: Any) -> Any:
        """The state after ``event``: what a step ends with, and what a replay folds."""
        transition = self._outcomes.get((type(state), type(event)))
        if transition is None:
            raise InvariantBroken(self.kind, f"no row leads from {type(state).__name__} by {type(event).__name__}")
        target = transition.evolve(state, event)
        if type(target) not in transition.targets:
            raise InvariantBroken(self.kind, f"{type(event).__name__} led to undeclared {type(target).__name__}")
        self.check(target)
        return target

    def extended(self, *rules: Rule, final: tuple[type[Any], ...] = ()) -> Machine:
        """A new machine with more rows, checked in full again."""
        commands = dict.fromkeys((*self.commands, *(row.command for row in rules)))
        events = dict.fromkeys((*self.events, *(transition.event for row in rules for transition in row.transitions)))
        return self._with(rules=(*self.rules, *rules), final=(*self.final, *final), commands=commands, events=events)

    def guarded(self, command: type[C], guard: Guard[Any, C]) -> Machine:
        """A new machine that also asks ``guard`` wherever ``command`` is taken; it can only narrow.

        Raises:
            DefinitionError: no row takes ``command``.
        """
        if command not in self.commands:
            raise DefinitionError(f"machine {self.kind!r}: no row takes {command.__name__}, so nothing to guard")
        return self._with(
            rules=tuple(
                Rule(row.source, row.command, row.decide, row.transitions, (*row.guards, guard))
                if row.command is command
                else row
                for row in self.rules
            )
        )

    def _with(self, **changes: Any) -> Machine:
        return Machine(
            self.kind,
            commands=tuple(changes.get("commands", self.commands)),
            events=tuple(changes.get("events", self.events)),
            rules=changes["rules"],
            final=changes.get("final", self.final),
            check=self.check,
        )

    def _not_now(self, state: object, command: object) -> Refusal:
        facts = {"kind": self.kind, "state": type(state).__name__, "command": type(command).__name__}
        if type(state) is Absent:
            return refuse("not_found", "{command}: there is no such {kind}", **facts)
        return refuse("not_now", "{command} is not possible for {kind} in state {state}", **facts)


def _members(union: Any) -> tuple[type[Any], ...]:
    if isinstance(union, tuple):
        return union
    return get_args(union) or (union,)


def _refusals(row: Rule, state: object, command: object, stamp: Stamp) -> tuple[Refusal, ...]:
    answers = [guard(state, command, stamp) for guard in row.guards]
    return tuple(answer for answer in answers if answer is not None)


def _fingerprint(edges: Iterable[Edge]) -> str:
    text = "\n".join(sorted(" ".join(part.__name__ for part in edge) for edge in edges))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _breaches(machine: Machine) -> Iterator[str]:
    yield from _twice(machine.rules)
    yield from _astray(machine)
    yield from _unused(machine)


def _twice(rules: tuple[Rule, ...]) -> Iterator[str]:
    rows: set[tuple[type, type]] = set()
    evolves: dict[tuple[type, type], object] = {}
    for row in rules:
        name = f"({row.source.__name__}, {row.command.__name__})"
        if (row.source, row.command) in rows:
            yield f"{name} stands twice"
        rows.add((row.source, row.command))
        for transition in row.transitions:
            leads = (transition.targets, transition.evolve)
            if evolves.setdefault((row.source, transition.event), leads) != leads:
                yield f"({row.source.__name__}, {transition.event.__name__}) leads two ways"


def _astray(machine: Machine) -> Iterator[str]:
    forward = _arrows((edge.source, edge.target) for edge in machine.edges())
    backward = _arrows((edge.target, edge.source) for edge in machine.edges())
    states = forward.keys() | backward.keys()
    reached = _closure(forward, (Absent,))
    ending = _closure(backward, machine.final)
    yield from sorted(f"{state.__name__} cannot be reached" for state in states - reached)
    yield from sorted(f"{state.__name__} can reach no final state" for state in states - ending)
    for state in machine.final:
        leaks = forward.get(state, set()) - set(machine.final)
        yield from sorted(f"{state.__name__} is final, yet leads to {target.__name__}" for target in leaks)


def _arrows(pairs: Iterable[tuple[type, type]]) -> dict[type, set[type]]:
    arrows: dict[type, set[type]] = {}
    for source, target in pairs:
        arrows.setdefault(source, set()).add(target)
    return arrows


def _closure(arrows: Mapping[type, set[type]], start: Iterable[type]) -> set[type]:
    seen = set(start)
    waiting = list(seen)
    while waiting:
        fresh = arrows.get(waiting.pop(), set()) - seen
        seen |= fresh
        waiting += fresh
    return seen


def _unused(machine: Machine) -> Iterator[str]:
    commands = {row.command for row in machine.rules}
    events = {transition.event for row in machine.rules for transition in row.transitions}
    for name, declared, used in (("command", machine.commands, commands), ("event", machine.events, events)):
        yield from sorted(f"{name} {item.__name__} appears in no row" for item in set(declared) - used)
        yield from sorted(f"{name} {item.__name__} is not declared" for item in used - set(declared))
