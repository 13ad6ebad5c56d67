"""The line vector: how many units of a line stand where, and the moves between the buckets."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.schema import Count, Id, Quantity
from orderflow.errors import InvariantBroken

__all__ = [
    "Allotment",
    "LineVector",
    "Picking",
    "Slice",
    "Waiting",
    "allocate",
    "bill",
    "cancel",
    "credit",
    "deliver",
    "dispatch",
    "fill",
    "lose",
    "move_back",
    "prepare",
    "release",
    "resupply",
    "short",
    "take_back",
    "unbill",
    "wait",
]


class Waiting(NamedTuple):
    """Units on back-order, and the location whose stock row counts them as waiting."""

    location: Id
    quantity: Quantity


class Allotment(NamedTuple):
    """Units allocated at a location, until a time if the promise expires."""

    location: Id
    quantity: Quantity
    until: datetime | None = None


class Picking(NamedTuple):
    """Units of a location being prepared in a shipment."""

    shipment: Id
    location: Id
    quantity: Quantity


class Slice(NamedTuple):
    """Units of one line taken out of one bucket: ``open``, ``backordered``, ``allocated`` or ``preparing``."""

    line: int
    bucket: str
    quantity: int
    location: str = ""
    shipment: str = ""


Place = TypeVar("Place", Waiting, Allotment, Picking)


@frozen
class LineVector:
    """Where the units of one goods line stand now; the ten buckets sum to what was ordered.

    ``invoiced`` and ``credited`` are cumulative and stand outside the sum; other lines have only these two.
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

    @property
    def backordered_quantity(self) -> int:
        """Units waiting for stock."""
        return sum(waiting.quantity for waiting in self.backordered)

    @property
    def allocated_quantity(self) -> int:
        """Units allocated, wherever."""
        return sum(allotment.quantity for allotment in self.allocated)

    @property
    def preparing_quantity(self) -> int:
        """Units in shipments not yet handed over."""
        return sum(picking.quantity for picking in self.preparing)

    @property
    def wants_stock(self) -> bool:
        """Whether units are open or wait, so that stock may be allocated to them."""
        return self.open > 0 or bool(self.backordered)

    @property
    def dispatched(self) -> int:
        """Units that have left, whatever became of them."""
        return self.shipped + self.delivered + self.returned + self.lost

    @property
    def quantity(self) -> int:
        """The sum of all buckets."""
        waiting = self.backordered_quantity + self.allocated_quantity + self.preparing_quantity
        return self.open + waiting + self.dispatched + self.cancelled + self.moved


def allocate(vector: LineVector, location: str, quantity: int, until: datetime | None) -> LineVector:
    """Open units are allocated at ``location``."""
    v = vector
    kept = (*v.allocated, Allotment(location, quantity, until))
    return _made(v, v.open - quantity, v.backordered, kept, v.preparing, v.shipped, v.delivered)


def wait(vector: LineVector, location: str, quantity: int) -> LineVector:
    """Open units go on back-order at ``location``."""
    v = vector
    waiting = (*v.backordered, Waiting(location, quantity))
    return _made(v, v.open - quantity, waiting, v.allocated, v.preparing, v.shipped, v.delivered)


def fill(vector: LineVector, waiting: str, location: str, quantity: int, until: datetime | None) -> LineVector:
    """Units that waited at ``waiting`` are allocated at ``location``."""
    v = vector
    left = _less(v.backordered, (waiting,), quantity)
    kept = (*v.allocated, Allotment(location, quantity, until))
    return _made(v, v.open, left, kept, v.preparing, v.shipped, v.delivered)


def release(vector: LineVector, location: str, quantity: int) -> LineVector:
    """Allocated units of ``location`` are open again."""
    v = vector
    left = _less(v.allocated, (location,), quantity)
    return _made(v, v.open + quantity, v.backordered, left, v.preparing, v.shipped, v.delivered)


def prepare(vector: LineVector, shipment: str, location: str, quantity: int) -> LineVector:
    """Allocated units of ``location`` are being prepared in ``shipment``."""
    v = vector
    left = _less(v.allocated, (location,), quantity)
    picking = (*v.preparing, Picking(shipment, location, quantity))
    return _made(v, v.open, v.backordered, left, picking, v.shipped, v.delivered)


