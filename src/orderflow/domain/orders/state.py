"""The states of an order: a class for each, with the facts that are true in it, and their invariants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, Protocol, Self, TypeAlias, TypeVar

from attrs import frozen

from orderflow.domain.money.tax import Totals
from orderflow.domain.orders.content import CancelledBy, Hold, OrderContent
from orderflow.domain.orders.lines import LineVector, Slice
from orderflow.domain.values import LineQuantity, Pick
from orderflow.errors import InvariantBroken

__all__ = [
    "Accepted",
    "Allocated",
    "AwaitingStock",
    "Cancelled",
    "Completed",
    "Confirmed",
    "Draft",
    "HasProgress",
    "Open",
    "OrderState",
    "PartlyShipped",
    "Placed",
    "Preparing",
    "Progress",
    "Shipped",
    "Tally",
    "check_order",
    "moved",
    "moved_lines",
    "moved_on",
    "moved_within",
    "state_class",
    "state_for",
]


class Tally(NamedTuple):
    """Units of all goods lines together, by bucket.

    ``by_line`` is the sum of all buckets of each line; ``sound`` says that no bucket moves take from is negative, and
    no more is credited than billed.
    """

    by_line: tuple[int, ...]
    sound: bool
    ordered: int
    live: int
    backordered: int
    allocated: int
    preparing: int
    dispatched: int
    shipped: int


@frozen
class Progress:
    """The part of an order that moves: a vector for each line, holds, annotations, what was billed and settled.

    ``exposed_minor`` is the credit exposure not yet moved to an invoice; ``shipments`` counts those ever begun;
    ``prepaid_minor`` is money kept for the order itself.
    """

    lines: tuple[LineVector, ...]
    holds: tuple[Hold, ...] = ()
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    invoices: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    exposed_minor: int = 0
    shipments: int = 0
    prepaid_minor: int = 0

    def with_exposed(self, minor: int) -> Progress:
        """The same with another exposure, in minor units."""
        p = self
        other = Progress(p.lines, p.holds, p.tags, p.notes, p.invoices, p.settled, minor, p.shipments, p.prepaid_minor)
        return p._handed(other)

    def with_lines(self, lines: tuple[LineVector, ...]) -> Progress:
        """The same with other vectors."""
        p = self
        return Progress(
            lines, p.holds, p.tags, p.notes, p.invoices, p.settled, p.exposed_minor, p.shipments, p.prepaid_minor
        )

    def with_settled(self, invoices: tuple[str, ...]) -> Progress:
        """The same with these invoices settled."""
        p, exposed = self, self.exposed_minor
        other = Progress(p.lines, p.holds, p.tags, p.notes, p.invoices, invoices, exposed, p.shipments, p.prepaid_minor)
        return p._handed(other)

    def _handed(self, other: Progress) -> Progress:
        """``other``, whose vectors are the same, with their sums, so that they are not counted again."""
        object.__setattr__(other, "tally", self.tally)
        return other

    @cached_property
    def tally(self) -> Tally:
        """The sums of the vectors."""
        lines: list[int] = []
        sound = True
        backordered = allocated = preparing = dispatched = shipped = gone = 0
        for v in self.lines:
            units_out = v.shipped + v.delivered + v.returned + v.lost
            away = v.cancelled + v.moved
            total = v.open + units_out + away
            for _, quantity in v.backordered:
                total += quantity
                backordered += quantity
            for _, quantity, _ in v.allocated:
                total += quantity
                allocated += quantity
            for _, _, quantity in v.preparing:
                total += quantity
                preparing += quantity
            shipped += v.shipped
            dispatched += units_out
            gone += away
            lines.append(total)
            if v.open < 0 or v.shipped < 0 or v.delivered < 0 or v.lost < 0 or v.credited > v.invoiced:
                sound = False
        ordered = sum(lines)
        live = ordered - gone
        return Tally(tuple(lines), sound, ordered, live, backordered, allocated, preparing, dispatched, shipped)


class HasProgress(Protocol):
    """An order that has been placed: it has content and progress."""

    @property
    def content(self) -> OrderContent:
        """What was ordered."""
        ...

    @property
    def totals(self) -> Totals:
        """Its sums."""
        ...

    @property
    def progress(self) -> Progress:
        """Where it stands."""
        ...

    def with_progress(self, progress: Progress) -> Self:
        """The same state with other progress."""
        ...


@frozen
class Draft:
    """Begun, not placed."""

    content: OrderContent
    holds: tuple[Hold, ...] = ()


@frozen
class Placed:
    """Received and validated (注文受付)."""

    content: OrderContent
    totals: Totals
    progress: Progress
    placed_at: datetime

    def with_progress(self, progress: Progress) -> Self:
        """The same state with other progress."""
        return type(self)(self.content, self.totals, progress, self.placed_at)


@frozen
class Accepted:
    """What every state from confirmation to shipment has in common; never a state itself."""

    content: OrderContent
    totals: Totals
    progress: Progress
    placed_at: datetime
    confirmed_at: datetime

    def with_progress(self, progress: Progress) -> Self:
        """The same state with other progress."""
        return type(self)(self.content, self.totals, progress, self.placed_at, self.confirmed_at)


class Confirmed(Accepted):
    """Accepted; stock not secured yet."""

    __slots__ = ()


class AwaitingStock(Accepted):
    """Some units are on back-order (引当待ち)."""

    __slots__ = ()


class Allocated(Accepted):
    """Every live unit is allocated (引当済み)."""

    __slots__ = ()


class Preparing(Accepted):
    """Units are being prepared; none has left yet (出荷準備)."""

    __slots__ = ()


class PartlyShipped(Accepted):
    """Some live units have left."""

    __slots__ = ()


class Shipped(Accepted):
    """All live units have left."""

    __slots__ = ()


@frozen
class Completed:
    """Closed. Late returns, losses and credits are still recorded."""

    content: OrderContent
    totals: Totals
    progress: Progress
    placed_at: datetime
    confirmed_at: datetime
    completed_at: datetime

    def with_progress(self, progress: Progress) -> Self:
        """The same state with other progress."""
        return type(self)(self.content, self.totals, progress, self.placed_at, self.confirmed_at, self.completed_at)


@frozen
class Cancelled:
    """No live unit is left, or a draft was discarded (which never was ``placed_at`` any time)."""

    content: OrderContent
    totals: Totals
    progress: Progress
    cancelled_at: datetime
    reason: str
    by: CancelledBy
    placed_at: datetime | None = None

    def with_progress(self, progress: Progress) -> Self:
        """The same state with other progress."""
        return type(self)(self.content, self.totals, progress, self.cancelled_at, self.reason, self.by, self.placed_at)


#: Placed or accepted, not final.
Open: TypeAlias = Placed | Confirmed | AwaitingStock | Allocated | Preparing | PartlyShipped | Shipped


OrderState: TypeAlias = Draft | Open | Completed | Cancelled


def state_class(seen: Tally) -> type[Accepted | Cancelled]:
    """The state an accepted order is in, as its quantities say."""
    if seen.live == 0:
        return Cancelled if seen.ordered else Confirmed
    if seen.dispatched:
        return Shipped if seen.dispatched == seen.live else PartlyShipped
    if seen.preparing:
        return Preparing
    if seen.allocated == seen.live:
        return Allocated
    return AwaitingStock if seen.backordered else Confirmed


def state_for(order: Accepted | Placed, progress: Progress, confirmed_at: datetime) -> Accepted:
    """The accepted state that ``progress`` puts the order in."""
    state = state_class(progress.tally)
    if not issubclass(state, Accepted):
        raise InvariantBroken("order state", "no live unit is left, yet the order was not cancelled")
    return state(order.content, order.totals, progress, order.placed_at, confirmed_at)


def check_order(state: OrderState) -> None:
    """The order's invariants: vectors sum to what was ordered (L1), no bucket is negative, state and vectors agree.

    Raises:
        InvariantBroken: naming the first line or the state that is wrong.
    """
    if isinstance(state, Draft):
        return
    seen, goods = state.progress.tally, state.content.goods
    if seen.by_line != goods or not seen.sound:
        raise InvariantBroken(*_breach(state.progress, goods))
    if isinstance(state, Accepted) and type(state) is not state_class(seen):
        raise InvariantBroken("I11", f"vectors say {state_class(seen).__name__}, the state is {type(state).__name__}")


def _breach(progress: Progress, goods: tuple[int, ...]) -> tuple[str, str]:
    sums = progress.tally.by_line
    if len(sums) != len(goods):
        return "I12", f"{len(goods)} lines, {len(sums)} vectors"
    for line, (found, wanted) in enumerate(zip(sums, goods, strict=True), start=1):
        if found != wanted:
            return "L1", f"line {line}: buckets sum to {found}, ordered {wanted}"
    alone = [Progress((vector,)).tally.sound for vector in progress.lines]
    return "L1", f"line {1 + alone.index(False)}: a bucket is negative or more is credited than billed"


Working: TypeAlias = Placed | Accepted


Same = TypeVar("Same", bound=HasProgress)


Item = TypeVar("Item", Pick, LineQuantity, Slice)


def moved(
    state: HasProgress,
    items: tuple[Item, ...],
    move: Callable[[LineVector, Item], LineVector],
) -> Progress:
    """The order's progress once each item has moved its line's vector."""
    return state.progress.with_lines(moved_lines(state.progress.lines, items, move))


def moved_lines(
    lines: tuple[LineVector, ...], items: tuple[Item, ...], move: Callable[[LineVector, Item], LineVector]
) -> tuple[LineVector, ...]:
    vectors = list(lines)
    for item in items:
        at = item.line - 1
        vectors[at] = move(vectors[at], item)
    return tuple(vectors)


def moved_on(state: Accepted, items: tuple[Item, ...], move: Callable[[LineVector, Item], LineVector]) -> Accepted:
    """The accepted state the moves lead to."""
    return state_for(state, moved(state, items, move), state.confirmed_at)


def moved_within(state: Same, items: tuple[Item, ...], move: Callable[[LineVector, Item], LineVector]) -> Same:
    """The same state after the moves."""
    return state.with_progress(moved(state, items, move))
