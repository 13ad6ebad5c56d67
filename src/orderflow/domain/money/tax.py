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
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Final, NamedTuple

from attrs import evolve, frozen

from orderflow.domain.engine.bounds import Between, Length, Text
from orderflow.domain.engine.limits import MAX_ID
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.schema import check
from orderflow.domain.engine.text import NUMBER, TextForm, decimal_text
from orderflow.domain.money.money import Money, check_money, exact_decimal
from orderflow.domain.money.split import Rounding, round_ratio, share
from orderflow.errors import Fault, InputError

__all__ = [
    "DatedRate",
    "Tax",
    "TaxCategory",
    "TaxGroup",
    "TaxPolicy",
    "TaxRounding",
    "TaxableLine",
    "Totals",
    "amount_of",
    "cash_rounding",
    "category_at",
    "gross_of",
    "group_of",
    "includes_tax",
    "spread",
    "tax_groups",
    "tax_on",
    "totals",
    "totals_of_groups",
]


#: The code of a tax.
TaxCode = Annotated[str, Text(MAX_ID, least=1, without=";")]
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

    code: TaxCode
    since: date
    rate: Rate


class TaxPolicy(Record):
    """How a shop counts amounts and tax: where it rounds, whether prices include tax, and which way fractions go.

    ``rounding`` is for amounts of lines, and for tax unless ``tax_rounding`` says otherwise. With
    ``round_unit_prices`` a price with more decimals than its currency is rounded before it is multiplied; without, the
    line's amount is rounded once. ``rates``, where they are given, say the rate of a category at the tax point, the day
    of the bill; an order keeps its categories. ``cash_rounding_minor`` is the smallest coin, where documents come to a
    multiple of it (5 for 0.05 CHF), the nearest, a half away from zero; 0 for none. Invoices for parts of an order that
    is paid beforehand sum to its total: their tax is one running sum, or with ``round_parts`` each has the tax of its
    own lines, and is rounded outside of the tax.
    """

    rounding_level: TaxRounding = TaxRounding.PER_DOCUMENT
    prices_include_tax: bool = False
    rounding: Rounding = Rounding.HALF_UP
    tax_rounding: Rounding | None = None
    round_unit_prices: bool = False
    rates: Annotated[tuple[DatedRate, ...], Length(0, 100)] = ()
    cash_rounding_minor: Annotated[int, Between(0, 10_000)] = 0
    round_parts: bool = False

    def faults(self) -> Iterator[Fault]:
        """What parts come to is known beforehand only at rates that stay."""
        if self.round_parts and self.rates:
            yield Fault("round_parts", "not_possible", "is not possible with dated rates")


class Tax(NamedTuple):
    """One more tax of a line, and its rate in percent."""

    code: TaxCode
    rate: Rate


@frozen(cache_hash=True)
class TaxCategory:
    """A category and its rate in percent. Zero-rated, exempt and reverse charge differ by ``code``.

    ``code`` may come from any vocabulary, such as that of EN 16931: S standard, Z zero-rated, E exempt, AE reverse
    charge, O outside the scope. ``included``: whether prices of this category contain the tax; None as the policy says.
    ``also`` are more taxes on the same amount, each rounded and shown on its own (GST and PST); they need prices
    without tax. Plain construction checks nothing.
    """

    code: TaxCode
    rate: Rate
    included: bool | None = None
    also: Annotated[tuple[Tax, ...], Length(0, 9)] = ()

    text_form: ClassVar[TextForm]

    @classmethod
    def of(
        cls, code: str, rate: str | int | Decimal, *also: tuple[str, str | int | Decimal], included: bool | None = None
    ) -> TaxCategory:
        """A checked category: ``TaxCategory.of("S", "7.7")``, or ``TaxCategory.of("GST", 5, ("PST", 7))``.

        Raises:
            InputError: a blank code or one that comes twice, a rate that is not a plain decimal from 0 to 100, or
                several taxes in one price.
        """
        more = tuple([Tax(name, exact_decimal(percent, "rate")) for name, percent in also])
        category = cls(code, exact_decimal(rate, "rate"), included, more)
        check(category)
        return category

    def faults(self) -> Iterator[Fault]:
        """Several taxes have codes of their own, and stand beside the price."""
        codes = [self.code, *[tax.code for tax in self.also]]
        if len(set(codes)) < len(codes):
            yield Fault("also", "repeated", "names a code a second time")
        if self.also and self.included:
            yield Fault("included", "not_possible", "several taxes need prices without tax")

    def taxes(self) -> Iterator[TaxCategory]:
        """Each of its taxes as a category of its own."""
        if not self.also:
            yield self
            return
        yield TaxCategory(self.code, self.rate, self.included)
        yield from [TaxCategory(code, rate, self.included) for code, rate in self.also]


