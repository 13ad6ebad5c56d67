"""Bounds, said once in the annotations of a class, and the annotations that many fields share."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

import attrs

from orderflow.domain.engine.limits import MAX_GROUP, MAX_ID, MAX_MONEY_MINOR, MAX_NAME, MAX_QUANTITY, MAX_TEXT
from orderflow.domain.engine.record import MARKERS, Record

__all__ = [
    "Between",
    "Count",
    "Delta",
    "FieldSpec",
    "FreeText",
    "Id",
    "Known",
    "Length",
    "Minor",
    "Name",
    "NotNegative",
    "Positive",
    "Quantity",
    "Text",
    "fields_of",
    "is_record",
    "parts_of",
]


#: Digits of a decimal before and after the point.
MOST_DIGITS, MOST_DECIMALS = 18, 12


def fits(value: Decimal) -> bool:
    """Whether a decimal is finite and has no more digits than that."""
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_DECIMALS and value.adjusted() < MOST_DIGITS


class Between(Record):
    """Bounds of an integer or a decimal, both included."""

    least: int
    most: int


class Text(Record):
    """Bounds of a text: characters, whether it may contain line breaks, and a character that it may not contain."""

    most: int
    least: int = 0
    lines: bool = False
    without: str = ""


class Length(Record):
    """Bounds of a tuple's length."""

    least: int
    most: int


class Known(Record):
    """A text that must name something known; ``code`` is the fault of one that does not."""

    has: Callable[[str], bool]
    code: str
    what: str


Quantity = Annotated[int, Between(1, MAX_QUANTITY)]
Count = Annotated[int, Between(0, MAX_QUANTITY)]
Delta = Annotated[int, Between(-MAX_QUANTITY, MAX_QUANTITY)]
Minor = Annotated[int, Between(-MAX_MONEY_MINOR, MAX_MONEY_MINOR)]
Positive = Annotated[int, Between(1, MAX_MONEY_MINOR)]
NotNegative = Annotated[int, Between(0, MAX_MONEY_MINOR)]
Id = Annotated[str, Text(MAX_ID, least=1)]
Name = Annotated[str, Text(MAX_NAME)]
FreeText = Annotated[str, Text(MAX_TEXT, lines=True)]

ANY_INTEGER = Between(-MAX_MONEY_MINOR, MAX_MONEY_MINOR)
ANY_TEXT = Text(MAX_TEXT)
ANY_LENGTH = Length(0, MAX_GROUP * 10)

# Unicode's property Bidi_Control (UAX #9): they can make one text look like another on a label or an invoice.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class FieldSpec(NamedTuple):
    """A field of a record: its name, its annotation with bounds, and its default (``attrs.NOTHING``: none)."""

    name: str
    kind: Any
    default: Any


def is_record(kind: Any) -> bool:
    """Whether a class has fields: an attrs class or a named tuple."""
    return isinstance(kind, type) and (attrs.has(kind) or hasattr(kind, "_fields")) and kind not in MARKERS


@cache
def fields_of(kind: Any) -> tuple[FieldSpec, ...]:
    """The fields of a record, in order."""
    hints = get_type_hints(kind, include_extras=True)
    if attrs.has(kind):
        return tuple(FieldSpec(field.name, hints[field.name], field.default) for field in attrs.fields(kind))
    return tuple(FieldSpec(name, hints[name], kind._field_defaults.get(name, attrs.NOTHING)) for name in kind._fields)


def parts_of(kind: Any) -> tuple[Any, Any]:
    """An annotation as its type and its bound, which is None if it has none of its own."""
    if get_origin(kind) is Annotated:
        base, bound = get_args(kind)[:2]
        return base, bound
    return kind, None


def class_of(kind: Any) -> type[Any]:
    found: type[Any] = parts_of(kind)[0]
    return found


def is_clean(value: str, lines: bool) -> bool:  # noqa: FBT001 - called from compiled text
    return not any(_is_bad(character, lines=lines) for character in value)


def _is_bad(character: str, *, lines: bool) -> bool:
    """Controls, lone surrogates, the separators that end a line, and direction controls."""
    code = ord(character)
    if character in "\n\t" and lines:
        return False
    return (
        code < 32 or 0x7F <= code < 0xA0 or 0xD800 <= code <= 0xDFFF or code in (0x2028, 0x2029) or character in _BIDI
    )
