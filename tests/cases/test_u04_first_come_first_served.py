"""U04, U22, U27: whoever has waited longest gets what comes in; nobody else does, and nobody waits for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from small_shop import NOON, content, small_shop

from orderflow import (
    Ack,
    CancelUnits,
    ConfirmOrder,
    FixedClock,
    MemoryStorage,
    OrderFlow,
    Policy,
    ReceiveGoods,
    ReleaseHold,
    SqliteStorage,
)
from orderflow.domain.engine.machine import refuse
from orderflow.domain.inventory.counting import CountStock
from orderflow.domain.orders.allocating import AllocateStock, FillBackorder
from orderflow.domain.orders.content import CancelledBy, Gate, Hold, HoldReason
from orderflow.domain.orders.holding import PlaceHold
from orderflow.domain.shipping.planning import DropItems, PlanShipment, VoidShipment
from orderflow.domain.shipping.state import Item, Plan
from orderflow.domain.values import LineQuantity, Pick
from orderflow.domain.workflow.table import standard_workflow

Store = MemoryStorage | SqliteStorage
HELD = Hold(HoldReason.MANUAL, Gate.ALLOCATE)


def shop_of(storage: Store, units: int = 1) -> tuple[OrderFlow, FixedClock]:
    """A small shop and its clock."""
    clock = FixedClock(NOON)
    return small_shop(storage, units=units, clock=clock), clock


def waiting(shop: OrderFlow, clock: FixedClock, order: str, units: int, **policy: Any) -> None:
    """An order that is confirmed and allocated a minute after the one before it."""
    clock.advance(timedelta(minutes=1))
    shop.receive(order, content(units, external_id=order, policy=Policy(**policy)))
    shop.handle(order, ConfirmOrder())
    shop.allocate(order)


def held(shop: OrderFlow, *orders: str) -> list[tuple[int, int]]:
    """Units allocated to each order, and units it waits for."""
    tallies = [shop.orders.get(order).progress.tally for order in orders]  # type: ignore[union-attr]
    return [(tally.allocated, tally.backordered) for tally in tallies]


def settle(shop: OrderFlow) -> None:
    """Relay until nothing is left to carry out."""
    while shop.relay().taken:
        pass


def test_u04_what_comes_in_is_for_who_waits(storage: Store) -> None:
    """A waits for 3, and 3 come in; B asks before the filler has run, by a flow and by hand, and gets none of them."""
    shop, clock = shop_of(storage)
    waiting(shop, clock, "a", 4)
    shop.handle("TEA@main", ReceiveGoods(3))
    waiting(shop, clock, "b", 2)
    assert held(shop, "a", "b") == [(1, 3), (0, 2)]
    assert [r.code for r in shop.explain("b", FillBackorder((Pick(1, "main", 1),)))] == ["others_wait"]
    settle(shop)
    assert held(shop, "a", "b") == [(4, 0), (0, 2)]


def test_u04_an_order_serves_itself_when_it_is_alone(storage: Store) -> None:
    """What an order waits for itself does not stand in its way; somebody's word passes over others."""
    shop, clock = shop_of(storage)
    waiting(shop, clock, "a", 4)
    shop.handle("TEA@main", ReceiveGoods(2))
    assert isinstance(shop.allocate("a")[0], Ack)
    shop.handle("TEA@main", ReceiveGoods(1))
    shop.receive("b", content(1, external_id="b"))
    shop.handle("b", ConfirmOrder())
    shop.handle("b", AllocateStock((Pick(1, "main", 1),), skip_queue=True))
    assert held(shop, "a", "b") == [(3, 1), (1, 0)]


