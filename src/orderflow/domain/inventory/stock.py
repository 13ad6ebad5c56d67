"""A stock row: counters of one SKU at one location. Which order holds which units is recorded on the orders.

It has one state and never ends: only its counters change. Every movement cites the document that caused it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Count, Delta, Name, Quantity
from orderflow.domain.engine.limits import MAX_QUANTITY
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Fields, Internal, replacing, values_of
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.level import QueueClass, Row, StockLevel, level_of
from orderflow.domain.values import Priority
from orderflow.errors import Refusal

E = TypeVar("E", bound=Event)

# -- messages


class _Units(Fields):
    """Units, and the document that moves them."""

    quantity: Quantity
    document: Name = ""


class _Receipt(Fields):
    quantity: Quantity
    expected: Count = 0
    document: Name = ""


class ReceiveGoods(_Receipt, Command):
    """Take goods in (入荷); ``expected`` of them had been announced."""


class GoodsReceived(_Receipt, Event):
    """Goods came in; if it was ``counted``, a stocktake has seen that already."""

    counted: bool = False


class _Announcement(Fields):
    quantity: Delta
    document: Name = ""
    expected_by: datetime | None = None


class ExpectGoods(_Announcement, Command):
    """Announce goods (入荷予定); for a time if one is given; a negative quantity takes one back."""


class GoodsExpected(_Announcement, Event):
    """An announcement changed."""


class _Allocation(_Units):
    priority: Priority = 0
    own: Count = 0
    skip_queue: bool = False


class Allocate(_Allocation, Internal):
    """Promise units to a document (引当), which waits for ``own`` more; ``skip_queue`` passes over others who wait."""


class UnitsAllocated(_Allocation, Event):
    """Units were promised."""


class Release(_Units, Internal):
    """Take a promise back."""


class UnitsReleased(_Units, Event):
    """A promise was taken back."""


class _Queued(_Units):
    priority: Priority = 0


class Backorder(_Queued, Internal):
    """Count units of demand that wait for stock."""


class UnitsBackordered(_Queued, Event):
    """Demand waits."""


class DropBackorder(_Queued, Internal):
    """Take off waiting demand that was filled or given up."""


class BackorderDropped(_Queued, Event):
    """Demand no longer waits."""


class Ship(Internal):
    """Note that units have left, of which ``allocated`` were promised here. It is a fact, whatever was on hand."""

    quantity: Quantity
    document: Name
    allocated: Count


class UnitsShipped(Event):
    """Units left. ``allocated`` of them were promised here; ``found`` of them nobody knew to be on hand.

    If they were ``counted``, a stocktake has seen already that they are gone.
    """

    quantity: int
    document: str
    allocated: int
    found: int = 0
    counted: bool = False


class Restock(Internal):
    """Note that units came back, however many: ``usable`` ones are on sale, those ``in_return`` wait for inspection."""

    quantity: Quantity
    usable: bool = True
    document: Name = ""
    in_return: bool = False


class UnitsRestocked(Event):
    """Units came back; if they were ``counted``, a stocktake has seen them already."""

    quantity: int
    usable: bool
    document: str
    in_return: bool = False
    counted: bool = False


class TakeOutShort(_Units, Internal):
    """Take back the promise of units that were not found, and set them aside."""


class UnitsNotFound(_Units, Event):
    """Promised units were not found."""


class TransferOut(_Units, Internal):
    """Send units to another location."""


class UnitsTransferredOut(_Units, Event):
    """Units left for another location; if it was ``counted``, a stocktake has seen that already."""

    counted: bool = False


class TransferIn(_Units, Internal):
    """Take in units from another location."""


class UnitsTransferredIn(_Units, Event):
    """Units arrived from another location; if it was ``counted``, a stocktake has seen that already."""

    counted: bool = False


# -- guards


def is_available(state: StockLevel, command: Allocate, stamp: Stamp) -> Refusal | None:
    """No more is promised than is available (never oversold)."""
    return _available(state, command.quantity)


def may_go(state: StockLevel, command: TransferOut, stamp: Stamp) -> Refusal | None:
    """No more is sent away than is available, unless a stocktake has seen that it is gone."""
    return None if state.has_seen(stamp) else _available(state, command.quantity)


def _available(state: StockLevel, quantity: int) -> Refusal | None:
    return no_more_than(
        state.available, quantity, "insufficient_stock", "{wanted} wanted, {available} available", "available"
    )


def is_its_turn(state: StockLevel, command: Allocate, stamp: Stamp) -> Refusal | None:
    """What others wait for, in its class or before it, is not for a newcomer (first come, first served)."""
    if command.skip_queue or command.quantity > state.available:
        return None
    sentence = "{wanted} wanted, and of those available {offered} are not waited for by others"
    offered = state.offered(command.priority, command.own)
    return no_more_than(offered, command.quantity, "others_wait", sentence, "offered")


def is_allocated(state: StockLevel, command: _Units, stamp: Stamp) -> Refusal | None:
    """Only promised units can be released or found missing."""
    return no_more_than(state.allocated, command.quantity, "not_allocated", "{wanted} wanted, {found} allocated")


def is_backordered(state: StockLevel, command: DropBackorder, stamp: Stamp) -> Refusal | None:
    """Only waiting demand can be dropped."""
    waiting = state.waiting(command.priority)
    return no_more_than(waiting, command.quantity, "not_backordered", "{wanted} wanted, {found} waiting")


def no_more_than(have: int, wanted: int, code: str, sentence: str, name: str = "found") -> Refusal | None:
    return None if wanted <= have else refuse(code, sentence, **{"wanted": wanted, name: have})


def covers_expected(state: Row, command: ReceiveGoods, stamp: Stamp) -> Refusal | None:
    """No more announced units are taken off than were announced and have come in."""
    most = min(level_of(state).incoming, command.quantity)
    if command.expected <= most:
        return None
    return refuse(
        "not_expected", "{asked} announced units named, at most {found} possible", asked=command.expected, found=most
    )


def stays_announced(state: Row, command: ExpectGoods, stamp: Stamp) -> Refusal | None:
    """No more announced units are taken back than there are, and a change is never 0."""
    return changes_something(level_of(state).incoming, command.quantity)


def changes_something(before: int, change: int) -> Refusal | None:
    """Whether a difference is 0, or would take a counter below 0."""
    if change == 0:
        return refuse("no_difference", "a difference of 0 changes nothing")
    return (
        refuse("below_zero", "a change by {change} would take {found} below 0", change=change, found=before)
        if before + change < 0
        else None
    )


class HasQuantity(Protocol):
    @property
    def quantity(self) -> int: ...


def has_room(state: Row, command: HasQuantity, stamp: Stamp) -> Refusal | None:
    """No counter grows beyond the largest quantity."""
    s = level_of(state)
    most = max(s.on_hand, s.incoming, s.backordered)
    if most + command.quantity <= MAX_QUANTITY:
        return None
    return refuse("too_much", "a row holds at most {most} units", most=MAX_QUANTITY)


# -- movements

_with_announced = replacing(StockLevel, lambda s: s.incoming, lambda s: s.expected_by)
_with_allocated = replacing(StockLevel, lambda s: s.allocated)
_with_backordered = replacing(StockLevel, lambda s: s.backordered)
with_on_hand = replacing(StockLevel, lambda s: s.on_hand)
_with_both = replacing(StockLevel, lambda s: s.on_hand, lambda s: s.allocated)
with_quarantined = replacing(StockLevel, lambda s: s.quarantined)


class Seen(HasQuantity, Protocol):
    @property
    def counted(self) -> bool: ...


def seen(kind: Callable[..., E]) -> Callable[[Row, Any, Stamp], E]:
    """An event of what a command says, and of whether a stocktake has counted it already."""
    return lambda state, command, stamp: kind(*values_of(command.__class__)(command), level_of(state).has_seen(stamp))


def moved(state: Row, event: Seen, sign: int = 1) -> StockLevel:
    """With more or fewer units on hand, unless a stocktake has counted that already."""
    s = level_of(state)
    return s if event.counted else with_on_hand(s, s.on_hand + sign * event.quantity)


def received(state: Row, event: GoodsReceived) -> StockLevel:
    s = moved(state, event)
    return _announced(s, -event.expected, s.expected_by) if event.expected else s


def expected(state: Row, event: GoodsExpected) -> StockLevel:
    s = level_of(state)
    return _announced(s, event.quantity, event.expected_by or s.expected_by)


def _announced(s: StockLevel, more: int, by: datetime | None) -> StockLevel:
    """The first time that was named stands until nothing more is to come."""
    first = min(by, s.expected_by) if by and s.expected_by else by
    return _with_announced(s, s.incoming + more, first if s.incoming + more else None)


def allocated(s: StockLevel, event: UnitsAllocated) -> StockLevel:
    return _with_allocated(s, s.allocated + event.quantity)


def released(s: StockLevel, event: UnitsReleased) -> StockLevel:
    return _with_allocated(s, s.allocated - event.quantity)


def backordered(state: Row, event: UnitsBackordered) -> StockLevel:
    return _queued(level_of(state), event.priority, event.quantity)


def backorder_dropped(s: StockLevel, event: BackorderDropped) -> StockLevel:
    return _queued(s, event.priority, -event.quantity)


def _queued(s: StockLevel, priority: int, more: int) -> StockLevel:
    """More or fewer units wait in a class."""
    total = s.backordered + more
    if not priority:
        return _with_backordered(s, total)
    units = {**dict(s.classes), priority: s.waiting(priority) + more}
    classes = tuple([QueueClass(at, n) for at, n in sorted(units.items()) if n])
    return evolve(s, backordered=total, classes=classes)


class Found(Seen, Protocol):
    @property
    def found(self) -> int: ...


def first_found(s: StockLevel, command: HasQuantity, stamp: Stamp) -> tuple[bool, int]:
    """Of units that are gone, whether a stocktake has counted that already; if not, how many nobody knew of."""
    counted = s.has_seen(stamp)
    return counted, 0 if counted else max(0, command.quantity - s.on_hand)


def left_on_hand(s: StockLevel, event: Found) -> int:
    """What is on hand once the units are gone; those that were found first had not been known."""
    return s.on_hand if event.counted else s.on_hand + event.found - event.quantity


def ship(state: Row, command: Ship, stamp: Stamp) -> UnitsShipped:
    """What has left was there: units that nobody knew of are found first."""
    s = level_of(state)
    allocated, (counted, found) = min(command.allocated, command.quantity, s.allocated), first_found(s, command, stamp)
    return UnitsShipped(command.quantity, command.document, allocated, found, counted)


def shipped(state: Row, event: UnitsShipped) -> StockLevel:
    s = level_of(state)
    s = _with_both(s, left_on_hand(s, event), s.allocated - event.allocated)
    return evolve(s, recount=True) if event.found else s


def restocked(state: Row, event: UnitsRestocked) -> StockLevel:
    s, aside = moved(state, event), 0 if event.usable else event.quantity
    return evolve(s, quarantined=s.quarantined + aside, in_returns=s.in_returns + (aside if event.in_return else 0))


def not_found(s: StockLevel, event: UnitsNotFound) -> StockLevel:
    """Units that a stocktake has already found missing are not set aside again."""
    freed = _with_allocated(s, s.allocated - event.quantity)
    aside = min(event.quantity, freed.available)
    return evolve(freed, missing=s.missing + aside, recount=True) if aside else freed


def transferred_out(s: StockLevel, event: UnitsTransferredOut) -> StockLevel:
    return moved(s, event, -1)


def transferred_in(state: Row, event: UnitsTransferredIn) -> StockLevel:
    return moved(state, event)
