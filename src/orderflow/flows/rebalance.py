"""The queue of a stock row: who waits is served in turn, and what is promised but not there goes back to waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from heapq import nlargest, nsmallest
from typing import Any, Final

from orderflow.domain.engine.decide import Envelope, Flow, Message, Read, ask
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.inventory.level import StockLevel, level_of
from orderflow.domain.orders.allocating import FillBackorder, ReturnToQueue, not_held_at_allocate
from orderflow.domain.orders.content import Gate
from orderflow.domain.orders.guards import may_pass
from orderflow.domain.orders.state import Accepted, Placed, lines_of
from orderflow.domain.values import Pick, StockRef, stock_key
from orderflow.errors import DefinitionError, Key
from orderflow.flows.asks import Commands, Find, NewId, Now
from orderflow.flows.handle import Result, handle_many
from orderflow.ports.storage import Query, Row

#: States in which an order may hold allocated units.
HOLDING: Final = ("Placed", "Confirmed", "AwaitingStock", "Allocated", "Preparing", "PartlyShipped")
#: Orders looked at in one query.
PAGE: Final = 500
#: Orders told by one message; the commit that tells them asks for more if there are more.
CHUNK: Final = 50


def rebalance(
    workflow: Workflow, tenant: str, stock: StockRef, now: datetime, *, limit: int = 50, actor: str = "rebalance"
) -> Flow[list[Result]]:
    """Put units of up to ``limit`` orders back in the queue while ``stock`` has a shortfall, newest orders first.

    They wait at the same location and keep their turn. Units being prepared stay as they are: the picker finds them, or
    records a short pick.
    """
    envelopes: list[Envelope] = []
    for key, command in (yield from _to_return(stock_key(tenant, *stock), limit)):
        envelopes.append(Envelope(key, command, Stamp(now, actor, (yield from ask(NewId())))))
    fresh_ids = [envelope.stamp.command_id for envelope in envelopes]
    return (yield from handle_many(workflow, envelopes, fresh_ids=fresh_ids, trusted=True))


def _newest(stock: StockRef, limit: int) -> Flow[list[Key]]:
    """The orders whose turn is last among those that hold units of ``stock``."""
    rows = yield from _ranked(nlargest, limit, lambda order: _picks(order, stock, 1))
    return [row.key for row in rows]


def _first(stock: StockRef, now: datetime) -> Flow[list[Row[Any]]]:
    """The orders whose turn is first among those that may have units of ``stock`` they wait for."""
    return (yield from _ranked(nsmallest, CHUNK, lambda order: _waiting(order, stock, 1, now)))


def _ranked(
    best: Callable[..., list[Row[Any]]], limit: int, units: Callable[[Any], Iterator[Pick]]
) -> Flow[list[Row[Any]]]:
    """Up to ``limit`` open orders that have such units, the ``best`` by their turn, page by page."""
    ranked: list[Row[Any]] = []
    page: Sequence[Row[Any]] = ()
    cursor = 0
    while not cursor or len(page) == PAGE:
        page = yield from ask(Find(Query("order", HOLDING, cursor=cursor, limit=PAGE)))
        ranked = best(limit, [*ranked, *(row for row in page if any(units(row.state)))], key=_turn)
        cursor = page[-1].cursor if page else -1
    return ranked


def _turn(row: Row[Any]) -> tuple[int, datetime, str]:
    """The place in the queue: by priority, then by age, then by id."""
    return row.state.content.policy.priority, row.state.placed_at, row.key.id


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


# -- after a commit that leaves units to serve, or too few


def fill_backorders(message: Message) -> Flow[Commands]:
    """Serve strictly in turn what is available at a row; who is held, or not paid for, is passed over."""
    level = yield from _level(message.lane)
    left, now = level.available, (yield from ask(Now()))
    if not left or not level.backordered:
        return []
    stock, commands = StockRef.read(message.lane.id), list[tuple[Key, Any]]()
    for row in (yield from _first(stock, now)):
        picks = tuple(_waiting(row.state, stock, left, now))
        if picks:
            left -= sum([pick.quantity for pick in picks])
            commands.append((row.key, FillBackorder(picks, skip_queue=True)))
    return commands


def return_to_queue(message: Message) -> Flow[Commands]:
    """Put units back in the queue while a row has a shortfall, those whose turn is last first."""
    return (yield from _to_return(message.lane, CHUNK))


def _to_return(row: Key, limit: int) -> Flow[list[tuple[Key, ReturnToQueue]]]:
    """The orders that give up units of a row, and which; each as it stands when it is asked."""
    commands: list[tuple[Key, ReturnToQueue]] = []
    short = (yield from _level(row)).shortfall
    stock = StockRef.read(row.id)
    for key in (yield from _newest(stock, limit)) if short else ():
        order = (yield from ask(Read([key])))[key].state
        picks = tuple(_picks(order, stock, short))
        if picks:
            short -= sum([pick.quantity for pick in picks])
            commands.append((key, ReturnToQueue(picks)))
    return commands


def _level(key: Key) -> Flow[StockLevel]:
    if key.kind != "stock":
        raise DefinitionError(f"the queue of a {key.kind} is asked for, which has none")
    return level_of((yield from ask(Read([key])))[key].state)


def may_be_filled(order: Any, command: FillBackorder, now: datetime) -> bool:
    """Whether neither a hold, of its lines either, nor money keeps an order from being allocated."""
    free = may_pass(order, Gate.ALLOCATE, now)
    return free and not_held_at_allocate(order, command, Stamp(now, "queue", "queue")) is None


def _waiting(order: Placed | Accepted, stock: StockRef, most: int, now: datetime) -> Iterator[Pick]:
    """Up to ``most`` units that an order waits for at ``stock``, its first lines first; lines on hold keep waiting."""
    for line, vector in lines_of(order):
        waits = sum(wait.quantity for wait in vector.backordered if wait.location == stock.location)
        pick = Pick(line.line, stock.location, min(most, waits))
        if line.sku == stock.sku and pick.quantity and may_be_filled(order, FillBackorder((pick,)), now):
            yield pick
            most -= pick.quantity
