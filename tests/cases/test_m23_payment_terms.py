"""M23: terms say the order of their steps, and the days when banks are closed."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from money_shop import MoneyShop

from orderflow import PaymentTerms
from orderflow.domain.money.calendar import due_date
from orderflow.ports.storage import Storage

#: Days when banks are closed, in two lands.
HERE = (date(2027, 1, 1),)
THERE = (date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 4), date(2027, 1, 5))


@pytest.mark.parametrize(
    "terms, due",
    [
        (PaymentTerms(days=90, end_of_month=True, due_day=10, order="days_months"), "2024-03-10"),
        (PaymentTerms(days=90, end_of_month=True, order="days_months"), "2024-02-29"),
        (PaymentTerms(days=90, end_of_month=True), "2024-02-28"),
        (PaymentTerms(days=90, due_day=10, order="days_months"), "2024-03-10"),
        (PaymentTerms(days=90, due_day=23, order="days_months"), "2024-02-23"),
        (PaymentTerms(days=90, months=1, order="days_months"), "2024-03-23"),
        (PaymentTerms(days=90, months=1, end_of_month=True, due_day=31, order="days_months"), "2024-04-30"),
        (PaymentTerms(cutoff_day=20, days=10, end_of_month=True, order="days_months"), "2023-12-31"),
        (PaymentTerms(cutoff_day=20, days=12, end_of_month=True, order="days_months"), "2024-01-31"),
        (PaymentTerms(days=90, end_of_month=True, due_day=10, business="next", order="days_months"), "2024-03-11"),
    ],
)
def test_m23_the_order_of_steps(terms: PaymentTerms, due: str) -> None:
    """From 25 November 2023: days then month end, or month end then days, and then a day of the month after."""
    assert due_date(terms, date(2023, 11, 25)) == date.fromisoformat(due)


@pytest.mark.parametrize(
    "holidays, business, due",
    [
        ((), "next", "2027-01-01"),
        (HERE, "next", "2027-01-04"),
        (THERE, "next", "2027-01-06"),
        (HERE, "previous", "2026-12-31"),
        (THERE, "previous", "2026-12-30"),
        (THERE, "none", "2027-01-01"),
    ],
)
def test_m23_due_on_a_holiday(storage: Storage, holidays: tuple[date, ...], business: str, due: str) -> None:
    """An invoice due on 1 January, by the calendar that its order was given; the order keeps it."""
    terms = PaymentTerms(days=30, business=business, holidays=holidays)  # type: ignore[arg-type]
    shop = MoneyShop(storage)
    shop.time.set(datetime.fromisoformat("2026-12-02T12:00:00+00:00"))
    shop.confirmed("O", (1, 1000), terms=terms)
    shop.send("O", 1)
    assert shop.invoices.get(shop.bill("O")).due_date == date.fromisoformat(due)
    kept = shop.orders.get("O").content.terms
    assert (kept, kept.holidays) == (terms, holidays)
