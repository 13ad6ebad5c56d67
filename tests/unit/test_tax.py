"""Tax groups and document sums under every policy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orderflow.domain.engine.limits import MAX_MONEY_MINOR
from orderflow.domain.engine.schema import faults_at
from orderflow.domain.money.money import Money
from orderflow.domain.money.parts import cumulated, remaining
from orderflow.domain.money.split import Rounding
from orderflow.domain.money.tax import (
    TaxableLine,
    TaxCategory,
    TaxGroup,
    TaxPolicy,
    TaxRounding,
    spread,
    tax_groups,
    tax_on,
    totals,
    totals_of_groups,
)
from orderflow.errors import InputError

S20, S10, ZERO = TaxCategory.of("S", "20"), TaxCategory.of("S", "10"), TaxCategory.of("Z", 0)


def test_groups_are_category_and_rate_in_order_of_appearance() -> None:
    """One rate under two categories, and one category at two rates, are three groups."""
    lines = [TaxableLine(100, ZERO), TaxableLine(200, S20), TaxableLine(50, TaxCategory.of("E", "0.0"))]
    groups = tax_groups([*lines, TaxableLine(-20, S20), TaxableLine(10, S10)], TaxPolicy())
    assert groups == (
        TaxGroup(ZERO, 100, 0, 100),
        TaxGroup(S20, 180, 36, 216),
        TaxGroup(TaxCategory.of("E", 0), 50, 0, 50),
        TaxGroup(S10, 10, 1, 11),
    )
    assert groups[1].rate == 20


@pytest.mark.parametrize(
    "mode, tax", [(TaxRounding.PER_DOCUMENT, 31), (TaxRounding.PER_LINE, 30), (TaxRounding.PER_UNIT, 28)]
)
def test_where_added_tax_is_rounded_changes_it(mode: TaxRounding, tax: int) -> None:
    """4 units at 51 and 8 at 13, plus 10 %: 30.8 on the sum, 20.4 and 10.4 on lines, 5.1 and 1.3 on units."""
    lines = [TaxableLine(204, S10, 4), TaxableLine(104, S10, 8)]
    found = totals(lines, TaxPolicy(mode), "JPY")
    assert (found.net_minor, found.tax_minor, found.gross_minor) == (308, tax, 308 + tax)


@pytest.mark.parametrize(
    "mode, tax", [(TaxRounding.PER_DOCUMENT, 11), (TaxRounding.PER_LINE, 10), (TaxRounding.PER_UNIT, 8)]
)
def test_where_included_tax_is_rounded_changes_it(mode: TaxRounding, tax: int) -> None:
    """Twice 4 units at 15 with 10 % in the price: 10.9 in the sum, 5.45 in each line, 1.36 in each unit."""
    lines = [TaxableLine(60, S10, 4), TaxableLine(60, S10, 4)]
    found = totals(lines, TaxPolicy(mode, prices_include_tax=True), "JPY")
    assert (found.net_minor, found.tax_minor, found.gross_minor) == (120 - tax, tax, 120)


def test_units_of_a_line_that_does_not_divide() -> None:
    """100 for 3 units is 34 + 33 + 33, each rounded by itself; so is the credit of them."""
    policy = TaxPolicy(TaxRounding.PER_UNIT, rounding=Rounding.UP)
    assert totals([TaxableLine(100, S10, 3)], policy, "JPY").tax_minor == 12
    assert totals([TaxableLine(-100, S10, 3)], policy, "JPY").tax_minor == -12
    assert totals([TaxableLine(-1, S10, 1)], policy, "JPY").tax_minor == -1
    assert totals([TaxableLine(100, S10, 3)], TaxPolicy(TaxRounding.PER_UNIT), "JPY").tax_minor == 9


def test_a_line_without_units_cannot_be_taxed_by_unit() -> None:
    """A quantity of 0 is bad input, not a division by zero."""
    with pytest.raises(InputError, match="at least 1"):
        totals([TaxableLine(100, S10, 0)], TaxPolicy(TaxRounding.PER_UNIT), "JPY")


def test_totals_are_money() -> None:
    """Net, tax and gross in the currency of the document; nothing sums to nothing."""
    found = totals([TaxableLine(1000, S20)], TaxPolicy(), "EUR")
    assert (found.net, found.tax, found.gross) == (Money(1000, "EUR"), Money(200, "EUR"), Money(1200, "EUR"))
    assert totals([], TaxPolicy(), "EUR").groups == ()


def test_sums_are_bounded() -> None:
    """A document whose sum leaves the bounds of money is refused."""
    line = TaxableLine(MAX_MONEY_MINOR, ZERO)
    with pytest.raises(InputError) as caught:
        totals([line, line], TaxPolicy(), "JPY")
    assert caught.value.faults[0].path == "net"


@pytest.mark.parametrize("prices_include_tax, tax", [(False, 200), (True, 167)])
def test_tax_on_one_amount(prices_include_tax: bool, tax: int) -> None:
    """20 % on 1,000, and the tax that 1,000 contain."""
    assert tax_on(1000, TaxCategory.of("S", 20), TaxPolicy(prices_include_tax=prices_include_tax)) == tax


def test_a_discount_passes_over_negative_lines() -> None:
    """A line that is itself an allowance bears no part of a discount."""
    assert spread(10, [300, -50, 100]) == (8, 0, 2)
    with pytest.raises(InputError):
        spread(10, [])


def test_the_tax_of_a_part_is_what_the_whole_has_more() -> None:
    """A first part pays what the whole does by then, a later one the rest; what takes all off takes all its tax off."""
    first, both = [TaxableLine(100, S20)], [TaxableLine(203, S20, 2)]
    assert cumulated(first, first, {}, TaxPolicy()) == (TaxGroup(S20, 100, 20, 120),)
    assert cumulated([TaxableLine(103, S20)], both, {S20: 20}, TaxPolicy()) == (TaxGroup(S20, 103, 21, 124),)
    assert cumulated([TaxableLine(-100, S20)], [], {S20: 19}, TaxPolicy()) == (TaxGroup(S20, -100, -19, -119),)


@pytest.mark.parametrize("before, tax", [(20, 1), (21, 0), (22, 0)])
def test_a_free_part_makes_up_for_tax_and_gives_none_back(before: int, tax: int) -> None:
    """20 % of 103 are 21: a part of 0 is taxed with what is missing of that, and never below 0."""
    part, after = [TaxableLine(0, S20)], [TaxableLine(103, S20, 2)]
    assert cumulated(part, after, {S20: before}, TaxPolicy()) == (TaxGroup(S20, 0, tax, tax),)


@pytest.mark.parametrize("rate", ["-1", "100.01", "1e1", 7.7, Decimal("NaN"), None])
def test_rates_that_are_refused(rate: Any) -> None:
    """Plain decimals from 0 to 100 percent; never a float."""
    with pytest.raises(InputError) as caught:
        TaxCategory.of("S", rate)
    assert caught.value.faults[0].path == "rate"


@pytest.mark.parametrize(
    "value, paths",
    [
        (S20, []),
        ("S", ["tax"]),
        (TaxCategory("", Decimal(101)), ["tax.code", "tax.rate"]),
        (TaxCategory("S", Decimal("NaN")), ["tax.rate"]),
        (TaxCategory("S", 7.7), ["tax.rate"]),  # type: ignore[arg-type]
    ],
)
def test_every_fault_of_a_category_is_named(value: object, paths: list[str]) -> None:
    """A category that was built without checks is checked whole."""
    assert [fault.path for fault in faults_at("tax", TaxCategory, value)] == paths


@pytest.mark.parametrize(
    "category, text",
    [
        (TaxCategory.of("S", 20), "S 20"),
        (TaxCategory.of("S", 20, included=True), "S 20 incl"),
        (TaxCategory.of("S", "7.70", included=False), "S 7.7 excl"),
        (TaxCategory.of("GST", 5, ("PST", 7)), "GST 5; PST 7"),
        (TaxCategory.of("GST", 5, ("PST", 7), included=False), "GST 5; PST 7 excl"),
        (TaxCategory.of("S 1 incl", 5), "S 1 incl 5"),
    ],
)
def test_the_text_of_a_category_says_all_of_it(category: TaxCategory, text: str) -> None:
    """It is read back as it was, and is a text that is taken from outside."""
    form = TaxCategory.text_form
    assert (form.write(category), form.read(text)) == (text, category)
    assert form.pattern.fullmatch(text)


def test_what_an_invoice_still_charges_is_never_below_0() -> None:
    """An invoice of 3.34 was made to come to 3.30; of it 0.02 are left, which no coin pays."""
    coins, zero = TaxPolicy(cash_rounding_minor=5), TaxCategory.of("Z", 0)
    lines = [TaxableLine(334, zero)]
    billed = totals_of_groups(tax_groups(lines, coins), "CHF", -4)
    left = remaining(billed, lines, [TaxableLine(2, zero)], coins)
    assert (billed.gross_minor, left.gross_minor, left.rounding_minor) == (330, 0, -2)
    assert remaining(billed, lines, lines, coins) == billed
