"""Tax: what a document owes, in groups of (category, rate).

All amounts are integers, in minor units. A policy says where a fraction is rounded (on each unit, on each line, or once
for each group of the document, as Japan's qualified invoices demand: 消費税法施行令 第70条の10) and whether prices
contain the tax.

Allowances and charges of a document are lines too, with a category of their own and the sign of their effect; or they
are shared over the lines first, with ``spread``.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, NamedTuple

from attrs import frozen

from orderflow.domain.engine.bounds import Between, Id, Length
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.schema import check
from orderflow.domain.engine.text import NUMBER, TextForm, decimal_text
from orderflow.domain.money.money import Money, check_money, exact_decimal
from orderflow.domain.money.split import Rounding, round_ratio, share
from orderflow.errors import InputError

__all__ = [
    "DatedRate",
    "TaxCategory",
    "TaxGroup",
    "TaxPolicy",
    "TaxRounding",
    "TaxableLine",
    "Totals",
    "category_at",
    "spread",
    "tax_groups",
    "tax_on",
    "totals",
    "totals_of_groups",
]


#: A rate in percent.
Rate = Annotated[Decimal, Between(0, 100)]


class TaxRounding(enum.Enum):
    """Where the fraction of a minor unit of tax is rounded."""

    PER_UNIT = "per_unit"
    """On each unit; a line's tax is the sum over its units."""
    PER_LINE = "per_line"
    """On each line."""
    PER_DOCUMENT = "per_document"
    """Once on the sum of each (category, rate) of the document."""


class DatedRate(NamedTuple):
    """The rate of a category, in percent, from a day on."""

    code: Id
    since: date
    rate: Rate


@frozen(eq=False, repr=False)
class TaxPolicy(Record):
    """How a shop counts amounts and tax: where it rounds, whether prices include tax, and which way fractions go.

    ``rounding`` is for amounts of lines, and for tax unless ``tax_rounding`` says otherwise. With
    ``round_unit_prices`` a price with more decimals than its currency is rounded before it is multiplied; without, the
    line's amount is rounded once. ``rates``, where they are given, say the rate of a category at the tax point, the day
    of the bill; an order keeps its categories.
    """

    rounding_level: TaxRounding = TaxRounding.PER_DOCUMENT
    prices_include_tax: bool = False
    rounding: Rounding = Rounding.HALF_UP
    tax_rounding: Rounding | None = None
    round_unit_prices: bool = False
    rates: Annotated[tuple[DatedRate, ...], Length(0, 100)] = ()


@frozen(cache_hash=True)
class TaxCategory:
    """A category and its rate in percent. Zero-rated, exempt and reverse charge differ by ``code``.

    ``code`` may come from any vocabulary, such as that of EN 16931: S standard, Z zero-rated, E exempt, AE reverse
    charge, O outside the scope. Plain construction checks nothing.
    """

    code: Id
    rate: Rate

    text_form: ClassVar[TextForm]

    @classmethod
    def of(cls, code: str, rate: str | int | Decimal) -> TaxCategory:
        """A checked category: ``TaxCategory.of("S", "7.7")``.

        Raises:
            InputError: a blank code, or a rate that is not a plain decimal from 0 to 100.
        """
        category = cls(code, exact_decimal(rate, "rate"))
        check(category)
        return category


def _category_text(category: TaxCategory) -> str:
    return f"{category.code} {decimal_text(category.rate)}"


def _read_category(text: str) -> TaxCategory:
    code, _, rate = text.rpartition(" ")
    return TaxCategory(code, Decimal(rate))


TaxCategory.text_form = TextForm(_category_text, _read_category, re.compile(f".+ {NUMBER}"), "S 25")


@frozen(eq=False, repr=False)
class TaxableLine(Record):
    """A line, allowance or charge; its minor units contain tax if ``prices_include_tax`` of the policy says so.

    An allowance is negative. ``quantity`` matters only where tax is rounded per unit.
    """

    amount_minor: int
    category: TaxCategory
    quantity: int = 1


@frozen(eq=False, repr=False)
class TaxGroup(Record):
    """The sums of one (category, rate) in minor units: ``taxable_minor + tax_minor == gross_minor``."""

    category: TaxCategory
    taxable_minor: int
    tax_minor: int
    gross_minor: int

    @property
    def rate(self) -> Decimal:
        """The rate of the category, in percent."""
        return self.category.rate


