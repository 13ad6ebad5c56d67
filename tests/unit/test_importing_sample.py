"""The generated sample: repeatable, and all that it is to show is in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from orderflow.domain.orders.content import LineKind, totals_of
from orderflow.importing.documents import CancellationDocument, Document, OrderDocument, RejectedDocument
from orderflow.importing.jsonl import JsonLinesFile
from orderflow.importing.wiring import carrier
from orderflow.ports.carrier import LabelRequest, Parcel
from orderflow_examples.sample import write_sample


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """The sample of the demo."""
    path = tmp_path_factory.mktemp("sample") / "sample.jsonl"
    write_sample(path)
    return [*JsonLinesFile(path).documents()]


@pytest.fixture(scope="module")
def orders(documents: list[Document]) -> list[OrderDocument]:
    """Its orders."""
    return [document for document in documents if isinstance(document, OrderDocument)]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """Another seed gives other ones."""
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_sample(tmp_path / name, orders=70, seed=seed)
    first, second, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == second
    assert first != other


def test_there_are_as_many_sound_orders_as_asked(orders: list[OrderDocument], tmp_path: Path) -> None:
    """Faulty lines come on top."""
    assert len(orders) == 320
    write_sample(tmp_path / "one", orders=1)
    [_, only] = JsonLinesFile(tmp_path / "one").documents()
    assert isinstance(only, OrderDocument)


def test_times_never_go_back(documents: list[Document]) -> None:
    """Documents stand in the order of their times."""
    times = [document.at for document in documents if not isinstance(document, RejectedDocument)]
    assert times == sorted(times)


def test_orders_differ_in_what_matters(orders: list[OrderDocument]) -> None:
    """Money without, with two and with three decimals; prices with and without tax; guests, gifts, windows."""
    contents = [order.content for order in orders]
    assert {content.currency for content in contents} == {"BHD", "EUR", "GBP", "JPY", "USD"}
    assert {content.tax.prices_include_tax for content in contents} == {True, False}
    assert {len(content.customer) > 0 for content in contents} == {True, False}
    assert {bool(content.gift and content.gift.noshi) for content in contents} == {True, False}
    assert {content.requested is None for content in contents} == {True, False}
    assert {line.kind for content in contents for line in content.lines} == {*LineKind}
    rates = {(content.currency, str(line.tax.rate)) for content in contents for line in content.lines}
    assert {("JPY", "8"), ("JPY", "10"), ("GBP", "0")} < rates


def test_some_orders_are_out_of_the_ordinary(orders: list[OrderDocument]) -> None:
    """Services alone, a total of 0, discounts shared over lines."""
    kinds = [{line.kind for line in order.content.lines} for order in orders]
    assert sum(kind == {LineKind.SERVICE} for kind in kinds) >= 10
    assert sum(totals_of(order.content).gross_minor == 0 for order in orders) >= 5
    assert sum(sum(line.discount_minor > 0 for line in order.content.lines) > 1 for order in orders) >= 20


def test_every_kind_of_fault_is_in_it(documents: list[Document]) -> None:
    """Each faulty line is rejected for what was made wrong."""
    codes = Counter(document.rows[0].code for document in documents if isinstance(document, RejectedDocument))
    assert codes.keys() == {
        "bad_character", "bad_json", "does_not_recompute", "repeated", "unknown_currency", "unknown_field",
        "wrong_type",
    }  # fmt: skip


def test_some_cancellations_are_of_guests(documents: list[Document]) -> None:
    """Guests can never be matched; named customers are."""
    customers = [document.customer for document in documents if isinstance(document, CancellationDocument)]
    assert customers.count("") >= 10
    assert len(customers) >= 30


def test_the_default_carrier_goes_everywhere_the_sample_does(orders: list[OrderDocument]) -> None:
    """Countries of the sample lie in the zones they should."""
    zones = {"GB": "domestic", "DE": "europe", "FR": "europe", "US": "world", "JP": "world", "BH": "world"}
    assert {order.content.country for order in orders} == zones.keys()
    prices = {
        country: carrier().quote(LabelRequest("s", "r", "", country, (Parcel(100, 1),), "standard", "k"))[0].price
        for country in zones
    }
    named = {
        zone: carrier().quote(LabelRequest("s", "r", zone, "", (Parcel(100, 1),), "standard", "k"))[0].price
        for zone in {*zones.values()}
    }
    assert prices == {country: named[zone] for country, zone in zones.items()}