def includes_tax(category: TaxCategory, policy: TaxPolicy) -> bool:
    """Whether prices of this category contain the tax."""
    return policy.prices_include_tax if category.included is None else category.included


_INCLUDED: Final = {None: "", True: " incl", False: " excl"}


def _category_text(category: TaxCategory) -> str:
    taxes = "; ".join(
        [f"{code} {decimal_text(rate)}" for code, rate in [(category.code, category.rate), *category.also]]
    )
    return taxes + _INCLUDED[category.included]


def _read_category(text: str) -> TaxCategory:
    stated = [included for included, word in _INCLUDED.items() if word and text.endswith(word)]
    first, *also = text.removesuffix(" incl").removesuffix(" excl").split("; ")
    return TaxCategory(*_read_tax(first), stated[0] if stated else None, tuple(map(_read_tax, also)))


def _read_tax(text: str) -> Tax:
    code, _, rate = text.rpartition(" ")
    return Tax(code, Decimal(rate))


_TAX: Final = f"[^;]+ {NUMBER}"
TaxCategory.text_form = TextForm(_category_text, _read_category, re.compile(f"{_TAX}(; {_TAX})*( incl| excl)?"), "S 25")


class TaxableLine(Record):
    """A line, allowance or charge; its category or else the policy says whether its minor units contain tax.

    An allowance is negative. ``quantity`` matters only where tax is rounded per unit. ``repeated``: the amount is
    counted already, with another of its taxes.
    """

    amount_minor: int
    category: TaxCategory
    quantity: int = 1
    repeated: bool = False


class TaxGroup(Record):
    """The sums of one (category, rate) in minor units: ``taxable_minor + tax_minor == gross_minor``.

    ``repeated_minor`` of what is taxable is taxed in another group too, and counted there.
    """

    category: TaxCategory
    taxable_minor: int
    tax_minor: int
    gross_minor: int
    repeated_minor: int = 0

    @property
    def rate(self) -> Decimal:
        """The rate of the category, in percent."""
        return self.category.rate

    def with_more(self, other: TaxGroup) -> TaxGroup:
        """The sums of both, in this group's category."""
        return TaxGroup(
            self.category,
            self.taxable_minor + other.taxable_minor,
            self.tax_minor + other.tax_minor,
            self.gross_minor + other.gross_minor,
            self.repeated_minor + other.repeated_minor,
        )


class Totals(Record):
    """The sums of a document in minor units of ``currency``, and the tax groups they are made of.

    ``gross_minor`` is what is to be paid: net, tax, and outside of both ``rounding_minor`` (EN 16931, BT-114).
    """

    net_minor: int
    tax_minor: int
    gross_minor: int
    groups: tuple[TaxGroup, ...]
    currency: str
    rounding_minor: int = 0

    @property
    def by_rate(self) -> tuple[TaxGroup, ...]:
        """The groups as a document shows them: prices with and without tax together, one for each code and rate."""
        shown: dict[tuple[str, Decimal], TaxGroup] = {}
        for group in self.groups:
            code, rate = group.category.code, group.category.rate
            known = shown.get((code, rate), TaxGroup(TaxCategory(code, rate), 0, 0, 0))
            shown[code, rate] = known.with_more(group)
        return tuple(shown.values())

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
    """The category with its rates at the tax point ``on``: the latest of the policy's rates, or its own."""
    also = tuple([Tax(code, _rate_at(code, rate, policy, on)) for code, rate in category.also])
    return evolve(category, rate=_rate_at(category.code, category.rate, policy, on), also=also)


def _rate_at(code: str, rate: Decimal, policy: TaxPolicy, on: date) -> Decimal:
    rates = [dated for dated in policy.rates if dated.code == code and dated.since <= on]
    return max(rates, key=lambda dated: dated.since).rate if rates else rate


def tax_on(amount_minor: int, category: TaxCategory, policy: TaxPolicy) -> int:
    """The tax on one amount, or within it where that includes tax; rounded once, minor units."""
    numerator, denominator = category.rate.as_integer_ratio()
    base = 100 * denominator + (numerator if includes_tax(category, policy) else 0)
    return round_ratio(amount_minor * numerator, base, policy.tax_rounding or policy.rounding)


