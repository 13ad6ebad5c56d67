"""Receiving and confirming: drafts, placing an order, accepting it, taking that back."""

from __future__ import annotations

from datetime import datetime

from orderflow.domain.engine.machine import Absent, refuse
from orderflow.domain.engine.record import Command, Event, Fields
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.tax import Totals
from orderflow.domain.orders.content import (
    CancelledBy,
    Gate,
    Hold,
    LineKind,
    OrderContent,
    totals_of,
    with_shared,
)
from orderflow.domain.orders.guards import not_held, paid_for
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import (
    Accepted,
    Cancelled,
    Draft,
    Placed,
    Progress,
    lines_of,
    state_for,
)
from orderflow.errors import Refusal

__all__ = [
    "ConfirmOrder",
    "DiscardDraft",
    "DraftDiscarded",
    "DraftEdited",
    "DraftOpened",
    "EditDraft",
    "OpenDraft",
    "OrderConfirmed",
    "OrderPlaced",
    "OrderUnconfirmed",
    "PlaceOrder",
    "UnconfirmOrder",
]

# -- drafts


class _Content(Fields):
    content: OrderContent


class OpenDraft(_Content, Command):
    """Begin an order that is not placed yet."""


class DraftOpened(_Content, Event):
    """A draft was begun."""


class EditDraft(_Content, Command):
    """Replace what a draft holds."""


class DraftEdited(_Content, Event):
    """The content of a draft was replaced."""


class DiscardDraft(Command):
    """Throw a draft away."""


class DraftDiscarded(Event):
    """A draft was thrown away."""

    at: datetime


def draft_opened(state: Absent, event: DraftOpened) -> Draft:
    return Draft(event.content)


def draft_edited(state: Draft, event: DraftEdited) -> Draft:
    return Draft(event.content, state.holds)


def draft_discarded(state: Draft, event: DraftDiscarded) -> Cancelled:
    """Every unit is cancelled."""
    content = state.content
    vectors = tuple([LineVector(cancelled=units) for units in content.goods])
    return Cancelled(content, totals_of(content), Progress(vectors), event.at, "draft discarded", CancelledBy.MERCHANT)


# -- placing


class PlaceOrder(Command):
    """Place an order; for a draft, ``content`` may be left out."""

    content: OrderContent | None = None
    holds: tuple[Hold, ...] = ()


class OrderPlaced(Event):
    """The order was received, with totals recomputed."""

    content: OrderContent
    totals: Totals
    holds: tuple[Hold, ...]
    at: datetime


def has_content(state: Absent, command: PlaceOrder, stamp: Stamp) -> Refusal | None:
    """An order that was not a draft comes with its content."""
    return None if command.content else refuse("no_content", "there is no draft to place: give the content")


def _content_of(state: Absent | Draft, command: PlaceOrder) -> OrderContent | None:
    return command.content or (state.content if isinstance(state, Draft) else None)


def names_whom_to_bill(state: Absent | Draft, command: PlaceOrder, stamp: Stamp) -> Refusal | None:
    """Somebody is billed, unless that is done elsewhere."""
    content = _content_of(state, command)
    if content is None or content.bill_to or content.policy.billed_elsewhere:
        return None
    return refuse("no_bill_to", "the order does not say who is billed (bill_to)")


def names_where_to_send(state: Absent | Draft, command: PlaceOrder, stamp: Stamp) -> Refusal | None:
    """Goods are sent to somebody, unless that is done elsewhere."""
    content = _content_of(state, command)
    return None if content is None else no_address(content)


def no_address(content: OrderContent) -> Refusal | None:
    """Whether there are goods, and nobody to send them to."""
    goods = [line for line in content.lines if line.kind is LineKind.GOODS]
    if content.policy.shipped_elsewhere or all(content.route(line).ship_to for line in goods):
        return None
    return refuse("no_ship_to", "the order has goods and does not say where to send them (ship_to)")


def total_agrees(state: Absent | Draft, command: PlaceOrder, stamp: Stamp) -> Refusal | None:
    """The total that a channel expects is the total of the lines."""
    content = _content_of(state, command)
    if content is None or content.expected_total_minor is None:
        return None
    expected, total = content.expected_total_minor, totals_of(with_shared(content)).gross_minor
    if total == expected:
        return None
    return refuse("total_differs", "expected {expected}, but the lines sum to {total}", expected=expected, total=total)


def place(state: Absent | Draft, command: PlaceOrder, stamp: Stamp) -> OrderPlaced:
    """With the holds of the draft, and discounts shared over the lines they are for, once and for ever."""
    content = _content_of(state, command)
    assert content is not None, "guarded by has_content"
    content = with_shared(content)
    holds = command.holds if isinstance(state, Absent) else (*state.holds, *command.holds)
    return OrderPlaced(content, totals_of(content), tuple(dict.fromkeys(holds)), stamp.moment)


def placed(state: Absent | Draft, event: OrderPlaced) -> Placed:
    content = event.content
    vectors = tuple([LineVector(units) for units in content.goods])
    return Placed(content, event.totals, Progress(vectors, event.holds, content.tags), event.at)


# -- confirming

not_held_at_confirm = not_held(Gate.CONFIRM)
paid_for_at_confirm = paid_for(Gate.CONFIRM)


class ConfirmOrder(Command):
    """Accept the order: contents, payment, credit and address have been checked."""


class OrderConfirmed(Event):
    """The order was accepted."""

    at: datetime


class UnconfirmOrder(Command):
    """Step back from confirmed to placed."""


class OrderUnconfirmed(Event):
    """The order is merely placed again."""


def confirmed(state: Placed, event: OrderConfirmed) -> Accepted:
    return state_for(state, state.progress, event.at)


def nothing_billed(state: Accepted, command: UnconfirmOrder, stamp: Stamp) -> Refusal | None:
    """What is on an invoice is not taken back."""
    count = sum(vector.invoiced for _, vector in lines_of(state))
    return refuse("already_billed", "units already billed: {units}", units=count) if count else None


def unconfirmed(state: Accepted, event: OrderUnconfirmed) -> Placed:
    return Placed(state.content, state.totals, state.progress, state.placed_at)
