"""The returns desk: what may come back, where its units go, what is owed for it, and what goes on by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from tea_shop import ARRIVE, BY_HAND, GO, NOON, PACK, Shop, item, note, plan, shipped

from orderflow.domain.billing.credit_note import CreditItem
from orderflow.domain.inventory.counting import ReleaseQuarantine
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.orders.annotating import AnnotateOrder
from orderflow.domain.orders.charging import credit_due_minor, credit_minor
from orderflow.domain.orders.returning import UnitsInspected, UnitsRejected
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.returns import state as s
from orderflow.domain.returns.inspecting import InspectedUnits, InspectedUnmatched, InspectReturn, SettleReturn
from orderflow.domain.returns.receiving import ReceiveReturn, ReturnedUnits, UnmatchedReturn
from orderflow.domain.returns.requesting import AuthoriseReturn, CancelReturn, DeclineReturn, RequestReturn
from orderflow.domain.shipping.state import Arrival, Delivered, Left
from orderflow.domain.values import InspectionOutcome, LineQuantity
from orderflow.domain.workflow.attention import Standing
from orderflow.domain.workflow.eligibility import no_more_than_delivered, no_skus, no_tags, within_days
from orderflow.errors import CommandMismatch, CommandRefused, InputError
from orderflow.flows.advance import ShopSettings
from orderflow.flows.returns import OVERDUE, ReturnSettings

RESTOCK, QUARANTINE, DISCARD, REJECT = InspectionOutcome
ALLOW = AuthoriseReturn(NOON + timedelta(days=14))


def wish(units: int = 1, line: int = 1, **options: Any) -> RequestReturn:
    """Units of order O that the customer wants to send back."""
    return RequestReturn("O", (LineQuantity(line, units),), **options)


def came(units: int, arrival: str = "", *, usable: bool = False) -> ReceiveReturn:
    """Units of order O at the desk."""
    return ReceiveReturn("main", (ReturnedUnits("O", 1, units),), usable=usable, arrival=arrival)


def looked_at(*parts: tuple[InspectionOutcome, int]) -> InspectReturn:
    """What becomes of units of order O."""
    return InspectReturn(tuple([InspectedUnits(outcome, "main", "O", 1, units) for outcome, units in parts]))


def returning(**settings: Any) -> Shop:
    """A shop whose order O of two units was delivered and billed, and that takes back by these settings."""
    return shipped(Shop(ShopSettings(shipping=BY_HAND, returns=ReturnSettings(**settings))))


def refused(shop: Shop, row: str, command: RequestReturn) -> tuple[str, ...]:
    """The codes that a request is refused with; asking why gives the same, and nothing has changed."""
    before = shop.storage.entries(0, 1_000)
    with pytest.raises(CommandRefused) as caught:
        shop.request_return(row, command)
    assert shop.explain_return(row, command) == caught.value.refusals
    assert shop.storage.entries(0, 1_000) == before
    return caught.value.codes


# -- what may come back


def test_no_more_is_asked_back_than_was_delivered() -> None:
    """Nor what other returns still wait for; what they gave up, or what has come, is counted once."""
    shop = returning()
    assert refused(shop, "R-1", wish(3)) == ("not_returnable",)
    assert refused(shop, "R-1", wish(1, line=9)) == ("no_such_line",)
    shop.request_return("R-1", wish(1))
    assert shop.explain_return("R-1", wish(2)) == ()
    assert refused(shop, "R-2", wish(2)) == ("not_returnable",)
    assert shop.explain_return("R-2", wish(1)) == ()
    shop.tell("R-1", DeclineReturn("worn"))
    shop.request_return("R-2", wish(2))
    shop.tell("R-2", ALLOW, came(1))
    assert refused(shop, "R-3", wish(1)) == ("not_returnable",)


def test_units_claimed_are_not_asked_for_again() -> None:
    """A claim brings no goods; what was claimed counts as asked for all the same."""
    shop = returning()
    shop.request_return("R-1", wish(2, reason=s.CustomerReason.MISSING, goods_come_back=False))
    shop.tell("R-1", ALLOW)
    assert refused(shop, "R-2", wish(1)) == ("not_returnable",)


def test_a_return_is_asked_for_in_time() -> None:
    """Within the days after the last delivery; a claim later too."""
    shop = returning(rules=(within_days(14),))
    shop.time.advance(timedelta(days=14))
    assert shop.explain_return("R-1", wish()) == ()
    shop.time.advance(timedelta(seconds=1))
    assert refused(shop, "R-1", wish()) == ("too_late",)
    shop.request_return("R-1", wish(reason=s.CustomerReason.DEFECTIVE))


def test_without_a_known_delivery_no_time_runs() -> None:
    """Where no carrier has told of a delivery, nobody can say that it was too long ago."""
    shop = Shop().stocked(main=1).confirmed(1)
    shop.allocate("O")
    shop.tell("S", plan(item(1)))
    shop.time.advance(timedelta(days=400))
    assert [refusal.code for refusal in shop.explain_return("R-1", wish())] == ["not_returnable"]


def test_a_shop_says_what_it_does_not_take_back() -> None:
    """Articles, and orders with a tag; every reason is given at once."""
    shop = returning(rules=(no_more_than_delivered, no_skus("TEA"), no_tags("final sale")))
    assert refused(shop, "R-1", wish()) == ("not_taken_back",)
    shop.tell("O", AnnotateOrder(add=("final sale",)))
    assert refused(shop, "R-1", wish(3)) == ("not_returnable", "not_taken_back", "order_not_taken_back")


def test_only_a_placed_order_is_returned() -> None:
    """An order that is not there, and a command that asks for no return."""
    shop = returning()
    other = RequestReturn("N", (LineQuantity(1, 1),))
    assert refused(shop, "R-1", other) == ("no_such_order",)
    for call in (shop.request_return, shop.explain_return):
        with pytest.raises(InputError, match="RequestReturn"):
            call("R-1", came(1))  # type: ignore[arg-type]
    with pytest.raises(InputError):
        shop.request_return("R-1", evolve(other, order="N" * 300))


def test_a_request_told_again_is_the_same() -> None:
    """By its command id, also when the rules would no longer allow it."""
    shop = returning(rules=(within_days(14),))
    first = shop.request_return("R-1", wish(), command_id="w-1")
    shop.time.advance(timedelta(days=20))
    assert shop.request_return("R-1", wish(), command_id="w-1") == first
    with pytest.raises(CommandMismatch):
        shop.request_return("R-1", wish(2), command_id="w-1")


# -- where its units go


def test_what_comes_back_is_set_aside_until_inspected() -> None:
    """Then each unit goes its way: on sale, kept aside, out of the stock, back to the customer."""
    shop = returning()
    shop.receive_return("R-1", came(2))
    assert shop.stock.level("TEA") == StockLevel(2, quarantined=2, in_returns=2)
    assert (shop.lines[0].returned, shop.lines[0].delivered) == (2, 0)
    shop.tell("R-1", looked_at((RESTOCK, 1)))
    assert shop.stock.level("TEA") == StockLevel(2, quarantined=1, in_returns=1)
    shop.tell("R-1", looked_at((REJECT, 1)))
    assert shop.stock.level("TEA") == StockLevel(1)
    assert (shop.lines[0].returned, shop.lines[0].delivered) == (1, 1)
    assert type(shop.returns.get("R-1")).__name__ == "Inspected"
    told = [found.event for found in shop.orders.history("O")][-2:]
    assert [type(event) for event in told] == [UnitsInspected, UnitsRejected]
    assert {event.document for event in told} == {"R-1"}
    parcel = shop.shipments.get("O/1")
    assert isinstance(parcel, Left)
    assert (parcel.fates[0].returned, parcel.fates[0].delivered) == (1, 1)


@pytest.mark.parametrize(
    "outcome,level",
    [
        (RESTOCK, StockLevel(3)),
        (QUARANTINE, StockLevel(3, quarantined=3)),
        (DISCARD, StockLevel(0)),
        (REJECT, StockLevel(0)),
    ],
)
def test_goods_of_no_order_are_inspected_too(outcome: InspectionOutcome, level: StockLevel) -> None:
    """Their stock is told directly."""
    shop = Shop()
    shop.tell("R-1", ReceiveReturn("main", unmatched=(UnmatchedReturn("CUP", 3),)))
    assert shop.stock.level("CUP") == StockLevel(3, quarantined=3, in_returns=3)
    shop.tell("R-1", InspectReturn(unmatched=(InspectedUnmatched(outcome, "main", "CUP", 3),)))
    assert shop.stock.level("CUP") == level


def test_a_shop_that_inspects_nothing_sells_it_at_once() -> None:
    """By its settings; a command handed over directly says so itself."""
    shop = returning(inspect=False)
    shop.receive_return("R-1", came(1))
    assert (shop.stock.level("TEA"), type(shop.returns.get("R-1"))) == (StockLevel(1), s.Inspected)
    shop.tell("R-1", came(1))
    assert (shop.stock.level("TEA").available, type(shop.returns.get("R-1"))) == (1, s.Received)
    with pytest.raises(InputError, match="ReceiveReturn"):
        shop.receive_return("R-1", wish())  # type: ignore[arg-type]


def test_an_arrival_told_by_two_is_booked_once() -> None:
    """Under the return's id and its own; the second report reaches neither order nor stock."""
    shop = returning()
    for _ in range(2):
        shop.receive_return("R-1", came(1, "T-9"))
    assert (shop.lines[0].returned, shop.stock.level("TEA").on_hand) == (1, 1)
    parcel = shop.shipments.get("O/1")
    assert isinstance(parcel, Left)
    assert parcel.tracking.arrivals == (Arrival("T-9", "O", 1),)


