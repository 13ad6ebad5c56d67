"""E02: two workers at one outbox send each message once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from small_shop import NOON, content, small_shop

from orderflow import MemoryStorage, OrderFlow, SqliteStorage
from orderflow.adapters.storage import outbox
from orderflow.domain.parties.party import Person
from orderflow.ports.notifier import Notice
from orderflow.ports.storage import Lease


class SlowPost:
    """Takes its time, and counts what it was asked to send."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.sent = seconds, Counter[str]()
        self._lock = threading.Lock()

    def send(self, notice: Notice) -> None:
        with self._lock:
            self.sent[notice.id] += 1
        time.sleep(self.seconds)


def test_e02_two_workers_send_each_notice_once(storage: MemoryStorage | SqliteStorage) -> None:
    """Leases are taken one sending at a time, so slow sendings never outlast them: the worst case, a lease of 3 s."""
    post = SlowPost(0.03)
    shops = [small_shop(storage, notifier=post, lease_seconds=3), small_shop(storage, notifier=post, lease_seconds=3)]
    for number in range(200):
        shops[0].receive(f"o-{number}", content(external_id=f"o-{number}"))

    def work(shop: OrderFlow) -> None:
        while shop.relay(50).taken:
            pass

    workers = [threading.Thread(target=work, args=(shop,)) for shop in shops]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(post.sent) == 200
    assert set(post.sent.values()) == {1}


def test_e02_a_sending_longer_than_its_lease_is_renewed() -> None:
    """An adapter that works for longer than the lease keeps its message; nobody else sends it meanwhile."""
    storage, post = MemoryStorage(), SlowPost(6)
    shops = [
        OrderFlow(storage, notifier=post, lease_seconds=3),
        OrderFlow(storage, notifier=post, lease_seconds=3),
    ]
    shops[0].record_party("ann", Person("Ann", email="ann@example.org"))
    shops[0].receive("o-1", content())
    first = threading.Thread(target=shops[0].relay)
    first.start()
    while first.is_alive():
        shops[1].relay()
        time.sleep(0.1)
    assert set(post.sent.values()) == {1}


def test_e02_what_another_process_has_taken_meanwhile_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have found the message due; the lease is one conditional write, and the second of them gets nothing."""
    with closing(SqliteStorage(tmp_path / "shop.db")) as ours, closing(SqliteStorage(tmp_path / "shop.db")) as theirs:
        small_shop(ours).receive("o-1", content())
        now, until = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
        begun, taken = outbox._begun, list[Lease]()

        def too_late(*arguments: Any) -> Any:
            monkeypatch.setattr(outbox, "_begun", begun)
            taken.extend(theirs.lease("notify", 1, now, until))
            return begun(*arguments)

        monkeypatch.setattr(outbox, "_begun", too_late)
        assert (ours.lease("notify", 1, now, until), len(taken)) == ([], 1)
