"""Handling: commands in, one batch out, with each command's own result."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from attrs import define, field

from orderflow.domain.engine.bounds import Text
from orderflow.domain.engine.decide import Decision, End, Envelope, Flow, Load, Loaded, Rows, ask, decide_group
from orderflow.domain.engine.limits import MAX_COMMAND_ID, MAX_ID, MAX_NAME
from orderflow.domain.engine.record import Internal
from orderflow.domain.engine.schema import faults_at, faults_of
from orderflow.domain.engine.stamp import with_at
from orderflow.domain.engine.text import writer
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.values import MAX_ORDER_ID, StockRef
from orderflow.errors import CommandMismatch, CommandRefused, ConcurrencyConflict, Fault, InputError, Key
from orderflow.flows.asks import Begin, Commit, KnownCommands, RollBack
from orderflow.ports.storage import VAULT, Ack, Batch, CommandRecord, Write

__all__ = ["Result", "Work", "accepted", "faults_in", "fingerprint", "handle_many", "internal_faults", "on_fresh_rows"]

R = TypeVar("R")

#: Maximum id lengths by kind, where ids are made of two parts (escaping can triple a channel's length), and for orders,
#: whose ids are the stem of others.
LONGEST_IDS: Final = {
    "stock": 2 * MAX_ID + 1,
    "intake": 4 * MAX_NAME + 1,
    "payment": 4 * MAX_ID + 1,
    "party": MAX_ID + 11,
    "order": MAX_ORDER_ID,
}

#: How many times a flow is run on fresh rows before a conflict is raised to the caller.
ATTEMPTS: Final = 8

#: The outcome of one command in a group: accepted, or why not.
Result: TypeAlias = Ack | CommandRefused | InputError | CommandMismatch


def handle_many(
    workflow: Workflow,
    envelopes: Sequence[Envelope],
    *,
    fresh_ids: Collection[str] = (),
    trusted: bool = False,
    cause: str = "",
    answered: Sequence[str] = (),
    answers: Mapping[str, str] = MappingProxyType({}),
) -> Flow[list[Result]]:
    """Decide a group in one commit. A refused command leaves no trace and does not affect the others.

    Args:
        workflow: the rules.
        envelopes: the commands, decided one after another.
        fresh_ids: command ids just generated, which cannot be in use yet and so are not looked up.
        trusted: the commands come from the library itself: internal ones are allowed, and none is validated again.
        cause: recorded as the cause of every command.
        answered: ids of messages that this commit completes, whether or not the commands are accepted.
        answers: command id to message id; a message is completed if all the commands that map to it are accepted.
    """
    work = Work(workflow, cause)
    results = yield from work.take(envelopes, fresh_ids=fresh_ids, trusted=trusted)
    yield from work.commit((*answered, *_done(answers, envelopes, results)))
    return results


def on_fresh_rows(flow: Callable[[], Flow[R]]) -> Flow[R]:
    """Run a flow that ``flow`` makes, and again on fresh rows after a conflict, which is safe because it is pure.

    Raises:
        ConcurrencyConflict: it conflicted each time.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(ConcurrencyConflict):
            return (yield from flow())
    return (yield from flow())


@define(eq=False, repr=False)
class Work:
    """A batch in the making: each decision sees the rows as the one before left them; one commit stores them all."""

    workflow: Workflow
    cause: str = ""
    rows: Rows = field(factory=Rows)
    decisions: list[Decision] = field(factory=list)
    records: dict[str, CommandRecord] = field(factory=dict)

    def load(self, keys: Iterable[Key]) -> Flow[Mapping[Key, Loaded]]:
        """The rows as they stand in this batch; those not loaded yet are locked, in lock order."""
        missing = sorted({key for key in keys if key not in self.rows.now}, key=self.workflow.lock_order)
        if missing:
            self.rows.give((yield from ask(Load(missing))))
        return self.rows.now

    def take(
        self, envelopes: Sequence[Envelope], *, fresh_ids: Collection[str] = (), trusted: bool = False
    ) -> Flow[list[Result]]:
        """Decide commands; a refused one leaves no trace, and one accepted before returns its original ``Ack``."""
        results: dict[int, Result] = {}
        for at, envelope in enumerate(envelopes):
            faults = () if trusted else faults_in(self.workflow, envelope)
            if faults:
                results[at] = InputError(faults)
        sound = [at for at in range(len(envelopes)) if at not in results]
        if sound:
            now = yield from ask(Begin())
            ids = {envelopes[at].stamp.command_id for at in sound}.difference(fresh_ids, self.records)
            known = (yield from ask(KnownCommands(sorted(ids)))) if ids else {}
            new = [at for at in sound if envelopes[at].stamp.command_id not in known]
            ends = yield from decide_group(self.workflow, [_dated(envelopes[at], now) for at in new], self.rows)
            for at, end in zip(new, ends, strict=True):
                results[at] = self._result(envelopes[at], end)
            for at in set(sound).difference(new):
                first = known[envelopes[at].stamp.command_id]
                results[at] = _repeated(first.fingerprint, first.ack, envelopes[at])
        return [results[at] for at in range(len(envelopes))]

    def _result(self, envelope: Envelope, end: End | None) -> Result:
        command_id = envelope.stamp.command_id
        if end is None:
            first = self.records[command_id]
            return _repeated(first.fingerprint, first.ack, envelope)
        if not isinstance(end, Decision):
            return end
        stamp, name = end.stamp, type(envelope.command).__name__
        ack = Ack(command_id, envelope.key, end.rows[envelope.key].version, stamp.at)
        self.decisions.append(end)
        self.records[command_id] = CommandRecord(
            ack, fingerprint(envelope), stamp.actor, name, self.cause, self.workflow.fingerprint, stamp.occurred_at
        )
        return ack

    def commit(self, answered: Sequence[str] = ()) -> Flow[None]:
        """Store what was decided and mark messages done; if there is neither, roll back."""
        something = self.decisions or answered
        yield from ask(Commit(self._batch(tuple(answered))) if something else RollBack())

    def _batch(self, answered: tuple[str, ...]) -> Batch:
        changed: dict[Key, Loaded] = {}
        read: dict[Key, int] = {}
        for decision in self.decisions:
            for key, row in decision.rows.items():
                if row is decision.loaded[key]:
                    read[key] = row.version
                else:
                    changed[key] = row
        loaded = self.rows.loaded
        writes = [
            Write(key, loaded[key].version, row.version, row.state, row.at)
            for key, row in sorted(changed.items(), key=lambda item: self._write_order(item[0]))
            if row.at is not None
        ]
        return Batch(
            tuple(self.records.values()),
            tuple(writes),
            tuple([entry for decision in self.decisions for entry in decision.entries]),
            tuple([message for decision in self.decisions for message in decision.messages]),
            answered,
            tuple([(key, version) for key, version in read.items() if key not in changed]),
        )

    def _write_order(self, key: Key) -> tuple[int, str]:
        """Lock order; new rows of a kind, which nobody else can have locked, keep the order they were decided in."""
        rank, id_ = self.workflow.lock_order(key)
        return rank, id_ if self.rows.loaded[key].version else ""


