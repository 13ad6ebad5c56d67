"""The states of a payment: a class for each, with the facts that are true in it, and their invariants.

Amounts are positive and in the payment's one currency.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from typing import NamedTuple, Protocol, TypeAlias

from orderflow.domain.engine.bounds import Id, Name
from orderflow.domain.engine.record import Fields, Record, replacing
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.money.money import Money
from orderflow.domain.values import Task
from orderflow.errors import Fault, InvariantBroken

MAX_APPLICATIONS = 1_000
"""Invoices and orders that one payment may pay."""

MAX_NOTES = 200
"""Facts with an id, and tasks, that a payment keeps; of more, the latest."""


class ApplicationTarget(Enum):
    """What money is applied to."""

    INVOICE = "invoice"
    ORDER = "order"


class Operation(Enum):
    """What the payment's provider is asked to do."""

    AUTHORISE = "authorise"
    """Reserve money."""
    CAPTURE = "capture"
    """Take it, all or part of what is reserved."""
    VOID = "void"
    """Let go of what is reserved and not taken."""
    REFUND = "refund"
    """Give money back."""


class Application(NamedTuple):
    """Money of a payment that pays an invoice or an order (入金消込), in minor units."""

    target: ApplicationTarget
    id: str
    minor: int


class Pending(NamedTuple):
    """An operation that was asked for ``since`` a time and whose outcome is unknown; its amount in minor units.

    ``id`` is that of the request; money that is given back was kept for ``order``, if there is one.
    """

    operation: Operation
    minor: int
    id: str
    since: datetime
    order: str = ""


def pending_minor(pending: tuple[Pending, ...], operation: Operation) -> int:
    """The amount of a pending operation in minor units, 0 when none is pending."""
    return sum([item.minor for item in pending if item.operation is operation])


def without(pending: tuple[Pending, ...], request: str) -> tuple[Pending, ...]:
    """What is still pending once the outcome of a request is known."""
    return tuple([item for item in pending if item.id != request]) if request else pending


def payment_id(source: str, external_id: str) -> str:
    """The id of a payment's row: it follows from its source and its reference there, so no payment has two rows."""
    escaped = source.replace("%", "%25").replace("/", "%2F")
    return f"{escaped}/{external_id}"


class HasAmount(Protocol):
    @property
    def amount(self) -> Money: ...


class HasOrigin(Protocol):
    @property
    def origin(self) -> PaymentSource: ...


def positive(amount: Money) -> Iterator[Fault]:
    """The fault of an amount that is not positive."""
    if amount.minor < 1:
        yield Fault("amount.minor", "out_of_range", "must be at least 1 minor unit")


class PositiveAmount(Fields):
    """Fields with an amount of money that must be positive."""

    def faults(self: HasAmount) -> Iterator[Fault]:
        """The amount is positive."""
        return positive(self.amount)


class OfSource(PositiveAmount):
    """Fields that name the payment itself."""

    def row_faults(self: HasOrigin, row: str) -> Iterator[Fault]:
        """The row is the one that the source and its reference name."""
        # Whatever is wrong with the origin itself is said by its own faults.
        if not isinstance(self.origin, PaymentSource) or faults_of(self.origin):
            return
        own = payment_id(self.origin.source, self.origin.external_id)
        if row != own:
            yield Fault("key.id", "other_payment", f"the row of this payment is {own}")


class SomeMoney(PositiveAmount):
    """What facts about money of a payment say. ``fact_id`` is the source's own id of the fact, told once."""

    amount: Money
    fact_id: Name = ""


class SomeMoneyAt(Fields):
    """What their events say: the amount booked, the applications that lost their money by it, and what is odd."""

    amount: Money
    at: datetime
    fact_id: str = ""
    released: tuple[Application, ...] = ()
    tasks: tuple[Task, ...] = ()
    request: str = ""


class Notes(Record):
    """Facts that were told under an id of their source, and tasks: facts that contradict what was there.

    ``awaited`` are operations known to have happened whose own fact is still to be told, which then changes nothing.
    """

    facts: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    awaited: tuple[Pending, ...] = ()


class PaymentSource(Record):
    """Where a payment comes from. ``source`` and ``external_id`` together identify it for ever.

    ``authorises`` is true of methods that reserve the money first (cards), and false of the others (cash on delivery,
    transfer, konbini). ``order`` is what the money is for, if that is known: what is reserved opens its gate, and what
    was expected and comes in is the order's at once.
    """

    source: Id
    external_id: Id
    customer: Name = ""
    method: Name = ""
    authorises: bool = False
    order: Name = ""


