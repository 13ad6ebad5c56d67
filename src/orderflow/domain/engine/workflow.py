"""The workflow: machines joined by reactions and effects. It is a value; a host makes its own of the standard one."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from attrs import frozen

from orderflow.domain.engine.machine import Guard, Machine
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import DefinitionError, Key

__all__ = ["RANKS", "Effect", "EventContext", "FollowUp", "Reaction", "Send", "Workflow", "lock_order", "rank_of"]


class EventContext(NamedTuple):
    """An event where it happened: the row, its state before and after, and the stamp."""

    key: Key
    before: Any
    event: Any
    after: Any
    stamp: Stamp


class Send(NamedTuple):
    """A command a reaction sends to a row."""

    key: Key
    command: Any


class Effect(NamedTuple):
    """Something to do after the commit: ids only. Effects of one ``lane`` are carried out in order."""

    topic: str
    lane: Key
    data: tuple[tuple[str, str], ...] = ()


#: What asks a reaction or a follow-up about an event.
Listener: TypeAlias = Callable[[EventContext], Iterable[Any]]


@frozen(eq=False)
class Reaction:
    """What an event of one life tells other lives, in the same settlement.

    Args:
        event: the event class.
        tells: kinds and command classes that ``react`` may produce.
        react: pure; gives the commands.
        known: the told row is one the settlement holds already, or one it creates, so that locks keep climbing.
    """

    event: type[Any]
    tells: tuple[tuple[str, type[Any]], ...]
    react: Callable[[EventContext], Iterable[Send]]
    known: bool = False


@frozen(eq=False)
class FollowUp:
    """What an event asks of the world after the commit; ``effects`` gives none where nothing is to be done."""

    event: type[Any]
    topics: tuple[str, ...]
    effects: Callable[[EventContext], Iterable[Effect]]


class Workflow:
    """Machines, reactions and follow-ups, checked together.

    Args:
        machines: one for each kind.
        reactions: event of one machine to commands of others.
        follow_ups: event to effects after the commit.
        open_commands: commands of reactions that may come from outside as well.
        closed_commands: commands that no reaction sends, and yet only the library itself: answers to follow-ups.

    Raises:
        DefinitionError: a reaction names what no machine has, or would climb down the order of locks.
    """

    def __init__(
        self,
        machines: Iterable[Machine],
        reactions: Iterable[Reaction] = (),
        follow_ups: Iterable[FollowUp] = (),
        open_commands: Iterable[type[Any]] = (),
        closed_commands: Iterable[type[Any]] = (),
    ) -> None:
        listed = tuple(machines)
        self.machines: Mapping[str, Machine] = MappingProxyType({machine.kind: machine for machine in listed})
        self.reactions = tuple(reactions)
        self.follow_ups = tuple(follow_ups)
        breaches = [*self._breaches(listed)]
        if breaches:
            raise DefinitionError("workflow: " + "; ".join(breaches))
        self.open_commands = frozenset(open_commands)
        self.closed_commands = frozenset(closed_commands)
        told = {command for reaction in self.reactions for _, command in reaction.tells}
        #: Commands only the library may send: sent from outside they would break a rule across rows.
        self.internal = frozenset(told - self.open_commands | self.closed_commands)
        self.kind_of = {command: machine.kind for machine in listed for command in machine.commands}
        self.fingerprint = self._fingerprint()
        tells = _by_event((item.event, item.react) for item in self.reactions)
        asks = _by_event((item.event, item.effects) for item in self.follow_ups)
        #: For each event somebody listens to: what it tells other rows, and what it asks of the world.
        self.heard: Mapping[type[Any], tuple[Listener, Listener]] = MappingProxyType(
            {event: (tells.get(event, _nothing), asks.get(event, _nothing)) for event in tells | asks}
        )

    def sends_of(self, happened: EventContext) -> Iterable[Send]:
        """The commands an event sends to other rows."""
        tell, _ = self.heard.get(type(happened.event), _UNHEARD)
        return tell(happened)

    def effects_of(self, happened: EventContext) -> Iterable[Effect]:
        """What an event asks of the world."""
        _, ask = self.heard.get(type(happened.event), _UNHEARD)
        return ask(happened)

    def extended(
        self,
        *,
        machines: Iterable[Machine] = (),
        reactions: Iterable[Reaction] = (),
        follow_ups: Iterable[FollowUp] = (),
        open_commands: Iterable[type[Any]] = (),
    ) -> Workflow:
        """A new workflow with more in it; a machine of a kind that is there already takes its place.

        What a reaction tells is closed from outside; name it in ``open_commands`` where it shall stay open.
        """
        merged = {**self.machines, **{machine.kind: machine for machine in machines}}
        return Workflow(
            merged.values(),
            (*self.reactions, *reactions),
            (*self.follow_ups, *follow_ups),
            (*self.open_commands, *open_commands),
            self.closed_commands,
        )

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
        """A smaller workflow: these machines, and the reactions and follow-ups that stay among them."""
        machines = tuple(self.machines[kind] for kind in kinds)
        events = {event for machine in machines for event in machine.events}
        reactions = (
            reaction
            for reaction in self.reactions
            if reaction.event in events and all(kind in kinds for kind, _ in reaction.tells)
        )
        return self._like(machines, reactions, (item for item in self.follow_ups if item.event in events))

    def _like(
        self, machines: Iterable[Machine], reactions: Iterable[Reaction], follow_ups: Iterable[FollowUp]
    ) -> Workflow:
        return Workflow(machines, reactions, follow_ups, self.open_commands, self.closed_commands)

    def _breaches(self, machines: tuple[Machine, ...]) -> Iterator[str]:
        if len(self.machines) != len(machines):
            yield "two machines of one kind"
        for what in ("commands", "events"):
            owners = Counter(message for machine in machines for message in getattr(machine, what))
            yield from (f"{message.__name__} belongs to {n} machines" for message, n in owners.items() if n > 1)
        source = {event: machine.kind for machine in machines for event in machine.events}
        for reaction in self.reactions:
            name = reaction.event.__name__
            if reaction.event not in source:
                yield f"no machine has the event {name}"
                continue
            for kind, command in reaction.tells:
                yield from self._breach(name, source[reaction.event], kind, command, known=reaction.known)
        yield from (f"no machine has the event {f.event.__name__}" for f in self.follow_ups if f.event not in source)

    def _breach(self, event: str, source: str, kind: str, command: type[Any], *, known: bool) -> Iterator[str]:
        if kind not in self.machines:
            yield f"{event} tells {kind}, which has no machine"
        elif command not in self.machines[kind].commands:
            yield f"{event} tells {kind} {command.__name__}, which it does not take"
        elif not known and rank_of(kind) <= rank_of(source):
            yield f"{event} of {source} tells {kind}, down the order of locks: make it a follow-up"

    def _fingerprint(self) -> str:
        parts = [machine.fingerprint for machine in self.machines.values()]
        parts += [f"{reaction.event.__name__} {reaction.tells}" for reaction in self.reactions]
        return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:12]


def _by_event(listeners: Iterable[tuple[type[Any], Listener]]) -> dict[type[Any], Listener]:
    """One function for each event, that asks all who listen to it."""
    found: dict[type[Any], tuple[Listener, ...]] = {}
    for event, listener in listeners:
        found[event] = (*found.get(event, ()), listener)
    return {event: several[0] if len(several) == 1 else _all(several) for event, several in found.items()}


def _all(listeners: tuple[Listener, ...]) -> Listener:
    return lambda happened: [said for listener in listeners for said in listener(happened)]


def _nothing(happened: EventContext) -> Iterable[Any]:
    return ()


_UNHEARD: Final = (_nothing, _nothing)


#: Rows are loaded and locked in this order, then by id; climbing only is what rules out deadlock.
RANKS: Final[dict[str, int]] = {
    kind: rank
    for rank, kind in enumerate(
        (
            "customer",
            "party",
            "return",
            "credit_note",
            "shipment",
            "order",
            "intake",
            "payment",
            "invoice",
            "account",
            "series",
            "stock_document",
            "stock",
        )
    )
}


_LAST: Final = len(RANKS)


def rank_of(kind: str) -> int:
    """Where a kind stands in the order of locks. Kinds of a host's own come last."""
    return RANKS.get(kind, _LAST)


def lock_order(key: Key) -> tuple[int, str, str]:
    """Sort key for loading: rank of the kind, then kind and id."""
    return (rank_of(key.kind), key.kind, key.id)
