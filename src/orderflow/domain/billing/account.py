"""A customer's account: what is ordered, billed, credited and paid, and the credit limit.

One row for each customer; sums are kept by currency. A negative balance is what the shop owes.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias

from attrs import evolve

from orderflow.domain.engine.bounds import Name
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, rules
from orderflow.domain.engine.record import Command, Event, Fields, Internal, Record, replacing
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.errors import Refusal


class Posting(Enum):
    """What kind of fact a posting records."""

    ORDER = "order"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    WRITE_OFF = "write_off"


class Sums(Record):
    """Sums of one currency in minor units.

    ``ordered`` is what confirmed orders still charge; below 0, they have more to credit. ``paid`` is money received
    from this customer, less what of it pays others' documents, with what others pay of his.
    """

    currency: str
    ordered: int = 0
    invoiced: int = 0
    credited: int = 0
    paid: int = 0
    written_off: int = 0

    @property
    def balance(self) -> int:
        """What the customer owes: billed, less credits, payments and write-offs (I24)."""
        return self.invoiced - self.credited - self.paid - self.written_off

    @property
    def exposure(self) -> int:
        """What the credit limit bounds: the balance, and what is ordered but not billed."""
        return self.balance + self.ordered


class Account(Record):
    """The account as it stands."""

    sums: tuple[Sums, ...] = ()
    limit: Money | None = None
    blocked: bool = False

    def of(self, currency: str) -> Sums:
        """The sums of one currency, zero where nothing was posted."""
        for sums in self.sums:
            if sums.currency == currency:
                return sums
        return Sums(currency)


NEW: Final = Account()
Row: TypeAlias = Absent | Account


def _account(state: Row) -> Account:
    return state if isinstance(state, Account) else NEW


# -- credit and postings


class _Reservation(Fields):
    document: Name
    amount: Money


class ReserveCredit(_Reservation, Internal):
    """An order is confirmed: count it, if the customer is not blocked and the limit allows."""


class CreditReserved(_Reservation, Event):
    """An order was counted."""


class _Post(Fields):
    posting: Posting
    document: Name
    amount: Money


class Post(_Post, Internal):
    """A fact that changes the account, by an amount that may be negative."""


class Posted(_Post, Event):
    """A fact was posted."""


def not_blocked(state: Account, command: ReserveCredit, stamp: Stamp) -> Refusal | None:
    """No order of a blocked customer is confirmed."""
    return refuse("customer_blocked", "the customer is blocked") if state.blocked else None


def within_credit(state: Account, command: ReserveCredit, stamp: Stamp) -> Refusal | None:
    """The exposure stays within the credit limit (I27)."""
    limit = state.limit
    if limit is None:
        return None
    if limit.currency != command.amount.currency:
        return refuse("credit_currency", "credit is granted in {currency} only", currency=limit.currency)
    after = state.of(limit.currency).exposure + command.amount.minor
    if after <= limit.minor:
        return None
    return refuse(
        "credit_exceeded",
        "the exposure would be {exposure}, over the limit of {granted}",
        exposure=str(Money(after, limit.currency)),
        granted=str(limit),
        after=after,
        limit=limit.minor,
    )


def _reserved(state: Row, event: CreditReserved) -> Account:
    sums = _account(state).of(event.amount.currency)
    return _with(_account(state), evolve(sums, ordered=sums.ordered + event.amount.minor))


def _posted(state: Row, event: Posted) -> Account:
    s, posting, minor = _account(state).of(event.amount.currency), event.posting, event.amount.minor
    after = Sums(
        s.currency,
        s.ordered + (minor if posting is Posting.ORDER else 0),
        s.invoiced + (minor if posting is Posting.INVOICE else 0),
        s.credited + (minor if posting is Posting.CREDIT_NOTE else 0),
        s.paid + (minor if posting is Posting.PAYMENT else 0),
        s.written_off + (minor if posting is Posting.WRITE_OFF else 0),
    )
    return _with(_account(state), after)


_with_sums = replacing(Account, lambda a: a.sums)


def _with(account: Account, sums: Sums) -> Account:
    return _with_sums(account, (*[other for other in account.sums if other.currency != sums.currency], sums))


# -- limit and block


class _Limit(Fields):
    limit: Money | None


class SetCreditLimit(_Limit, Command):
    """Limit the exposure in one currency; orders in other currencies are then refused. None lifts the limit."""


class CreditLimitSet(_Limit, Event):
    """The limit changed."""


class _Block(Fields):
    reason: Name = ""


class BlockAccount(_Block, Command):
    """Confirm no more orders of this customer."""


class AccountBlocked(_Block, Event):
    """The customer is blocked."""


class UnblockAccount(Command):
    """Confirm orders again."""


class AccountUnblocked(Event):
    """The block was lifted."""


def _limited(state: Row, event: CreditLimitSet) -> Account:
    return evolve(_account(state), limit=event.limit)


def _blocked(state: Row, event: AccountBlocked) -> Account:
    return evolve(_account(state), blocked=True)


def _unblocked(state: Account, event: AccountUnblocked) -> Account:
    return evolve(state, blocked=False)


ANY: tuple[type[Row], ...] = (Absent, Account)

ACCOUNT: Final = Machine(
    "account",
    rules=(
        rule(Absent, ReserveCredit, CreditReserved, Account, _reserved),
        rule(Account, ReserveCredit, CreditReserved, Account, _reserved, guards=(not_blocked, within_credit)),
        rules(ANY, Post, Posted, Account, _posted),
        rules(ANY, SetCreditLimit, CreditLimitSet, Account, _limited),
        rules(ANY, BlockAccount, AccountBlocked, Account, _blocked),
        rule(Account, UnblockAccount, AccountUnblocked, Account, _unblocked),
    ),
    final=(Account,),
)
