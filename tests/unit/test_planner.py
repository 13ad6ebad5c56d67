"""The allocation planner and its strategies."""

from __future__ import annotations

import time
from itertools import permutations

import pytest

from orderflow.domain.inventory.planner import (
    Demand,
    Offer,
    Plan,
    Strategy,
    Supply,
    by_priority,
    fewest_parcels,
    most_stock,
    one_location_first,
    plan,
)
from orderflow.domain.values import Pick
from orderflow.errors import InputError

STRATEGIES = (one_location_first, fewest_parcels, by_priority, most_stock)


def used(found: Plan) -> set[str]:
    """The locations a plan sends from."""
    return {pick.location for pick in found.picks}


def test_one_sku_on_two_lines_is_promised_once() -> None:
    """Ten units cannot serve two lines of seven."""
    found = plan([Demand(1, "A", 7), Demand(2, "A", 7)], [Offer("A", "x", 10)])
    assert found == Plan((Pick(1, "x", 7), Pick(2, "x", 3)), ((2, 4),))


def test_pinned_lines_are_served_first() -> None:
    """A line pinned to a location takes its units there before an earlier line that is free to go elsewhere."""
    offers = [Offer("A", "x", 5), Offer("A", "y", 5, priority=1)]
    found = plan([Demand(1, "A", 5), Demand(2, "A", 4, location="x")], offers, by_priority)
    assert found.picks == (Pick(1, "x", 1), Pick(1, "y", 4), Pick(2, "x", 4))
    assert plan([Demand(1, "A", 6, "x")], offers).short == ((1, 1),)
    assert plan([Demand(1, "A", 1, "nowhere")], offers) == Plan((), ((1, 1),))


def test_one_location_serves_all_where_one_can() -> None:
    """A location of lower priority that has everything beats two that have a part; else priority counts."""
    offers = [Offer("A", "x", 9), Offer("B", "y", 9, priority=1), Offer("A", "z", 9, 2), Offer("B", "z", 9, 2)]
    demands = [Demand(1, "A", 1), Demand(2, "B", 1)]
    assert used(plan(demands, offers, one_location_first)) == {"z"}
    assert used(plan(demands, offers[:2], one_location_first)) == {"x", "y"}


def test_one_location_is_the_one_that_sends_anyway() -> None:
    """With a line pinned to z, the rest comes from z too."""
    offers = [Offer("A", "x", 9), Offer("A", "z", 9, 5), Offer("B", "z", 9, 5)]
    demands = [Demand(1, "A", 1), Demand(2, "B", 1, location="z")]
    assert used(plan(demands, offers, one_location_first)) == {"z"}
    assert used(plan(demands, offers, fewest_parcels)) == {"z"}
    assert used(plan(demands, offers, by_priority)) == {"x", "z"}


def test_fewest_parcels_beats_the_greedy_choice() -> None:
    """The location with most of the goods is not always part of the smallest set."""
    stocks = {"big": "abcd", "left": "abe", "right": "cdf"}
    offers = [Offer(sku, location, 1) for location, skus in stocks.items() for sku in skus]
    demands = [Demand(at, sku, 1) for at, sku in enumerate("abcdef")]
    assert used(plan(demands, offers, fewest_parcels)) == {"left", "right"}


def test_fewest_parcels_serves_what_can_be_served() -> None:
    """What nobody has does not open another location."""
    offers = [Offer("A", "x", 2), Offer("A", "y", 1, 1), Offer("B", "y", 0, 1)]
    found = plan([Demand(1, "A", 2), Demand(2, "B", 5)], offers, fewest_parcels)
    assert found == Plan((Pick(1, "x", 2),), ((2, 5),))


def test_fewest_parcels_among_many_locations_serves_all() -> None:
    """Above ten locations the choice is greedy: complete, and here with the two it needs."""
    offers = [Offer("A", f"small{at:02}", 1) for at in range(12)]
    offers += [Offer("A", "large", 8), Offer("A", "pinned", 2), Offer("B", "pinned", 1)]
    found = plan([Demand(1, "A", 10), Demand(2, "B", 1, "pinned"), Demand(3, "C", 1)], offers, fewest_parcels)
    assert used(found) == {"large", "pinned"}
    assert found.short == ((3, 1),)
    assert plan([Demand(1, "A", 99)], offers, fewest_parcels).short == ((1, 77),)


def test_most_stock_looks_at_each_sku() -> None:
    """Each SKU comes from where most of it lies."""
    offers = [Offer("A", "x", 5), Offer("A", "y", 9), Offer("B", "x", 4), Offer("B", "y", 1)]
    found = plan([Demand(1, "A", 2), Demand(2, "B", 2)], offers, most_stock)
    assert found.picks == (Pick(1, "y", 2), Pick(2, "x", 2))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_order_of_offers_does_not_matter(strategy: Strategy) -> None:
    """Equal priorities are settled by the location's name, however the offers come."""
    offers = [Offer("A", "x", 3), Offer("A", "y", 3), Offer("B", "y", 2), Offer("A", "z", 3, priority=-1)]
    demands = [Demand(1, "A", 4), Demand(2, "B", 1), Demand(3, "A", 2, "y")]
    plans = {plan(demands, list(order), strategy) for order in permutations(offers)}
    assert len(plans) == 1


def test_a_strategy_of_ones_own_cannot_oversell() -> None:
    """Unknown locations, repeats and omissions do no harm: the planner draws only on what is offered."""

    def careless(supply: Supply) -> dict[str, list[str]]:
        return {sku: ["nowhere", "x", "x"] for sku in supply.needs if sku != "B"}

    found = plan([Demand(1, "A", 9), Demand(2, "B", 1)], [Offer("A", "x", 4), Offer("B", "x", 4)], careless)
    assert found == Plan((Pick(1, "x", 4),), ((1, 5), (2, 1)))


def test_nothing_wanted_is_nothing_picked() -> None:
    """No demand, or a demand of 0, makes an empty plan."""
    assert plan([], []) == plan([Demand(1, "A", 0)], [Offer("A", "x", 1)]) == Plan((), ())


def test_every_bad_number_is_named() -> None:
    """Negative demand, negative stock, and one place offered twice."""
    offers = [Offer("A", "x", -1), Offer("B", "x", 1), Offer("B", "x", 1)]
    with pytest.raises(InputError) as caught:
        plan([Demand(1, "A", -1)], offers)
    assert [fault.path for fault in caught.value.faults] == [
        *("demands[0].quantity", "offers[0].available", "offers[2]")
    ]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_thousand_lines_are_planned_at_once(strategy: Strategy) -> None:
    """A thousand lines of a thousand SKUs at ten locations take well under two seconds."""
    demands = [Demand(at, f"s{at}", 9) for at in range(1000)]
    offers = [Offer(f"s{at}", f"l{place}", 1 + (at + place) % 3) for at in range(1000) for place in range(10)]
    started = time.perf_counter()
    found = plan(demands, offers, strategy)
    assert sum(pick.quantity for pick in found.picks) == 9000
    assert time.perf_counter() - started < 2