class Funds(Record):
    """The money of a payment, in minor units of one currency. ``received`` is what was captured or has come in.

    ``fee`` of that was kept by whoever collected it; that is the shop's cost, and the payer has paid it. ``order`` is
    the one that it was expected for, and what comes is its own at once; money that was not expected has none.
    """

    currency: str
    authorised: int = 0
    received: int = 0
    refunded: int = 0
    charged_back: int = 0
    applications: tuple[Application, ...] = ()
    value_date: date | None = None
    received_at: datetime | None = None
    fee: int = 0
    order: str = ""

    @property
    def kept(self) -> int:
        """What was received and has not gone back."""
        return self.received - self.refunded - self.charged_back

    @property
    def reserved(self) -> int:
        """What is authorised and was not taken."""
        return max(0, self.authorised - self.received)

    @property
    def applied(self) -> int:
        """What pays invoices and orders."""
        return sum([application.minor for application in self.applications])

    def applied_to(self, target: ApplicationTarget, id: str) -> int:  # noqa: A002 - the field's own name
        """What pays one invoice or order."""
        return sum([application.minor for application in self.applications if application[:2] == (target, id)])


_with_applications = replacing(Funds, lambda f: f.applications)


def with_more(funds: Funds, *more: Application) -> Funds:
    """The funds once these applications have got so much more, and are the newest; below 0, less, in their places."""
    applications = funds.applications
    for target, id_, minor in more:
        after = Application(target, id_, sum([a.minor for a in applications if a[:2] == (target, id_)]) + minor)
        if minor < 0:
            changed = [after if a[:2] == (target, id_) else a for a in applications]
        else:
            changed = [*[a for a in applications if a[:2] != (target, id_)], after]
        applications = tuple([a for a in changed if a.minor])
    return _with_applications(funds, applications)


def lowered(funds: Funds, released: tuple[Application, ...]) -> Funds:
    """The funds once these applications have lost so much."""
    return with_more(funds, *[item._replace(minor=-item.minor) for item in released]) if released else funds


class Expected(Record):
    """Money is expected ``since`` a time, ``until`` another if it can be paid no longer; none has come."""

    origin: PaymentSource
    amount: Money
    pending: tuple[Pending, ...]
    notes: Notes
    since: datetime
    until: datetime | None = None


class Authorised(Record):
    """The money is reserved ``since`` a time, ``until`` another if that ends by itself; none has been taken."""

    origin: PaymentSource
    authorised: Money
    pending: tuple[Pending, ...]
    notes: Notes
    since: datetime
    until: datetime | None = None


class Funded(Record):
    """What every state with funds has in common; never a state itself."""

    origin: PaymentSource
    funds: Funds
    pending: tuple[Pending, ...]
    notes: Notes

    @property
    def unapplied(self) -> int:
        """What is kept and pays nothing, in minor units."""
        return self.funds.kept - self.funds.applied

    @property
    def set_aside(self) -> int:
        """What of it is in a pending refund, in minor units: less than was asked for if a bank took money since."""
        return min(self.unapplied, pending_minor(self.pending, Operation.REFUND))

    @property
    def free(self) -> int:
        """Customer credit (仮受金) in minor units: kept, not applied, and not in a pending refund."""
        return self.unapplied - self.set_aside


class Received(Funded):
    """Money has come in; what is not applied is customer credit (仮受金)."""


class Disputed(Funded):
    """The payer disputes ``disputed`` minor units of it."""

    disputed: int


class Closed(Funded):
    """Finished. Late refunds, chargebacks and other applications are still recorded."""

    closed_at: datetime


PaymentState: TypeAlias = Expected | Authorised | Received | Disputed | Closed
Known: TypeAlias = Expected | Authorised | Funded


def order_of(state: Known) -> str:
    """The order that the payment's money is for, and that is known to be there; empty where there is none."""
    return state.funds.order if isinstance(state, Funded) else state.origin.order


def currency_of(state: Known) -> str:
    """The payment's one currency."""
    if isinstance(state, Expected):
        return state.amount.currency
    return state.authorised.currency if isinstance(state, Authorised) else state.funds.currency


def check_payment(state: Known) -> None:
    """The payment's invariants: captured <= authorised where the method authorises, and no money is used twice.

    Raises:
        InvariantBroken: naming what is wrong.
    """
    if len({item.operation for item in state.pending}) != len(state.pending):
        raise InvariantBroken("payment pending", "two operations of one kind are pending")
    if isinstance(state, Funded):
        _check_funds(state)


def _check_funds(state: Funded) -> None:
    funds = state.funds
    if min(funds.received, funds.refunded, funds.charged_back, *[item.minor for item in funds.applications]) < 0:
        raise InvariantBroken("payment funds", "an amount is negative")
    if state.origin.authorises and funds.received > funds.authorised:
        raise InvariantBroken("payment captured", "more is captured than was authorised")
    if funds.kept < 0:
        raise InvariantBroken("payment reversed", "more is refunded and charged back than was received")
    if state.unapplied < 0:
        raise InvariantBroken("payment applied", "more is applied and given back than was received")
    if len({item[:2] for item in funds.applications}) != len(funds.applications):
        raise InvariantBroken("payment applications", "an invoice or order appears twice")
