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
from orderflow.domain.inventory.counting import Adjust, CountStock, Quarantine, ReleaseQuarantine
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
    StockLevel,
    TakeOutShort,
    TransferIn,
    TransferOut,
    check_stock,
)
from orderflow.errors import CommandRefused, InvariantBroken

STAMP = Stamp(datetime(2026, 4, 1, 12, tzinfo=UTC), "tester", "c")
SMALL = st.integers(1, 4)
COMMANDS = st.one_of(
    *[st.builds(command, SMALL) for command in (
        ReceiveGoods, ExpectGoods, Allocate, Release, Backorder, DropBackorder, Ship, Quarantine,
        TakeOutShort, ReleaseQuarantine, TransferOut, TransferIn,
    )],
    st.builds(ReceiveGoods, SMALL, SMALL),
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
    """I02: whatever happens, no counter is negative and nothing is promised beyond stock and known shortfall."""
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
    assert play(StockLevel(5, 4), TakeOutShort(3)) == StockLevel(5, 1, 3, recount=True)
    counted = play(StockLevel(5, 4), CountStock(2))
    assert counted.shortfall == 2
    assert play(counted, TakeOutShort(3)) == StockLevel(2, 1, 1, recount=True)
    assert play(counted, TakeOutShort(1)) == StockLevel(2, 3, shortfall=1, recount=True)
    assert codes(StockLevel(5, 1), TakeOutShort(2)) == ("not_allocated",)


REFUSED = {
    "not_allocated": Release(1),
    "not_on_hand": Quarantine(3),
    "not_unavailable": ReleaseQuarantine(1),
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


@pytest.mark.parametrize("row", [StockLevel(-1), StockLevel(1, allocated=2)])
def test_an_impossible_row_is_a_bug(row: StockLevel) -> None:
    """A negative counter, or a promise beyond the stock, is an InvariantBroken."""
    with pytest.raises(InvariantBroken):
        check_stock(row)
