"""The contract of a carrier: offers that buy nothing, one label for each key, and labels that can be given back.

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

#: Two parcels within the country, by whatever service.
REQUEST: Final = LabelRequest("SHP-1", "SO-7", "home", "DE", (Parcel(1_500, 3), Parcel(300, 1)), None, "SHP-1/label")

_THREADS: Final = 8
_KEYS: Final = ("shop/536365/label", "ラベル", "a b\tc", "x" * 100)

Trial: TypeAlias = Callable[[LabelRequest, Carrier, Expect], None]


def _services(request: LabelRequest, carrier: Carrier) -> list[str]:
    return [quote.service for quote in carrier.quote(request)]


def _offers(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    quotes = carrier.quote(request)
    expect.true("an offer for the request", quotes)
    expect.equal("services, each once", len(quotes), len({quote.service for quote in quotes}))
    expect.true("prices and days that are not negative", all(q.price.minor >= 0 and q.days >= 0 for q in quotes))


def _about_the_service(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    for service in _services(request, carrier):
        expect.equal("offers for one service", [service], _services(evolve(request, service=service), carrier))


def _quotes_buy_nothing(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    before = carrier.quote(request)
    carrier.buy_label(request)
    expect.equal("the offers after a purchase", before, carrier.quote(request))


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
    expect.equal("the label of a repeated key", carrier.buy_label(request), carrier.buy_label(request))


def _retries_at_once(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        labels = [*pool.map(lambda _: carrier.buy_label(request), range(8 * _THREADS))]
    expect.equal("labels of one key, asked for by threads", 1, len(set(labels)))


def _numbers_differ(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    keys = [f"k{n}" for n in range(200)]
    numbers = {carrier.buy_label(evolve(request, idempotency_key=key)).tracking_number for key in keys}
    expect.equal("tracking numbers of as many keys", len(keys), len(numbers))


def _any_key(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    numbers = {carrier.buy_label(evolve(request, idempotency_key=key)).tracking_number for key in _KEYS}
    expect.equal("tracking numbers of keys of any text", len(_KEYS), len(numbers))


def _refused(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    for wrong in (evolve(request, service="teleport"), evolve(request, parcels=())):
        for ask in (carrier.quote, carrier.buy_label):
            error = expect.raises("what cannot be carried", PortError, partial(ask, wrong))
            expect.equal("port and retry", ("carrier", False), (error.port, error.retry))


def _refusals_spend_nothing(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    wrong = evolve(request, service="teleport")
    expect.raises("a service that is not there", PortError, lambda: carrier.buy_label(wrong))
    expect.true("a label under the key that was refused", carrier.buy_label(request).tracking_number)


def _given_back_twice(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    number = carrier.buy_label(request).tracking_number
    for _ in range(2):
        carrier.void_label(number, "SHP-1/void")


def _foreign_number(request: LabelRequest, carrier: Carrier, expect: Expect) -> None:
    error = expect.raises("a foreign number", PortError, lambda: carrier.void_label("no-such-number", "SHP-1/void"))
    expect.equal("port and retry", ("carrier", False), (error.port, error.retry))


_TRIALS: Final[tuple[tuple[str, str, Trial], ...]] = (
    ("CARRIER-QUOTE-01", "Offers are distinct by service, with a price and a time that are not negative.", _offers),
    ("CARRIER-QUOTE-02", "A request that names a service is offered no other.", _about_the_service),
    ("CARRIER-QUOTE-03", "Asking buys nothing: the same question has the same answer.", _quotes_buy_nothing),
    ("CARRIER-LABEL-01", "A label costs what was quoted, under the carrier's name.", _costs_what_was_quoted),
    ("CARRIER-LABEL-02", "Without a named service the first offer is bought.", _first_offer),
    ("CARRIER-KEY-01", "One idempotency key is one label, however often it is asked for.", _one_label_a_key),
    ("CARRIER-KEY-02", "So it is when several workers ask at once.", _retries_at_once),
    ("CARRIER-KEY-03", "Two keys are two labels; tracking numbers never repeat.", _numbers_differ),
    ("CARRIER-KEY-04", "A key may be any text.", _any_key),
    ("CARRIER-REFUSE-01", "What cannot be carried is a PortError that is not to be retried.", _refused),
    ("CARRIER-REFUSE-02", "A refusal spends nothing: its key may be used again.", _refusals_spend_nothing),
    ("CARRIER-VOID-01", "A label can be given back twice: the retry of a void succeeds.", _given_back_twice),
    ("CARRIER-VOID-02", "A number that is not the carrier's is refused for good.", _foreign_number),
)


def carrier_clauses(request: LabelRequest = REQUEST) -> tuple[Clause[Carrier], ...]:
    """What every carrier keeps, asked with a request that it serves; it has no service named ``teleport``."""
    return tuple(Clause(id_, rule, partial(trial, request)) for id_, rule, trial in _TRIALS)
