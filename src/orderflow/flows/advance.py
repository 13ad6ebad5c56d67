"""Advancing: an order goes on by itself as far as its policy and its holds allow."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from orderflow.domain.engine.decide import Envelope, Flow, ask
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.orders.billing import BillUnits, CompleteOrder, billable_lines
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.orders.state import (
    Accepted,
    Allocated,
    AwaitingStock,
    Completed,
    Confirmed,
    PartlyShipped,
    Placed,
    Preparing,
    Shipped,
)
from orderflow.domain.shipping.planning import PlanShipment
from orderflow.errors import CommandRefused, DefinitionError, InputError, Key, NotFound, Refusal
from orderflow.flows.allocate import AllocationSettings, allocate_many
from orderflow.flows.asks import NewId, Now, Read
from orderflow.flows.handle import Result, handle_many
from orderflow.flows.prepare import ShippingSettings, shipments_for
from orderflow.ports.storage import Ack

__all__ = ["Advanced", "ShopSettings", "advance"]


#: Steps one call takes at most; an order has fewer than this many stations.
STEP_LIMIT: Final = 20


@frozen
class ShopSettings:
    """What advancing needs to know: how to allocate, how to send, which series numbers invoices."""

    allocation: AllocationSettings = AllocationSettings()
    shipping: ShippingSettings = ShippingSettings()
    series: str = "invoice"

    def for_carriers(self, names: Collection[str]) -> ShopSettings:
        """The plans of a shop with these carriers: where there is but one, plans that name none mean it.

        Raises:
            DefinitionError: they name one that is not there.
        """
        wanted = self.shipping.carrier
        if wanted and wanted not in names:
            raise DefinitionError(f"plans name the carrier {wanted!r}, which is not among the carriers")
        if wanted or len(names) != 1:
            return self
        [only] = names
        return evolve(self, shipping=evolve(self.shipping, carrier=only))


@frozen
class Advanced:
    """How far an order went: the state it is in, the steps taken, and why the next one may not be taken."""

    state: str
    acks: tuple[Ack, ...]
    refusals: tuple[Refusal, ...]


def advance(workflow: Workflow, key: Key, actor: str, settings: ShopSettings = ShopSettings()) -> Flow[Advanced]:
    """Take every step that needs nobody's hands: confirm, allocate, prepare, bill, complete.

    Raises:
        NotFound: there is no such order.
        InputError: ``plans`` make a malformed command.
    """
    acks: list[Ack] = []
    refusals: tuple[Refusal, ...] = ()
    state: Any = None
    for _ in range(STEP_LIMIT):
        state = (yield from ask(Read([key])))[key].state
        if state is ABSENT:
            raise NotFound(key)
        refusals = ()
        before = len(acks)
        for step in _steps(state):
            results = yield from step(workflow, key, state, actor, settings)
            acks += [result for result in results if isinstance(result, Ack)]
            refusals += tuple(_refusals(results))
            if len(acks) > before:
                break
        if len(acks) == before:
            break
    return Advanced(type(state).__name__, tuple(acks), refusals)


def _refusals(results: Sequence[Result]) -> Iterator[Refusal]:
    for result in results:
        if isinstance(result, CommandRefused):
            yield from result.refusals
        elif isinstance(result, InputError):
            raise InputError(result.faults)


def _steps(state: Any) -> list[Any]:
    """What could come next, in order of preference."""
    if isinstance(state, Placed):
        return [_confirm]
    steps: list[Any] = []
    if isinstance(state, Confirmed | AwaitingStock | Preparing | PartlyShipped) and _wants_stock(state):
        steps.append(_allocate)
    if isinstance(state, Allocated | AwaitingStock | Preparing | PartlyShipped) and _has_allocated(state):
        steps.append(_prepare)
    if isinstance(state, Accepted | Completed) and billable_lines(state):
        steps.append(_bill)
    if isinstance(state, Confirmed | Shipped):
        steps.append(_complete)
    return steps


def _wants_stock(state: Accepted) -> bool:
    return any(vector.wants_stock for vector in state.progress.lines)


def _has_allocated(state: Accepted) -> bool:
    return any(vector.allocated for vector in state.progress.lines)


def _stamp(actor: str) -> Flow[Stamp]:
    now = yield from ask(Now())
    command_id = yield from ask(NewId())
    return Stamp(now, actor, command_id)


def _sent(workflow: Workflow, key: Key, command: Any, actor: str) -> Flow[list[Result]]:
    stamp = yield from _stamp(actor)
    return (yield from handle_many(workflow, [Envelope(key, command, stamp)], fresh_ids=[stamp.command_id]))


def _confirm(workflow: Workflow, key: Key, state: Any, actor: str, settings: ShopSettings) -> Flow[list[Result]]:
    return (yield from _sent(workflow, key, ConfirmOrder(), actor))


def _allocate(workflow: Workflow, key: Key, state: Any, actor: str, settings: ShopSettings) -> Flow[list[Result]]:
    stamp = yield from _stamp(actor)
    return (yield from allocate_many(workflow, [(key, stamp)], settings.allocation))


def _prepare(workflow: Workflow, key: Key, state: Any, actor: str, settings: ShopSettings) -> Flow[list[Result]]:
    orders: list[Envelope] = []
    for shipment in shipments_for(key, state, settings.shipping):
        planned = yield from _stamp(actor)
        packed = yield from _stamp(actor)
        orders += [Envelope(shipment.key, shipment.plan, planned), Envelope(shipment.key, shipment.pack, packed)]
    ids = [order.stamp.command_id for order in orders]
    results = yield from handle_many(workflow, orders, fresh_ids=ids)
    # Where a plan is refused, packing it is refused as well, which says nothing new.
    return [result for order, result in zip(orders, results, strict=True) if _tells(order, result)]


def _tells(order: Envelope, result: Result) -> bool:
    return isinstance(order.command, PlanShipment) or isinstance(result, Ack)


def _bill(workflow: Workflow, key: Key, state: Accepted, actor: str, settings: ShopSettings) -> Flow[list[Result]]:
    invoice = f"{key.id}/{1 + len(state.progress.invoices)}"
    return (yield from _sent(workflow, key, BillUnits(invoice, settings.series), actor))


def _complete(workflow: Workflow, key: Key, state: Any, actor: str, settings: ShopSettings) -> Flow[list[Result]]:
    return (yield from _sent(workflow, key, CompleteOrder(), actor))
