"""What returns tell shipments: which of them the units had left in, and that they are back."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping

from attrs import evolve

from orderflow.domain.engine.decide import Loaded, Read
from orderflow.domain.engine.workflow import EventContext, Send
from orderflow.domain.inventory.stock import Restock
from orderflow.domain.orders.parcels import RecordBack
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.returns.inspecting import InspectedUnits
from orderflow.domain.returns.receiving import LooseUnits, ReceiveReturn, RecordLoose, ReturnedUnits
from orderflow.domain.returns.state import HasReturn, arrival_of
from orderflow.domain.shipping.fates import COMING_BACK, units_in
from orderflow.domain.shipping.rejecting import SendBack
from orderflow.domain.shipping.returning import ReceiveReturned
from orderflow.domain.shipping.state import Arrival, Back, Delivered, Left, Lost, Returning
from orderflow.domain.values import InspectionOutcome, stock_key, summed
from orderflow.errors import Key

Rows = Mapping[Key, Loaded]


def find_shipments(key: Key, command: ReceiveReturn) -> Generator[Read, Rows, ReceiveReturn]:
    """Name the shipments of units that name none: those they most likely left in, as many as are out in each."""
    if all(units.shipment for units in command.units):
        return command
    orders = yield Read({key, *(key.beside("order", units.order) for units in command.units if not units.shipment)})
    arrival = _arrival(key, command, orders[key].state)
    shipments = yield Read([*_shipments(key, orders)])
    left = {shipment.id: row.state for shipment, row in shipments.items() if isinstance(row.state, Left)}
    found: list[ReturnedUnits] = []
    taken: dict[tuple[str, str, int], int] = {}
    for units in command.units:
        found += [units] if units.shipment else _found(arrival, units, left, taken)
    return evolve(command, units=tuple(found))


def _arrival(key: Key, command: ReceiveReturn, state: object) -> str:
    """What shipments know this report by."""
    return arrival_of(key.id, command.arrival, 1 + (state.goods.reports if isinstance(state, HasReturn) else 0))


def _shipments(key: Key, orders: Rows) -> Iterator[Key]:
    for row in orders.values():
        if isinstance(row.state, HasProgress):
            yield from (key.beside("shipment", shipment) for shipment in row.state.progress.shipments)


def _found(
    told: str, units: ReturnedUnits, shipments: Mapping[str, Left], taken: dict[tuple[str, str, int], int]
) -> Iterator[ReturnedUnits]:
    """The units by shipment; what is more than all of them have out stays without one.

    An arrival that was told of before is that shipment's.
    """
    arrival = Arrival(told, units.order, units.line)
    for shipment, state in shipments.items():
        if arrival in state.tracking.arrivals:
            yield units._replace(shipment=shipment)
            return
    left = units.quantity
    several = sum([_out(state, units, COMING_BACK) > 0 for state in shipments.values()]) > 1
    for shipment, state in sorted(shipments.items(), key=lambda item: (_likely(item[1], units), item[0])):
        name = shipment, units.order, units.line
        out = _out(state, units, COMING_BACK) - taken.get(name, 0)
        quantity = min(left, max(0, out))
        if quantity:
            taken[name] = taken.get(name, 0) + quantity
            left -= quantity
            yield units._replace(quantity=quantity, shipment=shipment, supposed=several)
    if left:
        yield units._replace(quantity=left)


def _out(state: Left, units: ReturnedUnits, names: Collection[str]) -> int:
    """Units of the line in a shipment that have one of these fates."""
    items = zip(state.items, state.fates, strict=True)
    mine = [(item, fate) for item, fate in items if (item.order, item.line) == (units.order, units.line)]
    return sum([units_in(item.quantity, fate, name) for item, fate in mine for name in names])


def _likely(state: Left, units: ReturnedUnits) -> int:
    """Returning comes first, then what is said to be coming back, delivered, lost or replaced, on the way."""
    if isinstance(state, Returning):
        return 0
    if _out(state, units, ("expected_back",)):
        return 1
    if isinstance(state, Delivered):
        return 2
    return 3 if isinstance(state, Lost) else 4


def take_back(context: EventContext) -> Iterator[Send]:
    """Units go back to stock through their shipments and orders; those that left in none are counted."""
    event, document = context.event, context.key.id
    arrival = arrival_of(document, event.arrival, context.after.goods.reports)
    for shipment in dict.fromkeys(units.shipment for units in event.units if units.shipment):
        mine = [units for units in event.units if units.shipment == shipment]
        sums = summed([(units[:2], units.quantity) for units in mine])
        back = tuple([Back(order, line, quantity) for (order, line), quantity in sums.items()])
        supposed = any(units.supposed for units in mine)
        told = ReceiveReturned(event.location, event.usable, back, arrival, supposed, document)
        yield Send(context.key.beside("shipment", shipment), told)
    for order in dict.fromkeys(units.order for units in event.units if not units.shipment):
        lines = dict.fromkeys(units.line for units in event.units if units.order == order and not units.shipment)
        yield Send(context.key.beside("order", order), RecordBack(document, event.location, recount=tuple(lines)))
    for sku, quantity in summed((item.sku, item.quantity) for item in event.unmatched).items():
        restock = Restock(quantity, event.usable, document, in_return=not event.usable)
        yield Send(stock_key(context.key.tenant, sku, event.location), restock)


def set_apart(context: EventContext) -> Iterator[Send]:
    """What no stock took in is to be counted, and inspecting it moves nothing."""
    event = context.event
    if event.returned and event.loose:
        units = tuple([LooseUnits(*back) for back in event.loose])
        told = RecordLoose(event.location, context.key.id, units, event.usable)
        yield Send(context.key.beside("return", event.returned), told)


def send_back(context: EventContext) -> Iterator[Send]:
    """Rejected units are the customer's again, in the shipments that they had left in."""
    sums = summed(((i.shipment, i.location, i.order, i.line), i.quantity) for i in context.event.units if _is_sent(i))
    found: dict[tuple[str, str], list[Back]] = {}
    for (shipment, location, order, line), quantity in sums.items():
        found.setdefault((shipment, location), []).append(Back(order, line, quantity))
    for (shipment, location), units in found.items():
        told = SendBack(context.key.id, location, tuple(units))
        yield Send(context.key.beside("shipment", shipment), told)


def _is_sent(item: InspectedUnits) -> bool:
    return bool(item.shipment) and item.outcome is InspectionOutcome.REJECT