def test_u04_a_class_is_served_before_a_later_one(storage: Store) -> None:
    """C is of a class before B and A: it takes what they wait for, and is served first; within one, age decides."""
    shop, clock = shop_of(storage)
    for order in "ba":
        waiting(shop, clock, order, 2)
    assert held(shop, "b", "a") == [(1, 1), (0, 2)]
    waiting(shop, clock, "c", 2, priority=-1)
    shop.handle("TEA@main", ReceiveGoods(3))
    settle(shop)
    assert held(shop, "b", "a", "c") == [(2, 0), (0, 2), (2, 0)]
    level = shop.stock.level("TEA")
    assert (level.backordered, level.available, level.classes) == (2, 0, ())


def test_u04_a_later_class_leaves_what_an_earlier_one_waits_for(storage: Store) -> None:
    """D, of a later class, gets only what is left over."""
    shop, clock = shop_of(storage)
    waiting(shop, clock, "a", 2)
    waiting(shop, clock, "b", 1, priority=1)
    shop.handle("TEA@main", ReceiveGoods(3))
    waiting(shop, clock, "d", 3, priority=2)
    assert held(shop, "a", "b", "d") == [(1, 1), (0, 1), (1, 2)]
    settle(shop)
    assert held(shop, "a", "b", "d") == [(2, 0), (1, 0), (1, 2)]


def test_u04_an_order_that_waits_at_two_locations_gets_them(storage: Store) -> None:
    """A waits at main and at north: what comes in at either is served there."""
    shop, _ = shop_of(storage)
    shop.receive("a", content(5, external_id="a"))
    shop.handle("a", ConfirmOrder())
    shop.handle("a", AllocateStock((Pick(1, "main", 1),), (Pick(1, "main", 2), Pick(1, "north", 2))))
    shop.handle("TEA@north", ReceiveGoods(2))
    settle(shop)
    assert held(shop, "a") == [(3, 2)]
    shop.handle("TEA@main", ReceiveGoods(2))
    settle(shop)
    assert held(shop, "a") == [(5, 0)]


def test_u27_who_waits_behind_a_held_order_is_served(storage: Store) -> None:
    """A waits and is held; B waits behind it. No goods come: A is cancelled, and B is filled."""
    shop, clock = shop_of(storage)
    waiting(shop, clock, "a", 2)
    waiting(shop, clock, "b", 1)
    shop.handle("a", PlaceHold(HELD))
    shop.handle("a", CancelUnits("changed", CancelledBy.CUSTOMER, (LineQuantity(1, 2),)))
    settle(shop)
    assert held(shop, "b") == [(1, 0)]


def test_u27_a_held_order_keeps_its_place(storage: Store) -> None:
    """While A is held it is passed over; once the hold is lifted, it is served before C."""
    shop, clock = shop_of(storage)
    waiting(shop, clock, "a", 2)
    shop.handle("a", PlaceHold(HELD))
    waiting(shop, clock, "b", 1)
    shop.handle("TEA@main", ReceiveGoods(1))
    settle(shop)
    assert held(shop, "a", "b") == [(1, 1), (1, 0)]
    shop.handle("TEA@main", ReceiveGoods(1))
    settle(shop)
    shop.handle("a", ReleaseHold(HELD.reason, HELD.gate))
    settle(shop)
    assert held(shop, "a", "b") == [(2, 0), (1, 0)]


def test_u27_lifting_a_hold_comes_before_a_newcomer(storage: Store) -> None:
    """C asks right after A's hold is lifted, and before the filler ran: A keeps its place."""
    shop, clock = shop_of(storage)
    waiting(shop, clock, "a", 2)
    shop.handle("a", PlaceHold(HELD))
    shop.handle("TEA@main", ReceiveGoods(1))
    settle(shop)
    shop.handle("a", ReleaseHold(HELD.reason, HELD.gate))
    waiting(shop, clock, "c", 1)
    settle(shop)
    assert held(shop, "a", "c") == [(2, 0), (0, 1)]


