"""U12, U26: what a stocktake has seen is not booked twice, and what a picker did not find is not promised again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from small_shop import NOON, content, small_shop

from orderflow import (
    ConfirmOrder,
    FixedClock,
    HandOver,
    MemoryStorage,
    ReceiveGoods,
    SqliteStorage,
)
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.counting import Adjust, CountStock, Discard, Quarantine, ReleaseQuarantine
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.machine import STOCK
from orderflow.domain.inventory.reordering import SetReorderLevels
from orderflow.domain.inventory.stock import ExpectGoods, Restock, Ship, TransferIn, TransferOut
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.shipping.planning import PlanShipment, RecordShortPick
from orderflow.domain.shipping.state import Item, Plan
from orderflow.domain.values import Pick
from orderflow.domain.workflow.attention import Standing, attention

Store = MemoryStorage | SqliteStorage
HOUR = timedelta(hours=1)


def stamp(hours: int, happened: int | None = None) -> Stamp:
    """A stamp some hours after noon, of what happened at an hour of its own."""
    return Stamp(NOON + hours * HOUR, "tester", "c", None if happened is None else NOON + happened * HOUR)


def play(row: StockLevel, *steps: tuple[object, Stamp]) -> StockLevel:
    """The row after the commands, each under its own stamp."""
    for command, at in steps:
        row = STOCK.step(row, command, at)[1]
    return row


def test_u12_a_count_that_has_seen_the_parcel_leave() -> None:
    """10 on hand, 4 of them promised; they leave at 1, 6 are counted at 2, the hand-over is booked at 3: 6 are free."""
    row = play(StockLevel(10, 4), (CountStock(6), stamp(2)), (Ship(4, "O", 4), stamp(3, happened=1)))
    assert (row.on_hand, row.allocated, row.available, row.recount) == (6, 0, 6, False)


@pytest.mark.parametrize("happened, on_hand", [(None, 2), (3, 2), (2, 2), (1, 6)])
def test_u12_only_what_happened_before_the_count(happened: int | None, on_hand: int) -> None:
    """What left after the count, or nobody knows when, is taken off."""
    row = play(StockLevel(10, 4), (CountStock(6), stamp(2)), (Ship(4, "O", 4), stamp(3, happened)))
    assert (row.on_hand, row.allocated) == (on_hand, 0)


def test_u12_what_came_back_before_the_count_was_counted() -> None:
    """Units in hand when it was counted are not added again; damaged ones are set aside all the same."""
    row = play(StockLevel(4), (CountStock(6), stamp(2)), (Restock(2, usable=False), stamp(3, happened=1)))
    assert (row.on_hand, row.quarantined, row.available) == (6, 2, 4)
    assert play(row, (Restock(2), stamp(4, happened=3))).on_hand == 8


SEEN: dict[str, tuple[object, dict[str, Any]]] = {
    "goods that came in": (ReceiveGoods(2, 2), {"incoming": 0}),
    "a difference": (Adjust(-2), {}),
    "a difference that is more than there is": (Adjust(-9), {}),
    "units thrown away": (Discard(3), {"quarantined": 0}),
    "units sent away": (TransferOut(9), {}),
    "units from another place": (TransferIn(2), {}),
}


@pytest.mark.parametrize("command, changes", SEEN.values(), ids=SEEN)
def test_u12_what_a_count_has_seen_moves_no_units(command: object, changes: dict[str, Any]) -> None:
    """What happened at 1, was counted at 2 and is booked at 3: what was counted stands."""
    before = StockLevel(8, incoming=2, quarantined=3)
    row = play(before, (CountStock(6), stamp(2)), (command, stamp(3, happened=1)))
    assert row == evolve(before, on_hand=6, counted_at=NOON + 2 * HOUR, **changes)


@pytest.mark.parametrize(
    "command, on_hand",
    [(ReceiveGoods(2, 2), 8), (Adjust(-2), 4), (Discard(3), 3), (TransferOut(1), 5), (TransferIn(2), 8)],
)
def test_u12_what_happened_since_the_count_does(command: object, on_hand: int) -> None:
    """What happened at 3, or nobody knows when, moves units."""
    row = play(StockLevel(8, incoming=2, quarantined=3), (CountStock(6), stamp(2)))
    assert [play(row, (command, stamp(4, happened))).on_hand for happened in (3, None)] == [on_hand, on_hand]


def test_u12_a_count_booked_later_than_it_was_made() -> None:
    """The sheet of 2 o'clock said 10, and 9 were counted; 3 left at 3: the difference is 1, and 6 are there."""
    sheet = CountStock(9, as_of=NOON + 2 * HOUR, seen_on_hand=10)
    row = play(StockLevel(10, 3), (Ship(3, "O", 3), stamp(3)), (sheet, stamp(5)))
    assert (row.on_hand, row.counted_at) == (6, NOON + 2 * HOUR)
    assert play(row, (Ship(1, "P", 0), stamp(6, happened=4))).on_hand == 5
    assert play(row, (Ship(1, "P", 0), stamp(6, happened=1))).on_hand == 6
    assert play(StockLevel(1), (CountStock(0, seen_on_hand=5), stamp(1))).on_hand == 0


