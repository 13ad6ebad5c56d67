"""Laws of tax."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.money.parts import less, remaining
from orderflow.domain.money.split import Rounding
from orderflow.domain.money.tax import (
    TaxableLine,
    TaxCategory,
    TaxGroup,
    TaxPolicy,
    TaxRounding,
    gross_of,
    includes_tax,
    spread,
    tax_groups,
    totals,
)

RATES = [("S", "25"), ("S", "10"), ("reduced", "8"), ("S", "7.7"), ("Z", "0"), ("E", "0"), ("AE", "0")]
categories = st.sampled_from([TaxCategory.of(code, rate) for code, rate in RATES])
mixed = categories | st.sampled_from(
    [
        TaxCategory.of("GST", 5, ("PST", 7)),
        TaxCategory.of("GST", 5),
        TaxCategory.of("S", 25, included=True),
        TaxCategory.of("S", 25, included=False),
    ]
)
amounts = st.integers(-(10**9), 10**9)
lines = st.lists(st.builds(TaxableLine, amounts, categories, st.integers(1, 1000)), max_size=12)
mixed_lines = st.lists(st.builds(TaxableLine, amounts, mixed, st.integers(1, 1000)), max_size=12)
policies = st.builds(TaxPolicy, st.sampled_from(TaxRounding), st.booleans(), st.sampled_from(Rounding))


@given(lines, policies)
def test_groups_sum_to_the_document(document: list[TaxableLine], policy: TaxPolicy) -> None:
    """In each group and in all, net + tax = gross, and the side that was given is kept to the unit."""
    sums = totals(document, policy, "EUR")
    assert all(group.taxable_minor + group.tax_minor == group.gross_minor for group in sums.groups)
    assert sums.net_minor + sums.tax_minor == sums.gross_minor
    given_side = sums.gross_minor if policy.prices_include_tax else sums.net_minor
    assert given_side == sum(line.amount_minor for line in document)
    assert sums.tax_minor == sum(group.tax_minor for group in sums.groups)


@given(mixed_lines, policies.map(lambda policy: evolve(policy, prices_include_tax=False)))
def test_prices_with_and_without_tax_and_several_taxes_sum_up(document: list[TaxableLine], policy: TaxPolicy) -> None:
    """What a line says is kept to the unit, and counts once however many taxes are on it."""
    sums = totals(document, policy, "EUR")
    with_tax = [line for line in document if includes_tax(line.category, policy)]
    without = [line for line in document if not includes_tax(line.category, policy)]
    assert sums.net_minor + sums.tax_minor == sums.gross_minor == gross_of(sums.groups)
    assert gross_of(tax_groups(with_tax, policy)) == sum(line.amount_minor for line in with_tax)
    assert totals(without, policy, "EUR").net_minor == sum(line.amount_minor for line in without)
    for line in without:
        alone = totals([line], policy, "EUR")
        each = [TaxableLine(line.amount_minor, tax, line.quantity) for tax in line.category.taxes()]
        assert [group.tax_minor for group in alone.groups] == [totals([x], policy, "EUR").tax_minor for x in each]


@given(mixed_lines, policies.map(lambda policy: evolve(policy, prices_include_tax=False)))
def test_credits_of_mixed_lines_end_on_nothing(document: list[TaxableLine], policy: TaxPolicy) -> None:
    """What is left of a document, line by line to nothing, takes off what was billed, in every group."""
    billed = left = totals(document, policy, "EUR")
    for size in range(len(document) - 1, -1, -1):
        after = remaining(billed, document, document[:size], policy)
        taken = less(left, after)
        assert taken.gross_minor == left.gross_minor - after.gross_minor == gross_of(taken.groups)
        assert all(group.taxable_minor + group.tax_minor == group.gross_minor for group in taken.groups)
        left = after
    assert (left.net_minor, left.tax_minor, left.gross_minor) == (0, 0, 0)


@given(lines, policies, st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(document: list[TaxableLine], policy: TaxPolicy, random: object) -> None:
    """Shuffled lines give the same groups."""
    shuffled = list(document)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert set(tax_groups(shuffled, policy)) == set(tax_groups(document, policy))


@given(lines, policies)
def test_a_full_credit_undoes_the_document(document: list[TaxableLine], policy: TaxPolicy) -> None:
    """The negated lines owe the negated tax, so that a refund in full reaches zero."""
    negated = [TaxableLine(-line.amount_minor, line.category, line.quantity) for line in document]
    assert totals(negated, policy, "EUR").tax_minor == -totals(document, policy, "EUR").tax_minor


@given(lines, policies, st.data())
def test_a_credit_and_what_it_leaves_are_the_bill(
    document: list[TaxableLine], policy: TaxPolicy, data: st.DataObject
) -> None:
    """Net, tax and gross of the two sum to the bill's, in each group and in all; in each, net + tax = gross."""
    billed = totals(document, policy, "EUR")
    kept = data.draw(st.lists(st.booleans(), min_size=len(document), max_size=len(document)))
    left = [line for line, stays in zip(document, kept, strict=True) if stays]
    after = remaining(billed, document, left, policy)
    credit = less(billed, after)
    assert all(group.taxable_minor + group.tax_minor == group.gross_minor for group in (*credit.groups, *after.groups))
    for name in ("net_minor", "tax_minor", "gross_minor"):
        assert getattr(credit, name) + getattr(after, name) == getattr(billed, name)
    assert less(credit, credit).groups == tuple([TaxGroup(group.category, 0, 0, 0) for group in credit.groups])


