"""U10: an order of several addresses, locations or carriers goes in a parcel for each of them."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from goods_shop import ANN, GO, GoodsShop

from orderflow import Person
from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.allocating import AllocateStock, FillBackorder
from orderflow.domain.orders.amending import ConfirmAmendment, ProposeAmendment
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.changes import Changes
from orderflow.domain.orders.content import CancelledBy, OrderContent, OrderLine
from orderflow.domain.orders.placing import ConfirmOrder, EditDraft, OpenDraft, PlaceOrder
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.state import Plan
from orderflow.domain.values import LineQuantity, PartyRef, Pick
from orderflow.flows.advance import ShopSettings
from orderflow.flows.allocate import AllocationSettings
from orderflow.flows.prepare import ShippingSettings
from orderflow.ports.storage import Storage

BOB = PartyRef("bob", 1)
TWO = ShopSettings(AllocationSettings(("main", "shop")), ShippingSettings("memory", needs_label=False))


def line(number: int = 1, units: int = 1, **said: Any) -> OrderLine:
    """Units of TEA, with what the line says of its way."""
    return evolve(OrderLine.of(number, "TEA", units, Price.of("10.00", "EUR"), TaxCategory.of("S", 20)), **said)


def shop_with(storage: Storage, *lines: OrderLine, settings: ShopSettings = TWO, **said: Any) -> GoodsShop:
    """Ten units at main and ten at shop, and an order that was confirmed."""
    shop = GoodsShop(storage, settings=settings, carriers=[MemoryCarrier(), MemoryCarrier("van")])
    shop.record_party("bob", Person("Bob"))
    shop.handle("TEA@shop", ReceiveGoods(10))
    return shop.tell("O", PlaceOrder(content(*lines, **said)), ConfirmOrder())


def content(*lines: OrderLine, **said: Any) -> OrderContent:
    """An order of these lines, to Ann unless it says otherwise."""
    whose: dict[str, Any] = {"bill_to": ANN, "ship_to": ANN, **said}
    return OrderContent("EUR", lines, TaxPolicy(), "ann", **whose)


def parcels(shop: GoodsShop) -> list[tuple[Plan, list[tuple[int, str, int]]]]:
    """The plan of each parcel, and what is in it: line, location, units."""
    found: list[Any] = [row.state for row in shop.shipments.find()]
    return [(parcel.plan, [item[1:] for item in parcel.items]) for parcel in found]


def to_the_end(shop: GoodsShop) -> str:
    """Hand over and deliver all parcels, and advance; the order's state."""
    for row in shop.shipments.find():
        shop.tell(row.key.id, GO, RecordDelivered(f"arrived {row.key.id}"))
    return shop.advance("O").state


def test_u10_two_addresses(storage: Storage) -> None:
    """Each goes in a parcel of its own, to its own country; one invoice, and the order completes."""
    shop = shop_with(storage, line(1, 2), line(2, ship_to=BOB, country="FR"), line(3), country="DE")
    shop.advance("O")
    assert [(plan.ship_to, plan.country, items) for plan, items in parcels(shop)] == [
        (ANN, "DE", [(1, "main", 2), (3, "main", 1)]),
        (BOB, "FR", [(2, "main", 1)]),
    ]
    assert (to_the_end(shop), len(shop.invoices.find())) == ("Completed", 1)


def test_u10_every_line_names_its_own_address(storage: Storage) -> None:
    """Then the order need not name one; a line of goods that has none is refused."""
    shop = GoodsShop(storage)
    nowhere = content(line(1, ship_to=ANN), line(2), ship_to=None)
    assert shop.refusal("O", PlaceOrder(nowhere)) == ("no_ship_to",)
    shop.tell("O", PlaceOrder(content(line(1, ship_to=ANN), ship_to=None)))


def test_u10_the_addresses_are_on_record(storage: Storage) -> None:
    """An order to somebody who is not on record is refused; so is a draft of one, and an amendment."""
    shop = GoodsShop(storage)
    unknown = content(line(1), line(2, ship_to=BOB))
    assert shop.refusal("O", PlaceOrder(unknown)) == ("no_such_party",)
    shop.tell("O", OpenDraft(content(line(1))), EditDraft(unknown))
    assert shop.refusal("O", PlaceOrder()) == ("no_such_party",)
    shop.tell("O2", PlaceOrder(content(line(1))))
    changes = Changes(lines=(line(2, ship_to=BOB),))
    shop.tell("O2", ProposeAmendment(0, changes, CancelledBy.CUSTOMER))
    assert shop.refusal("O2", ConfirmAmendment(1)) == ("no_such_party",)
    shop.record_party("bob", Person("Bob"))
    shop.tell("O2", ConfirmAmendment(1)).tell("O", PlaceOrder())


