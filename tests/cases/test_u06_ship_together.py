"""U06: what must travel together leaves together, from however many places; else it says what it waits for."""

from __future__ import annotations

from typing import Any

import pytest
from goods_shop import ANN, GO, PACK, SCAN, GoodsShop, item

from orderflow import MemoryCarrier, MemoryStorage, Person, PlaceOrder, ShipTogether, SqliteStorage
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy
from orderflow.domain.orders.readdressing import ChangeAddress
from orderflow.domain.shipping.labelling import ChangeCarrier, VoidLabel
from orderflow.domain.shipping.planning import DropItems, PackShipment, PlanShipment, VoidShipment
from orderflow.domain.shipping.state import Plan
from orderflow.domain.values import LineQuantity
from orderflow.flows.advance import ShopSettings
from orderflow.flows.allocate import AllocationSettings

Storage = MemoryStorage | SqliteStorage
ORDER, LINE = ShipTogether.ORDER, ShipTogether.LINE
TOGETHER = pytest.mark.parametrize("together", [ORDER, LINE])


@pytest.fixture
def shop(storage: Storage) -> GoodsShop:
    """A shop with ten units at each of two places."""
    settings = ShopSettings(AllocationSettings(("main", "shop")))
    shop = GoodsShop(storage, settings=settings, carriers=[MemoryCarrier("post")])
    return shop.tell("TEA@shop", ReceiveGoods(10))


def settle(shop: GoodsShop) -> None:
    """Relay until nothing is left to do."""
    while shop.relay().taken:
        pass


def apart(shop: GoodsShop, together: ShipTogether) -> GoodsShop:
    """An order of 15, ten at one place and five at the other, in two parcels that need no label."""
    shop.allocated(15, ship_together=together)
    shop.planned("S", item(10)).planned("T", item(5, place="shop"))
    return shop.tell("S", PACK)


def reason(shop: GoodsShop, parcel: str = "S") -> tuple[str, str]:
    """Why a parcel is not to be sent, on its worklist."""
    [task] = [task for task in shop.worklist("to_ship") if task.key.id == parcel]
    [why] = task.reasons
    return why.code, str(why)


@TOGETHER
def test_u06_goes_as_two_parcels_together(shop: GoodsShop, together: ShipTogether) -> None:
    """`advance` plans both; neither leaves before the other has its label; both leave, and told twice is told once."""
    shop.tell("O", *shop.order(15, ship_together=together)).advance("O")
    assert [[unit.location for unit in shop.parcel(f"O/{n}").items] for n in (1, 2)] == [["main"], ["shop"]]  # type: ignore[union-attr]
    assert shop.relay(limit=1).done == 1
    assert shop.refusal("O/1", GO) == ("others_not_ready",)
    settle(shop)
    shop.tell("O/1", GO).tell("O/2", GO)
    assert (shop.status(), shop.refusal("O/1", GO)) == ("Shipped", ("not_now",))


@TOGETHER
def test_u06_waits_until_the_other_is_ready(shop: GoodsShop, together: ShipTogether) -> None:
    """The worklist names it; once one has left, the other is free."""
    apart(shop, together)
    code, said = reason(shop)
    assert (code, "shipment T" in said) == ("others_not_ready", True)
    assert shop.refusal("S", GO) == ("others_not_ready",)
    shop.tell("T", PACK, GO).tell("S", GO)
    assert shop.status() == "Shipped"


@pytest.mark.parametrize("back", [VoidLabel(), ChangeCarrier("post", "slow")], ids=["its label", "its carrier"])
def test_u06_is_ready_no_more(shop: GoodsShop, back: Any) -> None:
    """A label that is given back keeps the other parcel here, until something has left."""
    shop.allocated(15, ship_together=ORDER)
    for parcel, unit in (("S", item(10)), ("T", item(5, place="shop"))):
        shop.tell(parcel, PlanShipment((unit,), Plan("post", ship_to=ANN)), PackShipment(0, 1))
    settle(shop)
    shop.tell("T", back)
    assert shop.refusal("S", GO) == ("others_not_ready",)
    shop.tell("T", ChangeCarrier("", needs_label=False)).tell("S", GO)
    assert shop.status() == "PartlyShipped"
    shop.tell("T", GO)
    assert shop.status() == "Shipped"


def test_u06_readdressed(shop: GoodsShop) -> None:
    """Parcels that follow another address go together all the same."""
    shop.tell("O", *shop.order(15, ship_together=ORDER)).advance("O")
    settle(shop)
    shop.tell("O", ChangeAddress(shop.record_party("bob", Person("Bob")), "FR"))
    assert shop.refusal("O/1", GO) == ("other_address",)
    settle(shop)
    shop.tell("O/1", GO).tell("O/2", GO)
    assert shop.status() == "Shipped"


