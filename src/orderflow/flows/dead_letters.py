"""Dead letters: what they say to people, sending them again, and closing them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from orderflow.domain.engine.decide import Flow, Read, ask
from orderflow.domain.engine.machine import ABSENT, refuse
from orderflow.domain.payments.pending import ResolvePending
from orderflow.domain.shipping.labelling import ChangeCarrier, RequestLabel
from orderflow.domain.shipping.planning import VoidShipment
from orderflow.domain.workflow.attention import Attention, Standing, attention
from orderflow.errors import CommandRefused, Key, NotFound, Refusal
from orderflow.flows.asks import DeadLetters, Discard, Requeue
from orderflow.flows.relay import POLICIES
from orderflow.ports.storage import DeadLetter

__all__ = ["attended", "attention_row", "discard", "found", "requeue", "requeue_all"]

_PAGE: Final = 100

#: What may have moved money or bought a label is asked again until its outcome is known: it is never closed.
_NEVER_CLOSED: Final = ("buy_label", "operate_payment")

#: What else helps, beside sending the message again.
_HELPS: Final[Mapping[str, tuple[type[Any], ...]]] = {
    "buy_label": (ChangeCarrier, RequestLabel, VoidShipment),
    "operate_payment": (ResolvePending,),
}


def attended(letter: DeadLetter) -> Attention:
    """A dead letter as something that its row waits for."""
    message = letter.message
    said = refuse("dead_letter", "{topic}: {error}", topic=message.topic, error=letter.error, id=message.id)
    closing = () if _must_stay(letter) else (Discard,)
    return Attention(Standing.LISTED, "dead_letters", said, (Requeue, *closing, *_HELPS.get(message.topic, ())))


def attention_row(key: Key, at: datetime) -> Flow[tuple[Attention, ...]]:
    """Everything that a row waits for at a time, its dead letters included.

    Raises:
        NotFound: there is no such row.
    """
    state = (yield from ask(Read([key])))[key].state
    if state is ABSENT:
        raise NotFound(key)
    letters = yield from ask(DeadLetters(lane=key))
    return (*attention(state, at), *map(attended, letters))


def found(*, topic: str, since: datetime | None, cursor: int, limit: int) -> Flow[list[DeadLetter]]:
    """Dead letters in the order of their commits."""
    return [*(yield from ask(DeadLetters(cursor, limit, topic, since)))]


def requeue(message_id: str) -> Flow[None]:
    """Have one dead letter sent again.

    Raises:
        NotFound: there is no dead letter with that id.
    """
    yield from ask(Requeue(message_id))


def requeue_all(*, topic: str, since: datetime | None) -> Flow[list[str]]:
    """Have dead letters sent again, and return their ids; those of a host's own topics only if the topic is named."""
    requeued: list[str] = []
    cursor = 0
    while letters := (yield from ask(DeadLetters(cursor, _PAGE, topic, since))):
        for letter in letters:
            if topic or letter.message.topic in POLICIES:
                try:
                    yield from ask(Requeue(letter.message.id))
                except NotFound:
                    continue  # Somebody else was quicker.
                requeued.append(letter.message.id)
        cursor = letters[-1].cursor
    return requeued


def discard(message_id: str, by: str) -> Flow[None]:
    """Close a dead letter for good.

    Raises:
        NotFound: there is no dead letter with that id.
        CommandRefused: it is a purchase or a movement of money that may have been made.
    """
    letters = yield from ask(DeadLetters(message_id=message_id))
    for letter in letters:
        if refusal := _must_stay(letter):
            raise CommandRefused((refusal,))
    yield from ask(Discard(message_id, by))


def _must_stay(letter: DeadLetter) -> Refusal | None:
    topic = letter.message.topic
    if letter.maybe_sent and topic in _NEVER_CLOSED:
        return refuse("may_have_been_made", "{topic} may have been made: requeue it to learn its outcome", topic=topic)
    return None
