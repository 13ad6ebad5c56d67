"""The payment's table, and nothing else. Read this first.

Facts about money are taken in every state: what contradicts the row becomes a task on it. Applications say what its
money is used for. A closed payment stays closed, but what happens to its money later is still recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from orderflow.domain.engine.machine import Absent, Guard, Machine, Rule, Transition, choice, rule, rules, to
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.payments import applying as a
from orderflow.domain.payments import collecting as c
from orderflow.domain.payments import facts as f
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
UNFUNDED: tuple[type[Expected | Authorised], ...] = (Expected, Authorised)
KNOWN: tuple[type[Known], ...] = (*UNFUNDED, *FUNDED)

FACT = (g.not_in_the_future,)
RECORD = (*FACT, c.value_date_not_in_the_future)
SAME = (*RECORD, c.same_origin)
APPLY = (g.same_currency, g.enough_free, a.room_to_apply)
RESOLVE = (p.is_pending, g.not_in_the_future)
ENDED = to(c.AuthorisationEnded, (Expected, Closed), c.ended)


def _facts(
    sources: tuple[type[Any], ...],
    command: type[Any],
    decide: Callable[[Any, Any, Stamp], Any],
    *ends: Transition[Any, Any, Any],
    stays: tuple[type[Any], Callable[[Any, Any], Any]] | None = None,
    guards: tuple[Guard[Any, Any], ...] = FACT,
    answers: Operation | None = None,
) -> tuple[Rule, ...]:
    """A fact in each of these states: it leads to one of ``ends``, changes amounts (``stays``), or is merely noted."""

    def line(source: type[Any]) -> Rule:
        same = (to(stays[0], source, stays[1]),) if stays else ()
        noted = to(f.FactNoted, source, f.noted)
        return Rule(source, command, f.told_once(decide, answers), (*ends, *same, noted), guards)

    return tuple([line(source) for source in sources])


COLLECT: Final = (
    rule(Absent, c.ExpectPayment, c.PaymentExpected, Expected, c.expected, decide=c.expect),
    rule(Absent, c.RecordPayment, c.PaymentReceived, Received, c.received, guards=RECORD, decide=c.record),
    _facts(UNFUNDED, c.RecordPayment, c.record, to(c.PaymentReceived, Received, c.received), guards=SAME),
    _facts((Received, Disputed), c.RecordPayment, c.record_again, guards=SAME),
    _facts((Closed,), c.RecordPayment, c.record_late, stays=(c.PaymentReceived, c.received_late), guards=SAME),
)

AUTHORISE: Final = (
    _facts(
        (Expected,), c.AuthorisePayment, c.authorise,
        to(c.PaymentAuthorised, Authorised, c.authorised), answers=Operation.AUTHORISE,
    ),
    _facts(
        (Authorised,), c.AuthorisePayment, c.authorise_later,
        stays=(c.PaymentAuthorised, c.authorised), answers=Operation.AUTHORISE,
    ),
    _facts(
        FUNDED, c.AuthorisePayment, c.authorise_later,
        stays=(c.PaymentAuthorised, c.authorised_later), answers=Operation.AUTHORISE,
    ),
    _facts((Expected,), c.EndAuthorisation, c.end),
    _facts(
        (Authorised,), c.EndAuthorisation, c.end,
        ENDED, answers=Operation.VOID,
    ),
    _facts(FUNDED, c.EndAuthorisation, c.end, stays=(c.AuthorisationEnded, c.rest_ended), answers=Operation.VOID),
)  # fmt: skip

CAPTURE: Final = (
    _facts(
        UNFUNDED, c.CapturePayment, c.capture,
        to(c.PaymentCaptured, Received, c.first_captured), answers=Operation.CAPTURE,
    ),
    _facts(FUNDED, c.CapturePayment, c.capture, stays=(c.PaymentCaptured, c.captured), answers=Operation.CAPTURE),
)  # fmt: skip

APPLICATION: Final = (
    rules(USABLE, a.ApplyPayment, a.PaymentApplied, None, a.applied, guards=APPLY),
    rules(
        FUNDED, a.UnapplyPayment, a.PaymentUnapplied, None, a.unapplied, guards=(g.same_currency, a.enough_applied)
    ),
    rules(FUNDED, a.ReleaseApplication, a.ApplicationReleased, None, a.released, guards=(a.was_applied,)),
)  # fmt: skip

GIVE_BACK: Final = (
    _facts(UNFUNDED, r.RefundPayment, r.refund),
    _facts(FUNDED, r.RefundPayment, r.refund, stays=(r.PaymentRefunded, r.refunded), answers=Operation.REFUND),
    _facts(UNFUNDED, r.ChargeBackPayment, r.charge_back),
    _facts(FUNDED, r.ChargeBackPayment, r.charge_back, stays=(r.ChargedBack, r.charged_back)),
    _facts((*UNFUNDED, Closed), r.DisputePayment, r.dispute),
    _facts((Received, Disputed), r.DisputePayment, r.dispute, to(r.PaymentDisputed, Disputed, r.disputed)),
    _facts((*UNFUNDED, Received, Closed), r.ResolveDispute, r.resolve_nothing),
    choice(
        Disputed, r.ResolveDispute, f.told_once(r.resolve_dispute),
        to(r.DisputeLost, Received, r.dispute_lost), to(r.DisputeWon, Received, r.dispute_won),
        to(f.FactNoted, Disputed, f.noted), guards=FACT,
    ),
)  # fmt: skip

TASKS: Final = rules(KNOWN, f.ClosePaymentTask, f.PaymentTaskClosed, None, f.task_closed, guards=(f.has_task,))


def _resolve(source: type[Known], *ends: Transition[Any, Any, Any]) -> Rule:
    """What became of an operation that may be pending in this state."""
    return Rule(source, p.ResolvePending, p.resolve, (to(p.OperationFailed, source, p.failed), *ends), RESOLVE)


PENDING: Final = (
    rules(
        KNOWN, p.RequestOperation, p.OperationRequested, None, p.requested,
        guards=(p.operation_possible,), decide=p.request,
    ),
    _resolve(
        Expected, to(c.PaymentAuthorised, Authorised, c.authorised), to(c.PaymentCaptured, Received, c.first_captured)
    ),
    _resolve(
        Authorised, to(c.PaymentCaptured, Received, c.first_captured), ENDED
    ),
    tuple(
        _resolve(
            source, to(c.PaymentCaptured, source, c.captured), to(r.PaymentRefunded, source, r.refunded),
            to(c.AuthorisationEnded, source, c.rest_ended), to(c.PaymentAuthorised, source, c.authorised_later),
            to(f.FactNoted, source, f.noted),
        )
        for source in FUNDED
    ),
)  # fmt: skip

CLOSE: Final = (
    rules(UNFUNDED, c.ClosePayment, c.PaymentClosed, Closed, c.closed, guards=(g.nothing_pending,)),
    rule(Received, c.ClosePayment, c.PaymentClosed, Closed, c.closed, guards=(g.nothing_pending, c.nothing_free)),
)

PAYMENT: Final = Machine(
    "payment",
    rules=(*COLLECT, *AUTHORISE, *CAPTURE, *APPLICATION, *GIVE_BACK, TASKS, *PENDING, *CLOSE),
    final=(Closed,),
    check=check_payment,
)
