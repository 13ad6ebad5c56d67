"""The table file of a table-rate carrier: read and checked, with the line of every fault.

A comma-separated file in UTF-8 with a header; blank lines and lines that start with ``#`` are comments::

    # up to 2 kg, then up to 20 kg
    zone,service,max_weight_grams,price,currency,days
    domestic,parcel,2000,4.90,EUR,2
    domestic,parcel,20000,8.90,EUR,2
    domestic,express,20000,19.90,EUR,1

The third column is ``max_weight_grams`` or ``max_pieces``: the most that one parcel may weigh or hold at this price.
An empty cell means no limit.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Annotated, Literal

from attrs import Factory, field, frozen

from orderflow.domain.engine.bounds import Text
from orderflow.domain.engine.limits import MAX_NAME
from orderflow.domain.engine.schema import faults_at
from orderflow.domain.money.money import Money
from orderflow.errors import Fault, InputError
from orderflow.ports.carrier import Parcel

__all__ = ["Measure", "Rate", "RateTable"]

_Word = Annotated[str, Text(MAX_NAME, least=1)]

Measure = Literal["weight_grams", "pieces"]

_MEASURES: dict[str, Measure] = {"max_weight_grams": "weight_grams", "max_pieces": "pieces"}
_COLUMNS = ("zone", "service", "max_weight_grams or max_pieces", "price", "currency", "days")
_MOST_DIGITS = 12


@frozen
class Rate:
    """One row: the price of one parcel up to ``limit`` grams or pieces (None: no limit), and the days it takes."""

    zone: str
    service: str
    limit: int | None
    price: Money
    days: int
    line: int

    def takes(self, amount: int) -> bool:
        """Whether a parcel of ``amount`` grams or pieces is within the limit."""
        return self.limit is None or amount <= self.limit


@frozen
class RateTable:
    """The rates of one carrier, the tightest limit first within each zone and service."""

    measure: Measure
    rates: tuple[Rate, ...]
    _by_service: dict[tuple[str, str], tuple[Rate, ...]] = field(
        init=False, repr=False, eq=False, default=Factory(lambda table: _index(table.rates), takes_self=True)
    )

    @classmethod
    def from_file(cls, path: str | Path) -> RateTable:
        """Reads a table file.

        Raises:
            InputError: the file cannot be read, or has faulty lines, named by paths such as ``line[7].price``.
        """
        rows = _rows(_text(Path(path)))
        header_line, header = next(rows, (1, [""]))
        measure = _measure(header_line, header)
        faults: list[Fault] = []
        rates = tuple(rate for line, cells in rows if (rate := _rate(line, cells, faults)))
        faults.extend(_contradictions(rates))
        if not rates and not faults:
            faults.append(Fault(f"line[{header_line}]", "missing", "there is no rate below the header"))
        if faults:
            raise InputError(faults)
        return cls(measure, rates)

    @property
    def zones(self) -> frozenset[str]:
        """The zones that have a rate."""
        return frozenset(rate.zone for rate in self.rates)

    def services(self, zone: str) -> tuple[str, ...]:
        """The services of a zone, in order of name."""
        return tuple(service for of_zone, service in self._by_service if of_zone == zone)

    def rate(self, zone: str, service: str, parcel: Parcel) -> Rate | None:
        """The tightest rate that takes the parcel; None if it is too large for the service."""
        amount: int = getattr(parcel, self.measure)
        return next((rate for rate in self._by_service.get((zone, service), ()) if rate.takes(amount)), None)


def _index(rates: tuple[Rate, ...]) -> dict[tuple[str, str], tuple[Rate, ...]]:
    ordered = sorted(rates, key=_reading_order)
    return {key: tuple(group) for key, group in groupby(ordered, key=lambda rate: (rate.zone, rate.service))}


def _reading_order(rate: Rate) -> tuple[str, str, bool, int]:
    return rate.zone, rate.service, rate.limit is None, rate.limit or 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.at(str(path), "unreadable", f"the rate table cannot be read: {error}") from error


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that are neither blank nor comments, with their numbers from 1."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, [cell.strip() for cell in next(csv.reader([line]))]


def _measure(line: int, header: list[str]) -> Measure:
    measure = _MEASURES.get(header[2]) if len(header) == len(_COLUMNS) else None
    if measure is None or (*header[:2], *header[3:]) != (*_COLUMNS[:2], *_COLUMNS[3:]):
        raise InputError.at(f"line[{line}]", "bad_form", f"the header must be: {', '.join(_COLUMNS)}")
    return measure


def _rate(line: int, cells: list[str], faults: list[Fault]) -> Rate | None:
    """The rate on one line, or None once its faults have been added to ``faults``."""
    here = f"line[{line}]"
    if len(cells) != len(_COLUMNS):
        faults.append(Fault(here, "bad_length", f"{len(_COLUMNS)} columns are needed, {len(cells)} found"))
        return None
    zone, service, limit, price, currency, days = cells
    found = [*faults_at("zone", _Word, zone), *faults_at("service", _Word, service)]
    found += [] if limit == "" or _whole(limit) else [Fault("limit", "bad_form", "must be a whole number, or empty")]
    found += [] if _whole(days) else [Fault("days", "bad_form", "must be a whole number of days")]
    amount = _price(price, currency, found)
    faults.extend(fault.under(here) for fault in found)
    if found or amount is None:
        return None
    return Rate(zone, service, int(limit) if limit else None, amount, int(days), line)


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def _price(price: str, currency: str, faults: list[Fault]) -> Money | None:
    try:
        amount = Money.of(price, currency)
    except InputError as error:
        faults.extend(Fault(f"price.{fault.path}", fault.code, fault.message) for fault in error.faults)
        return None
    if amount.minor < 0:
        faults.append(Fault("price", "out_of_range", "must not be below 0"))
    return amount


def _contradictions(rates: tuple[Rate, ...]) -> Iterator[Fault]:
    """Two prices for the same limit, or two currencies in one zone, whose prices could not be compared."""
    seen: dict[tuple[str, str, int | None], int] = {}
    currencies: dict[str, str] = {}
    for rate in rates:
        first = seen.setdefault((rate.zone, rate.service, rate.limit), rate.line)
        if first != rate.line:
            yield Fault(f"line[{rate.line}]", "repeated", f"line {first} has the same zone, service and limit")
        currency = currencies.setdefault(rate.zone, rate.price.currency)
        if currency != rate.price.currency:
            yield Fault(f"line[{rate.line}].currency", "currency_mismatch", f"zone {rate.zone} is priced in {currency}")
