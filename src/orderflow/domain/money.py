"""Money: whole minor units of a currency, and the integer arithmetic under every amount.

Nothing here uses float, and nothing depends on the decimal context of the thread.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from attrs import frozen

from orderflow.domain.currencies import currency_faults, exponent
from orderflow.domain.limits import MAX_MONEY_MINOR
from orderflow.errors import CurrencyMismatch, Fault, InputError

__all__ = [
    "Money",
    "Rounding",
    "check_money",
    "cumulative",
    "exact_decimal",
    "money_faults",
    "parse_decimal",
    "round_ratio",
    "share",
]


class Rounding(enum.Enum):
    """How a fraction of a minor unit is rounded; -x always rounds to minus the rounding of x."""

    HALF_UP = "half_up"
    """To the nearest, a half away from zero (四捨五入)."""
    DOWN = "down"
    """Towards zero (切り捨て)."""
    UP = "up"
    """Away from zero (切り上げ)."""
    HALF_EVEN = "half_even"
    """To the nearest, a half to the even neighbour."""


_HALF_UP, _DOWN, _UP = Rounding.HALF_UP, Rounding.DOWN, Rounding.UP  # an enum's members are slow to look up


def round_ratio(numerator: int, denominator: int, rounding: Rounding = Rounding.HALF_UP) -> int:
    """``numerator / denominator`` as an integer, exactly rounded.

    Raises:
        InputError: the denominator is 0.
    """
    if not denominator:
        raise InputError.at("denominator", "zero", "must not be 0")
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    whole, rest = divmod(-numerator if numerator < 0 else numerator, denominator)
    if rest and _rounds_away(whole, 2 * rest - denominator, rounding):
        whole += 1
    return -whole if numerator < 0 else whole


def _rounds_away(whole: int, over_half: int, rounding: Rounding) -> bool:
    """Whether a magnitude of ``whole`` and a fraction goes up; ``over_half`` has the sign of fraction - 1/2."""
    if rounding is _HALF_UP:
        return over_half >= 0
    if rounding is _DOWN or rounding is _UP:
        return rounding is _UP
    return over_half > 0 or (over_half == 0 and whole % 2 == 1)


def share(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """``total`` over ``weights`` by the largest remainder, ties to the earliest; sums to ``total`` exactly.

    A negative total gives the negated shares of the positive one. Weights that are all 0 share equally.

    Raises:
        InputError: a weight is negative, or there is none to share over.
    """
    if not weights or min(weights) < 0:
        raise InputError.at("weights", "range", "must be one or more, none negative")
    if not (whole := sum(weights)):
        weights, whole = (1,) * len(weights), len(weights)
    parts = [divmod(abs(total) * weight, whole) for weight in weights]
    shares = [floor for floor, _ in parts]
    by_remainder = sorted(range(len(parts)), key=lambda at: -parts[at][1])
    for at in by_remainder[: abs(total) - sum(shares)]:
        shares[at] += 1
    return tuple(shares) if total >= 0 else tuple(-part for part in shares)


def cumulative(total: int, whole: int, before: int, part: int, rounding: Rounding = Rounding.HALF_UP) -> int:
    """The share of ``total`` for ``part`` of ``whole`` units when ``before`` units had theirs already.

    Each share is the difference of two rounded running sums, so the parts of a line end exactly on ``total``.

    Raises:
        InputError: the units do not fit into ``whole``.
    """
    if before < 0 or part < 0 or before + part > whole or whole < 1:
        raise InputError.at("part", "range", f"{before} + {part} units do not fit into {whole}")
    if part == whole:
        return total
    return round_ratio(total * (before + part), whole, rounding) - round_ratio(total * before, whole, rounding)


_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?")
_MOST_DIGITS, _MOST_DECIMALS = 18, 12


def parse_decimal(text: object, path: str = "") -> Decimal:
    """A decimal from text such as ``-12.34``: ASCII digits, at most 18 before and 12 after the point.

    Raises:
        InputError: anything else, such as an exponent, a sign +, blanks, separators, NaN.
    """
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise InputError.at(path, "decimal", "must be a plain decimal such as 12.34")
    return Decimal(text)


def exact_decimal(amount: str | int | Decimal, path: str = "") -> Decimal:
    """A finite decimal within the bounds of ``parse_decimal``, from text, an integer or a Decimal.

    Raises:
        InputError: out of bounds, not finite, or of another type; a float is never accepted.
    """
    if isinstance(amount, int) and not isinstance(amount, bool):
        return parse_decimal(str(amount) if abs(amount) < 10**_MOST_DIGITS else None, path)
    if isinstance(amount, Decimal):
        return parse_decimal(_plain(amount), path)
    return parse_decimal(amount, path)


def _plain(amount: Decimal) -> str | None:
    """Without exponent; None for what is no number, or too long to be worth writing out."""
    shift = amount.as_tuple().exponent
    fits = isinstance(shift, int) and shift >= -_MOST_DECIMALS and amount.adjusted() < _MOST_DIGITS
    return f"{amount:f}" if fits else None


def check_money(minor: int, path: str = "") -> int:
    """``minor`` itself when its magnitude is at most ``MAX_MONEY_MINOR``.

    Raises:
        InputError: it is larger.
    """
    if not -MAX_MONEY_MINOR <= minor <= MAX_MONEY_MINOR:
        raise InputError.at(path, "range", f"must be within {MAX_MONEY_MINOR} minor units of 0")
    return minor


def money_faults(value: object, path: str, *, least: int = -MAX_MONEY_MINOR) -> list[Fault]:
    """What is wrong with a value that must be a Money of at least ``least`` minor units."""
    if not isinstance(value, Money):
        return [Fault(path, "type", f"must be money, not {type(value).__name__}")]
    prefix = f"{path}." if path else ""
    faults = currency_faults(value.currency, f"{prefix}currency")
    if type(value.minor) is not int:
        faults.append(Fault(f"{prefix}minor", "type", "must be a whole number of minor units"))
    elif not least <= value.minor <= MAX_MONEY_MINOR:
        faults.append(Fault(f"{prefix}minor", "range", f"must be from {least} to {MAX_MONEY_MINOR} minor units"))
    return faults


@frozen
class Money:
    """An amount: ``minor`` units of ``currency`` (ISO 4217).

    Plain construction is cheap and checks nothing; it is for amounts that were computed. Amounts from outside
    come through ``Money.of``, which checks all, or are checked by ``money_faults``.
    """

    minor: int
    currency: str

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

    def faults(self) -> list[Fault]:
        """What annotations do not say: the currency is known."""
        return money_faults(self, "")

    def allocate(self, weights: Sequence[int]) -> tuple[Money, ...]:
        """Parts in proportion to ``weights`` that sum to this amount; see ``share``."""
        return tuple(Money(part, self.currency) for part in share(self.minor, weights))

    def split(self, count: int) -> tuple[Money, ...]:
        """``count`` equal parts, the earliest one minor unit larger where it does not divide.

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
