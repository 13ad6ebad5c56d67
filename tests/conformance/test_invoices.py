"""Whole published invoices (EN 16931 and Peppol test files), computed by orderflow from quantities and prices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from orderflow.domain.billing.invoice_state import Amounts, InvoiceContent, Issued
from orderflow.domain.money.calendar import PaymentTerms
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxableLine, TaxCategory, TaxGroup, TaxPolicy, Totals, totals
from orderflow.domain.orders.content import LineKind, OrderLine

Case = dict[str, Any]


def plain(text: str) -> str:
    """The decimal without the exponent or trailing zeros some of the files carry."""
    return format(Decimal(text), "f")


def minor(text: str, currency: str) -> int:
    """An amount of the document in minor units."""
    return Money.of(plain(text), currency).minor


def category(part: Case) -> TaxCategory:
    """The tax category of a line, extra or group."""
    return TaxCategory.of(part.get("category", "O"), plain(part.get("rate", "0")))


def goods(number: int, line: Case, currency: str) -> OrderLine:
    """A line of the invoice, its quantity counted in the smallest unit that makes it whole; its extras are discounts.

    The published unit price is already net of its price discount.
    """
    quantity, unit = Decimal(plain(line["quantity"])).as_integer_ratio()
    base, base_unit = Decimal(plain(line.get("per", "1"))).as_integer_ratio()
    price = Price.of(plain(line["price"]), currency, per=unit * base)
    extras = totals([taxable(extra, currency) for extra in line.get("extras", [])], TaxPolicy(), currency)
    return OrderLine.of(number, "SKU", quantity * base_unit, price, category(line), discount_minor=-extras.net_minor)


def taxable(extra: Case, currency: str) -> TaxableLine:
    """An allowance or charge, as the amount that orderflow gives for a line of its kind."""
    kind = LineKind.CHARGE if extra["kind"] == "charge" else LineKind.ALLOWANCE
    sign = -1 if kind is LineKind.ALLOWANCE else 1
    line = OrderLine.of(
        1, kind.value, 1, Price.of(sign * Decimal(extra["amount"]), currency), category(extra), kind=kind
    )
    return TaxableLine(line.net_minor, line.tax)


def payable(sums: Totals, rounding: int, prepaid: int) -> int:
    """What is due on an invoice of these sums, rounded outside of tax, of which so much is paid; minor units."""
    currency = sums.currency
    parts = [TaxableLine(sums.gross_minor, TaxCategory.of("O", 0)), TaxableLine(rounding, TaxCategory.of("O", 0))]
    content = InvoiceContent("INV", "C1", None, currency, (), TaxPolicy(), date(2026, 1, 1), PaymentTerms())
    whole = totals(parts, TaxPolicy(), currency)
    return Issued(content, whole, date(2026, 1, 1), "INV-1", Amounts(prepaid=prepaid)).open_minor


def computed(case: Case) -> tuple[set[TaxGroup], dict[str, int]]:
    """The tax groups and the document's sums as orderflow gives them, in minor units."""
    currency = case["currency"]
    own = [goods(number, line, currency) for number, line in enumerate(case["lines"], 1)]
    lines = [TaxableLine(line.net_minor, line.tax) for line in own]
    extras = {
        kind: [taxable(extra, currency) for extra in case.get("extras", []) if extra["kind"] == kind]
        for kind in ("allowance", "charge")
    }
    sums = totals([*lines, *extras["allowance"], *extras["charge"]], TaxPolicy(), currency)
    given = {name: minor(case["sums"].get(name, "0"), currency) for name in ("rounding", "prepaid")}
    return set(sums.groups), {
        "lines": totals(lines, TaxPolicy(), currency).net_minor,
        "allowances": -totals(extras["allowance"], TaxPolicy(), currency).net_minor,
        "charges": totals(extras["charge"], TaxPolicy(), currency).net_minor,
        "net": sums.net_minor,
        "gross": sums.gross_minor,
        "payable": payable(sums, **given),
        **given,
    }


def published_groups(case: Case) -> set[TaxGroup]:
    """The tax groups as the document tells them."""
    amounts = [
        (category(part), minor(part["taxable"], case["currency"]), minor(part["tax"], case["currency"]))
        for part in case["groups"]
    ]
    return {TaxGroup(told, net, tax, net + tax) for told, net, tax in amounts}


def test_a_line_is_price_times_quantity(cases: Callable[[str], list[Case]]) -> None:
    """Every published line net is ours, but for the two lines whose net does not follow from their price."""
    differing = 0
    for case in cases("invoices"):
        for number, line in enumerate(case["lines"], 1):
            ours = goods(number, line, case["currency"]).net_minor
            assert (ours != minor(line["net"], case["currency"])) == line.get("differs", False), (case["file"], number)
            differing += line.get("differs", False)
    assert differing == 2


def test_groups_and_sums_are_those_published(cases: Callable[[str], list[Case]]) -> None:
    """Tax groups and document sums of every invoice whose nets follow from quantity and price."""
    sound = [case for case in cases("invoices") if not any(line.get("differs") for line in case["lines"])]
    assert len(sound) == 36
    for case in sound:
        groups, sums = computed(case)
        assert groups == published_groups(case), case["file"]
        assert {name: sums[name] for name in case["sums"]} == {
            name: minor(text, case["currency"]) for name, text in case["sums"].items()
        }, case["file"]
