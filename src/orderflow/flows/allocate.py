"""Allocating: plan on the stock rows as they stand under lock, then settle the plans, in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from orderflow.domain.engine.decide import Envelope, Flow, Load, Loaded, ask
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.inventory.planner import Demand, Offer, Strategy, one_location_first, plan
from orderflow.domain.inventory.stock import StockLevel
from orderflow.domain.orders.allocating import AllocateStock, FillBackorder
from orderflow.domain.orders.state import Accepted, Placed
from orderflow.domain.values import Pick, stock_key
from orderflow.errors import CommandRefused, Key
from orderflow.flows.asks import KnownCommands
from orderflow.flows.handle import Result, handle_many

__all__ = ["AllocationSettings", "allocate_many"]


Free = dict[tuple[str, str], int]


@frozen
class AllocationSettings:
    """How to allocate.

    Args:
        locations: where to look, in order of priority; the first is where shortages wait.
        strategy: which locations serve which lines.
        backorder: put what is missing on back-order; otherwise it stays open.
        until: when the promise ends, if it does.
    """

    locations: tuple[str, ...] = ("main",)
    strategy: Strategy = one_location_first
    backorder: bool = True
    until: datetime | None = None


def allocate_many(
    workflow: Workflow, wishes: Sequence[tuple[Key, Stamp]], allocation: AllocationSettings
) -> Flow[list[Result]]:
    """Allocate what is open, and fill what waits, of each order; first come, first served.

    An id that is remembered gives the first Ack again, whatever the stock is now.
    """
    known = yield from ask(KnownCommands(sorted({stamp.command_id for _, stamp in wishes})))
    todo = [(key, stamp) for key, stamp in wishes if stamp.command_id not in known]
    held = yield from ask(Load([key for key, _ in todo]))
    free = yield from _free(held, allocation)
    results: dict[str, Result] = {command_id: recalled.ack for command_id, recalled in known.items()}
    orders: list[Envelope] = []
    for key, stamp in todo:
        command = _command(held[key].state, allocation, free)
        if command is None:
            nothing = refuse("nothing_to_allocate", "no unit of {order} is open or can be filled", order=key.id)
            results[stamp.command_id] = CommandRefused((nothing,))
        else:
            orders.append(Envelope(key, command, stamp))
    ends = yield from handle_many(workflow, orders, fresh_ids=[order.stamp.command_id for order in orders])
    results.update((order.stamp.command_id, end) for order, end in zip(orders, ends, strict=True))
    return [results[stamp.command_id] for _, stamp in wishes]


def _free(held: Mapping[Key, Loaded], allocation: AllocationSettings) -> Flow[Free]:
    """What is available of every SKU the orders want, at every location."""
    skus = {
        (key.tenant, line.sku): None
        for key, row in held.items()
        if isinstance(row.state, Placed | Accepted)
        for line, vector in zip(row.state.content.lines, row.state.progress.lines, strict=True)
        if vector.wants_stock
    }
    keys = [stock_key(tenant, sku, location) for tenant, sku in skus for location in allocation.locations]
    if not keys:
        return {}
    rows = yield from ask(Load(keys))
    free: Free = {}
    for key, row in rows.items():
        sku, _, location = key.id.rpartition("@")
        if isinstance(row.state, StockLevel) and not row.state.shortfall:
            free[sku, location] = row.state.available
    return free


def _command(state: object, allocation: AllocationSettings, free: Free) -> AllocateStock | FillBackorder | None:
    """Open units first; an order that only waits has its back-orders filled."""
    if not isinstance(state, Placed | Accepted):
        return AllocateStock((Pick(1, allocation.locations[0], 1),))
    lines = list(zip(state.content.lines, state.progress.lines, strict=True))
    demands = [Demand(line.line, line.sku, vector.open) for line, vector in lines if vector.open]
    if demands:
        picks, short = _picks(demands, allocation, free)
        home = allocation.locations[0]
        waiting = tuple([Pick(line, home, quantity) for line, quantity in short]) if allocation.backorder else ()
        return AllocateStock(picks, waiting, allocation.until) if picks or waiting else None
    demands = [Demand(line.line, line.sku, v.backordered_quantity) for line, v in lines if v.backordered]
    picks, _ = _picks(demands, allocation, free)
    return FillBackorder(picks, allocation.until) if picks else None


def _picks(
    demands: list[Demand], allocation: AllocationSettings, free: Free
) -> tuple[tuple[Pick, ...], tuple[tuple[int, int], ...]]:
    wanted = dict.fromkeys(demand.sku for demand in demands)
    offers = [
        Offer(sku, location, free[sku, location], priority)
        for sku in wanted
        for priority, location in enumerate(allocation.locations)
        if free.get((sku, location), 0) > 0
    ]
    found = plan(demands, offers, allocation.strategy)
    _draw(free, demands, found.picks)
    return found.picks, found.short


def _draw(free: Free, demands: Iterable[Demand], picks: Iterable[Pick]) -> None:
    sku_of = {demand.line: demand.sku for demand in demands}
    for pick in picks:
        free[sku_of[pick.line], pick.location] -= pick.quantity
