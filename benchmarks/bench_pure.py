"""The rules alone, no storage: an order's commands stepped by its table, against building the same objects directly.

The floor knows what happens: it builds the events, vectors and states of the same life one after the other and checks
the same invariants, but asks no guard, computes no total and looks nothing up. Both start from the same commands.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from _measure import Goal, Work, compare, interleaved, micro, print_head, verdict
from _sample import LOCATION, basket_of, picks_of
from attrs import evolve

from orderflow.domain.keys import Key, stock_key
from orderflow.domain.machine import ABSENT
from orderflow.domain.money import Money
from orderflow.domain.order import messages as m
from orderflow.domain.order import states as s
from orderflow.domain.order.lines import Allotment, LineVector, Picking
from orderflow.domain.order.machine import ORDER
from orderflow.domain.order.values import Basket, Units
from orderflow.domain.payment import messages as pay
from orderflow.domain.shipment import messages as sm
from orderflow.domain.stamp import Stamp
from orderflow.domain.standard import standard_book
from orderflow.domain.stock.messages import ReceiveGoods
from orderflow.flows.settle import Order, settle
from orderflow.ports.storage import Held

AT = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
STAMP = Stamp(AT, "bench", "command")
SHIPMENT, INVOICE, SERIES = "o-1/1", "o-1/1", "invoice"
MOST_MICROSECONDS = 300


def commands_of(basket: Basket) -> tuple[Any, ...]:
    """A whole life of an order. Delivery and billing stand in between, as completion asks for both."""
    picks = picks_of(basket)
    units = tuple(Units(pick.line, pick.quantity) for pick in picks)
    return (
        m.PlaceOrder(basket),
        m.ConfirmOrder(),
        m.AllocateStock(picks),
        m.PrepareShipment(SHIPMENT, picks),
        m.DispatchShipment(SHIPMENT, picks),
        m.RecordDelivery(SHIPMENT, units),
        m.BillUnits(INVOICE, SERIES),
        m.CompleteOrder(),
    )


def stepped(basket: Basket) -> Work:
    """The life by the order's table."""
    commands, step = commands_of(basket), ORDER.step

    def work() -> int:
        state: Any = ABSENT
        for command in commands:
            _, state = step(state, command, STAMP)
        return 1

    return work


def built(basket: Basket) -> Work:
    """The same life built directly: the floor."""
    totals = s.totals_of(basket)
    quantities = [line.quantity for line in basket.lines]
    nets = [line.net_minor for line in basket.lines]
    exposed, check = totals.gross_minor, s.check_order
    *_, prepare, _, deliver, _, _ = commands_of(basket)
    picks, units = prepare.loads, deliver.units

    def work() -> int:
        m.OrderPlaced(basket, totals, (), AT)
        vectors = tuple([LineVector(quantity) for quantity in quantities])
        begun = s.Progress(vectors, (), ())
        check(s.Placed(basket, totals, begun, AT))

        m.OrderConfirmed(AT)
        check(s.Confirmed(basket, totals, begun.with_exposed(exposed), AT, AT))

        m.StockAllocated(picks, (), (), None)
        vectors = tuple([LineVector(0, (), (Allotment(LOCATION, quantity),)) for quantity in quantities])
        check(s.Allocated(basket, totals, s.Progress(vectors, (), (), (), (), (), exposed, 0), AT, AT))

        m.ShipmentPrepared(SHIPMENT, picks)
        vectors = tuple([LineVector(0, (), (), (Picking(SHIPMENT, LOCATION, quantity),)) for quantity in quantities])
        check(s.Preparing(basket, totals, s.Progress(vectors, (), (), (), (), (), exposed, 1), AT, AT))

        m.ShipmentDispatched(SHIPMENT, picks)
        vectors = tuple([LineVector(0, (), (), (), quantity) for quantity in quantities])
        check(s.Shipped(basket, totals, s.Progress(vectors, (), (), (), (), (), exposed, 1), AT, AT))

        m.UnitsDelivered(SHIPMENT, units)
        vectors = tuple([LineVector(0, (), (), (), 0, quantity) for quantity in quantities])
        check(s.Shipped(basket, totals, s.Progress(vectors, (), (), (), (), (), exposed, 1), AT, AT))

        lines = [m.Billed(line, quantities[line - 1], nets[line - 1]) for line in range(1, len(nets) + 1)]
        m.UnitsBilled(INVOICE, SERIES, tuple(lines), exposed)
        vectors = tuple([LineVector(0, (), (), (), 0, quantity, 0, 0, 0, 0, quantity) for quantity in quantities])
        billed = s.Progress(vectors, (), (), (), (INVOICE,), (), 0, 1)
        check(s.Shipped(basket, totals, billed, AT, AT))

        m.OrderCompleted(0, AT)
        check(s.Completed(basket, totals, billed.with_exposed(0), AT, AT, AT))
        return 1

    return work


