"""What an order costs in SQLite and in memory, counted: a count does not depend on the machine."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from attrs import evolve

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.content import OrderContent, OrderLine
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.orders.shipping import DispatchShipment, PrepareShipment
from orderflow.domain.values import Pick
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import OrderFlowError
from orderflow.ports.storage import Ack
from orderflow.shop import OrderFlow, Request

MOST_STATEMENTS = 40
COMMANDS = 5
GROUP = 20
SKUS = ("TEA", "CUP", "POT")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[OrderFlow]:
    """A shop of orders and stock on a fresh file, with stock of three SKUs."""
    workflow = standard_workflow().only("order", "stock")
    with closing(SqliteStorage(tmp_path / "shop.db", workflow.machines.values())) as storage:
        shop = OrderFlow(storage, workflow=workflow)
        shop.handle_many([Request(f"{sku}@main", ReceiveGoods(1000)) for sku in SKUS])
        yield shop


def life_of(order: str) -> list[Request]:
    """A three-line order's commands from placed to dispatched; each gets a minted command id."""
    price, tax = Price.of("2.55", "GBP"), TaxCategory.of("S", "20")
    lines = tuple(OrderLine.of(line, sku, line, price, tax) for line, sku in enumerate(SKUS, start=1))
    picks = tuple(Pick(line.line, "main", line.quantity) for line in lines)
    return [
        Request(order, PlaceOrder(OrderContent("GBP", lines, TaxPolicy(), channel="web", external_id=order))),
        Request(order, ConfirmOrder()),
        Request(order, AllocateStock(picks)),
        Request(order, PrepareShipment(f"{order}/1", picks)),
        Request(order, DispatchShipment(f"{order}/1", picks)),
    ]


def traced(shop: OrderFlow) -> list[str]:
    """A list that fills with every statement SQLite runs for the shop from now on."""
    statements: list[str] = []
    assert isinstance(shop.storage, SqliteStorage)
    shop.storage._sessions.session().connection.set_trace_callback(statements.append)
    return statements


def verbs(statements: list[str]) -> Counter[str]:
    """How many statements begin with which word."""
    return Counter(statement.split()[0] for statement in statements)


def test_an_order_takes_few_statements_and_five_commits(shop: OrderFlow) -> None:
    """Five commands are five commits and at most forty statements, whatever the number of lines."""
    statements = traced(shop)
    for order, command, *_ in life_of("o-1"):
        shop.handle(order, command)
    assert len(statements) <= MOST_STATEMENTS, statements
    assert verbs(statements)["COMMIT"] == verbs(statements)["BEGIN"] == COMMANDS


def test_stored_orders_do_not_add_statements(shop: OrderFlow) -> None:
    """The second order takes exactly the statements of the first, so cost does not grow with what is stored."""
    counts: list[Counter[str]] = []
    for order in ("o-1", "o-2"):
        statements = traced(shop)
        for row, command, *_ in life_of(order):
            shop.handle(row, command)
        counts.append(verbs(statements))
    assert counts[0] == counts[1]


def test_a_group_takes_the_commits_and_statements_of_one_order(shop: OrderFlow) -> None:
    """Twenty orders worked stage by stage are five commits, and no more statements than one order may take."""
    statements = traced(shop)
    for stage in zip(*(life_of(f"o-{number}") for number in range(GROUP)), strict=True):
        assert all(isinstance(result, Ack) for result in shop.handle_many(stage))
    assert verbs(statements)["COMMIT"] == COMMANDS
    assert len(statements) <= MOST_STATEMENTS, statements


def left_by(work: Callable[[str], None]) -> list[object]:
    """What only the cycle collector can free after ``work``; it is done once before, to warm up."""
    work("first")
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        work("second")
        gc.collect()
        return [*gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_work_leaves_no_cycles(shop: OrderFlow) -> None:
    """What a command has used is freed when it ends, accepted or refused, single or in a group, by counting alone.

    Waiting for the collector would keep whole windows of orders alive, and make it look at them again and again.
    """

    def work(order: str) -> None:
        for do in life_of(order):
            shop.handle(do.id, do.command)
        for wrong in (ConfirmOrder(), PlaceOrder(None), ReceiveGoods(-1), ReceiveGoods(1)):
            with suppress(OrderFlowError):
                shop.handle(order, wrong, command_id=f"{order}/wrong")
        shop.read([shop.key("order", order)])
        shop.handle_many([Request(order, ConfirmOrder()), Request(f"{order}/other", ConfirmOrder())])
        shop.allocate(order)
        shop.advance(order)
        shop.relay()

    assert left_by(work) == []


def test_intake_leaves_no_cycles() -> None:
    """The same where documents are taken in: new, known, changed, refused, malformed."""
    shop = OrderFlow(MemoryStorage())

    def work(order: str) -> None:
        content = life_of(order)[0].command.content
        for external_id in ("new", "bad\n"):
            with suppress(OrderFlowError):
                shop.receive(order, evolve(content, external_id=external_id, expected_total_minor=1))
        shop.receive(order, content)
        shop.receive(order, content)
        shop.receive(order, evolve(content, country="JP"))

    assert left_by(work) == []
