"""Japanese closing-day terms, tax rounding once for each rate, and the two levels of commercetools."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from orderflow.domain.calendar import PaymentTerms, cutoff_date, due_date
from orderflow.domain.money import Rounding
from orderflow.domain.price import Price
from orderflow.domain.tax import TaxableLine, TaxCategory, TaxPolicy, TaxRounding, totals

NAME = "conformance/jp_terms_and_rounding.json"
ROUNDINGS = {"HALF-UP": Rounding.HALF_UP, "UP": Rounding.UP, "DOWN": Rounding.DOWN}


@pytest.fixture
def vectors(json_vectors: Callable[[str], Any]) -> dict[str, list[dict[str, Any]]]:
    """The file by section."""
    found: dict[str, list[dict[str, Any]]] = json_vectors(NAME)
    assert set(found) == {"cutoff_terms", "tax_rounding_jpy_10pct", "commercetools"}, "a section without a test"
    return found


def test_cutoff_terms(vectors: dict[str, list[dict[str, Any]]]) -> None:
    """Cut-off dates and due dates of closing-day terms."""
    for case in vectors["cutoff_terms"]:
        terms = PaymentTerms(case["cutoff_day"], case.get("months", 0), case.get("end_of_month", False))
        invoiced = date.fromisoformat(case["invoice"])
        if "due" in case:
            assert due_date(terms, invoiced) == date.fromisoformat(case["due"]), case
        if "cutoff_date" in case:
            assert cutoff_date(terms, invoiced) == date.fromisoformat(case["cutoff_date"]), case


def test_tax_is_rounded_once_for_the_rate(vectors: dict[str, list[dict[str, Any]]]) -> None:
    """10 % on yen lines, rounded once on their sum, in three directions."""
    for case in vectors["tax_rounding_jpy_10pct"]:
        policy = TaxPolicy(rounding=ROUNDINGS[case["mode"]])
        lines = [TaxableLine(price, TaxCategory.of("S", "10")) for price in case["line_prices"]]
        sums = totals(lines, policy, "JPY")
        assert (sums.tax_minor, sums.gross_minor) == (case["tax"], case["total"]), case


def test_line_and_unit_level(vectors: dict[str, list[dict[str, Any]]]) -> None:
    """The same line taxed on the line and on each unit."""
    modes = {"LineItemLevel_gross": TaxRounding.PER_LINE, "UnitPriceLevel_gross": TaxRounding.PER_UNIT}
    for case in vectors["commercetools"]:
        amount = Price.of(case["price"], "EUR").line_minor(case["qty"])
        line = TaxableLine(amount, TaxCategory.of("S", case["rate"]), case["qty"])
        for key, mode in modes.items():
            assert totals([line], TaxPolicy(mode), "EUR").gross.decimal == Decimal(case[key])
