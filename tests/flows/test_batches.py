"""A batch in the making: decisions on rows of its own, each on what the one before left, stored in one commit."""

from __future__ import annotations

from typing import Any

from tea_shop import CANCEL, NOON, Counted, Shop, content, pick

from orderflow.domain.engine.decide import Envelope, Flow
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.orders.state import Allocated
from orderflow.errors import CommandMismatch, CommandRefused
from orderflow.flows.asks import Commit, RollBack
from orderflow.flows.handle import Result, Work
from orderflow.ports.storage import Ack
from orderflow.runtime import run


def counted_shop() -> tuple[Shop, Counted]:
    """A shop with 3 TEA, and its storage, which counts from now on."""
    storage = Counted()
    shop = Shop(storage=storage).stocked(main=3)
    storage.batches.clear()
    return shop, storage


def sent(shop: Shop, command: Any, command_id: str = "", row: str = "O") -> Envelope:
    """A command on its way."""
    kind = shop.workflow.kind_of[type(command)]
    return Envelope(shop.key(kind, row), command, Stamp(NOON, "tester", command_id or type(command).__name__))


def test_each_decision_stands_on_what_the_one_before_left() -> None:
    """An order is placed, confirmed and allocated in three decisions: nothing is stored before the commit, then all."""
    shop, storage = counted_shop()
    work = Work(shop.workflow, cause="a test")
    found: list[object] = []

    def flow() -> Flow[None]:
        for command in (PlaceOrder(content(2)), ConfirmOrder(), AllocateStock(pick(2))):
            [result] = yield from work.take([sent(shop, command)])
            found.append(result)
        rows = yield from work.load([shop.key("stock", "TEA@main"), shop.key("order", "O")])
        found.extend([storage.batches.copy(), rows[shop.key("order", "O")].state])
        yield from work.commit()

    shop.run(flow)
    *acks, before, order = found
    assert [ack.version for ack in acks if isinstance(ack, Ack)] == [1, 2, 3]
    assert before == []
    assert isinstance(order, Allocated)
    [batch] = storage.batches
    assert [(write.key.kind, write.expected, write.version) for write in batch.writes] == [
        ("order", 0, 3),
        ("account", 0, 1),
        ("stock", 1, 2),
    ]
    assert {record.cause for record in batch.commands} == {"a test"}
    assert shop.stock.level("TEA") == StockLevel(3, allocated=2)


def test_a_refused_decision_leaves_no_trace_in_the_batch() -> None:
    """What is refused in between is as if it had never been asked, on the rows and in the journal."""
    shop, storage = counted_shop()
    work = Work(shop.workflow)

    def flow() -> Flow[list[Result]]:
        results = yield from work.take([sent(shop, PlaceOrder(content(9))), sent(shop, AllocateStock(pick(9)))])
        results += yield from work.take([sent(shop, CANCEL)])
        yield from work.commit()
        return results

    results = shop.run(flow)
    assert [type(result) for result in results] == [Ack, CommandRefused, Ack]
    assert [record.command for record in storage.batches[0].commands] == ["PlaceOrder", "CancelUnits"]
    assert shop.stock.level("TEA") == StockLevel(3)


def test_a_batch_knows_the_commands_it_has_taken() -> None:
    """The same id again in a later decision gives the first answer, other content a mismatch; both change nothing."""
    shop, storage = counted_shop()
    work = Work(shop.workflow)

    def flow() -> Flow[list[Result]]:
        results: list[Result] = []
        for quantity in (1, 1, 2):
            results += yield from work.take([sent(shop, ReceiveGoods(quantity), "c", "TEA@main")])
        yield from work.commit()
        return results

    first, again, other = shop.run(flow)
    assert first == again
    assert isinstance(other, CommandMismatch)
    assert len(storage.batches[0].commands) == 1
    assert shop.stock.level("TEA").on_hand == 4


def test_rows_are_locked_once_and_in_order() -> None:
    """Rows that are asked for together are loaded in lock order, and what is here is not loaded again."""
    shop, _ = counted_shop()
    account, order = shop.key("account", "ann"), shop.key("order", "O")
    work = Work(shop.workflow)
    asked: list[Any] = []

    def answer(request: Any) -> Any:
        asked.append(request)
        return shop.storage.read(request.keys)

    run(work.load([account, order]), answer)
    run(work.load([order, account]), answer)
    assert [request.keys for request in asked] == [[order, account]]


def test_without_a_decision_nothing_is_committed() -> None:
    """A batch with neither decisions nor answered messages ends its transaction; an answer alone is committed."""
    asked: list[Any] = []
    work = Work(Shop().workflow)
    run(work.commit(), asked.append)
    run(work.commit(["m"]), asked.append)
    release, commit = asked
    assert isinstance(release, RollBack)
    assert isinstance(commit, Commit)
    assert commit.batch.answered == ("m",)
    assert commit.batch.commands == commit.batch.writes == ()
