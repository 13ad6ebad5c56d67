"""A return holds what its stock has set aside for it: inspecting it moves that, no other units, and is never stuck."""

from __future__ import annotations

from typing import Any

import pytest
from goods_shop import ARRIVED, LOST, PACK, REFUSED, GoodsShop, item

from orderflow.domain.inventory.counting import CountStock, Discard, Quarantine, ReleaseQuarantine
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.returns.inspecting import InspectedUnits, InspectedUnmatched, InspectReturn
from orderflow.domain.returns.receiving import ReceiveReturn, ReturnedUnits, UnmatchedReturn
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.leaving import RecordDispatch
from orderflow.domain.shipping.planning import VoidShipment
from orderflow.domain.shipping.resolving import ResupplyParcel
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.shipping.state import Back
from orderflow.domain.values import InspectionOutcome
from orderflow.ports.storage import Storage

RESTOCK, DISCARD, REJECT, KEEP = (
    InspectionOutcome.RESTOCK,
    InspectionOutcome.DISCARD,
    InspectionOutcome.REJECT,
    InspectionOutcome.QUARANTINE,
)
each_outcome = pytest.mark.parametrize("outcome", list(InspectionOutcome))


def desk(units: int, parcel: str = "", *, arrival: str = "", usable: bool = False) -> ReceiveReturn:
    """The returns desk takes in units of the first line."""
    return ReceiveReturn("main", (ReturnedUnits("O", 1, units, parcel),), usable=usable, arrival=arrival)


def dock(units: int, arrival: str = "T-77", place: str = "main", *, usable: bool = False) -> ReceiveBack:
    """The dock takes in units of the first line."""
    return ReceiveBack(place, usable, (Back("O", 1, units),), arrival)


def found(outcome: InspectionOutcome, units: int, place: str = "main") -> InspectReturn:
    """What becomes of units of the first line."""
    return InspectReturn((InspectedUnits(outcome, place, "O", 1, units),))


def stock(shop: GoodsShop, place: str = "main") -> tuple[int, int, int]:
    """On hand, set aside, and of those in returns."""
    level = shop.level(place)
    return level.on_hand, level.quarantined, level.in_returns


def held(shop: GoodsShop, *returns: str) -> list[tuple[str, int, int]]:
    """Shipment, units received and units waiting, of each lot."""
    return [(lot.shipment, lot.received, lot.waiting) for row in returns for lot in shop.returns.get(row).goods.lots]


def status(shop: GoodsShop, row: str = "R") -> str:
    """The state of a return."""
    return type(shop.returns.get(row)).__name__


#: How many more are on hand, and set aside, once a unit that waited was inspected.
LEADS = {RESTOCK: (0, -1), KEEP: (0, 0), DISCARD: (-1, -1), REJECT: (-1, -1)}


def moved(before: tuple[int, int, int], outcome: InspectionOutcome, units: int) -> tuple[int, int, int]:
    """The stock after units that waited in returns were inspected."""
    on_hand, aside = LEADS[outcome]
    return before[0] + units * on_hand, before[1] + units * aside, before[2] - units


# -- more than came


@each_outcome
def test_u01_the_desk_names_a_parcel_and_more_than_it_had_out(storage: Storage, outcome: InspectionOutcome) -> None:
    """Of three told one was out: the others are to be counted; inspecting all three moves that one, and no other."""
    shop = GoodsShop(storage).allocated(1).sent("S", item(1)).tell("S", ARRIVED)
    shop.tell("TEA@main", Quarantine(3, "damaged by water")).tell("R", desk(3, "S"))
    assert (stock(shop), held(shop, "R"), shop.tasks()) == ((10, 4, 1), [("S", 1, 1), ("", 2, 2)], ["count"])
    before = stock(shop)
    shop.tell("R", found(outcome, 3))
    assert stock(shop) == moved(before, outcome, 1)
    assert status(shop) == ("Rejected" if outcome is REJECT else "Inspected")
    assert shop.vector().delivered == (outcome is REJECT)


@each_outcome
@pytest.mark.parametrize("way", [(), (PACK, VoidShipment())], ids=["planned", "voided"])
def test_u01_the_desk_names_a_parcel_that_never_left(
    storage: Storage, outcome: InspectionOutcome, way: tuple[Any, ...]
) -> None:
    """Nothing is taken into stock, so there is nothing that an inspection could move."""
    shop = GoodsShop(storage).allocated(1).planned("S", item(1)).tell("S", *way).tell("R", desk(2, "S"))
    shop.tell("R", found(outcome, 2))
    assert (stock(shop), held(shop, "R"), status(shop)) == (
        (10, 0, 0),
        [("", 2, 0)],
        "Rejected" if outcome is REJECT else "Inspected",
    )
    assert shop.level().recount


