"""The converter for what the library itself has written: quick, and compact in what it writes.

Fields equal to their default are left out; a named tuple is an array without its trailing defaults. Reading trusts
the data as far as it is well-formed: a row that is not fails with whatever error it runs into, and the codec
turns that into a :class:`~orderflow.errors.StorageError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import attrs
from cattrs import Converter
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from orderflow.adapters.codec_forms import FORMS, Form

__all__ = ["Reader", "Writer", "reader_beside_content", "stored_converter", "writer_without_content"]

Reader = Callable[[Any, Any], Any]
Writer = Callable[[Any], Any]

_AS_IS = frozenset({int, str, bool, type(None)})


def stored_converter() -> Converter:
    """A converter with the hooks for stored data; functions are compiled for each class when first met."""
    converter = Converter(detailed_validation=False, omit_if_default=True, forbid_extra_keys=True)
    for kind in (int, str, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook_factory(_is_literal, _literal_reader)
    converter.register_structure_hook_factory(_is_tuple, _tuple_reader)
    converter.register_structure_hook_factory(_is_row, _row_reader)
    converter.register_structure_hook_factory(_is_enum, _enum_reader)
    converter.register_unstructure_hook_factory(_is_tuple, _tuple_writer)
    converter.register_unstructure_hook_factory(_is_row, _row_writer)
    for kind, form in FORMS.items():
        converter.register_structure_hook(kind, _form_reader(form))
        converter.register_unstructure_hook(kind, form.write)
    return converter


def writer_without_content(converter: Converter, kind: type[Any]) -> Writer:
    """The function that writes an attrs class and leaves its ``content`` out."""
    return make_dict_unstructure_fn(kind, converter, _cattrs_omit_if_default=True, content=override(omit=True))


def reader_beside_content(converter: Converter, kind: type[Any]) -> Reader:
    """The function that reads an attrs class whose ``content`` comes as an object already made."""
    return make_dict_structure_fn(kind, converter, content=override(struct_hook=_as_is))


def _is_row(kind: Any) -> bool:
    return isinstance(kind, type) and hasattr(kind, "_fields")


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _is_literal(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _as_is(value: Any, _: Any) -> Any:
    return value


def _exactly(kind: type[Any]) -> Reader:
    def read(value: Any, _: Any) -> Any:
        if type(value) is kind:
            return value
        raise TypeError(f"{value!r} is not {kind.__name__}")

    return read


def _form_reader(form: Form) -> Reader:
    read = form.read
    return lambda text, _: read(text)


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
    hints = get_type_hints(kind, include_extras=True)
    least = len(kind._fields) - len(kind._field_defaults)
    return _array_reader(lambda made: kind(*made), [hints[name] for name in kind._fields], least, converter)


def _array_reader(make: Callable[[list[Any]], Any], items: Sequence[Any], least: int, converter: Converter) -> Reader:
    parts = [(converter.get_structure_hook(item), item) for item in items]
    most = len(parts)

    def read(values: Any, _: Any) -> Any:
        if type(values) is not list or not least <= len(values) <= most:
            raise TypeError(f"{values!r:.80} is not an array of {least} to {most}")
        return make([convert(value, item) for value, (convert, item) in zip(values, parts, strict=False)])

    return read


def _tuple_writer(kind: Any, converter: Converter) -> Writer:
    if _is_native(kind):
        return identity
    items = get_args(kind)
    writers = [converter.get_unstructure_hook(item) for item in items if item is not Ellipsis]
    if items[1:] != (Ellipsis,):
        return lambda values: [write(value) for write, value in zip(writers, values, strict=True)]
    write = writers[0]
    return lambda values: [write(value) for value in values]


def _row_writer(kind: Any, converter: Converter) -> Writer:
    if _is_native(kind):
        return identity
    hints = get_type_hints(kind, include_extras=True)
    writers = [converter.get_unstructure_hook(hints[name]) for name in kind._fields]
    least = len(kind._fields) - len(kind._field_defaults)
    defaults = (*[None] * least, *kind._field_defaults.values())

    def write(row: tuple[Any, ...]) -> list[Any]:
        size = len(row)
        while size > least and row[size - 1] == defaults[size - 1]:
            size -= 1
        return [write(value) for write, value in zip(writers, row[:size], strict=False)]

    return write


def _is_native(kind: Any) -> bool:
    """Whether json writes a value of this annotation as it should look, so that nothing has to be converted."""
    if get_origin(kind) is Annotated:
        return _is_native(get_args(kind)[0])
    if _is_row(kind):
        hints = get_type_hints(kind, include_extras=True)
        return kind not in FORMS and not kind._field_defaults and all(map(_is_native, hints.values()))
    if get_origin(kind) is not None:
        return not attrs.has(kind) and all(item is Ellipsis or _is_native(item) for item in get_args(kind))
    return kind in _AS_IS