@TOGETHER
@pytest.mark.parametrize(
    "command", [DropItems((item(5, place="shop"),)), VoidShipment(), DropItems((item(1, place="shop"),))]
)
def test_u06_taken_out(shop: GoodsShop, together: ShipTogether, command: Any) -> None:
    """What came out of a parcel is to be put into another one first; what is cancelled is not waited for."""
    apart(shop, together).tell("T", PACK, command)
    assert shop.refusal("S", GO) == ("rest_is_open",)
    assert reason(shop)[0] == "rest_is_open"
    units = shop.vector().allocated_quantity
    if units == 5:
        shop.planned("U", item(5, place="shop")).tell("U", PACK)
    else:
        shop.tell("O", CancelUnits("no", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    shop.tell("S", GO)
    assert shop.status() == "PartlyShipped"


@TOGETHER
def test_u06_waits_for_stock(shop: GoodsShop, together: ShipTogether) -> None:
    """Nothing of it is prepared before all of it is there; the order says how many units wait, and where."""
    shop.tell("O", *shop.order(21, ship_together=together)).advance("O")
    assert shop.status() == "AwaitingStock"
    assert shop.refusal("S", PlanShipment((item(10),), Plan(needs_label=False))) == ("ships_together",)
    [task] = shop.worklist("awaiting_stock")
    assert [(why.code, dict(why.facts)["units"]) for why in task.reasons] == [("backordered", 1)]
    told = {(why.code, *dict(why.facts).items()) for why in shop.advance("O").refusals}
    assert ("ships_together", ("line", 1), ("missing", 1)) in told
    shop.tell(f"TEA@{dict(task.reasons[0].facts)['location']}", ReceiveGoods(1))
    settle(shop)
    shop.advance("O")
    settle(shop)
    shop.tell("O/1", GO).tell("O/2", GO)
    assert shop.status() == "Shipped"


def test_u06_lines_each_on_their_own(shop: GoodsShop) -> None:
    """A line that waits keeps no other; one that is in two parcels keeps both."""
    shop.tell("O", *shop.order(2, 20, ship_together=LINE)).allocate("O")
    shop.planned("S", item(2)).tell("S", PACK)
    assert shop.refusal("T", PlanShipment((item(8, line=2),), Plan(needs_label=False))) == ("ships_together",)
    shop.tell("S", GO)
    assert shop.status() == "PartlyShipped"


def test_u06_the_rest_follows(shop: GoodsShop) -> None:
    """Once some has left, what waits is prepared and sent as it comes."""
    apart(shop, ORDER).tell("T", PACK)
    shop.tell("S", GO).tell("T", DropItems((item(2, place="shop"),)), GO)
    assert shop.status() == "PartlyShipped"
    shop.planned("U", item(2, place="shop")).tell("U", PACK, GO)
    assert shop.status() == "Shipped"


def test_u06_scanned_before_the_rest_was_prepared(shop: GoodsShop) -> None:
    """It has left: a task says in spite of what."""
    shop.allocated(15, ship_together=ORDER).planned("S", item(10)).tell("S", PACK, SCAN)
    assert (shop.status(), shop.tasks()) == ("PartlyShipped", ["left_in_spite"])
    assert dict(shop.parcel().tracking.tasks[0].facts)["why"] == "rest_is_open"
    shop.planned("T", item(5, place="shop")).tell("T", PACK, GO)
    assert shop.status() == "Shipped"


def test_u06_a_parcel_shared_with_another_order(shop: GoodsShop) -> None:
    """It may be kept here by the other order, so it goes first: then neither order is torn apart."""
    shop.allocated(2, ship_together=ORDER).allocated(2, order="O1", ship_together=ORDER)
    shop.planned("S", item(1), item(1, "O1")).planned("T", item(1)).tell("S", PACK).tell("T", PACK)
    assert shop.refusal("T", GO) == ("others_not_ready",)
    assert "shared" in reason(shop, "T")[1]
    assert shop.refusal("S", GO) == ("rest_is_open",)
    shop.planned("U", item(1, "O1")).tell("U", PACK)
    shop.tell("S", GO).tell("T", GO).tell("U", GO)
    assert (shop.status(), shop.status("O1")) == ("Shipped", "Shipped")


def test_u06_by_hand_in_several_parcels_of_one_place(shop: GoodsShop) -> None:
    """However it was divided."""
    shop.allocated(2, 1, ship_together=ORDER).planned("S", item(2)).tell("S", PACK)
    assert shop.refusal("S", GO) == ("rest_is_open",)
    shop.planned("T", item(1, line=2))
    assert shop.refusal("S", GO) == ("others_not_ready",)
    shop.tell("T", PACK, GO).tell("S", GO)
    assert shop.status() == "Shipped"


def test_u06_nothing_is_asked_of_others(shop: GoodsShop) -> None:
    """Where nothing must travel together, each parcel goes by itself."""
    assert isinstance(shop.order(1)[0], PlaceOrder)
    apart(shop, ShipTogether.NO).tell("S", GO)
    assert shop.status() == "PartlyShipped"
