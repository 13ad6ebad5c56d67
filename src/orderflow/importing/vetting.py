"""Checks of each document against the rest of its file, before any of it is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from orderflow.domain.engine.machine import ABSENT, Absent
from orderflow.domain.parties.party import Person
from orderflow.domain.values import PartyRef
from orderflow.importing.documents import (
    CancellationDocument,
    DatedDocument,
    Document,
    OrderDocument,
    RejectedDocument,
    RejectedRow,
    Source,
)


class Years(NamedTuple):
    """The first and the last year that a document may be dated in."""

    first: int
    last: int


#: Any other year is taken to be a mistake in the file.
YEARS: Final = Years(1990, 2100)

#: Returns the state of a party version, ``ABSENT`` if there is none.
Kept: TypeAlias = Callable[[PartyRef], Any]


def vetted(source: Source, years: Years = YEARS, kept: Kept = lambda ref: ABSENT) -> Iterator[Document]:
    """Every document of a file; those that fail a check are rejected.

    A document must be dated within ``years``. If it gives data for a party version, they must be the data that an
    earlier document gave, or that are already in the vault (``kept`` returns the state of a version).
    """
    people: dict[PartyRef, Any] = {}
    for document in source.documents():
        if isinstance(document, RejectedDocument):
            yield document
            continue
        fault = _impossible_date(document, years) or _other_person(document, people, kept)
        yield document if fault is None else RejectedDocument(document.number, document.line, (fault,))


def _impossible_date(document: DatedDocument, years: Years) -> RejectedRow | None:
    if years.first <= document.at.year <= years.last:
        return None
    return RejectedRow(
        document.line, "out_of_range", f"at: {document.at.date()} is not in the years {years.first} to {years.last}"
    )


def _other_person(document: DatedDocument, people: dict[PartyRef, Any], kept: Kept) -> RejectedRow | None:
    if not isinstance(document, OrderDocument | CancellationDocument):
        return None
    ref, person = document.party
    if ref not in people:
        row = kept(ref)
        people[ref] = person if isinstance(row, Absent) else getattr(row, "person", None)
    if person in (people[ref], Person()):
        return None
    return RejectedRow(
        document.line, "conflict", f"person: {ref} was recorded with other data: a change needs a new version"
    )