def test_reports_that_name_no_arrival_are_new_ones() -> None:
    """One unit, and then the other; the first goes by the name of the return, which the dock may know too."""
    shop = returning()
    for _ in range(2):
        shop.receive_return("R-1", came(1))
    assert (shop.lines[0].returned, shop.stock.level("TEA").on_hand) == (2, 2)
    parcel = shop.shipments.get("O/1")
    assert isinstance(parcel, Left)
    assert [arrival.id for arrival in parcel.tracking.arrivals] == ["R-1"]


def test_more_than_was_sent_is_taken_in_and_counted() -> None:
    """A third unit of two: the return has it, the stock does not before somebody counts, and nobody rejects it."""
    shop = returning()
    shop.receive_return("R-1", came(3))
    assert shop.stock.level("TEA") == StockLevel(2, quarantined=2, in_returns=2, recount=True)
    assert shop.lines[0].returned == 2
    parcels = [lot.shipment for lot in shop.returns.get("R-1").goods.lots]
    assert parcels == ["O/1", ""]
    shop.tell("R-1", looked_at((REJECT, 2), (DISCARD, 1)))
    assert (shop.lines[0].delivered, shop.stock.level("TEA").on_hand) == (2, 0)
    assert type(shop.returns.get("R-1")) is s.Inspected


