"""What the world tells of a parcel is taken in every state, and what it contradicts is a task."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from goods_shop import ARRIVED, GO, LOST, NOON, PACK, REFUSED, SCAN, GoodsShop, item

from orderflow.adapters.storage.audit import SqliteAudit
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.audit.verify import verify
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.orders.allocating import AllocateStock, ReleaseStock
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, Gate, Hold, HoldReason
from orderflow.domain.orders.holding import PlaceHold
from orderflow.domain.shipping.carriage import RecordTracking, TrackingStatus
from orderflow.domain.shipping.labelling import RecordLabel
from orderflow.domain.shipping.leaving import HandOver, RecordDispatch
from orderflow.domain.shipping.planning import DropItems, PlanShipment, RecordShortPick, VoidShipment
from orderflow.domain.shipping.resolving import CloseShipmentTask, DeclareLost, ResupplyParcel, WriteOffParcel
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.shipping.state import Plan, Planned, ShippingLabel
from orderflow.domain.values import LineQuantity, Pick
from orderflow.ports.storage import Storage


def cancel(units: int) -> CancelUnits:
    """So many units of the first line are cancelled."""
    return CancelUnits("changed", CancelledBy.CUSTOMER, (LineQuantity(1, units),))


# -- a packed unit is cancelled


def packed_and_cancelled(storage: Storage) -> GoodsShop:
    """Two packed, one of them cancelled since."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK)
    shop.tell("O", cancel(1)).relay()
    return shop


def test_u24_handed_over_only_once_it_is_taken_out(storage: Storage) -> None:
    """What was cancelled is in a closed box: a hand must take it out first."""
    shop = packed_and_cancelled(storage)
    assert shop.refusal("S", GO) == ("not_preparing",)
    shop.tell("S", DropItems((item(1),)), GO)
    assert (shop.vector().shipped, shop.vector().cancelled, shop.level().on_hand, shop.status()) == (1, 1, 9, "Shipped")


def test_u24_scanned_with_two_inside(storage: Storage) -> None:
    """The scan is true: two are gone, the cancelled one with them, and somebody should look at it."""
    shop = packed_and_cancelled(storage).tell("S", SCAN)
    assert (shop.vector().shipped, shop.vector().cancelled, shop.level().on_hand) == (2, 0, 8)
    assert (shop.tasks(), shop.status()) == (["left_in_spite"], "Shipped")
    assert shop.level().allocated == 0
    shop.tell("S", CloseShipmentTask("left_in_spite"))
    assert shop.tasks() == []
    assert shop.refusal("S", CloseShipmentTask("left_in_spite")) == ("no_such_task",)


