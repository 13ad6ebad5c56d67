"""The order's own invariants: state and vectors agree, buckets sum to what was ordered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.engine.schema import faults_of
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders import state as s
from orderflow.domain.orders.allocating import AllocateStock, FillBackorder, Filled
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.cancelling import CancelUnits, OrderCancelled
from orderflow.domain.orders.charging import billable, exposure, missing_minor
from orderflow.domain.orders.content import (
    CancelledBy,
    Gate,
    Hold,
    HoldReason,
    InvoiceBasis,
    LineKind,
    OrderContent,
    OrderLine,
    PayBefore,
    Policy,
    ShipTogether,
)
from orderflow.domain.orders.lines import Allotment, LineVector, Picking, Waiting
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.parcels import OweAgain, RecordBack, RecordDelivery, Reported, Stage, UnitsDelivered
from orderflow.domain.orders.placing import ConfirmOrder, OrderPlaced, PlaceOrder, UnconfirmOrder
from orderflow.domain.orders.prepaying import RecordPrepayment, WithdrawPrepayment
from orderflow.domain.orders.shipping import (
    DispatchShipment,
    PrepareShipment,
)
from orderflow.domain.values import LineQuantity, PartyRef, Pick
from orderflow.errors import InvariantBroken
from orderflow.testing.scenario import given as begun

ANN = PartyRef("ann", 1)

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
STAMP = Stamp(NOON, "tester", "c")


def content(quantity: int = 3) -> OrderContent:
    """One line of goods."""
    line = OrderLine.of(1, "TEA", quantity, Price.of("1.00", "EUR"), TaxCategory.of("S", 19))
    return OrderContent("EUR", (line,), TaxPolicy(), bill_to=ANN, ship_to=ANN)


PLACED = begun(ORDER, PlaceOrder(content()), stamp=STAMP)
CONFIRMED = PLACED.and_then(ConfirmOrder())
LOADS = (Pick(1, "main", 3),)
SHIPPED = CONFIRMED.and_then(AllocateStock(LOADS), PrepareShipment("S", LOADS), DispatchShipment("S", LOADS))


def with_vector(state: Any, vector: LineVector) -> Any:
    """The state with another vector on its line."""
    return state.with_progress(evolve(state.progress, lines=(vector,)))


def test_a_life_is_told_by_given_when_then() -> None:
    """A scenario tries a command from where it stands, and goes on without changing what was."""
    CONFIRMED.when(CompleteOrder()).refused("goods_left")
    CONFIRMED.when(CancelUnits("no", CancelledBy.CUSTOMER)).then(s.Cancelled, OrderCancelled)
    PLACED.when(CompleteOrder()).refused("not_now")
    SHIPPED.when(RecordDelivery("S", (Reported(1, Stage.SHIPPED, 3),)), STAMP).then(s.Shipped, UnitsDelivered)
    with pytest.raises(AssertionError, match="refused: goods_left"):
        CONFIRMED.when(CompleteOrder()).then(s.Completed)
    with pytest.raises(AssertionError, match="led to Placed"):
        CONFIRMED.when(UnconfirmOrder()).then(s.Draft)
    with pytest.raises(AssertionError, match="by OrderUnconfirmed"):
        CONFIRMED.when(UnconfirmOrder()).then(s.Placed, OrderPlaced)
    with pytest.raises(AssertionError, match="accepted, not refused"):
        CONFIRMED.when(UnconfirmOrder()).refused("not_now")


BROKEN = {
    "1 lines, 0 vectors": CONFIRMED.state.with_progress(s.Progress(())),
    r"lines\[0\]: buckets sum to 2, ordered 3": with_vector(CONFIRMED.state, LineVector(2)),
    "1 units are live, and the order is cancelled": with_vector(
        CONFIRMED.and_then(CancelUnits("no", CancelledBy.CUSTOMER)).state, LineVector(cancelled=2, shipped=1)
    ),
    "vectors say Shipped, the state is Confirmed": with_vector(CONFIRMED.state, LineVector(shipped=3)),
    r"lines\[0\]: a bucket is negative": with_vector(SHIPPED.state, LineVector(shipped=4, delivered=-1)),
    "or more is credited than billed": with_vector(SHIPPED.state, LineVector(shipped=4, lost=-1)),
    "more is credited than billed": with_vector(SHIPPED.state, LineVector(shipped=3, invoiced=1, credited=2)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_state_that_contradicts_itself_is_a_bug(what: str) -> None:
    """Each broken invariant of an order is named."""
    with pytest.raises(InvariantBroken, match=what):
        s.check_order(BROKEN[what])


def test_an_order_without_live_units_lands_nowhere() -> None:
    """An accepted order whose units are all cancelled has no state to be in but Cancelled."""
    with pytest.raises(InvariantBroken, match="was not cancelled"):
        s.state_for(CONFIRMED.state, s.Progress((LineVector(cancelled=3),)), NOON)


def test_no_more_is_taken_out_of_a_bucket_than_is_there() -> None:
    """A move beyond its bucket is a bug, named with its place."""
    with pytest.raises(InvariantBroken, match="1 units too many taken at main"):
        moves.release(LineVector(allocated=(Allotment("main", 1),)), "main", 2)


def test_waiting_units_are_filled_once_though_they_are_filled_from_two_locations() -> None:
    """Of one line, what waits at the location is filled first, then what has waited longest."""
    waits = CONFIRMED.and_then(AllocateStock(backorder=(Pick(1, "shop", 1), Pick(1, "main", 2))))
    filled = waits.when(FillBackorder((Pick(1, "main", 2), Pick(1, "shop", 1))))
    assert filled.event.filled == (
        Filled(1, "main", "main", 2),
        Filled(1, "shop", "shop", 1),
    )
    assert filled.state.progress.lines[0] == LineVector(allocated=(Allotment("main", 2), Allotment("shop", 1)))


FULL = LineVector(
    open=9,
    backordered=(Waiting("main", 4), Waiting("shop", 5)),
    allocated=(Allotment("main", 4), Allotment("shop", 5)),
    preparing=(Picking("S", "main", 4), Picking("T", "main", 5)),
    shipped=9,
    delivered=9,
    invoiced=9,
)
MOVES: dict[str, Callable[[LineVector, int], LineVector]] = {
    "allocate": lambda v, n: moves.allocate(v, "main", n, None),
    "wait": lambda v, n: moves.wait(v, "main", n),
    "fill": lambda v, n: moves.fill(v, "main", "shop", n, NOON),
    "release": lambda v, n: moves.release(v, "main", n),
    "prepare": lambda v, n: moves.prepare(v, "U", "shop", n),
    "move_back": lambda v, n: moves.move_back(v, "S", "main", n, NOON),
    "wait_again": lambda v, n: moves.wait_again(v, "main", n),
    "take_out_short": lambda v, n: moves.take_out_short(v, "S", "main", n),
    "dispatch": lambda v, n: moves.dispatch(v, "T", "main", n),
    "deliver": lambda v, n: moves.deliver(v, "shipped", n),
    "deliver lost": lambda v, n: moves.deliver(v, "lost", n),
    "take back": lambda v, n: moves.take_back(v, "delivered", n),
    "take back shipped": lambda v, n: moves.take_back(v, "shipped", n),
    "take back lost": lambda v, n: moves.take_back(v, "lost", n),
    "lose": moves.lose,
    "owe again": lambda v, n: moves.owe_again(v, "shipped", n),
    "owe delivered again": lambda v, n: moves.owe_again(v, "delivered", n),
    "depart": lambda v, n: moves.depart(v, moves.Slice(1, "allocated", n, "main")),
    "depart cancelled": lambda v, n: moves.depart(v, moves.Slice(1, "cancelled", n)),
    "bill": lambda v, n: moves.bill(v, n, 10 * n),
    "credit": lambda v, n: moves.credit(v, moves.CreditedUnits(1, n, 10 * n, 0), v.kept),
    "cancel open": lambda v, n: moves.cancel(v, moves.Slice(1, "open", n)),
    "cancel waiting": lambda v, n: moves.cancel(v, moves.Slice(1, "backordered", n, "shop")),
    "cancel allocated": lambda v, n: moves.cancel(v, moves.Slice(1, "allocated", n, "main")),
    "cancel preparing": lambda v, n: moves.cancel(v, moves.Slice(1, "preparing", n, "main", "S")),
}


@given(names=st.lists(st.sampled_from(sorted(MOVES)), max_size=8), units=st.integers(1, 2))
def test_moves_keep_the_sum(names: list[str], units: int) -> None:
    """L1: whatever moves between the buckets, they sum to what was ordered."""
    vector = FULL
    for name in names:
        try:
            vector = MOVES[name](vector, units)
        except InvariantBroken:
            continue
    assert vector.quantity == FULL.quantity


@given(
    vector=st.builds(
        LineVector,
        *[st.integers(0, 3)] * 1,
        shipped=st.integers(0, 3),
        delivered=st.integers(0, 3),
        returned=st.integers(0, 3),
        lost=st.integers(0, 3),
        cancelled=st.integers(0, 3),
        invoiced=st.integers(0, 9),
    )
)
@pytest.mark.parametrize("basis", InvoiceBasis)
def test_what_is_billed_is_never_billed_again(vector: LineVector, basis: InvoiceBasis) -> None:
    """Billable = basis - returned - lost - (invoiced - credited), and never below 0."""
    order = with_vector(PLACED.state, vector)
    order = evolve(order, content=evolve(order.content, policy=Policy(invoice_basis=basis)))
    units = billable(order, evolve(order.content.lines[0], quantity=vector.quantity), vector)
    whole = vector.dispatched if basis is InvoiceBasis.DISPATCHED else vector.quantity - vector.cancelled
    assert units == max(0, whole - vector.returned - vector.lost - vector.invoiced)


def test_a_service_is_billed_once_the_order_has_started() -> None:
    """Other lines than goods are billed whole, on the dispatched basis only when something has left."""
    for policy, shipped, billed, units in (
        (InvoiceBasis.DISPATCHED, 0, 0, 0),
        (InvoiceBasis.ORDERED, 0, 0, 1),
        (InvoiceBasis.DISPATCHED, 1, 0, 1),
        (InvoiceBasis.DISPATCHED, 1, 1, 0),
    ):
        order = begun(ORDER, PlaceOrder(of_tea_and_advice(invoice_basis=policy)), stamp=STAMP).state
        vectors = (LineVector(2 - shipped, shipped=shipped), LineVector(invoiced=billed))
        order = order.with_progress(s.Progress(vectors))
        assert billable(order, order.content.line(2), vectors[1]) == units


def test_ten_buckets_make_the_quantity() -> None:
    """Each bucket counts once; what was billed and credited stands outside the sum."""
    vector = LineVector(
        open=1,
        backordered=(Waiting("main", 2),),
        allocated=(Allotment("main", 4),),
        preparing=(Picking("S", "main", 8),),
        shipped=16,
        delivered=32,
        returned=64,
        lost=128,
        cancelled=256,
        moved=512,
        invoiced=1024,
        credited=1024,
    )
    assert (vector.unsent, vector.dispatched, vector.quantity) == (15, 240, 1023)
    assert s.Progress((vector, LineVector(open=1))).tally == s.Tally(
        (1023, 1), non_negative=True, ordered=1024, live=256, backordered=2, allocated=4, preparing=8, dispatched=240,
        shipped=16,
    )  # fmt: skip


def of_tea_and_advice(**policy: Any) -> OrderContent:
    """Two units of goods, and a service."""
    price, tax = Price.of("1.00", "EUR"), TaxCategory.of("S", 19)
    lines = (OrderLine.of(1, "TEA", 2, price, tax), OrderLine.of(2, "ADVICE", 1, price, tax, kind=LineKind.SERVICE))
    return OrderContent("EUR", lines, TaxPolicy(), bill_to=ANN, ship_to=ANN, policy=Policy(**policy))


def test_a_service_waits_for_goods_though_others_were_cancelled() -> None:
    """It is billed when something has left; what was cancelled has not."""
    order = begun(ORDER, PlaceOrder(of_tea_and_advice()), ConfirmOrder(), stamp=STAMP)
    half = order.and_then(CancelUnits("less", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    half.when(BillUnits("I", "inv")).refused("nothing_billable")


def test_an_order_that_travels_together_waits_for_no_service() -> None:
    """All goods in shipments are the whole order."""
    content, loads = of_tea_and_advice(ship_together=ShipTogether.ORDER), (Pick(1, "main", 2),)
    order = begun(ORDER, PlaceOrder(content), ConfirmOrder(), AllocateStock(loads), stamp=STAMP)
    order.when(PrepareShipment("S", (Pick(1, "main", 1),))).then(s.Preparing)
    half = begun(ORDER, PlaceOrder(content), ConfirmOrder(), AllocateStock((Pick(1, "main", 1),)), stamp=STAMP)
    half.when(PrepareShipment("S", (Pick(1, "main", 1),))).refused("ships_together")
    order.and_then(PrepareShipment("S", loads)).when(DispatchShipment("S", loads)).then(s.Shipped)


@pytest.mark.parametrize("units, codes", [(3, ()), (4, ("not_shipped",))])
def test_parcels_tell_of_units_that_were_sent(units: int, codes: tuple[str, ...]) -> None:
    """A parcel and its order agree: what the order has not sent cannot arrive, come back, or be owed again."""
    told = (Reported(1, Stage.SHIPPED, units),)
    for command in (RecordDelivery("S", told), RecordBack("S", "main", units=told), OweAgain("S", told)):
        attempt = SHIPPED.when(command)
        if codes:
            attempt.refused(*codes)
        else:
            assert attempt.event.units == told


def test_money_opens_the_gate_that_waits_for_it_and_no_hold() -> None:
    """What is missing counts down to nothing; holds for payment are somebody else's to lift."""
    hold = (Hold(HoldReason.PAYMENT, Gate.SHIP),)
    content = of_tea_and_advice(pay_before=PayBefore.ALLOCATE)
    order = begun(ORDER, PlaceOrder(content, hold), ConfirmOrder(), stamp=STAMP)
    total = order.state.totals.gross_minor
    part = order.and_then(RecordPrepayment("p", total - 1, "EUR"))
    part.when(AllocateStock((Pick(1, "main", 2),))).refused("unpaid")
    assert missing_minor(part.state, NOON) == 1
    paid = part.and_then(RecordPrepayment("p", 1, "EUR"))
    assert paid.when(AllocateStock((Pick(1, "main", 2),))).then(s.Allocated).progress.holds == hold


