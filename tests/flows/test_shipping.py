"""Goods leave, arrive, get lost and come back."""

from __future__ import annotations

from attrs import evolve
from tea_shop import ARRIVE, CANCEL, GO, NOON, PACK, Shop, item, plan

from orderflow.domain.inventory.counting import CountStock
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.content import ShipTogether
from orderflow.domain.returns.inspecting import InspectedUnits, InspectedUnmatched, InspectReturn, SettleReturn
from orderflow.domain.returns.receiving import ReceiveReturn, ReturnedUnits, UnmatchedReturn
from orderflow.domain.shipping.carriage import RecordReturning, RecordTracking, TrackingStatus
from orderflow.domain.shipping.planning import DropItems, RecordShortPick, VoidShipment
from orderflow.domain.shipping.resolving import DeclareLost, ResupplyParcel, WriteOffParcel
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.shipping.state import Delivered, ReturnReason
from orderflow.domain.values import InspectionOutcome, LineQuantity
from orderflow.ports.storage import Ack
from orderflow.shop import Request


def test_an_order_leaves_from_two_locations_and_is_completed() -> None:
    """What one location lacks comes from the other: two shipments, one order, an invoice for each, completed."""
    shop = Shop().stocked(main=2, shop=3).placed(4)
    shop.advance("O")
    assert sorted((place.location, place.quantity) for place in shop.lines[0].preparing) == [("main", 2), ("shop", 2)]
    shop.tell("O/1", GO)
    assert shop.state == "PartlyShipped"
    assert [refusal.code for refusal in shop.explain("O", CompleteOrder())] == ["not_now"]
    shop.advance("O")
    shop.tell("O/2", GO)
    assert shop.state == "Shipped"
    shop.tell("O/1", ARRIVE).tell("O/2", ARRIVE)
    assert shop.advance("O").state == "Completed"
    assert [bill.invoice for bill in shop.progress().bills] == ["O/1", "O/2"]
    assert shop.balance("ann", "EUR") == 4_760


def test_a_shipment_is_proposed_for_each_location() -> None:
    """Numbered on, with the weight and pieces of its units; carried out as proposed, the order is being prepared."""
    shop = Shop().stocked(main=2, shop=3).confirmed(3, 1)
    shop.allocate("O")
    proposed = shop.plan_shipments("O")
    held = sorted((a.location, a.quantity) for line in shop.lines for a in line.allocated)
    assert sorted((i.location, i.quantity) for parcel in proposed for i in parcel.plan.items) == held
    assert [parcel.key.id for parcel in proposed] == [f"O/{number}" for number in range(1, len(proposed) + 1)]
    assert sum(parcel.pack.pieces for parcel in proposed) == 4
    assert sum(parcel.pack.weight_grams for parcel in proposed) == 400
    steps = [Request(parcel.key.id, step) for parcel in proposed for step in (parcel.plan, parcel.pack)]
    assert all(isinstance(result, Ack) for result in shop.handle_many(steps))
    assert (shop.state, shop.plan_shipments("O")) == ("Preparing", [])


def test_what_ships_together_waits_for_each_other() -> None:
    """Of an order that ships together nothing is prepared before all of it has stock; of a line that does, neither."""
    shop = Shop().stocked(main=2).confirmed(2, 1, ship_together=ShipTogether.ORDER)
    shop.allocate("O")
    assert shop.refusal("S", plan(item(2))) == ("ships_together",)
    other = Shop().stocked(main=3).confirmed(2, 2, ship_together=ShipTogether.LINE)
    other.allocate("O")
    assert other.refusal("S", plan(item(1, line=2))) == ("ships_together",)
    other.tell("S", plan(item(2)))


def test_units_that_are_not_found_are_owed_again() -> None:
    """A short pick takes units out of the shipment; they are open, and their stock is out of use."""
    shop = Shop().stocked(main=2).confirmed(2)
    shop.allocate("O")
    shop.tell("S", plan(item(2)), RecordShortPick((item(1),)), PACK)
    assert (shop.lines[0].open, shop.lines[0].preparing_quantity) == (1, 1)
    assert shop.stock.level("TEA") == StockLevel(2, allocated=1, missing=1, recount=True)


def test_a_short_pick_is_taken_after_a_stocktake_found_the_same() -> None:
    """Units that a count has found missing can still be picked short; then no shortfall is left."""
    shop = Shop().stocked(main=2).confirmed(2)
    shop.allocate("O")
    shop.tell("S", plan(item(2)))
    shop.tell("TEA@main", CountStock(0)).tell("S", RecordShortPick((item(2),)))
    assert shop.lines[0].open == 2
    assert shop.stock.level("TEA") == StockLevel(0, counted_at=NOON)


def test_a_shipment_is_given_up_and_planned_anew() -> None:
    """A voided shipment and dropped items leave their units allocated."""
    shop = Shop().stocked(main=2).confirmed(2)
    shop.allocate("O")
    shop.tell("S", plan(item(2)), DropItems((item(1),)), VoidShipment())
    assert (shop.state, shop.lines[0].allocated_quantity) == ("Allocated", 2)
    assert shop.refusal("T", plan(item(3))) == ("not_allocated",)
    assert shop.refusal("T", plan(item(1, line=9))) == ("not_allocated",)


