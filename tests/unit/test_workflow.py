"""The workflow: machines and the table that joins them, checked together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from orderflow.domain.billing.credit_note import CREDIT_NOTE
from orderflow.domain.billing.invoice import INVOICE, InvoiceIssued
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import (
    Asks,
    Effect,
    EventContext,
    On,
    Require,
    Requires,
    Send,
    Tells,
    Workflow,
    asks,
    on,
    requires,
    tells,
)
from orderflow.domain.inventory.machine import STOCK
from orderflow.domain.inventory.stock import Allocate, Backorder, GoodsReceived, ReceiveGoods
from orderflow.domain.orders.crediting import RecordUnbilling
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.placing import ConfirmOrder, OrderConfirmed, OrderPlaced, PlaceOrder
from orderflow.domain.orders.prepaying import RecordDue, RecordPrepayment
from orderflow.domain.orders.shipping import DispatchShipment
from orderflow.domain.shipping.planning import DropCancelledItems
from orderflow.domain.workflow.table import MACHINES, NOTICES, TABLE, NoticeBy, standard_workflow
from orderflow.errors import DefinitionError, Key

WORKFLOW = standard_workflow()
ORDER_KEY, STOCK_KEY = Key("main", "order", "O"), Key("main", "stock", "TEA@main")
CONFIRMED = OrderConfirmed(datetime(2026, 4, 1, tzinfo=UTC))
CONTEXT = EventContext(ORDER_KEY, None, CONFIRMED, None, Stamp(CONFIRMED.at, "tester", "c"))


def nothing(context: Any) -> tuple[Any, ...]:
    """A reaction that tells nobody."""
    return ()


def parts(workflow: Workflow, kind: type[Any]) -> list[Any]:
    """The parts of one kind in all lines of a workflow's table."""
    return [part for line in workflow.table for part in line.parts if isinstance(part, kind)]


def notices(workflow: Workflow) -> list[str]:
    """The templates of all notices of a workflow."""
    return [ask.effects.template for ask in parts(workflow, Asks) if isinstance(ask.effects, NoticeBy)]


def test_the_standard_workflow_holds_a_machine_for_each_kind() -> None:
    """Every command belongs to one kind, and what only the library may send is internal."""
    assert WORKFLOW.kind_of[PlaceOrder] == "order"
    internal = {command for command in WORKFLOW.kind_of if issubclass(command, Internal)}
    assert {DispatchShipment, Allocate, RecordDue, RecordUnbilling, RecordPrepayment} < internal
    assert DropCancelledItems in internal
    assert internal.isdisjoint({ReceiveGoods, PlaceOrder})


def test_whatever_the_table_tells_is_internal_or_may_be_sent_alone() -> None:
    """Commands that move goods, money or numbers between rows are told by the table or the relay only."""
    told = {command for part in parts(WORKFLOW, Tells) for command in part.commands}
    assert {command.__name__ for command in told if not issubclass(command, Internal)} == {
        "Adjust",
        "AnnotateOrder",
        "BlockAccount",
        "ReceiveBack",
        "ReceiveGoods",
        "RecordDelivered",
        "RecordLost",
        "RecordReturning",
        "RecordTracking",
        "UnblockAccount",
    }


def test_notices_are_chosen_by_template() -> None:
    """A workflow tells the customer what it is asked to, and nothing else."""
    assert notices(standard_workflow(())) == []
    assert notices(standard_workflow(["invoice_issued"])) == ["invoice_issued"]
    assert sorted(notices(WORKFLOW)) == sorted((*NOTICES, "shipment_sent")), "sent by us, or by the carrier's word"
    quiet, loud = parts(standard_workflow(()), Asks), parts(WORKFLOW, Asks)
    assert len(loud) == len(quiet) + len(NOTICES) + 1


BREACHES: dict[str, Callable[[], Workflow]] = {
    "two machines of one kind": lambda: Workflow((ORDER, ORDER)),
    "PlaceOrder belongs to 2 machines": lambda: Workflow((ORDER, renamed())),
    "OrderPlaced belongs to 2 machines": lambda: Workflow((ORDER, renamed())),
    "no machine has the event GoodsReceived": lambda: Workflow(
        (ORDER,), [on(GoodsReceived, tells(nothing, ConfirmOrder))]
    ),
    "OrderPlaced tells Allocate, which no machine takes": lambda: Workflow(
        (ORDER,), [on(OrderPlaced, tells(nothing, Allocate))]
    ),
    "OrderPlaced requires stock, which has no machine": lambda: Workflow(
        (ORDER,), [on(OrderPlaced, requires(nothing, "stock"))]
    ),
    "InvoiceIssued of invoice reaches order, against lock order": lambda: Workflow(
        (ORDER, INVOICE), [on(InvoiceIssued, tells(nothing, RecordDue))]
    ),
    "OrderPlaced of order reaches order, against lock order": lambda: Workflow(
        (ORDER,), [on(OrderPlaced, tells(nothing, ConfirmOrder))]
    ),
    "GoodsReceived of stock reaches order, against lock order": lambda: Workflow(
        (ORDER, STOCK), [on(GoodsReceived, requires(nothing, "order"))]
    ),
    "no machine has the event InvoiceIssued": lambda: Workflow((ORDER,), [on(InvoiceIssued, asks(nothing, "mail"))]),
}


