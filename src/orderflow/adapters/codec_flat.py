"""The short way to text for the smallest and most frequent classes: those of integers and texts alone.

Stock rows and their events are three quarters of all that is written. Their text is made in one pass, and is the same
as the converter's.
"""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import attrs

__all__ = ["flat_writer", "is_flat"]


def is_flat(kind: type[Any]) -> bool:
    """Whether a class is an attrs class of at least two fields, each an integer or a text."""
    if not attrs.has(kind) or len(attrs.fields(kind)) < 2:
        return False
    return all(_plain(hint) in {int, str} for hint in get_type_hints(kind, include_extras=True).values())


def flat_writer(kind: type[Any]) -> Callable[[Any], str]:
    """The function that writes such a class as a compact JSON object, fields equal to their default left out."""
    fields = attrs.fields(kind)
    values = attrgetter(*(field.name for field in fields))
    if all(field.default is attrs.NOTHING for field in fields):
        whole = "{" + ",".join(f'"{field.name}":%s' for field in fields) + "}"
        return lambda message: whole % tuple([_text(value) for value in values(message)])
    parts = tuple((f'"{field.name}":', field.default) for field in fields)

    def write(message: Any) -> str:
        written = [
            prefix + _text(value)
            for (prefix, default), value in zip(parts, values(message), strict=True)
            if value != default
        ]
        return f"{{{','.join(written)}}}"

    return write


def _text(value: int | str) -> str:
    return encode_basestring(value) if type(value) is str else str(value)


def _plain(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint
