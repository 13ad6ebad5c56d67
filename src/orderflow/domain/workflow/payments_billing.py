"""What payments tell invoices and accounts, and orders after the commit."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.domain.billing.account import Posting
from orderflow.domain.billing.invoice import RecordApplication, WithdrawApplication
from orderflow.domain.engine.workflow import Effect, EventContext, Send
from orderflow.domain.payments.state import ApplicationTarget
from orderflow.domain.workflow.billing_accounts import post


def post_payment(context: EventContext) -> Iterator[Send]:
    return post(context, Posting.PAYMENT, context.after.origin.customer, context.event.amount)


def post_repayment(context: EventContext) -> Iterator[Send]:
    return post(context, Posting.PAYMENT, context.after.origin.customer, -context.event.amount)


def record_application(context: EventContext) -> Iterator[Send]:
    event, amount = context.event, context.event.amount
    if event.target is ApplicationTarget.INVOICE:
        command = RecordApplication(context.key.id, amount.minor, amount.currency)
        yield Send(context.key.beside("invoice", event.id), command)


def withdraw_application(context: EventContext) -> Iterator[Send]:
    event, amount = context.event, context.event.amount
    if event.target is ApplicationTarget.INVOICE:
        command = WithdrawApplication(context.key.id, amount.minor, amount.currency)
        yield Send(context.key.beside("invoice", event.id), command)


def withdraw_released(context: EventContext) -> Iterator[Send]:
    for target, document, minor in context.event.released:
        if target is ApplicationTarget.INVOICE:
            command = WithdrawApplication(context.key.id, minor, context.event.amount.currency)
            yield Send(context.key.beside("invoice", document), command)


# -- after the commit: an order comes before its payments in lock order


def _prepayment(context: EventContext, order: str, minor: int) -> Effect:
    data = (("order", order), ("amount_minor", str(minor)), ("currency", context.event.amount.currency))
    return Effect("record_prepayment", context.key, data)


def prepay(context: EventContext) -> Iterator[Effect]:
    if context.event.target is ApplicationTarget.ORDER:
        yield _prepayment(context, context.event.id, context.event.amount.minor)


def withdraw_prepayment(context: EventContext) -> Iterator[Effect]:
    if context.event.target is ApplicationTarget.ORDER:
        yield _prepayment(context, context.event.id, -context.event.amount.minor)


def withdraw_released_prepayments(context: EventContext) -> Iterator[Effect]:
    for target, order, minor in context.event.released:
        if target is ApplicationTarget.ORDER:
            yield _prepayment(context, order, -minor)
