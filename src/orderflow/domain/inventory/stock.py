"""A stock row: counters of one SKU at one location. Which order holds which units is recorded on the orders.

It has one state and never ends: only its counters change. Every movement cites the document that caused it.
"""

from __future__ import annotations

from typing import Final, Protocol, TypeAlias

from attrs import evolve, frozen

from orderflow.domain.engine.bounds import Count, Delta, Name, Quantity
from orderflow.domain.engine.limits import MAX_QUANTITY
from orderflow.domain.engine.machine import Absent, refuse
from orderflow.domain.engine.record import Command, Event, Internal, Record, replacing
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import InvariantBroken, Refusal


@frozen(eq=False, repr=False)
class StockLevel(Record):
    """Units on hand, promised, set aside, announced and on back-order.

    ``shortfall`` counts promised units that are missing; while there is one nothing new is allocated. ``recount``: what
    was told of the row cannot be, so somebody is to count.
    """

    on_hand: Count = 0
    allocated: Count = 0
    unavailable: Count = 0
    incoming: Count = 0
    backordered: Count = 0
    shortfall: Count = 0
    recount: bool = False

    @property
    def available(self) -> int:
        """What may be promised (引当可能数), never below 0."""
        return max(0, self.on_hand - self.allocated - self.unavailable)

    @property
    def promised(self) -> int:
        """Waiting demand that announced goods will cover."""
        return min(self.incoming, self.backordered)


#: What a row holds before its first movement.
EMPTY: Final = StockLevel()

Row: TypeAlias = Absent | StockLevel


def level_of(state: Row) -> StockLevel:
    return state if isinstance(state, StockLevel) else EMPTY


def check_stock(row: StockLevel) -> None:
    """No counter is negative; promises never exceed the units on hand plus the known shortfall (I02).

    Raises:
        InvariantBroken: naming the counters.
    """
    negative = row.on_hand < 0 or row.allocated < 0 or row.unavailable < 0 or row.incoming < 0
    if negative or row.backordered < 0 or row.shortfall < 0:
        raise InvariantBroken("I02", repr(row))
    if row.allocated + row.unavailable > row.on_hand + row.shortfall:
        raise InvariantBroken("I02", repr(row))


# -- messages


@frozen(eq=False, repr=False)
class _Units:
    """Units, and the document that moves them."""

    quantity: Quantity
    document: Name = ""


@frozen(eq=False, repr=False)
class _Receipt:
    quantity: Quantity
    expected: Count = 0
    document: Name = ""


class ReceiveGoods(_Receipt, Command):
    """Take goods in (入荷); ``expected`` of them had been announced."""

    __slots__ = ()


class GoodsReceived(_Receipt, Event):
    """Goods came in."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class _Announcement:
    quantity: Delta
    document: Name = ""


class ExpectGoods(_Announcement, Command):
    """Announce goods (入荷予定); a negative quantity takes an announcement back."""

    __slots__ = ()


class GoodsExpected(_Announcement, Event):
    """An announcement changed."""

    __slots__ = ()


class Allocate(_Units, Internal):
    """Promise units to a document (引当)."""

    __slots__ = ()


class UnitsAllocated(_Units, Event):
    """Units were promised."""

    __slots__ = ()


class Release(_Units, Internal):
    """Take a promise back."""

    __slots__ = ()


class UnitsReleased(_Units, Event):
    """A promise was taken back."""

    __slots__ = ()


class Backorder(_Units, Internal):
    """Count units of demand that wait for stock."""

    __slots__ = ()


class UnitsBackordered(_Units, Event):
    """Demand waits."""

    __slots__ = ()


class DropBackorder(_Units, Internal):
    """Take off waiting demand that was filled or given up."""

    __slots__ = ()


class BackorderDropped(_Units, Event):
    """Demand no longer waits."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class Ship(Internal):
    """Note that units left, of which these were ``allocated`` here."""

    quantity: Quantity
    document: Name = ""
    allocated: Count = 0


@frozen(eq=False, repr=False)
class UnitsShipped(Event):
    """Units left; ``found`` ones had not been on hand."""

    quantity: int
    document: str
    allocated: int
    found: int


def held_here(state: Row, command: Ship, stamp: Stamp) -> Refusal | None:
    """No more comes off the promises than there are, and than leaves."""
    most = min(level_of(state).allocated, command.quantity)
    return no_more_than(most, command.allocated, "not_allocated", "{wanted} wanted, {found} allocated")


def ship(state: Row, command: Ship, stamp: Stamp) -> UnitsShipped:
    found = max(0, command.quantity - level_of(state).on_hand)
    return UnitsShipped(command.quantity, command.document, command.allocated, found)


@frozen(eq=False, repr=False)
class _Restocked:
    quantity: Quantity
    usable: bool = True
    document: Name = ""


class Restock(_Restocked, Internal):
    """Take units back: on sale again if ``usable``, otherwise set aside."""

    __slots__ = ()


class UnitsRestocked(_Restocked, Event):
    """Units came back."""

    __slots__ = ()


