"""Hypothesis strategies for messages, states and values, derived from their annotations.

They keep within the bounds that a class sets for its fields (``Quantity``, ``Id``, ``Name`` and the like), so what
:func:`message` draws has no faults, for your own classes as for ours::

    @given(message(PlaceOrder))
    def test_our_rule_never_raises(command): ...

Identifiers, times and currencies come from small pools about half of the time, so that independently drawn messages
refer to the same things; the rest range over all allowed values. A state drawn here has only the right shape: it need
not satisfy the invariants of its machine.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

from hypothesis import strategies as st

from orderflow.domain.engine.bounds import Between, Known, Length, Name, Text, fields_of, is_record, parts_of
from orderflow.domain.engine.limits import MAX_MONEY_MINOR, MAX_NAME
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.money.calendar import PaymentTerms, RollDirection, StepOrder
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import LineKind, OrderContent, OrderLine, line_minor
from orderflow.domain.values import Sku

__all__ = [
    "categories",
    "contents",
    "currencies",
    "decimals",
    "message",
    "money",
    "prices",
    "terms",
    "texts",
    "times",
    "value",
]

T = TypeVar("T")

_IDS: Final = ("A-1", "A-2", "B-1", "TOKYO", "注文-1")
_CURRENCIES: Final = ("JPY", "EUR", "GBP", "USD", "BHD")
_RATES: Final = ("0", "5.5", "8", "10", "20")
_ZONES: Final = ("UTC", "Asia/Tokyo", "Europe/London", "America/New_York")
_MOST_CHARACTERS, _MORE_ITEMS = 20, 3
_FIRST, _LAST = datetime(2000, 1, 1), datetime(2099, 12, 31, 23, 59, 59)  # noqa: DTZ001 - Hypothesis adds the zone

# Texts may not contain control and format characters, surrogates, unassigned code points or line separators.
_LETTERS = st.characters(exclude_categories=("C", "Zl", "Zp"))
_LETTERS_AND_BREAKS = st.one_of(_LETTERS, st.sampled_from("\n\t"))


def message(kind: type[T]) -> st.SearchStrategy[T]:
    """Instances of a message, state or value class that have no faults."""
    annotation: Any = kind
    drawn: st.SearchStrategy[T] = value(annotation)
    return drawn


@cache
def value(annotation: Any) -> st.SearchStrategy[Any]:
    """Values within the bounds of an annotation: a class, ``X | None``, ``tuple[...]``, ``Annotated[...]``."""
    base, bound = parts_of(annotation)
    if type(bound) in _BOUNDED:
        return _BOUNDED[type(bound)](base, bound)
    if get_origin(base) is tuple:
        return _tuples(get_args(base), bound or Length(0, _MORE_ITEMS))
    if get_origin(base) in {Union, types.UnionType}:
        return st.one_of(*[value(choice) for choice in get_args(base)])
    return _of_class(base)


def _of_class(kind: Any) -> st.SearchStrategy[Any]:
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if kind in _KNOWN:
        return _KNOWN[kind]
    if is_record(kind):
        return _records(kind)
    return st.sampled_from(kind) if issubclass(kind, Enum) else st.from_type(kind)


def _records(kind: Any) -> st.SearchStrategy[Any]:
    drawn = st.builds(kind, **{field.name: value(field.kind) for field in fields_of(kind)})
    return drawn.filter(lambda made: not faults_of(made)) if hasattr(kind, "faults") else drawn


def _known(base: Any, bound: Known) -> st.SearchStrategy[str]:
    """Known names: those in our pools, or, if none of them is known, any text that is."""
    pool = [name for name in (*_CURRENCIES, *_ZONES, *_IDS) if bound.has(name)]
    return st.sampled_from(pool) if pool else texts(Text(MAX_NAME)).filter(bound.has)


def _numbers(base: Any, bound: Between) -> st.SearchStrategy[Any]:
    if base is Decimal:
        return decimals(bound.least, bound.most, 6)
    low = max(bound.least, 0)
    return st.one_of(st.integers(low, min(bound.most, low + 5)), st.integers(bound.least, bound.most))


def texts(bound: Text) -> st.SearchStrategy[str]:
    """Texts within ``bound`` without control characters, no longer than 20 where possible; not blank if required."""
    letters = _LETTERS_AND_BREAKS if bound.lines else _LETTERS
    drawn = st.text(letters, min_size=bound.least, max_size=min(bound.most, max(_MOST_CHARACTERS, bound.least)))
    some = drawn.filter(lambda text: bool(text.strip() or not bound.least) and not _holds(text, bound.without))
    pool = [text for text in _IDS if bound.least <= len(text) <= bound.most and not _holds(text, bound.without)]
    return st.one_of(st.sampled_from(pool), some) if pool else some


def _holds(text: str, part: str) -> bool:
    return bool(part) and part in text


def _tuples(items: tuple[Any, ...], length: Length) -> st.SearchStrategy[tuple[Any, ...]]:
    if items[1:] != (Ellipsis,):
        return st.tuples(*[value(item) for item in items])
    most = min(length.most, length.least + _MORE_ITEMS)
    return st.lists(value(items[0]), min_size=length.least, max_size=most).map(tuple)


def times() -> st.SearchStrategy[datetime]:
    """Aware times in UTC, from 2000 to 2099, to the second or to the microsecond."""
    drawn = st.datetimes(_FIRST, _LAST, timezones=st.just(UTC))
    return st.one_of(st.sampled_from(_POOL_OF_TIMES), drawn.map(lambda at: at.replace(microsecond=0)), drawn)


_POOL_OF_TIMES = (datetime(2026, 3, 31, 9, 30, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


def decimals(least: int, most: int, places: int) -> st.SearchStrategy[Decimal]:
    """Decimals from ``least`` to ``most`` with up to ``places`` decimal places."""
    scaled = st.integers(0, places).flatmap(
        lambda digits: st.integers(least * 10**digits, most * 10**digits).map(lambda n: Decimal(n).scaleb(-digits))
    )
    return st.one_of(st.integers(least, most).map(Decimal), scaled)


def currencies() -> st.SearchStrategy[str]:
    """Currencies with 0, 2 and 3 decimals."""
    return st.sampled_from(_CURRENCIES)


def money() -> st.SearchStrategy[Money]:
    """Amounts of either sign, up to the limit."""
    minor = st.one_of(st.integers(0, 1000), st.integers(-MAX_MONEY_MINOR, MAX_MONEY_MINOR))
    return st.builds(Money, minor, currencies())


def prices(currency: str | None = None) -> st.SearchStrategy[Price]:
    """Prices from 0 to 100,000 per 1 unit or per a larger base, in one currency or in any."""
    bases = st.sampled_from((1, 1, 100, 365, 1000))
    return st.builds(Price, decimals(0, 100_000, 4), st.just(currency) if currency else currencies(), bases)


def categories() -> st.SearchStrategy[TaxCategory]:
    """Tax categories from 0 to 100 percent, often with a common rate."""
    rates = st.one_of(st.sampled_from(_RATES).map(Decimal), decimals(0, 100, 2))
    return st.builds(TaxCategory, st.sampled_from(("S", "Z", "E", "AE")), rates)


_STEPS: Final = st.sampled_from(get_args(StepOrder))


def terms() -> st.SearchStrategy[PaymentTerms]:
    """Payment terms of at most about a year."""
    day, free_days = (
        st.one_of(st.none(), st.integers(1, 31)),
        st.lists(st.dates(_FIRST.date(), _LAST.date()), max_size=3),
    )
    months, days, business = st.integers(0, 6), st.integers(0, 180), st.sampled_from(get_args(RollDirection))
    common = {"cutoff_day": day, "months": months, "days": days, "business": business, "holidays": free_days.map(tuple)}
    return st.one_of(
        st.builds(PaymentTerms, end_of_month=st.just(value=True), due_day=st.none(), order=_STEPS, **common),
        st.builds(PaymentTerms, end_of_month=st.just(value=False), due_day=day, order=_STEPS, **common),
        st.builds(PaymentTerms, end_of_month=st.just(value=True), due_day=day, order=st.just("days_months"), **common),
    )


@st.composite
def _lines(draw: st.DrawFn, number: int, currency: str, policy: TaxPolicy) -> OrderLine:
    quantity, price = draw(st.integers(1, 1000)), draw(prices(currency))
    most = max(0, min(100, line_minor(price, quantity, policy)))
    return OrderLine.of(
        number,
        draw(value(Sku)),
        quantity,
        price,
        draw(categories()),
        description=draw(value(Name)),
        kind=draw(st.sampled_from(LineKind)),
        discount_minor=draw(st.integers(0, most)),
        weight_grams=draw(st.integers(0, 5000)),
        policy=policy,
    )


@st.composite
def contents(draw: st.DrawFn, most_lines: int = 3) -> OrderContent:
    """Order contents of 1 to ``most_lines`` lines, with amounts that follow from their prices."""
    currency, tax = draw(currencies()), draw(message(TaxPolicy))
    count = draw(st.integers(1, most_lines))
    others = [field for field in fields_of(OrderContent) if field.name not in {"currency", "lines", "tax", "discounts"}]
    return OrderContent(
        currency=currency,
        lines=tuple(draw(_lines(number, currency, tax)) for number in range(1, count + 1)),
        tax=tax,
        **draw(st.fixed_dictionaries({field.name: value(field.kind) for field in others})),
    )


_BOUNDED: Final[dict[Any, Callable[[Any, Any], st.SearchStrategy[Any]]]] = {
    Between: _numbers,
    Known: _known,
    Text: lambda base, bound: texts(bound),
}

_KNOWN: Final[dict[Any, st.SearchStrategy[Any]]] = {
    int: st.integers(-MAX_MONEY_MINOR, MAX_MONEY_MINOR),
    str: texts(Text(MAX_NAME)),
    bool: st.booleans(),
    type(None): st.none(),
    datetime: times(),
    date: st.dates(_FIRST.date(), _LAST.date()),
    Decimal: decimals(-(10**12), 10**12, 6),
    Money: money(),
    PaymentTerms: terms(),
    Price: prices(),
    TaxCategory: categories(),
    OrderContent: contents(),
}
"""The strategies for classes that their annotations do not fully describe."""
