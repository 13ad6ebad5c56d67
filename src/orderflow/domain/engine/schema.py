"""The edge of the domain: is a message what its annotations say? Every fault is named with its path.

Annotations carry the bounds (``Quantity``, ``Minor``, ``Id`` and the like), so a message class says once what it takes.
Construction checks nothing; :func:`faults_of` is asked where data enters.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import attrs
from attrs import frozen

from orderflow.domain.engine.limits import MAX_GROUP, MAX_ID, MAX_MONEY_MINOR, MAX_NAME, MAX_QUANTITY, MAX_TEXT
from orderflow.errors import Fault, InputError

__all__ = [
    "Between",
    "Count",
    "Delta",
    "FreeText",
    "Id",
    "Length",
    "Minor",
    "Name",
    "Positive",
    "Quantity",
    "Text",
    "check_shape",
    "faults_of",
]


@frozen
class Between:
    """Bounds of an integer, both included."""

    least: int
    most: int


@frozen
class Text:
    """Bounds of a text: characters, and whether line breaks may stand in it."""

    most: int
    least: int = 0
    lines: bool = False


@frozen
class Length:
    """Bounds of a tuple's length."""

    least: int
    most: int


Quantity = Annotated[int, Between(1, MAX_QUANTITY)]


Count = Annotated[int, Between(0, MAX_QUANTITY)]


Delta = Annotated[int, Between(-MAX_QUANTITY, MAX_QUANTITY)]


Minor = Annotated[int, Between(-MAX_MONEY_MINOR, MAX_MONEY_MINOR)]


Positive = Annotated[int, Between(1, MAX_MONEY_MINOR)]


Id = Annotated[str, Text(MAX_ID, least=1)]


Name = Annotated[str, Text(MAX_NAME)]


FreeText = Annotated[str, Text(MAX_TEXT, lines=True)]


#: Appends what is wrong with a value; whoever holds the value puts its place before the paths.
Check = Callable[[Any, list[Fault]], None]


_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def faults_of(message: Any) -> tuple[Fault, ...]:
    """Everything wrong with a message, by its class's annotations and then by its own ``faults()``."""
    found: list[Fault] = []
    kind: Any = type(message)
    _checker(kind)(message, found)
    return tuple(found)


def check_shape(message: Any) -> None:
    """Raise :class:`InputError` with every fault of ``message``; do nothing when it has none."""
    found = faults_of(message)
    if found:
        raise InputError(found)


@cache
def _checker(kind: Any) -> Check:
    origin = get_origin(kind)
    if origin is not None:
        return _generic(kind, origin)
    if attrs.has(kind):
        return _record(kind, tuple(attribute.name for attribute in attrs.fields(kind)))
    if hasattr(kind, "_fields"):
        return _record(kind, kind._fields)
    return _plain(kind)


def _generic(kind: Any, origin: Any) -> Check:
    if origin is Annotated:
        base, *bounds = get_args(kind)
        return _bounded(base, bounds[0])
    if origin is Literal:
        return _choice(get_args(kind))
    if origin is tuple:
        return _tuple(get_args(kind), Length(0, MAX_GROUP * 10))
    return _optional(kind)


def _plain(kind: Any) -> Check:
    if kind is int:
        return _integer(Between(-MAX_MONEY_MINOR, MAX_MONEY_MINOR))
    if kind is str:
        return _text(Text(MAX_TEXT))
    if kind is Decimal:
        return _decimal
    if kind is datetime:
        return _aware
    return _instance(kind)


def _bounded(base: Any, bound: Any) -> Check:
    if isinstance(bound, Between):
        return _integer(bound)
    if isinstance(bound, Text):
        return _text(bound)
    return _tuple(get_args(base), bound)


def _integer(bound: Between) -> Check:
    least, most = bound.least, bound.most

    def check(value: Any, faults: list[Fault]) -> None:
        if type(value) is not int:
            faults.append(Fault("", "not_an_integer", f"must be an integer, not {type(value).__name__}"))
        elif not least <= value <= most:
            faults.append(Fault("", "out_of_range", f"must be between {least} and {most}"))

    return check


def _text(bound: Text) -> Check:
    def check(value: Any, faults: list[Fault]) -> None:
        if type(value) is not str:
            faults.append(Fault("", "not_a_text", f"must be a text, not {type(value).__name__}"))
        elif not bound.least <= len(value) <= bound.most:
            faults.append(Fault("", "bad_length", f"must have {bound.least} to {bound.most} characters"))
        elif bound.least and not value.strip():
            faults.append(Fault("", "blank", "must not be blank"))
        elif not _clean(value, lines=bound.lines):
            faults.append(Fault("", "bad_character", "holds a control, surrogate or direction character"))

    return check


