"""Orders that go on by themselves."""

from __future__ import annotations

import pytest
from tea_shop import BY_HAND, Shop, content

from orderflow.domain.orders.content import Gate, Hold, HoldReason
from orderflow.domain.orders.holding import PlaceHold
from orderflow.domain.orders.placing import OpenDraft
from orderflow.errors import InputError, NotFound
from orderflow.flows.advance import ShopSettings
from orderflow.flows.allocate import AllocationSettings


def test_advancing_stops_at_what_needs_hands() -> None:
    """Advance says where it stopped and why; a draft and a completed order have no step to take."""
    shop = Shop().placed(1).tell("O", PlaceHold(Hold(HoldReason.FRAUD, Gate.CONFIRM)))
    stopped = shop.advance("O")
    assert (stopped.state, stopped.acks, [refusal.code for refusal in stopped.refusals]) == ("Placed", (), ["on_hold"])
    shop.tell("D", OpenDraft(content(1)))
    assert shop.advance("D").refusals == ()
    assert shop.plan_shipments("O") == []


def test_an_order_that_is_not_there_is_not_advanced() -> None:
    """Advancing an order that nobody placed is NotFound."""
    with pytest.raises(NotFound, match="no order 'X'"):
        Shop().advance("X")


def test_advancing_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order goes a bounded number of steps in one call."""
    shop = Shop().stocked(main=1).placed(1)
    monkeypatch.setattr("orderflow.flows.advance.STEP_LIMIT", 1)
    assert len(shop.advance("O").acks) == 1
    assert shop.state == "Confirmed"


def test_settings_that_would_make_bad_commands_make_no_shop() -> None:
    """Settings are checked when the shop is made, not when an order fails by them."""
    with pytest.raises(InputError, match=r"settings\.series"):
        Shop(ShopSettings(AllocationSettings(), BY_HAND, series=""))
    with pytest.raises(InputError, match=r"settings\.allocation\.locations"):
        Shop(ShopSettings(AllocationSettings(()), BY_HAND))
