"""What is peculiar to each carrier that ships; what all carriers promise is in contracts/test_carrier.py."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orderflow.adapters.carriers.memory import CarrierFailure, MemoryCarrier
from orderflow.adapters.carriers.table import TableRateCarrier, check_digit, tracking_number
from orderflow.domain.money.money import Money
from orderflow.errors import InputError, PortError
from orderflow.ports.carrier import Label, LabelRequest, Parcel, Quote

BY_WEIGHT = """\
# Rates of 2026, net of tax

zone,service,max_weight_grams,price,currency,days
home,parcel,20000,8.90,EUR,2
home,parcel,2000,4.90,EUR,2
home,express,2000,14.90,EUR,1
far,parcel,,30,EUR,9
"""
BY_PIECE = "zone,service,max_pieces,price,currency,days\njp,takkyubin,10,800,JPY,1\njp,takkyubin,100,1500,JPY,2\n"
REQUEST = LabelRequest("SHP-1", "SO-7", "home", "DE", (Parcel(1_500, 3),), None, "SHP-1/label")


def written(folder: Path, text: str) -> Path:
    """A table file with this text."""
    path = folder / "rates.csv"
    path.write_text(text, encoding="utf-8")
    return path


def carrier(folder: Path, text: str = BY_WEIGHT, **options: Any) -> TableRateCarrier:
    """A carrier named van with this table."""
    return TableRateCarrier.from_file(written(folder, text), name="van", **options)


def price_of(van: TableRateCarrier, *parcels: Parcel, **changes: Any) -> Money | None:
    """What a label for these parcels costs."""
    return van.buy_label(evolve(REQUEST, parcels=parcels, **changes)).price


# --- rates ---


@pytest.mark.parametrize(
    "weight_grams, price",
    [(0, "4.90"), (1_999, "4.90"), (2_000, "4.90"), (2_001, "8.90"), (20_000, "8.90")],
)
def test_the_tightest_limit_that_holds_the_parcel_decides(tmp_path: Path, weight_grams: int, price: str) -> None:
    """A limit is inclusive, and the order of the rows does not matter."""
    parcel = Parcel(weight_grams, 1)
    assert price_of(carrier(tmp_path), parcel, service="parcel") == Money.of(price, "EUR")


def test_a_table_may_count_pieces(tmp_path: Path) -> None:
    """With the column max_pieces the weight plays no part."""
    van = carrier(tmp_path, BY_PIECE)
    assert price_of(van, Parcel(10**9, 10), tariff_zone="jp") == Money(800, "JPY")
    assert price_of(van, Parcel(1, 11), tariff_zone="jp") == Money(1500, "JPY")


def test_each_parcel_is_priced_and_the_slowest_sets_the_days(tmp_path: Path) -> None:
    """The price is a sum over parcels; the time is the longest of them."""
    van = carrier(tmp_path, BY_PIECE)
    request = evolve(REQUEST, tariff_zone="jp", parcels=(Parcel(1, 10), Parcel(1, 11)))
    assert van.quote(request) == (Quote("takkyubin", Money(2300, "JPY"), 2),)


def test_an_empty_limit_has_no_bound(tmp_path: Path) -> None:
    """A row without limit takes what no other row takes."""
    assert price_of(carrier(tmp_path), Parcel(10**12, 1), tariff_zone="far") == Money.of("30", "EUR")


@pytest.mark.parametrize("choose, service", [("price", "parcel"), ("speed", "express")])
def test_the_service_is_chosen_by_price_or_by_speed(tmp_path: Path, choose: str, service: str) -> None:
    """When the request names no service, the setting chooses among those that take the parcels."""
    assert carrier(tmp_path, choose=choose).buy_label(REQUEST).service == service


def test_a_service_too_small_for_the_parcel_is_not_chosen(tmp_path: Path) -> None:
    """Express stops at 2 kg, so 5 kg go by parcel, however fast they should be."""
    van = carrier(tmp_path, choose="speed")
    assert van.buy_label(evolve(REQUEST, parcels=(Parcel(5_000, 1),))).service == "parcel"


# --- zones ---


@pytest.mark.parametrize(
    "zone, country, days",
    [("home", "NZ", 2), ("", "DE", 2), ("", "NZ", 9), ("far", "DE", 9)],
    ids=["named zone", "zone of the country", "default zone", "a named zone beats the country's"],
)
def test_the_zone_is_named_or_the_countrys_or_the_default(tmp_path: Path, zone: str, country: str, days: int) -> None:
    """First what the request says, then the country's zone, then the default."""
    van = carrier(tmp_path, zones={"DE": "home"}, default_zone="far")
    assert van.quote(evolve(REQUEST, tariff_zone=zone, country=country))[0].days == days


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"tariff_zone": "moon"}, "no rate for zone 'moon'"),
        ({"tariff_zone": "", "country": "NZ"}, "country 'NZ'"),
        ({"parcels": (Parcel(20_001, 1),)}, "too large"),
        ({"parcels": (Parcel(1, 1), Parcel(20_001, 1))}, "too large"),
        ({"service": "express", "parcels": (Parcel(5_000, 1),)}, "too large"),
        ({"service": "balloon"}, "no service 'balloon'"),
        ({"parcels": (Parcel(-1, 1),)}, "negative"),
    ],
)
def test_what_the_table_cannot_carry_is_refused_for_good(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    """No rate means no, today and on every retry."""
    with pytest.raises(PortError, match=reason) as caught:
        carrier(tmp_path).buy_label(evolve(REQUEST, **changes))
    assert not caught.value.retry


# --- labels ---


def test_the_label_holds_all_that_is_printed(tmp_path: Path) -> None:
    """The data is JSON with every field of the label, and no float among them."""
    label = carrier(tmp_path).buy_label(REQUEST)
    assert label.media_type == "application/json"
    assert json.loads(label.data, parse_float=pytest.fail) == {
        "carrier": "van",
        "service": "parcel",
        "tracking_number": label.tracking_number,
        "shipment": "SHP-1",
        "reference": "SO-7",
        "zone": "home",
        "country": "DE",
        "parcels": [{"weight_grams": 1_500, "pieces": 3}],
        "price_minor": 490,
        "currency": "EUR",
        "days": 2,
    }


def test_another_process_writes_the_same_label(tmp_path: Path) -> None:
    """After a crash a new carrier, made from the same file, answers the retry with the same label."""
    assert carrier(tmp_path).buy_label(REQUEST) == carrier(tmp_path).buy_label(REQUEST)


@pytest.mark.parametrize("digits, digit", [("37610425002123456", "9"), ("629104150021", "3")])
def test_the_check_digit_is_that_of_gs1(digits: str, digit: str) -> None:
    """GS1's own worked examples, a serial shipping container code and an article number, come out."""
    assert check_digit(digits) == digit


@given(st.text(max_size=30), st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(key: str, place: int, off: int) -> None:
    """Whatever single digit of a tracking number is misread, the check digit no longer fits."""
    number = tracking_number("van", key)
    assert check_digit(number[:-1]) == number[-1]
    wrong = f"{number[:place]}{(int(number[place]) + off) % 10}{number[place + 1 :]}"
    assert check_digit(wrong[:-1]) != wrong[-1]


def test_tracking_numbers_do_not_collide() -> None:
    """A hundred thousand labels of two carriers hold two hundred thousand numbers of 18 digits."""
    numbers = Counter(tracking_number(name, f"SHP-{n}") for n in range(100_000) for name in ("van", "ship"))
    assert len(numbers) == 200_000
    assert {len(number) for number in numbers} == {18}


# --- the table file ---


BAD_ROWS = """\
zone,service,max_weight_grams,price,currency,days
# the header is line 1, this comment is line 2
,parcel,2000,4.90,EUR,2
home,parcel,heavy,4.901,EUR,soon
home,parcel,2000,4.90,EUR
home,parcel,2000,-1,EUR,2
home,parcel,3000,5,XXY,2
home,parcel,4000,5,EUR,2
home,parcel,4000,6,EUR,3
home,parcel,5000,7,USD,3
home,parcel,-1,7,EUR,3
"""


def test_every_fault_of_the_file_is_named_with_its_line(tmp_path: Path) -> None:
    """One pass finds them all; a comment counts as a line."""
    with pytest.raises(InputError) as caught:
        carrier(tmp_path, BAD_ROWS)
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [
        ("line[3].zone", "bad_length"),
        ("line[4].limit", "bad_form"),
        ("line[4].days", "bad_form"),
        ("line[4].price.amount", "too_many_decimals"),
        ("line[5]", "bad_length"),
        ("line[6].price", "out_of_range"),
        ("line[7].price.currency", "unknown_currency"),
        ("line[11].limit", "bad_form"),
        ("line[9]", "repeated"),
        ("line[10].currency", "currency_mismatch"),
    ]


@pytest.mark.parametrize(
    "text, code",
    [
        ("", "bad_form"),
        ("# nothing but a comment\n", "bad_form"),
        ("zone,service,price\n", "bad_form"),
        ("zone,service,max_volume,price,currency,days\n", "bad_form"),
        ("service,zone,max_pieces,price,currency,days\n", "bad_form"),
        ("zone,service,max_pieces,price,currency,days\n", "missing"),
    ],
)
def test_a_table_needs_its_header_and_a_rate(tmp_path: Path, text: str, code: str) -> None:
    """A file of another kind, or an empty one, is refused with the reason."""
    with pytest.raises(InputError) as caught:
        carrier(tmp_path, text)
    assert [fault.code for fault in caught.value.faults] == [code]


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["absent", "not UTF-8"])
def test_an_unreadable_table_is_an_input_error(tmp_path: Path, content: bytes | None) -> None:
    """The path stands in the error, the foreign error is its cause."""
    path = tmp_path / "rates.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read") as caught:
        TableRateCarrier.from_file(path, name="van")
    assert caught.value.faults[0].path == str(path)
    assert caught.value.__cause__ is not None


