"""A carrier whose whole tariff is a table file: for your own vans, a fixed-rate contract, or getting started."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

from attrs import field, frozen

from orderflow.adapters.carriers.rates import Rate, RateTable
from orderflow.domain.money.money import Money
from orderflow.errors import Fault, InputError, PortError
from orderflow.ports.carrier import Label, LabelRequest, Quote

__all__ = ["Choice", "TableRateCarrier", "check_digit", "tracking_number"]

Choice = Literal["price", "speed"]
"""Which service is chosen when the request names none: the cheapest, or the quickest."""

_SERIAL_DIGITS = 17


def check_digit(digits: str) -> str:
    """The check digit of the GS1 General Specifications, section 7.9: weights 3, 1, 3, ... from the right, modulo 10.

    It detects every single wrong digit and nearly every swap of adjacent digits.
    """
    weighted = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits)))
    return str(-weighted % 10)


def tracking_number(carrier: str, idempotency_key: str) -> str:
    """18 digits that depend only on carrier and key, so that a retry after a crash gives the same number.

    17 digits come from a SHA-256 hash and the last is their check digit, as in a GS1 serial shipping container code
    (without a company prefix, which the shop would have to buy). S10, the postal form, has 8 serial digits: too
    few for a hash, as ten thousand labels would contain a duplicate with a probability of 40 %.
    """
    digest = sha256(f"{carrier}\0{idempotency_key}".encode()).digest()
    serial = f"{int.from_bytes(digest) % 10**_SERIAL_DIGITS:0{_SERIAL_DIGITS}d}"
    return serial + check_digit(serial)


@frozen
class TableRateCarrier:
    """Prices each parcel of a request by its weight or its pieces, from a table of zones and services.

    The zone is the one the request names, else the one that ``zones`` gives for its country, else ``default_zone``.
    It keeps no state: the same request gives the same label, even in another process after a crash.

    Raises:
        InputError: ``choose``, ``zones`` or ``default_zone`` do not fit the table.
    """

    name: str
    table: RateTable
    choose: Choice = "price"
    zones: Mapping[str, str] = field(factory=dict[str, str])
    default_zone: str | None = None

    def __attrs_post_init__(self) -> None:
        faults = [] if self.choose in get_args(Choice) else [Fault("choose", "not_a_choice", "must be price or speed")]
        named = {f"zones[{country}]": zone for country, zone in self.zones.items()}
        if self.default_zone is not None:
            named["default_zone"] = self.default_zone
        known = self.table.zones
        faults += [
            Fault(path, "unknown_zone", f"no rate for {zone!r}") for path, zone in named.items() if zone not in known
        ]
        if faults:
            raise InputError(faults)

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        name: str,
        choose: Choice = "price",
        zones: Mapping[str, str] | None = None,
        default_zone: str | None = None,
    ) -> TableRateCarrier:
        """A carrier from a table file in the format described in :mod:`orderflow.adapters.carriers.rates`.

        Raises:
            InputError: every faulty line of the file, or every argument that does not fit the table.
        """
        return cls(name, RateTable.from_file(path), choose, zones or {}, default_zone)

    def quote(self, request: LabelRequest) -> tuple[Quote, ...]:
        """The services that take every parcel, in order of preference.

        Raises:
            PortError: unknown zone or service, no parcel, or a parcel too large for every service; not to be retried.
        """
        if not request.parcels:
            raise self._refusal("there is no parcel to carry")
        if any(min(parcel.weight_grams, parcel.pieces) < 0 for parcel in request.parcels):
            raise self._refusal("a parcel has a negative weight or number of pieces")
        zone = self._zone(request)
        services = self.table.services(zone)
        if request.service is not None and request.service not in services:
            raise self._refusal(f"zone {zone!r} has no service {request.service!r}")
        wanted = services if request.service is None else (request.service,)
        quotes = [quote for service in wanted if (quote := self._price(zone, service, request))]
        if not quotes:
            raise self._refusal(f"a parcel is too large for every service to zone {zone!r}")
        return tuple(sorted(quotes, key=self._preference))

    def buy_label(self, request: LabelRequest) -> Label:
        """The label for the requested service, or for the preferred one."""
        chosen = self.quote(request)[0]
        number = tracking_number(self.name, request.idempotency_key)
        data = json.dumps(self._fields(request, chosen, number), ensure_ascii=False, sort_keys=True)
        return Label(self.name, chosen.service, number, chosen.price, data, "application/json")

    def void_label(self, tracking_number: str, idempotency_key: str) -> None:
        """Check the number; there is nothing to cancel, as an unused label costs nothing.

        Raises:
            PortError: the number cannot be one of this carrier's: its length or check digit is wrong.
        """
        digits = tracking_number if tracking_number.isascii() and tracking_number.isdigit() else ""
        if len(digits) != _SERIAL_DIGITS + 1 or check_digit(digits[:-1]) != digits[-1]:
            raise self._refusal(f"{tracking_number!r} is not a tracking number of this carrier")

    def _zone(self, request: LabelRequest) -> str:
        zone = request.tariff_zone or self.zones.get(request.country) or self.default_zone
        if zone is None or zone not in self.table.zones:
            raise self._refusal(f"no rate for zone {request.tariff_zone!r}, country {request.country!r}")
        return zone

    def _price(self, zone: str, service: str, request: LabelRequest) -> Quote | None:
        """The total price of the parcels and the longest of their times; None if one parcel is too large."""
        rates: list[Rate] = []
        for parcel in request.parcels:
            rate = self.table.rate(zone, service, parcel)
            if rate is None:
                return None
            rates.append(rate)
        total = Money.total((rate.price for rate in rates), rates[0].price.currency)
        return Quote(service, total, max(rate.days for rate in rates))

    def _preference(self, quote: Quote) -> tuple[int, int, str]:
        price, days = quote.price.minor, quote.days
        return (price, days, quote.service) if self.choose == "price" else (days, price, quote.service)

    def _fields(self, request: LabelRequest, chosen: Quote, number: str) -> dict[str, object]:
        """Everything printed on the label."""
        return {
            "carrier": self.name,
            "service": chosen.service,
            "tracking_number": number,
            "shipment": request.shipment,
            "reference": request.reference,
            "zone": self._zone(request),
            "country": request.country,
            "parcels": [{"weight_grams": parcel.weight_grams, "pieces": parcel.pieces} for parcel in request.parcels],
            "price_minor": chosen.price.minor,
            "currency": chosen.price.currency,
            "days": chosen.days,
        }

    def _refusal(self, reason: str) -> PortError:
        return PortError("carrier", f"{self.name}: {reason}", retry=False)
