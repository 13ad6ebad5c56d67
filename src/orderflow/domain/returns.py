"""Returns (返品), in the simple form of goods that come back."""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

from attrs import frozen

from orderflow.domain.engine.bounds import FreeText, Id, Length, Name, Quantity
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule
from orderflow.domain.engine.record import Command, Event, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.values import MAX_LINES, Location, Sku
from orderflow.errors import InvariantBroken, Refusal

__all__ = [
    "RETURN",
    "ReceiveReturn",
    "ReceivedReturn",
    "ReturnReceived",
    "ReturnSettled",
    "ReturnedUnits",
    "SettleReturn",
    "SettledReturn",
    "UnmatchedReturn",
]


class ReturnedUnits(NamedTuple):
    """Units of an order line that came back, and the ``shipment`` they had left in.

    Where none is named, it is looked for, and ``supposed`` if several were possible; units that had left in none are to
    be counted.
    """

    order: Id
    line: Quantity
    quantity: Quantity
    shipment: Name = ""
    supposed: bool = False


class UnmatchedReturn(NamedTuple):
    """Units that came back and belong to no known order line."""

    sku: Sku
    quantity: Quantity


@frozen(eq=False, repr=False)
class _Return:
    location: Location
    units: Annotated[tuple[ReturnedUnits, ...], Length(0, MAX_LINES)] = ()
    unmatched: Annotated[tuple[UnmatchedReturn, ...], Length(0, MAX_LINES)] = ()
    usable: bool = True
    customer: Name = ""
    reason: FreeText = ""


class ReceiveReturn(_Return, Command):
    """Take in goods that came back to ``location``, announced or not; ``usable`` ones go on sale again."""

    __slots__ = ()


class ReturnReceived(_Return, Event):
    """Goods came back."""

    __slots__ = ()


class ReceivedReturn(_Return, Record):
    """The goods are back; money may still be owed for them."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class _Settlement:
    credit_note: Id


class SettleReturn(_Settlement, Command):
    """Note that the money side is done, by a credit note."""

    __slots__ = ()


class ReturnSettled(_Settlement, Event):
    """The money side was done."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class SettledReturn(_Return, Record):
    """The goods are back and credited."""

    credit_note: Name = ""


def brings_goods(state: Absent, command: ReceiveReturn, stamp: Stamp) -> Refusal | None:
    """A return brings back at least one unit."""
    return None if command.units or command.unmatched else refuse("nothing_returned", "no units came back")


def _received(state: Absent, event: ReturnReceived) -> ReceivedReturn:
    e = event
    return ReceivedReturn(e.location, e.units, e.unmatched, e.usable, e.customer, e.reason)


def _settled(state: ReceivedReturn, event: ReturnSettled) -> SettledReturn:
    s = state
    return SettledReturn(s.location, s.units, s.unmatched, s.usable, s.customer, s.reason, event.credit_note)


def _check(state: ReceivedReturn | SettledReturn) -> None:
    if not state.units and not state.unmatched:
        raise InvariantBroken("return", "nothing came back")


RETURN: Final = Machine(
    "return",
    rules=(
        rule(Absent, ReceiveReturn, ReturnReceived, ReceivedReturn, _received, guards=(brings_goods,)),
        rule(ReceivedReturn, SettleReturn, ReturnSettled, SettledReturn, _settled),
    ),
    final=(ReceivedReturn, SettledReturn),
    check=_check,
)
