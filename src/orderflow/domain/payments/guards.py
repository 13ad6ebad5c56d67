"""Guards that several commands of a payment share."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Protocol

from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money, at_most
from orderflow.domain.payments.state import Authorised, Closed, Expected, Funded, Known, currency_of, order_of
from orderflow.errors import Refusal

FUTURE_DAYS: Final = 1
"""How far a fact may be dated in the future; clocks and time zones differ."""


class HasAmount(Protocol):
    @property
    def amount(self) -> Money: ...


def same_currency(state: Known, command: HasAmount, stamp: Stamp) -> Refusal | None:
    """A payment has one currency."""
    return in_currency(state, command.amount)


def in_currency(state: Known, amount: Money) -> Refusal | None:
    own, given = currency_of(state), amount.currency
    return (
        None if own == given else refuse("other_currency", "the payment is in {own}, not {given}", own=own, given=given)
    )


def not_in_the_future(state: object, command: object, stamp: Stamp) -> Refusal | None:
    """A fact is dated at most a day in the future."""
    at = stamp.occurred_at
    if at is None or at <= stamp.at + timedelta(days=FUTURE_DAYS):
        return None
    return refuse("in_the_future", "{at} is in the future", at=at.isoformat())


def enough_free(state: Funded, command: HasAmount, stamp: Stamp) -> Refusal | None:
    """Only free money can be applied or given back."""
    return at_most("exceeds_free", command.amount.minor, state.free, command.amount.currency)


def nothing_pending(state: Known, command: object, stamp: Stamp) -> Refusal | None:
    """The outcome of every operation is known."""
    names = ", ".join(item.operation.value for item in state.pending)
    return refuse("pending", "the outcome of {names} is not known yet", names=names) if names else None


def reserved_minor(state: Known) -> int:
    """What of a payment is still to be taken for its order, in minor units; of a closed one nothing is."""
    if isinstance(state, Expected | Closed) or not order_of(state):
        return 0
    return capturable(state)


def capturable(state: Authorised | Funded) -> int:
    """What is authorised and not captured yet, in minor units."""
    return state.authorised.minor if isinstance(state, Authorised) else state.funds.reserved
