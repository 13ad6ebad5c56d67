"""Whole lives of orders through the facade: given a shop, when this happens, then that is so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from orderflow.adapters.carriers.memory import CarrierFailure, MemoryCarrier
from orderflow.adapters.clock import FixedClock
from orderflow.adapters.ids import SequenceIds
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.memory import MemoryStorage, MemoryUnit
from orderflow.domain.billing.account import SetCreditLimit
from orderflow.domain.billing.credit_note import CreditLine, CreditNoteContent, DraftCreditNote
from orderflow.domain.billing.invoice import MarkSent, VoidInvoice, WriteOff
from orderflow.domain.billing.numbering import ClosePeriod, OpenSeries
from orderflow.domain.engine.decide import Envelope, Flow, ask
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.documents import PostAdjustment, PostReceipt, PostTransfer, SkuChange, SkuQuantity
from orderflow.domain.inventory.stock import CountStock, ReceiveGoods, ReleaseQuarantine, Restock, StockLevel
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.allocating import (
    AllocateStock,
    ExpireAllocation,
    FillBackorder,
    ReleaseStock,
    StockReleased,
)
from orderflow.domain.orders.amending import AnnotateOrder
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.cancelling import CancelUnits, OrderCancelled
from orderflow.domain.orders.content import (
    AllocateAt,
    CancelledBy,
    CompleteOn,
    Gate,
    Hold,
    HoldReason,
    InvoiceBasis,
    LineKind,
    OrderContent,
    OrderLine,
    Policy,
    ShipTogether,
)
from orderflow.domain.orders.holding import PlaceHold, ReleaseHold
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.placing import ConfirmOrder, DiscardDraft, EditDraft, OpenDraft, PlaceOrder, UnconfirmOrder
from orderflow.domain.orders.shipping import DispatchShipment, ResolveLoss, UnitsDelivered
from orderflow.domain.orders.state import Completed
from orderflow.domain.parties.customer import BlockCustomer, CloseCustomer, RegisterCustomer, UnblockCustomer
from orderflow.domain.parties.party import ErasePartyVersion, Person
from orderflow.domain.payments.applying import ApplyPayment, UnapplyPayment
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.payments.refunding import ChargeBackPayment, RefundPayment
from orderflow.domain.payments.state import ApplicationTarget, PaymentSource
from orderflow.domain.returns import ReceiveReturn, ReturnedUnits, SettleReturn, UnmatchedReturn
from orderflow.domain.shipping import state as ss
from orderflow.domain.shipping.carriage import DeclareLost, HandOver, ReceiveBack, RecordDelivered, RecordReturning
from orderflow.domain.shipping.labelling import RecordLabel, VoidLabel
from orderflow.domain.shipping.planning import DropItems, PackShipment, PlanShipment, VoidShipment
from orderflow.domain.shipping.state import Item, Plan, ReturnReason, ShippingLabel
from orderflow.domain.values import LineQuantity, PartyRef, Pick
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import (
    CommandMismatch,
    CommandRefused,
    ConcurrencyConflict,
    DefinitionError,
    InputError,
    InvariantBroken,
    Key,
    NotFound,
    StorageError,
)
from orderflow.flows.advance import ShopSettings
from orderflow.flows.allocate import AllocationSettings
from orderflow.flows.asks import NewId, Now
from orderflow.flows.handle import handle_many
from orderflow.flows.notices import addressee
from orderflow.flows.prepare import ShippingSettings
from orderflow.flows.receive import Changed, Created, Unchanged
from orderflow.ports.storage import Ack, Query, Row
from orderflow.runtime import run, run_async
from orderflow.shop import OrderFlow, Request
from orderflow.testing.scenario import Life

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
ANN = PartyRef("ann", 1)
VAT = TaxCategory.of("S", 19)
BY_HAND = ShippingSettings(needs_label=False)
TWO_PLACES = ShopSettings(AllocationSettings(("main", "shop")), BY_HAND)


class Shop(OrderFlow):
    """A shop in memory with a clock, a carrier and a notifier at hand."""

    def __init__(self, settings: ShopSettings = TWO_PLACES, **options: Any) -> None:
        storage = options.pop("storage", None) or MemoryStorage()
        self.time = FixedClock(NOON)
        self.post = MemoryCarrier("post", script=options.pop("script", ()))
        self.mail = MemoryNotifier()
        options = {"carriers": [self.post], "notifier": self.mail, "ids": SequenceIds(), **options}
        super().__init__(storage, settings=settings, clock=self.time, **options)
        self.record_party("ann", Person("Ann", email="ann@example.org"))

    def stocked(self, **places: int) -> Shop:
        """With so much TEA at each place."""
        for place, quantity in places.items():
            self.handle(f"TEA@{place}", ReceiveGoods(quantity))
        return self

    def placed(self, *quantities: int, **policy: Any) -> Shop:
        """With order O of so many TEA on each line, placed."""
        self.handle("O", PlaceOrder(content(*quantities, policy=Policy(**policy))))
        return self

    def confirmed(self, *quantities: int, **policy: Any) -> Shop:
        """With order O confirmed."""
        self.placed(*quantities, **policy).handle("O", ConfirmOrder())
        return self

    def tell(self, row: str, *commands: Any) -> Shop:
        """Carry out commands on one row, none of which may be refused."""
        for command in commands:
            self.handle(row, command)
        return self

    def refusal(self, row: str, command: Any) -> tuple[str, ...]:
        """The codes a command is refused with; nothing has changed then."""
        before = self.storage.entries(0, 1_000)
        with pytest.raises(CommandRefused) as caught:
            self.handle(row, command)
        assert self.storage.entries(0, 1_000) == before
        return caught.value.codes

    def settle(self) -> Shop:
        """Carry out effects until none is left."""
        for _ in range(50):
            if not self.relay().done:
                break
        return self

    @property
    def lines(self) -> tuple[Any, ...]:
        """The line vectors of order O."""
        vectors: tuple[Any, ...] = self.order("O").progress.lines
        return vectors

    @property
    def state(self) -> str:
        """The state of order O."""
        return type(self.order("O")).__name__


def content(*quantities: int, price: str = "10.00", **changes: Any) -> OrderContent:
    """An order of TEA, a line for each quantity."""
    lines = tuple(
        OrderLine.of(number, "TEA", quantity, Price.of(price, "EUR"), VAT, weight_grams=100)
        for number, quantity in enumerate(quantities, start=1)
    )
    return evolve(OrderContent("EUR", lines, TaxPolicy(), "ann", bill_to=ANN, ship_to=ANN), **changes)


def item(quantity: int, place: str = "main", line: int = 1) -> Item:
    """Units of order O in a shipment."""
    return Item("O", line, place, quantity)


def plan(*items: Item) -> PlanShipment:
    """A shipment that needs no label."""
    return PlanShipment(items, Plan(needs_label=False))


def pick(quantity: int, place: str = "main", line: int = 1) -> tuple[Pick, ...]:
    """Units of a line at a place."""
    return (Pick(line, place, quantity),)


PACK, GO, ARRIVE = PackShipment(100, 1), HandOver(), RecordDelivered("arrived")
CANCEL = CancelUnits("changed their mind", CancelledBy.CUSTOMER)

# -- goods


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
    assert shop.order("O").progress.invoices == ("O/1", "O/2")
    assert shop.balance("ann", "EUR") == 4_760


def test_what_is_missing_waits_and_is_filled_first() -> None:
    """Units without stock are back-ordered, and filled when goods come in."""
    shop = Shop().stocked(main=1).confirmed(3)
    shop.allocate("O")
    assert shop.state == "AwaitingStock"
    assert (shop.lines[0].allocated_quantity, shop.lines[0].backordered_quantity) == (1, 2)
    assert shop.stock("TEA").backordered == 2
    assert [task.key.id for task in shop.worklist("awaiting_stock")] == ["O"]
    [refused] = shop.allocate("O")
    assert isinstance(refused, CommandRefused)
    assert refused.codes == ("nothing_to_allocate",)
    shop.stocked(shop=2).allocate("O")
    assert shop.state == "Allocated"
    assert shop.stock("TEA").backordered == 0


def test_filling_leaves_open_units_open() -> None:
    """Filling the last waiting unit while others are open leads back to Confirmed."""
    shop = Shop().confirmed(2).tell("O", AllocateStock(backorder=pick(1)))
    shop.stocked(main=1).tell("O", FillBackorder(pick(1)))
    assert shop.state == "Confirmed"
    assert shop.refusal("O", FillBackorder(pick(1))) == ("not_backordered",)
    assert shop.refusal("O", FillBackorder(())) == ("nothing_asked",)


@pytest.mark.parametrize("bucket", ["open", "backordered", "allocated", "preparing"])
def test_units_are_cancelled_out_of_every_bucket(bucket: str) -> None:
    """Cancelling gives back what stock and shipments hold for the units, wherever they stand."""
    shop = Shop().stocked(main=1).confirmed(1)
    if bucket == "backordered":
        shop.tell("O", AllocateStock(backorder=pick(1)))
    if bucket in ("allocated", "preparing"):
        shop.allocate("O")
    if bucket == "preparing":
        shop.tell("S", plan(item(1)))
    shop.tell("O", CANCEL)
    assert shop.state == "Cancelled"
    assert shop.stock("TEA") == StockLevel(1)
    assert shop.get("account", "ann").of("EUR").ordered == 0
    shop.settle()
    if bucket == "preparing":
        assert isinstance(shop.get("shipment", "S"), ss.Voided)


def test_units_named_twice_are_cancelled_together() -> None:
    """A line named twice loses the sum; more than can be cancelled is refused."""
    shop = Shop().confirmed(3)
    shop.tell("O", CancelUnits("fewer", CancelledBy.CUSTOMER, (LineQuantity(1, 1), LineQuantity(1, 1))))
    assert shop.lines[0].cancelled == 2
    assert shop.refusal("O", CancelUnits("all", CancelledBy.CUSTOMER, (LineQuantity(1, 1), LineQuantity(1, 1)))) == (
        "not_cancellable",
    )
    assert shop.refusal("O", CancelUnits("which", CancelledBy.CUSTOMER, (LineQuantity(2, 1),))) == ("no_such_line",)


def test_nothing_is_cancelled_once_all_has_left() -> None:
    """Units that have left cannot be cancelled; the rest of a partly shipped order can."""
    shop = Shop().stocked(main=2).confirmed(2)
    shop.tell("O", AllocateStock(pick(1), pick(1))).tell("S", plan(item(1)), PACK, GO)
    assert shop.state == "PartlyShipped"
    shop.tell("O", CANCEL)
    assert shop.state == "Shipped"
    shop.tell("S", ARRIVE)
    assert shop.advance("O").state == "Completed"


def test_an_order_steps_back() -> None:
    """A confirmed order is unconfirmed, its credit set free; allocated units are released and open again."""
    shop = Shop().stocked(main=1).confirmed(1)
    shop.allocate("O")
    assert shop.refusal("O", UnconfirmOrder()) == ("not_now",)
    assert shop.refusal("O", ReleaseStock(())) == ("nothing_asked",)
    assert shop.refusal("O", ReleaseStock(pick(1, "shop"))) == ("not_allocated",)
    shop.tell("O", ReleaseStock(pick(1)), UnconfirmOrder())
    assert shop.state == "Placed"
    assert shop.get("account", "ann").of("EUR").ordered == 0
    assert shop.stock("TEA").available == 1


def test_a_hold_closes_one_gate_and_one_line() -> None:
    """A hold on a line stops that line at that gate, until it is released or its time has come."""
    shop = Shop().stocked(main=5).confirmed(1, 1)
    hold = Hold(HoldReason.MANUAL, Gate.ALLOCATE, line=2, until=NOON + timedelta(days=1))
    shop.tell("O", PlaceHold(hold))
    assert shop.refusal("O", PlaceHold(hold)) == ("already_held",)
    assert shop.refusal("O", AllocateStock(pick(1, line=2))) == ("on_hold",)
    shop.tell("O", AllocateStock(pick(1)))
    shop.time.advance(timedelta(days=1))
    shop.tell("O", AllocateStock(pick(1, line=2)))
    shop.tell("O", ReleaseHold(HoldReason.MANUAL, Gate.ALLOCATE, 2))
    assert shop.refusal("O", ReleaseHold(HoldReason.MANUAL, Gate.ALLOCATE, 2)) == ("no_such_hold",)


def test_what_ships_together_waits_for_each_other() -> None:
    """An order that ships together is prepared whole or not at all; a line that does, with all its units."""
    shop = Shop().stocked(main=3).confirmed(2, 1, ship_together=ShipTogether.ORDER)
    shop.allocate("O")
    assert shop.refusal("S", plan(item(2))) == ("ships_together",)
    shop.tell("S", plan(item(2), item(1, line=2)))
    other = Shop().stocked(main=3).confirmed(2, 1, ship_together=ShipTogether.LINE)
    other.allocate("O")
    assert other.refusal("S", plan(item(1))) == ("ships_together",)
    other.tell("S", plan(item(2)))


def test_a_promise_that_ran_out_is_given_back() -> None:
    """An expired allocation can no longer be prepared, stays counted, and returns to the stock when it is expired."""
    until = NOON + timedelta(hours=1)
    shop = Shop(ShopSettings(AllocationSettings(until=until), BY_HAND)).stocked(main=1).confirmed(1)
    shop.allocate("O")
    assert shop.refusal("O", ExpireAllocation()) == ("nothing_expired",)
    assert shop.expire() == []
    shop.time.advance(timedelta(hours=1))
    assert shop.refusal("S", plan(item(1))) == ("not_allocated",)
    assert shop.stock("TEA").available == 0
    assert all(isinstance(result, Ack) for result in shop.expire())
    assert (shop.state, shop.stock("TEA").available) == ("Confirmed", 1)


def test_units_that_are_not_found_are_owed_again() -> None:
    """A short pick takes units out of the shipment; they are open, and their stock is out of use."""
    shop = Shop().stocked(main=2).confirmed(2)
    shop.allocate("O")
    shop.tell("S", plan(item(2)), PackShipment(100, 1, (item(1),)))
    assert (shop.lines[0].open, shop.lines[0].preparing_quantity) == (1, 1)
    assert shop.stock("TEA") == StockLevel(2, allocated=1, unavailable=1)


def test_a_short_pick_is_taken_after_a_stocktake_found_the_same() -> None:
    """Units that a count has found missing can still be picked short; then no shortfall is left."""
    shop = Shop().stocked(main=2).confirmed(2)
    shop.allocate("O")
    shop.tell("S", plan(item(2)))
    shop.tell("TEA@main", CountStock(0)).tell("S", PackShipment(0, 1, (item(2),)))
    assert shop.lines[0].open == 2
    assert shop.stock("TEA") == StockLevel(0)


def short_of_stock(**options: Any) -> Shop:
    """A shop that has promised 6 TEA to orders A, B, C and D, in this order, and has counted 2; D is being packed."""
    shop = Shop(**options).stocked(main=6)
    for name, quantity in {"A": 2, "B": 2, "C": 1, "D": 1}.items():
        shop.time.advance(timedelta(minutes=1))
        shop.tell(name, PlaceOrder(content(quantity)), ConfirmOrder()).allocate(name)
    return shop.tell("S", plan(Item("D", 1, "main", 1))).tell("TEA@main", CountStock(2))


def test_newest_promises_give_way_to_a_shortfall() -> None:
    """While a stocktake's shortfall stands, newest orders wait again; what is being prepared stays."""
    shop = short_of_stock()
    assert all(isinstance(result, Ack) for result in shop.rebalance("TEA"))
    waiting = {name: shop.order(name).progress.lines[0].backordered_quantity for name in "ABCD"}
    assert waiting == {"A": 1, "B": 2, "C": 1, "D": 0}
    assert shop.stock("TEA") == StockLevel(2, allocated=2, backordered=4)
    assert shop.rebalance("TEA") == []


