"""Every effect a flow may want, as a value; a driver answers it. No flow does any I/O of its own."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

from attrs import frozen

from orderflow.domain.keys import Key
from orderflow.ports.carrier import Label, LabelRequest
from orderflow.ports.notifier import Notice
from orderflow.ports.storage import Batch, Held, Parcelled, Query, Recalled, Row

__all__ = [
    "Ask",
    "Begin",
    "Bury",
    "BuyLabel",
    "CancelLabel",
    "Claim",
    "Commit",
    "Done",
    "Find",
    "Flow",
    "Load",
    "NewId",
    "Now",
    "Read",
    "Recall",
    "Retry",
    "SendNotice",
    "ask",
]

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
class Recall(Ask[Mapping[str, Recalled]]):
    """What is remembered of command ids."""

    command_ids: Collection[str]


@frozen
class Load(Ask[Mapping[Key, Held]]):
    """Rows, locked until the flow commits or ends, where the storage can lock."""

    keys: Collection[Key]


@frozen
class Read(Ask[Mapping[Key, Held]]):
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
class Claim(Ask[Sequence[Parcelled]]):
    """Lease due messages."""

    limit: int
    topics: Collection[str] | None = None


@frozen
class Done(Ask[None]):
    """Messages whose effects are carried out."""

    parcels: Sequence[Parcelled]


@frozen
class Retry(Ask[None]):
    """A message whose effect failed for now; due again after the delay."""

    parcel: Parcelled
    delay_seconds: int
    error: str


@frozen
class Bury(Ask[None]):
    """A message whose effect will never succeed."""

    parcel: Parcelled
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
