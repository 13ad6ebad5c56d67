"""A bounded walk: visit every world that a small alphabet of commands can reach, and check every law in each.

A world is the rows of a shop and the effects pending in its outbox. The walk uses the real machines, table and
decisions, and goes breadth first, so that a broken law is reported with a shortest sequence of commands that leads to
it. When nothing is left to try, the walk is closed, which proves the laws for that alphabet: those of the library
(goods, money, attention), which are always asked, and your own::

    found = explore(workflow, {}, lambda world: COMMANDS, laws=(nothing_oversold,))
    assert found.closed
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any, TypeAlias

from attrs import define, field, frozen

from orderflow.domain.engine.decide import Decision, Envelope, Loaded, decide_command
from orderflow.domain.engine.machine import ABSENT, Edge, Machine
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Effect, EventContext, Send, Workflow
from orderflow.domain.workflow.laws import Breach, Said, Sums, said_by_event, said_by_row
from orderflow.errors import CommandRefused, ConcurrencyConflict, InputError, InvariantBroken, Key

__all__ = ["Carry", "Counterexample", "Exploration", "Law", "World", "explore"]


class World:
    """Rows by key, and the pending effects, oldest first. A key without a row is ``ABSENT``."""

    __slots__ = ("_rows", "pending")

    def __init__(self, rows: Mapping[Key, Any], pending: tuple[Effect, ...] = ()) -> None:
        self._rows, self.pending = rows, pending

    def __getitem__(self, key: Key) -> Any:
        return self._rows.get(key, ABSENT)

    def of(self, kind: str) -> Iterator[tuple[Key, Any]]:
        """Every existing row of a kind."""
        return ((key, state) for key, state in self._rows.items() if key.kind == kind)


#: Says what is wrong with a world, or None.
Law: TypeAlias = Callable[[World], str | None]
#: The commands that result from an effect once it is carried out.
Carry: TypeAlias = Callable[[World, Effect], Iterable[Send]]
#: The commands to try in a world.
Alphabet: TypeAlias = Callable[[World], Iterable[Send]]


class Counterexample(AssertionError):
    """A law is broken: ``law`` is its name, ``commands`` a shortest sequence that leads there."""

    def __init__(self, law: str, detail: str, commands: Sequence[Send | Effect]) -> None:
        self.law, self.detail, self.commands = law, detail, tuple(commands)
        steps = "".join(f"\n  {number}. {_said(step)}" for number, step in enumerate(commands, start=1))
        super().__init__(f"{law}: {detail}, after{steps or ' nothing at all'}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.law, self.detail, self.commands)


@frozen
class Exploration:
    """How far a walk went. ``edges`` are the arrows taken, for each kind's table."""

    states: int
    transitions: int
    refused: int
    seconds: float
    closed: bool
    edges: Mapping[str, frozenset[Edge]]

    def __str__(self) -> str:
        end = "closed" if self.closed else "not closed"
        return (
            f"{self.states} states, {self.transitions} transitions, {self.refused} refusals "
            f"in {self.seconds:.1f} s: {end}"
        )

    def missed(self, machine: Machine) -> list[Edge]:
        """The arrows of a table that the walk never took."""
        taken = self.edges.get(machine.kind, frozenset())
        return [edge for edge in machine.edges() if edge not in taken]


def explore(
    workflow: Workflow,
    start: Mapping[Key, Any],
    alphabet: Alphabet,
    laws: Sequence[Law] = (),
    *,
    stamp: Stamp,
    carry: Mapping[str, Carry] | None = None,
    limit: int = 100_000,
) -> Exploration:
    """Walk every world reachable from ``start``.

    Args:
        workflow: the rules.
        start: the initial rows.
        alphabet: the commands tried in a world, which may include those that reactions send. It must be bounded: if
            a world can always grow, the walk never closes.
        laws: checked in every world, in addition to the library's laws and each machine's own invariants.
        stamp: the time and actor of every step; they must not change, or worlds would never repeat.
        carry: for each topic of interest, the commands its effects result in; other topics are ignored.
        limit: the maximum number of worlds.

    Raises:
        Counterexample: a law or an invariant is broken, or a final state is left.
    """
    return _Walk(workflow, alphabet, tuple(laws), stamp, dict(carry or {})).run(start, limit)


Rows: TypeAlias = tuple[int, ...]
Node: TypeAlias = tuple[Rows, tuple[Effect, ...]]
Move: TypeAlias = tuple[tuple[tuple[int, int], ...], tuple[Effect, ...]]


