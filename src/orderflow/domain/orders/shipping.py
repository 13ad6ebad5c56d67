"""Preparing and shipping (出荷): units go into shipments, leave, arrive, come back or are lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from attrs import frozen

from orderflow.domain.engine.bounds import Id
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Internal, replacing
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.allocating import has_ended
from orderflow.domain.orders.content import Gate, ShipTogether
from orderflow.domain.orders.guards import SomePicks, SomeUnits, enough, enough_at, goods_fault, not_held, paid_for
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import (
    Accepted,
    Completed,
    HasProgress,
    Progress,
    lines_of,
    moved,
    moved_on,
    moved_within,
    state_for,
)
from orderflow.domain.values import LineQuantity, Location, summed
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


class CancelPreparation(_Loads, Internal):
    """Take units out of a shipment; they stay allocated."""

    __slots__ = ()


class PreparationCancelled(_Loads, Event):
    """Units came out of a shipment and stay allocated."""

    __slots__ = ()


class TakeOutShort(_Loads, Internal):
    """Take out units of a shipment that were not found; they are open again and their stock is set aside."""

    __slots__ = ()


class ShortUnitsTakenOut(_Loads, Event):
    """Units of a shipment were not found."""

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
        return sum([n for shipment, at, n in vector.preparing if shipment == command.shipment and at == location])

    return enough_at(state, command.loads, held, "preparing")


_begun = replacing(Progress, lambda p: p.shipments)


def prepared(state: Accepted, event: ShipmentPrepared) -> Accepted:
    ship = event.shipment
    progress = moved(state, event.loads, lambda v, load: moves.prepare(v, ship, load.location, load.quantity))
    return state_for(state, _begun(progress, progress.shipments + 1), state.confirmed_at)


def preparation_cancelled(state: Accepted, event: PreparationCancelled) -> Accepted:
    ship = event.shipment
    return moved_on(state, event.loads, lambda v, load: moves.move_back(v, ship, load.location, load.quantity))


def taken_out_short(state: Accepted, event: ShortUnitsTakenOut) -> Accepted:
    ship = event.shipment
    return moved_on(state, event.loads, lambda v, load: moves.take_out_short(v, ship, load.location, load.quantity))


def dispatched(state: Accepted, event: ShipmentDispatched) -> Accepted:
    ship = event.shipment
    return moved_on(state, event.loads, lambda v, load: moves.dispatch(v, ship, load.location, load.quantity))


# -- what carriers and the returns desk report


@frozen(eq=False, repr=False)
class RecordDelivery(Internal):
    """Note that units of a shipment have arrived, as its carrier says."""

    shipment: Id
    units: SomeUnits


@frozen(eq=False, repr=False)
class UnitsDelivered(Event):
    """Units have arrived; the ``surplus`` among them was not counted as sent by the order."""

    shipment: str
    units: tuple[LineQuantity, ...]
    surplus: tuple[LineQuantity, ...] = ()


@frozen(eq=False, repr=False)
class RecordReturn(Internal):
    """Take in units that came back to ``location``; ``usable`` ones go on sale again.

    More than went out is refused, unless a shipment has ``brought`` it back: then the goods are there in any case.
    """

    document: Id
    units: SomeUnits
    location: Location
    usable: bool = True
    brought: bool = False


@frozen(eq=False, repr=False)
class UnitsReturned(Event):
    """Units came back; the ``surplus`` among them was not counted as sent by the order."""

    document: str
    units: tuple[LineQuantity, ...]
    location: str
    usable: bool
    surplus: tuple[LineQuantity, ...] = ()


def units_out(vector: LineVector) -> int:
    """Units of a line that have left and not come back, including those written off."""
    return vector.shipped + vector.delivered + vector.lost


def are_goods(state: HasProgress, command: RecordDelivery | RecordReturn, stamp: Stamp) -> Refusal | None:
    """The lines are goods of this order. How many units arrived or came back is for the carrier to say."""
    return next(filter(None, [goods_fault(state, line) for line, _ in command.units]), None)


def enough_out(state: HasProgress, command: RecordReturn, stamp: Stamp) -> Refusal | None:
    """No more comes back than went out, except for what a shipment brings back."""
    return are_goods(state, command, stamp) if command.brought else enough(state, command.units, units_out, "out")


def deliver(state: HasProgress, command: RecordDelivery, stamp: Stamp) -> UnitsDelivered:
    surplus = _surplus(state, command.units, lambda v: v.shipped + v.lost)
    return UnitsDelivered(command.shipment, command.units, surplus)


def delivered(state: K, event: UnitsDelivered) -> K:
    return moved_within(state, _less(event.units, event.surplus), lambda v, units: moves.deliver(v, units.quantity))


def take_back(state: HasProgress, command: RecordReturn, stamp: Stamp) -> UnitsReturned:
    surplus = _surplus(state, command.units, units_out)
    return UnitsReturned(command.document, command.units, command.location, command.usable, surplus)


def taken_back(state: K, event: UnitsReturned) -> K:
    return moved_within(state, _less(event.units, event.surplus), lambda v, units: moves.take_back(v, units.quantity))


def _surplus(
    state: HasProgress, units: tuple[LineQuantity, ...], have: Callable[[LineVector], int]
) -> tuple[LineQuantity, ...]:
    """What is reported of each line beyond the units it has."""
    vectors, places = state.progress.lines, state.content.places
    more = [(line, quantity - have(vectors[places[line]])) for line, quantity in summed(units).items()]
    return tuple([LineQuantity(line, quantity) for line, quantity in more if quantity > 0])


def _less(units: tuple[LineQuantity, ...], surplus: tuple[LineQuantity, ...]) -> tuple[LineQuantity, ...]:
    if not surplus:
        return units
    left = summed(units)
    for line, quantity in surplus:
        left[line] -= quantity
    return tuple([LineQuantity(line, quantity) for line, quantity in left.items() if quantity])


# -- what is missing


@frozen(eq=False, repr=False)
class _Loss:
    units: SomeUnits
    resupply: bool = False


class ResolveLoss(_Loss, Command):
    """Write missing units off, or owe them again (``resupply``)."""

    __slots__ = ()


class LossResolved(_Loss, Event):
    """Missing units were written off or are owed again."""

    __slots__ = ()


def enough_shipped(state: HasProgress, command: ResolveLoss, stamp: Stamp) -> Refusal | None:
    """The units are on the way."""
    return enough(state, command.units, lambda v: v.shipped, "shipped")


def no_resupply(state: Completed, command: ResolveLoss, stamp: Stamp) -> Refusal | None:
    """A completed order cannot owe units again; a replacement is a new order."""
    return refuse("completed", "the order is completed: write the loss off") if command.resupply else None


def loss_resolved(state: Accepted, event: LossResolved) -> Accepted:
    move = moves.resupply if event.resupply else moves.lose
    return moved_on(state, event.units, lambda v, units: move(v, units.quantity))


def written_off(state: Completed, event: LossResolved) -> Completed:
    return moved_within(state, event.units, lambda v, units: moves.lose(v, units.quantity))
