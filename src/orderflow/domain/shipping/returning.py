"""Units of a shipment that come back: whole or in part, told by the dock, the returns desk or both."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NamedTuple, TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.bounds import Length, Name
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.dates import questioned
from orderflow.domain.shipping.fates import COMING_BACK, Move, turned, units_in
from orderflow.domain.shipping.leaving import ShipmentLeft
from orderflow.domain.shipping.moving import moves_of_line, or_back, or_missing
from orderflow.domain.shipping.state import (
    SCANNED,
    Arrival,
    Back,
    HasPacking,
    Item,
    Left,
    Planned,
    Report,
    ReturnedToSender,
    Returning,
    Voided,
    counting,
)
from orderflow.domain.values import MAX_LINES, Location, Task, summed

__all__ = ["ReceiveBack", "ReceivedBack", "ReportedUnsent"]

L = TypeVar("L", bound=Left)
P = TypeVar("P", bound="Planned | Voided")


@frozen(eq=False, repr=False)
class ReceiveBack(Command):
    """Take in units of the shipment at ``location``: these, or all that are out.

    They are set aside until they are inspected; ``usable`` ones go straight back on sale.
    ``arrival`` names how they came, by the tracking number of the parcel or the document of the return: whoever tells
    of the same arrival of a line again changes nothing. Without one, the units are new ones, as many as are still out.
    ``supposed``: they may have left in another shipment, so somebody should look.
    """

    location: Location
    usable: bool = False
    units: Annotated[tuple[Back, ...], Length(0, MAX_LINES)] = ()
    arrival: Name = ""
    supposed: bool = False


@frozen(eq=False, repr=False)
class ReceivedBack(Event):
    """Units came back to ``location``. Those ``beyond`` what was out cannot be: they are to be counted."""

    location: str
    usable: bool
    arrivals: tuple[Arrival, ...]
    moves: tuple[Move, ...]
    beyond: tuple[Back, ...]
    supposed: bool
    at: datetime


@frozen(eq=False, repr=False)
class ReportedUnsent(Event):
    """Units are said to have come back of a shipment that has not left: they are to be counted."""

    location: str
    beyond: tuple[Back, ...]


class _Told(NamedTuple):
    """What a report of units that came back says."""

    arrivals: list[Arrival]
    moves: list[Move]
    beyond: list[Back]


def leave_and_come_back(state: HasPacking, command: ReceiveBack, stamp: Stamp) -> ShipmentLeft:
    """It must have left; what came back is looked at once its orders have said whether they owed it."""
    c = command
    return ShipmentLeft(None, Report(c.location, c.usable, c.units, c.arrival, c.supposed), stamp.moment)


def receive_back(state: Left, command: ReceiveBack, stamp: Stamp) -> ReceivedBack:
    """What is on the way comes back first, then what was delivered, written off, or belongs to no order."""
    told, known = _Told([], [], []), frozenset(state.tracking.arrivals)
    for order, line, quantity in command.units or _all_out(state):
        arrival = Arrival(command.arrival, order, line)
        if arrival not in known:
            coming = [*moves_of_line(state, order, line, quantity, COMING_BACK)]
            more = quantity - sum([move.quantity for move in coming])
            told.moves.extend(coming)
            told.beyond.extend([Back(order, line, more)] if more else [])
            told.arrivals.extend([arrival] if command.arrival else [])
    if not command.units and not told.moves and not _is_known(state, command.arrival):
        told.beyond.extend(_lines(state.items))
    arrivals, moves, beyond = tuple(told.arrivals), tuple(told.moves), tuple(told.beyond)
    c, at = command, stamp.moment
    return ReceivedBack(c.location, c.usable, arrivals, moves, beyond, c.supposed, at)


def _all_out(state: Left) -> list[Back]:
    """What may come back of each line."""
    out = [
        ((item.order, item.line), units_in(item.quantity, fate, source))
        for item, fate in zip(state.items, state.fates, strict=True)
        for source in COMING_BACK
    ]
    return [back for back in _backs(out) if back.quantity]


def _lines(items: tuple[Item, ...]) -> list[Back]:
    return _backs([((item.order, item.line), item.quantity) for item in items])


def _backs(units: list[tuple[tuple[str, int], int]]) -> list[Back]:
    return [Back(order, line, quantity) for (order, line), quantity in summed(units).items()]


def _is_known(state: Left, arrival: str) -> bool:
    return bool(arrival) and any(known.id == arrival for known in state.tracking.arrivals)


def received_back(state: Left, event: ReceivedBack) -> Left:
    """It is back when all of it is."""
    after = _after(state, event)
    return or_back(after, event.location, event.at) if event.moves else after


def returning_received(state: Returning, event: ReceivedBack) -> Left:
    return or_missing(received_back(state, event), event.at)


def received_again(state: ReturnedToSender, event: ReceivedBack) -> ReturnedToSender:
    return _after(state, event)


def _after(before: L, event: ReceivedBack) -> L:
    tasks = [counting(event.location, back) for back in event.beyond]
    tasks += [Task("which_shipment")] if event.supposed else []
    left = ("left", before.carriage.handed_over_at)
    tracking = before.tracking.arrived(event.arrivals).tasked(*tasks)
    tracking = questioned(tracking, "back_before_it_left", ("back", event.at), left)
    return evolve(before, fates=turned(before.fates, event.moves), tracking=tracking)


def report_unsent(state: Planned | Voided, command: ReceiveBack, stamp: Stamp) -> ReportedUnsent:
    items = state.last_items if isinstance(state, Voided) else state.items
    return ReportedUnsent(command.location, command.units or tuple(_lines(items)))


def reported_unsent(state: P, event: ReportedUnsent) -> P:
    tasks = [counting(event.location, back) for back in event.beyond]
    tasks += [SCANNED] if isinstance(state, Voided) else []
    return evolve(state, tracking=state.tracking.tasked(*tasks))
