"""What payments tell orders, invoices and accounts."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from orderflow.domain.billing.account import Posting
from orderflow.domain.billing.invoice_money import RecordApplication, WithdrawApplication
from orderflow.domain.engine.decide import Flow, Read, ask
from orderflow.domain.engine.workflow import EventContext, Send
from orderflow.domain.orders.prepaying import RecordPrepayment, WithdrawPrepayment
from orderflow.domain.payments.applying import ApplyPayment, UnapplyPayment
from orderflow.domain.payments.state import ApplicationTarget, Funded
from orderflow.domain.workflow.billing_accounts import post
from orderflow.domain.workflow.orders_billing import orders_of
from orderflow.errors import Key


def post_payment(context: EventContext) -> Iterator[Send]:
    return post(context, Posting.PAYMENT, context.after.origin.customer, context.event.amount)


def post_repayment(context: EventContext) -> Iterator[Send]:
    return post(context, Posting.PAYMENT, context.after.origin.customer, -context.event.amount)


def apply(context: EventContext) -> Iterator[Send]:
    event, amount, payer = context.event, context.event.amount, context.after.origin.customer
    if event.target is ApplicationTarget.INVOICE:
        command = RecordApplication(context.key.id, amount.minor, amount.currency, payer)
        yield Send(context.key.beside("invoice", event.id), command)
    else:
        prepayment = RecordPrepayment(context.key.id, amount.minor, amount.currency, payer)
        yield Send(context.key.beside("order", event.id), prepayment)


def unapply(context: EventContext) -> Iterator[Send]:
    event = context.event
    yield _withdrawn(context, event.target, event.id, event.amount.minor)


def withdraw_released(context: EventContext) -> Iterator[Send]:
    for target, document, minor in context.event.released:
        yield _withdrawn(context, target, document, minor)


def _withdrawn(context: EventContext, target: ApplicationTarget, document: str, minor: int) -> Send:
    payment, payer = context.key.id, context.after.origin.customer
    if target is ApplicationTarget.INVOICE:
        return Send(context.key.beside("invoice", document), WithdrawApplication(payment, minor, payer))
    return Send(context.key.beside("order", document), WithdrawPrepayment(payment, minor, payer))


def orders_of_target(key: Key, command: ApplyPayment | UnapplyPayment) -> Flow[Collection[Key]]:
    """The orders of the invoice that a payment is applied to, or taken off."""
    if command.target is ApplicationTarget.ORDER:
        return ()
    return (yield from orders_of(key.tenant, [command.id]))


def orders_of_applications(key: Key, command: object) -> Flow[Collection[Key]]:
    """The orders of the invoices that a payment pays."""
    state = (yield from ask(Read([key])))[key].state
    applied = state.funds.applications if isinstance(state, Funded) else ()
    invoices = [item.id for item in applied if item.target is ApplicationTarget.INVOICE]
    return (yield from orders_of(key.tenant, invoices))