def test_a_lost_unit_that_comes_back_was_settled_when_it_was_lost() -> None:
    """What was credited ahead, or waived, of other units stays so; of one that was on the way it is settled now."""
    sent = LineVector(shipped=2, lost=1, invoiced=3, credited=2, ahead=1, waived=1)
    back = moves.take_back(sent, "lost", 1)
    assert (back.ahead, back.waived_of(back.kept), back.returned) == (1, 1, 1)
    assert moves.take_back(sent, "shipped", 1).ahead == 0


def test_nothing_is_withdrawn_of_a_payment_that_is_not_kept() -> None:
    """Not one minor unit of a payment that the order does not know, nor one more than it keeps."""
    PLACED.when(WithdrawPrepayment("q", 1)).refused("not_applied")
    paid = PLACED.and_then(RecordPrepayment("p", 1, "EUR"))
    paid.when(WithdrawPrepayment("q", 1)).refused("not_applied")
    paid.when(WithdrawPrepayment("p", 2)).refused("not_applied")


def test_units_are_taken_from_the_place_that_is_named() -> None:
    """The earliest of that place first; other places keep theirs, wherever they stand."""
    allocated = (Allotment("main", 2), Allotment("shop", 2), Allotment("shop", 3))
    assert moves.release(LineVector(allocated=allocated), "shop", 3) == LineVector(
        open=3, allocated=(Allotment("main", 2), Allotment("shop", 2))
    )


