"""That a carrier did not take units is a fact: it is recorded in every state of their parcel and of their order."""

from __future__ import annotations

from typing import Any

import pytest
from goods_shop import ARRIVED, GO, LOST, PACK, REFUSED, SCAN, GoodsShop, item

from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.orders.allocating import AllocateStock, ReleaseStock
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy
from orderflow.domain.orders.placing import UnconfirmOrder
from orderflow.domain.shipping.leaving import RecordDispatch, RecordLeftBehind
from orderflow.domain.shipping.planning import VoidShipment
from orderflow.domain.shipping.resolving import CloseShipmentTask, DeclareLost, ResupplyParcel, WriteOffParcel
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.values import Pick
from orderflow.ports.storage import Storage

ONE, BOTH = RecordLeftBehind((item(1),)), RecordLeftBehind((item(2),))
CANCEL = CancelUnits("changed", CancelledBy.CUSTOMER)

#: How a parcel of two units comes to each state; then, once one of the units is said to have stayed here: the state
#: (if it says more than the fates do), the fate of the two, how many more are on hand, and the tasks.
STATES: dict[str, tuple[tuple[Any, ...], str, dict[str, int], int, list[str]]] = {
    "planned": ((), "Planned", {}, 0, ["left_behind_unsent"]),
    "packed": ((PACK,), "Packed", {}, 0, ["left_behind_unsent"]),
    "voided": ((PACK, VoidShipment()), "Voided", {}, 0, []),
    "voided, scanned": ((PACK, VoidShipment(), SCAN), "Voided", {}, 0, ["scanned_but_voided"]),
    "on its way": ((PACK, GO), "InTransit", {"left_behind": 1}, 1, []),
    "delivered": ((PACK, GO, ARRIVED), "Delivered", {"delivered": 1, "left_behind": 1}, 1, ["stayed_here"]),
    "returning": ((PACK, GO, REFUSED), "Returning", {"left_behind": 1}, 1, []),
    "back": ((PACK, GO, REFUSED, ReceiveBack("main")), "ReturnedToSender", {"returned": 2}, 0, ["count"]),
    "lost": ((PACK, GO, LOST), "Lost", {"left_behind": 1}, 1, []),
    "written off": (
        (PACK, GO, LOST, WriteOffParcel((item(1),))),
        "",
        {"lost": 1, "left_behind": 1},
        1,
        [],
    ),
    "replaced": ((PACK, GO, LOST, ResupplyParcel((item(1),))), "", {"replaced": 1, "left_behind": 1}, 1, []),
}


@pytest.mark.parametrize("way", STATES)
def test_u07_one_of_two_stayed_here(storage: Storage, way: str) -> None:
    """It is where it was, and owed again; what speaks against that is a task."""
    told, state, fate, more, tasks = STATES[way]
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", *told)
    before = shop.level().on_hand
    shop.tell("S", ONE)
    assert (shop.level().on_hand - before, shop.tasks()) == (more, tasks)
    assert shop.status("S") == state or not state
    assert not fate or shop.fate() == fate
    assert shop.vector().open == more + (way == "replaced")
    shop.tell("S", *[CloseShipmentTask(task) for task in tasks])
    assert shop.tasks() == []


#: The same once both are said to have stayed, of units that had been resolved.
RESOLVED: dict[str, tuple[tuple[Any, ...], dict[str, int], dict[str, int], list[str]]] = {
    "written off": ((LOST, WriteOffParcel()), {"returned": 2}, {"returned": 2}, ["stayed_here"]),
    "replaced": ((LOST, ResupplyParcel()), {"recovered": 2}, {"open": 2}, ["stayed_here"]),
    "a gift": ((LOST, ResupplyParcel(), ARRIVED), {"recovered": 2}, {"open": 2}, ["stayed_here"]),
    "one written off": ((LOST, WriteOffParcel((item(1),))), {"returned": 1, "left_behind": 1}, {"open": 1}, []),
}


@pytest.mark.parametrize("way", RESOLVED)
def test_u07_units_that_were_resolved_stayed_here(storage: Storage, way: str) -> None:
    """They are on sale again; written off ones are back, replaced ones are the stock's, and nothing is owed twice."""
    told, fate, buckets, tasks = RESOLVED[way]
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", *told, BOTH)
    assert (shop.fate(), shop.status("S")) == (fate, "ReturnedToSender")
    assert {name: getattr(shop.vector(), name) for name in buckets} == buckets
    assert (shop.level().on_hand, shop.level().available) == (10, 10)
    assert shop.tasks() == [task for task in shop.tasks() if task in (*tasks, "stayed_here", "replaced_and_delivered")]
    assert "stayed_here" in shop.tasks()


