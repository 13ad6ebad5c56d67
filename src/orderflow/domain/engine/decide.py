"""Deciding: one command with its reactions, accepted or refused as a whole, and groups of them in one batch."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from attrs import frozen

from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import EventContext, Workflow, lock_order, rank_of
from orderflow.errors import CommandRefused, InputError, InvariantBroken, Key

__all__ = [
    "DECISION_LIMIT",
    "Ask",
    "Decision",
    "Entry",
    "Envelope",
    "Flow",
    "Load",
    "Loaded",
    "Message",
    "ask",
    "decide_command",
    "decide_group",
]


class Loaded(NamedTuple):
    """A loaded row. Version 0 with ``ABSENT`` means nothing is stored."""

    version: int
    state: Any


class Entry(NamedTuple):
    """One event in the journal: the ``version``-th of its row, caused by one remembered command."""

    key: Key
    version: int
    event: Any
    command_id: str


class Message(NamedTuple):
    """An effect to be carried out after the commit: ids only, no personal data.

    ``id`` is stable (it derives from the event), unique, and the idempotency key of the effect. ``lane`` is the key
    whose messages go out in order.
    """

    id: str
    topic: str
    lane: Key
    data: tuple[tuple[str, str], ...] = ()


A = TypeVar("A")


R = TypeVar("R")


class Ask(Generic[A]):
    """An effect; ``A`` is the type of its answer."""

    __slots__ = ()


Flow: TypeAlias = Generator[Ask[Any], Any, R]


def ask(request: Ask[A]) -> Generator[Ask[Any], Any, A]:
    """Yield an ask and give back its answer, with the type the ask promises.

    Used as ``held = yield from ask(Load(keys))``.
    """
    answer: A = yield request
    return answer


@frozen
class Load(Ask[Mapping[Key, Loaded]]):
    """Rows, locked until the flow commits or ends, where the storage can lock."""

    keys: Collection[Key]


#: Commands one settlement may send, reactions included: a reaction loop ends here.
DECISION_LIMIT: Final = 50_000


#: Makes a named tuple without the detour over its own constructor, which is Python: this loop makes most there are.
_new: Final = tuple.__new__


class Envelope(NamedTuple):
    """A command on its way: the row, the command, and the stamp it is decided with.

    Unless it is ``fixed``, its time is taken once the rows are locked, so that no row's times go back.
    """

    key: Key
    command: Any
    stamp: Stamp
    fixed: bool = False


class Decision(NamedTuple):
    """What one command has changed, in the settlement's own copy: rows touched, events, effects."""

    rows: Mapping[Key, Loaded]
    entries: tuple[Entry, ...]
    messages: tuple[Message, ...]


Wants = Generator[Sequence[Key], None, Decision]


def decide_command(workflow: Workflow, order: Envelope, known: Mapping[Key, Loaded], read: dict[Key, Loaded]) -> Wants:
    """Step ``order`` and every command its events send to other rows, lowest rank first.

    Args:
        workflow: the rules.
        order: the command to begin with.
        known: where rows are taken from. Keys it lacks are yielded, of one rank at a time, so that locks are taken in
            climbing order: the caller puts them into this very mapping and goes on.
        read: is filled with every row that was taken, as it was found.

    Raises:
        CommandRefused: a guard of any of the rows refuses; nothing of the decision counts.
        InputError: a sum exceeds its limit; nothing of the decision counts.
    """
    rows: dict[Key, Loaded] = {}
    entries: list[Entry] = []
    messages: list[Message] = []
    stamp, machines, heard = order.stamp, workflow.machines, workflow.heard
    command_id = stamp.command_id
    waiting: list[tuple[int, int, Key, Any]] = [(rank_of(order.key.kind), 0, order.key, order.command)]
    sent = 1
    while waiting:
        rank, _, key, command = heappop(waiting)
        held = rows.get(key)
        if held is None:
            held = known.get(key)
            if held is None:
                beside = [item[2] for item in waiting if item[0] == rank and item[2] not in known]
                yield [*dict.fromkeys((key, *beside))]
                held = known[key]
            read[key] = held
        version, before = held
        version += 1
        event, after = machines[key.kind].step(before, command, stamp)
        rows[key] = _new(Loaded, (version, after))
        entries.append(_new(Entry, (key, version, event, command_id)))
        listeners = heard.get(type(event))
        if listeners is None:
            continue
        tell, ask_for = listeners
        happened = _new(EventContext, (key, before, event, after, stamp))
        for to, sends in tell(happened):
            heappush(waiting, (rank_of(to.kind), sent, to, sends))
            sent += 1
        for topic, lane, data in ask_for(happened):
            messages.append(Message(f"{key.kind}/{key.id}/{version}/{topic}/{len(messages)}", topic, lane, data))
        if sent > DECISION_LIMIT:
            raise InvariantBroken("settle", f"more than {DECISION_LIMIT} commands in one settlement")
    return Decision(rows, tuple(entries), tuple(messages))


