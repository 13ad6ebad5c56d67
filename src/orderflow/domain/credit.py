"""Credit notes (赤伝, 適格返還請求書): documents of their own, linked to invoice lines or on account."""

from __future__ import annotations

from datetime import date
from typing import Annotated, NamedTuple, TypeAlias

from attrs import frozen

from orderflow.domain.keys import PartyRef
from orderflow.domain.limits import MAX_LINES
from orderflow.domain.machine import Absent, Machine, Refusal, refuse, rule, to
from orderflow.domain.shape import Count, FreeText, Id, Length, Minor, Name, Quantity
from orderflow.domain.stamp import Stamp
from orderflow.domain.tax import TaxableLine, TaxCategory, TaxPolicy, Totals, totals

__all__ = [
    "CREDIT_NOTE",
    "CreditLine",
    "CreditNoteCommand",
    "CreditNoteDrafted",
    "CreditNoteEvent",
    "CreditNoteIssued",
    "CreditTerms",
    "DraftCreditNote",
    "DraftedNote",
    "IssueCreditNote",
    "IssuedNote",
]


class CreditLine(NamedTuple):
    """Units credited and their amount in minor units; ``line`` numbers the lines of the note's own document.

    Linked to an order line and its invoice, or on account where ``order`` is empty. One line of the document may
    be linked in parts.
    """

    line: Quantity
    sku: Id
    quantity: Quantity
    net_minor: Minor
    tax: TaxCategory
    order: Name = ""
    order_line: Count = 0
    invoice: Name = ""


@frozen
class CreditTerms:
    """What a credit note says; it never changes."""

    series: Id
    customer: Name
    bill_to: PartyRef | None
    currency: Name
    lines: Annotated[tuple[CreditLine, ...], Length(1, MAX_LINES)]
    tax: TaxPolicy
    dated: date
    reason: FreeText = ""
    document: Name = ""


@frozen
class DraftCreditNote:
    """Credit what the lines say; it is numbered and issued in the same commit."""

    terms: CreditTerms


@frozen
class IssueCreditNote:
    """Give the note its number."""

    number: Name


@frozen
class CreditNoteDrafted:
    """A note was begun, its sums computed."""

    terms: CreditTerms
    totals: Totals


@frozen
class CreditNoteIssued:
    """The note got its number."""

    number: str


@frozen
class DraftedNote:
    """Begun, without a number."""

    terms: CreditTerms
    totals: Totals


@frozen
class IssuedNote:
    """Numbered; it never changes again."""

    terms: CreditTerms
    totals: Totals
    number: str


CreditNoteCommand: TypeAlias = DraftCreditNote | IssueCreditNote
CreditNoteEvent: TypeAlias = CreditNoteDrafted | CreditNoteIssued


def has_party(state: Absent, command: DraftCreditNote, stamp: Stamp) -> Refusal | None:
    """A credit note names who is credited, as a party version."""
    return None if command.terms.bill_to else refuse("no_party", "the note names nobody to credit (bill_to)")


def links_are_whole(state: Absent, command: DraftCreditNote, stamp: Stamp) -> Refusal | None:
    """A linked line names an order, its line and its invoice."""
    for line in command.terms.lines:
        if bool(line.order) is not (bool(line.invoice) and line.order_line > 0):
            return refuse("broken_link", "line {line} names only part of its link", line=line.line)
    return None


def credits_something(state: Absent, command: DraftCreditNote, stamp: Stamp) -> Refusal | None:
    """A credit note never asks for money: its lines do not sum below 0."""
    gross = _totals(command.terms).gross
    return refuse("negative_credit", "the lines sum to {total}", total=str(gross)) if gross.minor < 0 else None


def _totals(terms: CreditTerms) -> Totals:
    lines = [TaxableLine(line.net_minor, line.tax, line.quantity) for line in terms.lines]
    return totals(lines, terms.tax, terms.currency)


def _draft(state: Absent, command: DraftCreditNote, stamp: Stamp) -> CreditNoteDrafted:
    return CreditNoteDrafted(command.terms, _totals(command.terms))


def _drafted(state: Absent, event: CreditNoteDrafted) -> DraftedNote:
    return DraftedNote(event.terms, event.totals)


def _issue(state: DraftedNote, command: IssueCreditNote, stamp: Stamp) -> CreditNoteIssued:
    return CreditNoteIssued(command.number)


def _issued(state: DraftedNote, event: CreditNoteIssued) -> IssuedNote:
    return IssuedNote(state.terms, state.totals, event.number)


def _check(state: object) -> None:
    """A note has no invariant beyond its totals, which are computed."""


CREDIT_NOTE = Machine(
    "credit_note",
    commands=CreditNoteCommand,
    events=CreditNoteEvent,
    final=(IssuedNote,),
    check=_check,
    rules=(
        rule(
            Absent,
            DraftCreditNote,
            _draft,
            to(CreditNoteDrafted, DraftedNote, _drafted),
            guards=(has_party, links_are_whole, credits_something),
        ),
        rule(DraftedNote, IssueCreditNote, _issue, to(CreditNoteIssued, IssuedNote, _issued)),
    ),
)
