"""How the units of a shipment that has left move from fate to fate, item by item or line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from orderflow.domain.shipping.fates import Move, units_taken
from orderflow.domain.shipping.state import (
    Back,
    Item,
    Left,
    Lost,
    ReturnedToSender,
    Returning,
    Voided,
    units_on_the_way,
)
from orderflow.domain.values import Task

L = TypeVar("L", bound=Left)
S = TypeVar("S", bound="Left | Voided")


def moves_of_items(state: Left, ways: Mapping[str, str], items: Iterable[Item] | None = None) -> tuple[Move, ...]:
    """The moves that units of these items can make, as many as each names; without ``items``, all units."""
    wanted = None if items is None else {item[:3]: item.quantity for item in items}
    moves: list[Move] = []
    for place, (item, fate) in enumerate(zip(state.items, state.fates, strict=True)):
        most = None if wanted is None else wanted.get(item[:3], 0)
        moves += units_taken(place, item.quantity, fate, ways, most)
    return tuple(moves)


def moves_of_line(state: Left, order: str, line: int, quantity: int, ways: Mapping[str, str]) -> Iterator[Move]:
    """The moves that up to ``quantity`` units of an order line can make, over the items of all its locations."""
    for place, (item, fate) in enumerate(zip(state.items, state.fates, strict=True)):
        if item[:2] == (order, line):
            taken = [*units_taken(place, item.quantity, fate, ways, quantity)]
            quantity -= sum([move.quantity for move in taken])
            yield from taken


def or_missing(after: S, at: datetime) -> S | Lost:
    """The shipment as it is, or lost if it is on its way back and all that has not come is missing."""
    if not isinstance(after, Returning) or units_on_the_way(after):
        return after
    return Lost(after.items, after.plan, after.tracking, after.carriage, after.fates, at)


def or_back(after: L, location: str, at: datetime) -> L | ReturnedToSender:
    """The shipment as it is, or back at ``location`` if all of it is: units that are missing may still be found."""
    if units_on_the_way(after) or any(fate.delivered or fate.lost or fate.replaced for fate in after.fates):
        return after
    return ReturnedToSender(after.items, after.plan, after.tracking, after.carriage, after.fates, location, at)


def counting(location: str, back: Back) -> Task:
    """Somebody must count what cannot have come back."""
    facts = (("order", back.order), ("line", str(back.line)), ("units", str(back.quantity)), ("location", location))
    return Task("count", facts)
