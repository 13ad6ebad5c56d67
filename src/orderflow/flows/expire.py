"""Expiring: allocations whose time has run out go back to the stock, each order on its own."""

from __future__ import annotations

from datetime import datetime

from orderflow.domain.book import Book
from orderflow.domain.order.messages import ExpireAllocation
from orderflow.domain.stamp import Stamp
from orderflow.flows.asks import Find, Flow, NewId, ask
from orderflow.flows.handle import Outcome, handle_many
from orderflow.flows.settle import Order
from orderflow.ports.storage import Query

__all__ = ["expire"]


def expire(book: Book, now: datetime, *, limit: int = 100, actor: str = "expiry") -> Flow[list[Outcome]]:
    """Give back what has expired by ``now``, of up to ``limit`` orders; a refused one stops no other."""
    rows = yield from ask(Find(Query("order", due_by=now, limit=limit)))
    orders = []
    for row in rows:
        command_id = yield from ask(NewId())
        orders.append(Order(row.key, ExpireAllocation(), Stamp(now, actor, command_id)))
    return (yield from handle_many(book, orders, fresh_ids=[order.stamp.command_id for order in orders]))
