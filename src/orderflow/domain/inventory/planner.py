"""Which location serves which line: a pure planner.

``plan`` sums demand by SKU, asks a strategy in which order to draw on the locations of each SKU, and draws. What it
promises never exceeds an offer, whatever the strategy answers. The order of the offers does not matter; among lines of
one SKU the earlier line is served first, and lines pinned to a location before all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations

from orderflow.domain.engine.bounds import Count
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.schema import faults_at
from orderflow.domain.values import Pick
from orderflow.errors import Fault, InputError

__all__ = [
    "Demand",
    "Offer",
    "Plan",
    "Strategy",
    "Supply",
    "by_priority",
    "fewest_parcels",
    "most_stock",
    "one_location_first",
    "plan",
]


_MOST_LOCATIONS_SEARCHED = 10
"""Up to this many locations ``fewest_parcels`` tries every set of them: at most 1,023."""


class Demand(Record):
    """``quantity`` units of ``sku`` for ``line``; only from ``location``, if one is named."""

    line: int
    sku: str
    quantity: int
    location: str | None = None


class Offer(Record):
    """``available`` units of ``sku`` at ``location``; a smaller ``priority`` is served from first."""

    sku: str
    location: str
    available: int
    priority: int = 0


class Plan(Record):
    """What is promised and what is missing: for every line, picks and shorts sum to its demand.

    ``short`` holds (line, quantity) for each line that is not served in full.
    """

    picks: tuple[Pick, ...]
    short: tuple[tuple[int, int], ...]


class Supply(Record):
    """What a strategy sees, after pinned lines have taken theirs.

    ``needs``: units still wanted of each SKU. ``offers``: what is left, by location, then SKU; locations stand in the
    order of priority, then name. ``opened``: locations that send a parcel in any case.
    """

    needs: Mapping[str, int]
    offers: Mapping[str, Mapping[str, int]]
    opened: frozenset[str]


Strategy = Callable[[Supply], Mapping[str, Sequence[str]]]
"""For each SKU that is needed, the locations to draw on, in order; a location left out is not drawn on."""


def by_priority(supply: Supply) -> dict[str, tuple[str, ...]]:
    """Every SKU from the locations in order of priority."""
    return dict.fromkeys(supply.needs, tuple(supply.offers))


def most_stock(supply: Supply) -> dict[str, tuple[str, ...]]:
    """Each SKU from where there is most of it; ties in order of priority."""
    offers = supply.offers
    return {sku: tuple(sorted(offers, key=lambda location: -offers[location].get(sku, 0))) for sku in supply.needs}


def one_location_first(supply: Supply) -> dict[str, tuple[str, ...]]:
    """All from one location that has everything, preferably one that sends anyway; if none, as ``by_priority``."""
    ranked = sorted(supply.offers, key=lambda location: location not in supply.opened)
    complete = tuple(location for location in ranked if _has_all(supply, location))
    return dict.fromkeys(supply.needs, complete[:1] or tuple(supply.offers))


def fewest_parcels(supply: Supply) -> dict[str, tuple[str, ...]]:
    """As much as can be served, from as few locations as possible; ties in order of priority.

    Exact for up to 10 locations besides those that send a parcel anyway; above that it is greedy (next comes the
    location that serves most of the rest), which may open more locations than needed.
    """
    opened = [location for location in supply.offers if location in supply.opened]
    others = [location for location in supply.offers if location not in supply.opened]
    search = _smallest_set if len(others) <= _MOST_LOCATIONS_SEARCHED else _greedy_set
    chosen = {*opened, *search(supply, opened, others)}
    return dict.fromkeys(supply.needs, tuple(location for location in supply.offers if location in chosen))


def _has_all(supply: Supply, location: str) -> bool:
    stock = supply.offers[location]
    return all(stock.get(sku, 0) >= need for sku, need in supply.needs.items())


def _smallest_set(supply: Supply, opened: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """The first of the smallest sets of ``others`` that, with ``opened``, serves as much as all together."""
    columns = _distinct_columns(supply, opened, others)
    for size in range(len(others)):
        for chosen in combinations(range(len(others)), size):
            if all(sum(stocks[at] for at in chosen) >= target for stocks, target in columns):
                return tuple(others[at] for at in chosen)
    return tuple(others)


def _distinct_columns(
    supply: Supply, opened: Sequence[str], others: Sequence[str]
) -> list[tuple[tuple[int, ...], int]]:
    """For each SKU, the stock at ``others`` and the units wanted from there; scarcest first, equal columns once."""
    columns: set[tuple[tuple[int, ...], int]] = set()
    for sku, need in supply.needs.items():
        rest = max(0, need - sum(supply.offers[location].get(sku, 0) for location in opened))
        stocks = tuple(min(supply.offers[location].get(sku, 0), rest) for location in others)
        columns.add((stocks, min(rest, sum(stocks))))
    # The scarcest SKU fails a set soonest, so it is asked first.
    return sorted(columns, key=lambda column: sum(map(bool, column[0])))


def _greedy_set(supply: Supply, opened: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Repeatedly the location of ``others`` that serves most of what is still wanted."""
    rest, left, chosen = dict(supply.needs), list(others), list[str]()
    for location in opened:
        _serve(rest, supply.offers[location])
    while any(rest.values()) and left:
        best = max(left, key=lambda location: _gain(rest, supply.offers[location]))
        if not _gain(rest, supply.offers[best]):
            break
        _serve(rest, supply.offers[best])
        left.remove(best)
        chosen.append(best)
    return tuple(chosen)


