"""Findings: what was counted, damaged, lost or found, and units set aside until someone has looked at them."""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from orderflow.domain.engine.bounds import Count, Delta, Name, Quantity
from orderflow.domain.engine.limits import MAX_QUANTITY
from orderflow.domain.engine.record import Command, Event, Fields, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.level import Row, StockLevel, level_of
from orderflow.domain.inventory.stock import (
    changes_something,
    left_on_hand,
    moved,
    no_more_than,
    with_on_hand,
    with_quarantined,
)
from orderflow.errors import Refusal

__all__ = [
    "Adjust",
    "CountStock",
    "Discard",
    "Quarantine",
    "QuarantineReleased",
    "RecountRequested",
    "ReleaseQuarantine",
    "RequestRecount",
    "StockAdjusted",
    "StockCounted",
    "UnitsDiscarded",
    "UnitsQuarantined",
]


class _Quarantined(Fields):
    quantity: Quantity
    reason: Name = ""
    document: Name = ""


class Quarantine(_Quarantined, Command):
    """Set units aside: damaged, held for quality."""


class UnitsQuarantined(_Quarantined, Event):
    """Units were set aside."""


class _Release(Fields):
    quantity: Quantity
    document: Name = ""


class ReleaseQuarantine(_Release, Command):
    """Put units that were set aside back on sale."""


class QuarantineReleased(_Release, Event):
    """Units are on sale again; those ``in_return`` were inspected."""

    in_return: bool = False


class _Discarded(Fields):
    quantity: Quantity
    reason: Name = ""
    document: Name = ""


class Discard(_Discarded, Command):
    """Throw away units that were set aside."""


class UnitsDiscarded(_Discarded, Event):
    """Units that were set aside were thrown away; if it was ``counted``, a stocktake has seen that already.

    ``found`` of them nobody knew to be on hand; those ``in_return`` were inspected.
    """

    counted: bool = False
    found: int = 0
    in_return: bool = False


class _Recount(Fields):
    document: Name = ""


class RequestRecount(_Recount, Internal):
    """Ask for a stocktake: a report contradicts what the row says."""


class RecountRequested(_Recount, Event):
    """A stocktake is wanted."""


class _Difference(Fields):
    quantity: Delta
    reason: Name = ""
    document: Name = ""


class Adjust(_Difference, Command):
    """Book a difference: found, damaged, lost."""


class StockAdjusted(_Difference, Event):
    """A difference was booked; if it was ``counted``, a stocktake has seen that already."""

    counted: bool = False


class CountStock(Command):
    """Book what a stocktake has counted.

    One that is booked later than it was made says when that was (``as_of``), and what its sheet said was on hand: the
    difference from that is booked.
    """

    counted: Count
    reason: Name = ""
    document: Name = ""
    as_of: datetime | None = None
    seen_on_hand: Count | None = None


class StockCounted(Event):
    """A stocktake was booked; ``quantity`` is the signed difference it found, ``as_of`` when it was made."""

    counted: int
    quantity: int
    reason: str
    document: str
    as_of: datetime | None = None


def is_free(state: StockLevel, command: Quarantine, stamp: Stamp) -> Refusal | None:
    """Only units on hand that are not set aside already can be set aside."""
    free = state.on_hand - state.unavailable
    return no_more_than(free, command.quantity, "not_on_hand", "{wanted} wanted, {found} on hand")


def is_quarantined(state: StockLevel, command: ReleaseQuarantine | Discard, stamp: Stamp) -> Refusal | None:
    """Only units that were set aside can be released or thrown away; those in returns are inspected there."""
    return no_more_than(state.set_aside, command.quantity, "not_quarantined", "{wanted} wanted, {found} set aside")


def is_on_hand(state: StockLevel, command: Discard, stamp: Stamp) -> Refusal | None:
    """Only units on hand can be thrown away, or those that a stocktake has missed since."""
    on_hand = command.quantity if state.has_seen(stamp) else state.on_hand
    return no_more_than(on_hand, command.quantity, "not_on_hand", "{wanted} wanted, {found} on hand")


def quarantined(s: StockLevel, event: UnitsQuarantined) -> StockLevel:
    return with_quarantined(s, s.quarantined + event.quantity)


def release(state: StockLevel, command: ReleaseQuarantine, stamp: Stamp) -> QuarantineReleased:
    return QuarantineReleased(command.quantity, command.document)


def quarantine_released(s: StockLevel, event: QuarantineReleased) -> StockLevel:
    return _taken_off(s, event)


def discarded(s: StockLevel, event: UnitsDiscarded) -> StockLevel:
    s = with_on_hand(_taken_off(s, event), left_on_hand(s, event))
    return evolve(s, recount=True) if event.found else s


def _taken_off(s: StockLevel, event: QuarantineReleased | UnitsDiscarded) -> StockLevel:
    """Units are set aside no longer, nor in a return."""
    inspected = event.quantity if event.in_return else 0
    return evolve(s, quarantined=s.quarantined - event.quantity, in_returns=s.in_returns - inspected)


def recount_requested(state: Row, event: RecountRequested) -> StockLevel:
    return evolve(level_of(state), recount=True)


def stays_whole(state: Row, command: Adjust, stamp: Stamp) -> Refusal | None:
    """A difference is never 0, and never takes the units on hand below 0; one that was counted takes nothing."""
    s = level_of(state)
    return changes_something(MAX_QUANTITY if s.has_seen(stamp) else s.on_hand, command.quantity)


def count(state: Row, command: CountStock, stamp: Stamp) -> StockCounted:
    """No later than now; and what has left since then cannot have been counted away again."""
    on_hand = level_of(state).on_hand
    sheet = on_hand if command.seen_on_hand is None else command.seen_on_hand
    as_of = min(command.as_of or stamp.moment, stamp.at)
    difference = max(command.counted - sheet, -on_hand)
    return StockCounted(command.counted, difference, command.reason, command.document, as_of)


def counted(state: Row, event: StockCounted) -> StockLevel:
    """What was not found is found now, or is not there."""
    s = level_of(state)
    last = max(filter(None, (s.counted_at, event.as_of)), default=None)
    return evolve(s, on_hand=s.on_hand + event.quantity, missing=0, recount=False, counted_at=last)


def adjusted(state: Row, event: StockAdjusted) -> StockLevel:
    return moved(state, event)
