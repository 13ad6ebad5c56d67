"""The workflow: machines joined by one table, which says what events tell other rows and ask of the world.

It is a value; a host derives its own from the standard one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, TypeVar

from orderflow.domain.engine.machine import Guard, Machine
from orderflow.domain.engine.record import Fields
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import DefinitionError, Key, Refusal

__all__ = [
    "Effect",
    "EventContext",
    "Naming",
    "On",
    "Require",
    "Send",
    "Workflow",
    "asks",
    "completes",
    "names",
    "on",
    "requires",
    "tells",
]


R = TypeVar("R")


class EventContext(NamedTuple):
    """An event where it happened: the row, its state before and after, and the stamp."""

    key: Key
    before: Any
    event: Any
    after: Any
    stamp: Stamp


class Send(NamedTuple):
    """A command that an event sends to a row."""

    key: Key
    command: Any


class Require(NamedTuple):
    """A guard that an event asks of another row, which it does not change.

    The row is locked in the same decision, and may not change in it once it has been asked.
    """

    key: Key
    guard: Callable[[Any, Stamp], Refusal | None]


class Effect(NamedTuple):
    """Something to do after the commit: ids only. Effects of one ``lane`` are carried out in order."""

    topic: str
    lane: Key
    data: tuple[tuple[str, str], ...] = ()


class Tells(Fields):
    """What an event tells other rows, in the same decision. Made by :func:`tells`."""

    react: Callable[[EventContext], Iterable[Send]]
    commands: tuple[type[Any], ...]
    known: bool = False


class Requires(Fields):
    """What an event requires of other rows, in the same decision. Made by :func:`requires`."""

    react: Callable[[EventContext], Iterable[Require]]
    kinds: tuple[str, ...]
    known: bool = False


class Asks(Fields):
    """What an event asks of the world, after the commit. Made by :func:`asks`."""

    effects: Callable[[EventContext], Iterable[Effect]]
    topics: tuple[str, ...]


Part: TypeAlias = Tells | Requires | Asks


class On(Fields):
    """One line of the workflow's table. Made by :func:`on`."""

    event: type[Any]
    parts: tuple[Part, ...]


#: Looks, without locks, for the rows that a command needs: it yields ``Read`` and returns their keys.
Naming: TypeAlias = Callable[[Key, Any], Generator[Any, Any, Collection[Key]]]


#: Looks, without locks, for what a command leaves open: it yields ``Read`` and returns the command with it.
Completing: TypeAlias = Callable[[Key, Any], Generator[Any, Any, Any]]


class Names(Fields):
    """A line of the workflow's table for a command. Made by :func:`names`."""

    command: type[Any]
    naming: Naming


def names(command: type[Any], naming: Naming) -> Names:
    """Rows of earlier kinds that ``command`` will change are named before anything is locked, and loaded with its own.

    What has become of them is decided under lock: a row that is needed and was not named makes it a conflict.
    """
    return Names(command, naming)


class Completes(Fields):
    """A line of the workflow's table for a command. Made by :func:`completes`."""

    command: type[Any]
    completing: Completing


def completes(command: type[Any], completing: Completing) -> Completes:
    """What ``command`` leaves open is looked for before it is decided; it is remembered as it was given.

    What has become of the rows by then is for the rows it tells to say, which must take it whatever that is.
    """
    return Completes(command, completing)


#: A line of the workflow's table.
Line: TypeAlias = On | Names | Completes


def on(event: type[Any], *parts: Part) -> On:
    """A line of the table: what ``event`` tells and requires of other rows, and asks of the world."""
    return On(event, parts)


def tells(react: Callable[[EventContext], Iterable[Send]], *commands: type[Any], known: bool = False) -> Tells:
    """The event sends the commands that ``react`` returns, each of one of these classes.

    ``known``: the rows told are in the decision already, or are created by it, so lock order is kept.
    """
    return Tells(react, commands, known)


def requires(react: Callable[[EventContext], Iterable[Require]], *kinds: str, known: bool = False) -> Requires:
    """The event stands only if rows of these kinds, which ``react`` names, satisfy their guards.

    ``known``: the rows are in the decision already, since its command names them, so lock order is kept.
    """
    return Requires(react, kinds, known)


def asks(effects: Callable[[EventContext], Iterable[Effect]], *topics: str) -> Asks:
    """The event asks for the effects that the function returns, each of one of these topics; it may return none."""
    return Asks(effects, topics)


class Heard(NamedTuple):
    """What comes of an event: what it tells and requires of other rows, and what it asks of the world."""

    reactions: Callable[[EventContext], Iterable[Send | Require]]
    effects: Callable[[EventContext], Iterable[Effect]]


