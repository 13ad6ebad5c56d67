"""The returns desk: what may be sent back, and returns that go on by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from orderflow.domain.engine.decide import Envelope, Flow, Read, ask
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.returns.inspecting import SettleReturn
from orderflow.domain.returns.requesting import CancelReturn, RequestReturn
from orderflow.domain.returns.state import Cancelled, Declined, HasReturn
from orderflow.domain.values import summed
from orderflow.domain.workflow.eligibility import STANDARD_RULES, EligibilityRule, ReturnCase, refusals_of
from orderflow.errors import CommandRefused, InputError, Key, Refusal
from orderflow.flows.asks import Find, NewId, Now
from orderflow.flows.handle import Result, faults_in, handle_many
from orderflow.ports.storage import Ack, Query

__all__ = ["OVERDUE", "ReturnSettings", "advance_returns", "ineligible", "request_return"]

#: Rows looked at in one query, and the most returns and shipments of one order that count.
PAGE: Final = 100
MOST_OF_ORDER: Final = 1_000

OVERDUE: Final = "not sent back in time"


class ReturnSettings(Record):
    """What a shop takes back.

    Args:
        rules: what a customer may ask for, see :mod:`orderflow.domain.workflow.eligibility`.
        inspect: what comes back is set aside until it is inspected; otherwise it goes straight back on sale.
    """

    rules: tuple[EligibilityRule, ...] = STANDARD_RULES
    inspect: bool = True


def request_return(
    workflow: Workflow, key: Key, command: RequestReturn, stamp: Stamp, settings: ReturnSettings, *, minted: bool
) -> Flow[Result]:
    """Ask for a return, if the shop's rules allow it.

    The rules look at the order and its other returns as they stand, not locked: two requests at the same moment may
    both be taken, and whoever decides on them sees both.

    Raises:
        CommandRefused: by one of the rules; every reason is given.
        InputError: the command is malformed.
    """
    envelope = Envelope(key, command, stamp)
    if faults := faults_in(workflow, envelope):
        raise InputError(faults)
    known = (yield from ask(Read([key])))[key].version
    refusals = () if known else (yield from ineligible(key, command, stamp, settings))
    if refusals:
        raise CommandRefused(refusals)
    [result] = yield from handle_many(workflow, [envelope], fresh_ids=[stamp.command_id] if minted else ())
    return result


def ineligible(key: Key, command: RequestReturn, stamp: Stamp, settings: ReturnSettings) -> Flow[tuple[Refusal, ...]]:
    """Every reason why the shop would not take these units back."""
    order = key.beside("order", command.order)
    state = (yield from ask(Read([order])))[order].state
    if not isinstance(state, HasProgress):
        return (refuse("no_such_order", "there is no placed order {order}", order=command.order),)
    of_order = (("order_id", command.order),)
    others = yield from ask(Find(Query("return", where=of_order, limit=MOST_OF_ORDER)))
    sent = yield from ask(Find(Query("shipment", ("Delivered",), where=of_order, limit=MOST_OF_ORDER)))
    asked = summed([item for row in others if row.key != key for item in _asked(row.state, command.order)])
    delivered = max([row.state.delivered_at for row in sent], default=None)
    return refusals_of(settings.rules, ReturnCase(state, command, asked, delivered), stamp)


def _asked(other: HasReturn, order: str) -> Iterator[tuple[int, int]]:
    """Units by line that a return waits for, or has claimed."""
    if other.wish.order == order and not isinstance(other, Declined | Cancelled):
        yield from other.outstanding if other.wish.goods_come_back else other.wish.units


def advance_returns(workflow: Workflow, now: datetime, *, limit: int = 100, actor: str = "returns") -> Flow[list[Ack]]:
    """Cancel up to ``limit`` returns that were not sent in time, and settle those with nothing to be credited.

    A claim is settled by whoever has credited it or sent the goods again.
    """
    overdue = Query("return", ("Authorised", "InTransit"), due_by=now, limit=PAGE)
    acks = yield from _taken(workflow, overdue, CancelReturn(OVERDUE), limit, actor)
    inspected = Query("return", ("Inspected",), limit=PAGE)
    return [*acks, *(yield from _taken(workflow, inspected, SettleReturn(), limit - len(acks), actor))]


def _taken(workflow: Workflow, query: Query, command: Any, limit: int, actor: str) -> Flow[list[Ack]]:
    """The first ``limit`` rows of a query that take a command, page by page; a refusal does not stop the others."""
    acks: list[Ack] = []
    cursor = 0
    while len(acks) < limit:
        rows = yield from ask(Find(_after(query, cursor)))
        keys = [row.key for row in rows if row.state.goods.lots or isinstance(command, CancelReturn)]
        envelopes = []
        for key in keys[: limit - len(acks)]:
            now, command_id = (yield from ask(Now())), (yield from ask(NewId()))
            envelopes.append(Envelope(key, command, Stamp(now, actor, command_id)))
        results = yield from handle_many(workflow, envelopes, fresh_ids=[e.stamp.command_id for e in envelopes])
        acks += [result for result in results if isinstance(result, Ack)]
        if len(rows) < query.limit:
            break
        cursor = rows[-1].cursor
    return acks


def _after(query: Query, cursor: int) -> Query:
    return Query(query.kind, query.status, due_by=query.due_by, cursor=cursor, limit=query.limit)
