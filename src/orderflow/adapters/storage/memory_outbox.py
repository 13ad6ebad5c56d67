"""The outbox of the in-memory storage: leases, fencing tokens, dead letters."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from attrs import define

from orderflow.adapters.storage.conditions import check_limit
from orderflow.domain.engine.decide import Message
from orderflow.errors import Key, NotFound, StorageError
from orderflow.ports.storage import Lease


@define
class Posted:
    """A message and its status. It may be leased from ``due`` on; a lease moves that to when it runs out."""

    message: Message
    due: datetime
    since: datetime | None = None
    sending: bool = False
    standing: str = "pending"
    attempts: int = 0
    token: int = 0
    error: str = ""


class MemoryOutbox:
    """Keeps the messages of one tenant, in commit order."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self._lock = threading.RLock()
        self._posted: dict[str, Posted] = {}

    def due(self, now: datetime) -> Collection[str]:
        """The topics with a message that may be leased."""
        with self._lock:
            return {posted.message.topic for posted in self._heads() if posted.due <= now}

    def lease(
        self, topic: str, limit: int, now: datetime, until: datetime, done: Collection[str] = ()
    ) -> Sequence[Lease]:
        """Mark messages done, then lease up to ``limit`` due messages of a topic, the longest overdue first."""
        check_limit(limit)
        with self._lock:
            self._answer(done)
            ready = [posted for posted in self._heads() if posted.message.topic == topic and posted.due <= now]
            return [_begun(posted, now, until) for posted in sorted(ready, key=_due)[:limit]]

    def renew(self, lease: Lease, until: datetime) -> None:
        """Extend a lease. Ignored if it was lost."""
        with self._lock:
            for posted in self._held(lease):
                posted.due = until

    def retry(self, lease: Lease, due: datetime, error: str) -> None:
        """Make the message due again at ``due``. Ignored if the lease was lost."""
        with self._lock:
            for posted in self._held(lease):
                posted.due, posted.error, posted.token, posted.sending = due, error, posted.token + 1, False

    def dead_letter(self, lease: Lease, now: datetime, error: str) -> None:
        """Give up on the message. Ignored if the lease was lost."""
        with self._lock:
            for posted in self._held(lease):
                posted.standing, posted.error = "dead", error

    def dead_letters(self, limit: int = 100) -> Sequence[tuple[Message, str]]:
        """The oldest dead letters, each with its last error."""
        check_limit(limit)
        with self._lock:
            return [(p.message, p.error) for p in self._posted.values() if p.standing == "dead"][:limit]

    def requeue(self, message_id: str, now: datetime) -> None:
        """Make a dead letter due again, as if it had never been sent.

        Raises:
            NotFound: no dead letter has that id.
        """
        with self._lock:
            posted = self._posted.get(message_id)
            if posted is None or posted.standing != "dead":
                raise NotFound(Key(self._tenant, "message", message_id))
            del self._posted[message_id]
            self._posted[message_id] = Posted(posted.message, now, token=posted.token + 1, error=posted.error)

    def pending(self) -> int:
        """Messages neither done nor dead."""
        with self._lock:
            return sum(posted.standing == "pending" for posted in self._posted.values())

    def _heads(self) -> Iterator[Posted]:
        """The first unfinished message of each lane."""
        lanes: set[tuple[Key, str]] = set()
        for posted in self._posted.values():
            lane = posted.message.lane, posted.message.topic
            if posted.standing == "pending" and lane not in lanes:
                lanes.add(lane)
                yield posted

    def _held(self, lease: Lease) -> list[Posted]:
        """The message, if the lease is still valid."""
        posted = self._posted.get(lease.message.id)
        lost = posted is None or posted.standing != "pending" or posted.token != lease.token
        return [] if posted is None or lost else [posted]

    def _check_new(self, messages: Sequence[Message]) -> None:
        ids = [message.id for message in messages]
        if len(set(ids)) < len(ids) or not self._posted.keys().isdisjoint(ids):
            raise StorageError("a message with that id is already in the outbox", retry=False)

    def _post(self, messages: Iterable[Message], due: datetime) -> None:
        for message in messages:
            self._posted[message.id] = Posted(message, due)

    def _answer(self, message_ids: Iterable[str]) -> None:
        for message_id in message_ids:
            if message_id in self._posted:
                self._posted[message_id].standing = "done"


def _due(posted: Posted) -> datetime:
    return posted.due


def _begun(posted: Posted, now: datetime, until: datetime) -> Lease:
    abandoned, posted.since = posted.sending, posted.since or now
    posted.due, posted.attempts, posted.token, posted.sending = until, posted.attempts + 1, posted.token + 1, True
    return Lease(posted.message, posted.attempts, posted.token, posted.since, abandoned)
