"""Goods by weight: more is packed than was ordered, within what the shop allows. It becomes lines of its own."""

from __future__ import annotations

from itertools import count
from typing import NamedTuple, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Id
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Event, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.tax import Totals
from orderflow.domain.orders.amending import at_price, too_many_lines
from orderflow.domain.orders.content import OrderContent, totals_of
from orderflow.domain.orders.guards import SomePicks, enough_at
from orderflow.domain.orders.lines import LineVector, Picking
from orderflow.domain.orders.shipping import units_preparing
from orderflow.domain.orders.state import Accepted, lines_of
from orderflow.domain.values import Pick, summed
from orderflow.errors import Refusal

__all__ = ["AddExcess", "AddedUnits", "ExcessAdded"]

A = TypeVar("A", bound=Accepted)


class AddExcess(Internal):
    """Take units into a shipment beyond what was ordered of these lines, at the price of theirs."""

    shipment: Id
    loads: SomePicks


class AddedUnits(NamedTuple):
    """Units of a new line, packed beyond those of another that are in the same shipment."""

    line: int
    location: str
    quantity: int


class ExcessAdded(Event):
    """More was packed than was ordered; it stands on new lines."""

    shipment: str
    units: tuple[AddedUnits, ...]
    content: OrderContent
    totals: Totals


def is_prepared_there(state: Accepted, command: AddExcess, stamp: Stamp) -> Refusal | None:
    """Other units of the lines are being prepared in that shipment, from the same location."""

    def held(vector: LineVector, location: str) -> int:
        return units_preparing(vector, command.shipment, location)

    return enough_at(state, [Pick(line, location, 1) for line, location, _ in command.loads], held, "preparing")


def within_tolerance(state: Accepted, command: AddExcess, stamp: Stamp) -> Refusal | None:
    """All excess of a line together is within the tolerance."""
    content, percent = state.content, state.content.policy.excess_percent
    live = {line.line: line.quantity - v.cancelled - v.moved for line, v in lines_of(state)}
    origin = {line.line: line.excess_of or line.line for line in content.lines}
    so_far = summed([(line.excess_of, live[line.line]) for line in content.lines if line.excess_of])
    for line, wanted in summed([(origin.get(line, line), units) for line, _, units in command.loads]).items():
        most = live.get(line, 0) * percent // 100 - so_far.get(line, 0)
        if wanted > most:
            sentence = "line {line}: {wanted} units beyond the order, {most} allowed ({percent} %)"
            return refuse("over_tolerance", sentence, line=line, wanted=wanted, most=max(0, most), percent=percent)
    return None


def room_for_lines(state: Accepted, command: AddExcess, stamp: Stamp) -> Refusal | None:
    """The order does not get more lines than an order may have."""
    return too_many_lines(len(state.content.lines) + len(command.loads))


def add_excess(state: Accepted, command: AddExcess, stamp: Stamp) -> ExcessAdded:
    content, now = state.content, state.content_now
    free = (number for number in count(1) if number not in content.places)
    units = tuple([AddedUnits(next(free), location, quantity) for _, location, quantity in command.loads])
    lines = []
    for load, added in zip(command.loads, units, strict=True):
        line = now.line(load.line)
        more = at_price(now, line, added.line, added.quantity, line.price)
        lines.append(evolve(more, excess_of=line.excess_of or line.line))
    after = evolve(content, lines=(*content.lines, *lines))
    return ExcessAdded(command.shipment, units, after, totals_of(after, _moved(state)))


def excess_added(state: A, event: ExcessAdded) -> A:
    p = state.progress
    new = [LineVector(preparing=(Picking(event.shipment, at, units),)) for _, at, units in event.units]
    progress = evolve(p, lines=(*p.lines, *new), added=p.added + len(new))
    return evolve(state, content=event.content, totals=event.totals, progress=progress)


def _moved(order: Accepted) -> dict[int, int]:
    """The units of each line that have moved to others."""
    return {line.line: v.moved for line, v in lines_of(order) if v.moved}
