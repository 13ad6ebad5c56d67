"""U17: goods by weight: what is packed beyond the order is billed within a tolerance, and refused beyond it."""

from __future__ import annotations

from typing import Any

import pytest
from goods_shop import ANN, GO, NOON, PACK, GoodsShop, item

from orderflow import (
    BillUnits,
    CancelUnits,
    MemoryStorage,
    Money,
    OrderContent,
    OrderLine,
    PlaceOrder,
    Policy,
    Price,
    ReceiveGoods,
    SqliteStorage,
    TaxCategory,
    TaxPolicy,
)
from orderflow.domain.billing.numbering import OpenSeries
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.amending import ConfirmAmendment, ProposeAmendment
from orderflow.domain.orders.changes import Changes
from orderflow.domain.orders.content import CancelledBy, PayBefore
from orderflow.domain.orders.exceeding import AddExcess
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.orders.readdressing import ChangeAddress
from orderflow.domain.orders.shipping import PrepareShipment
from orderflow.domain.shipping.leaving import RecordDispatch
from orderflow.domain.shipping.planning import PlanShipment, RecordOverPick, VoidShipment
from orderflow.domain.shipping.state import Plan
from orderflow.domain.values import MAX_LINES, LineQuantity, Pick
from orderflow.testing.scenario import given

STAMP = Stamp(NOON, "tester", "c")
Storage = MemoryStorage | SqliteStorage
MORE = RecordOverPick((item(1),))


def ordered(storage: Storage, *lines: OrderLine, currency: str = "EUR", percent: int = 20, **policy: Any) -> GoodsShop:
    """An order of five kilograms, in a parcel that is being picked."""
    shop = GoodsShop(storage)
    kilograms = lines or (OrderLine.of(1, "TEA", 5, Price.of("10", currency), TaxCategory.of("S", 20)),)
    terms = Policy(excess_percent=percent, **policy)
    content = OrderContent(currency, kilograms, TaxPolicy(), "ann", bill_to=ANN, ship_to=ANN, policy=terms)
    shop.tell("O", PlaceOrder(content), ConfirmOrder()).allocate("O")
    return shop.planned("S", *[item(line.quantity, line=line.line) for line in kilograms])


@pytest.mark.parametrize("currency, owed", [("EUR", "72.00"), ("GBP", "72.00"), ("JPY", "72")])
def test_u17_the_excess_is_a_line_of_its_own_and_billed(storage: Storage, currency: str, owed: str) -> None:
    """Six leave for an order of five, at one price; the invoice says so."""
    shop = ordered(storage, currency=currency)
    shop.tell("S", MORE, PACK, GO)
    assert (shop.vector().shipped, shop.vector(2).shipped, shop.level().on_hand) == (5, 1, 4)
    shop.tell("inv", OpenSeries("R-")).tell("O", BillUnits("I", "inv"))
    invoice = shop.invoice("I")
    assert invoice.totals.gross == Money.of(owed, currency)
    assert [(line.line, line.quantity) for line in invoice.content.lines] == [(1, 5), (2, 1)]
    assert shop.status() == "Shipped"


def test_u17_beyond_the_tolerance(storage: Storage) -> None:
    """Refused with what is allowed, in one step or several; in another parcel as well."""
    shop = ordered(storage)
    assert shop.refusal("S", RecordOverPick((item(2),))) == ("over_tolerance",)
    shop.tell("S", MORE)
    assert shop.refusal("S", MORE) == ("over_tolerance",)
    assert shop.refusal("S", RecordOverPick((item(1, line=2),))) == ("over_tolerance",)
    assert shop.parcel().items == (item(5), item(1, line=2))  # type: ignore[union-attr]


def test_u17_says_what_is_allowed(storage: Storage) -> None:
    """The tolerance is in the refusal."""
    shop = ordered(storage)
    [refused] = shop.explain("S", RecordOverPick((item(2),)))
    assert dict(refused.facts) == {"line": 1, "wanted": 2, "most": 1, "percent": 20}


def test_u17_no_tolerance_by_default(storage: Storage) -> None:
    """A shop that says nothing sends what was ordered."""
    assert ordered(storage, percent=0).refusal("S", MORE) == ("over_tolerance",)


def test_u17_a_scan_of_what_is_not_owed(storage: Storage) -> None:
    """Nobody is asked any more: what left beyond the order is surplus, and nothing is billed for it."""
    shop = ordered(storage)
    shop.tell("S", PACK, VoidShipment()).planned("T", item(5)).tell("T", MORE, PACK, GO).tell("S", RecordDispatch())
    assert (shop.fate("S"), shop.tasks("S")) == ({"surplus": 5}, ["left_unowed"])
    assert (shop.vector().shipped, shop.vector(2).shipped) == (5, 1)


