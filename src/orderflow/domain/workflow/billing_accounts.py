"""What credit notes, invoices and number series tell each other and accounts."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from orderflow.domain.billing.account import Post, Posting
from orderflow.domain.billing.credit_note import (
    DraftCreditNote,
    IssueCreditNote,
    RecordCredited,
    ReleaseCreditUse,
    UseCredit,
)
from orderflow.domain.billing.invoice import IssueInvoice
from orderflow.domain.billing.invoice_credit import ApplyCredit
from orderflow.domain.billing.invoice_money import RecordCreditUse
from orderflow.domain.billing.invoice_state import Numbered
from orderflow.domain.billing.numbering import AllotNumber
from orderflow.domain.engine.decide import Flow, Read, ask
from orderflow.domain.engine.workflow import EventContext, Send
from orderflow.domain.money.money import Money
from orderflow.domain.payments.applying import ReleaseApplication
from orderflow.domain.payments.state import ApplicationTarget
from orderflow.domain.workflow.orders_billing import orders_of
from orderflow.errors import Key


def post(context: EventContext, posting: Posting, customer: str, amount: Money) -> Iterator[Send]:
    """A posting on the customer's account, if there is a customer and something to post."""
    if customer and amount.minor:
        yield Send(context.key.beside("account", customer), Post(posting, context.key.id, amount))


def pay_for(context: EventContext, payer: str, minor: int) -> Iterator[Send]:
    """Money of ``payer`` pays what another customer owes: it counts as paid there, and not at the payer any more."""
    content = context.after.content
    if payer != content.customer:
        amount = Money(minor, content.currency)
        yield from post(context, Posting.PAYMENT, payer, -amount)
        yield from post(context, Posting.PAYMENT, content.customer, amount)


def paid(context: EventContext) -> Iterator[Send]:
    return pay_for(context, context.event.payer, context.event.amount_minor)


def unpaid(context: EventContext) -> Iterator[Send]:
    return pay_for(context, context.event.payer, -context.event.amount_minor)


# -- credit notes


def credit(context: EventContext) -> Iterator[Send]:
    """Each invoice computes its part, then the note gets its number."""
    note, content = context.key, context.event.content
    for invoice in content.invoices:
        items = tuple([item for item in content.items if item.invoice == invoice])
        yield Send(note.beside("invoice", invoice), ApplyCredit(note.id, items, content.currency, content.customer))
    yield numbered(context)


def record_credited(context: EventContext) -> Iterator[Send]:
    event = context.event
    note = context.key.beside("credit_note", event.credit_note)
    yield Send(note, RecordCredited(context.after.content.order, context.key.id, event.lines, event.totals))


def free(context: EventContext) -> Iterator[Send]:
    """Credit and payments that are left over on the invoice hear that they are free; the order hears it as well."""
    freed = context.event.freed
    for note, minor in freed.credit_used:
        yield Send(context.key.beside("credit_note", note), ReleaseCreditUse(context.key.id, minor))
    for payment, minor, _ in freed.paid_by:
        command = ReleaseApplication(ApplicationTarget.INVOICE, context.key.id, minor)
        yield Send(context.key.beside("payment", payment), command)


def post_freed(context: EventContext) -> Iterator[Send]:
    """What was given up is given up no longer; another customer's money is his again."""
    freed, content = context.event.freed, context.after.content
    yield from post(context, Posting.WRITE_OFF, content.customer, Money(-freed.written_off, content.currency))
    for _, minor, payer in freed.paid_by:
        yield from pay_for(context, payer, -minor)


def use_credit(context: EventContext) -> Iterator[Send]:
    event, content = context.event, context.after.content
    command = RecordCreditUse(context.key.id, event.amount_minor, content.currency, content.customer)
    yield Send(context.key.beside("invoice", event.invoice), command)


def rows_of_credit(key: Key, command: DraftCreditNote) -> Flow[Collection[Key]]:
    """The orders of the invoices that a note credits, and the payments and notes that pay those."""
    tenant, invoices = key.tenant, command.content.invoices
    orders = yield from orders_of(tenant, invoices)
    rows = yield from ask(Read([Key(tenant, "invoice", invoice) for invoice in invoices]))
    amounts = [row.state.amounts for row in rows.values() if isinstance(row.state, Numbered)]
    payments = [Key(tenant, "payment", paid.payment) for a in amounts for paid in a.paid_by]
    notes = [Key(tenant, "credit_note", use.credit_note) for a in amounts for use in a.credit_used]
    return [*notes, *payments, *orders]


def order_of_use(key: Key, command: UseCredit) -> Flow[Collection[Key]]:
    """The order of the invoice that credit is used for."""
    return (yield from orders_of(key.tenant, [command.invoice]))


# -- numbers and postings


def numbered(context: EventContext) -> Send:
    """A document gets a number of the series that it names."""
    (_, kind, document), content = context.key, context.event.content
    command = AllotNumber(kind, document, content.dated, content.series, content.customer)
    return Send(context.key.beside("series", content.series), command)


def number_invoice(context: EventContext) -> Iterator[Send]:
    yield numbered(context)


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


def post_write_off_back(context: EventContext) -> Iterator[Send]:
    content = context.after.content
    return post(context, Posting.WRITE_OFF, content.customer, Money(-context.event.amount_minor, content.currency))


def post_written_back(context: EventContext) -> Iterator[Send]:
    """Money came for what had been given up."""
    content, minor = context.after.content, context.event.written_back_minor
    return post(context, Posting.WRITE_OFF, content.customer, Money(-minor, content.currency))
