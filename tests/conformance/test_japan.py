"""Japanese closing-day terms, tax rounding once for each rate, and the two levels of commercetools."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from orderflow.domain.money.calendar import PaymentTerms, cutoff_date, due_date
from orderflow.domain.money.price import Price
from orderflow.domain.money.split import Rounding
from orderflow.domain.money.tax import TaxableLine, TaxCategory, TaxPolicy, TaxRounding, totals

Cases = Callable[[str], list[dict[str, Any]]]


def test_closing_days(cases: Cases) -> None:
    """Cut-off dates and due dates of closing-day terms."""
    found = cases("closing_days")
    assert len(found) == 6
    for case in found:
        terms = PaymentTerms(case.get("day"), case["months"], case["end_of_month"])
        invoiced = date.fromisoformat(case["invoiced"])
        if "due" in case:
            assert due_date(terms, invoiced) == date.fromisoformat(case["due"]), case
        if "closes" in case:
            assert cutoff_date(terms, invoiced) == date.fromisoformat(case["closes"]), case


def test_tax_is_rounded_once_for_the_rate(cases: Cases) -> None:
    """10 % on yen lines, rounded once on their sum, in three directions."""
    found = cases("tax_of_yen")
    assert len(found) == 10
    for case in found:
        policy = TaxPolicy(rounding=Rounding[case["rounding"].upper()])
        lines = [TaxableLine(price, TaxCategory.of("S", "10")) for price in case["lines"]]
        sums = totals(lines, policy, "JPY")
        assert (sums.tax_minor, sums.gross_minor) == (case["tax"], case["gross"]), case


def test_line_and_unit_level(cases: Cases) -> None:
    """The same line taxed on the line and on each unit."""
    for case in cases("tax_levels"):
        amount = Price.of(case["price"], "EUR").line_minor(case["quantity"])
        line = TaxableLine(amount, TaxCategory.of("S", case["rate"]), case["quantity"])
        for key, mode in {"per_line": TaxRounding.PER_LINE, "per_unit": TaxRounding.PER_UNIT}.items():
            assert totals([line], TaxPolicy(mode), "EUR").gross.decimal == Decimal(case[key])
