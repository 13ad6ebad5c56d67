"""The workflow: machines, reactions and follow-ups, checked together."""

from __future__ import annotations

from typing import Any

import pytest

from orderflow.domain.billing.credit_note import CREDIT_NOTE
from orderflow.domain.billing.invoice import INVOICE, InvoiceIssued
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.workflow import FollowUp, Reaction, Workflow
from orderflow.domain.inventory.stock import STOCK, Allocate, Backorder, GoodsReceived, ReceiveGoods
from orderflow.domain.orders.billing import RecordPrepayment, RecordSettlement, RecordUnbilling
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.placing import ConfirmOrder, OrderPlaced, PlaceOrder
from orderflow.domain.orders.shipping import DispatchShipment
from orderflow.domain.shipping.planning import DropCancelledItems
from orderflow.domain.workflow.effects import NOTICES
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import DefinitionError

WORKFLOW = standard_workflow()


def nothing(happened: Any) -> tuple[Any, ...]:
    """A reaction that tells nobody."""
    return ()


def test_the_standard_workflow_holds_a_machine_for_each_kind() -> None:
    """Every command belongs to one kind, and what only reactions may send is internal."""
    assert WORKFLOW.kind_of[PlaceOrder] == "order"
    assert DispatchShipment in WORKFLOW.internal
    assert Allocate in WORKFLOW.internal
    assert ReceiveGoods not in WORKFLOW.internal
    assert {RecordSettlement, RecordUnbilling, RecordPrepayment, DropCancelledItems} < WORKFLOW.internal
    assert WORKFLOW.only("order").internal >= {RecordSettlement}
    assert WORKFLOW.extended().internal == WORKFLOW.internal
    assert PlaceOrder not in WORKFLOW.internal


def test_notices_are_chosen_by_template() -> None:
    """A workflow tells the customer what it is asked to, and nothing else."""
    quiet, loud = standard_workflow(()), standard_workflow(["invoice_issued"])
    assert len(loud.follow_ups) == len(quiet.follow_ups) + 1
    assert len(WORKFLOW.follow_ups) == len(quiet.follow_ups) + len(NOTICES)


BREACHES = {
    "two machines of one kind": lambda: Workflow((ORDER, ORDER)),
    "no machine has the event GoodsReceived": lambda: Workflow(
        (ORDER,), [Reaction(GoodsReceived, (("order", ConfirmOrder),), nothing)]
    ),
    "OrderPlaced tells stock, which has no machine": lambda: Workflow(
        (ORDER,), [Reaction(OrderPlaced, (("stock", Allocate),), nothing)]
    ),
    "OrderPlaced tells stock ConfirmOrder, which it does not take": lambda: Workflow(
        (ORDER, STOCK), [Reaction(OrderPlaced, (("stock", ConfirmOrder),), nothing)]
    ),
    "InvoiceIssued of invoice tells order, down the order of locks": lambda: Workflow(
        (ORDER, INVOICE), [Reaction(InvoiceIssued, (("order", RecordSettlement),), nothing)]
    ),
    "no machine has the event InvoiceIssued": lambda: Workflow(
        (ORDER,), (), [FollowUp(InvoiceIssued, ("mail",), nothing)]
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_workflow_that_contradicts_itself_is_refused(breach: str) -> None:
    """A reaction that names what is not there, or would lock downwards, is a DefinitionError that names it."""
    with pytest.raises(DefinitionError, match=breach):
        BREACHES[breach]()


def test_a_held_row_may_be_told_against_the_order_of_locks() -> None:
    """What the settlement holds already is locked already."""
    held = Reaction(InvoiceIssued, (("order", RecordSettlement),), nothing, known=True)
    assert RecordSettlement in Workflow((ORDER, INVOICE), [held]).internal


def test_a_guarded_workflow_asks_the_guard_of_that_command() -> None:
    """A guard narrows one command of one machine; the rest stays as it was."""
    closed = WORKFLOW.guarded(PlaceOrder, lambda state, command, stamp: refuse("closed", "the shop is closed"))
    assert closed.machines["order"] is not ORDER
    assert closed.machines["stock"] is STOCK
    assert closed.fingerprint == WORKFLOW.fingerprint
    with pytest.raises(DefinitionError, match="no machine takes OrderPlaced"):
        WORKFLOW.guarded(OrderPlaced, lambda state, command, stamp: None)


def test_an_extended_workflow_has_more_in_it() -> None:
    """Reactions and follow-ups are added, a machine of a known kind takes its place."""
    more = WORKFLOW.extended(
        reactions=[Reaction(OrderPlaced, (("stock", Backorder),), nothing)],
        follow_ups=[FollowUp(OrderPlaced, ("mail",), nothing)],
    )
    assert len(more.reactions) == len(WORKFLOW.reactions) + 1
    assert len(more.follow_ups) == len(WORKFLOW.follow_ups) + 1
    assert more.fingerprint != WORKFLOW.fingerprint


def test_a_smaller_workflow_keeps_what_stays_among_its_machines() -> None:
    """Only the machines named, with the reactions and follow-ups that concern nothing else."""
    small = WORKFLOW.only("order", "stock")
    assert set(small.machines) == {"order", "stock"}
    kinds = {kind for reaction in small.reactions for kind, _ in reaction.tells}
    assert kinds == {"stock"}
    assert all(item.event in {*ORDER.events, *STOCK.events} for item in small.follow_ups)


def test_a_workflow_cannot_be_changed() -> None:
    """Machines of a workflow are read only."""
    with pytest.raises(TypeError):
        WORKFLOW.machines["order"] = CREDIT_NOTE  # type: ignore[index]
