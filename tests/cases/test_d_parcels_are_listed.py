"""Law D for parcels: what is neither at rest nor due stands on a worklist, with what would help, in every storage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from goods_shop import ARRIVED, GO, LOST, NOON, PACK, REFUSED, SCAN, GoodsShop, item

from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, Gate, Hold, HoldReason
from orderflow.domain.orders.holding import PlaceHold
from orderflow.domain.shipping import resolving as rs
from orderflow.domain.shipping.carriage import RecordDelivered, RecordReturning, RecordTracking, TrackingStatus
from orderflow.domain.shipping.labelling import RequestLabel, VoidLabel
from orderflow.domain.shipping.leaving import RecordDispatch
from orderflow.domain.shipping.planning import DropItems, PackShipment, PlanShipment, VoidShipment
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.shipping.state import Back, Plan, ReturnReason
from orderflow.domain.values import LineQuantity, Task
from orderflow.domain.workflow.attention import Standing, attention
from orderflow.ports.storage import Storage

CANCEL_ONE = CancelUnits("changed", CancelledBy.CUSTOMER, (LineQuantity(1, 1),))


def listed(shop: GoodsShop, name: str) -> list[tuple[str, list[str], str]]:
    """The parcels on a list: their ids, why, and what helps first."""
    tasks = [task for task in shop.worklist(name) if task.key.kind == "shipment"]
    return [(task.key.id, [reason.code for reason in task.reasons], task.commands[0]) for task in tasks]


def test_a_planned_parcel_is_to_be_packed_and_a_packed_one_to_leave(storage: Storage) -> None:
    """With the reason of the gate, which its order gives."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2))
    assert listed(shop, "to_pack") == [("S", ["to_pack"], "PackShipment")]
    shop.tell("S", PACK)
    assert listed(shop, "to_ship") == [("S", ["ready"], "HandOver")]
    shop.tell("O", PlaceHold(Hold(HoldReason.MANUAL, Gate.SHIP)))
    assert (listed(shop, "to_pack"), listed(shop, "to_ship")) == ([], [("S", ["on_hold"], "ReleaseHold")])


def test_a_parcel_without_its_label_says_so(storage: Storage) -> None:
    """It waits for the label until it is bought; given back, one is to be asked for."""
    shop = GoodsShop(storage).allocated(2).tell("S", PlanShipment((item(2),), Plan(carrier="memory")), PACK)
    assert listed(shop, "to_ship") == [("S", ["label_awaited"], "RequestLabel")]
    shop.relay()
    assert listed(shop, "to_ship") == [("S", ["ready"], "HandOver")]
    shop.tell("S", VoidLabel())
    assert listed(shop, "to_ship") == [("S", ["no_label"], "RequestLabel")]
    shop.tell("S", RequestLabel())
    assert listed(shop, "to_ship") == [("S", ["label_awaited"], "RequestLabel")]


def test_a_voided_parcel_is_at_rest(storage: Storage) -> None:
    """Whether or not it had been packed."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK, VoidShipment())
    assert (shop.attention("shipment", "S"), open_parcels(shop), listed(shop, "to_ship")) == ((), [], [])


@pytest.mark.parametrize("turned", [(), (REFUSED,)])
def test_no_news_of_a_parcel_on_its_way(storage: Storage, turned: tuple[Any, ...]) -> None:
    """Due a week after the last news, and listed from then on."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", *turned)
    [due] = shop.attention("shipment", "S")
    assert (due.standing, due.due, listed(shop, "on_the_way")) == (Standing.DUE, NOON + timedelta(days=7), [])
    shop.time.advance(timedelta(days=7))
    assert listed(shop, "on_the_way") == [("S", ["no_news"], "RecordDelivered")]
    shop.tell("S", SCAN)
    assert listed(shop, "on_the_way") == []
    shop.time.advance(timedelta(days=7))
    shop.tell("S", rs.DeclareLost())
    assert (listed(shop, "on_the_way"), len(listed(shop, "to_resolve"))) == ([], 1)


@pytest.mark.parametrize("end", [ReceiveBack("main"), rs.ClearExpected()])
def test_what_was_delivered_and_is_said_to_come_back(storage: Storage, end: Any) -> None:
    """Due, then listed, until it is back or nobody awaits it."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", ARRIVED, REFUSED)
    assert listed(shop, "on_the_way") == []
    shop.time.advance(timedelta(days=14))
    assert listed(shop, "on_the_way") == [("S", ["not_back"], "ReceiveBack")]
    shop.tell("S", end)
    assert (listed(shop, "on_the_way"), shop.attention("shipment", "S")) == ([], ())


@pytest.mark.parametrize("end", [rs.WriteOffParcel(), rs.ResupplyParcel(), RecordDelivered("found")])
def test_a_lost_parcel_is_to_be_resolved(storage: Storage, end: Any) -> None:
    """As long as units of it are neither written off, sent again nor found."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", LOST)
    assert listed(shop, "to_resolve") == [("S", ["missing"], "WriteOffParcel")]
    shop.tell("S", rs.WriteOffParcel((item(1),)))
    assert [dict(r.facts)["units"] for task in shop.worklist("to_resolve") for r in task.reasons] == [1]
    shop.tell("S", end)
    assert (listed(shop, "to_resolve"), open_parcels(shop)) == ([], [])


def open_parcels(shop: GoodsShop) -> list[str]:
    """The parcels that the lists look at."""
    return [row.key.id for row in shop.shipments.find(where={"open": 1})]


