"""F01: a document of an impossible date is rejected with its line, and does not affect the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from files import order, receipt, run, told, written


@pytest.mark.parametrize("year", [1850, 2999])
def test_f01_one_impossible_date_in_a_thousand_documents(tmp_path: Path, year: int) -> None:
    """The document is rejected with line and reason, all others are completed at their own times."""
    documents = [receipt(2000), *(order(n) for n in range(1, 1000))]
    documents[500] = order(500, at=f"{year}-01-05T09:00:00Z")
    result = run(written(tmp_path / "orders.jsonl", documents), "--json")
    found = told(result)
    assert (result.exit_code, found["documents"]["orders"], found["accepted"]) == (0, 998, 999)
    [rejected] = found["rejected"]
    assert (rejected["line"], rejected["codes"]) == (501, ["out_of_range"])
    assert rejected["reason"] == f"at: {year}-01-05 is not in the years 1990 to 2100"
    assert (found["states"]["order"], found["refused_commands"]) == ({"Completed": 998}, [])
    assert [*found["amounts"]["by_month"]] == ["2026-01"]


def test_f01_a_dry_run_says_the_same(tmp_path: Path) -> None:
    """What a dry run rejects is what the run rejects, with the same line, code and reason."""
    documents = [receipt(9), order(1, at="1850-01-05T09:00:00Z"), order(2), order(3, at="2999-01-05T09:00:00Z")]
    file = written(tmp_path / "orders.jsonl", documents)
    foretold = told(run(file, "--json", "--dry-run"))
    found = told(run(file, "--json"))
    assert foretold["rejected"] == [
        {"line": row["line"], "code": row["codes"][0], "reason": row["reason"]} for row in found["rejected"]
    ]
    assert foretold["documents"] == {"receipt": 1, "rejected": 2, "order": 1}
    assert found["documents"]["refused"] == 2


def test_f01_the_years_are_a_setting(tmp_path: Path) -> None:
    """A museum takes 1850; others take this year alone."""
    file = written(tmp_path / "orders.jsonl", [order(1, at="1989-12-31T09:00:00Z"), order(2)])
    taken = {
        years: told(run(file, "--json", "--dry-run", "--years", *years.split()))["documents"]
        for years in ("1980 2100", "1990 2025")
    }
    assert taken == {"1980 2100": {"order": 2}, "1990 2025": {"rejected": 2}}


@pytest.mark.parametrize("at", ["1990-01-01T00:00:00Z", "2100-12-31T23:59:59Z"])
def test_f01_the_first_and_the_last_moment_are_taken(tmp_path: Path, at: str) -> None:
    """The bounds belong to what is taken."""
    result = run(written(tmp_path / "orders.jsonl", [receipt(1, at=at), order(1, at=at)]), "--json")
    assert told(result)["states"]["order"] == {"Completed": 1}
