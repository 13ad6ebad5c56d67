"""E03: an answer that the rules refuse, alone in its round, never leaves the relay."""

from __future__ import annotations

from datetime import timedelta

from small_shop import packed, small_shop

from orderflow import MemoryCarrier, MemoryStorage, SqliteStorage
from orderflow.domain.engine.machine import refuse
from orderflow.domain.shipping.labelling import RecordLabel
from orderflow.domain.workflow.table import standard_workflow


def test_e03_a_refused_answer_is_retried_then_dead(storage: MemoryStorage | SqliteStorage) -> None:
    """A rule of the shop refuses the label that was bought: the effect is tried again until its deadline."""
    never = lambda state, command, stamp: refuse("no_labels", "labels are not taken")  # noqa: E731
    workflow = standard_workflow().guarded(RecordLabel, never)
    carrier = MemoryCarrier()
    shop = small_shop(storage, workflow=workflow, carriers=[carrier])
    packed(shop, "o-1")
    while shop.relay().done:
        pass
    for _ in range(40):
        shop._ports.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
        shop.relay()
    [(message, error, *_)] = shop.storage.dead_letters()
    assert (message.topic, message.lane.id) == ("buy_label", "o-1/1")
    assert "no_labels" in error or "labels are not taken" in error
    assert len(carrier.sold) == 1