def test_an_arrival_of_what_was_sent_again(storage: Storage) -> None:
    """A delivered parcel with a task is found by the lists, until the task is closed."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", LOST, rs.ResupplyParcel())
    assert open_parcels(shop) == []
    shop.tell("S", RecordDelivered("late"))
    assert listed(shop, "to_resolve") == [("S", ["replaced_and_delivered"], "RecordReturning")]
    assert open_parcels(shop) == ["S"]
    shop.tell("S", rs.CloseShipmentTask("replaced_and_delivered"))
    assert (listed(shop, "to_resolve"), open_parcels(shop)) == ([], [])


def voided_and_scanned(shop: GoodsShop) -> None:
    """Given up, and seen by its carrier."""
    shop.planned("S", item(2)).tell("S", PACK, VoidShipment(), SCAN)


def counted_twice(shop: GoodsShop) -> None:
    """Back, and back again."""
    shop.sent("S", item(2)).tell("S", ReceiveBack("main"), ReceiveBack("main", units=(Back("O", 1, 1),)))


def left_in_spite(shop: GoodsShop) -> None:
    """Scanned with a cancelled unit in it."""
    shop.planned("S", item(2)).tell("S", PACK).tell("O", CANCEL_ONE).relay()
    shop.tell("S", SCAN)


def left_unowed(shop: GoodsShop) -> None:
    """A voided one left beside its successor."""
    shop.planned("S", item(2)).tell("S", PACK, VoidShipment()).sent("T", item(2)).tell("S", RecordDispatch())


def came_back_unsent(shop: GoodsShop) -> None:
    """Back at the dock, and nobody had handed it over."""
    shop.planned("S", item(2)).tell("S", PACK, ReceiveBack("main"))


def which_shipment(shop: GoodsShop) -> None:
    """Nobody knows which parcel it left in."""
    shop.sent("S", item(2)).tell("S", ARRIVED, ReceiveBack("main", supposed=True))


def arrived_early(shop: GoodsShop) -> None:
    """The carrier's clock is ahead of ours."""
    shop.planned("S", item(2)).tell("S", ARRIVED)
    shop.time.advance(timedelta(hours=1))
    shop.tell("S", PACK, GO)


def lost_and_delivered(shop: GoodsShop) -> None:
    """Lost after it was delivered."""
    shop.sent("S", item(2)).tell("S", ARRIVED, LOST)


def weighed_before(shop: GoodsShop) -> None:
    """Weighed, and then one was taken out."""
    shop.planned("S", item(2)).tell("S", PackShipment(500, 1), DropItems((item(1),)))


TASKS: dict[str, tuple[Any, str, str]] = {
    "scanned_but_voided": (voided_and_scanned, "contradictions", "RecordDispatch"),
    "count": (counted_twice, "to_count", "CountStock"),
    "left_in_spite": (left_in_spite, "contradictions", "CloseShipmentTask"),
    "left_unowed": (left_unowed, "contradictions", "CloseShipmentTask"),
    "came_back_unsent": (came_back_unsent, "contradictions", "CloseShipmentTask"),
    "which_shipment": (which_shipment, "contradictions", "CloseShipmentTask"),
    "arrived_before_it_left": (arrived_early, "contradictions", "CloseShipmentTask"),
    "lost_after_delivery": (lost_and_delivered, "to_resolve", "CloseShipmentTask"),
    "weigh_again": (weighed_before, "to_pack", "CloseShipmentTask"),
}


@pytest.mark.parametrize("code", TASKS)
def test_every_task_is_listed_whatever_the_state(storage: Storage, code: str) -> None:
    """With the command that it names, until it is closed."""
    story, name, command = TASKS[code]
    shop = GoodsShop(storage).allocated(2)
    story(shop)
    assert ("S", [code], command) in listed(shop, name)
    [task] = [task for task in shop.worklist(name) if task.key.id == "S"]
    assert task.commands[-1] == "CloseShipmentTask"
    shop.tell("S", rs.CloseShipmentTask(code))
    assert "S" not in [row for row, *_ in listed(shop, name)]


def test_a_task_of_another_name_is_a_contradiction(storage: Storage) -> None:
    """A host's own tasks are listed as well."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", ARRIVED)
    parcel = shop.parcel()
    other = evolve(parcel, tracking=parcel.tracking.tasked(Task("wet", (("side", "left"),))))
    [found] = attention(other, NOON)
    assert (found.worklist, str(found.reason)) == ("contradictions", "contradiction: wet: side left")


def test_a_list_of_several_kinds_goes_on_from_its_cursor(storage: Storage) -> None:
    """Parcels first, then stock rows; no page says anything twice."""
    shop = GoodsShop(storage).allocated(2)
    counted_twice(shop)
    shop.allocated(2, order="O2").sent("T", item(2, "O2"))
    shop.tell("T", ReceiveBack("main"), ReceiveBack("main", units=(Back("O2", 1, 1),)))
    pages, cursor = [], 0
    while page := shop.worklist("to_count", cursor=cursor, limit=1):
        pages += [task.key.id for task in page]
        cursor = page[-1].cursor
    assert pages == [task.key.id for task in shop.worklist("to_count")] == ["S", "T", "TEA@main"]


def test_news_of_any_sort_is_news(storage: Storage) -> None:
    """The last scan counts by the time it was made."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2))
    shop.time.advance(timedelta(days=3))
    shop.handle("S", RecordTracking("t", TrackingStatus.EXCEPTION), occurred_at=NOON + timedelta(days=2))
    [due] = shop.attention("shipment", "S")
    assert due.due == NOON + timedelta(days=9)
    shop.tell("S", RecordReturning("r", ReturnReason.UNDELIVERABLE))
    [due] = shop.attention("shipment", "S")
    assert due.due == NOON + timedelta(days=10)
