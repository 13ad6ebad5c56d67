"""Allocating: plan on the stock rows as they stand under lock, then decide the plans, in one commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, TypeAlias

from attrs import evolve

from orderflow.domain.engine.bounds import Length
from orderflow.domain.engine.decide import Envelope, Flow, Read, ask
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.inventory.level import level_of
from orderflow.domain.inventory.planner import Demand, Offer, Strategy, Supply, one_location_first, plan
from orderflow.domain.orders.allocating import AllocateStock, ExpireAllocation, FillBackorder
from orderflow.domain.orders.content import OrderLine
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import Accepted, HasProgress, Placed, lines_of
from orderflow.domain.values import Location, Pick, StockRef, stock_key
from orderflow.errors import CommandMismatch, CommandRefused, Fault, Key
from orderflow.flows.asks import Find, KnownCommands, NewId
from orderflow.flows.handle import Result, Work
from orderflow.ports.storage import Ack, Query

#: The longest that a promise may last.
LONGEST_PROMISE: Final = timedelta(days=3652)

#: Free units, by stock row.
Free: TypeAlias = dict[StockRef, int]


class AllocationSettings(Record):
    """How to allocate.

    Args:
        locations: where to look, in order of priority; the first is where shortages wait.
        strategy: which locations serve which lines.
        backorder: put what is missing on back-order; otherwise it stays open.
        hold_for: how long a promise lasts, from when the order is allocated; None: until somebody ends it.
        skip_queue: pass over others who wait for the same goods.
    """

    locations: Annotated[tuple[Location, ...], Length(1, 1000)] = ("main",)
    strategy: Strategy = one_location_first
    backorder: bool = True
    hold_for: timedelta | None = None
    skip_queue: bool = False

    @property
    def hold_seconds(self) -> int:
        """How long a promise lasts; 0: until somebody ends it."""
        return 0 if self.hold_for is None else int(self.hold_for.total_seconds())

    def faults(self) -> Iterator[Fault]:
        """Each location is named once."""
        for at, location in enumerate(self.locations):
            if location in self.locations[:at]:
                yield Fault(f"locations[{at}]", "repeated", f"{location} is named before")
        if isinstance(self.hold_for, timedelta) and not timedelta(seconds=1) <= self.hold_for <= LONGEST_PROMISE:
            yield Fault("hold_for", "out_of_range", "must be a second at least and ten years at most")


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


def allocate_in(
    work: Work, wishes: Iterable[Envelope], settings: AllocationSettings, expired: Sequence[Key] | None = None
) -> Flow[dict[Key, Result]]:
    """Allocate in a batch in the making, each order once; each order's own result.

    First, promises that have ended are given back: of the orders ``expired``, or of those that hold what is wanted.
    """
    wished = {wish.key: wish for wish in wishes}
    if not wished:
        return {}
    last = next(reversed(wished.values())).stamp
    if expired is None:
        expired = yield from ended_promises(wished, settings, last.at)
    yield from work.load([*wished, *expired])
    orders = {key: work.rows.now[key].state for key in wished}
    stocks = [
        stock for key in (*wished, *expired) for stock in stock_keys(key.tenant, work.rows.now[key].state, settings)
    ]
    yield from work.load(stocks)
    yield from _give_back(work, expired, last)
    results: dict[Key, Result] = {}
    for key, wish in wished.items():
        command = _command(orders[key], settings, _offered(work, key, orders[key], settings))
        if command is None:
            sentence = "{order} has no open units, and no back-order that can be filled"
            results[key] = CommandRefused((refuse("nothing_to_allocate", sentence, order=key.id),))
        else:
            envelope = wish._replace(command=command)
            [results[key]] = yield from work.take([envelope], fresh_ids=[envelope.stamp.command_id])
    return results


#: Orders looked at for promises that have ended.
MOST_ENDED: Final = 100


def ended_promises(orders: Iterable[Key], settings: AllocationSettings, now: datetime) -> Flow[list[Key]]:
    """Up to ``MOST_ENDED`` orders with promises that have ended on what ``orders`` want; nothing is locked yet."""
    if settings.hold_for is None:
        return []
    rows = yield from ask(Find(Query("order", due_by=now, limit=MOST_ENDED)))
    if not rows:
        return []
    wanting = yield from ask(Read([*orders]))
    skus = {line.sku for loaded in wanting.values() for line in _wanted(loaded.state)}
    return [row.key for row in rows if skus.intersection(_held(row.state))]


def _wanted(order: object) -> Iterator[OrderLine]:
    if isinstance(order, Placed | Accepted):
        yield from (line for line, vector in lines_of(order) if vector.wants_stock)


def _held(order: object) -> Iterator[str]:
    if isinstance(order, Placed | Accepted):
        yield from (line.sku for line, vector in lines_of(order) if vector.allocated)


def _give_back(work: Work, expired: Sequence[Key], stamp: Stamp) -> Flow[None]:
    """Decisions of their own in the same batch; an order that has none left by now refuses, which is right."""
    for key in expired:
        command_id = yield from ask(NewId())
        envelope = Envelope(key, ExpireAllocation(), Stamp(stamp.at, stamp.actor, command_id))
        yield from work.take([envelope], fresh_ids=[command_id])


def stock_keys(tenant: str, order: object, settings: AllocationSettings) -> Iterator[Key]:
    """The stock rows of every SKU that an order wants or holds, wherever it may be taken from."""
    for sku in dict.fromkeys(_held(order)):
        yield from (stock_key(tenant, sku, location) for location in settings.locations)
    if isinstance(order, Placed | Accepted):
        for line, vector in lines_of(order):
            if vector.wants_stock:
                yield from (stock_key(tenant, line.sku, at) for at in locations_for(order, line.line, settings))
            yield from (stock_key(tenant, line.sku, held.location) for held in vector.allocated)
            yield from (stock_key(tenant, line.sku, wait.location) for wait in vector.backordered)


def locations_for(order: HasProgress, line: int, settings: AllocationSettings) -> tuple[str, ...]:
    """Where to look for units of a line; the first is where they wait."""
    named = order.content.route(order.content.line(line)).location
    return settings.locations if named is None else (named,)


def _offered(work: Work, key: Key, order: object, settings: AllocationSettings) -> Free:
    """What the order may take at each row: what others wait for before it stays there."""
    if not isinstance(order, Placed | Accepted):
        return {}
    priority, waits = order.content.policy.priority, Counter[StockRef]()
    for line, vector in lines_of(order):
        for wait in vector.backordered:
            waits[StockRef(line.sku, wait.location)] += wait.quantity
    free: Free = {}
    for stock in stock_keys(key.tenant, order, settings):
        row, ref = level_of(work.rows.now[stock].state), StockRef.read(stock.id)
        free[ref] = row.available if settings.skip_queue else row.offered(priority, waits[ref])
    return free


def _command(order: object, settings: AllocationSettings, free: Free) -> AllocateStock | FillBackorder | None:
    """Open units first; if there are none, the back-orders are filled."""
    promise = None, settings.skip_queue, settings.hold_seconds
    if not isinstance(order, Placed | Accepted):
        return AllocateStock((Pick(1, settings.locations[0], 1),))
    demands = _demands(order, lambda v: v.open)
    if demands:
        picks, short = _picks(demands, settings, free)
        missing = short if settings.backorder else ()
        waiting = tuple([Pick(line, locations_for(order, line, settings)[0], quantity) for line, quantity in missing])
        return AllocateStock(picks, waiting, *promise) if picks or waiting else None
    picks, _ = _picks(_demands(order, lambda v: v.backordered_quantity), settings, free)
    return FillBackorder(picks, *promise) if picks else None


def _demands(order: HasProgress, units: Callable[[LineVector], int]) -> list[Demand]:
    """What each line wants, from its own location where it names one."""
    return [
        Demand(line.line, line.sku, units(vector), order.content.route(line).location)
        for line, vector in lines_of(order)
        if units(vector)
    ]


def _picks(
    demands: Sequence[Demand], settings: AllocationSettings, free: Free
) -> tuple[tuple[Pick, ...], tuple[tuple[int, int], ...]]:
    """What the planner picks, taken off what is free, and what is short."""
    named = [demand.location for demand in demands if demand.location]
    offers = [
        Offer(sku, location, free[StockRef(sku, location)], priority)
        for sku in dict.fromkeys(demand.sku for demand in demands)
        for priority, location in enumerate(dict.fromkeys([*settings.locations, *named]))
        if free.get(StockRef(sku, location), 0) > 0
    ]
    found = plan(demands, offers, lambda supply: settings.strategy(_within(supply, settings)))
    sku_of = {demand.line: demand.sku for demand in demands}
    for line, location, quantity in found.picks:
        free[StockRef(sku_of[line], location)] -= quantity
    return found.picks, found.short


def _within(supply: Supply, settings: AllocationSettings) -> Supply:
    """Without locations that only lines name, which serve no other line."""
    return evolve(supply, offers={at: units for at, units in supply.offers.items() if at in settings.locations})
