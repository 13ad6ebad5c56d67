"""What the shipped strategies promise their users."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from attrs import frozen
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from orderflow.domain.engine.bounds import Between, Length, Text
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.orders.content import OrderContent
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.domain.workflow.table import MACHINES
from orderflow.testing.strategies import contents, decimals, message, texts, times, value


class Colour(Enum):
    """A choice of a host's own."""

    RED = "red"
    BLUE = "blue"


class Spot(NamedTuple):
    """A named tuple of a host's own."""

    x: Annotated[int, Between(-3, 3)]
    y: Annotated[int, Between(0, 3)] = 0


@frozen
class Paint:
    """A command of a host's own."""

    colour: Colour
    shade: Literal["dark", "light"]
    spots: Annotated[tuple[Spot, ...], Length(1, 2)]
    frame: tuple[int, str]
    label: Annotated[str, Text(5, least=2)]
    at: datetime | None = None


COMMANDS = [pytest.param(command, id=command.__name__) for machine in MACHINES for command in machine.commands]


@pytest.mark.parametrize("command", COMMANDS)
@settings(max_examples=10)
@given(st.data())
def test_a_drawn_command_has_no_fault(command: type[Any], data: st.DataObject) -> None:
    """Every command drawn for any machine is one the domain takes as well-formed."""
    assert faults_of(data.draw(message(command))) == ()


@given(message(Paint))
def test_a_class_of_a_host_needs_no_registration(paint: Paint) -> None:
    """Fields of a new class keep the bounds of their annotations."""
    assert paint.colour in Colour
    assert paint.shade in {"dark", "light"}
    assert 1 <= len(paint.spots) <= 2
    assert all(type(spot) is Spot and -3 <= spot.x <= 3 and 0 <= spot.y <= 3 for spot in paint.spots)
    assert type(paint.frame[0]) is int
    assert 2 <= len(paint.label) <= 5
    assert paint.label.strip()
    assert paint.at is None or paint.at.tzinfo is UTC


@given(decimals(-2, 5, 3))
def test_decimals_keep_their_bounds(number: Decimal) -> None:
    """Bounds hold, and there are no more digits after the point than asked for."""
    assert -2 <= number <= 5
    assert number == round(number, 3)


@given(texts(Text(3)))
def test_texts_of_one_line_have_no_breaks(text: str) -> None:
    """A text is at most as long as it may be, and prints on one line."""
    assert len(text) <= 3
    assert not set(text) & set("\n\r\t\x00\u2028")


@pytest.mark.parametrize(
    "wanted, condition",
    [
        (times(), lambda at: at.microsecond > 0),
        (contents(), lambda content: len(content.lines) == 3),
        (contents(), lambda content: content.lines[0].discount_minor > 0),
        (message(PlaceOrder), lambda command: command.content is None),
        (message(PlaceOrder), lambda command: command.content is not None and len(command.holds) > 1),
        (value(Annotated[int, Between(1, 10**9)]), lambda number: number == 10**9),
        (texts(Text(50, lines=True)), lambda text: "\n" in text),
    ],
)
def test_the_corners_are_drawn(wanted: st.SearchStrategy[Any], condition: Any) -> None:
    """Limits, optional parts and odd values do occur."""
    found = find(wanted, condition, settings=settings(max_examples=5000, phases=(Phase.generate,)))
    assert condition(found)


@given(contents(most_lines=1))
def test_a_content_is_as_long_as_asked_for(content: OrderContent) -> None:
    """The number of lines can be bounded."""
    assert len(content.lines) == 1
