"""E07: an outage costs time and no label."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from small_shop import NOON, packed, small_shop

from orderflow import FixedClock, Key, MemoryCarrier, PortError
from orderflow.domain.engine.decide import Message
from orderflow.flows.relay import POLICIES
from orderflow.ports.carrier import Label, LabelRequest
from orderflow.ports.storage import Lease


class OutageCarrier(MemoryCarrier):
    """Raises until a time, and notes when it was asked."""

    def __init__(self, clock: FixedClock, ends: datetime, error: Exception) -> None:
        super().__init__()
        self.clock, self.ends, self.error = clock, ends, error
        self.asked: list[datetime] = []

    def buy_label(self, request: LabelRequest) -> Label:
        self.asked.append(self.clock.now())
        if self.clock.now() < self.ends:
            raise self.error
        return super().buy_label(request)


def outage(error: Exception, minutes: int) -> tuple[OutageCarrier, str]:
    """A worker every ten seconds through an outage and the two hours after it: the carrier, the shipment's state."""
    clock = FixedClock(NOON)
    carrier = OutageCarrier(clock, NOON + timedelta(minutes=minutes), error)
    shop = small_shop(clock=clock, carriers=[carrier])
    packed(shop, "o-1")
    while clock.now() < NOON + timedelta(minutes=minutes + 120):
        shop.relay()
        clock.advance(timedelta(seconds=10))
    return carrier, type(shop.shipments.get("o-1/1")).__name__


def test_e07_labels_are_bought_when_the_outage_ends() -> None:
    """Half an hour without the carrier: no dead letter, one label, and few calls in vain."""
    carrier, state = outage(ConnectionError("down"), 30)
    assert state == "Labelled"
    assert len(carrier.sold) == 1
    assert 3 <= len(carrier.asked) <= 60


def test_e07_a_carrier_that_names_a_pause_is_left_alone_for_it() -> None:
    """``retry_after_seconds`` of 120: nobody asks within the next two minutes."""
    carrier, state = outage(PortError("carrier", "too many requests", retry_after_seconds=120), 5)
    assert state == "Labelled"
    gaps = [(later - earlier).total_seconds() for earlier, later in zip(carrier.asked, carrier.asked[1:], strict=False)]
    assert min(gaps) >= 120


def test_e07_after_a_timeout_the_topic_rests() -> None:
    """A timeout opens the breaker: other shipments do not wait for the same silence, for a minute."""
    clock = FixedClock(NOON)
    carrier = OutageCarrier(clock, NOON + timedelta(minutes=1), TimeoutError("no answer"))
    shop = small_shop(clock=clock, carriers=[carrier])
    packed(shop, "o-1", "o-2", "o-3")
    for _ in range(6):
        shop.relay()
        clock.advance(timedelta(seconds=9))
    assert len(carrier.asked) == 1
    clock.advance(timedelta(seconds=60))
    shop.relay()
    assert len(carrier.sold) == 3


@pytest.mark.parametrize("asked", [10**12, -5, float("nan"), float("inf"), "120", True, None])
def test_e07_a_pause_without_sense_is_bounded(asked: Any) -> None:
    """Whatever pause a carrier names, the message is put off by a day at most, and the relay goes on."""
    carrier, state = outage(PortError("carrier", "too many requests", retry_after_seconds=asked), 5)
    assert state == "Labelled" or len(carrier.asked) == 1
    lease = Lease(Message("m", "buy_label", Key("main", "shipment", "o-1/1")), 1, 1, NOON)
    delay = POLICIES["buy_label"].delay_seconds(lease, PortError("carrier", "busy", retry_after_seconds=asked))
    assert 0 <= delay <= 86_400
