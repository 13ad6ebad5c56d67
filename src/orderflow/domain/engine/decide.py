"""Deciding: one command with its reactions, accepted or refused as a whole, and groups of commands in one batch.

Nothing here does any I/O: a decision is a generator that yields :class:`Load` and is sent the rows. It works on copies
of its own; whoever drives it keeps the rows as they stand between decisions.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from datetime import datetime
from heapq import heappop, heappush
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from attrs import define, field

from orderflow.domain.engine.machine import ABSENT, refuse
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.stamp import Stamp, with_at
from orderflow.domain.engine.workflow import EventContext, Require, Send, Workflow
from orderflow.errors import CommandRefused, ConcurrencyConflict, InputError, InvariantBroken, Key, Refusal

__all__ = [
    "DECISION_LIMIT",
    "NOTHING",
    "Ask",
    "Decision",
    "End",
    "Entry",
    "Envelope",
    "Flow",
    "Load",
    "Loaded",
    "Message",
    "Read",
    "Rows",
    "ask",
    "decide_command",
    "decide_group",
]

A = TypeVar("A")
R = TypeVar("R")

#: The most commands one decision may send, reactions included; it stops a reaction loop.
DECISION_LIMIT: Final = 50_000


class Ask(Record, Generic[A]):
    """Something a flow wants of the world; ``A`` is the type of its answer."""


Flow: TypeAlias = Generator[Ask[Any], Any, R]


def ask(request: Ask[A]) -> Generator[Ask[Any], Any, A]:
    """Yield an ask and return its answer, with the type the ask promises.

    Used as ``rows = yield from ask(Load(keys))``.
    """
    answer: A = yield request
    return answer


class Loaded(NamedTuple):
    """A row as it was loaded: version 0 with ``ABSENT`` means nothing is stored.

    ``at`` is when its latest event was recorded.
    """

    version: int
    state: Any
    at: datetime | None = None


NOTHING: Final = Loaded(0, ABSENT)


class Load(Ask[Mapping[Key, Loaded]]):
    """Rows, locked until the flow commits or ends, where the storage can lock."""

    keys: Collection[Key]


class Read(Ask[Mapping[Key, Loaded]]):
    """Rows as they stand, not locked: they say which rows a command needs, and may have changed when it is decided."""

    keys: Collection[Key]


class Envelope(NamedTuple):
    """A command on its way: the row, the command, and the stamp it is decided with.

    ``fixed``: the caller gave the time, and the command is refused if that is earlier than a row's. Any other time is
    moved forward to the latest of its rows.
    """

    key: Key
    command: Any
    stamp: Stamp
    fixed: bool = False


class Entry(NamedTuple):
    """One event in the journal: the ``version``-th of its row, caused by one recorded command."""

    key: Key
    version: int
    event: Any
    command_id: str


class Message(NamedTuple):
    """An effect to be carried out after the commit: ids only, no personal data.

    ``id`` is unique and stable (it derives from the event), and is the effect's idempotency key. ``lane`` is the key
    whose messages are sent in order.
    """

    id: str
    topic: str
    lane: Key
    data: tuple[tuple[str, str], ...] = ()


@define(eq=False, repr=False)
class Decision:
    """What one command changes, in the decision's own copy.

    ``loaded`` holds every row as it was loaded, ``rows`` as it is now; a row that is the same in both was only read.
    """

    stamp: Stamp
    loaded: dict[Key, Loaded] = field(factory=dict)
    rows: dict[Key, Loaded] = field(factory=dict)
    entries: list[Entry] = field(factory=list)
    messages: list[Message] = field(factory=list)

    def load(self, found: Mapping[Key, Loaded]) -> None:
        """Add rows as they were loaded."""
        self.loaded.update(found)
        self.rows.update(found)

    def step(self, workflow: Workflow, key: Key, command: Any) -> Iterable[Send | Require]:
        """Carry out one command on one row, noting its messages; returns what its event sends and requires."""
        stamp = self.stamp
        version, before, _ = self.rows[key]
        event, after = workflow.machines[key.kind].step(before, command, stamp)
        version += 1
        self.rows[key] = Loaded(version, after, stamp.at)
        self.entries.append(Entry(key, version, event, stamp.command_id))
        heard = workflow.heard.get(type(event))
        if heard is None:
            return ()
        context = EventContext(key, before, event, after, stamp)
        for topic, lane, data in heard.effects(context):
            number = f"{key.tenant}/{key.kind}/{key.id}/{version}/{topic}/{len(self.messages)}"
            self.messages.append(Message(number, topic, lane, data))
        return heard.reactions(context)

    def ask(self, required: Require) -> None:
        """Check that a row is as an event requires.

        Raises:
            CommandRefused: it is not.
        """
        refusal = required.guard(self.rows[required.key].state, self.stamp)
        if refusal is not None:
            raise CommandRefused((refusal,))


#: An item on the agenda: its rank, whether it is only a requirement, its place in sending order, and the item.
Due: TypeAlias = tuple[int, bool, int, Send | Require]


def _naming(key: Key, refusal: Refusal) -> Refusal:
    """That a row is not there says which: its machine knows the kind alone."""
    if refusal.code != "not_found":
        return refusal
    return refuse("not_found", "there is no {kind} {id!r}", **dict(refusal.facts) | {"id": key.id})


def decide_command(workflow: Workflow, envelope: Envelope, refusals: list[Refusal] | None = None) -> Flow[Decision]:
    """Carry out a command, and every command its events send to other rows, in lock order.

    The lowest rank goes first, and within a rank requirements follow commands. Rows are loaded one rank at a time, so
    locks are taken in ascending order; rows that the workflow names for the command are loaded with its own. With
    ``refusals``, refusals are collected there and deciding continues with the other rows, to explain everything that
    stands in the way; such a decision must be thrown away.

    Raises:
        CommandRefused: a guard on any of the rows refuses; the whole decision is void.
        InputError: a sum exceeds its limit; the whole decision is void.
        ConcurrencyConflict: it needs a row that was not named when its command was looked at; decide it again.
    """
    decision, required, ranks = Decision(envelope.stamp), set[Key](), workflow.ranks
    rows, count, top = decision.rows, 1, -1
    envelope = yield from _complete(workflow, envelope)
    looked_at = yield from _load_named(workflow, envelope, decision)
    agenda: list[Due] = [(ranks[envelope.key.kind], False, 0, Send(envelope.key, envelope.command))]
    while agenda:
        rank, _, _, item = heappop(agenda)
        key = item.key
        if key not in rows:
            if rank < top:
                raise _descent(key, looked_at=looked_at)
            decision.load((yield Load(_beside(key, rank, agenda, rows) if agenda else [key])))
        top = max(top, rank)
        try:
            if isinstance(item, Require):
                required.add(key)
                decision.ask(item)
            elif required and key in required:
                raise InvariantBroken("decision", f"{key} changed after an event had required its state")
            else:
                for sent in decision.step(workflow, key, item.command):
                    heappush(agenda, (ranks[sent.key.kind], type(sent) is Require, count, sent))
                    count += 1
        except CommandRefused as refused:
            told = [_naming(key, refusal) for refusal in refused.refusals]
            if refusals is None:
                raise CommandRefused(told) from None
            refusals += told
        if count > DECISION_LIMIT:
            raise InvariantBroken("decision", f"more than {DECISION_LIMIT} commands in one decision")
    return decision


def _complete(workflow: Workflow, envelope: Envelope) -> Flow[Envelope]:
    """The command with what it leaves open, where the workflow looks for that."""
    completing = workflow.completing.get(type(envelope.command))
    if completing is None:
        return envelope
    command = yield from completing(envelope.key, envelope.command)
    return envelope._replace(command=command)


def _load_named(workflow: Workflow, envelope: Envelope, decision: Decision) -> Flow[bool]:
    """Load the rows that the workflow names for a command, with its own; whether there was anything to look for."""
    naming = workflow.naming.get(type(envelope.command))
    if naming is None:
        return False
    named = yield from naming(envelope.key, envelope.command)
    mine = [key for key in named if key.kind in workflow.machines]
    decision.load((yield Load([*dict.fromkeys((envelope.key, *mine))])))
    return True


def _descent(key: Key, *, looked_at: bool) -> Exception:
    """A first load that would go back in lock order: somebody changed the rows since they were looked at, or a bug."""
    return ConcurrencyConflict(key) if looked_at else InvariantBroken("lock order", f"{key} is loaded too late")


def _beside(key: Key, rank: int, agenda: Iterable[Due], rows: Collection[Key]) -> list[Key]:
    """The key, and the other keys of its rank that are needed later."""
    others = [other.key for at, _, _, other in agenda if at == rank and other.key not in rows]
    return [*dict.fromkeys((key, *others))]


End: TypeAlias = Decision | CommandRefused | InputError


@define(eq=False, repr=False)
class Rows:
    """The rows of a batch in the making: as each was first loaded, and as it stands after the decisions so far."""

    loaded: dict[Key, Loaded] = field(factory=dict)
    now: dict[Key, Loaded] = field(factory=dict)
    accepted: set[str] = field(factory=set)

    def give(self, rows: Mapping[Key, Loaded]) -> None:
        """Add rows as they were loaded."""
        self.loaded.update(rows)
        self.now.update(rows)

    def merge(self, end: End) -> None:
        """Pass on what a decision changed, so that the next one sees it."""
        if isinstance(end, Decision):
            self.now.update(end.rows)
            self.accepted.add(end.stamp.command_id)


class _Attempt:
    """One command of a group. It runs ahead on the rows at hand and starts over when one of them changes."""

    def __init__(self, workflow: Workflow, envelope: Envelope) -> None:
        self._workflow, self.envelope = workflow, envelope
        self._begin()

    def _begin(self) -> None:
        self.end: End | None = None
        self.needs: Collection[Key] = ()
        self.peeks = False
        self._given: dict[Key, Loaded] = {}
        self._flow = decide_command(self._workflow, self.envelope)
        self._send(None)

    def advance(self, now: Mapping[Key, Loaded], seen: Mapping[Key, Loaded]) -> None:
        """Continue as far as the rows at hand allow: those loaded, ``now``, and those merely ``seen``."""
        if self._given and any(now.get(key, row) is not row for key, row in self._given.items()):
            self._begin()
        while self.end is None and (rows := _all_of(self.needs, {**seen, **now} if self.peeks else now)) is not None:
            at = self.envelope.stamp.at
            latest = max([row.at or at for row in rows.values()], default=at)
            if latest > at:
                self._move_to(latest)
            else:
                self._given.update(rows)
                self._send(rows)

    def _move_to(self, at: datetime) -> None:
        """Keep a row's times from going back, whatever the clock says."""
        if self.envelope.fixed:
            message = f"the row was changed at {at.isoformat()}, later than the given time"
            self.end = InputError.at("at", "time_goes_back", message)
        else:
            self.envelope = self.envelope._replace(stamp=with_at(self.envelope.stamp, at))
            self._begin()

    def _send(self, rows: Mapping[Key, Loaded] | None) -> None:
        try:
            request: Any = self._flow.send(rows)
            self.needs, self.peeks = request.keys, type(request) is Read
        except StopIteration as stop:
            self.end = stop.value
        except (CommandRefused, InputError) as refused:
            # Its traceback would hold this attempt, and the attempt holds it.
            self.end = refused.with_traceback(None)