def test_a_lost_parcel_is_written_off_or_sent_again() -> None:
    """Lost units stay shipped until they are resolved: written off, or open again."""
    shop = Shop().stocked(main=2).confirmed(2)
    shop.allocate("O")
    shop.tell("S", plan(item(2)), PACK, GO, DeclareLost())
    assert shop.lines[0].shipped == 2
    shop.tell("S", WriteOffParcel((item(1),)), ResupplyParcel())
    assert (shop.lines[0].lost, shop.lines[0].open, shop.state) == (1, 1, "PartlyShipped")
    assert shop.refusal("S", WriteOffParcel()) == ("not_missing",)
    assert shop.refusal("S", ResupplyParcel((item(1),))) == ("not_missing",)


def lost_in_transit(quantity: int) -> Shop:
    """A shop whose order O has all its units in a shipment that is lost."""
    shop = Shop().stocked(main=quantity).confirmed(quantity)
    shop.allocate("O")
    return shop.tell("S", plan(item(quantity)), PACK, GO, DeclareLost())


def test_a_parcel_is_found_whatever_became_of_its_order() -> None:
    """A delivery is taken after a write-off, which it undoes, and after a re-supply, which it leaves alone."""
    shop = lost_in_transit(2).tell("S", WriteOffParcel()).tell("O", CompleteOrder()).tell("S", ARRIVE)
    assert (shop.state, shop.lines[0].delivered, shop.lines[0].lost) == ("Completed", 2, 0)
    shop = lost_in_transit(2).tell("S", ResupplyParcel()).tell("O", CANCEL).tell("S", ARRIVE)
    assert (shop.state, shop.lines[0].delivered, shop.lines[0].cancelled) == ("Cancelled", 0, 2)
    parcel = shop.shipments.get("S")
    assert isinstance(parcel, Delivered)
    assert (parcel.fates[0].gift, parcel.tracking.tasks[0].code) == (2, "replaced_and_delivered")


def test_what_a_shipment_brings_back_is_restocked_whatever_became_of_its_order() -> None:
    """Goods of a parcel that comes back are in stock again, also those that the order no longer counts as sent."""
    shop = lost_in_transit(3).tell("S", WriteOffParcel((item(1),)), ResupplyParcel((item(1),)))
    shop.tell("S", RecordReturning("r", ReturnReason.REFUSED), ReceiveBack("shop"))
    line = shop.lines[0]
    assert (line.open, line.returned, line.shipped, line.lost) == (1, 2, 0, 0)
    assert shop.stock.level("TEA", "shop").on_hand == 3


def test_goods_come_back_before_and_after_completion() -> None:
    """A refused parcel comes back before, a return after completion; both are in stock again, nothing is owed twice."""
    shop = Shop().stocked(main=2).confirmed(1, 1)
    shop.allocate("O")
    shop.tell("S", plan(item(1)), PACK, GO, RecordReturning("r", ReturnReason.REFUSED), ReceiveBack("shop"))
    shop.tell("T", plan(item(1, line=2)), PACK, GO, ARRIVE)
    assert shop.advance("O").state == "Completed"
    assert shop.stock.level("TEA", "shop").on_hand == 1
    assert shop.refusal("R", ReceiveReturn("main")) == ("nothing_returned",)
    loose = (UnmatchedReturn("CUP", 2), UnmatchedReturn("CUP", 1))
    shop.tell("R", ReceiveReturn("main", (ReturnedUnits("O", 2, 1),), loose, usable=False))
    aside = InspectionOutcome.QUARANTINE
    cups = (InspectedUnmatched(aside, "main", "CUP", 3),)
    shop.tell("R", InspectReturn((InspectedUnits(aside, "main", "O", 2, 1),), cups))
    assert shop.refusal("R", SettleReturn()) == ("to_credit",)
    assert (shop.lines[1].returned, shop.state) == (1, "Completed")
    assert shop.stock.level("CUP") == StockLevel(3, quarantined=3)


def test_a_completed_order_owes_nothing_again() -> None:
    """Units of it that are scanned though they were cancelled can be written off, and not sent again."""
    shop = Shop().stocked(main=2).confirmed(2)
    shop.allocate("O")
    shop.tell("S", plan(item(1)), PACK, GO, ARRIVE).tell("T", plan(item(1)), PACK)
    shop.tell("O", evolve(CANCEL, units=(LineQuantity(1, 1),)), BillUnits("O/1", "inv"), CompleteOrder())
    shop.tell("T", RecordTracking("t", TrackingStatus.IN_TRANSIT), DeclareLost())
    assert (shop.state, shop.lines[0].shipped, shop.lines[0].cancelled) == ("Completed", 1, 0)
    assert shop.refusal("T", ResupplyParcel()) == ("order_closed",)
    assert shop.tell("T", WriteOffParcel()).lines[0].lost == 1