def test_u24_a_planned_parcel_drops_it_by_itself(storage: Storage) -> None:
    """Nothing is packed yet, so nobody has to open anything; told twice, it is dropped once."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2))
    shop.tell("O", cancel(1), cancel(1))
    shop.relay()
    assert (shop.status("S"), shop.status(), shop.level().allocated) == ("Voided", "Cancelled", 0)


def test_u24_a_planned_parcel_keeps_the_rest(storage: Storage) -> None:
    """Of three units one is cancelled: two stay, in the parcel and in the order."""
    shop = GoodsShop(storage).allocated(3).planned("S", item(3)).tell("O", cancel(1))
    shop.relay()
    parcel = shop.parcel()
    assert isinstance(parcel, Planned)
    assert (parcel.items, shop.vector().preparing_quantity) == ((item(2),), 2)


def test_u24_the_whole_order_is_cancelled(storage: Storage) -> None:
    """The parcel can be given up, or scanned; either way nothing is left over."""
    shop = packed_and_cancelled(storage).tell("O", cancel(1))
    assert (shop.status(), shop.level().allocated) == ("Cancelled", 0)
    shop.tell("S", SCAN, ARRIVED)
    assert (shop.vector().delivered, shop.vector().cancelled, shop.status()) == (2, 0, "Shipped")
    other = shop.allocated(2, order="O2").planned("T", item(2, "O2")).tell("T", PACK)
    other.tell("O2", cancel(2)).tell("T", VoidShipment())
    assert (other.status("T"), other.status("O2"), other.level().allocated) == ("Voided", "Cancelled", 0)


def test_u24_out_of_a_parcel_comes_what_was_cancelled_first(storage: Storage) -> None:
    """Three packed, one cancelled, two taken out: one of them is allocated again."""
    shop = GoodsShop(storage).allocated(3).planned("S", item(3)).tell("S", PACK).tell("O", cancel(1))
    shop.tell("S", DropItems((item(2),)))
    assert (shop.vector().preparing_quantity, shop.vector().allocated_quantity, shop.level().allocated) == (1, 1, 2)
    short = shop.allocated(3, order="O2").planned("T", item(3, "O2")).tell("O2", cancel(1))
    short.tell("T", RecordShortPick((item(2, "O2"),)))
    vector = short.vector(order="O2")
    assert (vector.preparing_quantity, vector.open, short.level().unavailable) == (1, 1, 1)


# -- what is told too early, too late, or of nothing


def test_u25_a_voided_parcel_is_scanned(storage: Storage) -> None:
    """The scan is kept and listed; once somebody says that the parcel left, it has."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK, VoidShipment(), SCAN)
    assert (shop.tasks(), shop.vector().allocated_quantity) == (["scanned_but_voided"], 2)
    shop.tell("S", RecordDispatch())
    assert (shop.status("S"), shop.vector().shipped, shop.level().on_hand) == ("InTransit", 2, 8)
    assert (shop.tasks(), shop.status()) == (["left_in_spite"], "Shipped")


def test_u25_a_voided_parcel_that_the_carrier_merely_knows(storage: Storage) -> None:
    """Its label was cancelled, says the carrier: that is noted, and no sign that it left."""
    known = RecordTracking("i", TrackingStatus.INFO, "cancelled")
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK, VoidShipment(), known, known)
    assert (shop.tasks(), shop.status("S"), len(shop.parcel().tracking.log)) == ([], "Voided", 1)


def test_i30_one_number_for_several_parcels_of_an_order(tmp_path: Path) -> None:
    """A consignment of several pieces has one number; a parcel of another order has another."""
    path, label = tmp_path / "shop.db", ShippingLabel("memory", "parcel", "T-1")
    with closing(SqliteStorage(path)) as storage:
        shop = GoodsShop(storage).allocated(1, 1).allocated(1, order="O2")
        for parcel, units in {"S": item(1), "T": item(1, line=2), "U": item(1, "O2")}.items():
            shop.tell(parcel, PlanShipment((units,), Plan("memory")), PACK)
        for count, parcels in ((0, ("S", "T")), (1, ("U",))):
            for parcel in parcels:
                shop.tell(parcel, RecordLabel(label))
            with SqliteAudit(path, shop.workflow.machines.values()) as source:
                found = {f.invariant: f.violations for f in verify(source, shop.workflow).findings if f.violations}
            assert found == ({"I30": count} if count else {})