def test_a_spreadsheets_file_is_read_too(tmp_path: Path) -> None:
    """A byte order mark, Windows line ends, quotes and blanks around cells do no harm."""
    text = BY_PIECE.replace("jp,takkyubin", '"jp" ,"takkyubin" ').replace("\n", "\r\n")
    assert carrier(tmp_path, f"\ufeff{text}").table == carrier(tmp_path, BY_PIECE).table


def test_settings_that_do_not_fit_the_table_are_refused(tmp_path: Path) -> None:
    """An unknown zone is found when the carrier is made, not when the first parcel waits."""
    with pytest.raises(InputError) as caught:
        carrier(tmp_path, choose="luck", zones={"DE": "home", "NZ": "moon"}, default_zone="mars")
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [
        ("choose", "not_a_choice"),
        ("zones[NZ]", "unknown_zone"),
        ("default_zone", "unknown_zone"),
    ]


# --- the carrier in memory ---


def buy(memory: MemoryCarrier, key: str = "k") -> Label | PortError:
    """The answer to a purchase, or the error instead."""
    try:
        return memory.buy_label(evolve(REQUEST, idempotency_key=key))
    except PortError as error:
        return error


@pytest.mark.parametrize(
    "failure, retry, sold",
    [
        (CarrierFailure.REFUSED, False, 0),
        (CarrierFailure.TIMEOUT_BEFORE, True, 0),
        (CarrierFailure.TIMEOUT_AFTER, True, 1),
    ],
)
def test_a_scripted_failure_says_whether_to_retry(failure: CarrierFailure, *, retry: bool, sold: int) -> None:
    """The error tells a no from a silence, and only one kind of silence leaves a label behind."""
    memory = MemoryCarrier(script=[failure])
    answer = buy(memory)
    assert isinstance(answer, PortError)
    assert (answer.retry, len(memory.sold)) == (retry, sold)
    assert isinstance(buy(memory), Label)
    assert len(memory.sold) == 1


