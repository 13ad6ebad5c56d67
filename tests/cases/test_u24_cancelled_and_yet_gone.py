"""What left though its order was cancelled is the customer's: the order goes on from there, and is billed."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from goods_shop import ARRIVED, PACK, REFUSED, SCAN, GoodsShop, item

from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory
from orderflow.domain.orders.allocating import ReleaseStock
from orderflow.domain.orders.amending import ConfirmAmendment, ProposeAmendment
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.changes import Changes, NewPrice
from orderflow.domain.orders.content import CancelledBy, Gate, HoldReason, InvoiceBasis, LineKind, OrderLine
from orderflow.domain.orders.holding import ReleaseHold
from orderflow.domain.orders.placing import UnconfirmOrder
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.shipping.leaving import RecordDispatch
from orderflow.domain.shipping.planning import VoidShipment
from orderflow.domain.shipping.resolving import DeclareLost, ResupplyParcel
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.values import Pick
from orderflow.ports.storage import Storage

CANCEL = CancelUnits("changed", CancelledBy.CUSTOMER)
both_bases = pytest.mark.parametrize("basis", list(InvoiceBasis))
#: How a packed parcel of a cancelled order turns out to have left.
GONE: dict[str, tuple[Any, ...]] = {
    "scanned": (SCAN, ARRIVED),
    "scanned twice": (SCAN, SCAN, ARRIVED, ARRIVED),
    "delivered": (ARRIVED,),
    "voided, scanned": (VoidShipment(), SCAN, ARRIVED, RecordDispatch()),
}


def cancelled(storage: Storage, *units: int, **policy: Any) -> GoodsShop:
    """An order, all of it packed in one parcel, and cancelled since."""
    items = [item(quantity, line=line) for line, quantity in enumerate(units, start=1)]
    shop = GoodsShop(storage).allocated(*units, **policy).planned("S", *items).tell("S", PACK)
    shop.tell("O", CANCEL)
    return shop


def ended(shop: GoodsShop) -> tuple[str, int, list[str]]:
    """Once everything has gone on that can: the order's state, what the customer owes, and the order's worklists."""
    while shop.relay().taken:
        pass
    for _ in range(3):
        shop.advance("O")
    names = ("to_bill", "to_complete", "can_advance", "to_prepare", "awaiting_stock", "to_confirm")
    return shop.status(), shop.balance("ann", "EUR"), [name for name in names if shop.worklist(name)]


@both_bases
@pytest.mark.parametrize("told", GONE.values(), ids=GONE)
def test_u24_a_cancelled_order_whose_parcel_left_is_billed(
    storage: Storage, told: tuple[Any, ...], basis: InvoiceBasis
) -> None:
    """All of it has left, so the order is Shipped; it is billed and completed, and somebody should look at it."""
    shop = cancelled(storage, 2, invoice_basis=basis).tell("S", *told)
    assert (shop.status(), shop.vector().delivered, shop.vector().cancelled) == ("Shipped", 2, 0)
    assert shop.tasks() == ["left_in_spite"]
    assert ended(shop) == ("Completed", 2400, [])


@both_bases
def test_u24_its_charges_are_owed_again_too(storage: Storage, basis: InvoiceBasis) -> None:
    """Of three units in two parcels two leave: they are billed with the carriage, the third stays cancelled."""
    shop = GoodsShop(storage)
    [place, confirm] = shop.order(3, invoice_basis=basis)
    content = place.content
    assert content is not None
    carriage = OrderLine.of(2, "post", 1, Price.of("5.00", "EUR"), TaxCategory.of("S", 20), kind=LineKind.CHARGE)
    shop.tell("O", evolve(place, content=evolve(content, lines=(*content.lines, carriage))), confirm).allocate("O")
    shop.planned("S", item(2)).planned("T", item(1)).tell("S", PACK).tell("T", PACK)
    shop.tell("O", CANCEL).tell("S", SCAN)
    assert (shop.status(), shop.vector().shipped, shop.vector().cancelled) == ("Shipped", 2, 1)
    shop.tell("T", VoidShipment()).tell("S", ARRIVED)
    assert ended(shop) == ("Completed", 2400 + 600, [])
    assert (shop.level().on_hand, shop.level().allocated) == (8, 0)


def test_u24_its_second_parcel_leaves_later(storage: Storage) -> None:
    """The first makes it Shipped, the second as much of it that is owed; both are billed, once each."""
    shop = GoodsShop(storage).allocated(3).planned("S", item(2)).planned("T", item(1)).tell("S", PACK).tell("T", PACK)
    shop.tell("O", CANCEL).tell("S", ARRIVED)
    assert ended(shop) == ("Completed", 2400, [])
    shop.tell("T", ARRIVED)
    assert ended(shop) == ("Completed", 3600, [])


def test_u24_an_order_that_was_not_confirmed_waits_for_that(storage: Storage) -> None:
    """Its confirmation was taken back once the parcel was voided, then it was cancelled; the parcel left anyway."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK, VoidShipment())
    shop.tell("O", ReleaseStock((Pick(1, "main", 2),)), UnconfirmOrder(), CANCEL).tell("S", RecordDispatch(), ARRIVED)
    assert (shop.status(), shop.vector().delivered) == ("Placed", 2)
    assert [task.commands[0] for task in shop.worklist("to_confirm")] == ["ConfirmOrder"]
    assert ended(shop) == ("Completed", 2400, [])