@frozen(eq=False, repr=False)
class Totals(Record):
    """The sums of a document in minor units of ``currency``, and the tax groups they are made of."""

    net_minor: int
    tax_minor: int
    gross_minor: int
    groups: tuple[TaxGroup, ...]
    currency: str

    @property
    def net(self) -> Money:
        """The sum without tax."""
        return Money(self.net_minor, self.currency)

    @property
    def tax(self) -> Money:
        """The tax."""
        return Money(self.tax_minor, self.currency)

    @property
    def gross(self) -> Money:
        """The sum with tax."""
        return Money(self.gross_minor, self.currency)


def category_at(category: TaxCategory, policy: TaxPolicy, on: date) -> TaxCategory:
    """The category with its rate at the tax point ``on``: the latest of the policy's rates, or its own."""
    rates = [dated for dated in policy.rates if dated.code == category.code and dated.since <= on]
    return TaxCategory(category.code, max(rates, key=lambda dated: dated.since).rate) if rates else category


def tax_on(amount_minor: int, rate: Decimal, policy: TaxPolicy) -> int:
    """The tax on, or with ``policy.prices_include_tax`` within, one amount; rounded once, minor units."""
    numerator, denominator = rate.as_integer_ratio()
    base = 100 * denominator + (numerator if policy.prices_include_tax else 0)
    return round_ratio(amount_minor * numerator, base, policy.tax_rounding or policy.rounding)


def tax_groups(lines: Iterable[TaxableLine], policy: TaxPolicy) -> tuple[TaxGroup, ...]:
    """The groups of ``lines`` in order of first appearance, with tax rounded where ``policy.rounding_level`` says.

    Raises:
        InputError: tax is rounded on each unit and a line has no unit.
    """
    by_category: dict[TaxCategory, list[TaxableLine]] = {}
    for line in lines:
        by_category.setdefault(line.category, []).append(line)
    return tuple([_group(category, members, policy) for category, members in by_category.items()])


def _group(category: TaxCategory, lines: Sequence[TaxableLine], policy: TaxPolicy) -> TaxGroup:
    amount = sum([line.amount_minor for line in lines])
    if policy.rounding_level is TaxRounding.PER_DOCUMENT:
        tax = tax_on(amount, category.rate, policy)
    elif policy.rounding_level is TaxRounding.PER_LINE:
        tax = sum(tax_on(line.amount_minor, category.rate, policy) for line in lines)
    else:
        tax = sum(_tax_by_unit(line, policy) for line in lines)
    if policy.prices_include_tax:
        return TaxGroup(category, amount - tax, tax, amount)
    return TaxGroup(category, amount, tax, amount + tax)


def _tax_by_unit(line: TaxableLine, policy: TaxPolicy) -> int:
    """Units of one line differ by at most one minor unit, because its amount is split by the largest remainder."""
    if line.quantity < 1:
        raise InputError.at("quantity", "out_of_range", "must be at least 1 where tax is rounded per unit")
    sign = -1 if line.amount_minor < 0 else 1
    unit, larger = divmod(abs(line.amount_minor), line.quantity)
    rate = line.category.rate
    plain_tax, larger_tax = tax_on(unit, rate, policy), tax_on(unit + 1, rate, policy)
    return sign * (plain_tax * (line.quantity - larger) + larger_tax * larger)


def totals(lines: Iterable[TaxableLine], policy: TaxPolicy, currency: str) -> Totals:
    """The sums of a document over its tax groups.

    Raises:
        InputError: a sum exceeds ``MAX_MONEY_MINOR``, or as ``tax_groups``.
    """
    return totals_of_groups(tax_groups(lines, policy), currency)


def totals_of_groups(groups: tuple[TaxGroup, ...], currency: str) -> Totals:
    """The sums of a document that consists of these tax groups, each category once.

    Raises:
        InputError: a sum exceeds ``MAX_MONEY_MINOR``.
    """
    net = check_money(sum([group.taxable_minor for group in groups]), "net")
    tax = check_money(sum([group.tax_minor for group in groups]), "tax")
    return Totals(net, tax, check_money(net + tax, "gross"), groups, currency)


def spread(discount_minor: int, line_minors: Sequence[int]) -> tuple[int, ...]:
    """A discount's share for each line, in proportion to its amount, by the largest remainder; sums exactly.

    A negative line, itself an allowance, bears no share. The shares must be frozen when the order is placed.

    Raises:
        InputError: there is no line.
    """
    return share(discount_minor, [max(minor, 0) for minor in line_minors])
