"""Prices: an exact decimal for a number of units. A price is not money until a line amount is rounded."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import ClassVar

from orderflow.domain.engine.bounds import Quantity
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.schema import faults_at
from orderflow.domain.engine.text import NUMBER, TextForm, decimal_text
from orderflow.domain.money.currencies import Currency, exponent
from orderflow.domain.money.money import Money, exact_decimal
from orderflow.domain.money.split import Rounding, round_ratio
from orderflow.errors import InputError

__all__ = ["Price"]


class Price(Record):
    """``amount`` of ``currency``, in major units, for every ``per`` units: 0.3492 EUR per 1, 1785 per 365.

    Plain construction checks nothing; prices from outside come through ``Price.of``.
    """

    amount: Decimal
    currency: Currency
    per: Quantity = 1

    text_form: ClassVar[TextForm]

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str, per: int = 1) -> Price:
        """A checked price: ``Price.of("0.3492", "EUR")``.

        Raises:
            InputError: not a plain decimal of at most 18 and 12 digits, an unknown currency, a base below 1.
        """
        exponent(currency)
        if faults := faults_at("per", Quantity, per):
            raise InputError(faults)
        return cls(exact_decimal(amount, "amount"), currency, per)

    def line_minor(self, quantity: int, rounding: Rounding = Rounding.HALF_UP) -> int:
        """``quantity`` units in minor units, rounded once.

        Raises:
            InputError: an unknown currency.
        """
        numerator, denominator = self.amount.as_integer_ratio()
        return round_ratio(numerator * quantity * 10 ** exponent(self.currency), denominator * self.per, rounding)

    def line_amount(self, quantity: int, rounding: Rounding = Rounding.HALF_UP) -> Money:
        """``quantity`` units as money, rounded once; its size is not checked, see ``check_money``.

        Raises:
            InputError: an unknown currency.
        """
        return Money(self.line_minor(quantity, rounding), self.currency)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}" + (f" / {self.per}" if self.per != 1 else "")


def _text(price: Price) -> str:
    """With at least the decimals of the currency, as people write prices: ``28.20 GBP``; equal prices have one text."""
    whole, _, decimals = decimal_text(price.amount).partition(".")
    decimals = decimals.ljust(exponent(price.currency), "0")
    text = f"{whole}.{decimals} {price.currency}" if decimals else f"{whole} {price.currency}"
    return text if price.per == 1 else f"{text}/{price.per}"


def _read(text: str) -> Price:
    amount, _, rest = text.partition(" ")
    currency, _, per = rest.partition("/")
    return Price(Decimal(amount), currency, int(per) if per else 1)


Price.text_form = TextForm(
    _text, _read, re.compile(f"-?{NUMBER} [A-Z]{{3}}(/[1-9][0-9]{{0,9}})?"), "2.55 GBP or 1785 JPY/365"
)