def _dated(envelope: Envelope, now: datetime) -> Envelope:
    """Without a fixed time, a command is dated when the transaction holds its locks, so that times never go back."""
    if envelope.fixed or envelope.stamp.at >= now:
        return envelope
    return envelope._replace(stamp=with_at(envelope.stamp, now))


def _done(answers: Mapping[str, str], envelopes: Sequence[Envelope], results: Sequence[Result]) -> list[str]:
    """Messages whose commands have all been accepted, now or earlier."""
    whole: dict[str, bool] = {}
    for envelope, result in zip(envelopes, results, strict=True):
        message = answers.get(envelope.stamp.command_id)
        if message is not None:
            whole[message] = whole.get(message, True) and isinstance(result, Ack)
    return [message for message, accepted_all in whole.items() if accepted_all]


def accepted(result: Result) -> Ack:
    """Return the ``Ack``, or raise any other result. The caller must not keep a reference to the result.

    A raised exception refers to the frames it passed through, so a local variable that holds it forms a cycle.
    """
    if isinstance(result, Ack):
        return result
    try:
        raise result
    finally:
        del result


def fingerprint(envelope: Envelope) -> str:
    """A hash of the command's canonical text; it tells a repeat from a different command with the same id.

    Fields at their default are left out of that text, so adding a field with a default changes no fingerprint. Commands
    to the vault are hashed by name only: personal data must leave no trace outside it, not even a hash to guess from.
    """
    (tenant, kind, row), command = envelope.key, envelope.command
    message: Any = type(command)
    text = "" if kind in VAULT else writer(message)(command)
    content = f"{tenant}/{kind}:{row}\n{message.__name__}\n{text}"
    return "1:" + hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _repeated(known: str, ack: Ack, envelope: Envelope) -> Ack | CommandMismatch:
    return ack if known == fingerprint(envelope) else CommandMismatch(ack.command_id)


def faults_in(workflow: Workflow, envelope: Envelope) -> tuple[Fault, ...]:
    """What is wrong with a command and its address, before any rule is applied."""
    kind, command = envelope.key.kind, type(envelope.command)
    machine = workflow.machines.get(kind)
    if machine is None:
        return (Fault("key.kind", "unknown_kind", f"no machine governs {kind!r}"),)
    if command not in machine.commands:
        return (Fault("command", "unknown_command", f"{command.__name__} is not a command of {kind}"),)
    return internal_faults(envelope.command) or (*_address_faults(envelope), *faults_of(envelope.command))


def internal_faults(command: object) -> tuple[Fault, ...]:
    """The fault of a command that comes from outside but that only the library may send."""
    if not isinstance(command, Internal):
        return ()
    return (Fault("command", "internal_command", f"{type(command).__name__} may only be sent by the library"),)


_RowId = Annotated[str, Text(MAX_ID, least=1)]
_ROW_IDS: Final = {kind: Annotated[str, Text(most, least=1)] for kind, most in LONGEST_IDS.items()}
_CommandId = Annotated[str, Text(MAX_COMMAND_ID, least=1)]
_Actor = Annotated[str, Text(MAX_NAME, least=1)]


def _address_faults(envelope: Envelope) -> Iterator[Fault]:
    key, stamp = envelope.key, envelope.stamp
    parts: Iterable[tuple[str, Any, Any]] = (
        ("key.id", _ROW_IDS.get(key.kind, _RowId), key.id),
        ("command_id", _CommandId, stamp.command_id),
        ("actor", _Actor, stamp.actor),
    )
    for path, kind, value in parts:
        yield from faults_at(path, kind, value)
    named = getattr(envelope.command, "row_faults", None)
    if named is not None:
        yield from named(key.id)
    if key.kind == "stock" and isinstance(key.id, str):
        yield from _stock_faults(key.id)


def _stock_faults(row: str) -> Iterator[Fault]:
    found = StockRef.read(row)
    if not found.location:
        yield Fault("key.id", "bad_form", "a stock row is named SKU@location, such as TEA@main")
        return
    yield from (fault.under("key.id") for fault in faults_of(found))