@each_outcome
def test_u01_the_desk_names_a_packed_parcel(storage: Storage, outcome: InspectionOutcome) -> None:
    """It had left, then, with the one unit that was in it; of the two that are told one is back."""
    shop = GoodsShop(storage).allocated(1).planned("S", item(1)).tell("S", PACK).tell("R", desk(2, "S"))
    assert (stock(shop), held(shop, "R")) == ((10, 1, 1), [("S", 1, 1), ("", 1, 1)])
    shop.tell("R", found(outcome, 2))
    assert stock(shop) == moved((10, 1, 1), outcome, 1)


def test_u01_more_than_came_and_usable(storage: Storage) -> None:
    """As good as new: one is on sale, the other two are nowhere, and the return has nothing to inspect."""
    shop = GoodsShop(storage).allocated(1).sent("S", item(1)).tell("S", ARRIVED).tell("R", desk(3, "S", usable=True))
    assert (stock(shop), held(shop, "R"), status(shop)) == ((10, 0, 0), [("S", 1, 0), ("", 2, 0)], "Inspected")


# -- what belongs to no order


def with_a_gift(storage: Storage) -> GoodsShop:
    """A parcel was sent again, and found by the customer then."""
    shop = GoodsShop(storage).allocated(1).sent("S", item(1)).tell("S", LOST, ResupplyParcel())
    shop.allocate("O")
    return shop.sent("T", item(1)).tell("T", RecordDelivered("there")).tell("S", RecordDelivered("found"))


@each_outcome
@pytest.mark.parametrize("again", [False, True], ids=["once", "and back again"])
def test_u02_a_gift_comes_back_to_the_desk(storage: Storage, outcome: InspectionOutcome, again: bool) -> None:
    """It is the stock's; rejected it is a gift again, and the order hears of nothing."""
    shop = with_a_gift(storage).tell("R", desk(1, "S"))
    assert (stock(shop), shop.fate()) == ((9, 1, 1), {"recovered": 1})
    shop.tell("R", found(outcome, 1))
    assert stock(shop) == moved((9, 1, 1), outcome, 1)
    assert (shop.fate(), shop.vector().delivered) == ({"gift" if outcome is REJECT else "recovered": 1}, 1)
    if again and outcome is REJECT:
        shop.tell("R2", desk(1, "S"), found(RESTOCK, 1))
        assert (stock(shop), shop.fate()) == ((9, 0, 0), {"recovered": 1})


@each_outcome
def test_u02_it_comes_back_before_its_replacement_is_sent(storage: Storage, outcome: InspectionOutcome) -> None:
    """The order is not sent at all then, or is cancelled: whatever it is, the desk decides."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", LOST, ResupplyParcel(), ARRIVED)
    shop.tell("R", desk(1, "S"), found(outcome, 1))
    assert stock(shop) == moved((9, 1, 1), outcome, 1)
    shop.tell("R", desk(1, "S"), found(outcome, 1))
    assert (shop.status(), shop.vector().open) == ("Confirmed", 2)


@each_outcome
def test_u25_a_surplus_comes_back_with_what_was_owed(storage: Storage, outcome: InspectionOutcome) -> None:
    """One of two was owed; both are inspected alike, and rejected they are the customer's, one of them as a gift."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2)).tell("S", PACK, VoidShipment())
    shop.sent("T", item(1)).tell("S", RecordDispatch(), ARRIVED)
    assert shop.fate() == {"delivered": 1, "surplus": 1}
    shop.tell("R", desk(2, "S"), found(outcome, 2))
    assert stock(shop) == moved((9, 2, 2), outcome, 2)
    assert shop.fate() == ({"delivered": 1, "gift": 1} if outcome is REJECT else {"returned": 1, "recovered": 1})


# -- the worklist of what is set aside


