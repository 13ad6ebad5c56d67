"""The payment's table, and nothing else. Read this first.

A payment knows no order: applications say what its money is used for. A closed payment stays closed, but what happens
to its money later is still recorded.
"""

from __future__ import annotations

from typing import Final

from orderflow.domain.engine.machine import Absent, Machine, Rule, choice, rule, rules, to
from orderflow.domain.payments import applying as a
from orderflow.domain.payments import collecting as c
from orderflow.domain.payments import guards as g
from orderflow.domain.payments import pending as p
from orderflow.domain.payments import refunding as r
from orderflow.domain.payments.state import (
    Authorised,
    Closed,
    Disputed,
    Expected,
    Funded,
    Known,
    Operation,
    Received,
    check_payment,
)

USABLE: tuple[type[Funded], ...] = (Received, Closed)
FUNDED: tuple[type[Funded], ...] = (Received, Disputed, Closed)
UNDISPUTED: tuple[type[Known], ...] = (Expected, Authorised, Received, Closed)
UNFUNDED: tuple[type[Expected | Authorised], ...] = (Expected, Authorised)

FACT = (g.same_currency, g.not_in_the_future)
DATED = (g.not_in_the_future, c.value_date_not_in_the_future)
AUTHORISE = (*FACT, c.method_authorises, g.not_pending(Operation.AUTHORISE))
RECORD = (g.same_currency, *DATED, c.same_origin, c.method_pays_at_once, g.not_pending(Operation.CAPTURE))
CAPTURE = (*FACT, g.within_authorised, g.not_pending(Operation.CAPTURE))
APPLY = (g.same_currency, g.enough_free, a.room_to_apply)
REFUND = (*FACT, g.enough_free, g.not_pending(Operation.REFUND))
REVERSE = (*FACT, r.reversible)
RESOLVE = (p.is_pending, g.not_in_the_future)

COLLECT: Final = (
    rule(Absent, c.ExpectPayment, c.PaymentExpected, Expected, c.expected),
    rule(Expected, c.AuthorisePayment, c.PaymentAuthorised, Authorised, c.authorised, guards=AUTHORISE),
    rule(Authorised, c.CapturePayment, c.PaymentCaptured, Received, c.first_captured, guards=CAPTURE),
    rule(Received, c.CapturePayment, c.PaymentCaptured, Received, c.captured, guards=CAPTURE),
    rule(
        Absent, c.RecordPayment, c.PaymentReceived, Received, c.received, guards=(*DATED, c.method_pays_at_once)
    ),
    rule(Expected, c.RecordPayment, c.PaymentReceived, Received, c.received, guards=RECORD),
)  # fmt: skip

APPLICATION: Final = (
    rules(USABLE, a.ApplyPayment, a.PaymentApplied, None, a.applied, guards=APPLY),
    rules(
        FUNDED, a.UnapplyPayment, a.PaymentUnapplied, None, a.unapplied, guards=(g.same_currency, a.enough_applied)
    ),
    rules(FUNDED, a.ReleaseApplication, a.ApplicationReleased, None, a.released, guards=(a.was_applied,)),
)  # fmt: skip

GIVE_BACK: Final = (
    rules(USABLE, r.RefundPayment, r.PaymentRefunded, None, r.refunded, guards=REFUND),
    rules(USABLE, r.ChargeBackPayment, r.ChargedBack, None, r.charged_back, guards=REVERSE, decide=r.charge_back),
    rule(Received, r.DisputePayment, r.PaymentDisputed, Disputed, r.disputed, guards=REVERSE),
    choice(
        Disputed, r.ResolveDispute, r.resolve_dispute,
        to(r.ChargedBack, Received, r.dispute_lost), to(r.DisputeWon, Received, r.dispute_won),
        guards=(g.not_in_the_future,),
    ),
)  # fmt: skip


def _resolve(source: type[Received | Disputed]) -> Rule:
    return choice(
        source, p.ResolvePending, p.resolve_funded, to(p.OperationFailed, source, p.failed),
        to(c.PaymentCaptured, source, c.captured), to(r.PaymentRefunded, source, r.refunded), guards=RESOLVE,
    )  # fmt: skip


PENDING: Final = (
    rules(
        UNDISPUTED, p.MarkPending, p.OperationPending, None, p.marked, guards=(g.same_currency, p.operation_possible)
    ),
    choice(
        Expected, p.ResolvePending, p.resolve_expected, to(p.OperationFailed, Expected, p.failed),
        to(c.PaymentAuthorised, Authorised, c.authorised), to(c.PaymentReceived, Received, c.received), guards=RESOLVE,
    ),
    choice(
        Authorised, p.ResolvePending, p.resolve_authorised, to(p.OperationFailed, Authorised, p.failed),
        to(c.PaymentCaptured, Received, c.first_captured), guards=RESOLVE,
    ),
    _resolve(Received),
    _resolve(Disputed),
    choice(
        Closed, p.ResolvePending, p.resolve_closed, to(p.OperationFailed, Closed, p.failed),
        to(r.PaymentRefunded, Closed, r.refunded), guards=RESOLVE,
    ),
)  # fmt: skip

CLOSE: Final = (
    rules(UNFUNDED, c.ClosePayment, c.PaymentClosed, Closed, c.closed, guards=(g.nothing_pending,)),
    rule(Received, c.ClosePayment, c.PaymentClosed, Closed, c.closed, guards=(g.nothing_pending, c.nothing_free)),
)

PAYMENT: Final = Machine(
    "payment",
    rules=(*COLLECT, *APPLICATION, *GIVE_BACK, *PENDING, *CLOSE),
    final=(Closed,),
    check=check_payment,
)
