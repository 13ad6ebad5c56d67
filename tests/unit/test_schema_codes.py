"""One schema: bounds said once, one code for each fault, arguments checked by their annotations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import attrs
import pytest
from attrs import frozen

from orderflow.domain.engine.bounds import Between, Count, Id, Known, Length, Quantity, Text, fields_of
from orderflow.domain.engine.schema import checked, faults_at, faults_of, sound
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import Fault, InputError

WORKFLOW = standard_workflow()

# -- one code for one fault


class Mood(Enum):
    """How somebody feels."""

    GOOD = "good"


@frozen
class Visit:
    """A message with a field for each fault there is."""

    count: Quantity = 1
    rate: Annotated[Decimal, Between(0, 100)] = Decimal(1)
    name: Id = "x"
    sku: Annotated[str, Text(10, without="@")] = ""
    colour: Annotated[str, Known({"red"}.__contains__, "unknown_colour", "a colour we have")] = "red"
    mood: Mood = Mood.GOOD
    kind: Literal["in", "out"] = "in"
    step: Literal[1, 2] = 1
    at: datetime | None = None
    day: date = date(2026, 4, 1)
    sure: bool = True
    parts: Annotated[tuple[Quantity, ...], Length(0, 2)] = ()
    least: Count = 0
    most: Count = 0

    def faults(self) -> Iterator[Fault]:
        """The least is not above the most."""
        if self.least > self.most:
            yield Fault("least", "conflict", "is above the most")


CODES: list[tuple[str, str, Any]] = [
    *[("wrong_type", name, object()) for name in ("count", "rate", "name", "colour", "mood", "at", "day", "parts")],
    ("wrong_type", "count", True),
    ("wrong_type", "rate", 1.0),
    ("wrong_type", "day", datetime(2026, 4, 1, tzinfo=UTC)),
    ("wrong_type", "sure", 1),
    ("wrong_type", "mood", "good"),
    ("out_of_range", "count", 0),
    ("out_of_range", "rate", Decimal(101)),
    ("out_of_range", "rate", Decimal("NaN")),
    ("out_of_range", "rate", Decimal("1e-13")),
    ("bad_length", "name", ""),
    ("bad_length", "parts", (1, 1, 1)),
    ("blank", "name", "  "),
    ("bad_character", "name", "a\x00"),
    ("bad_character", "sku", "a@b"),
    ("unknown_colour", "colour", "blue"),
    ("not_a_choice", "kind", "up"),
    ("not_a_choice", "step", True),
    ("naive_time", "at", datetime(2026, 4, 1)),  # noqa: DTZ001 - naive on purpose
    ("conflict", "least", 1),
]


@pytest.mark.parametrize("code, name, value", CODES)
def test_one_fault_has_one_code(code: str, name: str, value: Any) -> None:
    """Each kind of fault has its code, whether a whole message is asked, a value alone, or an argument."""
    spoilt = attrs.evolve(Visit(), **{name: value})
    assert [(fault.path, fault.code) for fault in faults_of(spoilt)] == [(name, code)]
    assert [(fault.path, fault.code) for fault in faults_at("visit", Visit, spoilt)] == [(f"visit.{name}", code)]
    if code != "conflict":
        kind = next(field.kind for field in fields_of(Visit) if field.name == name)
        assert [(fault.path, fault.code) for fault in faults_at("", kind, value)] == [("", code)]
        assert not sound(kind)(value)


def test_faults_between_fields_are_asked_of_sound_fields_only() -> None:
    """What compares fields need not fear what stands in them."""
    assert [fault.path for fault in faults_of(Visit(least="x"))] == ["least"]  # type: ignore[arg-type]


def test_a_message_is_of_its_own_class() -> None:
    """A look-alike with the same fields is not the class that was asked for."""

    class Double(Visit):
        pass

    assert [fault.code for fault in faults_at("visit", Visit, Double())] == ["wrong_type"]


SHARED: list[tuple[Any, Any]] = [
    (command, event)
    for machine in WORKFLOW.machines.values()
    for line_ in machine.rules
    for command, event in [(line_.command, line_.transitions[0].event)]
    if len(line_.transitions) == 1 and command.__mro__[1] is event.__mro__[1] and attrs.has(command.__mro__[1])
]


def test_bounds_are_said_once() -> None:
    """A command and the event that records it have their fields, and so their bounds, from one class.

    What the event adds is its own.
    """
    assert len({command for command, _ in SHARED}) > 40
    for command, event in SHARED:
        shared, recorded = fields_of(command), fields_of(event)
        assert recorded[: len(shared)] == shared
        assert "__attrs_attrs__" not in vars(command)
        assert ("__attrs_attrs__" in vars(event)) == (len(recorded) > len(shared))


# -- arguments


class Desk:
    """Somebody with a checked method."""

    @checked
    def book(self, seat: Quantity, name: Id = "nobody", *, mood: Literal["good", "bad"] = "good", note=None) -> str:  # type: ignore[no-untyped-def]  # noqa: ANN001
        """What was booked."""
        return f"{seat} {name} {mood} {note}"


def refused(call: Any) -> list[tuple[str, str]]:
    """Path and code of what is wrong with a call."""
    with pytest.raises(InputError) as caught:
        call()
    return [(fault.path, fault.code) for fault in caught.value.faults]


def test_a_checked_function_takes_what_its_annotations_say() -> None:
    """Sound arguments pass by place and by name; what has no annotation is let through, defaults are not asked."""
    assert Desk().book(1) == "1 nobody good None"
    assert Desk().book(1, "ann", mood="bad", note=object) == f"1 ann bad {object}"
    assert Desk.book.__name__ == "book"


def test_a_checked_function_names_every_bad_argument() -> None:
    """All faults at once, each under the argument's name."""
    desk: Any = Desk()
    assert refused(lambda: desk.book(0, "", mood="ugly")) == [
        ("seat", "out_of_range"),
        ("name", "bad_length"),
        ("mood", "not_a_choice"),
    ]


@pytest.mark.parametrize("arguments", [{}, {"chair": 1}, {"seat": 1, "chair": 1}])
def test_a_call_that_does_not_fit_is_bad_input(arguments: dict[str, Any]) -> None:
    """A missing argument or one too many is a typed error, not Python's."""
    assert refused(lambda: Desk().book(**arguments)) == [("", "bad_call")]


def test_an_error_inside_a_checked_function_is_its_own() -> None:
    """Only the call is judged: a TypeError of the function itself passes through."""

    @checked
    def add(one: Quantity) -> int:
        return one + None  # type: ignore[operator]

    with pytest.raises(TypeError):
        add(1)
