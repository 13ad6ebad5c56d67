"""The calculation rules of EN 16931, on the published success and error cases of its validators.

A rule is broken where the document tells another figure than orderflow gives for what the document consists of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from orderflow.domain.billing.invoice_state import Amounts, InvoiceContent, Issued
from orderflow.domain.money.calendar import PaymentTerms
from orderflow.domain.money.money import Money
from orderflow.domain.money.tax import (
    TaxableLine,
    TaxCategory,
    TaxGroup,
    TaxPolicy,
    Totals,
    tax_groups,
    tax_on,
    totals,
    totals_of_groups,
)

Case = dict[str, Any]
#: A rule, the figure the document tells, and ours in minor units.
Asked = tuple[str, str | None, int]
OUTSIDE = TaxCategory.of("O", 0)


def minor(text: str) -> int:
    """An amount of the document in minor units."""
    return Money.of(text, "EUR").minor


def category(part: Case) -> TaxCategory:
    """The tax category of a line, extra or group; where a case tells none it does not matter."""
    return TaxCategory.of(part.get("category", "S"), part.get("rate", "0"))


def taxable(parts: list[Case]) -> list[TaxableLine]:
    """Lines and extras as orderflow takes them: an allowance is a negative line."""
    signs = {"allowance": -1}
    return [TaxableLine(signs.get(part.get("kind", ""), 1) * minor(part["amount"]), category(part)) for part in parts]


def sums_of(*amounts: int) -> Totals:
    """Document sums over amounts in minor units that bear no tax."""
    return totals([TaxableLine(amount, OUTSIDE) for amount in amounts], TaxPolicy(), "EUR")


def group(part: Case) -> TaxGroup:
    """A tax group as the document tells it."""
    net, tax = minor(part.get("taxable", "0")), minor(part.get("tax", "0"))
    return TaxGroup(category(part), net, tax, net + tax)


def invoice(sums: Totals, prepaid: int) -> Issued:
    """An invoice of these sums, of which so much is paid."""
    content = InvoiceContent("INV", "C1", None, "EUR", (), TaxPolicy(), date(2026, 1, 1), PaymentTerms())
    return Issued(content, sums, date(2026, 1, 1), "INV-1", Amounts(prepaid=prepaid))


def asked_of_parts(case: Case) -> Iterator[Asked]:
    """BR-CO-10 to BR-CO-12: sums over lines, allowances and charges."""
    told = case.get("sums", {})
    extras = case.get("extras", [])
    if "lines" in case:
        yield "BR-CO-10", told.get("lines"), totals(taxable(case["lines"]), TaxPolicy(), "EUR").net_minor
    if extras:
        allowances = taxable([extra for extra in extras if extra["kind"] == "allowance"])
        charges = taxable([extra for extra in extras if extra["kind"] == "charge"])
        yield "BR-CO-11", told.get("allowances"), -totals(allowances, TaxPolicy(), "EUR").net_minor
        yield "BR-CO-12", told.get("charges"), totals(charges, TaxPolicy(), "EUR").net_minor


def asked_of_sums(case: Case) -> Iterator[Asked]:
    """BR-CO-13 to BR-CO-16: net, tax, gross and what is to be paid."""
    told = case.get("sums", {})
    given = {name: minor(text) for name, text in told.items()}
    if "lines" in given:
        parts = given["lines"], -given.get("allowances", 0), given.get("charges", 0)
        yield "BR-CO-13", told.get("net"), sums_of(*parts).net_minor
    if "tax" in case and "groups" in case:
        yield "BR-CO-14", case["tax"], totals_of_groups(tuple(map(group, case["groups"])), "EUR").tax_minor
    if "tax" in case and "net" in given:
        whole = group({"taxable": told["net"], "tax": case["tax"]})
        yield "BR-CO-15", told.get("gross"), totals_of_groups((whole,), "EUR").gross_minor
    if "gross" in given:
        rounded = sums_of(given["gross"], given.get("rounding", 0))
        yield "BR-CO-16", told.get("payable"), invoice(rounded, given.get("prepaid", 0)).open_minor


def asked_of_groups(case: Case) -> Iterator[Asked]:
    """Taxable amounts of the groups (BR-*-08) and their tax (BR-CO-17, BR-*-09)."""
    lines = taxable(case.get("lines", []) + case.get("extras", []))
    computed = {found.category: found.taxable_minor for found in tax_groups(lines, TaxPolicy())}
    for part in case.get("groups", []):
        told = category(part)
        name = "IC" if told.code == "K" else told.code
        if computed:
            yield f"BR-{name}-08", part.get("taxable", "0"), computed.get(told, 0)
        if "taxable" in part or told.code != "S":
            tax = tax_on(minor(part.get("taxable", "0")), told, TaxPolicy())
            yield f"BR-{name}-09", part.get("tax"), tax
            yield "BR-CO-17", part.get("tax"), tax


def broken(case: Case) -> set[str]:
    """The rules whose figure in the document is not ours."""
    asked = [*asked_of_parts(case), *asked_of_sums(case), *asked_of_groups(case)]
    return {rule for rule, told, ours in asked if told is not None and minor(told) != ours}


def test_rule_cases(cases: Callable[[str], list[Case]]) -> None:
    """Success cases break no rule; error cases break theirs."""
    found = cases("sum_rules")
    assert len(found) == 107
    for case in found:
        if case["holds"]:
            assert not broken(case), case["file"]
        else:
            assert case["rule"] in broken(case), case["file"]
