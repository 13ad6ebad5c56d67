"""Credit notes, invoices and number series to each other, to orders and to accounts."""

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


def post(h: EventContext, posting: Posting, customer: str, amount: Money) -> Iterator[Send]:
    """A posting on the customer's account, where there is a customer and something to post."""
    if customer and amount.minor:
        yield Send(h.key.beside("account", customer), Post(posting, h.key.id, amount))


def credit(h: EventContext) -> Iterator[Send]:
    """What a note is linked to is credited there; then it gets its number."""
    content = h.event.content
    linked = [line for line in content.lines if line.order]
    for order in dict.fromkeys(line.order for line in linked):
        units = summed((line.order_line, line.quantity) for line in linked if line.order == order).items()
        credited = tuple([LineQuantity(number, quantity) for number, quantity in units])
        yield Send(h.key.beside("order", order), RecordCredit(h.key.id, credited))
    for invoice, minor in h.event.shares:
        if minor > 0:
            yield Send(h.key.beside("invoice", invoice), ApplyCredit(h.key.id, minor, content.currency))
    yield Send(h.key.beside("series", content.series), AllotNumber("credit_note", h.key.id, content.dated))


def number_invoice(h: EventContext) -> Iterator[Send]:
    content = h.event.content
    yield Send(h.key.beside("series", content.series), AllotNumber("invoice", h.key.id, content.dated))


def issue(h: EventContext) -> Iterator[Send]:
    event = h.event
    command = IssueInvoice if event.kind == "invoice" else IssueCreditNote
    yield Send(h.key.beside(event.kind, event.document), command(event.text))


def post_credit_note(h: EventContext) -> Iterator[Send]:
    return post(h, Posting.CREDIT_NOTE, h.after.content.customer, h.after.totals.gross)


def post_invoice(h: EventContext) -> Iterator[Send]:
    return post(h, Posting.INVOICE, h.after.content.customer, h.after.totals.gross)


def post_void(h: EventContext) -> Iterator[Send]:
    return post(h, Posting.INVOICE, h.after.content.customer, -h.after.totals.gross)


def post_write_off(h: EventContext) -> Iterator[Send]:
    content = h.after.content
    return post(h, Posting.WRITE_OFF, content.customer, Money(h.event.amount_minor, content.currency))
