"""Frozen records: values, messages and states that compare, hash and print by their fields.

A record is an attrs class made with ``@frozen(eq=False, repr=False)`` over :class:`Record`: one comparison serves all
of them, where attrs would compile a set of methods for each, which is most of what importing the library would cost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, overload

import attrs

__all__ = ["Command", "Event", "Internal", "Record", "names_of", "replacing", "values_of"]

R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


class Record:
    """Equal to a record of the same class with the same fields."""

    __slots__ = ()
    __class__: Any  # what is cached for each class is looked up by its class

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        values = values_of(self.__class__)
        return values(self) == values(other)

    def __hash__(self) -> int:
        return hash(values_of(self.__class__)(self))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names_of(self.__class__))
        return f"{type(self).__name__}({fields})"


class Command(Record):
    """May be handed to ``OrderFlow.handle``, by a host or a person. Imperative: ``PlaceOrder``."""

    __slots__ = ()


class Internal(Record):
    """A command that only the library sends, from row to row: sent by itself it would break a rule that spans rows."""

    __slots__ = ()


class Event(Record):
    """What has happened. Past participle: ``OrderPlaced``."""

    __slots__ = ()


@cache
def names_of(kind: Any) -> tuple[str, ...]:
    """The names of a record's fields, in order."""
    return tuple(field.name for field in attrs.fields(kind))


@cache
def values_of(kind: Any) -> Callable[[Any], tuple[Any, ...]]:
    """The function that returns the values of a record's fields, in order."""
    names = names_of(kind)
    if len(names) > 1:
        return attrgetter(*names)
    return (lambda record: (getattr(record, names[0]),)) if names else lambda record: ()


class _Name:
    """Returns the name of whatever attribute it is asked for."""

    def __getattr__(self, name: str) -> str:
        return name


@overload
def replacing(kind: type[R], first: Callable[[R], A], /) -> Callable[[R, A], R]: ...
@overload
def replacing(kind: type[R], first: Callable[[R], A], second: Callable[[R], B], /) -> Callable[[R, A, B], R]: ...
@overload
def replacing(
    kind: type[R], first: Callable[[R], A], second: Callable[[R], B], third: Callable[[R], C], /
) -> Callable[[R, A, B, C], R]: ...
def replacing(kind: Any, /, *picked: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function that returns a record with other values in the picked fields.

    ``with_lines = replacing(Progress, lambda p: p.lines)``, then ``with_lines(progress, lines)``. It is compiled once:
    as quick as the constructor, where ``attrs.evolve`` takes more than twice as long. The class of the record is kept,
    so one function serves all subclasses that add no field.
    """
    names = [pick(_Name()) for pick in picked]
    unknown = set(names).difference(names_of(kind))
    if unknown:
        raise TypeError(f"{kind.__name__} has no field {', '.join(sorted(unknown))}")
    arguments = ", ".join(f"new_{name}" if name in names else f"old.{name}" for name in names_of(kind))
    source = f"lambda old, {', '.join(f'new_{name}' for name in names)}: old.__class__({arguments})"
    made: Callable[..., Any] = eval(source)  # noqa: S307 - of names of our own fields
    return made
