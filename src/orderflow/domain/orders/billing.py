"""Billing and completing: what goes on an invoice, with the money kept for it; closing the order."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, NamedTuple, TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Id, Length, Name
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.tax import TaxCategory, TaxGroup, Totals, totals_of_groups
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.charging import (
    billable,
    billable_lines,
    billed_at,
    credits_due,
    rounding_of,
    taxed,
)
from orderflow.domain.orders.content import Gate
from orderflow.domain.orders.guards import goods_fault, not_held
from orderflow.domain.orders.state import (
    Accepted,
    Bill,
    Completed,
    HasProgress,
    Taxed,
    lines_of,
    moved,
)
from orderflow.domain.values import MAX_LINES, LineQuantity, summed
from orderflow.errors import Refusal

__all__ = [
    "BillUnits",
    "Billed",
    "CompleteOrder",
    "OrderCompleted",
    "UnitsBilled",
    "tax_after",
]

K = TypeVar("K", bound=HasProgress)
Billing: TypeAlias = Accepted | Completed

#: Invoices of one order, voided ones too.
MAX_BILLS: Final = 1_000

# -- billing


class Billed(NamedTuple):
    """Units of a line on an invoice and their amount in minor units."""

    line: int
    quantity: int
    net_minor: int
    tax: TaxCategory
    shipment: str = ""


class BillUnits(Command):
    """Put everything billable now on a new invoice, or only these ``units``; ``shipment`` names what it goes with."""

    invoice: Id
    series: Id
    shipment: Name = ""
    units: Annotated[tuple[LineQuantity, ...], Length(0, MAX_LINES)] = ()


class UnitsBilled(Event):
    """Units were billed; ``prepaid_minor`` of the money kept for the order pays the invoice at once (BT-113)."""

    invoice: str
    series: str
    lines: tuple[Billed, ...]
    totals: Totals
    prepaid_minor: int


def something_billable(state: Billing, command: BillUnits, stamp: Stamp) -> Refusal | None:
    """There is something to bill, and all that the command names may be billed."""
    if not command.units:
        return None if billable_lines(state) else refuse("nothing_billable", "nothing can be billed now")
    may = {line.line: billable(state, line, v) for line, v in lines_of(state)}
    for line, wanted in summed(command.units).items():
        if fault := goods_fault(state, line, goods_only=False):
            return fault
        if wanted > may[line]:
            facts = {"line": line, "wanted": wanted, "found": may[line]}
            return refuse("not_billable", "line {line}: {wanted} wanted, {found} billable", **facts)
    return None


def bill_not_negative(state: Billing, command: BillUnits, stamp: Stamp) -> Refusal | None:
    """No bill asks the shop for money: an allowance waits for the goods it is for."""
    if all(line.net_minor >= 0 for line in state.content.lines) or something_billable(state, command, stamp):
        return None
    gross = bill(state, command, stamp).totals.gross
    return refuse("negative_bill", "the bill would be {total}", total=str(gross)) if gross.minor < 0 else None


def invoice_is_new(state: Billing, command: BillUnits, stamp: Stamp) -> Refusal | None:
    """An order is billed on a new invoice each time."""
    if all(bill.invoice != command.invoice for bill in state.progress.bills):
        return None
    return refuse("invoice_exists", "{invoice} is an invoice of this order already", invoice=command.invoice)


def room_to_bill(state: Billing, command: BillUnits, stamp: Stamp) -> Refusal | None:
    """The number of invoices of an order is bounded."""
    if len(state.progress.bills) < MAX_BILLS:
        return None
    return refuse("too_many_invoices", "an order has at most {most} invoices", most=MAX_BILLS)


def bill(state: Billing, command: BillUnits, stamp: Stamp) -> UnitsBilled:
    wanted, content = summed(command.units), state.content
    charges = [
        billed_at(state, line, v, n, stamp.moment)
        for line, v, units in billable_lines(state)
        if (n := wanted.get(line.line, 0) if wanted else units)
    ]
    groups = taxed(state, charges)
    totals = totals_of_groups(groups, content.currency, rounding_of(state, charges, groups))
    lines = tuple([Billed(line.line, units, net, tax, command.shipment) for line, units, net, tax in charges])
    prepaid = min(state.progress.pool_minor, totals.gross_minor)
    return UnitsBilled(command.invoice, command.series, lines, totals, prepaid)


def billed(state: K, event: UnitsBilled) -> K:
    p = moved(state, event.lines, lambda v, item: moves.bill(v, item.quantity, item.net_minor))
    bill = Bill(event.invoice, event.totals.gross_minor, event.prepaid_minor)
    p = evolve(
        p,
        bills=(*p.bills, bill),
        pool_minor=p.pool_minor - event.prepaid_minor,
        taxed=tax_after(p.taxed, event.totals.groups, 1),
        rounded_minor=p.rounded_minor + event.totals.rounding_minor,
    )
    return state.with_progress(p)


def tax_after(taxed: tuple[Taxed, ...], groups: tuple[TaxGroup, ...], sign: int) -> tuple[Taxed, ...]:
    """The tax charged of each category, with that of these groups added or taken off."""
    sums = dict(taxed)
    for group in groups:
        sums[group.category] = sums.get(group.category, 0) + sign * group.tax_minor
    return tuple([Taxed(category, minor) for category, minor in sums.items() if minor])


# -- completing, 受注完了

not_held_at_complete = not_held(Gate.COMPLETE)


class CompleteOrder(Command):
    """Close the order: nothing is left to do."""


class OrderCompleted(Event):
    """The order is closed."""

    at: datetime


def nothing_live(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """No goods are left to deliver."""
    count = state.progress.tally.live
    return refuse("goods_left", "units still owed: {units}", units=count) if count else None


def nothing_on_the_way(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """Every unit has been delivered, has come back or is written off."""
    count = state.progress.tally.shipped
    return refuse("on_the_way", "units still on the way: {units}", units=count) if count else None


def nothing_billable(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """Everything that may be billed is billed."""
    count = sum([units for _, _, units in billable_lines(state)])
    return refuse("not_billed", "units not billed yet: {units}", units=count) if count else None


def no_credit_due(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """Everything that was charged and came back, was lost or cancelled is credited."""
    count = sum([units for _, units in credits_due(state)])
    return refuse("not_credited", "units to credit: {units}", units=count) if count else None


def completed(state: Accepted, event: OrderCompleted) -> Completed:
    return Completed(state.content, state.totals, state.progress, state.placed_at, state.confirmed_at, event.at)