def test_rebalancing_is_bounded_and_a_hold_leaves_units_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most so many orders lose units at once; where the queue is closed to an order, its units are open."""
    monkeypatch.setattr("orderflow.flows.rebalance.PAGE", 2)
    shop = short_of_stock().tell("C", PlaceHold(Hold(HoldReason.MANUAL, Gate.ALLOCATE)))
    assert len(shop.rebalance("TEA", limit=1)) == 2
    assert shop.order("C").progress.lines[0].open == 1
    assert shop.stock("TEA").shortfall == 3
    assert shop.rebalance("TEA", "shop") == []


def test_rebalancing_stops_where_the_shortfall_does() -> None:
    """Only as many orders lose units as are needed; older promises are kept whole."""
    shop = short_of_stock().tell("TEA@main", CountStock(5))
    assert len(shop.rebalance("TEA")) == 2
    held = {name: shop.order(name).progress.lines[0].allocated_quantity for name in "ABC"}
    assert held == {"A": 2, "B": 2, "C": 0}


class Meddled(MemoryStorage):
    """Somebody acts between a query and what follows from it."""

    meddle: Callable[[], object] | None = None

    def find(self, query: Query) -> Sequence[Row]:
        """Answer first, then let them act once."""
        rows = super().find(query)
        meddle, self.meddle = self.meddle, None
        if meddle is not None:
            meddle()
        return rows


def test_rebalancing_decides_on_orders_as_they_are() -> None:
    """An order that was cancelled, or has let go of its units, since it was found loses nothing more."""
    storage = Meddled()
    shop = short_of_stock(storage=storage)
    storage.meddle = lambda: shop.tell("C", CANCEL).tell("B", ReleaseStock(pick(2)))
    assert shop.stock("TEA").shortfall == 4
    assert all(isinstance(result, Ack) for result in shop.rebalance("TEA"))
    last = {name: [*shop.history("order", name)][-1].event for name in "BC"}
    assert isinstance(last["B"], StockReleased)
    assert isinstance(last["C"], OrderCancelled)
    assert shop.stock("TEA").shortfall == 0


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
    shop.tell("O", ResolveLoss((LineQuantity(1, 1),)), ResolveLoss((LineQuantity(1, 1),), resupply=True))
    assert (shop.lines[0].lost, shop.lines[0].open, shop.state) == (1, 1, "PartlyShipped")
    assert shop.refusal("O", ResolveLoss((LineQuantity(1, 1),))) == ("not_shipped",)


def lost_in_transit(quantity: int) -> Shop:
    """A shop whose order O has all its units in a shipment that is lost."""
    shop = Shop().stocked(main=quantity).confirmed(quantity)
    shop.allocate("O")
    return shop.tell("S", plan(item(quantity)), PACK, GO, DeclareLost())


def test_a_parcel_is_found_whatever_became_of_its_order() -> None:
    """A delivery is taken after a write-off, which it undoes, and after a re-supply, which it leaves alone."""
    shop = lost_in_transit(2).tell("O", ResolveLoss((LineQuantity(1, 2),)), CompleteOrder()).tell("S", ARRIVE)
    assert (shop.state, shop.lines[0].delivered, shop.lines[0].lost) == ("Completed", 2, 0)
    shop = lost_in_transit(2).tell("O", ResolveLoss((LineQuantity(1, 2),), resupply=True), CANCEL).tell("S", ARRIVE)
    assert (shop.state, shop.lines[0].delivered, shop.lines[0].cancelled) == ("Cancelled", 0, 2)
    told = [*shop.history("order", "O")][-1].event
    assert told == UnitsDelivered("S", (LineQuantity(1, 2),), surplus=(LineQuantity(1, 2),))


def test_what_a_shipment_brings_back_is_restocked_whatever_became_of_its_order() -> None:
    """Goods of a parcel that comes back are in stock again, also those that the order no longer counts as sent."""
    shop = lost_in_transit(3).tell(
        "O", ResolveLoss((LineQuantity(1, 1),)), ResolveLoss((LineQuantity(1, 1),), resupply=True)
    )
    assert shop.refusal("R", ReceiveReturn("main", (ReturnedUnits("O", 1, 3),))) == ("not_out",)
    shop.tell("S", RecordReturning("r", ReturnReason.REFUSED), ReceiveBack("shop"))
    line = shop.lines[0]
    assert (line.open, line.returned, line.shipped, line.lost) == (1, 2, 0, 0)
    assert shop.stock("TEA", "shop").on_hand == 3


def test_goods_come_back_before_and_after_completion() -> None:
    """A refused parcel comes back before, a return after completion; both are in stock again, nothing is owed twice."""
    shop = Shop().stocked(main=2).confirmed(1, 1)
    shop.allocate("O")
    shop.tell("S", plan(item(1)), PACK, GO, RecordReturning("r", ReturnReason.REFUSED), ReceiveBack("shop"))
    shop.tell("T", plan(item(1, line=2)), PACK, GO, ARRIVE)
    assert shop.advance("O").state == "Completed"
    assert shop.stock("TEA", "shop").on_hand == 1
    assert shop.refusal("R", ReceiveReturn("main", (ReturnedUnits("O", 2, 2),))) == ("not_out",)
    assert shop.refusal("R", ReceiveReturn("main")) == ("nothing_returned",)
    loose = (UnmatchedReturn("CUP", 2), UnmatchedReturn("CUP", 1))
    shop.tell("R", ReceiveReturn("main", (ReturnedUnits("O", 2, 1),), loose, usable=False))
    shop.tell("R", SettleReturn("cn"))
    assert (shop.lines[1].returned, shop.state) == (1, "Completed")
    assert shop.stock("CUP") == StockLevel(3, unavailable=3)
    assert shop.refusal("O", ResolveLoss((LineQuantity(1, 1),), resupply=True)) == ("not_shipped", "completed")


def test_stock_documents_move_many_skus() -> None:
    """A receipt, an adjustment and a transfer each move stock of many SKUs in one document."""
    shop = Shop()
    shop.tell(
        "r", PostReceipt((SkuQuantity("TEA", "main", 2), SkuQuantity("TEA", "main", 1), SkuQuantity("CUP", "main", 1)))
    )
    shop.tell("a", PostAdjustment((SkuChange("TEA", "main", -1, "broken"),), reason="count", memo=2))
    shop.tell("t", PostTransfer((SkuQuantity("TEA", "main", 1),), "shop"))
    assert shop.refusal("u", PostTransfer((SkuQuantity("TEA", "main", 1),), "main")) == ("same_location",)
    assert (shop.stock("TEA").on_hand, shop.stock("TEA", "shop").on_hand, shop.stock("CUP").on_hand) == (1, 1, 1)
    assert shop.get("stock_document", "a").lines == 3


# -- money


def test_part_invoices_of_a_line_sum_to_the_line() -> None:
    """A line billed in parts is rounded cumulatively: the parts sum to the whole, whatever the steps."""
    lines = (OrderLine.of(1, "TEA", 3, Price.of("0.335", "EUR"), TaxCategory.of("Z", 0)),)
    shop = Shop().stocked(main=3)
    shop.tell("O", PlaceOrder(content(1, lines=lines)), ConfirmOrder())
    shop.allocate("O")
    nets = []
    for number in (1, 2, 3):
        shop.tell(f"S{number}", plan(item(1)), PACK, GO).tell("O", BillUnits(f"I{number}", "inv", f"S{number}"))
        nets.append(shop.get("invoice", f"I{number}").totals.net_minor)
    assert sum(nets) == lines[0].net_minor == 101
    assert [shop.get("invoice", f"I{number}").number[-1] for number in (1, 2, 3)] == ["1", "2", "3"]
    assert shop.refusal("O", BillUnits("I4", "inv")) == ("nothing_billable",)
    assert shop.get("account", "ann").of("EUR").ordered == 0


def shipped(shop: Shop | None = None, **policy: Any) -> Shop:
    """An order of two units, delivered and billed as O/1: 20.00 and 3.80 tax."""
    shop = (shop or Shop()).stocked(main=2).placed(2, **policy)
    shop.advance("O")
    shop.tell("O/1", GO, ARRIVE).tell("O", BillUnits("O/1", "inv"))
    return shop


def note(*lines: CreditLine, currency: str = "EUR", bill_to: PartyRef | None = ANN) -> DraftCreditNote:
    """A credit note over these lines."""
    return DraftCreditNote(CreditNoteContent("cn", "ann", bill_to, currency, lines, TaxPolicy(), date(2026, 4, 2)))


LINKED = CreditLine(1, "TEA", 1, 1_000, VAT, "O", 1, "O/1")


def test_a_credit_note_is_linked_or_on_account() -> None:
    """A linked line takes off its invoice, the part on account off the customer's balance only."""
    shop = shipped()
    shop.tell("n", note(LINKED, CreditLine(2, "GOODWILL", 1, 500, VAT)))
    assert shop.get("invoice", "O/1").amounts.credited == 1_190
    assert shop.lines[0].credited == 1
    assert shop.balance("ann", "EUR") == 2_380 - 1_785
    assert shop.get("credit_note", "n").number.endswith("1")
    assert shop.refusal("m", note(LINKED, LINKED)) == ("not_billed",)


