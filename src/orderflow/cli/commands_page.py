"""The commands as a page: where each is imported from, and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

import attrs

import orderflow
from orderflow.domain.engine.bounds import fields_of, is_record, parts_of
from orderflow.domain.engine.machine import Machine
from orderflow.domain.engine.record import Internal

__all__ = ["commands_page"]

_HEAD: Final = """# Commands

What `handle(id, command)` takes, by the kind of row that it tells: where a command is imported from, its fields, and
what it does. A field with a default may be left out. `orderflow diagram --write` makes this page from the classes."""

_VALUES: Final = """
## Values

What the fields are made of.

| value | import from | fields or choices |
|---|---|---|"""


def commands_page(machines: Iterable[Machine]) -> str:
    """The commands that anybody may send, as Markdown, a section for each kind of row; then the values in them."""
    by_kind = {machine.kind: [c for c in machine.commands if not issubclass(c, Internal)] for machine in machines}
    sections = [line for kind, commands in by_kind.items() for line in _section(kind, commands)]
    values: dict[type[Any], None] = {}
    for commands in by_kind.values():
        for command in commands:
            _collect(command, values)
    listed = sorted(values.keys() - {c for commands in by_kind.values() for c in commands}, key=lambda v: v.__name__)
    return "\n".join([_HEAD, *sections, _VALUES, *map(_value, listed), ""])


def _section(kind: str, commands: list[type[Any]]) -> Iterator[str]:
    if commands:
        yield from ("", f"## {kind}", "", "| command | import from | fields | what it does |", "|---|---|---|---|")
        for command in commands:
            says = (command.__doc__ or "").strip().split("\n")[0].replace("``", "`")
            yield f"| {command.__name__} | `{_module(command)}` | {_fields(command)} | {says} |"


def _module(kind: type[Any]) -> str:
    """The package itself where it has the name; else the module that defines it."""
    return "orderflow" if getattr(orderflow, kind.__name__, None) is kind else kind.__module__


def _fields(kind: Any) -> str:
    return ", ".join(f"`{f.name}: {_words(f.kind)}{_default(f.default)}`" for f in fields_of(kind))


def _default(value: Any) -> str:
    if value is attrs.NOTHING:
        return ""
    if isinstance(value, Enum):
        return f" = {type(value).__name__}.{value.name}"
    return f" = {type(value).__name__}()" if is_record(type(value)) else f" = {value!r}"


def _words(kind: Any) -> str:
    """An annotation without its bounds."""
    base, _ = parts_of(kind)
    if get_origin(base) is Literal:
        return " or ".join(map(repr, get_args(base)))
    inner = [_words(part) for part in get_args(base) if part is not Ellipsis]
    if get_origin(base) in (Union, UnionType):
        return " or ".join(inner)
    if get_origin(base) is tuple:
        return f"tuple[{', '.join([*inner, *(['...'] if Ellipsis in get_args(base) else [])])}]"
    return "None" if base is type(None) else str(getattr(base, "__name__", base))


def _collect(kind: Any, seen: dict[type[Any], None]) -> None:
    """The records and enumerations in an annotation, and those in theirs."""
    base, _ = parts_of(kind)
    for part in get_args(base):
        _collect(part, seen)
    if base in seen or not (is_record(base) or (isinstance(base, type) and issubclass(base, Enum))):
        return
    seen[base] = None
    for field in fields_of(base) if is_record(base) else ():
        _collect(field.kind, seen)


def _value(kind: Any) -> str:
    says = _fields(kind) if is_record(kind) else ", ".join(f"`{choice.name}`" for choice in kind)
    return f"| {kind.__name__} | `{_module(kind)}` | {says} |"
