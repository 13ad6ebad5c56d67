"""F02: a party version has one content; a document that gives it another is refused and listed."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from files import order, receipt, run, told, written

from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.cli.root import root
from orderflow.domain.parties.party import Person
from orderflow.importing.wiring import import_workflow
from orderflow.shop import OrderFlow

MOVED = {"name": "Ann", "city": "York"}


def person_of(file: Path) -> Person:
    """Who Ann's first version is, in the database beside a file."""
    workflow = import_workflow()
    storage = SqliteStorage(file.with_suffix(".db"), workflow.machines.values(), read_only=True)
    try:
        kept: Person = OrderFlow(storage, workflow=workflow).parties.get("ann@1").person  # type: ignore[union-attr]
    finally:
        storage.close()
    return kept


def test_f02_the_second_content_of_a_version_is_refused(tmp_path: Path) -> None:
    """The first one stands, the document with the other is rejected with its line, and the rest is done."""
    cancellation = {
        "type": "cancellation", "number": "C-1", "at": "2026-01-06T09:00:00Z", "customer": "ann", "currency": "GBP",
        "bill_to": "ann@1", "person": MOVED, "lines": [["TEA", 1, "2.55 GBP", "S 20", True]],
    }  # fmt: skip
    documents = [receipt(9), order(1), order(2, person=MOVED), order(3), cancellation]
    file = written(tmp_path / "orders.jsonl", documents)
    result = run(file, "--json")
    found = told(result)
    assert result.exit_code == 0
    assert [(row["line"], row["codes"]) for row in found["rejected"]] == [(3, ["conflict"]), (5, ["conflict"])]
    assert {row["reason"] for row in found["rejected"]} == {
        "person: ann@1 was recorded with other data: a change needs a new version"
    }
    assert found["documents"] == {"orders": 2, "cancellations": 0, "adjustments": 0, "refused": 2}
    assert (person_of(file), found["refused_commands"]) == (Person("Ann"), [])
    foretold = told(run(file, "--json", "--dry-run"))["rejected"]
    assert [row["line"] for row in foretold] == [3, 5]


def test_f02_a_document_that_gives_no_data_goes_with_any(tmp_path: Path) -> None:
    """``person`` may be left out, first or later."""
    nameless = order(2)
    del nameless["person"]
    found = told(run(written(tmp_path / "orders.jsonl", [receipt(9), order(1), nameless]), "--json"))
    assert (found["documents"]["orders"], found["rejected"]) == (2, [])


def test_f02_another_file_does_not_replace_it_either(tmp_path: Path) -> None:
    """What an earlier file has recorded stands, and the document of the later file is listed."""
    first = written(tmp_path / "orders.jsonl", [receipt(9), order(1)])
    assert run(first).exit_code == 0
    second = written(tmp_path / "more.jsonl", [order(2, person=MOVED), order(3)])
    found = told(run(second, "--json", "--db", first.with_suffix(".db")))
    assert [(row["line"], row["codes"]) for row in found["rejected"]] == [(1, ["conflict"])]
    assert (found["documents"]["orders"], found["accepted"], person_of(first)) == (2, 1, Person("Ann"))
    shown = CliRunner().invoke(root, ["show", "A-2", "--db", str(first.with_suffix(".db"))])
    assert (shown.exit_code, "payment or return 'A-2'" in shown.stderr) == (1, True)
    again = told(run(second, "--json", "--db", first.with_suffix(".db")))
    assert (again["accepted"], json.dumps(again["documents"])) == (1, json.dumps(found["documents"]))
