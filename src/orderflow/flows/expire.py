"""Expiring: allocations whose time has run out go back to the stock, each order on its own."""

from __future__ import annotations

from datetime import datetime

from orderflow.domain.engine.decide import Envelope, Flow, ask
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.orders.allocating import ExpireAllocation
from orderflow.flows.asks import Find, NewId
from orderflow.flows.handle import Result, handle_many
from orderflow.ports.storage import Query


def expire(workflow: Workflow, now: datetime, *, limit: int = 100, actor: str = "expiry") -> Flow[list[Result]]:
    """Give back what has expired by ``now``, of up to ``limit`` orders; a refusal does not stop the others."""
    rows = yield from ask(Find(Query("order", due_by=now, limit=limit)))
    orders = []
    for row in rows:
        command_id = yield from ask(NewId())
        orders.append(Envelope(row.key, ExpireAllocation(), Stamp(now, actor, command_id)))
    return (yield from handle_many(workflow, orders, fresh_ids=[order.stamp.command_id for order in orders]))
