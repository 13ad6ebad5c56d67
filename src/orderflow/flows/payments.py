"""Payments: what orders ask of them by policy, and what providers are asked for, with their answers as facts."""

from __future__ import annotations

from typing import Any

from orderflow.domain.engine.decide import Flow, Message, Read, ask
from orderflow.domain.engine.limits import MAX_NAME
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.money.money import Money
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.payments.collecting import AuthorisePayment, CapturePayment, EndAuthorisation
from orderflow.domain.payments.pending import DECLINED, RequestOperation, ResolvePending, is_in_the_way
from orderflow.domain.payments.refunding import RefundPayment
from orderflow.domain.payments.state import Disputed, Known, Operation
from orderflow.domain.workflow.orders_payments import Wish, wishes
from orderflow.errors import PortError
from orderflow.flows.asks import Commands, FindOperation, HasProvider, Now, Operate
from orderflow.flows.impersonal import impersonal
from orderflow.ports.payments import Answer, Outcome, PaymentRequest
from orderflow.ports.storage import Lease

__all__ = ["operate_payment", "request_operation"]


def request_operation(message: Message) -> Flow[Commands]:
    """Ask a payment for what its order needs by now, which may be nothing any more.

    Nothing is asked of a source without a provider: there a person gives back.
    """
    key = message.lane.beside("order", dict(message.data)["order"])
    rows = yield from ask(Read([message.lane, key]))
    payment, order = rows[message.lane].state, rows[key].state
    if not isinstance(order, HasProgress) or not (yield from ask(HasProvider(payment.origin.source))):
        return ()
    wanted = wishes(order, (yield from ask(Now())))
    mine = [wish for wish in wanted if wish.payment == message.lane.id and not _must_wait(payment, wish.operation)]
    return [(message.lane, _request(wish, key.id, order.content.currency)) for wish in mine]


def _must_wait(payment: Known, operation: Operation) -> bool:
    """Whether an outcome, the end of a dispute or the closing of a task comes first; each asks again."""
    if isinstance(payment, Disputed) and operation is Operation.REFUND:
        return True
    return is_in_the_way(payment, operation) is not None or any(
        task.code == DECLINED and ("operation", operation.value) in task.facts for task in payment.notes.tasks
    )


def _request(wish: Wish, order: str, currency: str) -> RequestOperation:
    amount = None if wish.operation is Operation.VOID else Money(wish.minor, currency)
    return RequestOperation(wish.operation, amount, order)


def operate_payment(lease: Lease) -> Flow[Commands]:
    """Have the provider carry out a request; if it may have been asked before, see what has become of that.

    If the outcome is known by now from elsewhere, nothing new is asked for; an answer to an earlier attempt is a fact
    all the same.
    """
    message, data = lease.message, dict(lease.message.data)
    payment = (yield from ask(Read([message.lane])))[message.lane].state
    request = PaymentRequest(
        payment=message.lane.id,
        reference=payment.origin.external_id,
        method=payment.origin.method,
        operation=Operation(data["operation"]),
        amount=Money(int(data["minor"]), data["currency"]),
        idempotency_key=message.id,
        tenant=message.lane.tenant,
    )
    pending = any(item.id == data["request"] for item in payment.pending)
    answer = yield from _answer(payment.origin.source, request, lease, pending=pending)
    if answer is None or (answer.outcome is Outcome.DECLINED and not pending):
        return ()
    if answer.outcome is Outcome.DECLINED:
        # The reason is stored with the payment.
        reason = yield from impersonal(message.lane, answer.reason or "declined")
        told = ResolvePending(request.operation, succeeded=False, request=data["request"], reason=reason[:MAX_NAME])
        return [(message.lane, told)]
    return [(message.lane, _told(request, answer, data["request"]))]


def _answer(provider: str, request: PaymentRequest, lease: Lease, *, pending: bool) -> Flow[Answer | None]:
    if lease.maybe_sent:
        earlier = yield from ask(FindOperation(provider, request.idempotency_key, lease))
        if earlier is not None:
            return _checked(provider, earlier)
    if not pending:
        return None
    try:
        return _checked(provider, (yield from ask(Operate(provider, request, lease))))
    except PortError as error:
        if error.retry:
            raise
        return Answer(Outcome.DECLINED, reason=str(error)[:MAX_NAME])


def _checked(provider: str, answer: Any) -> Answer:
    """The answer, once it is checked: answers from outside are not trusted.

    Raises:
        PortError: the answer is anything else, or there is none yet.
    """
    if type(answer) is not Answer:
        raise PortError(provider, f"answered with a {type(answer).__name__}, not an Answer")
    faults = faults_of(answer)
    if faults or (answer.amount is not None and answer.amount.minor < 1):
        raise PortError(provider, f"gave a malformed answer: {'; '.join(map(str, faults)) or 'amount'}")
    if answer.outcome is Outcome.UNDER_WAY:
        raise PortError(provider, "is still working on it")
    return answer


def _told(request: PaymentRequest, answer: Answer, id_: str) -> Any:
    """The answer as a fact of its payment."""
    operation, amount = request.operation, answer.amount or request.amount
    if operation is Operation.AUTHORISE:
        return AuthorisePayment(amount, fact_id=answer.fact_id, request=id_, until=answer.until)
    if operation is Operation.VOID:
        return EndAuthorisation(answer.fact_id, id_)
    fact = CapturePayment if operation is Operation.CAPTURE else RefundPayment
    return fact(amount, answer.fact_id, id_)
