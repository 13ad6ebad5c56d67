"""Money goes back: refunds, chargebacks, disputes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Name
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.payments.facts import FactNoted, answered_request, moved, task, with_notes
from orderflow.domain.payments.state import (
    Application,
    ApplicationTarget,
    Disputed,
    Funded,
    Known,
    Operation,
    Received,
    SomeMoney,
    SomeMoneyAt,
    lowered,
)
from orderflow.domain.values import Task

F = TypeVar("F", bound=Funded)


# -- refunds and chargebacks


class RefundPayment(SomeMoney, Command):
    """Note that money was given back, of what is kept for ``order`` if it names one.

    ``request`` is the id of the request that this answers, if the source says so.
    """

    request: Name = ""
    order: Name = ""


class PaymentRefunded(SomeMoneyAt, Event):
    """Money was given back."""


class ChargeBackPayment(SomeMoney, Command):
    """Note that the bank has taken money back without asking."""


class ChargedBack(SomeMoneyAt, Event):
    """Money was taken back."""


def refund(state: Known, command: RefundPayment, stamp: Stamp) -> PaymentRefunded | FactNoted:
    """What was set aside for it goes first, if it was asked for; then what its order has, if it names one."""
    request = answered_request(state, command, Operation.REFUND)
    aside = state.set_aside if request and isinstance(state, Funded) else 0
    told: PaymentRefunded | FactNoted = _taken(PaymentRefunded, state, command.amount, stamp, aside, command.order)
    return told


def charge_back(state: Known, command: ChargeBackPayment, stamp: Stamp) -> ChargedBack | FactNoted:
    told: ChargedBack | FactNoted = _taken(ChargedBack, state, command.amount, stamp)
    return told


def _taken(
    event: type[PaymentRefunded | ChargedBack],
    state: Known,
    amount: Money,
    stamp: Stamp,
    set_aside: int = 0,
    order: str = "",
) -> Any:
    """What is kept goes, also what a refund is pending for that may not come about. The rest is a task.

    ``set_aside`` goes first, of the answered refund itself; then the money of the order it was for; then what is free;
    then what the newest applications have.
    """
    booked = min(amount.minor, state.funds.kept) if isinstance(state, Funded) else 0
    tasks = (task("never_received", minor=amount.minor - booked),) if booked < amount.minor else ()
    if not isinstance(state, Funded) or not booked:
        return FactNoted(tasks=tasks)
    own = min(max(0, booked - set_aside), state.funds.applied_to(ApplicationTarget.ORDER, order)) if order else 0
    released = tuple(_released(state, order, own, booked - state.free - set_aside - own))
    return event(Money(booked, amount.currency), stamp.moment, released=released, tasks=tasks)


def _released(state: Funded, order: str, own: int, missing: int) -> Iterator[Application]:
    """What the applications lose: ``own`` of the order, and of all of them, the newest first, what is missing."""
    for application in reversed(state.funds.applications):
        lost = own if application[:2] == (ApplicationTarget.ORDER, order) else 0
        more = max(0, min(missing, application.minor - lost))
        if lost + more > 0:
            yield application._replace(minor=lost + more)
        missing -= more


def refunded(state: F, event: PaymentRefunded) -> F:
    funds = evolve(lowered(state.funds, event.released), refunded=state.funds.refunded + event.amount.minor)
    pending, notes = moved(state, event, Operation.REFUND)
    return _less_disputed(evolve(state, funds=funds, pending=pending, notes=notes), event)


def charged_back(state: F, event: ChargedBack | DisputeLost) -> F:
    funds = evolve(lowered(state.funds, event.released), charged_back=state.funds.charged_back + event.amount.minor)
    return _less_disputed(evolve(state, funds=funds, notes=with_notes(state.notes, event)), event)


def _less_disputed(state: F, event: PaymentRefunded | ChargedBack | DisputeLost) -> F:
    """What goes back during a dispute is of the disputed money."""
    if not isinstance(state, Disputed):
        return state
    return evolve(state, disputed=max(0, state.disputed - event.amount.minor))


# -- disputes


class DisputePayment(SomeMoney, Command):
    """Note that the payer disputes an amount."""


class PaymentDisputed(SomeMoneyAt, Event):
    """An amount is disputed."""


class ResolveDispute(Command):
    """Note how the dispute ended; if it was not ``won``, the disputed amount is charged back."""

    won: bool
    fact_id: Name = ""


class DisputeWon(Event):
    """The money stays."""

    fact_id: str = ""
    tasks: tuple[Task, ...] = ()


class DisputeLost(SomeMoneyAt, Event):
    """The disputed money was taken back."""


def dispute(state: Known, command: DisputePayment, stamp: Stamp) -> PaymentDisputed | FactNoted:
    """What is kept can be disputed, once; the rest, and a dispute of a closed payment, is a task."""
    known = state.disputed if isinstance(state, Disputed) else 0
    most = state.funds.kept - known if isinstance(state, Received | Disputed) else 0
    booked = max(0, min(command.amount.minor, most))
    tasks = (task("disputed", minor=command.amount.minor - booked),) if booked < command.amount.minor else ()
    if not booked:
        return FactNoted(tasks=tasks)
    return PaymentDisputed(Money(booked, command.amount.currency), stamp.moment, tasks=tasks)


def disputed(state: Received | Disputed, event: PaymentDisputed) -> Disputed:
    """Until the dispute is resolved, no money is applied."""
    more = state.disputed if isinstance(state, Disputed) else 0
    notes = with_notes(state.notes, event)
    return Disputed(state.origin, state.funds, state.pending, notes, more + event.amount.minor)


def resolve_dispute(state: Disputed, command: ResolveDispute, stamp: Stamp) -> DisputeWon | DisputeLost:
    """What is still kept of the disputed amount goes; what is not had gone back before."""
    if command.won:
        return DisputeWon()
    minor = min(state.disputed, state.funds.kept)
    released = tuple(_released(state, "", 0, minor - state.free))
    return DisputeLost(Money(minor, state.funds.currency), stamp.moment, released=released)


def resolve_nothing(state: Known, command: ResolveDispute, stamp: Stamp) -> FactNoted:
    """No dispute is known: one that was lost is a task, and one that was won after money was taken back for it."""
    minor = state.funds.charged_back if isinstance(state, Funded) else 0
    if command.won:
        return FactNoted(tasks=(task("won_after_all", charged_back=minor),) if minor else ())
    kept = state.funds.kept if isinstance(state, Funded) else 0
    return FactNoted(tasks=(task("no_dispute", kept=kept, charged_back=minor),))


def dispute_won(state: Disputed, event: DisputeWon) -> Received:
    return Received(state.origin, state.funds, state.pending, with_notes(state.notes, event))


def dispute_lost(state: Disputed, event: DisputeLost) -> Received:
    after = charged_back(state, event)
    return Received(after.origin, after.funds, after.pending, after.notes)
