"""Demoting: what a stocktake found missing is taken from the newest promises, each order on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import nlargest
from typing import Final

from orderflow.domain.allocation import Pick
from orderflow.domain.book import Book
from orderflow.domain.keys import Key
from orderflow.domain.order.messages import AllocateStock, ReleaseStock
from orderflow.domain.order.states import Accepted, Placed
from orderflow.domain.stamp import Stamp
from orderflow.domain.stock.states import Stocked
from orderflow.flows.asks import Find, Flow, NewId, Read, ask
from orderflow.flows.handle import Outcome, handle_many
from orderflow.flows.settle import Order
from orderflow.ports.storage import Query, Row

__all__ = ["demote"]

#: States in which an order may hold allocated units.
HOLDING: Final = ("Placed", "Confirmed", "AwaitingStock", "Allocated", "Preparing", "PartlyShipped")
#: Orders looked at in one query.
PAGE: Final = 500


def demote(book: Book, stock: Key, now: datetime, *, limit: int = 50, actor: str = "demotion") -> Flow[list[Outcome]]:
    """Put units of up to ``limit`` orders back in the queue while ``stock`` has a shortfall, newest orders first.

    Released units wait at the same location; where a hold forbids even that, they are open. Units being prepared
    stay: whoever picks them finds them, or picks short.
    """
    outcomes: list[Outcome] = []
    if not (yield from _shortfall(stock)):
        return outcomes
    for key in (yield from _newest(stock, limit)):
        short = yield from _shortfall(stock)
        if not short:
            break
        order = (yield from ask(Read([key])))[key].state
        picks = tuple(_picks(order, stock, short))
        if picks:
            outcomes += yield from _requeue(book, key, picks, now, actor)
    return outcomes


def _shortfall(stock: Key) -> Flow[int]:
    row = (yield from ask(Read([stock])))[stock].state
    return row.shortfall if isinstance(row, Stocked) else 0


def _newest(stock: Key, limit: int) -> Flow[list[Key]]:
    """The orders placed last among those that hold units of ``stock``."""
    newest: list[Row] = []
    page: Sequence[Row] = ()
    cursor = 0
    while not cursor or len(page) == PAGE:
        page = yield from ask(Find(Query("order", HOLDING, cursor=cursor, limit=PAGE)))
        holding = (row for row in page if any(_picks(row.state, stock, 1)))
        newest = nlargest(limit, [*newest, *holding], key=lambda row: (row.state.placed_at, row.key.id))
        cursor = page[-1].cursor if page else -1
    return [row.key for row in newest]


def _picks(order: object, stock: Key, most: int) -> Iterator[Pick]:
    """Up to ``most`` allocated units of an order that count on ``stock``, its last lines first."""
    if not isinstance(order, Placed | Accepted):
        return
    sku, _, location = stock.id.rpartition("@")
    for line, vector in zip(reversed(order.basket.lines), reversed(order.progress.lines), strict=True):
        held = sum(allotment.quantity for allotment in vector.allocated if allotment.location == location)
        taken = min(most, held) if line.sku == sku else 0
        if taken:
            yield Pick(line.line, location, taken)
        most -= taken


def _requeue(book: Book, key: Key, picks: tuple[Pick, ...], now: datetime, actor: str) -> Flow[list[Outcome]]:
    orders = []
    for command in (ReleaseStock(picks), AllocateStock(backorder=picks)):
        command_id = yield from ask(NewId())
        orders.append(Order(key, command, Stamp(now, actor, command_id)))
    return (yield from handle_many(book, orders, fresh_ids=[order.stamp.command_id for order in orders]))
