"""The states of a shipment: a class for each, with the facts that are true in it, and their invariants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import Enum
from typing import Annotated, Final, NamedTuple, Protocol, TypeAlias

from orderflow.domain.engine.bounds import Between, Id, Length, Name, Quantity, Text
from orderflow.domain.engine.limits import MAX_MONEY_MINOR
from orderflow.domain.engine.record import Record
from orderflow.domain.money.money import Money
from orderflow.domain.shipping.fates import Fate, on_the_way
from orderflow.domain.values import MAX_LINES, DeliveryWish, Gift, Location, PartyRef, Task, with_tasks, without_task
from orderflow.errors import Fault, InvariantBroken

MAX_LABEL_DATA = 20_000
"""Characters of a label's print data."""

MAX_LOG = 200
"""How many of the carrier's events a shipment keeps, the newest; the journal keeps all."""

MAX_PARKED = 50
"""How many parked events a shipment keeps, the newest; the journal keeps all."""

MAX_ARRIVALS = 500
"""How many arrivals of units that came back a shipment remembers, the newest; the journal keeps all."""


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


class Plan(Record):
    """How a shipment is to travel.

    ``tariff_zone`` and ``country`` are what a carrier's tariff asks for; ``collect`` is what the carrier takes from
    whoever gets the shipment (代引). ``requested`` and ``gift`` are what the customer wished; ``value`` is what the
    contents cost.
    """

    carrier: Name = ""
    service: Name = ""
    tariff_zone: Name = ""
    country: Name = ""
    ship_to: PartyRef | None = None
    needs_label: bool = True
    reference: Name = ""
    collect: Money | None = None
    requested: DeliveryWish | None = None
    gift: Gift | None = None
    value: Money | None = None

    def faults(self) -> Iterator[Fault]:
        """What is collected is positive, and nothing is worth less than nothing."""
        if self.value is not None and self.value.minor < 0:
            yield Fault("value.minor", "out_of_range", "must not be negative")
        if self.collect is not None and self.collect.minor < 1:
            yield Fault("collect.minor", "out_of_range", "must be at least 1 minor unit")


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
    """What the packed goods weigh in grams (0: not weighed), how many pieces they are, and when they were packed.

    ``wanted`` is the purchase of a label that is waited for, if one is.
    """

    weight_grams: int
    pieces: int
    packed_at: datetime
    wanted: str = ""

    def wanting(self, purchase: str) -> Packing:
        """Waiting for this purchase, or for none."""
        return self._replace(wanted=purchase)


class Arrival(NamedTuple):
    """One arrival of units of an order line that came back; whoever tells of it again tells nothing new."""

    id: str
    order: str
    line: int


class Back(NamedTuple):
    """Units of an order line that came back."""

    order: Id
    line: Quantity
    quantity: Quantity


class Unclaimed(NamedTuple):
    """Units of an arrival that the dock has set aside at a location, and that stand in no return."""

    arrival: Arrival
    location: str
    quantity: int


class Report(NamedTuple):
    """What somebody told of units that came back, before the shipment was known to have left."""

    location: str
    usable: bool
    units: tuple[Back, ...]
    arrival: str
    supposed: bool
    returned: str = ""


