"""Units of a shipment that come back: whole or in part, told by the dock, the returns desk or both."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NamedTuple, TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Length, Name
from orderflow.domain.engine.record import Command, Event, Fields, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.dates import questioned
from orderflow.domain.shipping.fates import COMING_BACK, Move, turned, units_in
from orderflow.domain.shipping.leaving import ShipmentLeft
from orderflow.domain.shipping.moving import counting, moves_of_line, or_back, or_missing
from orderflow.domain.shipping.state import (
    MAX_ARRIVALS,
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
    Unclaimed,
    Voided,
)
from orderflow.domain.values import MAX_LINES, Location, Task, summed

__all__ = ["ReceiveBack", "ReceiveReturned", "ReceivedBack", "ReportedUnsent"]

L = TypeVar("L", bound=Left)
P = TypeVar("P", bound="Planned | Voided")


class _ComingBack(Fields):
    location: Location
    usable: bool = False
    units: Annotated[tuple[Back, ...], Length(0, MAX_LINES)] = ()
    arrival: Name = ""
    supposed: bool = False


class ReceiveBack(_ComingBack, Command):
    """Take in units of the shipment at ``location``: these, or all that are out.

    They are set aside until they are inspected; ``usable`` ones go straight back on sale.
    ``arrival`` names how they came, by the tracking number of the parcel or the document of the return: whoever tells
    of the same arrival of a line again changes nothing. Without one, the units are new ones, as many as are still out.
    ``supposed``: they may have left in another shipment, so somebody should look.
    """


class ReceiveReturned(_ComingBack, Internal):
    """The same, told by the return that the units stand in, so that they are inspected there."""

    returned: Name = ""


AnyBack: TypeAlias = ReceiveBack | ReceiveReturned


class ReceivedBack(Event):
    """Units came back to ``location``. Those ``beyond`` what was out cannot be: they are to be counted.

    Of what a return has told, ``claimed`` units had been taken in at the dock, and ``loose`` ones it has only by name.
    """

    location: str
    usable: bool
    arrivals: tuple[Arrival, ...]
    moves: tuple[Move, ...]
    beyond: tuple[Back, ...]
    supposed: bool
    at: datetime
    returned: str = ""
    claimed: tuple[Unclaimed, ...] = ()
    loose: tuple[Back, ...] = ()


class ReportedUnsent(Event):
    """Units are said to have come back of a shipment that has not left: they are to be counted."""

    location: str
    beyond: tuple[Back, ...]
    usable: bool = False
    returned: str = ""

    @property
    def loose(self) -> tuple[Back, ...]:
        """What a return that has told of them has only by name."""
        return self.beyond


class _Told(NamedTuple):
    """What a report of units that came back says."""

    arrivals: list[Arrival]
    moves: list[Move]
    beyond: list[Back]
    claimed: list[Unclaimed]
    loose: list[Back]


def leave_and_come_back(state: HasPacking, command: AnyBack, stamp: Stamp) -> ShipmentLeft:
    """It must have left; what came back is looked at once its orders have said whether they owed it."""
    c = command
    report = Report(c.location, c.usable, c.units, c.arrival, c.supposed, _returned(c))
    return ShipmentLeft(None, report, stamp.moment)


def _returned(command: AnyBack) -> str:
    return command.returned if isinstance(command, ReceiveReturned) else ""


def receive_back(state: Left, command: AnyBack, stamp: Stamp) -> ReceivedBack:
    """What is on the way comes back first, then what was delivered, written off, or belongs to no order."""
    told, known = _Told([], [], [], [], []), frozenset(state.tracking.arrivals)
    for back in command.units or _all_out(state):
        arrival = Arrival(command.arrival, *back[:2])
        if arrival in known:
            _repeat(told, state, command, arrival, back)
        else:
            _take(told, state, back)
            told.arrivals.extend([arrival] if command.arrival else [])
    if not command.units and not told.moves and not _is_known(state, command.arrival):
        told.beyond.extend(_lines(state.items))
    c, beyond, claimed = command, tuple(told.beyond), tuple(told.claimed)
    here = (c.location, c.usable, tuple(told.arrivals), tuple(told.moves), beyond, c.supposed, stamp.moment)
    return ReceivedBack(*here, _returned(c), claimed, (*beyond, *told.loose))


def _take(told: _Told, state: Left, back: Back) -> None:
    coming = [*moves_of_line(state, *back, COMING_BACK)]
    told.moves.extend(coming)
    more = back.quantity - sum([move.quantity for move in coming])
    told.beyond.extend([back._replace(quantity=more)] if more else [])


def _repeat(told: _Told, state: Left, command: AnyBack, arrival: Arrival, back: Back) -> None:
    """An arrival that was told of before changes nothing, but that a return takes over what the dock had set aside."""
    left = back.quantity
    for unclaimed in state.tracking.unclaimed:
        if _returned(command) and not command.usable and unclaimed[:2] == (arrival, command.location):
            units = min(left, unclaimed.quantity)
            told.claimed.extend([unclaimed._replace(quantity=units)] if units else [])
            left -= units
    told.loose.extend([back._replace(quantity=left)] if left else [])


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
    tracking = tracking._replace(unclaimed=_unclaimed(before, event))
    tracking = questioned(tracking, "back_before_it_left", ("back", event.at), left)
    return evolve(before, fates=turned(before.fates, event.moves), tracking=tracking)


def _unclaimed(before: Left, event: ReceivedBack) -> tuple[Unclaimed, ...]:
    """What the dock has set aside under a name, until a return tells of it too."""
    left = [*before.tracking.unclaimed]
    for claim in event.claimed:
        place = next(i for i, known in enumerate(left) if known[:2] == claim[:2])
        left[place] = left[place]._replace(quantity=left[place].quantity - claim.quantity)
    if not event.returned and not event.usable:
        new = dict.fromkeys(event.arrivals)
        moved = summed([(before.items[move.place][:2], move.quantity) for move in event.moves])
        left += [Unclaimed(arrival, event.location, moved.get(arrival[1:], 0)) for arrival in new]
    return tuple([unclaimed for unclaimed in left if unclaimed.quantity])[-MAX_ARRIVALS:]


def report_unsent(state: Planned | Voided, command: AnyBack, stamp: Stamp) -> ReportedUnsent:
    items = state.last_items if isinstance(state, Voided) else state.items
    beyond = command.units or tuple(_lines(items))
    return ReportedUnsent(command.location, beyond, command.usable, _returned(command))


def reported_unsent(state: P, event: ReportedUnsent) -> P:
    tasks = [counting(event.location, back) for back in event.beyond]
    tasks += [SCANNED] if isinstance(state, Voided) else []
    return evolve(state, tracking=state.tracking.tasked(*tasks))