def test_a_credit_note_that_does_not_fit_is_refused() -> None:
    """Another currency than the invoice's, half a link, or nobody to credit: each is refused with its code."""
    shop = shipped()
    assert shop.refusal("n", note(LINKED, currency="GBP")) == ("currency_differs",)
    assert shop.refusal("n", note(LINKED._replace(invoice=""))) == ("broken_link",)
    assert shop.refusal("n", note(LINKED, bill_to=None)) == ("no_party",)
    assert shop.refusal("n", note(CreditLine(1, "TEA", 1, -500, VAT))) == ("negative_credit",)
    assert shop.refusal("n", note(LINKED._replace(net_minor=9_000))) == ("more_than_billed",)


def test_payment_settles_an_invoice_and_completes_what_waits_for_it() -> None:
    """An order that waits for payment is completed once its invoice is settled, and not before."""
    shop = shipped(complete_on=CompleteOn.PAID)
    assert shop.refusal("O", CompleteOrder()) == ("not_paid",)
    paid = RecordPayment(PaymentSource("bank", "1", "ann"), Money(2_500, "EUR"))
    into = ApplyPayment(ApplicationTarget.INVOICE, "O/1", Money(2_380, "EUR"))
    shop.tell("P", paid, into).settle()
    assert type(shop.get("invoice", "O/1")).__name__ == "Settled"
    assert shop.balance("ann", "EUR") == -120
    shop.tell("P", RefundPayment(Money(120, "EUR")))
    assert shop.balance("ann", "EUR") == 0
    assert shop.advance("O").state == "Completed"


