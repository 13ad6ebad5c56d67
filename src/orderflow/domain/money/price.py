"""Prices: an exact decimal for a number of units. A price is not money until a line amount is rounded."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from orderflow.domain.engine.limits import MAX_MONEY_MINOR, check_quantity
from orderflow.domain.money.currencies import EXPONENTS, currency_faults, exponent
from orderflow.domain.money.money import Money, exact_decimal
from orderflow.domain.money.split import Rounding, round_ratio
from orderflow.errors import Fault, InputError

__all__ = ["Price", "price_faults"]


@frozen
class Price:
    """``amount`` of ``currency``, in major units, for every ``per`` units: 0.3492 EUR per 1, 1785 per 365.

    Plain construction checks nothing; prices from outside come through ``Price.of`` or ``price_faults``.
    """

    amount: Decimal
    currency: str
    per: int = 1

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str, per: int = 1) -> Price:
        """A checked price: ``Price.of("0.3492", "EUR")``.

        Raises:
            InputError: not a plain decimal of at most 18 and 12 digits, an unknown currency, a base below 1.
        """
        exponent(currency)
        if fault := check_quantity(per, "per"):
            raise InputError((fault,))
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

    def unit_minor(self, rounding: Rounding = Rounding.HALF_UP) -> int:
        """One unit in minor units, rounded. To price a line use ``line_minor``, which rounds the whole line once."""
        return self.line_minor(1, rounding)

    def faults(self) -> list[Fault]:
        """What annotations do not say: the currency is known, the base is at least 1 unit."""
        if self.per == 1 and self.currency in EXPONENTS:
            return []
        faults = currency_faults(self.currency, "currency")
        fault = check_quantity(self.per, "per")
        return [*faults, fault] if fault else faults

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}" + (f" / {self.per}" if self.per != 1 else "")


def price_faults(value: object, path: str) -> list[Fault]:
    """What is wrong with a value that must be a Price of at least 0 in a known currency."""
    if not isinstance(value, Price):
        return [Fault(path, "type", f"must be a price, not {type(value).__name__}")]
    faults = _amount_faults(value.amount, f"{path}.amount") + currency_faults(value.currency, f"{path}.currency")
    if fault := check_quantity(value.per, f"{path}.per"):
        faults.append(fault)
    return faults


def _amount_faults(amount: object, path: str) -> list[Fault]:
    if not isinstance(amount, Decimal):
        return [Fault(path, "type", f"must be a decimal, not {type(amount).__name__}")]
    try:
        exact = exact_decimal(amount, path)
    except InputError as error:
        return list(error.faults)
    return [Fault(path, "range", f"must be from 0 to {MAX_MONEY_MINOR}")] if not 0 <= exact <= MAX_MONEY_MINOR else []
