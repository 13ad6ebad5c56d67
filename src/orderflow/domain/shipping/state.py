"""The states of a shipment: a class for each, with the facts that are true in it, and their invariants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import Enum
from typing import Annotated, Final, NamedTuple, Protocol, TypeAlias

from attrs import frozen

from orderflow.domain.engine.bounds import Between, Id, Length, Name, Quantity, Text
from orderflow.domain.engine.limits import MAX_MONEY_MINOR
from orderflow.domain.engine.record import Record
from orderflow.domain.money.money import Money
from orderflow.domain.values import MAX_LINES, Location, PartyRef
from orderflow.errors import Fault, InvariantBroken

MAX_LABEL_DATA = 20_000
"""Characters of a label's print data."""

MAX_LOG = 200
"""How many of the carrier's events a shipment keeps, the newest; the journal keeps all."""

MAX_PARKED = 50
"""How many parked events a shipment keeps, the newest; the journal keeps all."""


class ReturnReason(Enum):
    """Why a parcel is sent back."""

    REFUSED = "refused"
    UNDELIVERABLE = "undeliverable"
    RECALLED = "recalled"


class Item(NamedTuple):
    """Units of one order line, taken from one location."""

    order: Id
    line: Quantity
    location: Location
    quantity: Quantity


Items: TypeAlias = Annotated[tuple[Item, ...], Length(1, MAX_LINES)]


def repeated_items(items: Iterable[Item], path: str) -> Iterator[Fault]:
    """A fault for each item whose order line and location appear earlier in the list."""
    seen: set[tuple[str, int, str]] = set()
    for index, item in enumerate(items):
        if item[:3] in seen:
            yield Fault(f"{path}[{index}]", "repeated", "names an order line and location a second time")
        seen.add(item[:3])


@frozen(eq=False, repr=False)
class Plan(Record):
    """How a shipment is to travel; it never changes.

    ``tariff_zone`` and ``country`` are what a carrier's tariff asks for; ``collect`` is what the carrier takes from
    whoever gets the shipment (代引).
    """

    carrier: Name = ""
    service: Name = ""
    tariff_zone: Name = ""
    country: Name = ""
    ship_to: PartyRef | None = None
    needs_label: bool = True
    reference: Name = ""
    collect: Money | None = None

    def faults(self) -> Iterator[Fault]:
        """What is collected is positive."""
        if self.collect is not None and self.collect.minor < 1:
            yield Fault("collect.minor", "out_of_range", "must be at least 1 minor unit")


@frozen(eq=False, repr=False)
class ShippingLabel(Record):
    """A bought label (送り状). ``data`` is print data of ``media_type`` and must hold no personal data.

    ``price_minor`` is in minor units of ``currency``; None if the carrier does not say.
    """

    carrier: Name
    service: Name
    tracking_number: Id
    price_minor: Annotated[int, Between(0, MAX_MONEY_MINOR)] | None = None
    currency: Name = ""
    data: Annotated[str, Text(MAX_LABEL_DATA, lines=True)] = ""
    media_type: Name = ""

    def faults(self) -> Iterator[Fault]:
        """A price has a currency."""
        if self.price_minor is not None and not self.currency:
            yield Fault("currency", "blank", "must be given with the price")


class Scan(NamedTuple):
    """One event as the carrier reported it.

    ``status`` is the value of a ``TrackingStatus`` or :class:`ReturnReason`, or ``delivered``.
    """

    event_id: str
    status: str
    detail: str
    at: datetime


class Packing(NamedTuple):
    """What the packed goods weigh in grams (0: not weighed), and how many pieces they are."""

    weight_grams: int
    pieces: int


class Tracking(NamedTuple):
    """The carrier's events: those noted, and those parked because they came before or after they could be true."""

    log: tuple[Scan, ...] = ()
    parked: tuple[Scan, ...] = ()

    def knows(self, event_id: str) -> bool:
        """Whether the event is noted already."""
        return any(scan.event_id == event_id for scan in self.log)

    def noted(self, scan: Scan) -> Tracking:
        """With ``scan`` in the log, once, and no longer parked."""
        log = self.log if self.knows(scan.event_id) else (*self.log, scan)
        return Tracking(log[-MAX_LOG:], tuple([kept for kept in self.parked if kept.event_id != scan.event_id]))

    def parking(self, scan: Scan) -> Tracking:
        """With ``scan`` parked, once."""
        others = [kept for kept in self.parked if kept.event_id != scan.event_id]
        return Tracking(self.log, (*others, scan)[-MAX_PARKED:])