def test_rejected_units_may_come_back_again() -> None:
    """They are the customer's in their parcel and in their order, so the next arrival of them is news."""
    shop = returning()
    for row in ("R-1", "R-2"):
        shop.tell(row, came(2), looked_at((REJECT, 2)))
        assert type(shop.shipments.get("O/1")) is Delivered
        assert (shop.lines[0].returned, shop.lines[0].delivered) == (0, 2)
    assert shop.stock.level("TEA") == StockLevel(0)


def test_units_are_rejected_by_the_parcel_that_they_left_in() -> None:
    """Two parcels, one unit of each: the one that is named is the customer's again."""
    shop = Shop().stocked(main=2).confirmed(2)
    shop.allocate("O")
    for parcel in ("S", "T"):
        shop.tell(parcel, plan(item(1)), PACK, GO, ARRIVE)
    shop.tell("R-1", came(2))
    mine = InspectedUnits(REJECT, "main", "O", 1, 1, shipment="T")
    assert shop.refusal("R-1", InspectReturn((mine._replace(quantity=2),))) == ("not_waiting",)
    shop.tell("R-1", InspectReturn((mine,)))
    assert [type(shop.shipments.get(parcel)).__name__ for parcel in "ST"] == ["ReturnedToSender", "Delivered"]


def test_units_in_a_return_are_not_put_on_sale_by_hand() -> None:
    """They are inspected there; those that stay in quarantine are for whoever looks after the stock."""
    shop = returning().tell("R-1", came(2))
    assert shop.refusal("TEA@main", ReleaseQuarantine(1)) == ("not_quarantined",)
    shop.tell("R-1", looked_at((QUARANTINE, 1), (RESTOCK, 1))).tell("TEA@main", ReleaseQuarantine(1))
    assert shop.stock.level("TEA") == StockLevel(2)


