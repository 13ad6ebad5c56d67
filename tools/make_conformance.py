"""Write facts of published cases to tests/conformance/data: ``python tools/make_conformance.py FOLDER``.

``FOLDER`` holds the collected originals. Only numbers, dates and codes are taken; each file names its sources.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["main"]

TARGET = Path(__file__).resolve().parent.parent / "tests" / "conformance" / "data"
SUMS = {
    "LineExtensionAmount": "lines",
    "AllowanceTotalAmount": "allowances",
    "ChargeTotalAmount": "charges",
    "TaxExclusiveAmount": "net",
    "TaxInclusiveAmount": "gross",
    "PrepaidAmount": "prepaid",
    "PayableRoundingAmount": "rounding",
    "PayableAmount": "payable",
}
ROUNDINGS = {"HALF-UP": "half_up", "UP": "up", "DOWN": "down"}
Values = list[tuple[str, str]]
Case = dict[str, Any]


def main(folder: Path) -> None:
    """Write all the files."""
    vectors = _lines(folder / "conformance" / "allocation_vectors.jsonl")
    _write("splits", sorted({case["source"] for case in vectors}), map(_split, vectors))
    documents = _lines(folder / "conformance" / "invoice_calc_cases.jsonl")
    _write("invoices", ["EN 16931 test files", "Peppol BIS Billing 3 examples"], map(_invoice, documents))
    cases = _lines(folder / "conformance" / "en16931_rule_cases.jsonl")
    _write("sum_rules", ["EN 16931 validation artefacts, unit tests"], [_rule(c) for c in cases if c["rule"] in _ASKED])
    japan = json.loads((folder / "conformance" / "jp_terms_and_rounding.json").read_text(encoding="utf-8"))
    _write("closing_days", ["OCA/l10n-japan account_payment_term_cutoff_day"], map(_closing, japan["cutoff_terms"]))
    rounded = map(_rounded, japan["tax_rounding_jpy_10pct"])
    _write("tax_of_yen", ["OCA/l10n-japan account_tax_rounding_method"], rounded)
    _write("tax_levels", ["commercetools, TaxCalculationMode"], map(_level, japan["commercetools"]))
    listed = [row for row in _rows(folder / "ref" / "iso4217.csv") if row["iso_minor_units"].isdigit()]
    decimals = ({"currency": row["code"], "decimals": int(row["iso_minor_units"])} for row in listed)
    _write("currencies", ["ISO 4217 list one"], decimals)
    days = [row["date"] for row in _rows(folder / "ref" / "jp_holidays_2019_2027.csv") if row["name_holidays_pkg"]]
    _write("japanese_holidays", ["Cabinet Office of Japan", "holidays package"], _by_year(days))


def _lines(path: Path) -> list[Case]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def _write(name: str, sources: list[str], cases: Iterable[Case]) -> None:
    """Write one case on each line, so that a diff shows which case changed."""
    told = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    head = json.dumps(sources, ensure_ascii=False)
    TARGET.mkdir(exist_ok=True)
    (TARGET / f"{name}.json").write_text(f'{{"sources": {head}, "cases": [\n{told}\n]}}\n', encoding="utf-8")


def _present(**fields: Any) -> Case:
    return {name: value for name, value in fields.items() if value not in (None, [], {})}


def _split(case: Case) -> Case:
    return {"total": case["total"], "weights": case["weights"], "shares": case["expected"]}


def _closing(case: Case) -> Case:
    return _present(
        day=case["cutoff_day"],
        months=case.get("months", 0),
        end_of_month=case.get("end_of_month", False),
        invoiced=case["invoice"],
        due=case.get("due"),
        closes=case.get("cutoff_date"),
    )


def _rounded(case: Case) -> Case:
    return {
        "rounding": ROUNDINGS[case["mode"]],
        "lines": case["line_prices"],
        "tax": case["tax"],
        "gross": case["total"],
    }


def _level(case: Case) -> Case:
    return {
        "price": case["price"],
        "quantity": case["qty"],
        "rate": case["rate"],
        "per_line": case["LineItemLevel_gross"],
        "per_unit": case["UnitPriceLevel_gross"],
    }


def _by_year(days: list[str]) -> list[Case]:
    years = sorted({day[:4] for day in days})
    return [{"year": int(year), "days": [day for day in days if day.startswith(year)]} for year in years]


# --- invoices ---


def _invoice(case: Case) -> Case:
    groups = [
        group for total in case["tax_totals"] if total["currency"] == case["currency"] for group in total["subtotals"]
    ]
    noted = {note.removeprefix("line ") for note in case["recompute_notes"]}
    return _present(
        file=case["file"],
        currency=case["currency"],
        lines=[_line(line, differs=line["id"] in noted) for line in case["lines"]],
        extras=[{**_extra(extra), **_category(extra)} for extra in case["doc_allowances_charges"]],
        groups=[{**_category(group), "taxable": group["taxable"], "tax": group["tax"]} for group in groups],
        sums={SUMS[name]: text for name, text in case["expected"].items() if text is not None},
    )


def _line(line: Case, *, differs: bool) -> Case:
    return _present(
        quantity=line["quantity"],
        price=line["unit_price"],
        per=line["base_quantity"],
        extras=[_extra(extra) for extra in line["allowances_charges"]],
        **_category(line),
        net=line["expected_net"],
        differs=differs or None,
    )


def _extra(extra: Case) -> Case:
    return {"kind": "charge" if extra["charge"] else "allowance", "amount": extra["amount"]}


def _category(entry: Case) -> Case:
    return _present(category=entry["category"], rate=entry["rate"])


# --- single rules ---

_ASKED = {f"BR-CO-{number}" for number in (*range(10, 18),)} | {
    f"BR-{category}-0{number}" for category in ("S", "AE", "E", "G", "IC", "O", "Z") for number in (8, 9)
}


def _rule(case: Case) -> Case:
    """What a case says about its document; most say only what their rule needs."""
    values = [(path, f"0{value}" if value.startswith(".") else value) for path, value in case["values"]]
    totals = "LegalMonetaryTotal/"
    return _present(
        rule=case["rule"],
        file=" ".join(filter(None, (case["file"].removeprefix("en16931/test/"), case["test"]))),
        holds=case["expect"] == "success",
        lines=[_part(item, "Item/ClassifiedTaxCategory/") for item in _items(values, "InvoiceLine/")],
        extras=[_part(item, "TaxCategory/") for item in _items(values, "AllowanceCharge/")],
        groups=[_part(item, "TaxCategory/") for item in _items(values, "TaxTotal/TaxSubtotal/")],
        # The first total is in the document's currency, a second one in the tax currency.
        tax=next((value for path, value in values if path == "TaxTotal/TaxAmount"), None),
        sums={SUMS[path.removeprefix(totals)]: text for path, text in values if path.startswith(totals)},
    )


def _items(values: Values, prefix: str) -> list[dict[str, str]]:
    """The occurrences of the repeated element ``prefix``; a key that comes again begins the next one."""
    items: list[dict[str, str]] = []
    for path, value in values:
        key = path.removeprefix(prefix)
        if key == path:
            continue
        if not items or key in items[-1]:
            items.append({})
        items[-1][key] = value
    return items


def _part(item: dict[str, str], prefix: str) -> Case:
    kinds = {"true": "charge", "false": "allowance"}
    return _present(
        kind=kinds.get(item.get("ChargeIndicator", "")),
        amount=item.get("LineExtensionAmount", item.get("Amount")),
        category=item.get(f"{prefix}ID"),
        rate=item.get(f"{prefix}Percent"),
        taxable=item.get("TaxableAmount"),
        tax=item.get("TaxAmount"),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
