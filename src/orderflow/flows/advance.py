"""Advancing: an order goes ahead by itself as far as its policy and its holds allow, in one commit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import evolve

from orderflow.domain.engine.bounds import Id
from orderflow.domain.engine.decide import Envelope, Flow, Read, ask
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.charging import billable_lines
from orderflow.domain.orders.content import Gate
from orderflow.domain.orders.guards import may_pass
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.orders.state import (
    Accepted,
    AwaitingStock,
    Completed,
    Confirmed,
    HasProgress,
    PartlyShipped,
    Placed,
    Preparing,
    Shipped,
)
from orderflow.domain.shipping.planning import PlanShipment
from orderflow.errors import CommandRefused, DefinitionError, InputError, Key, NotFound, Refusal
from orderflow.flows.allocate import AllocationSettings, allocate_in, ended_promises, stock_keys
from orderflow.flows.asks import NewId, Now
from orderflow.flows.handle import Result, Work
from orderflow.flows.prepare import ShippingSettings, shipment_key, shipments_for
from orderflow.flows.returns import ReturnSettings
from orderflow.ports.storage import Ack

#: The most steps one call takes; an order has fewer stages than this.
STEP_LIMIT: Final = 20


class ShopSettings(Record):
    """What a shop needs to know: how to allocate, how to send, which series numbers invoices, what comes back."""

    allocation: AllocationSettings = AllocationSettings()
    shipping: ShippingSettings = ShippingSettings()
    series: Id = "invoice"
    returns: ReturnSettings = ReturnSettings()

    def for_carriers(self, names: Collection[str]) -> ShopSettings:
        """The settings of a shop with these carriers: if there is only one, settings that name none mean it.

        Raises:
            DefinitionError: they name one that is not among them.
        """
        wanted = self.shipping.carrier
        if wanted and wanted not in names:
            raise DefinitionError(f"settings name the carrier {wanted!r}, which is not among the carriers")
        if wanted or len(names) != 1:
            return self
        [only] = names
        return evolve(self, shipping=evolve(self.shipping, carrier=only))


class Advanced(Record):
    """How far an order went: the state it is in, the steps taken, and why the next one cannot be taken."""

    state: str
    acks: tuple[Ack, ...]
    refusals: tuple[Refusal, ...]


def advance(workflow: Workflow, key: Key, actor: str, settings: ShopSettings = ShopSettings()) -> Flow[Advanced]:
    """Take every step that needs no human action: confirm, allocate, prepare, bill, complete.

    All steps are one batch: the first that is refused ends it, and the earlier ones stand.

    Raises:
        NotFound: there is no such order.
        InputError: ``settings`` lead to a malformed command.
    """
    order = (yield from ask(Read([key])))[key].state
    if order is ABSENT:
        raise NotFound(key)
    work, now, expired = Work(workflow), (yield from ask(Now())), list[Key]()
    if any(_steps(order, now)):
        if isinstance(order, Placed) or _allocates(order, now):
            expired = yield from ended_promises([key], settings.allocation, now)
        needed = [*_needed(key, order, settings), *(yield from _held_by(expired, settings))]
        yield from work.load(row for row in needed if row.kind in workflow.machines)
    else:
        yield from work.load([key])
    acks: list[Ack] = []
    refusals: tuple[Refusal, ...] = ()
    for _ in range(STEP_LIMIT):
        results = yield from _first_step(work, key, actor, settings, expired)
        taken = [result for result in results if isinstance(result, Ack)]
        refusals = tuple(_refusals(results))
        acks += taken
        if not taken:
            break
    yield from work.commit()
    return Advanced(type(work.rows.now[key].state).__name__, tuple(acks), refusals)


def _needed(key: Key, order: HasProgress, settings: ShopSettings) -> Iterator[Key]:
    """The rows that the steps may touch, so that all are locked at once, in lock order."""
    yield key
    progress, content = order.progress, order.content
    places = {a.location for v in progress.lines for a in v.allocated} | set(settings.allocation.locations)
    ways = {content.route(line) for line in order.content_now.lines}
    most = len(ways) * len(places.union([way.location for way in ways if way.location]))
    yield from (shipment_key(key, len(progress.shipments) + number) for number in range(1, most + 1))
    yield invoice_key(key, order)
    yield key.beside("series", settings.series)
    if content.customer:
        yield key.beside("account", content.customer)
    yield from stock_keys(key.tenant, order, settings.allocation)


def invoice_key(key: Key, order: HasProgress) -> Key:
    return key.beside("invoice", f"{key.id}/{1 + len(order.progress.bills)}")


def _first_step(work: Work, key: Key, actor: str, settings: ShopSettings, expired: Sequence[Key]) -> Flow[list[Result]]:
    """Try what could come next, in order of preference, until something is accepted; returns every result."""
    results: list[Result] = []
    order, now = work.rows.now[key].state, (yield from ask(Now()))
    for step in _steps(order, now):
        more = (expired,) if step is _allocate else ()
        results += yield from step(work, key, order, actor, settings, *more)
        if any(isinstance(result, Ack) for result in results):
            break
    return results


def _refusals(results: Sequence[Result]) -> Iterator[Refusal]:
    for result in results:
        if isinstance(result, CommandRefused):
            yield from result.refusals
        elif isinstance(result, InputError):
            raise InputError(result.faults)


def _steps(order: Any, now: datetime) -> Iterator[Any]:
    """What could come next, in order of preference."""
    if isinstance(order, Placed):
        yield _confirm
    if _allocates(order, now):
        yield _allocate
    if isinstance(order, Accepted) and order.progress.tally.allocated:
        yield _prepare
    if isinstance(order, Accepted | Completed) and billable_lines(order):
        yield _bill
    if isinstance(order, Confirmed | Shipped):
        yield _complete


def _allocates(order: Any, now: datetime) -> bool:
    """Whether it wants stock; after a promise has ended unused, only once it could be prepared."""
    if not isinstance(order, Confirmed | AwaitingStock | Preparing | PartlyShipped) or not order.progress.wants_stock:
        return False
    return not order.progress.lapsed or may_pass(order, Gate.PREPARE, now)


def _held_by(orders: Sequence[Key], settings: ShopSettings) -> Flow[list[Key]]:
    """Orders whose promises have ended, and the stock rows that they hold."""
    rows = (yield from ask(Read(orders))) if orders else {}
    held = [stock for key in orders for stock in stock_keys(key.tenant, rows[key].state, settings.allocation)]
    return [*orders, *held]


def _stamp(actor: str) -> Flow[Stamp]:
    now = yield from ask(Now())
    command_id = yield from ask(NewId())
    return Stamp(now, actor, command_id)


def _sent(work: Work, key: Key, command: Any, actor: str) -> Flow[list[Result]]:
    stamp = yield from _stamp(actor)
    return (yield from work.take([Envelope(key, command, stamp)], fresh_ids=[stamp.command_id]))


def _confirm(work: Work, key: Key, order: Any, actor: str, settings: ShopSettings) -> Flow[list[Result]]:
    return (yield from _sent(work, key, ConfirmOrder(), actor))


def _allocate(
    work: Work, key: Key, order: Any, actor: str, settings: ShopSettings, expired: Sequence[Key] = ()
) -> Flow[list[Result]]:
    wish = Envelope(key, AllocateStock(), (yield from _stamp(actor)))
    return [*(yield from allocate_in(work, [wish], settings.allocation, expired)).values()]


def _prepare(work: Work, key: Key, order: Any, actor: str, settings: ShopSettings) -> Flow[list[Result]]:
    envelopes: list[Envelope] = []
    for shipment in shipments_for(key, order, settings.shipping):
        envelopes += [Envelope(shipment.key, shipment.plan, (yield from _stamp(actor)))]
        envelopes += [Envelope(shipment.key, shipment.pack, (yield from _stamp(actor)))]
    ids = [envelope.stamp.command_id for envelope in envelopes]
    results = yield from work.take(envelopes, fresh_ids=ids)
    # If a plan is refused, packing it is refused too, which says nothing new.
    return [
        result
        for envelope, result in zip(envelopes, results, strict=True)
        if isinstance(envelope.command, PlanShipment) or isinstance(result, Ack)
    ]


def _bill(work: Work, key: Key, order: Accepted, actor: str, settings: ShopSettings) -> Flow[list[Result]]:
    return (yield from _sent(work, key, BillUnits(invoice_key(key, order).id, settings.series), actor))


def _complete(work: Work, key: Key, order: Any, actor: str, settings: ShopSettings) -> Flow[list[Result]]:
    return (yield from _sent(work, key, CompleteOrder(), actor))
