"""A customer's account: what is ordered, billed, credited and paid, and the credit limit that guards it.

One row for each customer; sums are kept by currency. A balance may be negative: then the shop owes.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from attrs import frozen

from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, to
from orderflow.domain.engine.schema import Minor, Name
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.errors import InvariantBroken, Refusal

__all__ = [
    "ACCOUNT",
    "Account",
    "AccountBlocked",
    "AccountCommand",
    "AccountEvent",
    "AccountUnblocked",
    "BlockAccount",
    "CreditLimitSet",
    "CreditReserved",
    "Post",
    "Posted",
    "Posting",
    "ReserveCredit",
    "SetCreditLimit",
    "Sums",
    "UnblockAccount",
]


class Posting(Enum):
    """What a posting is about."""

    ORDER = "order"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    WRITE_OFF = "write_off"


@frozen
class Sums:
    """Sums of one currency in minor units. ``ordered``: confirmed and not yet billed."""

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
        """What a credit limit is held against: the balance and what is ordered but not billed."""
        return self.balance + self.ordered


@frozen
class ReserveCredit:
    """An order is confirmed: count it, if the customer is not blocked and the limit allows."""

    document: Name
    amount: Money


@frozen
class Post:
    """A fact that changes the account; ``relieved_minor`` of ordered exposure moves or falls away with it."""

    posting: Posting
    document: Name
    amount: Money
    relieved_minor: Minor = 0


@frozen
class SetCreditLimit:
    """Limit the exposure in one currency; orders in others are refused then. None lifts the limit."""

    limit: Money | None


@frozen
class BlockAccount:
    """Confirm no more orders of this customer."""

    reason: Name = ""


@frozen
class UnblockAccount:
    """Confirm orders again."""


@frozen
class CreditReserved:
    """An order was counted."""

    document: str
    amount: Money


@frozen
class Posted:
    """A fact was counted."""

    posting: Posting
    document: str
    amount: Money
    relieved_minor: int = 0


@frozen
class CreditLimitSet:
    """The limit changed."""

    limit: Money | None


@frozen
class AccountBlocked:
    """The customer is blocked."""

    reason: str


@frozen
class AccountUnblocked:
    """The customer is not blocked any more."""


@frozen
class Account:
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


AccountCommand: TypeAlias = ReserveCredit | Post | SetCreditLimit | BlockAccount | UnblockAccount


AccountEvent: TypeAlias = CreditReserved | Posted | CreditLimitSet | AccountBlocked | AccountUnblocked


NEW = Account()


def not_blocked(state: Account, command: ReserveCredit, stamp: Stamp) -> Refusal | None:
    """A blocked customer gets no order confirmed."""
    return refuse("customer_blocked", "the customer is blocked") if state.blocked else None


def within_credit(state: Account, command: ReserveCredit, stamp: Stamp) -> Refusal | None:
    """The exposure stays within the credit limit (I27)."""
    limit = state.limit
    if limit is None:
        return None
    if limit.currency != command.amount.currency:
        return refuse("credit_currency", "credit is given in {currency} only", currency=limit.currency)
    after = state.of(limit.currency).exposure + command.amount.minor
    if after <= limit.minor:
        return None
    return refuse(
        "credit_exceeded", "{after} exceeds the limit of {limit} (minor units)", after=after, limit=limit.minor
    )


def _account(state: Absent | Account) -> Account:
    return state if isinstance(state, Account) else NEW


def _reserve(state: Absent | Account, command: ReserveCredit, stamp: Stamp) -> CreditReserved:
    return CreditReserved(command.document, command.amount)


def _reserved(state: Absent | Account, event: CreditReserved) -> Account:
    account = _account(state)
    s = account.of(event.amount.currency)
    ordered = s.ordered + event.amount.minor
    return _with(account, Sums(s.currency, ordered, s.invoiced, s.credited, s.paid, s.written_off))


def _post(state: Absent | Account, command: Post, stamp: Stamp) -> Posted:
    return Posted(command.posting, command.document, command.amount, command.relieved_minor)


def _posted(state: Absent | Account, event: Posted) -> Account:
    account = _account(state)
    s = account.of(event.amount.currency)
    posting, minor = event.posting, event.amount.minor
    return _with(
        account,
        Sums(
            s.currency,
            s.ordered - event.relieved_minor,
            s.invoiced + (minor if posting is Posting.INVOICE else 0),
            s.credited + (minor if posting is Posting.CREDIT_NOTE else 0),
            s.paid + (minor if posting is Posting.PAYMENT else 0),
            s.written_off + (minor if posting is Posting.WRITE_OFF else 0),
        ),
    )


def _with(account: Account, sums: Sums) -> Account:
    others = [other for other in account.sums if other.currency != sums.currency]
    return Account((*others, sums), account.limit, account.blocked)


def _limit(state: Absent | Account, command: SetCreditLimit, stamp: Stamp) -> CreditLimitSet:
    return CreditLimitSet(command.limit)


def _limited(state: Absent | Account, event: CreditLimitSet) -> Account:
    account = _account(state)
    return Account(account.sums, event.limit, account.blocked)


def _block(state: Absent | Account, command: BlockAccount, stamp: Stamp) -> AccountBlocked:
    return AccountBlocked(command.reason)


def _blocked(state: Absent | Account, event: AccountBlocked) -> Account:
    account = _account(state)
    return Account(account.sums, account.limit, blocked=True)


def _unblock(state: Account, command: UnblockAccount, stamp: Stamp) -> AccountUnblocked:
    return AccountUnblocked()


def _unblocked(state: Account, event: AccountUnblocked) -> Account:
    return Account(state.sums, state.limit)


def _check(state: Account) -> None:
    for sums in state.sums:
        if sums.ordered < 0:
            raise InvariantBroken("I27", f"ordered exposure of {sums.currency} is {sums.ordered}")


ACCOUNT = Machine(
    "account",
    commands=AccountCommand,
    events=AccountEvent,
    final=(Account,),
    check=_check,
    rules=(
        rule(Absent, ReserveCredit, _reserve, to(CreditReserved, Account, _reserved)),
        rule(Absent, Post, _post, to(Posted, Account, _posted)),
        rule(Absent, SetCreditLimit, _limit, to(CreditLimitSet, Account, _limited)),
        rule(Absent, BlockAccount, _block, to(AccountBlocked, Account, _blocked)),
        rule(
            Account,
            ReserveCredit,
            _reserve,
            to(CreditReserved, Account, _reserved),
            guards=(not_blocked, within_credit),
        ),
        rule(Account, Post, _post, to(Posted, Account, _posted)),
        rule(Account, SetCreditLimit, _limit, to(CreditLimitSet, Account, _limited)),
        rule(Account, BlockAccount, _block, to(AccountBlocked, Account, _blocked)),
        rule(Account, UnblockAccount, _unblock, to(AccountUnblocked, Account, _unblocked)),
    ),
)
