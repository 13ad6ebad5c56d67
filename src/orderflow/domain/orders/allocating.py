"""Securing stock (引当): allocating, back-ordering, filling back-orders, releasing, expiring."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple, TypeAlias

from attrs import evolve

from orderflow.domain.engine.bounds import Count, Length
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Fields, Internal, replacing
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.content import AllocateAt, Gate
from orderflow.domain.orders.guards import enough, enough_at, not_held, nothing_asked, paid_for
from orderflow.domain.orders.lines import Allotment, LineVector, Waiting
from orderflow.domain.orders.state import (
    Accepted,
    HasProgress,
    Placed,
    Progress,
    Working,
    lines_of,
    moved,
    state_for,
)
from orderflow.domain.values import MAX_LINES, Pick, summed
from orderflow.errors import Refusal

Picks: TypeAlias = Annotated[tuple[Pick, ...], Length(0, MAX_LINES)]

not_held_at_allocate = not_held(
    Gate.ALLOCATE, lambda command: [pick.line for pick in (*command.picks, *getattr(command, "backorder", ()))]
)
paid_for_at_allocate = paid_for(Gate.ALLOCATE)


class Filled(NamedTuple):
    """Units that waited at one location and are now allocated, there or at another one."""

    line: int
    waited_at: str
    location: str
    quantity: int


class AllocateStock(Command):
    """Allocate open units at locations (``picks``), put others on back-order (``backorder``).

    The promise ends at ``until``, or ``hold_seconds`` from now; the order remembers how long its promises last. With
    ``skip_queue`` others who wait for the same goods are passed over.
    """

    picks: Picks = ()
    backorder: Picks = ()
    until: datetime | None = None
    skip_queue: bool = False
    hold_seconds: Count = 0


class FillBackorder(Command):
    """Allocate units that wait for stock; with ``skip_queue`` before others who wait for them."""

    picks: Picks
    until: datetime | None = None
    skip_queue: bool = False
    hold_seconds: Count = 0


class StockAllocated(Event):
    """Open units were allocated or put on back-order, and waiting units were ``filled``."""

    picks: tuple[Pick, ...]
    backordered: tuple[Pick, ...]
    filled: tuple[Filled, ...]
    until: datetime | None = None
    skip_queue: bool = False
    hold_seconds: Count = 0


def policy_allocates_placed(state: Placed, command: AllocateStock, stamp: Stamp) -> Refusal | None:
    """Stock is allocated before confirmation only where the policy says so."""
    if state.content.policy.allocate_at is AllocateAt.PLACED:
        return None
    return refuse("not_confirmed", "stock is allocated only after the order is confirmed")


def at_named_location(state: Working, command: AllocateStock | FillBackorder, stamp: Stamp) -> Refusal | None:
    """A line that names a location is served from there."""
    for line, location, _ in (*command.picks, *getattr(command, "backorder", ())):
        if line in state.content.places:
            named = state.content.route(state.content.line(line)).location
            if named not in (None, location):
                sentence = "line {line} is to be taken from {named}, not {location}"
                return refuse("other_location", sentence, line=line, named=named, location=location)
    return None


def enough_open(state: Working, command: AllocateStock, stamp: Stamp) -> Refusal | None:
    """No more is allocated or put on back-order than is open."""
    wanted = [(pick.line, pick.quantity) for pick in (*command.picks, *command.backorder)]
    return enough(state, wanted, lambda v: v.open, "open") if wanted else nothing_asked()


def enough_backordered(state: Working, command: FillBackorder, stamp: Stamp) -> Refusal | None:
    """No more back-ordered units are filled than are waiting."""
    wanted = [(pick.line, pick.quantity) for pick in command.picks]
    return enough(state, wanted, lambda v: v.backordered_quantity, "backordered") if wanted else nothing_asked()


def allocate(state: Working, command: AllocateStock, stamp: Stamp) -> StockAllocated:
    return StockAllocated(command.picks, command.backorder, (), *_promise(state, command, stamp))


def fill(state: Working, command: FillBackorder, stamp: Stamp) -> StockAllocated:
    """On each line, units that wait where they are picked are filled first, then those that have waited longest."""
    wanted = summed([((pick.line, pick.location), pick.quantity) for pick in command.picks])
    vectors, places = state.progress.lines, state.content.places
    queues = {line: list(vectors[places[line]].backordered) for line, _ in wanted}
    filled = [item for (line, at), units in wanted.items() for item in _filled(queues[line], line, at, units)]
    return StockAllocated((), (), tuple(filled), *_promise(state, command, stamp))


def _promise(state: Working, command: AllocateStock | FillBackorder, stamp: Stamp) -> tuple[datetime | None, bool, int]:
    """When the promise ends: each order's own time, as long as its promises last."""
    seconds = command.hold_seconds or state.progress.hold_seconds
    return command.until or end_of_promise(seconds, stamp), command.skip_queue, seconds


