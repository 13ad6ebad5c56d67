"""One schema: the annotations of a class say its bounds once, and a compiled check asks them.

Construction checks nothing; :func:`faults_of` is asked where data enters. ``sound(kind)`` says yes or no, and only
after a no the value is walked for its faults, each named with its path.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, wraps
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs
from attrs import frozen

from orderflow.domain.engine.limits import MAX_GROUP, MAX_ID, MAX_MONEY_MINOR, MAX_NAME, MAX_QUANTITY, MAX_TEXT
from orderflow.domain.engine.record import Record
from orderflow.errors import Fault, InputError

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
    "Positive",
    "Quantity",
    "Text",
    "check",
    "checked",
    "faults_at",
    "faults_of",
    "fields_of",
    "is_record",
    "parts_of",
    "sound",
]

P = ParamSpec("P")
R = TypeVar("R")


@frozen(eq=False, repr=False)
class Between(Record):
    """Bounds of an integer or a decimal, both included."""

    least: int
    most: int


@frozen(eq=False, repr=False)
class Text(Record):
    """Bounds of a text: characters, whether line breaks may stand in it, and a character that may not."""

    most: int
    least: int = 0
    lines: bool = False
    without: str = ""


@frozen(eq=False, repr=False)
class Length(Record):
    """Bounds of a tuple's length."""

    least: int
    most: int


@frozen(eq=False, repr=False)
class Known(Record):
    """A text that names something there is; ``code`` is the fault of one that does not."""

    has: Callable[[str], bool]
    code: str
    what: str


Quantity = Annotated[int, Between(1, MAX_QUANTITY)]
Count = Annotated[int, Between(0, MAX_QUANTITY)]
Delta = Annotated[int, Between(-MAX_QUANTITY, MAX_QUANTITY)]
Minor = Annotated[int, Between(-MAX_MONEY_MINOR, MAX_MONEY_MINOR)]
Positive = Annotated[int, Between(1, MAX_MONEY_MINOR)]
Id = Annotated[str, Text(MAX_ID, least=1)]
Name = Annotated[str, Text(MAX_NAME)]
FreeText = Annotated[str, Text(MAX_TEXT, lines=True)]

_ANY_INTEGER = Between(-MAX_MONEY_MINOR, MAX_MONEY_MINOR)
_ANY_TEXT = Text(MAX_TEXT)
_ANY_LENGTH = Length(0, MAX_GROUP * 10)
_MOST_DIGITS, _MOST_DECIMALS = 18, 12

# Unicode's property Bidi_Control (UAX #9): they can make one text look like another on a label or an invoice.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class FieldSpec(NamedTuple):
    """A field of a record: its name, its annotation with bounds, and its default (``attrs.NOTHING``: none)."""

    name: str
    kind: Any
    default: Any


def is_record(kind: Any) -> bool:
    """Whether a class has fields: an attrs class or a named tuple."""
    return isinstance(kind, type) and (attrs.has(kind) or hasattr(kind, "_fields"))


@cache
def fields_of(kind: Any) -> tuple[FieldSpec, ...]:
    """The fields of a record, in order."""
    hints = get_type_hints(kind, include_extras=True)
    if attrs.has(kind):
        return tuple(FieldSpec(field.name, hints[field.name], field.default) for field in attrs.fields(kind))
    return tuple(FieldSpec(name, hints[name], kind._field_defaults.get(name, attrs.NOTHING)) for name in kind._fields)


def parts_of(kind: Any) -> tuple[Any, Any]:
    """An annotation as its type and its bound, None where it has none of its own."""
    if get_origin(kind) is Annotated:
        base, bound = get_args(kind)[:2]
        return base, bound
    return kind, None


# -- yes or no