def renamed() -> Any:
    """The order's table under another kind."""
    from orderflow.domain.engine.machine import Machine

    return Machine("sale", rules=ORDER.rules, final=ORDER.final, check=ORDER.check)


@pytest.mark.parametrize("breach", BREACHES)
def test_a_workflow_that_contradicts_itself_is_refused(breach: str) -> None:
    """A line that names what is not there, or would lock downwards, is a DefinitionError that names it."""
    with pytest.raises(DefinitionError, match=breach):
        BREACHES[breach]()


def test_a_known_row_may_be_told_against_the_order_of_locks() -> None:
    """What the decision holds already is locked already."""
    known = on(InvoiceIssued, tells(nothing, RecordDue, known=True))
    assert Workflow((ORDER, INVOICE), [known]).heard[InvoiceIssued].reactions is nothing


def test_lines_of_one_event_are_heard_together() -> None:
    """An event may have several lines, in several places: all their parts are asked, in table order."""

    def told(context: EventContext) -> list[Send]:
        return [Send(STOCK_KEY, Backorder(1))]

    def required(context: EventContext) -> list[Require]:
        return [Require(STOCK_KEY, lambda state, stamp: None)]

    def asked(context: EventContext) -> list[Effect]:
        return [Effect("mail", context.key)]

    lines = [
        on(OrderConfirmed, tells(told, Backorder), asks(asked, "mail")),
        on(OrderConfirmed, requires(required, "stock")),
    ]
    workflow = Workflow((ORDER, STOCK), lines)
    assert [type(item) for item in workflow.reactions(CONTEXT)] == [Send, Require]
    assert [*workflow.effects(CONTEXT)] == [Effect("mail", ORDER_KEY)]
    assert [*Workflow((ORDER, STOCK)).reactions(CONTEXT)] == []
    assert [*Workflow((ORDER, STOCK)).effects(CONTEXT)] == []


def test_a_guarded_workflow_asks_the_guard_of_that_command() -> None:
    """A guard narrows one command of one machine; the rest stays as it was."""
    closed = WORKFLOW.guarded(PlaceOrder, lambda state, command, stamp: refuse("closed", "the shop is closed"))
    assert closed.machines["order"] is not ORDER
    assert closed.machines["stock"] is STOCK
    assert closed.fingerprint == WORKFLOW.fingerprint
    with pytest.raises(DefinitionError, match="no machine takes OrderPlaced"):
        WORKFLOW.guarded(OrderPlaced, lambda state, command, stamp: None)


ADDED = {
    "a command told": tells(nothing, Backorder),
    "a requirement": requires(nothing, "stock"),
    "an effect": asks(nothing, "mail"),
}


@pytest.mark.parametrize("part", ADDED.values(), ids=ADDED)
def test_an_extended_workflow_has_more_in_it(part: Any) -> None:
    """Lines are added behind those that are there, and the fingerprint says so."""
    more = WORKFLOW.extended(table=[on(OrderPlaced, part)])
    assert more.table[:-1] == WORKFLOW.table
    assert len(parts(more, type(part))) == len(parts(WORKFLOW, type(part))) + 1
    assert more.fingerprint != WORKFLOW.fingerprint
    assert WORKFLOW.extended().fingerprint == WORKFLOW.fingerprint


def test_a_machine_of_a_known_kind_takes_its_place() -> None:
    """Another machine of a kind keeps that kind's rank; one of a new kind comes last."""
    other = WORKFLOW.extended(machines=(STOCK.guarded(Allocate, lambda state, command, stamp: None),))
    assert [*other.machines] == [*WORKFLOW.machines]
    assert other.machines["stock"] is not STOCK


def test_a_smaller_workflow_keeps_what_stays_among_its_machines() -> None:
    """Only the machines named, and of the table what concerns nothing else; effects of their events stay."""
    small = WORKFLOW.only("order", "stock")
    assert set(small.machines) == {"order", "stock"}
    assert {small.kind_of[command] for part in parts(small, Tells) for command in part.commands} == {"stock"}
    assert all(line.event in {*ORDER.events, *STOCK.events} for line in small.table)
    assert {"order_received", "order_cancelled"} < set(notices(small))
    needy = WORKFLOW.extended(table=[on(OrderPlaced, requires(nothing, "stock"))])
    assert parts(needy.only("order"), Requires) == []
    assert len(parts(needy.only("order", "stock"), Requires)) == 1


def test_the_table_is_whole() -> None:
    """Every event of the standard table stands on one line, and every line reaches somebody."""
    lines = [line for line in TABLE if isinstance(line, On)]
    named = [line.command for line in TABLE if not isinstance(line, On)]
    assert len({line.event for line in lines}) == len(lines)
    assert len(set(named)) == len(named)
    assert all(line.parts for line in lines)
    assert len({machine.kind for machine in MACHINES}) == len(MACHINES)


def test_a_workflow_cannot_be_changed() -> None:
    """What a workflow holds is read only."""
    with pytest.raises(TypeError):
        WORKFLOW.machines["order"] = CREDIT_NOTE  # type: ignore[index]
    with pytest.raises(TypeError):
        WORKFLOW.heard[OrderPlaced] = None  # type: ignore[index]