def end_of_promise(seconds: int, stamp: Stamp) -> datetime | None:
    """When a promise ends that lasts so long; never, if that is 0."""
    return stamp.at + timedelta(seconds=seconds) if seconds else None


def _filled(queue: list[Waiting], line: int, location: str, quantity: int) -> Iterator[Filled]:
    """Fill units that wait at the location, then from the head of the queue, and take them off it."""
    for waiting in sorted(queue, key=lambda waiting: waiting.location != location):
        taken = min(quantity, waiting.quantity)
        if taken:
            yield Filled(line, waiting.location, location, taken)
            quantity -= taken
            place = queue.index(waiting)
            left = waiting.quantity - taken
            queue[place : place + 1] = [Waiting(waiting.location, left)] if left else []


def _after_allocation(state: HasProgress, event: StockAllocated) -> Progress:
    vectors, places, until = list(state.progress.lines), state.content.places, event.until
    for line, location, units in event.picks:
        vectors[places[line]] = moves.allocate(vectors[places[line]], location, units, until)
    for line, location, units in event.backordered:
        vectors[places[line]] = moves.wait(vectors[places[line]], location, units)
    for line, waited_at, location, units in event.filled:
        vectors[places[line]] = moves.fill(vectors[places[line]], waited_at, location, units, until)
    return _promised(state.progress, tuple(vectors), event.hold_seconds, False)  # noqa: FBT003 - one compiled helper


_promised = replacing(Progress, lambda p: p.lines, lambda p: p.hold_seconds, lambda p: p.lapsed)


def allocated_early(state: Placed, event: StockAllocated) -> Placed:
    return state.with_progress(_after_allocation(state, event))


def allocated(state: Accepted, event: StockAllocated) -> Accepted:
    return state_for(state, _after_allocation(state, event), state.confirmed_at)


# -- giving back


class _Picks(Fields):
    picks: Picks


class ReleaseStock(_Picks, Command):
    """Give allocated units back to the stock; they are open again."""


class StockReleased(_Picks, Event):
    """Allocated units are open again."""


class ReturnToQueue(_Picks, Internal):
    """Let allocated units that are not there wait again where they were promised; their order keeps its turn."""


class ReturnedToQueue(_Picks, Event):
    """Allocated units wait again."""


class ExpireAllocation(Command):
    """Give back every allocation whose time has run out."""


class AllocationExpired(_Picks, Event):
    """Allocations ran out and were given back."""


def enough_allocated(state: Working, command: ReleaseStock | ReturnToQueue, stamp: Stamp) -> Refusal | None:
    """No more is given up than is allocated at that location."""
    if not command.picks:
        return nothing_asked()
    return enough_at(state, command.picks, _allocated_at, "allocated")


def _allocated_at(vector: LineVector, location: str) -> int:
    return sum([allotment.quantity for allotment in vector.allocated if allotment.location == location])


def something_expired(state: Working, command: ExpireAllocation, stamp: Stamp) -> Refusal | None:
    """At least one allocation has run out."""
    return None if any(_expired(state, stamp)) else refuse("nothing_expired", "no allocation has run out")


def expire(state: Working, command: ExpireAllocation, stamp: Stamp) -> AllocationExpired:
    return AllocationExpired(tuple(_expired(state, stamp)))


def _expired(state: Working, stamp: Stamp) -> Iterator[Pick]:
    for line, vector in lines_of(state):
        for allotment in vector.allocated:
            if has_ended(allotment, stamp):
                yield Pick(line.line, allotment.location, allotment.quantity)


def has_ended(allotment: Allotment, stamp: Stamp) -> bool:
    """Whether a promise has run out."""
    return allotment.until is not None and allotment.until <= stamp.at


def _after_release(state: HasProgress, event: AllocationExpired | StockReleased) -> Progress:
    progress = moved(state, event.picks, lambda v, pick: moves.release(v, pick.location, pick.quantity))
    return evolve(progress, lapsed=True) if isinstance(event, AllocationExpired) else progress


def _after_return(state: HasProgress, event: ReturnedToQueue) -> Progress:
    return moved(state, event.picks, lambda v, pick: moves.wait_again(v, pick.location, pick.quantity))


def returned_early(state: Placed, event: ReturnedToQueue) -> Placed:
    return state.with_progress(_after_return(state, event))


def returned(state: Accepted, event: ReturnedToQueue) -> Accepted:
    return state_for(state, _after_return(state, event), state.confirmed_at)


def released_early(state: Placed, event: AllocationExpired | StockReleased) -> Placed:
    return state.with_progress(_after_release(state, event))


def released(state: Accepted, event: AllocationExpired | StockReleased) -> Accepted:
    return state_for(state, _after_release(state, event), state.confirmed_at)
