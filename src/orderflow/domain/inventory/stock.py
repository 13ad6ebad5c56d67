"""A stock row: counters of one SKU at one location. Who holds what stands in the orders."""

from __future__ import annotations

from typing import Final, TypeAlias

from attrs import frozen

from orderflow.domain.engine.limits import MAX_QUANTITY
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, to
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
    "StockCommand",
    "StockCounted",
    "StockEvent",
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
    "adjust",
    "adjusted",
    "allocate",
    "allocated",
    "backorder",
    "backorder_dropped",
    "backordered",
    "check_stock",
    "count",
    "covers_expected",
    "drop_backorder",
    "expect",
    "expected",
    "has_room",
    "is_allocated",
    "is_available",
    "is_backordered",
    "is_on_hand",
    "is_unavailable",
    "not_found",
    "quarantine",
    "quarantine_released",
    "quarantined",
    "receive",
    "received",
    "release",
    "release_quarantine",
    "released",
    "restock",
    "restocked",
    "ship",
    "shipped",
    "stays_whole",
    "take_out_short",
    "transfer_in",
    "transfer_out",
    "transferred_in",
    "transferred_out",
]


@frozen
class StockLevel:
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
EMPTY = StockLevel()


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


@frozen
class ReceiveGoods:
    """Goods came in (入荷); ``expected`` of them had been announced."""

    quantity: Quantity
    expected: Count = 0
    document: Name = ""


@frozen
class ExpectGoods:
    """Goods are announced (入荷予定); a negative quantity takes an announcement back."""

    quantity: Delta
    document: Name = ""


@frozen
class Allocate:
    """Promise units to a document (引当)."""

    quantity: Quantity
    document: Name = ""


@frozen
class Release:
    """Take a promise back."""

    quantity: Quantity
    document: Name = ""


@frozen
class Backorder:
    """Count units of demand that wait for stock."""

    quantity: Quantity
    document: Name = ""


@frozen
class DropBackorder:
    """Waiting demand was filled or given up."""

    quantity: Quantity
    document: Name = ""


@frozen
class Ship:
    """Promised units leave."""

    quantity: Quantity
    document: Name = ""


@frozen
class Restock:
    """Units come back, on sale again or (not ``usable``) set aside."""

    quantity: Quantity
    usable: bool = True
    document: Name = ""


@frozen
class Quarantine:
    """Set units aside: damaged, held for quality, not found."""

    quantity: Quantity
    reason: Name = ""
    document: Name = ""


@frozen
class TakeOutShort:
    """Promised units were not found: the promise is taken back, and they are set aside."""

    quantity: Quantity
    document: Name = ""


@frozen
class ReleaseQuarantine:
    """Units set aside go on sale again."""

    quantity: Quantity
    document: Name = ""


@frozen
class TransferOut:
    """Units leave for another location."""

    quantity: Quantity
    document: Name = ""


@frozen
class TransferIn:
    """Units arrive from another location."""

    quantity: Quantity
    document: Name = ""


@frozen
class Adjust:
    """Book a difference: found, damaged, lost."""

    quantity: Delta
    reason: Name = ""
    document: Name = ""


@frozen
class CountStock:
    """Book what a stocktake has counted."""

    counted: Count
    reason: Name = ""
    document: Name = ""


@frozen
class GoodsReceived:
    """Goods came in."""

    quantity: int
    document: str
    expected: int = 0


@frozen
class GoodsExpected:
    """An announcement changed."""

    quantity: int
    document: str


@frozen
class UnitsAllocated:
    """Units were promised."""

    quantity: int
    document: str


@frozen
class UnitsReleased:
    """A promise was taken back."""

    quantity: int
    document: str


@frozen
class UnitsBackordered:
    """Demand waits."""

    quantity: int
    document: str


@frozen
class BackorderDropped:
    """Demand no longer waits."""

    quantity: int
    document: str


@frozen
class UnitsShipped:
    """Promised units left."""

    quantity: int
    document: str


@frozen
class UnitsRestocked:
    """Units came back."""

    quantity: int
    usable: bool
    document: str


