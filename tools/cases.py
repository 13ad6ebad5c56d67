"""Run the cases under ``tests/cases`` and print a table of them: ``python tools/cases.py [PYTEST OPTIONS]``.

A row is a test named after the id of its case: what is done with which figures (its docstring), on which storages, and
how it ended. Exits as pytest does.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import pytest
from attrs import define, field

CASES = Path(__file__).resolve().parent.parent / "tests" / "cases"
NAME = re.compile(r"test_([muef]\d\d)_(\w+)")
STORAGES = ("memory", "sqlite")


@define
class Row:
    """A case's test, and what its runs came to."""

    id: str
    situation: str
    storages: dict[str, None] = field(factory=dict)
    runs: int = 0
    failed: int = 0


@define
class Table:
    """A plugin of pytest that keeps a row for each test of a case."""

    rows: dict[str, Row] = field(factory=dict)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Begin a row for each test that is named after a case."""
        for item in items:
            if isinstance(item, pytest.Function) and (found := NAME.match(item.originalname)):
                said = (inspect.getdoc(item.function) or "").partition("\n\n")[0].replace("\n", " ")
                situation = found[2].replace("_", " ") + (f": {said}" if said else "")
                self.rows.setdefault(_function(item.nodeid), Row(found[1].upper(), situation))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a run in the row of its test; an error while it is set up or taken down too."""
        row = self.rows.get(_function(report.nodeid))
        if row is None or (report.when != "call" and report.passed):
            return
        row.runs += 1
        row.failed += not report.passed
        asked = [storage for storage in STORAGES if re.search(rf"[\[-]{storage}[\]-]", report.nodeid)]
        row.storages.update(dict.fromkeys(asked))

    def lines(self) -> list[str]:
        """The table, by the ids of the cases."""
        rows = sorted(self.rows.values(), key=lambda row: row.id)
        return ["| id | situation and figures | storages | runs | ended |", "|---|---|---|---|---|", *map(_line, rows)]


def _function(nodeid: str) -> str:
    return nodeid.partition("[")[0]


def _line(row: Row) -> str:
    ended = f"{row.failed} not passed" if row.failed else "passed"
    return f"| {row.id} | {row.situation} | {', '.join(row.storages) or 'none'} | {row.runs} | {ended} |"


def main(options: list[str]) -> int:
    """Run the cases and print the table."""
    table = Table()
    code = pytest.main([str(CASES), "-q", "--no-header", "-p", "no:xdist", *options], plugins=[table])
    print(*table.lines(), f"{len({row.id for row in table.rows.values()})} cases", sep="\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