def test_a_payment_is_taken_off_again() -> None:
    """Deallocated or charged back money leaves the invoice owed; money for an order touches no invoice."""
    shop = shipped()
    invoice, order = ApplicationTarget.INVOICE, ApplicationTarget.ORDER
    shop.tell("P", RecordPayment(PaymentSource("card", "1", "ann"), Money(2_380, "EUR")))
    shop.tell("P", ApplyPayment(order, "O", Money(380, "EUR")), UnapplyPayment(order, "O", Money(380, "EUR")))
    shop.tell("P", ApplyPayment(invoice, "O/1", Money(2_380, "EUR")))
    shop.tell("P", UnapplyPayment(invoice, "O/1", Money(380, "EUR")))
    assert shop.get("invoice", "O/1").open_minor == 380
    shop.tell("P", ApplyPayment(order, "O", Money(380, "EUR")), ChargeBackPayment(Money(2_380, "EUR")))
    assert shop.get("invoice", "O/1").open_minor == 2_380
    assert shop.balance("ann", "EUR") == 2_380
    assert shop.refusal("P", ApplyPayment(invoice, "O/1", Money(1, "EUR"))) == ("exceeds_free",)


def test_an_invoice_is_paid_in_its_own_currency() -> None:
    """Money of another currency pays no invoice."""
    shop = shipped()
    shop.tell("P", RecordPayment(PaymentSource("bank", "1", "ann"), Money(100, "GBP")))
    into = ApplyPayment(ApplicationTarget.INVOICE, "O/1", Money(100, "GBP"))
    assert shop.refusal("P", into) == ("currency_differs",)


def test_a_mistaken_invoice_is_taken_back_and_billed_again() -> None:
    """A void invoice keeps its number, and its units can be billed again; a sent one is credited instead."""
    shop = shipped(Shop(workflow=standard_workflow(())))
    shop.tell("O/1", VoidInvoice("wrong address")).settle()
    assert shop.balance("ann", "EUR") == 0
    shop.tell("O", BillUnits("O/2", "inv")).tell("O/2", MarkSent())
    assert shop.refusal("O/2", VoidInvoice("late")) == ("already_used",)
    shop.tell("O/2", WriteOff(2_380, "goodwill"))
    assert shop.balance("ann", "EUR") == 0


def test_a_voided_invoice_frees_services_and_payment_is_not_waited_for() -> None:
    """Services of a void invoice are billed again; an order completed on payment waits for the second invoice alone."""
    shop = Shop(workflow=standard_workflow(()))
    work = OrderLine.of(1, "ADVICE", 1, Price.of("20.00", "EUR"), VAT, kind=LineKind.SERVICE)
    shop.tell("O", PlaceOrder(evolve(content(1, policy=Policy(complete_on=CompleteOn.PAID)), lines=(work,))))
    shop.tell("O", ConfirmOrder(), BillUnits("O/1", "inv")).tell("O/1", VoidInvoice("mistaken")).settle()
    shop.tell("O", BillUnits("O/2", "inv"))
    assert shop.refusal("O", CompleteOrder()) == ("not_paid",)
    shop.tell("O/2", WriteOff(2_380, "goodwill")).settle()
    assert shop.tell("O", CompleteOrder()).state == "Completed"


def test_an_order_without_a_bill_to_is_billed_to_where_it_goes() -> None:
    """The invoice names the ship-to party where no other is named."""
    shop = Shop().stocked(main=1)
    shop.tell("O", PlaceOrder(evolve(content(1), bill_to=None)))
    shop.advance("O")
    shop.tell("O/1", GO).tell("O", BillUnits("I", "inv"))
    assert shop.get("invoice", "I").content.bill_to == ANN


def test_an_order_with_an_invoice_does_not_step_back() -> None:
    """A billed order is not unconfirmed, until its invoice is void."""
    shop = Shop(workflow=standard_workflow(())).confirmed(1, invoice_basis=InvoiceBasis.ORDERED)
    shop.tell("O", BillUnits("I", "inv"))
    assert shop.refusal("O", UnconfirmOrder()) == ("already_billed",)
    shop.tell("I", VoidInvoice("mistaken")).settle()
    assert shop.tell("O", UnconfirmOrder()).state == "Placed"


def test_an_order_billed_as_ordered_owes_nothing_more_when_cancelled_units_are_gone() -> None:
    """On the ordered basis all live units are billable once the order is confirmed."""
    shop = Shop().confirmed(3, invoice_basis=InvoiceBasis.ORDERED)
    shop.tell("O", CancelUnits("one less", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)), BillUnits("I", "inv"))
    assert shop.get("invoice", "I").totals.net_minor == 2_000


def test_services_are_billed_once_the_order_moves() -> None:
    """A service of an order with goods is billed with the first goods; an order of services alone at once."""
    advice = OrderLine.of(2, "ADVICE", 1, Price.of("5.00", "EUR"), VAT, kind=LineKind.SERVICE)
    shop = Shop().stocked(main=1)
    mixed = content(1)
    shop.tell("O", PlaceOrder(evolve(mixed, lines=(*mixed.lines, advice))), ConfirmOrder())
    assert shop.refusal("O", BillUnits("I", "inv")) == ("nothing_billable",)
    shop.allocate("O")
    shop.tell("S", plan(item(1)), PACK, GO).tell("O", BillUnits("I", "inv"))
    assert shop.get("invoice", "I").totals.net_minor == 1_500
    shop.tell("A", PlaceOrder(content(1, lines=(evolve(advice, line=1),))))
    assert shop.advance("A").state == "Completed"


def test_credit_is_limited_and_blocked_customers_wait() -> None:
    """An order beyond the limit, in a currency without credit, or of a blocked customer is not confirmed."""
    shop = Shop().tell("ann", SetCreditLimit(Money(2_000, "EUR"))).placed(2)
    assert shop.refusal("O", ConfirmOrder()) == ("credit_exceeded",)
    shop.tell("ann", SetCreditLimit(Money(2_380, "GBP")))
    assert shop.refusal("O", ConfirmOrder()) == ("credit_currency",)
    shop.tell("ann", SetCreditLimit(None), RegisterCustomer(ANN), BlockCustomer("unpaid"))
    assert shop.refusal("O", ConfirmOrder()) == ("customer_blocked",)
    shop.tell("ann", UnblockCustomer()).tell("O", ConfirmOrder())
    shop.tell("ann", CloseCustomer())
    assert shop.get("account", "ann").blocked


