"""Our currency and holiday figures against second and third sources."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import holidays
from iso4217 import Currency

from orderflow.domain.money.calendar import is_business_day, roll_back, roll_forward
from orderflow.domain.money.currencies import EXPONENTS

Cases = Callable[[str], list[dict[str, Any]]]


def test_currencies_have_not_drifted_from_the_package() -> None:
    """The table is what the iso4217 package says today, codes without a minor unit left out."""
    assert {code.code: code.exponent for code in Currency if code.exponent is not None} == EXPONENTS


def test_the_currency_module_is_what_its_tool_writes(project_root: Path) -> None:
    """Nobody has edited the generated module by hand."""
    tool = runpy.run_path(str(project_root / "tools" / "make_currencies.py"))
    module = project_root / "src" / "orderflow" / "domain" / "money" / "currencies.py"
    assert module.read_text(encoding="utf-8") == tool["render"]()


def test_currencies_agree_with_the_published_list(cases: Cases) -> None:
    """The accounting decimals of ISO 4217 list one, not the display decimals of CLDR."""
    assert {case["currency"]: case["decimals"] for case in cases("currencies")} == EXPONENTS


def test_japanese_bank_days_follow_the_holiday_table(cases: Cases) -> None:
    """With the holidays package, exactly weekends and published holidays are closed, and rolling lands on open days."""
    published = {date.fromisoformat(day) for case in cases("japanese_holidays") for day in case["days"]}
    japan = holidays.country_holidays("JP", years=range(2019, 2028))
    first, last = date(2019, 1, 1), date(2027, 12, 31)
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        assert is_business_day(day, japan) == (day.weekday() < 5 and day not in published), day
        assert is_business_day(roll_forward(day, published), japan)
        assert is_business_day(roll_back(day, japan), published)


def test_golden_week_closes_six_days_in_a_row() -> None:
    """From 2026-05-02, a Saturday, the next bank day is 2026-05-07 and the one before 2026-05-01."""
    japan = holidays.country_holidays("JP", years=2026)
    assert roll_forward(date(2026, 5, 2), japan) == date(2026, 5, 7)
    assert roll_back(date(2026, 5, 6), japan) == date(2026, 5, 1)
