"""U16: dates of the world that cannot be are recorded as they were told, and a task names them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from goods_shop import ARRIVED, GO, NOON, PACK, SCAN, GoodsShop, item

from orderflow.domain.shipping.leaving import RecordDispatch
from orderflow.domain.shipping.planning import VoidShipment
from orderflow.domain.shipping.resolving import CloseShipmentTask
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.shipping.state import Delivered, Left
from orderflow.ports.storage import Storage

HOUR = timedelta(hours=1)


def packed(storage: Storage) -> GoodsShop:
    """An order placed at noon, and packed an hour later; now it is afternoon."""
    shop = GoodsShop(storage).allocated(2)
    shop.time.advance(HOUR)
    shop.planned("S", item(2)).tell("S", PACK)
    shop.time.advance(HOUR)
    return shop


def facts(shop: GoodsShop) -> dict[str, dict[str, str]]:
    """The tasks of the parcel with what they say."""
    return {task.code: dict(task.facts) for task in shop.parcel().tracking.tasks}


def left_at(shop: GoodsShop) -> datetime:
    """When the parcel left."""
    parcel = shop.parcel()
    assert isinstance(parcel, Left)
    return parcel.carriage.handed_over_at


def test_u16_handed_over_before_it_was_packed_or_placed(storage: Storage) -> None:
    """Both are said with their dates; the date that was told stands."""
    shop = packed(storage)
    shop.handle("S", GO, occurred_at=NOON - HOUR)
    assert (shop.status("S"), left_at(shop), shop.vector().shipped) == ("InTransit", NOON - HOUR, 2)
    left = (NOON - HOUR).isoformat()
    assert facts(shop) == {
        "left_before_it_was_packed": {"left": left, "packed": (NOON + HOUR).isoformat()},
        "left_before_it_was_placed": {"order": "O", "left": left, "placed": NOON.isoformat()},
    }
    shop.tell("S", CloseShipmentTask("left_before_it_was_placed"), CloseShipmentTask("left_before_it_was_packed"))
    assert shop.tasks() == []


@pytest.mark.parametrize("at", [NOON + HOUR, NOON + 2 * HOUR])
def test_u16_dates_that_can_be_are_no_task(storage: Storage, at: datetime) -> None:
    """Packed and gone in the same moment, or later."""
    shop = packed(storage)
    shop.handle("S", GO, occurred_at=at)
    shop.handle("S", ARRIVED, occurred_at=at)
    assert shop.tasks() == []


def test_u16_handed_over_between_placing_and_packing(storage: Storage) -> None:
    """Only what cannot be is said."""
    shop = packed(storage)
    shop.handle("S", GO, occurred_at=NOON)
    assert shop.tasks() == ["left_before_it_was_packed"]


def test_u16_each_order_of_the_parcel_says_so(storage: Storage) -> None:
    """Two orders in one parcel, one of them placed after it left."""
    shop = GoodsShop(storage).allocated(1)
    shop.time.advance(HOUR)
    shop.allocated(1, order="O2").planned("S", item(1), item(1, "O2"))
    shop.handle("S", PACK, occurred_at=NOON)
    shop.handle("S", GO, occurred_at=NOON)
    assert facts(shop)["left_before_it_was_placed"]["order"] == "O2"
    assert shop.tasks() == ["left_before_it_was_placed"]


def test_u16_delivered_before_it_was_handed_over(storage: Storage) -> None:
    """Told after the hand-over; told twice, it is one task."""
    shop = packed(storage)
    shop.tell("S", GO)
    for _ in range(2):
        shop.handle("S", ARRIVED, occurred_at=NOON + HOUR)
    parcel = shop.parcel()
    assert isinstance(parcel, Delivered)
    assert (parcel.delivered_at, shop.vector().delivered) == (NOON + HOUR, 2)
    dates = {"arrived": (NOON + HOUR).isoformat(), "left": (NOON + 2 * HOUR).isoformat()}
    assert facts(shop) == {"arrived_before_it_left": dates}


def test_u16_delivered_before_it_was_packed(storage: Storage) -> None:
    """Parked until somebody says that it left, and then delivered; both dates stand."""
    shop = packed(storage)
    shop.handle("S", ARRIVED, occurred_at=NOON)
    assert (shop.status("S"), shop.tasks()) == ("Packed", [])
    shop.tell("S", GO)
    assert (shop.status("S"), shop.tasks()) == ("Delivered", ["arrived_before_it_left"])


def test_u16_scanned_before_it_was_placed(storage: Storage) -> None:
    """Nobody handed it over: the scan dates its leaving, and the order was placed later."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2))
    shop.handle("S", PACK, occurred_at=NOON - 2 * HOUR)
    shop.handle("S", SCAN, occurred_at=NOON - HOUR)
    assert (shop.status("S"), left_at(shop), shop.tasks()) == ("InTransit", NOON - HOUR, ["left_before_it_was_placed"])


def test_u16_a_voided_parcel_left_before_it_was_placed(storage: Storage) -> None:
    """The same, where somebody says that a voided parcel left."""
    shop = packed(storage).tell("S", VoidShipment())
    shop.handle("S", RecordDispatch(), occurred_at=NOON - HOUR)
    assert "left_before_it_was_placed" in shop.tasks()


@pytest.mark.parametrize("delivered", [False, True])
def test_u16_back_before_it_left(storage: Storage, delivered: bool) -> None:
    """The goods are here; that they came back before they left is for somebody to look at."""
    shop = packed(storage).tell("S", GO)
    if delivered:
        shop.tell("S", ARRIVED)
    shop.handle("S", ReceiveBack("main"), occurred_at=NOON)
    assert (shop.status("S"), shop.vector().returned, shop.level().quarantined) == ("ReturnedToSender", 2, 2)
    dates = {"back": NOON.isoformat(), "left": (NOON + 2 * HOUR).isoformat()}
    assert facts(shop) == {"back_before_it_left": dates}


@pytest.mark.parametrize("then", [ARRIVED, ReceiveBack("main")])
def test_u16_none_is_refused_and_nothing_is_booked_twice(storage: Storage, then: Any) -> None:
    """Handed over before it was placed, and what follows dated earlier still: all is recorded once."""
    shop = packed(storage)
    shop.handle("S", GO, occurred_at=NOON - HOUR)
    shop.handle("S", then, occurred_at=NOON - 2 * HOUR)
    assert len(shop.tasks()) == 3
    assert (shop.level().on_hand, shop.vector().shipped) == (8 if then is ARRIVED else 10, 0)
