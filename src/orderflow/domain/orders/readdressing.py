"""Sending an order, or lines of it, elsewhere while nothing of it has left."""

from __future__ import annotations

from typing import Annotated, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Length, Name, Quantity
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Fields
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders.addresses import NewAddress, addressed
from orderflow.domain.orders.guards import are_goods
from orderflow.domain.orders.state import HasProgress, Working
from orderflow.domain.values import MAX_LINES, PartyRef
from orderflow.errors import Refusal

__all__ = ["AddressChanged", "ChangeAddress"]

K = TypeVar("K", bound=HasProgress)


class _Address(Fields):
    ship_to: PartyRef
    country: Name
    lines: Annotated[tuple[Quantity, ...], Length(0, MAX_LINES)] = ()


class ChangeAddress(_Address, Command):
    """Send goods to another party on record, or another version of it: these lines, or all that name no address.

    Shipments that wait follow, and get another label; goods that share one with others are to be taken out of it.
    """


class AddressChanged(_Address, Event):
    """Goods of the order are sent elsewhere."""


readdressed_are_goods = are_goods(lambda command: command.lines)


def is_another_address(state: Working, command: ChangeAddress, stamp: Stamp) -> Refusal | None:
    """The goods are not sent there already."""
    if addressed(state.content, _changed(state.progress.readdressed, command)) != state.content_now:
        return None
    return refuse("same_address", "the goods already go to {ship_to}", ship_to=command.ship_to)


def address_changed(state: K, event: AddressChanged) -> K:
    return state.with_progress(evolve(state.progress, readdressed=_changed(state.progress.readdressed, event)))


def _changed(now: tuple[NewAddress, ...], change: _Address) -> tuple[NewAddress, ...]:
    lines = change.lines or (0,)
    new = [NewAddress(line, change.ship_to, change.country) for line in dict.fromkeys(lines)]
    return (*[address for address in now if address.line not in lines], *new)
