"""A stock row: counters of one SKU at one location. Who holds what stands in the orders.

It has one state: its life is in its counters, and it never ends. Every movement cites the document that caused it.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from attrs import evolve, frozen

from orderflow.domain.engine.limits import MAX_QUANTITY
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, rules
from orderflow.domain.engine.record import Command, Event, Internal, Record, replacing
from orderflow.domain.engine.schema import Count, Delta, Name, Quantity
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import InvariantBroken, Refusal

__all__ = [
    "EMPTY",
    "STOCK",
    "Adjust",
    "Allocate",
    "Backorder",
    "BackorderDropped",
    "CountStock",
    "DropBackorder",
    "ExpectGoods",
    "GoodsExpected",
    "GoodsReceived",
    "Quarantine",
    "QuarantineReleased",
    "ReceiveGoods",
    "Release",
    "ReleaseQuarantine",
    "Restock",
    "Ship",
    "StockAdjusted",
    "StockCounted",
    "StockLevel",
    "TakeOutShort",
    "TransferIn",
    "TransferOut",
    "UnitsAllocated",
    "UnitsBackordered",
    "UnitsNotFound",
    "UnitsQuarantined",
    "UnitsReleased",
    "UnitsRestocked",
    "UnitsShipped",
    "UnitsTransferredIn",
    "UnitsTransferredOut",
    "check_stock",
]


@frozen(eq=False, repr=False)
class StockLevel(Record):
    """Units on hand, promised, set aside, announced and waited for.

    ``shortfall`` is what a count or damage found missing under the promises; only such findings raise it, and while
    it stands nothing new is allocated.
    """

    on_hand: Count = 0
    allocated: Count = 0
    unavailable: Count = 0
    incoming: Count = 0
    backordered: Count = 0
    shortfall: Count = 0

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


def _level(state: Row) -> StockLevel:
    return state if isinstance(state, StockLevel) else EMPTY


def check_stock(row: StockLevel) -> None:
    """No counter is negative; promises never exceed what is there plus the known shortfall (I02).

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
    """Goods came in (入荷); ``expected`` of them had been announced."""

    __slots__ = ()


class GoodsReceived(_Receipt, Event):
    """Goods came in."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class _Announcement:
    quantity: Delta
    document: Name = ""


class ExpectGoods(_Announcement, Command):
    """Goods are announced (入荷予定); a negative quantity takes an announcement back."""

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
    """Waiting demand was filled or given up."""

    __slots__ = ()


class BackorderDropped(_Units, Event):
    """Demand no longer waits."""

    __slots__ = ()


class Ship(_Units, Internal):
    """Promised units leave."""

    __slots__ = ()


class UnitsShipped(_Units, Event):
    """Promised units left."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class _Restocked:
    quantity: Quantity
    usable: bool = True
    document: Name = ""


class Restock(_Restocked, Internal):
    """Units come back, on sale again or (not ``usable``) set aside."""

    __slots__ = ()


class UnitsRestocked(_Restocked, Event):
    """Units came back."""

    __slots__ = ()


class TakeOutShort(_Units, Internal):
    """Promised units were not found: the promise is taken back, and they are set aside."""

    __slots__ = ()


class UnitsNotFound(_Units, Event):
    """Promised units were not found."""

    __slots__ = ()


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


class ReleaseQuarantine(_Units, Command):
    """Units set aside go on sale again."""

    __slots__ = ()


class QuarantineReleased(_Units, Event):
    """Units are on sale again."""

    __slots__ = ()


class TransferOut(_Units, Internal):
    """Units leave for another location."""

    __slots__ = ()


class UnitsTransferredOut(_Units, Event):
    """Units left for another location."""

    __slots__ = ()


class TransferIn(_Units, Internal):
    """Units arrive from another location."""

    __slots__ = ()


class UnitsTransferredIn(_Units, Event):
    """Units arrived from another location."""

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


# -- guards


def is_available(state: StockLevel, command: Allocate | TransferOut, stamp: Stamp) -> Refusal | None:
    """No more is promised or sent away than is available, and nothing while a shortfall stands (never oversold)."""
    have = 0 if state.shortfall else state.available
    return _at_most(have, command.quantity, "insufficient_stock", "{wanted} wanted, {available} available", "available")


def is_allocated(state: StockLevel, command: _Units, stamp: Stamp) -> Refusal | None:
    """Only what is promised is released, shipped or found missing."""
    return _at_most(state.allocated, command.quantity, "not_allocated", "{wanted} wanted, {found} allocated")