def test_exposure_is_the_gross_of_what_is_not_charged_yet() -> None:
    """It falls with every bill, by what that bill charges."""
    order = CONFIRMED.and_then(AllocateStock(LOADS), PrepareShipment("S", (Pick(1, "main", 1),)))
    sent = order.and_then(DispatchShipment("S", (Pick(1, "main", 1),)))
    assert (exposure(PLACED.state), exposure(sent.state)) == (0, 357)
    first = sent.and_then(BillUnits("I", "inv"))
    assert exposure(first.state) == 238
    rest = (Pick(1, "main", 2),)
    last = first.and_then(PrepareShipment("T", rest), DispatchShipment("T", rest), BillUnits("J", "inv"))
    assert exposure(last.state) == 0


def test_a_discount_is_taken_off_the_line() -> None:
    """The net amount is price times quantity, rounded, less the line's share of discounts; content says the same."""
    line = OrderLine.of(1, "TEA", 3, Price.of("1.00", "EUR"), TaxCategory.of("S", 19), discount_minor=50)
    assert line.net_minor == 250
    assert faults_of(OrderContent("EUR", (line,), TaxPolicy())) == ()


@pytest.mark.parametrize("price, exposed", [("1.00", 119), ("0.00", 0), ("-1.00", -119)])
def test_exposure_is_what_the_customer_will_owe(price: str, exposed: int) -> None:
    """An order that costs nothing exposes nobody, one that gives money back less; nor does one that is completed."""
    kind = LineKind.ALLOWANCE if price.startswith("-") else LineKind.SERVICE
    line = OrderLine.of(1, "ADVICE", 1, Price.of(price, "EUR"), TaxCategory.of("S", 19), kind=kind)
    policy = Policy(invoice_basis=InvoiceBasis.ORDERED)
    content = OrderContent("EUR", (line,), TaxPolicy(), bill_to=ANN, policy=policy)
    order = begun(ORDER, PlaceOrder(content), ConfirmOrder(), stamp=STAMP)
    assert exposure(order.state) == exposed
    if exposed < 0:
        order.when(BillUnits("I", "inv")).refused("negative_bill")
        return
    done = order.and_then(BillUnits("I", "inv"), CompleteOrder())
    assert isinstance(done.state, s.Completed)
    assert exposure(done.state) == 0


