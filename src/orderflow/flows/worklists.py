"""Worklists: what is waiting for human action or money, each row with the reasons why it does not advance by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from attrs import frozen

from orderflow.domain.billing.credit_note import DraftCreditNote
from orderflow.domain.engine.decide import Envelope, Flow, Read, ask
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.orders.allocating import AllocateStock, FillBackorder, ReleaseStock
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.holding import ReleaseHold
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.orders.state import Accepted, AwaitingStock, Confirmed, lines_of
from orderflow.domain.returns.inspecting import SettleReturn
from orderflow.domain.returns.state import HasReturn
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.shipping.planning import DropItems, PackShipment, PlanShipment, VoidShipment
from orderflow.domain.values import Pick
from orderflow.domain.workflow.attention import Attention, Standing, attention
from orderflow.errors import InputError, Key, Refusal
from orderflow.flows.asks import DeadLetters, Find
from orderflow.flows.dead_letters import attended
from orderflow.flows.explain import explain
from orderflow.flows.prepare import ShippingSettings, shipments_for
from orderflow.ports.storage import Query, Row


class Task(NamedTuple):
    """A row that waits, and why: what would refuse its next command, or what somebody is to do.

    ``commands`` names what would help, by class; the first that is accepted leads on. ``since`` is when the row last
    changed, or when its message was given up. ``cursor`` continues after it.
    """

    cursor: int
    key: Key
    state: Any
    reasons: tuple[Refusal, ...]
    commands: tuple[str, ...] = ()
    since: datetime | None = None


@frozen(eq=False, repr=False)
class Worklist(Record):
    """A list: which rows are on it, and the command each of them waits for, if there is one; and what else would help.

    Rows are on it by ``status``, or where their state ``takes`` a command, so that a host's own states are listed too.
    ``beside`` adds reasons that no guard can give; ``keeps`` says which of these rows belong here. ``attended`` names
    the list by which attention shows its rows, of all that are open; then nothing else is asked. ``letters``: it lists
    the dead letters instead, whatever rows they are of.
    """

    kind: str
    status: tuple[str, ...] = ()
    takes: type[Any] | None = None
    next: Callable[[Row[Any]], tuple[Key, Any]] | None = None
    due: bool = False
    beside: Callable[[Any], tuple[Refusal, ...]] = lambda _: ()
    keeps: Callable[[Any], bool] = lambda _: True
    attended: str = ""
    helps: tuple[type[Any], ...] = ()
    letters: bool = False

    def query(self, workflow: Workflow, at: datetime, cursor: int, limit: int) -> Query | None:
        """What finds the rows that may be on it; None if the workflow has no such rows."""
        if self.attended:
            where = (("open", 1),)
            return Query(self.kind, where=where, cursor=cursor, limit=limit) if self.kind in workflow.machines else None
        status = self.states(workflow)
        due_by = at if self.due else None
        return Query(self.kind, status, due_by=due_by, cursor=cursor, limit=limit) if status else None

    def found(self, state: Any, at: datetime) -> list[Attention]:
        """Why a row is on a list of attention."""
        return [a for a in attention(state, at) if a.worklist == self.attended and a.standing is Standing.LISTED]

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
    if listed.letters:
        return (yield from _letters(workflow, cursor, limit))
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
        found = listed.found(row.state, stamp.at)
        reasons = tuple([a.reason for a in found])
        return [Task(row.cursor, row.key, row.state, reasons, _names(found), row.at)] if found else []
    if not listed.keeps(row.state):
        return []
    why = (yield from explain(workflow, Envelope(*listed.next(row), stamp))) if listed.next else ()
    commands = tuple([command.__name__ for command in listed.helps])
    reasons = (*why, *listed.beside(row.state)) or (refuse("ready", "ready for {command}", command=commands[0]),)
    return [Task(row.cursor, row.key, row.state, reasons, commands, row.at)]


def _names(found: Iterable[Attention]) -> tuple[str, ...]:
    """What helps, each command once."""
    return tuple(dict.fromkeys(command.__name__ for each in found for command in each.commands))


def _letters(workflow: Workflow, cursor: int, limit: int) -> Flow[list[Task]]:
    """Dead letters, each with the row it concerns; None as its state where the workflow does not know the kind."""
    letters = yield from ask(DeadLetters(cursor, limit))
    known = {letter.message.lane for letter in letters if letter.message.lane.kind in workflow.machines}
    states = {key: row.state for key, row in (yield from ask(Read([*known]))).items()}
    tasks: list[Task] = []
    for letter in letters:
        lane, found = letter.message.lane, attended(letter)
        tasks.append(Task(letter.cursor, lane, states.get(lane), (found.reason,), _names([found]), letter.at))
    return tasks


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
    "to_confirm": Worklist("order", takes=ConfirmOrder, next=_confirm, helps=(ConfirmOrder, ReleaseHold, CancelUnits)),
    "awaiting_stock": Worklist(
        "order",
        ("Confirmed", "AwaitingStock", "Preparing", "PartlyShipped"),
        next=_allocate,
        beside=_waiting,
        keeps=_is_short,
        helps=(AllocateStock, ReceiveGoods, ReleaseHold, CancelUnits),
    ),
    "to_prepare": Worklist("order", ("Allocated",), next=_prepare, helps=(PlanShipment, ReleaseHold, ReleaseStock)),
    "to_pack": Worklist("shipment", takes=PackShipment, helps=(PackShipment, VoidShipment)),
    "to_ship": Worklist("shipment", takes=HandOver, next=_hand_over, helps=(HandOver, DropItems, VoidShipment)),
    **{name: Worklist("order", attended=name) for name in ("unpaid", "to_bill", "to_credit", "to_refund")},
    **{name: Worklist("stock", attended=name) for name in ("to_count", "to_inspect", "to_reorder")},
    **{name: Worklist("return", attended=name) for name in ("returns", "returns_to_inspect")},
    "returns_to_credit": Worklist(
        "return", takes=SettleReturn, next=_settle, beside=_claimed, helps=(SettleReturn, DraftCreditNote)
    ),
    "invoices_due": Worklist("invoice", attended="invoices_due"),
    **{name: Worklist("payment", attended=name) for name in PAYMENTS},
    "dead_letters": Worklist("", letters=True),
}