class TakeOutShort(_Units, Internal):
    """Take back the promise of units that were not found, and set them aside."""

    __slots__ = ()


class UnitsNotFound(_Units, Event):
    """Promised units were not found."""

    __slots__ = ()


class TransferOut(_Units, Internal):
    """Send units to another location."""

    __slots__ = ()


class UnitsTransferredOut(_Units, Event):
    """Units left for another location."""

    __slots__ = ()


class TransferIn(_Units, Internal):
    """Take in units from another location."""

    __slots__ = ()


class UnitsTransferredIn(_Units, Event):
    """Units arrived from another location."""

    __slots__ = ()


# -- guards


def is_available(state: StockLevel, command: Allocate | TransferOut, stamp: Stamp) -> Refusal | None:
    """No more is promised or sent away than is available, and nothing while there is a shortfall (never oversold)."""
    have = 0 if state.shortfall else state.available
    return no_more_than(
        have, command.quantity, "insufficient_stock", "{wanted} wanted, {available} available", "available"
    )


def is_allocated(state: StockLevel, command: _Units, stamp: Stamp) -> Refusal | None:
    """Only promised units can be released, shipped or found missing."""
    return no_more_than(state.allocated, command.quantity, "not_allocated", "{wanted} wanted, {found} allocated")


def is_backordered(state: StockLevel, command: DropBackorder, stamp: Stamp) -> Refusal | None:
    """Only waiting demand can be dropped."""
    return no_more_than(state.backordered, command.quantity, "not_backordered", "{wanted} wanted, {found} waiting")


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


def has_room(state: StockLevel, command: HasQuantity, stamp: Stamp) -> Refusal | None:
    """No counter grows beyond the largest quantity."""
    most = max(state.on_hand, state.incoming, state.backordered)
    if most + command.quantity <= MAX_QUANTITY:
        return None
    return refuse("too_much", "a row holds at most {most} units", most=MAX_QUANTITY)


# -- movements

_with_incoming = replacing(StockLevel, lambda s: s.incoming)
_with_allocated = replacing(StockLevel, lambda s: s.allocated)
_with_backordered = replacing(StockLevel, lambda s: s.backordered)
with_on_hand = replacing(StockLevel, lambda s: s.on_hand)
_with_both = replacing(StockLevel, lambda s: s.on_hand, lambda s: s.allocated)
with_shortfall = replacing(StockLevel, lambda s: s.shortfall)


def received(state: Row, event: GoodsReceived) -> StockLevel:
    s = with_on_hand(level_of(state), level_of(state).on_hand + event.quantity)
    return healed(_with_incoming(s, s.incoming - event.expected) if event.expected else s)


def expected(state: Row, event: GoodsExpected) -> StockLevel:
    s = level_of(state)
    return _with_incoming(s, s.incoming + event.quantity)


def allocated(s: StockLevel, event: UnitsAllocated) -> StockLevel:
    return _with_allocated(s, s.allocated + event.quantity)


def released(s: StockLevel, event: UnitsReleased) -> StockLevel:
    return healed(_with_allocated(s, s.allocated - event.quantity))


def backordered(state: Row, event: UnitsBackordered) -> StockLevel:
    s = level_of(state)
    return _with_backordered(s, s.backordered + event.quantity)


def backorder_dropped(s: StockLevel, event: BackorderDropped) -> StockLevel:
    return _with_backordered(s, s.backordered - event.quantity)


def shipped(state: Row, event: UnitsShipped) -> StockLevel:
    s = level_of(state)
    left = _with_both(s, s.on_hand + event.found - event.quantity, s.allocated - event.allocated)
    if event.quantity == event.allocated and not event.found:
        return healed(left)
    return evolve(left, shortfall=missing(left), recount=left.recount or event.found > 0)


def restocked(state: Row, event: UnitsRestocked) -> StockLevel:
    s = level_of(state)
    aside = 0 if event.usable else event.quantity
    return healed(evolve(s, on_hand=s.on_hand + event.quantity, unavailable=s.unavailable + aside))


def not_found(s: StockLevel, event: UnitsNotFound) -> StockLevel:
    """Units that a stocktake has already found missing are not set aside again."""
    freed = healed(_with_allocated(s, s.allocated - event.quantity))
    return evolve(freed, unavailable=s.unavailable + min(event.quantity, freed.available), recount=True)


def transferred_out(s: StockLevel, event: UnitsTransferredOut) -> StockLevel:
    return with_on_hand(s, s.on_hand - event.quantity)


def transferred_in(state: Row, event: UnitsTransferredIn) -> StockLevel:
    s = level_of(state)
    return healed(with_on_hand(s, s.on_hand + event.quantity))


def missing(s: StockLevel) -> int:
    return max(0, s.allocated + s.unavailable - s.on_hand)


def healed(s: StockLevel) -> StockLevel:
    """After a movement that can only make a shortfall smaller."""
    return with_shortfall(s, min(s.shortfall, missing(s))) if s.shortfall else s
