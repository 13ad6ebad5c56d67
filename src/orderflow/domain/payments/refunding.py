"""Money goes back: refunds, chargebacks, disputes."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.payments.guards import HasAmount, at_most
from orderflow.domain.payments.state import (
    Application,
    Disputed,
    Funded,
    Funds,
    Operation,
    Received,
    SomeMoney,
    SomeMoneyAt,
    without,
)
from orderflow.errors import Refusal

F = TypeVar("F", bound=Funded)


# -- refunds


class RefundPayment(SomeMoney, Command):
    """Free money was given back."""

    __slots__ = ()


class PaymentRefunded(SomeMoneyAt, Event):
    """Free money was given back."""

    __slots__ = ()


def refunded(state: F, event: PaymentRefunded) -> F:
    funds = evolve(state.funds, refunded=state.funds.refunded + event.amount.minor)
    return evolve(state, funds=funds, pending=without(state.pending, Operation.REFUND))


# -- chargebacks


class ChargeBackPayment(SomeMoney, Command):
    """Note that the bank has taken money back without asking."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class ChargedBack(Event):
    """Money was taken back; the newest applications, ``released``, lost their money by it."""

    amount: Money
    released: tuple[Application, ...]
    at: datetime


def reversible(state: Funded, command: HasAmount, stamp: Stamp) -> Refusal | None:
    """No more is disputed or charged back than was received and not given back."""
    return at_most("exceeds_received", state.reversible, command)


def charge_back(state: Funded, command: ChargeBackPayment, stamp: Stamp) -> ChargedBack:
    return _charge_back(state, command.amount, stamp)


def _charge_back(state: Funded, amount: Money, stamp: Stamp) -> ChargedBack:
    """If free money does not suffice, the newest applications lose theirs."""
    released = []
    missing = amount.minor - state.free
    for application in reversed(state.funds.applications):
        if missing > 0:
            released.append(application._replace(minor=min(missing, application.minor)))
            missing -= application.minor
    return ChargedBack(amount, tuple(released), stamp.moment)


def charged_back(state: F, event: ChargedBack) -> F:
    return evolve(state, funds=_reversed(state.funds, event))


def _reversed(funds: Funds, event: ChargedBack) -> Funds:
    less = {item[:2]: item.minor for item in event.released}
    left = [item._replace(minor=item.minor - less.get(item[:2], 0)) for item in funds.applications]
    applications = tuple([item for item in left if item.minor])
    return evolve(funds, charged_back=funds.charged_back + event.amount.minor, applications=applications)


# -- disputes


class DisputePayment(SomeMoney, Command):
    """Note that the payer disputes an amount."""

    __slots__ = ()


class PaymentDisputed(SomeMoneyAt, Event):
    """An amount is disputed."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class ResolveDispute(Command):
    """End the dispute; if it is not ``won``, the disputed amount is charged back."""

    won: bool


@frozen(eq=False, repr=False)
class DisputeWon(Event):
    """The money stays."""


def disputed(state: Received, event: PaymentDisputed) -> Disputed:
    """Until the dispute is resolved, no money is applied or refunded."""
    return Disputed(state.origin, state.funds, state.pending, event.amount.minor)


def resolve_dispute(state: Disputed, command: ResolveDispute, stamp: Stamp) -> DisputeWon | ChargedBack:
    return DisputeWon() if command.won else _charge_back(state, Money(state.disputed, state.funds.currency), stamp)


def dispute_won(state: Disputed, event: DisputeWon) -> Received:
    return Received(state.origin, state.funds, state.pending)


def dispute_lost(state: Disputed, event: ChargedBack) -> Received:
    return Received(state.origin, _reversed(state.funds, event), state.pending)
