"""Rows that a command names: looked at without locks, locked with its own, and a conflict if one is missing."""

from __future__ import annotations

from typing import Any

import pytest

from orderflow.adapters.ids import SequenceIds
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.billing.invoice import VoidInvoice
from orderflow.domain.billing.invoice_money import WriteOff
from orderflow.domain.engine.decide import Read, ask
from orderflow.domain.engine.workflow import Workflow, names
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.billing import BillUnits
from orderflow.domain.orders.content import InvoiceBasis, OrderContent, OrderLine, Policy
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.parties.party import Person
from orderflow.domain.values import PartyRef
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import ConcurrencyConflict, DefinitionError, InvariantBroken, Key
from orderflow.shop import OrderFlow, Request

ANN = PartyRef("ann", 1)

STANDARD = standard_workflow(())


def named_workflow(naming: Any) -> Workflow:
    """A workflow in which writing off an invoice looks for rows in this way."""
    lines = [line for line in STANDARD.looks if line.command is not WriteOff]
    return Workflow(
        STANDARD.machines.values(), [*STANDARD.table, *lines, *([names(WriteOff, naming)] if naming else [])]
    )


def billed_shop(workflow: Workflow) -> OrderFlow:
    """A shop with an order that was billed as ordered."""
    shop = OrderFlow(MemoryStorage(), workflow=workflow, ids=SequenceIds())
    line = OrderLine.of(1, "TEA", 1, Price.of("1.00", "EUR"), TaxCategory.of("Z", 0))
    policy = Policy(invoice_basis=InvoiceBasis.ORDERED)
    content = OrderContent("EUR", (line,), TaxPolicy(), bill_to=ANN, ship_to=ANN, policy=policy)
    shop.record_party("ann", Person("Ann"))
    for command in (PlaceOrder(content), ConfirmOrder(), BillUnits("I", "inv")):
        shop.handle("O", command)
    return shop


def test_a_row_that_was_not_named_is_a_conflict() -> None:
    """Somebody may have changed what was looked at; if it conflicts each time, the caller hears it."""

    def nothing(key: Key, command: Any) -> Any:
        yield from ask(Read([key]))
        return ()

    with pytest.raises(ConcurrencyConflict):
        billed_shop(named_workflow(nothing)).handle("I", WriteOff(1, "fee"))


def test_a_first_load_that_goes_back_is_a_bug() -> None:
    """Nothing was looked at, so nothing can have changed: the table is wrong."""
    with pytest.raises(InvariantBroken, match="lock order"):
        billed_shop(named_workflow(None)).handle("I", WriteOff(1, "fee"))


def test_a_group_names_rows_that_it_makes_itself() -> None:
    """A later command of a group looks at what an earlier one has made in the same commit."""
    shop = billed_shop(STANDARD)
    shop.handle("I", VoidInvoice("wrong"))
    results = shop.handle_many([Request("O", BillUnits("J", "inv")), Request("J", WriteOff(40, "fee"))])
    assert [type(result).__name__ for result in results] == ["Ack", "Ack"]
    order = shop.orders.get("O")
    assert isinstance(order, HasProgress)
    assert [bill.due_minor for bill in order.progress.bills] == [0, 60]


def test_rows_are_named_for_a_command_that_some_machine_takes() -> None:
    """A line for any other command is a mistake in the table."""
    with pytest.raises(DefinitionError, match="rows are named for WriteOff, which no machine takes"):
        Workflow([STANDARD.machines["stock"]], [names(WriteOff, STANDARD.naming[WriteOff])])


def test_a_smaller_workflow_has_the_lists_of_its_kinds() -> None:
    """A list of rows that it does not have is empty."""
    shop = OrderFlow(MemoryStorage(), workflow=STANDARD.only("order", "invoice", "series", "account", "stock"))
    assert shop.worklist("to_apply") == shop.worklist("to_bill") == []