@given(lines, st.booleans(), st.sampled_from(Rounding))
def test_once_for_each_rate_is_within_one_unit(
    document: list[TaxableLine], prices_include_tax: bool, rounding: Rounding
) -> None:
    """Rounded once, a group's tax is less than one minor unit off the exact tax."""
    for group in tax_groups(document, TaxPolicy(TaxRounding.PER_DOCUMENT, prices_include_tax, rounding)):
        rate = Fraction(group.rate) / 100
        amount = group.gross_minor if prices_include_tax else group.taxable_minor
        exact = amount * rate / (1 + rate) if prices_include_tax else amount * rate
        assert abs(group.tax_minor - exact) < 1


@given(st.integers(1, 1000), st.integers(0, 10**6), categories, st.booleans(), st.sampled_from(Rounding))
def test_unit_tax_is_the_sum_over_units(
    quantity: int, amount: int, category: TaxCategory, prices_include_tax: bool, rounding: Rounding
) -> None:
    """A line taxed by unit owes what its units, written as lines of one, owe by line."""
    unit, larger = divmod(amount, quantity)
    units = [TaxableLine(unit + (at < larger), category) for at in range(quantity)]
    by_unit = totals(
        [TaxableLine(amount, category, quantity)], TaxPolicy(TaxRounding.PER_UNIT, prices_include_tax, rounding), "X"
    )
    by_line = totals(units, TaxPolicy(TaxRounding.PER_LINE, prices_include_tax, rounding), "X")
    assert by_unit.tax_minor == by_line.tax_minor


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_a_discount_within_the_sum_leaves_no_line_negative(discount: int, amounts: list[int]) -> None:
    """Shares sum to the discount, and none is more than its line where the discount is not more than the sum."""
    discount = min(discount, sum(amounts))
    shares = spread(discount, amounts)
    assert sum(shares) == discount
    assert all(0 <= own <= amount for own, amount in zip(shares, amounts, strict=True))


@given(st.decimals(0, 100, places=3))
def test_equal_rates_are_one_group(rate: Decimal) -> None:
    """25, 25.0 and 25.00 percent are one rate."""
    document = [TaxableLine(1, TaxCategory.of("S", rate)), TaxableLine(2, TaxCategory.of("S", f"{rate:f}0"))]
    assert len(tax_groups(document, TaxPolicy())) == 1
