"""Flows whose rows have changed, or gone, since they were looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from tea_shop import Shop, content

from orderflow.domain.engine.decide import Loaded, Message
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.placing import DiscardDraft, OpenDraft
from orderflow.domain.orders.reinstating import OrderReinstated, reinstated
from orderflow.domain.orders.state import Placed
from orderflow.domain.returns.inspecting import SettleReturn
from orderflow.domain.values import StockRef, stock_key
from orderflow.errors import DefinitionError, InputError, InvariantBroken, Key, NotFound
from orderflow.flows.allocate import AllocationSettings
from orderflow.flows.asks import DeadLetters, Find
from orderflow.flows.dead_letters import requeue_all
from orderflow.flows.impersonal import impersonal
from orderflow.flows.rebalance import _waiting, fill_backorders, return_to_queue
from orderflow.flows.returns import _taken
from orderflow.ports.storage import DeadLetter, Query, Row

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
TEA = stock_key("main", "TEA", "main")


def ended(flow: Any, answer: Any = None) -> Any:
    """What a flow returns once this is its last answer."""
    with pytest.raises(StopIteration) as stop:
        flow.send(answer)
    return stop.value.value


def driven(flow: Any, answer: Any) -> Any:
    """What a flow returns that finds nothing any more."""
    try:
        while True:
            flow.send(answer)
            answer = {}
    except StopIteration as stop:
        return stop.value


def test_a_dead_letter_that_somebody_else_requeued_is_passed_over() -> None:
    """It is not counted, and the next page is looked at."""
    flow = requeue_all(topic="", since=None)
    letter = DeadLetter(Message("m", "notify", Key("main", "order", "O")), "down", NOON, False, 7)
    assert isinstance(next(flow), DeadLetters)
    flow.send([letter])
    assert isinstance(flow.throw(NotFound(Key("main", "effect", "m"))), DeadLetters)
    assert ended(flow, []) == []


def test_what_was_said_of_a_row_that_cannot_be_named_is_kept() -> None:
    """A row of a kind that nobody has concerns nobody."""
    flow = impersonal(Key("main", "order", "O"), "down")
    next(flow)
    with pytest.raises(StopIteration) as stop:
        flow.throw(InputError.at("kind", "unknown", "no such kind"))
    assert "no such kind" in stop.value.value


def test_what_was_said_of_a_row_that_cannot_be_read_is_not_kept() -> None:
    """Nobody knows whom it concerns, so nothing of it is stored but the kind of failure."""
    flow = impersonal(Key("main", "order", "O"), "down for Ann")
    next(flow)
    with pytest.raises(StopIteration) as stop:
        flow.throw(RuntimeError("disk"))
    assert "RuntimeError" in stop.value.value
    assert "Ann" not in stop.value.value


def test_an_order_that_holds_nothing_any_more_is_passed_over() -> None:
    """What it held went meanwhile; the message asks nothing of it."""
    holding = Shop().stocked(main=1).confirmed(1)
    holding.allocate("O")
    key = Key("main", "order", "O")
    row = Row(1, key, 1, holding.orders.get("O"), NOON)
    flow = return_to_queue(Message("m", "rebalance", TEA))
    next(flow)
    flow.send({TEA: Loaded(1, StockLevel(0, 1))})
    flow.send([row])
    assert ended(flow, {key: Loaded(2, ABSENT)}) == []


def test_only_stock_rows_have_a_queue() -> None:
    """A message about anything else is a mistake of whoever wrote it."""
    with pytest.raises(DefinitionError, match="which has none"):
        next(fill_backorders(Message("m", "fill_backorders", Key("main", "order", "O"))))


def test_an_order_that_is_not_confirmed_is_not_filled() -> None:
    """It may hold units, and waits for none by the queue."""
    placed = Shop().placed(1).orders.get("O")
    assert isinstance(placed, Placed)
    assert [*_waiting(placed, StockRef("TEA", "main"), 1, NOON)] == []


@pytest.mark.parametrize("held", [timedelta(0), timedelta(days=4_000)])
def test_a_promise_lasts_a_second_at_least_and_ten_years_at_most(held: timedelta) -> None:
    """Anything else is a fault of the settings."""
    assert [fault.path for fault in faults_of(AllocationSettings(hold_for=held))] == ["hold_for"]


def test_a_draft_that_was_thrown_away_is_not_brought_back() -> None:
    """The guard refuses it; were it gone, the state would."""
    stamp = Stamp(NOON, "tester", "c")
    _, draft = ORDER.step(ABSENT, OpenDraft(content(1)), stamp)
    _, thrown = ORDER.step(draft, DiscardDraft(), stamp)
    with pytest.raises(InvariantBroken, match="thrown away"):
        reinstated(thrown, OrderReinstated(()))


def test_returns_go_on_page_by_page() -> None:
    """A full page is followed by the next."""
    idle = SimpleNamespace(goods=SimpleNamespace(lots=()))
    flow = _taken(Shop().workflow, Query("return", limit=1), SettleReturn(), 5, "desk")
    request = next(flow)
    assert isinstance(request, Find)
    request = flow.send([Row(9, Key("main", "return", "R"), 1, idle)])
    while not isinstance(request, Find):
        request = flow.send({})
    assert request.query.cursor == 9
    assert driven(flow, []) == []