def test_u24_what_left_beyond_what_it_had_owed(storage: Storage) -> None:
    """Two parcels of one order left, each with all of it: once, it is owed; the rest is a surplus of nobody's."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK, VoidShipment())
    shop.planned("T", item(2)).tell("T", PACK).tell("O", CANCEL).tell("T", ARRIVED).tell("S", RecordDispatch())
    assert (shop.status(), shop.vector().delivered, shop.fate()) == ("Shipped", 2, {"surplus": 2})


def test_u24_what_it_had_never_owed(storage: Storage) -> None:
    """A voided parcel held units that an amendment has made another line of: a surplus, and it stays cancelled."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK, VoidShipment())
    cheaper = Changes(prices=(NewPrice(1, Price.of("9.00", "EUR"), 2),))
    shop.tell("O", ProposeAmendment(0, cheaper, CancelledBy.CUSTOMER), ConfirmAmendment(1), CANCEL)
    shop.tell("S", RecordDispatch())
    assert (shop.status(), shop.vector().moved, shop.fate()) == ("Cancelled", 2, {"surplus": 2})
    assert ended(shop) == ("Cancelled", 0, [])


@pytest.mark.parametrize("told", [(REFUSED, ReceiveBack("main")), (ARRIVED, REFUSED, ReceiveBack("main"))])
def test_u24_it_comes_back(storage: Storage, told: tuple[Any, ...]) -> None:
    """Refused at the door by a customer who had cancelled: nothing is owed, and the order is completed."""
    shop = cancelled(storage, 2).tell("S", SCAN, *told)
    assert ended(shop) == ("Completed", 0, [])
    assert (shop.vector().returned, shop.level().on_hand, shop.level().quarantined) == (2, 10, 2)


def test_u24_what_would_be_sent_again_is_held(storage: Storage) -> None:
    """Lost, and re-supplied by hand: the customer had cancelled, so nothing is allocated before it is released."""
    shop = cancelled(storage, 2).tell("S", SCAN, DeclareLost(), ResupplyParcel())
    assert ended(shop) == ("Confirmed", 0, ["awaiting_stock"])
    [task] = shop.worklist("awaiting_stock")
    assert (task.reasons[0].code, task.commands) == ("on_hold", ("ReleaseHold", "CancelUnits"))
    shop.tell("O", ReleaseHold(HoldReason.LEFT_THOUGH_CANCELLED, Gate.ALLOCATE)).allocate("O")
    assert shop.vector().allocated_quantity == 2
    shop.tell("O", CANCEL)
    assert ended(shop) == ("Cancelled", 0, [])


def test_u24_it_is_held_once(storage: Storage) -> None:
    """Cancelled again after that, and its next parcel leaves as well: one hold stands."""
    shop = cancelled(storage, 2).tell("S", SCAN, DeclareLost(), ResupplyParcel()).tell("TEA@main", ReceiveGoods(1))
    held = ReleaseHold(HoldReason.LEFT_THOUGH_CANCELLED, Gate.ALLOCATE)
    shop.tell("O", CANCEL)
    assert shop.status() == "Cancelled"
    shop.tell("S", ARRIVED)
    order = shop.orders.get("O")
    assert isinstance(order, HasProgress)
    assert [hold.reason for hold in order.progress.holds] == [held.reason]
