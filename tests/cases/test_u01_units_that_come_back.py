"""Units come back once, whoever tells of them, in whichever order, and however many parcels there are."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest
from goods_shop import ARRIVED, LOST, NOON, REFUSED, GoodsShop, item

from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.returns.receiving import ReceiveReturn, ReturnedUnits, UnmatchedReturn
from orderflow.domain.returns.requesting import AuthoriseReturn, RequestReturn
from orderflow.domain.shipping.carriage import RecordDelivered, RecordReturning
from orderflow.domain.shipping.leaving import RecordLeftBehind
from orderflow.domain.shipping.resolving import ClearExpected, DeclareLost, ResupplyParcel, WriteOffParcel
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.shipping.state import Back
from orderflow.domain.values import LineQuantity, Pick
from orderflow.ports.storage import Storage

Told = Callable[[GoodsShop], object]


def desk(units: int, document: str = "R", order: str = "O", arrival: str = "") -> Told:
    """The returns desk books units of the first line."""
    told = ReceiveReturn("main", (ReturnedUnits(order, 1, units),), arrival=arrival)
    return lambda shop: shop.handle(document, told)


def dock(units: int = 0, arrival: str = "", parcel: str = "S") -> Told:
    """The dock takes the parcel in, whole or so many units of it."""
    back = (Back("O", 1, units),) if units else ()
    return lambda shop: shop.handle(parcel, ReceiveBack("main", units=back, arrival=arrival))


BOTH: dict[str, tuple[Told, Told]] = {
    "two at the desk, the whole parcel at the dock": (desk(2), dock()),
    "two at the desk, two at the dock": (desk(2), dock(2)),
    "the same arrival": (dock(2, arrival="R"), desk(2)),
    "the same tracking number": (dock(2, arrival="T-77"), desk(2, arrival="T-77")),
    "the same tracking number at two desks": (desk(2, arrival="T-77"), desk(2, document="R2", arrival="T-77")),
}
#: What tells of one arrival twice.
SAME = [told for name, told in BOTH.items() if "same" in name]


@pytest.mark.parametrize("reverse", [False, True], ids=["desk first", "dock first"])
@pytest.mark.parametrize("told", BOTH.values(), ids=BOTH)
def test_u01_two_sent_come_back_once(storage: Storage, told: tuple[Told, Told], reverse: bool) -> None:
    """On hand +2, once; what is told beyond that is to be counted, unless it is the same arrival."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", REFUSED)
    for report in reversed(told) if reverse else told:
        report(shop)
    assert (shop.level().on_hand, shop.vector().returned, shop.status("S")) == (10, 2, "ReturnedToSender")
    assert shop.level().recount is not (told in SAME)


def test_u01_what_came_back_is_set_aside(storage: Storage) -> None:
    """Nobody has looked at it yet, unless whoever took it in says that it is as good as new."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", REFUSED)
    shop.tell("S", ReceiveBack("main", units=(Back("O", 1, 1),)))
    assert (shop.level().available, shop.level().quarantined) == (8, 1)
    shop.tell("S", ReceiveBack("main", usable=True))
    assert (shop.level().available, shop.level().quarantined) == (9, 1)


def test_u01_one_at_the_desk_and_the_rest_at_the_dock(storage: Storage) -> None:
    """The whole parcel is what it still has out."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", REFUSED)
    desk(1)(shop)
    assert (shop.level().on_hand, shop.status("S")) == (9, "Returning")
    dock()(shop)
    assert (shop.level().on_hand, shop.status("S"), shop.tasks()) == (10, "ReturnedToSender", [])


def test_u01_one_unit_of_a_line_from_two_places(storage: Storage) -> None:
    """A parcel holds units of a line from two places; one that comes back is one."""
    shop = GoodsShop(storage).tell("TEA@shop", ReceiveGoods(1)).allocated(1)
    shop.tell("O2", *shop.order(2)).tell("O2", AllocateStock((Pick(1, "main", 1), Pick(1, "shop", 1))))
    shop.sent("S", item(1, "O2"), item(1, "O2", place="shop")).tell("S", REFUSED)
    shop.tell("S", ReceiveBack("main", units=(Back("O2", 1, 1),)))
    vector = shop.vector(order="O2")
    assert (vector.returned, vector.shipped, shop.status("S"), shop.level().on_hand) == (1, 1, "Returning", 10)


def test_u01_an_arrival_is_told_line_by_line(storage: Storage) -> None:
    """Two lines of one arrival are told by two people; each line counts once."""
    shop = GoodsShop(storage).allocated(1, 1).sent("S", item(1), item(1, line=2)).tell("S", REFUSED)
    first, second = (ReceiveBack("main", units=(Back("O", line, 1),), arrival="T-9") for line in (1, 2))
    shop.tell("S", first, second, first, ReceiveBack("main", arrival="T-9"))
    assert (shop.level().on_hand, shop.tasks(), shop.status("S")) == (10, [], "ReturnedToSender")


def by_line(line: int, units: int = 1, arrival: str = "T-9") -> ReceiveReturn:
    """The desk books units of a line of an arrival."""
    return ReceiveReturn("main", (ReturnedUnits("O", line, units),), arrival=arrival)