def tax_groups(lines: Iterable[TaxableLine], policy: TaxPolicy) -> tuple[TaxGroup, ...]:
    """The groups of ``lines`` in order of first appearance, with tax rounded where ``policy.rounding_level`` says.

    Raises:
        InputError: tax is rounded on each unit and a line has no unit.
    """
    by_category: dict[TaxCategory, list[TaxableLine]] = {}
    for line in lines:
        own = line.category
        for part in (line,) if own.included is None and not own.also else _by_tax(line, policy):
            by_category.setdefault(part.category, []).append(part)
    return tuple([_group(category, members, policy) for category, members in by_category.items()])


def _by_tax(line: TaxableLine, policy: TaxPolicy) -> Iterator[TaxableLine]:
    """Each tax of a line; a category that says what the policy says too is rounded with those that say nothing."""
    included = None if line.category.included is policy.prices_include_tax else line.category.included
    for place, category in enumerate(line.category.taxes()):
        one = TaxCategory(category.code, category.rate, included)
        yield TaxableLine(line.amount_minor, one, line.quantity, repeated=place > 0)


def _group(category: TaxCategory, lines: Sequence[TaxableLine], policy: TaxPolicy) -> TaxGroup:
    amount = sum([line.amount_minor for line in lines])
    if policy.rounding_level is TaxRounding.PER_DOCUMENT:
        tax = tax_on(amount, category, policy)
    elif policy.rounding_level is TaxRounding.PER_LINE:
        tax = sum(tax_on(line.amount_minor, category, policy) for line in lines)
    else:
        tax = sum(_tax_by_unit(line, policy) for line in lines)
    repeated = sum([line.amount_minor for line in lines if line.repeated])
    return group_of(category, amount, tax, policy, repeated)


def group_of(
    category: TaxCategory, amount_minor: int, tax_minor: int, policy: TaxPolicy, repeated_minor: int = 0
) -> TaxGroup:
    """A group of what prices say and of its tax."""
    net = amount_minor - tax_minor if includes_tax(category, policy) else amount_minor
    return TaxGroup(category, net, tax_minor, net + tax_minor, repeated_minor)


def amount_of(group: TaxGroup, policy: TaxPolicy) -> int:
    """What the prices of a group say, in minor units: with the tax or without it."""
    return group.gross_minor if includes_tax(group.category, policy) else group.taxable_minor


def gross_of(groups: Iterable[TaxGroup]) -> int:
    """What groups come to, in minor units; what several taxes are on counts once."""
    return sum([group.gross_minor - group.repeated_minor for group in groups])


def _tax_by_unit(line: TaxableLine, policy: TaxPolicy) -> int:
    """Units of one line differ by at most one minor unit, because its amount is split by the largest remainder."""
    if line.quantity < 1:
        raise InputError.at("quantity", "out_of_range", "must be at least 1 where tax is rounded per unit")
    sign = -1 if line.amount_minor < 0 else 1
    unit, larger = divmod(abs(line.amount_minor), line.quantity)
    plain_tax, larger_tax = tax_on(unit, line.category, policy), tax_on(unit + 1, line.category, policy)
    return sign * (plain_tax * (line.quantity - larger) + larger_tax * larger)


def totals(lines: Iterable[TaxableLine], policy: TaxPolicy, currency: str) -> Totals:
    """The sums of a document over its tax groups.

    Raises:
        InputError: a sum exceeds ``MAX_MONEY_MINOR``, or as ``tax_groups``.
    """
    groups = tax_groups(lines, policy)
    return totals_of_groups(groups, currency, cash_rounding(gross_of(groups), policy))


def cash_rounding(gross_minor: int, policy: TaxPolicy) -> int:
    """What makes a sum payable in cash, in minor units."""
    coin = policy.cash_rounding_minor
    return coin * round_ratio(gross_minor, coin) - gross_minor if coin else 0


def totals_of_groups(groups: tuple[TaxGroup, ...], currency: str, rounding_minor: int = 0) -> Totals:
    """The sums of a document that consists of these tax groups, each category once, and is rounded for cash.

    Raises:
        InputError: a sum exceeds ``MAX_MONEY_MINOR``.
    """
    net = check_money(sum([group.taxable_minor - group.repeated_minor for group in groups]), "net")
    tax = check_money(sum([group.tax_minor for group in groups]), "tax")
    return Totals(net, tax, check_money(net + tax + rounding_minor, "gross"), groups, currency, rounding_minor)


def spread(discount_minor: int, line_minors: Sequence[int]) -> tuple[int, ...]:
    """A discount's share for each line, in proportion to its amount, by the largest remainder; sums exactly.

    A negative line, itself an allowance, bears no share. The shares must be frozen when the order is placed.

    Raises:
        InputError: there is no line.
    """
    return share(discount_minor, [max(minor, 0) for minor in line_minors])
