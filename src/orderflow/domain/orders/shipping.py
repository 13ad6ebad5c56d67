"""Preparing and shipping (出荷): units go into shipments, come out of them again, or are handed over."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Annotated, NamedTuple, TypeVar

from orderflow.domain.engine.bounds import Count, Id, Length, Name, Quantity
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Event, Fields, Internal, replacing
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.allocating import end_of_promise, has_ended
from orderflow.domain.orders.content import Gate, OrderLine, Route, ShipTogether
from orderflow.domain.orders.guards import SomePicks, are_goods, enough_at, not_held, paid_for
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import (
    Accepted,
    HasProgress,
    Progress,
    Working,
    lines_of,
    moved,
    moved_on,
    state_for,
)
from orderflow.domain.values import MAX_LINES, Location, PartyRef, Pick
from orderflow.errors import Refusal

K = TypeVar("K", bound=HasProgress)

not_held_at_prepare = not_held(Gate.PREPARE, lambda command: [load.line for load in command.loads])
not_held_at_ship = not_held(Gate.SHIP, lambda command: [load.line for load in command.loads])

paid_for_at_prepare = paid_for(Gate.PREPARE)
paid_for_at_ship = paid_for(Gate.SHIP)

# -- into a shipment, out of it, and away


class _Loads(Fields):
    """Units of a shipment, each with the location it is taken from, and where the shipment goes."""

    shipment: Id
    loads: SomePicks
    ship_to: PartyRef | None = None
    country: Name = ""


class PrepareShipment(_Loads, Internal):
    """Take allocated units into a shipment."""


class ShipmentPrepared(_Loads, Event):
    """Units are being prepared in a shipment."""


class Kept(NamedTuple):
    """Units of a line from a location that are still in a shipment after others were taken out."""

    line: Quantity
    location: Location
    quantity: Count


class _TakingOut(Fields):
    shipment: Id
    kept: Annotated[tuple[Kept, ...], Length(1, MAX_LINES)]


class CancelPreparation(_TakingOut, Internal):
    """Units were taken out of a shipment, in which these are ``kept``; they stay allocated."""


class _TakenOut(Fields):
    shipment: Id
    loads: tuple[Pick, ...]


class PreparationCancelled(_TakenOut, Event):
    """Units came out of a shipment and stay allocated, ``until`` a time if the order's promises end.

    Those that the order had cancelled are not among them.
    """

    until: datetime | None = None


class TakeOutShort(_TakingOut, Internal):
    """Units of a shipment were not found, in which these are ``kept``; they are open again, their stock set aside."""


class ShortUnitsTakenOut(_TakenOut, Event):
    """Units of a shipment were not found; those that the order had cancelled are not among them."""


class DispatchShipment(_Loads, Internal):
    """Note that the shipment has left with these units."""


class ShipmentDispatched(_Loads, Event):
    """Units have left."""


def enough_to_prepare(state: Accepted, command: PrepareShipment, stamp: Stamp) -> Refusal | None:
    """Units to prepare must be allocated at that location, by an allocation that has not expired."""

    def usable(vector: LineVector, location: str) -> int:
        return sum([a.quantity for a in vector.allocated if a.location == location and not has_ended(a, stamp)])

    return enough_at(state, command.loads, usable, "allocated")


def ships_together(state: Accepted, command: PrepareShipment, stamp: Stamp) -> Refusal | None:
    """Nothing that must travel together waits for stock: it may be in several shipments."""
    for line, vector in _together(state, {load.line for load in command.loads}):
        missing = vector.open + vector.backordered_quantity
        if missing:
            sentence = "must travel together, and {missing} units of line {line} have no stock"
            return refuse("ships_together", sentence, line=line.line, missing=missing)
    return None


def rest_is_prepared(state: Working, command: _Loads, stamp: Stamp) -> Refusal | None:
    """All that must travel together is in shipments, unless some of it has left."""
    for line, vector in _together(state, {load.line for load in command.loads}):
        missing = vector.unsent - vector.preparing_quantity
        if missing:
            sentence = "must travel together, and {missing} units of line {line} are in no shipment"
            return refuse("rest_is_open", sentence, line=line.line, missing=missing)
    return None


def travelling_with(order: HasProgress, lines: Collection[int]) -> set[str]:
    """The shipments of all that must travel together with units of these lines."""
    return {picking.shipment for _, vector in _together(order, lines) for picking in vector.preparing}


def _together(order: HasProgress, lines: Collection[int]) -> Iterator[tuple[OrderLine, LineVector]]:
    """The lines that must travel together with units of these, each on its own or all of them, until some have left."""
    together = order.content.policy.ship_together
    if together is ShipTogether.ORDER and not order.progress.tally.dispatched:
        yield from lines_of(order)
    if together is ShipTogether.LINE:
        yield from [(line, v) for line, v in lines_of(order) if line.line in lines and not v.dispatched]


def goes_to_its_address(state: Working, command: _Loads, stamp: Stamp) -> Refusal | None:
    """Once an address of the order was changed, its goods travel only in shipments that go where they are to go."""
    if not state.progress.readdressed:
        return None
    content, loaded = state.content_now, {load.line for load in command.loads}
    for line in [line for line in content.lines if line.line in loaded]:
        way = content.route(line)
        if (way.ship_to, way.country) != (command.ship_to, command.country):
            facts = {"shipment": command.shipment, "named": _place(command), "line": line.line, "wanted": _place(way)}
            return refuse("other_address", "shipment {shipment} goes to {named}, line {line} to {wanted}", **facts)
    return None


def _place(way: Route | _Loads) -> str:
    return f"{way.ship_to or 'nobody'} {way.country}".rstrip()


def enough_preparing(state: Accepted, command: _Loads, stamp: Stamp) -> Refusal | None:
    """The units are being prepared in that shipment, from that location."""

    def held(vector: LineVector, location: str) -> int:
        return units_preparing(vector, command.shipment, location)

    return enough_at(state, command.loads, held, "preparing")


def units_preparing(vector: LineVector, shipment: str, location: str) -> int:
    """Units of a line that are being prepared in a shipment, from a location."""
    return sum([quantity for parcel, at, quantity in vector.preparing if parcel == shipment and at == location])


kept_are_goods = are_goods(lambda command: [kept.line for kept in command.kept])


def take_out(state: HasProgress, command: CancelPreparation, stamp: Stamp) -> PreparationCancelled:
    until = end_of_promise(state.progress.hold_seconds, stamp)
    return PreparationCancelled(command.shipment, _still_held(state, command), until)


def take_out_short(state: HasProgress, command: TakeOutShort, stamp: Stamp) -> ShortUnitsTakenOut:
    return ShortUnitsTakenOut(command.shipment, _still_held(state, command))


def _still_held(state: HasProgress, command: CancelPreparation | TakeOutShort) -> tuple[Pick, ...]:
    """What the order prepares in a shipment beyond what is kept there; of cancelled units it prepares none."""
    vectors, places = state.progress.lines, state.content.places
    beyond = [
        Pick(line, location, units_preparing(vectors[places[line]], command.shipment, location) - quantity)
        for line, location, quantity in command.kept
    ]
    return tuple([pick for pick in beyond if pick.quantity > 0])


_begun = replacing(Progress, lambda p: p.shipments)


def prepared(state: Accepted, event: ShipmentPrepared) -> Accepted:
    ship = event.shipment
    progress = moved(state, event.loads, lambda v, load: moves.prepare(v, ship, load.location, load.quantity))
    return state_for(state, _begun(progress, (*progress.shipments, ship)), state.confirmed_at)


def nothing_taken_out(state: K, event: PreparationCancelled | ShortUnitsTakenOut) -> K:
    """The order had cancelled all of it before."""
    return state


def preparation_cancelled(state: Accepted, event: PreparationCancelled) -> Accepted:
    ship, until = event.shipment, event.until
    return moved_on(state, event.loads, lambda v, load: moves.move_back(v, ship, load.location, load.quantity, until))


def taken_out_short(state: Accepted, event: ShortUnitsTakenOut) -> Accepted:
    ship = event.shipment
    return moved_on(state, event.loads, lambda v, load: moves.take_out_short(v, ship, load.location, load.quantity))


def dispatched(state: Accepted, event: ShipmentDispatched) -> Accepted:
    ship = event.shipment
    return moved_on(state, event.loads, lambda v, load: moves.dispatch(v, ship, load.location, load.quantity))
