"""Money comes in: it is expected, authorised, captured, recorded; and a finished payment is closed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Name, NotNegative
from orderflow.domain.engine.machine import Absent, refuse
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.payments.facts import FactNoted, answered, moved, task, with_awaited, with_notes
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
    Operation,
    PaymentSource,
    Pending,
    Received,
    SomeMoney,
    SomeMoneyAt,
    currency_of,
    positive,
    with_more,
)
from orderflow.domain.values import Task
from orderflow.errors import Fault, Refusal

F = TypeVar("F", bound=Funded)

# -- expecting


class ExpectPayment(OfSource, Command):
    """Money is expected, ``until`` a time if it can be paid no longer (konbini)."""

    origin: PaymentSource
    amount: Money
    until: datetime | None = None


class PaymentExpected(Event):
    """Money is expected."""

    origin: PaymentSource
    amount: Money
    at: datetime
    until: datetime | None = None


def expect(state: Absent, command: ExpectPayment, stamp: Stamp) -> PaymentExpected:
    return PaymentExpected(command.origin, command.amount, stamp.moment, command.until)


def expected(state: Absent, event: PaymentExpected) -> Expected:
    return Expected(event.origin, event.amount, (), Notes(), event.at, event.until)


# -- authorising and capturing


class AuthorisePayment(SomeMoney, Command):
    """Note that the provider has reserved the money, ``until`` a time if it ends by itself.

    ``request`` is the id of the request that this answers, if the source says so.
    """

    until: datetime | None = None
    request: Name = ""


class PaymentAuthorised(Event):
    """The money is reserved."""

    amount: Money
    at: datetime
    until: datetime | None = None
    fact_id: str = ""
    tasks: tuple[Task, ...] = ()
    request: str = ""


class CapturePayment(SomeMoney, Command):
    """Note that the provider has taken authorised money, all or part of it.

    ``request`` is the id of the request that this answers, if the source says so.
    """

    request: Name = ""


class PaymentCaptured(SomeMoneyAt, Event):
    """Authorised money was taken."""


class EndAuthorisation(Command):
    """Note that the provider reserves what is not taken no longer: it was voided, or has run out."""

    fact_id: Name = ""
    request: Name = ""


class AuthorisationEnded(Event):
    """What was not taken is reserved no longer."""

    at: datetime
    fact_id: str = ""
    tasks: tuple[Task, ...] = ()
    request: str = ""


def authorise(state: Expected, command: AuthorisePayment, stamp: Stamp) -> PaymentAuthorised:
    return PaymentAuthorised(command.amount, stamp.moment, command.until)


def authorise_later(
    state: Authorised | Funded, command: AuthorisePayment, stamp: Stamp
) -> PaymentAuthorised | FactNoted:
    """Told after it was reserved or taken: more or longer than was known is news, all else changes nothing."""
    known = state.authorised.minor if isinstance(state, Authorised) else state.funds.authorised
    if command.amount.minor <= known and not (isinstance(state, Authorised) and _is_longer(state, command)):
        return FactNoted()
    amount = Money(max(known, command.amount.minor), command.amount.currency)
    return PaymentAuthorised(amount, stamp.moment, command.until)


def _is_longer(state: Authorised, command: AuthorisePayment) -> bool:
    return bool(state.until and command.until and command.until > state.until)


def authorised(state: Expected | Authorised, event: PaymentAuthorised) -> Authorised:
    pending, notes = answered(state, event)
    return Authorised(state.origin, event.amount, pending, notes, event.at, event.until)


def authorised_later(state: F, event: PaymentAuthorised) -> F:
    funds = evolve(state.funds, authorised=max(state.funds.authorised, event.amount.minor))
    pending, notes = answered(state, event)
    return evolve(state, funds=funds, pending=pending, notes=notes)


def capture(state: Expected | Authorised | Funded, command: CapturePayment, stamp: Stamp) -> PaymentCaptured:
    """Money that came is booked, though more of it came than was reserved."""
    over = command.amount.minor - (0 if isinstance(state, Expected) else capturable(state))
    tasks = (task("exceeds_authorised", minor=over),) if over > 0 and state.origin.authorises else ()
    return PaymentCaptured(command.amount, stamp.moment, tasks=tasks)


def first_captured(state: Expected | Authorised, event: PaymentCaptured) -> Received:
    minor = event.amount.minor
    reserved = max(minor, state.authorised.minor) if isinstance(state, Authorised) else minor
    funds = Funds(event.amount.currency, reserved, minor, received_at=event.at, order=state.origin.order)
    return Received(state.origin, _with_own(funds, minor), *moved(state, event, Operation.CAPTURE))


def captured(state: F, event: PaymentCaptured) -> F:
    received = state.funds.received + event.amount.minor
    funds = evolve(state.funds, received=received, authorised=max(state.funds.authorised, received))
    pending, notes = moved(state, event, Operation.CAPTURE)
    return evolve(state, funds=_with_own(funds, event.amount.minor), pending=pending, notes=notes)


def _with_own(funds: Funds, minor: int) -> Funds:
    """What comes for an order is the order's at once."""
    return with_more(funds, Application(ApplicationTarget.ORDER, funds.order, minor)) if funds.order else funds