@define
class _Branch:
    """A decision as a function of the rows it reads: their values tell what it reads next, or how it ends."""

    keys: tuple[int, ...]
    ends: dict[Rows, _Branch | Move | None] = field(factory=dict)

    def on(self, read: Rows, keys: tuple[int, ...]) -> _Branch:
        """The branch that reads ``keys`` after finding ``read``; created once."""
        after = self.ends.get(read)
        if not isinstance(after, _Branch):
            after = self.ends[read] = _Branch(keys)
        return after


class _Walk:
    """States are numbered, so that a world is a tuple of small integers and equal worlds are cheap to recognise."""

    def __init__(
        self, workflow: Workflow, alphabet: Alphabet, laws: tuple[Law, ...], stamp: Stamp, carry: Mapping[str, Carry]
    ) -> None:
        self.edges: dict[str, set[Edge]] = {}
        self.workflow = workflow.extended(
            machines=[_Watched(machine, self.edges) for machine in workflow.machines.values()]
        )
        self.alphabet, self.laws, self.stamp, self.carry = alphabet, laws, stamp, carry
        self.keys: dict[Key, int] = {}
        self.key_list: list[Key] = []
        self.numbers: dict[Any, int] = {ABSENT: 0}
        self.states: list[Any] = [ABSENT]
        self.said: dict[tuple[int, int], tuple[Said, ...]] = {}
        self.seen: dict[Node, tuple[Node, Send | Effect] | None] = {}
        self.known: dict[tuple[Key, Any], _Branch] = {}
        self.transitions = self.refused = 0

    def run(self, start: Mapping[Key, Any], limit: int) -> Exploration:
        """Walk breadth first, until nothing new is found or ``limit`` worlds are known."""
        began = perf_counter()
        waiting: deque[Node] = deque()
        changes = tuple((self._place(key), self._number(key, state)) for key, state in start.items())
        self._visit((_changed((), changes), ()), None, waiting)
        while waiting and len(self.seen) <= limit:
            self._expand(waiting.popleft(), waiting)
        edges = {kind: frozenset(taken) for kind, taken in self.edges.items()}
        seconds = perf_counter() - began
        return Exploration(len(self.seen), self.transitions, self.refused, seconds, not waiting, edges)

    def _expand(self, node: Node, waiting: deque[Node]) -> None:
        rows, pending = node
        world = self._world(node)
        for sent in self.alphabet(world):
            moved = self._try(node, sent)
            if moved is None:
                self.refused += 1
            else:
                changes, effects = moved
                self._arrive(node, sent, (_changed(rows, changes), (*pending, *effects)), waiting)
        lanes: set[Key] = set()
        for at, effect in enumerate(pending):
            if effect.lane not in lanes:
                self._arrive(node, effect, self._carried(node, world, at), waiting)
            lanes.add(effect.lane)

    def _carried(self, node: Node, world: World, at: int) -> Node:
        """An effect is done when its commands are accepted, and stays pending if one is refused, as in the relay."""
        rows, pending = node
        effect = pending[at]
        after: Node = (rows, (*pending[:at], *pending[at + 1 :]))
        for sent in self.carry[effect.topic](world, effect):
            moved = self._try(after, sent)
            if moved is None:
                return node
            after = (_changed(after[0], moved[0]), (*after[1], *moved[1]))
        return after

    def _arrive(self, before: Node, step: Send | Effect, after: Node, waiting: deque[Node]) -> None:
        self.transitions += 1
        if after not in self.seen:
            self._visit(after, (before, step), waiting)

    def _visit(self, node: Node, came: tuple[Node, Send | Effect] | None, waiting: deque[Node]) -> None:
        self.seen[node] = came
        self._keep(self._said_in(node[0]), node)
        world = self._world(node)
        for law in self.laws:
            broken = law(world)
            if broken is not None:
                raise Counterexample(law.__name__, broken, self._path(node))
        waiting.append(node)

    def _said_in(self, rows: Rows) -> Iterator[Said]:
        """What all rows say, each asked once for each of its states."""
        for place in enumerate(rows):
            if place not in self.said:
                at, number = place
                said = said_by_row(self.key_list[at], self.states[number]) if number else ()
                self.said[place] = tuple([each for each in said if isinstance(each, Breach) or each.number])
            yield from self.said[place]

    def _keep(self, said: Iterable[Said], node: Node, *sent: Send) -> None:
        """Add up what is said, and end the walk if that breaks a law."""
        sums = Sums()
        found: list[Breach] = [*sums.add(said), *sums.breaches()]
        if found:
            raise Counterexample(found[0].law, "; ".join(map(str, found)), [*self._path(node), *sent])

    def _try(self, node: Node, sent: Send) -> Move | None:
        """What a command changes, or None if it is refused; decided only once for the same rows."""
        rows = node[0]
        branch: _Branch | Move | None = self.known.get((sent.key, sent.command))
        if branch is None:
            return self._decided(node, sent)
        while isinstance(branch, _Branch):
            read = _read(rows, branch.keys)
            if read not in branch.ends:
                return self._decided(node, sent)
            branch = branch.ends[read]
        return branch

    def _decided(self, node: Node, sent: Send) -> Move | None:
        """Decide, and remember what was read on the way."""
        read: Rows = ()
        end: Move | None = None
        flow = decide_command(self.workflow, Envelope(sent.key, sent.command, self.stamp))
        load: Any = next(flow)
        first = _Branch(tuple(self._place(key) for key in load.keys))
        branch = self.known.setdefault((sent.key, sent.command), first)
        try:
            while True:
                read = _read(node[0], branch.keys)
                rows = {key: Loaded(0, self.states[number]) for key, number in zip(load.keys, read, strict=True)}
                load = flow.send(rows)
                branch = branch.on(read, tuple(self._place(key) for key in load.keys))
        except StopIteration as stop:
            self._keep(self._said_of(stop.value), node, sent)
            end = self._move(stop.value)
        except (CommandRefused, InputError):
            pass
        except InvariantBroken as broken:
            raise Counterexample(broken.invariant, str(broken), [*self._path(node), sent]) from broken
        except ConcurrencyConflict as late:
            raise Counterexample("lock order", f"{late.key} was not named", [*self._path(node), sent]) from late
        branch.ends[read] = end
        return end

    def _said_of(self, decision: Decision) -> Iterator[Said]:
        """What the events of a decision say, each row folded as it goes."""
        states = {key: row.state for key, row in decision.loaded.items()}
        for key, _, event, _ in decision.entries:
            before = states[key]
            after = states[key] = self.workflow.machines[key.kind].evolve(before, event)
            yield from said_by_event(EventContext(key, before, event, after, decision.stamp))

    def _move(self, decision: Decision) -> Move:
        changed = [key for key, row in decision.rows.items() if row.version > decision.loaded[key].version]
        changes = [(self._place(key), self._number(key, decision.rows[key].state)) for key in changed]
        effects = [Effect(m.topic, m.lane, m.data) for m in decision.messages if m.topic in self.carry]
        return tuple(changes), tuple(effects)

    def _place(self, key: Key) -> int:
        at = self.keys.setdefault(key, len(self.keys))
        if at == len(self.key_list):
            self.key_list.append(key)
        return at

    def _number(self, key: Key, state: Any) -> int:
        number = self.numbers.get(state)
        if number is None:
            self.workflow.machines[key.kind].check(state)
            number = self.numbers[state] = len(self.states)
            self.states.append(state)
        return number

    def _world(self, node: Node) -> World:
        rows = {self.key_list[at]: self.states[number] for at, number in enumerate(node[0]) if number}
        return World(rows, node[1])

    def _path(self, node: Node) -> list[Send | Effect]:
        path: list[Send | Effect] = []
        came = self.seen[node]
        while came is not None:
            node, step = came
            path.append(step)
            came = self.seen[node]
        return path[::-1]


class _Watched(Machine):
    """The same machine, which records the arrows it takes and fails if a final state is left."""

    def __init__(self, machine: Machine, edges: dict[str, set[Edge]]) -> None:
        self.__dict__.update(machine.__dict__)
        self._taken = edges.setdefault(machine.kind, set())

    def step(self, state: Any, command: Any, stamp: Stamp) -> tuple[Any, Any]:
        """Step as the machine does, with these checks."""
        event, after = super().step(state, command, stamp)
        if type(state) in self.final and type(after) not in self.final:
            raise InvariantBroken("final states", f"{type(state).__name__} was left by {type(command).__name__}")
        self._taken.add(Edge(type(state), type(command), type(event), type(after)))
        return event, after


def _read(rows: Rows, places: tuple[int, ...]) -> Rows:
    return tuple([rows[at] if at < len(rows) else 0 for at in places])


def _changed(rows: Rows, changes: Iterable[tuple[int, int]]) -> Rows:
    after = list(rows)
    for at, number in changes:
        after += [0] * (at + 1 - len(after))
        after[at] = number
    return tuple(after)


def _said(step: Send | Effect) -> str:
    if isinstance(step, Effect):
        return f"relay {step.topic} to {step.lane}"
    return f"{step.key}: {step.command}"
