"""Carriers: asking for a price, buying a label, giving a label back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from orderflow.domain.engine.record import Record
from orderflow.domain.money.money import Money
from orderflow.domain.values import DeliveryWish, Gift
from orderflow.errors import PortError

__all__ = ["Carrier", "Label", "LabelRequest", "Parcel", "Quote", "quotes_of"]


class Parcel(Record):
    """One box: its weight in grams, and the goods units in it."""

    weight_grams: int
    pieces: int


class LabelRequest(Record):
    """What is to be carried where. Holds no personal data: the address is read by the adapter that prints it.

    ``tariff_zone`` is the carrier's own and may be empty; ``country`` is ISO 3166-1 alpha-2 or the shop's name for it;
    ``service`` names one of the carrier's services, None leaves the choice to the carrier. A purchase is identified by
    its ``idempotency_key``: a repeated request must ask for the same thing. ``collect`` is what the carrier is to take
    from whoever gets the parcel (代引), and to settle with the shop later. ``requested`` and ``gift`` are what the
    customer wished, ``value`` is what the contents cost, as the order's prices are. ``tenant`` is whose shipment it is,
    where several share a carrier. ``ship_to`` is the party version that it goes to (``ann@2``); empty if none is named.
    """

    shipment: str
    reference: str
    tariff_zone: str
    country: str
    parcels: tuple[Parcel, ...]
    service: str | None
    idempotency_key: str
    collect: Money | None = None
    tenant: str = "main"
    requested: DeliveryWish | None = None
    gift: Gift | None = None
    value: Money | None = None
    ship_to: str = ""


class Quote(Record):
    """An offer: what a service costs for the request, and how many days it takes."""

    service: str
    price: Money
    days: int


class Label(Record):
    """A bought label. ``data`` is what the printer needs, as text of ``media_type``; ``price`` is None if unknown."""

    carrier: str
    service: str
    tracking_number: str
    price: Money | None
    data: str
    media_type: str


class Carrier(Protocol):
    """Sells carriage.

    Every method raises only ``PortError``: with ``retry=True`` when asking again may help or the outcome is unknown,
    with ``retry=False`` when the answer will stay no.
    """

    @property
    def name(self) -> str:
        """The name under which orders and labels know this carrier."""
        ...

    def quote(self, request: LabelRequest) -> tuple[Quote, ...]:
        """The services that would take the request, at least one; only the service it names, if it names one."""
        ...

    def buy_label(self, request: LabelRequest) -> Label:
        """Buys a label; the same idempotency key gives the same label again, never a second one."""
        ...

    def void_label(self, tracking_number: str, idempotency_key: str) -> None:
        """Gives a label back. Doing it twice is the same as doing it once; a number never sold is refused."""
        ...


def quotes_of(carriers: Mapping[str, Carrier], request: LabelRequest) -> dict[str, Any]:
    """What each carrier answers: its quotes, or the error of one whose answer will stay no.

    Raises:
        PortError: one of them may answer when it is asked again.
    """
    answers: dict[str, Any] = {}
    for name, carrier in carriers.items():
        try:
            answers[name] = carrier.quote(request)
        except PortError as error:
            if error.retry:
                raise
            answers[name] = error.with_traceback(None)
    return answers
