"""Laws of exact money."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.engine.limits import MAX_MONEY_MINOR
from orderflow.domain.money.currencies import EXPONENTS
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.split import Rounding, round_ratio, share

minors = st.integers(-MAX_MONEY_MINOR, MAX_MONEY_MINOR)
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=30)
modes = st.sampled_from(Rounding)
currencies = st.sampled_from(sorted(EXPONENTS))


@given(minors, st.integers(1, 10**6), modes)
def test_rounding_is_symmetric_and_near(numerator: int, denominator: int, mode: Rounding) -> None:
    """round(-x) = -round(x); the result is less than one away, at most half away to the nearest."""
    rounded = round_ratio(numerator, denominator, mode)
    off = abs(rounded - Fraction(numerator, denominator))
    assert round_ratio(-numerator, denominator, mode) == -rounded
    assert off <= Fraction(1, 2) if mode in {Rounding.HALF_UP, Rounding.HALF_EVEN} else off < 1


@given(minors, minors, st.integers(1, 10**4), modes)
def test_rounding_keeps_order(left: int, right: int, denominator: int, mode: Rounding) -> None:
    """The larger ratio never rounds to the smaller number."""
    low, high = sorted((left, right))
    assert round_ratio(low, denominator, mode) <= round_ratio(high, denominator, mode)


@given(minors, st.integers(1, 10**6))
def test_half_up_and_half_even_differ_only_on_a_half(numerator: int, denominator: int) -> None:
    """Off the exact half the two agree; on it they differ by one or agree on the even neighbour."""
    up = round_ratio(numerator, denominator, Rounding.HALF_UP)
    even = round_ratio(numerator, denominator, Rounding.HALF_EVEN)
    on_half = (2 * Fraction(numerator, denominator)).denominator == 1 and numerator % denominator
    assert even % 2 == 0 if on_half else even == up


@given(minors, weights)
def test_shares_sum_and_stay_near(total: int, parts: list[int]) -> None:
    """Shares sum exactly, each within one unit of its exact part, symmetric in sign; weight 0 gets 0."""
    shares = share(total, parts)
    whole = sum(parts) or len(parts)
    exact = [Fraction(total * (part if sum(parts) else 1), whole) for part in parts]
    assert sum(shares) == total
    assert all(abs(got - part) < 1 for got, part in zip(shares, exact, strict=True))
    assert share(-total, parts) == tuple(-got for got in shares)


@given(minors, st.integers(0, 10**6), st.integers(1, 50))
def test_equal_weights_favour_the_earliest(total: int, weight: int, count: int) -> None:
    """Parts of equal weight differ by at most one unit, the larger ones first."""
    shares = [abs(part) for part in share(total, [weight] * count)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] - shares[-1] <= 1


@given(minors, currencies)
def test_amounts_survive_text_and_decimals(minor: int, currency: str) -> None:
    """What is shown can be read back, in every currency."""
    money = Money(minor, currency)
    text, code = str(money).split()
    assert Money.of(text, code) == Money.of(money.decimal, code) == money


@given(st.lists(minors, max_size=20), currencies)
def test_a_total_is_the_sum(values: list[int], currency: str) -> None:
    """Wrapping once gives what adding one by one gives."""
    halved = [Money(value // 20, currency) for value in values]
    assert Money.total(halved, currency) == sum(halved, Money.zero(currency))


@given(st.decimals(-(10**6), 10**6, places=6), st.integers(1, 400), st.integers(-(10**6), 10**6), currencies, modes)
def test_a_line_is_the_exact_product_rounded_once(
    amount: object, per: int, quantity: int, currency: str, mode: Rounding
) -> None:
    """The line amount is quantity x price / base, as a fraction, rounded one time."""
    price = Price.of(f"{amount:f}", currency, per)
    exact = Fraction(price.amount) * quantity * 10 ** EXPONENTS[currency] / per
    assert price.line_minor(quantity, mode) == round_ratio(exact.numerator, exact.denominator, mode)