def test_u12_in_a_shop(storage: Store) -> None:
    """A parcel left in the morning and is booked after the count: what is free is what was counted."""
    clock = FixedClock(NOON)
    shop = small_shop(storage, units=10, clock=clock)
    shop.receive("a", content(4, external_id="a"))
    shop.advance("a")
    shop.relay()
    clock.advance(2 * HOUR)
    shop.handle("TEA@main", CountStock(6))
    clock.advance(HOUR)
    shop.handle("a/1", HandOver(), occurred_at=NOON + HOUR)
    level = shop.stock.level("TEA")
    assert (level.on_hand, level.allocated, level.available) == (6, 0, 6)


def test_u26_what_is_not_there_is_not_promised_five_times(storage: Store) -> None:
    """A unit that a picker did not find is set aside: the next allocation does not promise it until it was counted."""
    shop = small_shop(storage, units=2)
    shop.receive("a", content(2, external_id="a"))
    shop.handle("a", ConfirmOrder())
    planned = 0
    for number in range(5):
        shop.allocate("a")
        item = Item("a", 1, "main", 1)
        if shop.explain(f"a/{number}", PlanShipment((item,), Plan("memory"))):
            break
        shop.handle(f"a/{number}", PlanShipment((item,), Plan("memory")))
        shop.handle(f"a/{number}", RecordShortPick((item,)))
        planned += 1
    level = shop.stock.level("TEA")
    assert (planned, level.missing, level.available, level.recount) == (2, 2, 0, True)
    assert [task.key.id for task in shop.worklist("to_count")] == ["TEA@main"]
    shop.handle("TEA@main", CountStock(1))
    assert not shop.worklist("to_count")
    while shop.relay().taken:
        pass
    assert shop.stock.level("TEA").allocated == 1


def test_u26_on_hand_never_falls_below_zero() -> None:
    """Two leave where one was known: the other is found first, and a count is asked for until somebody counts."""
    row = play(StockLevel(1, 1), (Ship(2, "O", 1), stamp(1)))
    assert (row.on_hand, row.recount) == (0, True)
    assert not play(row, (CountStock(0), stamp(2))).recount
    event = STOCK.step(ABSENT, Ship(2, "O", 0), stamp(1))[0]
    assert event.found == 2


def test_stock_that_somebody_must_look_at(storage: Store) -> None:
    """Set aside, late, at the reorder point: each on its list with its reason, and off it again."""
    clock = FixedClock(NOON)
    shop = small_shop(storage, units=5, clock=clock)
    lists = ("to_count", "to_inspect", "to_reorder")
    assert [shop.worklist(name) for name in lists] == [[], [], []]
    shop.handle("TEA@main", Quarantine(2, "wet"))
    [task] = shop.worklist("to_inspect")
    assert [reason.code for reason in task.reasons] == ["to_inspect"]
    shop.handle("TEA@main", Discard(1))
    shop.handle("TEA@main", ReleaseQuarantine(1))
    assert shop.worklist("to_inspect") == []
    shop.handle("TEA@main", SetReorderLevels(4, 10))
    [task] = shop.worklist("to_reorder")
    assert [(reason.code, dict(reason.facts)["units"]) for reason in task.reasons] == [("to_reorder", 6)]
    shop.handle("TEA@main", ExpectGoods(6, expected_by=NOON + HOUR))
    assert shop.worklist("to_reorder") == []
    [due] = attention(shop.stock.level("TEA"), NOON)
    assert (due.standing, due.due) == (Standing.DUE, NOON + HOUR)
    clock.advance(HOUR)
    assert [r.code for task in shop.worklist("to_reorder") for r in task.reasons] == ["late"]
    shop.handle("TEA@main", ReceiveGoods(6, 6))
    assert shop.worklist("to_reorder") == []
    assert [r.code for r in shop.explain("TEA@main", SetReorderLevels(4, 4))] == ["target_too_low"]


def test_promised_units_that_are_not_there_are_listed(storage: Store) -> None:
    """A shortfall that only units in parcels cause is for a person: count, receive, or pick short."""
    shop = small_shop(storage, units=1)
    shop.receive("a", content(1, external_id="a"))
    shop.handle("a", ConfirmOrder())
    shop.handle("a", AllocateStock((Pick(1, "main", 1),)))
    shop.handle("a/1", PlanShipment((Item("a", 1, "main", 1),), Plan("memory")))
    shop.handle("TEA@main", CountStock(0))
    while shop.relay().taken:
        pass
    assert [r.code for task in shop.worklist("to_count") for r in task.reasons] == ["short"]
    shop.handle("TEA@main", ReceiveGoods(1))
    assert shop.worklist("to_count") == []
