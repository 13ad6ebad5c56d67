"""U10: each parcel of an order collects what is in it, and together they collect what is to be paid, once."""

from __future__ import annotations

from typing import Any

import pytest
from money_shop import MoneyShop, every_currency

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, LineKind, OrderLine
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.payments.state import PaymentSource
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.shipping.planning import DropItems, VoidShipment
from orderflow.domain.shipping.state import Item
from orderflow.domain.values import LineQuantity, Pick
from orderflow.flows.prepare import ShippingSettings, shipments_for
from orderflow.ports.storage import Storage


def planned(shop: MoneyShop, order: str = "O") -> list[str]:
    """Plan and pack parcels for all that is allocated; their rows."""
    plans = [*shipments_for(shop.key("order", order), shop.orders.get(order), ShippingSettings(needs_label=False))]
    for key, plan, pack in plans:
        shop.handle(key.id, plan)
        shop.handle(key.id, pack)
    return [plan.key.id for plan in plans]


def collects(shop: MoneyShop, *parcels: str) -> list[int]:
    """What each parcel is to collect, in minor units."""
    states: list[Any] = [shop.shipments.get(parcel) for parcel in parcels]
    return [state.plan.collect.minor if state.plan.collect else 0 for state in states]


def allocated(shop: MoneyShop, *picks: tuple[int, str, int]) -> MoneyShop:
    """With units of the order allocated, by line and location."""
    for place in {location for _, location, _ in picks} - {"main"}:
        shop.handle(f"TEA@{place}", ReceiveGoods(100))
    shop.handle("O", AllocateStock(tuple([Pick(*pick) for pick in picks])))
    return shop


def order(storage: Storage, currency: str, *lines: tuple[int, int]) -> MoneyShop:
    """An order that is paid when it is delivered."""
    return MoneyShop(storage, currency).confirmed("O", *lines, collect_on_delivery=True)


def settle(shop: MoneyShop, parcel: str) -> None:
    """The parcel arrives, and its carrier pays what it has collected."""
    [minor] = collects(shop, parcel)
    shop.handle(parcel, HandOver())
    shop.handle(parcel, RecordDelivered(f"arrived {parcel}"))
    shop.bill("O")
    if minor:
        source = PaymentSource("van", parcel.replace("/", "-"), "ann", "cash_on_delivery", order="O")
        shop.handle(f"van/{parcel.replace('/', '-')}", RecordPayment(source, shop.money(minor)))


@every_currency
def test_u10_two_parcels_at_once(storage: Storage, currency: str) -> None:
    """2 x 1000 and 1 x 333, with tax: each collects its own, and the sum is the order's."""
    shop = allocated(order(storage, currency, (2, 1000), (1, 333)), (1, "main", 2), (2, "shop", 1))
    parcels = planned(shop)
    assert collects(shop, *parcels) == [2400, 400]
    for parcel in parcels:
        settle(shop, parcel)
    assert (shop.owes(), shop.worklist("to_refund")) == (0, [])


@pytest.mark.parametrize("settled", [False, True])
def test_u10_one_parcel_after_the_other(storage: Storage, settled: bool) -> None:
    """Whether the first one's money is here or not, the second collects its own."""
    shop = allocated(order(storage, "GBP", (3, 1000)), (1, "main", 1))
    [first] = planned(shop)
    if settled:
        settle(shop, first)
    [second] = planned(allocated(shop, (1, "main", 2)))
    assert collects(shop, first, second) == [1200, 2400]
    for parcel in (second,) if settled else (first, second):
        settle(shop, parcel)
    assert shop.owes() == 0


@pytest.mark.parametrize("prepaid, expected", [(600, [600, 2400]), (1800, [0, 1800]), (3600, [0, 0]), (4000, [0, 0])])
def test_u10_money_that_is_there_counts_once(prepaid: int, expected: list[int]) -> None:
    """A deposit is taken off what the first parcels collect."""
    shop = order(MemoryStorage(), "GBP", (1, 1000), (2, 1000))
    shop.pay(prepaid, order="O")
    parcels = planned(allocated(shop, (1, "main", 1), (2, "shop", 2)))
    assert collects(shop, *parcels) == expected


def test_u10_what_is_no_goods_is_collected_with_the_first(storage: Storage) -> None:
    """Carriage of 500 goes with the first parcel; if that is given up before another is under way, with the next."""
    shop = MoneyShop(storage)
    carriage = OrderLine.of(3, "POST", 1, shop.price(500), shop.tax, kind=LineKind.CHARGE)
    goods = [OrderLine.of(number, "TEA", 1, shop.price(1000), shop.tax) for number in (1, 2)]
    shop.order_of("O", *goods, carriage, collect_on_delivery=True)
    first, second = planned(allocated(shop, (1, "main", 1), (2, "shop", 1)))
    assert collects(shop, first, second) == [1800, 1200]
    shop.handle(first, VoidShipment())
    shop.handle(second, VoidShipment())
    first, second = planned(shop)
    assert collects(shop, first, second) == [1800, 1200]


def test_u10_what_was_cancelled_is_not_collected(storage: Storage) -> None:
    """A parcel planned after a cancellation collects for the rest only."""
    shop = allocated(order(storage, "GBP", (3, 1000)), (1, "main", 1))
    [first] = planned(shop)
    shop.handle("O", CancelUnits("less", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    [second] = planned(allocated(shop, (1, "main", 1)))
    assert collects(shop, first, second) == [1200, 1200]


def test_u10_thirds_add_up(storage: Storage) -> None:
    """3 units for 10.00 with tax in three parcels: the last one collects what rounding has left."""
    shop = MoneyShop(storage, "GBP").together("O", 3, 1000, collect_on_delivery=True)
    parcels = [planned(allocated(shop, (1, "main", 1)))[0] for _ in range(3)]
    assert sum(collects(shop, *parcels)) == 1200
    assert max(collects(shop, *parcels)) - min(collects(shop, *parcels)) <= 1


def test_u10_nothing_is_collected_unless_it_is_asked(storage: Storage) -> None:
    """An order on account."""
    shop = MoneyShop(storage).confirmed("O", (2, 1000))
    assert collects(shop, *planned(allocated(shop, (1, "main", 2)))) == [0]


def test_u10_units_taken_out_are_not_to_be_collected(storage: Storage) -> None:
    """The parcel is listed with its amount; given up and planned again, it collects what is in it."""
    shop = allocated(order(storage, "GBP", (3, 1000)), (1, "main", 3))
    [parcel] = planned(shop)
    shop.handle(parcel, DropItems((Item("O", 1, "main", 1),)))
    [task] = [task for task in shop.worklist("to_pack") if task.key.id == parcel]
    assert [reason.code for reason in task.reasons] == ["collects_too_much"]
    assert "36.00 GBP" in str(task.reasons[0])
    shop.handle("O", CancelUnits("less", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    shop.handle(parcel, VoidShipment())
    assert collects(shop, *planned(shop)) == [2400]