class Workflow:
    """Machines and the table that joins them, checked together.

    Args:
        machines: one for each kind, in the order in which rows are locked: a row tells rows of later kinds only.
        table: lines made by :func:`on`, :func:`names` and :func:`completes`.

    Raises:
        DefinitionError: a line names what no machine has, or would go against lock order.
    """

    def __init__(self, machines: Iterable[Machine], table: Iterable[Line] = ()) -> None:
        listed, lines = tuple(machines), tuple(table)
        self.machines: Mapping[str, Machine] = MappingProxyType({machine.kind: machine for machine in listed})
        self.table = tuple([line for line in lines if isinstance(line, On)])
        self.looks = tuple([line for line in lines if not isinstance(line, On)])
        self.naming = {line.command: line.naming for line in self.looks if isinstance(line, Names)}
        self.completing = {line.command: line.completing for line in self.looks if isinstance(line, Completes)}
        self.kind_of = {command: machine.kind for machine in listed for command in machine.commands}
        self.ranks: Mapping[str, int] = MappingProxyType({machine.kind: rank for rank, machine in enumerate(listed)})
        breaches = [*self._breaches(listed)]
        if breaches:
            raise DefinitionError("workflow: " + "; ".join(breaches))
        self.fingerprint = self._fingerprint()
        self.heard: Mapping[type[Any], Heard] = MappingProxyType(_by_event(self.table))

    def lock_order(self, key: Key) -> tuple[int, str]:
        """Sort key for loading and writing: the rank of the kind, then the id. This order rules out deadlock."""
        return (self.ranks[key.kind], key.id)

    def reactions(self, context: EventContext) -> Iterable[Send | Require]:
        """What an event tells and requires of other rows."""
        heard = self.heard.get(type(context.event))
        return heard.reactions(context) if heard else ()

    def effects(self, context: EventContext) -> Iterable[Effect]:
        """What an event asks of the world."""
        heard = self.heard.get(type(context.event))
        return heard.effects(context) if heard else ()

    def extended(self, *, machines: Iterable[Machine] = (), table: Iterable[Line] = ()) -> Workflow:
        """A new workflow with more in it; a machine of a known kind takes that kind's place in the order."""
        merged = {**self.machines, **{machine.kind: machine for machine in machines}}
        return Workflow(merged.values(), (*self.table, *self.looks, *table))

    def guarded(self, command: type[Any], guard: Guard[Any, Any]) -> Workflow:
        """A new workflow that also asks ``guard`` of every ``command``.

        Raises:
            DefinitionError: no machine takes ``command``.
        """
        kind = self.kind_of.get(command)
        if kind is None:
            raise DefinitionError(f"workflow: no machine takes {command.__name__}, so there is nothing to guard")
        return self.extended(machines=(self.machines[kind].guarded(command, guard),))

    def only(self, *kinds: str) -> Workflow:
        """A smaller workflow: these machines, and the part of the table that concerns only them."""
        machines = [machine for machine in self.machines.values() if machine.kind in kinds]
        events = {event for machine in machines for event in machine.events}
        lines = [on(line.event, *(part for part in line.parts if self._within(part, kinds))) for line in self.table]
        looks = [line for line in self.looks if self.kind_of[line.command] in kinds]
        return Workflow(machines, [*(line for line in lines if line.event in events and line.parts), *looks])

    def _within(self, part: Part, kinds: tuple[str, ...]) -> bool:
        if isinstance(part, Tells):
            return all(self.kind_of[command] in kinds for command in part.commands)
        return isinstance(part, Asks) or all(kind in kinds for kind in part.kinds)

    def _breaches(self, machines: tuple[Machine, ...]) -> Iterator[str]:
        if len(self.machines) != len(machines):
            yield "two machines of one kind"
        for what in ("commands", "events"):
            owners = Counter(message for machine in machines for message in getattr(machine, what))
            yield from (f"{message.__name__} belongs to {n} machines" for message, n in owners.items() if n > 1)
        unknown = [line.command.__name__ for line in self.looks if line.command not in self.kind_of]
        yield from (f"rows are named for {name}, which no machine takes" for name in unknown)
        source = {event: machine.kind for machine in machines for event in machine.events}
        for line in self.table:
            name = line.event.__name__
            if line.event not in source:
                yield f"no machine has the event {name}"
                continue
            for part in line.parts:
                yield from self._part_breaches(name, source[line.event], part)

    def _part_breaches(self, event: str, source: str, part: Part) -> Iterator[str]:
        reached: list[str] = []
        if isinstance(part, Tells):
            yield from (
                f"{event} tells {c.__name__}, which no machine takes" for c in part.commands if c not in self.kind_of
            )
            reached = [] if part.known else [self.kind_of[c] for c in part.commands if c in self.kind_of]
        elif isinstance(part, Requires):
            yield from (
                f"{event} requires {kind}, which has no machine" for kind in part.kinds if kind not in self.machines
            )
            reached = [] if part.known else [kind for kind in part.kinds if kind in self.machines]
        for kind in dict.fromkeys(reached):
            if self.ranks[kind] <= self.ranks[source]:
                yield f"{event} of {source} reaches {kind}, against lock order: make it an effect"

    def _fingerprint(self) -> str:
        parts = [machine.fingerprint for machine in self.machines.values()]
        for line in self.table:
            for part in line.parts:
                what = part.kinds if isinstance(part, Requires) else _names(part)
                parts.append(f"{line.event.__name__} {type(part).__name__} {' '.join(what)}")
        return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:12]


def _names(part: Tells | Asks) -> tuple[str, ...]:
    return part.topics if isinstance(part, Asks) else tuple(command.__name__ for command in part.commands)


def _by_event(table: Iterable[On]) -> dict[type[Any], Heard]:
    parts: dict[type[Any], list[Part]] = {}
    for line in table:
        parts.setdefault(line.event, []).extend(line.parts)
    return {
        event: Heard(
            _joined([part.react for part in listed if not isinstance(part, Asks)]),
            _joined([part.effects for part in listed if isinstance(part, Asks)]),
        )
        for event, listed in parts.items()
    }


def _nothing(context: EventContext) -> tuple[()]:
    return ()


def _joined(functions: Sequence[Callable[[EventContext], Iterable[R]]]) -> Callable[[EventContext], Iterable[R]]:
    """One function that returns what all of them return."""
    if not functions:
        return _nothing
    if len(functions) == 1:
        return functions[0]
    return lambda context: [item for function in functions for item in function(context)]
