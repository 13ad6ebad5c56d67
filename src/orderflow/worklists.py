"""Worklists: what waits for somebody's hands or money, each row with the reasons why it does not go on by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from attrs import frozen

from orderflow.domain.book import Book
from orderflow.domain.keys import Key
from orderflow.domain.machine import Refusal
from orderflow.domain.order.messages import AllocateStock, ConfirmOrder, PrepareShipment
from orderflow.domain.order.states import Accepted
from orderflow.domain.shipment.messages import HandOver
from orderflow.domain.stamp import Stamp
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
    """A list: which rows are on it, and the command each of them waits for, if it is one."""

    kind: str
    status: tuple[str, ...]
    next: Callable[[Any], Any] | None = None
    due: bool = False

    def query(self, now: datetime, cursor: int, limit: int) -> Query:
        """The rows of the list, as of ``now``."""
        return Query(self.kind, self.status, due_by=now if self.due else None, cursor=cursor, limit=limit)

    def task(self, book: Book, row: Row, stamp: Stamp) -> Task:
        """A row of the list, with its reasons."""
        command = self.next(row.state) if self.next else None
        reasons = book.machines[self.kind].explain(row.state, command, stamp) if command is not None else ()
        return Task(row.cursor, row.key, row.state, reasons)


def _allocate(order: Accepted) -> AllocateStock:
    return AllocateStock()


def _prepare(order: Accepted) -> PrepareShipment:
    return PrepareShipment("next", ())


WORKLISTS: Final = {
    "to_confirm": Worklist("order", ("Placed",), lambda order: ConfirmOrder()),
    "unpaid": Worklist("invoice", ("Issued",)),
    "awaiting_stock": Worklist("order", ("Confirmed", "AwaitingStock"), _allocate),
    "to_prepare": Worklist("order", ("Allocated",), _prepare),
    "to_ship": Worklist("shipment", ("Packed", "Labelled"), lambda shipment: HandOver()),
    "invoices_due": Worklist("invoice", ("Issued",), due=True),
}
