"""Stock is allocated to lines, put on back-order, filled, released and left to expire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, NamedTuple, TypeAlias

from attrs import frozen

from orderflow.domain.engine.limits import MAX_LINES
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.schema import Length
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.guards import Working, enough, enough_at, nothing_asked
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import Accepted, Placed, Progress, moved, state_for
from orderflow.domain.values import Pick
from orderflow.errors import Refusal

__all__ = [
    "AllocateStock",
    "AllocationExpired",
    "ExpireAllocation",
    "FillBackorder",
    "Filled",
    "ReleaseStock",
    "StockAllocated",
    "StockReleased",
    "allocate",
    "allocated",
    "allocated_early",
    "enough_allocated",
    "enough_backordered",
    "enough_open",
    "expire",
    "fill",
    "policy_allocates_placed",
    "release",
    "released",
    "released_early",
    "something_expired",
]


def policy_allocates_placed(state: Placed, command: AllocateStock, stamp: Stamp) -> Refusal | None:
    """Stock is allocated before confirmation only where the policy says so."""
    if state.content.policy.allocate_at.value == "placed":
        return None
    return refuse("not_confirmed", "stock is allocated once the order is confirmed")


def enough_open(state: Working, command: AllocateStock, stamp: Stamp) -> Refusal | None:
    """No more is allocated or put on back-order than stands open."""
    wanted = [(pick.line, pick.quantity) for pick in (*command.picks, *command.backorder)]
    return enough(state, wanted, lambda v: v.open, "open") if wanted else nothing_asked()


def enough_backordered(state: Accepted, command: FillBackorder, stamp: Stamp) -> Refusal | None:
    """No more is filled than waits."""
    wanted = [(pick.line, pick.quantity) for pick in command.picks]
    return enough(state, wanted, lambda v: v.backordered_quantity, "backordered") if wanted else nothing_asked()


def enough_allocated(state: Working, command: ReleaseStock, stamp: Stamp) -> Refusal | None:
    """No more is released than is allocated at that location."""
    if not command.picks:
        return nothing_asked()
    return enough_at(state, command.picks, _allocated_at, "allocated")


def something_expired(state: Working, command: ExpireAllocation, stamp: Stamp) -> Refusal | None:
    """There is an allocation whose time has run out."""
    for vector in state.progress.lines:
        for allotment in vector.allocated:
            if allotment.until is not None and allotment.until <= stamp.at:
                return None
    return refuse("nothing_expired", "no allocation has run out")


def _allocated_at(vector: LineVector, location: str) -> int:
    return sum([n for at, n, _ in vector.allocated if at == location])


Picks: TypeAlias = Annotated[tuple[Pick, ...], Length(0, MAX_LINES)]


@frozen
class AllocateStock:
    """Allocate open units at locations (``picks``), put others on back-order (``backorder``)."""

    picks: Picks = ()
    backorder: Picks = ()
    until: datetime | None = None


@frozen
class FillBackorder:
    """Allocate units that wait for stock."""

    picks: Picks
    until: datetime | None = None


@frozen
class ReleaseStock:
    """Give allocated units back to the stock; they are open again."""

    picks: Picks


@frozen
class ExpireAllocation:
    """Give back every allocation whose time has run out."""


class Filled(NamedTuple):
    """Units that waited at one location and are allocated at another (or the same)."""

    line: int
    waited_at: str
    location: str
    quantity: int


@frozen
class StockAllocated:
    """Open units were allocated or put on back-order, waiting ones were ``filled``."""

    picks: tuple[Pick, ...]
    backordered: tuple[Pick, ...]
    filled: tuple[Filled, ...]
    until: datetime | None = None


@frozen
class StockReleased:
    """Allocated units are open again."""

    picks: tuple[Pick, ...]


@frozen
class AllocationExpired:
    """Allocations ran out and were given back."""

    picks: tuple[Pick, ...]


def allocate(state: Working, command: AllocateStock, stamp: Stamp) -> StockAllocated:
    """What ``AllocateStock`` becomes."""
    return StockAllocated(command.picks, command.backorder, (), command.until)


def fill(state: Accepted, command: FillBackorder, stamp: Stamp) -> StockAllocated:
    """What ``FillBackorder`` becomes."""
    filled = [item for pick in _merged(command.picks) for item in _from_waiting(state, pick)]
    return StockAllocated((), (), tuple(filled), command.until)


def _merged(picks: tuple[Pick, ...]) -> Iterator[Pick]:
    sums: dict[tuple[int, str], int] = {}
    for pick in picks:
        sums[pick.line, pick.location] = sums.get((pick.line, pick.location), 0) + pick.quantity
    return (Pick(line, location, quantity) for (line, location), quantity in sums.items())


def _from_waiting(state: Accepted, pick: Pick) -> Iterator[Filled]:
    left = pick.quantity
    for waiting in state.progress.lines[pick.line - 1].backordered:
        taken = min(left, waiting.quantity)
        if taken:
            yield Filled(pick.line, waiting.location, pick.location, taken)
        left -= taken


def _allocation(state: Working, event: StockAllocated) -> Progress:
    vectors = list(state.progress.lines)
    for pick in event.picks:
        at = pick.line - 1
        vectors[at] = moves.allocate(vectors[at], pick.location, pick.quantity, event.until)
    for pick in event.backordered:
        at = pick.line - 1
        vectors[at] = moves.wait(vectors[at], pick.location, pick.quantity)
    for item in event.filled:
        at = item.line - 1
        vectors[at] = moves.fill(vectors[at], item.waited_at, item.location, item.quantity, event.until)
    return state.progress.with_lines(tuple(vectors))


def allocated_early(state: Placed, event: StockAllocated) -> Placed:
    """The order after ``StockAllocated``."""
    return state.with_progress(_allocation(state, event))


def allocated(state: Accepted, event: StockAllocated) -> Accepted:
    """The order after ``StockAllocated``."""
    return state_for(state, _allocation(state, event), state.confirmed_at)


def release(state: Working, command: ReleaseStock, stamp: Stamp) -> StockReleased:
    """What ``ReleaseStock`` becomes."""
    return StockReleased(command.picks)


def expire(state: Working, command: ExpireAllocation, stamp: Stamp) -> AllocationExpired:
    """What ``ExpireAllocation`` becomes."""
    return AllocationExpired(
        tuple(
            Pick(line, allotment.location, allotment.quantity)
            for line, vector in enumerate(state.progress.lines, start=1)
            for allotment in vector.allocated
            if allotment.until is not None and allotment.until <= stamp.at
        )
    )


def _expiry(state: Working, event: AllocationExpired | StockReleased) -> Progress:
    return moved(state, event.picks, lambda v, pick: moves.release(v, pick.location, pick.quantity))


def released_early(state: Placed, event: AllocationExpired | StockReleased) -> Placed:
    """The order after ``AllocationExpired`` or ``StockReleased``."""
    return state.with_progress(_expiry(state, event))


def released(state: Accepted, event: AllocationExpired | StockReleased) -> Accepted:
    """The order after ``AllocationExpired`` or ``StockReleased``."""
    return state_for(state, _expiry(state, event), state.confirmed_at)
