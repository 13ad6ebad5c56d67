"""The line vector: how many units of a line are where, and the moves between the buckets."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Count, Id, Minor, Quantity
from orderflow.domain.engine.record import Record, replacing
from orderflow.domain.values import CreditIntent, Location
from orderflow.errors import InvariantBroken


class Waiting(NamedTuple):
    """Units on back-order, and the location whose stock row counts them as waiting."""

    location: Location
    quantity: Quantity


class Allotment(NamedTuple):
    """Units allocated at a location, until a time if the promise expires."""

    location: Location
    quantity: Quantity
    until: datetime | None = None


class Picking(NamedTuple):
    """Units of a location being prepared in a shipment."""

    shipment: Id
    location: Location
    quantity: Quantity


class Slice(NamedTuple):
    """Units of one line taken out of a bucket: open, backordered, allocated, preparing, or cancelled and yet gone."""

    line: int
    bucket: str
    quantity: int
    location: str = ""
    shipment: str = ""


Place = TypeVar("Place", Waiting, Allotment, Picking)


class LineVector(Record):
    """Where the units of one goods line are now; the ten buckets sum to what was ordered.

    Beside them stands what was charged, of lines of any kind. ``invoiced`` and ``credited`` are cumulative units;
    ``waived`` units were credited and are kept by the customer, ``ahead`` ones were credited before they are cancelled,
    come back or are lost: neither is billed again. Of the waived ones, ``waived_back`` came back all the same.
    ``unit_minor`` is the net now charged for units, ``reduced_minor`` what price reductions have given of it.
    """

    open: Count = 0
    backordered: tuple[Waiting, ...] = ()
    allocated: tuple[Allotment, ...] = ()
    preparing: tuple[Picking, ...] = ()
    shipped: Count = 0
    delivered: Count = 0
    returned: Count = 0
    lost: Count = 0
    cancelled: Count = 0
    moved: Count = 0
    invoiced: Count = 0
    credited: Count = 0
    waived: Count = 0
    ahead: Count = 0
    unit_minor: Minor = 0
    reduced_minor: Minor = 0
    waived_back: Count = 0

    @property
    def backordered_quantity(self) -> int:
        """Units waiting for stock."""
        return sum([waiting.quantity for waiting in self.backordered])

    @property
    def allocated_quantity(self) -> int:
        """Units allocated, at any location."""
        return sum([allotment.quantity for allotment in self.allocated])

    @property
    def preparing_quantity(self) -> int:
        """Units in shipments not yet handed over."""
        return sum([picking.quantity for picking in self.preparing])

    @property
    def wants_stock(self) -> bool:
        """Whether units are open or wait, so that stock may be allocated to them."""
        return self.open > 0 or bool(self.backordered)

    @property
    def dispatched(self) -> int:
        """Units that have left, whatever has become of them."""
        return self.shipped + self.delivered + self.returned + self.lost

    @property
    def unsent(self) -> int:
        """Units that are owed and have not left."""
        return self.open + self.backordered_quantity + self.allocated_quantity + self.preparing_quantity

    @property
    def movable(self) -> int:
        """Units that are owed, in no shipment and not charged, waived or credited ahead."""
        return min(self.unsent - self.preparing_quantity, max(0, self.kept - self.accounted(self.kept)))

    @property
    def kept(self) -> int:
        """Units that the customer has or is still to get."""
        return self.unsent + self.shipped + self.delivered

    @property
    def charged(self) -> int:
        """Units billed and not credited."""
        return self.invoiced - self.credited

    def waived_of(self, owed: int) -> int:
        """Units waived, of those ``owed`` now; once more are owed again, the waiver holds for them too."""
        return min(self.waived - self.waived_back, owed)

    def accounted(self, owed: int) -> int:
        """Units that are not to be billed any more: charged, credited ahead, or waived of those ``owed`` now."""
        return self.invoiced - self.credited + self.ahead + self.waived_of(owed)

    @property
    def quantity(self) -> int:
        """The sum of all buckets."""
        return self.unsent + self.dispatched + self.cancelled + self.moved


_open_allocated = replacing(LineVector, lambda v: v.open, lambda v: v.allocated)
_open_backordered = replacing(LineVector, lambda v: v.open, lambda v: v.backordered)
_open_preparing = replacing(LineVector, lambda v: v.open, lambda v: v.preparing)
_backordered_allocated = replacing(LineVector, lambda v: v.backordered, lambda v: v.allocated)
_allocated_preparing = replacing(LineVector, lambda v: v.allocated, lambda v: v.preparing)
_preparing_shipped = replacing(LineVector, lambda v: v.preparing, lambda v: v.shipped)
_shipped_delivered = replacing(LineVector, lambda v: v.shipped, lambda v: v.delivered)
_billed = replacing(LineVector, lambda v: v.invoiced, lambda v: v.unit_minor)


def allocate(v: LineVector, location: str, quantity: int, until: datetime | None) -> LineVector:
    """Open units are allocated at ``location``."""
    return _open_allocated(v, v.open - quantity, (*v.allocated, Allotment(location, quantity, until)))


def wait(v: LineVector, location: str, quantity: int) -> LineVector:
    """Open units go on back-order at ``location``."""
    return _open_backordered(v, v.open - quantity, (*v.backordered, Waiting(location, quantity)))


def fill(v: LineVector, waited_at: str, location: str, quantity: int, until: datetime | None) -> LineVector:
    """Units that waited at one location are allocated at another, or the same."""
    left = _less(v.backordered, (waited_at,), quantity)
    return _backordered_allocated(v, left, (*v.allocated, Allotment(location, quantity, until)))


def release(v: LineVector, location: str, quantity: int) -> LineVector:
    """Allocated units of ``location`` are open again."""
    return _open_allocated(v, v.open + quantity, _less(v.allocated, (location,), quantity))


def wait_again(v: LineVector, location: str, quantity: int) -> LineVector:
    """Allocated units of ``location`` wait there again."""
    left = _less(v.allocated, (location,), quantity)
    return _backordered_allocated(v, (*v.backordered, Waiting(location, quantity)), left)


def prepare(v: LineVector, shipment: str, location: str, quantity: int) -> LineVector:
    """Allocated units of ``location`` are being prepared in ``shipment``."""
    left = _less(v.allocated, (location,), quantity)
    return _allocated_preparing(v, left, (*v.preparing, Picking(shipment, location, quantity)))


def move_back(v: LineVector, shipment: str, location: str, quantity: int, until: datetime | None) -> LineVector:
    """Units come out of ``shipment`` and stay allocated at ``location``."""
    left = _less(v.preparing, (shipment, location), quantity)
    return _allocated_preparing(v, (*v.allocated, Allotment(location, quantity, until)), left)


def take_out_short(v: LineVector, shipment: str, location: str, quantity: int) -> LineVector:
    """Units of ``shipment`` were not found: they are open again."""
    return _open_preparing(v, v.open + quantity, _less(v.preparing, (shipment, location), quantity))


def dispatch(v: LineVector, shipment: str, location: str, quantity: int) -> LineVector:
    """Units of ``shipment`` have left."""
    return _preparing_shipped(v, _less(v.preparing, (shipment, location), quantity), v.shipped + quantity)


def deliver(v: LineVector, source: str, quantity: int) -> LineVector:
    """Units that were ``shipped``, or ``lost``, have arrived."""
    if source == "shipped":
        return _shipped_delivered(v, v.shipped - quantity, v.delivered + quantity)
    return evolve(v, lost=v.lost - quantity, delivered=v.delivered + quantity)


def take_back(v: LineVector, source: str, quantity: int) -> LineVector:
    """Units that were ``shipped``, ``delivered`` or ``lost`` came back; the last ones were settled when they went.

    They settle what was credited ahead, then what was waived.
    """
    after = evolve(v, **{source: getattr(v, source) - quantity}, returned=v.returned + quantity)
    if source == "lost" or not (v.ahead or v.waived):
        return after
    ahead = min(quantity, v.ahead)
    waived = min(quantity - ahead, v.waived_of(v.kept))
    return evolve(after, ahead=v.ahead - ahead, waived_back=v.waived_back + waived)


def reject(v: LineVector, quantity: int) -> LineVector:
    """Units that came back are sent back: they stay the customer's, and are owed as before; waived ones stay so."""
    waived = v.waived_back - min(quantity, v.waived_back)
    return evolve(v, returned=v.returned - quantity, delivered=v.delivered + quantity, waived_back=waived)