def test_a_closed_period_takes_no_document() -> None:
    """No invoice is dated into a period that is closed, and a closed period stays closed."""
    shop = Shop().stocked(main=2).placed(2)
    shop.advance("O")
    shop.tell("O/1", GO).tell("inv", OpenSeries("R-", 7, 3), ClosePeriod(date(2026, 4, 1)))
    assert shop.refusal("O", BillUnits("I", "inv")) == ("period_closed",)
    assert shop.refusal("inv", ClosePeriod(date(2026, 3, 1))) == ("already_closed",)
    shop.time.advance(timedelta(days=1))
    shop.tell("O", BillUnits("I", "inv"))
    assert shop.get("invoice", "I").number == "R-007"


# -- drafts, intake, policy


def test_a_draft_is_edited_held_placed_or_thrown_away() -> None:
    """A draft holds nothing but its content and holds; placed without content it takes its own."""
    hold = PlaceHold(Hold(HoldReason.MANUAL, Gate.CONFIRM))
    shop = Shop().tell("O", OpenDraft(content(1)), hold, EditDraft(content(2)), PlaceOrder())
    assert shop.lines[0].open == 2
    assert shop.refusal("O", ConfirmOrder()) == ("on_hold",)
    shop.tell("D", OpenDraft(content(1)), hold, ReleaseHold(HoldReason.MANUAL, Gate.CONFIRM), DiscardDraft())
    assert type(shop.order("D")).__name__ == "Cancelled"
    assert shop.refusal("N", PlaceOrder()) == ("no_content",)


def test_an_order_names_a_time_zone_there_is() -> None:
    """A policy's zone is one that is known, so that documents can be dated."""
    shop = Shop().placed(1, timezone="Asia/Tokyo")
    for zone in ("No/Where", "", "../x"):
        with pytest.raises(InputError) as caught:
            shop.handle("P", PlaceOrder(content(1, policy=Policy(timezone=zone))))
        assert [(fault.path, fault.code) for fault in caught.value.faults] == [
            ("content.policy.timezone", "zone_unknown")
        ]


def test_the_total_a_channel_claims_is_recomputed() -> None:
    """A claimed total that is not the lines' is refused; the right one is taken."""
    shop = Shop()
    assert shop.refusal("O", PlaceOrder(content(1, expected_total_minor=1_000))) == ("total_differs",)
    shop.tell("O", PlaceOrder(content(1, expected_total_minor=1_190)))


def test_policy_says_when_stock_is_allocated() -> None:
    """Stock is kept before confirmation only where the policy says so; paid orders wait behind a hold."""
    shop = Shop().stocked(main=2).placed(1)
    assert shop.refusal("O", AllocateStock(pick(1))) == ("not_confirmed",)
    early = Shop().stocked(main=2).placed(1, allocate_at=AllocateAt.PLACED).tell("O", AllocateStock(pick(1)))
    early.tell("O", ConfirmOrder())
    assert early.state == "Allocated"
    paid = Shop().stocked(main=2).confirmed(1, allocate_at=AllocateAt.PAID)
    assert paid.refusal("O", AllocateStock(pick(1))) == ("on_hold",)


def kept_for(order: str, minor: int, currency: str = "EUR") -> ApplyPayment:
    """So much money of a payment is used for an order."""
    return ApplyPayment(ApplicationTarget.ORDER, order, Money(minor, currency))


def test_an_order_that_waits_for_its_money_goes_on_when_all_of_it_is_there() -> None:
    """Payments used for the order count towards its total, taken off they do not; covered, stock is allocated."""
    shop = Shop(workflow=standard_workflow(())).stocked(main=2).confirmed(1, allocate_at=AllocateAt.PAID)
    shop.tell("P", RecordPayment(PaymentSource("bank", "1", "ann"), Money(1_190, "EUR")), kept_for("O", 1_189)).settle()
    shop.tell("P", UnapplyPayment(ApplicationTarget.ORDER, "O", Money(1_000, "EUR"))).settle()
    assert shop.order("O").progress.prepaid_minor == 189
    assert shop.refusal("O", AllocateStock(pick(1))) == ("on_hold",)
    shop.tell("P", kept_for("O", 1_001)).settle()
    assert shop.tell("O", AllocateStock(pick(1))).state == "Allocated"
    shop.tell("P", ChargeBackPayment(Money(1_190, "EUR"))).settle()
    assert shop.order("O").progress.prepaid_minor == 0
    assert shop.tell("O", CANCEL).state == "Cancelled"


def test_an_order_is_paid_in_its_own_currency() -> None:
    """Money of another currency opens no gate; its message ends as a dead letter."""
    shop = Shop(workflow=standard_workflow(())).confirmed(1, allocate_at=AllocateAt.PAID)
    shop.tell("P", RecordPayment(PaymentSource("bank", "1", "ann"), Money(9_000, "USD")), kept_for("O", 9_000, "USD"))
    for _ in range(8):
        shop.relay()
        shop.time.advance(timedelta(days=1))
    [(message, error)] = shop.storage.dead_letters()
    assert (message.topic, "USD" in error) == ("record_prepayment", True)


class Raced(MemoryStorage):
    """A storage in which a rival acts right after the first read."""

    rival: Any = None

    def read(self, keys: Any) -> Any:
        """What was there before the rival."""
        rows = super().read(keys)
        rival, self.rival = self.rival, None
        if rival:
            rival()
        return rows


@pytest.mark.parametrize("order", ["O", "P"])
@pytest.mark.parametrize("quantity", [1, 2])
def test_a_document_that_two_take_in_at_once_becomes_one_order(order: str, quantity: int) -> None:
    """Whoever comes second, under the same id or another, is told that the document is known, or has changed."""
    storage = Raced()
    shop = Shop(storage=storage)
    storage.rival = lambda: shop.receive("O", content(1, channel="web", external_id="7"))
    received = shop.receive(order, content(quantity, channel="web", external_id="7"))
    assert isinstance(received, Unchanged if quantity == 1 else Changed)
    assert received.key.id == "O"
    assert [row.key.id for row in shop.find(Query("order"))] == ["O"]


def test_an_order_is_taken_in_once() -> None:
    """The same document again is Unchanged; other content holds the order and overwrites nothing."""
    shop, web = Shop(), {"channel": "web", "external_id": "7"}
    assert isinstance(shop.receive("O", content(1, **web)), Created)
    assert isinstance(shop.receive("P", content(1, **web)), Unchanged)
    changed = shop.receive("P", content(2, **web))
    assert isinstance(changed, Changed)
    assert changed.key.id == "O"
    assert [name for name, _, _ in changed.differences] == ["lines"]
    assert shop.order("O").progress.holds == (Hold(HoldReason.CHANNEL_CHANGED, Gate.PREPARE),)
    assert isinstance(shop.receive("P", content(2, **web)), Changed)
    assert isinstance(shop.receive("Q", content(1)), Created)
    with pytest.raises(CommandRefused):
        shop.receive("Q", content(1))
    with pytest.raises(InputError):
        shop.receive("R", content(1, currency="ZZZ"))


def test_an_annotation_adds_and_removes() -> None:
    """Tags are added once and removed, notes are kept in order."""
    shop = Shop().placed(1).tell("O", AnnotateOrder("first", ("a", "b", "a")), AnnotateOrder(remove=("a",)))
    assert (shop.order("O").progress.tags, shop.order("O").progress.notes) == (("b",), ("first",))


# -- idempotency, conflicts, bugs


def test_the_same_command_again_is_answered_the_same() -> None:
    """A known id with the same content gives the first Ack, with other content a mismatch; both change nothing."""
    shop = Shop()
    first = shop.handle("TEA@main", ReceiveGoods(1), command_id="c")
    assert shop.handle("TEA@main", ReceiveGoods(1), command_id="c") == first
    with pytest.raises(CommandMismatch):
        shop.handle("TEA@main", ReceiveGoods(2), command_id="c")
    assert shop.stock("TEA").on_hand == 1