def _all_of(keys: Iterable[Key], rows: Mapping[Key, Loaded]) -> dict[Key, Loaded] | None:
    """The rows of these keys, or None if one of them is missing."""
    found: dict[Key, Loaded] = {}
    for key in keys:
        row = rows.get(key)
        if row is None:
            return None
        found[key] = row
    return found


def decide_group(workflow: Workflow, envelopes: Sequence[Envelope], rows: Rows) -> Flow[list[End | None]]:
    """Decide commands one after another, each on the rows as the one before left them; a refused one leaves no trace.

    Returns each command's outcome, or None if its id was accepted earlier. Rows are loaded one rank at a time for the
    whole group: attempts run ahead on what is loaded and are merged strictly in order.
    """
    attempts = [_Attempt(workflow, envelope) for envelope in envelopes]
    ends: list[End | None] = []
    seen: dict[Key, Loaded] = {}
    while len(ends) < len(attempts):
        missing: dict[Key, None] = {}
        unseen: dict[Key, None] = {}
        for attempt in attempts[len(ends) :]:
            its_turn = not missing and not unseen
            if its_turn and attempt.envelope.stamp.command_id in rows.accepted:
                ends.append(None)
                continue
            attempt.advance(rows.now, seen)
            if attempt.end is None:
                wanted = unseen if attempt.peeks else missing
                wanted.update(dict.fromkeys(key for key in attempt.needs if key not in rows.now))
            elif its_turn:
                rows.merge(attempt.end)
                ends.append(attempt.end)
        if unseen:
            seen.update((yield from ask(Read([*unseen]))))
        elif missing:
            rows.give((yield from ask(Load(_lowest(workflow, missing)))))
    return ends


def _lowest(workflow: Workflow, keys: Iterable[Key]) -> list[Key]:
    """The keys of the lowest rank, in lock order."""
    listed = sorted(keys, key=workflow.lock_order)
    return [key for key in listed if key.kind == listed[0].kind]
