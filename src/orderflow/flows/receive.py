"""Receiving: an order comes in once, however often its channel sends it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, TypeAlias

import attrs
from attrs import evolve, frozen

from orderflow.domain.engine.decide import Envelope, Flow
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.intake import Accepted, intake_key
from orderflow.domain.orders.content import Gate, Hold, HoldReason, OrderContent, with_shared
from orderflow.domain.orders.holding import PlaceHold
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.domain.workflow.orders_parties import parties_of
from orderflow.errors import CommandRefused, Fault, InputError, Key
from orderflow.flows.handle import Work, accepted, faults_in
from orderflow.ports.storage import Ack


@frozen(eq=False, repr=False)
class Created(Record):
    """The order is new."""

    key: Key
    ack: Ack


@frozen(eq=False, repr=False)
class Unchanged(Record):
    """The order is known, with the same content."""

    key: Key


@frozen(eq=False, repr=False)
class Changed(Record):
    """The order is known with different content: nothing was overwritten, and the order is held, once for each content.

    ``differences`` are the content's fields that differ: name, known value, received value.
    """

    key: Key
    differences: tuple[tuple[str, Any, Any], ...]


Received: TypeAlias = Created | Unchanged | Changed


def receive(
    workflow: Workflow, key: Key, content: OrderContent, stamp: Stamp, *, minted: bool, holds: tuple[Hold, ...] = ()
) -> Flow[Received]:
    """Place the order, unless its (channel, external id) is known: then say whether it is the same.

    Args:
        workflow: the rules.
        key: the order's row, if it is new.
        content: what is ordered.
        stamp: what the command is decided with.
        minted: the command id was minted just now, so nobody can have used it.
        holds: what the order is held for from the start.

    Raises:
        CommandRefused, InputError: as for placing it.
    """
    envelope = Envelope(key, PlaceOrder(content, holds), stamp)
    faults = faults_in(workflow, envelope) or _missing(content)
    if faults:
        raise InputError(faults)
    work = Work(workflow)
    fresh_ids = [stamp.command_id] if minted else []
    known = yield from _known(work, key, content)
    if known is None:
        ack = accepted((yield from work.take([envelope], fresh_ids=fresh_ids, trusted=True))[0])
        yield from work.commit()
        return Created(key, ack)
    rows = yield from work.load([known])
    differences = _differences(rows[known].state.content, with_shared(content))
    if not differences:
        return Unchanged(known)
    hold = PlaceHold(Hold(HoldReason.CHANNEL_CHANGED, Gate.PREPARE))
    once = evolve(stamp, command_id=_id_of_change(known, content))
    results = yield from work.take([Envelope(known, hold, once)])
    if not isinstance(results[0], CommandRefused):
        accepted(results.pop())
    yield from work.commit()
    return Changed(known, differences)


def _id_of_change(order: Key, content: OrderContent) -> str:
    """The id with which this content holds this order: what staff have settled is not raised by the next poll."""
    told = f"{order.id}/{with_shared(content).canonical_text}"
    return f"changed/{sha256(told.encode()).hexdigest()}"


def _missing(content: OrderContent | None) -> tuple[Fault, ...]:
    """Only a draft may be placed without content."""
    return (Fault("content", "missing", "is required"),) if content is None else ()


def _known(work: Work, key: Key, content: OrderContent) -> Flow[Key | None]:
    """The order that the document became when it was received before, read under the locks that placing it needs."""
    if not (content.channel and content.external_id):
        return None
    intake = intake_key(key.tenant, content.channel, content.external_id)
    row = (yield from work.load([*parties_of(key, content), key, intake]))[intake].state
    return key.beside(row.kind, row.id) if isinstance(row, Accepted) else None


def _differences(known: OrderContent, received: OrderContent) -> tuple[tuple[str, Any, Any], ...]:
    pairs = ((name, getattr(known, name), getattr(received, name)) for name in attrs.fields_dict(OrderContent))
    return tuple([(name, old, new) for name, old, new in pairs if old != new])