def test_a_group_knows_its_own_ids() -> None:
    """Twice in one group: the accepted one answers the repetition, other content is a mismatch."""
    shop = Shop()
    asked = [Request("TEA@main", ReceiveGoods(1), "c"), Request("TEA@main", ReceiveGoods(1), "c")]
    first, again, other = shop.handle_many([*asked, Request("TEA@main", ReceiveGoods(2), "c")])
    assert first == again
    assert isinstance(other, CommandMismatch)
    assert shop.stock("TEA").on_hand == 1


def test_a_refused_id_may_succeed_later_in_the_same_group() -> None:
    """Only accepted commands are remembered, in a group as one by one."""
    shop = Shop()
    refused, stocked, taken = shop.handle_many(
        [
            Request("TEA@main", ReleaseQuarantine(1), "c"),
            Request("TEA@main", Restock(1, False), "d"),
            Request("TEA@main", ReceiveGoods(1), "c"),
        ]
    )
    assert isinstance(refused, CommandRefused)
    assert isinstance(stocked, InputError)
    assert isinstance(taken, Ack)


def test_a_group_is_settled_in_its_order_whatever_each_command_reads() -> None:
    """A later command that was settled ahead sees what an earlier one changed, and may need more rows then."""
    shop = Shop().placed(1)
    shop.handle("P", PlaceOrder(content(1, customer="bob")))
    shop.handle("O", PlaceHold(Hold(HoldReason.MANUAL, Gate.CONFIRM)))
    asked = [
        Request("P", ConfirmOrder()),
        Request("O", ReleaseHold(HoldReason.MANUAL, Gate.CONFIRM)),
        Request("O", ConfirmOrder()),
    ]
    assert all(isinstance(result, Ack) for result in shop.handle_many(asked))
    owed = {customer: shop.get("account", customer).of("EUR").exposure for customer in ("ann", "bob")}
    assert owed == {"ann": 1190, "bob": 1190}


def test_allocation_is_repeatable() -> None:
    """Allocating under a known id gives the first Ack again, whatever the stock is now."""
    shop = Shop().stocked(main=1).confirmed(1)
    [first] = shop.allocate(Request("O", None, "c"))
    assert shop.allocate(Request("O", None, "c")) == [first]


class Conflicting(MemoryStorage):
    """Somebody is always faster, so many times."""

    def __init__(self, times: int, error: Exception) -> None:
        super().__init__()
        self.times, self.error = 0, error
        self.fail = times

    def _commit(self, batch: Any) -> None:
        if self.times < self.fail and any(entry.key.kind == "stock" for entry in batch.entries):
            self.times += 1
            raise self.error
        super()._commit(batch)


class Queued(MemoryStorage):
    """Whoever wants a transaction waits for it."""

    wait: Callable[[], object]

    @contextmanager
    def unit(self) -> Generator[MemoryUnit]:
        """Wait, then begin."""
        self.wait()
        with super().unit() as unit:
            yield unit


def test_a_command_is_recorded_at_the_time_its_rows_are_locked() -> None:
    """However long a command queues, times of a row do not go back; a time that is given stays."""
    storage = Queued()
    storage.wait = lambda: None
    shop = Shop(storage=storage)
    storage.wait = lambda: shop.time.advance(timedelta(minutes=1))
    shop.handle("TEA@main", ReceiveGoods(1))
    shop.handle("CUP@main", ReceiveGoods(1), at=NOON)
    assert [entry.at for entry in shop.history("stock", "TEA@main")] == [NOON + timedelta(minutes=1)]
    assert [entry.at for entry in shop.history("stock", "CUP@main")] == [NOON]


def test_a_conflict_is_tried_again_on_fresh_rows() -> None:
    """Somebody was faster: the flow is pure and is run again, a bounded number of times."""
    storage = Conflicting(3, ConcurrencyConflict(None))
    shop = Shop(storage=storage).stocked(main=1)
    assert (storage.times, shop.stock("TEA").on_hand) == (3, 1)
    with pytest.raises(ConcurrencyConflict):
        Shop(storage=Conflicting(10_000, ConcurrencyConflict(None))).stocked(main=1)


def test_rows_of_two_moments_never_meet_in_one_settlement() -> None:
    """A command that ran ahead on the order as it was does not go on with the account as it is."""
    group = Shop(ShopSettings(shipping=ShippingSettings("post"))).stocked(main=2).placed(1)
    group.tell("O", ConfirmOrder())
    results = group.handle_many([Request("O", UnconfirmOrder()), Request("O", CancelUnits("no", CancelledBy.CUSTOMER))])
    assert [type(result) for result in results] == [Ack, Ack]
    assert type(group.order("O")).__name__ == "Cancelled"


def test_a_group_the_storage_rejects_is_halved() -> None:
    """A batch that cannot be stored as it is goes in halves; what may be tried again as it is, is not."""
    shop = Shop(storage=Conflicting(1, StorageError("too large", retry=False)))
    asked = [Request(f"{sku}@main", ReceiveGoods(1)) for sku in ("TEA", "CUP", "POT")]
    assert all(isinstance(result, Ack) for result in shop.handle_many(asked))
    busy = Shop(storage=Conflicting(1, StorageError("busy", retry=True)))
    with pytest.raises(StorageError):
        busy.handle_many(asked)


def test_a_broken_invariant_is_never_caught() -> None:
    """A bug in the rules is not an outcome: it goes through group, flow and facade, and nothing is stored."""
    workflow = standard_workflow()
    machine = workflow.machines["stock"]

    def broken(state: Any) -> None:
        raise InvariantBroken("I02", "planted")

    from orderflow.domain.engine.machine import Machine

    planted = Machine(
        "stock",
        commands=machine.commands,
        events=machine.events,
        rules=machine.rules,
        final=machine.final,
        check=broken,
    )
    shop = Shop(workflow=workflow.extended(machines=(planted,)))
    before = shop.storage.entries(0, 100)
    with pytest.raises(InvariantBroken, match="planted"):
        shop.handle_many([Request("TEA@main", ReceiveGoods(1)), Request("CUP@main", ReceiveGoods(1))])
    assert shop.storage.entries(0, 100) == before


# -- questions, effects, drivers


def test_what_cannot_be_asked_is_bad_input() -> None:
    """A command of no machine, a reaction's own command, a bad id or an unknown list is an InputError."""
    shop = Shop().placed(1)
    with pytest.raises(InputError, match="no machine takes object"):
        shop.handle("O", object())
    with pytest.raises(InputError, match="sent by the library only"):
        shop.handle("O", DispatchShipment("S", pick(1)))
    with pytest.raises(InputError, match="printable"):
        shop.handle("O\n", ConfirmOrder())
    with pytest.raises(InputError, match="must be one of"):
        shop.worklist("nothing")
    with pytest.raises(NotFound):
        shop.order("N")
    assert shop.balance("nobody", "EUR") == 0


def test_worklists_name_what_waits_and_why() -> None:
    """Each list shows its rows, with the reasons that hold them back."""
    shop = Shop().stocked(main=1).placed(1)
    shop.tell("O", PlaceHold(Hold(HoldReason.FRAUD, Gate.CONFIRM)))
    [task] = shop.worklist("to_confirm")
    assert [reason.code for reason in task.reasons] == ["on_hold"]
    shop.tell("O", ReleaseHold(HoldReason.FRAUD, Gate.CONFIRM), ConfirmOrder())
    shop.allocate("O")
    assert [task.key.id for task in shop.worklist("to_prepare")] == ["O"]
    shop.tell("S", plan(item(1)), PACK)
    assert [(task.key.id, task.reasons) for task in shop.worklist("to_ship")] == [("S", ())]
    shop.tell("S", GO).tell("O", BillUnits("I", "inv"))
    assert [task.key.id for task in shop.worklist("unpaid")] == ["I"]
    assert [row.key.id for row in shop.find(Query("order"))] == ["O"]
    assert [entry.version for entry in shop.history("order", "O")][:2] == [1, 2]


