"""Commands alone and in groups: repeated, raced, rejected."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from tea_shop import NOON, Shop, content

from orderflow.adapters.storage.memory import MemoryStorage, MemoryUnit
from orderflow.domain.billing.invoice import VoidInvoice
from orderflow.domain.engine.decide import Envelope, Flow, ask
from orderflow.domain.engine.limits import MAX_GROUP, MAX_ID, MAX_NAME, MAX_QUANTITY
from orderflow.domain.engine.machine import Machine
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.intake import intake_key
from orderflow.domain.inventory.counting import ReleaseQuarantine
from orderflow.domain.inventory.documents import PostTransfer, SkuQuantity
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.orders.annotating import AnnotateOrder
from orderflow.domain.orders.content import Gate, Hold, HoldReason
from orderflow.domain.orders.holding import PlaceHold, ReleaseHold
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.parties.party import Person, RecordParty
from orderflow.domain.values import MAX_ORDER_ID, StockRef, party_id
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import (
    CommandMismatch,
    CommandRefused,
    ConcurrencyConflict,
    InputError,
    InvariantBroken,
    Key,
    StorageError,
)
from orderflow.flows.asks import NewId, Now
from orderflow.flows.handle import LONGEST_IDS, faults_in, handle_many
from orderflow.flows.notices import addressee
from orderflow.ports.storage import Ack
from orderflow.runtime import run, run_async
from orderflow.shop import Request


def test_the_same_command_again_is_answered_the_same() -> None:
    """A known id with the same content gives the first Ack, with other content a mismatch; both change nothing."""
    shop = Shop()
    first = shop.handle("TEA@main", ReceiveGoods(1), command_id="c")
    assert shop.handle("TEA@main", ReceiveGoods(1), command_id="c") == first
    with pytest.raises(CommandMismatch):
        shop.handle("TEA@main", ReceiveGoods(2), command_id="c")
    assert shop.stock.level("TEA").on_hand == 1


@pytest.mark.parametrize(
    "kind, longest, command",
    [
        ("stock", str(StockRef("s" * MAX_ID, "l" * MAX_ID)), ReceiveGoods(1)),
        ("party", party_id("p" * MAX_ID, MAX_QUANTITY), RecordParty(Person())),
        ("order", "o" * MAX_ORDER_ID, ConfirmOrder()),
        ("invoice", "i" * MAX_ID, VoidInvoice("mistaken")),
    ],
)
def test_an_id_may_be_as_long_as_its_longest_parts_make_it(kind: str, longest: str, command: Any) -> None:
    """One character more is bad input."""

    def codes(id_: str) -> set[str]:
        envelope = Envelope(Key("t", kind, id_), command, Stamp(NOON, "tester", "c"))
        return {fault.code for fault in faults_in(standard_workflow(), envelope)}

    assert codes(longest) == set()
    assert codes(longest[0] + longest) == {"bad_length"}


def test_an_intake_has_room_for_the_longest_channel_and_document() -> None:
    """A slash in a channel is written with three characters."""
    assert len(intake_key("t", "/" * MAX_NAME, "x" * MAX_NAME).id) == LONGEST_IDS["intake"]


def test_a_group_knows_its_own_ids() -> None:
    """Twice in one group: the accepted one answers the repetition, other content is a mismatch."""
    shop = Shop()
    asked = [Request("TEA@main", ReceiveGoods(1), "c"), Request("TEA@main", ReceiveGoods(1), "c")]
    first, again, other = shop.handle_many([*asked, Request("TEA@main", ReceiveGoods(2), "c")])
    assert first == again
    assert isinstance(other, CommandMismatch)
    assert shop.stock.level("TEA").on_hand == 1


def test_a_refused_id_may_succeed_later_in_the_same_group() -> None:
    """Only accepted commands are remembered, in a group as one by one."""
    shop = Shop()
    refused, malformed, taken = shop.handle_many(
        [
            Request("TEA@main", ReleaseQuarantine(1), "c"),
            Request("TEA@main", ReceiveGoods(-1), "d"),
            Request("TEA@main", ReceiveGoods(1), "c"),
        ]
    )
    assert isinstance(refused, CommandRefused)
    assert isinstance(malformed, InputError)
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
    owed = {customer: shop.accounts.get(customer).of("EUR").exposure for customer in ("ann", "bob")}
    assert owed == {"ann": 1190, "bob": 1190}


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
    assert [entry.at for entry in shop.stock.history("TEA@main")] == [NOON + timedelta(minutes=1)]
    assert [entry.at for entry in shop.stock.history("CUP@main")] == [NOON]


def test_a_conflict_is_tried_again_on_fresh_rows() -> None:
    """Somebody was faster: the flow is pure and is run again, eight times in all."""
    storage = Conflicting(7, ConcurrencyConflict(None))
    shop = Shop(storage=storage).stocked(main=1)
    assert (storage.times, shop.stock.level("TEA").on_hand) == (7, 1)
    with pytest.raises(ConcurrencyConflict):
        Shop(storage=Conflicting(8, ConcurrencyConflict(None))).stocked(main=1)


def test_a_group_the_storage_rejects_is_halved() -> None:
    """A batch that cannot be stored as it is goes in halves; what may be tried again as it is, is not."""
    shop = Shop(storage=Conflicting(1, StorageError("too large", retry=False)))
    asked = [Request(f"{sku}@main", ReceiveGoods(1)) for sku in ("TEA", "CUP", "POT")]
    assert all(isinstance(result, Ack) for result in shop.handle_many(asked))
    busy = Shop(storage=Conflicting(1, StorageError("busy", retry=True)))
    with pytest.raises(StorageError):
        busy.handle_many(asked)


def test_a_group_is_bounded() -> None:
    """As many as are decided in one commit, and not one more."""
    shop, most = Shop(), [Request("TEA@main", ReceiveGoods(1))] * MAX_GROUP
    assert all(isinstance(result, Ack) for result in shop.handle_many(most))
    with pytest.raises(InputError, match="at most 1000 commands"):
        shop.handle_many([*most, *most[:1]])
    assert shop.stock.level("TEA").on_hand == MAX_GROUP


def test_a_broken_invariant_is_never_caught() -> None:
    """A bug in the rules is not an outcome: it goes through group, flow and facade, and nothing is stored."""
    workflow = standard_workflow()
    machine = workflow.machines["stock"]

    def broken(state: Any) -> None:
        raise InvariantBroken("I02", "planted")

    planted = Machine("stock", rules=machine.rules, final=machine.final, check=broken)
    shop = Shop(workflow=workflow.extended(machines=(planted,)))
    before = shop.storage.entries(0, 100)
    with pytest.raises(InvariantBroken, match="planted"):
        shop.handle_many([Request("TEA@main", ReceiveGoods(1)), Request("CUP@main", ReceiveGoods(1))])
    assert shop.storage.entries(0, 100) == before


def test_times_never_go_back() -> None:
    """A command is recorded when its rows are locked, whenever it was stamped; a time of a far future is refused."""
    shop = Shop().stocked(main=1).placed(1)
    with pytest.raises(InputError) as told:
        shop.handle("O", ConfirmOrder(), occurred_at=NOON + timedelta(days=3))
    assert [fault.path for fault in told.value.faults] == ["occurred_at"]
    shop.handle("O", AnnotateOrder("clocks differ"), occurred_at=NOON + timedelta(days=1))
    with pytest.raises(InputError):
        shop.handle("O", ConfirmOrder(), at=datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose


def test_a_time_that_is_given_stays_or_is_refused() -> None:
    """It may lie before other rows' times, not before those of the rows that the command changes; nor is it moved."""
    shop = Shop().stocked(main=1).placed(1)
    hour = timedelta(hours=1)
    for command in (ConfirmOrder(), AnnotateOrder("late")):
        with pytest.raises(InputError) as told:
            shop.handle("O", command, at=NOON - hour)
        assert [(fault.path, fault.code) for fault in told.value.faults] == [("at", "time_goes_back")]
    shop.time.advance(2 * hour)
    ack = shop.handle("O", ConfirmOrder(), at=NOON + hour, occurred_at=NOON - hour)
    assert ack.at == NOON + hour
    last = [*shop.orders.history("O")][-1]
    assert (last.at, last.occurred_at) == (NOON + hour, NOON - hour)
    assert shop.handle("CUP@main", ReceiveGoods(1), at=NOON - hour).at == NOON - hour


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


def test_a_loop_of_reactions_ends_as_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """A settlement sends a bounded number of commands."""
    monkeypatch.setattr("orderflow.domain.engine.decide.DECISION_LIMIT", 2)
    shop = Shop()
    with pytest.raises(InvariantBroken, match="more than 2 commands"):
        shop.tell("t", PostTransfer((SkuQuantity("TEA", "main", 1), SkuQuantity("CUP", "main", 1)), "shop"))


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
