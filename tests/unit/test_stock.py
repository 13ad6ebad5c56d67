"""The stock row: never oversold, and what was found missing is known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.engine.limits import MAX_QUANTITY
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.counting import (
    Adjust,
    CountStock,
    Discard,
    Quarantine,
    ReleaseQuarantine,
    RequestRecount,
)
from orderflow.domain.inventory.level import StockLevel, check_stock
from orderflow.domain.inventory.machine import STOCK
from orderflow.domain.inventory.stock import (
    Allocate,
    Backorder,
    DropBackorder,
    ExpectGoods,
    ReceiveGoods,
    Release,
    Restock,
    Ship,
    TakeOutShort,
    TransferIn,
    TransferOut,
)
from orderflow.errors import CommandRefused, InvariantBroken

STAMP = Stamp(datetime(2026, 4, 1, 12, tzinfo=UTC), "tester", "c")
SMALL = st.integers(1, 4)
COMMANDS = st.one_of(
    *[st.builds(command, SMALL) for command in (
        ReceiveGoods, ExpectGoods, Allocate, Release, Backorder, DropBackorder, Quarantine, Discard,
        TakeOutShort, ReleaseQuarantine, TransferOut, TransferIn,
    )],
    st.builds(ReceiveGoods, SMALL, SMALL),
    st.builds(Ship, SMALL, st.just("O"), st.integers(0, 4)),
    st.builds(RequestRecount),
    st.builds(Restock, SMALL, st.booleans()),
    st.builds(Adjust, st.integers(-4, 4)),
    st.builds(ExpectGoods, st.integers(-4, 4)),
    st.builds(CountStock, st.integers(0, 6)),
)  # fmt: skip


def play(state: Any, *commands: Any) -> Any:
    """The state after the commands."""
    for command in commands:
        state = STOCK.step(state, command, STAMP)[1]
    return state


def codes(state: Any, command: Any) -> tuple[str, ...]:
    """The codes a command is refused with."""
    return tuple(refusal.code for refusal in STOCK.explain(state, command, STAMP))


@given(commands=st.lists(COMMANDS, max_size=25))
def test_a_row_is_never_oversold(commands: list[Any]) -> None:
    """I02: whatever happens, no counter is negative, and nothing is promised beyond what is available."""
    state: Any = ABSENT
    for command in commands:
        before = state
        try:
            state = play(state, command)
        except CommandRefused:
            continue
        check_stock(state)
        assert state.promised <= state.incoming
        if isinstance(command, Allocate):
            assert command.quantity <= before.available
            assert not before.shortfall


def test_nothing_is_promised_while_a_shortfall_stands() -> None:
    """A count that finds too little sets the shortfall; goods that come in heal it first."""
    short = play(ABSENT, ReceiveGoods(5), Allocate(4), CountStock(1))
    assert (short.shortfall, short.available) == (3, 0)
    assert codes(short, Allocate(1)) == ("insufficient_stock",)
    healed = play(short, ReceiveGoods(4))
    assert (healed.shortfall, healed.available) == (0, 1)
    assert play(healed, Allocate(1)).available == 0


def test_a_short_pick_sets_aside_what_no_stocktake_has_missed() -> None:
    """Units not found give their promise back; they are set aside unless a count has found them missing before."""
    assert play(StockLevel(5, 4), TakeOutShort(3)) == StockLevel(5, 1, missing=3, recount=True)
    counted = play(StockLevel(5, 4), CountStock(2))
    assert counted.shortfall == 2
    assert play(counted, TakeOutShort(3)) == StockLevel(2, 1, missing=1, recount=True, counted_at=STAMP.at)
    assert play(counted, TakeOutShort(1)) == StockLevel(2, 3, counted_at=STAMP.at)
    assert codes(StockLevel(5, 1), TakeOutShort(2)) == ("not_allocated",)


@pytest.mark.parametrize(
    "before, ship, after",
    [
        (StockLevel(5, 3), Ship(2, "O", 2), StockLevel(3, 1)),
        (StockLevel(5, 3), Ship(2, "O", 0), StockLevel(3, 3)),
        (StockLevel(5, 3), Ship(4, "O", 1), StockLevel(1, 2)),
        (StockLevel(1, 1), Ship(3, "O", 1), StockLevel(recount=True)),
        (StockLevel(2, 1), Ship(1, "O", 5), StockLevel(1)),
        (StockLevel(0, 2), Ship(2, "O", 2), StockLevel(recount=True)),
        (ABSENT, Ship(2, "O", 0), StockLevel(recount=True)),
    ],
)
def test_what_has_left_was_there(before: Any, ship: Ship, after: StockLevel) -> None:
    """Units that leave come off what was promised here; those nobody knew of are found first, and counted again."""
    assert codes(before, ship) == ()
    assert play(before, ship) == after


def test_what_has_come_back_is_there() -> None:
    """However much the row holds or expects already, goods in hand are never refused."""
    full = StockLevel(MAX_QUANTITY, incoming=MAX_QUANTITY, backordered=MAX_QUANTITY)
    assert play(full, Restock(MAX_QUANTITY)).on_hand == 2 * MAX_QUANTITY
    assert play(full, Restock(3, usable=False)).quarantined == 3


def test_units_set_aside_are_thrown_away_or_back_on_sale() -> None:
    """What a stocktake no longer finds cannot be thrown away."""
    aside = play(StockLevel(5), Quarantine(3))
    assert play(aside, Discard(2), ReleaseQuarantine(1)) == StockLevel(3)
    assert codes(aside, Discard(4)) == ("not_quarantined",)
    assert codes(play(aside, CountStock(1)), Discard(2)) == ("not_on_hand",)
    assert codes(StockLevel(5, missing=1), ReleaseQuarantine(1)) == ("not_quarantined",)


def test_a_stocktake_ends_what_is_missing() -> None:
    """A recount is wanted until somebody has counted; then missing units are there, or they are not on hand."""
    row = play(StockLevel(5, 4, quarantined=1), TakeOutShort(2))
    assert (row.missing, row.recount, row.available) == (2, True, 0)
    assert play(row, CountStock(5)) == StockLevel(5, 2, quarantined=1, counted_at=STAMP.at)
    assert play(ABSENT, RequestRecount()).recount
    assert not play(ABSENT, RequestRecount(), CountStock(0)).recount


REFUSED = {
    "not_allocated": Release(1),
    "not_on_hand": Quarantine(3),
    "not_quarantined": ReleaseQuarantine(1),
    "not_backordered": DropBackorder(1),
    "not_expected": ReceiveGoods(1, 1),
    "no_difference": Adjust(0),
    "below_zero": Adjust(-3),
    "too_much": ReceiveGoods(MAX_QUANTITY),
    "insufficient_stock": TransferOut(3),
}


@pytest.mark.parametrize("code", REFUSED)
def test_every_guard_refuses_with_its_code(code: str) -> None:
    """What a row of two units does not allow is refused with a code of its own."""
    assert codes(StockLevel(2), REFUSED[code]) == (code,)


def test_an_announcement_is_kept_and_taken_back() -> None:
    """Announced goods cover waiting demand until they come or are called off."""
    row = play(ABSENT, ExpectGoods(3), Backorder(2))
    assert row.promised == 2
    assert play(row, ExpectGoods(-3)).promised == 0
    assert codes(row, ExpectGoods(-4)) == ("below_zero",)
    assert play(row, ReceiveGoods(3, 3)).incoming == 0


@pytest.mark.parametrize("row", [StockLevel(-1), StockLevel(1, missing=-1)])
def test_an_impossible_row_is_a_bug(row: StockLevel) -> None:
    """A negative counter is an InvariantBroken."""
    with pytest.raises(InvariantBroken):
        check_stock(row)
