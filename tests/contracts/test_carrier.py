"""What every carrier promises, asked of each one that ships."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import evolve

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.carriers.table import TableRateCarrier
from orderflow.domain.money import Money
from orderflow.errors import PortError
from orderflow.ports.carrier import Carrier, LabelRequest, Parcel, Quote

REQUEST = LabelRequest("SHP-1", "SO-7", "home", "DE", (Parcel(1_500, 3), Parcel(300, 1)), None, "SHP-1/label")
TABLE = """\
zone,service,max_weight_grams,price,currency,days
home,slow,30000,4.90,EUR,5
home,fast,30000,9.90,EUR,1
"""
QUOTES = (Quote("slow", Money.of("4.90", "EUR"), 5), Quote("fast", Money.of("9.90", "EUR"), 1))


def memory_carrier(_: Path) -> Carrier:
    """The carrier in memory."""
    return MemoryCarrier("van", quotes=QUOTES)


def table_carrier(folder: Path) -> Carrier:
    """The carrier with a table file."""
    (folder / "rates.csv").write_text(TABLE, encoding="utf-8")
    return TableRateCarrier.from_file(folder / "rates.csv", name="van")


@pytest.fixture(params=[memory_carrier, table_carrier], ids=["memory", "table"])
def carrier(request: pytest.FixtureRequest, tmp_path: Path) -> Carrier:
    """One carrier after the other; each serves REQUEST by the services slow and fast."""
    make: Callable[[Path], Carrier] = request.param
    return make(tmp_path)


def test_a_quote_names_each_service_once(carrier: Carrier) -> None:
    """Offers are distinct by service, with a price and a time that are not negative."""
    quotes = carrier.quote(REQUEST)
    assert sorted(quote.service for quote in quotes) == ["fast", "slow"]
    assert all(quote.price.minor >= 0 and quote.days >= 0 for quote in quotes)


def test_a_quote_for_a_service_is_about_that_service(carrier: Carrier) -> None:
    """Whoever names a service hears of no other."""
    assert [quote.service for quote in carrier.quote(evolve(REQUEST, service="fast"))] == ["fast"]


def test_asking_for_a_quote_buys_nothing(carrier: Carrier) -> None:
    """The same question has the same answer, before and after a purchase."""
    before = carrier.quote(REQUEST)
    carrier.buy_label(REQUEST)
    assert carrier.quote(REQUEST) == before


def test_a_label_costs_what_was_quoted(carrier: Carrier) -> None:
    """The service asked for is bought at its quoted price, under the carrier's name, with something to print."""
    (quote,) = carrier.quote(evolve(REQUEST, service="fast"))
    label = carrier.buy_label(evolve(REQUEST, service="fast"))
    assert (label.carrier, label.service, label.price) == (carrier.name, "fast", quote.price)
    assert label.tracking_number
    assert label.data
    assert label.media_type


def test_without_a_wish_the_first_quote_is_bought(carrier: Carrier) -> None:
    """The carrier's own choice stands first among its quotes."""
    assert carrier.buy_label(REQUEST).service == carrier.quote(REQUEST)[0].service


def test_one_key_is_one_label(carrier: Carrier) -> None:
    """A retry gets the label it already bought."""
    assert carrier.buy_label(REQUEST) == carrier.buy_label(REQUEST)


def test_retries_at_the_same_time_are_one_label(carrier: Carrier) -> None:
    """Eight threads with one key see one tracking number."""
    with ThreadPoolExecutor(8) as pool:
        labels = list(pool.map(lambda _: carrier.buy_label(REQUEST), range(64)))
    assert len(set(labels)) == 1


def test_two_keys_are_two_labels(carrier: Carrier) -> None:
    """Tracking numbers never repeat among keys."""
    numbers = {carrier.buy_label(evolve(REQUEST, idempotency_key=f"k{n}")).tracking_number for n in range(200)}
    assert len(numbers) == 200


def test_a_key_may_be_any_text(carrier: Carrier) -> None:
    """Keys are opaque: blanks, slashes and other scripts included."""
    keys = ("shop/536365/label", "ラベル", "a b\tc", "x" * 100)
    assert len({carrier.buy_label(evolve(REQUEST, idempotency_key=key)).tracking_number for key in keys}) == len(keys)


@pytest.mark.parametrize(
    "request_", [evolve(REQUEST, service="teleport"), evolve(REQUEST, parcels=())], ids=["service", "no parcel"]
)
def test_what_cannot_be_carried_is_refused_for_good(carrier: Carrier, request_: LabelRequest) -> None:
    """Quote and purchase agree: a PortError that is not to be retried."""
    for ask in (carrier.quote, carrier.buy_label):
        with pytest.raises(PortError) as caught:
            ask(request_)
        assert (caught.value.port, caught.value.retry) == ("carrier", False)


def test_a_refused_key_may_be_used_again(carrier: Carrier) -> None:
    """A refusal spends nothing: the corrected request is served under the same key."""
    with pytest.raises(PortError):
        carrier.buy_label(evolve(REQUEST, service="teleport"))
    assert carrier.buy_label(REQUEST).tracking_number


def test_a_label_can_be_given_back_twice(carrier: Carrier) -> None:
    """The retry of a void succeeds like the void itself."""
    number = carrier.buy_label(REQUEST).tracking_number
    carrier.void_label(number, "SHP-1/void")
    carrier.void_label(number, "SHP-1/void")


def test_a_foreign_number_cannot_be_given_back(carrier: Carrier) -> None:
    """A number that is not the carrier's is refused for good."""
    with pytest.raises(PortError) as caught:
        carrier.void_label("no-such-number", "SHP-1/void")
    assert (caught.value.port, caught.value.retry) == ("carrier", False)
