"""What is wrong with a value: it is walked by its annotations, and every fault is named with its path."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from orderflow.domain.engine.bounds import (
    ANY_INTEGER,
    ANY_LENGTH,
    ANY_TEXT,
    Between,
    Known,
    Length,
    Text,
    class_of,
    fields_of,
    fits,
    is_clean,
    is_record,
    parts_of,
)
from orderflow.errors import Fault

#: Finds what is wrong with a value; the caller puts the place of the value before the paths.
Finder = Callable[[Any], list[Fault]]


@cache
def finder_of(kind: Any) -> Finder:
    base, bound = parts_of(kind)
    origin = get_origin(base)
    if is_record(base):
        return _of_record(base)
    if origin is tuple:
        return _of_tuple(get_args(base), bound or ANY_LENGTH)
    if origin is Literal:
        return _of_literal(get_args(base))
    if origin in (Union, UnionType):
        return _of_union(get_args(base))
    if base is str:
        return _of_known(bound) if isinstance(bound, Known) else _of_text(bound or ANY_TEXT)
    makers = {int: _of_integer, Decimal: _of_decimal}
    return makers[base](bound) if base in makers else _of_instance(origin or base)


def _one(code: str, message: str) -> list[Fault]:
    return [Fault("", code, message)]


def _wrong(what: str, value: Any) -> list[Fault]:
    return _one("wrong_type", f"must be {what}, not {type(value).__name__}")


def _of_integer(bound: Between | None) -> Finder:
    limits = bound or ANY_INTEGER

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
        if not fits(value):
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
        if not is_clean(value, bound.lines):
            return _one("bad_character", "contains a control, surrogate or direction character")
        held = bool(bound.without) and bound.without in value
        return _one("bad_character", f"must not contain {bound.without!r}") if held else []

    return find


def _of_known(bound: Known) -> Finder:
    def find(value: Any) -> list[Fault]:
        if type(value) is not str:
            return _wrong("a text", value)
        return [] if bound.has(value) else _one(bound.code, f"{value!r:.40} is not {bound.what}")

    return find


def _of_instance(kind: type[Any]) -> Finder:
    """Enums, dates, times, booleans and whatever else is checked by its class alone."""
    names = [str(member.value) for member in kind] if issubclass(kind, Enum) else []
    what = f"one of {', '.join(names)} ({kind.__name__})" if names else f"a {kind.__name__}"

    def find(value: Any) -> list[Fault]:
        if not isinstance(value, kind) or (kind is date and isinstance(value, datetime)):
            return _wrong(what, value)
        naive = kind is datetime and value.tzinfo is None
        return _one("naive_time", "must have a time zone") if naive else []

    return find


def _of_literal(choices: Collection[Any]) -> Finder:
    def find(value: Any) -> list[Fault]:
        known = any(type(value) is type(choice) and value == choice for choice in choices)
        return [] if known else _one("not_a_choice", f"must be one of {', '.join(map(str, choices))}")

    return find


def _of_union(choices: Collection[Any]) -> Finder:
    finders = {class_of(choice): finder_of(choice) for choice in choices if choice is not type(None)}
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
        finders = map(finder_of, [items[0]] * len(value) if many else items)
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
        for fault in finder_of(field.kind)(getattr(value, field.name)):
            yield fault.under(field.name)
