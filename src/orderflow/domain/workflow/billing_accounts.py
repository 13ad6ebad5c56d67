"""What credit notes, invoices and number series tell each other, orders and accounts."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.domain.billing.account import Post, Posting
from orderflow.domain.billing.credit_note import IssueCreditNote
from orderflow.domain.billing.invoice import ApplyCredit, IssueInvoice
from orderflow.domain.billing.numbering import AllotNumber
from orderflow.domain.engine.workflow import EventContext, Send
from orderflow.domain.money.money import Money
from orderflow.domain.orders.billing import RecordCredit
from orderflow.domain.values import LineQuantity, summed


def post(context: EventContext, posting: Posting, customer: str, amount: Money) -> Iterator[Send]:
    """A posting on the customer's account, if there is a customer and something to post."""
    if customer and amount.minor:
        yield Send(context.key.beside("account", customer), Post(posting, context.key.id, amount))


def credit(context: EventContext) -> Iterator[Send]:
    """What a note is linked to is credited there; then it gets its number."""
    content = context.event.content
    linked = [line for line in content.lines if line.order]
    for order in dict.fromkeys(line.order for line in linked):
        units = summed((line.order_line, line.quantity) for line in linked if line.order == order).items()
        credited = tuple([LineQuantity(number, quantity) for number, quantity in units])
        yield Send(context.key.beside("order", order), RecordCredit(context.key.id, credited))
    for invoice, minor in context.event.shares:
        if minor > 0:
            yield Send(context.key.beside("invoice", invoice), ApplyCredit(context.key.id, minor, content.currency))
    yield Send(context.key.beside("series", content.series), AllotNumber("credit_note", context.key.id, content.dated))


def number_invoice(context: EventContext) -> Iterator[Send]:
    content = context.event.content
    yield Send(context.key.beside("series", content.series), AllotNumber("invoice", context.key.id, content.dated))


def issue(context: EventContext) -> Iterator[Send]:
    event = context.event
    command = IssueInvoice if event.kind == "invoice" else IssueCreditNote
    yield Send(context.key.beside(event.kind, event.document), command(event.text))


def post_credit_note(context: EventContext) -> Iterator[Send]:
    return post(context, Posting.CREDIT_NOTE, context.after.content.customer, context.after.totals.gross)


def post_invoice(context: EventContext) -> Iterator[Send]:
    return post(context, Posting.INVOICE, context.after.content.customer, context.after.totals.gross)


def post_void(context: EventContext) -> Iterator[Send]:
    return post(context, Posting.INVOICE, context.after.content.customer, -context.after.totals.gross)


def post_write_off(context: EventContext) -> Iterator[Send]:
    content = context.after.content
    return post(context, Posting.WRITE_OFF, content.customer, Money(context.event.amount_minor, content.currency))
