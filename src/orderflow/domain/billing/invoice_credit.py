"""Crediting an invoice: the row computes what is credited, refuses what is not its own, and frees what is left over.

A caller names a line and units or an amount. Units give back their share of what the line still charges; an amount is a
price reduction, spread over the units that are left. Tax credited is the tax of what was left before, less the tax of
what is left after.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from attrs import evolve

from orderflow.domain.billing.invoice_money import stands_at, with_paid, with_use
from orderflow.domain.billing.invoice_state import (
    Amounts,
    CreditUse,
    LineCredit,
    Numbered,
    PaidBy,
)
from orderflow.domain.engine.bounds import Count, Id, Length, Minor, Name, Quantity
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Event, Internal, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.currencies import Currency
from orderflow.domain.money.money import Money
from orderflow.domain.money.parts import less, remaining
from orderflow.domain.money.split import round_ratio
from orderflow.domain.money.tax import TaxableLine, Totals
from orderflow.domain.values import MAX_LINES, CreditIntent
from orderflow.errors import Refusal


class CreditItem(NamedTuple):
    """What is credited of an invoice line: ``units``, or an amount in minor units without units; never both.

    The amount is without tax, unless the invoice's prices include it. ``intent`` says what credited units mean that
    have not come back; ``own_line`` may number the lines of the note's own document.
    """

    invoice: Id
    line: Quantity
    units: Count = 0
    amount_minor: Minor = 0
    intent: CreditIntent = CreditIntent.KEPT
    own_line: Count = 0


class CreditedLine(NamedTuple):
    """What was credited of an invoice line, in minor units.

    Units were charged ``unit_minor``; ``share_minor`` of that had been given back by earlier reductions. A reduction
    has no units. ``amount_minor`` is what is given back now.
    """

    line: int
    units: int
    unit_minor: int
    share_minor: int
    amount_minor: int
    intent: CreditIntent


class Freed(Record):
    """What paid an invoice and is left over after a credit, in minor units: first what was given up, last payments.

    Money of the order comes before payments; the order takes it off itself when it hears what is due.
    """

    written_off: int = 0
    credit_used: tuple[CreditUse, ...] = ()
    paid_by: tuple[PaidBy, ...] = ()


class ApplyCredit(Internal):
    """Credit these items of this invoice, for a credit note of a customer."""

    credit_note: Id
    items: Annotated[tuple[CreditItem, ...], Length(1, MAX_LINES)]
    currency: Currency
    customer: Name


class CreditApplied(Event):
    """The invoice was credited: ``totals`` are the sums of the credit, and ``freed`` is money nobody owes any more."""

    credit_note: str
    lines: tuple[CreditedLine, ...]
    totals: Totals
    freed: Freed


# -- what may be credited


def items_are_whole(state: Numbered, command: ApplyCredit, stamp: Stamp) -> Refusal | None:
    """Each item names a line of the invoice, and either units or an amount."""
    known = {line.line for line in state.content.lines}
    for item in command.items:
        if item.line not in known:
            return refuse("no_such_line", "line {line} is not on the invoice", line=item.line)
        if bool(item.units) is bool(item.amount_minor):
            return refuse("units_or_amount", "line {line}: name units or an amount, one of them", line=item.line)
    return None


def within_line(state: Numbered, command: ApplyCredit, stamp: Stamp) -> Refusal | None:
    """No more units or money are credited than the line still charges."""
    left = {line.line: (units, minor) for line, units, minor in state.left()}
    for item in [item for item in command.items if item.line in left]:
        units, minor = left[item.line]
        if item.units > units or not _within(item.amount_minor, minor):
            return refuse(
                "more_than_left",
                "line {line} still charges {units} units and {amount}",
                line=item.line,
                units=units,
                amount=str(Money(minor, state.content.currency)),
                minor=minor,
            )
        left[item.line] = _left_after(state, item, units, minor)
    return None


def _within(amount: int, left: int) -> bool:
    return 0 <= amount <= left if left >= 0 else left <= amount <= 0


def _left_after(state: Numbered, item: CreditItem, units: int, minor: int) -> tuple[int, int]:
    """Units and minor units that a line still charges after an item."""
    if not item.units:
        return units, minor - item.amount_minor
    rest = units - item.units
    return rest, round_ratio(minor * rest, units, state.content.tax.rounding)


def within_invoice(state: Numbered, command: ApplyCredit, stamp: Stamp) -> Refusal | None:
    """A credit never asks for money, and gives back no more than the invoice still charges (I21)."""
    if items_are_whole(state, command, stamp) or within_line(state, command, stamp):
        return None
    gross = apply_credit(state, command, stamp).totals.gross
    if gross.minor < 0:
        return refuse("negative_credit", "the items sum to {total}, which is below 0", total=str(gross))
    left = max(0, state.totals.gross_minor - state.amounts.credited)
    if gross.minor <= left:
        return None
    total = str(Money(left, gross.currency))
    return refuse("more_than_billed", "the invoice still charges {total} in all", total=total)


# -- what is credited


def apply_credit(state: Numbered, command: ApplyCredit, stamp: Stamp) -> CreditApplied:
    lines = tuple(_credited(state, command))
    after = _with_lines(state, lines)
    totals = less(_totals_left(state), _totals_left(after))
    return CreditApplied(
        command.credit_note, lines, totals, _freed(state.amounts, totals.gross_minor - state.open_minor)
    )


def _credited(state: Numbered, command: ApplyCredit) -> Iterator[CreditedLine]:
    places = {line.line: place for place, line in enumerate(state.content.lines)}
    known = [*state.credits]
    for item in command.items:
        place = places[item.line]
        line, credit = state.content.lines[place], known[place]
        units, minor = line.quantity - credit.units, line.net_minor - credit.unit_minor - credit.reduced_minor
        rest, left = _left_after(state, item, units, minor)
        share = 0
        if item.units:
            share = credit.reduced_minor - round_ratio(credit.reduced_minor * rest, units, state.content.tax.rounding)
        made = CreditedLine(
            item.line, item.units, minor - left + share if item.units else 0, share, minor - left, item.intent
        )
        known[place] = _added(credit, made)
        yield made


def _added(credit: LineCredit, made: CreditedLine) -> LineCredit:
    if made.units:
        return LineCredit(
            credit.units + made.units, credit.unit_minor + made.unit_minor, credit.reduced_minor - made.share_minor
        )
    return credit._replace(reduced_minor=credit.reduced_minor + made.amount_minor)


def _with_lines(state: Numbered, lines: tuple[CreditedLine, ...]) -> Numbered:
    known = {line.line: credit for line, credit in zip(state.content.lines, state.credits, strict=True)}
    for made in lines:
        known[made.line] = _added(known[made.line], made)
    return evolve(state, amounts=evolve(state.amounts, lines=tuple(known.values())))


def _totals_left(state: Numbered) -> Totals:
    content = state.content
    lines = [TaxableLine(line.net_minor, line.tax, line.quantity) for line in content.lines]
    left = [TaxableLine(minor, line.tax, units) for line, units, minor in state.left() if units]
    return remaining(state.totals, lines, left, content.tax)


def _freed(a: Amounts, over: int) -> Freed:
    """What is left over when ``over`` minor units too many were taken off."""
    if over <= 0:
        return Freed()
    written_off = min(over, a.written_off)
    over -= written_off
    used = []
    for use in reversed(a.credit_used):
        used.append(use._replace(minor=min(over, use.minor)))
        over -= used[-1].minor
    over = max(0, over - a.prepaid)
    paid = []
    for payment in reversed(a.paid_by):
        paid.append(payment._replace(minor=min(over, payment.minor)))
        over -= paid[-1].minor
    return Freed(written_off, tuple([u for u in used if u.minor]), tuple([p for p in paid if p.minor]))


def credit_applied(state: Numbered, event: CreditApplied) -> Numbered:
    a, freed = _with_lines(state, event.lines).amounts, event.freed
    used, paid = a.credit_used, a.paid_by
    for use in freed.credit_used:
        used = with_use(used, use._replace(minor=-use.minor))
    for payment in freed.paid_by:
        paid = with_paid(paid, payment._replace(minor=-payment.minor))
    return stands_at(
        state,
        evolve(
            a,
            credited=a.credited + event.totals.gross_minor,
            written_off=a.written_off - freed.written_off,
            credit_used=used,
            paid_by=paid,
        ),
    )
