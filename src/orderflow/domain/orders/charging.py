"""What an order's units cost and who still owes what: pure functions over the order's row, used by several gates.

Units of a line are charged by running sums: ``n`` charged units of ``ordered`` cost ``round(net * n / ordered)``, so
that bills of a line end exactly on its amount. The law is spelled out in the documentation, page money.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from orderflow.domain.money.calendar import business_date
from orderflow.domain.money.parts import cumulated
from orderflow.domain.money.split import round_ratio
from orderflow.domain.money.tax import (
    TaxableLine,
    TaxCategory,
    TaxGroup,
    cash_rounding,
    category_at,
    gross_of,
    includes_tax,
    tax_groups,
)
from orderflow.domain.orders.content import InvoiceBasis, LineKind, OrderLine, PayBefore
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import Cancelled, HasProgress, Placed, lines_of

__all__ = [
    "Charge",
    "basis",
    "bill_minor",
    "billable",
    "billable_lines",
    "billed_at",
    "charged_minor",
    "credit_due",
    "credit_due_minor",
    "credit_minor",
    "credits_due",
    "cumulates",
    "exposure",
    "missing_minor",
    "net_minor",
    "outstanding_gross",
    "owed",
    "rounding_of",
    "taxed",
    "to_capture_minor",
    "to_pay_minor",
    "to_refund_minor",
    "uncharged_gross",
    "wants_money",
]


class Charge(NamedTuple):
    """Units of a line on a bill, their net in minor units, and how they are taxed."""

    line: OrderLine
    units: int
    net_minor: int
    tax: TaxCategory


def owed(order: HasProgress, line: OrderLine, v: LineVector) -> int:
    """Units that the customer has or is still to get; charges and services until nothing of the order is left."""
    if line.kind is LineKind.GOODS:
        return line.quantity - v.cancelled - v.moved - v.returned - v.lost
    return 0 if isinstance(order, Cancelled) else line.quantity


def basis(order: HasProgress, line: OrderLine, v: LineVector) -> int:
    """Units that may be billed by now: all that are owed, or those that have left and were not lost or taken back.

    Billed by dispatch, lines that are not goods come with the first goods that leave, or at once if there are none.
    """
    if order.content.policy.billed_elsewhere:
        return 0
    if order.content.policy.invoice_basis is InvoiceBasis.ORDERED:
        return owed(order, line, v)
    if line.kind is LineKind.GOODS:
        return v.shipped + v.delivered
    seen = order.progress.tally
    return owed(order, line, v) if seen.dispatched or not seen.ordered else 0


def billable(order: HasProgress, line: OrderLine, v: LineVector) -> int:
    """Units of a line that may go on an invoice now, never below 0."""
    return max(0, basis(order, line, v) - v.accounted(owed(order, line, v)))


def credit_due(order: HasProgress, line: OrderLine, v: LineVector) -> int:
    """Units of a line that are charged, and that the customer will not have, never below 0."""
    mine = owed(order, line, v)
    return max(0, v.accounted(mine) - mine)


def billable_lines(order: HasProgress) -> list[tuple[OrderLine, LineVector, int]]:
    """Every line with units that may be billed now, its vector, and how many they are."""
    found = [(line, v, billable(order, line, v)) for line, v in lines_of(order)]
    return [item for item in found if item[2]]


def credits_due(order: HasProgress) -> list[tuple[OrderLine, int]]:
    """Every line with units to credit, and how many they are."""
    found = [(line, credit_due(order, line, v)) for line, v in lines_of(order)]
    return [item for item in found if item[1]]


def net_minor(order: HasProgress, line: OrderLine, units: int) -> int:
    """What so many charged units of a line cost together."""
    return round_ratio(line.net_minor * units, line.quantity, order.content.tax.rounding)


def bill_minor(order: HasProgress, line: OrderLine, v: LineVector, units: int) -> int:
    """What the next units of a line cost; never less than nothing, or for an allowance more."""
    rest = net_minor(order, line, v.charged + units) - v.unit_minor
    return max(0, rest) if line.net_minor >= 0 else min(0, rest)


def billed_at(order: HasProgress, line: OrderLine, v: LineVector, units: int, at: datetime) -> Charge:
    """The next units of a line on a bill, at the rates of its day, which is the tax point."""
    content, tax = order.content, line.tax
    if content.tax.rates:
        tax = category_at(tax, content.tax, business_date(at, content.policy.timezone))
    return Charge(line, units, bill_minor(order, line, v, units), tax)


# -- tax


def cumulates(order: HasProgress) -> bool:
    """Whether the invoices share one running sum of tax, to sum to the total: where it was agreed on beforehand."""
    p = order.progress
    return (
        order.content.policy.pay_before is not PayBefore.NEVER
        or p.pool_minor > 0
        or any(bill.prepaid_minor for bill in p.bills)
    )


def taxed(order: HasProgress, charges: list[Charge]) -> tuple[TaxGroup, ...]:
    """The tax groups of a bill of these charges. What is taxed at another rate than was ordered stands for itself."""
    tax = order.content.tax
    if tax.round_parts or not cumulates(order):
        return tax_groups(map(_taxable, charges), tax)
    alone = [charge for charge in charges if charge.tax != charge.line.tax]
    usual = [charge for charge in charges if charge.tax == charge.line.tax]
    return (*_cumulated(order, usual), *tax_groups(map(_taxable, alone), tax))


def _taxable(charge: Charge) -> TaxableLine:
    """Units to be credited are taxed as they would be billed, with the sign of their net."""
    return TaxableLine(charge.net_minor, charge.tax, abs(charge.units))


def _cumulated(order: HasProgress, charges: list[Charge]) -> tuple[TaxGroup, ...]:
    part = [_taxable(charge) for charge in charges]
    return cumulated(part, [*_charged_after(order, charges)], dict(order.progress.taxed), order.content.tax)


def _charged_after(order: HasProgress, charges: list[Charge]) -> Iterator[TaxableLine]:
    """All that is charged with these charges, by line."""
    more = {charge.line.line: (charge.units, charge.net_minor) for charge in charges}
    for line, v in lines_of(order):
        units, net = more.get(line.line, (0, 0))
        if v.charged + units:
            yield TaxableLine(v.unit_minor - v.reduced_minor + net, line.tax, v.charged + units)


# -- rounding outside of the tax


def rounding_of(order: HasProgress, charges: list[Charge], groups: Sequence[TaxGroup]) -> int:
    """What a bill of these charges, taxed in these groups, is rounded by; a running sum where tax would be one."""
    policy, gross = order.content.tax, gross_of(groups)
    if not (policy.cash_rounding_minor or policy.round_parts) or not cumulates(order):
        return cash_rounding(gross, policy)
    before = _charged_gross(order)
    after = gross_of(tax_groups(_charged_after(order, charges), policy)) if policy.round_parts else before + gross
    rounding = after + cash_rounding(after, policy) - before - gross - order.progress.rounded_minor
    return max(-gross, rounding) if gross >= 0 else rounding


def _charged_gross(order: HasProgress) -> int:
    """What is charged by now and not credited, in minor units, before it is rounded."""
    policy, p = order.content.tax, order.progress
    amounts = sum([v.unit_minor - v.reduced_minor for v in p.lines])
    return amounts + sum([minor for category, minor in p.taxed if not includes_tax(category, policy)])


def charged_minor(order: HasProgress) -> int:
    """What is charged by now and not credited, in minor units."""
    return _charged_gross(order) + order.progress.rounded_minor


def _payable(order: HasProgress, charges: list[Charge]) -> int:
    """What these charges come to, in minor units."""
    groups = taxed(order, charges) if charges else ()
    return gross_of(groups) + rounding_of(order, charges, groups) if groups else 0


# -- what is still to be charged


def uncharged_gross(order: HasProgress) -> int:
    """The gross of all that is owed and not charged, in minor units; what is to be credited frees no money before."""
    return _payable(order, [charge for charge in _uncharged(order) if charge.units > 0])


def outstanding_gross(order: HasProgress) -> int:
    """The same less what is to be credited, in minor units: what bills and credits are still to come to, signed."""
    return _payable(order, [*_uncharged(order)])


def credit_due_minor(order: HasProgress, lines: Collection[int] | None = None) -> int:
    """The gross of the units that are charged and will not be had, in minor units, as their line is charged now.

    Of these lines, or of all.
    """
    due = [charge for charge in _uncharged(order) if charge.units < 0]
    return -_payable(order, [charge for charge in due if lines is None or charge.line.line in lines])


def credit_minor(order: HasProgress, units: Iterable[tuple[int, int]]) -> int:
    """The gross of so many units by line, in minor units, were they credited now; of no more than are charged."""
    charges = []
    for number, wanted in units:
        line, v = order.content.line(number), order.progress.lines[order.content.places[number]]
        quantity = min(wanted, v.charged)
        if quantity:
            net = net_minor(order, line, v.charged - quantity) - v.unit_minor
            charges.append(Charge(line, -quantity, net + _given(order, v, -quantity), line.tax))
    return -_payable(order, charges)


def _uncharged(order: HasProgress) -> Iterator[Charge]:
    for line, v in lines_of(order):
        mine = owed(order, line, v)
        units = max(mine - v.accounted(mine), -v.charged)
        if units:
            net = net_minor(order, line, v.charged + units) - v.unit_minor
            yield Charge(line, units, net + _given(order, v, units), line.tax)


def _given(order: HasProgress, v: LineVector, units: int) -> int:
    """What price reductions have given of units to be credited, in minor units: their share of the line's."""
    if units > 0:
        return 0
    kept = round_ratio(v.reduced_minor * (v.charged + units), v.charged, order.content.tax.rounding)
    return v.reduced_minor - kept


