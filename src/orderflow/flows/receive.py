"""Receiving: an order comes in once, however often its channel sends it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, TypeAlias

import attrs
from attrs import evolve

from orderflow.domain.engine.decide import Envelope, Flow
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.intake import Accepted, intake_key
from orderflow.domain.orders.amending import ProposeAmendment, placed_content
from orderflow.domain.orders.comparing import changes_to
from orderflow.domain.orders.content import CancelledBy, Gate, Hold, HoldReason, OrderContent, with_shared
from orderflow.domain.orders.holding import PlaceHold
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.workflow.orders_parties import parties_of
from orderflow.errors import CommandMismatch, CommandRefused, Fault, InputError, Key
from orderflow.flows.handle import Work, accepted, faults_in
from orderflow.ports.storage import Ack


class Created(Record):
    """The order is new."""

    key: Key
    ack: Ack


class Unchanged(Record):
    """The order is known, with the same content."""

    key: Key


class Changed(Record):
    """The order is known with different content: nothing was overwritten, and the order is held, once for each content.

    Where the difference is one of goods, it is proposed as an amendment, unless staff's own proposal stands.

    ``differences`` are the content's fields that differ: name, known value, received value.
    """

    key: Key
    differences: tuple[tuple[str, Any, Any], ...]


Received: TypeAlias = Created | Unchanged | Changed


def receive(
    workflow: Workflow, key: Key, content: OrderContent, stamp: Stamp, *, minted: bool, holds: tuple[Hold, ...] = ()
) -> Flow[Received]:
    """Place the order, unless its (channel, external id) is known: then say whether it is the same.

    Without them, an order that is there with this content is the same.

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
        results = yield from work.take([envelope], fresh_ids=fresh_ids, trusted=True)
        if isinstance(results[0], CommandRefused) and (yield from _is_there(work, key, content)):
            return Unchanged(key)
        ack = accepted(results.pop())
        yield from work.commit()
        return Created(key, ack)
    rows = yield from work.load([known])
    order = rows[known].state
    differences = _differences(placed_content(order), with_shared(content))
    if not differences:
        return Unchanged(known)
    for result in (yield from work.take([*_asked(known, order, content, stamp)])):
        # What was told before, or is not possible now, changes nothing.
        if not isinstance(result, CommandRefused | CommandMismatch):
            accepted(result)
    yield from work.commit()
    return Changed(known, differences)


def _asked(key: Key, order: HasProgress, content: OrderContent, stamp: Stamp) -> Iterator[Envelope]:
    """The order is held, and what its channel wants is proposed; staff's own proposal is not replaced."""
    told = _id_of_change(key, content)
    hold = PlaceHold(Hold(HoldReason.CHANNEL_CHANGED, Gate.PREPARE))
    yield Envelope(key, hold, evolve(stamp, command_id=told))
    proposed, revision = order.progress.proposed, order.progress.revision
    changes = changes_to(order, with_shared(content))
    if changes is not None and (proposed is None or proposed.by is CancelledBy.CHANNEL):
        wish = ProposeAmendment(revision, changes, CancelledBy.CHANNEL)
        yield Envelope(key, wish, evolve(stamp, command_id=f"{told}/a"))


def _id_of_change(order: Key, content: OrderContent) -> str:
    """The id with which this content holds this order: what staff have settled is not raised by the next poll."""
    told = f"{order.id}/{with_shared(content).canonical_text}"
    return f"changed/{sha256(told.encode()).hexdigest()}"


def _missing(content: OrderContent | None) -> tuple[Fault, ...]:
    """Only a draft may be placed without content; and what names a document has two parts."""
    if content is None:
        return (Fault("content", "missing", "is required"),)
    if bool(content.channel) is bool(content.external_id):
        return ()
    absent = "external_id" if content.channel else "channel"
    message = "is required: a document is taken in once by its channel and its id there, both or neither"
    return (Fault(f"content.{absent}", "missing", message),)


def _is_there(work: Work, key: Key, content: OrderContent) -> Flow[bool]:
    """Whether the order itself was placed with this content, where nothing else names the document."""
    if content.channel:
        return False
    state = (yield from work.load([key]))[key].state
    return isinstance(state, HasProgress) and not _differences(placed_content(state), with_shared(content))


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
