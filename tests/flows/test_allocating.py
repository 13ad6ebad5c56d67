"""Stock is promised, waited for, given back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tea_shop import BY_HAND, CANCEL, NOON, VAT, Shop, content, item, pick, plan

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.inventory.counting import CountStock
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.planner import Supply, one_location_first
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.price import Price
from orderflow.domain.orders.allocating import (
    AllocateStock,
    ExpireAllocation,
    FillBackorder,
    ReleaseStock,
    StockReleased,
)
from orderflow.domain.orders.cancelling import OrderCancelled
from orderflow.domain.orders.content import AllocateAt, Gate, Hold, HoldReason, OrderLine, PayBefore
from orderflow.domain.orders.holding import PlaceHold, ReleaseHold
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder, UnconfirmOrder
from orderflow.domain.shipping.state import Item
from orderflow.errors import CommandMismatch, CommandRefused, InputError
from orderflow.flows.advance import ShopSettings
from orderflow.flows.allocate import AllocationSettings
from orderflow.ports.storage import Ack, Query, Row
from orderflow.shop import Request


def test_what_is_missing_waits_and_is_filled_first() -> None:
    """Units without stock are back-ordered, and filled when goods come in."""
    shop = Shop().stocked(main=1).confirmed(3)
    shop.allocate("O")
    assert shop.state == "AwaitingStock"
    assert (shop.lines[0].allocated_quantity, shop.lines[0].backordered_quantity) == (1, 2)
    assert shop.stock.level("TEA").backordered == 2
    assert [task.key.id for task in shop.worklist("awaiting_stock")] == ["O"]
    [refused] = shop.allocate("O")
    assert isinstance(refused, CommandRefused)
    assert refused.codes == ("nothing_to_allocate",)
    shop.stocked(shop=2).allocate("O")
    assert shop.state == "Allocated"
    assert shop.stock.level("TEA").backordered == 0


def test_orders_that_are_allocated_together_share_what_there_is() -> None:
    """First come, first served: what the first is promised is not offered to the second, which waits."""
    shop = Shop().stocked(main=1).confirmed(1).tell("P", PlaceOrder(content(2)), ConfirmOrder())
    assert all(isinstance(result, Ack) for result in shop.allocate("O", "P"))
    assert (shop.lines[0].allocated_quantity, shop.progress("P").lines[0].backordered_quantity) == (1, 2)
    assert shop.stock.level("TEA") == StockLevel(1, allocated=1, backordered=2)


def test_a_strategy_sees_only_places_that_have_something() -> None:
    """Of two locations, one of them empty, the other is on offer."""
    seen: list[dict[str, dict[str, int]]] = []

    def noted(supply: Supply) -> dict[str, tuple[str, ...]]:
        seen.append({place: dict(stock) for place, stock in supply.offers.items()})
        return one_location_first(supply)

    shop = Shop(ShopSettings(AllocationSettings(("shop", "main"), noted), BY_HAND)).stocked(main=1).confirmed(1)
    shop.allocate("O")
    assert seen == [{"main": {"TEA": 1}}]


def test_filling_leaves_open_units_open() -> None:
    """Filling the last waiting unit while others are open leads back to Confirmed."""
    shop = Shop().confirmed(2).tell("O", AllocateStock(backorder=pick(1)))
    shop.stocked(main=1).tell("O", FillBackorder(pick(1)))
    assert shop.state == "Confirmed"
    assert shop.refusal("O", FillBackorder(pick(1))) == ("not_backordered",)
    assert shop.refusal("O", FillBackorder(())) == ("nothing_asked",)


def test_an_order_steps_back() -> None:
    """A confirmed order is unconfirmed, its credit set free; allocated units are released and open again."""
    shop = Shop().stocked(main=1).confirmed(1)
    shop.allocate("O")
    assert shop.refusal("O", UnconfirmOrder()) == ("not_now",)
    assert shop.refusal("O", ReleaseStock(())) == ("nothing_asked",)
    assert shop.refusal("O", ReleaseStock(pick(1, "shop"))) == ("not_allocated",)
    shop.tell("O", ReleaseStock(pick(1)), UnconfirmOrder())
    assert shop.state == "Placed"
    assert shop.accounts.get("ann").of("EUR").ordered == 0
    assert shop.stock.level("TEA").available == 1


def test_a_hold_closes_one_gate_and_one_line() -> None:
    """A hold on a line stops that line at that gate, until it is released or its time has come."""
    shop = Shop().stocked(main=5).confirmed(1, 1)
    hold = Hold(HoldReason.MANUAL, Gate.ALLOCATE, line=2, until=NOON + timedelta(days=1))
    shop.tell("O", PlaceHold(hold))
    assert shop.refusal("O", PlaceHold(hold)) == ("already_held",)
    assert shop.refusal("O", AllocateStock(pick(1, line=2))) == ("on_hold",)
    shop.tell("O", AllocateStock(pick(1)))
    shop.time.advance(timedelta(days=1))
    shop.tell("O", AllocateStock(pick(1, line=2)))
    shop.tell("O", ReleaseHold(HoldReason.MANUAL, Gate.ALLOCATE, 2))
    assert shop.refusal("O", ReleaseHold(HoldReason.MANUAL, Gate.ALLOCATE, 2)) == ("no_such_hold",)


def test_a_promise_that_ran_out_is_given_back() -> None:
    """An expired allocation can no longer be prepared, stays counted, and returns to the stock when it is expired."""
    settings = ShopSettings(AllocationSettings(hold_for=timedelta(hours=1)), BY_HAND)
    shop = Shop(settings).stocked(main=1).confirmed(1)
    shop.allocate("O")
    assert shop.refusal("O", ExpireAllocation()) == ("nothing_expired",)
    assert shop.expire() == []
    shop.time.advance(timedelta(hours=1))
    assert shop.refusal("S", plan(item(1))) == ("not_allocated",)
    assert shop.stock.level("TEA").available == 0
    assert all(isinstance(result, Ack) for result in shop.expire())
    assert (shop.state, shop.stock.level("TEA").available) == ("Confirmed", 1)


def test_policy_says_when_stock_is_allocated() -> None:
    """Stock is kept before confirmation only where the policy says so; an order waits for its money."""
    shop = Shop().stocked(main=2).placed(1)
    assert shop.refusal("O", AllocateStock(pick(1))) == ("not_confirmed",)
    early = Shop().stocked(main=2).placed(1, allocate_at=AllocateAt.PLACED).tell("O", AllocateStock(pick(1)))
    early.tell("O", ConfirmOrder())
    assert early.state == "Allocated"
    unpaid = Shop().stocked(main=2).confirmed(1, pay_before=PayBefore.ALLOCATE)
    assert unpaid.refusal("O", AllocateStock(pick(1))) == ("unpaid",)


def test_allocation_is_repeatable() -> None:
    """Allocating under a known id gives the first Ack again, whatever the stock is now."""
    shop = Shop().stocked(main=1).confirmed(1)
    [first] = shop.allocate(Request("O", AllocateStock(), "c"))
    assert shop.allocate(Request("O", AllocateStock(), "c")) == [first]


def test_an_order_that_is_not_there_is_not_found() -> None:
    """Allocating an unknown order is refused as not found."""
    [result] = Shop().allocate("N")
    assert isinstance(result, CommandRefused)
    assert str(result) == "not_found: there is no order 'N'"


def short_of_stock(**options: Any) -> Shop:
    """A shop that has promised 6 TEA to orders A, B, C and D, in this order, and has counted 2; D is being packed."""
    shop = Shop(**options).stocked(main=6)
    for name, quantity in {"A": 2, "B": 2, "C": 1, "D": 1}.items():
        shop.time.advance(timedelta(minutes=1))
        shop.tell(name, PlaceOrder(content(quantity)), ConfirmOrder()).allocate(name)
    return shop.tell("S", plan(Item("D", 1, "main", 1))).tell("TEA@main", CountStock(2))


def test_newest_promises_give_way_to_a_shortfall() -> None:
    """While a stocktake's shortfall stands, newest orders wait again; what is being prepared stays."""
    shop = short_of_stock()
    assert all(isinstance(result, Ack) for result in shop.rebalance("TEA"))
    waiting = {name: shop.progress(name).lines[0].backordered_quantity for name in "ABCD"}
    assert waiting == {"A": 1, "B": 2, "C": 1, "D": 0}
    assert shop.stock.level("TEA") == StockLevel(2, allocated=2, backordered=4, counted_at=NOON + timedelta(minutes=4))
    assert shop.rebalance("TEA") == []


