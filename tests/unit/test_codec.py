"""The codec: what its JSON looks like, what it refuses and how it says so."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from attrs import frozen

from orderflow.adapters.codec import Codec
from orderflow.domain.engine.machine import Absent, rule
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.machine import STOCK
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.allocating import StockReleased
from orderflow.domain.orders.cancelling import UnitsCancelled
from orderflow.domain.orders.content import CancelledBy, Gate, Hold, HoldReason, OrderContent, OrderLine, totals_of
from orderflow.domain.orders.lines import Allotment, LineVector, Slice
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.placing import ConfirmOrder, OrderConfirmed, PlaceOrder
from orderflow.domain.orders.state import Placed, Progress
from orderflow.domain.values import DeliveryWish, PartyRef, Pick
from orderflow.domain.workflow.table import MACHINES
from orderflow.errors import DefinitionError, InputError, StorageError

AT = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
LINE = OrderLine.of(1, "TEA", 3, Price.of("2.55", "GBP"), TaxCategory.of("S", 20))
CONTENT = OrderContent("GBP", (LINE,), TaxPolicy(), bill_to=PartyRef("ACME", 1))
PLACED = Placed(CONTENT, totals_of(CONTENT), Progress((LineVector(open=3),)), AT)
CODEC = Codec(MACHINES)

GOOD_LINE = {
    "line": 1,
    "sku": "TEA",
    "description": "",
    "quantity": 3,
    "price": "2.55 GBP",
    "net_minor": 765,
    "tax": "S 20",
}


@frozen
class Season:
    """A value of a host's own."""

    opening: tuple[date, bool]


class Visit(NamedTuple):
    """A row of a host's own."""

    at: datetime | None
    note: str = ""


class Shelve(Command):
    """A command of a host's own."""


class Shelved(Event):
    """Its event."""


def put(state: Absent, command: Shelve, stamp: Stamp) -> Shelved:
    """Decides it."""
    return Shelved()


def lay(state: Absent, event: Shelved) -> Any:
    """Evolves it."""


# --- the form ---


@pytest.mark.parametrize(
    "value, text",
    [
        (LINE, json.dumps(GOOD_LINE, separators=(",", ":"))),
        (LineVector(shipped=6), '{"shipped":6}'),
        (LineVector(allocated=(Allotment("TOKYO", 2),)), '{"allocated":[["TOKYO",2]]}'),
        (LineVector(allocated=(Allotment("大阪", 2, AT),)), '{"allocated":[["大阪",2,"2026-03-31T09:30:00Z"]]}'),
        (StockReleased((Pick(1, "TOKYO", 2),)), '{"picks":[[1,"TOKYO",2]]}'),
        (
            UnitsCancelled("late", CancelledBy.CUSTOMER, (Slice(1, "open", 2), Slice(1, "preparing", 1, "", "S1"))),
            '{"reason":"late","by":"customer","slices":[[1,"open",2],[1,"preparing",1,"","S1"]]}',
        ),
        (Hold(HoldReason.FRAUD, Gate.SHIP), '{"reason":"fraud","gate":"ship"}'),
        (DeliveryWish(date(2026, 4, 1), "am"), '{"date":"2026-04-01","slot":"am"}'),
        (PlaceOrder(), "{}"),
    ],
)
def test_the_form_is_compact(value: Any, text: str) -> None:
    """Defaults are left out, named tuples are arrays without trailing defaults, enums stand by their value."""
    assert CODEC.encode(value) == text


@pytest.mark.parametrize(
    "at, text",
    [
        (AT, "2026-03-31T09:30:00Z"),
        (AT.replace(microsecond=1200), "2026-03-31T09:30:00.001200Z"),
        (AT.astimezone(timezone(timedelta(hours=9))), "2026-03-31T09:30:00Z"),
    ],
)
def test_times_are_written_in_utc(at: datetime, text: str) -> None:
    """A time of any zone is written in UTC, ending in Z, with microseconds only where there are any."""
    assert CODEC.encode(OrderConfirmed(at)) == f'{{"at":"{text}"}}'


