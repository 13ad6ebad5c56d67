"""Laws of allocation plans."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.inventory.planner import (
    Demand,
    Offer,
    Plan,
    Strategy,
    by_priority,
    fewest_parcels,
    most_stock,
    one_location_first,
    plan,
)

STRATEGIES = (one_location_first, fewest_parcels, by_priority, most_stock)

skus, places = st.sampled_from("ABC"), st.sampled_from("wxyz")
demands = st.lists(st.tuples(skus, st.integers(0, 9), st.none() | places), max_size=8).map(
    lambda rows: [Demand(line, *row) for line, row in enumerate(rows)]
)
offers = st.dictionaries(st.tuples(skus, places), st.tuples(st.integers(0, 12), st.integers(-2, 2)), max_size=12).map(
    lambda rows: [Offer(*place, *stock) for place, stock in rows.items()]
)
strategies = st.sampled_from(STRATEGIES)


@given(demands, offers, strategies)
def test_a_plan_accounts_for_every_unit(wanted: list[Demand], stock: list[Offer], strategy: Strategy) -> None:
    """For each line picks + short = demand; no pick is empty, and pinned lines are served where they are pinned."""
    found = plan(wanted, stock, strategy)
    served = Counter[int]()
    for pick in found.picks:
        assert pick.quantity > 0
        assert wanted[pick.line].location in {None, pick.location}
        served[pick.line] += pick.quantity
    served.update(dict(found.short))
    assert served == Counter({demand.line: demand.quantity for demand in wanted if demand.quantity})


@given(demands, offers, strategies)
def test_nothing_is_promised_twice(wanted: list[Demand], stock: list[Offer], strategy: Strategy) -> None:
    """The picks of one SKU at one location never exceed what is available there, over all lines."""
    taken = Counter[tuple[str, str]]()
    for pick in plan(wanted, stock, strategy).picks:
        taken[wanted[pick.line].sku, pick.location] += pick.quantity
    available = {(offer.sku, offer.location): offer.available for offer in stock}
    assert all(units <= available[place] for place, units in taken.items())


@given(demands, offers, strategies, st.randoms(use_true_random=False))
def test_the_order_of_offers_does_not_matter(
    wanted: list[Demand], stock: list[Offer], strategy: Strategy, random: object
) -> None:
    """Shuffled offers give an equal plan."""
    shuffled = list(stock)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert plan(wanted, shuffled, strategy) == plan(wanted, stock, strategy)


@given(demands, offers)
def test_every_strategy_serves_as_much_as_there_is(wanted: list[Demand], stock: list[Offer]) -> None:
    """Strategies differ in where units come from, never in how many."""
    sums = {sum(pick.quantity for pick in plan(wanted, stock, strategy).picks) for strategy in STRATEGIES}
    assert len(sums) == 1


@given(demands.map(lambda rows: [Demand(row.line, row.sku, row.quantity) for row in rows]), offers)
def test_fewest_parcels_is_the_fewest(wanted: list[Demand], stock: list[Offer]) -> None:
    """No smaller set of locations serves as many units."""

    def units(found: Plan) -> int:
        return sum(pick.quantity for pick in found.picks)

    found = plan(wanted, stock, fewest_parcels)
    opened = {pick.location for pick in found.picks}
    for fewer in combinations("wxyz", max(0, len(opened) - 1)):
        assert not opened or units(plan(wanted, [offer for offer in stock if offer.location in fewer])) < units(found)
