"""Operations that the provider is asked for: stored and capped before it is asked, pending until the outcome is known.

The answer comes back as a fact (``CapturePayment`` and the like) that names its request; a refusal, or what a person
has found out, by ``ResolvePending``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Name
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money, at_most
from orderflow.domain.payments.collecting import AuthorisationEnded, PaymentAuthorised, PaymentCaptured
from orderflow.domain.payments.facts import FactNoted, task, with_tasks
from orderflow.domain.payments.guards import capturable, in_currency
from orderflow.domain.payments.refunding import PaymentRefunded, RefundPayment, refund
from orderflow.domain.payments.state import (
    Application,
    ApplicationTarget,
    Closed,
    Expected,
    Funded,
    Known,
    Operation,
    Pending,
    Received,
    currency_of,
    lowered,
    with_more,
    without,
)
from orderflow.domain.values import Task
from orderflow.errors import Fault, Refusal

K = TypeVar("K", bound=Known)

#: The task that a refusal of the provider leaves.
DECLINED: Final = "declined"

# -- asking


class RequestOperation(Command):
    """Ask the provider for an operation, one of each kind at a time; without ``amount`` for all that is possible.

    A void has no amount: it ends the whole rest. On behalf of an ``order``, no more is taken than it is to pay now,
    nothing is let go or given back that it still needs, and a refund is of what is kept for it; without one, a refund
    is of free money.
    """

    operation: Operation
    amount: Money | None = None
    order: Name = ""

    def faults(self) -> Iterator[Fault]:
        """An amount is positive; a void has none."""
        if self.amount is not None and (self.amount.minor < 1 or self.operation is Operation.VOID):
            void = self.operation is Operation.VOID
            yield Fault("amount.minor", "out_of_range", "a void has none" if void else "must be at least 1 minor unit")


class OperationRequested(Event):
    """The provider is asked, on behalf of ``order``. ``released`` is what stopped paying it, to be given back."""

    operation: Operation
    amount: Money
    id: str
    at: datetime
    released: tuple[Application, ...]
    order: str = ""


def operation_possible(state: Known, command: RequestOperation, stamp: Stamp) -> Refusal | None:
    """Only what is possible now, is there, and is not in the way of what is pending already."""
    operation = command.operation
    most = _possible_minor(state, command)
    if most is None:
        return refuse(
            "not_possible",
            "{operation} is not possible while the payment is {state}",
            operation=operation.value,
            state=type(state).__name__,
        )
    pending = is_in_the_way(state, operation)
    if pending:
        return refuse("pending", "the outcome of {operation} is not known yet", operation=pending.operation.value)
    if command.amount is None:
        return None if most else refuse("nothing_left", "there is nothing to {operation}", operation=operation.value)
    return in_currency(state, command.amount) or _within(state, operation, most, command.amount)


def is_in_the_way(state: Known, operation: Operation) -> Pending | None:
    """What is pending and stands in the way of an operation: one of its kind; of a void a capture, and the reverse."""
    for item in state.pending:
        if item.operation is operation or {item.operation, operation} == {Operation.CAPTURE, Operation.VOID}:
            return item
    return None


def _within(state: Known, operation: Operation, most: int, amount: Money) -> Refusal | None:
    if operation is Operation.REFUND:
        return at_most("exceeds_free", amount.minor, most, amount.currency)
    if isinstance(state, Expected):
        return at_most("exceeds_expected", amount.minor, most, amount.currency)
    return at_most("exceeds_authorised", amount.minor, most, amount.currency)


def _possible_minor(state: Known, command: RequestOperation) -> int | None:
    """How much of the operation is possible in minor units; None where this state knows no such operation."""
    operation = command.operation
    if isinstance(state, Expected):
        first = Operation.AUTHORISE if state.origin.authorises else Operation.CAPTURE
        return state.amount.minor if operation is first else None
    if operation is Operation.REFUND and isinstance(state, Received | Closed):
        return state.funds.applied_to(ApplicationTarget.ORDER, command.order) if command.order else state.free
    if operation is Operation.VOID or (operation is Operation.CAPTURE and not isinstance(state, Closed)):
        return capturable(state)
    return None


def request(state: Known, command: RequestOperation, stamp: Stamp) -> OperationRequested:
    amount = command.amount or Money(_possible_minor(state, command) or 0, currency_of(state))
    paid = command.order and command.operation is Operation.REFUND
    released = (Application(ApplicationTarget.ORDER, command.order, amount.minor),) if paid else ()
    return OperationRequested(command.operation, amount, stamp.command_id, stamp.moment, released, command.order)


def requested(state: K, event: OperationRequested) -> K:
    order = event.order if event.released else ""
    pending = (*state.pending, Pending(event.operation, event.amount.minor, event.id, event.at, order))
    if isinstance(state, Funded):
        return evolve(state, funds=lowered(state.funds, event.released), pending=pending)
    return evolve(state, pending=pending)


# -- the outcome


class ResolvePending(Command):
    """Record what became of a pending operation; if it ``succeeded``, it takes effect.

    ``request`` says which one is meant, if that is known. A ``reason`` is the provider's for its refusal, and becomes a
    task.
    """

    operation: Operation
    succeeded: bool
    request: Name = ""
    reason: Name = ""


class OperationFailed(Event):
    """A pending operation did not happen; ``restored`` was set aside for it, and pays its order again."""

    operation: Operation
    request: str = ""
    tasks: tuple[Task, ...] = ()
    restored: tuple[Application, ...] = ()


def is_pending(state: Known, command: ResolvePending, stamp: Stamp) -> Refusal | None:
    """Only a pending operation can be resolved."""
    if any(_is_meant(item, command) for item in state.pending):
        return None
    return refuse("not_pending", "{operation} is not pending", operation=command.operation.value)


def _is_meant(item: Pending, command: ResolvePending) -> bool:
    return item.operation is command.operation and command.request in ("", item.id)


Resolved: TypeAlias = (
    OperationFailed | PaymentAuthorised | PaymentCaptured | AuthorisationEnded | PaymentRefunded | FactNoted
)


def resolve(state: Known, command: ResolvePending, stamp: Stamp) -> Resolved:
    """The operation took effect with all of its amount, or did not happen."""
    operation = command.operation
    [item] = [item for item in state.pending if item.operation is operation]
    amount, at = Money(item.minor, currency_of(state)), stamp.moment
    if not command.succeeded:
        facts = {"operation": operation.value, "minor": item.minor, "reason": command.reason}
        tasks = (task(DECLINED, **facts),) if command.reason else ()
        return OperationFailed(operation, item.id, tasks, tuple(_restored(state, item)))
    if operation is Operation.AUTHORISE:
        return PaymentAuthorised(amount, at, request=item.id)
    if operation is Operation.VOID:
        return AuthorisationEnded(at, request=item.id)
    if operation is Operation.CAPTURE:
        return PaymentCaptured(amount, at, request=item.id)
    return evolve(refund(state, RefundPayment(amount, request=item.id), stamp), request=item.id)


def _restored(state: Known, item: Pending) -> Iterator[Application]:
    if item.order and isinstance(state, Funded) and state.set_aside:
        yield Application(ApplicationTarget.ORDER, item.order, state.set_aside)


def failed(state: K, event: OperationFailed) -> K:
    after = evolve(state, pending=without(state.pending, event.request), notes=with_tasks(state.notes, event.tasks))
    if not isinstance(after, Funded):
        return after
    return evolve(after, funds=with_more(after.funds, *event.restored)) if event.restored else after