@frozen
class UnitsQuarantined:
    """Units were set aside."""

    quantity: int
    reason: str
    document: str


@frozen
class UnitsNotFound:
    """Promised units were not found."""

    quantity: int
    document: str


@frozen
class QuarantineReleased:
    """Units are on sale again."""

    quantity: int
    document: str


@frozen
class UnitsTransferredOut:
    """Units left for another location."""

    quantity: int
    document: str


@frozen
class UnitsTransferredIn:
    """Units arrived from another location."""

    quantity: int
    document: str


@frozen
class StockAdjusted:
    """A difference was booked."""

    quantity: int
    reason: str
    document: str


@frozen
class StockCounted:
    """A stocktake was booked; ``quantity`` is the signed difference it found."""

    counted: int
    quantity: int
    reason: str
    document: str


StockCommand: TypeAlias = (
    ReceiveGoods | ExpectGoods | Allocate | Release | Backorder | DropBackorder | Ship | Restock | Quarantine
    | TakeOutShort | ReleaseQuarantine | TransferOut | TransferIn | Adjust | CountStock
)  # fmt: skip


StockEvent: TypeAlias = (
    GoodsReceived | GoodsExpected | UnitsAllocated | UnitsReleased | UnitsBackordered | BackorderDropped | UnitsShipped
    | UnitsRestocked | UnitsQuarantined | UnitsNotFound | QuarantineReleased | UnitsTransferredOut
    | UnitsTransferredIn | StockAdjusted | StockCounted
)  # fmt: skip


Row: TypeAlias = Absent | StockLevel


Incoming: TypeAlias = ReceiveGoods | Restock | TransferIn


def _row(state: Row) -> StockLevel:
    return state if isinstance(state, StockLevel) else EMPTY


def is_available(state: StockLevel, command: Allocate | TransferOut, stamp: Stamp) -> Refusal | None:
    """No more is promised or sent away than is available, and nothing while a shortfall stands (never oversold)."""
    if command.quantity <= state.available and not state.shortfall:
        return None
    have = 0 if state.shortfall else state.available
    return refuse(
        "insufficient_stock", "{wanted} wanted, {available} available", wanted=command.quantity, available=have
    )


def is_allocated(state: StockLevel, command: Release | Ship | TakeOutShort, stamp: Stamp) -> Refusal | None:
    """Only what is promised is released, shipped or found missing."""
    if command.quantity <= state.allocated:
        return None
    return refuse("not_allocated", "{wanted} wanted, {found} allocated", wanted=command.quantity, found=state.allocated)


def is_on_hand(state: StockLevel, command: Ship | Quarantine, stamp: Stamp) -> Refusal | None:
    """Only what is there can leave or be set aside."""
    left = state.on_hand - (state.unavailable if isinstance(command, Quarantine) else 0)
    if command.quantity <= left:
        return None
    return refuse("not_on_hand", "{wanted} wanted, {found} on hand", wanted=command.quantity, found=left)


def is_unavailable(state: StockLevel, command: ReleaseQuarantine, stamp: Stamp) -> Refusal | None:
    """Only what was set aside is restored."""
    if command.quantity <= state.unavailable:
        return None
    return refuse(
        "not_unavailable", "{wanted} wanted, {found} set aside", wanted=command.quantity, found=state.unavailable
    )


def is_backordered(state: StockLevel, command: DropBackorder, stamp: Stamp) -> Refusal | None:
    """Only demand that waits can be dropped."""
    if command.quantity <= state.backordered:
        return None
    return refuse(
        "not_backordered", "{wanted} wanted, {found} waiting", wanted=command.quantity, found=state.backordered
    )


def covers_expected(state: Row, command: ReceiveGoods, stamp: Stamp) -> Refusal | None:
    """No more is taken off the announcements than was announced and has come."""
    most = min(_row(state).incoming, command.quantity)
    if command.expected <= most:
        return None
    return refuse("not_expected", "{asked} announced units, {found} possible", asked=command.expected, found=most)


