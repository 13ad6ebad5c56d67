"""A payment is applied to invoices and orders (入金消込), and unapplied."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.schema import Id
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.payments.guards import at_most
from orderflow.domain.payments.refunding import F
from orderflow.domain.payments.state import MAX_APPLICATIONS, Application, ApplicationTarget, Funded, Funds, WithAmount
from orderflow.errors import Refusal

__all__ = [
    "ApplyPayment",
    "PaymentApplied",
    "PaymentUnapplied",
    "UnapplyPayment",
    "applied",
    "apply",
    "enough_applied",
    "room_to_apply",
    "unapplied",
    "unapply",
]


@frozen
class ApplyPayment(WithAmount):
    """Use free money to pay an invoice or an order."""

    target: ApplicationTarget
    id: Id
    amount: Money


@frozen
class UnapplyPayment(WithAmount):
    """Take money off an invoice or an order; it is free again."""

    target: ApplicationTarget
    id: Id
    amount: Money


@frozen
class PaymentApplied:
    """Free money pays an invoice or an order."""

    target: ApplicationTarget
    id: str
    amount: Money


@frozen
class PaymentUnapplied:
    """Money was taken off an invoice or an order."""

    target: ApplicationTarget
    id: str
    amount: Money


def enough_applied(state: Funded, command: UnapplyPayment, stamp: Stamp) -> Refusal | None:
    """No more is taken off an invoice or order than is applied to it."""
    return at_most("exceeds_applied", state.funds.applied_to(command.target, command.id), command)


def room_to_apply(state: Funded, command: ApplyPayment, stamp: Stamp) -> Refusal | None:
    """A payment pays a bounded number of invoices and orders."""
    funds = state.funds
    if len(funds.applications) < MAX_APPLICATIONS or funds.applied_to(command.target, command.id):
        return None
    return refuse("too_many_applications", "at most {most} invoices and orders", most=MAX_APPLICATIONS)


class _Applied(Protocol):
    @property
    def target(self) -> ApplicationTarget: ...
    @property
    def id(self) -> str: ...


def apply(state: Funded, command: ApplyPayment, stamp: Stamp) -> PaymentApplied:
    """Allocated as asked."""
    return PaymentApplied(command.target, command.id, command.amount)


def applied(state: F, event: PaymentApplied) -> F:
    """Less is free."""
    return _with_application(state, event, event.amount.minor)


def unapply(state: Funded, command: UnapplyPayment, stamp: Stamp) -> PaymentUnapplied:
    """Taken off as asked."""
    return PaymentUnapplied(command.target, command.id, command.amount)


def unapplied(state: F, event: PaymentUnapplied) -> F:
    """More is free."""
    return _with_application(state, event, -event.amount.minor)


def _with_application(state: F, event: _Applied, change: int) -> F:
    f, place = state.funds, (event.target, event.id)
    others = tuple([item for item in f.applications if item[:2] != place])
    minor = f.applied_to(*place) + change
    applications = (*others, Application(*place, minor)) if minor else others
    return state.with_money(_with_applications(f, applications), state.pending)


def _with_applications(f: Funds, applications: tuple[Application, ...]) -> Funds:
    return Funds(
        f.currency, f.authorised, f.received, f.refunded, f.charged_back, applications, f.value_date, f.received_at
    )