def _gain(rest: Mapping[str, int], stock: Mapping[str, int]) -> int:
    return sum(min(units, stock.get(sku, 0)) for sku, units in rest.items())


def _serve(rest: dict[str, int], stock: Mapping[str, int]) -> None:
    for sku, units in rest.items():
        rest[sku] = units - min(units, stock.get(sku, 0))


def plan(demands: Iterable[Demand], offers: Iterable[Offer], strategy: Strategy = one_location_first) -> Plan:
    """Picks for ``demands`` out of ``offers``, in the order of the demands, and what is short.

    Raises:
        InputError: a quantity out of bounds, or two offers of one SKU at one location.
    """
    demands, offers = tuple(demands), tuple(offers)
    if faults := [*_demand_faults(demands), *_offer_faults(offers)]:
        raise InputError(faults)
    stock = _stock(offers)
    pinned = [_drawn(demand, (demand.location,), stock) if demand.location is not None else () for demand in demands]
    order = strategy(_supply(demands, stock, pinned))
    drawn = [
        own if demand.location is not None else _drawn(demand, order.get(demand.sku, ()), stock)
        for demand, own in zip(demands, pinned, strict=True)
    ]
    missing = [demand.quantity - sum(pick.quantity for pick in own) for demand, own in zip(demands, drawn, strict=True)]
    short = tuple((demand.line, units) for demand, units in zip(demands, missing, strict=True) if units)
    return Plan(tuple(pick for own in drawn for pick in own), short)


def _demand_faults(demands: Sequence[Demand]) -> list[Fault]:
    return [
        f for at, demand in enumerate(demands) for f in faults_at(f"demands[{at}].quantity", Count, demand.quantity)
    ]


def _offer_faults(offers: Sequence[Offer]) -> list[Fault]:
    faults = [
        f for at, offer in enumerate(offers) for f in faults_at(f"offers[{at}].available", Count, offer.available)
    ]
    seen: set[tuple[str, str]] = set()
    for at, offer in enumerate(offers):
        if (place := (offer.sku, offer.location)) in seen:
            faults.append(Fault(f"offers[{at}]", "repeated", f"{offer.sku} at {offer.location} is offered twice"))
        seen.add(place)
    return faults


def _stock(offers: Sequence[Offer]) -> dict[str, dict[str, int]]:
    """Units by location, then SKU; a location's priority is that of its first offer by priority."""
    stock: dict[str, dict[str, int]] = {}
    for offer in sorted(offers, key=lambda offer: (offer.priority, offer.location, offer.sku)):
        stock.setdefault(offer.location, {})[offer.sku] = offer.available
    return stock


def _supply(
    demands: Sequence[Demand], stock: Mapping[str, Mapping[str, int]], pinned: Sequence[Sequence[Pick]]
) -> Supply:
    needs: dict[str, int] = {}
    for demand in demands:
        if demand.location is None:
            needs[demand.sku] = needs.get(demand.sku, 0) + demand.quantity
    return Supply(needs, stock, frozenset(pick.location for own in pinned for pick in own))


def _drawn(demand: Demand, locations: Iterable[str], stock: dict[str, dict[str, int]]) -> tuple[Pick, ...]:
    """The picks for one demand, location by location; what they take is removed from ``stock``."""
    picks: list[Pick] = []
    wanted = demand.quantity
    for location in locations:
        if units := min(wanted, stock.get(location, {}).get(demand.sku, 0)):
            stock[location][demand.sku] -= units
            wanted -= units
            picks.append(Pick(demand.line, location, units))
        if not wanted:
            break
    return tuple(picks)