def test_who_is_refused_is_served_by_the_next_attempt(storage: Store) -> None:
    """Of two that one message serves, the second is refused: the message is tried again, and decided anew."""
    refusing = ["b"]

    def not_yet(state: Any, command: FillBackorder, stamp: Any) -> Any:
        """Not while the shop says no."""
        return refuse("not_yet", "not yet") if state.content.external_id in refusing else None

    clock = FixedClock(NOON)
    shop = small_shop(storage, units=1, clock=clock, workflow=standard_workflow().guarded(FillBackorder, not_yet))
    waiting(shop, clock, "a", 2)
    waiting(shop, clock, "b", 1)
    settle(shop)
    shop.handle("TEA@main", ReceiveGoods(2))
    assert shop.relay().retried == 1
    assert held(shop, "a", "b") == [(2, 0), (0, 1)]
    refusing.clear()
    clock.advance(timedelta(hours=2))
    settle(shop)
    assert held(shop, "a", "b") == [(2, 0), (1, 0)]


def test_a_held_order_is_put_back_all_the_same(storage: Store) -> None:
    """It may not be allocated while it is held, and waits all the same."""
    shop, clock = shop_of(storage)
    waiting(shop, clock, "a", 1)
    settle(shop)
    shop.handle("a", PlaceHold(HELD))
    shop.handle("TEA@main", CountStock(0))
    report = shop.relay()
    assert (report.retried, held(shop, "a")) == (0, [(0, 1)])
    assert shop.stock.level("TEA").shortfall == 0


def test_what_a_stocktake_misses_goes_back_to_waiting(storage: Store) -> None:
    """The newest of the latest class waits again, at the same row, by an effect; what comes in is its first."""
    shop, clock = shop_of(storage, units=4)
    waiting(shop, clock, "a", 2, priority=1)
    waiting(shop, clock, "b", 1)
    waiting(shop, clock, "c", 1)
    shop.handle("TEA@main", CountStock(1))
    settle(shop)
    assert held(shop, "a", "b", "c") == [(0, 2), (1, 0), (0, 1)]
    assert shop.stock.level("TEA").shortfall == 0
    shop.handle("TEA@main", ReceiveGoods(1))
    settle(shop)
    assert held(shop, "a", "b", "c") == [(0, 2), (1, 0), (1, 0)]


def test_u04_a_held_order_that_gives_up_units_keeps_its_turn(storage: Store) -> None:
    """Two are promised and one is there: the newer, held by somebody, waits, and is served first once it is free."""
    shop, clock = shop_of(storage, units=2)
    for order in ("a", "b"):
        waiting(shop, clock, order, 1)
    shop.handle("b", PlaceHold(HELD))
    shop.handle("TEA@main", CountStock(1))
    settle(shop)
    waiting(shop, clock, "c", 1)
    assert held(shop, "a", "b", "c") == [(1, 0), (0, 1), (0, 1)]
    shop.handle("b", ReleaseHold(HoldReason.MANUAL, Gate.ALLOCATE))
    shop.handle("TEA@main", ReceiveGoods(1))
    settle(shop)
    assert held(shop, "a", "b", "c") == [(1, 0), (1, 0), (0, 1)]


@pytest.mark.parametrize("out", [VoidShipment(), DropItems((Item("b", 1, "main", 1),))], ids=["voided", "dropped"])
def test_u04_units_that_come_out_of_a_parcel_and_are_not_there(storage: Store, out: VoidShipment | DropItems) -> None:
    """While both are packed nobody can be sent back; once one comes out, it waits, and is not promised for ever."""
    shop, clock = shop_of(storage, units=2)
    for order in ("a", "b"):
        waiting(shop, clock, order, 1)
        shop.handle(f"{order}/1", PlanShipment((Item(order, 1, "main", 1),), Plan("memory")))
    shop.handle("TEA@main", CountStock(1))
    settle(shop)
    assert shop.stock.level("TEA").shortfall == 1
    shop.handle("b/1", out)
    settle(shop)
    assert shop.stock.level("TEA").shortfall == 0
    assert held(shop, "b") == [(0, 1)]