def test_u01_an_arrival_is_told_line_by_line_at_the_desk(storage: Storage) -> None:
    """Two lines and something that was never ordered, in two reports of one arrival; each counts once."""
    shop = GoodsShop(storage).allocated(1, 1).sent("S", item(1), item(1, line=2)).tell("S", REFUSED)
    cup = ReceiveReturn("main", unmatched=(UnmatchedReturn("TEA", 1),), arrival="T-9")
    whole = ReceiveReturn("main", (*by_line(1).units, *by_line(2).units), cup.unmatched, arrival="T-9")
    shop.tell("R", by_line(1), by_line(2), by_line(1), cup, cup, whole)
    assert (shop.level().on_hand, shop.tasks(), shop.status("S")) == (11, [], "ReturnedToSender")
    assert shop.returns.get("R").goods.waiting == 3


def test_u01_a_line_that_is_told_again_with_another(storage: Storage) -> None:
    """What is new of a report counts, what is known does not."""
    shop = GoodsShop(storage).allocated(1, 1).sent("S", item(1), item(1, line=2)).tell("S", REFUSED)
    both = ReceiveReturn("main", (*by_line(1).units, *by_line(2).units), arrival="T-9")
    shop.tell("R", by_line(1), both)
    assert (shop.level().on_hand, shop.tasks(), shop.returns.get("R").goods.waiting) == (10, [], 2)


def test_u01_a_return_named_like_another_s_second_report(storage: Storage) -> None:
    """However returns are named, each brings its own units."""
    shop = GoodsShop(storage).allocated(3).sent("S", item(3)).tell("S", REFUSED)
    for document in ("R", "R", "R#2"):
        desk(1, document)(shop)
    assert (shop.level().on_hand, shop.vector().returned, shop.tasks()) == (10, 3, [])


def test_u01_a_wish_names_a_line_twice(storage: Storage) -> None:
    """One and one of a line are two, of which one is out when one came."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", ARRIVED)
    shop.tell("R", RequestReturn("O", (LineQuantity(1, 1), LineQuantity(1, 1))))
    shop.tell("R", AuthoriseReturn(NOON + timedelta(days=9)), by_line(1))
    assert (type(shop.returns.get("R")).__name__, shop.returns.get("R").units_outstanding) == ("PartlyReceived", 1)


def test_u01_the_desk_names_no_parcel(storage: Storage) -> None:
    """Of two parcels, the one on its way back is meant before the delivered one, and somebody is to look."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(1)).sent("T", item(1))
    shop.tell("S", ARRIVED).tell("T", REFUSED)
    desk(1)(shop)
    assert (shop.status("T"), shop.status("S"), shop.tasks("T")) == (
        "ReturnedToSender",
        "Delivered",
        ["which_shipment"],
    )
    desk(1, "R2")(shop)
    assert (shop.status("S"), shop.level().on_hand, shop.tasks("S")) == ("ReturnedToSender", 10, [])


def test_u01_what_is_said_to_come_back_is_meant(storage: Storage) -> None:
    """Of two delivered parcels, the one that its carrier says was refused later."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(1)).sent("T", item(1))
    shop.tell("S", ARRIVED).tell("T", ARRIVED, REFUSED)
    desk(1)(shop)
    assert (shop.status("S"), shop.status("T")) == ("Delivered", "ReturnedToSender")


def test_u01_more_than_all_parcels_had(storage: Storage) -> None:
    """The desk books three of two that were sent: two are back, the third is to be counted."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", ARRIVED)
    desk(3)(shop)
    assert (shop.level().on_hand, shop.level().recount, shop.vector().returned) == (10, True, 2)


def test_u01_a_parcel_that_never_left(storage: Storage) -> None:
    """Units told to be back of a planned or voided parcel move nothing; somebody counts."""
    shop = GoodsShop(storage).allocated(2).planned("S", item(2))
    dock()(shop)
    assert (shop.level().on_hand, shop.level().recount, shop.status("S"), shop.tasks()) == (
        10,
        True,
        "Planned",
        ["count"],
    )


@pytest.mark.parametrize("order", [*itertools.permutations(("desk", "dock", "again"))], ids="-".join)
def test_u01_whatever_the_order(storage: Storage, order: tuple[str, ...]) -> None:
    """Two arrivals, one of which the dock tells of too, in any order: each counts once."""
    shop = GoodsShop(storage).allocated(3).sent("S", item(3)).tell("S", REFUSED)
    reports = {"desk": desk(1, "R"), "dock": dock(2, arrival="T"), "again": dock(1, arrival="R")}
    for name in order:
        reports[name](shop)
    assert (shop.level().on_hand, shop.vector().returned, shop.tasks()) == (10, 3, [])


# -- lost, replaced, and here again


