"""Money comes in: it is expected, authorised, captured, recorded; and a finished payment is closed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.bounds import Name, NotNegative
from orderflow.domain.engine.machine import Absent, refuse
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.payments.facts import FactNoted, task, with_notes
from orderflow.domain.payments.guards import FUTURE_DAYS, capturable
from orderflow.domain.payments.state import (
    Application,
    ApplicationTarget,
    Authorised,
    Closed,
    Expected,
    Funded,
    Funds,
    Known,
    Notes,
    OfSource,
    PaymentSource,
    Received,
    SomeMoney,
    SomeMoneyAt,
    currency_of,
    without,
)
from orderflow.domain.values import Task
from orderflow.errors import Fault, Refusal

F = TypeVar("F", bound=Funded)

# -- expecting


@frozen(eq=False, repr=False)
class _Expectation(OfSource):
    origin: PaymentSource
    amount: Money
    until: datetime | None = None


class ExpectPayment(_Expectation, Command):
    """Money is expected, ``until`` a time if it can be paid no longer (konbini)."""

    __slots__ = ()


class PaymentExpected(_Expectation, Event):
    """Money is expected."""

    __slots__ = ()


def expected(state: Absent, event: PaymentExpected) -> Expected:
    return Expected(event.origin, event.amount, (), Notes(), event.until)


# -- authorising and capturing


@frozen(eq=False, repr=False)
class AuthorisePayment(SomeMoney, Command):
    """Note that the provider has reserved the money, ``until`` a time if it ends by itself.

    ``request`` is the id of the request that this answers, if the source says so.
    """

    until: datetime | None = None
    request: Name = ""


@frozen(eq=False, repr=False)
class PaymentAuthorised(Event):
    """The money is reserved."""

    amount: Money
    at: datetime
    until: datetime | None = None
    fact_id: str = ""
    tasks: tuple[Task, ...] = ()
    request: str = ""


@frozen(eq=False, repr=False)
class CapturePayment(SomeMoney, Command):
    """Note that the provider has taken authorised money, all or part of it.

    ``request`` is the id of the request that this answers, if the source says so.
    """

    request: Name = ""


class PaymentCaptured(SomeMoneyAt, Event):
    """Authorised money was taken."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class EndAuthorisation(Command):
    """Note that the provider reserves what is not taken no longer: it was voided, or has run out."""

    fact_id: Name = ""
    request: Name = ""


@frozen(eq=False, repr=False)
class AuthorisationEnded(Event):
    """What was not taken is reserved no longer."""

    at: datetime
    fact_id: str = ""
    tasks: tuple[Task, ...] = ()
    request: str = ""


def authorise(state: Expected, command: AuthorisePayment, stamp: Stamp) -> PaymentAuthorised | FactNoted:
    if command.amount.currency != currency_of(state):
        return FactNoted(tasks=(_other_currency(command.amount),))
    return PaymentAuthorised(command.amount, stamp.moment, command.until)


def authorise_later(
    state: Authorised | Funded, command: AuthorisePayment, stamp: Stamp
) -> PaymentAuthorised | FactNoted:
    """Told after it was reserved or taken: more than was known is reserved, anything else changes nothing."""
    if command.amount.currency != currency_of(state):
        return FactNoted(tasks=(_other_currency(command.amount),))
    known = state.authorised.minor if isinstance(state, Authorised) else state.funds.authorised
    if command.amount.minor <= known:
        return FactNoted()
    return PaymentAuthorised(command.amount, stamp.moment, command.until)


def authorised(state: Expected | Authorised, event: PaymentAuthorised) -> Authorised:
    pending, notes = without(state.pending, event.request), with_notes(state.notes, event)
    return Authorised(state.origin, event.amount, pending, notes, event.until)


def authorised_later(state: F, event: PaymentAuthorised) -> F:
    funds = evolve(state.funds, authorised=max(state.funds.authorised, event.amount.minor))
    pending, notes = without(state.pending, event.request), with_notes(state.notes, event)
    return evolve(state, funds=funds, pending=pending, notes=notes)


def capture(
    state: Expected | Authorised | Funded, command: CapturePayment, stamp: Stamp
) -> PaymentCaptured | FactNoted:
    """Money that came is booked, though more of it came than was reserved."""
    if command.amount.currency != currency_of(state):
        return FactNoted(tasks=(_other_currency(command.amount),))
    over = command.amount.minor - (0 if isinstance(state, Expected) else capturable(state))
    tasks = (task("exceeds_authorised", minor=over),) if over > 0 and state.origin.authorises else ()
    return PaymentCaptured(command.amount, stamp.moment, tasks=tasks)


def first_captured(state: Expected | Authorised, event: PaymentCaptured) -> Received:
    minor = event.amount.minor
    reserved = max(minor, state.authorised.minor) if isinstance(state, Authorised) else minor
    funds = Funds(
        event.amount.currency, reserved, minor, applications=_for_order(state, (), minor), received_at=event.at
    )
    return Received(state.origin, funds, without(state.pending, event.request), with_notes(state.notes, event))


def captured(state: F, event: PaymentCaptured) -> F:
    received = state.funds.received + event.amount.minor
    funds = evolve(
        state.funds,
        received=received,
        authorised=max(state.funds.authorised, received),
        applications=_for_order(state, state.funds.applications, event.amount.minor),
    )
    pending = without(state.pending, event.request)
    return evolve(state, funds=funds, pending=pending, notes=with_notes(state.notes, event))


