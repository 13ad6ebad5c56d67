"""JSON text from outside as a tree of plain values, with the faults that need no class to be seen.

The json module takes duplicate keys (the last wins), NaN, and numbers and nesting without end; RFC 8259 leaves
them to the reader. Here they are faults, each with its path.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from orderflow.errors import Fault, InputError

__all__ = ["MAX_DEPTH", "MAX_SIZE", "load_tree", "shown", "type_name"]

MAX_SIZE: Final = 2**20
"""Characters of one JSON text, and values in one tree: an order of 5,000 lines fits."""

MAX_DEPTH: Final = 32
"""Levels of nesting in one JSON text."""

_MAX_DIGITS = 20


class _Unfit(NamedTuple):
    """Stands where the text held something that JSON libraries would swallow."""

    code: str
    message: str


def load_tree(data: str | Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """The object that a JSON text or a mapping holds, and its faults: where one is, no value stands in the tree.

    Raises:
        InputError: not a JSON object at all, or too large to look through.
    """
    tree = _loaded(data) if isinstance(data, str) else data
    if not isinstance(tree, Mapping):
        raise InputError.at("", "not_an_object", f"must be an object, not {type_name(tree)}")
    return dict(tree), list(_tree_faults(tree))


def _loaded(text: str) -> Any:
    if len(text) > MAX_SIZE:
        raise InputError.at("", "too_large", f"must have at most {MAX_SIZE} characters, not {len(text)}")
    try:
        return json.loads(text, object_pairs_hook=_members, parse_int=_integer, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise InputError.at("", "bad_json", f"is not JSON: {error}") from error
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
    return _Unfit("not_a_number", f"must not be {name}")


_TWICE = _Unfit("duplicate_key", "stands more than once in its object")
_HUGE = _Unfit("out_of_range", f"must have at most {_MAX_DIGITS} digits")


def _tree_faults(tree: Any) -> Iterator[Fault]:
    waiting: list[tuple[str, Any, int]] = [("", tree, 1)]
    seen = 0
    while waiting:
        path, value, depth = waiting.pop()
        seen += 1
        if seen > MAX_SIZE:
            raise InputError.at("", "too_large", f"must hold at most {MAX_SIZE} values")
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
        return ((dot + shown(name), item) for name, item in value.items())
    return ((f"{path}[{index}]", item) for index, item in enumerate(value))


def shown(name: object) -> str:
    """A field name from outside, made fit to stand in a path."""
    text = str(name)
    return text if text.isprintable() and 0 < len(text) <= 100 else ascii(text)[:100]


def type_name(value: object) -> str:
    """What a value is called in the sentence of a fault."""
    return "null" if value is None else type(value).__name__
