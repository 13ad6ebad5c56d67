"""Bringing back an order that was cancelled by mistake."""

from __future__ import annotations

from attrs import evolve

from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.prepaying import PrepaymentWithdrawn, withdrawn
from orderflow.domain.orders.state import Cancelled, Placed, lines_of, moved
from orderflow.domain.values import LineQuantity
from orderflow.errors import InvariantBroken, Refusal


class ReinstateOrder(Command):
    """Place a cancelled order again, with the units that its last cancellation took."""


class OrderReinstated(Event):
    """The order is placed again; these units are open."""

    units: tuple[LineQuantity, ...]


def nothing_came_of_it(state: Cancelled, command: ReinstateOrder, stamp: Stamp) -> Refusal | None:
    """It was placed once, and nothing of it was billed or paid back; what was dispatched is not cancelled any more."""
    if state.placed_at is None:
        return refuse("never_placed", "a draft that was thrown away is not brought back")
    if billed := sum(vector.invoiced for _, vector in lines_of(state)):
        return refuse("already_billed", "units already billed: {units}", units=billed)
    if state.repaid:
        return refuse("paid_back", "its money was taken off after it was cancelled: place it anew")
    return None


def reinstate(state: Cancelled, command: ReinstateOrder, stamp: Stamp) -> OrderReinstated:
    return OrderReinstated(state.taken)


def reinstated(state: Cancelled, event: OrderReinstated) -> Placed:
    if state.placed_at is None:
        raise InvariantBroken("order state", "a draft that was thrown away is brought back")
    progress = moved(state, event.units, lambda v, units: moves.reinstate(v, units.quantity))
    return Placed(state.content, state.totals, progress, state.placed_at)


def withdrawn_after(state: Cancelled, event: PrepaymentWithdrawn) -> Cancelled:
    return evolve(withdrawn(state, event), repaid=True)
