"""U05, U28: a promise of stock lasts as long as the shop says, for each order from its own time, and no longer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from small_shop import NOON, content, small_shop

from orderflow import (
    Ack,
    AllocationSettings,
    ConfirmOrder,
    FixedClock,
    MemoryStorage,
    OrderFlow,
    Policy,
    ReleaseHold,
    ShopSettings,
    SqliteStorage,
)
from orderflow.domain.orders.content import Gate, Hold, HoldReason, PayBefore
from orderflow.domain.orders.holding import PlaceHold
from orderflow.domain.shipping.planning import DropItems, PlanShipment, VoidShipment
from orderflow.domain.shipping.state import Item, Plan

Store = MemoryStorage | SqliteStorage
HOUR = timedelta(hours=1)
#: Promises for an hour.
SETTINGS = ShopSettings(allocation=AllocationSettings(hold_for=HOUR))
HELD = Hold(HoldReason.MANUAL, Gate.PREPARE)


def shop_of(storage: Store, units: int = 1) -> tuple[OrderFlow, FixedClock]:
    """A small shop and its clock."""
    clock = FixedClock(NOON)
    return small_shop(storage, units=units, clock=clock, settings=SETTINGS), clock


def confirmed(shop: OrderFlow, order: str, units: int = 1, **policy: Any) -> None:
    """An order that is confirmed."""
    shop.receive(order, content(units, external_id=order, policy=Policy(**policy)))
    shop.handle(order, ConfirmOrder())


def held(shop: OrderFlow, *orders: str) -> list[tuple[int, int, int]]:
    """Units of each order that are allocated, wait, or are open."""
    found = []
    for order in orders:
        progress = shop.orders.get(order).progress  # type: ignore[union-attr]
        found.append((progress.tally.allocated, progress.tally.backordered, progress.lines[0].open))
    return found


def settle(shop: OrderFlow) -> None:
    """Relay until nothing is left to carry out."""
    while shop.relay().taken:
        pass


def test_u05_each_order_has_its_own_hour(storage: Store) -> None:
    """Orders at noon and half an hour later: each is held for an hour."""
    shop, clock = shop_of(storage, units=2)
    for order in ("a", "b"):
        confirmed(shop, order)
        shop.allocate(order)
        clock.advance(HOUR / 2)
    assert [r.key.id for r in shop.expire() if isinstance(r, Ack)] == ["a"]
    assert held(shop, "a", "b") == [(0, 0, 1), (1, 0, 0)]
    clock.advance(HOUR / 2)
    assert [r.key.id for r in shop.expire() if isinstance(r, Ack)] == ["b"]


def test_u05_the_expired_go_back_first_without_a_sweeper(storage: Store) -> None:
    """Nobody has swept: another order that asks gets what an ended promise held, in one commit; a live one stays."""
    shop, clock = shop_of(storage, units=2)
    for order in ("a", "b"):
        confirmed(shop, order)
        shop.allocate(order)
        clock.advance(HOUR / 2)
    confirmed(shop, "c", 2)
    shop.allocate("c")
    assert held(shop, "a", "b", "c") == [(0, 0, 1), (1, 0, 0), (1, 1, 0)]


def test_u05_advancing_takes_ended_promises_too(storage: Store) -> None:
    """The same when an order advances by itself."""
    shop, clock = shop_of(storage)
    confirmed(shop, "a")
    shop.allocate("a")
    clock.advance(HOUR)
    shop.receive("b", content(external_id="b"))
    shop.advance("b")
    assert (type(shop.orders.get("b")).__name__, held(shop, "a")) == ("Preparing", [(0, 0, 1)])


def test_u05_a_promise_that_is_over_is_not_used(storage: Store) -> None:
    """Even if nobody has given it back, it can no longer be prepared."""
    shop, clock = shop_of(storage)
    confirmed(shop, "a")
    shop.allocate("a")
    clock.advance(HOUR)
    refused = shop.explain("a/1", PlanShipment((Item("a", 1, "main", 1),), Plan("memory")))
    assert [refusal.code for refusal in refused] == ["not_allocated"]


def test_u05_who_is_served_from_the_queue_has_its_hour_too(storage: Store) -> None:
    """A waiting order is filled when a promise before it ends, for as long as its promises last."""
    shop, clock = shop_of(storage)
    for order in ("a", "b"):
        confirmed(shop, order)
        shop.allocate(order)
    clock.advance(HOUR)
    shop.expire()
    settle(shop)
    assert held(shop, "a", "b") == [(0, 0, 1), (1, 0, 0)]
    assert shop.orders.get("b").progress.lines[0].allocated[0].until == NOON + 2 * HOUR  # type: ignore[union-attr]


def test_u28_an_unpaid_order_is_held_once(storage: Store) -> None:
    """Expired, advanced, expired, advanced, while it is unpaid: an hour in all, not six."""
    shop, clock = shop_of(storage)
    confirmed(shop, "a", pay_before=PayBefore.PREPARE)
    minutes = 0
    for _ in range(36):
        shop.expire()
        shop.advance("a")
        minutes += 10 * held(shop, "a")[0][0]
        clock.advance(HOUR / 6)
    assert minutes == 60
    assert shop.orders.get("a").progress.lapsed  # type: ignore[union-attr]
    assert isinstance(shop.allocate("a")[0], Ack)
    assert not shop.orders.get("a").progress.lapsed  # type: ignore[union-attr]


def test_u28_it_goes_on_when_what_it_waits_for_has_come(storage: Store) -> None:
    """Held at preparing until its promise ended: once the hold is lifted, it advances by itself."""
    shop, clock = shop_of(storage)
    confirmed(shop, "a")
    shop.handle("a", PlaceHold(HELD))
    shop.advance("a")
    clock.advance(HOUR)
    shop.expire()
    shop.advance("a")
    assert held(shop, "a") == [(0, 0, 1)]
    shop.handle("a", ReleaseHold(HELD.reason, HELD.gate))
    shop.advance("a")
    assert type(shop.orders.get("a")).__name__ == "Preparing"


def test_u05_units_that_come_out_of_a_parcel_are_promised_anew(storage: Store) -> None:
    """Voided after two hours, and dropped: their hour begins when they come out, and is over an hour later."""
    shop, clock = shop_of(storage, units=2)
    for order in ("a", "b"):
        confirmed(shop, order)
        shop.allocate(order)
        shop.handle(f"{order}/1", PlanShipment((Item(order, 1, "main", 1),), Plan("memory")))
    clock.advance(2 * HOUR)
    assert shop.expire() == []
    shop.handle("a/1", VoidShipment())
    shop.handle("b/1", DropItems((Item("b", 1, "main", 1),)))
    assert held(shop, "a", "b") == [(1, 0, 0), (1, 0, 0)]
    clock.advance(HOUR / 2)
    assert shop.expire() == []
    clock.advance(HOUR / 2)
    assert [r.key.id for r in shop.expire() if isinstance(r, Ack)] == ["a", "b"]


def test_u05_an_order_that_is_not_there_takes_no_promise(storage: Store) -> None:
    """A promise has ended, and nobody is there who wants its units."""
    shop, clock = shop_of(storage)
    confirmed(shop, "a")
    shop.allocate("a")
    clock.advance(2 * HOUR)
    [answer] = shop.allocate("nobody")
    assert not isinstance(answer, Ack)
    assert held(shop, "a") == [(1, 0, 0)]
