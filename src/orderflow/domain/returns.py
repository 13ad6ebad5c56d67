"""Returns (返品), as far as goods that simply come back need them."""

from __future__ import annotations

from typing import Annotated, NamedTuple, TypeAlias

from attrs import frozen

from orderflow.domain.engine.limits import MAX_LINES
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, to
from orderflow.domain.engine.schema import FreeText, Id, Length, Name, Quantity
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import InvariantBroken, Refusal

__all__ = [
    "RETURN",
    "ReceiveReturn",
    "ReceivedReturn",
    "ReturnCommand",
    "ReturnEvent",
    "ReturnReceived",
    "ReturnSettled",
    "ReturnedUnits",
    "SettleReturn",
    "SettledReturn",
    "UnmatchedReturn",
]


class ReturnedUnits(NamedTuple):
    """Units of an order line that came back."""

    order: Id
    line: Quantity
    quantity: Quantity


class UnmatchedReturn(NamedTuple):
    """Units that came back and belong to no known order line."""

    sku: Id
    quantity: Quantity


@frozen
class ReceiveReturn:
    """Goods came back to ``location``, announced or not; ``usable`` ones go on sale again."""

    location: Id
    units: Annotated[tuple[ReturnedUnits, ...], Length(0, MAX_LINES)] = ()
    loose: Annotated[tuple[UnmatchedReturn, ...], Length(0, MAX_LINES)] = ()
    usable: bool = True
    customer: Name = ""
    reason: FreeText = ""


@frozen
class SettleReturn:
    """The money side is done, by a credit note."""

    credit_note: Id


@frozen
class ReturnReceived:
    """Goods came back."""

    location: str
    units: tuple[ReturnedUnits, ...]
    loose: tuple[UnmatchedReturn, ...]
    usable: bool
    customer: str
    reason: str


@frozen
class ReturnSettled:
    """The money side was done."""

    credit_note: str


@frozen
class ReceivedReturn:
    """The goods are back; money may still be owed."""

    location: str
    units: tuple[ReturnedUnits, ...]
    loose: tuple[UnmatchedReturn, ...]
    usable: bool
    customer: str
    reason: str


@frozen
class SettledReturn:
    """Goods are back and credited."""

    location: str
    units: tuple[ReturnedUnits, ...]
    loose: tuple[UnmatchedReturn, ...]
    usable: bool
    customer: str
    reason: str
    credit_note: str


ReturnCommand: TypeAlias = ReceiveReturn | SettleReturn


ReturnEvent: TypeAlias = ReturnReceived | ReturnSettled


def brings_goods(state: Absent, command: ReceiveReturn, stamp: Stamp) -> Refusal | None:
    """A return brings something."""
    return None if command.units or command.loose else refuse("nothing_returned", "no units came back")


def _receive(state: Absent, command: ReceiveReturn, stamp: Stamp) -> ReturnReceived:
    c = command
    return ReturnReceived(c.location, c.units, c.loose, c.usable, c.customer, c.reason)


def _received(state: Absent, event: ReturnReceived) -> ReceivedReturn:
    e = event
    return ReceivedReturn(e.location, e.units, e.loose, e.usable, e.customer, e.reason)


def _settle(state: ReceivedReturn, command: SettleReturn, stamp: Stamp) -> ReturnSettled:
    return ReturnSettled(command.credit_note)


def _settled(state: ReceivedReturn, event: ReturnSettled) -> SettledReturn:
    s = state
    return SettledReturn(s.location, s.units, s.loose, s.usable, s.customer, s.reason, event.credit_note)


def _check(state: ReceivedReturn | SettledReturn) -> None:
    if not state.units and not state.loose:
        raise InvariantBroken("return", "nothing came back")


RETURN = Machine(
    "return",
    commands=ReturnCommand,
    events=ReturnEvent,
    final=(ReceivedReturn, SettledReturn),
    check=_check,
    rules=(
        rule(Absent, ReceiveReturn, _receive, to(ReturnReceived, ReceivedReturn, _received), guards=(brings_goods,)),
        rule(ReceivedReturn, SettleReturn, _settle, to(ReturnSettled, SettledReturn, _settled)),
    ),
)
