"""Storage: rows by key with versions, a journal, remembered commands and an outbox, committed as one batch.

The batch is a value: a storage stores all of it in one transaction, or none of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Annotated, Any, Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from orderflow.domain.engine.bounds import Between, FreeText, Name
from orderflow.domain.engine.decide import Entry, Loaded, Message
from orderflow.domain.engine.record import Record
from orderflow.domain.parties.searching import SearchTerm
from orderflow.errors import Fault, Key

__all__ = [
    "VAULT",
    "Ack",
    "Batch",
    "CommandRecord",
    "Cursor",
    "DeadLetter",
    "Feed",
    "KnownCommand",
    "Lease",
    "Outbox",
    "Queries",
    "Query",
    "Recorded",
    "Redacted",
    "Row",
    "Storage",
    "UnitOfWork",
    "Write",
]


S = TypeVar("S")

#: The most rows that one query returns.
MAX_FOUND: Final = 1000

Cursor = Annotated[int, Between(0, 2**63 - 1)]
Column = Annotated[int, Between(-(2**63), 2**63 - 1)]


class Write(NamedTuple):
    """The new state of one row: stored only if the row is still at version ``expected``.

    ``version`` is ``expected`` plus the number of events, ``at`` when the last of them was recorded.
    """

    key: Key
    expected: int
    version: int
    state: Any
    at: datetime


class Ack(Record):
    """The answer to an accepted command: the row it was for, its version then, and when it was recorded."""

    command_id: str
    key: Key
    version: int
    at: datetime


class CommandRecord(Record):
    """An accepted command: what identifies a repetition, and what its journal entries share."""

    ack: Ack
    fingerprint: str
    actor: str
    command: str
    cause: str = ""
    workflow: str = ""
    occurred_at: datetime | None = None


class KnownCommand(NamedTuple):
    """What is remembered about a command id."""

    fingerprint: str
    ack: Ack


class Lease(NamedTuple):
    """A message handed to a worker, which sends it now.

    ``attempts`` counts the sendings begun, this one included; ``since`` is when the first of them began. ``token`` is a
    fencing token: an old lease can neither put the message off nor give it up. ``abandoned``: the sending before this
    one was neither answered nor put off, so its worker has stopped. ``maybe_sent``: one of those before may have
    reached the other side, even if the message was a dead letter since.
    """

    message: Message
    attempts: int
    token: int
    since: datetime
    abandoned: bool = False
    maybe_sent: bool = False


class DeadLetter(NamedTuple):
    """A message that was given up: its last error, and when. ``cursor`` continues a listing after it.

    ``maybe_sent``: a sending may have reached the other side.
    """

    message: Message
    error: str
    at: datetime
    maybe_sent: bool
    cursor: int


class Batch(Record):
    """One or more decisions in one commit; at most one write for each key.

    ``answered`` are the ids of messages that have been carried out: they are done with this commit, whoever holds their
    lease now. ``read`` holds the versions of rows that a decision relies on without changing them: they must still be
    at these versions.
    """

    commands: tuple[CommandRecord, ...]
    writes: tuple[Write, ...]
    entries: tuple[Entry, ...]
    messages: tuple[Message, ...] = ()
    answered: tuple[str, ...] = ()
    read: tuple[tuple[Key, int], ...] = ()


class UnitOfWork(Protocol):
    """One transaction. Leaving it without ``commit`` rolls back."""

    def known_commands(self, command_ids: Collection[str]) -> Mapping[str, KnownCommand]:
        """What is remembered of these command ids; unknown ones are left out."""
        ...

    def load(self, keys: Collection[Key]) -> Mapping[Key, Loaded]:
        """Every key's row, version 0 and ``ABSENT`` where there is none. May be called again for more keys."""
        ...

    def commit(self, batch: Batch) -> None:
        """Store the whole batch durably.

        Raises:
            ConcurrencyConflict: a row is not at its expected version, or a command id is already remembered.
            StorageError: it could not be stored; none of it is.
        """
        ...


