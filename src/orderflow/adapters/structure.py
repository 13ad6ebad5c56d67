"""From plain JSON values to records, following their annotations: quick, checking types only.

Nothing is coerced, and no bounds are checked. Malformed values raise one of ``UNREADABLE``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

from orderflow.domain.engine.bounds import fields_of
from orderflow.domain.engine.text import TextForm, form_of

Reader = Callable[[Any, Any], Any]

UNREADABLE: Final = (
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    ForbiddenExtraKeysError,
)
"""What malformed values can raise."""


def structuring(*, forms_matched: bool) -> Converter:
    """A converter that reads records; functions are compiled for each class at its first use.

    ``forms_matched``: a value written as a single string must match the pattern of its form; required for outside data.
    """
    converter = Converter(detailed_validation=False, forbid_extra_keys=True)
    for kind in (int, str, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook_factory(_is_literal, _literal_reader)
    converter.register_structure_hook_factory(_is_tuple, _tuple_reader)
    converter.register_structure_hook_factory(_is_row, _row_reader)
    converter.register_structure_hook_factory(_is_enum, _enum_reader)
    read_form = _matched if forms_matched else _trusted
    converter.register_structure_hook_factory(_has_form, lambda kind: read_form(form_of(kind)))
    return converter


def reader_beside_content(converter: Converter, kind: type[Any]) -> Reader:
    """The function that reads an attrs class whose ``content`` is passed in as an object."""
    return make_dict_structure_fn(kind, converter, content=override(struct_hook=lambda value, _: value))


def _is_literal(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _has_form(kind: Any) -> bool:
    return form_of(kind) is not None


def _is_row(kind: Any) -> bool:
    return isinstance(kind, type) and hasattr(kind, "_fields")


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _exactly(kind: type[Any]) -> Reader:
    def read(value: Any, _: Any) -> Any:
        if type(value) is kind:
            return value
        raise TypeError(f"{value!r:.80} is not {kind.__name__}")

    return read


def _trusted(form: Any) -> Reader:
    read = form.read
    return lambda text, _: read(text)


def _matched(form: Any) -> Reader:
    known: TextForm = form
    matches, read = known.pattern.fullmatch, known.read

    def read_matching(text: Any, _: Any) -> Any:
        if matches(text):
            return read(text)
        raise ValueError(f"{text!r:.80} is not like {known.example}")

    return read_matching


def _enum_reader(kind: type[Enum]) -> Reader:
    members = {member.value: member for member in kind}
    return lambda value, _: members[value]


def _literal_reader(kind: Any) -> Reader:
    choices = {choice: choice for choice in get_args(kind)}
    return lambda value, _: choices[value]


def _tuple_reader(kind: Any, converter: Converter) -> Reader:
    items = get_args(kind)
    if items[1:] != (Ellipsis,):
        return _array_reader(tuple, items, len(items), converter)
    item = items[0]
    convert = converter.get_structure_hook(item)

    def read(values: Any, _: Any) -> tuple[Any, ...]:
        if type(values) is not list:
            raise TypeError(f"{values!r:.80} is not an array")
        return tuple([convert(value, item) for value in values])

    return read


def _row_reader(kind: Any, converter: Converter) -> Reader:
    fields = fields_of(kind)
    least = sum(field.default is attrs.NOTHING for field in fields)
    return _array_reader(lambda made: kind(*made), [field.kind for field in fields], least, converter)


def _array_reader(make: Callable[[list[Any]], Any], items: Sequence[Any], least: int, converter: Converter) -> Reader:
    parts = [(converter.get_structure_hook(item), item) for item in items]
    most = len(parts)

    def read(values: Any, _: Any) -> Any:
        if type(values) is not list or not least <= len(values) <= most:
            raise TypeError(f"{values!r:.80} is not an array of {least} to {most}")
        return make([convert(value, item) for value, (convert, item) in zip(values, parts, strict=False)])

    return read
