"""Attention (law D): what a row waits for, as a pure function of its state. Worklists are views of it.

A row is at rest, or moves by itself, or is due at a time, or is on a worklist with the reason and the commands that
would help. ``TABLE`` says which, line by line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from orderflow.domain.workflow.attention_goods import PARCELS, RETURNS, STOCK
from orderflow.domain.workflow.attention_money import INVOICES, PAYMENTS
from orderflow.domain.workflow.attention_orders import ORDERS
from orderflow.domain.workflow.standing import Attention, Standing, Wait

__all__ = ["TABLE", "Attention", "Standing", "attention", "lines_for", "waits"]

#: What rows of each kind wait for. Rows of other kinds are always at rest.
TABLE: Final[Mapping[str, tuple[Wait, ...]]] = {
    "order": ORDERS,
    "shipment": PARCELS,
    "stock": STOCK,
    "return": RETURNS,
    "invoice": INVOICES,
    "payment": PAYMENTS,
}

_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


@cache
def lines_for(state: Any) -> tuple[Wait, ...]:
    """The lines of the table that a class of states may wait by."""
    return tuple([wait for waits in TABLE.values() for wait in waits if wait.of(state)])


def attention(state: Any, at: datetime) -> tuple[Attention, ...]:
    """Everything that a row waits for at a time; nothing for one at rest."""
    return tuple(_attention(state, at))


def _attention(state: Any, at: datetime) -> Iterator[Attention]:
    kind: Any = type(state)
    for wait in lines_for(kind):
        yield from wait.found(state, at)


def waits(state: Any) -> bool:
    """Whether a row waits for anything; unlike what is due, that does not depend on the time."""
    return any(True for _ in _attention(state, _ANY_TIME))
