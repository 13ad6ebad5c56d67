"""Units are cancelled, wherever they stand before shipment; with the last of them the order is cancelled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from attrs import frozen

from orderflow.domain.engine.limits import MAX_LINES
from orderflow.domain.engine.schema import FreeText, Length
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.content import CancelledBy
from orderflow.domain.orders.guards import Working, enough
from orderflow.domain.orders.lines import LineVector, Slice
from orderflow.domain.orders.state import Accepted, Cancelled, Placed, Progress, moved, state_for
from orderflow.domain.values import LineQuantity
from orderflow.errors import Refusal

__all__ = [
    "CancelUnits",
    "OrderCancelled",
    "UnitsCancelled",
    "cancel",
    "cancellable",
    "enough_cancellable",
    "order_cancelled",
    "units_cancelled",
    "units_cancelled_early",
]


def cancellable(vector: LineVector) -> int:
    """Units of a line that have not left."""
    return vector.open + vector.backordered_quantity + vector.allocated_quantity + vector.preparing_quantity


def enough_cancellable(state: Working, command: CancelUnits, stamp: Stamp) -> Refusal | None:
    """Units can be cancelled until they have left."""
    return enough(state, command.units, cancellable, "cancellable") if command.units else None


@frozen
class CancelUnits:
    """Cancel units that have not left; no ``units`` means all that have not left."""

    reason: FreeText
    by: CancelledBy
    units: Annotated[tuple[LineQuantity, ...], Length(0, MAX_LINES)] = ()


@frozen
class UnitsCancelled:
    """Units were cancelled out of the buckets named in ``slices``."""

    reason: str
    by: CancelledBy
    slices: tuple[Slice, ...]


@frozen
class OrderCancelled:
    """The last live units were cancelled, and with them the order."""

    reason: str
    by: CancelledBy
    slices: tuple[Slice, ...]
    relieved_minor: int
    at: datetime


def cancel(state: Working, command: CancelUnits, stamp: Stamp) -> UnitsCancelled | OrderCancelled:
    """What ``CancelUnits`` becomes."""
    wanted = Counter[int]()
    for number, quantity in command.units:
        wanted[number] += quantity
    slices: list[Slice] = []
    for line, vector in enumerate(state.progress.lines, start=1):
        slices += _slices(line, vector, wanted[line] if wanted else vector.quantity)
    left = state.progress.tally.live - sum(piece.quantity for piece in slices)
    if left:
        return UnitsCancelled(command.reason, command.by, tuple(slices))
    exposed = state.progress.exposed_minor
    return OrderCancelled(command.reason, command.by, tuple(slices), exposed, stamp.moment)


def _slices(line: int, v: LineVector, quantity: int) -> Iterator[Slice]:
    """Cancelled first where it costs least: open, waiting, allocated, preparing."""
    for piece in _pieces(line, v):
        taken = min(quantity, piece.quantity)
        if taken:
            yield piece._replace(quantity=taken)
        quantity -= taken


def _pieces(line: int, v: LineVector) -> Iterator[Slice]:
    yield Slice(line, "open", v.open)
    for waiting in v.backordered:
        yield Slice(line, "backordered", waiting.quantity, waiting.location)
    for allotment in v.allocated:
        yield Slice(line, "allocated", allotment.quantity, allotment.location)
    for picking in v.preparing:
        yield Slice(line, "preparing", picking.quantity, picking.location, picking.shipment)


def _cancellation(state: Working, slices: tuple[Slice, ...]) -> Progress:
    return moved(state, slices, moves.cancel)


def units_cancelled_early(state: Placed, event: UnitsCancelled) -> Placed:
    """The order after ``UnitsCancelled``."""
    return state.with_progress(_cancellation(state, event.slices))


def units_cancelled(state: Accepted, event: UnitsCancelled) -> Accepted:
    """The order after ``UnitsCancelled``."""
    return state_for(state, _cancellation(state, event.slices), state.confirmed_at)


def order_cancelled(state: Working, event: OrderCancelled) -> Cancelled:
    """The order after ``OrderCancelled``."""
    progress = _cancellation(state, event.slices).with_exposed(0)
    return Cancelled(state.content, state.totals, progress, event.at, event.reason, event.by, state.placed_at)