class _Run:
    """A settlement under way: what it waits for, what it has read, how it ended."""

    def __init__(self, workflow: Workflow, order: Envelope, known: Mapping[Key, Loaded]) -> None:
        self.workflow, self.order, self.known = workflow, order, known
        self._begin()

    def _begin(self) -> None:
        self.end: Decision | CommandRefused | InputError | None = None
        self.read: dict[Key, Loaded] = {}
        self.needs: Sequence[Key] = ()
        self._wants = decide_command(self.workflow, self.order, self.known, self.read)

    def advance(self) -> None:
        """Go on as far as the known rows allow, anew where a row that was read has changed meanwhile.

        Rows as they were and rows as they are must not meet in one settlement.
        """
        for key in self.needs:
            if key not in self.known:
                return
        if self.stale():
            self._begin()
        try:
            self.needs = next(self._wants)
        except StopIteration as stop:
            self.end = stop.value
        except (CommandRefused, InputError) as refused:
            # Its traceback would hold this run, and this run holds it.
            self.end = refused.with_traceback(None)

    def stale(self) -> bool:
        """Whether an earlier settlement has changed what this one has read."""
        return any(self.known[key] is not held for key, held in self.read.items())


def decide_group(
    workflow: Workflow, orders: Sequence[Envelope]
) -> Flow[tuple[list[Decision | CommandRefused | InputError | None], dict[Key, Loaded]]]:
    """Settle commands one after another, state threaded from one to the next; a refused one leaves no trace.

    Returns each command's own end (None where its id was accepted earlier in the group), and every row as it was first
    loaded. Rows are asked for a rank at a time for the whole group: settlements run ahead on what is loaded, are merged
    strictly in order, and one that has read what an earlier one changed begins anew.
    """
    first: dict[Key, Loaded] = {}
    current: dict[Key, Loaded] = {}
    runs = [_Run(workflow, order, current) for order in orders]
    ends: list[Decision | CommandRefused | InputError | None] = []
    accepted: set[str] = set()
    while len(ends) < len(runs):
        missing: dict[Key, None] = {}
        for index in range(len(ends), len(runs)):
            run = runs[index]
            if index == len(ends) and run.order.stamp.command_id in accepted:
                ends.append(None)
                continue
            if run.end is None or (index == len(ends) and run.stale()):
                run.advance()
            if run.end is None:
                missing.update(dict.fromkeys([key for key in run.needs if key not in current]))
            elif index == len(ends):
                _merge(run, current, accepted)
                ends.append(run.end)
        if missing:
            loaded = yield from ask(Load(_lowest(missing)))
            first.update(loaded)
            current.update(loaded)
    return ends, first


def _merge(run: _Run, current: dict[Key, Loaded], accepted: set[str]) -> None:
    if isinstance(run.end, Decision):
        current.update(run.end.rows)
        accepted.add(run.order.stamp.command_id)


def _lowest(keys: Collection[Key]) -> list[Key]:
    """The keys of the lowest rank, in the order of locks."""
    lowest = min([rank_of(key.kind) for key in keys])
    return sorted([key for key in keys if rank_of(key.kind) == lowest], key=lock_order)
