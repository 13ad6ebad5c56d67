"""Dates of business: payment terms, billing cut-off days, business days.

The only module that uses dateutil, and only when a date is computed: importing it loads nothing.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import Annotated, Literal

from orderflow.domain.engine.bounds import Between, Known, Length
from orderflow.domain.engine.record import Record
from orderflow.errors import Fault, InputError

__all__ = [
    "PaymentTerms",
    "RollDirection",
    "StepOrder",
    "Timezone",
    "business_date",
    "cutoff_date",
    "due_date",
    "is_business_day",
    "roll_back",
    "roll_forward",
]


RollDirection = Literal["previous", "next", "none"]
StepOrder = Literal["months_days", "days_months"]


_SATURDAY = 5


_LONGEST_CLOSURE_DAYS = 366


_MAX_MONTHS, _MAX_DAYS = 120, 3_660


_MOST_HOLIDAYS = 1_000

DayOfMonth = Annotated[int, Between(1, 31)]


class PaymentTerms(Record):
    """When an invoice falls due, read from left to right.

    ``cutoff_day``: the invoice counts from the billing cut-off day (締め日) on or after it; 31 is the month's end.
    ``months`` later; then ``end_of_month``, or on ``due_day``, or on the same day of the month; then ``days`` later;
    then, on a day when banks are closed, the ``previous`` or ``next`` business day.

    ``order`` says which comes first. With ``days_months`` the ``days`` come before the months and the day of the month;
    only then may ``due_day`` follow ``end_of_month``: it is that day of the month after.

    ``holidays``: the days besides Saturday and Sunday when banks are closed. They are part of the terms, so that what
    has been agreed does not change with a calendar.

    Cut-off on the 20th, paid at the end of next month (20日締め翌月末払い):
    ``PaymentTerms(cutoff_day=20, months=1, end_of_month=True)``. Net 30: ``PaymentTerms(days=30)``. 90 days, then the
    month's end, then the 10th: ``PaymentTerms(days=90, end_of_month=True, due_day=10, order="days_months")``.
    """

    cutoff_day: DayOfMonth | None = None
    months: Annotated[int, Between(0, _MAX_MONTHS)] = 0
    end_of_month: bool = False
    due_day: DayOfMonth | None = None
    days: Annotated[int, Between(0, _MAX_DAYS)] = 0
    business: RollDirection = "none"
    order: StepOrder = "months_days"
    holidays: Annotated[tuple[date, ...], Length(0, _MOST_HOLIDAYS)] = ()

    def faults(self) -> Iterator[Fault]:
        """``due_day`` and ``end_of_month`` exclude each other unless days come first."""
        if self.end_of_month and self.due_day is not None and self.order != "days_months":
            yield Fault("due_day", "conflict", 'cannot be combined with end_of_month, unless order is "days_months"')


def cutoff_date(terms: PaymentTerms, on: date) -> date:
    """The billing cut-off date that something invoiced ``on`` belongs to; ``on`` itself without a cut-off day.

    A month shorter than the cut-off day is cut off at its end.

    Raises:
        InputError: past the end of the calendar (year 9999).
    """
    return on if terms.cutoff_day is None else _day_on_or_after(on, terms.cutoff_day)


def due_date(terms: PaymentTerms, invoiced: date, holidays: Container[date] | None = None) -> date:
    """The date on which what was ``invoiced`` on that day is due.

    ``holidays`` stand in for those of the terms.

    Raises:
        InputError: past the end of the calendar, or no business day within a year.
    """
    closed = terms.holidays if holidays is None else holidays
    due = _calendar_day(terms, cutoff_date(terms, invoiced))
    if terms.business == "previous":
        return roll_back(due, closed)
    return roll_forward(due, closed) if terms.business == "next" else due


def _calendar_day(terms: PaymentTerms, start: date) -> date:
    if terms.order == "days_months":
        return _day_of_month(terms, _added(start, days=terms.days))
    return _added(_day_of_month(terms, start), days=terms.days)


def _day_of_month(terms: PaymentTerms, start: date) -> date:
    due = _added(start, months=terms.months)
    if terms.end_of_month:
        end = _added(due, day=31)
        return end if terms.due_day is None else _added(end, months=1, day=terms.due_day)
    if terms.due_day is None:
        return due
    # Without a month in between, a due day before the start can only mean the next month's.
    return _added(due, day=terms.due_day) if terms.months else _day_on_or_after(due, terms.due_day)


def _day_on_or_after(start: date, day: int) -> date:
    this_month = _added(start, day=day)
    return this_month if this_month >= start else _added(start, months=1, day=day)


def _added(start: date, *, months: int = 0, days: int = 0, day: int | None = None) -> date:
    """Months later, on ``day`` of that month or its last, then days later."""
    if not (months or days or day):
        return start
    from dateutil.relativedelta import relativedelta

    try:
        return start + relativedelta(months=months, days=days, day=day)
    except (OverflowError, ValueError) as error:
        raise InputError.at("date", "out_of_range", f"{start} is too near the end of the calendar") from error


def is_business_day(on: date, holidays: Container[date] = ()) -> bool:
    """Whether banks are open: not a Saturday, a Sunday, or one of ``holidays``."""
    return on.weekday() < _SATURDAY and on not in holidays


def roll_forward(on: date, holidays: Container[date] = ()) -> date:
    """``on``, or the first business day after it.

    Raises:
        InputError: there is none within a year.
    """
    return _rolled(on, 1, holidays)


def roll_back(on: date, holidays: Container[date] = ()) -> date:
    """``on``, or the last business day before it.

    Raises:
        InputError: there is none within a year.
    """
    return _rolled(on, -1, holidays)


def _rolled(on: date, step: int, holidays: Container[date]) -> date:
    for days in range(_LONGEST_CLOSURE_DAYS):
        candidate = _added(on, days=step * days)
        if is_business_day(candidate, holidays):
            return candidate
    raise InputError.at("holidays", "out_of_range", f"must leave a business day within a year of {on}")


def business_date(at: datetime, timezone: str) -> date:
    """The date in ``timezone`` (IANA, such as ``Asia/Tokyo``) at the instant ``at``.

    Raises:
        InputError: ``at`` has no offset, the time zone is unknown, or the date is outside the calendar.
    """
    if at.utcoffset() is None:
        raise InputError.at("at", "naive_time", "must be a time with an offset from UTC")
    try:
        return at.astimezone(_zone(timezone)).date()
    except OverflowError as error:
        raise InputError.at("at", "out_of_range", "is too near the end of the calendar") from error


@lru_cache(maxsize=1024)
def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError, TypeError) as error:
        raise InputError.at("timezone", "unknown_timezone", f"{name!r:.80} is not a known time zone") from error


def _is_timezone(name: str) -> bool:
    try:
        _zone(name)
    except InputError:
        return False
    return True


#: The name of a known time zone, such as ``Asia/Tokyo`` (IANA).
Timezone = Annotated[str, Known(_is_timezone, "unknown_timezone", "a known time zone")]
