"""Receiving: an order comes in once, however often its channel sends it."""

from __future__ import annotations

from typing import Any, TypeAlias

import attrs
from attrs import frozen

from orderflow.domain.engine.decide import Envelope, Flow, ask
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.intake import Accepted, intake_key
from orderflow.domain.orders.content import Gate, Hold, HoldReason, OrderContent
from orderflow.domain.orders.holding import PlaceHold
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.errors import CommandRefused, Key
from orderflow.flows.asks import Read
from orderflow.flows.handle import accepted, handle_many
from orderflow.ports.storage import Ack

__all__ = ["Changed", "Created", "Received", "Unchanged", "receive"]


@frozen
class Created:
    """The order is new."""

    key: Key
    ack: Ack


@frozen
class Unchanged:
    """The order is known, with the same content."""

    key: Key


@frozen
class Changed:
    """The order is known with other content: nothing was overwritten, the order is held.

    ``differences`` are the content's fields that differ: name, known value, received value.
    """

    key: Key
    differences: tuple[tuple[str, Any, Any], ...]


Received: TypeAlias = Created | Unchanged | Changed


def receive(
    workflow: Workflow, key: Key, content: OrderContent, stamp: Stamp, holds: tuple[Hold, ...] = ()
) -> Flow[Received]:
    """Place the order, unless its (channel, external id) is known: then say whether it is the same.

    Raises:
        CommandRefused, InputError: as placing it does.
    """
    known = yield from _known(key, content)
    if known is None:
        ends = yield from handle_many(workflow, [Envelope(key, PlaceOrder(content, holds), stamp)])
        # A refusal may mean that somebody else has taken the document in meanwhile.
        known = (yield from _known(key, content)) if isinstance(ends[0], CommandRefused) else None
        if known is None:
            return Created(key, accepted(ends.pop()))
    rows = yield from ask(Read([known]))
    differences = tuple(_differences(rows[known].state.content, content))
    if not differences:
        return Unchanged(known)
    hold = PlaceHold(Hold(HoldReason.CHANNEL_CHANGED, Gate.PREPARE))
    ends = yield from handle_many(workflow, [Envelope(known, hold, stamp)])
    if not isinstance(ends[0], CommandRefused):
        accepted(ends.pop())
    return Changed(known, differences)


def _known(key: Key, content: OrderContent) -> Flow[Key | None]:
    if not (content.channel and content.external_id):
        return None
    intake = intake_key(key.tenant, content.channel, content.external_id)
    row = (yield from ask(Read([intake])))[intake].state
    return key.beside(row.kind, row.id) if isinstance(row, Accepted) else None


def _differences(known: OrderContent, received: OrderContent) -> list[tuple[str, Any, Any]]:
    pairs = ((name, getattr(known, name), getattr(received, name)) for name in attrs.fields_dict(OrderContent))
    return [(name, old, new) for name, old, new in pairs if old != new]
