"""E16: a worker that is stopped while it sends ends at once, and costs the others nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from small_shop import packed, small_shop

from orderflow import MemoryCarrier
from orderflow.ports.carrier import Label, LabelRequest


class StoppingCarrier(MemoryCarrier):
    """Is interrupted at its first call, after the label was sold."""

    def __init__(self, stop: BaseException | None) -> None:
        super().__init__()
        self.stop = stop

    def buy_label(self, request: LabelRequest) -> Label:
        label = super().buy_label(request)
        if self.stop:
            stop, self.stop = self.stop, None
            raise stop
        return label


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(143)])
def test_e16_a_stopped_sending_is_unknown_and_the_rest_untouched(stop: BaseException) -> None:
    """The interrupt comes through; the message in flight counts an attempt, the others none, and all end well.

    It is due again like any that failed, long before its lease would have run out.
    """
    carrier = StoppingCarrier(stop)
    shop = small_shop(carriers=[carrier])
    packed(shop, "o-1", "o-2", "o-3")
    with pytest.raises(type(stop)):
        shop.relay()
    clock = shop._ports.clock
    clock.advance(timedelta(seconds=10))  # type: ignore[attr-defined]
    until = clock.now() + timedelta(minutes=1)
    leases = shop.storage.lease("buy_label", 10, clock.now(), until)
    assert sorted((lease.message.lane.id, lease.attempts) for lease in leases) == [
        ("o-1/1", 2),
        ("o-2/1", 1),
        ("o-3/1", 1),
    ]
    clock.advance(timedelta(minutes=2))  # type: ignore[attr-defined]
    shop.relay()
    assert {type(shop.shipments.get(f"o-{n}/1")).__name__ for n in (1, 2, 3)} == {"Labelled"}
    assert len(carrier.sold) == 3