@pytest.mark.parametrize("told", [(), (REFUSED,), (LOST,)], ids=["on its way", "returning", "lost"])
def test_u07_all_of_it_stayed_here(storage: Storage, told: tuple[Any, ...]) -> None:
    """Then it never left, whatever its carrier has said of it since."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", *told, BOTH)
    assert (shop.status("S"), shop.status(), shop.vector().open, shop.level().on_hand) == ("Voided", "Confirmed", 2, 10)
    shop.tell("S", BOTH)
    assert (shop.status("S"), shop.tasks()) == ("Voided", [])


def test_u07_more_than_can_have_stayed(storage: Storage) -> None:
    """Told again of the same unit, and of one that came back: what cannot be is to be counted, and moves nothing."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", ARRIVED, ReceiveBack("main", arrival="T"))
    shop.tell("S", ONE)
    assert (shop.status("S"), shop.fate(), shop.tasks()) == ("ReturnedToSender", {"returned": 2}, ["count"])
    assert (shop.level().on_hand, shop.level().recount) == (10, True)
    other = shop.allocated(2, order="O2").sent("T", item(2, "O2"))
    other.tell("T", RecordLeftBehind((item(1, "O2"), item(2, "O2"))))
    assert (other.status("T"), other.tasks("T"), other.vector(order="O2").open) == ("Voided", ["count"], 2)


def test_u07_of_several_orders_and_places(storage: Storage) -> None:
    """One parcel, two orders and two places: each unit is where it was, and each order owes its own."""
    shop = GoodsShop(storage).tell("TEA@shop", ReceiveGoods(1)).allocated(1)
    shop.tell("O2", *shop.order(2)).tell("O2", AllocateStock((Pick(1, "main", 1), Pick(1, "shop", 1))))
    shop.sent("S", item(1), item(1, "O2"), item(1, "O2", place="shop"))
    shop.tell("S", LOST, WriteOffParcel((item(1, "O2", place="shop"),)))
    shop.tell("S", RecordLeftBehind((item(1), item(1, "O2"), item(1, "O2", place="shop"))))
    assert (shop.level().on_hand, shop.level("shop").on_hand) == (10, 1)
    assert (shop.vector().open, shop.vector(order="O2").open, shop.vector(order="O2").returned) == (1, 1, 1)


# -- whatever its order is


def completed(storage: Storage) -> GoodsShop:
    """An order of two units, delivered, billed and completed."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", ARRIVED)
    shop.advance("O")
    assert (shop.status(), shop.balance("ann", "EUR")) == ("Completed", 2400)
    return shop


def test_u07_its_order_was_completed(storage: Storage) -> None:
    """A closed order sends nothing more: what was billed is to be credited, and somebody is told."""
    shop = completed(storage).tell("S", ONE)
    assert (shop.status(), shop.vector().delivered, shop.vector().cancelled) == ("Completed", 1, 1)
    assert (shop.level().on_hand, shop.level().available, shop.tasks()) == (9, 9, ["stayed_here"])
    assert [task.reasons[0]["minor"] for task in shop.worklist("to_credit")] == [1200]
    shop.advance("O")
    assert (shop.vector().delivered, shop.worklist("to_bill")) == (1, [])


def test_u07_its_order_had_been_completed_when_it_left(storage: Storage) -> None:
    """A cancelled unit is scanned after that, and had not left: it is cancelled again, as it was."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(1)).planned("T", item(1)).tell("T", PACK)
    shop.tell("O", CANCEL).tell("S", ARRIVED).advance("O")
    assert shop.status() == "Completed"
    shop.tell("T", SCAN, RecordLeftBehind((item(1),)))
    assert (shop.status(), shop.vector().cancelled, shop.status("T")) == ("Completed", 1, "Voided")
    assert (shop.level().on_hand, shop.level().available, shop.worklist("to_credit")) == (9, 9, [])


def test_u07_nothing_is_sent_again_of_a_completed_order(storage: Storage) -> None:
    """To send what is missing again is a wish, which a closed order refuses."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(1)).planned("T", item(1)).tell("T", PACK)
    shop.tell("O", CANCEL).tell("S", ARRIVED).advance("O")
    shop.tell("T", SCAN, DeclareLost())
    assert shop.refusal("T", ResupplyParcel()) == ("order_closed",)
    shop.tell("T", WriteOffParcel())
    assert shop.vector().lost == 1


@pytest.mark.parametrize("told", [ONE, BOTH])
def test_u07_its_order_was_cancelled(storage: Storage, told: RecordLeftBehind) -> None:
    """It was scanned, and had not left: what is owed again waits for somebody, since it had been cancelled."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK).tell("O", CANCEL)
    shop.tell("S", SCAN, told)
    for _ in range(3):
        shop.advance("O")
    units = told.items[0].quantity
    assert (shop.vector().open, shop.level().on_hand, shop.level().allocated) == (units, 8 + units, 0)
    assert [task.reasons[0].code for task in shop.worklist("awaiting_stock")] == ["on_hold"]
    shop.tell("O", CANCEL)
    assert (shop.status(), shop.vector().cancelled) == ("Cancelled" if units == 2 else "Shipped", units)


@pytest.mark.parametrize("again", [(BOTH,), (LOST, ResupplyParcel())], ids=["left behind", "sent again"])
def test_u07_its_order_was_not_confirmed(storage: Storage, again: tuple[Any, ...]) -> None:
    """It stays Placed, and the units are open."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK, VoidShipment())
    shop.tell("O", ReleaseStock((Pick(1, "main", 2),)), UnconfirmOrder()).tell("S", RecordDispatch())
    assert (shop.status(), shop.vector().shipped) == ("Placed", 2)
    shop.tell("S", *again)
    assert (shop.status(), shop.vector().open) == ("Placed", 2)
