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
    amount_of,
    cash_rounding,
    gross_of,
    group_of,
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
        signed = max(0, tax) if amount_of(group, policy) >= 0 else min(0, tax)
        groups.append(_with_tax(group, signed, policy))
    return tuple(groups)


def remaining(billed: Totals, lines: Sequence[TaxableLine], left: Sequence[TaxableLine], policy: TaxPolicy) -> Totals:
    """What an invoice still charges when ``left`` is left of its ``lines``.

    Tax that was cumulated when it was billed differs from the tax of its own lines; that difference stays with it, and
    so does one of rounding.
    """
    own = {group.category: group.tax_minor for group in tax_groups(lines, policy)}
    taxes = {group.category: group.tax_minor for group in billed.groups}
    groups = []
    for group in tax_groups(left, policy):
        billed_tax = taxes[group.category]
        low, high = sorted((0, billed_tax))
        tax = min(high, max(low, group.tax_minor + billed_tax - own[group.category]))
        groups.append(_with_tax(group, tax, policy))
    gross = gross_of(groups)
    if not (policy.cash_rounding_minor or billed.rounding_minor) or not left:
        return totals_of_groups(tuple(groups), billed.currency)
    moved = billed.rounding_minor - cash_rounding(billed.gross_minor - billed.rounding_minor, policy)
    payable = min(billed.gross_minor, max(0, gross + cash_rounding(gross, policy) + moved))
    return totals_of_groups(tuple(groups), billed.currency, payable - gross)


def less(one: Totals, other: Totals) -> Totals:
    """The difference of two sums, group by group."""
    taken = {group.category: group for group in other.groups}
    groups = [_less(group, taken.get(group.category)) for group in one.groups]
    return totals_of_groups(tuple(groups), one.currency, one.rounding_minor - other.rounding_minor)


def _less(one: TaxGroup, other: TaxGroup | None) -> TaxGroup:
    if other is None:
        return one
    return TaxGroup(
        one.category,
        one.taxable_minor - other.taxable_minor,
        one.tax_minor - other.tax_minor,
        one.gross_minor - other.gross_minor,
        one.repeated_minor - other.repeated_minor,
    )


def _with_tax(group: TaxGroup, tax: int, policy: TaxPolicy) -> TaxGroup:
    return group_of(group.category, amount_of(group, policy), tax, policy, group.repeated_minor)