def test_u02_a_replaced_parcel_comes_back_to_us(storage: Storage) -> None:
    """Its units belong to no order: they are recovered for the stock, and the replacement is billed and returnable."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", DeclareLost(), ResupplyParcel())
    shop.allocate("O")
    shop.sent("T", item(2)).tell("T", RecordDelivered("there"))
    assert shop.level().on_hand == 6
    dock()(shop)
    assert (shop.level().on_hand, shop.fate(), shop.status("S")) == (8, {"recovered": 2}, "ReturnedToSender")
    assert (shop.vector().delivered, shop.vector().returned) == (2, 0)
    desk(2)(shop)
    assert (shop.level().on_hand, shop.vector().returned, shop.status("T")) == (10, 2, "ReturnedToSender")


def test_u02_a_replaced_parcel_arrives_after_all(storage: Storage) -> None:
    """It is a gift, which somebody should look at; nothing is billed twice, and it may still come back."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", DeclareLost(), ResupplyParcel(), ARRIVED)
    assert (shop.fate(), shop.tasks(), shop.status("S")) == ({"gift": 2}, ["replaced_and_delivered"], "Delivered")
    assert (shop.vector().open, shop.vector().delivered) == (2, 0)
    dock()(shop)
    assert (shop.fate(), shop.level().on_hand) == ({"recovered": 2}, 10)


def test_u02_written_off_and_found(storage: Storage) -> None:
    """Units stay lost until they are in hand or delivered."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", LOST, WriteOffParcel())
    shop.tell("S", REFUSED)
    assert (shop.vector().lost, shop.status("S")) == (2, "Returning")
    dock(1)(shop)
    assert (shop.vector().lost, shop.vector().returned, shop.level().on_hand) == (1, 1, 9)
    other = shop.allocated(1, order="O2").sent("T", item(1, "O2")).tell("T", LOST, WriteOffParcel(), ARRIVED)
    assert (other.vector(order="O2").delivered, other.vector(order="O2").lost) == (1, 0)


@pytest.mark.parametrize("back", [(), (REFUSED,)], ids=["still lost", "returning"])
def test_m03_one_is_lost_and_the_other_back(storage: Storage, back: tuple[RecordReturning, ...]) -> None:
    """The parcel is not back while a unit is missing, which may still arrive."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", LOST, WriteOffParcel((item(1),)), *back)
    dock(1)(shop)
    assert (shop.status("S"), shop.fate()) == ("Lost", {"returned": 1, "lost": 1})
    shop.tell("S", RecordDelivered("there"))
    assert (shop.status("S"), shop.vector().delivered, shop.vector().lost) == ("Delivered", 1, 0)


@pytest.mark.parametrize("word", [WriteOffParcel((item(1),)), ResupplyParcel((item(1),))], ids=["lost", "replaced"])
def test_m03_what_was_missing_comes_back_last(storage: Storage, word: WriteOffParcel | ResupplyParcel) -> None:
    """All of it is back then, what was sent again for the stock alone."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", LOST, word, REFUSED)
    dock(1)(shop)
    dock(1)(shop)
    assert (shop.status("S"), shop.level().on_hand) == ("ReturnedToSender", 10)


def test_u02_one_stayed_and_the_other_is_missing(storage: Storage) -> None:
    """A parcel on its way back, of which one unit was never taken and the other written off, is lost."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", LOST, WriteOffParcel((item(1),)), REFUSED)
    shop.tell("S", RecordLeftBehind((item(1),)))
    assert (shop.status("S"), shop.fate()) == ("Lost", {"lost": 1, "left_behind": 1})


# -- in part


def test_u07_a_parcel_refused_in_part(storage: Storage) -> None:
    """Delivered, and one unit refused: one is back, one delivered, and both rows say so."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", ARRIVED, REFUSED)
    assert shop.fate() == {"delivered": 2, "expected_back": 2}
    dock(1, arrival="T-1")(shop)
    assert (shop.fate(), shop.status("S")) == ({"delivered": 1, "returned": 1, "expected_back": 1}, "Delivered")
    assert (shop.vector().delivered, shop.vector().returned, shop.level().on_hand) == (1, 1, 9)
    shop.tell("S", ClearExpected())
    assert shop.fate() == {"delivered": 1, "returned": 1}
    assert shop.refusal("S", ClearExpected()) == ("nothing_expected",)


@pytest.mark.parametrize("told", [(), (ARRIVED,)], ids=["on the way", "delivered"])
def test_u07_the_courier_took_one_of_two(storage: Storage, told: tuple[RecordDelivered, ...]) -> None:
    """Noticed later: the other unit is where it was, and owed again."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", *told, RecordLeftBehind((item(1),)))
    assert (shop.vector().open, shop.vector().shipped + shop.vector().delivered, shop.level().on_hand) == (1, 1, 9)
    shop.tell("S", *() if told else (ARRIVED,))
    assert (shop.status(), shop.status("S"), shop.fate()) == (
        "PartlyShipped",
        "Delivered",
        {"delivered": 1, "left_behind": 1},
    )


def test_u07_the_courier_took_nothing(storage: Storage) -> None:
    """Then the parcel never left."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", RecordLeftBehind((item(2),)))
    assert (shop.status("S"), shop.status(), shop.vector().open, shop.level().on_hand) == ("Voided", "Confirmed", 2, 10)