def test_what_is_on_its_way_in_part_still_waits_for_stock() -> None:
    """Orders with units on back-order wait for stock, whatever their other units do; others of that state do not."""
    shop = Shop().stocked(main=1).confirmed(2)
    shop.allocate("O")
    shop.tell("S", plan(item(1)))
    assert shop.state == "Preparing"
    assert [task.key.id for task in shop.worklist("awaiting_stock")] == ["O"]
    shop.tell("S", PACK, GO)
    for number in range(3):
        shop.tell("TEA@main", ReceiveGoods(1)).tell(f"A{number}", PlaceOrder(content(1)), ConfirmOrder())
        shop.allocate(f"A{number}")
        shop.tell(f"SA{number}", plan(Item(f"A{number}", 1, "main", 1)))
    shop.tell("Z", PlaceOrder(content(1)), ConfirmOrder())
    [first] = shop.worklist("awaiting_stock", limit=1)
    assert (first.key.id, [refusal.code for refusal in first.reasons]) == ("O", ["backordered"])
    assert [task.key.id for task in shop.worklist("awaiting_stock", cursor=first.cursor, limit=1)] == ["Z"]
    assert shop.worklist("awaiting_stock", limit=0) == []


def test_labels_are_bought_and_customers_are_told() -> None:
    """The relay buys a label for a packed shipment and mails what happened, once each."""
    shop = Shop(ShopSettings(shipping=ShippingSettings("post"))).stocked(main=1).placed(1)
    shop.advance("O")
    shop.settle()
    assert isinstance(shop.get("shipment", "O/1"), ss.Labelled)
    shop.tell("O/1", GO, ARRIVE)
    assert shop.advance("O").state == "Completed"
    shop.settle().tell("n", note(CreditLine(1, "TEA", 1, 500, VAT))).settle()
    templates = [notice.template for notice in shop.mail.delivered]
    assert set(templates) >= {"order_received", "order_confirmed", "shipment_sent", "invoice_issued", "order_completed"}
    assert "credit_note_issued" in templates
    assert shop.relay().done == 0


def test_a_carrier_that_fails_is_tried_again_and_then_given_up() -> None:
    """A failure that may pass is retried later; a refusal becomes a dead letter that is listed."""
    settings = ShopSettings(shipping=ShippingSettings("post"))
    shop = (
        Shop(settings, script=[CarrierFailure.TIMEOUT_BEFORE], workflow=standard_workflow(())).stocked(main=1).placed(1)
    )
    shop.advance("O")
    report = shop.relay()
    assert (report.retried, report.dead) == (1, 0)
    shop.time.advance(timedelta(minutes=1))
    shop.settle()
    assert isinstance(shop.get("shipment", "O/1"), ss.Labelled)
    no = Shop(settings, script=[CarrierFailure.REFUSED], workflow=standard_workflow(())).stocked(main=1).placed(1)
    no.advance("O")
    assert no.relay().dead == 1
    assert [message.topic for message, _ in no.storage.dead_letters()] == ["buy_label"]


def test_a_label_that_makes_no_sense_is_asked_for_again_and_given_up() -> None:
    """What a carrier answers is checked: a malformed label never becomes a row."""
    shop = (
        Shop(ShopSettings(shipping=ShippingSettings("post")), workflow=standard_workflow(())).stocked(main=1).placed(1)
    )
    shop.advance("O")
    sell = shop.post.buy_label
    shop.post.buy_label = lambda request: evolve(sell(request), tracking_number="")  # type: ignore[method-assign]
    for _ in range(8):
        assert isinstance(shop.get("shipment", "O/1"), ss.Packed)
        shop.relay()
        shop.time.advance(timedelta(days=1))
    [(message, error)] = shop.storage.dead_letters()
    assert message.topic == "buy_label"
    assert "label.tracking_number" in error


def test_an_absent_port_is_a_dead_letter() -> None:
    """Without a notifier or the carrier that is asked for, effects are listed as dead."""
    shop = Shop(notifier=None).stocked(main=1).placed(1)
    shop.tell("O", ConfirmOrder()).tell("O", AllocateStock((Pick(1, "main", 1),)))
    shop.tell("O/1", PlanShipment((Item("O", 1, "main", 1),), Plan(carrier="nobody")))
    shop.tell("O/1", PackShipment(100, 1)).settle()
    assert {message.topic for message, _ in shop.storage.dead_letters()} == {"notify", "buy_label"}


def test_plans_name_carriers_that_are_there() -> None:
    """A shop whose plans name a carrier that is not wired is not made at all."""
    with pytest.raises(DefinitionError, match="nobody"):
        Shop(ShopSettings(shipping=ShippingSettings("nobody")))


def test_the_only_carrier_is_the_carrier() -> None:
    """ShopSettings that name none mean the one that is wired; two of one name are a mistake."""
    one, two = MemoryCarrier(name="van"), MemoryCarrier(name="bike")
    assert OrderFlow(MemoryStorage(), carriers=[one]).settings.shipping.carrier == "van"
    assert OrderFlow(MemoryStorage(), carriers=[one, two]).settings.shipping.carrier == ""
    assert OrderFlow(MemoryStorage()).settings == ShopSettings()
    with pytest.raises(DefinitionError, match="two carriers are named 'van'"):
        OrderFlow(MemoryStorage(), carriers=[one, MemoryCarrier(name="van")])


def test_a_poisoned_message_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter that raises something of its own fails its own effect; all others are carried out."""
    shop = Shop(ShopSettings(shipping=ShippingSettings("post"))).stocked(main=2).placed(1)
    shop.advance("O")

    def poisoned(request: object) -> object:
        raise KeyError("tarif")

    monkeypatch.setattr(shop.post, "buy_label", poisoned)
    report = shop.relay()
    assert (report.retried, report.done) == (1, report.claimed - 1)


def test_times_never_go_back() -> None:
    """A command is recorded when its rows are locked, whenever it was stamped; a time of a far future is refused."""
    shop = Shop().stocked(main=1).placed(1)
    with pytest.raises(InputError) as told:
        shop.handle("O", ConfirmOrder(), occurred_at=NOON + timedelta(days=3))
    assert [fault.path for fault in told.value.faults] == ["occurred_at"]
    with pytest.raises(InputError):
        shop.handle("O", ConfirmOrder(), at=datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose


def test_stock_is_named_with_its_location() -> None:
    """A stock row without a location would never be found again, so it is not made."""
    with pytest.raises(InputError) as told:
        Shop().handle("TEA", ReceiveGoods(1))
    assert [fault.code for fault in told.value.faults] == ["no_location"]


def test_unknown_kinds_and_states_are_refused() -> None:
    """A misspelt kind or state is told, not answered with nothing."""
    shop = Shop()
    for query in (Query("ordr"), Query("order", ("Shiped",))):
        with pytest.raises(InputError):
            shop.find(query)
    with pytest.raises(InputError):
        shop.get("ordr", "x")
    with pytest.raises(InputError):
        shop.history("ordr", "x")


def test_labels_of_given_up_shipments_are_voided() -> None:
    """A label that was bought for a shipment that is given up goes back to its carrier."""
    shop = Shop(ShopSettings(shipping=ShippingSettings("post"))).stocked(main=1).placed(1)
    shop.advance("O")
    shop.settle().tell("O/1", VoidShipment()).settle()
    assert len(shop.post.voided) == 1


def test_a_label_that_is_taken_off_is_replaced() -> None:
    """A voided label goes back to its carrier, and the shipment gets a new one."""
    shop = (
        Shop(ShopSettings(shipping=ShippingSettings("post")), workflow=standard_workflow(())).stocked(main=1).placed(1)
    )
    shop.advance("O")
    shop.settle().tell("O/1", VoidLabel()).settle()
    first, second = (label.tracking_number for label in shop.post.sold)
    assert shop.post.voided == {first}
    assert shop.get("shipment", "O/1").label.tracking_number == second != first


def test_advancing_stops_at_what_needs_hands() -> None:
    """Advance says where it stopped and why; a draft and a completed order have no step to take."""
    shop = Shop().placed(1).tell("O", PlaceHold(Hold(HoldReason.FRAUD, Gate.CONFIRM)))
    stopped = shop.advance("O")
    assert (stopped.state, stopped.acks, [refusal.code for refusal in stopped.refusals]) == ("Placed", (), ["on_hold"])
    shop.tell("D", OpenDraft(content(1)))
    assert shop.advance("D").refusals == ()
    assert shop.shipments("O") == []


def test_both_drivers_answer_the_same() -> None:
    """A flow runs under the blocking and the async loop alike; a failing answer is raised inside the flow."""

    def flow() -> Flow[list[str]]:
        told = [str((yield from ask(Now())))]
        try:
            yield from ask(NewId())
        except LookupError as error:
            told.append(str(error))
        return told

    def answer(request: Any) -> Any:
        if type(request) is not Now:
            raise LookupError("no more ids")
        return NOON

    async def later(request: Any) -> Any:
        return answer(request)

    assert run(flow(), answer) == asyncio.run(run_async(flow(), later)) == [str(NOON), "no more ids"]


# -- the rarer ways


def test_what_costs_nothing_posts_nothing() -> None:
    """A gift is billed, settled and credited at 0 without touching the account's sums."""
    shop = Shop().stocked(main=1)
    shop.tell("O", PlaceOrder(content(1, price="0.00"))).advance("O")
    shop.tell("O/1", GO).tell("O", BillUnits("O/1", "inv"))
    assert type(shop.get("invoice", "O/1")).__name__ == "Settled"
    shop.tell("n", note(LINKED._replace(net_minor=0)))
    shop.tell("P", PlaceOrder(content(1, price="0.00")), ConfirmOrder(), CANCEL)
    assert shop.balance("ann", "EUR") == 0