def lose(v: LineVector, quantity: int) -> LineVector:
    """Shipped units are written off."""
    return _settled(evolve(v, shipped=v.shipped - quantity, lost=v.lost + quantity), quantity)


def owe_again(v: LineVector, source: str, quantity: int) -> LineVector:
    """Units that were ``shipped`` or ``delivered`` went missing, or had never left, and are owed again."""
    return evolve(v, **{source: getattr(v, source) - quantity}, open=v.open + quantity)


def give_up(v: LineVector, source: str, quantity: int) -> LineVector:
    """Units that were ``shipped`` or ``delivered`` had never left, and are not sent any more."""
    after = evolve(v, **{source: getattr(v, source) - quantity}, cancelled=v.cancelled + quantity)
    return _settled(after, quantity)


def depart(v: LineVector, piece: Slice) -> LineVector:
    """The units of a slice have left, whatever the order had meant to do with them."""
    after = _taken(v, piece)
    return evolve(after, shipped=after.shipped + piece.quantity)


def cancel(v: LineVector, piece: Slice) -> LineVector:
    """The units of a slice are cancelled out of their bucket."""
    taken = _taken(v, piece)
    return _settled(evolve(taken, cancelled=taken.cancelled + piece.quantity), piece.quantity)


def reinstate(v: LineVector, quantity: int) -> LineVector:
    """Cancelled units are owed again."""
    return evolve(v, cancelled=v.cancelled - quantity, open=v.open + quantity)