def test_a_time_without_a_zone_is_not_written() -> None:
    """A naive time would be read as another one elsewhere."""
    with pytest.raises(InputError, match="time zone"):
        CODEC.encode(OrderConfirmed(datetime(2026, 3, 31)))  # noqa: DTZ001


@pytest.mark.parametrize(
    "price, text",
    [
        (Price(Decimal("0.3492"), "EUR", 1000), "0.3492 EUR/1000"),
        (Price(Decimal("1E+3"), "JPY"), "1000 JPY"),
        (Price(Decimal("-2.5"), "GBP"), "-2.50 GBP"),
        (Price(Decimal("28.2000"), "GBP"), "28.20 GBP"),
    ],
)
def test_a_price_is_one_text(price: Price, text: str) -> None:
    """Amount, currency and base of a price stand in one text, without an exponent, and come back."""
    line = OrderLine.of(1, "TEA", 1, price, LINE.tax)
    written = json.loads(CODEC.encode(line))
    assert written["price"] == text
    assert CODEC.read(OrderLine, written) == line


def test_a_state_is_kept_in_two_parts() -> None:
    """The content, which never changes, can be stored apart from the rest."""
    rest = CODEC.form_of(Placed).write_rest(PLACED)
    assert "content" not in json.loads(rest)
    assert CODEC.state("order", "Placed", rest, content=CONTENT) == PLACED
    assert CODEC.state("order", "Placed", rest, content=CONTENT).content is CONTENT
    assert CODEC.read(OrderContent, CODEC.encode(CONTENT)) == CONTENT


def test_a_state_without_content_is_one_part() -> None:
    """A state that has no content is written whole either way."""
    form = CODEC.form_of(StockLevel)
    assert form.write(StockLevel(5)) == form.write_rest(StockLevel(5)) == '{"on_hand":5}'
    assert CODEC.state("stock", "StockLevel", '{"on_hand":5}') == StockLevel(5)


def test_pairs_are_written_in_the_forms_of_their_values() -> None:
    """A tuple of fixed items is an array, each item in its own form."""
    assert CODEC.encode(Season((date(2026, 4, 1), True))) == '{"opening":["2026-04-01",true]}'


def test_a_required_item_is_always_written() -> None:
    """Trailing defaults are left out of an array, a null that has no default is not."""
    assert CODEC.encode(Visit(None)) == "[null]"
    assert CODEC.encode(Visit(None, "again")) == '[null,"again"]'


def test_a_name_stands_for_one_class() -> None:
    """Classes are stored by name, so a machine whose extension takes a name again cannot be stored."""
    again = type("StockLevel", (StockLevel,), {"__slots__": ()})
    machine = STOCK.extended(rule(Absent, Shelve, Shelved, again, lay, decide=put), final=(again,))
    with pytest.raises(DefinitionError, match="two classes have the same name: StockLevel"):
        Codec((machine,))


# --- stored data ---


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"at":null}',
        '{"at":5}',
        '{"at":"yesterday"}',
        '{"at":"2026-03-31T09:30:00"}',
        '{"at":"2026-03-31T09:30:00Z","by":1}',
        "[" * 100_000,
        '{"at":' + "9" * 5000 + "}",
    ],
)
def test_a_damaged_row_is_a_storage_error(text: str) -> None:
    """Stored text that is not what it should be is a StorageError with its cause, not to be tried again."""
    with pytest.raises(StorageError, match="OrderConfirmed of order cannot be read") as caught:
        CODEC.event("order", "OrderConfirmed", text)
    assert caught.value.__cause__ is not None
    assert not caught.value.retry


@pytest.mark.parametrize(
    "name, text",
    [
        ("StockReleased", '{"picks":[[1,"TOKYO"]]}'),
        ("StockReleased", '{"picks":[[1,"TOKYO",2,3]]}'),
        ("StockReleased", '{"picks":["TOK"]}'),
        ("StockReleased", '{"picks":{}}'),
        ("StockReleased", '{"picks":[[1,"TOKYO",true]]}'),
        ("UnitsCancelled", '{"reason":"","by":"nobody","slices":[]}'),
        ("OrderNever", "{}"),
    ],
)
def test_a_row_of_another_shape_is_a_storage_error(name: str, text: str) -> None:
    """A missing item, one too many, a wrong type, an unknown enum value or class name: nothing is guessed."""
    with pytest.raises(StorageError):
        CODEC.event("order", name, text)


