"""The relay: effects out of the outbox, their answers back as commands, in one commit with "done".

A message to an adapter is leased when its sending begins, one at a time, so that nobody else sends it meanwhile, and a
sending that never began costs no attempt. Messages to rows of the library's own share one commit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zlib import crc32

from attrs import define

from orderflow.domain.engine.decide import Envelope, Flow, Message, ask
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.shipping.choosing import CarrierChoice, cheapest_in_time
from orderflow.errors import ConcurrencyConflict, InputError, OrderFlowError, PortError, StorageError
from orderflow.flows.asks import Commands, DueTopics, GiveUp, NewId, Now, Pause, Retry, TakeMessages
from orderflow.flows.handle import Result, handle_many, on_fresh_rows
from orderflow.flows.impersonal import impersonal
from orderflow.flows.labels import buy_label, void_label
from orderflow.flows.notices import notify
from orderflow.flows.payments import operate_payment, request_operation
from orderflow.flows.prepare import drop_items, readdress
from orderflow.flows.rebalance import fill_backorders, return_to_queue
from orderflow.ports.storage import Lease

#: How long the other side may have a message put off at most.
LONGEST_DELAY_SECONDS: Final = 86_400


class TopicPolicy(Record):
    """How long a topic's messages are tried, and how often.

    A message that has failed is due again after a random part of ``first_delay_seconds``, doubled with each attempt up
    to ``most_delay_seconds``, or after as long as the other side asks for. It is given up when it fails
    ``deadline_seconds`` after its first sending; None: never. After a timeout the topic is paused for
    ``breaker_seconds``.
    """

    deadline_seconds: int | None
    first_delay_seconds: int = 10
    most_delay_seconds: int = 3600
    breaker_seconds: int = 60

    def is_over(self, lease: Lease, now: datetime) -> bool:
        """Whether to give a message up."""
        return self.deadline_seconds is not None and now >= lease.since + timedelta(seconds=self.deadline_seconds)

    def delay_seconds(self, lease: Lease, error: PortError) -> float:
        """How long a failed message is put off: evenly spread, and always the same for the same attempt."""
        most = min(self.most_delay_seconds, self.first_delay_seconds << min(lease.attempts - 1, 20))
        part = crc32(f"{lease.message.id}/{lease.attempts}".encode()) / 2**32
        asked: Any = error.retry_after_seconds
        # Adapters are not trusted, and a message that is put off for ever would be lost without a word.
        return max(most * part, min(asked, LONGEST_DELAY_SECONDS) if isinstance(asked, int | float) else 0)


class RelayReport(Record):
    """What became of the messages taken: carried out, to be tried again, given up."""

    done: int
    retried: int
    dead: int

    @property
    def taken(self) -> int:
        """Messages taken by this call; 0 means that none was due."""
        return self.done + self.retried + self.dead


@define
class _Round:
    """One call of the relay: what its answers are decided by, and what has become of the messages so far."""

    workflow: Workflow
    actor: str
    time_of: Callable[[Message], datetime] | None
    choose: CarrierChoice = cheapest_in_time
    done: int = 0
    retried: int = 0
    dead: int = 0

    @property
    def taken(self) -> int:
        return self.done + self.retried + self.dead


def relay(
    workflow: Workflow,
    *,
    limit: int = 100,
    actor: str = "relay",
    topics: Collection[str] | None = None,
    time_of: Callable[[Message], datetime] | None = None,
    choose: CarrierChoice = cheapest_in_time,
) -> Flow[RelayReport]:
    """Carry out up to ``limit`` due messages, topic by topic, at least once each.

    Args:
        workflow: the rules the answers are decided by.
        limit: the most messages to take.
        actor: the actor of the answers' commands.
        topics: only these; by default all that this library knows (a host relays its own).
        choose: which carrier takes a shipment that names none.
        time_of: when an answer counts as given, for replays of past data; by default now.
    """
    round_ = _Round(workflow, actor, time_of, choose)
    due = yield from ask(DueTopics())
    for topic in POLICIES:
        if topic in due and (topics is None or topic in topics) and round_.taken < limit:
            carry_out = _send_all if topic in _SENDINGS else _tell_all
            yield from carry_out(round_, topic, limit - round_.taken)
    return RelayReport(round_.done, round_.retried, round_.dead)


# -- messages to rows of ours


def _tell_all(round_: _Round, topic: str, limit: int) -> Flow[None]:
    """Tell rows what an event of a later kind means to them, in one commit."""
    leases = yield from ask(TakeMessages(topic, limit))
    answers: list[tuple[Lease, list[Envelope]]] = []
    for lease in leases:
        try:
            commands = yield from _COMMANDS[topic](lease.message)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one message, the others go on
            yield from _failed(round_, lease, _unfit(error))
        else:
            answers.append((lease, (yield from _envelopes(round_, lease.message, commands))))
    yield from _answer(round_, answers)


_COMMANDS: Final[Mapping[str, Callable[[Message], Flow[Commands]]]] = {
    "drop_items": drop_items,
    "readdress": readdress,
    "request_operation": request_operation,
    "fill_backorders": fill_backorders,
    "rebalance": return_to_queue,
}

#: Topics whose commands follow from the rows as they stand, so that a second attempt is another command.
_RECOMPUTED: Final = frozenset({"fill_backorders", "readdress", "rebalance"})


# -- messages to adapters


def _send_all(round_: _Round, topic: str, limit: int) -> Flow[None]:
    """Send one after another; what is done is recorded in the commit that takes the next."""
    done: list[str] = []
    for _ in range(limit):
        leases = yield from ask(TakeMessages(topic, 1, tuple(done)))
        done.clear()
        if not leases:
            return
        try:
            yield from _send(round_, leases[0], done)
        except PortError as error:
            yield from _failed(round_, leases[0], error)
            if error.timed_out:
                yield from ask(Pause(topic, POLICIES[topic].breaker_seconds))
                return
    if done:
        yield from handle_many(round_.workflow, (), answered=done)


def _send(round_: _Round, lease: Lease, done: list[str]) -> Flow[None]:
    now = yield from ask(Now())
    if lease.abandoned and POLICIES[lease.message.topic].is_over(lease, now):
        raise PortError("relay", "its worker stopped while sending it", retry=False)
    try:
        commands = yield from _SENDINGS[lease.message.topic](lease, round_)
    except (GeneratorExit, PortError):
        raise
    except Exception as error:
        raise _unfit(error) from error
    except BaseException:
        # When the worker is stopped, nobody knows whether the other side was reached.
        yield from _failed(round_, lease, PortError("relay", "stopped while being sent"))
        raise
    if commands:
        yield from _answer(round_, [(lease, (yield from _envelopes(round_, lease.message, commands)))])
    else:
        done.append(lease.message.id)
        round_.done += 1


_SENDINGS: Final[Mapping[str, Callable[[Lease, _Round], Flow[Commands]]]] = {
    "operate_payment": lambda lease, _: operate_payment(lease),
    "buy_label": lambda lease, round_: buy_label(lease, round_.choose),
    "void_label": lambda lease, _: void_label(lease),
    "notify": lambda lease, _: notify(lease),
}

_HOUR: Final = 3600

#: The topics this relay carries out. Messages to rows of ours are tried until they are accepted.
POLICIES: Final[Mapping[str, TopicPolicy]] = {
    "operate_payment": TopicPolicy(72 * _HOUR),
    "buy_label": TopicPolicy(24 * _HOUR),
    "void_label": TopicPolicy(24 * _HOUR),
    "notify": TopicPolicy(72 * _HOUR),
    **dict.fromkeys(_COMMANDS, TopicPolicy(None)),
}


# -- answers


def _envelopes(round_: _Round, message: Message, commands: Commands) -> Flow[list[Envelope]]:
    """The commands of an answer, under ids that are known if they come again."""
    at = round_.time_of(message) if round_.time_of else (yield from ask(Now()))
    envelopes = []
    for number, (key, command) in enumerate(commands):
        new = message.topic in _RECOMPUTED
        id_ = (yield from ask(NewId())) if new else _command_id(message, number)
        envelopes.append(Envelope(key, command, Stamp(at, round_.actor, id_), round_.time_of is not None))
    return envelopes


def _command_id(message: Message, number: int) -> str:
    return f"{message.id}/{number}" if number else message.id


def _unfit(error: Exception) -> PortError:
    """What is said of a message that these rules make nothing of; foreign texts may hold personal data."""
    return PortError("relay", str(error) if isinstance(error, OrderFlowError) else type(error).__name__)


def _answer(round_: _Round, answers: Sequence[tuple[Lease, Sequence[Envelope]]]) -> Flow[None]:
    """Commit what was answered; a message whose commands are refused is tried again.

    If the storage will not take many at once, each is committed alone.
    """
    try:
        results = yield from _committed(round_, answers)
    except (ConcurrencyConflict, InputError, StorageError) as error:
        if len(answers) > 1 and not getattr(error, "retry", False):
            for answer in answers:
                yield from _answer(round_, [answer])
        else:
            for lease, _ in answers:
                yield from _failed(round_, lease, PortError("answer", str(error)))
        return
    for lease, envelopes in answers:
        refused = [result for result in map(results.get, envelopes) if isinstance(result, Exception)]
        if refused and not _done_anyway(lease, envelopes):
            yield from _failed(round_, lease, PortError("answer", str(refused[0])))
        else:
            round_.done += 1


def _done_anyway(lease: Lease, envelopes: Sequence[Envelope]) -> bool:
    """A notice was sent whatever has become of its invoice since, and a message without commands needs nothing more."""
    return not envelopes or lease.message.topic == "notify"


def _committed(round_: _Round, answers: Sequence[tuple[Lease, Sequence[Envelope]]]) -> Flow[dict[Envelope, Result]]:
    """The result of each command, decided again on fresh rows after a conflict."""
    done = [lease.message.id for lease, envelopes in answers if _done_anyway(lease, envelopes)]
    sent = [(envelope, lease.message.id) for lease, envelopes in answers for envelope in envelopes]
    message_of = {envelope.stamp.command_id: message for envelope, message in sent if message not in done}
    commands = [envelope for envelope, _ in sent]
    results = yield from on_fresh_rows(
        lambda: handle_many(round_.workflow, commands, trusted=True, cause="relay", answered=done, answers=message_of)
    )
    return dict(zip(commands, results, strict=True))


def _failed(round_: _Round, lease: Lease, error: PortError) -> Flow[None]:
    policy = POLICIES[lease.message.topic]
    now = yield from ask(Now())
    said = yield from impersonal(lease.message.lane, str(error))
    # Only a no for good says that nothing has happened, and only of this sending.
    maybe_sent = lease.maybe_sent or error.retry
    if error.retry and not policy.is_over(lease, now):
        round_.retried += 1
        yield from ask(Retry(lease, policy.delay_seconds(lease, error), said, maybe_sent))
    else:
        round_.dead += 1
        yield from ask(GiveUp(lease, said, maybe_sent))
