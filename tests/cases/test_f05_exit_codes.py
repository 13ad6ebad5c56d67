"""F05: a run that has taken no document ends with status 1, whatever the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from files import order, receipt, run, told, written

ADJUSTMENT = {
    "type": "adjustment", "number": "J-1", "at": "2026-01-05T09:00:00Z", "changes": [["TEA", "main", -1, "broken"]],
}  # fmt: skip
#: Nothing allows a credit note below zero.
CANCELLATION = {
    "type": "cancellation", "number": "C-1", "at": "2026-01-05T09:00:00Z", "customer": "ann", "currency": "GBP",
    "bill_to": "ann@1", "person": {"name": "Ann"}, "lines": [["TEA", 1, "-2.55 GBP", "S 20", False]],
}  # fmt: skip
#: A sum that nobody expects.
WRONG_TOTAL = order(1)
WRONG_TOTAL["content"]["expected_total_minor"] = 1


@pytest.mark.parametrize(
    "documents",
    [
        ["{"],
        ["{", "{}", "[]"],
        [order(1, at="1850-01-01T00:00:00Z")],
        [ADJUSTMENT],
        [CANCELLATION],
        [WRONG_TOTAL],
        [WRONG_TOTAL, ADJUSTMENT, "{"],
        [],
    ],
    ids=["unreadable", "all unreadable", "impossible", "adjustment", "cancellation", "order", "each", "empty"],
)
def test_f05_every_document_refused_or_the_only_one(tmp_path: Path, documents: list[Any]) -> None:
    """Unreadable, impossible or refused by a rule: the file came to nothing, and the status says so; again, too."""
    file = written(tmp_path / "orders.jsonl", documents)
    for _ in range(2):
        result = run(file)
        assert (result.exit_code, result.stderr.endswith("no document was accepted\n")) == (1, True)


def test_f05_one_document_taken_is_enough(tmp_path: Path) -> None:
    """A run that has taken anything ends with status 0 and lists the rest, the second time too."""
    file = written(tmp_path / "orders.jsonl", [WRONG_TOTAL, receipt(1), "{"])
    for _ in range(2):
        result = run(file, "--json")
        assert (result.exit_code, told(result)["accepted"]) == (0, 1)


@pytest.mark.parametrize(
    "option, status",
    [
        (("--format", "nothing"), 2),
        (("--format", "nowhere:Reader"), 2),
        (("--format", "orderflow.importing.jsonl:Nothing"), 2),
        (("--workflow", "no colon"), 2),
        (("--workflow", "nowhere:workflow"), 2),
        (("--workflow", "orderflow.shop:OrderFlow"), 2),
        (("--years", "1990"), 2),
        (("--summary", "/nowhere/summary.json"), 1),
    ],
)
def test_f05_wrong_usage_is_told_apart(tmp_path: Path, option: tuple[str, str], status: int) -> None:
    """What a command cannot mean is status 2, what it could not do is 1, and nothing was worked."""
    file = written(tmp_path / "orders.jsonl", [receipt(1)])
    result = run(file, *option)
    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (status, True)
    assert not file.with_suffix(".db").exists()
