"""What orders ask of the payments that pay for them, by policy: capture on dispatch, void, refund.

Payments stand below orders in lock order, so each hears of it afterwards, and what it is asked for is what the order
needs then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from orderflow.domain.engine.workflow import Effect, EventContext
from orderflow.domain.orders.charging import to_capture_minor, to_pay_minor, to_refund_minor
from orderflow.domain.orders.content import CaptureOn, RefundOn
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.payments.state import Operation

__all__ = ["Wish", "request_operations", "wishes"]


class Wish(NamedTuple):
    """An operation that an order wants of one of its payments, and the amount in minor units."""

    payment: str
    operation: Operation
    minor: int


def wishes(order: HasProgress, at: datetime) -> Iterator[Wish]:
    """What the order's policy asks of its payments at a time."""
    policy = order.content.policy
    if policy.capture_on is CaptureOn.DISPATCH and order.progress.authorisations:
        yield from _of_what_is_reserved(order, at)
    if policy.refund_on is RefundOn.DUE and order.progress.pool_minor:
        yield from _refunds(order)


def _of_what_is_reserved(order: HasProgress, at: datetime) -> Iterator[Wish]:
    reserved = [a for a in order.progress.authorisations if a.until is None or at < a.until]
    if to_pay_minor(order) <= 0:
        yield from [Wish(a.payment, Operation.VOID, a.minor) for a in reserved]
        return
    left = to_capture_minor(order, at)
    for a in reserved:
        part = min(left, a.minor)
        if part:
            yield Wish(a.payment, Operation.CAPTURE, part)
        left -= part


def _refunds(order: HasProgress) -> Iterator[Wish]:
    """The newest money goes back first."""
    left = to_refund_minor(order)
    for payment, minor in reversed(order.progress.prepayments):
        part = min(left, minor)
        if part:
            yield Wish(payment, Operation.REFUND, part)
        left -= part


def request_operations(context: EventContext) -> Iterator[Effect]:
    for payment in dict.fromkeys([wish.payment for wish in wishes(context.after, context.stamp.at)]):
        yield Effect("request_operation", context.key.beside("payment", payment), (("order", context.key.id),))


def operations_on_more(context: EventContext) -> Iterator[Effect]:
    """What is reserved late may be needed at once, or no longer; where less is reserved, other events follow."""
    before = {a.payment: a.minor for a in context.before.progress.authorisations}
    event = context.event
    return request_operations(context) if event.amount_minor > before.get(event.payment, 0) else iter(())
