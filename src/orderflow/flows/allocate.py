"""Allocating: plan on the stock rows as they stand under lock, then decide the plans, in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, TypeAlias

from attrs import frozen

from orderflow.domain.engine.bounds import Length
from orderflow.domain.engine.decide import Envelope, Flow, ask
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.inventory.planner import Demand, Offer, Strategy, one_location_first, plan
from orderflow.domain.inventory.stock import StockLevel
from orderflow.domain.orders.allocating import AllocateStock, FillBackorder
from orderflow.domain.orders.state import Accepted, Placed, lines_of
from orderflow.domain.values import Location, Pick, StockRef, stock_key
from orderflow.errors import CommandMismatch, CommandRefused, Fault, Key
from orderflow.flows.asks import KnownCommands
from orderflow.flows.handle import Result, Work
from orderflow.ports.storage import Ack

#: Free units, by stock row.
Free: TypeAlias = dict[StockRef, int]


@frozen(eq=False, repr=False)
class AllocationSettings(Record):
    """How to allocate.

    Args:
        locations: where to look, in order of priority; the first is where shortages wait.
        strategy: which locations serve which lines.
        backorder: put what is missing on back-order; otherwise it stays open.
        until: when the promise ends, if it does.
    """

    locations: Annotated[tuple[Location, ...], Length(1, 1000)] = ("main",)
    strategy: Strategy = one_location_first
    backorder: bool = True
    until: datetime | None = None

    def faults(self) -> Iterator[Fault]:
        """Each location is named once."""
        for at, location in enumerate(self.locations):
            if location in self.locations[:at]:
                yield Fault(f"locations[{at}]", "repeated", f"{location} is named before")


def allocate_many(workflow: Workflow, wishes: Sequence[Envelope], settings: AllocationSettings) -> Flow[list[Result]]:
    """Allocate the open units and fill the back-orders of each order; first come, first served.

    An order that is named more than once is allocated once; an id that is remembered of it gives the first ``Ack``
    again, whatever the stock is now.

    Args:
        workflow: the rules.
        wishes: commands to orders, of which the picks are not looked at.
        settings: where to look for units, and what becomes of what is missing.
    """
    known = yield from ask(KnownCommands(sorted({wish.stamp.command_id for wish in wishes})))
    first: dict[Key, Envelope] = {}
    for wish in wishes:
        if wish.stamp.command_id not in known:
            first.setdefault(wish.key, wish)
    work = Work(workflow)
    results = yield from allocate_in(work, first.values(), settings)
    yield from work.commit()
    return [
        _repeated(wish.key, known[wish.stamp.command_id].ack) if wish.stamp.command_id in known else results[wish.key]
        for wish in wishes
    ]


def _repeated(key: Key, ack: Ack) -> Result:
    """The first answer; whatever the units, only the order tells a repeated wish from another."""
    return ack if ack.key == key else CommandMismatch(ack.command_id)


def allocate_in(work: Work, wishes: Iterable[Envelope], settings: AllocationSettings) -> Flow[dict[Key, Result]]:
    """Allocate in a batch in the making, each order once; each order's own result."""
    wished = {wish.key: wish for wish in wishes}
    yield from work.load(wished)
    orders = {key: work.rows.now[key].state for key in wished}
    stocks = [stock for key, order in orders.items() for stock in stock_keys(key.tenant, order, settings)]
    yield from work.load(stocks)
    free = {StockRef.read(key.id): _available(work.rows.now[key].state) for key in stocks}
    results: dict[Key, Result] = {}
    envelopes = []
    for key, wish in wished.items():
        command = _command(orders[key], settings, free)
        if command is None:
            nothing = refuse(
                "nothing_to_allocate", "{order} has no open units, and no back-order that can be filled", order=key.id
            )
            results[key] = CommandRefused((nothing,))
        else:
            envelopes.append(wish._replace(command=command))
    ends = yield from work.take(envelopes, fresh_ids=[envelope.stamp.command_id for envelope in envelopes])
    return results | {envelope.key: end for envelope, end in zip(envelopes, ends, strict=True)}


def stock_keys(tenant: str, order: object, settings: AllocationSettings) -> Iterator[Key]:
    """The stock rows of every SKU that an order wants, at every location."""
    if isinstance(order, Placed | Accepted):
        for sku in dict.fromkeys(line.sku for line, vector in lines_of(order) if vector.wants_stock):
            yield from (stock_key(tenant, sku, location) for location in settings.locations)


def _available(row: object) -> int:
    return row.available if isinstance(row, StockLevel) and not row.shortfall else 0


def _command(order: object, settings: AllocationSettings, free: Free) -> AllocateStock | FillBackorder | None:
    """Open units first; if there are none, the back-orders are filled."""
    home = settings.locations[0]
    if not isinstance(order, Placed | Accepted):
        return AllocateStock((Pick(1, home, 1),))
    demands = [Demand(line.line, line.sku, v.open) for line, v in lines_of(order) if v.open]
    if demands:
        picks, short = _picks(demands, settings, free)
        waiting = tuple([Pick(line, home, quantity) for line, quantity in short]) if settings.backorder else ()
        return AllocateStock(picks, waiting, settings.until) if picks or waiting else None
    demands = [Demand(line.line, line.sku, v.backordered_quantity) for line, v in lines_of(order) if v.backordered]
    picks, _ = _picks(demands, settings, free)
    return FillBackorder(picks, settings.until) if picks else None


def _picks(
    demands: Sequence[Demand], settings: AllocationSettings, free: Free
) -> tuple[tuple[Pick, ...], tuple[tuple[int, int], ...]]:
    """What the planner picks, taken off what is free, and what is short."""
    offers = [
        Offer(sku, location, free[StockRef(sku, location)], priority)
        for sku in dict.fromkeys(demand.sku for demand in demands)
        for priority, location in enumerate(settings.locations)
        if free.get(StockRef(sku, location), 0) > 0
    ]
    found = plan(demands, offers, settings.strategy)
    sku_of = {demand.line: demand.sku for demand in demands}
    for line, location, quantity in found.picks:
        free[StockRef(sku_of[line], location)] -= quantity
    return found.picks, found.short
