"""The canonical text: equal records have one text, defaults leave no trace, and people can read it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orderflow.adapters.structure import structuring
from orderflow.domain.engine.bounds import Between, FreeText, Id, Length, Name, Quantity
from orderflow.domain.engine.decide import Envelope
from orderflow.domain.engine.record import Command, Record
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.text import decimal_text, form_of, object_writer, writer
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import OrderContent, OrderLine, Policy, ShipTogether
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.domain.parties.party import Person, RecordParty
from orderflow.domain.values import PartyRef, Pick
from orderflow.errors import DefinitionError, InputError, Key
from orderflow.flows.handle import fingerprint
from orderflow.testing.strategies import contents, message, value

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


class Mood(Enum):
    """How somebody feels."""

    GOOD = "good"
    BAD = "bad"


class Spot(NamedTuple):
    """A place with two defaults."""

    x: Quantity
    y: Quantity = 1
    note: Name = ""


class Part(Record):
    """A part of a message."""

    size: Quantity
    name: Name = "part"


class Note(Command):
    """A message with every kind of field."""

    number: Id
    count: Quantity = 1
    rate: Annotated[Decimal, Between(0, 100)] = Decimal("2.50")
    mood: Mood = Mood.GOOD
    sure: bool = False
    kind: Literal["in", "out"] = "in"
    at: datetime | None = None
    day: date = date(2026, 4, 1)
    spots: Annotated[tuple[Spot, ...], Length(0, 3)] = ()
    pair: tuple[Quantity, Name] = (1, "")
    part: Part | None = Part(1)
    text: FreeText = ""


def text_of(record: Any) -> str:
    """The canonical text of a record."""
    kind: Any = type(record)
    return writer(kind)(record)


def read_back(kind: Any, text: str) -> Any:
    """The record that a text was written of."""
    return structuring(forms_matched=True).structure(json.loads(text), kind)


# -- one text for equal records


@given(message(Note))
def test_what_is_written_is_read_back_equal(note: Note) -> None:
    """The text is JSON, and holds all of the record."""
    assert read_back(Note, text_of(note)) == note


@given(message(Note), message(Note))
def test_equal_records_and_no_others_have_the_same_text(one: Note, other: Note) -> None:
    """The text says exactly what the record says, so it can be hashed in its place."""
    assert (text_of(one) == text_of(other)) is (one == other)
    assert text_of(one) == text_of(evolve(one))


@given(contents())
def test_a_content_keeps_its_text(content: OrderContent) -> None:
    """The part of an order that never changes makes its text once, and is read back equal."""
    text = text_of(content)
    assert text is text_of(content) is content.canonical_text
    assert text == object_writer(OrderContent)(content)
    assert read_back(OrderContent, text) == content
    assert json.loads(text_of(PlaceOrder(content)))["content"] == json.loads(text)


def test_a_record_can_be_written_without_one_field() -> None:
    """What is stored apart stands in the text no second time."""
    whole, rest = writer(Note), writer(Note, "number")
    assert rest(Note("n", sure=True)) == '{"sure":true}'
    assert whole(Note("n", sure=True)) == '{"number":"n","sure":true}'
    assert rest(Note("n")) == "{}"


def test_what_is_at_its_default_is_left_out() -> None:
    """Fields stand in the order of the class, those at their default not at all; a value of None is written."""
    assert text_of(Note("n")) == '{"number":"n"}'
    assert text_of(Note("n", part=None, mood=Mood.BAD)) == '{"number":"n","mood":"bad","part":null}'
    assert text_of(Note("n", part=Part(2), count=3)) == '{"number":"n","count":3,"part":{"size":2}}'


def test_a_named_tuple_loses_its_trailing_defaults() -> None:
    """A row is an array; what stands before something of its own is kept."""
    assert writer(Spot)(Spot(5)) == "[5]"
    assert writer(Spot)(Spot(5, 1, "a")) == '[5,1,"a"]'
    assert writer(Spot)(Spot(5, 2)) == "[5,2]"
    assert writer(Pick)(Pick(1, "main", 2)) == '[1,"main",2]'
    assert text_of(Note("n", spots=(Spot(1), Spot(2, 2)))) == '{"number":"n","spots":[[1],[2,2]]}'


def released() -> tuple[Any, Any]:
    """Two releases of one class: the second has one more field, with a default, in the midst of the others."""

    def first() -> Any:
        class Greet(Command):
            name: Id
            loud: bool = False

        return Greet

    def second() -> Any:
        class Greet(Command):
            name: Id
            tongue: Name = "en"
            loud: bool = False
            spots: Annotated[tuple[Spot, ...], Length(0, 3)] = ()

        return Greet

    return first(), second()


@given(st.text(min_size=1), st.booleans())
def test_a_new_field_with_a_default_changes_no_text(name: str, loud: bool) -> None:
    """What an older release wrote, and its hash, is what the new one writes for the same command."""
    old, new = released()
    assert text_of(old(name=name, loud=loud)) == text_of(new(name=name, loud=loud))
    assert text_of(new(name=name, tongue="fr")) != text_of(new(name=name))


def test_a_new_default_at_the_end_of_a_row_changes_no_text() -> None:
    """The same for named tuples, whose new fields come last."""

    class Place(NamedTuple):
        x: int

    class WiderPlace(NamedTuple):
        x: int
        y: int = 0

    older, newer = writer(Place), writer(WiderPlace)
    assert older(Place(4)) == newer(WiderPlace(4)) == "[4]"
    assert newer(WiderPlace(4, 1)) == "[4,1]"


# -- values that stand as one text


@pytest.mark.parametrize(
    "number, text",
    [
        ("2.50", "2.5"),
        ("2.5", "2.5"),
        ("1E+3", "1000"),
        ("1000", "1000"),
        ("0.00", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("-1.10", "-1.1"),
        ("1E-12", "0.000000000001"),
    ],
)
def test_equal_decimals_have_one_text(number: str, text: str) -> None:
    """No exponent, no zeros at the end, no sign on nothing."""
    assert decimal_text(Decimal(number)) == text


@given(st.decimals(-(10**6), 10**6, places=6), st.integers(0, 6))
def test_zeros_at_the_end_of_a_decimal_do_not_matter(number: Decimal, zeros: int) -> None:
    """However many zeros a decimal carries, its text is the same and equal to it."""
    longer = Decimal(f"{number:f}" + "0" * zeros)
    assert decimal_text(longer) == decimal_text(number)
    assert Decimal(decimal_text(number)) == number


def test_one_instant_has_one_text() -> None:
    """Times are written in UTC, wherever they were told."""
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    assert text_of(Note("n", at=tokyo)) == text_of(Note("n", at=NOON)) == '{"number":"n","at":"2026-04-01T12:00:00Z"}'


def test_a_naive_time_has_no_text() -> None:
    """A time without a zone is no instant: it is bad input even where nobody has checked the record."""
    with pytest.raises(InputError) as caught:
        text_of(Note("n", at=NOON.replace(tzinfo=None)))
    assert caught.value.faults[0].code == "naive_time"


WRITTEN = {
    "2.55 GBP": Price.of("2.550", "GBP"),
    "28.20 GBP": Price.of("28.2", "GBP"),
    "0.3492 EUR": Price.of("0.34920", "EUR"),
    "7.000 BHD": Price.of(7, "BHD"),
    "1785 JPY/365": Price.of(1785, "JPY", per=365),
    "S 25": TaxCategory.of("S", "25.00"),
    "higher rate 7.7": TaxCategory.of("higher rate", "7.70"),
    "ACME@1": PartyRef("ACME", 1),
    "a@b@2": PartyRef("a@b", 2),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_values_are_written_as_people_write_them(text: str) -> None:
    """A price, a tax category, a reference to a party."""
    kind: Any = type(WRITTEN[text])
    assert json.loads(writer(kind)(WRITTEN[text])) == text
    form = form_of(kind)
    assert form is not None
    assert form.read(text) == WRITTEN[text]


@pytest.mark.parametrize("kind", [Price, TaxCategory, PartyRef, datetime, date, Decimal])
@given(data=st.data())
def test_every_form_matches_what_it_writes(kind: Any, data: st.DataObject) -> None:
    """The pattern that text from outside must match takes all that is written, and the example."""
    form = form_of(kind)
    assert form is not None
    drawn = data.draw(value(kind))
    text = form.write(drawn)
    assert form.pattern.fullmatch(text)
    assert form.read(text) == drawn
    assert form.pattern.fullmatch(form.example.split(" or ")[0])


def test_quotes_and_controls_are_escaped_and_letters_are_not() -> None:
    """The text is legible in any script."""
    assert text_of(Note("注文", text='"a"\n\\')) == r'{"number":"注文","text":"\"a\"\n\\"}'


def test_a_field_of_several_classes_has_no_text() -> None:
    """What could be read back in two ways is refused when the writer is made."""

    class Either(Command):
        part: Part | Spot

    with pytest.raises(DefinitionError, match="has no text"):
        writer(Either)


# -- fingerprints


def asked(command: Any, kind: str = "note", row: str = "1", tenant: str = "main") -> str:
    """The fingerprint of a command."""
    return fingerprint(Envelope(Key(tenant, kind, row), command, Stamp(NOON, "tester", "c")))


def test_a_fingerprint_tells_commands_and_rows_apart() -> None:
    """Another field, another row, another kind or tenant, another command: another fingerprint; the scheme leads it."""
    same = asked(Note("n"))
    assert same.startswith("1:")
    assert asked(Note("n", rate=Decimal("2.5000"))) == same
    others = [
        asked(Note("m")),
        asked(Note("n", sure=True)),
        asked(Note("n"), row="2"),
        asked(Note("n"), kind="memo"),
        asked(Note("n"), tenant="other"),
        asked(evolve_class(Note("n"))),
    ]
    assert len({same, *others}) == len(others) + 1


def evolve_class(note: Note) -> Any:
    """A command of another name with the same fields."""

    class Memo(Note):
        __slots__ = ()

    return Memo(note.number)


def test_a_fingerprint_survives_a_new_field_with_a_default() -> None:
    """A command retried after a release is known."""
    old, new = released()
    assert asked(old(name="ann")) == asked(new(name="ann"))


def test_a_fingerprint_holds_nothing_personal() -> None:
    """Of a command of the vault only the name counts: not even a hash of its values may leave it."""
    ann, bob = RecordParty(Person("Ann")), RecordParty(Person("Bob", email="bob@example.org"))
    assert asked(ann, "party") == asked(bob, "party")


def test_an_order_is_legible() -> None:
    """The text of an order, as it is stored and hashed."""
    line = OrderLine.of(1, "TEA", 2, Price.of("2.50", "GBP"), TaxCategory.of("S", "20.0"))
    content = OrderContent(
        "GBP", (line,), TaxPolicy(), bill_to=PartyRef("ann", 1), policy=Policy(ship_together=ShipTogether.LINE)
    )
    assert faults_of(content) == ()
    assert text_of(content) == (
        '{"currency":"GBP","lines":[{"line":1,"sku":"TEA","description":"","quantity":2,"price":"2.50 GBP",'
        '"net_minor":500,"tax":"S 20"}],"tax":{},"bill_to":"ann@1","policy":{"ship_together":"line"}}'
    )
