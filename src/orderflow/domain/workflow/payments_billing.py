"""What payments tell orders, invoices and accounts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from orderflow.domain.billing.account import Posting
from orderflow.domain.billing.invoice_money import RecordApplication, WithdrawApplication
from orderflow.domain.engine.decide import Flow, Read, ask
from orderflow.domain.engine.machine import ABSENT, refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Effect, EventContext, Require, Send
from orderflow.domain.orders.prepaying import RecordAuthorisation, RecordCapture, RecordPrepayment, WithdrawPrepayment
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.payments.applying import ApplyPayment, UnapplyPayment
from orderflow.domain.payments.guards import capturable
from orderflow.domain.payments.state import ApplicationTarget, Authorised, Closed, Disputed, Funded, Received
from orderflow.domain.workflow.billing_accounts import post
from orderflow.domain.workflow.orders_billing import orders_of
from orderflow.errors import Key, Refusal


def post_payment(context: EventContext) -> Iterator[Send]:
    return post(context, Posting.PAYMENT, context.after.origin.customer, context.event.amount)


def post_repayment(context: EventContext) -> Iterator[Send]:
    return post(context, Posting.PAYMENT, context.after.origin.customer, -context.event.amount)


def operate(context: EventContext) -> Iterator[Effect]:
    """The provider is asked after the commit."""
    event, amount = context.event, context.event.amount
    money = (("minor", str(amount.minor)), ("currency", amount.currency))
    yield Effect("operate_payment", context.key, (("operation", event.operation.value), *money, ("request", event.id)))


def reserve(context: EventContext) -> Iterator[Send]:
    """What is reserved for an order opens its gate until it ends."""
    order = context.after.origin.order
    if order and not isinstance(context.after, Closed):
        command = RecordAuthorisation(context.key.id, _reserved(context.after), context.event.until)
        yield Send(context.key.beside("order", order), command)


def _reserved(state: Any) -> int:
    """What of a payment is still to be taken for its order, in minor units; nothing of one that is closed."""
    return capturable(state) if isinstance(state, Authorised | Received | Disputed) else 0


def keep(context: EventContext) -> Iterator[Send]:
    """What was expected or reserved for an order and has come is the order's own, in the same commit."""
    if context.before is ABSENT or not context.before.origin.order:
        return
    name, amount, funds = context.before.origin.order, context.event.amount, context.after.funds
    order, rest = context.key.beside("order", name), _reserved(context.after)
    if rest or _reserved(context.before):
        yield Send(order, RecordAuthorisation(context.key.id, rest))
    if context.after.origin.order and funds.applied_to(ApplicationTarget.ORDER, name):
        payer = context.after.origin.customer
        yield Send(order, RecordCapture(context.key.id, amount.minor, amount.currency, payer))


def end_reservation(context: EventContext) -> Iterator[Send]:
    """A payment that is closed, or of which nothing is reserved, reserves nothing for its order."""
    order = context.after.origin.order
    if order:
        yield Send(context.key.beside("order", order), RecordAuthorisation(context.key.id, 0))


def for_an_order(context: EventContext) -> Iterator[Require]:
    """The order that money is expected for exists, and is in its currency."""
    event = context.event
    if event.origin.order:

        def takes(state: Any, stamp: Stamp) -> Refusal | None:
            if not isinstance(state, HasProgress):
                return refuse("no_such_order", "{order} is not an order that was placed", order=event.origin.order)
            own = state.content.currency
            if own == event.amount.currency:
                return None
            return refuse("currency_differs", "payment in {paid}, order in {own}", paid=event.amount.currency, own=own)

        yield Require(context.key.beside("order", event.origin.order), takes)


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
