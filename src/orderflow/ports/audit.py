"""Auditing: everything a storage holds, streamed row by row, to be checked against the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import Key

__all__ = ["AuditSource", "Cited", "Logged", "Sent", "Stored", "Stream", "Unreadable"]


class Unreadable(NamedTuple):
    """Stands in for an event or a state that cannot be read."""

    error: str


class Cited(NamedTuple):
    """The command an event cites: the row it was for, what it was decided with, and its name."""

    key: Key
    stamp: Stamp
    workflow: str
    command: str


class Logged(NamedTuple):
    """A journal entry. ``cited`` is None where its command is missing or unreadable.

    ``event`` is None where the storage keeps no content (the vault), and may be :class:`Unreadable`.
    """

    version: int
    event: Any
    cited: Cited | None


class Stored(NamedTuple):
    """A row as it stands. ``stale_columns`` names the columns that disagree with the state."""

    version: int
    state: Any
    stale_columns: tuple[str, ...] = ()


class Stream(NamedTuple):
    """Everything about one row: its entries by version, and how to read the row itself once they are consumed."""

    key: Key
    entries: Iterator[Logged]
    stored: Callable[[], Stored | None]


class Sent(NamedTuple):
    """A message of the outbox, done or not: the version of the event that it is an effect of, and what it says."""

    version: int
    topic: str
    lane: Key
    data: tuple[tuple[str, str], ...]


class AuditSource(Protocol):
    """A storage seen as a whole, for one tenant, as of one moment."""

    def kinds(self) -> Sequence[str]:
        """The kinds found in the journal or among the rows, in a fixed order."""
        ...

    def streams(self, kind: str) -> Iterator[Stream]:
        """Every row of a kind that has a journal, a stored state, or both, by id. One is read at a time."""
        ...

    def messages(self, key: Key) -> Sequence[Sent]:
        """The messages whose ids say that they are effects of this row's events, in any order."""
        ...

    def messages_without_event(self) -> Iterator[str]:
        """Ids of messages that name no event of the journal."""
        ...

    def command_faults(self) -> Iterator[str]:
        """A sentence for each command that no event of its row cites, or whose version is not the one it led to."""
        ...

    def commands(self) -> int:
        """How many commands are remembered."""
        ...

    def foreign_tenant(self) -> int:
        """How many entries cite a command of another tenant."""
        ...

    def faults(self) -> Iterator[str]:
        """What the storage finds wrong with itself."""
        ...
