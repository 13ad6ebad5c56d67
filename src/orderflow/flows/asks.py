"""Every effect a flow may want, as a value; a driver answers it. No flow does any I/O of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from orderflow.domain.engine.decide import Ask, Loaded
from orderflow.errors import Key
from orderflow.ports.carrier import Label, LabelRequest
from orderflow.ports.notifier import Notice
from orderflow.ports.storage import Batch, KnownCommand, Lease, Query, Row

__all__ = [
    "Begin",
    "BuyLabel",
    "CancelLabel",
    "Claim",
    "Commit",
    "DeadLetter",
    "Done",
    "Find",
    "KnownCommands",
    "NewId",
    "Now",
    "Read",
    "Retry",
    "SendNotice",
]


@frozen
class KnownCommands(Ask[Mapping[str, KnownCommand]]):
    """What is remembered of command ids."""

    command_ids: Collection[str]


@frozen
class Read(Ask[Mapping[Key, Loaded]]):
    """Rows as they stand, outside any transaction."""

    keys: Collection[Key]


@frozen
class Commit(Ask[None]):
    """Store a batch, all or nothing."""

    batch: Batch


@frozen
class Begin(Ask[datetime]):
    """Begin the transaction; the answer is the time, read once it has its lock."""


@frozen
class Now(Ask[datetime]):
    """The time, aware UTC."""


@frozen
class NewId(Ask[str]):
    """A fresh id."""


@frozen
class Find(Ask[Sequence[Row]]):
    """Rows by a query, outside any transaction."""

    query: Query


@frozen
class Claim(Ask[Sequence[Lease]]):
    """Lease due messages."""

    limit: int
    topics: Collection[str] | None = None


@frozen
class Done(Ask[None]):
    """Messages whose effects are carried out."""

    leases: Sequence[Lease]


@frozen
class Retry(Ask[None]):
    """A message whose effect failed for now; due again after the delay."""

    lease: Lease
    delay_seconds: int
    error: str


@frozen
class DeadLetter(Ask[None]):
    """A message whose effect will never succeed."""

    lease: Lease
    error: str


@frozen
class BuyLabel(Ask[Label]):
    """A label from a carrier by name. May fail with PortError."""

    carrier: str
    request: LabelRequest


@frozen
class CancelLabel(Ask[None]):
    """Give a label back. May fail with PortError."""

    carrier: str
    tracking_number: str
    idempotency_key: str


@frozen
class SendNotice(Ask[None]):
    """Tell the customer. May fail with PortError."""

    notice: Notice
