"""Leases are renewed while adapters work: by one thread a shop, which ends with it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

from orderflow.adapters.clock import SystemClock
from orderflow.adapters.ids import SequenceIds
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.engine.decide import Message
from orderflow.errors import Key
from orderflow.ports.storage import Lease
from orderflow.runtime import Ports

PATIENCE_SECONDS = 20


class Watched(MemoryStorage):
    """Notes which leases are renewed."""

    def __init__(self) -> None:
        super().__init__()
        self.renewed: set[str] = set()

    def renew(self, lease: Lease, until: datetime) -> None:
        """Only noted: nothing was posted."""
        self.renewed.add(lease.message.id)


def ports_on(storage: Any, lease_seconds: int) -> Ports:
    """Ports without adapters."""
    return Ports(storage, [], [], None, SystemClock(), SequenceIds(), lease_seconds)


def lease_of(message: str) -> Lease:
    """A lease of a message of that id."""
    return Lease(Message(message, "notify", Key("main", "order", "o-1")), 1, 1, datetime.now(UTC))


def threads() -> list[threading.Thread]:
    """The threads that renew leases."""
    return [thread for thread in threading.enumerate() if thread.name == "orderflow-leases"]


def waited_for(condition: Any) -> bool:
    """Whether it comes about in time."""
    end = monotonic() + PATIENCE_SECONDS
    while not condition() and monotonic() < end:
        sleep(0.01)
    return bool(condition())


def test_one_thread_renews_all_that_a_shop_sends_and_ends_with_it() -> None:
    """Two sendings at once share a thread; where the shop is gone, so is the thread, and nothing else is renewed."""
    before, storage = threads(), Watched()
    ports = ports_on(storage, lease_seconds=1)
    with ports.renewer.keeping(lease_of("m-1")), ports.renewer.keeping(lease_of("m-2")):
        [thread] = [thread for thread in threads() if thread not in before]
        assert waited_for(lambda: storage.renewed == {"m-1", "m-2"})
    with ports.renewer.keeping(lease_of("m-3")):
        assert [thread] == [thread for thread in threads() if thread not in before]
    del ports
    assert waited_for(lambda: not thread.is_alive())


def test_what_is_sent_is_renewed_no_more() -> None:
    """A lease is renewed while its sending lasts, and not after."""
    storage = Watched()
    ports = ports_on(storage, lease_seconds=1)
    with ports.renewer.keeping(lease_of("m-1")):
        pass
    with ports.renewer.keeping(lease_of("m-2")):
        assert waited_for(lambda: "m-2" in storage.renewed)
    assert storage.renewed == {"m-2"}


def test_a_lease_of_no_length_needs_no_thread() -> None:
    """Where nobody else works the file, nothing is renewed."""
    before, ports = threads(), ports_on(Watched(), lease_seconds=0)
    with ports.renewer.keeping(lease_of("m-1")):
        assert [thread for thread in threads() if thread not in before] == []
