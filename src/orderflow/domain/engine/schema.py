"""One schema: the annotations of a class state its bounds once, and a compiled check applies them.

Construction checks nothing; :func:`faults_of` is asked where data enters. ``sound(kind)`` says yes or no; only after a
no is the value walked for its faults, each named with its path.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import cache, wraps
from types import UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin

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
    is_clean,
    is_record,
    parts_of,
)
from orderflow.domain.engine.finders import finder_of
from orderflow.errors import Fault, InputError

__all__ = ["check", "checked", "faults_at", "faults_of", "sound"]

P = ParamSpec("P")
R = TypeVar("R")


# -- yes or no


class _Source:
    """Compiles an expression, giving names to what it refers to."""

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
    """The function that says whether a value satisfies an annotation, or the annotations of a class."""
    source = _Source()
    if not is_record(kind):
        return source.made(_expression(source, kind, "v"))
    parts = [f"type(v) is {source.name(kind)}"]
    parts += [_expression(source, field.kind, f"v.{field.name}") for field in fields_of(kind)]
    if hasattr(kind, "faults"):
        parts.append("not any(True for _ in v.faults())")
    return source.made(" and ".join(parts))


def _expression(source: _Source, kind: Any, v: str) -> str:
    """The expression that checks a value, which has the name ``v``."""
    base, bound = parts_of(kind)
    origin = get_origin(base)
    if base in _SIMPLE:
        return _SIMPLE[base](source, bound, v)
    if origin is tuple:
        return _tuple_expression(source, get_args(base), bound or ANY_LENGTH, v)
    if origin in (Union, UnionType):
        return _union_expression(source, [part for part in get_args(base) if part is not type(None)], base, v)
    if is_record(base):
        return f"{source.name(sound(base))}({v})"
    return f"not {source.name(finder_of(kind))}({v})"


def _integer_expression(source: _Source, bound: Between | None, v: str) -> str:
    limits = bound or ANY_INTEGER
    return f"(type({v}) is int and {limits.least} <= {v} <= {limits.most})"


def _time_expression(source: _Source, bound: None, v: str) -> str:
    return f"(isinstance({v}, {source.name(datetime)}) and {v}.tzinfo is not None)"


def _text_expression(source: _Source, bound: Text | Known | None, v: str) -> str:
    bound = bound or ANY_TEXT
    if isinstance(bound, Known):
        return f"(type({v}) is str and {source.name(bound.has)}({v}))"
    tests = [f"type({v}) is str", f"{bound.least} <= len({v}) <= {bound.most}"]
    tests.append(f"({v}.isprintable() or {source.name(is_clean)}({v}, {bound.lines}))")
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
    table = source.name({class_of(choice): sound(choice) for choice in choices})
    return f"({optional}(type({v}) in {table} and {table}[type({v})]({v})))"


# -- the faults


def faults_of(message: Any) -> tuple[Fault, ...]:
    """Everything wrong with a record, by its class's annotations and then by its own ``faults()``."""
    kind: Any = type(message)
    if sound(kind)(message):
        return ()
    return tuple(finder_of(kind)(message))


def faults_at(path: str, kind: Any, value: Any) -> list[Fault]:
    """Everything wrong with a value that must satisfy ``kind``, a class or an annotation."""
    return [] if sound(kind)(value) else [fault.under(path) if path else fault for fault in finder_of(kind)(value)]


def check(message: Any) -> None:
    """Raise :class:`InputError` with every fault of ``message``; do nothing when it has none."""
    found = faults_of(message)
    if found:
        raise InputError(found)


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """A function whose arguments are checked by their annotations.

    ``self`` is not checked, and neither is an argument without an annotation, or with one that only type checkers see.

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
