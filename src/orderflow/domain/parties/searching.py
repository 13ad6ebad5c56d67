"""How customers are found: search keys of the parties they use, normalised, so that spelling does not matter.

Search keys are personal data. A storage derives them from the row of a party whenever it writes that row, in the same
transaction, so they are gone with it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

from orderflow.domain.parties.party import PartyVersion, Person

__all__ = ["SEARCHED_KINDS", "USES", "PersonField", "SearchTerm", "search_keys", "terms_of"]

PersonField: TypeAlias = Literal["name", "phone", "email"]

#: The field of the keys that lead from a party version to the customers who use it.
USES: Final = "party"

#: The kinds whose rows have search keys.
SEARCHED_KINDS: Final = frozenset({"customer", "party"})

#: A name is found by the beginning of each of its first words.
_WORDS: Final = 8
#: Katakana that have a hiragana, and the distance between the two in Unicode.
_KATAKANA: Final = range(0x30A1, 0x30F7)
_TO_HIRAGANA: Final = {code: code - 0x60 for code in _KATAKANA}
#: A shorter run of digits is no telephone number.
_FEWEST_DIGITS: Final = 4


class SearchTerm(NamedTuple):
    """What a search key must be: ``value`` itself, or a text that begins with it (``prefix``)."""

    field: PersonField
    value: str
    prefix: bool = False

    def holds(self, field: str, value: str) -> bool:
        """Whether a search key satisfies the term."""
        return field == self.field and (value.startswith(self.value) if self.prefix else value == self.value)


def search_keys(kind: str, state: object) -> frozenset[tuple[str, str]]:
    """The search keys of a row, as (field, value); none of a party that is erased or restricted.

    A party has those of its person, a customer one for each party version that it uses.
    """
    if kind == "party" and isinstance(state, PartyVersion):
        return frozenset(_of_person(state.person))
    party, profile = getattr(state, "party", None), getattr(state, "profile", None)
    if kind != "customer" or party is None:
        return frozenset()
    return frozenset((USES, str(each)) for each in (party, *(profile.parties if profile else ())))


def terms_of(text: str) -> tuple[SearchTerm, ...]:
    """What a text may mean: the beginning of a name or of its reading, a telephone number, a mail address."""
    digits, words = _digits(text), _words(text)
    if "@" in _folded(text):
        return (SearchTerm("email", _folded(text)),)
    found = [SearchTerm("name", "".join(words), prefix=True)] if words else []
    if len(digits) >= _FEWEST_DIGITS and not any(character.isalpha() for character in text):
        found.append(SearchTerm("phone", digits))
    return tuple(found)


def _of_person(person: Person) -> Iterator[tuple[str, str]]:
    for name in (person.name, person.kana, person.company):
        words = _words(name)
        yield from (("name", "".join(words[start:])) for start in range(min(len(words), _WORDS)))
    if digits := _digits(person.phone):
        yield "phone", digits
    if mail := _folded(person.email):
        yield "email", mail


def _folded(text: str) -> str:
    """Without differences of width and case (NFKC once more, as case folding may undo it)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def _words(text: str) -> list[str]:
    """The words of a name, with one form of kana and without punctuation."""
    folded = _folded(text).translate(_TO_HIRAGANA)
    return "".join([each if each.isalnum() else " " for each in folded]).split()


def _digits(text: str) -> str:
    return "".join([str(unicodedata.decimal(each)) for each in text if each.isdecimal()])
