"""Worklists: what is waiting for human action or money, each row with the reasons why it does not advance by itself.

Each is a view of attention; what keeps a row from its next step is asked of the rows that would refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

from orderflow.domain.billing.account import SetCreditLimit, UnblockAccount
from orderflow.domain.billing.credit_note import DraftCreditNote
from orderflow.domain.engine.decide import Envelope, Flow, Read, ask
from orderflow.domain.engine.machine import Absent, refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.holding import ReleaseHold
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.orders.state import lines_of
from orderflow.domain.parties.customer import UnblockCustomer
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.returns.inspecting import SettleReturn
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.shipping.planning import PlanShipment, VoidShipment
from orderflow.domain.values import Pick
from orderflow.domain.workflow.attention import TABLE, Attention, Standing, attention, lines_for
from orderflow.domain.workflow.standing import READY, Wait
from orderflow.errors import InputError, Key, Refusal
from orderflow.flows.advance import ShopSettings, invoice_key
from orderflow.flows.allocate import locations_for
from orderflow.flows.asks import DeadLetters, Find
from orderflow.flows.dead_letters import attended
from orderflow.flows.explain import explain
from orderflow.flows.prepare import shipments_for
from orderflow.ports.storage import Query, Row

__all__ = ["WORKLISTS", "Task", "worklist"]


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


#: Makes the command that a row waits for, so that it can be asked what would refuse it.
Step: TypeAlias = Callable[[Row[Any], ShopSettings], tuple[Key, Any]]

#: Orders and returns that nothing keeps from going ahead: the shop's next round takes them.
CAN_ADVANCE: Final = "can_advance"
TO_SHIP: Final = "to_ship"
#: Effects that were given up, whatever rows they are of.
DEAD_LETTERS: Final = "dead_letters"


def _kinds() -> Iterator[tuple[str, tuple[str, ...]]]:
    names = dict.fromkeys(wait.worklist for waits in TABLE.values() for wait in waits if wait.worklist)
    for name in names:
        yield name, tuple([kind for kind, waits in TABLE.items() if any(wait.worklist == name for wait in waits)])
    yield CAN_ADVANCE, ("order", "return")
    yield DEAD_LETTERS, ()


#: The kinds of rows that each list shows.
WORKLISTS: Final = dict(_kinds())


def worklist(
    workflow: Workflow,
    name: str,
    stamp: Stamp,
    settings: ShopSettings,
    *,
    cursor: int = 0,
    limit: int = 100,
) -> Flow[list[Task]]:
    """Up to ``limit`` rows of a list as of the stamp's time, kind by kind, each in order of creation.

    Raises:
        InputError: there is no such list.
    """
    if name not in WORKLISTS:
        raise InputError.at("name", "not_a_choice", f"must be one of {', '.join(WORKLISTS)}")
    if name == DEAD_LETTERS:
        return (yield from _letters(workflow, cursor, limit))
    kinds, tasks = WORKLISTS[name], list[Task]()
    after, first = divmod(cursor, len(kinds))
    for place, kind in enumerate(kinds[first:], start=first):
        while len(tasks) < limit:
            rows = yield from _rows(workflow, name, kind, after, limit)
            for row in rows:
                found = yield from _task(workflow, name, row, stamp, settings)
                tasks += [task._replace(cursor=row.cursor * len(kinds) + place) for task in found]
            if len(rows) < limit:
                break
            after = rows[-1].cursor
        after = 0
    return tasks[:limit]


def _rows(workflow: Workflow, name: str, kind: str, cursor: int, limit: int) -> Flow[Sequence[Row[Any]]]:
    """The next rows of a kind that may be on a list, by their states."""
    machine = workflow.machines.get(kind)
    every: list[Any] = [state for state in machine.states if state is not Absent] if machine else []
    may = [state for state in every if any(_shows(name, wait) for wait in lines_for(state))]
    if not may:
        return ()
    status = tuple([state.__name__ for state in may]) if len(may) < len(every) else ()
    return (yield from ask(Find(Query(kind, status, where=(("open", 1),), cursor=cursor, limit=limit))))


def _shows(name: str, waiting: Wait | Attention) -> bool:
    """Whether a list shows what a line of attention, or a row by it, waits for."""
    if name == CAN_ADVANCE:
        return waiting.standing is Standing.MOVING
    return waiting.worklist == name


def _task(workflow: Workflow, name: str, row: Row[Any], stamp: Stamp, settings: ShopSettings) -> Flow[list[Task]]:
    """The row as an entry of the list, if it belongs there."""
    shown: dict[Attention, tuple[Refusal, ...]] = {}
    for each in attention(row.state, stamp.at):
        if _shows(name, each) and each.standing is not Standing.DUE:
            against = yield from _against(workflow, each, row, stamp, settings)
            if not (against if name == CAN_ADVANCE else _goes_by_itself(each, against)):
                shown[each] = against
    if not shown:
        return []
    reasons = [reason for each, against in shown.items() for reason in _reasons(each, against)]
    reasons += (yield from _wishes(row)) if name == TO_SHIP else ()
    return [Task(row.cursor, row.key, row.state, tuple(dict.fromkeys(reasons)), _helps(shown), row.at)]


def _against(
    workflow: Workflow, each: Attention, row: Row[Any], stamp: Stamp, settings: ShopSettings
) -> Flow[tuple[Refusal, ...]]:
    """What would refuse the command that would lead the row on, if nothing of the row itself does."""
    step = _STEPS.get(each.commands[0]) if each.standing is Standing.MOVING or each.reason.code == READY else None
    if step is None:
        return ()
    against = yield from explain(workflow, Envelope(*step(row, settings), stamp))
    return tuple([_in_plain_words(row, refusal) for refusal in against])


def _in_plain_words(row: Row[Any], refusal: Refusal) -> Refusal:
    """That the order of a parcel takes no more is said of the order: nobody has heard of the command it was told."""
    if refusal.code != "not_now" or row.key.kind != "shipment" or refusal["kind"] != "order":
        return refusal
    return refuse("order_over", "its order is {state}", state=refusal["state"])


def _reasons(each: Attention, against: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    return against if against and each.reason.code == READY else (*against, each.reason)


def _goes_by_itself(each: Attention, against: tuple[Refusal, ...]) -> bool:
    """Whether nobody need look at a return: it only waits for the next round."""
    return each.commands[0] is SettleReturn and each.reason.code == READY and not against


def _wishes(row: Row[Any]) -> Flow[list[Refusal]]:
    """The days on which the customers of a parcel want it."""
    orders = yield from ask(Read([*dict.fromkeys(row.key.beside("order", item.order) for item in row.state.items)]))
    wishes = [(key.id, order.state.content.requested) for key, order in orders.items()]
    return [
        refuse("wished", "{order} is wished for {day}", order=order, day=str(wish))
        for order, wish in wishes
        if wish is not None
    ]


def _helps(shown: Mapping[Attention, tuple[Refusal, ...]]) -> tuple[str, ...]:
    """What helps, each command once: first what removes a refusal; what is refused now is not named."""
    commands: list[type[Any]] = []
    for each, against in shown.items():
        commands += [command for reason in against for command in _AGAINST.get(reason.code, ())]
        commands += each.commands[1:] or each.commands if against else each.commands
    return _names(commands)


def _names(commands: Iterable[type[Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(command.__name__ for command in commands))


def _letters(workflow: Workflow, cursor: int, limit: int) -> Flow[list[Task]]:
    """Dead letters, each with the row it concerns; None as its state where the workflow does not know the kind."""
    letters = yield from ask(DeadLetters(cursor, limit))
    known = {letter.message.lane for letter in letters if letter.message.lane.kind in workflow.machines}
    states = {key: row.state for key, row in (yield from ask(Read([*known]))).items()}
    tasks: list[Task] = []
    for letter in letters:
        lane, found = letter.message.lane, attended(letter)
        tasks.append(Task(letter.cursor, lane, states.get(lane), (found.reason,), _names(found.commands), letter.at))
    return tasks


#: What removes a refusal of the next command, by its code; the first that is accepted leads on.
_AGAINST: Final[Mapping[str, tuple[type[Any], ...]]] = {
    "on_hold": (ReleaseHold,),
    "customer_blocked": (UnblockCustomer, UnblockAccount),
    "credit_exceeded": (SetCreditLimit,),
    "unpaid": (RecordPayment,),
    "to_credit": (DraftCreditNote,),
    "order_over": (VoidShipment,),
}

# -- the next commands


def _confirm(row: Row[Any], settings: ShopSettings) -> tuple[Key, ConfirmOrder]:
    return row.key, ConfirmOrder()


def _allocate(row: Row[Any], settings: ShopSettings) -> tuple[Key, AllocateStock]:
    """Put every open unit on back-order, which needs no stock."""
    wanted = [(line.line, v.open) for line, v in lines_of(row.state) if v.open]
    waiting = [
        Pick(line, locations_for(row.state, line, settings.allocation)[0], quantity) for line, quantity in wanted
    ]
    return row.key, AllocateStock(backorder=tuple(waiting))


def _prepare(row: Row[Any], settings: ShopSettings) -> tuple[Key, Any]:
    first = next(shipments_for(row.key, row.state, settings.shipping))
    return first.key, first.plan


def _hand_over(row: Row[Any], settings: ShopSettings) -> tuple[Key, HandOver]:
    return row.key, HandOver()


def _bill(row: Row[Any], settings: ShopSettings) -> tuple[Key, BillUnits]:
    return row.key, BillUnits(invoice_key(row.key, row.state).id, settings.series)


def _complete(row: Row[Any], settings: ShopSettings) -> tuple[Key, CompleteOrder]:
    return row.key, CompleteOrder()


def _settle(row: Row[Any], settings: ShopSettings) -> tuple[Key, SettleReturn]:
    return row.key, SettleReturn()


_STEPS: Final[dict[type[Any], Step]] = {
    ConfirmOrder: _confirm,
    AllocateStock: _allocate,
    PlanShipment: _prepare,
    HandOver: _hand_over,
    BillUnits: _bill,
    CompleteOrder: _complete,
    SettleReturn: _settle,
}
