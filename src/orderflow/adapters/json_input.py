"""Reading JSON from outside: nothing is coerced, and every fault is named with its path.

The forms are those of stored data; in addition, a named tuple, or a value that is stored as a single string, may be
given as an object with its field names. Sound data is read as quickly as stored data; only faulty data, or data in one
of the longer forms, is walked value by value.

The json module accepts duplicate keys (the last wins), NaN, and unlimited digits and nesting; RFC 8259 leaves these to
the parser. Here they are faults, each with its path.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Final, Literal, NamedTuple, TypeVar, get_args, get_origin

import attrs

from orderflow.adapters.structure import UNREADABLE, structuring
from orderflow.domain.engine.bounds import Length, fields_of, is_record, parts_of
from orderflow.domain.engine.limits import MAX_GROUP
from orderflow.domain.engine.schema import faults_at, sound
from orderflow.domain.engine.text import TextForm, form_of
from orderflow.errors import Fault, InputError

MAX_SIZE: Final = 2**20
"""The most characters in a JSON text, and values in a parsed document: room for an order of 5,000 lines."""

MAX_DEPTH: Final = 32
"""The deepest nesting in a document."""

_MAX_DIGITS: Final = 20

T = TypeVar("T")

Reader = Callable[[Any], Any]


def read_outside(kind: type[T], data: str | Mapping[str, Any]) -> T:
    """A message or value of class ``kind``, from JSON text or from the mapping that JSON text would give.

    Raises:
        InputError: lists every fault in the data: form, types, ranges, and what the class itself requires.
    """
    wanted: Any = kind
    made: T | None = _read_quickly(wanted, data) if _is_strict(wanted) else None
    return _read_with_faults(wanted, data) if made is None else made


# -- the quick way


_CONVERTER: Final = structuring(forms_matched=True)


def _read_quickly(kind: Any, data: str | Mapping[str, Any]) -> Any:
    """The value, or None if the data has a fault or is not in its shortest form."""
    try:
        if isinstance(data, str):
            data = _loaded_strictly(data) if len(data) <= MAX_SIZE else {}
        made = _CONVERTER.structure(data, kind)
        return made if sound(kind)(made) else None
    except UNREADABLE:
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key appears more than once in its object")
    return members


_loaded_strictly: Final = json.JSONDecoder(object_pairs_hook=_once).decode


@cache
def _is_strict(kind: Any) -> bool:
    """Whether the annotation fixes the type of every part, so that the quick reader accepts nothing else."""
    base, _ = parts_of(kind)
    if is_record(base):
        return all(_is_strict(field.kind) for field in fields_of(base))
    if get_origin(base) is tuple or type(None) in get_args(base):
        return all(part in {Ellipsis, type(None)} or _is_strict(part) for part in get_args(base))
    known = base in {int, str, bool, date, datetime, Decimal} or get_origin(base) is Literal
    return known or (isinstance(base, type) and issubclass(base, Enum))


# -- a tree of plain values, and the faults that can be found without knowing the class


class _Unfit(NamedTuple):
    """Takes the place of something that the json module would accept silently."""

    code: str
    message: str


def load_tree(data: str | Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """The object in a JSON text or mapping, and its faults; a placeholder takes the place of a faulty value.

    Raises:
        InputError: it is not a JSON object, or it is too large to examine.
    """
    tree = _loaded(data) if isinstance(data, str) else data
    if not isinstance(tree, Mapping):
        raise _wrong("an object", tree)
    return dict(tree), list(_tree_faults(tree))


def _loaded(text: str) -> Any:
    if len(text) > MAX_SIZE:
        raise InputError.at("", "too_large", f"must have at most {MAX_SIZE} characters, not {len(text)}")
    try:
        return json.loads(text, object_pairs_hook=_members, parse_int=_integer, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise InputError.at("", "bad_json", f"is not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise InputError.at("", "too_deep", f"must be nested at most {MAX_DEPTH} deep") from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        members.update({name: _TWICE for name, count in counts.items() if count > 1})
    return members


def _integer(digits: str) -> int | _Unfit:
    return int(digits) if len(digits) <= _MAX_DIGITS else _HUGE


def _constant(name: str) -> _Unfit:
    return _Unfit("out_of_range", f"must not be {name}")


_TWICE: Final = _Unfit("repeated", "appears more than once in its object")
_HUGE: Final = _Unfit("out_of_range", f"must have at most {_MAX_DIGITS} digits")


def _tree_faults(tree: Any) -> Iterator[Fault]:
    waiting: list[tuple[str, Any, int]] = [("", tree, 1)]
    seen = 0
    while waiting:
        path, value, depth = waiting.pop()
        seen += 1
        if seen > MAX_SIZE:
            raise InputError.at("", "too_large", f"must contain at most {MAX_SIZE} values")
        if type(value) is _Unfit:
            yield Fault(path, value.code, value.message)
        elif isinstance(value, (Mapping, list, tuple)):
            if depth > MAX_DEPTH:
                yield Fault(path, "too_deep", f"must be nested at most {MAX_DEPTH} deep")
            else:
                waiting += [(inner, item, depth + 1) for inner, item in _children(path, value)]


def _children(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        dot = f"{path}." if path else ""
        return ((dot + _shown(name), item) for name, item in value.items())
    return ((f"{path}[{index}]", item) for index, item in enumerate(value))


def _shown(name: object) -> str:
    """A field name from outside, made safe to appear in a path."""
    text = str(name)
    return text if text.isprintable() and 0 < len(text) <= 100 else ascii(text)[:100]


def _wrong(what: str, value: object) -> InputError:
    name = "null" if value is None else type(value).__name__
    return InputError.at("", "wrong_type", f"must be {what}, not {name}")


# -- the walk that names every fault


def _read_with_faults(kind: Any, data: str | Mapping[str, Any]) -> Any:
    tree, faults = load_tree(data)
    known = {fault.path for fault in faults}
    made: Any = None
    try:
        made = _reader(kind)(tree)
    except InputError as error:
        faults += [fault for fault in error.faults if fault.path not in known]
    if faults:
        raise InputError(faults)
    return made


@cache
def _reader(kind: Any) -> Reader:
    """The function that reads an annotation's values, or raises :class:`InputError` with paths relative to it."""
    base, bound = parts_of(kind)
    form = form_of(base)
    if type(None) in get_args(base):
        return _optional(base)
    if get_origin(base) is tuple:
        return _items(get_args(base), bound)
    if form is not None:
        return _text_form(kind, base, form)
    if is_record(base):
        return _row(base) if hasattr(base, "_fields") else _object(base)
    if isinstance(base, type) and issubclass(base, Enum):
        return _choice({member.value: member for member in base})
    return _plain(kind)