def _clean(value: str, *, lines: bool) -> bool:
    if value.isprintable():
        return True
    return not any(_bad(character, lines=lines) for character in value)


def _bad(character: str, *, lines: bool) -> bool:
    code = ord(character)
    if character in "\n\t" and lines:
        return False
    return (
        code < 32 or 0x7F <= code < 0xA0 or 0xD800 <= code <= 0xDFFF or code in (0x2028, 0x2029) or character in _BIDI
    )


def _decimal(value: Any, faults: list[Fault]) -> None:
    if type(value) is not Decimal:
        faults.append(Fault("", "not_a_decimal", f"must be a Decimal, not {type(value).__name__}"))
    elif not value.is_finite() or value.adjusted() > 17 or value.as_tuple().exponent < -12:  # type: ignore[operator]
        faults.append(Fault("", "out_of_range", "must be finite, with at most 18 digits before and 12 after the point"))


def _aware(value: Any, faults: list[Fault]) -> None:
    if not isinstance(value, datetime):
        faults.append(Fault("", "not_a_time", f"must be a datetime, not {type(value).__name__}"))
    elif value.tzinfo is None:
        faults.append(Fault("", "naive_time", "must carry its time zone"))


def _instance(kind: type[Any]) -> Check:
    what = (
        "one of " + ", ".join(str(member.value) for member in kind) if issubclass(kind, Enum) else f"a {kind.__name__}"
    )

    def check(value: Any, faults: list[Fault]) -> None:
        if not isinstance(value, kind) or (kind is date and isinstance(value, datetime)):
            faults.append(Fault("", "wrong_type", f"must be {what}, not {type(value).__name__}"))

    return check


def _choice(choices: tuple[Any, ...]) -> Check:
    def check(value: Any, faults: list[Fault]) -> None:
        if type(value) not in map(type, choices) or value not in choices:
            faults.append(Fault("", "wrong_type", "must be one of " + ", ".join(map(str, choices))))

    return check


def _optional(kind: Any) -> Check:
    choices = [choice for choice in get_args(kind) if choice is not type(None)]
    if len(choices) == 1:
        inner = _checker(choices[0])
        return lambda value, faults: None if value is None else inner(value, faults)
    return _one_of(tuple(choices))


def _one_of(choices: tuple[Any, ...]) -> Check:
    checks = {choice: _checker(choice) for choice in choices}
    names = ", ".join(choice.__name__ for choice in choices)

    def check(value: Any, faults: list[Fault]) -> None:
        known = checks.get(type(value))
        if known is None:
            faults.append(Fault("", "wrong_type", f"must be one of {names}, not {type(value).__name__}"))
        else:
            known(value, faults)

    return check


def _tuple(items: tuple[Any, ...], length: Length) -> Check:
    if len(items) != 2 or items[1] is not Ellipsis:
        return _fixed(tuple(_checker(item) for item in items))
    inner = _checker(items[0])

    def check(value: Any, faults: list[Fault]) -> None:
        if type(value) is not tuple:
            faults.append(Fault("", "not_a_tuple", f"must be a tuple, not {type(value).__name__}"))
            return
        if not length.least <= len(value) <= length.most:
            faults.append(Fault("", "bad_length", f"must have {length.least} to {length.most} items"))
            return
        before = len(faults)
        for index, item in enumerate(value):
            inner(item, faults)
            if len(faults) > before:
                before = _placed(f"[{index}]", faults, before)

    return check


def _fixed(inner: tuple[Check, ...]) -> Check:
    def check(value: Any, faults: list[Fault]) -> None:
        if type(value) is not tuple or len(value) != len(inner):
            faults.append(Fault("", "not_a_tuple", f"must be a tuple of {len(inner)}"))
            return
        before = len(faults)
        for index, (item, part) in enumerate(zip(value, inner, strict=True)):
            part(item, faults)
            before = _placed(f"[{index}]", faults, before)

    return check


def _record(kind: type[Any], names: tuple[str, ...]) -> Check:
    hints = get_type_hints(kind, include_extras=True)
    parts = tuple((name, _checker(hints[name])) for name in names)
    own = getattr(kind, "faults", None)

    def check(value: Any, faults: list[Fault]) -> None:
        if type(value) is not kind:
            faults.append(Fault("", "wrong_type", f"must be a {kind.__name__}, not {type(value).__name__}"))
            return
        start = before = len(faults)
        for name, part in parts:
            part(getattr(value, name), faults)
            if len(faults) > before:
                before = _placed(name, faults, before)
        if own is not None and before == start:
            faults.extend(value.faults())

    return check


def _placed(place: str, faults: list[Fault], start: int) -> int:
    """Say where the faults since ``start`` are; give the place where the next ones begin."""
    faults[start:] = [fault.under(place) for fault in faults[start:]]
    return len(faults)
