"""Inspecting what came, giving up on what did not, and settling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, NamedTuple, TypeAlias

from attrs import evolve

from orderflow.domain.engine.bounds import Id, Length, Name, Quantity
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Fields
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.returns.state import Goods, Inspected, Landed, Lot, PartlyReceived, Received, Settled, landed
from orderflow.domain.values import MAX_LINES, InspectionOutcome, Location, Sku
from orderflow.errors import Refusal

__all__ = ["CloseShort", "InspectReturn", "InspectedUnits", "InspectedUnmatched", "ReturnInspected", "SettleReturn"]


class InspectedUnits(NamedTuple):
    """What becomes of units of an order line that came to a location, of any ``shipment`` if none is named."""

    outcome: InspectionOutcome
    location: Location
    order: Id
    line: Quantity
    quantity: Quantity
    shipment: Name = ""


class InspectedUnmatched(NamedTuple):
    """What becomes of units that came to a location and belong to no known order line."""

    outcome: InspectionOutcome
    location: Location
    sku: Sku
    quantity: Quantity


class _Inspection(Fields):
    units: Annotated[tuple[InspectedUnits, ...], Length(0, MAX_LINES)] = ()
    unmatched: Annotated[tuple[InspectedUnmatched, ...], Length(0, MAX_LINES)] = ()


class InspectReturn(_Inspection, Command):
    """Say by unit what becomes of goods that came: restock, quarantine, discard, reject."""


class ReturnInspected(_Inspection, Event):
    """Goods were inspected."""


class CloseShort(Command):
    """Do not wait for the rest; should it come, it is taken in."""


class ReturnClosedShort(Event):
    """The rest is not waited for."""


class _Settlement(Fields):
    credit_note: Name = ""


class SettleReturn(_Settlement, Command):
    """Note that the money side is done, by a credit note if one was due."""


class ReturnSettled(_Settlement, Event):
    """The money side was done."""


def something_inspected(state: PartlyReceived | Received, command: InspectReturn, stamp: Stamp) -> Refusal | None:
    """An inspection is of at least one unit."""
    if command.units or command.unmatched:
        return None
    return refuse("nothing_inspected", "the inspection names no units")


def enough_waiting(state: PartlyReceived | Received, command: InspectReturn, stamp: Stamp) -> Refusal | None:
    """No more is inspected than came and waits, by line and location."""
    _, missing = _taken(state.goods, command)
    for place, quantity in missing.items():
        sentence = "{units} at {location}: {quantity} more than wait for inspection"
        return refuse("not_waiting", sentence, units=place.name, location=place.location, quantity=quantity)
    return None


def inspect(state: PartlyReceived | Received, command: InspectReturn, stamp: Stamp) -> ReturnInspected:
    """Units of which no shipment is named are taken of those that wait, the first to come first."""
    units = [
        InspectedUnits(outcome, *lot[:3], n, lot.shipment)
        for lot, outcome, n in _taken(state.goods, command)[0]
        if lot.order
    ]
    return ReturnInspected(tuple(units), command.unmatched)


class _Place(NamedTuple):
    """What an inspection names: units of an order line or of a SKU, at a location; of one shipment, or of any."""

    location: str
    order: str
    line: int
    sku: str
    shipment: str

    @property
    def name(self) -> str:
        return f"line {self.line} of {self.order}" if self.order else self.sku

    def takes(self, lot: Lot) -> bool:
        return lot[:4] == self[:4] and self.shipment in ("", lot.shipment)


def _parts(message: _Inspection) -> Iterator[tuple[_Place, InspectionOutcome, int]]:
    """What is named, what becomes of its units, and how many they are."""
    for units in message.units:
        yield _Place(units.location, units.order, units.line, "", units.shipment), units.outcome, units.quantity
    for item in message.unmatched:
        yield _Place(item.location, "", 0, item.sku, ""), item.outcome, item.quantity


Taken: TypeAlias = list[tuple[Lot, InspectionOutcome, int]]


def _taken(goods: Goods, message: _Inspection) -> tuple[Taken, dict[_Place, int]]:
    """From which lots the units are taken, and how many there are not of what."""
    waiting = {lot: lot.waiting for lot in goods.lots}
    taken: Taken = []
    missing: dict[_Place, int] = {}
    for place, outcome, wanted in _parts(message):
        left = wanted
        for lot in filter(place.takes, goods.lots):
            units = min(left, waiting[lot])
            if units:
                taken.append((lot, outcome, units))
                waiting[lot] -= units
                left -= units
        if left:
            missing[place] = left
    return taken, missing


def inspected(state: PartlyReceived | Received, event: ReturnInspected) -> Landed:
    lots = {lot[:5]: lot for lot in state.goods.lots}
    for lot, outcome, quantity in _taken(state.goods, event)[0]:
        lots[lot[:5]] = _decided(lots[lot[:5]], outcome, quantity)
    return landed(state.wish, evolve(state.goods, lots=tuple(lots.values())), state.handling)


def _decided(lot: Lot, outcome: InspectionOutcome, n: int) -> Lot:
    match outcome:
        case InspectionOutcome.RESTOCK:
            return lot._replace(restocked=lot.restocked + n)
        case InspectionOutcome.QUARANTINE:
            return lot._replace(quarantined=lot.quarantined + n)
        case InspectionOutcome.DISCARD:
            return lot._replace(discarded=lot.discarded + n)
        case _:
            return lot._replace(rejected=lot.rejected + n)


def closed_short(state: PartlyReceived, event: ReturnClosedShort) -> Landed:
    return landed(state.wish, evolve(state.goods, closed_short=True), state.handling)


def settled(state: Inspected, event: ReturnSettled) -> Settled:
    return Settled(state.wish, state.goods, evolve(state.handling, credit_note=event.credit_note))
