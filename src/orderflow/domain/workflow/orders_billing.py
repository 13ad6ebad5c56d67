"""What orders tell intake, accounts and invoices; and what invoices ask of orders after the commit."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.domain.billing.account import Post, Posting, ReserveCredit
from orderflow.domain.billing.invoice import DraftInvoice
from orderflow.domain.billing.invoice_state import InvoiceContent, InvoiceLine, Settled
from orderflow.domain.engine.workflow import Effect, EventContext, Send
from orderflow.domain.intake import AcceptDocument, intake_key
from orderflow.domain.money.calendar import business_date
from orderflow.domain.money.money import Money


def take_in(context: EventContext) -> Iterator[Send]:
    """An order from a channel is taken in once for each external id."""
    content = context.event.content
    if content.channel and content.external_id:
        key = intake_key(context.key.tenant, content.channel, content.external_id)
        yield Send(key, AcceptDocument("order", context.key.id))


def reserve_credit(context: EventContext) -> Iterator[Send]:
    content, exposed = context.after.content, context.after.progress.exposed_minor
    if content.customer:
        command = ReserveCredit(context.key.id, Money(exposed, content.currency))
        yield Send(context.key.beside("account", content.customer), command)


def relieve_credit(context: EventContext) -> Iterator[Send]:
    content, relieved = context.after.content, context.event.relieved_minor
    if content.customer and relieved:
        post = Post(Posting.ORDER, context.key.id, Money(0, content.currency), relieved)
        yield Send(context.key.beside("account", content.customer), post)


def draft_invoice(context: EventContext) -> Iterator[Send]:
    event, content = context.event, context.after.content
    lines = tuple(
        [
            InvoiceLine(context.key.id, b.line, b.quantity, b.net_minor, content.line(b.line).tax, b.shipment)
            for b in event.lines
        ]
    )
    invoice = InvoiceContent(
        series=event.series,
        customer=content.customer,
        bill_to=content.bill_to or content.ship_to,
        currency=content.currency,
        lines=lines,
        tax=content.tax,
        dated=business_date(context.stamp.moment, content.policy.timezone),
        terms=content.terms,
    )
    yield Send(context.key.beside("invoice", event.invoice), DraftInvoice(invoice))


def record_settlement(context: EventContext) -> Iterator[Effect]:
    """An order stands below its invoices in lock order, so it hears afterwards that one is settled."""
    if isinstance(context.after, Settled) and not isinstance(context.before, Settled):
        for order in dict.fromkeys(line.order for line in context.after.content.lines):
            yield Effect("record_settlement", context.key, (("order", order),))


def unbill(context: EventContext) -> Iterator[Effect]:
    yield Effect("unbill", context.key)
