"""The payment's table, and nothing else. Read this first.

A payment knows no order: what its money is used for is told by applications. Closed absorbs the state, not the facts:
what happens to the money later is recorded there.
"""

from __future__ import annotations

from typing import Final, TypeAlias, TypeVar

from orderflow.domain.engine.machine import Absent, Machine, Rule, rule, to
from orderflow.domain.payments.applying import (
    ApplyPayment,
    PaymentApplied,
    PaymentUnapplied,
    UnapplyPayment,
    applied,
    apply,
    enough_applied,
    room_to_apply,
    unapplied,
    unapply,
)
from orderflow.domain.payments.collecting import (
    AuthorisePayment,
    CapturePayment,
    ClosePayment,
    ExpectPayment,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentClosed,
    PaymentExpected,
    PaymentReceived,
    RecordPayment,
    authorise,
    authorised,
    capture,
    captured,
    close,
    closed,
    expect,
    expected,
    first_captured,
    method_authorises,
    method_pays_at_once,
    nothing_free,
    received,
    record,
    same_origin,
    value_date_not_in_the_future,
    within_authorised,
)
from orderflow.domain.payments.guards import enough_free, not_in_the_future, not_pending, nothing_pending, same_currency
from orderflow.domain.payments.pending import (
    MarkPending,
    OperationFailed,
    OperationPending,
    ResolvePending,
    failed,
    is_pending,
    mark_pending,
    marked,
    operation_possible,
    resolve,
    resolve_authorised,
    resolve_closed,
    resolve_expected,
)
from orderflow.domain.payments.refunding import (
    ChargeBackPayment,
    ChargedBack,
    DisputePayment,
    DisputeWon,
    PaymentDisputed,
    PaymentRefunded,
    RefundPayment,
    ResolveDispute,
    charge_back,
    charged_back,
    dispute,
    dispute_lost,
    dispute_won,
    disputed,
    refund,
    refunded,
    resolve_dispute,
    reversible,
)
from orderflow.domain.payments.state import Authorised, Closed, Disputed, Expected, Operation, Received, check_payment

__all__ = ["PAYMENT", "PaymentCommand", "PaymentEvent"]


PaymentCommand: TypeAlias = (
    ExpectPayment | AuthorisePayment | CapturePayment | RecordPayment | ApplyPayment | UnapplyPayment
    | RefundPayment | ChargeBackPayment | DisputePayment | ResolveDispute | MarkPending | ResolvePending | ClosePayment
)  # fmt: skip


PaymentEvent: TypeAlias = (
    PaymentExpected | PaymentAuthorised | PaymentCaptured | PaymentReceived | PaymentApplied | PaymentUnapplied
    | PaymentRefunded | ChargedBack | PaymentDisputed | DisputeWon | OperationPending | OperationFailed | PaymentClosed
)  # fmt: skip


K = TypeVar("K", Expected, Authorised, Received, Closed)


W = TypeVar("W", Received, Closed)


H = TypeVar("H", Received, Disputed)


D = TypeVar("D", Received, Disputed, Closed)


FACT = (same_currency, not_in_the_future)


AUTHORISE = (*FACT, method_authorises, not_pending(Operation.AUTHORISE))


RECORD = (*FACT, value_date_not_in_the_future, same_origin, method_pays_at_once, not_pending(Operation.CAPTURE))


CAPTURE = (*FACT, within_authorised, not_pending(Operation.CAPTURE))


REFUND = (*FACT, enough_free, not_pending(Operation.REFUND))


def _mark(source: type[K]) -> Rule:
    transition = to(OperationPending, source, marked)
    return rule(source, MarkPending, mark_pending, transition, guards=(same_currency, operation_possible))


def _use(source: type[W]) -> tuple[Rule, Rule, Rule]:
    use = to(PaymentApplied, source, applied)
    back = to(PaymentRefunded, source, refunded)
    reversed_ = to(ChargedBack, source, charged_back)
    applicable = (same_currency, enough_free, room_to_apply)
    return (
        rule(source, ApplyPayment, apply, use, guards=applicable),
        rule(source, RefundPayment, refund, back, guards=REFUND),
        rule(source, ChargeBackPayment, charge_back, reversed_, guards=(*FACT, reversible)),
    )


def _unapply(source: type[D]) -> Rule:
    transition = to(PaymentUnapplied, source, unapplied)
    return rule(source, UnapplyPayment, unapply, transition, guards=(same_currency, enough_applied))


def _resolve(source: type[H]) -> Rule:
    return rule(
        source, ResolvePending, resolve, to(OperationFailed, source, failed),
        to(PaymentCaptured, source, captured), to(PaymentRefunded, source, refunded),
        guards=(is_pending, not_in_the_future),
    )  # fmt: skip


PAYMENT: Final = Machine(
    "payment",
    commands=PaymentCommand,
    events=PaymentEvent,
    final=(Closed,),
    check=check_payment,
    rules=(
        rule(Absent, ExpectPayment, expect, to(PaymentExpected, Expected, expected)),
        rule(
            Absent, RecordPayment, record, to(PaymentReceived, Received, received),
            guards=(not_in_the_future, value_date_not_in_the_future),
        ),
        rule(Expected, RecordPayment, record, to(PaymentReceived, Received, received), guards=RECORD),
        rule(
            Expected, AuthorisePayment, authorise, to(PaymentAuthorised, Authorised, authorised),
            guards=AUTHORISE,
        ),
        rule(
            Authorised, CapturePayment, capture, to(PaymentCaptured, Received, first_captured),
            guards=CAPTURE,
        ),
        rule(Received, CapturePayment, capture, to(PaymentCaptured, Received, captured), guards=CAPTURE),
        *_use(Received),
        *_use(Closed),
        _unapply(Received),
        _unapply(Disputed),
        _unapply(Closed),
        rule(
            Received, DisputePayment, dispute, to(PaymentDisputed, Disputed, disputed),
            guards=(*FACT, reversible),
        ),
        rule(
            Disputed, ResolveDispute, resolve_dispute, to(ChargedBack, Received, dispute_lost),
            to(DisputeWon, Received, dispute_won), guards=(not_in_the_future,),
        ),
        _mark(Expected),
        _mark(Authorised),
        _mark(Received),
        _mark(Closed),
        rule(
            Expected, ResolvePending, resolve_expected, to(OperationFailed, Expected, failed),
            to(PaymentAuthorised, Authorised, authorised), to(PaymentReceived, Received, received),
            guards=(is_pending, not_in_the_future),
        ),
        rule(
            Authorised, ResolvePending, resolve_authorised, to(OperationFailed, Authorised, failed),
            to(PaymentCaptured, Received, first_captured), guards=(is_pending, not_in_the_future),
        ),
        _resolve(Received),
        _resolve(Disputed),
        rule(
            Closed, ResolvePending, resolve_closed, to(OperationFailed, Closed, failed),
            to(PaymentRefunded, Closed, refunded), guards=(is_pending, not_in_the_future),
        ),
        rule(Expected, ClosePayment, close, to(PaymentClosed, Closed, closed), guards=(nothing_pending,)),
        rule(Authorised, ClosePayment, close, to(PaymentClosed, Closed, closed), guards=(nothing_pending,)),
        rule(
            Received, ClosePayment, close, to(PaymentClosed, Closed, closed),
            guards=(nothing_pending, nothing_free),
        ),
    ),
)  # fmt: skip
