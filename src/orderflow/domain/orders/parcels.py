"""What parcels tell of an order's units: they left, arrived, came back, are lost, or are owed again.

A parcel knows what became of each of its units, so it names the bucket they were in. What it tells are facts; none is
refused, and the order's lines are at all times the sums of its parcels.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any, Final, NamedTuple, Protocol, TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Id, Length, Name, Quantity
from orderflow.domain.engine.machine import Guard, refuse
from orderflow.domain.engine.record import Event, Fields, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.content import Gate, Hold, HoldReason
from orderflow.domain.orders.guards import SomePicks, SomeUnits, are_goods, enough
from orderflow.domain.orders.lines import LineVector, Slice
from orderflow.domain.orders.shipping import (
    DispatchShipment,
    goes_to_its_address,
    not_held_at_ship,
    paid_for_at_ship,
    rest_is_prepared,
    units_preparing,
)
from orderflow.domain.orders.state import (
    Accepted,
    Cancelled,
    Completed,
    HasProgress,
    Placed,
    moved,
    moved_on,
    moved_within,
    state_for,
)
from orderflow.domain.values import MAX_LINES, LineQuantity, Location, PartyRef, Pick
from orderflow.errors import Refusal

K = TypeVar("K", bound=HasProgress)

#: What keeps goods from leaving, beside not being in the shipment.
SHIPS: Final[tuple[Guard[Any, Any], ...]] = (
    not_held_at_ship,
    paid_for_at_ship,
    goes_to_its_address,
    rest_is_prepared,
)


class Stage(Enum):
    """How far units have come that have left: a bucket of their line."""

    SHIPPED = "shipped"
    DELIVERED = "delivered"
    LOST = "lost"

    def units(self, vector: LineVector) -> int:
        """The units of a line that have come so far."""
        found: int = getattr(vector, self.value)
        return found


class Reported(NamedTuple):
    """Units of a line that a parcel tells of, and how far they had come."""

    line: Quantity
    stage: Stage
    quantity: Quantity


SomeReported: TypeAlias = Annotated[tuple[Reported, ...], Length(0, MAX_LINES)]


loads_are_goods = are_goods(lambda command: [load.line for load in command.loads])
back_is_goods = are_goods(
    lambda command: [*command.recount, *[unit.line for unit in (*command.recovered, *command.claimed)]]
)


class HasUnits(Protocol):
    @property
    def units(self) -> tuple[Reported, ...]: ...


def are_there(state: HasProgress, command: HasUnits, stamp: Stamp) -> Refusal | None:
    """The units have come as far as the parcel says; a parcel and its orders agree at all times."""
    for stage in dict.fromkeys([stage for _, stage, _ in command.units]):
        wanted = [(line, quantity) for line, of, quantity in command.units if of is stage]
        if fault := enough(state, wanted, stage.units, stage.value):
            return fault
    return None


# -- gone, though nobody handed it over


class RecordDeparture(Internal):
    """Note that the shipment has left with these units, whatever the order had meant to do with them."""

    shipment: Id
    loads: SomePicks
    ship_to: PartyRef | None = None
    country: Name = ""


class DepartureRecorded(Event):
    """A shipment has left with these ``loads``.

    ``taken`` says where the order had them: being prepared in it, as was right, or elsewhere; it owed no ``surplus``.
    ``against`` are the codes of what spoke against their leaving.
    """

    shipment: str
    loads: tuple[Pick, ...]
    taken: tuple[Slice, ...]
    surplus: tuple[Pick, ...]
    against: tuple[str, ...]


def depart(state: HasProgress, command: RecordDeparture, stamp: Stamp) -> DepartureRecorded:
    taken, surplus = [], []
    vectors = list(state.progress.lines)
    for line, location, quantity in command.loads:
        place, left = state.content.places[line], quantity
        for piece in _sources(line, vectors[place], command.shipment, location):
            units = min(left, piece.quantity)
            if units:
                taken.append(piece._replace(quantity=units))
                vectors[place] = moves.depart(vectors[place], taken[-1])
            left -= units
        surplus += [Pick(line, location, left)] if left else []
    against = _against(state, command, stamp, taken)
    return DepartureRecorded(command.shipment, command.loads, tuple(taken), tuple(surplus), against)


def _sources(line: int, v: LineVector, shipment: str, location: str) -> Iterator[Slice]:
    """Where units that have left are taken from: the shipment, this location, elsewhere, what was given up."""
    yield Slice(line, "preparing", units_preparing(v, shipment, location), location, shipment)
    for allotment in sorted(v.allocated, key=lambda allotment: allotment.location != location):
        yield Slice(line, "allocated", allotment.quantity, allotment.location)
    yield Slice(line, "open", v.open)
    for waiting in v.backordered:
        yield Slice(line, "backordered", waiting.quantity, waiting.location)
    yield Slice(line, "cancelled", v.cancelled)


def _against(state: HasProgress, command: RecordDeparture, stamp: Stamp, taken: list[Slice]) -> tuple[str, ...]:
    """Why this shipment could not have been handed over."""
    found = ["not_in_it"] if any(piece.bucket != "preparing" for piece in taken) else []
    if isinstance(state, Placed | Accepted):
        asked = DispatchShipment(command.shipment, command.loads, command.ship_to, command.country)
        refusals = [guard(state, asked, stamp) for guard in SHIPS]
        found += [refusal.code for refusal in refusals if refusal is not None]
    return tuple(found)


def departed(state: Accepted, event: DepartureRecorded) -> Accepted:
    return moved_on(state, event.taken, moves.depart)


def departed_within(state: K, event: DepartureRecorded) -> K:
    return moved_within(state, event.taken, moves.depart)


_SENT_AGAIN_BY_HAND: Final = Hold(HoldReason.LEFT_THOUGH_CANCELLED, Gate.ALLOCATE)


def departed_all_the_same(state: Cancelled, event: DepartureRecorded) -> Placed | Accepted | Cancelled:
    """The customer has what left, so the order goes on from there; what that lacks is not sent again by itself."""
    if state.placed_at is None or not event.taken:
        return state
    p = moved(state, event.taken, moves.depart)
    p = evolve(p, holds=(*[hold for hold in p.holds if hold != _SENT_AGAIN_BY_HAND], _SENT_AGAIN_BY_HAND))
    placed = Placed(state.content, state.totals, p, state.placed_at)
    return placed if state.confirmed_at is None else state_for(placed, p, state.confirmed_at)


# -- arrived


class _Delivery(Fields):
    shipment: Id
    units: SomeReported


class RecordDelivery(_Delivery, Internal):
    """Note that units of a shipment have arrived, as its carrier says."""


class UnitsDelivered(_Delivery, Event):
    """Units have arrived."""


def delivered(state: K, event: UnitsDelivered) -> K:
    return moved_within(state, event.units, lambda v, units: moves.deliver(v, units.stage.value, units.quantity))


# -- back


class _Back(Fields):
    document: Id
    location: Location
    usable: bool = False
    units: SomeReported = ()
    recovered: Annotated[tuple[LineQuantity, ...], Length(0, MAX_LINES)] = ()
    recount: Annotated[tuple[Quantity, ...], Length(0, MAX_LINES)] = ()
    claimed: Annotated[tuple[LineQuantity, ...], Length(0, MAX_LINES)] = ()
    in_return: bool = False


class RecordBack(_Back, Internal):
    """Take in units of a shipment that came back to ``location``; ``usable`` ones go straight back on sale.

    ``recovered`` ones belong to no order and are the stock's alone. Of the lines to ``recount`` more is said to have
    come back than there was. ``document`` is the shipment, or the return of units that belong to none. Those
    ``in_return`` wait there to be inspected, and so do ``claimed`` ones, which had come back before.
    """


class UnitsReturned(_Back, Event):
    """Units came back."""


def taken_back(state: K, event: UnitsReturned) -> K:
    return moved_within(state, event.units, lambda v, units: moves.take_back(v, units.stage.value, units.quantity))


# -- missing


class _Loss(Fields):
    shipment: Id
    units: SomeUnits


class RecordLoss(_Loss, Internal):
    """Note that units of a shipment were written off."""


class UnitsLost(_Loss, Event):
    """Missing units were written off."""


def enough_shipped(state: HasProgress, command: RecordLoss, stamp: Stamp) -> Refusal | None:
    """The units are on the way."""
    return enough(state, command.units, lambda v: v.shipped, "shipped")


def lost(state: K, event: UnitsLost) -> K:
    return moved_within(state, event.units, lambda v, units: moves.lose(v, units.quantity))


class _Again(Fields):
    shipment: Id
    units: SomeReported
    here: Annotated[tuple[Pick, ...], Length(0, MAX_LINES)] = ()


class OweAgain(_Again, Internal):
    """Owe units of a shipment again; those that are still ``here`` had never left."""


class UnitsOwedAgain(_Again, Event):
    """Units of a shipment are owed again."""


def had_not_left(state: Completed, command: OweAgain, stamp: Stamp) -> Refusal | None:
    """A completed order sends nothing again; that units had not left is a fact."""
    return None if command.here else refuse("order_closed", "the order is completed: place another one")


def owed_again(state: Accepted, event: UnitsOwedAgain) -> Accepted:
    return moved_on(state, event.units, _owe_again)


def owed_again_early(state: Placed, event: UnitsOwedAgain) -> Placed:
    return moved_within(state, event.units, _owe_again)


def _owe_again(v: LineVector, units: Reported) -> LineVector:
    return moves.owe_again(v, units.stage.value, units.quantity)


def owed_no_more(state: Completed, event: UnitsOwedAgain) -> Completed:
    """What a completed order has charged for them is to be credited."""
    return moved_within(state, event.units, lambda v, units: moves.give_up(v, units.stage.value, units.quantity))