def test_an_unknown_kind_is_a_storage_error() -> None:
    """Rows of a machine that the codec was not given cannot be read."""
    with pytest.raises(StorageError, match="Placed of orders"):
        CODEC.state("orders", "Placed", "{}")
    with pytest.raises(StorageError, match="Placed of orders"):
        CODEC.state("orders", "Placed", "{}", content=CONTENT)


# --- schema versions ---


def renamed(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 called the time ``time``."""
    return {"at": data["time"]}


def zoned(data: dict[str, Any]) -> dict[str, Any]:
    """Version 2 left the zone out."""
    return {"at": data["at"] + "Z"}


VERSIONED = Codec([ORDER.upcasting(OrderConfirmed, renamed, zoned)])


@pytest.mark.parametrize(
    "schema, text",
    [
        (1, '{"time":"2026-03-31T09:30:00"}'),
        (2, '{"at":"2026-03-31T09:30:00"}'),
        (3, '{"at":"2026-03-31T09:30:00Z"}'),
    ],
)
def test_old_events_are_brought_to_the_present(schema: int, text: str) -> None:
    """Upcasters run one after the other from the stored version to the present one."""
    assert VERSIONED.event("order", "OrderConfirmed", text, schema) == OrderConfirmed(AT)


def test_events_are_written_in_their_present_version() -> None:
    """The version is 1 unless another is declared."""
    assert VERSIONED.schema_of(OrderConfirmed) == 3
    assert VERSIONED.schema_of(StockReleased) == 1


def counted(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 of a stock row called what is there ``units``."""
    return {"on_hand": data["units"]}


def since(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 of a placed order called the time ``time``; it meets no content."""
    assert "content" not in data
    return {**{name: value for name, value in data.items() if name != "time"}, "placed_at": data["time"]}


def test_old_states_are_brought_to_the_present() -> None:
    """States have versions and upcasters as events have; they meet no content, which is stored apart."""
    codec = Codec([STOCK.upcasting(StockLevel, counted), ORDER.upcasting(Placed, since)])
    assert codec.state("stock", "StockLevel", '{"units":5}', 1) == StockLevel(5)
    assert codec.state("stock", "StockLevel", '{"on_hand":5}', 2) == StockLevel(5)
    assert [codec.form_of(kind).schema for kind in (StockLevel, Placed, Progress)] == [2, 2, 1]
    rest = codec.form_of(Placed).write_rest(PLACED).replace('"placed_at"', '"time"')
    assert codec.state("order", "Placed", rest, 1, CONTENT) == PLACED


@pytest.mark.parametrize("schema", [0, 4])
def test_an_event_of_the_future_is_not_guessed(schema: int) -> None:
    """A version that this release does not know is a StorageError that says so."""
    with pytest.raises(StorageError, match=f"unknown schema version {schema}; the current one is 3"):
        VERSIONED.event("order", "OrderConfirmed", "{}", schema)


def test_an_upcaster_that_fails_is_a_storage_error() -> None:
    """An upcaster meets data it does not expect: the error names the event, the cause is kept."""
    with pytest.raises(StorageError, match="OrderConfirmed"):
        VERSIONED.event("order", "OrderConfirmed", "{}", 1)


def test_a_machine_upcasts_its_own_classes_only() -> None:
    """What a class of another machine was is no business of this one; a wider machine keeps its upcasters."""
    with pytest.raises(DefinitionError, match="StockLevel is neither a state nor an event"):
        ORDER.upcasting(StockLevel, counted)
    upcasting = ORDER.upcasting(OrderConfirmed, renamed)
    assert upcasting.guarded(ConfirmOrder, lambda s, c, t: None).extended().upcasters == upcasting.upcasters
