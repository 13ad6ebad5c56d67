"""The pace the goldens were recorded at: one message of each row in a call of the relay, fixed delays, eight attempts.

The library hands out more in a call, by lanes of row and topic, and spreads its delays by chance. How fast messages
go is no part of what is compared; what each does is. So the drivers hand them out one by one, as they went then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from house import FixedClock, Key, Lease, MemoryStorage, OrderFlow, Posted, RelayReport

CLAIMED = 100
ATTEMPTS = 8
FIRST_DELAY_SECONDS = 10


class PacedStorage(MemoryStorage):
    """A storage in memory that hands out the message that it is told to, and puts off by the delays of old."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__()
        self._clock = clock
        self._next: str = ""
        self.given_up = 0

    def claimed(self) -> list[str]:
        """The ids of the first unfinished message of each row, where it is due, oldest first."""
        first: dict[Key, Posted] = {}
        for posted in self._posted.values():
            if posted.standing == "pending":
                first.setdefault(posted.message.lane, posted)
        now = self._clock.now()
        return [posted.message.id for posted in first.values() if posted.due <= now][:CLAIMED]

    def hand_out(self, message_id: str) -> None:
        """Let the next call of the relay find this message, and no other."""
        self._next = message_id

    def _heads(self) -> Iterator[Posted]:
        posted = self._posted[self._next]
        if posted.standing == "pending":
            yield posted

    def retry(self, lease: Lease, due: datetime, error: str) -> None:
        """Put off twice as long each time; after the last attempt the message is given up."""
        if lease.attempts >= ATTEMPTS:
            self.given_up += 1
            self.dead_letter(lease, self._clock.now(), error)
        else:
            delay = timedelta(seconds=FIRST_DELAY_SECONDS * 2 ** (lease.attempts - 1))
            super().retry(lease, self._clock.now() + delay, error)


def relay(shop: OrderFlow) -> RelayReport:
    """What one call of the relay did, on a paced storage."""
    storage, done, retried, dead = shop.storage, 0, 0, 0
    assert isinstance(storage, PacedStorage)
    before = storage.given_up
    for message_id in storage.claimed():
        storage.hand_out(message_id)
        report = shop.relay()
        done, retried, dead = done + report.done, retried + report.retried, dead + report.dead
    given_up = storage.given_up - before
    return RelayReport(done, retried - given_up, dead + given_up)
