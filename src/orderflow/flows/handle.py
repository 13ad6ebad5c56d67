"""Handling: commands in, one batch out, with each command's own outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from attrs import define, field

from orderflow.domain.engine.decide import Decision, Envelope, Flow, Loaded, ask, decide_group
from orderflow.domain.engine.limits import MAX_COMMAND_ID, MAX_ID, MAX_NAME
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.errors import CommandMismatch, CommandRefused, Fault, InputError, Key
from orderflow.flows.asks import Begin, Commit, KnownCommands
from orderflow.ports.storage import Ack, Batch, CommandRecord, KnownCommand, Lease, Write

__all__ = ["Result", "accepted", "faults_in", "fingerprint", "handle_many"]


#: Ids made of two: SKU and location, channel and external id, party and version.
LONGEST_IDS: Final = {"stock": 2 * MAX_ID + 1, "intake": 2 * MAX_NAME + 1, "party": MAX_ID + 11}


#: What became of one command of a group: accepted, or why not.
Result: TypeAlias = Ack | CommandRefused | InputError | CommandMismatch


def handle_many(
    workflow: Workflow,
    orders: Sequence[Envelope],
    *,
    fresh_ids: Collection[str] = (),
    trusted: bool = False,
    cause: str = "",
    answered: Sequence[Lease] = (),
    answers: Mapping[str, Lease] = MappingProxyType({}),
) -> Flow[list[Result]]:
    """Decide a group in one commit. A refused command leaves no trace and hurts no other.

    Args:
        workflow: the rules.
        orders: the commands, decided one after another.
        cause: what is remembered as their cause.
        fresh_ids: command ids just minted, which nobody can have used: they are not looked up.
        trusted: the commands come from the library itself, so reactions' own commands are let in.
        answered: messages that are done with this commit, whatever becomes of the commands.
        answers: by command id, the message that is done if its commands are accepted.
    """
    group = _Group(workflow, [*orders], cause)
    group.check(trusted=trusted)
    if group.waiting():
        group.date((yield from ask(Begin())))
    ids = {order.stamp.command_id for _, order in group.waiting()}
    group.known_commands((yield from _recalled(ids.difference(fresh_ids))))
    chosen = group.waiting()
    ends, loaded = yield from decide_group(workflow, [order for _, order in chosen])
    for (at, order), end in zip(chosen, ends, strict=True):
        group.end(at, order, end)
    done = (*answered, *_done(answers, orders, group.results))
    if group.decided or done:
        yield from ask(Commit(_batch(group.remembered, group.decided, loaded, done)))
    return [group.results[at] for at in range(len(orders))]


@define
class _Group:
    """Commands under way, by their place in the group: how each has ended, and what of it is to be stored."""

    workflow: Workflow
    orders: list[Envelope]
    cause: str
    results: dict[int, Result] = field(factory=dict)
    prints: dict[int, str] = field(factory=dict)
    first: dict[str, int] = field(factory=dict)
    decided: list[Decision] = field(factory=list)
    remembered: list[CommandRecord] = field(factory=list)

    def waiting(self) -> list[tuple[int, Envelope]]:
        """The commands that have not ended yet."""
        return [(at, order) for at, order in enumerate(self.orders) if at not in self.results]

    def check(self, *, trusted: bool) -> None:
        """End what is malformed; take the fingerprint of the rest."""
        for at, order in enumerate(self.orders):
            faults = tuple(faults_in(self.workflow, order, trusted=trusted))
            if faults:
                self.results[at] = InputError(faults)
            else:
                self.prints[at] = fingerprint(order)

    def date(self, now: datetime) -> None:
        """Record what is not of a fixed time at the time the transaction has its lock, so that times never go back."""
        for at, order in self.waiting():
            stamp = order.stamp
            if not order.fixed and stamp.at < now:
                later = Stamp(now, stamp.actor, stamp.command_id, stamp.occurred_at)
                self.orders[at] = Envelope(order.key, order.command, later)

    def known_commands(self, known: Mapping[str, KnownCommand]) -> None:
        """End what was accepted before."""
        for at, order in self.waiting():
            recalled = known.get(order.stamp.command_id)
            if recalled is not None:
                self.results[at] = _repeated(recalled, self.prints[at])

    def end(self, at: int, order: Envelope, end: Decision | CommandRefused | InputError | None) -> None:
        """End one command, in order of the group; None: its id was accepted earlier in the group."""
        command_id = order.stamp.command_id
        if end is None:
            first = self.first[command_id]
            same = self.prints[first] == self.prints[at]
            self.results[at] = self.results[first] if same else CommandMismatch(command_id)
        elif isinstance(end, CommandRefused | InputError):
            self.results[at] = end
        else:
            self.first[command_id] = at
            ack = Ack(command_id, order.key, end.rows[order.key].version, order.stamp.at)
            self.results[at] = ack
            self.decided.append(end)
            self.remembered.append(_remembered(self.workflow, order, ack, self.prints[at], self.cause))


def _done(answers: Mapping[str, Lease], orders: Sequence[Envelope], results: Mapping[int, Result]) -> list[Lease]:
    """Messages all of whose commands are accepted, now or before."""
    accepted: dict[str, tuple[Lease, bool]] = {}
    for at, result in results.items():
        lease = answers.get(orders[at].stamp.command_id)
        if lease is not None:
            before = accepted.get(lease.message.id, (lease, True))[1]
            accepted[lease.message.id] = (lease, before and isinstance(result, Ack))
    return [lease for lease, whole in accepted.values() if whole]


def accepted(result: Result) -> Ack:
    """The ``Ack``; what is not one is raised. Whoever calls keeps no name for the outcome.

    An exception that a frame it came through has a name for lives as long as that frame, and the frame as long as it.
    """
    if isinstance(result, Ack):
        return result
    try:
        raise result
    finally:
        del result


def fingerprint(order: Envelope) -> str:
    """What tells a repeated command from another one under the same id; of personal commands, only their name.

    The vault's values must leave no trace outside it, not even a hash that could be guessed.
    """
    content = type(order.command).__name__ if order.key.kind == "party" else repr(order.command)
    return hashlib.sha256(f"{order.key}\n{content}".encode(errors="surrogatepass")).hexdigest()[:24]


def faults_in(workflow: Workflow, order: Envelope, *, trusted: bool = False) -> Iterable[Fault]:
    """What is wrong with a command and its address before any rule is asked."""
    kind, command = order.key.kind, type(order.command)
    machine = workflow.machines.get(kind)
    if machine is None:
        return [Fault("key.kind", "unknown_kind", f"no machine governs {kind!r}")]
    if command not in machine.commands:
        return [Fault("command", "unknown_command", f"{command.__name__} is no command of {kind}")]
    if command in workflow.internal and not trusted:
        return [Fault("command", "internal_command", f"{command.__name__} is sent by the library only")]
    return () if trusted else [*_address(order), *faults_of(order.command)]


def _address(order: Envelope) -> Iterator[Fault]:
    longest = LONGEST_IDS.get(order.key.kind, MAX_ID)
    for path, text, most in (
        ("key.id", order.key.id, longest),
        ("command_id", order.stamp.command_id, MAX_COMMAND_ID),
        ("actor", order.stamp.actor, MAX_NAME),
    ):
        if not isinstance(text, str) or not 1 <= len(text) <= most or not text.isprintable() or not text.strip():
            yield Fault(path, "bad_id", f"must be 1 to {most} printable characters")
    if order.key.kind == "stock" and not all(str(order.key.id).rpartition("@")):
        yield Fault("key.id", "no_location", "a stock row is named SKU@location")


def _recalled(ids: Collection[str]) -> Flow[Mapping[str, KnownCommand]]:
    if not ids:
        return {}
    return (yield from ask(KnownCommands(sorted(ids))))


def _repeated(recalled: KnownCommand, print_: str) -> Ack | CommandMismatch:
    return recalled.ack if recalled.fingerprint == print_ else CommandMismatch(recalled.ack.command_id)


def _remembered(workflow: Workflow, order: Envelope, ack: Ack, print_: str, cause: str) -> CommandRecord:
    stamp = order.stamp
    name = type(order.command).__name__
    return CommandRecord(ack, print_, stamp.actor, name, cause, workflow.fingerprint, stamp.occurred_at)


def _batch(
    remembered: Sequence[CommandRecord],
    decided: Sequence[Decision],
    loaded: Mapping[Key, Loaded],
    answered: Sequence[Lease],
) -> Batch:
    last: dict[Key, Loaded] = {}
    for end in decided:
        last.update(end.rows)
    writes = tuple(
        [
            Write(key, loaded[key].version, held.version, held.state)
            for key, held in last.items()
            if held.version > loaded[key].version
        ]
    )
    entries = tuple([entry for end in decided for entry in end.entries])
    messages = tuple([message for end in decided for message in end.messages])
    return Batch(tuple(remembered), writes, entries, messages, tuple(answered))
