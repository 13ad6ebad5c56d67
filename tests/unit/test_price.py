"""Prices: exact until a line is rounded."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest

from orderflow.domain.engine.schema import faults_at
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.split import Rounding
from orderflow.errors import InputError


@pytest.mark.parametrize(
    "price, quantity, amount",
    [
        (Price.of("0.3492", "EUR"), 1701, "593.99"),
        (Price.of(1785, "SEK", per=365), 90, "440.14"),
        (Price.of("0.001", "GBP"), 500, "0.50"),
        (Price.of("0.001", "GBP"), -500, "-0.50"),
        (Price.of(Decimal("1.005"), "EUR"), 1, "1.01"),
        (Price.of("0", "JPY"), 7, "0"),
        (Price.of("12.5", "JPY"), 1, "13"),
    ],
)
def test_a_line_is_rounded_once(price: Price, quantity: int, amount: str) -> None:
    """Quantity times price per base quantity, half away from zero."""
    assert price.line_amount(quantity) == Money.of(amount, price.currency)


def test_rounding_may_be_chosen() -> None:
    """Another mode moves the last unit; a unit price may round where its line does not."""
    price = Price.of("0.125", "EUR")
    assert [price.line_minor(1, mode) for mode in Rounding] == [13, 12, 13, 12]
    assert price.line_minor(2) == 25


def test_the_decimal_context_of_the_thread_does_not_matter() -> None:
    """A host that works with two digits still gets exact lines."""
    with localcontext() as context:
        context.prec = 2
        assert Price.of("123456.789", "EUR").line_minor(1000) == 12345678900


@pytest.mark.parametrize(
    "amount, currency, per", [("1e3", "EUR", 1), (1.5, "EUR", 1), ("1", "EURO", 1), ("1", "EUR", 0), ("1", "EUR", True)]
)
def test_bad_prices_are_refused(amount: Any, currency: str, per: int) -> None:
    """No floats, no exponents, known currencies, a base of at least 1."""
    with pytest.raises(InputError):
        Price.of(amount, currency, per)


@pytest.mark.parametrize(
    "value, paths",
    [
        (Price.of("1.5", "EUR"), []),
        ("1.5", ["price"]),
        (Price(Decimal(-1), "EUR"), []),
        (Price(Decimal(10**18), "EUR"), ["price.amount"]),
        (Price(Decimal("NaN"), "???", 0), ["price.amount", "price.currency", "price.per"]),
        (Price(1.5, "EUR"), ["price.amount"]),  # type: ignore[arg-type]
    ],
)
def test_every_fault_of_a_price_is_named(value: object, paths: list[str]) -> None:
    """A price that was built without checks is checked whole; that only allowances are negative its order says."""
    assert [fault.path for fault in faults_at("price", Price, value)] == paths


def test_a_price_is_shown_as_it_was_given() -> None:
    """Amount, currency, and the base quantity where it is not 1."""
    assert str(Price.of("0.3492", "EUR")) == "0.3492 EUR"
    assert str(Price.of("1785", "SEK", per=365)) == "1785 SEK / 365"
