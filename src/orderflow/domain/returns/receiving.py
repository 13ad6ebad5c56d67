"""Taking goods in at the returns desk: a fact, taken in every state, announced or not.

A report names its arrival, and the same line of the same arrival told again changes nothing. One that names none
counts as new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, NamedTuple, TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import FreeText, Id, Length, Name, Quantity
from orderflow.domain.engine.machine import Absent, refuse
from orderflow.domain.engine.record import Command, Event, Fields, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.returns.state import (
    MAX_ARRIVALS,
    Arrival,
    Brought,
    Goods,
    Handling,
    HasReturn,
    Landed,
    Lot,
    ReturnWish,
    landed,
)
from orderflow.domain.values import MAX_LINES, Location, Sku, summed
from orderflow.errors import Refusal

__all__ = ["ReceiveReturn", "ReturnReceived", "ReturnedUnits", "UnmatchedReturn"]

K = TypeVar("K", bound=HasReturn)
#: What a lot is of: location, order, line, SKU and shipment.
Where: TypeAlias = tuple[str, str, int, str, str]


class ReturnedUnits(NamedTuple):
    """Units of an order line that came back, and the ``shipment`` they had left in.

    Where none is named, it is looked for, and ``supposed`` if several were possible; units that had left in none are to
    be counted.
    """

    order: Id
    line: Quantity
    quantity: Quantity
    shipment: Name = ""
    supposed: bool = False


class UnmatchedReturn(NamedTuple):
    """Units that came back and belong to no known order line."""

    sku: Sku
    quantity: Quantity


class _Return(Fields):
    location: Location
    units: Annotated[tuple[ReturnedUnits, ...], Length(0, MAX_LINES)] = ()
    unmatched: Annotated[tuple[UnmatchedReturn, ...], Length(0, MAX_LINES)] = ()
    usable: bool = False
    customer: Name = ""
    reason: FreeText = ""
    arrival: Arrival = ""


class ReceiveReturn(_Return, Command):
    """Take in goods that came back to ``location``, announced or not.

    They are set aside until they are inspected; ``usable`` ones go straight back on sale. ``customer`` and ``reason``
    are kept of a return that was not announced.
    """


class ReturnReceived(_Return, Event):
    """Goods came back."""


class LooseUnits(NamedTuple):
    """Units of an order line that a return has only by name."""

    order: Id
    line: Quantity
    quantity: Quantity


class _Loose(Fields):
    location: Location
    shipment: Id
    units: Annotated[tuple[LooseUnits, ...], Length(1, MAX_LINES)]
    usable: bool


class RecordLoose(_Loose, Internal):
    """Note that these units did not come back in this shipment, or stand elsewhere: no stock took them in."""


class LooseRecorded(_Loose, Event):
    """Units are in no stock of the return's."""


class ArrivalRepeated(Event):
    """An arrival was told again, and nothing new of it."""

    arrival: str


def brings_goods(state: Absent | HasReturn, command: ReceiveReturn, stamp: Stamp) -> Refusal | None:
    """A return brings back at least one unit."""
    return None if command.units or command.unmatched else refuse("nothing_returned", "no units came back")


def receive(state: HasReturn, command: ReceiveReturn, stamp: Stamp) -> ReturnReceived | ArrivalRepeated:
    known, c = frozenset(state.goods.arrivals), command
    units = tuple([units for units in c.units if _units(c.arrival, units) not in known])
    unmatched = tuple([item for item in c.unmatched if _unmatched(c.arrival, item) not in known])
    if not units and not unmatched:
        return ArrivalRepeated(c.arrival)
    return ReturnReceived(c.location, units, unmatched, c.usable, c.customer, c.reason, c.arrival)


def _units(arrival: str, units: ReturnedUnits) -> Brought:
    return Brought(arrival, units.order, units.line, "")


def _unmatched(arrival: str, item: UnmatchedReturn) -> Brought:
    return Brought(arrival, "", 0, item.sku)


def came_unannounced(state: Absent, event: ReturnReceived) -> Landed:
    wish = ReturnWish("", (), customer=event.customer, text=event.reason)
    return landed(wish, _with(Goods(), event), Handling())


def came(state: HasReturn, event: ReturnReceived) -> Landed:
    """Goods that come to a return that was over reopen it."""
    return landed(state.wish, _with(state.goods, event), state.handling)


def repeated(state: K, event: ArrivalRepeated) -> K:
    return state


def _with(goods: Goods, event: ReturnReceived) -> Goods:
    lots = _lots(goods, summed(_arrived(event)).items(), usable=event.usable)
    arrivals = (*goods.arrivals, *(_brought(event) if event.arrival else ()))
    return evolve(goods, lots=lots, arrivals=arrivals[-MAX_ARRIVALS:], reports=goods.reports + 1)


def are_held(state: HasReturn, command: RecordLoose, stamp: Stamp) -> Refusal | None:
    """The return has just taken them in, as units of that shipment."""
    lots = {lot[:5]: lot for lot in state.goods.lots}
    for order, line, wanted in command.units:
        lot = lots.get((command.location, order, line, "", command.shipment))
        found = (lot.restocked if command.usable else lot.waiting) if lot else 0
        if wanted > found:
            return refuse(
                "not_held", "line {line}: {wanted} wanted, {found} held", line=line, wanted=wanted, found=found
            )
    return None


def loosened(state: K, event: LooseRecorded) -> K:
    """They stand in the return without a shipment."""
    changes = [
        ((event.location, order, line, "", shipment), more)
        for order, line, quantity in event.units
        for shipment, more in ((event.shipment, -quantity), ("", quantity))
    ]
    return evolve(state, goods=evolve(state.goods, lots=_lots(state.goods, changes, usable=event.usable)))


def _lots(goods: Goods, changes: Iterable[tuple[Where, int]], *, usable: bool) -> tuple[Lot, ...]:
    """The lots with more or fewer units received; ``usable`` ones are on sale again. Empty ones are gone."""
    lots = {lot[:5]: lot for lot in goods.lots}
    for where, more in changes:
        lot = lots.get(where, Lot(*where, 0))
        lots[where] = lot._replace(received=lot.received + more, restocked=lot.restocked + (more if usable else 0))
    return tuple([lot for lot in lots.values() if lot.received])


def _brought(event: ReturnReceived) -> dict[Brought, None]:
    units, unmatched = event.units, event.unmatched
    return dict.fromkeys([_units(event.arrival, u) for u in units] + [_unmatched(event.arrival, i) for i in unmatched])


def _arrived(event: ReturnReceived) -> Iterator[tuple[Where, int]]:
    for units in event.units:
        yield (event.location, units.order, units.line, "", units.shipment), units.quantity
    for item in event.unmatched:
        yield (event.location, "", 0, item.sku, ""), item.quantity
