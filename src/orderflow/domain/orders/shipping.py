"""Preparing and shipping (出荷): units go into shipments, come out of them again, or are handed over."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NamedTuple, TypeVar

from attrs import frozen

from orderflow.domain.engine.bounds import Count, Id, Length, Quantity
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Event, Internal, replacing
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.allocating import end_of_promise, has_ended
from orderflow.domain.orders.content import Gate, ShipTogether
from orderflow.domain.orders.guards import SomePicks, are_goods, enough_at, not_held, paid_for
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import (
    Accepted,
    HasProgress,
    Progress,
    lines_of,
    moved,
    moved_on,
    state_for,
)
from orderflow.domain.values import MAX_LINES, Location, Pick, summed
from orderflow.errors import Refusal

K = TypeVar("K", bound=HasProgress)

not_held_at_prepare = not_held(Gate.PREPARE, lambda command: [load.line for load in command.loads])
not_held_at_ship = not_held(Gate.SHIP, lambda command: [load.line for load in command.loads])

paid_for_at_prepare = paid_for(Gate.PREPARE)
paid_for_at_ship = paid_for(Gate.SHIP)

# -- into a shipment, out of it, and away


@frozen(eq=False, repr=False)
class _Loads:
    """Units of a shipment, each with the location it is taken from."""

    shipment: Id
    loads: SomePicks


class PrepareShipment(_Loads, Internal):
    """Take allocated units into a shipment."""

    __slots__ = ()


class ShipmentPrepared(_Loads, Event):
    """Units are being prepared in a shipment."""

    __slots__ = ()


class Kept(NamedTuple):
    """Units of a line from a location that are still in a shipment after others were taken out."""

    line: Quantity
    location: Location
    quantity: Count


@frozen(eq=False, repr=False)
class _TakingOut:
    shipment: Id
    kept: Annotated[tuple[Kept, ...], Length(1, MAX_LINES)]


class CancelPreparation(_TakingOut, Internal):
    """Units were taken out of a shipment, in which these are ``kept``; they stay allocated."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class _TakenOut:
    shipment: Id
    loads: tuple[Pick, ...]


@frozen(eq=False, repr=False)
class PreparationCancelled(_TakenOut, Event):
    """Units came out of a shipment and stay allocated, ``until`` a time if the order's promises end.

    Those that the order had cancelled are not among them.
    """

    until: datetime | None = None


class TakeOutShort(_TakingOut, Internal):
    """Units of a shipment were not found, in which these are ``kept``; they are open again, their stock set aside."""

    __slots__ = ()


class ShortUnitsTakenOut(_TakenOut, Event):
    """Units of a shipment were not found; those that the order had cancelled are not among them."""

    __slots__ = ()


class DispatchShipment(_Loads, Internal):
    """Note that the shipment has left with these units."""

    __slots__ = ()


class ShipmentDispatched(_Loads, Event):
    """Units have left."""

    __slots__ = ()


def enough_to_prepare(state: Accepted, command: PrepareShipment, stamp: Stamp) -> Refusal | None:
    """Units to prepare must be allocated at that location, by an allocation that has not expired."""

    def usable(vector: LineVector, location: str) -> int:
        return sum([a.quantity for a in vector.allocated if a.location == location and not has_ended(a, stamp)])

    return enough_at(state, command.loads, usable, "allocated")


def ships_together(state: Accepted, command: PrepareShipment, stamp: Stamp) -> Refusal | None:
    """Lines, or a whole order, that must travel together are prepared together."""
    together = state.content.policy.ship_together
    if together is ShipTogether.NO:
        return None
    loaded = summed([(load.line, load.quantity) for load in command.loads])
    for line, vector in lines_of(state):
        owed, concerned = vector.unsent, together is ShipTogether.ORDER or line.line in loaded
        if concerned and owed != loaded.get(line.line, 0):
            sentence = "all {owed} units of line {line} must travel together"
            return refuse("ships_together", sentence, line=line.line, owed=owed)
    return None


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