def guest(basket: Basket) -> Basket:
    """The same basket bought by a guest in the shop itself: no account is kept, and nothing was taken in."""
    return evolve(basket, customer="", channel="", external_id="")


def settled(basket: Basket) -> Work:
    """The order with its stock, shipment, invoice, number and payment, settled on rows in a dict.

    A customer has an account beside them, and an order of a channel its intake.
    """
    book, order = standard_book(()), Key("main", "order", "o-1")
    commands = _across(basket, order)
    rows: dict[Key, Held] = {}
    for line in basket.lines:
        stock = stock_key("main", line.sku, LOCATION)
        _settle(rows, book, Order(stock, ReceiveGoods(1_000_000), STAMP))

    def work() -> int:
        own = dict(rows)
        for command in commands:
            _settle(own, book, command)
        return 1

    return work


def _across(basket: Basket, order: Key) -> Sequence[Order]:
    shipment, payment = order.beside("shipment", SHIPMENT), order.beside("payment", "p-1")
    picks = picks_of(basket)
    items = tuple(sm.Item(order.id, pick.line, pick.location, pick.quantity) for pick in picks)
    gross = Money(s.totals_of(basket).gross_minor, basket.currency)
    told: Sequence[tuple[Key, Any]] = (
        (order, m.PlaceOrder(basket)),
        (order, m.ConfirmOrder()),
        (order, m.AllocateStock(picks)),
        (shipment, sm.PlanShipment(items, sm.Plan(carrier="table"))),
        (shipment, sm.PackShipment(1200, len(items))),
        (shipment, sm.RecordLabel(sm.ShippingLabel("table", "standard", "T-1"))),
        (shipment, sm.HandOver()),
        (shipment, sm.RecordDelivered("delivered")),
        (order, m.BillUnits(INVOICE, SERIES)),
        (payment, pay.RecordPayment(pay.Origin("bank", "1", basket.customer), gross)),
        (payment, pay.AllocatePayment(pay.AllocationTarget.INVOICE, INVOICE, gross)),
        (order, m.RecordSettlement(INVOICE)),
        (order, m.CompleteOrder()),
    )
    return [Order(key, command, STAMP) for key, command in told]


def _settle(rows: dict[Key, Held], book: Any, order: Order) -> None:
    """Settle on ``rows``, where what is asked for is absent, and keep what it changes."""
    nothing = Held(0, ABSENT)
    wants = settle(book, order, rows, {})
    try:
        while True:
            rows.update(dict.fromkeys(next(wants), nothing))
    except StopIteration as stop:
        rows.update(stop.value.rows)


def same_end(basket: Basket) -> None:
    """Both lives must end alike, or the comparison is worth nothing."""
    state: Any = ABSENT
    for command in commands_of(basket):
        _, state = ORDER.step(state, command, STAMP)
    quantities = [line.quantity for line in basket.lines]
    vectors = tuple(LineVector(0, (), (), (), 0, quantity, 0, 0, 0, 0, quantity) for quantity in quantities)
    progress = s.Progress(vectors, (), (), (), (INVOICE,), (), 0, 1)
    assert state == s.Completed(basket, s.totals_of(basket), progress, AT, AT, AT)


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    three, many = basket_of(1, 3), basket_of(1, 25)
    same_end(three)
    same_end(many)
    contenders: Mapping[str, Work] = {
        "built 3": built(three),
        "step 3": stepped(three),
        "built 25": built(many),
        "step 25": stepped(many),
        "settle 3": settled(guest(three)),
        "settle 3 more": settled(three),
    }
    costs = interleaved(contenders, seconds=0.4, rounds=9).processor
    print_head("The rules alone, an order from placed to completed", "processor time")
    met = [
        compare(Goal("3 lines, 8 commands stepped", "step 3", "built 3", most=3), costs, micro),
        compare(Goal("25 lines, 8 commands stepped", "step 25", "built 25", most=2), costs, micro),
    ]
    whole, least = statistics.median(costs["settle 3"]) * 1e6, min(costs["settle 3"]) * 1e6
    met.append(whole <= MOST_MICROSECONDS)
    print(
        f"{'3 lines, with stock, shipment, bill, payment':44}{whole:>11.1f} us{'':22}{f'least {least:.1f} us':>16}"
        f"{f'<= {MOST_MICROSECONDS} us':>9}{verdict(met[-1])}"
    )
    print(f"{'  and with account and intake':44}{statistics.median(costs['settle 3 more']) * 1e6:>11.1f} us")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
