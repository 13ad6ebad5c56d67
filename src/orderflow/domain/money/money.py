"""Money: whole minor units of a currency, and the integer arithmetic under every amount.

Nothing here uses float, and nothing depends on the decimal context of the thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from orderflow.domain.engine.bounds import MOST_DIGITS, Minor, fits
from orderflow.domain.engine.limits import MAX_MONEY_MINOR
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.text import NUMBER
from orderflow.domain.money.currencies import Currency, exponent
from orderflow.domain.money.split import share
from orderflow.errors import CurrencyMismatch, InputError, Refusal

__all__ = ["Money", "at_most", "check_money", "exact_decimal", "parse_decimal"]


_DECIMAL = re.compile(f"-?{NUMBER}")


def parse_decimal(text: object, path: str = "") -> Decimal:
    """A decimal from text such as ``-12.34``: ASCII digits, at most 18 before and 12 after the point.

    Raises:
        InputError: anything else, such as an exponent, a plus sign, blanks, separators or NaN.
    """
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise InputError.at(path, "bad_form", "must be a plain decimal such as 12.34")
    return Decimal(text)


def exact_decimal(amount: str | int | Decimal, path: str = "") -> Decimal:
    """A finite decimal within the bounds of ``parse_decimal``, from text, an integer or a Decimal.

    Raises:
        InputError: out of bounds, not finite, or of another type; a float is never accepted.
    """
    if isinstance(amount, int) and not isinstance(amount, bool):
        return parse_decimal(str(amount) if abs(amount) < 10**MOST_DIGITS else None, path)
    if isinstance(amount, Decimal):
        return parse_decimal(_plain(amount), path)
    if isinstance(amount, float):
        raise InputError.at(path, "bad_form", 'must be a text or a Decimal, such as "12.34": a float is not exact')
    return parse_decimal(amount, path)


def _plain(amount: Decimal) -> str | None:
    """Without exponent; None for what is not a number, or is too long to be worth writing out."""
    return f"{amount:f}" if fits(amount) else None


def check_money(minor: int, path: str = "") -> int:
    """``minor`` itself when its magnitude is at most ``MAX_MONEY_MINOR``.

    Raises:
        InputError: it is larger.
    """
    if not -MAX_MONEY_MINOR <= minor <= MAX_MONEY_MINOR:
        raise InputError.at(path, "out_of_range", f"must be within {MAX_MONEY_MINOR} minor units of 0")
    return minor


class Money(Record):
    """An amount: ``minor`` units of ``currency`` (ISO 4217).

    Plain construction is cheap and checks nothing; it is for computed amounts. Amounts from outside come through
    ``Money.of``, which checks everything.
    """

    minor: Minor
    currency: Currency

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> Money:
        """From major units: ``Money.of("12.34", "EUR")``. Zeros past the minor unit are accepted.

        Raises:
            InputError: not a plain decimal, finer than the minor unit, too large, or an unknown currency.
        """
        decimals = exponent(currency)
        numerator, denominator = exact_decimal(amount, "amount").as_integer_ratio()
        minor, rest = divmod(numerator * 10**decimals, denominator)
        if rest:
            raise InputError.at("amount", "too_many_decimals", f"{currency} has {decimals} decimals, {amount} has more")
        return cls(check_money(minor, "amount"), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in ``currency``.

        Raises:
            InputError: an unknown currency.
        """
        exponent(currency)
        return cls(0, currency)

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: str) -> Money:
        """The sum of ``amounts``, all in ``currency``; zero when there are none.

        Raises:
            CurrencyMismatch: an amount has another currency.
            InputError: the sum exceeds ``MAX_MONEY_MINOR``.
        """
        minor = 0
        for amount in amounts:
            if amount.currency != currency:
                raise CurrencyMismatch(currency, amount.currency)
            minor += amount.minor
        return cls(check_money(minor), currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, with all decimals of the currency."""
        return Decimal(f"{self.minor}E-{exponent(self.currency)}")

    def allocate(self, weights: Sequence[int]) -> tuple[Money, ...]:
        """Parts in proportion to ``weights`` that sum to this amount; see ``share``."""
        return tuple(Money(part, self.currency) for part in share(self.minor, weights))

    def split(self, count: int) -> tuple[Money, ...]:
        """``count`` equal parts; where they cannot be equal, the earliest are one minor unit larger.

        Raises:
            InputError: ``count`` is below 1.
        """
        return self.allocate((1,) * count)

    def _minor_of(self, other: Money) -> int:
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return other.minor

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._minor_of(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._minor_of(other), self.currency)

    def __mul__(self, factor: int) -> Money:
        if type(factor) is not int:  # a float would slip through into ``minor``
            return NotImplemented
        return Money(self.minor * factor, self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.minor), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._minor_of(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._minor_of(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._minor_of(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._minor_of(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.decimal:f} {self.currency}"


def at_most(code: str, asked_minor: int, most_minor: int, currency: str) -> Refusal | None:
    """The refusal of more money than there is."""
    if asked_minor <= most_minor:
        return None
    said = {"wanted": str(Money(asked_minor, currency)), "possible": str(Money(most_minor, currency))}
    return refuse(code, "{wanted} wanted, {possible} possible", **said, asked=asked_minor, most=most_minor)
