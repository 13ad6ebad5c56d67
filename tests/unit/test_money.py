"""Money, rounding and splitting: the cases worth naming."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from orderflow.domain.engine.limits import MAX_MONEY_MINOR
from orderflow.domain.engine.schema import faults_at
from orderflow.domain.money.currencies import exponent
from orderflow.domain.money.money import Money, check_money, exact_decimal, parse_decimal
from orderflow.domain.money.price import Price
from orderflow.domain.money.split import Rounding, round_ratio, share
from orderflow.errors import CurrencyMismatch, InputError

MODES = list(Rounding)


def eur(text: str) -> Money:
    """Euros, briefly."""
    return Money.of(text, "EUR")


@pytest.mark.parametrize(
    "numerator, rounded",
    [
        (4, {"half_up": 0, "down": 0, "up": 1, "half_even": 0}),
        (5, {"half_up": 1, "down": 0, "up": 1, "half_even": 0}),
        (6, {"half_up": 1, "down": 0, "up": 1, "half_even": 1}),
        (15, {"half_up": 2, "down": 1, "up": 2, "half_even": 2}),
        (25, {"half_up": 3, "down": 2, "up": 3, "half_even": 2}),
        (35, {"half_up": 4, "down": 3, "up": 4, "half_even": 4}),
        (45, {"half_up": 5, "down": 4, "up": 5, "half_even": 4}),
        (30, {"half_up": 3, "down": 3, "up": 3, "half_even": 3}),
    ],
)
def test_each_mode_rounds_as_named(numerator: int, rounded: dict[str, int]) -> None:
    """Tenths, in every mode, for both signs and both signs of the denominator."""
    for mode in MODES:
        assert round_ratio(numerator, 10, mode) == rounded[mode.value]
        assert round_ratio(-numerator, 10, mode) == -rounded[mode.value]
        assert round_ratio(numerator, -10, mode) == -rounded[mode.value]


def test_thirds_have_no_half() -> None:
    """Where no fraction is a half, both ways of rounding halves go to the nearest."""
    for mode in (Rounding.HALF_UP, Rounding.HALF_EVEN):
        assert [round_ratio(thirds, 3, mode) for thirds in range(-5, 6)] == [-2, -1, -1, -1, 0, 0, 0, 1, 1, 1, 2]


def test_nothing_is_divided_by_zero() -> None:
    """A denominator of 0 is bad input."""
    with pytest.raises(InputError, match="must not be 0"):
        round_ratio(1, 0)


@pytest.mark.parametrize(
    "total, weights, parts",
    [
        (100, [1, 1, 1], (34, 33, 33)),
        (-100, [1, 1, 1], (-34, -33, -33)),
        (5, [0, 0], (3, 2)),
        (0, [3, 4], (0, 0)),
        (10, [1, 0, 2], (3, 0, 7)),
        (1, [1, 2], (0, 1)),
        (-1, [1, 2], (0, -1)),
    ],
)
def test_shares(total: int, weights: list[int], parts: tuple[int, ...]) -> None:
    """The largest remainder gets the odd unit, ties the earliest; weights that are all 0 share equally."""
    assert share(total, weights) == parts


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_shares_need_weights(weights: list[int]) -> None:
    """Nothing to share over, or a negative weight, is bad input."""
    with pytest.raises(InputError, match="none negative"):
        share(1, weights)


@pytest.mark.parametrize(
    "amount, currency, minor",
    [
        ("12.34", "EUR", 1234),
        ("-0.05", "EUR", -5),
        ("12", "EUR", 1200),
        (12, "EUR", 1200),
        (Decimal("12.3400"), "EUR", 1234),
        (Decimal("1E+3"), "JPY", 1000),
        ("007", "JPY", 7),
        ("1.234", "BHD", 1234),
        ("10000000000000", "EUR", MAX_MONEY_MINOR),
    ],
)
def test_amounts_that_are_accepted(amount: Any, currency: str, minor: int) -> None:
    """Text, integers and Decimals of major units; zeros past the minor unit do no harm."""
    assert Money.of(amount, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "amount",
    [
        *["", " 1", "1 ", "+1", "1.", ".5", "1,5", "1_000", "1e3", "NaN", "Infinity", "--1", "1\n", "١٢", "１", "0x1"],
        *["1" * 19, "0." + "1" * 13, 10**18, -(10**18)],
        *[1.5, float("nan"), True, None, b"1", (1,)],
        *[Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+999999"), Decimal("0E-999999")],
    ],
)
def test_amounts_that_are_refused(amount: Any) -> None:
    """Only plain ASCII decimals of bounded length pass; a float never does, nor what is no number."""
    with pytest.raises(InputError) as caught:
        Money.of(amount, "EUR")
    assert caught.value.faults[0].path == "amount"
    assert caught.value.faults[0].code == "bad_form"


@pytest.mark.parametrize("amount, currency", [("0.001", "EUR"), ("0.5", "JPY"), ("1.0001", "BHD")])
def test_no_amount_is_finer_than_its_currency(amount: str, currency: str) -> None:
    """What would have to be rounded is refused, not rounded."""
    with pytest.raises(InputError, match="has more") as caught:
        Money.of(amount, currency)
    assert caught.value.faults[0].code == "too_many_decimals"


@pytest.mark.parametrize(
    "currency, code",
    [
        *((text, "unknown_currency") for text in ("", "eur", "XAU", "XXX")),
        *((other, "wrong_type") for other in (None, 978, ["EUR"])),
    ],
)
def test_unknown_currencies_are_refused(currency: Any, code: str) -> None:
    """Codes are upper case, in ISO 4217, and have a minor unit."""
    for make in (Money.zero, exponent, lambda wrong: Money.of("1", wrong), lambda wrong: Price.of("1", wrong)):
        with pytest.raises(InputError) as caught:
            make(currency)
        assert [(fault.path, fault.code) for fault in caught.value.faults] == [("currency", code)]


def test_amounts_are_bounded_at_the_edge() -> None:
    """Ten to the fifteenth minor units is the most, in either direction and in sums."""
    assert check_money(-MAX_MONEY_MINOR) == -MAX_MONEY_MINOR
    for beyond in (MAX_MONEY_MINOR + 1, -MAX_MONEY_MINOR - 1):
        with pytest.raises(InputError):
            check_money(beyond, "total")
    with pytest.raises(InputError):
        Money.of("10000000000000.01", "EUR")
    with pytest.raises(InputError):
        Money.total([Money(MAX_MONEY_MINOR, "JPY"), Money(1, "JPY")], "JPY")


def test_arithmetic_of_one_currency() -> None:
    """Sums, differences, products, signs and truth."""
    assert eur("1.10") + eur("2.20") == eur("3.30")
    assert eur("1.10") - eur("2.20") == -eur("1.10")
    assert 3 * eur("1.10") == eur("1.10") * 3 == eur("3.30")
    assert abs(-eur("1.10")) == eur("1.10")
    assert eur("0.01")
    assert not Money.zero("EUR")
    assert Money.total([eur("1"), eur("2")], "EUR") == eur("3")
    assert Money.total([], "JPY") == Money(0, "JPY")


def test_amounts_of_one_currency_are_ordered() -> None:
    """The four comparisons follow the minor units."""
    less, more, same = eur("1"), eur("2"), eur("1")
    assert less < more
    assert less <= more
    assert less <= same
    assert more > less
    assert more >= less
    assert less >= same
    assert not less < same
    assert not less > same
    assert not more <= less
    assert not less >= more


def test_two_currencies_never_mix() -> None:
    """Every operation between two currencies names both; they are unequal, not comparable."""
    left, right = eur("1"), Money(1, "JPY")
    operations: list[Callable[[], object]] = [
        lambda: left + right,
        lambda: left - right,
        lambda: left < right,
        lambda: left <= right,
        lambda: left > right,
        lambda: left >= right,
        lambda: Money.total([right], "EUR"),
    ]
    for operation in operations:
        with pytest.raises(CurrencyMismatch) as caught:
            operation()
        assert (caught.value.left, caught.value.right) == ("EUR", "JPY")
    assert left != right


@pytest.mark.parametrize("factor", [1.5, True, "2"])
def test_money_is_multiplied_by_integers_only(factor: Any) -> None:
    """A float factor would bring fractions of a minor unit in by the back door."""
    with pytest.raises(TypeError):
        _ = eur("1") * factor


@pytest.mark.parametrize(
    "money, text", [(Money(-5, "EUR"), "-0.05 EUR"), (Money(5, "JPY"), "5 JPY"), (Money(1500, "BHD"), "1.500 BHD")]
)
def test_money_shows_all_its_decimals(money: Money, text: str) -> None:
    """As many decimals as the currency has, and the code."""
    assert str(money) == text
    assert Money.of(money.decimal, money.currency) == money


def test_splitting_money() -> None:
    """The odd cents go to the earliest parts."""
    assert eur("1.00").split(3) == (eur("0.34"), eur("0.33"), eur("0.33"))
    assert eur("1.00").allocate([3, 1]) == (eur("0.75"), eur("0.25"))
    with pytest.raises(InputError):
        eur("1.00").split(0)


@pytest.mark.parametrize(
    "value, faults",
    [
        (Money(1, "EUR"), []),
        (Money(-1, "EUR"), []),
        ("1.00", [("fee", "wrong_type")]),
        (Money(MAX_MONEY_MINOR + 1, "EUR"), [("fee.minor", "out_of_range")]),
        (Money(True, "EUR"), [("fee.minor", "wrong_type")]),
        (Money(1.5, "???"), [("fee.minor", "wrong_type"), ("fee.currency", "unknown_currency")]),  # type: ignore[arg-type]
    ],
)
def test_every_fault_of_an_amount_is_named(value: object, faults: list[tuple[str, str]]) -> None:
    """Money that was built without checks is checked whole."""
    assert [(fault.path, fault.code) for fault in faults_at("fee", Money, value)] == faults


def test_decimals_keep_their_path() -> None:
    """A fault says where the text stood."""
    with pytest.raises(InputError) as caught:
        parse_decimal("1e3", "lines[2].price")
    assert caught.value.faults[0].path == "lines[2].price"
    assert exact_decimal(Decimal("0.10")) == Decimal("0.1")


@pytest.mark.parametrize(
    "amount", [10**18 - 1, 1 - 10**18, Decimal(10**18 - 1), Decimal("0.123456789012"), "9" * 18 + "." + "9" * 12]
)
def test_the_longest_numbers_are_taken(amount: Any) -> None:
    """18 digits before the point and 12 after it, from each type."""
    assert exact_decimal(amount) == Decimal(amount)