class _Source:
    """Compiles an expression; what it refers to is given names."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = {}

    def name(self, value: Any) -> str:
        for name, known in self._names.items():
            if known is value:
                return name
        name = f"x{len(self._names)}"
        self._names[name] = value
        return name

    def made(self, expression: str) -> Callable[[Any], bool]:
        function: Callable[[Any], bool] = eval(f"lambda v: {expression}", self._names)  # noqa: S307 - our own text
        return function


@cache
def sound(kind: Any) -> Callable[[Any], bool]:
    """The function that says whether a value is what an annotation, or the annotations of a class, demand."""
    source = _Source()
    if not is_record(kind):
        return source.made(_expression(source, kind, "v"))
    parts = [f"type(v) is {source.name(kind)}"]
    parts += [_expression(source, field.kind, f"v.{field.name}") for field in fields_of(kind)]
    if hasattr(kind, "faults"):
        parts.append("not any(True for _ in v.faults())")
    return source.made(" and ".join(parts))


def _expression(source: _Source, kind: Any, v: str) -> str:
    """The expression that checks a value, which stands under the name ``v``."""
    base, bound = parts_of(kind)
    origin = get_origin(base)
    if base in _SIMPLE:
        return _SIMPLE[base](source, bound, v)
    if origin is tuple:
        return _tuple_expression(source, get_args(base), bound or _ANY_LENGTH, v)
    if origin in (Union, UnionType):
        return _union_expression(source, [part for part in get_args(base) if part is not type(None)], base, v)
    if is_record(base):
        return f"{source.name(sound(base))}({v})"
    return f"not {source.name(_finder(kind))}({v})"


def _integer_expression(source: _Source, bound: Between | None, v: str) -> str:
    limits = bound or _ANY_INTEGER
    return f"(type({v}) is int and {limits.least} <= {v} <= {limits.most})"


def _time_expression(source: _Source, bound: None, v: str) -> str:
    return f"(isinstance({v}, {source.name(datetime)}) and {v}.tzinfo is not None)"


def _text_expression(source: _Source, bound: Text | Known | None, v: str) -> str:
    bound = bound or _ANY_TEXT
    if isinstance(bound, Known):
        return f"(type({v}) is str and {source.name(bound.has)}({v}))"
    tests = [f"type({v}) is str", f"{bound.least} <= len({v}) <= {bound.most}"]
    tests.append(f"({v}.isprintable() or {source.name(_is_clean)}({v}, {bound.lines}))")
    tests += [f"not {v}.isspace()"] * bool(bound.least) + [f"{bound.without!r} not in {v}"] * bool(bound.without)
    return f"({' and '.join(tests)})"


_SIMPLE: dict[Any, Callable[[_Source, Any, str], str]] = {
    int: _integer_expression,
    str: _text_expression,
    datetime: _time_expression,
}


def _tuple_expression(source: _Source, items: tuple[Any, ...], bound: Length, v: str) -> str:
    if items[1:] != (Ellipsis,):
        tests = [_expression(source, item, f"{v}[{at}]") for at, item in enumerate(items)]
        return f"(type({v}) is tuple and len({v}) == {len(items)} and {' and '.join(tests)})"
    each = source.name(sound(items[0]))
    return f"(type({v}) is tuple and {bound.least} <= len({v}) <= {bound.most} and all(map({each}, {v})))"


def _union_expression(source: _Source, choices: list[Any], union: Any, v: str) -> str:
    if len(choices) == 1:
        return f"({v} is None or {_expression(source, choices[0], v)})"
    optional = f"{v} is None or " if type(None) in get_args(union) else ""
    table = source.name({_class_of(choice): sound(choice) for choice in choices})
    return f"({optional}(type({v}) in {table} and {table}[type({v})]({v})))"


def _class_of(kind: Any) -> type[Any]:
    found: type[Any] = parts_of(kind)[0]
    return found


def _is_clean(value: str, lines: bool) -> bool:  # noqa: FBT001 - called from compiled text
    return not any(_is_bad(character, lines=lines) for character in value)


def _is_bad(character: str, *, lines: bool) -> bool:
    """Controls, lone surrogates, the separators that end a line, and direction controls."""
    code = ord(character)
    if character in "\n\t" and lines:
        return False
    return (
        code < 32 or 0x7F <= code < 0xA0 or 0xD800 <= code <= 0xDFFF or code in (0x2028, 0x2029) or character in _BIDI
    )


# -- the faults

#: Gives what is wrong with a value; whoever holds the value puts its place before the paths.
Finder = Callable[[Any], list[Fault]]


def faults_of(message: Any) -> tuple[Fault, ...]:
    """Everything wrong with a record, by its class's annotations and then by its own ``faults()``."""
    kind: Any = type(message)
    if sound(kind)(message):
        return ()
    return tuple(_finder(kind)(message))


def faults_at(path: str, kind: Any, value: Any) -> list[Fault]:
    """Everything wrong with a value that must be what ``kind`` says, a class or an annotation."""
    return [] if sound(kind)(value) else [fault.under(path) if path else fault for fault in _finder(kind)(value)]


def check(message: Any) -> None:
    """Raise :class:`InputError` with every fault of ``message``; do nothing when it has none."""
    found = faults_of(message)
    if found:
        raise InputError(found)


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """A function whose arguments are checked by their annotations.

    ``self`` is let through, and so is what has no annotation or one that only type checkers can see.

    Raises, when it is called:
        InputError: with every fault, its path beginning with the argument's name.
    """
    signature = inspect.signature(function)

    @cache
    def kinds() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, annotation in function.__annotations__.items():
            with suppress(NameError):
                found[name] = eval(annotation, function.__globals__)  # noqa: S307 - our own annotations
        return {name: kind for name, kind in found.items() if name != "return"}

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise InputError.at("", "bad_call", str(error)) from None
        found = [
            fault for name, kind in kinds().items() if name in given for fault in faults_at(name, kind, given[name])
        ]
        if found:
            raise InputError(found)
        return function(*args, **kwargs)

    return call


