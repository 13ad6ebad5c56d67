"""Whole published invoices (EN 16931 and Peppol test files), recomputed from quantities and prices."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from orderflow.domain.money import Money
from orderflow.domain.price import Price
from orderflow.domain.tax import TaxableLine, TaxCategory, TaxGroup, TaxPolicy, totals

Case = dict[str, Any]
NAME = "conformance/invoice_calc_cases.jsonl"


def _plain(text: str | None) -> str:
    """The decimal without the exponent or trailing zeros some of the files carry; absent is 0."""
    return format(Decimal(text or "0"), "f")


def _money(text: str | None, currency: str) -> Money:
    return Money.of(_plain(text), currency)


def _quantity(text: str) -> tuple[int, int]:
    """A quantity in the smallest unit that makes it whole, and how many of those make one of the document's."""
    return Decimal(_plain(text)).as_integer_ratio()


def _signed(entry: Case, currency: str) -> Money:
    amount = _money(entry["amount"], currency)
    return amount if entry["charge"] else -amount


def _line_net(line: Case, currency: str) -> Money:
    quantity, unit = _quantity(line["quantity"])
    base, base_unit = _quantity(line["base_quantity"] or "1")
    # The published unit price is already net of its price discount.
    price = Price.of(_plain(line["unit_price"]), currency, per=unit * base)
    net = price.line_amount(quantity * base_unit)
    return Money.total([net, *(_signed(entry, currency) for entry in line["allowances_charges"])], currency)


def _category(entry: Case) -> TaxCategory:
    return TaxCategory.of(entry["category"] or "O", _plain(entry["rate"]))


def _taxable(case: Case) -> list[TaxableLine]:
    currency = case["currency"]
    lines = [TaxableLine(_line_net(line, currency).minor, _category(line)) for line in case["lines"]]
    extras = case["doc_allowances_charges"]
    return lines + [TaxableLine(_signed(entry, currency).minor, _category(entry)) for entry in extras]


def _published_groups(case: Case) -> set[TaxGroup]:
    groups: set[TaxGroup] = set()
    for total in (total for total in case["tax_totals"] if total["currency"] == case["currency"]):
        for entry in total["subtotals"]:
            taxable, tax = _money(entry["taxable"], case["currency"]), _money(entry["tax"], case["currency"])
            groups.add(TaxGroup(_category(entry), taxable.minor, tax.minor, (taxable + tax).minor))
    return groups


def _computed(case: Case) -> dict[str, Money]:
    """The document sums, by the names of UBL's LegalMonetaryTotal."""
    currency, sums = case["currency"], totals(_taxable(case), TaxPolicy(), case["currency"])
    extras = case["doc_allowances_charges"]
    given = {key: _money(case["expected"][key], currency) for key in ("PrepaidAmount", "PayableRoundingAmount")}
    return {
        "LineExtensionAmount": Money.total((_line_net(line, currency) for line in case["lines"]), currency),
        "AllowanceTotalAmount": Money.total(
            (_money(extra["amount"], currency) for extra in extras if not extra["charge"]), currency
        ),
        "ChargeTotalAmount": Money.total(
            (_money(extra["amount"], currency) for extra in extras if extra["charge"]), currency
        ),
        "TaxExclusiveAmount": sums.net,
        "TaxInclusiveAmount": sums.gross,
        "PayableAmount": sums.gross - given["PrepaidAmount"] + given["PayableRoundingAmount"],
    }


def test_published_invoices_recompute(jsonl_vectors: Callable[[str], list[Case]]) -> None:
    """Line nets, tax groups and document sums of every invoice whose nets follow from quantity and price."""
    cases = [case for case in jsonl_vectors(NAME) if case["recomputes"]]
    assert len(cases) >= 36
    for case in cases:
        currency, name = case["currency"], case["file"]
        for line in case["lines"]:
            assert _line_net(line, currency) == _money(line["expected_net"], currency), (name, line["id"])
        assert set(totals(_taxable(case), TaxPolicy(), currency).groups) == _published_groups(case), name
        for key, amount in _computed(case).items():
            if case["expected"][key] is not None:
                assert amount == _money(case["expected"][key], currency), (name, key)


def test_invoices_that_do_not_recompute_are_noticed(jsonl_vectors: Callable[[str], list[Case]]) -> None:
    """Where a published net does not follow from quantity and price, ours differs in exactly the lines noted."""
    for case in (case for case in jsonl_vectors(NAME) if not case["recomputes"]):
        currency = case["currency"]
        differing = [
            f"line {line['id']}"
            for line in case["lines"]
            if _line_net(line, currency) != _money(line["expected_net"], currency)
        ]
        assert differing == case["recompute_notes"], case["file"]
