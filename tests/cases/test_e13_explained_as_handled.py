"""E13: what ``explain`` says is what ``handle`` would say, of the other rows too."""

from __future__ import annotations

import pytest
from small_shop import packed, small_shop

from orderflow import CommandRefused, Gate, HandOver, Hold, HoldReason, PlaceHold


def test_e13_a_ship_hold_on_the_order_is_explained_at_the_shipment() -> None:
    """Handing over is refused by the order; explaining it says so, with the same codes, and changes nothing."""
    shop = small_shop()
    packed(shop, "o-1")
    while shop.relay().done:
        pass
    shop.handle("o-1", PlaceHold(Hold(HoldReason.MANUAL, Gate.SHIP)))
    before = shop.shipments.get("o-1/1"), shop.orders.get("o-1")
    explained = [refusal.code for refusal in shop.explain("o-1/1", HandOver())]
    with pytest.raises(CommandRefused) as refused:
        shop.handle("o-1/1", HandOver())
    assert explained == list(refused.value.codes) == ["on_hold"]
    assert before == (shop.shipments.get("o-1/1"), shop.orders.get("o-1"))
