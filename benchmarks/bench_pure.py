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
from _sample import LOCATION, content_of, picks_of
from attrs import evolve

from orderflow.domain.engine.decide import NOTHING, Envelope, Loaded, decide_command
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.money import Money
from orderflow.domain.money.tax import Totals
from orderflow.domain.orders import state as s
from orderflow.domain.orders.allocating import AllocateStock, StockAllocated
from orderflow.domain.orders.billing import (
    Billed,
    BillUnits,
    CompleteOrder,
    OrderCompleted,
    UnitsBilled,
)
from orderflow.domain.orders.content import OrderContent, totals_of
from orderflow.domain.orders.lines import Allotment, LineVector, Picking
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.parcels import RecordDelivery, Reported, Stage, UnitsDelivered
from orderflow.domain.orders.placing import ConfirmOrder, OrderConfirmed, OrderPlaced, PlaceOrder
from orderflow.domain.orders.shipping import (
    DispatchShipment,
    PrepareShipment,
    ShipmentDispatched,
    ShipmentPrepared,
)
from orderflow.domain.payments.applying import ApplyPayment
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.payments.state import ApplicationTarget, PaymentSource
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.labelling import RecordLabel
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.shipping.planning import PackShipment, PlanShipment
from orderflow.domain.shipping.state import Item, Plan, ShippingLabel
from orderflow.domain.values import stock_key
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import Key

AT = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
STAMP = Stamp(AT, "bench", "command")
SHIPMENT, INVOICE, SERIES = "o-1/1", "o-1/1", "invoice"
MOST_MICROSECONDS = 300


def commands_of(content: OrderContent) -> tuple[Any, ...]:
    """A whole life of an order. Delivery and billing stand in between, as completion asks for both."""
    picks = picks_of(content)
    units = tuple(Reported(pick.line, Stage.SHIPPED, pick.quantity) for pick in picks)
    return (
        PlaceOrder(content),
        ConfirmOrder(),
        AllocateStock(picks),
        PrepareShipment(SHIPMENT, picks),
        DispatchShipment(SHIPMENT, picks),
        RecordDelivery(SHIPMENT, units),
        BillUnits(INVOICE, SERIES),
        CompleteOrder(),
    )


def stepped(content: OrderContent) -> Work:
    """The life by the order's table."""
    commands, step = commands_of(content), ORDER.step

    def work() -> int:
        state: Any = ABSENT
        for command in commands:
            _, state = step(state, command, STAMP)
        return 1

    return work


def built(content: OrderContent) -> Work:
    """The same life built directly: the floor."""
    totals = totals_of(content)
    quantities = [line.quantity for line in content.lines]
    nets = [line.net_minor for line in content.lines]
    check = s.check_order
    *_, prepare, _, deliver, _, _ = commands_of(content)
    picks, units = prepare.loads, deliver.units

    def work() -> int:
        OrderPlaced(content, totals, (), AT)
        vectors = tuple([LineVector(quantity) for quantity in quantities])
        begun = s.Progress(vectors, (), ())
        check(s.Placed(content, totals, begun, AT))

        OrderConfirmed(AT)
        check(s.Confirmed(content, totals, begun, AT, AT))

        StockAllocated(picks, (), (), None)
        vectors = tuple([LineVector(0, (), (Allotment(LOCATION, quantity),)) for quantity in quantities])
        check(s.Allocated(content, totals, s.Progress(vectors, shipments=()), AT, AT))

        ShipmentPrepared(SHIPMENT, picks)
        vectors = tuple([LineVector(0, (), (), (Picking(SHIPMENT, LOCATION, quantity),)) for quantity in quantities])
        check(s.Preparing(content, totals, s.Progress(vectors, shipments=(SHIPMENT,)), AT, AT))

        ShipmentDispatched(SHIPMENT, picks)
        vectors = tuple([LineVector(0, (), (), (), quantity) for quantity in quantities])
        check(s.Shipped(content, totals, s.Progress(vectors, shipments=(SHIPMENT,)), AT, AT))

        UnitsDelivered(SHIPMENT, units)
        vectors = tuple([LineVector(0, (), (), (), 0, quantity) for quantity in quantities])
        check(s.Shipped(content, totals, s.Progress(vectors, shipments=(SHIPMENT,)), AT, AT))

        lines = [
            Billed(line, quantities[line - 1], nets[line - 1], content.lines[line - 1].tax)
            for line in range(1, len(nets) + 1)
        ]
        UnitsBilled(INVOICE, SERIES, tuple(lines), totals, 0)
        billed = _billed(content, totals)
        check(s.Shipped(content, totals, billed, AT, AT))

        OrderCompleted(AT)
        check(s.Completed(content, totals, billed, AT, AT, AT))
        return 1

    return work