def test_rebalancing_is_bounded_and_who_is_held_keeps_his_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most so many orders lose units at once; where the queue is closed to an order, its units wait all the same."""
    monkeypatch.setattr("orderflow.flows.rebalance.PAGE", 2)
    shop = short_of_stock().tell("C", PlaceHold(Hold(HoldReason.MANUAL, Gate.ALLOCATE)))
    assert len(shop.rebalance("TEA", limit=1)) == 1
    assert shop.progress("C").lines[0].backordered_quantity == 1
    assert shop.stock.level("TEA").shortfall == 3
    assert shop.rebalance("TEA", "shop") == []


def test_rebalancing_stops_where_the_shortfall_does() -> None:
    """Only as many orders lose units as are needed; older promises are kept whole."""
    shop = short_of_stock().tell("TEA@main", CountStock(5))
    assert len(shop.rebalance("TEA")) == 1
    held = {name: shop.progress(name).lines[0].allocated_quantity for name in "ABC"}
    assert held == {"A": 2, "B": 2, "C": 0}


def test_rebalancing_one_article_leaves_the_others() -> None:
    """An order that lacks tea keeps its cups."""
    lines = tuple([OrderLine.of(line, sku, 1, Price.of("1.00", "EUR"), VAT) for line, sku in ((1, "TEA"), (2, "CUP"))])
    shop = Shop().stocked(main=1).tell("CUP@main", ReceiveGoods(1))
    shop.tell("O", PlaceOrder(content(lines=lines)), ConfirmOrder()).allocate("O")
    shop.tell("TEA@main", CountStock(0))
    assert all(isinstance(result, Ack) for result in shop.rebalance("TEA"))
    assert [(line.backordered_quantity, line.allocated_quantity) for line in shop.lines] == [(1, 0), (0, 1)]


class Meddled(MemoryStorage):
    """Somebody acts between a query and what follows from it."""

    meddle: Callable[[], object] | None = None

    def find(self, query: Query) -> Sequence[Row[Any]]:
        """Answer first, then let them act once."""
        rows = super().find(query)
        meddle, self.meddle = self.meddle, None
        if meddle is not None:
            meddle()
        return rows


def test_rebalancing_decides_on_orders_as_they_are() -> None:
    """An order that was cancelled, or has let go of its units, since it was found loses nothing more."""
    storage = Meddled()
    shop = short_of_stock(storage=storage)
    storage.meddle = lambda: shop.tell("C", CANCEL).tell("B", ReleaseStock(pick(2)))
    assert shop.stock.level("TEA").shortfall == 4
    assert all(isinstance(result, Ack) for result in shop.rebalance("TEA"))
    last = {name: [*shop.orders.history(name)][-1].event for name in "BC"}
    assert isinstance(last["B"], StockReleased)
    assert isinstance(last["C"], OrderCancelled)
    assert shop.stock.level("TEA").shortfall == 0


def test_an_id_of_another_order_is_no_answer() -> None:
    """A command id that is remembered of one order is a mismatch for another, which is not allocated."""
    shop = Shop().stocked(main=3).confirmed(1).tell("P", PlaceOrder(content(1)), ConfirmOrder())
    [first] = shop.allocate(Request("O", AllocateStock(), "morning"))
    [other] = shop.allocate(Request("P", AllocateStock(), "morning"))
    assert isinstance(first, Ack)
    assert isinstance(other, CommandMismatch)
    assert shop.progress("P").tally.allocated == 0
    assert shop.allocate(Request("O", AllocateStock(), "morning")) == [first]


def test_an_allocation_has_the_time_it_was_given() -> None:
    """A given time is recorded; before the order's last change it is refused."""
    shop = Shop().stocked(main=3).confirmed(1)
    shop.time.advance(timedelta(hours=5))
    [early] = shop.allocate(Request("O", AllocateStock(), at=NOON - timedelta(hours=1)))
    [taken] = shop.allocate(Request("O", AllocateStock(), at=NOON + timedelta(hours=1)))
    assert isinstance(early, InputError)
    assert [fault.code for fault in early.faults] == ["time_goes_back"]
    assert isinstance(taken, Ack)
    assert taken.at == NOON + timedelta(hours=1)


def test_a_location_is_named_once_in_the_settings() -> None:
    """Settings that name a location twice are refused when the shop is made."""
    with pytest.raises(InputError) as caught:
        Shop(ShopSettings(AllocationSettings(("main", "shop", "main"))))
    [fault] = caught.value.faults
    assert (fault.path, fault.code) == ("settings.allocation.locations[2]", "repeated")
