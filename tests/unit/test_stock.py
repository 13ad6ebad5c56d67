"""The stock row: never oversold, and what was found missing is known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.limits import MAX_QUANTITY
from orderflow.domain.machine import ABSENT
from orderflow.domain.stamp import Stamp
from orderflow.domain.stock import messages as m
from orderflow.domain.stock.machine import STOCK
from orderflow.domain.stock.states import Stocked, check_stock
from orderflow.errors import CommandRefused, InvariantBroken

STAMP = Stamp(datetime(2026, 4, 1, 12, tzinfo=UTC), "tester", "c")
SMALL = st.integers(1, 4)
COMMANDS = st.one_of(
    *[st.builds(command, SMALL) for command in (
        m.ReceiveGoods, m.ExpectGoods, m.Allocate, m.Release, m.Backorder, m.DropBackorder, m.Ship, m.MarkUnavailable,
        m.PickShort, m.Restore, m.TransferOut, m.TransferIn,
    )],
    st.builds(m.ReceiveGoods, SMALL, SMALL),
    st.builds(m.Restock, SMALL, st.booleans()),
    st.builds(m.Adjust, st.integers(-4, 4)),
    st.builds(m.ExpectGoods, st.integers(-4, 4)),
    st.builds(m.CountStock, st.integers(0, 6)),
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
        if isinstance(command, m.Allocate):
            assert command.quantity <= before.available
            assert not before.shortfall


def test_nothing_is_promised_while_a_shortfall_stands() -> None:
    """A count that finds too little sets the shortfall; goods that come in heal it first."""
    short = play(ABSENT, m.ReceiveGoods(5), m.Allocate(4), m.CountStock(1))
    assert (short.shortfall, short.available) == (3, 0)
    assert codes(short, m.Allocate(1)) == ("insufficient_stock",)
    healed = play(short, m.ReceiveGoods(4))
    assert (healed.shortfall, healed.available) == (0, 1)
    assert play(healed, m.Allocate(1)).available == 0


def test_a_short_pick_sets_aside_what_no_stocktake_has_missed() -> None:
    """Units not found give their promise back; they are set aside unless a count has found them missing before."""
    assert play(Stocked(5, 4), m.PickShort(3)) == Stocked(5, 1, 3)
    counted = play(Stocked(5, 4), m.CountStock(2))
    assert counted.shortfall == 2
    assert play(counted, m.PickShort(3)) == Stocked(2, 1, 1)
    assert play(counted, m.PickShort(1)) == Stocked(2, 3, shortfall=1)
    assert codes(Stocked(5, 1), m.PickShort(2)) == ("not_allocated",)


REFUSED = {
    "not_allocated": m.Release(1),
    "not_on_hand": m.MarkUnavailable(3),
    "not_unavailable": m.Restore(1),
    "not_backordered": m.DropBackorder(1),
    "not_expected": m.ReceiveGoods(1, 1),
    "no_difference": m.Adjust(0),
    "below_zero": m.Adjust(-3),
    "too_much": m.ReceiveGoods(MAX_QUANTITY),
    "insufficient_stock": m.TransferOut(3),
}


@pytest.mark.parametrize("code", REFUSED)
def test_every_guard_refuses_with_its_code(code: str) -> None:
    """What a row of two units does not allow is refused with a code of its own."""
    assert codes(Stocked(2), REFUSED[code]) == (code,)


def test_an_announcement_is_kept_and_taken_back() -> None:
    """Announced goods cover waiting demand until they come or are called off."""
    row = play(ABSENT, m.ExpectGoods(3), m.Backorder(2))
    assert row.promised == 2
    assert play(row, m.ExpectGoods(-3)).promised == 0
    assert codes(row, m.ExpectGoods(-4)) == ("below_zero",)
    assert play(row, m.ReceiveGoods(3, 3)).incoming == 0


@pytest.mark.parametrize("row", [Stocked(-1), Stocked(1, allocated=2)])
def test_an_impossible_row_is_a_bug(row: Stocked) -> None:
    """A negative counter, or a promise beyond the stock, is an InvariantBroken."""
    with pytest.raises(InvariantBroken):
        check_stock(row)
