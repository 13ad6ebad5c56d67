"""What a person decides of a shipment on its way: it is lost, written off, sent again, or will not come back."""

from __future__ import annotations

from typing import Annotated, TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain import values
from orderflow.domain.engine.bounds import Length, Name
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Fields
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping.carriage import ShipmentLost
from orderflow.domain.shipping.fates import ON_THE_WAY, Move, turned
from orderflow.domain.shipping.moving import moves_of_items
from orderflow.domain.shipping.state import Delivered, Item, Left, Lost, Unsent, Voided
from orderflow.domain.values import MAX_LINES
from orderflow.errors import Refusal

T = TypeVar("T", bound="Unsent | Left | Voided")
SomeOrAll: TypeAlias = Annotated[tuple[Item, ...], Length(0, MAX_LINES)]


class DeclareLost(Command):
    """Note that nobody knows where the shipment is."""


def declare_lost(state: Left, command: DeclareLost, stamp: Stamp) -> ShipmentLost:
    return ShipmentLost(None, stamp.moment)


class WriteOffParcel(Command):
    """Write missing units off: these, or all that are missing."""

    items: SomeOrAll = ()


class ResupplyParcel(Command):
    """Owe missing units again: these, or all that are missing. The missing ones belong to no order any more."""

    items: SomeOrAll = ()


class _Resolved(Fields):
    moves: tuple[Move, ...]


class ParcelWrittenOff(_Resolved, Event):
    """Missing units were written off."""


class ParcelResupplied(_Resolved, Event):
    """Missing units are owed again."""


def enough_missing(state: Lost, command: WriteOffParcel | ResupplyParcel, stamp: Stamp) -> Refusal | None:
    """Only units that are missing are written off or sent again."""
    found = sum([move.quantity for move in _missing(state, command.items, "lost")])
    wanted = sum([item.quantity for item in command.items]) or 1
    if wanted <= found:
        return None
    return refuse("not_missing", "{wanted} wanted, {found} of these missing", wanted=wanted, found=found)


def _missing(state: Lost, items: tuple[Item, ...], target: str) -> tuple[Move, ...]:
    return moves_of_items(state, {ON_THE_WAY: target}, items or None)


def write_off(state: Lost, command: WriteOffParcel, stamp: Stamp) -> ParcelWrittenOff:
    return ParcelWrittenOff(_missing(state, command.items, "lost"))


def resupply(state: Lost, command: ResupplyParcel, stamp: Stamp) -> ParcelResupplied:
    return ParcelResupplied(_missing(state, command.items, "replaced"))


def resolved(state: Lost, event: ParcelWrittenOff | ParcelResupplied) -> Lost:
    return evolve(state, fates=turned(state.fates, event.moves))


class ClearExpected(Command):
    """Note that what was said to be coming back stays with the customer."""


class ExpectationCleared(Event):
    """Nothing of the shipment is expected back any more."""


def expects_units(state: Delivered, command: ClearExpected, stamp: Stamp) -> Refusal | None:
    """Something is expected back."""
    expected = any(fate.expected_back for fate in state.fates)
    return None if expected else refuse("nothing_expected", "nothing of this shipment is expected back")


def expectation_cleared(state: Delivered, event: ExpectationCleared) -> Delivered:
    return evolve(state, fates=tuple([fate._replace(expected_back=0) for fate in state.fates]))


class _Closing(Fields):
    code: Name


class CloseShipmentTask(_Closing, Command):
    """Somebody has looked at the oldest task with this code."""


class ShipmentTaskClosed(_Closing, Event):
    """A task was closed."""


def has_task(state: Unsent | Left | Voided, command: CloseShipmentTask, stamp: Stamp) -> Refusal | None:
    return values.has_task(state.tracking.tasks, command.code)


def task_closed(state: T, event: ShipmentTaskClosed) -> T:
    return evolve(state, tracking=state.tracking.without(event.code))
