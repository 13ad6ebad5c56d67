"""The small keyed rows: what each of them never does, and the states that cannot be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.billing.account import ACCOUNT, Post, Posting, ReserveCredit
from orderflow.domain.billing.numbering import PLAIN, SERIES, AllotNumber, ClosePeriod, OpenSeries, Restart, Series
from orderflow.domain.billing.prefixes import PREFIX, ClaimPrefix, FreePrefix, HeldPrefix, ReleasePrefix, prefix_id
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.returns.machine import RETURN
from orderflow.domain.returns.state import Goods, Handling, Received, ReturnWish
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


#: What texts are made of that are easily taken for one another.
SHORT = st.text("26-/#R", max_size=6)
DAYS = st.lists(st.integers(0, 800), min_size=1, max_size=8).map(
    lambda days: [date(2025, 11, 1) + timedelta(day) for day in days]
)
OPENINGS = st.builds(
    OpenSeries, SHORT, st.sampled_from((0, 1, 26, 99, 6_000_001)), st.integers(1, 7), st.sampled_from(Restart),
    backdating=st.just(value=True),
)  # fmt: skip


def opened(shop: dict[str, OpenSeries | None]) -> dict[str, Any]:
    """Series by name, as far as they may be opened so; the others stay as they are."""
    series: dict[str, Any] = {}
    prefixes: dict[str, Any] = {}
    for name, opening in shop.items():
        series[name] = ABSENT
        if opening is not None and not [*opening.faults()]:
            claim, key = ClaimPrefix(name, opening.prefix), prefix_id(opening.prefix)
            if not PREFIX.explain(prefixes.get(key, ABSENT), claim, STAMP):
                prefixes[key] = PREFIX.step(prefixes.get(key, ABSENT), claim, STAMP)[1]
                series[name] = SERIES.step(ABSENT, opening, STAMP)[1]
    return series


@given(st.dictionaries(SHORT.filter(bool) | st.just(PLAIN), st.none() | OPENINGS, min_size=2, max_size=6), DAYS)
def test_no_two_texts_are_equal(shop: dict[str, OpenSeries | None], days: list[date]) -> None:
    """Whatever series there are, opened in whatever way, and however many digits and periods they have got to."""
    texts: list[str] = []
    for name, state in opened(shop).items():
        series = state
        for on in days if state is not ABSENT else sorted(days):
            event, series = SERIES.step(series, AllotNumber("invoice", "I", on, name), STAMP)
            texts.append(event.text)
    assert len(texts) == len(set(texts))


@given(st.sampled_from(Restart), DAYS)
def test_every_period_is_gapless(restart: Restart, days: list[date]) -> None:
    """Each year or month counts from the start, in whatever order its documents come."""
    _, state = SERIES.step(ABSENT, OpenSeries("R-", 3, 1, restart, backdating=True), STAMP)
    numbers: dict[str, list[int]] = {}
    for on in days:
        event, state = SERIES.step(state, AllotNumber("invoice", "I", on), STAMP)
        numbers.setdefault(event.text.rpartition("/")[0], []).append(event.number)
    assert all(found == [*range(3, 3 + len(found))] for found in numbers.values())
    assert len(numbers) == len({on.isoformat()[: {"never": 0, "year": 4, "month": 7}[restart.value]] for on in days})
    assert (state.last, len(state.past)) == (max(days), len(numbers) - 1)


def test_a_row_is_kept_small() -> None:
    """Periods that are over are remembered only where documents may be dated back."""
    _, state = SERIES.step(ABSENT, OpenSeries("R-", restart=Restart.MONTH), STAMP)
    for month in range(1, 13):
        _, state = SERIES.step(state, AllotNumber("invoice", "I", date(2026, month, 1)), STAMP)
    assert (state.past, state.next) == ((), 2)


def test_a_prefix_has_room_for_fifty_characters() -> None:
    """No more, so that a number with its period and its digits stays a short text."""
    fits, too_long = OpenSeries("R" * 49 + "-"), OpenSeries("R" * 50 + "-")
    assert faults_of(fits) == ()
    assert [(fault.path, fault.code) for fault in faults_of(too_long)] == [("prefix", "bad_length")]


def test_closing_all_closes_each() -> None:
    """What one customer's closing adds to that of all goes when all are closed through as late a day."""
    state: Any = ABSENT
    for command in (
        ClosePeriod(TODAY, "ann"),
        ClosePeriod(TODAY + timedelta(9), "bob"),
        ClosePeriod(TODAY + timedelta(1), "ann"),
    ):
        _, state = SERIES.step(state, command, STAMP)
    assert [closing.customer for closing in state.closings] == ["bob", "ann"]
    _, state = SERIES.step(state, ClosePeriod(TODAY + timedelta(1)), STAMP)
    closed = [state.closed_for(customer) for customer in ("ann", "bob", "")]
    assert closed == [TODAY + timedelta(1), TODAY + timedelta(9), TODAY + timedelta(1)]
    assert [closing.customer for closing in state.closings] == ["bob"]


def test_a_prefix_goes_from_series_to_series() -> None:
    """It is held by one until it is given back; the series that holds it may claim it again."""
    state: Any = ABSENT
    for command, then in (
        (ClaimPrefix("a", "R-"), HeldPrefix("a")),
        (ClaimPrefix("a", "R-"), HeldPrefix("a")),
        (ReleasePrefix(), FreePrefix()),
        (ClaimPrefix("b", "R-"), HeldPrefix("b")),
    ):
        _, state = PREFIX.step(state, command, STAMP)
        assert state == then
    assert [refusal.code for refusal in PREFIX.explain(state, ClaimPrefix("a", "R-"), STAMP)] == ["prefix_taken"]
    for unheld in (ABSENT, FreePrefix()):
        assert [refusal.code for refusal in PREFIX.explain(unheld, ClaimPrefix("a", ""), STAMP)] == ["prefix_missing"]
        assert PREFIX.explain(unheld, ClaimPrefix(PLAIN, ""), STAMP) == ()


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
        (RETURN, Received(ReturnWish("", ()), Goods(), Handling())),
    ],
)
def test_a_row_that_cannot_be_is_a_bug(machine: Any, state: Any) -> None:
    """A number before the first, a return of nothing: an InvariantBroken each."""
    with pytest.raises(InvariantBroken):
        machine.check(state)