def _optional(kind: Any) -> Reader:
    (inner,) = (_reader(choice) for choice in get_args(kind) if choice is not type(None))
    return lambda value: None if value is None else inner(value)


def _plain(kind: Any) -> Reader:
    """Read a value that needs no conversion; it must match its annotation."""

    def read(value: Any) -> Any:
        if faults := faults_at("", kind, value):
            raise InputError(faults)
        return value

    return read


def _choice(choices: dict[str, Any]) -> Reader:
    allowed = ", ".join(choices)

    def read(value: Any) -> Any:
        if type(value) is not str or value not in choices:
            raise InputError.at("", "not_a_choice", f"must be one of {allowed}")
        return choices[value]

    return read


def _items(items: tuple[Any, ...], bound: Length | None) -> Reader:
    many = items[1:] == (Ellipsis,)
    readers = [_reader(item) for item in items if item is not Ellipsis]
    length = (bound or Length(0, MAX_GROUP * 10)) if many else Length(len(items), len(items))

    def read(values: Any) -> tuple[Any, ...]:
        _check_array(values, length)
        each = readers * len(values) if many else readers
        return _collected((f"[{at}]", read, value) for at, (read, value) in enumerate(zip(each, values, strict=True)))

    return read


def _check_array(values: Any, length: Length) -> None:
    if type(values) not in {list, tuple}:
        raise _wrong("an array", values)
    if not length.least <= len(values) <= length.most:
        raise InputError.at("", "bad_length", f"must have {length.least} to {length.most} items, not {len(values)}")


def _collected(parts: Iterable[tuple[str, Reader, Any]], faults: Iterable[Fault] = ()) -> tuple[Any, ...]:
    """All parts, read; or one error with the faults already found and those of every part."""
    made: list[Any] = []
    found = list(faults)
    for path, read, value in parts:
        try:
            made.append(read(value))
        except InputError as error:
            found += [fault.under(path) for fault in error.faults]
    if found:
        raise InputError(found)
    return tuple(made)


def _object(kind: Any) -> Reader:
    readers = {field.name: _reader(field.kind) for field in fields_of(kind)}
    required = [field.name for field in fields_of(kind) if field.default is attrs.NOTHING]

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _wrong("an object", value)
        faults = [Fault(name, "missing", "is required") for name in required if name not in value]
        unknown = [name for name in value if name not in readers]
        faults += [Fault(_shown(name), "unknown_field", f"is not a field of {kind.__name__}") for name in unknown]
        known = [name for name in value if name in readers]
        made = _collected(((name, readers[name], value[name]) for name in known), faults)
        return _checked(kind(**dict(zip(known, made, strict=True))))

    return read


def _checked(made: Any) -> Any:
    """The value itself, if it meets what its class requires of its fields together."""
    if faults := [*getattr(made, "faults", tuple)()]:
        raise InputError(faults)
    return made


def _row(kind: Any) -> Reader:
    names = kind._fields
    length = Length(len(names) - len(kind._field_defaults), len(names))
    as_object = _object(kind)

    def read(value: Any) -> Any:
        if type(value) is not dict:
            _check_array(value, length)
            value = dict(zip(names, value, strict=False))
        return as_object(value)

    return read


def _text_form(kind: Any, base: Any, form: TextForm) -> Reader:
    as_object = _object(base) if is_record(base) else None

    def read(value: Any) -> Any:
        if as_object is not None and type(value) is dict:
            return as_object(value)
        if type(value) is not str or not form.pattern.fullmatch(value):
            raise InputError.at("", "bad_form", f"must be a text such as {form.example}")
        try:
            made = form.read(value)
        except (ValueError, OverflowError) as error:
            raise InputError.at("", "bad_form", f"must be a text such as {form.example}: {error}") from error
        if faults := faults_at("", kind, made):
            raise InputError(faults)
        return made

    return read
