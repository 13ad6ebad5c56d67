"""Advancing: an order goes on by itself as far as its policy and its holds allow."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from orderflow.domain.book import Book
from orderflow.domain.keys import Key
from orderflow.domain.machine import ABSENT, Refusal
from orderflow.domain.order.messages import BillUnits, CompleteOrder, ConfirmOrder
from orderflow.domain.order.states import (
    Accepted,
    Allocated,
    AwaitingStock,
    Completed,
    Confirmed,
    PartlyShipped,
    Placed,
    Preparing,
    Shipped,
    billable_lines,
)
from orderflow.domain.shipment.messages import PlanShipment
from orderflow.domain.stamp import Stamp
from orderflow.errors import CommandRefused, DefinitionError, InputError, NotFound
from orderflow.flows.allocate import Allocation, allocate_many
from orderflow.flows.asks import Flow, NewId, Now, Read, ask
from orderflow.flows.handle import Outcome, handle_many
from orderflow.flows.prepare import Parcelling, shipments_for
from orderflow.flows.settle import Order
from orderflow.ports.storage import Ack

__all__ = ["Advanced", "Plans", "advance"]

#: Steps one call takes at most; an order has fewer than this many stations.
STEP_LIMIT: Final = 20


@frozen
class Plans:
    """What advancing needs to know: how to allocate, how to send, which series numbers invoices."""

    allocation: Allocation = Allocation()
    parcelling: Parcelling = Parcelling()
    series: str = "invoice"

    def for_carriers(self, names: Collection[str]) -> Plans:
        """The plans of a shop with these carriers: where there is but one, plans that name none mean it.

        Raises:
            DefinitionError: they name one that is not there.
        """
        wanted = self.parcelling.carrier
        if wanted and wanted not in names:
            raise DefinitionError(f"plans name the carrier {wanted!r}, which is not among the carriers")
        if wanted or len(names) != 1:
            return self
        [only] = names
        return evolve(self, parcelling=evolve(self.parcelling, carrier=only))


@frozen
class Advanced:
    """How far an order went: the state it is in, the steps taken, and why the next one may not be taken."""

    state: str
    acks: tuple[Ack, ...]
    refusals: tuple[Refusal, ...]


def advance(book: Book, key: Key, actor: str, plans: Plans = Plans()) -> Flow[Advanced]:
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
            outcomes = yield from step(book, key, state, actor, plans)
            acks += [outcome for outcome in outcomes if isinstance(outcome, Ack)]
            refusals += tuple(_refusals(outcomes))
            if len(acks) > before:
                break
        if len(acks) == before:
            break
    return Advanced(type(state).__name__, tuple(acks), refusals)


def _refusals(outcomes: Sequence[Outcome]) -> Iterator[Refusal]:
    for outcome in outcomes:
        if isinstance(outcome, CommandRefused):
            yield from outcome.refusals
        elif isinstance(outcome, InputError):
            raise InputError(outcome.faults)


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


def _sent(book: Book, key: Key, command: Any, actor: str) -> Flow[list[Outcome]]:
    stamp = yield from _stamp(actor)
    return (yield from handle_many(book, [Order(key, command, stamp)], fresh_ids=[stamp.command_id]))


def _confirm(book: Book, key: Key, state: Any, actor: str, plans: Plans) -> Flow[list[Outcome]]:
    return (yield from _sent(book, key, ConfirmOrder(), actor))


def _allocate(book: Book, key: Key, state: Any, actor: str, plans: Plans) -> Flow[list[Outcome]]:
    stamp = yield from _stamp(actor)
    return (yield from allocate_many(book, [(key, stamp)], plans.allocation))


def _prepare(book: Book, key: Key, state: Any, actor: str, plans: Plans) -> Flow[list[Outcome]]:
    orders: list[Order] = []
    for shipment in shipments_for(key, state, plans.parcelling):
        planned = yield from _stamp(actor)
        packed = yield from _stamp(actor)
        orders += [Order(shipment.key, shipment.plan, planned), Order(shipment.key, shipment.pack, packed)]
    ids = [order.stamp.command_id for order in orders]
    outcomes = yield from handle_many(book, orders, fresh_ids=ids)
    # Where a plan is refused, packing it is refused as well, which says nothing new.
    return [outcome for order, outcome in zip(orders, outcomes, strict=True) if _tells(order, outcome)]


def _tells(order: Order, outcome: Outcome) -> bool:
    return isinstance(order.command, PlanShipment) or isinstance(outcome, Ack)


def _bill(book: Book, key: Key, state: Accepted, actor: str, plans: Plans) -> Flow[list[Outcome]]:
    invoice = f"{key.id}/{1 + len(state.progress.invoices)}"
    return (yield from _sent(book, key, BillUnits(invoice, plans.series), actor))


def _complete(book: Book, key: Key, state: Any, actor: str, plans: Plans) -> Flow[list[Outcome]]:
    return (yield from _sent(book, key, CompleteOrder(), actor))
