"""An order is begun as a draft, edited, discarded, placed, confirmed and unconfirmed."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from orderflow.domain.engine.machine import Absent, refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.tax import Totals
from orderflow.domain.orders.content import (
    AllocateAt,
    CancelledBy,
    Gate,
    Hold,
    HoldReason,
    LineKind,
    OrderContent,
    totals_of,
)
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import Accepted, Cancelled, Draft, Placed, Progress, state_for
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
    "confirm",
    "confirmed",
    "discard_draft",
    "draft_discarded",
    "draft_edited",
    "draft_opened",
    "edit_draft",
    "has_content",
    "nothing_billed",
    "open_draft",
    "place",
    "placed",
    "total_agrees",
    "unconfirm",
    "unconfirmed",
]


def has_content(state: Absent, command: PlaceOrder, stamp: Stamp) -> Refusal | None:
    """An order that was no draft brings its content along."""
    return None if command.content else refuse("no_content", "there is no draft to place: give the content")


def total_agrees(state: Absent | Draft, command: PlaceOrder, stamp: Stamp) -> Refusal | None:
    """The total a channel claims is the total of the lines."""
    content = command.content or (state.content if isinstance(state, Draft) else None)
    if content is None or content.expected_total_minor is None:
        return None
    total = totals_of(content).gross_minor
    if total == content.expected_total_minor:
        return None
    claimed = content.expected_total_minor
    return refuse("total_differs", "claimed {claimed}, the lines give {total}", claimed=claimed, total=total)


def nothing_billed(state: Accepted, command: UnconfirmOrder, stamp: Stamp) -> Refusal | None:
    """What stands on an invoice is not taken back."""
    count = sum(vector.invoiced for vector in state.progress.lines)
    return refuse("already_billed", "{units} units are billed", units=count) if count else None


@frozen
class PlaceOrder:
    """Place an order; out of a draft, ``content`` may be left out."""

    content: OrderContent | None = None
    holds: tuple[Hold, ...] = ()


@frozen
class OpenDraft:
    """Begin an order that is not placed yet."""

    content: OrderContent


@frozen
class EditDraft:
    """Replace what a draft holds."""

    content: OrderContent


@frozen
class DiscardDraft:
    """Throw a draft away."""


@frozen
class ConfirmOrder:
    """Content, payment, credit and address are checked: accept the order."""


@frozen
class UnconfirmOrder:
    """Step back from confirmed to placed."""


@frozen
class DraftOpened:
    """A draft was begun."""

    content: OrderContent


@frozen
class DraftEdited:
    """A draft holds something else."""

    content: OrderContent


@frozen
class DraftDiscarded:
    """A draft was thrown away."""

    at: datetime


@frozen
class OrderPlaced:
    """The order was received, with totals recomputed."""

    content: OrderContent
    totals: Totals
    holds: tuple[Hold, ...]
    at: datetime


@frozen
class OrderConfirmed:
    """The order was accepted."""

    at: datetime


@frozen
class OrderUnconfirmed:
    """The order is merely placed again; ``relieved_minor`` of credit exposure is set free."""

    relieved_minor: int


def open_draft(state: Absent, command: OpenDraft, stamp: Stamp) -> DraftOpened:
    """What ``OpenDraft`` becomes."""
    return DraftOpened(command.content)


def draft_opened(state: Absent, event: DraftOpened) -> Draft:
    """The order after ``DraftOpened``."""
    return Draft(event.content)


def edit_draft(state: Draft, command: EditDraft, stamp: Stamp) -> DraftEdited:
    """What ``EditDraft`` becomes."""
    return DraftEdited(command.content)


def draft_edited(state: Draft, event: DraftEdited) -> Draft:
    """The order after ``DraftEdited``."""
    return Draft(event.content, state.holds)


def discard_draft(state: Draft, command: DiscardDraft, stamp: Stamp) -> DraftDiscarded:
    """What ``DiscardDraft`` becomes."""
    return DraftDiscarded(stamp.moment)


def draft_discarded(state: Draft, event: DraftDiscarded) -> Cancelled:
    """The order after ``DraftDiscarded``."""
    vectors = tuple(
        LineVector(cancelled=line.quantity) if line.kind is LineKind.GOODS else LineVector()
        for line in state.content.lines
    )
    return Cancelled(
        state.content, totals_of(state.content), Progress(vectors), event.at, "draft discarded", CancelledBy.MERCHANT
    )


def place(state: Absent | Draft, command: PlaceOrder, stamp: Stamp) -> OrderPlaced:
    """What ``PlaceOrder`` becomes."""
    content = command.content if isinstance(state, Absent) else command.content or state.content
    assert content is not None, "guarded by has_content"
    holds = command.holds if isinstance(state, Absent) else (*state.holds, *command.holds)
    if content.policy.allocate_at is AllocateAt.PAID:
        holds = (*holds, Hold(HoldReason.PAYMENT, Gate.ALLOCATE))
    return OrderPlaced(content, totals_of(content), tuple(dict.fromkeys(holds)), stamp.moment)


def placed(state: Absent | Draft, event: OrderPlaced) -> Placed:
    """The order after ``OrderPlaced``."""
    content = event.content
    vectors = tuple(
        [LineVector(line.quantity) if line.kind is LineKind.GOODS else LineVector() for line in content.lines]
    )
    return Placed(content, event.totals, Progress(vectors, event.holds, content.tags), event.at)


def confirm(state: Placed, command: ConfirmOrder, stamp: Stamp) -> OrderConfirmed:
    """What ``ConfirmOrder`` becomes."""
    return OrderConfirmed(stamp.moment)


def confirmed(state: Placed, event: OrderConfirmed) -> Accepted:
    """The order after ``OrderConfirmed``."""
    return state_for(state, state.progress.with_exposed(max(0, state.totals.gross_minor)), event.at)


def unconfirm(state: Accepted, command: UnconfirmOrder, stamp: Stamp) -> OrderUnconfirmed:
    """What ``UnconfirmOrder`` becomes."""
    return OrderUnconfirmed(state.progress.exposed_minor)


def unconfirmed(state: Accepted, event: OrderUnconfirmed) -> Placed:
    """The order after ``OrderUnconfirmed``."""
    return Placed(state.content, state.totals, state.progress.with_exposed(0), state.placed_at)
