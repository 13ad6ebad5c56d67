"""Findings: what was counted, damaged, lost or found, and units set aside until someone has looked at them."""

from __future__ import annotations

from attrs import evolve, frozen

from orderflow.domain.engine.bounds import Count, Delta, Name, Quantity
from orderflow.domain.engine.record import Command, Event, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.stock import (
    Row,
    StockLevel,
    changes_something,
    healed,
    level_of,
    missing,
    no_more_than,
    with_on_hand,
    with_shortfall,
)
from orderflow.errors import Refusal


@frozen(eq=False, repr=False)
class _Quarantined:
    quantity: Quantity
    reason: Name = ""
    document: Name = ""


class Quarantine(_Quarantined, Command):
    """Set units aside: damaged, held for quality, not found."""

    __slots__ = ()


class UnitsQuarantined(_Quarantined, Event):
    """Units were set aside."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class _Release:
    quantity: Quantity
    document: Name = ""


class ReleaseQuarantine(_Release, Command):
    """Put units that were set aside back on sale."""

    __slots__ = ()


class QuarantineReleased(_Release, Event):
    """Units are on sale again."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class _Difference:
    quantity: Delta
    reason: Name = ""
    document: Name = ""


class Adjust(_Difference, Command):
    """Book a difference: found, damaged, lost."""

    __slots__ = ()


class StockAdjusted(_Difference, Event):
    """A difference was booked."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class CountStock(Command):
    """Book what a stocktake has counted."""

    counted: Count
    reason: Name = ""
    document: Name = ""


@frozen(eq=False, repr=False)
class StockCounted(Event):
    """A stocktake was booked; ``quantity`` is the signed difference it found."""

    counted: int
    quantity: int
    reason: str
    document: str


@frozen(eq=False, repr=False)
class _Doubt:
    document: Name = ""


class RequestRecount(_Doubt, Internal):
    """Somebody is to count: what a document tells of the row cannot be."""

    __slots__ = ()


class RecountRequested(_Doubt, Event):
    """The row is to be counted."""

    __slots__ = ()


def is_free(state: StockLevel, command: Quarantine, stamp: Stamp) -> Refusal | None:
    """Only units on hand that are not set aside already can be set aside."""
    free = state.on_hand - state.unavailable
    return no_more_than(free, command.quantity, "not_on_hand", "{wanted} wanted, {found} on hand")


def is_unavailable(state: StockLevel, command: ReleaseQuarantine, stamp: Stamp) -> Refusal | None:
    """Only units that were set aside can be released."""
    return no_more_than(state.unavailable, command.quantity, "not_unavailable", "{wanted} wanted, {found} set aside")


def quarantined(s: StockLevel, event: UnitsQuarantined) -> StockLevel:
    return _found(evolve(s, unavailable=s.unavailable + event.quantity))


def quarantine_released(s: StockLevel, event: QuarantineReleased) -> StockLevel:
    return healed(evolve(s, unavailable=s.unavailable - event.quantity))


def stays_whole(state: Row, command: Adjust, stamp: Stamp) -> Refusal | None:
    """A difference is never 0, and never takes the units on hand below 0."""
    return changes_something(level_of(state).on_hand, command.quantity)


def count(state: Row, command: CountStock, stamp: Stamp) -> StockCounted:
    return StockCounted(command.counted, command.counted - level_of(state).on_hand, command.reason, command.document)


def adjusted(state: Row, event: StockAdjusted | StockCounted) -> StockLevel:
    s = level_of(state)
    return _found(with_on_hand(s, s.on_hand + event.quantity))


def _found(s: StockLevel) -> StockLevel:
    """After a finding: the units promised beyond it are the shortfall."""
    return with_shortfall(s, missing(s))


def counted(state: Row, event: StockCounted) -> StockLevel:
    return evolve(adjusted(state, event), recount=False)


def recount_requested(state: Row, event: RecountRequested) -> StockLevel:
    return evolve(level_of(state), recount=True)