def is_on_hand(state: StockLevel, command: Ship | Quarantine, stamp: Stamp) -> Refusal | None:
    """Only what is there can leave or be set aside."""
    left = state.on_hand - (state.unavailable if isinstance(command, Quarantine) else 0)
    return _at_most(left, command.quantity, "not_on_hand", "{wanted} wanted, {found} on hand")


def is_unavailable(state: StockLevel, command: ReleaseQuarantine, stamp: Stamp) -> Refusal | None:
    """Only what was set aside is released."""
    return _at_most(state.unavailable, command.quantity, "not_unavailable", "{wanted} wanted, {found} set aside")


def is_backordered(state: StockLevel, command: DropBackorder, stamp: Stamp) -> Refusal | None:
    """Only demand that waits can be dropped."""
    return _at_most(state.backordered, command.quantity, "not_backordered", "{wanted} wanted, {found} waiting")


def _at_most(have: int, wanted: int, code: str, sentence: str, name: str = "found") -> Refusal | None:
    return None if wanted <= have else refuse(code, sentence, **{"wanted": wanted, name: have})


def covers_expected(state: Row, command: ReceiveGoods, stamp: Stamp) -> Refusal | None:
    """No more is taken off the announcements than was announced and has come."""
    most = min(_level(state).incoming, command.quantity)
    if command.expected <= most:
        return None
    return refuse("not_expected", "{asked} announced units, {found} possible", asked=command.expected, found=most)


def stays_whole(state: Row, command: Adjust | ExpectGoods, stamp: Stamp) -> Refusal | None:
    """A difference never takes a counter below 0 and is never nothing."""
    row = _level(state)
    before = row.on_hand if isinstance(command, Adjust) else row.incoming
    if command.quantity == 0:
        return refuse("no_difference", "a difference of 0 changes nothing")
    if before + command.quantity < 0:
        return refuse("below_zero", "{change} on {found}", change=command.quantity, found=before)
    return None


def has_room(
    state: StockLevel,
    command: ReceiveGoods | Restock | TransferIn | Adjust | Backorder | ExpectGoods,
    stamp: Stamp,
) -> Refusal | None:
    """No counter grows beyond the largest quantity."""
    most = max(state.on_hand, state.incoming, state.backordered)
    if most + command.quantity <= MAX_QUANTITY:
        return None
    return refuse("too_much", "a row holds at most {most} units", most=MAX_QUANTITY)


# -- movements

_with_incoming = replacing(StockLevel, lambda s: s.incoming)
_with_allocated = replacing(StockLevel, lambda s: s.allocated)
_with_backordered = replacing(StockLevel, lambda s: s.backordered)
_with_on_hand = replacing(StockLevel, lambda s: s.on_hand)
_with_both = replacing(StockLevel, lambda s: s.on_hand, lambda s: s.allocated)
_with_shortfall = replacing(StockLevel, lambda s: s.shortfall)


def received(state: Row, event: GoodsReceived) -> StockLevel:
    s = _with_on_hand(_level(state), _level(state).on_hand + event.quantity)
    return _healed(_with_incoming(s, s.incoming - event.expected) if event.expected else s)


def expected(state: Row, event: GoodsExpected) -> StockLevel:
    s = _level(state)
    return _with_incoming(s, s.incoming + event.quantity)


def allocated(s: StockLevel, event: UnitsAllocated) -> StockLevel:
    return _with_allocated(s, s.allocated + event.quantity)


def released(s: StockLevel, event: UnitsReleased) -> StockLevel:
    return _healed(_with_allocated(s, s.allocated - event.quantity))


def backordered(state: Row, event: UnitsBackordered) -> StockLevel:
    s = _level(state)
    return _with_backordered(s, s.backordered + event.quantity)


def backorder_dropped(s: StockLevel, event: BackorderDropped) -> StockLevel:
    return _with_backordered(s, s.backordered - event.quantity)


def shipped(s: StockLevel, event: UnitsShipped) -> StockLevel:
    return _healed(_with_both(s, s.on_hand - event.quantity, s.allocated - event.quantity))


def restocked(state: Row, event: UnitsRestocked) -> StockLevel:
    s = _level(state)
    aside = 0 if event.usable else event.quantity
    return _healed(evolve(s, on_hand=s.on_hand + event.quantity, unavailable=s.unavailable + aside))


