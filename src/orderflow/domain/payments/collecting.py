"""Money comes in: it is expected, authorised, captured, recorded; and a finished payment is closed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.machine import Absent, refuse
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.payments.guards import FUTURE_DAYS
from orderflow.domain.payments.state import (
    Authorised,
    Closed,
    Expected,
    Funded,
    Funds,
    Known,
    Operation,
    PaymentSource,
    PositiveAmount,
    Received,
    SomeMoney,
    SomeMoneyAt,
    currency_of,
    without,
)
from orderflow.errors import Refusal

F = TypeVar("F", bound=Funded)

# -- expecting


@frozen(eq=False, repr=False)
class _Expectation(PositiveAmount):
    origin: PaymentSource
    amount: Money


class ExpectPayment(_Expectation, Command):
    """Money is expected."""

    __slots__ = ()


class PaymentExpected(_Expectation, Event):
    """Money is expected."""

    __slots__ = ()


def expected(state: Absent, event: PaymentExpected) -> Expected:
    return Expected(event.origin, event.amount, ())


# -- authorising and capturing


class AuthorisePayment(SomeMoney, Command):
    """Note that the provider has reserved the money."""

    __slots__ = ()


class PaymentAuthorised(SomeMoneyAt, Event):
    """The money is reserved."""

    __slots__ = ()


class CapturePayment(SomeMoney, Command):
    """Note that the provider has taken authorised money, all or part of it."""

    __slots__ = ()


class PaymentCaptured(SomeMoneyAt, Event):
    """Authorised money was taken."""

    __slots__ = ()


def method_authorises(state: Expected, command: AuthorisePayment, stamp: Stamp) -> Refusal | None:
    """Only some methods authorise before they pay."""
    return (
        None
        if state.origin.authorises
        else refuse("method_pays_at_once", "this method pays at once: record the payment")
    )


def authorised(state: Expected, event: PaymentAuthorised) -> Authorised:
    return Authorised(state.origin, event.amount, without(state.pending, Operation.AUTHORISE))


def first_captured(state: Authorised, event: PaymentCaptured) -> Received:
    funds = Funds(event.amount.currency, state.authorised.minor, event.amount.minor, received_at=event.at)
    return Received(state.origin, funds, without(state.pending, Operation.CAPTURE))


def captured(state: F, event: PaymentCaptured) -> F:
    funds = evolve(state.funds, received=state.funds.received + event.amount.minor)
    return evolve(state, funds=funds, pending=without(state.pending, Operation.CAPTURE))


# -- recording


@frozen(eq=False, repr=False)
class RecordPayment(PositiveAmount, Command):
    """Note that money has come in, as an account statement or a person says. ``value_date`` is 入金日, if known."""

    origin: PaymentSource
    amount: Money
    value_date: date | None = None


@frozen(eq=False, repr=False)
class PaymentReceived(Event):
    """Money has come in."""

    origin: PaymentSource
    amount: Money
    value_date: date | None
    at: datetime


def value_date_not_in_the_future(state: object, command: RecordPayment, stamp: Stamp) -> Refusal | None:
    """A value date is at most a day in the future."""
    day = command.value_date
    if day is None or day <= stamp.at.date() + timedelta(days=FUTURE_DAYS):
        return None
    return refuse("in_the_future", "the value date {day} is in the future", day=day.isoformat())


def same_origin(state: Expected, command: RecordPayment, stamp: Stamp) -> Refusal | None:
    """The money comes from the expected source, under the expected id."""
    own, given = state.origin, command.origin
    if (own.source, own.external_id) == (given.source, given.external_id):
        return None
    return refuse(
        "other_origin",
        "{source} {id} is a payment other than the expected one",
        source=given.source,
        id=given.external_id,
    )


def method_pays_at_once(state: Absent | Expected, command: RecordPayment, stamp: Stamp) -> Refusal | None:
    """Money of a method that authorises is captured, not merely recorded."""
    origin = state.origin if isinstance(state, Expected) else command.origin
    return (
        refuse("method_authorises", "this method does not pay at once: authorise, then capture")
        if origin.authorises
        else None
    )


def received(state: Absent | Expected, event: PaymentReceived) -> Received:
    """All of it is free."""
    amount = event.amount
    funds = Funds(amount.currency, received=amount.minor, value_date=event.value_date, received_at=event.at)
    return Received(event.origin, funds, ())


# -- closing


@frozen(eq=False, repr=False)
class ClosePayment(Command):
    """Close a payment with nothing left to do: all is applied or given back, or no money will come."""


@frozen(eq=False, repr=False)
class PaymentClosed(Event):
    """The payment is closed."""

    at: datetime


def nothing_free(state: Funded, command: ClosePayment, stamp: Stamp) -> Refusal | None:
    """All of the money is applied or has been given back."""
    return (
        refuse("money_left", "{free} minor units are left: apply or refund them", free=state.free)
        if state.free
        else None
    )


def closed(state: Known, event: PaymentClosed) -> Closed:
    """Closed, with the funds it had, if any."""
    if isinstance(state, Funded):
        return Closed(state.origin, state.funds, (), event.at)
    held = state.authorised.minor if isinstance(state, Authorised) else 0
    return Closed(state.origin, Funds(currency_of(state), held), (), event.at)