def move(v: LineVector, quantity: int) -> tuple[LineVector, LineVector]:
    """Units go to another line, as they are: open ones first, then waiting and allocated ones; both lines after it."""
    opened = min(quantity, v.open)
    waiting, waits = _parted(v.backordered, quantity - opened)
    held, holds = _parted(v.allocated, quantity - opened - sum([place.quantity for place in waits]))
    left = evolve(v, open=v.open - opened, backordered=waiting, allocated=held, moved=v.moved + quantity)
    return left, LineVector(opened, waits, holds)


def _parted(places: tuple[Place, ...], quantity: int) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    """What is left of the entries and what is taken, the last first."""
    left, taken = list(places), []
    while quantity and left:
        last = left.pop()
        units = min(quantity, last.quantity)
        taken.append(last._replace(quantity=units))
        if units < last.quantity:
            left.append(last._replace(quantity=last.quantity - units))
        quantity -= units
    return tuple(left), tuple(reversed(taken))


def _taken(v: LineVector, piece: Slice) -> LineVector:
    quantity, bucket = piece.quantity, piece.bucket
    if bucket == "backordered":
        return evolve(v, backordered=_less(v.backordered, (piece.location,), quantity))
    if bucket == "allocated":
        return evolve(v, allocated=_less(v.allocated, (piece.location,), quantity))
    if bucket == "preparing":
        return evolve(v, preparing=_less(v.preparing, (piece.shipment, piece.location), quantity))
    return evolve(v, **{bucket: getattr(v, bucket) - quantity})


def fall(v: LineVector, quantity: int) -> LineVector:
    """A charge or service is no longer owed: its order was cancelled before anything left."""
    return _settled(v, quantity)


def _settled(v: LineVector, quantity: int) -> LineVector:
    """Units that the customer does not get settle what was credited ahead."""
    return evolve(v, ahead=max(0, v.ahead - quantity)) if v.ahead else v


# -- what is charged


class CreditedUnits(NamedTuple):
    """What a credit note takes off an order line: units, and minor units of their net or of a price reduction.

    ``unit_minor`` is what those units were charged; their share of earlier reductions, ``reduced_minor`` below 0, was
    given back before. Of a new reduction, which has no units, ``reduced_minor`` is above 0.
    """

    line: Quantity
    units: Count
    unit_minor: Minor
    reduced_minor: Minor
    intent: CreditIntent = CreditIntent.KEPT


def bill(v: LineVector, quantity: int, net_minor: int) -> LineVector:
    """Units are put on an invoice."""
    return _billed(v, v.invoiced + quantity, v.unit_minor + net_minor)


def unbill(v: LineVector, quantity: int, net_minor: int) -> LineVector:
    """Units are taken off an invoice that was voided."""
    return _billed(v, v.invoiced - quantity, v.unit_minor - net_minor)


def credit(v: LineVector, item: CreditedUnits, kept: int) -> LineVector:
    """Units are credited, those first that are due because they are not ``kept``; the rest as the intent says."""
    rest = item.units - min(item.units, max(0, v.accounted(kept) - kept))
    return evolve(
        v,
        credited=v.credited + item.units,
        waived=v.waived + (rest if item.intent is CreditIntent.KEPT else 0),
        ahead=v.ahead + (rest if item.intent is CreditIntent.AHEAD else 0),
        unit_minor=v.unit_minor - item.unit_minor,
        reduced_minor=v.reduced_minor + item.reduced_minor,
    )


def _less(places: tuple[Place, ...], start: tuple[str, ...], quantity: int) -> tuple[Place, ...]:
    """Take ``quantity`` units off the entries whose first fields are ``start``, the earliest first."""
    width = len(start)
    if len(places) == 1 and places[0][:width] == start and places[0].quantity == quantity:
        return ()
    left = []
    for place in places:
        if quantity and place[:width] == start:
            taken = min(quantity, place.quantity)
            quantity -= taken
            if taken < place.quantity:
                left.append(place._replace(quantity=place.quantity - taken))
        else:
            left.append(place)
    if quantity:
        raise InvariantBroken("line vector", f"{quantity} units too many taken at {'/'.join(start)}")
    return tuple(left)