def _for_order(state: Known, applied: tuple[Application, ...], minor: int) -> tuple[Application, ...]:
    """What is captured for an order is the order's at once."""
    order = state.origin.order
    if not order:
        return applied
    place = (ApplicationTarget.ORDER, order)
    known = sum([item.minor for item in applied if item[:2] == place])
    return (*[item for item in applied if item[:2] != place], Application(*place, known + minor))


def end(state: Known, command: EndAuthorisation, stamp: Stamp) -> AuthorisationEnded | FactNoted:
    reserved = 0 if isinstance(state, Expected) else capturable(state)
    return AuthorisationEnded(stamp.moment) if reserved > 0 else FactNoted()


def ended(state: Authorised, event: AuthorisationEnded) -> Expected | Closed:
    """Finished if we asked for it; else the money is expected as before."""
    pending, notes = without(state.pending, event.request), with_notes(state.notes, event)
    if event.request:
        return Closed(state.origin, Funds(state.authorised.currency), pending, notes, event.at)
    return Expected(state.origin, state.authorised, pending, notes)


def rest_ended(state: F, event: AuthorisationEnded) -> F:
    funds = evolve(state.funds, authorised=state.funds.received)
    pending, notes = without(state.pending, event.request), with_notes(state.notes, event)
    return evolve(state, funds=funds, pending=pending, notes=notes)


def _other_currency(amount: Money) -> Task:
    return task("other_currency", currency=amount.currency, minor=amount.minor)


# -- recording


@frozen(eq=False, repr=False)
class RecordPayment(OfSource, Command):
    """Note that money has come in, as an account statement, a carrier's settlement or a person says.

    ``amount`` is what the payer has paid; whoever collected it kept ``fee_minor`` of that (代引手数料), and the rest
    arrives. ``value_date`` is 入金日, if known.
    """

    origin: PaymentSource
    amount: Money
    value_date: date | None = None
    fact_id: Name = ""
    fee_minor: NotNegative = 0

    def faults(self) -> Iterator[Fault]:
        """The amount is positive, and the fee at most that."""
        yield from OfSource.faults(self)
        if self.fee_minor > max(0, self.amount.minor):
            yield Fault("fee_minor", "out_of_range", "must be at most the amount")


@frozen(eq=False, repr=False)
class PaymentReceived(Event):
    """Money has come in."""

    origin: PaymentSource
    amount: Money
    value_date: date | None
    at: datetime
    fact_id: str = ""
    tasks: tuple[Task, ...] = ()
    fee_minor: int = 0


def value_date_not_in_the_future(state: object, command: RecordPayment, stamp: Stamp) -> Refusal | None:
    """A value date is at most a day in the future."""
    day = command.value_date
    if day is None or day <= stamp.at.date() + timedelta(days=FUTURE_DAYS):
        return None
    return refuse("in_the_future", "the value date {day} is in the future", day=day.isoformat())


def same_origin(state: Known, command: RecordPayment, stamp: Stamp) -> Refusal | None:
    """A row is one payment: the money comes from its source, under its id there."""
    own, given = state.origin, command.origin
    if (own.source, own.external_id) == (given.source, given.external_id):
        return None
    return refuse(
        "other_origin", "{source} {id} is another payment than this row's", source=given.source, id=given.external_id
    )


def record(state: Absent | Expected | Authorised | Closed, command: RecordPayment, stamp: Stamp) -> PaymentReceived:
    """It is booked in the currency and amount in which it came."""
    return PaymentReceived(
        command.origin, command.amount, command.value_date, stamp.moment, fee_minor=command.fee_minor
    )


def record_late(state: Closed, command: RecordPayment, stamp: Stamp) -> PaymentReceived | FactNoted:
    """Money that nobody expected any more is money all the same."""
    return record_again(state, command, stamp) if state.funds.received else record(state, command, stamp)


def record_again(state: Funded, command: RecordPayment, stamp: Stamp) -> FactNoted:
    """The same payment told again changes nothing; told with another amount, it is a task."""
    told, known = command.amount, Money(state.funds.received, state.funds.currency)
    return FactNoted() if told == known else FactNoted(tasks=(task("amount_differs", told=told, known=known),))


def received(state: Absent | Expected | Authorised, event: PaymentReceived) -> Received:
    """What was expected for an order is the order's, all else is free. Whatever was asked of the provider has happened.

    An order that nobody has looked at yet, because the money was not expected, may not be there. Money in another
    currency than was expected is for no order.
    """
    if isinstance(state, Absent):
        return Received(event.origin, _funds(event.origin, event), (), with_notes(Notes(), event))
    funds = _funds(state.origin, event)
    origin = state.origin
    if event.amount.currency == currency_of(state):
        funds = evolve(funds, applications=_for_order(state, (), event.amount.minor))
    elif origin.order:
        origin = evolve(origin, order="")
    return Received(origin, funds, (), with_notes(state.notes, event))


def received_late(state: Closed, event: PaymentReceived) -> Closed:
    return evolve(state, funds=_funds(state.origin, event), notes=with_notes(state.notes, event))


def _funds(origin: PaymentSource, event: PaymentReceived) -> Funds:
    amount = event.amount
    reserved = amount.minor if origin.authorises else 0
    return Funds(
        amount.currency, reserved, amount.minor, value_date=event.value_date, received_at=event.at, fee=event.fee_minor
    )


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
        return Closed(state.origin, state.funds, (), state.notes, event.at)
    held = state.authorised.minor if isinstance(state, Authorised) else 0
    return Closed(state.origin, Funds(currency_of(state), held), (), state.notes, event.at)
