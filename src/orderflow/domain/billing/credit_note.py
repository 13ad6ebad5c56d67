"""Credit notes (赤伝, 適格返還請求書): documents of their own, linked to invoice lines or on account.

A caller names what is credited; each invoice computes its own part and tells the note, in the same commit. What is on
account stands in the customer's balance, and may pay later invoices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Any, Final, NamedTuple

from attrs import evolve

from orderflow.domain.billing.invoice_credit import CreditedLine, CreditItem
from orderflow.domain.engine.bounds import FreeText, Id, Length, Minor, Name, Positive, Quantity
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule
from orderflow.domain.engine.record import Command, Event, Fields, Internal, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.currencies import Currency
from orderflow.domain.money.money import at_most
from orderflow.domain.money.tax import (
    TaxableLine,
    TaxCategory,
    TaxGroup,
    TaxPolicy,
    Totals,
    includes_tax,
    totals,
    totals_of_groups,
)
from orderflow.domain.values import MAX_LINES, PartyRef, Sku
from orderflow.errors import Fault, InvariantBroken, Refusal

__all__ = [
    "CREDIT_NOTE",
    "AccountLine",
    "CreditItem",
    "CreditNoteContent",
    "CreditNoteDrafted",
    "CreditNoteIssued",
    "DraftCreditNote",
    "DraftedNote",
    "IssueCreditNote",
    "IssuedNote",
    "RecordCredited",
    "ReleaseCreditUse",
    "UseCredit",
    "note_totals",
]


class AccountLine(NamedTuple):
    """Units credited on account and their amount in minor units; ``line`` numbers the lines of the note's document."""

    line: Quantity
    sku: Sku
    quantity: Quantity
    net_minor: Minor
    tax: TaxCategory


class Use(NamedTuple):
    """Credit on account that pays an invoice, in minor units."""

    invoice: str
    minor: int


class Part(NamedTuple):
    """What an invoice says was credited of it."""

    order: str
    invoice: str
    lines: tuple[CreditedLine, ...]
    totals: Totals


class CreditNoteContent(Record):
    """What a credit note says; it never changes. ``tax`` is how the lines ``on_account`` are taxed."""

    series: Id
    customer: Name
    bill_to: PartyRef | None
    currency: Currency
    dated: date
    items: Annotated[tuple[CreditItem, ...], Length(0, MAX_LINES)] = ()
    on_account: Annotated[tuple[AccountLine, ...], Length(0, MAX_LINES)] = ()
    tax: TaxPolicy = TaxPolicy()
    reason: FreeText = ""
    document: Name = ""

    @property
    def invoices(self) -> tuple[str, ...]:
        """The invoices it credits."""
        return tuple(dict.fromkeys(item.invoice for item in self.items))

    def faults(self) -> Iterator[Fault]:
        """Several taxes stand beside the amount."""
        for place, line in enumerate(self.on_account):
            if line.tax.also and includes_tax(line.tax, self.tax):
                yield Fault(f"on_account[{place}].tax", "not_possible", "several taxes need prices without tax")

    def account_totals(self) -> Totals:
        """The sums of what is on account."""
        lines = [TaxableLine(line.net_minor, line.tax, line.quantity) for line in self.on_account]
        return totals(lines, self.tax, self.currency)


class DraftedNote(Record):
    """Begun, without a number; ``parts`` come from its invoices."""

    content: CreditNoteContent
    parts: tuple[Part, ...] = ()


class IssuedNote(Record):
    """Numbered. ``on_account_minor`` of its gross is not linked to an invoice; ``used`` of that pays invoices."""

    content: CreditNoteContent
    parts: tuple[Part, ...]
    totals: Totals
    number: str
    on_account_minor: int = 0
    used: tuple[Use, ...] = ()

    @property
    def free_minor(self) -> int:
        """Credit on account that pays nothing yet, in minor units."""
        return self.on_account_minor - sum([use.minor for use in self.used])


class _Content(Fields):
    content: CreditNoteContent


class DraftCreditNote(_Content, Command):
    """Credit what the items and lines say; it is computed, numbered and issued in the same commit."""


class CreditNoteDrafted(_Content, Event):
    """A note was begun."""


class _Credited(Fields):
    order: Id
    invoice: Id
    lines: Annotated[tuple[CreditedLine, ...], Length(1, MAX_LINES)]
    totals: Totals


class RecordCredited(_Credited, Internal):
    """Note what an invoice has computed as its credit."""


class InvoiceCredited(_Credited, Event):
    """An invoice was credited."""


class _Number(Fields):
    number: Name


