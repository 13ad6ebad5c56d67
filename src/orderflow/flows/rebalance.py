"""Rebalancing: what a stocktake found missing is taken from the newest promises, each order on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import nlargest
from typing import Any, Final

from orderflow.domain.engine.decide import Envelope, Flow, Read, ask
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.inventory.stock import StockLevel
from orderflow.domain.orders.allocating import AllocateStock, ReleaseStock
from orderflow.domain.orders.state import Accepted, Placed, lines_of
from orderflow.domain.values import Pick, StockRef, stock_key
from orderflow.errors import Key
from orderflow.flows.asks import Find, NewId
from orderflow.flows.handle import Result, handle_many
from orderflow.ports.storage import Query, Row

#: States in which an order may hold allocated units.
HOLDING: Final = ("Placed", "Confirmed", "AwaitingStock", "Allocated", "Preparing", "PartlyShipped")
#: Orders looked at in one query.
PAGE: Final = 500


def rebalance(
    workflow: Workflow, tenant: str, stock: StockRef, now: datetime, *, limit: int = 50, actor: str = "rebalance"
) -> Flow[list[Result]]:
    """Put units of up to ``limit`` orders back in the queue while ``stock`` has a shortfall, newest orders first.

    Released units wait at the same location; if a hold forbids even that, they become open. Units being prepared stay
    as they are: the picker finds them, or records a short pick.
    """
    row, results = stock_key(tenant, *stock), list[Result]()
    if not (yield from _shortfall(row)):
        return results
    for key in (yield from _newest(stock, limit)):
        short = yield from _shortfall(row)
        if not short:
            break
        order = (yield from ask(Read([key])))[key].state
        picks = tuple(_picks(order, stock, short))
        if picks:
            results += yield from _send_back(workflow, key, picks, now, actor)
    return results


def _shortfall(key: Key) -> Flow[int]:
    row = (yield from ask(Read([key])))[key].state
    return row.shortfall if isinstance(row, StockLevel) else 0


def _newest(stock: StockRef, limit: int) -> Flow[list[Key]]:
    """The orders placed last among those that hold units of ``stock``."""
    newest: list[Row[Any]] = []
    page: Sequence[Row[Any]] = ()
    cursor = 0
    while not cursor or len(page) == PAGE:
        page = yield from ask(Find(Query("order", HOLDING, cursor=cursor, limit=PAGE)))
        holding = (row for row in page if any(_picks(row.state, stock, 1)))
        newest = nlargest(limit, [*newest, *holding], key=lambda row: (row.state.placed_at, row.key.id))
        cursor = page[-1].cursor if page else -1
    return [row.key for row in newest]


def _picks(order: object, stock: StockRef, most: int) -> Iterator[Pick]:
    """Up to ``most`` allocated units of an order that draw on ``stock``, its last lines first."""
    if not isinstance(order, Placed | Accepted):
        return
    for line, vector in reversed([*lines_of(order)]):
        held = sum(allotment.quantity for allotment in vector.allocated if allotment.location == stock.location)
        taken = min(most, held) if line.sku == stock.sku else 0
        if taken:
            yield Pick(line.line, stock.location, taken)
        most -= taken


def _send_back(workflow: Workflow, key: Key, picks: tuple[Pick, ...], now: datetime, actor: str) -> Flow[list[Result]]:
    envelopes = []
    for command in (ReleaseStock(picks), AllocateStock(backorder=picks)):
        command_id = yield from ask(NewId())
        envelopes.append(Envelope(key, command, Stamp(now, actor, command_id)))
    return (yield from handle_many(workflow, envelopes, fresh_ids=[e.stamp.command_id for e in envelopes]))