def wants_money(order: HasProgress) -> bool:
    """Whether the order, finished or not, has something to bill, to credit or to refund."""
    counted = billable_lines(order) or credits_due(order) or to_refund_minor(order)
    return bool(counted) or any(v.ahead for v in order.progress.lines)


def exposure(state: Any) -> int:
    """What a confirmed order adds to its customer's exposure beside the balance, signed, in minor units."""
    if not isinstance(state, HasProgress) or isinstance(state, Placed) or state.content.policy.billed_elsewhere:
        return 0
    return outstanding_gross(state)


def missing_minor(order: HasProgress, at: datetime) -> int:
    """What the order's money and authorisations do not cover of what is still to be charged, in minor units."""
    p = order.progress
    reserved = sum([a.minor for a in p.authorisations if a.until is None or at < a.until])
    return uncharged_gross(order) - p.pool_minor - reserved


def to_pay_minor(order: HasProgress) -> int:
    """What is still to be paid for the order, billed or not, in minor units; below 0 where money is left over."""
    return outstanding_gross(order) + order.progress.open_minor - order.progress.pool_minor


def to_capture_minor(order: HasProgress, at: datetime) -> int:
    """What is to be paid by a time, in minor units, never below 0: what is open on invoices, and what may be billed.

    Before the first goods leave that is nothing. An order that is billed as ordered is to be paid whole with them.
    """
    seen = order.progress.tally
    if seen.ordered and not seen.dispatched:
        return 0
    charges = [billed_at(order, line, v, n, at) for line, v, n in billable_lines(order)]
    return max(0, _payable(order, charges) + order.progress.open_minor - order.progress.pool_minor)


def to_refund_minor(order: HasProgress) -> int:
    """Money kept for the order beyond what is still to be charged, in minor units, never below 0."""
    return max(0, order.progress.pool_minor - max(0, uncharged_gross(order)))