def stays_whole(state: Row, command: Adjust | ExpectGoods, stamp: Stamp) -> Refusal | None:
    """A difference never takes a counter below 0 and is never nothing."""
    row = _row(state)
    before = row.on_hand if isinstance(command, Adjust) else row.incoming
    if command.quantity == 0:
        return refuse("no_difference", "a difference of 0 changes nothing")
    if before + command.quantity < 0:
        return refuse("below_zero", "{change} on {found}", change=command.quantity, found=before)
    return None


def has_room(state: Row, command: Incoming | Adjust | Backorder | ExpectGoods, stamp: Stamp) -> Refusal | None:
    """No counter grows beyond the largest quantity."""
    row = _row(state)
    most = max(row.on_hand, row.incoming, row.backordered)
    if most + command.quantity <= MAX_QUANTITY:
        return None
    return refuse("too_much", "a row holds at most {most} units", most=MAX_QUANTITY)


def receive(state: Row, command: ReceiveGoods, stamp: Stamp) -> GoodsReceived:
    """What ``ReceiveGoods`` becomes."""
    return GoodsReceived(command.quantity, command.document, command.expected)


def received(state: Row, event: GoodsReceived) -> StockLevel:
    """The row after ``GoodsReceived``."""
    s = _row(state)
    return _healed(
        s.on_hand + event.quantity, s.allocated, s.unavailable, s.incoming - event.expected, s.backordered, s.shortfall
    )


def expect(state: Row, command: ExpectGoods, stamp: Stamp) -> GoodsExpected:
    """What ``ExpectGoods`` becomes."""
    return GoodsExpected(command.quantity, command.document)


def expected(state: Row, event: GoodsExpected) -> StockLevel:
    """The row after ``GoodsExpected``."""
    s = _row(state)
    return StockLevel(s.on_hand, s.allocated, s.unavailable, s.incoming + event.quantity, s.backordered, s.shortfall)


def allocate(state: StockLevel, command: Allocate, stamp: Stamp) -> UnitsAllocated:
    """What ``Allocate`` becomes."""
    return UnitsAllocated(command.quantity, command.document)


def allocated(s: StockLevel, event: UnitsAllocated) -> StockLevel:
    """The row after ``UnitsAllocated``."""
    return StockLevel(s.on_hand, s.allocated + event.quantity, s.unavailable, s.incoming, s.backordered, s.shortfall)


def release(state: StockLevel, command: Release, stamp: Stamp) -> UnitsReleased:
    """What ``Release`` becomes."""
    return UnitsReleased(command.quantity, command.document)


def released(s: StockLevel, event: UnitsReleased) -> StockLevel:
    """The row after ``UnitsReleased``."""
    return _healed(s.on_hand, s.allocated - event.quantity, s.unavailable, s.incoming, s.backordered, s.shortfall)


def backorder(state: Row, command: Backorder, stamp: Stamp) -> UnitsBackordered:
    """What ``Backorder`` becomes."""
    return UnitsBackordered(command.quantity, command.document)


def backordered(state: Row, event: UnitsBackordered) -> StockLevel:
    """The row after ``UnitsBackordered``."""
    s = _row(state)
    return StockLevel(s.on_hand, s.allocated, s.unavailable, s.incoming, s.backordered + event.quantity, s.shortfall)


def drop_backorder(state: StockLevel, command: DropBackorder, stamp: Stamp) -> BackorderDropped:
    """What ``DropBackorder`` becomes."""
    return BackorderDropped(command.quantity, command.document)


def backorder_dropped(s: StockLevel, event: BackorderDropped) -> StockLevel:
    """The row after ``BackorderDropped``."""
    return StockLevel(s.on_hand, s.allocated, s.unavailable, s.incoming, s.backordered - event.quantity, s.shortfall)


def ship(state: StockLevel, command: Ship, stamp: Stamp) -> UnitsShipped:
    """What ``Ship`` becomes."""
    return UnitsShipped(command.quantity, command.document)


