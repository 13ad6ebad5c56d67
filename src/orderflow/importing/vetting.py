"""What a document must be beside the others of its file, told before any of it is stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

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

__all__ = ["YEARS", "Years", "party_conflict", "rejected", "vetted"]


class Years(NamedTuple):
    """The first and the last year that a document may be dated in."""

    first: int
    last: int


#: Any other year is a slip of whoever wrote the file, not a time at which something happened.
YEARS: Final = Years(1990, 2100)


def vetted(source: Source, years: Years = YEARS) -> Iterator[Document]:
    """Every document of a file; those that cannot be what they say are rejected.

    A document is dated within ``years``, and gives a party version the data that an earlier one has given it. A run
    and a dry run both read a file through this.
    """
    people: dict[PartyRef, Person] = {}
    for document in source.documents():
        if isinstance(document, RejectedDocument):
            yield document
            continue
        fault = _impossible_date(document, years) or _other_person(document, people)
        yield document if fault is None else rejected(document, fault)


def rejected(document: DatedDocument, fault: RejectedRow) -> RejectedDocument:
    """A document that cannot be taken, for one reason."""
    return RejectedDocument(document.number, document.line, (fault,))


def party_conflict(document: OrderDocument | CancellationDocument, known: Person | None) -> RejectedRow | None:
    """Why a document cannot stand beside what a party version is known to be; one that gives no data agrees."""
    ref, person = document.party
    if person in (known, Person()):
        return None
    return RejectedRow(document.line, "conflict", f"person: {ref} is known with other data: a change is a new version")


def _impossible_date(document: DatedDocument, years: Years) -> RejectedRow | None:
    if years.first <= document.at.year <= years.last:
        return None
    return RejectedRow(
        document.line, "out_of_range", f"at: {document.at.date()} is not of the years {years.first} to {years.last}"
    )


def _other_person(document: DatedDocument, people: dict[PartyRef, Person]) -> RejectedRow | None:
    if not isinstance(document, OrderDocument | CancellationDocument):
        return None
    ref, person = document.party
    return party_conflict(document, people.setdefault(ref, person))
