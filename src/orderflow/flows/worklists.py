"""Worklists: what waits for somebody's hands or money, each row with the reasons why it does not go on by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from attrs import frozen

from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.orders.allocating import AllocateStock, FillBackorder
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.orders.shipping import PrepareShipment
from orderflow.domain.orders.state import Accepted, AwaitingStock, Confirmed
from orderflow.domain.shipping.carriage import HandOver
from orderflow.domain.values import Pick
from orderflow.errors import Key, Refusal
from orderflow.flows.prepare import ShippingSettings, shipments_for
from orderflow.ports.storage import Query, Row

__all__ = ["WORKLISTS", "Task", "Worklist"]


class Task(NamedTuple):
    """A row that waits; ``reasons`` are what its next command would be refused for. ``cursor`` continues after it."""

    cursor: int
    key: Key
    state: Any
    reasons: tuple[Refusal, ...]


@frozen
class Worklist:
    """A list: which rows are on it, and the command each of them waits for, if it is one.

    ``beside`` adds what no guard can say; ``keeps`` says which of these rows belong here.
    """

    kind: str
    status: tuple[str, ...]
    next: Callable[[Row], Any] | None = None
    due: bool = False
    beside: Callable[[Any], tuple[Refusal, ...]] = lambda _: ()
    keeps: Callable[[Any], bool] = lambda _: True

    def query(self, now: datetime, cursor: int, limit: int) -> Query:
        """The rows of the list, as of ``now``."""
        return Query(self.kind, self.status, due_by=now if self.due else None, cursor=cursor, limit=limit)

    def task(self, workflow: Workflow, row: Row, stamp: Stamp) -> Task:
        """A row of the list, with its reasons."""
        command = self.next(row) if self.next else None
        reasons = workflow.machines[self.kind].explain(row.state, command, stamp) if command is not None else ()
        return Task(row.cursor, row.key, row.state, (*reasons, *self.beside(row.state)))


def _allocate(row: Row) -> AllocateStock | FillBackorder:
    """All that is open, or else all that waits: whether there is stock for it stands in other rows."""
    lines = enumerate(row.state.progress.lines, start=1)
    open_ = tuple([Pick(line, "any", vector.open) for line, vector in lines if vector.open])
    if open_:
        return AllocateStock(open_)
    waiting = enumerate(row.state.progress.lines, start=1)
    return FillBackorder(tuple([Pick(line, w.location, w.quantity) for line, v in waiting for w in v.backordered]))


def _waiting(order: Accepted) -> tuple[Refusal, ...]:
    units = order.progress.tally.backordered
    return (refuse("backordered", "{units} units wait for stock", units=units),) if units else ()


def _wants_stock(order: Accepted) -> bool:
    return isinstance(order, Confirmed | AwaitingStock) or order.progress.tally.backordered > 0


def _prepare(row: Row) -> PrepareShipment:
    first = next(shipments_for(row.key, row.state, ShippingSettings()))
    items = first.plan.items
    return PrepareShipment(first.key.id, tuple([Pick(item.line, item.location, item.quantity) for item in items]))


WORKLISTS: Final = {
    "to_confirm": Worklist("order", ("Placed",), lambda row: ConfirmOrder()),
    "unpaid": Worklist("invoice", ("Issued",)),
    "awaiting_stock": Worklist(
        "order",
        ("Confirmed", "AwaitingStock", "Preparing", "PartlyShipped"),
        _allocate,
        beside=_waiting,
        keeps=_wants_stock,
    ),
    "to_prepare": Worklist("order", ("Allocated",), _prepare),
    "to_ship": Worklist("shipment", ("Packed", "Labelled"), lambda row: HandOver()),
    "invoices_due": Worklist("invoice", ("Issued",), due=True),
}