def end(state: Known, command: EndAuthorisation, stamp: Stamp) -> AuthorisationEnded | FactNoted:
    reserved = 0 if isinstance(state, Expected) else capturable(state)
    return AuthorisationEnded(stamp.moment) if reserved > 0 else FactNoted()


def ended(state: Authorised, event: AuthorisationEnded) -> Expected | Closed:
    """Finished if we asked for it; else the money is expected as before."""
    pending, notes = answered(state, event)
    if event.request:
        funds = Funds(state.authorised.currency, order=state.origin.order)
        return Closed(state.origin, funds, pending, notes, event.at)
    return Expected(state.origin, state.authorised, pending, notes, event.at)


def rest_ended(state: F, event: AuthorisationEnded) -> F:
    funds = evolve(state.funds, authorised=state.funds.received)
    pending, notes = answered(state, event)
    return evolve(state, funds=funds, pending=pending, notes=notes)


# -- recording


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
        yield from positive(self.amount)
        if self.fee_minor > max(0, self.amount.minor):
            yield Fault("fee_minor", "out_of_range", "must be at most the amount")


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
    """What was expected for an order is the order's, all else is free. What was reserved beyond it still is.

    The order of money that was not expected may not be there, and money in another currency than was expected is for
    no order: such money is free, whatever its source says it is for.
    """
    if isinstance(state, Absent):
        origin = event.origin
        return Received(origin, _funds(origin, event, 0), (), _taken_too(origin, (), Notes(), event))
    if event.amount.currency != currency_of(state):
        return Received(state.origin, _funds(state.origin, event, 0), (), with_notes(state.notes, event))
    reserved = state.authorised.minor if isinstance(state, Authorised) else 0
    funds = _with_own(evolve(_funds(state.origin, event, reserved), order=state.origin.order), event.amount.minor)
    voids = tuple([item for item in state.pending if item.operation is Operation.VOID])
    return Received(state.origin, funds, voids, _taken_too(state.origin, state.pending, state.notes, event))


def received_late(state: Closed, event: PaymentReceived) -> Closed:
    same = event.amount.currency == currency_of(state)
    funds = _funds(state.origin, event, state.funds.authorised if same else 0)
    funds = evolve(funds, order=state.funds.order if same else "")
    return evolve(state, funds=funds, notes=_taken_too(state.origin, (), state.notes, event))


def _taken_too(origin: PaymentSource, pending: tuple[Pending, ...], notes: Notes, event: PaymentReceived) -> Notes:
    """What is noted of money that a provider takes: it will tell of it too, perhaps as the answer to a request."""
    asked = [item.id for item in pending if item.operation is Operation.CAPTURE]
    notes = with_notes(notes, event)
    if not asked and not origin.authorises:
        return notes
    return with_awaited(notes, Pending(Operation.CAPTURE, event.amount.minor, "".join(asked), event.at))


def _funds(origin: PaymentSource, event: PaymentReceived, reserved: int) -> Funds:
    amount = event.amount
    return Funds(
        amount.currency,
        max(reserved, amount.minor) if reserved or origin.authorises else 0,
        amount.minor,
        value_date=event.value_date,
        received_at=event.at,
        fee=event.fee_minor,
    )


# -- closing


class ClosePayment(Command):
    """Close a payment with nothing left to do: all is applied or given back, or no money will come."""


class PaymentClosed(Event):
    """The payment is closed."""

    at: datetime


def nothing_free(state: Funded, command: ClosePayment, stamp: Stamp) -> Refusal | None:
    """All of the money is applied or has been given back."""
    amount = str(Money(state.free, state.funds.currency))
    return refuse("money_left", "{amount} is left: apply or refund it", amount=amount) if state.free else None


def closed(state: Known, event: PaymentClosed) -> Closed:
    """Closed, with the funds it had, if any."""
    if isinstance(state, Funded):
        return Closed(state.origin, state.funds, (), state.notes, event.at)
    held = state.authorised.minor if isinstance(state, Authorised) else 0
    funds = Funds(currency_of(state), held, order=state.origin.order)
    return Closed(state.origin, funds, (), state.notes, event.at)