def test_u17_several_lines_and_parcels(storage: Storage) -> None:
    """Each line has its own tolerance, over all its parcels; less of it where units were cancelled."""
    lines = [OrderLine.of(n, "TEA", 4, Price.of("3.00", "EUR"), TaxCategory.of("S", 20)) for n in (1, 2)]
    shop = ordered(storage, *lines, percent=25)
    assert shop.refusal("S", RecordOverPick((item(1), item(2, line=2)))) == ("over_tolerance",)
    shop.tell("O", CancelUnits("no", CancelledBy.CUSTOMER, (LineQuantity(2, 1),)))
    assert shop.refusal("S", RecordOverPick((item(1, line=2),))) == ("over_tolerance",)
    shop.tell("S", MORE)
    assert shop.vector(3).preparing_quantity == 1


def test_u17_only_what_is_being_prepared_there(storage: Storage) -> None:
    """Not of a line that is not in the parcel, and not once it is packed."""
    shop = ordered(storage)
    assert shop.refusal("S", RecordOverPick((item(1, line=7),)))[0] == "not_preparing"
    assert shop.refusal("S", RecordOverPick((item(1, place="shop"),)))[0] == "not_preparing"
    assert shop.tell("S", PACK).refusal("S", MORE) == ("not_now",)


def test_u17_stock_of_others(storage: Storage) -> None:
    """What is promised to another order is not packed."""
    shop = ordered(storage).allocated(5, order="O1")
    assert shop.refusal("S", MORE) == ("insufficient_stock",)
    shop.tell("TEA@main", ReceiveGoods(1)).tell("S", MORE)
    assert shop.level().available == 0


def test_u17_waits_for_the_money_of_the_excess(storage: Storage) -> None:
    """Where an order is paid before it ships, so is what was added."""
    lines = (OrderLine.of(1, "TEA", 5, Price.of("0.00", "EUR"), TaxCategory.of("S", 20)),)
    assert ordered(storage, *lines, pay_before=PayBefore.SHIP).tell("S", MORE, PACK, GO).status() == "Shipped"
    shop = ordered(MemoryStorage(), pay_before=PayBefore.SHIP).tell("S", MORE, PACK)
    assert shop.refusal("S", GO) == ("unpaid",)
    [why] = shop.explain("S", GO)
    assert dict(why.facts)["missing"] == 7200


def test_u17_collected_on_delivery(storage: Storage) -> None:
    """The amount was fixed when it was planned: somebody sees to it."""
    shop = GoodsShop(storage).allocated(5, excess_percent=20)
    plan = Plan(needs_label=False, collect=Money.of(60, "EUR"))
    shop.tell("S", PlanShipment((item(5),), plan), MORE)
    assert shop.tasks() == ["collects_too_little"]
    assert shop.worklist("to_pack")[0].reasons


def test_u17_with_another_address_and_an_amendment(storage: Storage) -> None:
    """It goes where its line goes; the content that was placed is known all the same, and numbers do not collide."""
    shop = ordered(storage, percent=40).tell("O", ChangeAddress(ANN, "FR"))
    while shop.relay().taken:
        pass
    changes = Changes(more=(LineQuantity(1, 1),))
    shop.tell("O", ProposeAmendment(0, changes, CancelledBy.CUSTOMER)).tell("S", MORE)
    shop.tell("O", ConfirmAmendment(1)).tell("S", MORE)
    found: Any = shop.orders.get("O")
    assert [(line.line, line.quantity, line.excess_of) for line in found.content.lines] == [
        *((1, 5, 0), (2, 1, 1), (3, 1, 0), (4, 1, 1)),
    ]


def test_u17_an_order_that_has_all_lines_it_may_have() -> None:
    """There is no room for another one."""
    price, tax = Price.of("1.00", "EUR"), TaxCategory.of("S", 20)
    lines = tuple(OrderLine.of(number, "TEA", 1, price, tax) for number in range(1, MAX_LINES + 1))
    content = OrderContent("EUR", lines, TaxPolicy(), bill_to=ANN, ship_to=ANN, policy=Policy(excess_percent=100))
    first = (Pick(1, "main", 1),)
    order = given(
        ORDER, PlaceOrder(content), ConfirmOrder(), AllocateStock(first), PrepareShipment("S", first), stamp=STAMP
    )
    order.when(AddExcess("S", first)).refused("too_many_lines")