def test_u01_what_waits_in_a_return_is_decided_there(storage: Storage) -> None:
    """The stock row does not offer it, refuses to release it or throw it away, and offers what the desk keeps aside."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", ARRIVED).tell("R", desk(2))
    assert shop.worklist("to_inspect") == []
    assert [task.key.id for task in shop.worklist("returns_to_inspect")] == ["R"]
    assert shop.refusal("TEA@main", ReleaseQuarantine(1)) == ("not_quarantined",)
    assert shop.refusal("TEA@main", Discard(1)) == ("not_quarantined",)
    shop.tell("TEA@main", Quarantine(3)).tell("R", found(KEEP, 1))
    assert [task.reasons[0]["units"] for task in shop.worklist("to_inspect")] == [4]
    shop.tell("TEA@main", ReleaseQuarantine(3), Discard(1))
    assert (stock(shop), shop.refusal("TEA@main", ReleaseQuarantine(1))) == ((9, 1, 1), ("not_quarantined",))
    shop.tell("R", found(RESTOCK, 1))
    assert (stock(shop), status(shop), shop.worklist("to_inspect")) == ((9, 0, 0), "Inspected", [])


@each_outcome
def test_u01_units_that_belong_to_no_order(storage: Storage, outcome: InspectionOutcome) -> None:
    """They wait in their return as well."""
    shop = GoodsShop(storage).tell("R", ReceiveReturn("main", unmatched=(UnmatchedReturn("TEA", 2),)))
    assert (stock(shop), shop.refusal("TEA@main", Discard(1))) == ((12, 2, 2), ("not_quarantined",))
    shop.tell("R", InspectReturn(unmatched=(InspectedUnmatched(outcome, "main", "TEA", 2),)))
    assert stock(shop) == moved((12, 2, 2), outcome, 2)


@each_outcome
def test_u12_counted_away_before_it_was_inspected(storage: Storage, outcome: InspectionOutcome) -> None:
    """A stocktake has found nothing; what is thrown away or sent back after it must have been there."""
    shop = GoodsShop(storage).allocated(1).sent("S", item(1)).tell("S", ARRIVED).tell("R", desk(1))
    shop.tell("TEA@main", CountStock(0)).tell("R", found(outcome, 1))
    level = shop.level()
    assert (level.on_hand, level.in_returns, level.recount) == (0, 0, outcome in {DISCARD, REJECT})


# -- told by the dock first


@each_outcome
def test_u01_the_desk_inspects_what_the_dock_took_in(storage: Storage, outcome: InspectionOutcome) -> None:
    """The same arrival: the units change hands, and are inspected once. Told at another desk, there are none left."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", REFUSED, dock(2))
    assert (stock(shop), [task.key.id for task in shop.worklist("to_inspect")]) == ((10, 2, 0), ["TEA@main"])
    shop.tell("R", desk(1, arrival="T-77")).tell("R2", desk(2, arrival="T-77")).tell("R3", desk(1, arrival="T-77"))
    assert (stock(shop), shop.worklist("to_inspect"), shop.tasks()) == ((10, 2, 2), [], [])
    assert held(shop, "R", "R2", "R3") == [("S", 1, 1), ("S", 1, 1), ("", 1, 1), ("", 1, 1)]
    for row, units in (("R3", 1), ("R2", 2), ("R", 1)):
        shop.tell(row, found(outcome, units))
    assert stock(shop) == moved((10, 2, 2), outcome, 2)
    assert shop.vector().delivered == (2 if outcome is REJECT else 0)


def test_u01_the_dock_knew_it_as_usable_or_elsewhere(storage: Storage) -> None:
    """What is on sale already, or was taken in at another place, does not wait in the return."""
    shop = GoodsShop(storage).tell("TEA@shop", ReceiveGoods(1)).allocated(3).sent("S", item(3)).tell("S", REFUSED)
    shop.tell("S", dock(1, "T-1", usable=True), dock(1, "T-2", "shop"), dock(1, "T-3"))
    shop.tell("R", desk(1, arrival="T-1"), desk(1, arrival="T-2"), desk(1, arrival="T-3", usable=True))
    assert (stock(shop), stock(shop, "shop"), shop.tasks()) == ((9, 1, 0), (2, 1, 0), [])
    assert [lot[:1] for lot in held(shop, "R")] == [("",)]
    shop.tell("R", found(DISCARD, 2))
    assert (stock(shop), stock(shop, "shop"), status(shop)) == ((9, 1, 0), (2, 1, 0), "Inspected")


@each_outcome
def test_u01_released_before_the_desk_told_of_it(storage: Storage, outcome: InspectionOutcome) -> None:
    """The desk has it in hand, so it is set aside again, and somebody counts."""
    shop = GoodsShop(storage).allocated(1).sent("S", item(1)).tell("S", REFUSED, dock(1))
    shop.tell("TEA@main", ReleaseQuarantine(1)).tell("R", desk(1, arrival="T-77"))
    assert (stock(shop), shop.level().recount) == ((10, 1, 1), True)
    shop.tell("R", found(outcome, 1))
    assert stock(shop) == moved((10, 1, 1), outcome, 1)


def test_u01_the_desk_has_told_of_it_before_the_dock(storage: Storage) -> None:
    """The dock tells nothing new, and the units stay in the return."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", REFUSED)
    shop.tell("R", desk(2, arrival="T-77")).tell("S", dock(2), ReceiveBack("main", arrival="T-77"))
    assert (stock(shop), held(shop, "R"), shop.tasks()) == ((10, 2, 2), [("S", 2, 2)], [])


def test_u01_one_line_twice_in_one_report(storage: Storage) -> None:
    """Two entries of a line are one: nothing is claimed or counted twice."""
    shop = GoodsShop(storage).allocated(3).sent("S", item(3)).tell("S", REFUSED)
    shop.tell("S", ReceiveBack("main", units=(Back("O", 1, 1), Back("O", 1, 1)), arrival="T-77"))
    both = (ReturnedUnits("O", 1, 1, "S"), ReturnedUnits("O", 1, 1, "S"))
    shop.tell("R", ReceiveReturn("main", both, arrival="T-77"), found(RESTOCK, 2))
    assert (stock(shop), shop.vector().returned, shop.tasks()) == ((9, 0, 0), 2, [])
