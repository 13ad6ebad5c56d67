"""Choosing a carrier where nobody named one: by what carriers offer, before a label is bought."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Name
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Event, Fields, Internal, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.shipping.state import Left, Packed, Packing
from orderflow.domain.values import DeliveryWish
from orderflow.errors import DefinitionError, Refusal

__all__ = [
    "CarrierChoice",
    "CarrierChosen",
    "CarrierOffer",
    "ChooseCarrier",
    "carrier_chosen",
    "cheapest_in_time",
    "still_waits",
]

S = TypeVar("S", bound="Packed | Left")


class CarrierOffer(Record):
    """What a service of a carrier costs for a shipment, and how many days it takes."""

    carrier: str
    service: str
    price: Money
    days: int


#: Chooses among offers, of which there is at least one, by what the customer wished and the day it is.
CarrierChoice: TypeAlias = Callable[[Sequence[CarrierOffer], DeliveryWish | None, date], CarrierOffer]


def cheapest_in_time(offers: Sequence[CarrierOffer], wish: DeliveryWish | None, today: date) -> CarrierOffer:
    """The cheapest that arrives by the day that is wished; if none does, the quickest.

    Raises:
        DefinitionError: prices are in several currencies.
    """
    currencies = sorted({offer.price.currency for offer in offers})
    if len(currencies) > 1:
        raise DefinitionError(f"carriers offer prices in {', '.join(currencies)}, which are not compared")
    in_time = [offer for offer in offers if wish is None or today + timedelta(days=offer.days) <= wish.date]
    if in_time:
        return min(in_time, key=lambda offer: (offer.price.minor, offer.days, offer.carrier, offer.service))
    return min(offers, key=lambda offer: (offer.days, offer.price.minor, offer.carrier, offer.service))


class _Choice(Fields):
    """The purchase that is waited for, and by whom the shipment is carried."""

    wanted: Name
    carrier: Name
    service: Name


class ChooseCarrier(_Choice, Internal):
    """Have the label that is waited for bought of this carrier."""


class CarrierChosen(_Choice, Event):
    """A carrier was chosen for a shipment that named none."""


def still_waits(state: Packed | Left, command: ChooseCarrier, stamp: Stamp) -> Refusal | None:
    """The shipment waits for this purchase, and has no carrier yet."""
    packing: Packing = state.carriage.packing if isinstance(state, Left) else state.packing
    if packing.wanted == command.wanted and not state.plan.carrier:
        return None
    return refuse("not_wanted", "the shipment does not wait for this purchase any more")


def carrier_chosen(state: S, event: CarrierChosen) -> S:
    chosen: S = evolve(state, plan=evolve(state.plan, carrier=event.carrier, service=event.service))
    return chosen