class IssueCreditNote(_Number, Internal):
    """Give the note its number."""


class CreditNoteIssued(_Number, Event):
    """The note got its number."""


def has_party(state: Absent, command: DraftCreditNote, stamp: Stamp) -> Refusal | None:
    """A credit note names who is credited, as a party version."""
    if command.content.bill_to:
        return None
    return refuse("no_party", "the credit note does not say who is credited (bill_to)")


def credits_something(state: Absent, command: DraftCreditNote, stamp: Stamp) -> Refusal | None:
    """A credit note has a line, and never asks for money."""
    content = command.content
    if not content.items and not content.on_account:
        return refuse("nothing_asked", "the credit note credits nothing")
    total = content.account_totals().gross
    return (
        refuse("negative_credit", "the lines sum to {total}, which is below 0", total=str(total))
        if total.minor < 0
        else None
    )


def _drafted(state: Absent, event: CreditNoteDrafted) -> DraftedNote:
    return DraftedNote(event.content)


def _credited(state: DraftedNote, event: InvoiceCredited) -> DraftedNote:
    return DraftedNote(state.content, (*state.parts, Part(event.order, event.invoice, event.lines, event.totals)))


def _issued(state: DraftedNote, event: CreditNoteIssued) -> IssuedNote:
    own = state.content.account_totals()
    return IssuedNote(
        state.content, state.parts, note_totals(state.content, state.parts), event.number, own.gross_minor
    )


def note_totals(content: CreditNoteContent, parts: Iterable[Part]) -> Totals:
    """The sums of a note: what its invoices credit, and what is on account."""
    merged: dict[TaxCategory, TaxGroup] = {}
    sources = [*(part.totals for part in parts), content.account_totals()]
    for sums in sources:
        for group in sums.groups:
            known = merged.get(group.category)
            merged[group.category] = known.with_more(group) if known else group
    groups = [group for group in merged.values() if group.taxable_minor or group.tax_minor]
    return totals_of_groups(tuple(groups), content.currency, sum([sums.rounding_minor for sums in sources]))


# -- credit on account


class _Use(Fields):
    invoice: Id
    amount_minor: Positive


class UseCredit(_Use, Command):
    """Pay an invoice with credit on account, in the note's currency."""


class CreditUsed(_Use, Event):
    """Credit on account pays an invoice."""


class ReleaseCreditUse(_Use, Internal):
    """Note that credit on account is left over on an invoice, and free again."""


class CreditUseReleased(_Use, Event):
    """Credit on account is free again."""


def enough_credit(state: IssuedNote, command: UseCredit, stamp: Stamp) -> Refusal | None:
    """Only credit on account that pays nothing else can be used."""
    return at_most("exceeds_free", command.amount_minor, state.free_minor, state.content.currency)


def was_used(state: IssuedNote, command: ReleaseCreditUse, stamp: Stamp) -> Refusal | None:
    """No more is released than pays that invoice."""
    used = dict(state.used).get(command.invoice, 0)
    return at_most("not_applied", command.amount_minor, used, state.content.currency)


def _used(state: IssuedNote, event: CreditUsed) -> IssuedNote:
    return _with_use(state, event.invoice, event.amount_minor)


def _released(state: IssuedNote, event: CreditUseReleased) -> IssuedNote:
    return _with_use(state, event.invoice, -event.amount_minor)


def _with_use(state: IssuedNote, invoice: str, change: int) -> IssuedNote:
    sums = dict(state.used)
    sums[invoice] = sums.get(invoice, 0) + change
    return evolve(state, used=tuple([Use(name, minor) for name, minor in sums.items() if minor]))


def _check(state: Any) -> None:
    if isinstance(state, IssuedNote) and (state.free_minor < 0 or any(use.minor < 0 for use in state.used)):
        raise InvariantBroken("I21", f"more credit is used than is on account: {state.used}")


CREDIT_NOTE: Final = Machine(
    "credit_note",
    rules=(
        rule(
            Absent, DraftCreditNote, CreditNoteDrafted, DraftedNote, _drafted, guards=(has_party, credits_something)
        ),
        rule(DraftedNote, RecordCredited, InvoiceCredited, DraftedNote, _credited),
        rule(DraftedNote, IssueCreditNote, CreditNoteIssued, IssuedNote, _issued),
        rule(IssuedNote, UseCredit, CreditUsed, IssuedNote, _used, guards=(enough_credit,)),
        rule(IssuedNote, ReleaseCreditUse, CreditUseReleased, IssuedNote, _released, guards=(was_used,)),
    ),
    final=(IssuedNote,),
    check=_check,
)  # fmt: skip
