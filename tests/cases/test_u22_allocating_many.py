"""U22: many who want the same stock at once."""

from __future__ import annotations

import threading

from small_shop import content, small_shop

from orderflow import Ack, ConfirmOrder, MemoryStorage, SqliteStorage


def test_u22_an_order_named_twice_is_allocated_once() -> None:
    """The same order twice in one call: one allocation, the same answer twice, and another order is not starved."""
    shop = small_shop(units=2)
    for order in ("o-1", "o-2"):
        shop.receive(order, content(external_id=order))
        shop.handle(order, ConfirmOrder())
    first, again, other = shop.allocate("o-1", "o-1", "o-2")
    assert isinstance(first, Ack)
    assert first == again
    assert isinstance(other, Ack)
    assert shop.stock.level("TEA").available == 0
    assert [shop.orders.get(order).progress.tally.allocated for order in ("o-1", "o-2")] == [1, 1]  # type: ignore[union-attr]


def test_u22_twenty_at_once_on_stock_for_seven(storage: MemoryStorage | SqliteStorage) -> None:
    """Twenty threads: seven orders get a unit, thirteen wait in the queue, none fails."""
    shop = small_shop(storage, units=7)
    orders = [f"o-{number}" for number in range(20)]
    for order in orders:
        shop.receive(order, content(external_id=order))
        shop.handle(order, ConfirmOrder())
    results: list[object] = []
    threads = [threading.Thread(target=lambda order=order: results.extend(shop.allocate(order))) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(result, Ack) for result in results)
    tallies = [shop.orders.get(order).progress.tally for order in orders]  # type: ignore[union-attr]
    assert sum(tally.allocated for tally in tallies) == 7
    assert sum(tally.backordered for tally in tallies) == 13
    level = shop.stock.level("TEA")
    assert (level.on_hand, level.available) == (7, 0)
