"""Quantities, texts and identifiers at the edge."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from orderflow.domain.engine.bounds import Between, Count, Id, Quantity, Text
from orderflow.domain.engine.limits import MAX_ID, MAX_QUANTITY
from orderflow.domain.engine.schema import faults_at
from orderflow.domain.values import Location, Sku

NOTE = Annotated[str, Text(50)]
LINES = Annotated[str, Text(50, lines=True)]


def codes(kind: Any, value: object) -> list[str]:
    """The codes of what is wrong with a value, all at the place that was named."""
    faults = faults_at("lines[3].field", kind, value)
    assert {fault.path for fault in faults} <= {"lines[3].field"}
    return [fault.code for fault in faults]


@pytest.mark.parametrize("value", [1, MAX_QUANTITY])
def test_whole_numbers_within_bounds_pass(value: int) -> None:
    """From 1 to a thousand million."""
    assert codes(Quantity, value) == []


@pytest.mark.parametrize(
    "value, code",
    [
        (0, "out_of_range"),
        (-1, "out_of_range"),
        (MAX_QUANTITY + 1, "out_of_range"),
        (True, "wrong_type"),
        (1.0, "wrong_type"),
        ("1", "wrong_type"),
        (None, "wrong_type"),
    ],
)
def test_other_quantities_are_faults(value: object, code: str) -> None:
    """No booleans, no floats, no text, nothing out of bounds."""
    assert codes(Quantity, value) == [code]


def test_bounds_may_be_others() -> None:
    """A field may allow 0, or less than the limit."""
    assert codes(Count, 0) == []
    assert codes(Annotated[int, Between(1, 31)], 32) == ["out_of_range"]


@pytest.mark.parametrize("text", ["", "プレゼント用", "Zoë 👋", "ideographic　space"])
def test_ordinary_text_passes(text: str) -> None:
    """Any script, and nothing at all where nothing is required."""
    assert codes(NOTE, text) == []


@pytest.mark.parametrize(
    "text, code",
    [
        (None, "wrong_type"),
        (b"note", "wrong_type"),
        ("x" * 51, "bad_length"),
        *((f"a{bad}b", "bad_character") for bad in "\x00\x07\n\t\x85\x9f\u2028\ud800\u202e\u2066\u200f\u061c"),
    ],
)
def test_text_that_is_refused(text: object, code: str) -> None:
    """Not text, too long, or with characters that change what a reader sees."""
    assert codes(NOTE, text) == [code]


def test_free_text_may_have_lines() -> None:
    """Newline and tab pass where the text may have lines, and nothing else that controls."""
    assert codes(LINES, "one\n\ttwo") == []
    assert codes(LINES, "one\rtwo") == ["bad_character"]


@pytest.mark.parametrize("value", ["A", "shop/536365/ship", "BANK CHARGES", "注文-1", "x" * MAX_ID])
def test_identifiers_that_pass(value: str) -> None:
    """One to a hundred characters."""
    assert codes(Id, value) == []


@pytest.mark.parametrize(
    "value, code",
    [
        ("", "bad_length"),
        ("  ", "blank"),
        ("\u3000", "blank"),
        ("x" * (MAX_ID + 1), "bad_length"),
        ("a\nb", "bad_character"),
        (7, "wrong_type"),
    ],
)
def test_identifiers_that_are_refused(value: object, code: str) -> None:
    """Blank, too long, with controls, or not text."""
    assert codes(Id, value) == [code]


@pytest.mark.parametrize("kind", [Sku, Location])
def test_skus_and_locations_hold_no_at(kind: Any) -> None:
    """The sign between the two in a stock row's name cannot stand in either."""
    assert codes(kind, "TEA") == []
    assert codes(kind, "TEA@main") == ["bad_character"]
    assert codes(kind, "@") == ["bad_character"]
