"""F04: a run says which location it does not allocate from; once that is added, the waiting order goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from files import order, receipt, run, told, written


def osaka(units: int, number: str = "R-1", at: str = "2026-01-05T08:00:00Z") -> dict[str, Any]:
    """Tea comes in at Osaka."""
    return receipt(units, number, at) | {"items": [["TEA", "osaka", units]]}


def states(result: Any) -> dict[str, int]:
    """How many orders are in each state."""
    found: dict[str, int] = told(result)["states"]["order"]
    return found


def test_f04_the_order_is_allocated_when_the_location_is_added(tmp_path: Path) -> None:
    """The file is finished, and says so; with the location its order is allocated, sent and completed."""
    file = written(tmp_path / "orders.jsonl", [osaka(5), order(1)])
    first = run(file)
    assert "add --location osaka" in first.stderr
    assert "orders not completed: 1" in first.stdout
    again = run(file, "--json")
    assert states(again) == {"AwaitingStock": 1}
    added = run(file, "--json", "--location", "main", "--location", "osaka")
    assert (added.exit_code, states(added)) == (0, {"Completed": 1})
    assert told(added)["elsewhere"] == []
    assert states(run(file, "--json", "--location", "main", "--location", "osaka")) == {"Completed": 1}


def test_f04_first_come_first_served(tmp_path: Path) -> None:
    """Of three orders that wait, the first two get what is there; the third gets it from the next file."""
    orders = [order(number, at=f"2026-01-05T09:0{number}:00Z") for number in (1, 2, 3)]
    file = written(tmp_path / "orders.jsonl", [osaka(2), *orders])
    assert states(run(file, "--json")) == {"AwaitingStock": 3}
    added = run(file, "--json", "--location", "main", "--location", "osaka")
    assert states(added) == {"Completed": 2, "AwaitingStock": 1}
    more = tmp_path / "more.jsonl"
    written(more, [osaka(5, "R-2", "2026-01-06T08:00:00Z")])
    more_run = run(more, "--json", "--location", "main", "--location", "osaka", "--db", file.with_suffix(".db"))
    assert states(more_run) == {"Completed": 3}


@pytest.mark.parametrize("locations", [("osaka",), ("osaka", "main"), ("kyoto", "osaka", "main")])
def test_f04_in_any_order_of_locations(tmp_path: Path, locations: tuple[str, ...]) -> None:
    """Whatever the priority is, and even if the first location is left out."""
    file = written(tmp_path / "orders.jsonl", [osaka(5), order(1)])
    run(file)
    options = [part for place in locations for part in ("--location", place)]
    assert states(run(file, "--json", *options)) == {"Completed": 1}
