"""Reading what comes from outside: nothing is coerced, and every fault is named with its path.

The forms are those of stored data; a named tuple may also come as an object with its field names, and a value
that is written as one text as an object of its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

import attrs

from orderflow.adapters.codec_forms import FORMS, Form
from orderflow.adapters.codec_text import load_tree, shown, type_name
from orderflow.domain.engine.limits import MAX_GROUP
from orderflow.domain.engine.schema import Length, check_shape, faults_of
from orderflow.domain.money.calendar import PaymentTerms, terms_faults
from orderflow.domain.money.currencies import currency_faults
from orderflow.domain.money.money import Money, money_faults
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, category_faults
from orderflow.errors import Fault, InputError

__all__ = ["read_outside"]


T = TypeVar("T")


Reader = Callable[[Any], Any]


def read_outside(kind: type[T], data: str | Mapping[str, Any]) -> T:
    """A message or value of class ``kind`` from JSON text, or from a mapping as JSON text would give it.

    Raises:
        InputError: with every fault of the data: its form, its types, its ranges, and what the class itself demands.
    """
    tree, faults = load_tree(data)
    wanted: Any = kind
    try:
        made: T = _reader(wanted)(tree)
    except InputError as error:
        known = {fault.path for fault in faults}
        raise InputError([*faults, *(fault for fault in error.faults if fault.path not in known)]) from None
    if faults:
        raise InputError(faults)
    check_shape(made)
    return made


@cache
def _reader(kind: Any) -> Reader:
    """The function that reads a value of an annotation, or raises :class:`InputError` with paths from there on."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if type(None) in get_args(bare):
        return _optional(bare)
    if get_origin(bare) is tuple:
        return _items(kind, bare)
    if bare in FORMS:
        return _checked(bare, _text_form(bare, FORMS[bare]))
    if _is_record(bare):
        return _checked(bare, _row(bare) if hasattr(bare, "_fields") else _object(bare))
    choices = _choices(bare)
    return _choice(choices) if choices else _plain(kind)


def _is_record(kind: Any) -> bool:
    return attrs.has(kind) or hasattr(kind, "_fields")


def _optional(kind: Any) -> Reader:
    (inner,) = (_reader(choice) for choice in get_args(kind) if choice is not type(None))
    return lambda value: None if value is None else inner(value)


def _plain(kind: Any) -> Reader:
    """What needs no conversion: it must be what its annotation says, as the domain judges it."""
    probe: Any = attrs.make_class("Probe", {"value": attrs.field(type=kind)})

    def read(value: Any) -> Any:
        found = faults_of(probe(value))
        if found:
            raise InputError(Fault("", fault.code, fault.message) for fault in found)
        return value

    return read


def _choices(kind: Any) -> dict[str, Any]:
    if get_origin(kind) is Literal:
        return {choice: choice for choice in get_args(kind)}
    return {member.value: member for member in kind} if isinstance(kind, type) and issubclass(kind, Enum) else {}


def _choice(choices: dict[str, Any]) -> Reader:
    allowed = ", ".join(choices)

    def read(value: Any) -> Any:
        if type(value) is not str or value not in choices:
            raise InputError.at("", "not_a_choice", f"must be one of {allowed}")
        return choices[value]

    return read


def _items(kind: Any, bare: Any) -> Reader:
    items = get_args(bare)
    if items[1:] != (Ellipsis,):
        return _fixed([_reader(item) for item in items])
    inner = _reader(items[0])
    length = get_args(kind)[1] if kind is not bare else Length(0, MAX_GROUP * 10)

    def read(values: Any) -> tuple[Any, ...]:
        _check_array(values, length)
        return _collected((f"[{index}]", inner, value) for index, value in enumerate(values))

    return read


def _fixed(inner: list[Reader]) -> Reader:
    length = Length(len(inner), len(inner))

    def read(values: Any) -> tuple[Any, ...]:
        _check_array(values, length)
        return _collected((f"[{at}]", read, value) for at, (read, value) in enumerate(zip(inner, values, strict=True)))

    return read


def _check_array(values: Any, length: Length) -> None:
    if type(values) not in {list, tuple}:
        raise InputError.at("", "not_an_array", f"must be an array, not {type_name(values)}")
    if not length.least <= len(values) <= length.most:
        raise InputError.at("", "bad_length", f"must have {length.least} to {length.most} items, not {len(values)}")


def _collected(parts: Iterable[tuple[str, Reader, Any]], faults: Iterable[Fault] = ()) -> tuple[Any, ...]:
    """Every part read, or one error with the faults of all, after those already found."""
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
    readers, required = _fields(kind)

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise InputError.at("", "not_an_object", f"must be an object, not {type_name(value)}")
        faults = [Fault(name, "missing", "is required") for name in required if name not in value]
        faults += [
            Fault(shown(name), "unknown_field", f"is no field of {kind.__name__}")
            for name in value
            if name not in readers
        ]
        known = [name for name in value if name in readers]
        made = _collected(((name, readers[name], value[name]) for name in known), faults)
        return kind(**dict(zip(known, made, strict=True)))

    return read


def _fields(kind: Any) -> tuple[dict[str, Reader], list[str]]:
    """The readers of a record's fields by name, and the fields without a default."""
    hints = get_type_hints(kind, include_extras=True)
    if attrs.has(kind):
        fields = {field.name: field.default is attrs.NOTHING for field in attrs.fields(kind)}
    else:
        fields = {name: name not in kind._field_defaults for name in kind._fields}
    return {name: _reader(hints[name]) for name in fields}, [name for name, required in fields.items() if required]


def _row(kind: Any) -> Reader:
    names = kind._fields
    length = Length(len(names) - len(kind._field_defaults), len(names))
    as_object = _object(kind)

    def read(value: Any) -> Any:
        if type(value) is dict:
            return as_object(value)
        _check_array(value, length)
        return as_object(dict(zip(names, value, strict=False)))

    return read


def _text_form(kind: Any, form: Form) -> Reader:
    as_object = _object(kind) if _is_record(kind) else None

    def read(value: Any) -> Any:
        text = form.write(as_object(value)) if as_object and type(value) is dict else value
        if type(text) is not str or not form.pattern.fullmatch(text):
            raise InputError.at("", "bad_form", f"must be a text such as {form.example}")
        try:
            made = form.read(text)
        except (ValueError, OverflowError) as error:
            raise InputError.at("", "bad_form", f"must be a text such as {form.example}: {error}") from error
        check_shape(made)
        return made

    return read


def _currency_of(price: Price, path: str) -> list[Fault]:
    return currency_faults(price.currency, f"{path}.currency")


_MORE: Final[dict[type[Any], Callable[[Any, str], list[Fault]]]] = {
    Money: money_faults,
    PaymentTerms: terms_faults,
    Price: _currency_of,
    TaxCategory: category_faults,
}
"""What a value must be beyond its annotations, where any message may hold it."""


def _checked(kind: Any, read: Reader) -> Reader:
    more = _MORE.get(kind)
    if more is None:
        return read

    def read_and_check(value: Any) -> Any:
        made = read(value)
        if faults := more(made, ""):
            raise InputError(Fault(fault.path.removeprefix("."), fault.code, fault.message) for fault in faults)
        return made

    return read_and_check
