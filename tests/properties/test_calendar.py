"""Laws of due dates."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.money.calendar import (
    PaymentTerms,
    cutoff_date,
    due_date,
    is_business_day,
    roll_back,
    roll_forward,
)

days = st.dates(date(1990, 1, 1), date(2090, 12, 31))
days_of_month = st.none() | st.integers(1, 31)
holidays = st.sets(days, max_size=5)
terms = st.builds(
    PaymentTerms,
    cutoff_day=days_of_month,
    months=st.integers(0, 6),
    end_of_month=st.booleans(),
    due_day=days_of_month,
    days=st.integers(0, 60),
    business=st.sampled_from(["previous", "next", "none"]),
    order=st.sampled_from(["months_days", "days_months"]),
    holidays=holidays.map(sorted).map(tuple),
)


@given(terms, days, st.integers(0, 400))
def test_later_invoices_are_never_due_earlier(rule: PaymentTerms, day: date, later: int) -> None:
    """Due dates keep the order of invoice dates."""
    assert due_date(rule, day) <= due_date(rule, day + timedelta(days=later))


@given(terms, days)
def test_nothing_is_due_before_it_is_invoiced(rule: PaymentTerms, day: date) -> None:
    """Only rolling back to a business day may come before the cut-off date, by closed days only."""
    earliest = cutoff_date(rule, day) - timedelta(days=2 + 3 * len(rule.holidays) if rule.business == "previous" else 0)
    assert due_date(rule, day) >= earliest


@given(st.integers(1, 31), days)
def test_a_cutoff_is_on_or_after_within_a_month(cutoff_day: int, day: date) -> None:
    """The cut-off date is less than 31 days ahead, is a cut-off date itself, and has its day or ends its month."""
    rule = PaymentTerms(cutoff_day=cutoff_day)
    cutoff = cutoff_date(rule, day)
    assert timedelta(0) <= cutoff - day <= timedelta(days=31)
    assert cutoff_date(rule, cutoff) == cutoff
    assert cutoff.day == cutoff_day or (cutoff + timedelta(days=1)).day == 1


@given(days, holidays)
def test_rolling_finds_the_nearest_open_day(day: date, closed: set[date]) -> None:
    """Both directions land on open days, with none between, and leave open days alone."""
    after, before = roll_forward(day, closed), roll_back(day, closed)
    assert is_business_day(after, closed)
    assert is_business_day(before, closed)
    between = [before + timedelta(days=offset) for offset in range(1, (after - before).days)]
    assert not any(is_business_day(other, closed) for other in between)
    assert (before == after == day) == is_business_day(day, closed)
