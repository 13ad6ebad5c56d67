"""Frozen records: values, messages and states that compare, hash and print by their fields.

A class over :class:`Record` is an attrs class, frozen and with slots, and needs no decorator to say so. One comparison
serves all of them, where attrs would compile a set of methods for each, which is most of what importing the library
would cost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, Final, TypeVar, dataclass_transform, overload

import attrs

__all__ = ["MARKERS", "Command", "Event", "Fields", "Internal", "Record", "names_of", "replacing", "values_of"]

R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(attrs.field,))
class RecordType(type):
    """Makes a class with fields of its own a frozen, slotted attrs class; one without adds nothing to its bases."""

    def __new__(cls, name: str, bases: tuple[type, ...], space: dict[str, Any], **more: Any) -> Any:
        """Make the class; attrs comes back here with the slots it has found."""
        if not space.get("__annotations__"):
            space.setdefault("__slots__", ())
        made = super().__new__(cls, name, bases, space, **more)
        return made if "__slots__" in space else attrs.frozen(eq=False, repr=False)(made)


@attrs.frozen(eq=False, repr=False)
class Fields(metaclass=RecordType):
    """Fields that a command and its event share; it is neither."""


class Record(Fields):
    """Equal to a record of the same class with the same fields."""

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


class Internal(Record):
    """A command that only the library sends, from row to row: sent by itself it would break a rule that spans rows."""


class Event(Record):
    """What has happened. Past participle: ``OrderPlaced``."""


#: Classes that say what a record is, and have no fields that could be checked.
MARKERS: Final = frozenset({Record, Command, Internal, Event})


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
