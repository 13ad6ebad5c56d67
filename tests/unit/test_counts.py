"""What an order costs in SQLite and in memory, counted: a count does not depend on the machine."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.engine.decide import Envelope
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.content import OrderContent, OrderLine
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.orders.shipping import DispatchShipment, PrepareShipment
from orderflow.domain.parties.party import Person
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.values import PartyRef, Pick
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import OrderFlowError
from orderflow.flows.handle import Result, handle_many
from orderflow.ports.storage import Ack
from orderflow.shop import OrderFlow, Request

ANN = PartyRef("ann", 1)

MOST_STATEMENTS = 40
MOST_COMMITS_OF_A_LIFE, MOST_STATEMENTS_OF_A_LIFE = 9, 75
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
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


def content_of(order: str, *skus: str, **others: Any) -> OrderContent:
    """An order of some SKUs, all three unless said."""
    price, tax = Price.of("2.55", "GBP"), TaxCategory.of("S", "20")
    lines = tuple(OrderLine.of(line, sku, line, price, tax) for line, sku in enumerate(skus or SKUS, start=1))
    whose: dict[str, Any] = {"bill_to": ANN, "ship_to": ANN, "channel": "web", "external_id": order}
    return OrderContent("GBP", lines, TaxPolicy(), **{**whose, **others})


def life_of(order: str) -> list[Request]:
    """A three-line order's commands from placed to dispatched, the last two as its shipment sends them."""
    content = content_of(order)
    picks = tuple(Pick(line.line, "main", line.quantity) for line in content.lines)
    return [
        Request(order, PlaceOrder(content)),
        Request(order, ConfirmOrder()),
        Request(order, AllocateStock(picks)),
        Request(order, PrepareShipment(f"{order}/1", picks)),  # type: ignore[arg-type]
        Request(order, DispatchShipment(f"{order}/1", picks)),  # type: ignore[arg-type]
    ]


def carry_out(shop: OrderFlow, *requests: Request) -> list[Result]:
    """A group in one commit; the library's own commands among them too, which a shipment would send."""
    stamps = [Stamp(NOON, "tester", f"{request.id}/{type(request.command).__name__}") for request in requests]
    envelopes = [
        Envelope(shop.key("order", request.id), request.command, stamp)
        for request, stamp in zip(requests, stamps, strict=True)
    ]
    ids = [stamp.command_id for stamp in stamps]
    return shop.run(lambda: handle_many(shop.workflow, envelopes, fresh_ids=ids, trusted=True))


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
    for request in life_of("o-1"):
        carry_out(shop, request)
    assert len(statements) <= MOST_STATEMENTS, statements
    assert verbs(statements)["COMMIT"] == verbs(statements)["BEGIN"] == COMMANDS


def test_stored_orders_do_not_add_statements(shop: OrderFlow) -> None:
    """The second order takes exactly the statements of the first, so cost does not grow with what is stored."""
    counts: list[Counter[str]] = []
    for order in ("o-1", "o-2"):
        statements = traced(shop)
        for request in life_of(order):
            carry_out(shop, request)
        counts.append(verbs(statements))
    assert counts[0] == counts[1]


def test_a_group_takes_the_commits_and_statements_of_one_order(shop: OrderFlow) -> None:
    """Twenty orders worked stage by stage are five commits, and no more statements than one order may take."""
    statements = traced(shop)
    for stage in zip(*(life_of(f"o-{number}") for number in range(GROUP)), strict=True):
        assert all(isinstance(result, Ack) for result in carry_out(shop, *stage))
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
        for request in life_of(order):
            carry_out(shop, request)
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
    shop.record_party("ann", Person("Ann"))

    def work(order: str) -> None:
        content = content_of(order)
        for external_id in ("new", "bad\n"):
            with suppress(OrderFlowError):
                shop.receive(order, evolve(content, external_id=external_id, expected_total_minor=1))
        shop.receive(order, content)
        shop.receive(order, content)
        shop.receive(order, evolve(content, country="JP"))

    assert left_by(work) == []


def test_the_readmes_order_takes_few_commits_and_statements(tmp_path: Path) -> None:
    """Received, advanced, its label and its customer seen to, handed over, invoiced: with all that is sent."""
    with closing(SqliteStorage(tmp_path / "shop.db")) as storage:
        shop = OrderFlow(storage, carriers=[MemoryCarrier()], notifier=MemoryNotifier())
        shop.handle("TEA@main", ReceiveGoods(10))
        ann = shop.record_party("ann", Person(name="Ann Lee", email="ann@example.org"))
        statements = traced(shop)
        shop.receive("o-1", content_of("o-1", "TEA", customer="ann", bill_to=ann, ship_to=ann))
        shop.advance("o-1")
        assert shop.relay().done == 3
        shop.handle("o-1/1", HandOver())
        assert shop.advance("o-1").state == "Shipped"
    assert written(statements) <= MOST_COMMITS_OF_A_LIFE, statements
    assert len(statements) <= MOST_STATEMENTS_OF_A_LIFE, statements


def test_completing_an_order_takes_few_commits_and_statements(tmp_path: Path) -> None:
    """From received to completed in calls of the shop; the six sendings in between, two commits each, count apart."""
    with closing(SqliteStorage(tmp_path / "shop.db")) as storage:
        notifier = MemoryNotifier()
        shop = OrderFlow(storage, carriers=[MemoryCarrier()], notifier=notifier)
        shop.handle("TEA@main", ReceiveGoods(10))
        ann = shop.record_party("ann", Person(name="Ann Lee", email="ann@example.org"))
        calls: tuple[Callable[[], object], ...] = (
            lambda: shop.receive("o-1", content_of("o-1", "TEA", customer="ann", bill_to=ann, ship_to=ann)),
            lambda: shop.advance("o-1"),
            lambda: shop.handle("o-1/1", HandOver()),
            lambda: shop.advance("o-1"),
            lambda: shop.handle("o-1/1", RecordDelivered("arrived")),
            lambda: shop.advance("o-1"),
        )
        statements, of_calls, of_relay = traced(shop), list[str](), list[str]()
        for call in calls:
            for work, found in ((call, of_calls), (shop.relay, of_relay)):
                statements.clear()
                work()
                found.extend(statements)
        assert type(shop.orders.get("o-1")).__name__ == "Completed"
        assert (storage.pending(), storage.dead_letters(), len(notifier.delivered)) == (0, [], 5)
    assert written(of_calls) == len(calls) <= MOST_COMMITS_OF_A_LIFE, of_calls
    assert len(of_calls) <= MOST_STATEMENTS_OF_A_LIFE, of_calls
    assert written(of_relay) <= 2 * 6, of_relay


def written(statements: list[str]) -> int:
    """How many transactions were committed in which something was written; a write outside of any is one by itself."""
    count, inside, wrote = 0, False, False
    for verb in (statement.split()[0] for statement in statements):
        if verb in {"BEGIN", "COMMIT", "ROLLBACK"}:
            count += verb == "COMMIT" and wrote
            inside, wrote = verb == "BEGIN", False
        elif verb in {"INSERT", "UPDATE", "DELETE"}:
            count += not inside
            wrote = inside
    return count