UNTRACKED: Final = Tracking()


class Carriage(NamedTuple):
    """What is true once a shipment has left. ``label`` is None where the carrier needs none."""

    packing: Packing
    label: ShippingLabel | None
    handed_over_at: datetime


@frozen(eq=False, repr=False)
class _Parcel(Record):
    """Goods that travel together: what every state but a voided one has."""

    items: tuple[Item, ...]
    plan: Plan
    tracking: Tracking


class Planned(_Parcel):
    """To be picked and packed (出荷準備)."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class Packed(_Parcel):
    """Packed, without a label."""

    packing: Packing


@frozen(eq=False, repr=False)
class Labelled(_Parcel):
    """Packed, and its label is bought."""

    packing: Packing
    label: ShippingLabel
    bought_at: datetime


@frozen(eq=False, repr=False)
class Left(_Parcel):
    """What every state has in common once the shipment has left; never a state itself."""

    carriage: Carriage


class InTransit(Left):
    """With the carrier (配送中)."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class Delivered(Left):
    """Arrived (配達完了)."""

    delivered_at: datetime


@frozen(eq=False, repr=False)
class Returning(Left):
    """On its way back."""

    why: ReturnReason


@frozen(eq=False, repr=False)
class ReturnedToSender(Left):
    """Back at one of our locations."""

    location: str
    received_at: datetime


@frozen(eq=False, repr=False)
class Lost(Left):
    """Missing; it may still be found."""

    lost_at: datetime


@frozen(eq=False, repr=False)
class Voided(Record):
    """Given up before it left, or nothing was left in it: it holds no items."""

    plan: Plan
    tracking: Tracking
    voided_at: datetime


# -- roles: what a host's own state must have, to be handled as these are


class HasGoods(Protocol):
    """Goods that have not left: some can be taken out, and all of it can be given up."""

    @property
    def items(self) -> tuple[Item, ...]: ...
    @property
    def plan(self) -> Plan: ...
    @property
    def tracking(self) -> Tracking: ...


class HasPacking(HasGoods, Protocol):
    """Packed goods: they can be handed over, with their ``label`` where they have one."""

    @property
    def packing(self) -> Packing: ...


class HasLabel(HasPacking, Protocol):
    """Packed goods with a label: it can be given back."""

    @property
    def label(self) -> ShippingLabel: ...
    @property
    def bought_at(self) -> datetime: ...


Unsent: TypeAlias = Planned | Packed | Labelled
ShipmentState: TypeAlias = Unsent | InTransit | Delivered | Returning | ReturnedToSender | Lost | Voided


def check_shipment(state: Unsent | Left | Voided) -> None:
    """The shipment's invariants: it has items, none twice; its lists are bounded; it left with its label.

    Raises:
        InvariantBroken: naming what is wrong.
    """
    if len(state.tracking.log) > MAX_LOG or len(state.tracking.parked) > MAX_PARKED:
        raise InvariantBroken("shipment tracking", "more events are kept than the bounds allow")
    if isinstance(state, Voided):
        return
    _check_items(state.items)
    if state.plan.needs_label and isinstance(state, Left) and state.carriage.label is None:
        raise InvariantBroken("shipment label", "a shipment that needs a label has left without one")


def _check_items(items: tuple[Item, ...]) -> None:
    if not items:
        raise InvariantBroken("shipment items", "nothing is in the shipment, yet it is not voided")
    if len(items) > 1 and len({item[:3] for item in items}) != len(items):
        raise InvariantBroken("shipment items", "an order line appears twice with the same location")
    for item in items:
        if item.quantity < 1:
            raise InvariantBroken("shipment items", "an item has no units")
