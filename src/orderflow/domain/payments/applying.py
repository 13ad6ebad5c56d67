"""Cash application (入金消込): free money pays invoices and orders, and is taken off them again."""

from __future__ import annotations

from typing import TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Id, Positive
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Fields, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money, at_most
from orderflow.domain.payments.state import (
    MAX_APPLICATIONS,
    Application,
    ApplicationTarget,
    Funded,
    PositiveAmount,
    with_more,
)
from orderflow.errors import Refusal

F = TypeVar("F", bound=Funded)


class _Application(PositiveAmount):
    target: ApplicationTarget
    id: Id
    amount: Money


class ApplyPayment(_Application, Command):
    """Use free money to pay an invoice or an order."""


class PaymentApplied(_Application, Event):
    """Free money pays an invoice or an order."""


class UnapplyPayment(_Application, Command):
    """Take money off an invoice or an order; it is free again."""


class PaymentUnapplied(_Application, Event):
    """Money was taken off an invoice or an order."""


class _Release(Fields):
    target: ApplicationTarget
    id: Id
    minor: Positive


class ReleaseApplication(_Release, Internal):
    """Note that an invoice was credited: money that paid it is left over, and free again."""


class ApplicationReleased(_Release, Event):
    """Money is free again, because what it paid was credited."""


def enough_applied(state: Funded, command: UnapplyPayment, stamp: Stamp) -> Refusal | None:
    """No more is taken off an invoice or order than is applied to it."""
    applied = state.funds.applied_to(command.target, command.id)
    return at_most("exceeds_applied", command.amount.minor, applied, command.amount.currency)


def was_applied(state: Funded, command: ReleaseApplication, stamp: Stamp) -> Refusal | None:
    """No more is released than pays that invoice."""
    applied = state.funds.applied_to(command.target, command.id)
    return at_most("not_applied", command.minor, applied, state.funds.currency)


def room_to_apply(state: Funded, command: ApplyPayment, stamp: Stamp) -> Refusal | None:
    """The number of invoices and orders that one payment pays is bounded."""
    funds = state.funds
    if len(funds.applications) < MAX_APPLICATIONS or funds.applied_to(command.target, command.id):
        return None
    return refuse("too_many_applications", "a payment pays at most {most} invoices and orders", most=MAX_APPLICATIONS)


def applied(state: F, event: PaymentApplied) -> F:
    return _changed(state, event, event.amount.minor)


def unapplied(state: F, event: PaymentUnapplied) -> F:
    return _changed(state, event, -event.amount.minor)


def released(state: F, event: ApplicationReleased) -> F:
    return _changed(state, event, -event.minor)


def _changed(state: F, event: _Application | _Release, change: int) -> F:
    return evolve(state, funds=with_more(state.funds, Application(event.target, event.id, change)))