class Outbox(Protocol):
    """The messages of committed batches: delivered at least once, put off when they fail, or listed as dead.

    Messages of one topic to one row (a lane) go out in the order of their commits: only the first that is neither done
    nor dead may be leased.
    """

    def due(self, now: datetime) -> Collection[str]:
        """The topics of which a message may be leased."""
        ...

    def lease(
        self, topic: str, limit: int, now: datetime, until: datetime, done: Collection[str] = ()
    ) -> Sequence[Lease]:
        """Begin up to ``limit`` due messages of a topic, the longest due first: each is the worker's until ``until``.

        A message whose lease has run out is due again: its worker has stopped, or is presumed to have. ``done`` are the
        ids of messages that have been carried out: they are marked as done first, in the same commit, whoever holds
        their lease now.
        """
        ...

    def renew(self, lease: Lease, until: datetime) -> None:
        """Extend a lease; ignored if it was lost."""
        ...

    def retry(self, lease: Lease, due: datetime, error: str, *, maybe_sent: bool = True) -> None:
        """The effect failed or its outcome is unknown: due again at ``due``. Ignored if the lease was lost.

        ``maybe_sent`` says whether any sending so far may have reached the other side.
        """
        ...

    def dead_letter(self, lease: Lease, now: datetime, error: str, *, maybe_sent: bool = True) -> None:
        """Give the message up: a dead letter, listed until it is requeued or discarded; its lane goes on.

        Ignored if the lease was lost.
        """
        ...

    def dead_letters(
        self,
        limit: int = 100,
        *,
        cursor: int = 0,
        topic: str = "",
        since: datetime | None = None,
        lane: Key | None = None,
        message_id: str = "",
    ) -> Sequence[DeadLetter]:
        """Dead letters in the order of their commits: of a topic, given up since a time, of a row, or one by its id."""
        ...

    def requeue(self, message_id: str, now: datetime) -> None:
        """Make a dead letter due again, with all its attempts to come; whether it may have been sent stays known.

        Raises:
            NotFound: there is no dead letter with that id.
        """
        ...

    def discard(self, message_id: str, now: datetime, by: str) -> None:
        """Close a dead letter: it is done, and its error says who closed it.

        Raises:
            NotFound: there is no dead letter with that id.
        """
        ...

    def pending(self) -> int:
        """Messages neither done nor dead."""
        ...


#: The vault: kinds whose rows hold personal data. Their journal keeps that something happened, never what it said, so
#: the row is the only copy, and when it is erased nothing of it is left.
VAULT: Final = frozenset({"party"})


class Redacted(Record):
    """Stands in the journal for an event of the vault: the name of its class, and nothing of its content."""

    type: str


class Recorded(NamedTuple):
    """A journal entry as read back."""

    position: int
    key: Key
    version: int
    event: Any
    at: datetime
    actor: str
    command_id: str
    cause: str
    occurred_at: datetime | None
    workflow: str


class Feed(Protocol):
    """Reading the journal."""

    def history(self, key: Key) -> Iterator[Recorded]:
        """Every entry of one row, oldest first."""
        ...

    def entries(self, after: int, limit: int) -> Sequence[Recorded]:
        """Entries after a position in commit order, across all rows of the tenant."""
        ...


_Moment: TypeAlias = datetime | None


class Query(Record):
    """Which rows: those that meet all given conditions. ``text`` matches numbers, external ids, tags and customers.

    ``where`` compares columns of the kind exactly (see ``COLUMNS``); ``since``/``until`` bound the row's own date;
    ``due_by`` takes rows that fall due by then (an order's first expiring allocation, an invoice's due date).
    ``cursor`` continues a listing: only rows after it, in order of creation.
    """

    kind: Name
    status: tuple[Name, ...] = ()
    where: tuple[tuple[Name, FreeText | Column], ...] = ()
    since: _Moment = None
    until: _Moment = None
    due_by: _Moment = None
    tag: Name = ""
    text: Name = ""
    cursor: Cursor = 0
    limit: Annotated[int, Between(1, MAX_FOUND)] = 100

    def faults(self) -> Iterator[Fault]:
        """Times too early or too late to be written everywhere."""
        for name in ("since", "until", "due_by"):
            at = getattr(self, name)
            if at is not None and not 1000 <= at.year <= 9998:
                yield Fault(name, "out_of_range", "must be in the years 1000 to 9998")


class Row(NamedTuple, Generic[S]):
    """A row found by a query. ``cursor`` continues after it; ``at`` is when its latest event was recorded."""

    cursor: int
    key: Key
    version: int
    state: S
    at: datetime | None = None


class Queries(Protocol):
    """Reads outside any transaction."""

    def read(self, keys: Collection[Key]) -> Mapping[Key, Loaded]:
        """Every key's row as last committed, version 0 and ``ABSENT`` where there is none."""
        ...

    def find(self, query: Query) -> Sequence[Row[Any]]:
        """Up to ``query.limit`` rows in order of creation."""
        ...

    def sums(
        self, kind: str, columns: Sequence[str], by: Sequence[str] = ()
    ) -> Mapping[tuple[str, ...], tuple[int, ...]]:
        """Exact sums of integer columns, grouped; the column ``*`` counts rows."""
        ...

    def search(self, terms: Sequence[SearchTerm], after: str = "", limit: int = 100) -> Sequence[Key]:
        """Customers who use a party version with any of these terms: up to ``limit``, by id, those after ``after``.

        What is compared are the ``search_keys`` of rows as last committed, in code points; erased parties have none.
        """
        ...

    def movements(self) -> Mapping[tuple[str, str, str], int]:
        """All stock movements, summed: (SKU, location, event type) to units, as the events record them."""
        ...


class Storage(Outbox, Feed, Queries, Protocol):
    """All of it, for one tenant. A host may compose it from parts of its own."""

    @property
    def tenant(self) -> str:
        """Whose rows these are."""
        ...

    def unit(self) -> AbstractContextManager[UnitOfWork]:
        """Begin a transaction."""
        ...
