"""The small keyed rows: what each of them never does, and the states that cannot be."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.billing.account import ACCOUNT, Post, Posting, ReserveCredit
from orderflow.domain.billing.numbering import SERIES, AllotNumber, OpenSeries, Series
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.returns import RETURN, ReceivedReturn
from orderflow.errors import InvariantBroken

STAMP = Stamp(datetime(2026, 4, 1, 12, tzinfo=UTC), "tester", "c")
TODAY = date(2026, 4, 1)


@given(start=st.integers(0, 50), count=st.integers(1, 20))
def test_a_series_has_no_gap(start: int, count: int) -> None:
    """I18: numbers follow one another from the first, each printed with its prefix and digits."""
    _, state = SERIES.step(ABSENT, OpenSeries("R-", start, 4), STAMP)
    for number in range(start, start + count):
        event, state = SERIES.step(state, AllotNumber("invoice", f"I{number}", TODAY), STAMP)
        assert (event.number, event.text) == (number, f"R-{number:04d}")


def test_an_account_counts_by_currency() -> None:
    """Sums of one currency never touch another's; the exposure is what is owed and what is ordered."""
    state: Any = ABSENT
    for command in (
        ReserveCredit("O", Money(100, "EUR")),
        Post(Posting.ORDER, "O", Money(-60, "EUR")),
        Post(Posting.INVOICE, "I", Money(60, "EUR")),
        Post(Posting.PAYMENT, "P", Money(500, "JPY")),
    ):
        _, state = ACCOUNT.step(state, command, STAMP)
    assert (state.of("EUR").balance, state.of("EUR").exposure) == (60, 100)
    assert (state.of("JPY").balance, state.of("GBP").balance) == (-500, 0)


@pytest.mark.parametrize(
    "machine,state",
    [
        (SERIES, Series("", 5, 6, 4)),
        (RETURN, ReceivedReturn("main", (), (), usable=True, customer="", reason="")),
    ],
)
def test_a_row_that_cannot_be_is_a_bug(machine: Any, state: Any) -> None:
    """A number before the first, a return of nothing: an InvariantBroken each."""
    with pytest.raises(InvariantBroken):
        machine.check(state)