@cache
def _finder(kind: Any) -> Finder:
    base, bound = parts_of(kind)
    origin = get_origin(base)
    if is_record(base):
        return _of_record(base)
    if origin is tuple:
        return _of_tuple(get_args(base), bound or _ANY_LENGTH)
    if origin is Literal:
        return _of_literal(get_args(base))
    if origin in (Union, UnionType):
        return _of_union(get_args(base))
    if base is str:
        return _of_known(bound) if isinstance(bound, Known) else _of_text(bound or _ANY_TEXT)
    makers = {int: _of_integer, Decimal: _of_decimal}
    return makers[base](bound) if base in makers else _of_instance(origin or base)


def _one(code: str, message: str) -> list[Fault]:
    return [Fault("", code, message)]


def _wrong(what: str, value: Any) -> list[Fault]:
    return _one("wrong_type", f"must be {what}, not {type(value).__name__}")


def _of_integer(bound: Between | None) -> Finder:
    limits = bound or _ANY_INTEGER

    def find(value: Any) -> list[Fault]:
        if type(value) is not int:
            return _wrong("an integer", value)
        inside = limits.least <= value <= limits.most
        return [] if inside else _one("out_of_range", f"must be between {limits.least} and {limits.most}")

    return find


def _of_decimal(bound: Between | None) -> Finder:
    def find(value: Any) -> list[Fault]:
        if type(value) is not Decimal:
            return _wrong("a Decimal", value)
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or value.adjusted() >= _MOST_DIGITS or exponent < -_MOST_DECIMALS:
            return _one("out_of_range", "must be finite, with at most 18 digits before and 12 after the point")
        inside = bound is None or bound.least <= value <= bound.most
        return [] if inside else _one("out_of_range", f"must be between {bound.least} and {bound.most}")  # type: ignore[union-attr]

    return find


def _of_text(bound: Text) -> Finder:
    def find(value: Any) -> list[Fault]:
        if type(value) is not str:
            return _wrong("a text", value)
        if not bound.least <= len(value) <= bound.most:
            return _one("bad_length", f"must have {bound.least} to {bound.most} characters, not {len(value)}")
        if bound.least and not value.strip():
            return _one("blank", "must not be blank")
        if not _is_clean(value, bound.lines):
            return _one("bad_character", "holds a control, surrogate or direction character")
        held = bool(bound.without) and bound.without in value
        return _one("bad_character", f"must not hold {bound.without!r}") if held else []

    return find


def _of_known(bound: Known) -> Finder:
    def find(value: Any) -> list[Fault]:
        if type(value) is not str:
            return _wrong("a text", value)
        return [] if bound.has(value) else _one(bound.code, f"{value!r:.40} is not {bound.what}")

    return find


def _of_instance(kind: type[Any]) -> Finder:
    """Enums, dates, times, booleans and whatever else is known by its class alone."""
    names = [str(member.value) for member in kind] if issubclass(kind, Enum) else []
    what = f"one of {', '.join(names)} ({kind.__name__})" if names else f"a {kind.__name__}"

    def find(value: Any) -> list[Fault]:
        if not isinstance(value, kind) or (kind is date and isinstance(value, datetime)):
            return _wrong(what, value)
        naive = kind is datetime and value.tzinfo is None
        return _one("naive_time", "must carry its time zone") if naive else []

    return find


def _of_literal(choices: Collection[Any]) -> Finder:
    def find(value: Any) -> list[Fault]:
        known = any(type(value) is type(choice) and value == choice for choice in choices)
        return [] if known else _one("not_a_choice", f"must be one of {', '.join(map(str, choices))}")

    return find


def _of_union(choices: Collection[Any]) -> Finder:
    finders = {_class_of(choice): _finder(choice) for choice in choices if choice is not type(None)}
    names = ", ".join(choice.__name__ for choice in finders)

    def find(value: Any) -> list[Fault]:
        if value is None and type(None) in choices:
            return []
        if len(finders) == 1:
            return next(iter(finders.values()))(value)
        known = finders.get(type(value))
        return _wrong(f"one of {names}", value) if known is None else known(value)

    return find


def _of_tuple(items: tuple[Any, ...], length: Length) -> Finder:
    many = items[1:] == (Ellipsis,)

    def find(value: Any) -> list[Fault]:
        if type(value) is not tuple:
            return _wrong("a tuple", value)
        least, most = (length.least, length.most) if many else (len(items), len(items))
        if not least <= len(value) <= most:
            return _one("bad_length", f"must have {least} to {most} items, not {len(value)}")
        finders = map(_finder, [items[0]] * len(value) if many else items)
        return [
            f.under(f"[{at}]") for at, (find, part) in enumerate(zip(finders, value, strict=True)) for f in find(part)
        ]

    return find


def _of_record(kind: Any) -> Finder:
    def find(value: Any) -> list[Fault]:
        if type(value) is not kind:
            return _wrong(f"a {kind.__name__}", value)
        found = [*_field_faults(kind, value)]
        return found or [*getattr(value, "faults", tuple)()]

    return find


def _field_faults(kind: Any, value: Any) -> Iterator[Fault]:
    for field in fields_of(kind):
        for fault in _finder(field.kind)(getattr(value, field.name)):
            yield fault.under(field.name)
