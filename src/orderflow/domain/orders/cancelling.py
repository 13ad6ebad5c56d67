"""Cancelling units that have not left, all or some; cancelling the last live unit cancels the order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from orderflow.domain.engine.bounds import FreeText, Length
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.content import CancelledBy, LineKind
from orderflow.domain.orders.guards import enough
from orderflow.domain.orders.lines import LineVector, Slice
from orderflow.domain.orders.state import (
    Accepted,
    Cancelled,
    Placed,
    Working,
    lines_of,
    moved,
    moved_on,
    moved_within,
    with_lines,
)
from orderflow.domain.values import MAX_LINES, LineQuantity, summed
from orderflow.errors import Refusal


class CancelUnits(Command):
    """Cancel units that have not left; without ``units``, all of them."""

    reason: FreeText
    by: CancelledBy
    units: Annotated[tuple[LineQuantity, ...], Length(0, MAX_LINES)] = ()


class UnitsCancelled(Event):
    """Units were cancelled out of the buckets named in ``slices``."""

    reason: str
    by: CancelledBy
    slices: tuple[Slice, ...]


class OrderCancelled(Event):
    """The last live units were cancelled, and with them the order."""

    reason: str
    by: CancelledBy
    slices: tuple[Slice, ...]
    at: datetime


def enough_cancellable(state: Working, command: CancelUnits, stamp: Stamp) -> Refusal | None:
    """Units can be cancelled until they have left."""
    return enough(state, command.units, lambda v: v.unsent, "cancellable") if command.units else None


def cancel(state: Working, command: CancelUnits, stamp: Stamp) -> UnitsCancelled | OrderCancelled:
    slices = slices_of(state, command.units)
    left = state.progress.tally.live - sum([piece.quantity for piece in slices])
    if left:
        return UnitsCancelled(command.reason, command.by, tuple(slices))
    return OrderCancelled(command.reason, command.by, tuple(slices), stamp.moment)


def slices_of(order: Working, units: tuple[LineQuantity, ...]) -> list[Slice]:
    """Where these units are cancelled from, or without any, all that have not left."""
    wanted = summed(units)
    slices: list[Slice] = []
    for line, vector in lines_of(order):
        slices += _slices(line.line, vector, wanted.get(line.line, 0) if wanted else vector.quantity)
    return slices


def _slices(line: int, v: LineVector, quantity: int) -> Iterator[Slice]:
    """Units are cancelled first where it costs least: open, waiting, allocated, preparing."""
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


def units_cancelled_early(state: Placed, event: UnitsCancelled) -> Placed:
    return moved_within(state, event.slices, moves.cancel)


def units_cancelled(state: Accepted, event: UnitsCancelled) -> Accepted:
    return moved_on(state, event.slices, moves.cancel)


def order_cancelled(state: Working, event: OrderCancelled) -> Cancelled:
    """Nothing has left, so charges and services fall with the goods."""
    progress = moved(state, event.slices, moves.cancel)
    lines = zip(state.content.lines, progress.lines, strict=True)
    fallen = [v if line.kind is LineKind.GOODS else moves.fall(v, line.quantity) for line, v in lines]
    progress = with_lines(progress, tuple(fallen))
    units = summed([(piece.line, piece.quantity) for piece in event.slices])
    taken = tuple([LineQuantity(line, quantity) for line, quantity in units.items()])
    confirmed_at = state.confirmed_at if isinstance(state, Accepted) else None
    return Cancelled(
        state.content,
        state.totals,
        progress,
        event.at,
        event.reason,
        event.by,
        placed_at=state.placed_at,
        taken=taken,
        confirmed_at=confirmed_at,
    )
