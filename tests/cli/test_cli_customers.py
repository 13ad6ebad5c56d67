"""The commands that find customers and show one, with and without personal data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from orderflow.cli.root import root


@pytest.fixture
def run(history_file: Path) -> Any:
    """Runs a command on the file and gives its result."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(root, [*arguments], env={"ORDERFLOW_DB": str(history_file)})

    return invoke


def test_customers_are_found_without_their_names(run: Any) -> None:
    """A search prints ids; names and addresses stand there only where they are asked for."""
    plain = run("customers", "ANN")
    assert plain.exit_code == 0, plain.output
    assert plain.stdout.splitlines()[1].split() == ["ann", "Active", "ann@1"]
    assert "example.org" not in plain.stdout
    assert "Ann  " not in plain.stdout
    named = run("customers", "ann@example.org", "--personal")
    assert "Ann" in named.stdout
    assert "ann@example.org" in named.stdout
    assert run("customers", "nobody").stdout == "none\n"


def test_search_results_as_json(run: Any) -> None:
    """Programs get the same, with stable keys."""
    [found] = json.loads(run("customers", "eve", "--json").stdout)["customers"]
    assert found == {"id": "eve", "state": "Blocked", "party": "eve@1", "merged_into": "", "tags": []}
    [found] = json.loads(run("customers", "eve", "--json", "--personal").stdout)["customers"]
    assert (found["name"], found["email"]) == ("Eve", "eve@example.org")


def test_a_customer_is_shown_with_its_sums(run: Any) -> None:
    """Orders by state and sums by currency; the name only where it is asked for."""
    shown = run("customer", "ann")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("ann: Active\nparty: ann@1\n")
    assert "Ann" not in shown.stdout
    assert "Completed" in shown.stdout
    assert "name: Ann\n" in run("customer", "ann", "--personal").stdout
    view = json.loads(run("customer", "ann", "--json").stdout)
    assert sum(view["orders"].values()) > 1
    assert {*view["sums"][0]} == {
        "currency", "charged", "credited", "value", "paid", "balance", "exposure", "open",
    }  # fmt: skip
    assert json.loads(run("customer", "eve", "--json").stdout)["blocked"] is True


def test_an_unknown_customer_is_one_sentence(run: Any) -> None:
    """Exit status 1, and no traceback."""
    result = run("customer", "zoe")
    assert (result.exit_code, "zoe" in result.output, "Traceback" in result.output) == (1, True, False)