def test_u25_a_voided_parcel_left_beside_its_successor(storage: Storage) -> None:
    """Both parcels are gone: the order owed two, so the other two are a surplus, which may come back."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK, VoidShipment())
    shop.sent("T", item(2)).tell("S", SCAN, RecordDispatch())
    assert (shop.vector().shipped, shop.level().on_hand, shop.fate()) == (2, 6, {"surplus": 2})
    assert shop.tasks() == ["left_unowed"]
    shop.tell("S", ReceiveBack("main"))
    assert (shop.level().on_hand, shop.fate(), shop.vector().returned) == (8, {"recovered": 2}, 0)


def voided(storage: Storage, units: int) -> GoodsShop:
    """A parcel that was packed and voided, after which its order has given its units back; ten more at a shop."""
    shop = GoodsShop(storage).tell("TEA@shop", ReceiveGoods(10)).allocated(2).planned("S", item(units))
    return shop.tell("S", PACK, VoidShipment()).tell("O", ReleaseStock((Pick(1, "main", 2),)))


@pytest.mark.parametrize("units", [1, 2])
def test_u25_what_left_is_taken_off_the_promise_here_first(storage: Storage, units: int) -> None:
    """Then off those elsewhere, which are promised no more; what is on the shelf there stays there."""
    shop = voided(storage, units).tell("O", AllocateStock((Pick(1, "shop", 1), Pick(1, "main", 1))))
    shop.tell("S", RecordDispatch())
    assert (shop.vector().shipped, shop.vector().allocated_quantity) == (units, 2 - units)
    assert (shop.level().on_hand, shop.level().allocated) == (10 - units, 0)
    assert (shop.level("shop").on_hand, shop.level("shop").allocated) == (10, 2 - units)


def test_u25_what_left_waits_no_more(storage: Storage) -> None:
    """Units on back-order that have left are off the queue of their row."""
    shop = voided(storage, 2).tell("O", AllocateStock(backorder=(Pick(1, "shop", 2),)))
    shop.tell("S", RecordDispatch())
    assert (shop.vector().shipped, shop.level("shop").backordered, shop.level().on_hand) == (2, 0, 8)


def test_u25_told_of_a_planned_parcel_and_then_voided(storage: Storage) -> None:
    """What was told of it stands against its never having left."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", ARRIVED, VoidShipment())
    assert shop.tasks() == ["scanned_but_voided"]
    shop.tell("S", RecordDispatch())
    assert (shop.status("S"), shop.vector().delivered) == ("Delivered", 2)


def test_u25_refused_after_it_was_delivered(storage: Storage) -> None:
    """It stays delivered until the units are in hand."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", ARRIVED, REFUSED)
    assert (shop.status("S"), shop.fate()) == ("Delivered", {"delivered": 2, "expected_back": 2})
    shop.tell("S", ReceiveBack("main"))
    assert (shop.status("S"), shop.vector().returned, shop.level().on_hand) == ("ReturnedToSender", 2, 10)


def test_u25_lost_after_it_was_delivered(storage: Storage) -> None:
    """The carrier's word against its own: somebody must claim it."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", ARRIVED, LOST)
    assert (shop.status("S"), shop.tasks(), shop.vector().delivered) == ("Delivered", ["lost_after_delivery"], 2)


def test_u25_under_a_hold(storage: Storage) -> None:
    """A hold stops a hand, and no carrier: the contradiction is a task."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK)
    shop.tell("O", PlaceHold(Hold(HoldReason.MANUAL, Gate.SHIP)))
    assert shop.refusal("S", GO) == ("on_hold",)
    shop.tell("S", SCAN)
    assert (shop.status(), shop.tasks()) == ("Shipped", ["left_in_spite"])


# -- delivered, and nobody handed it over


def test_u15_delivered_while_it_is_planned(storage: Storage) -> None:
    """Parked, and looked at again when it is handed over."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", ARRIVED)
    assert (shop.status("S"), shop.vector().preparing_quantity) == ("Planned", 2)
    shop.time.advance(timedelta(hours=1))
    shop.tell("S", PACK, GO)
    assert (shop.status("S"), shop.vector().delivered, shop.level().on_hand) == ("Delivered", 2, 8)
    assert shop.tasks() == ["arrived_before_it_left"]


def test_u15_delivered_while_it_is_packed(storage: Storage) -> None:
    """At once delivered; the order and the stock have it dispatched."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK, ARRIVED)
    assert (shop.status("S"), shop.vector().delivered, shop.level().on_hand, shop.tasks()) == ("Delivered", 2, 8, [])
    assert shop.refusal("S", HandOver()) == ("not_now",)


def test_u15_delivered_before_it_was_packed(storage: Storage) -> None:
    """A date that cannot be true is parked."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK)
    shop.handle("S", ARRIVED, occurred_at=NOON - timedelta(hours=1))
    assert shop.status("S") == "Packed"


def test_u15_a_parcel_of_two_orders(storage: Storage) -> None:
    """Each order says what it owed; what was told is looked at once both have."""
    shop = GoodsShop(storage).allocated(1).allocated(1, order="O2")
    shop.planned("S", item(1), item(1, "O2")).tell("S", PACK).tell("O2", cancel(1)).tell("S", ARRIVED)
    assert (shop.status("S"), shop.vector().delivered, shop.vector(order="O2").delivered) == ("Delivered", 1, 1)
    assert (shop.tasks(), shop.level().on_hand) == (["left_in_spite"], 8)


