"""Worklists: what is waiting for human action or money, each row with the reasons why it does not advance by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from attrs import frozen

from orderflow.domain.engine.decide import Envelope, Flow, ask
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.orders.allocating import AllocateStock, FillBackorder
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.orders.state import Accepted, AwaitingStock, Confirmed, lines_of
from orderflow.domain.returns.inspecting import SettleReturn
from orderflow.domain.returns.state import HasReturn
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.shipping.planning import PackShipment
from orderflow.domain.values import Pick
from orderflow.domain.workflow.attention import Standing, attention
from orderflow.errors import InputError, Key, Refusal
from orderflow.flows.asks import Find
from orderflow.flows.explain import explain
from orderflow.flows.prepare import ShippingSettings, shipments_for
from orderflow.ports.storage import Query, Row


class Task(NamedTuple):
    """A row that waits; ``reasons`` are why its next command would be refused. ``cursor`` continues after it."""

    cursor: int
    key: Key
    state: Any
    reasons: tuple[Refusal, ...]


@frozen(eq=False, repr=False)
class Worklist(Record):
    """A list: which rows are on it, and the command each of them waits for, if there is one.

    Rows are on it by ``status``, or where their state ``takes`` a command, so that a host's own states are listed too.
    ``beside`` adds reasons that no guard can give; ``keeps`` says which of these rows belong here. ``attended`` names
    the list by which attention shows its rows, of all that are open; then nothing else is asked.
    """

    kind: str
    status: tuple[str, ...] = ()
    takes: type[Any] | None = None
    next: Callable[[Row[Any]], tuple[Key, Any]] | None = None
    due: bool = False
    beside: Callable[[Any], tuple[Refusal, ...]] = lambda _: ()
    keeps: Callable[[Any], bool] = lambda _: True
    attended: str = ""

    def query(self, workflow: Workflow, at: datetime, cursor: int, limit: int) -> Query | None:
        """What finds the rows that may be on it; None if the workflow has no such rows."""
        if self.attended:
            where = (("open", 1),)
            return Query(self.kind, where=where, cursor=cursor, limit=limit) if self.kind in workflow.machines else None
        status = self.states(workflow)
        due_by = at if self.due else None
        return Query(self.kind, status, due_by=due_by, cursor=cursor, limit=limit) if status else None

    def reasons(self, state: Any, at: datetime) -> tuple[Refusal, ...]:
        """Why a row is on a list of attention."""
        found = attention(state, at)
        return tuple([a.reason for a in found if a.worklist == self.attended and a.standing is Standing.LISTED])

    def states(self, workflow: Workflow) -> tuple[str, ...]:
        """The names of the states whose rows may be on it."""
        rules = workflow.machines[self.kind].rules if self.kind in workflow.machines else ()
        taking = [line.source.__name__ for line in rules if line.command is self.takes]
        return (*self.status, *dict.fromkeys(taking))


def worklist(workflow: Workflow, name: str, stamp: Stamp, *, cursor: int = 0, limit: int = 100) -> Flow[list[Task]]:
    """Up to ``limit`` rows of a list as of the stamp's time, in order of creation.

    Raises:
        InputError: there is no such list.
    """
    listed = WORKLISTS.get(name)
    if listed is None:
        raise InputError.at("name", "not_a_choice", f"must be one of {', '.join(WORKLISTS)}")
    tasks: list[Task] = []
    while len(tasks) < limit:
        query = listed.query(workflow, stamp.at, cursor, limit)
        if query is None:
            break
        rows = yield from ask(Find(query))
        for row in rows:
            tasks += yield from _tasks(workflow, listed, row, stamp)
        if len(rows) < limit:
            break
        cursor = rows[-1].cursor
    return tasks[:limit]


def _tasks(workflow: Workflow, listed: Worklist, row: Row[Any], stamp: Stamp) -> Flow[list[Task]]:
    """The row as an entry of the list, if it belongs there."""
    if listed.attended:
        reasons = listed.reasons(row.state, stamp.at)
        return [Task(row.cursor, row.key, row.state, reasons)] if reasons else []
    if not listed.keeps(row.state):
        return []
    why = (yield from explain(workflow, Envelope(*listed.next(row), stamp))) if listed.next else ()
    return [Task(row.cursor, row.key, row.state, (*why, *listed.beside(row.state)))]


def _confirm(row: Row[Any]) -> tuple[Key, ConfirmOrder]:
    return row.key, ConfirmOrder()


def _allocate(row: Row[Any]) -> tuple[Key, AllocateStock | FillBackorder]:
    """Put every open unit on back-order, which needs no stock, or else fill every back-order."""
    lines = [*lines_of(row.state)]
    open_ = tuple([Pick(line.line, "main", vector.open) for line, vector in lines if vector.open])
    if open_:
        return row.key, AllocateStock(backorder=open_)
    waiting = [Pick(line.line, wait.location, wait.quantity) for line, v in lines for wait in v.backordered]
    return row.key, FillBackorder(tuple(waiting))


def _waiting(order: Accepted) -> tuple[Refusal, ...]:
    units = order.progress.tally.backordered
    return (refuse("backordered", "units waiting for stock: {units}", units=units),) if units else ()


def _is_short(order: Accepted) -> bool:
    return isinstance(order, Confirmed | AwaitingStock) or order.progress.tally.backordered > 0


def _prepare(row: Row[Any]) -> tuple[Key, Any]:
    first = next(shipments_for(row.key, row.state, ShippingSettings()))
    return first.key, first.plan


def _hand_over(row: Row[Any]) -> tuple[Key, HandOver]:
    return row.key, HandOver()


def _settle(row: Row[Any]) -> tuple[Key, SettleReturn]:
    return row.key, SettleReturn()


def _claimed(state: HasReturn) -> tuple[Refusal, ...]:
    """A claim brings no goods, so no order says what is due for it."""
    if state.goods.lots:
        return ()
    return (refuse("claimed", "{wanted} wanted: credit it or send it again", wanted=state.wish.wanted.value),)


PAYMENTS: Final = ("to_apply", "payments_due", "to_reconcile", "disputed", "contradictions")

WORKLISTS: Final = {
    "to_confirm": Worklist("order", takes=ConfirmOrder, next=_confirm),
    "awaiting_stock": Worklist(
        "order",
        ("Confirmed", "AwaitingStock", "Preparing", "PartlyShipped"),
        next=_allocate,
        beside=_waiting,
        keeps=_is_short,
    ),
    "to_prepare": Worklist("order", ("Allocated",), next=_prepare),
    "to_pack": Worklist("shipment", takes=PackShipment),
    "to_ship": Worklist("shipment", takes=HandOver, next=_hand_over),
    **{name: Worklist("order", attended=name) for name in ("unpaid", "to_bill", "to_credit", "to_refund")},
    **{name: Worklist("return", attended=name) for name in ("returns", "to_inspect")},
    "returns_to_credit": Worklist("return", takes=SettleReturn, next=_settle, beside=_claimed),
    "invoices_due": Worklist("invoice", attended="invoices_due"),
    **{name: Worklist("payment", attended=name) for name in PAYMENTS},
}