def shipped(s: StockLevel, event: UnitsShipped) -> StockLevel:
    """The row after ``UnitsShipped``."""
    units = event.quantity
    return _healed(s.on_hand - units, s.allocated - units, s.unavailable, s.incoming, s.backordered, s.shortfall)


def restock(state: Row, command: Restock, stamp: Stamp) -> UnitsRestocked:
    """What ``Restock`` becomes."""
    return UnitsRestocked(command.quantity, command.usable, command.document)


def restocked(state: Row, event: UnitsRestocked) -> StockLevel:
    """The row after ``UnitsRestocked``."""
    s = _row(state)
    aside = 0 if event.usable else event.quantity
    return _healed(
        s.on_hand + event.quantity, s.allocated, s.unavailable + aside, s.incoming, s.backordered, s.shortfall
    )


def quarantine(state: StockLevel, command: Quarantine, stamp: Stamp) -> UnitsQuarantined:
    """What ``Quarantine`` becomes."""
    return UnitsQuarantined(command.quantity, command.reason, command.document)


def quarantined(s: StockLevel, event: UnitsQuarantined) -> StockLevel:
    """The row after ``UnitsQuarantined``."""
    return _found(s, s.on_hand, s.unavailable + event.quantity)


def take_out_short(state: StockLevel, command: TakeOutShort, stamp: Stamp) -> UnitsNotFound:
    """What ``TakeOutShort`` becomes."""
    return UnitsNotFound(command.quantity, command.document)


def not_found(s: StockLevel, event: UnitsNotFound) -> StockLevel:
    """The row after ``UnitsNotFound``: what a stocktake has found missing already is not set aside once more."""
    units = event.quantity
    freed = _healed(s.on_hand, s.allocated - units, s.unavailable, s.incoming, s.backordered, s.shortfall)
    aside = s.unavailable + min(units, freed.available)
    return StockLevel(s.on_hand, freed.allocated, aside, s.incoming, s.backordered, freed.shortfall)


def release_quarantine(state: StockLevel, command: ReleaseQuarantine, stamp: Stamp) -> QuarantineReleased:
    """What ``ReleaseQuarantine`` becomes."""
    return QuarantineReleased(command.quantity, command.document)


def quarantine_released(s: StockLevel, event: QuarantineReleased) -> StockLevel:
    """The row after ``QuarantineReleased``."""
    return _healed(s.on_hand, s.allocated, s.unavailable - event.quantity, s.incoming, s.backordered, s.shortfall)


def transfer_out(state: StockLevel, command: TransferOut, stamp: Stamp) -> UnitsTransferredOut:
    """What ``TransferOut`` becomes."""
    return UnitsTransferredOut(command.quantity, command.document)


def transferred_out(s: StockLevel, event: UnitsTransferredOut) -> StockLevel:
    """The row after ``UnitsTransferredOut``."""
    return StockLevel(s.on_hand - event.quantity, s.allocated, s.unavailable, s.incoming, s.backordered, s.shortfall)


def transfer_in(state: Row, command: TransferIn, stamp: Stamp) -> UnitsTransferredIn:
    """What ``TransferIn`` becomes."""
    return UnitsTransferredIn(command.quantity, command.document)


def transferred_in(state: Row, event: UnitsTransferredIn) -> StockLevel:
    """The row after ``UnitsTransferredIn``."""
    s = _row(state)
    return _healed(s.on_hand + event.quantity, s.allocated, s.unavailable, s.incoming, s.backordered, s.shortfall)


def adjust(state: Row, command: Adjust, stamp: Stamp) -> StockAdjusted:
    """What ``Adjust`` becomes."""
    return StockAdjusted(command.quantity, command.reason, command.document)


def count(state: Row, command: CountStock, stamp: Stamp) -> StockCounted:
    """What ``CountStock`` becomes."""
    return StockCounted(command.counted, command.counted - _row(state).on_hand, command.reason, command.document)


def adjusted(state: Row, event: StockAdjusted | StockCounted) -> StockLevel:
    """The row after ``StockAdjusted`` or ``StockCounted``."""
    s = _row(state)
    return _found(s, s.on_hand + event.quantity, s.unavailable)