def test_u10_a_line_from_a_location(storage: Storage) -> None:
    """What a line names is where it is taken from; what names none goes with it, if there is enough of it."""
    shop = shop_with(storage, line(1, 2), line(2, 3, location="shop"))
    shop.advance("O")
    assert [items for _, items in parcels(shop)] == [[(1, "shop", 2), (2, "shop", 3)]]
    shop.tell("O2", PlaceOrder(content(line(1, 6), line(2, 3, location="shop"))), ConfirmOrder()).advance("O2")
    assert [items for _, items in parcels(shop)[1:]] == [[(1, "main", 6)], [(2, "shop", 3)]]
    assert (shop.level().allocated, shop.level("shop").allocated) == (6, 8)


def test_u10_a_location_that_the_settings_do_not_name(storage: Storage) -> None:
    """A customer collects at a branch; the order as a whole names it, and one line another."""
    shop = shop_with(storage, line(1), line(2, location="main"), location="branch")
    shop.handle("TEA@branch", ReceiveGoods(1))
    shop.advance("O")
    assert sorted(items for _, items in parcels(shop)) == [[(1, "branch", 1)], [(2, "main", 1)]]


def test_u10_short_at_its_location(storage: Storage) -> None:
    """It waits there, and is served when goods come in there; what lies elsewhere is not for it."""
    shop = shop_with(storage, line(1, 2, location="branch"))
    shop.advance("O")
    assert (shop.status(), shop.level("branch").backordered, shop.level().allocated) == ("AwaitingStock", 2, 0)
    shop.tell("TEA@branch", ReceiveGoods(5)).relay()
    assert (shop.level("branch").allocated, shop.level("branch").backordered) == (2, 0)
    [task] = shop.worklist("to_prepare")
    assert task.key.id == "O"


def test_u10_nobody_takes_it_from_elsewhere(storage: Storage) -> None:
    """By hand it is refused as well: amend the line, or bring the goods."""
    shop = shop_with(storage, line(1, 2, location="shop"))
    wrong = (Pick(1, "main", 1),)
    for command in (AllocateStock(wrong), AllocateStock(backorder=wrong)):
        assert shop.refusal("O", command) == ("other_location",)
    shop.tell("O", AllocateStock(backorder=(Pick(1, "shop", 2),)))
    assert shop.refusal("O", FillBackorder(wrong)) == ("other_location",)


def test_u10_carriers_of_lines_of_the_order_of_the_shop(storage: Storage) -> None:
    """Whoever names the carrier names the service; a service alone is one of the shop's carrier."""
    lines = (line(1), line(2, carrier="van"), line(3, carrier="van", service="next day"), line(4, service="letter"))
    shop = shop_with(storage, *lines)
    shop.advance("O")
    assert [(plan.carrier, plan.service, [item[0] for item in items]) for plan, items in parcels(shop)] == [
        ("memory", "", [1]),
        ("memory", "letter", [4]),
        ("van", "", [2]),
        ("van", "next day", [3]),
    ]


@pytest.mark.parametrize("units", [1, 2])
def test_u10_units_that_come_later_go_the_same_way(storage: Storage, units: int) -> None:
    """What was cancelled or picked short does not mix addresses."""
    shop = shop_with(storage, line(1, 3), line(2, 3, ship_to=BOB), settings=TWO)
    shop.tell("O", CancelUnits("less", CancelledBy.CUSTOMER, (LineQuantity(2, units),)))
    shop.advance("O")
    assert [(plan.ship_to, items) for plan, items in parcels(shop)] == [
        (ANN, [(1, "main", 3)]),
        (BOB, [(2, "main", 3 - units)]),
    ]
    assert to_the_end(shop) == "Completed"


def test_u10_a_changed_way_is_another_article_of_the_amendment(storage: Storage) -> None:
    """Units that get a new price keep their line's way; the channel's new address makes a new line."""
    shop = GoodsShop(storage)
    shop.record_party("bob", Person("Bob"))
    shop.receive("O", content(line(1, 2, location="main"), channel="web", external_id="1"))
    changed = content(line(1, 2, location="main", ship_to=BOB), channel="web", external_id="1")
    shop.receive("O-2", changed)
    order = shop.orders.get("O")
    assert isinstance(order, HasProgress)
    assert order.progress.proposed is not None
    shop.tell("O", ConfirmAmendment(1))
    after = shop.orders.get("O")
    assert isinstance(after, HasProgress)
    assert [(each.ship_to, each.location) for each in after.content.lines] == [(None, "main"), (BOB, "main")]
    assert after.progress.lines[0].cancelled == 2


def test_u10_the_orders_carrier_is_its_lines_carrier(storage: Storage) -> None:
    """Unless a line names another one, with its own service or none."""
    shop = shop_with(storage, line(1), line(2, carrier="memory"), carrier="van", service="next day")
    shop.advance("O")
    assert [(plan.carrier, plan.service) for plan, _ in parcels(shop)] == [("memory", ""), ("van", "next day")]
