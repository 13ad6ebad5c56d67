"""Orders to intake, accounts and invoices; and what invoices ask of orders after the commit."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.domain.billing.account import Post, Posting, ReserveCredit
from orderflow.domain.billing.invoice import DraftInvoice
from orderflow.domain.billing.invoice_state import InvoiceContent, InvoiceLine, Settled
from orderflow.domain.engine.workflow import Effect, EventContext, Send
from orderflow.domain.intake import AcceptDocument, intake_key
from orderflow.domain.money.calendar import business_date
from orderflow.domain.money.money import Money


def take_in(h: EventContext) -> Iterator[Send]:
    """An order of a channel is taken once for each external id."""
    content = h.event.content
    if content.channel and content.external_id:
        key = intake_key(h.key.tenant, content.channel, content.external_id)
        yield Send(key, AcceptDocument("order", h.key.id))


def reserve_credit(h: EventContext) -> Iterator[Send]:
    content, exposed = h.after.content, h.after.progress.exposed_minor
    if content.customer:
        command = ReserveCredit(h.key.id, Money(exposed, content.currency))
        yield Send(h.key.beside("account", content.customer), command)


def relieve_credit(h: EventContext) -> Iterator[Send]:
    content, relieved = h.after.content, h.event.relieved_minor
    if content.customer and relieved:
        post = Post(Posting.ORDER, h.key.id, Money(0, content.currency), relieved)
        yield Send(h.key.beside("account", content.customer), post)


def draft_invoice(h: EventContext) -> Iterator[Send]:
    event, content = h.event, h.after.content
    lines = tuple(
        [
            InvoiceLine(h.key.id, b.line, b.quantity, b.net_minor, content.line(b.line).tax, b.shipment)
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
        dated=business_date(h.stamp.moment, content.policy.timezone),
        terms=content.terms,
    )
    yield Send(h.key.beside("invoice", event.invoice), DraftInvoice(invoice))


def record_settlement(h: EventContext) -> Iterator[Effect]:
    """An order stands below its invoices in the order of locks, so it hears afterwards that one is settled."""
    if isinstance(h.after, Settled) and not isinstance(h.before, Settled):
        for order in dict.fromkeys(line.order for line in h.after.content.lines):
            yield Effect("record_settlement", h.key, (("order", order),))


def unbill(h: EventContext) -> Iterator[Effect]:
    yield Effect("unbill", h.key)
