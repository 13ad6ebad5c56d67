"""The contract of a carrier: quotes that buy nothing, one label for each key, and labels that can be voided.

Hand :func:`carrier_clauses` a request that your carrier serves::

    def test_my_carrier_keeps_the_contract(tmp_path):
        numbers = itertools.count()
        check_all(carrier_clauses(), lambda: MyCarrier(tmp_path / f"{next(numbers)}.db"))
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeAlias

from attrs import evolve

from orderflow.errors import PortError
from orderflow.ports.carrier import Carrier, LabelRequest, Parcel
from orderflow.testing.contracts import Clause, Expect

__all__ = ["REQUEST", "carrier_clauses"]

#: Two domestic parcels, by any service.
REQUEST: Final = LabelRequest("SHP-1", "SO-7", "home", "DE", (Parcel(1_500, 3), Parcel(300, 1)), None, "SHP-1/label")

_THREADS: Final = 8
_KEYS: Final = ("shop/536365/label", "ラベル", "a b\tc", "x" * 100)

Trial: TypeAlias = Callable[[LabelRequest, Carrier, Expect], None]


def _services(request: LabelRequest, carrier: Carrier) -> list[str]:
    return [quote.service for quote in carrier.quote(request)]


def _offers(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    quotes = carrier.quote(request)
    expect.true("a quote for the request", quotes)
    expect.equal("distinct services", len(quotes), len({quote.service for quote in quotes}))
    expect.true("no negative price or number of days", all(q.price.minor >= 0 and q.days >= 0 for q in quotes))


def _about_the_service(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    for service in _services(request, carrier):
        expect.equal("quotes for one service", [service], _services(evolve(request, service=service), carrier))


def _quotes_buy_nothing(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    before = carrier.quote(request)
    carrier.buy_label(request)
    expect.equal("the quotes after a purchase", before, carrier.quote(request))


def _costs_what_was_quoted(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    for quote in carrier.quote(request):
        key = f"{request.idempotency_key}/{quote.service}"
        label = carrier.buy_label(evolve(request, service=quote.service, idempotency_key=key))
        expect.equal("carrier and service", (carrier.name, quote.service), (label.carrier, label.service))
        expect.equal("the price", quote.price, label.price)
        expect.true("a tracking number and a media type", label.tracking_number and label.media_type)


def _first_offer(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    wish = evolve(request, service=None)
    expect.equal("the service bought", carrier.quote(wish)[0].service, carrier.buy_label(wish).service)


def _one_label_a_key(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    expect.equal("the label for a repeated key", carrier.buy_label(request), carrier.buy_label(request))


def _retries_at_once(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        labels = [*pool.map(lambda _: carrier.buy_label(request), range(8 * _THREADS))]
    expect.equal("labels for one key, requested by several threads", 1, len(set(labels)))


def _numbers_differ(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    keys = [f"k{n}" for n in range(200)]
    numbers = {carrier.buy_label(evolve(request, idempotency_key=key)).tracking_number for key in keys}
    expect.equal("distinct tracking numbers", len(keys), len(numbers))


def _any_key(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    numbers = {carrier.buy_label(evolve(request, idempotency_key=key)).tracking_number for key in _KEYS}
    expect.equal("distinct tracking numbers for unusual keys", len(_KEYS), len(numbers))


def _refused(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    for wrong in (evolve(request, service="teleport"), evolve(request, parcels=())):
        for ask in (carrier.quote, carrier.buy_label):
            error = expect.raises("a request that cannot be served", PortError, partial(ask, wrong))
            expect.equal("port and retry", ("carrier", False), (error.port, error.retry))


def _refusals_spend_nothing(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    wrong = evolve(request, service="teleport")
    expect.raises("an unknown service", PortError, lambda: carrier.buy_label(wrong))
    expect.true("a label for the key that was refused", carrier.buy_label(request).tracking_number)


def _given_back_twice(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    number = carrier.buy_label(request).tracking_number
    for _ in range(2):
        carrier.void_label(number, "SHP-1/void")


def _foreign_number(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    error = expect.raises("a number of no label", PortError, lambda: carrier.void_label("no-such-number", "SHP-1/void"))
    expect.equal("port and retry", ("carrier", False), (error.port, error.retry))


_TRIALS: Final[tuple[tuple[str, str, Trial], ...]] = (
    ("CARRIER-QUOTE-01", "Each service is quoted once, with a price and a time that are not negative.", _offers),
    ("CARRIER-QUOTE-02", "A request that names a service gets a quote for that service only.", _about_the_service),
    ("CARRIER-QUOTE-03", "A quote buys nothing: the same request gets the same quotes.", _quotes_buy_nothing),
    ("CARRIER-LABEL-01", "A label costs what was quoted, under the carrier's name.", _costs_what_was_quoted),
    ("CARRIER-LABEL-02", "If no service is named, the first one quoted is bought.", _first_offer),
    ("CARRIER-KEY-01", "One idempotency key gives one label, however often it is requested.", _one_label_a_key),
    ("CARRIER-KEY-02", "The same holds when several workers request it at once.", _retries_at_once),
    ("CARRIER-KEY-03", "Different keys give different labels; tracking numbers are never reused.", _numbers_differ),
    ("CARRIER-KEY-04", "A key may be any text.", _any_key),
    ("CARRIER-REFUSE-01", "A request that cannot be served raises a PortError that is not to be retried.", _refused),
    ("CARRIER-REFUSE-02", "A refusal does not use up its key: the key can be used again.", _refusals_spend_nothing),
    ("CARRIER-VOID-01", "A label can be voided twice: a retried void succeeds.", _given_back_twice),
    ("CARRIER-VOID-02", "A number that is not the carrier's is refused permanently.", _foreign_number),
)


def carrier_clauses(request: LabelRequest = REQUEST) -> tuple[Clause[Carrier], ...]:
    """What every carrier must keep, tried with a request that it serves; it must have no service named ``teleport``."""
    return tuple(Clause(id_, rule, partial(trial, request)) for id_, rule, trial in _TRIALS)