class Tracking(NamedTuple):
    """What was told of a shipment.

    The carrier's events are noted in the ``log``, or ``parked`` where they cannot be true yet. ``arrivals`` are those
    of units that came back, of which ``unclaimed`` ones stand in no return; ``tasks`` are facts that contradict what
    was there. When it turns out to have left, its orders are asked whether they owed what is in it; until all ``asked``
    have answered, what was told of it is parked, and so are ``reports`` of units that came back.
    """

    log: tuple[Scan, ...] = ()
    parked: tuple[Scan, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    tasks: tuple[Task, ...] = ()
    asked: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()
    unclaimed: tuple[Unclaimed, ...] = ()

    def knows(self, event_id: str) -> bool:
        """Whether the event is noted already."""
        return any(scan.event_id == event_id for scan in self.log)

    def noted(self, scan: Scan) -> Tracking:
        """With ``scan`` in the log, once, and no longer parked."""
        log = self.log if self.knows(scan.event_id) else (*self.log, scan)
        return self._replace(log=log[-MAX_LOG:], parked=self._parked_but(scan))

    def parking(self, scan: Scan) -> Tracking:
        """With ``scan`` parked, once."""
        return self._replace(parked=(*self._parked_but(scan), scan)[-MAX_PARKED:])

    def _parked_but(self, scan: Scan) -> tuple[Scan, ...]:
        return tuple([kept for kept in self.parked if kept.event_id != scan.event_id])

    def arrived(self, arrivals: Iterable[Arrival]) -> Tracking:
        """With these arrivals remembered."""
        return self._replace(arrivals=tuple(dict.fromkeys((*self.arrivals, *arrivals)))[-MAX_ARRIVALS:])

    def tasked(self, *tasks: Task) -> Tracking:
        """With these tasks, each once."""
        return self._replace(tasks=with_tasks(self.tasks, tasks))

    def without(self, code: str) -> Tracking:
        """Without the oldest task of this code."""
        return self._replace(tasks=without_task(self.tasks, code))


UNTRACKED: Final = Tracking()

#: A carrier has told of a shipment that was voided.
SCANNED: Final = Task("scanned_but_voided")


class Carriage(NamedTuple):
    """What is true once a shipment has left. ``label`` is None where the carrier needs none."""

    packing: Packing
    label: ShippingLabel | None
    handed_over_at: datetime


class _Parcel(Record):
    """Goods that travel together: what every state but a voided one has."""

    items: tuple[Item, ...]
    plan: Plan
    tracking: Tracking


class Planned(_Parcel):
    """To be picked and packed (出荷準備)."""


class Packed(_Parcel):
    """Packed, without a label."""

    packing: Packing


class Labelled(_Parcel):
    """Packed, and its label is bought."""

    packing: Packing
    label: ShippingLabel
    bought_at: datetime


class Left(_Parcel):
    """What every state has in common once the shipment has left; never a state itself.

    ``fates`` say what has become of the ``items``, in the same places.
    """

    carriage: Carriage
    fates: tuple[Fate, ...]


class InTransit(Left):
    """With the carrier (配送中)."""


class Delivered(Left):
    """Arrived (配達完了)."""

    delivered_at: datetime


class Returning(Left):
    """On its way back."""

    why: ReturnReason


class ReturnedToSender(Left):
    """Back at one of our locations: nothing of it is on the way or with the customer."""

    location: str
    received_at: datetime


class Lost(Left):
    """Missing; it may still be found. Its units are on the way until they are written off or sent again."""

    lost_at: datetime


class Voided(Record):
    """Given up before it left, or nothing was left in it. ``last_items`` are what was taken out at the end.

    ``packing`` is what had been packed: a label that may have been bought for it is asked for again, to be voided.
    """

    last_items: tuple[Item, ...]
    plan: Plan
    tracking: Tracking
    voided_at: datetime
    packing: Packing | None = None


# -- roles: what a host's own state must have, to be handled as these are


class HasTracking(Protocol):
    """A shipment, of which carriers tell."""

    @property
    def tracking(self) -> Tracking: ...


class HasGoods(HasTracking, Protocol):
    """Goods that have not left: some can be taken out, and all of it can be given up."""

    @property
    def items(self) -> tuple[Item, ...]: ...
    @property
    def plan(self) -> Plan: ...


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
    """The shipment's invariants: it has items, none twice; each unit has one fate; its lists are bounded.

    Raises:
        InvariantBroken: naming what is wrong.
    """
    if len(state.tracking.log) > MAX_LOG or len(state.tracking.parked) > MAX_PARKED:
        raise InvariantBroken("shipment tracking", "more events are kept than the bounds allow")
    if isinstance(state, Voided):
        return
    _check_items(state.items)
    if isinstance(state, Left):
        _check_fates(state)


def _check_items(items: tuple[Item, ...]) -> None:
    if not items:
        raise InvariantBroken("shipment items", "nothing is in the shipment, yet it is not voided")
    if len(items) > 1 and len({item[:3] for item in items}) != len(items):
        raise InvariantBroken("shipment items", "an order line appears twice with the same location")
    for item in items:
        if item.quantity < 1:
            raise InvariantBroken("shipment items", "an item has no units")


def _check_fates(state: Left) -> None:
    for item, fate in zip(state.items, state.fates, strict=True):
        if min(fate) < 0 or on_the_way(item.quantity, fate) < 0 or fate.expected_back > fate.delivered:
            raise InvariantBroken("A", f"{item.quantity} units of order {item.order} line {item.line}: {fate}")
    if isinstance(state, Delivered | ReturnedToSender) and units_on_the_way(state):
        raise InvariantBroken("A", f"a shipment that is {type(state).__name__} has units on the way")


def units_on_the_way(state: Left) -> int:
    """Units of a shipment that nobody has accounted for yet."""
    return sum([on_the_way(item.quantity, fate) for item, fate in zip(state.items, state.fates, strict=True)])
