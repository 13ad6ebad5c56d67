"""The outbox of the in-memory storage: leases, fencing tokens, dead letters."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import count

from attrs import define

from orderflow.adapters.storage.conditions import check_limit
from orderflow.domain.engine.decide import Message
from orderflow.errors import Key, NotFound, StorageError
from orderflow.ports.storage import DeadLetter, Lease


@define
class Posted:
    """A message and its status. It may be leased from ``due`` on; a lease moves that to when it runs out.

    ``n`` grows with each message and each requeueing; ``dead_at`` is when it was given up.
    """

    message: Message
    due: datetime
    n: int
    since: datetime | None = None
    sending: bool = False
    standing: str = "pending"
    attempts: int = 0
    token: int = 0
    error: str = ""
    maybe_sent: bool = False
    dead_at: datetime | None = None


class MemoryOutbox:
    """Keeps the messages of one tenant, in commit order."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self._lock = threading.RLock()
        self._posted: dict[str, Posted] = {}
        self._numbers = count(1)

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

    def retry(self, lease: Lease, due: datetime, error: str, *, maybe_sent: bool = True) -> None:
        """Make the message due again at ``due``. Ignored if the lease was lost."""
        with self._lock:
            for posted in self._held(lease):
                posted.due, posted.error, posted.token, posted.sending = due, error, posted.token + 1, False
                posted.maybe_sent = maybe_sent

    def dead_letter(self, lease: Lease, now: datetime, error: str, *, maybe_sent: bool = True) -> None:
        """Give up on the message. Ignored if the lease was lost."""
        with self._lock:
            for posted in self._held(lease):
                posted.standing, posted.error, posted.dead_at, posted.maybe_sent = "dead", error, now, maybe_sent

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
        """The oldest dead letters that meet all conditions."""
        check_limit(limit)
        with self._lock:
            dead = [
                DeadLetter(posted.message, posted.error, posted.dead_at, posted.maybe_sent, posted.n)
                for posted in self._posted.values()
                if posted.standing == "dead" and posted.dead_at is not None and posted.n > cursor
            ]
        return [
            letter
            for letter in dead
            if topic in ("", letter.message.topic)
            and (since is None or letter.at >= since)
            and lane in (None, letter.message.lane)
            and message_id in ("", letter.message.id)
        ][:limit]

    def requeue(self, message_id: str, now: datetime) -> None:
        """Make a dead letter due again, at the end of its lane, with all its attempts to come.

        Raises:
            NotFound: no dead letter has that id.
        """
        with self._lock:
            posted = self._dead(message_id)
            del self._posted[message_id]
            self._posted[message_id] = Posted(
                posted.message,
                now,
                next(self._numbers),
                token=posted.token + 1,
                error=posted.error,
                maybe_sent=posted.maybe_sent,
            )

    def discard(self, message_id: str, now: datetime, by: str) -> None:
        """Close a dead letter; its error says who closed it.

        Raises:
            NotFound: no dead letter has that id.
        """
        with self._lock:
            posted = self._dead(message_id)
            posted.standing, posted.error = "done", f"discarded by {by}: {posted.error}"

    def _dead(self, message_id: str) -> Posted:
        posted = self._posted.get(message_id)
        if posted is None or posted.standing != "dead":
            raise NotFound(Key(self._tenant, "message", message_id))
        return posted

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
            self._posted[message.id] = Posted(message, due, next(self._numbers))

    def _answer(self, message_ids: Iterable[str]) -> None:
        for message_id in message_ids:
            if message_id in self._posted:
                self._posted[message_id].standing = "done"


def _due(posted: Posted) -> datetime:
    return posted.due


def _begun(posted: Posted, now: datetime, until: datetime) -> Lease:
    abandoned, maybe_sent, posted.since = posted.sending, posted.maybe_sent, posted.since or now
    posted.due, posted.attempts, posted.token = until, posted.attempts + 1, posted.token + 1
    posted.sending = posted.maybe_sent = True
    return Lease(posted.message, posted.attempts, posted.token, posted.since, abandoned, maybe_sent)