# -- what is owed for it


def test_a_return_is_settled_once_nothing_is_to_be_credited() -> None:
    """The gate looks at the order: its amount is on the list until a credit note names the units."""
    shop = returning().tell("R-1", came(1), looked_at((RESTOCK, 1)))
    [task] = shop.worklist("returns_to_credit")
    assert [(r.code, r.message, dict(r.facts)["minor"]) for r in task.reasons] == [
        ("to_credit", "11.90 EUR of order O are to be credited", 1190)
    ]
    assert (task.commands, shop.worklist("can_advance")) == (("DraftCreditNote",), [])
    assert shop.advance_returns() == []
    assert shop.refusal("R-1", SettleReturn("CN")) == ("to_credit",)
    shop.tell("CN", note(CreditItem("O/1", 1, 1)))
    assert shop.worklist("returns_to_credit") == []
    assert [task.commands[0] for task in shop.worklist("can_advance")] == ["CompleteOrder", "SettleReturn"]
    [ack] = shop.advance_returns()
    assert (ack.key.id, type(shop.returns.get("R-1"))) == ("R-1", s.Settled)
    assert [task.key.id for task in shop.worklist("can_advance")] == ["O"]


def test_rejected_units_are_owed_as_before() -> None:
    """Nothing is to be credited for what goes back to the customer."""
    shop = returning().tell("R-1", came(2))
    order = shop.orders.get("O")
    assert isinstance(order, HasProgress)
    assert credit_due_minor(order) == 2380
    shop.tell("R-1", looked_at((REJECT, 2)))
    order = shop.orders.get("O")
    assert isinstance(order, HasProgress)
    assert (credit_due_minor(order), type(shop.returns.get("R-1"))) == (0, s.Rejected)
    assert shop.attention("return", "R-1") == ()


def test_another_line_of_the_order_does_not_hold_a_return_up() -> None:
    """A return is settled by its own lines."""
    shop = Shop().stocked(main=2).placed(1, 1)
    shop.advance("O")
    shop.tell("O/1", GO, ARRIVE).advance("O")
    shop.tell("R-1", came(1), looked_at((RESTOCK, 1)))
    two = ReceiveReturn("main", (ReturnedUnits("O", 2, 1),))
    shop.tell("R-2", two)
    order = shop.orders.get("O")
    assert isinstance(order, HasProgress)
    assert (credit_due_minor(order), credit_due_minor(order, {1}), credit_due_minor(order, {9})) == (2380, 1190, 0)
    shop.tell("CN", note(CreditItem("O/1", 1, 1)))
    assert [ack.key.id for ack in shop.advance_returns()] == ["R-1"]


