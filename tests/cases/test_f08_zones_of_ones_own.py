"""F08: a rate table with zones of the shop's own is enough; none of the library's is demanded."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from files import order, receipt, run, told, written

from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.importing.wiring import carrier, import_workflow
from orderflow.ports.carrier import LabelRequest, Parcel
from orderflow.shop import OrderFlow

OWN = "zone,service,max_weight_grams,price,currency,days\n近場,van,,500,JPY,1\n遠方,van,,1200,JPY,3\n"


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    """A table of two zones."""
    path = tmp_path / "rates.csv"
    path.write_text(OWN, "utf-8")
    return path


def price_to(country: str, rates: Path, zones: dict[str, str]) -> int:
    """What a parcel to a country costs."""
    [quote] = carrier(rates, zones).quote(LabelRequest("s", "r", "", country, (Parcel(100, 1),), None, "k"))
    return quote.price.minor


def test_f08_a_file_is_run_with_it(tmp_path: Path, rates: Path) -> None:
    """Labels are bought, in the first zone of the table where nothing is said of a country."""
    file = written(tmp_path / "orders.jsonl", [receipt(5), order(1)])
    result = run(file, "--rates", rates, "--json")
    assert (result.exit_code, told(result)["states"]["order"]) == (0, {"Completed": 1})
    with closing(SqliteStorage(file.with_suffix(".db"), import_workflow().machines.values())) as storage:
        parcel: Any = OrderFlow(storage, workflow=import_workflow()).shipments.get("A-1/1")
    assert (parcel.carriage.label.price_minor, parcel.carriage.label.currency) == (500, "JPY")


def test_f08_countries_are_put_into_zones(tmp_path: Path, rates: Path) -> None:
    """By options; a zone that the table does not have is named."""
    file = written(tmp_path / "orders.jsonl", [receipt(5), order(1)])
    assert run(file, "--rates", rates, "--zone", "GB=遠方", "--zone", "JP=近場").exit_code == 0
    wrong = run(file, "--rates", rates, "--zone", "GB=moon")
    assert (wrong.exit_code, "zones[GB]: no rate for 'moon'" in wrong.stderr) == (1, True)
    assert run(file, "--rates", rates, "--zone", "GB").exit_code == 2


@pytest.mark.parametrize(
    "zones, country, minor", [({}, "GB", 500), ({"GB": "遠方"}, "GB", 1200), ({"GB": "遠方"}, "FR", 500)]
)
def test_f08_what_a_parcel_costs(rates: Path, zones: dict[str, str], country: str, minor: int) -> None:
    """In the zone that the country was put into, else in the table's first."""
    assert price_to(country, rates, zones) == minor


@pytest.mark.parametrize(
    "table, costs",
    [
        ("europe,van,,7,EUR,2\n", {"GB": 700, "FR": 700, "JP": 700}),
        ("europe,van,,7,EUR,2\nworld,van,,9,EUR,2\n", {"GB": 900, "FR": 700, "JP": 900}),
        ("JP,van,,5,EUR,2\nFR,van,,6,EUR,2\nworld,van,,9,EUR,2\n", {"JP": 500, "FR": 600, "GB": 900}),
    ],
)
def test_f08_names_that_say_enough(tmp_path: Path, table: str, costs: dict[str, int]) -> None:
    """A zone with a country's name is that country's; the library's own names keep their meaning, each by itself."""
    path = tmp_path / "rates.csv"
    path.write_text(OWN.splitlines()[0] + "\n" + table, "utf-8")
    assert {country: price_to(country, path, {}) for country in costs} == costs
