"""Values that are written as one text: how, how they are read back, and what such a text looks like.

A stored order is read by people with SQL at hand, so a price is ``"2.55 GBP"`` and not an object of three fields.
Times are ISO 8601 in UTC (RFC 3339), dates ISO 8601, decimals plain, never with an exponent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory
from orderflow.domain.values import PartyRef
from orderflow.errors import InputError

__all__ = ["FORMS", "Form"]


class Form(NamedTuple):
    """The text form of a class of values.

    ``read`` trusts its text; text from outside must match ``pattern`` first. ``example`` is for the error sentence.
    """

    write: Callable[[Any], str]
    read: Callable[[str], Any]
    pattern: re.Pattern[str]
    example: str


def _time_text(at: datetime) -> str:
    if at.tzinfo is None:
        raise InputError.at("", "naive_time", f"{at.isoformat()} must carry its time zone")
    return at.astimezone(UTC).isoformat()[:-6] + "Z"


def _read_time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return at.astimezone(UTC)


def _decimal_text(value: Decimal) -> str:
    return format(value, "f")


def _price_text(price: Price) -> str:
    text = f"{price.amount:f} {price.currency}"
    return text if price.per == 1 else f"{text}/{price.per}"


def _read_price(text: str) -> Price:
    amount, _, rest = text.partition(" ")
    currency, _, per = rest.partition("/")
    return Price(Decimal(amount), currency, int(per) if per else 1)


def _category_text(category: TaxCategory) -> str:
    return f"{category.code} {category.rate:f}"


def _read_category(text: str) -> TaxCategory:
    code, _, rate = text.rpartition(" ")
    return TaxCategory(code, Decimal(rate))


def _read_reference(text: str) -> PartyRef:
    party, _, version = text.rpartition("@")
    return PartyRef(party, int(version))


_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
_NUMBER = r"[0-9]{1,18}(\.[0-9]{1,12})?"

FORMS: Final[dict[type[Any], Form]] = {
    datetime: Form(
        _time_text, _read_time, re.compile(rf"{_DAY}T{_CLOCK}(Z|[+-][0-9]{{2}}:[0-9]{{2}})"), "2026-03-31T09:30:00Z"
    ),
    date: Form(date.isoformat, date.fromisoformat, re.compile(_DAY), "2026-03-31"),
    Decimal: Form(_decimal_text, Decimal, re.compile(f"-?{_NUMBER}"), "12.34"),
    Price: Form(
        _price_text, _read_price, re.compile(f"-?{_NUMBER} [A-Z]{{3}}(/[1-9][0-9]{{0,9}})?"), "2.55 GBP or 1785 JPY/365"
    ),
    TaxCategory: Form(_category_text, _read_category, re.compile(f".+ {_NUMBER}"), "S 25"),
    PartyRef: Form(str, _read_reference, re.compile(r".+@[1-9][0-9]{0,9}"), "ACME@1"),
}
"""The classes written as one text; every other class is an object or, if a named tuple, an array of its fields."""