def test_a_duplicate_is_a_second_label_for_one_key() -> None:
    """A carrier that forgets keys sells twice; the list of sales shows it."""
    memory = MemoryCarrier(script=[None, CarrierFailure.DUPLICATE])
    first, second = buy(memory), buy(memory)
    assert memory.sold == [first, second]
    assert first != second


def test_garbage_is_an_answer_without_a_number() -> None:
    """An error page in place of a label; the sale itself took place and a retry finds it."""
    memory = MemoryCarrier(script=[CarrierFailure.GARBAGE])
    answer = buy(memory)
    assert isinstance(answer, Label)
    assert (answer.tracking_number, answer.price, answer.media_type) == ("", None, "text/html")
    assert buy(memory) == memory.sold[0]


def test_a_key_belongs_to_one_request() -> None:
    """A key that comes back with another request is refused instead of answered with the wrong label."""
    memory = MemoryCarrier()
    memory.buy_label(REQUEST)
    with pytest.raises(PortError, match="another request") as caught:
        memory.buy_label(evolve(REQUEST, parcels=(Parcel(9, 9),)))
    assert not caught.value.retry


def test_a_slow_carrier_waits_before_it_acts() -> None:
    """The hook runs first in every call, so that a test can let time pass or look around."""
    seen: list[int] = []
    memory = MemoryCarrier(wait=lambda: seen.append(len(memory.sold)))
    label = memory.buy_label(REQUEST)
    memory.quote(REQUEST)
    memory.void_label(label.tracking_number, "v")
    assert seen == [0, 1, 1]


def test_quotes_and_voids_fail_by_the_script_too() -> None:
    """Each call takes one entry; a void that times out afterwards has been done."""
    memory = MemoryCarrier(script=[None, CarrierFailure.TIMEOUT_BEFORE, CarrierFailure.TIMEOUT_AFTER])
    number = memory.buy_label(REQUEST).tracking_number
    with pytest.raises(PortError, match="no answer"):
        memory.quote(REQUEST)
    with pytest.raises(PortError, match="no answer"):
        memory.void_label(number, "v")
    assert memory.voided == {number}
