"""What the order hears of its shipments: units prepared, dispatched, delivered, returned and lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Protocol, TypeAlias

from attrs import frozen

from orderflow.domain.engine.limits import MAX_LINES
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.schema import Id, Length
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.content import LineKind, ShipTogether
from orderflow.domain.orders.guards import SomeUnits, enough, enough_at, no_such_line
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import (
    Accepted,
    Completed,
    HasProgress,
    Progress,
    Same,
    moved_lines,
    moved_on,
    moved_within,
    state_for,
)
from orderflow.domain.values import LineQuantity, Pick, summed
from orderflow.errors import Refusal

__all__ = [
    "CancelPreparation",
    "DispatchShipment",
    "HasLoads",
    "LossResolved",
    "PreparationCancelled",
    "PrepareShipment",
    "RecordDelivery",
    "RecordReturn",
    "ResolveLoss",
    "ShipmentDispatched",
    "ShipmentPrepared",
    "TakeOutShort",
    "UnitsDelivered",
    "UnitsPickedShort",
    "UnitsReturned",
    "are_goods",
    "cancel_preparation",
    "deliver",
    "delivered",
    "dispatch",
    "dispatched",
    "enough_out",
    "enough_preparing",
    "enough_shipped",
    "enough_to_prepare",
    "loss_resolved",
    "no_resupply",
    "picked_short",
    "preparation_cancelled",
    "prepare",
    "prepared",
    "resolve_loss",
    "take_back",
    "take_out_short",
    "taken_back",
    "together",
    "units_out",
    "written_off",
]


def units_out(vector: LineVector) -> int:
    """Units of a line that have left and not come back, those written off among them."""
    return vector.shipped + vector.delivered + vector.lost


class HasLoads(Protocol):
    @property
    def shipment(self) -> str: ...
    @property
    def loads(self) -> tuple[Pick, ...]: ...


def enough_to_prepare(state: Accepted, command: PrepareShipment, stamp: Stamp) -> Refusal | None:
    """What is prepared is allocated at that location, by an allocation that has not expired."""

    def usable(vector: LineVector, location: str) -> int:
        return sum([n for at, n, until in vector.allocated if at == location and (until is None or stamp.at < until)])

    return enough_at(state, command.loads, usable, "allocated")


def together(state: Accepted, command: PrepareShipment, stamp: Stamp) -> Refusal | None:
    """Lines (or the whole order) that must travel together do."""
    rule = state.content.policy.ship_together
    if rule is ShipTogether.NO:
        return None
    loaded: dict[int, int] = {}
    for load in command.loads:
        loaded[load.line] = loaded.get(load.line, 0) + load.quantity
    for line, v in enumerate(state.progress.lines, start=1):
        owed = v.open + v.backordered_quantity + v.allocated_quantity + v.preparing_quantity
        if owed != loaded.get(line, 0) and (rule is ShipTogether.ORDER or line in loaded):
            return refuse("ships_together", "line {line} must travel with all its {owed} units", line=line, owed=owed)
    return None


def enough_preparing(state: Accepted, command: HasLoads, stamp: Stamp) -> Refusal | None:
    """The units are being prepared in that shipment, from that location."""
    shipment = command.shipment

    def held(vector: LineVector, location: str) -> int:
        return sum([n for of, at, n in vector.preparing if of == shipment and at == location])

    return enough_at(state, command.loads, held, "preparing")


def are_goods(state: Any, command: RecordDelivery | RecordReturn, stamp: Stamp) -> Refusal | None:
    """The lines are goods of this order. How many units arrived or came back the carrier knows."""
    lines = state.content.lines
    for line, _ in command.units:
        if line > len(lines) or lines[line - 1].kind is not LineKind.GOODS:
            return no_such_line(line)
    return None


def enough_shipped(state: Any, command: ResolveLoss, stamp: Stamp) -> Refusal | None:
    """The units are on the way."""
    return enough(state, command.units, lambda v: v.shipped, "shipped")


def enough_out(state: Any, command: RecordReturn, stamp: Stamp) -> Refusal | None:
    """No more comes back than went out, but for what a shipment has brought."""
    return are_goods(state, command, stamp) if command.brought else enough(state, command.units, units_out, "out")


def no_resupply(state: Completed, command: ResolveLoss, stamp: Stamp) -> Refusal | None:
    """A completed order owes nothing again; a replacement is a new order."""
    return refuse("completed", "the order is completed: write the loss off") if command.resupply else None


Loads: TypeAlias = Annotated[tuple[Pick, ...], Length(1, MAX_LINES)]


@frozen
class PrepareShipment:
    """Take allocated units into a shipment."""

    shipment: Id
    loads: Loads


@frozen
class CancelPreparation:
    """Take units out of a shipment; they stay allocated."""

    shipment: Id
    loads: Loads


@frozen
class TakeOutShort:
    """Units of a shipment were not found; they are open again and their stock is out of use."""

    shipment: Id
    loads: Loads


@frozen
class DispatchShipment:
    """The shipment has left with these units."""

    shipment: Id
    loads: Loads


@frozen
class RecordDelivery:
    """Units of a shipment have arrived, as its carrier says."""

    shipment: Id
    units: SomeUnits


@frozen
class RecordReturn:
    """Units came back to ``location``; ``usable`` ones go on sale again.

    More than went out is refused, unless a shipment has ``brought`` it back: then the goods are there all the same.
    """

    document: Id
    units: SomeUnits
    location: Id
    usable: bool = True
    brought: bool = False


@frozen
class ResolveLoss:
    """Missing units are written off, or owed again (``resupply``)."""

    units: SomeUnits
    resupply: bool = False


@frozen
class ShipmentPrepared:
    """Units are being prepared in a shipment."""

    shipment: str
    loads: tuple[Pick, ...]


@frozen
class PreparationCancelled:
    """Units came out of a shipment and stay allocated."""

    shipment: str
    loads: tuple[Pick, ...]


@frozen
class UnitsPickedShort:
    """Units of a shipment were not found."""

    shipment: str
    loads: tuple[Pick, ...]


@frozen
class ShipmentDispatched:
    """Units have left."""

    shipment: str
    loads: tuple[Pick, ...]


@frozen
class UnitsDelivered:
    """Units have arrived; the order no longer counted the ``surplus`` among them as sent."""

    shipment: str
    units: tuple[LineQuantity, ...]
    surplus: tuple[LineQuantity, ...] = ()


@frozen
class UnitsReturned:
    """Units came back; the order no longer counted the ``surplus`` among them as sent."""

    document: str
    units: tuple[LineQuantity, ...]
    location: str
    usable: bool
    surplus: tuple[LineQuantity, ...] = ()


@frozen
class LossResolved:
    """Missing units were written off or are owed again."""

    units: tuple[LineQuantity, ...]
    resupply: bool


def prepare(state: Accepted, command: PrepareShipment, stamp: Stamp) -> ShipmentPrepared:
    """What ``PrepareShipment`` becomes."""
    return ShipmentPrepared(command.shipment, command.loads)


def prepared(state: Accepted, event: ShipmentPrepared) -> Accepted:
    """The order after ``ShipmentPrepared``."""
    ship, p = event.shipment, state.progress
    lines = moved_lines(p.lines, event.loads, lambda v, load: moves.prepare(v, ship, load.location, load.quantity))
    begun = p.shipments + 1
    progress = Progress(lines, p.holds, p.tags, p.notes, p.invoices, p.settled, p.exposed_minor, begun, p.prepaid_minor)
    return state_for(state, progress, state.confirmed_at)


def cancel_preparation(state: Accepted, command: CancelPreparation, stamp: Stamp) -> PreparationCancelled:
    """What ``CancelPreparation`` becomes."""
    return PreparationCancelled(command.shipment, command.loads)


def preparation_cancelled(state: Accepted, event: PreparationCancelled) -> Accepted:
    """The order after ``PreparationCancelled``."""
    ship = event.shipment
    return moved_on(state, event.loads, lambda v, load: moves.move_back(v, ship, load.location, load.quantity))


def take_out_short(state: Accepted, command: TakeOutShort, stamp: Stamp) -> UnitsPickedShort:
    """What ``TakeOutShort`` becomes."""
    return UnitsPickedShort(command.shipment, command.loads)


def picked_short(state: Accepted, event: UnitsPickedShort) -> Accepted:
    """The order after ``UnitsPickedShort``."""
    ship = event.shipment
    return moved_on(state, event.loads, lambda v, load: moves.short(v, ship, load.location, load.quantity))


def dispatch(state: Accepted, command: DispatchShipment, stamp: Stamp) -> ShipmentDispatched:
    """What ``DispatchShipment`` becomes."""
    return ShipmentDispatched(command.shipment, command.loads)


def dispatched(state: Accepted, event: ShipmentDispatched) -> Accepted:
    """The order after ``ShipmentDispatched``."""
    ship = event.shipment
    return moved_on(state, event.loads, lambda v, load: moves.dispatch(v, ship, load.location, load.quantity))


def deliver(state: HasProgress, command: RecordDelivery, stamp: Stamp) -> UnitsDelivered:
    """What ``RecordDelivery`` becomes."""
    surplus = _surplus(state, command.units, lambda v: v.shipped + v.lost)
    return UnitsDelivered(command.shipment, command.units, surplus)


def delivered(state: Same, event: UnitsDelivered) -> Same:
    """The order after ``UnitsDelivered``."""
    return moved_within(state, _less(event.units, event.surplus), lambda v, units: moves.deliver(v, units.quantity))


def take_back(state: HasProgress, command: RecordReturn, stamp: Stamp) -> UnitsReturned:
    """What ``RecordReturn`` becomes."""
    surplus = _surplus(state, command.units, units_out)
    return UnitsReturned(command.document, command.units, command.location, command.usable, surplus)


def taken_back(state: Same, event: UnitsReturned) -> Same:
    """The order after ``UnitsReturned``."""
    return moved_within(state, _less(event.units, event.surplus), lambda v, units: moves.take_back(v, units.quantity))


def _surplus(
    state: HasProgress, units: tuple[LineQuantity, ...], have: Callable[[LineVector], int]
) -> tuple[LineQuantity, ...]:
    """What is told of each line beyond the units it has."""
    vectors = state.progress.lines
    more = [(line, quantity - have(vectors[line - 1])) for line, quantity in summed(units).items()]
    return tuple([LineQuantity(line, quantity) for line, quantity in more if quantity > 0])


def _less(units: tuple[LineQuantity, ...], surplus: tuple[LineQuantity, ...]) -> tuple[LineQuantity, ...]:
    if not surplus:
        return units
    left = summed(units)
    for line, quantity in surplus:
        left[line] -= quantity
    return tuple([LineQuantity(line, quantity) for line, quantity in left.items() if quantity])


def resolve_loss(state: HasProgress, command: ResolveLoss, stamp: Stamp) -> LossResolved:
    """What ``ResolveLoss`` becomes."""
    return LossResolved(command.units, command.resupply)


def loss_resolved(state: Accepted, event: LossResolved) -> Accepted:
    """The order after ``LossResolved``."""
    move = moves.resupply if event.resupply else moves.lose
    return moved_on(state, event.units, lambda v, units: move(v, units.quantity))


def written_off(state: Completed, event: LossResolved) -> Completed:
    """The order after ``LossResolved``."""
    return moved_within(state, event.units, lambda v, units: moves.lose(v, units.quantity))
