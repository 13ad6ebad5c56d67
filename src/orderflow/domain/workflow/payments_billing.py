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
from orderflow.domain.money.money import Money, at_most
from orderflow.domain.orders.charging import to_capture_minor, to_pay_minor
from orderflow.domain.orders.prepaying import RecordAuthorisation, RecordCapture, RecordPrepayment, WithdrawPrepayment
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.payments.applying import ApplyPayment, UnapplyPayment
from orderflow.domain.payments.guards import reserved_minor
from orderflow.domain.payments.state import (
    ApplicationTarget,
    Closed,
    Funded,
    Operation,
    currency_of,
    order_of,
)
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


def unneeded(context: EventContext) -> Iterator[Require]:
    """On behalf of an order, nothing is asked for that is against what it needs, once it has lost the money."""
    event = context.event

    def lets(state: Any, stamp: Stamp) -> Refusal | None:
        if not isinstance(state, HasProgress):
            return refuse("no_such_order", "{order} is not an order that was placed", order=event.order)
        if event.operation is not Operation.CAPTURE:
            needed, currency = to_pay_minor(state), state.content.currency
            said = {"amount": str(Money(needed, currency)), "minor": needed}
            return refuse("needed", "the order still needs {amount}", **said) if needed > 0 else None
        return at_most("exceeds_needed", event.amount.minor, to_capture_minor(state, stamp.at), event.amount.currency)

    if event.order:
        yield Require(context.key.beside("order", event.order), lets)


def give_back(context: EventContext) -> Iterator[Send]:
    """What a refund that did not happen had set aside is its order's again, whatever has become of that."""
    payer, currency = context.after.origin.customer, currency_of(context.after)
    for _, order, minor in context.event.restored:
        yield Send(context.key.beside("order", order), RecordCapture(context.key.id, minor, currency, payer))


def ask_again(context: EventContext) -> Iterator[Effect]:
    """What an order wants may have waited for the outcome of another operation, or for somebody."""
    state = context.after
    applied = state.funds.applications if isinstance(state, Funded) else ()
    paid = [item.id for item in applied if item.target is ApplicationTarget.ORDER]
    for order in filter(None, dict.fromkeys([order_of(state), *paid])):
        yield Effect("request_operation", context.key, (("order", order),))


def ask_after_answer(context: EventContext) -> Iterator[Effect]:
    """The same after a refund that was asked for: what the order wanted meanwhile has waited for it."""
    return ask_again(context) if context.event.request else iter(())


def reserve(context: EventContext) -> Iterator[Send]:
    """What is reserved for an order opens its gate until it ends."""
    order = order_of(context.after)
    if order and not isinstance(context.after, Closed):
        command = RecordAuthorisation(context.key.id, reserved_minor(context.after), context.event.until)
        yield Send(context.key.beside("order", order), command)


def keep(context: EventContext) -> Iterator[Send]:
    """What was expected or reserved for an order and has come is the order's own, in the same commit."""
    if context.before is ABSENT or not order_of(context.before):
        return
    name, amount, funds = order_of(context.before), context.event.amount, context.after.funds
    order, rest = context.key.beside("order", name), reserved_minor(context.after)
    if rest or reserved_minor(context.before):
        yield Send(order, RecordAuthorisation(context.key.id, rest))
    if funds.order and funds.applied_to(ApplicationTarget.ORDER, name):
        payer = context.after.origin.customer
        yield Send(order, RecordCapture(context.key.id, amount.minor, amount.currency, payer))


def end_reservation(context: EventContext) -> Iterator[Send]:
    """A payment that is closed, or of which nothing is reserved, reserves nothing for its order."""
    order = order_of(context.after)
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
