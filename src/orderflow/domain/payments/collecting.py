"""Money is expected, authorised, captured and received; the payment is closed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.machine import Absent, refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.payments.guards import at_most, capturable, resolved
from orderflow.domain.payments.refunding import F
from orderflow.domain.payments.state import (
    FUTURE_DAYS,
    Authorised,
    Closed,
    Disputed,
    Expected,
    Funded,
    Funds,
    Known,
    Operation,
    PaymentSource,
    Received,
    Taking,
    WithAmount,
    currency_of,
)
from orderflow.errors import Refusal

__all__ = [
    "AuthorisePayment",
    "CapturePayment",
    "ClosePayment",
    "ExpectPayment",
    "PaymentAuthorised",
    "PaymentCaptured",
    "PaymentClosed",
    "PaymentExpected",
    "PaymentReceived",
    "RecordPayment",
    "authorise",
    "authorised",
    "capture",
    "captured",
    "close",
    "closed",
    "expect",
    "expected",
    "first_captured",
    "method_authorises",
    "method_pays_at_once",
    "nothing_free",
    "received",
    "record",
    "same_origin",
    "value_date_not_in_the_future",
    "within_authorised",
]


@frozen
class ExpectPayment(WithAmount):
    """Money is expected."""

    origin: PaymentSource
    amount: Money


@frozen
class AuthorisePayment(WithAmount):
    """The provider has reserved the money."""

    amount: Money


@frozen
class CapturePayment(WithAmount):
    """The provider has taken authorised money, all or a part."""

    amount: Money


@frozen
class RecordPayment(WithAmount):
    """Money has come in, as an account statement or a person says. ``value_date`` is 入金日 where it is told."""

    origin: PaymentSource
    amount: Money
    value_date: date | None = None


@frozen
class ClosePayment:
    """Nothing is left to do: all is applied or given back, or no money will come."""


@frozen
class PaymentExpected:
    """Money is expected."""

    origin: PaymentSource
    amount: Money


@frozen
class PaymentAuthorised:
    """The money is reserved."""

    amount: Money
    at: datetime


@frozen
class PaymentCaptured:
    """Authorised money was taken."""

    amount: Money
    at: datetime


@frozen
class PaymentReceived:
    """Money has come in."""

    origin: PaymentSource
    amount: Money
    value_date: date | None
    at: datetime


@frozen
class PaymentClosed:
    """The payment is closed."""

    at: datetime


def value_date_not_in_the_future(state: object, command: RecordPayment, stamp: Stamp) -> Refusal | None:
    """A value date is not in the future, beyond a tolerance of a day."""
    day = command.value_date
    if day is None or day <= stamp.at.date() + timedelta(days=FUTURE_DAYS):
        return None
    return refuse("in_the_future", "the value date is {day}", day=day.isoformat())


def same_origin(state: Expected, command: RecordPayment, stamp: Stamp) -> Refusal | None:
    """The money comes from the source that it is expected from, under the same id."""
    own, given = state.origin, command.origin
    if (own.source, own.external_id) == (given.source, given.external_id):
        return None
    return refuse("other_origin", "{source} {id} is another payment", source=given.source, id=given.external_id)


def method_authorises(state: Expected, command: AuthorisePayment, stamp: Stamp) -> Refusal | None:
    """Only some methods authorise before they pay."""
    return None if state.origin.authorises else refuse("method_pays_at_once", "this method does not authorise")


def method_pays_at_once(state: Expected, command: RecordPayment, stamp: Stamp) -> Refusal | None:
    """Money of a method that authorises is captured, not merely recorded."""
    return refuse("method_authorises", "authorise, then capture") if state.origin.authorises else None


def within_authorised(state: Taking, command: CapturePayment, stamp: Stamp) -> Refusal | None:
    """No more is captured than is authorised."""
    return at_most("exceeds_authorised", capturable(state), command)


def nothing_free(state: Funded, command: ClosePayment, stamp: Stamp) -> Refusal | None:
    """All money is applied or has gone back."""
    return refuse("money_left", "{free} minor units are free", free=state.free) if state.free else None


K = TypeVar("K", Expected, Authorised, Received, Disputed, Closed)


def expect(state: Absent, command: ExpectPayment, stamp: Stamp) -> PaymentExpected:
    """Expected as told."""
    return PaymentExpected(command.origin, command.amount)


def expected(state: Absent, event: PaymentExpected) -> Expected:
    """Nothing has come yet."""
    return Expected(event.origin, event.amount, ())


def authorise(state: Expected, command: AuthorisePayment, stamp: Stamp) -> PaymentAuthorised:
    """Authorised as told."""
    return PaymentAuthorised(command.amount, stamp.moment)


def authorised(state: Expected, event: PaymentAuthorised) -> Authorised:
    """The money is reserved."""
    return Authorised(state.origin, event.amount, resolved(state.pending, Operation.AUTHORISE))


def capture(state: Taking, command: CapturePayment, stamp: Stamp) -> PaymentCaptured:
    """Captured as told."""
    return PaymentCaptured(command.amount, stamp.moment)


def first_captured(state: Authorised, event: PaymentCaptured) -> Received:
    """The first money is here."""
    funds = Funds(event.amount.currency, state.authorised.minor, event.amount.minor, received_at=event.at)
    return Received(state.origin, funds, resolved(state.pending, Operation.CAPTURE))


def captured(state: F, event: PaymentCaptured) -> F:
    """More money is here."""
    funds = evolve(state.funds, received=state.funds.received + event.amount.minor)
    return state.with_money(funds, resolved(state.pending, Operation.CAPTURE))


def record(state: Absent | Expected, command: RecordPayment, stamp: Stamp) -> PaymentReceived:
    """Received as told."""
    return PaymentReceived(command.origin, command.amount, command.value_date, stamp.moment)


def received(state: Absent | Expected, event: PaymentReceived) -> Received:
    """The money is here, all of it free."""
    amount = event.amount
    funds = Funds(amount.currency, 0, amount.minor, 0, 0, (), event.value_date, event.at)
    return Received(event.origin, funds, ())


def close(state: Known, command: ClosePayment, stamp: Stamp) -> PaymentClosed:
    """Closed now."""
    return PaymentClosed(stamp.at)


def closed(state: Known, event: PaymentClosed) -> Closed:
    """With the funds it had, if any."""
    if isinstance(state, Funded):
        return Closed(state.origin, state.funds, (), event.at)
    held = state.authorised.minor if isinstance(state, Authorised) else 0
    return Closed(state.origin, Funds(currency_of(state), held), (), event.at)