def test_u15_back_though_it_never_left(storage: Storage) -> None:
    """It had left, then: out and in again, and somebody should look."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK, ReceiveBack("main"))
    assert (shop.status("S"), shop.vector().returned, shop.level().on_hand) == ("ReturnedToSender", 2, 10)
    assert shop.tasks() == ["came_back_unsent"]


def test_u15_more_left_than_is_on_hand(storage: Storage) -> None:
    """The fact stands; the missing units are booked as found, and the row is to be counted."""
    shop = GoodsShop(storage).allocated(10).planned("S", item(10)).tell("S", PACK, VoidShipment())
    shop.sent("T", item(10)).tell("S", SCAN, RecordDispatch())
    assert (shop.level().on_hand, shop.level().recount, shop.vector().shipped) == (0, True, 10)


FACTS: dict[str, Any] = {
    "scan": SCAN,
    "delivered": ARRIVED,
    "refused": REFUSED,
    "lost": LOST,
    "back": ReceiveBack("main"),
}
#: How a parcel comes to each state; the last name tells the three kinds of lost ones apart.
WAYS: dict[str, tuple[Any, ...]] = {
    "Planned": (),
    "Packed": (PACK,),
    "Voided": (PACK, VoidShipment()),
    "InTransit": (PACK, GO),
    "Delivered": (PACK, GO, ARRIVED),
    "Returning": (PACK, GO, REFUSED),
    "ReturnedToSender": (PACK, GO, REFUSED, ReceiveBack("main")),
    "Lost": (PACK, GO, DeclareLost()),
    "Lost, written off": (PACK, GO, DeclareLost(), WriteOffParcel()),
    "Lost, replaced": (PACK, GO, DeclareLost(), ResupplyParcel()),
}
#: Where each fact leads; what is not named stays where it is.
LEADS: dict[tuple[str, str], str] = {
    **{
        ("Packed", fact): state
        for fact, state in zip(FACTS, ("InTransit", "Delivered", "Returning", "Lost", "ReturnedToSender"), strict=True)
    },
    **{
        ("InTransit", fact): state
        for fact, state in zip(list(FACTS)[1:], ("Delivered", "Returning", "Lost", "ReturnedToSender"), strict=True)
    },
    ("Delivered", "back"): "ReturnedToSender",
    ("Returning", "lost"): "Lost",
    ("Returning", "back"): "ReturnedToSender",
    **{
        (lost, fact): state
        for lost in ("Lost", "Lost, written off", "Lost, replaced")
        for fact, state in (("delivered", "Delivered"), ("refused", "Returning"), ("back", "ReturnedToSender"))
    },
}


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("state", WAYS)
def test_u25_no_fact_is_refused_in_any_state(storage: Storage, state: str, fact: str) -> None:
    """The table of facts and states: each fact is recorded, told twice as well, and the units stay conserved."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", *WAYS[state])
    shop.tell("S", FACTS[fact])
    assert shop.status("S") == LEADS.get((state, fact), state.split(",", maxsplit=1)[0])
    if fact == "back":
        shop.tell("S", FACTS[fact])
    out = shop.vector().shipped + shop.vector().delivered + shop.vector().lost
    replaced = 2 if state == "Lost, replaced" and fact != "back" else 0
    assert shop.level().on_hand == 10 - out - replaced


def test_a_task_of_several_with_one_code_is_closed_by_itself(storage: Storage) -> None:
    """Two lines are to be counted; who has counted the first has not counted the second."""
    shop = GoodsShop(storage).allocated(1, 1).planned("S", item(1), item(1, line=2)).tell("S", PACK, VoidShipment())
    shop.tell("S", ReceiveBack("main"))
    assert shop.tasks() == ["count", "count", "scanned_but_voided"]
    shop.tell("S", CloseShipmentTask("count"))
    assert [dict(task.facts).get("line") for task in shop.parcel().tracking.tasks] == ["2", None]
