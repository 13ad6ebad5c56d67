"""The payment's table, and nothing else. Read this first.

A payment knows no order: what its money is used for is told by allocations. Closed absorbs the state, not the facts:
what happens to the money later is recorded there.
"""

from __future__ import annotations

from typing import Final, TypeVar

from orderflow.domain.machine import Absent, Machine, Rule, rule, to
from orderflow.domain.payment import guards as g
from orderflow.domain.payment import messages as m
from orderflow.domain.payment import rules as r
from orderflow.domain.payment.messages import Operation
from orderflow.domain.payment.states import (
    Authorised,
    Closed,
    Disputed,
    Expected,
    Received,
    check_payment,
)

__all__ = ["PAYMENT"]

K = TypeVar("K", Expected, Authorised, Received, Closed)
W = TypeVar("W", Received, Closed)
H = TypeVar("H", Received, Disputed)
D = TypeVar("D", Received, Disputed, Closed)

FACT = (g.same_currency, g.not_in_the_future)
AUTHORISE = (*FACT, g.method_authorises, g.not_pending(Operation.AUTHORISE))
RECORD = (*FACT, g.value_date_not_in_the_future, g.same_origin, g.method_pays_at_once, g.not_pending(Operation.CAPTURE))
CAPTURE = (*FACT, g.within_authorised, g.not_pending(Operation.CAPTURE))
REFUND = (*FACT, g.enough_free, g.not_pending(Operation.REFUND))


def _mark(source: type[K]) -> Rule:
    outcome = to(m.OperationPending, source, r.marked)
    return rule(source, m.MarkPending, r.mark_pending, outcome, guards=(g.same_currency, g.operation_possible))


def _use(source: type[W]) -> tuple[Rule, Rule, Rule]:
    allocated = to(m.PaymentAllocated, source, r.allocated)
    refunded = to(m.PaymentRefunded, source, r.refunded)
    reversed_ = to(m.ChargedBack, source, r.charged_back)
    allocatable = (g.same_currency, g.enough_free, g.room_to_allocate)
    return (
        rule(source, m.AllocatePayment, r.allocate, allocated, guards=allocatable),
        rule(source, m.RefundPayment, r.refund, refunded, guards=REFUND),
        rule(source, m.ChargeBackPayment, r.charge_back, reversed_, guards=(*FACT, g.reversible)),
    )


def _deallocate(source: type[D]) -> Rule:
    outcome = to(m.PaymentDeallocated, source, r.deallocated)
    return rule(source, m.DeallocatePayment, r.deallocate, outcome, guards=(g.same_currency, g.allocated_there))


def _resolve(source: type[H]) -> Rule:
    return rule(
        source, m.ResolvePending, r.resolve, to(m.OperationFailed, source, r.failed),
        to(m.PaymentCaptured, source, r.captured), to(m.PaymentRefunded, source, r.refunded),
        guards=(g.is_pending, g.not_in_the_future),
    )  # fmt: skip


PAYMENT: Final = Machine(
    "payment",
    commands=m.PaymentCommand,
    events=m.PaymentEvent,
    final=(Closed,),
    check=check_payment,
    rules=(
        rule(Absent, m.ExpectPayment, r.expect, to(m.PaymentExpected, Expected, r.expected)),
        rule(
            Absent, m.RecordPayment, r.record, to(m.PaymentReceived, Received, r.received),
            guards=(g.not_in_the_future, g.value_date_not_in_the_future),
        ),
        rule(Expected, m.RecordPayment, r.record, to(m.PaymentReceived, Received, r.received), guards=RECORD),
        rule(
            Expected, m.AuthorisePayment, r.authorise, to(m.PaymentAuthorised, Authorised, r.authorised),
            guards=AUTHORISE,
        ),
        rule(
            Authorised, m.CapturePayment, r.capture, to(m.PaymentCaptured, Received, r.first_captured),
            guards=CAPTURE,
        ),
        rule(Received, m.CapturePayment, r.capture, to(m.PaymentCaptured, Received, r.captured), guards=CAPTURE),
        *_use(Received),
        *_use(Closed),
        _deallocate(Received),
        _deallocate(Disputed),
        _deallocate(Closed),
        rule(
            Received, m.DisputePayment, r.dispute, to(m.PaymentDisputed, Disputed, r.disputed),
            guards=(*FACT, g.reversible),
        ),
        rule(
            Disputed, m.ResolveDispute, r.resolve_dispute, to(m.ChargedBack, Received, r.dispute_lost),
            to(m.DisputeWon, Received, r.dispute_won), guards=(g.not_in_the_future,),
        ),
        _mark(Expected),
        _mark(Authorised),
        _mark(Received),
        _mark(Closed),
        rule(
            Expected, m.ResolvePending, r.resolve_expected, to(m.OperationFailed, Expected, r.failed),
            to(m.PaymentAuthorised, Authorised, r.authorised), to(m.PaymentReceived, Received, r.received),
            guards=(g.is_pending, g.not_in_the_future),
        ),
        rule(
            Authorised, m.ResolvePending, r.resolve_authorised, to(m.OperationFailed, Authorised, r.failed),
            to(m.PaymentCaptured, Received, r.first_captured), guards=(g.is_pending, g.not_in_the_future),
        ),
        _resolve(Received),
        _resolve(Disputed),
        rule(
            Closed, m.ResolvePending, r.resolve_closed, to(m.OperationFailed, Closed, r.failed),
            to(m.PaymentRefunded, Closed, r.refunded), guards=(g.is_pending, g.not_in_the_future),
        ),
        rule(Expected, m.ClosePayment, r.close, to(m.PaymentClosed, Closed, r.closed), guards=(g.nothing_pending,)),
        rule(Authorised, m.ClosePayment, r.close, to(m.PaymentClosed, Closed, r.closed), guards=(g.nothing_pending,)),
        rule(
            Received, m.ClosePayment, r.close, to(m.PaymentClosed, Closed, r.closed),
            guards=(g.nothing_pending, g.nothing_free),
        ),
    ),
)  # fmt: skip
