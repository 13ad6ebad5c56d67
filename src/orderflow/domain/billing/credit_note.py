"""Credit notes (赤伝, 適格返還請求書): documents of their own, linked to invoice lines or on account.

Tax is rounded on the sum of all that is credited of an invoice in a tax group, by this note and the earlier ones, and
what the earlier ones credited is taken off: partial credits of a whole invoice sum exactly to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Final, NamedTuple

from attrs import frozen

from orderflow.domain.engine.bounds import Count, FreeText, Id, Length, Minor, Name, Quantity
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule
from orderflow.domain.engine.record import Command, Event, Internal, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.currencies import Currency
from orderflow.domain.money.money import Money
from orderflow.domain.money.tax import (
    TaxableLine,
    TaxCategory,
    TaxGroup,
    TaxPolicy,
    TaxRounding,
    Totals,
    tax_groups,
    tax_on,
    totals_of_groups,
)
from orderflow.domain.values import MAX_LINES, PartyRef, Sku
from orderflow.errors import Refusal

__all__ = [
    "CREDIT_NOTE",
    "CreditLine",
    "CreditNoteContent",
    "CreditNoteDrafted",
    "CreditNoteIssued",
    "CreditedBefore",
    "DraftCreditNote",
    "DraftedNote",
    "IssueCreditNote",
    "IssuedNote",
    "credited_sums",
]


class CreditLine(NamedTuple):
    """Units credited and their amount in minor units; ``line`` numbers the lines of the note's own document.

    Linked to an order line and its invoice, or on account if ``order`` is empty. One line of the document may be split
    over several links.
    """

    line: Quantity
    sku: Sku
    quantity: Quantity
    net_minor: Minor
    tax: TaxCategory
    order: Name = ""
    order_line: Count = 0
    invoice: Name = ""


class CreditedBefore(NamedTuple):
    """What earlier notes have credited of an invoice in one tax group, in minor units without and of tax."""

    invoice: Id
    tax: TaxCategory
    net_minor: Minor
    tax_minor: Minor

    def plus(self, amount_minor: int, policy: TaxPolicy) -> CreditedBefore:
        """With one more amount, which contains its tax if prices do; tax is rounded on the sum of all."""
        amount = self.net_minor + amount_minor + (self.tax_minor if policy.prices_include_tax else 0)
        tax = tax_on(amount, self.tax.rate, policy)
        return CreditedBefore(self.invoice, self.tax, amount - tax if policy.prices_include_tax else amount, tax)


@frozen(eq=False, repr=False)
class CreditNoteContent(Record):
    """What a credit note says; it never changes.

    ``before`` is what earlier notes have credited of the invoices it is linked to; entries of one invoice and tax group
    add up. It matters only if tax is rounded once for each document.
    """

    series: Id
    customer: Name
    bill_to: PartyRef | None
    currency: Currency
    lines: Annotated[tuple[CreditLine, ...], Length(1, MAX_LINES)]
    tax: TaxPolicy
    dated: date
    reason: FreeText = ""
    document: Name = ""
    before: Annotated[tuple[CreditedBefore, ...], Length(0, MAX_LINES)] = ()


@frozen(eq=False, repr=False)
class DraftedNote(Record):
    """Begun, without a number."""

    content: CreditNoteContent
    totals: Totals


@frozen(eq=False, repr=False)
class IssuedNote(Record):
    """Numbered; it never changes again."""

    content: CreditNoteContent
    totals: Totals
    number: str


@frozen(eq=False, repr=False)
class DraftCreditNote(Command):
    """Credit what the lines say; it is numbered and issued in the same commit."""

    content: CreditNoteContent


@frozen(eq=False, repr=False)
class CreditNoteDrafted(Event):
    """A note was begun, its sums computed; ``shares`` is the gross amount of each invoice it is linked to."""

    content: CreditNoteContent
    totals: Totals
    shares: tuple[tuple[Id, Minor], ...]


@frozen(eq=False, repr=False)
class _Number:
    number: Name


class IssueCreditNote(_Number, Internal):
    """Give the note its number."""

    __slots__ = ()


class CreditNoteIssued(_Number, Event):
    """The note got its number."""

    __slots__ = ()


def has_party(state: Absent, command: DraftCreditNote, stamp: Stamp) -> Refusal | None:
    """A credit note names who is credited, as a party version."""
    return (
        None
        if command.content.bill_to
        else refuse("no_party", "the credit note does not say who is credited (bill_to)")
    )


def links_are_whole(state: Absent, command: DraftCreditNote, stamp: Stamp) -> Refusal | None:
    """A linked line names an order, its line and its invoice."""
    for line in command.content.lines:
        if bool(line.order) is not (bool(line.invoice) and line.order_line > 0):
            return refuse(
                "broken_link",
                "line {line} must name the order, its line and the invoice, or none of them",
                line=line.line,
            )
    return None


def credits_something(state: Absent, command: DraftCreditNote, stamp: Stamp) -> Refusal | None:
    """A credit note never asks for money: its lines do not sum below 0, in total or for any invoice."""
    sums, shares = credited_sums(command.content)
    least = min([sums.gross_minor, *(minor for _, minor in shares)])
    total = str(Money(least, sums.currency))
    return refuse("negative_credit", "the lines sum to {total}, which is below 0", total=total) if least < 0 else None


def credited_sums(content: CreditNoteContent) -> tuple[Totals, tuple[tuple[str, int], ...]]:
    """The note's totals, and the gross amount in minor units of each invoice it is linked to.

    The lines of each invoice, and those on account, are summed on their own; the totals are the sums of these parts.

    Raises:
        InputError: a sum exceeds ``MAX_MONEY_MINOR``.
    """
    parts = [*_parts(content)]
    shares = dict.fromkeys([invoice for invoice, _ in parts if invoice], 0)
    for invoice, group in parts:
        if invoice:
            shares[invoice] += group.gross_minor
    return _totals([group for _, group in parts], content.currency), tuple(shares.items())


def _parts(content: CreditNoteContent) -> Iterator[tuple[str, TaxGroup]]:
    """Tax groups by invoice; the invoice is empty on account."""
    earlier = _earlier(content)
    by_invoice: dict[str, list[TaxableLine]] = {}
    for line in content.lines:
        by_invoice.setdefault(line.invoice, []).append(TaxableLine(line.net_minor, line.tax, line.quantity))
    for invoice, lines in by_invoice.items():
        for group in tax_groups(lines, content.tax):
            before = earlier.get((invoice, group.category))
            yield invoice, group if before is None else _continued(before, group, content.tax)


def _earlier(content: CreditNoteContent) -> dict[tuple[str, TaxCategory], CreditedBefore]:
    if content.tax.rounding_level is not TaxRounding.PER_DOCUMENT:
        return {}
    sums: dict[tuple[str, TaxCategory], CreditedBefore] = {}
    for part in content.before:
        group = part.invoice, part.tax
        known = sums.get(group, CreditedBefore(*group, 0, 0))
        sums[group] = CreditedBefore(*group, known.net_minor + part.net_minor, known.tax_minor + part.tax_minor)
    return sums


def _continued(before: CreditedBefore, group: TaxGroup, policy: TaxPolicy) -> TaxGroup:
    after = before.plus(group.gross_minor if policy.prices_include_tax else group.taxable_minor, policy)
    net, tax = after.net_minor - before.net_minor, after.tax_minor - before.tax_minor
    return TaxGroup(group.category, net, tax, net + tax)


def _totals(groups: Iterable[TaxGroup], currency: str) -> Totals:
    merged: dict[TaxCategory, TaxGroup] = {}
    for group in groups:
        known = merged.get(group.category)
        merged[group.category] = _sum(known, group) if known else group
    return totals_of_groups(tuple(merged.values()), currency)


def _sum(one: TaxGroup, other: TaxGroup) -> TaxGroup:
    net, tax = one.taxable_minor + other.taxable_minor, one.tax_minor + other.tax_minor
    return TaxGroup(one.category, net, tax, net + tax)


def _draft(state: Absent, command: DraftCreditNote, stamp: Stamp) -> CreditNoteDrafted:
    return CreditNoteDrafted(command.content, *credited_sums(command.content))


def _drafted(state: Absent, event: CreditNoteDrafted) -> DraftedNote:
    return DraftedNote(event.content, event.totals)


def _issued(state: DraftedNote, event: CreditNoteIssued) -> IssuedNote:
    return IssuedNote(state.content, state.totals, event.number)


CREDIT_NOTE: Final = Machine(
    "credit_note",
    rules=(
        rule(
            Absent, DraftCreditNote, CreditNoteDrafted, DraftedNote, _drafted,
            guards=(has_party, links_are_whole, credits_something), decide=_draft,
        ),
        rule(DraftedNote, IssueCreditNote, CreditNoteIssued, IssuedNote, _issued),
    ),
    final=(IssuedNote,),
)  # fmt: skip