def test_what_units_would_give_back() -> None:
    """Of those that are charged, and no more; of an order that is not billed nothing."""
    shop = returning()
    order = shop.orders.get("O")
    assert isinstance(order, HasProgress)
    assert [credit_minor(order, [(1, units)]) for units in (1, 2, 3)] == [1190, 2380, 2380]
    fresh = Shop().placed(2).orders.get("O")
    assert isinstance(fresh, HasProgress)
    assert credit_minor(fresh, [(1, 2)]) == 0


# -- what it waits for


def test_a_return_waits_for_a_decision_then_for_goods_then_for_an_inspection() -> None:
    """Each on its list, with its reason; due until the day that was agreed on."""
    shop = returning()
    shop.request_return("R-1", wish(2))
    assert seen(shop) == [("returns", "to_decide", Standing.LISTED)]
    shop.tell("R-1", ALLOW)
    assert seen(shop) == [("returns", "not_sent_back", Standing.DUE)]
    assert shop.worklist("returns") == []
    shop.tell("R-1", came(1))
    assert seen(shop) == [
        ("returns", "still_out", Standing.LISTED),
        ("returns_to_inspect", "to_inspect", Standing.LISTED),
    ]
    [task] = shop.worklist("returns_to_inspect")
    assert (task.key.id, dict(task.reasons[0].facts)["here"]) == ("R-1", 1)
    shop.tell("R-1", came(1))
    assert [code for _, code, _ in seen(shop)] == ["to_inspect"]
    shop.tell("R-1", looked_at((RESTOCK, 2)))
    assert [code for _, code, _ in seen(shop)] == ["ready"]


def seen(shop: Shop, row: str = "R-1") -> list[tuple[str, str, Standing]]:
    """What a return waits for."""
    return [(found.worklist, found.reason.code, found.standing) for found in shop.attention("return", row)]


def test_what_is_not_sent_in_time_is_cancelled() -> None:
    """By itself, and listed until then; goods that come later reopen it."""
    shop = returning()
    shop.request_return("R-1", wish(1))
    shop.tell("R-1", ALLOW)
    assert shop.advance_returns() == []
    shop.time.set(ALLOW.return_by)
    assert [task.key.id for task in shop.worklist("returns")] == ["R-1"]
    [ack] = shop.advance_returns()
    cancelled = shop.returns.get("R-1")
    assert isinstance(cancelled, s.Cancelled)
    assert (ack.key.id, cancelled.handling.reason) == ("R-1", OVERDUE)
    assert seen(shop) == []
    shop.tell("R-1", came(1))
    assert [code for _, code, _ in seen(shop)] == ["to_inspect"]


def test_one_call_takes_no_more_than_its_limit() -> None:
    """The others are taken by the next."""
    shop = returning()
    for row in ("R-1", "R-2"):
        shop.request_return(row, wish(1))
        shop.tell(row, ALLOW)
    shop.time.set(ALLOW.return_by)
    assert [[ack.key.id for ack in shop.advance_returns(1)] for _ in range(3)] == [["R-1"], ["R-2"], []]


def test_a_claim_is_settled_by_hand() -> None:
    """No order says what is due for goods that do not come, so nothing settles it by itself."""
    shop = returning()
    claim = wish(1, reason=s.CustomerReason.MISSING, wanted=s.Wanted.RESUPPLY, goods_come_back=False)
    shop.request_return("R-1", claim)
    shop.tell("R-1", ALLOW)
    [task] = shop.worklist("returns_to_credit")
    assert [refusal.code for refusal in task.reasons] == ["claimed"]
    assert shop.advance_returns() == []
    shop.tell("R-1", SettleReturn("CN"))
    assert seen(shop) == []


def test_returns_are_found_by_order_and_what_is_open() -> None:
    """Those that are over are not open."""
    shop = returning()
    shop.request_return("R-1", wish(1))
    shop.request_return("R-2", wish(1))
    shop.tell("R-2", CancelReturn())
    assert [row.key.id for row in shop.returns.find(where={"order_id": "O", "open": 1})] == ["R-1"]
