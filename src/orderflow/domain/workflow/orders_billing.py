"""What orders tell intake, accounts and invoices; and what invoices tell their orders, which are locked before them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from orderflow.domain.billing.account import Post, Posting, ReserveCredit
from orderflow.domain.billing.invoice import DraftInvoice
from orderflow.domain.billing.invoice_credit import CreditedLine
from orderflow.domain.billing.invoice_money import RecordPrepaid
from orderflow.domain.billing.invoice_state import InvoiceContent, InvoiceLine, Numbered
from orderflow.domain.engine.decide import Flow, Read, ask
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import EventContext, Require, Send
from orderflow.domain.intake import AcceptDocument, intake_key
from orderflow.domain.money.calendar import business_date
from orderflow.domain.money.money import Money
from orderflow.domain.orders.charging import exposure
from orderflow.domain.orders.content import CompleteOn, Gate
from orderflow.domain.orders.crediting import RecordCredit, RecordUnbilling, UnbilledUnits
from orderflow.domain.orders.guards import waits_for_money
from orderflow.domain.orders.lines import CreditedUnits
from orderflow.domain.orders.prepaying import RecordDue
from orderflow.domain.orders.state import HasProgress
from orderflow.errors import Key, Refusal


def take_in(context: EventContext) -> Iterator[Send]:
    """An order from a channel is taken in once for each external id."""
    content = context.event.content
    if content.channel and content.external_id:
        key = intake_key(context.key.tenant, content.channel, content.external_id)
        yield Send(key, AcceptDocument("order", context.key.id))


# -- credit exposure


def reserve_credit(context: EventContext) -> Iterator[Send]:
    content = context.after.content
    if content.customer:
        command = ReserveCredit(context.key.id, Money(exposure(context.after), content.currency))
        yield Send(context.key.beside("account", content.customer), command)


def post_exposure(context: EventContext) -> Iterator[Send]:
    """Whatever changes what the order still charges changes its customer's exposure in the same commit."""
    content = context.after.content
    if not content.customer:
        return
    minor = exposure(context.after) - exposure(context.before)
    if minor:
        post = Post(Posting.ORDER, context.key.id, Money(minor, content.currency))
        yield Send(context.key.beside("account", content.customer), post)


# -- invoices


def draft_invoice(context: EventContext) -> Iterator[Send]:
    event, content = context.event, context.after.content
    lines = tuple(
        [InvoiceLine(context.key.id, b.line, b.quantity, b.net_minor, b.tax, b.shipment) for b in event.lines]
    )
    invoice = InvoiceContent(
        series=event.series,
        customer=content.customer,
        bill_to=content.bill_to,
        currency=content.currency,
        lines=lines,
        tax=content.tax,
        dated=business_date(context.stamp.moment, content.policy.timezone),
        terms=content.terms,
    )
    command = DraftInvoice(invoice, event.totals, event.prepaid_minor)
    yield Send(context.key.beside("invoice", event.invoice), command)


def move_money(context: EventContext) -> Iterator[Send]:
    """Money of the order goes on its invoices, or comes off them; a voided one has let go of it itself."""
    void = {bill.invoice for bill in context.after.progress.bills if bill.void}
    for invoice, minor in context.event.moved:
        if invoice not in void:
            yield Send(context.key.beside("invoice", invoice), RecordPrepaid(context.key.id, minor))


# -- what an invoice tells its order


def _order(context: EventContext) -> Key:
    return context.key.beside("order", context.after.content.order)


def record_due(context: EventContext) -> Iterator[Send]:
    yield Send(_order(context), RecordDue(context.key.id, context.after.due_minor))


def record_credit(context: EventContext) -> Iterator[Send]:
    event, due = context.event, context.after.due_minor
    lines = tuple([_credited(line) for line in event.lines])
    sums = event.totals
    command = RecordCredit(event.credit_note, context.key.id, lines, sums.groups, due, sums.rounding_minor)
    yield Send(_order(context), command)


def _credited(line: CreditedLine) -> CreditedUnits:
    reduced = -line.share_minor if line.units else line.amount_minor
    return CreditedUnits(line.line, line.units, line.unit_minor, reduced, line.intent)


def unbill(context: EventContext) -> Iterator[Send]:
    content = context.after.content
    units = tuple([UnbilledUnits(line.line, line.quantity, line.net_minor) for line in content.lines])
    sums = context.after.totals
    yield Send(_order(context), RecordUnbilling(context.key.id, units, sums.groups, sums.rounding_minor))


# -- gates that look at the invoices


def nothing_open(state: Any, stamp: Stamp) -> Refusal | None:
    """The invoice is paid, credited, written off or void."""
    if not isinstance(state, Numbered) or state.open_minor <= 0:
        return None
    amount = str(Money(state.open_minor, state.content.currency))
    return refuse(
        "unpaid", "invoice {number} has {amount} open", number=state.number, amount=amount, open=state.open_minor
    )


def settled_at(gate: Gate) -> Callable[[EventContext], Iterator[Require]]:
    """Where the order waits for money at ``gate``, nothing is open on any of its invoices."""

    def require(context: EventContext) -> Iterator[Require]:
        return _settled(context) if waits_for_money(context.after, gate) else iter(())

    return require


def settled_if_asked(context: EventContext) -> Iterator[Require]:
    """Where an order completes once it is paid, nothing is open on any of its invoices."""
    waits = context.after.content.policy.complete_on is CompleteOn.PAID
    return _settled(context) if waits else iter(())


def _settled(context: EventContext) -> Iterator[Require]:
    order: HasProgress = context.after
    return (Require(context.key.beside("invoice", bill.invoice), nothing_open) for bill in order.progress.bills)


# -- rows that a command on an invoice names


def order_of_invoice(key: Key, command: object) -> Flow[Collection[Key]]:
    """The order of the command's own invoice."""
    return (yield from orders_of(key.tenant, [key.id]))


def orders_of(tenant: str, invoices: Iterable[str]) -> Flow[list[Key]]:
    """The orders that these invoices bill, as far as there are such invoices."""
    rows = yield from ask(Read([Key(tenant, "invoice", invoice) for invoice in invoices]))
    orders = [row.state.content.order for row in rows.values() if hasattr(row.state, "content")]
    return [Key(tenant, "order", order) for order in dict.fromkeys(orders)]
