"""Tax of parts: of a bill for some of an order's units, and of what credits leave of an invoice.

Both follow running sums, so that the parts of a whole end exactly on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orderflow.domain.money.tax import (
    TaxableLine,
    TaxCategory,
    TaxGroup,
    TaxPolicy,
    Totals,
    tax_groups,
    totals_of_groups,
)

__all__ = ["cumulated", "less", "remaining"]


def cumulated(
    part: Sequence[TaxableLine], after: Sequence[TaxableLine], taxed: Mapping[TaxCategory, int], policy: TaxPolicy
) -> tuple[TaxGroup, ...]:
    """The groups of a part bill: the tax of all that is charged ``after`` it, less what was ``taxed`` before.

    Tax has the sign of what it is on: where rounding has taxed too much before, a part is free of tax, and never less.
    """
    whole = {group.category: group.tax_minor for group in tax_groups(after, policy)}
    groups = []
    for group in tax_groups(part, policy):
        tax = whole.get(group.category, 0) - taxed.get(group.category, 0)
        amount = group.gross_minor if policy.prices_include_tax else group.taxable_minor
        groups.append(_group(group, max(0, tax) if amount >= 0 else min(0, tax), policy))
    return tuple(groups)


def remaining(billed: Totals, lines: Sequence[TaxableLine], left: Sequence[TaxableLine], policy: TaxPolicy) -> Totals:
    """What an invoice still charges when ``left`` is left of its ``lines``.

    Tax that was cumulated when it was billed differs from the tax of its own lines; that difference stays with it.
    """
    own = {group.category: group.tax_minor for group in tax_groups(lines, policy)}
    taxes = {group.category: group.tax_minor for group in billed.groups}
    groups = []
    for group in tax_groups(left, policy):
        billed_tax = taxes[group.category]
        low, high = sorted((0, billed_tax))
        groups.append(_group(group, min(high, max(low, group.tax_minor + billed_tax - own[group.category])), policy))
    return totals_of_groups(tuple(groups), billed.currency)


def less(one: Totals, other: Totals) -> Totals:
    """The difference of two sums, group by group."""
    taken = {group.category: (group.taxable_minor, group.tax_minor) for group in other.groups}
    groups = []
    for category, net, tax, gross in [(g.category, g.taxable_minor, g.tax_minor, g.gross_minor) for g in one.groups]:
        net_off, tax_off = taken.get(category, (0, 0))
        groups.append(TaxGroup(category, net - net_off, tax - tax_off, gross - net_off - tax_off))
    return totals_of_groups(tuple(groups), one.currency)


def _group(group: TaxGroup, tax: int, policy: TaxPolicy) -> TaxGroup:
    if policy.prices_include_tax:
        return TaxGroup(group.category, group.gross_minor - tax, tax, group.gross_minor)
    return TaxGroup(group.category, group.taxable_minor, tax, group.taxable_minor + tax)