def quarantined(s: StockLevel, event: UnitsQuarantined) -> StockLevel:
    return _found(evolve(s, unavailable=s.unavailable + event.quantity))


def not_found(s: StockLevel, event: UnitsNotFound) -> StockLevel:
    """What a stocktake has found missing already is not set aside once more."""
    freed = _healed(_with_allocated(s, s.allocated - event.quantity))
    return evolve(freed, unavailable=s.unavailable + min(event.quantity, freed.available))


def quarantine_released(s: StockLevel, event: QuarantineReleased) -> StockLevel:
    return _healed(evolve(s, unavailable=s.unavailable - event.quantity))


def transferred_out(s: StockLevel, event: UnitsTransferredOut) -> StockLevel:
    return _with_on_hand(s, s.on_hand - event.quantity)


def transferred_in(state: Row, event: UnitsTransferredIn) -> StockLevel:
    s = _level(state)
    return _healed(_with_on_hand(s, s.on_hand + event.quantity))


def count(state: Row, command: CountStock, stamp: Stamp) -> StockCounted:
    return StockCounted(command.counted, command.counted - _level(state).on_hand, command.reason, command.document)


def adjusted(state: Row, event: StockAdjusted | StockCounted) -> StockLevel:
    s = _level(state)
    return _found(_with_on_hand(s, s.on_hand + event.quantity))


def _missing(s: StockLevel) -> int:
    return max(0, s.allocated + s.unavailable - s.on_hand)


def _healed(s: StockLevel) -> StockLevel:
    """After a movement that can only make a shortfall smaller."""
    return _with_shortfall(s, min(s.shortfall, _missing(s))) if s.shortfall else s


def _found(s: StockLevel) -> StockLevel:
    """After a finding: what is promised beyond it is the shortfall."""
    return _with_shortfall(s, _missing(s))


# -- the table

ANY: tuple[type[Row], ...] = (Absent, StockLevel)

STOCK: Final = Machine(
    "stock",
    rules=(
        rule(Absent, ReceiveGoods, GoodsReceived, StockLevel, received, guards=(covers_expected,)),
        rule(StockLevel, ReceiveGoods, GoodsReceived, StockLevel, received, guards=(covers_expected, has_room)),
        rule(Absent, ExpectGoods, GoodsExpected, StockLevel, expected, guards=(stays_whole,)),
        rule(StockLevel, ExpectGoods, GoodsExpected, StockLevel, expected, guards=(stays_whole, has_room)),
        rule(StockLevel, Allocate, UnitsAllocated, StockLevel, allocated, guards=(is_available,)),
        rule(StockLevel, Release, UnitsReleased, StockLevel, released, guards=(is_allocated,)),
        rule(Absent, Backorder, UnitsBackordered, StockLevel, backordered),
        rule(StockLevel, Backorder, UnitsBackordered, StockLevel, backordered, guards=(has_room,)),
        rule(StockLevel, DropBackorder, BackorderDropped, StockLevel, backorder_dropped, guards=(is_backordered,)),
        rule(StockLevel, Ship, UnitsShipped, StockLevel, shipped, guards=(is_allocated, is_on_hand)),
        rule(Absent, Restock, UnitsRestocked, StockLevel, restocked),
        rule(StockLevel, Restock, UnitsRestocked, StockLevel, restocked, guards=(has_room,)),
        rule(StockLevel, TakeOutShort, UnitsNotFound, StockLevel, not_found, guards=(is_allocated,)),
        rule(StockLevel, Quarantine, UnitsQuarantined, StockLevel, quarantined, guards=(is_on_hand,)),
        rule(
            StockLevel, ReleaseQuarantine, QuarantineReleased, StockLevel, quarantine_released, guards=(is_unavailable,)
        ),
        rule(StockLevel, TransferOut, UnitsTransferredOut, StockLevel, transferred_out, guards=(is_available,)),
        rule(Absent, TransferIn, UnitsTransferredIn, StockLevel, transferred_in),
        rule(StockLevel, TransferIn, UnitsTransferredIn, StockLevel, transferred_in, guards=(has_room,)),
        rule(Absent, Adjust, StockAdjusted, StockLevel, adjusted, guards=(stays_whole,)),
        rule(StockLevel, Adjust, StockAdjusted, StockLevel, adjusted, guards=(stays_whole, has_room)),
        rules(ANY, CountStock, StockCounted, StockLevel, adjusted, decide=count),
    ),
    final=(StockLevel,),
    check=check_stock,
)