def test_what_has_waited_longest_is_filled_first_though_in_two_steps() -> None:
    """Of a third location, what is left of the first of the queue goes before the second."""
    waits = CONFIRMED.and_then(AllocateStock(backorder=(Pick(1, "shop", 2), Pick(1, "main", 1))))
    filled = waits.when(FillBackorder((Pick(1, "north", 1), Pick(1, "north", 1), Pick(1, "main", 1))))
    assert filled.event.filled == (Filled(1, "shop", "north", 2), Filled(1, "main", "main", 1))
    twice = waits.when(FillBackorder((Pick(1, "north", 1), Pick(1, "east", 2))))
    assert twice.event.filled == (
        Filled(1, "shop", "north", 1),
        Filled(1, "shop", "east", 1),
        Filled(1, "main", "east", 1),
    )


@pytest.mark.parametrize("bucket", ["open", "shipped", "delivered", "lost"])
def test_no_bucket_is_below_zero(bucket: str) -> None:
    """One unit too few is a bug, even where the sum is right."""
    counts: dict[str, Any] = {"shipped": 3, "cancelled": 1, bucket: -1}
    counts["returned"] = 3 - sum(counts.values())
    state = with_vector(SHIPPED.state, LineVector(**counts))
    assert state.progress.tally.by_line == (3,)
    with pytest.raises(InvariantBroken):
        s.check_order(state)
    assert not state.progress.tally.non_negative
