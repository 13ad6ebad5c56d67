"""Error texts without personal data: where a value of the vault stands in one, its field's name takes its place.

Adapters say what they were given, in whatever form: in capitals, escaped, without blanks, cut off. So a text and the
values are compared by their letters and digits alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple
from unicodedata import normalize

import attrs

from orderflow.domain.engine.decide import Flow, Read, ask
from orderflow.domain.parties.party import Erased, Person
from orderflow.domain.values import PartyRef
from orderflow.errors import InputError, Key, printable

__all__ = ["impersonal", "without_values"]

#: How deep in a row references to parties are looked for: ``content.lines[0].ship_to``.
_DEPTH: Final = 4
#: From this length on, letters that stand in a text in this order are taken to be a value even within a word.
_DISTINCT: Final = 5
#: So many letters of a value's beginning are taken to be the value, cut off; at the end of a text fewer are enough.
_BEGINNING: Final = 8
_END: Final = 3
_NOT_KEPT: Final = "failed; what was said is not kept, because whom it concerns"


def impersonal(lane: Key, text: str) -> Flow[str]:
    """What was said about a row, fit to be stored: without the values of anybody whom the row concerns.

    If somebody has been erased meanwhile, nobody knows the values any more, and nothing of the text is kept.
    """
    try:
        people = yield from _people(lane)
    except InputError as error:
        return printable(str(error))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the rows, the effect has failed for a reason of its own
        return f"{_NOT_KEPT} cannot be read ({type(error).__name__})"
    if any(isinstance(person, Erased) for person in people):
        return f"{_NOT_KEPT} has been erased"
    return printable(without_values(text, [party.person for party in people if hasattr(party, "person")]))


def _people(lane: Key) -> Flow[list[Any]]:
    """The party versions that a row refers to, and those of the rows that it names."""
    state = (yield from ask(Read([lane])))[lane].state
    others = _named(lane, state)
    states = [state, *(row.state for row in ((yield from ask(Read(others))) if others else {}).values())]
    refs = dict.fromkeys(ref for each in states for ref in _refs(each, _DEPTH))
    parties = yield from ask(Read([lane.beside("party", str(ref)) for ref in refs]))
    return [row.state for row in parties.values()]


def _named(lane: Key, state: Any) -> list[Key]:
    """The rows that a payment names: its order and its customer."""
    origin = getattr(state, "origin", None)
    named = [(kind, getattr(origin, kind, "")) for kind in ("order", "customer")]
    return [lane.beside(kind, id_) for kind, id_ in named if id_]


def _refs(value: Any, depth: int) -> Iterator[PartyRef]:
    if isinstance(value, PartyRef):
        yield value
    elif depth and isinstance(value, tuple):
        for item in value:
            yield from _refs(item, depth - 1)
    elif depth and attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from _refs(getattr(value, field.name), depth - 1)


# -- texts


class _Value(NamedTuple):
    """A value by its letters and digits; a ``word`` stands for itself only, not within another word."""

    field: str
    letters: str
    word: bool


class _Span(NamedTuple):
    """Where a value stands in a text; ``part``: it is cut off there."""

    start: int
    end: int
    part: bool
    field: str


def without_values(text: str, people: Iterable[Person]) -> str:
    """A text with the values of people replaced by the names of their fields."""
    values = dict.fromkeys(value for person in people for value in _values(person))
    shown = normalize("NFKC", _unescaped(text))
    letters, places = _letters(shown)
    found = [span for value in values for span in _spans(value, letters, places, shown)]
    parts, end = [], 0
    for start, stop, _, field in sorted(found, key=lambda span: (span.start, -span.end, span.part)):
        if start >= end:
            parts += [shown[end:start], f"<{field}>"]
        end = max(end, stop)
    return "".join([*parts, shown[end:]])


def _values(person: Person) -> Iterator[_Value]:
    for field, value in attrs.asdict(person).items():
        for part in [value] if isinstance(value, str) else value:
            words = part.split() if field in {"name", "lines"} else part.split("@")[:1] if field == "email" else []
            for each in (part, *words):
                letters, _ = _letters(normalize("NFKC", each))
                least = 2 if field == "name" else 3 if each == part else 4
                if letters and (len(letters) >= least or not letters.isascii()):
                    yield _Value(field, letters, letters.isascii() and (len(letters) < _DISTINCT or each != part))


def _letters(text: str) -> tuple[str, list[int]]:
    """The letters and digits of a text without case, and where each of them stands in it."""
    found = [(small, at) for at, character in enumerate(text) if character.isalnum() for small in character.casefold()]
    return "".join(small for small, _ in found), [at for _, at in found]


def _spans(value: _Value, letters: str, places: list[int], text: str) -> Iterator[_Span]:
    """Where the value stands in a text, whole or by its beginning, and where the text breaks off within it."""
    sought = value.letters
    enough = min(len(sought), _BEGINNING if sought.isascii() else 3)
    at = letters.find(sought[:enough])
    while at >= 0:
        length = _common(sought, letters[at : at + len(sought)])
        start, end = places[at], places[at + length - 1] + 1
        if not value.word or not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
            yield _Span(start, end, length < len(sought), value.field)
        at = letters.find(sought[:enough], at + 1)
    least = _END if sought.isascii() else 1
    for at in range(max(0, len(letters) - len(sought)), len(letters) - least + 1):
        if sought.startswith(letters[at:]):
            yield _Span(places[at], len(text), part=True, field=value.field)


def _common(one: str, other: str) -> int:
    """How many letters two texts begin with alike."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


_BYTES: Final = re.compile(r"(?:\\x[0-9a-fA-F]{2})+|(?:%[0-9a-fA-F]{2})+")
_SIGNS: Final = re.compile(r"\\x|%")
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_BLANK: Final = re.compile(r"\\[nrt]")
#: An escape that was cut off.
_BROKEN: Final = re.compile(r"(%|\\|\\x|\\u)[0-9a-fA-F]{0,3}\Z")


def _unescaped(text: str) -> str:
    """A text with the characters that its escapes stand for: those of URLs, JSON, and Python's texts and bytes."""
    text = _BROKEN.sub("", text)
    text = _BYTES.sub(lambda found: bytes.fromhex(_SIGNS.sub("", found[0])).decode("utf-8", "replace"), text)
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), _BLANK.sub(" ", text))
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
