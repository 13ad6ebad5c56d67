"""U14: what staff have settled of a changed order is not raised again by the next poll."""

from __future__ import annotations

from small_shop import content, small_shop

from orderflow import Changed, Gate, HoldReason, MemoryStorage, OrderFlow, ReleaseHold, SqliteStorage, Unchanged

RELEASE = ReleaseHold(HoldReason.CHANNEL_CHANGED, Gate.PREPARE)


def holds(shop: OrderFlow) -> int:
    """How many holds the order has."""
    return len(shop.orders.get("O").progress.holds)  # type: ignore[union-attr]


def test_u14_each_content_holds_once(storage: MemoryStorage | SqliteStorage) -> None:
    """Held, released, polled twice with the same: not held again; another content holds, and neither comes back."""
    shop = small_shop(storage)
    shop.receive("O", content(1, external_id="7"))
    for units in (2, 3):
        assert isinstance(shop.receive("P", content(units, external_id="7")), Changed)
        assert holds(shop) == 1
        shop.handle("O", RELEASE)
        for _ in range(2):
            assert isinstance(shop.receive("P", content(units, external_id="7")), Changed)
            assert holds(shop) == 0
    assert isinstance(shop.receive("P", content(1, external_id="7")), Unchanged)
    shop.receive("P", content(2, external_id="7"))
    assert holds(shop) == 0


def test_u14_a_second_change_while_the_first_is_held(storage: MemoryStorage | SqliteStorage) -> None:
    """One hold is enough until somebody has looked."""
    shop = small_shop(storage)
    shop.receive("O", content(1, external_id="7"))
    for units in (2, 3):
        assert isinstance(shop.receive("P", content(units, external_id="7")), Changed)
    assert holds(shop) == 1


def test_u14_the_same_change_of_two_orders_holds_each(storage: MemoryStorage | SqliteStorage) -> None:
    """What is settled for one order is not settled for another."""
    shop = small_shop(storage)
    for order, number in (("N", "6"), ("O", "7")):
        shop.receive(order, content(1, external_id=number))
        shop.receive("P", content(2, external_id=number))
    assert holds(shop) == 1