def test_an_order_that_is_not_there_is_not_found() -> None:
    """Allocating an unknown order is refused as not found."""
    [result] = Shop().allocate("N")
    assert isinstance(result, CommandRefused)
    assert result.codes == ("not_found",)


def test_an_order_that_is_not_there_is_not_advanced() -> None:
    """Advancing an order that nobody placed is NotFound."""
    with pytest.raises(NotFound, match="no order 'X'"):
        Shop().advance("X")


def test_a_party_version_is_recorded_once() -> None:
    """The same person again is the same version, another one the next; a version is never other data, nor erased."""
    shop = Shop()
    assert shop.record_party("ann", Person("Ann", email="ann@example.org")) == ANN
    with pytest.raises(CommandMismatch):
        shop.record_party("ann", Person("Anne"), version=1)
    assert shop.record_party("ann", Person("Anne")) == PartyRef("ann", 2)
    assert shop.record_party("ann", Person("Anne")) == PartyRef("ann", 2)
    shop.tell("ann@2", ErasePartyVersion())
    with pytest.raises(CommandMismatch):
        shop.record_party("ann", Person("Anne"), version=2)
    assert shop.record_party("ann", Person("Anne")) == PartyRef("ann", 3)
    with pytest.raises(InputError):
        shop.record_party("ann", Person("Anne"), version=-1)


def test_advancing_is_bounded_and_reports_bad_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order goes a bounded number of steps at once; plans that make bad commands are bad input."""
    shop = Shop(ShopSettings(AllocationSettings(), BY_HAND, series="")).stocked(main=1).placed(1)
    with monkeypatch.context() as patched:
        patched.setattr("orderflow.flows.advance.STEP_LIMIT", 1)
        assert len(shop.advance("O").acks) == 1
    shop.advance("O")
    shop.tell("O/1", GO)
    with pytest.raises(InputError, match="series"):
        shop.advance("O")


def test_a_loop_of_reactions_ends_as_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """A settlement sends a bounded number of commands."""
    monkeypatch.setattr("orderflow.domain.engine.decide.DECISION_LIMIT", 2)
    shop = Shop()
    with pytest.raises(InvariantBroken, match="more than 2 commands"):
        shop.tell("t", PostTransfer((SkuQuantity("TEA", "main", 1), SkuQuantity("CUP", "main", 1)), "shop"))


def test_a_label_that_came_too_late_is_given_back() -> None:
    """A label bought by an attempt that seemed to fail is voided when the shipment has another one by then."""
    settings = ShopSettings(shipping=ShippingSettings("post"))
    shop = (
        Shop(settings, script=[CarrierFailure.TIMEOUT_AFTER], workflow=standard_workflow(())).stocked(main=1).placed(1)
    )
    shop.advance("O")
    assert shop.relay().retried == 1
    shop.tell("O/1", RecordLabel(ShippingLabel("van", "own", "MINE")))
    shop.time.advance(timedelta(minutes=1))
    shop.settle()
    assert len(shop.post.voided) == 1
    assert shop.get("shipment", "O/1").label.tracking_number == "MINE"


def test_a_label_that_was_entered_by_hand_is_not_given_back() -> None:
    """Where an attempt seemed to fail and its label was taken over by hand, asking again gives the same label: kept."""
    settings = ShopSettings(shipping=ShippingSettings("post"))
    shop = (
        Shop(settings, script=[CarrierFailure.TIMEOUT_AFTER], workflow=standard_workflow(())).stocked(main=1).placed(1)
    )
    shop.advance("O")
    assert shop.relay().retried == 1
    [sold] = shop.post.sold
    shop.tell("O/1", RecordLabel(ShippingLabel("post", sold.service, sold.tracking_number)))
    shop.time.advance(timedelta(minutes=1))
    shop.settle()
    assert shop.post.voided == set()
    assert shop.post.sold == [sold]


def test_no_label_is_bought_for_a_shipment_that_was_unpacked() -> None:
    """What is not packed any more when the relay comes needs no label."""
    shop = (
        Shop(ShopSettings(shipping=ShippingSettings("post")), workflow=standard_workflow(())).stocked(main=2).placed(2)
    )
    shop.advance("O")
    shop.tell("O/1", DropItems((item(1),))).settle()
    assert shop.post.sold == []


def test_a_voided_invoice_frees_its_units_while_notices_wait() -> None:
    """The notice of an invoice that was taken back does not keep its units from being billed again."""
    shop = shipped()
    shop.tell("O/1", VoidInvoice("mistaken")).settle()
    assert (shop.lines[0].invoiced, shop.lines[0].credited) == (0, 0)
    assert "O/1" in shop.order("O").progress.settled


def test_nobody_to_tell_gets_a_notice_by_customer_id() -> None:
    """An order that names no party is told to the customer's id."""
    shop = Shop()
    shop.tell("O", PlaceOrder(content(1, bill_to=None, ship_to=None))).settle()
    assert [notice.to for notice in shop.mail.delivered] == ["ann"]


def test_a_changed_document_under_a_bad_id_is_bad_input() -> None:
    """The hold that a changed document places is a command like any other."""
    shop, web = Shop(), {"channel": "web", "external_id": "7"}
    shop.receive("O", content(1, **web))
    with pytest.raises(InputError):
        shop.receive("O", content(2, **web), command_id="\n")


def test_a_completed_order_still_takes_late_facts() -> None:
    """Were a unit of a completed order on the way, its loss could be written off, but not be sent again."""
    shop = Shop().stocked(main=1).placed(1)
    shop.advance("O")
    shop.tell("O/1", GO, ARRIVE)
    shop.advance("O")
    done = shop.order("O")
    vector = evolve(done.progress.lines[0], delivered=0, shipped=1)
    life = Life(ORDER, done.with_progress(evolve(done.progress, lines=(vector,))), Stamp(NOON, "tester", "c"))
    life.when(ResolveLoss((LineQuantity(1, 1),), resupply=True)).refused("completed")
    assert life.when(ResolveLoss((LineQuantity(1, 1),))).then(Completed).progress.lines[0].lost == 1


def test_a_flow_refuses_kinds_and_commands_it_does_not_know() -> None:
    """A key of no machine, and a command of another kind, are bad input before anything is loaded."""
    stamp = Stamp(NOON, "tester", "c")
    strangers = [(Key("main", "nothing", "x"), ConfirmOrder()), (Key("main", "stock", "x"), ConfirmOrder())]
    results = run(
        handle_many(standard_workflow(), [Envelope(key, command, stamp) for key, command in strangers]), print
    )
    assert [result.faults[0].code for result in results if isinstance(result, InputError)] == [
        "unknown_kind",
        "unknown_command",
    ]
    assert addressee(StockLevel()) is None
