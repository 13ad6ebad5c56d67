"""F07: a run delivers nothing before the day that the customer wished, unless that was asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from files import order, receipt, run, told, written

from orderflow.cli.root import root

OCTOBER = "2026-10-04T09:30:00Z"


def wished(number: int, day: str | None, at: str = OCTOBER) -> dict[str, Any]:
    """An order to be delivered on a day."""
    document = order(number, at=at)
    if day:
        document["content"]["requested"] = {"date": day}
    return document


def shipments(file: Path, number: int) -> list[tuple[str, str | None]]:
    """State and day of delivery of each parcel of an order."""
    shown = CliRunner().invoke(root, ["show", f"A-{number}", "--json", "--db", str(file.with_suffix(".db"))]).stdout
    return [
        (each["state"], each["delivered_at"] and each["delivered_at"][:10]) for each in json.loads(shown)["shipments"]
    ]


def states(result: Any) -> dict[str, int]:
    """How many orders are in each state."""
    found: dict[str, int] = told(result)["states"]["order"]
    return found


STOCK = receipt(9, at="2026-10-01T08:00:00Z")


def test_f07_a_wish_for_later_is_not_delivered_today(tmp_path: Path) -> None:
    """Packed with its label, and no further; what has no wish, or one of today, is completed. Again: the same."""
    documents = [STOCK, wished(1, "2026-11-11"), wished(2, None), wished(3, "2026-10-04"), wished(4, "2026-10-01")]
    file = written(tmp_path / "orders.jsonl", documents)
    for _ in range(2):
        result = run(file, "--json")
        assert (result.exit_code, states(result)) == (0, {"Preparing": 1, "Completed": 3})
        assert shipments(file, 1) == [("Labelled", None)]
    assert shipments(file, 2) == [("Delivered", "2026-10-04")]


@pytest.mark.parametrize("last", [receipt(1, "R-2", "2026-11-12T08:00:00Z"), wished(2, None, "2026-11-12T08:00:00Z")])
def test_f07_it_is_delivered_when_the_file_has_come_to_that_day(tmp_path: Path, last: dict[str, Any]) -> None:
    """On the day that was wished, whatever document of a later day the file ends with."""
    file = written(tmp_path / "orders.jsonl", [STOCK, wished(1, "2026-11-11"), last])
    assert set(states(run(file, "--json"))) == {"Completed"}
    assert shipments(file, 1) == [("Delivered", "2026-11-11")]


def test_f07_another_file_comes_to_that_day(tmp_path: Path) -> None:
    """The database's clock is that of all its files."""
    file = written(tmp_path / "orders.jsonl", [STOCK, wished(1, "2026-11-11")])
    run(file)
    later = written(tmp_path / "later.jsonl", [wished(2, None, "2026-12-01T08:00:00Z")])
    assert states(run(later, "--json", "--db", file.with_suffix(".db"))) == {"Completed": 2}
    assert shipments(file, 1) == [("Delivered", "2026-11-11")]


def test_f07_until_completed_delivers_at_the_times_of_the_file(tmp_path: Path) -> None:
    """As asked, on the day of the document, also where an earlier run waited for the wish."""
    file = written(tmp_path / "orders.jsonl", [STOCK, wished(1, "2026-11-11")])
    assert states(run(file, "--json", "--until", "completed")) == {"Completed": 1}
    assert shipments(file, 1) == [("Delivered", "2026-10-04")]
    other = written(tmp_path / "other.jsonl", [STOCK, wished(1, "2026-11-11")])
    run(other)
    assert states(run(other, "--json", "--until", "completed")) == {"Completed": 1}


def test_f07_until_any_step_and_then_on(tmp_path: Path) -> None:
    """Each step in turn, on one file: a run goes no further, and the next goes on from there."""
    file = written(tmp_path / "orders.jsonl", [STOCK, wished(1, None)])
    steps = {"confirmed": "Confirmed", "allocated": "Allocated", "packed": "Preparing", "completed": "Completed"}
    for step, state in steps.items():
        for _ in range(2):
            assert states(run(file, "--json", "--until", step)) == {state: 1}
    assert states(run(file, "--json", "--until", "confirmed")) == {"Completed": 1}
    assert run(file, "--until", "delivered").exit_code == 2


def test_f07_what_comes_back_has_been_there(tmp_path: Path) -> None:
    """A cancellation takes goods back before the day that was wished: the file says that they had arrived."""
    back = {
        "type": "cancellation", "number": "C-1", "at": "2026-10-20T09:00:00Z", "customer": "ann", "currency": "GBP",
        "bill_to": "ann@1", "person": {"name": "Ann"}, "lines": [["TEA", 1, "2.55 GBP", "S 20", True]],
    }  # fmt: skip
    file = written(tmp_path / "orders.jsonl", [STOCK, wished(1, "2026-11-11"), back])
    result = run(file, "--json")
    assert (states(result), told(result)["refused_commands"]) == ({"Completed": 1}, [])
    arguments = ["history", "shipment", "A-1/1", "--json", "--db", str(file.with_suffix(".db"))]
    events = json.loads(CliRunner().invoke(root, arguments).stdout)["events"]
    arrived = {event["event"]: event["occurred_at"] for event in events if event["event"] == "ShipmentDelivered"}
    assert arrived == {"ShipmentDelivered": "2026-10-20T09:00:00Z"}
