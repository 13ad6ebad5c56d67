"""Payments to invoices and accounts, and to orders after the commit."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.domain.billing.account import Posting
from orderflow.domain.billing.invoice import RecordApplication, WithdrawApplication
from orderflow.domain.engine.workflow import Effect, EventContext, Send
from orderflow.domain.payments.state import ApplicationTarget
from orderflow.domain.workflow.billing_accounts import post


def post_payment(h: EventContext) -> Iterator[Send]:
    return post(h, Posting.PAYMENT, h.after.origin.customer, h.event.amount)


def post_repayment(h: EventContext) -> Iterator[Send]:
    return post(h, Posting.PAYMENT, h.after.origin.customer, -h.event.amount)


def record_application(h: EventContext) -> Iterator[Send]:
    event, amount = h.event, h.event.amount
    if event.target is ApplicationTarget.INVOICE:
        command = RecordApplication(h.key.id, amount.minor, amount.currency)
        yield Send(h.key.beside("invoice", event.id), command)


def withdraw_application(h: EventContext) -> Iterator[Send]:
    event, amount = h.event, h.event.amount
    if event.target is ApplicationTarget.INVOICE:
        command = WithdrawApplication(h.key.id, amount.minor, amount.currency)
        yield Send(h.key.beside("invoice", event.id), command)


def withdraw_released(h: EventContext) -> Iterator[Send]:
    for target, document, minor in h.event.released:
        if target is ApplicationTarget.INVOICE:
            command = WithdrawApplication(h.key.id, minor, h.event.amount.currency)
            yield Send(h.key.beside("invoice", document), command)


# -- after the commit: an order stands below its payments in the order of locks


def _prepayment(h: EventContext, order: str, minor: int) -> Effect:
    data = (("order", order), ("amount_minor", str(minor)), ("currency", h.event.amount.currency))
    return Effect("record_prepayment", h.key, data)


def prepay(h: EventContext) -> Iterator[Effect]:
    if h.event.target is ApplicationTarget.ORDER:
        yield _prepayment(h, h.event.id, h.event.amount.minor)


def withdraw_prepayment(h: EventContext) -> Iterator[Effect]:
    if h.event.target is ApplicationTarget.ORDER:
        yield _prepayment(h, h.event.id, -h.event.amount.minor)


def withdraw_released_prepayments(h: EventContext) -> Iterator[Effect]:
    for target, order, minor in h.event.released:
        if target is ApplicationTarget.ORDER:
            yield _prepayment(h, order, -minor)
