"""Figures on which known systems have slipped, recomputed by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orderflow.domain.inventory.planner import Demand, Offer, by_priority, plan
from orderflow.domain.money.split import Rounding
from orderflow.domain.money.tax import TaxableLine, TaxCategory, TaxPolicy, TaxRounding, spread, totals
from orderflow.domain.values import Pick

STANDARD, REDUCED = TaxCategory.of("S", 10), TaxCategory.of("reduced", 8)
TRUNCATED = TaxPolicy(prices_include_tax=True, rounding=Rounding.DOWN)


@pytest.mark.parametrize(
    "lines, discount, rest",
    [
        ([2970, 1080], 2, [2969, 1079]),  # EC-CUBE 4.2 gave 4,047 in all
        ([1595, 7398], 92, [1579, 7322]),  # ec-cube2 gave 8,900 in all
        ([165, 755], 92, [148, 680]),  # shares of 16.5 and 75.5: rounding each up took 93
    ],
)
def test_a_discount_over_two_rates_adds_up(lines: list[int], discount: int, rest: list[int]) -> None:
    """Shares by the largest remainder, a tie to the earlier line, sum to the discount exactly."""
    shares = spread(discount, lines)
    assert sum(shares) == discount
    assert [line - own for line, own in zip(lines, shares, strict=True)] == rest


def test_included_tax_after_a_shared_discount() -> None:
    """1,579 at 10 % and 7,322 at 8 % contain 143 and 542 yen of tax, truncated."""
    sums = totals([TaxableLine(1579, STANDARD), TaxableLine(7322, REDUCED)], TRUNCATED, "JPY")
    assert [group.tax_minor for group in sums.groups] == [143, 542]
    assert sums.gross_minor == 8901


def test_once_for_each_rate_differs_from_each_unit() -> None:
    """105 + 107 at 10 %, half up: 21 once for the rate, 11 + 11 on each unit."""
    lines = [TaxableLine(105, STANDARD), TaxableLine(107, STANDARD)]
    assert totals(lines, TaxPolicy(TaxRounding.PER_DOCUMENT), "JPY").tax_minor == 21
    assert totals(lines, TaxPolicy(TaxRounding.PER_UNIT), "JPY").tax_minor == 22


def test_two_rates_truncated() -> None:
    """660 at 8 % and 744 at 10 %, truncated, owe 52 + 74."""
    policy = TaxPolicy(rounding=Rounding.DOWN)
    sums = totals([TaxableLine(660, REDUCED), TaxableLine(744, STANDARD)], policy, "JPY")
    assert [group.tax_minor for group in sums.groups] == [52, 74]
    assert sums.tax_minor == 126


def test_thirteen_over_ten_and_fifteen() -> None:
    """What the first location lacks, and no more, comes from the second."""
    offers = [Offer("A", "first", 10), Offer("A", "second", 15, priority=1)]
    assert plan([Demand(1, "A", 13)], offers, by_priority).picks == (Pick(1, "first", 10), Pick(1, "second", 3))


def test_the_rate_is_exact() -> None:
    """A rate of 7.7 % is no binary fraction: 1,000 owe 77, not 76.99 rounded down."""
    line = TaxableLine(1000, TaxCategory("S", Decimal("7.7")))
    assert totals([line], TaxPolicy(rounding=Rounding.DOWN), "CHF").tax_minor == 77
