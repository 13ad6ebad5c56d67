"""Every effect a flow may want, as a value; a driver answers it. No flow does any I/O itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from orderflow.domain.engine.decide import Ask
from orderflow.errors import Key
from orderflow.ports.storage import Batch, DeadLetter, KnownCommand, Lease, Query, Row

if TYPE_CHECKING:
    from orderflow.ports.carrier import LabelRequest
    from orderflow.ports.notifier import Notice
    from orderflow.ports.payments import PaymentRequest

#: The commands that a message to a row of ours, or an adapter's answer, leads to.
Commands: TypeAlias = Sequence[tuple[Key, Any]]


class KnownCommands(Ask[Mapping[str, KnownCommand]]):
    """What is remembered about command ids."""

    command_ids: Collection[str]


class Commit(Ask[None]):
    """Store a batch, all or nothing."""

    batch: Batch


class RollBack(Ask[None]):
    """End the transaction, if one was begun, without storing anything."""


class Begin(Ask[datetime]):
    """Begin the transaction; the answer is the time, read once it has its lock."""


class Now(Ask[datetime]):
    """The time, aware UTC."""


class NewId(Ask[str]):
    """A fresh id."""


class Find(Ask[Sequence[Row[Any]]]):
    """Rows by a query, outside any transaction."""

    query: Query


class DueTopics(Ask[Collection[str]]):
    """The topics of which a message may be sent now."""


class TakeMessages(Ask[Sequence[Lease]]):
    """Lease due messages of a topic, and mark those in ``done`` as done."""

    topic: str
    limit: int
    done: Collection[str] = ()


class Retry(Ask[None]):
    """A message whose effect failed or has an unknown outcome; due again after the delay."""

    lease: Lease
    delay_seconds: float
    error: str
    maybe_sent: bool


class GiveUp(Ask[None]):
    """A message that becomes a dead letter."""

    lease: Lease
    error: str
    maybe_sent: bool


class DeadLetters(Ask[Sequence[DeadLetter]]):
    """Messages that were given up: those of a topic, since a time, about a row, or one by its id."""

    cursor: int = 0
    limit: int = 100
    topic: str = ""
    since: datetime | None = None
    lane: Key | None = None
    message_id: str = ""


class Requeue(Ask[None]):
    """A dead letter that is to be sent again."""

    message_id: str


class Discard(Ask[None]):
    """A dead letter that is closed."""

    message_id: str
    by: str


class Pause(Ask[None]):
    """Leave a topic alone for a while, in this process."""

    topic: str
    seconds: int


class BuyLabel(Ask[Any]):
    """A label from a carrier by name; the lease is renewed meanwhile. May fail with PortError."""

    carrier: str
    request: LabelRequest
    lease: Lease


class AskQuotes(Ask[Mapping[str, Any]]):
    """What each carrier, by name, would carry something for: its quotes, or the error of one that says no for good.

    The lease is renewed meanwhile. May fail with PortError.
    """

    request: LabelRequest
    lease: Lease


class CancelLabel(Ask[None]):
    """Give a label back. May fail with PortError."""

    carrier: str
    tracking_number: str
    lease: Lease


class HasProvider(Ask[bool]):
    """Whether a payment provider of this name is wired."""

    provider: str


class Operate(Ask[Any]):
    """An operation of a payment provider by name. May fail with PortError."""

    provider: str
    request: PaymentRequest
    lease: Lease


class FindOperation(Ask[Any]):
    """What became of an operation asked for earlier, by its key; None if nothing. May fail with PortError."""

    provider: str
    idempotency_key: str
    lease: Lease


class SendNotice(Ask[None]):
    """Tell the customer. May fail with PortError."""

    notice: Notice
    lease: Lease
