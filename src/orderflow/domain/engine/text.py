"""The canonical text of a record: compact JSON, the same for equal records.

Fields stand in the order of the class, those at their default are left out (so a released default must never change,
and a new field with a default changes no text); a named tuple is an array without its trailing defaults. The text is
what is stored and fingerprinted. People can read it: a price is ``"2.55 GBP"``, times end in ``Z``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

import attrs

from orderflow.domain.engine.bounds import MOST_DECIMALS, MOST_DIGITS, FieldSpec, fields_of, is_record, parts_of
from orderflow.errors import DefinitionError, InputError

__all__ = ["NUMBER", "TextForm", "decimal_text", "form_of", "object_writer", "writer"]

Writer = Callable[[Any], str]


class TextForm(NamedTuple):
    """How a value is written as one text; a class of ours has its form in the attribute ``text_form``.

    ``read`` trusts its text; text from outside must match ``pattern`` first. ``example`` is for the error sentence.
    """

    write: Callable[[Any], str]
    read: Callable[[str], Any]
    pattern: re.Pattern[str]
    example: str


def decimal_text(value: Decimal) -> str:
    """Plain digits without an exponent or trailing zeros: 2.5 and 2.50 are equal, and have the same text."""
    text = format(value, "f") if value else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _time_text(at: datetime) -> str:
    if at.tzinfo is None:
        raise InputError.at("", "naive_time", f"{at.isoformat()} must have a time zone")
    return at.astimezone(UTC).isoformat()[:-6] + "Z"


def _read_time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return at.astimezone(UTC)


_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK: Final = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
NUMBER: Final = rf"[0-9]{{1,{MOST_DIGITS}}}(\.[0-9]{{1,{MOST_DECIMALS}}})?"

_FORMS: Final[dict[Any, TextForm]] = {
    datetime: TextForm(
        _time_text, _read_time, re.compile(rf"{_DAY}T{_CLOCK}(Z|[+-][0-9]{{2}}:[0-9]{{2}})"), "2026-03-31T09:30:00Z"
    ),
    date: TextForm(date.isoformat, date.fromisoformat, re.compile(_DAY), "2026-03-31"),
    Decimal: TextForm(decimal_text, Decimal, re.compile(f"-?{NUMBER}"), "12.34"),
}


def form_of(kind: Any) -> TextForm | None:
    """The text form of a class, if it has one."""
    known = _FORMS.get(kind)
    return known or (getattr(kind, "text_form", None) if isinstance(kind, type) else None)


@cache
def writer(kind: Any, without: str = "") -> Writer:
    """The function that writes values of an annotation, or records of a class, leaving one field out if asked to."""
    base, _ = parts_of(kind)
    origin = get_origin(base)
    form = form_of(base)
    if form is not None:
        write = form.write
        return lambda value: encode_basestring(write(value))
    if is_record(base):
        if hasattr(base, "_fields"):
            return _array(list(fields_of(base)))
        # A large record that never changes caches its text.
        return attrgetter("canonical_text") if hasattr(base, "canonical_text") else object_writer(base, without)
    if origin is tuple:
        return _items(get_args(base))
    if origin is not None and origin is not Literal:
        return _optional(base)
    return _plain(base)


def _plain(kind: Any) -> Writer:
    if kind is bool:
        return lambda value: "true" if value else "false"
    if kind is int:
        return str
    if isinstance(kind, type) and issubclass(kind, Enum):
        texts = {member: encode_basestring(member.value) for member in kind}
        return texts.__getitem__
    return encode_basestring


def _optional(kind: Any) -> Writer:
    choices = [choice for choice in get_args(kind) if choice is not type(None)]
    if len(choices) > 1:
        raise DefinitionError(f"{kind} has no text: a field is of one class, or None")
    write = writer(choices[0])
    return lambda value: "null" if value is None else write(value)


def _items(items: tuple[Any, ...]) -> Writer:
    if items[1:] == (Ellipsis,):
        each = writer(items[0])
        return lambda values: f"[{','.join(map(each, values))}]"
    writers = [writer(item) for item in items]
    return lambda values: f"[{','.join([write(value) for write, value in zip(writers, values, strict=True)])}]"


def _array(fields: list[FieldSpec]) -> Writer:
    """The function that writes rows of a named tuple, compiled: one expression for each number of items."""
    names: dict[str, Any] = {"quoted": encode_basestring}
    items = [_expression(names, at, field.kind, f"v[{at}]") for at, field in enumerate(fields)]
    texts = [" + ',' + ".join(items[:size]) or "''" for size in range(len(items) + 1)]
    writers: list[Writer] = [eval(f"lambda v: '[' + {text} + ']'", names) for text in texts]  # noqa: S307 - as below
    defaults = [field.default for field in fields]

    def write(row: tuple[Any, ...]) -> str:
        size = len(row)
        while size and defaults[size - 1] is not attrs.NOTHING and row[size - 1] == defaults[size - 1]:
            size -= 1
        return writers[size](row)

    return writers[-1] if defaults[-1] is attrs.NOTHING else write


def _expression(names: dict[str, Any], at: int, kind: Any, value: str) -> str:
    """The expression that writes a value; what it calls for the ``at``-th field is added to ``names``."""
    names[f"write{at}"] = writer(kind)
    return {str: f"quoted({value})", int: f"str({value})"}.get(parts_of(kind)[0], f"write{at}({value})")


@cache
def object_writer(kind: Any, without: str = "") -> Writer:
    """The function that writes records of an attrs class, compiled: one expression for each field."""
    names: dict[str, Any] = {"quoted": encode_basestring}
    parts = []
    for at, (name, kind_, default) in enumerate(field for field in fields_of(kind) if field.name != without):
        names[f"default{at}"] = default
        part = f"""',"{name}":' + {_expression(names, at, kind_, f"v.{name}")}"""
        parts.append(part if default is attrs.NOTHING else f"('' if v.{name} == default{at} else {part})")
    body = " + ".join(parts) or "''"
    made: Writer = eval(f"lambda v: '{{' + ({body})[1:] + '}}'", names)  # noqa: S307 - of names of our own fields
    return made
