"""Asking carriers what they would carry a shipment for, and choosing one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orderflow.domain.engine.decide import Flow, ask
from orderflow.domain.money.calendar import business_date
from orderflow.domain.money.money import Money
from orderflow.domain.shipping.choosing import CarrierChoice, CarrierOffer
from orderflow.errors import OrderFlowError, PortError
from orderflow.flows.asks import AskQuotes, Now
from orderflow.ports.carrier import LabelRequest, Quote
from orderflow.ports.storage import Lease

__all__ = ["choose_carrier"]


def choose_carrier(request: LabelRequest, choose: CarrierChoice, lease: Lease) -> Flow[CarrierOffer]:
    """The offer that is chosen; carriers that say no for good are left out.

    Raises:
        PortError: none carries it, the choice is none of what is offered, or a carrier's answer cannot be used.
    """
    answers = yield from ask(AskQuotes(request, lease))
    offers = [offer for carrier, quotes in answers.items() for offer in _checked(carrier, quotes)]
    if not offers:
        said = "; ".join(str(answer) for answer in answers.values()) or "no carrier is wired"
        raise PortError("carrier", said, retry=False)
    today = business_date((yield from ask(Now())), "UTC")
    try:
        chosen = choose(offers, request.requested, today)
    except OrderFlowError as error:
        raise PortError("carrier", str(error), retry=False) from error
    if chosen not in offers:
        raise PortError("carrier", f"chose {chosen}, which nobody offers", retry=False)
    return chosen


def _checked(carrier: str, quotes: Any) -> Iterator[CarrierOffer]:
    """The offers of a carrier, if it did not refuse: answers from outside are not trusted."""
    if isinstance(quotes, PortError):
        return
    for quote in quotes if isinstance(quotes, tuple | list) else (quotes,):
        if type(quote) is not Quote or type(quote.price) is not Money or type(quote.days) is not int:
            raise PortError(carrier, "quoted what is no Quote with a price in Money and whole days")
        yield CarrierOffer(carrier, quote.service, quote.price, quote.days)