def _billed(content: OrderContent, totals: Totals) -> s.Progress:
    """An order whose units were delivered and billed on one invoice."""
    vectors = [
        LineVector(delivered=line.quantity, invoiced=line.quantity, unit_minor=line.net_minor) for line in content.lines
    ]
    bills = (s.Bill(INVOICE, totals.gross_minor, 0),)
    taxed = tuple([s.Taxed(group.category, group.tax_minor) for group in totals.groups if group.tax_minor])
    return s.Progress(tuple(vectors), bills=bills, taxed=taxed, shipments=(SHIPMENT,))


def guest(content: OrderContent) -> OrderContent:
    """The same content bought by a guest in the shop itself: no account is kept, and nothing was taken in."""
    return evolve(content, customer="", channel="", external_id="")


def decided(content: OrderContent) -> Work:
    """The order with its stock, shipment, invoice, number and payment, decided on rows in a dict.

    A customer has an account beside them, and an order of a channel its intake.
    """
    workflow, order = standard_workflow(()), Key("main", "order", "o-1")
    envelopes = _across(content, order)
    rows: dict[Key, Loaded] = {}
    for line in content.lines:
        stock = stock_key("main", line.sku, LOCATION)
        _decide(rows, workflow, Envelope(stock, ReceiveGoods(1_000_000), STAMP))

    def work() -> int:
        own = dict(rows)
        for envelope in envelopes:
            _decide(own, workflow, envelope)
        return 1

    return work


def _across(content: OrderContent, order: Key) -> Sequence[Envelope]:
    shipment, payment = order.beside("shipment", SHIPMENT), order.beside("payment", "p-1")
    picks = picks_of(content)
    items = tuple(Item(order.id, pick.line, pick.location, pick.quantity) for pick in picks)
    gross = Money(totals_of(content).gross_minor, content.currency)
    sent: Sequence[tuple[Key, Any]] = (
        (order, PlaceOrder(content)),
        (order, ConfirmOrder()),
        (order, AllocateStock(picks)),
        (shipment, PlanShipment(items, Plan(carrier="table"))),
        (shipment, PackShipment(1200, len(items))),
        (shipment, RecordLabel(ShippingLabel("table", "standard", "T-1"))),
        (shipment, HandOver()),
        (shipment, RecordDelivered("delivered")),
        (order, BillUnits(INVOICE, SERIES)),
        (payment, RecordPayment(PaymentSource("bank", "1", content.customer), gross)),
        (payment, ApplyPayment(ApplicationTarget.INVOICE, INVOICE, gross)),
        (order, CompleteOrder()),
    )
    return [Envelope(key, command, STAMP) for key, command in sent]


def _decide(rows: dict[Key, Loaded], workflow: Any, envelope: Envelope) -> None:
    """Decide on ``rows``, where what is asked for is absent, and keep what it changes."""
    flow = decide_command(workflow, envelope)
    answer: Any = None
    try:
        while True:
            request: Any = flow.send(answer)
            answer = {key: rows.get(key, NOTHING) for key in request.keys}
    except StopIteration as stop:
        rows.update(stop.value.rows)


def same_end(content: OrderContent) -> None:
    """Both lives must end alike, or the comparison is worth nothing."""
    state: Any = ABSENT
    for command in commands_of(content):
        _, state = ORDER.step(state, command, STAMP)
    totals = totals_of(content)
    assert state == s.Completed(content, totals, _billed(content, totals), AT, AT, AT)


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    three, many = content_of(1, 3), content_of(1, 25)
    same_end(three)
    same_end(many)
    contenders: Mapping[str, Work] = {
        "built 3": built(three),
        "step 3": stepped(three),
        "built 25": built(many),
        "step 25": stepped(many),
        "decide 3": decided(guest(three)),
        "decide 3 more": decided(three),
    }
    costs = interleaved(contenders, seconds=0.4, rounds=9).processor
    print_head("The rules alone, an order from placed to completed", "processor time")
    met = [
        compare(Goal("3 lines, 8 commands stepped", "step 3", "built 3", most=3), costs, micro),
        compare(Goal("25 lines, 8 commands stepped", "step 25", "built 25", most=2), costs, micro),
    ]
    whole, least = statistics.median(costs["decide 3"]) * 1e6, min(costs["decide 3"]) * 1e6
    met.append(whole <= MOST_MICROSECONDS)
    print(
        f"{'3 lines, with stock, shipment, bill, payment':44}{whole:>11.1f} us{'':22}{f'least {least:.1f} us':>16}"
        f"{f'<= {MOST_MICROSECONDS} us':>9}{verdict(met[-1])}"
    )
    print(f"{'  and with account and intake':44}{statistics.median(costs['decide 3 more']) * 1e6:>11.1f} us")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
