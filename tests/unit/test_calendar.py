"""Payment terms, cut-off days, business days, shop dates."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from attrs import evolve

from orderflow.domain.engine.schema import faults_at
from orderflow.domain.engine.text import writer
from orderflow.domain.money.calendar import (
    PaymentTerms,
    business_date,
    cutoff_date,
    due_date,
    is_business_day,
    roll_back,
    roll_forward,
)
from orderflow.errors import InputError


class Always:
    """A container of all days."""

    def __contains__(self, day: object) -> bool:
        return True


@pytest.mark.parametrize(
    "terms, invoiced, due",
    [
        (PaymentTerms(), "2026-03-10", "2026-03-10"),
        (PaymentTerms(days=30), "2026-01-31", "2026-03-02"),
        (PaymentTerms(months=1), "2026-01-31", "2026-02-28"),
        (PaymentTerms(months=1, end_of_month=True), "2024-01-15", "2024-02-29"),
        (PaymentTerms(months=1, due_day=10), "2026-03-20", "2026-04-10"),
        (PaymentTerms(months=1, due_day=31), "2026-03-20", "2026-04-30"),
        (PaymentTerms(due_day=10), "2026-03-10", "2026-03-10"),
        (PaymentTerms(due_day=10), "2026-03-11", "2026-04-10"),
        (PaymentTerms(cutoff_day=31, months=1, end_of_month=True), "2026-02-28", "2026-03-31"),
        (PaymentTerms(cutoff_day=20, months=2, due_day=5), "2026-11-21", "2027-02-05"),
        (PaymentTerms(months=1, end_of_month=True, days=10), "2026-03-20", "2026-05-10"),
        (PaymentTerms(months=1, end_of_month=True, business="next"), "2026-04-10", "2026-06-01"),
        (PaymentTerms(months=1, end_of_month=True, business="previous"), "2026-04-10", "2026-05-29"),
        (PaymentTerms(cutoff_day=20, days=30, order="days_months"), "2026-03-21", "2026-05-20"),
        (PaymentTerms(days=5, months=1, due_day=3, order="days_months"), "2026-01-28", "2026-03-03"),
        (PaymentTerms(days=5, end_of_month=True, due_day=31, order="days_months"), "2026-01-28", "2026-03-31"),
        (PaymentTerms(days=3, end_of_month=True, due_day=30, order="days_months"), "2026-01-28", "2026-02-28"),
    ],
)
def test_due_dates(terms: PaymentTerms, invoiced: str, due: str) -> None:
    """Cut-off, months, day of the month, days, business day: in this order, or with days first."""
    assert due_date(terms, date.fromisoformat(invoiced)) == date.fromisoformat(due)


def test_holidays_move_due_dates() -> None:
    """A holiday counts like a Sunday when the due date is rolled."""
    friday = date(2026, 5, 29)
    terms = PaymentTerms(months=1, end_of_month=True, business="previous")
    assert due_date(terms, date(2026, 4, 10), holidays={friday}) == date(2026, 5, 28)
    agreed = evolve(terms, holidays=(date(2026, 5, 28), friday))
    assert due_date(agreed, date(2026, 4, 10)) == date(2026, 5, 27)
    assert due_date(agreed, date(2026, 4, 10), holidays={friday}) == date(2026, 5, 28)
    assert due_date(agreed, date(2026, 4, 10), holidays=()) == friday


def test_terms_are_stored_as_they_are_said() -> None:
    """What is at its default is left out, as before there was an order of steps."""
    assert writer(PaymentTerms)(PaymentTerms(days=30)) == '{"days":30}'
    full = PaymentTerms(days=30, order="days_months", holidays=(date(2027, 1, 1),))
    assert writer(PaymentTerms)(full) == '{"days":30,"order":"days_months","holidays":["2027-01-01"]}'


@pytest.mark.parametrize(
    "day, on, cutoff",
    [
        (None, "2026-02-17", "2026-02-17"),
        (20, "2026-02-20", "2026-02-20"),
        (20, "2026-12-21", "2027-01-20"),
        (30, "2026-02-28", "2026-02-28"),
        (31, "2026-04-01", "2026-04-30"),
    ],
)
def test_cutoff_dates(day: int | None, on: str, cutoff: str) -> None:
    """The cut-off day on or after; short months are cut off at their end."""
    assert cutoff_date(PaymentTerms(cutoff_day=day), date.fromisoformat(on)) == date.fromisoformat(cutoff)


def test_business_days() -> None:
    """Monday to Friday, unless listed."""
    monday = date(2026, 6, 1)
    assert [is_business_day(monday + timedelta(days=offset)) for offset in range(7)] == [True] * 5 + [False] * 2
    assert not is_business_day(monday, {monday})
    assert roll_forward(date(2026, 5, 30)) == monday
    assert roll_back(date(2026, 5, 31), {date(2026, 5, 29)}) == date(2026, 5, 28)
    assert roll_forward(monday) == roll_back(monday) == monday


def test_rolling_ends() -> None:
    """A calendar without business days, or the end of the calendar, is an error and not a search for ever."""
    with pytest.raises(InputError, match="must leave a business day"):
        roll_forward(date(2026, 1, 1), Always())
    with pytest.raises(InputError, match="end of the calendar"):
        roll_back(date.min, Always())
    with pytest.raises(InputError, match="end of the calendar"):
        due_date(PaymentTerms(months=1), date.max)


def test_rolling_looks_one_year_ahead() -> None:
    """A business day 365 days away is found, one that is further away is not."""
    start = date(2026, 6, 1)
    closed = {start + timedelta(days=day) for day in range(365)}
    open_again = date(2027, 6, 1)
    assert roll_forward(start, closed) == open_again
    with pytest.raises(InputError, match="must leave a business day"):
        roll_forward(start, closed | {open_again})


@pytest.mark.parametrize(
    "terms, paths",
    [
        (PaymentTerms(20, 1, end_of_month=True), []),
        (PaymentTerms(31, 120, due_day=31, days=3660), []),
        (PaymentTerms(32, 121, due_day=32, days=3661), ["t.cutoff_day", "t.months", "t.due_day", "t.days"]),
        (PaymentTerms(0, -1, due_day=32, days=10**6), ["t.cutoff_day", "t.months", "t.due_day", "t.days"]),
        (PaymentTerms(end_of_month=True, due_day=5), ["t.due_day"]),
        (PaymentTerms(end_of_month=True, due_day=5, order="days_months", holidays=(date.min,) * 1_000), []),
        (PaymentTerms(holidays=(date.min,) * 1_001), ["t.holidays"]),
        (PaymentTerms(order="days"), ["t.order"]),  # type: ignore[arg-type]
        (PaymentTerms(business="soon"), ["t.business"]),  # type: ignore[arg-type]
    ],
)
def test_every_fault_of_terms_is_named(terms: PaymentTerms, paths: list[str]) -> None:
    """Days of the month, lengths, and one rule for the day."""
    assert [fault.path for fault in faults_at("t", PaymentTerms, terms)] == paths


def test_the_shop_has_its_own_date() -> None:
    """One instant is two dates, in Tokyo and in New York."""
    at = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
    assert business_date(at, "Asia/Tokyo") == date(2026, 4, 1)
    assert business_date(at.astimezone(timezone(timedelta(hours=9))), "America/New_York") == date(2026, 3, 31)


@pytest.mark.parametrize(
    "at, zone, path",
    [
        (datetime(2026, 3, 31), "Asia/Tokyo", "at"),  # noqa: DTZ001
        (datetime.max.replace(tzinfo=UTC), "Asia/Tokyo", "at"),
        (datetime(2026, 3, 31, tzinfo=UTC), "Asia/Nowhere", "timezone"),
        (datetime(2026, 3, 31, tzinfo=UTC), "../passwd", "timezone"),
        (datetime(2026, 3, 31, tzinfo=UTC), "Asia", "timezone"),
        (datetime(2026, 3, 31, tzinfo=UTC), "", "timezone"),
    ],
)
def test_shop_dates_need_an_offset_and_a_zone(at: datetime, zone: Any, path: str) -> None:
    """Naive times and unknown zones are bad input."""
    with pytest.raises(InputError) as caught:
        business_date(at, zone)
    assert caught.value.faults[0].path == path


def test_dateutil_is_loaded_only_when_a_date_is_computed() -> None:
    """Importing the module costs nothing of dateutil or zoneinfo."""
    loaded = "(m for m in ('dateutil', 'zoneinfo') if m in sys.modules)"
    script = f"import sys, orderflow.domain.money.calendar; print(*{loaded})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
