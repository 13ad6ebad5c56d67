"""Units of a shipment that came back, were rejected, and are sent to the customer again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Id, Length
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Event, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.fates import Move, turned
from orderflow.domain.shipping.moving import moves_of_line
from orderflow.domain.shipping.state import Back, Delivered, Left, ReturnedToSender
from orderflow.domain.values import MAX_LINES, Location, summed
from orderflow.errors import Refusal

L = TypeVar("L", bound=Left)


class SendBack(Internal):
    """Note that units which came back to ``location`` stay the customer's; ``document`` is their return."""

    document: Id
    location: Location
    units: Annotated[tuple[Back, ...], Length(1, MAX_LINES)]


class UnitsSentBack(Event):
    """Units that came back go to the customer again: they count as delivered; what belongs to no order is a gift."""

    document: str
    location: str
    moves: tuple[Move, ...]
    at: datetime


def enough_back(state: Left, command: SendBack, stamp: Stamp) -> Refusal | None:
    """Only units of the shipment that came back are sent to the customer again."""
    for (order, line), wanted in summed([(back[:2], back.quantity) for back in command.units]).items():
        found = sum([move.quantity for move in _moves(state, order, line, wanted)])
        if wanted > found:
            facts = {"order": order, "line": line, "wanted": wanted, "found": found}
            return refuse("not_back", "line {line} of {order}: {wanted} wanted, {found} came back", **facts)
    return None


def send_back(state: Left, command: SendBack, stamp: Stamp) -> UnitsSentBack:
    sums = summed([(back[:2], back.quantity) for back in command.units])
    moves = [move for (order, line), quantity in sums.items() for move in _moves(state, order, line, quantity)]
    return UnitsSentBack(command.document, command.location, tuple(moves), stamp.moment)


def _moves(state: Left, order: str, line: int, quantity: int) -> Iterator[Move]:
    return moves_of_line(state, order, line, quantity, {"returned": "delivered", "recovered": "gift"})


def sent_back(state: L, event: UnitsSentBack) -> L:
    return evolve(state, fates=turned(state.fates, event.moves))


def delivered_again(state: ReturnedToSender, event: UnitsSentBack) -> Delivered:
    s = sent_back(state, event)
    return Delivered(s.items, s.plan, s.tracking, s.carriage, s.fates, event.at)