def _healed(
    on_hand: int, allocated: int, unavailable: int, incoming: int, backordered: int, shortfall: int
) -> StockLevel:
    """A movement that can only make a shortfall smaller."""
    if shortfall:
        shortfall = min(shortfall, max(0, allocated + unavailable - on_hand))
    return StockLevel(on_hand, allocated, unavailable, incoming, backordered, shortfall)


def _found(s: StockLevel, on_hand: int, unavailable: int) -> StockLevel:
    """A finding: what is promised beyond it is the shortfall."""
    missing = max(0, s.allocated + unavailable - on_hand)
    return StockLevel(on_hand, s.allocated, unavailable, s.incoming, s.backordered, missing)


RECEIVED = to(GoodsReceived, StockLevel, received)


EXPECTED = to(GoodsExpected, StockLevel, expected)


BACKORDERED = to(UnitsBackordered, StockLevel, backordered)


RESTOCKED = to(UnitsRestocked, StockLevel, restocked)


TRANSFERRED_IN = to(UnitsTransferredIn, StockLevel, transferred_in)


ADJUSTED = to(StockAdjusted, StockLevel, adjusted)


COUNTED = to(StockCounted, StockLevel, adjusted)


STOCK: Final = Machine(
    "stock",
    commands=StockCommand,
    events=StockEvent,
    final=(StockLevel,),
    check=check_stock,
    rules=(
        rule(Absent, ReceiveGoods, receive, RECEIVED, guards=(covers_expected,)),
        rule(Absent, ExpectGoods, expect, EXPECTED, guards=(stays_whole,)),
        rule(Absent, Backorder, backorder, BACKORDERED),
        rule(Absent, Restock, restock, RESTOCKED),
        rule(Absent, TransferIn, transfer_in, TRANSFERRED_IN),
        rule(Absent, Adjust, adjust, ADJUSTED, guards=(stays_whole,)),
        rule(Absent, CountStock, count, COUNTED),
        rule(StockLevel, ReceiveGoods, receive, RECEIVED, guards=(covers_expected, has_room)),
        rule(StockLevel, ExpectGoods, expect, EXPECTED, guards=(stays_whole, has_room)),
        rule(StockLevel, Allocate, allocate, to(UnitsAllocated, StockLevel, allocated), guards=(is_available,)),
        rule(StockLevel, Release, release, to(UnitsReleased, StockLevel, released), guards=(is_allocated,)),
        rule(StockLevel, Backorder, backorder, BACKORDERED, guards=(has_room,)),
        rule(
            StockLevel,
            DropBackorder,
            drop_backorder,
            to(BackorderDropped, StockLevel, backorder_dropped),
            guards=(is_backordered,),
        ),
        rule(StockLevel, Ship, ship, to(UnitsShipped, StockLevel, shipped), guards=(is_allocated, is_on_hand)),
        rule(StockLevel, Restock, restock, RESTOCKED, guards=(has_room,)),
        rule(
            StockLevel,
            Quarantine,
            quarantine,
            to(UnitsQuarantined, StockLevel, quarantined),
            guards=(is_on_hand,),
        ),
        rule(
            StockLevel,
            TakeOutShort,
            take_out_short,
            to(UnitsNotFound, StockLevel, not_found),
            guards=(is_allocated,),
        ),
        rule(
            StockLevel,
            ReleaseQuarantine,
            release_quarantine,
            to(QuarantineReleased, StockLevel, quarantine_released),
            guards=(is_unavailable,),
        ),
        rule(
            StockLevel,
            TransferOut,
            transfer_out,
            to(UnitsTransferredOut, StockLevel, transferred_out),
            guards=(is_available,),
        ),
        rule(StockLevel, TransferIn, transfer_in, TRANSFERRED_IN, guards=(has_room,)),
        rule(StockLevel, Adjust, adjust, ADJUSTED, guards=(stays_whole, has_room)),
        rule(StockLevel, CountStock, count, COUNTED),
    ),
)