def move_back(vector: LineVector, shipment: str, location: str, quantity: int) -> LineVector:
    """Units come out of ``shipment`` and stay allocated at ``location``."""
    v = vector
    left = _less(v.preparing, (shipment, location), quantity)
    kept = (*v.allocated, Allotment(location, quantity))
    return _made(v, v.open, v.backordered, kept, left, v.shipped, v.delivered)


def short(vector: LineVector, shipment: str, location: str, quantity: int) -> LineVector:
    """Units of ``shipment`` were not found: they are open again."""
    v = vector
    left = _less(v.preparing, (shipment, location), quantity)
    return _made(v, v.open + quantity, v.backordered, v.allocated, left, v.shipped, v.delivered)


def dispatch(vector: LineVector, shipment: str, location: str, quantity: int) -> LineVector:
    """Units of ``shipment`` have left."""
    v = vector
    left = _less(v.preparing, (shipment, location), quantity)
    return _made(v, v.open, v.backordered, v.allocated, left, v.shipped + quantity, v.delivered)


def deliver(vector: LineVector, quantity: int) -> LineVector:
    """Units have arrived: shipped ones first, then some that were written off."""
    v = vector
    shipped = min(v.shipped, quantity)
    if shipped < quantity:
        v = evolve(v, lost=v.lost - (quantity - shipped))
    return _made(v, v.open, v.backordered, v.allocated, v.preparing, v.shipped - shipped, v.delivered + quantity)


def take_back(vector: LineVector, quantity: int) -> LineVector:
    """Units came back: delivered ones first, then units still on the way, then some that were written off."""
    v = vector
    delivered = min(v.delivered, quantity)
    shipped = min(v.shipped, quantity - delivered)
    return evolve(
        v,
        delivered=v.delivered - delivered,
        shipped=v.shipped - shipped,
        lost=v.lost - (quantity - delivered - shipped),
        returned=v.returned + quantity,
    )


def lose(vector: LineVector, quantity: int) -> LineVector:
    """Shipped units are written off."""
    return evolve(vector, shipped=vector.shipped - quantity, lost=vector.lost + quantity)


def resupply(vector: LineVector, quantity: int) -> LineVector:
    """Shipped units went missing and are owed again."""
    return evolve(vector, shipped=vector.shipped - quantity, open=vector.open + quantity)


def cancel(vector: LineVector, slice_: Slice) -> LineVector:
    """The units of a slice are cancelled out of their bucket."""
    v, quantity = vector, slice_.quantity
    cancelled = v.cancelled + quantity
    if slice_.bucket == "open":
        return evolve(v, open=v.open - quantity, cancelled=cancelled)
    if slice_.bucket == "backordered":
        return evolve(v, backordered=_less(v.backordered, (slice_.location,), quantity), cancelled=cancelled)
    if slice_.bucket == "allocated":
        return evolve(v, allocated=_less(v.allocated, (slice_.location,), quantity), cancelled=cancelled)
    left = _less(v.preparing, (slice_.shipment, slice_.location), quantity)
    return evolve(v, preparing=left, cancelled=cancelled)


def bill(vector: LineVector, quantity: int) -> LineVector:
    """Units stand on an invoice."""
    v = vector
    return LineVector(
        v.open, v.backordered, v.allocated, v.preparing, v.shipped, v.delivered,
        v.returned, v.lost, v.cancelled, v.moved, v.invoiced + quantity, v.credited,
    )  # fmt: skip


def unbill(vector: LineVector, quantity: int) -> LineVector:
    """Units no longer stand on an invoice."""
    return evolve(vector, invoiced=vector.invoiced - quantity)


def credit(vector: LineVector, quantity: int) -> LineVector:
    """Billed units stand on a credit note."""
    return evolve(vector, credited=vector.credited + quantity)


def _made(
    v: LineVector,
    open_: int,
    backordered: tuple[Waiting, ...],
    allocated: tuple[Allotment, ...],
    preparing: tuple[Picking, ...],
    shipped: int,
    delivered: int,
) -> LineVector:
    return LineVector(
        open_, backordered, allocated, preparing, shipped, delivered,
        v.returned, v.lost, v.cancelled, v.moved, v.invoiced, v.credited,
    )  # fmt: skip


def _less(places: tuple[Place, ...], start: tuple[str, ...], quantity: int) -> tuple[Place, ...]:
    """Take ``quantity`` units out of the places whose first fields are ``start``, the earliest first."""
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
