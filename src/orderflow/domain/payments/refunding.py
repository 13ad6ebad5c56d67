"""Money goes back: refunds, disputes and chargebacks."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.payments.guards import HasAmount, at_most, resolved
from orderflow.domain.payments.state import Application, Disputed, Funded, Funds, Operation, Received, WithAmount
from orderflow.errors import Refusal

__all__ = [
    "ChargeBackPayment",
    "ChargedBack",
    "DisputePayment",
    "DisputeWon",
    "PaymentDisputed",
    "PaymentRefunded",
    "RefundPayment",
    "ResolveDispute",
    "charge_back",
    "charged_back",
    "dispute",
    "dispute_lost",
    "dispute_won",
    "disputed",
    "refund",
    "refunded",
    "resolve_dispute",
    "reversible",
]


@frozen
class RefundPayment(WithAmount):
    """Free money was given back."""

    amount: Money


@frozen
class ChargeBackPayment(WithAmount):
    """The bank has taken money back without asking."""

    amount: Money


@frozen
class DisputePayment(WithAmount):
    """The payer disputes an amount."""

    amount: Money


@frozen
class ResolveDispute:
    """The dispute is over; when it is not ``won``, the disputed amount is charged back."""

    won: bool


@frozen
class PaymentRefunded:
    """Free money was given back."""

    amount: Money
    at: datetime


@frozen
class ChargedBack:
    """Money was taken back; ``released`` applications, the newest, lost their money by it."""

    amount: Money
    released: tuple[Application, ...]
    at: datetime


@frozen
class PaymentDisputed:
    """An amount is disputed."""

    amount: Money
    at: datetime


@frozen
class DisputeWon:
    """The money stays."""


def reversible(state: Funded, command: HasAmount, stamp: Stamp) -> Refusal | None:
    """No more is disputed or charged back than was received and has not gone back."""
    return at_most("exceeds_received", state.reversible, command)


F = TypeVar("F", bound=Funded)


def refund(state: Funded, command: RefundPayment, stamp: Stamp) -> PaymentRefunded:
    """Refunded as told."""
    return PaymentRefunded(command.amount, stamp.moment)


def refunded(state: F, event: PaymentRefunded) -> F:
    """Less is kept."""
    funds = evolve(state.funds, refunded=state.funds.refunded + event.amount.minor)
    return state.with_money(funds, resolved(state.pending, Operation.REFUND))


def charge_back(state: Funded, command: ChargeBackPayment, stamp: Stamp) -> ChargedBack:
    """Charged back; where free money does not suffice, the newest applications lose theirs."""
    return _charge_back(state, command.amount, stamp)


def _charge_back(state: Funded, amount: Money, stamp: Stamp) -> ChargedBack:
    released = []
    missing = amount.minor - state.free
    for application in reversed(state.funds.applications):
        if missing > 0:
            released.append(application._replace(minor=min(missing, application.minor)))
            missing -= application.minor
    return ChargedBack(amount, tuple(released), stamp.moment)


def charged_back(state: F, event: ChargedBack) -> F:
    """Less is kept, and less is applied."""
    return state.with_money(_reversed(state.funds, event), state.pending)


def _reversed(funds: Funds, event: ChargedBack) -> Funds:
    less = {item[:2]: item.minor for item in event.released}
    left = [item._replace(minor=item.minor - less.get(item[:2], 0)) for item in funds.applications]
    applications = tuple([item for item in left if item.minor])
    return evolve(funds, charged_back=funds.charged_back + event.amount.minor, applications=applications)


def dispute(state: Received, command: DisputePayment, stamp: Stamp) -> PaymentDisputed:
    """Disputed as told."""
    return PaymentDisputed(command.amount, stamp.moment)


def disputed(state: Received, event: PaymentDisputed) -> Disputed:
    """Until the dispute is resolved, no money is applied or refunded."""
    return Disputed(state.origin, state.funds, state.pending, event.amount.minor)


def resolve_dispute(state: Disputed, command: ResolveDispute, stamp: Stamp) -> DisputeWon | ChargedBack:
    """Won, or charged back."""
    return DisputeWon() if command.won else _charge_back(state, Money(state.disputed, state.funds.currency), stamp)


def dispute_won(state: Disputed, event: DisputeWon) -> Received:
    """As before the dispute."""
    return Received(state.origin, state.funds, state.pending)


def dispute_lost(state: Disputed, event: ChargedBack) -> Received:
    """Less the disputed amount."""
    return Received(state.origin, _reversed(state.funds, event), state.pending)
