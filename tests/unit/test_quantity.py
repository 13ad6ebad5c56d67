"""Quantities, texts and identifiers at the edge."""

from __future__ import annotations

import pytest

from orderflow.domain.engine.limits import MAX_ID, MAX_QUANTITY, check_quantity, id_faults, text_faults


@pytest.mark.parametrize("value", [1, MAX_QUANTITY])
def test_whole_numbers_within_bounds_pass(value: int) -> None:
    """From 1 to a thousand million."""
    assert check_quantity(value, "quantity") is None


@pytest.mark.parametrize(
    "value, code",
    [
        (0, "range"),
        (-1, "range"),
        (MAX_QUANTITY + 1, "range"),
        (True, "type"),
        (1.0, "type"),
        ("1", "type"),
        (None, "type"),
    ],
)
def test_other_quantities_are_faults(value: object, code: str) -> None:
    """No booleans, no floats, no text, nothing out of bounds."""
    fault = check_quantity(value, "lines[3].quantity")
    assert fault is not None
    assert (fault.path, fault.code) == ("lines[3].quantity", code)


def test_bounds_may_be_narrower() -> None:
    """A caller may allow 0, or less than the limit."""
    assert check_quantity(0, "count", least=0) is None
    assert check_quantity(32, "day", most=31) is not None


@pytest.mark.parametrize("text", ["", "プレゼント用", "Zoë 👋", "ideographic　space"])
def test_ordinary_text_passes(text: str) -> None:
    """Any script, and nothing at all where nothing is required."""
    assert text_faults(text, "note", limit=50) == []


@pytest.mark.parametrize(
    "text, code",
    [
        (None, "type"),
        (b"note", "type"),
        ("x" * 51, "too_long"),
        *((f"a{bad}b", "control_character") for bad in "\x00\x07\n\t\x85\x9f\u2028\ud800\u202e\u2066\u200f\u061c"),
    ],
)
def test_text_that_is_refused(text: object, code: str) -> None:
    """Not text, too long, or with characters that change what a reader sees."""
    assert [fault.code for fault in text_faults(text, "note", limit=50)] == [code]


def test_free_text_may_have_lines() -> None:
    """Newline and tab pass where the text may have lines, and nothing else that controls."""
    assert text_faults("one\n\ttwo", "note", limit=50, multiline=True) == []
    assert [fault.code for fault in text_faults("one\rtwo", "note", limit=50, multiline=True)] == ["control_character"]


def test_all_faults_of_a_text_are_named() -> None:
    """Blank, too long and controlled at once."""
    assert [fault.code for fault in text_faults("\x1f" * 3, "name", limit=2, required=True)] == [
        *("required", "too_long", "control_character")
    ]


@pytest.mark.parametrize("value", ["A", "shop/536365/ship", "BANK CHARGES", "注文-1", "x" * MAX_ID])
def test_identifiers_that_pass(value: str) -> None:
    """One to a hundred printable characters."""
    assert id_faults(value, "id") == []


@pytest.mark.parametrize(
    "value, code",
    [
        ("", "required"),
        ("  ", "required"),
        ("x" * (MAX_ID + 1), "too_long"),
        ("a\nb", "control_character"),
        ("a\u00a0b", "unprintable"),
        ("a\u200bb", "unprintable"),
        (7, "type"),
    ],
)
def test_identifiers_that_are_refused(value: object, code: str) -> None:
    """Blank, too long, unprintable, or not text."""
    assert [fault.code for fault in id_faults(value, "id")] == [code]
