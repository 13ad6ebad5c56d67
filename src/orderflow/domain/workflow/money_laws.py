"""The laws of money across rows, as code: B, money is conserved, and F, a gate looks at the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from orderflow.domain.billing.account import Account
from orderflow.domain.billing.credit_note import IssuedNote
from orderflow.domain.billing.invoice_state import Numbered
from orderflow.domain.engine.workflow import EventContext
from orderflow.domain.orders.allocating import StockAllocated
from orderflow.domain.orders.billing import OrderCompleted
from orderflow.domain.orders.charging import billable_lines, credits_due, exposure, missing_minor, net_minor
from orderflow.domain.orders.content import CompleteOn, Gate, OrderLine
from orderflow.domain.orders.guards import waits_for_money
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.placing import OrderConfirmed
from orderflow.domain.orders.shipping import ShipmentDispatched, ShipmentPrepared
from orderflow.domain.orders.state import HasProgress, lines_of
from orderflow.domain.payments.guards import reserved_minor
from orderflow.domain.payments.state import ApplicationTarget, Authorised, Funded, currency_of, order_of
from orderflow.domain.workflow.sums import Breach, Laws, Said, Share
from orderflow.errors import Key

__all__ = ["MONEY", "MONEY_LAWS"]


#: Id to law. A breach names the id.
MONEY_LAWS: Final = {
    "B1": "A customer's balance is what his invoices have open, less the money of his that pays nothing yet.",
    "B2": "Each sum of an account is that of its invoices, credit notes, payments and write-offs.",
    "B3": "What an order's line was charged, credited and reduced is what its invoices say of it.",
    "B4": "The net charged for units of a line is their rounded share of it, but for what part credits round.",
    "B5": "What was credited of an invoice is what its credit notes say, line by line.",
    "B6": "Money kept for an order, and on its invoices, is what payments say pays it.",
    "B7": "An order knows what is due on each of its invoices, and what of its money lies there; none is overpaid.",
    "B8": "What pays an invoice directly is what payments say pays it.",
    "B9": "Credit on account that pays an invoice is what its credit notes say.",
    "B10": "What is reserved for an order is what its payments say is reserved.",
    "F1": "A gate that waits for money opened only once it was there.",
    "F2": "A customer's exposure is what his confirmed orders still charge.",
    "F3": "An order completed with nothing to bill, nothing to credit and, if asked, nothing to pay.",
}

_GATES: Final[Mapping[type[Any], Gate]] = {
    OrderConfirmed: Gate.CONFIRM,
    StockAllocated: Gate.ALLOCATE,
    ShipmentPrepared: Gate.PREPARE,
    ShipmentDispatched: Gate.SHIP,
}


def _event(context: EventContext) -> Iterator[Said]:
    """What an event of an order says about the gate it has passed."""
    event, before = context.event, context.before
    gate = _GATES.get(type(event))
    if gate is not None and waits_for_money(before, gate):
        yield Share("F1", None, 0)
        missing, due = missing_minor(before, context.stamp.at), before.progress.open_minor
        if missing > 0 or due:
            found = f"{type(event).__name__} with {missing} minor units missing and {due} open"
            yield Breach("F1", context.key, found)
    elif isinstance(event, OrderCompleted):
        yield Share("F3", None, 0)
        waits = before.content.policy.complete_on is CompleteOn.PAID
        if billable_lines(before) or credits_due(before) or (waits and before.progress.open_minor):
            yield Breach("F3", context.key, "completed with something to bill, to credit or to pay")


def _row(key: Key, state: Any) -> Iterator[Said]:
    if isinstance(state, HasProgress):
        return _order(key, state)
    if isinstance(state, Numbered):
        return _invoice(key, state)
    if isinstance(state, IssuedNote):
        return _note(key, state)
    if isinstance(state, Funded | Authorised):
        return _payment(key, state)
    if isinstance(state, Account):
        return _account(key, state)
    if hasattr(state, "amounts") or hasattr(state, "progress"):
        raise TypeError(f"no law knows a {type(state).__name__}")
    return iter(())


MONEY: Final = Laws(frozenset({"order", "invoice", "credit_note", "payment", "account"}), _row, _event)


def _balance(customer: str, currency: str, minor: int) -> Iterator[Share]:
    if customer:
        yield Share("B1", (customer, currency), minor)


def _sum(customer: str, currency: str, name: str, minor: int) -> Iterator[Share]:
    if customer:
        yield Share("F2" if name == "ordered" else "B2", (customer, currency, name), minor)


# -- rows


def _order(key: Key, order: HasProgress) -> Iterator[Said]:
    content, p = order.content, order.progress
    yield from _balance(content.customer, content.currency, p.pool_minor)
    yield from _sum(content.customer, content.currency, "ordered", exposure(order))
    for item in p.authorisations:
        yield Share("B10", (key.id, item.payment, content.currency), item.minor)
    for payment, minor in p.prepayments:
        yield Share("B6", (key.id, payment), minor)
        yield from _sum(content.customer, content.currency, "paid", minor)
    for bill in p.bills:
        yield Share("B7", (bill.invoice, "due"), bill.due_minor)
        yield Share("B7", (bill.invoice, "prepaid"), bill.prepaid_minor)
    for line, v in lines_of(order):
        yield Share("B3", (key.id, line.line, "units"), v.charged)
        yield Share("B3", (key.id, line.line, "net"), v.unit_minor)
        yield Share("B3", (key.id, line.line, "reduced"), v.reduced_minor)
        yield Share("B4", None, 0)
        drift = v.unit_minor - net_minor(order, line, v.charged)
        if abs(drift) > _most_drift(order, line, v):
            found = f"line {line.line}: {v.charged} units charged at {v.unit_minor}, {drift} off their share"
            yield Breach("B4", key, found)


def _invoice(key: Key, invoice: Numbered) -> Iterator[Said]:
    content, a = invoice.content, invoice.amounts
    if invoice.open_minor < 0:
        yield Breach("B7", key, f"{-invoice.open_minor} more is paid and credited than was billed")
    yield from _balance(content.customer, content.currency, -invoice.open_minor)
    yield from _sum(content.customer, content.currency, "invoiced", invoice.totals.gross_minor)
    yield from _sum(content.customer, content.currency, "written_off", a.written_off)
    yield Share("B7", (key.id, "due"), -invoice.due_minor)
    yield Share("B7", (key.id, "prepaid"), -a.prepaid)
    yield Share("B5", (key.id, "gross"), a.credited)
    for (line, units, minor), credit in zip(invoice.left(), invoice.credits, strict=True):
        yield Share("B3", (line.order, line.line, "units"), -units)
        yield Share("B3", (line.order, line.line, "net"), -minor - credit.reduced_minor)
        yield Share("B3", (line.order, line.line, "reduced"), -credit.reduced_minor)
        yield Share("B5", (key.id, line.line, "units"), credit.units)
        yield Share("B5", (key.id, line.line, "minor"), credit.unit_minor + credit.reduced_minor)
    for payment, minor, _ in a.paid_by:
        yield Share("B8", (key.id, payment), minor)
        yield from _sum(content.customer, content.currency, "paid", minor)
    for note, minor in a.credit_used:
        yield Share("B9", (key.id, note), minor)


def _note(key: Key, note: IssuedNote) -> Iterator[Share]:
    content = note.content
    yield from _balance(content.customer, content.currency, note.free_minor)
    yield from _sum(content.customer, content.currency, "credited", note.totals.gross_minor)
    for part in note.parts:
        yield Share("B5", (part.invoice, "gross"), -part.totals.gross_minor)
        for line in part.lines:
            yield Share("B5", (part.invoice, line.line, "units"), -line.units)
            yield Share("B5", (part.invoice, line.line, "minor"), -line.amount_minor)
    for invoice, minor in note.used:
        yield Share("B9", (invoice, key.id), -minor)


def _payment(key: Key, payment: Funded | Authorised) -> Iterator[Share]:
    yield Share("B10", (order_of(payment), key.id, currency_of(payment)), -reserved_minor(payment))
    if isinstance(payment, Funded):
        yield from _funds(key, payment)


def _funds(key: Key, payment: Funded) -> Iterator[Share]:
    """What pays the document of another customer is that one's money, whom its row names."""
    funds, customer = payment.funds, payment.origin.customer
    free = funds.kept - funds.applied
    yield from _balance(customer, funds.currency, free)
    yield from _sum(customer, funds.currency, "paid", free)
    for target, document, minor in funds.applications:
        yield Share("B8" if target is ApplicationTarget.INVOICE else "B6", (document, key.id), -minor)


def _account(key: Key, account: Account) -> Iterator[Share]:
    for sums in account.sums:
        yield from _balance(key.id, sums.currency, sums.balance)
        for name in ("ordered", "invoiced", "credited", "paid", "written_off"):
            yield from _sum(key.id, sums.currency, name, -getattr(sums, name))


def _most_drift(order: HasProgress, line: OrderLine, v: LineVector) -> int:
    """How far a line may be off its share: two minor units for a part credit under a reduction, one for a void."""
    if not v.charged or (v.charged == line.quantity and not v.credited):
        return 0
    return 2 * v.credited + sum(bill.void for bill in order.progress.bills)
