"""A workflow of a host: orders may be looked into before they are confirmed, and gifts are wrapped (own rows)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from orderflow.domain.engine.bounds import FreeText, Name
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule
from orderflow.domain.engine.record import Command, Event, Internal, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Effect, EventContext, Send, asks, on, tells
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.placing import ConfirmOrder, OrderConfirmed
from orderflow.domain.orders.state import HasProgress, Placed
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import Refusal

# -- a state of an order


class UnderReview(HasProgress):
    """Somebody looks into the order."""

    placed_at: datetime
    why: str


class ReviewOrder(Command):
    """Look into the order before it is confirmed."""

    why: FreeText


class ReviewBegun(Event):
    """Somebody began to look into the order."""

    why: str


class PassReview(Command):
    """Nothing was found."""


class ReviewPassed(Event):
    """Nothing was found."""


def review_begun(state: Placed, event: ReviewBegun) -> UnderReview:
    """The order waits, as it was placed."""
    return UnderReview(state.content, state.totals, state.progress, state.placed_at, event.why)


def review_passed(state: UnderReview, event: ReviewPassed) -> Placed:
    """The order is as it was."""
    return Placed(state.content, state.totals, state.progress, state.placed_at)


REVIEWED_ORDER: Final = ORDER.extended(
    rule(Placed, ReviewOrder, ReviewBegun, UnderReview, review_begun),
    rule(UnderReview, PassReview, ReviewPassed, Placed, review_passed),
)

# -- a machine


class WrapGift(Internal):
    """A confirmed order is a gift."""

    wrapping: Name


class GiftOrdered(Event):
    """A gift is to be wrapped."""

    wrapping: str


class RecordWrapped(Command):
    """The gift is wrapped."""


class GiftWrapped(Event):
    """The gift was wrapped."""


class ToWrap(Record):
    """Somebody has to wrap it."""

    wrapping: str


class Wrapped(Record):
    """Done."""

    wrapping: str


WRAPPING: Final = Machine(
    "gift_wrapping",
    rules=(
        rule(Absent, WrapGift, GiftOrdered, ToWrap, lambda state, event: ToWrap(event.wrapping)),
        rule(ToWrap, RecordWrapped, GiftWrapped, Wrapped, lambda state, event: Wrapped(state.wrapping)),
    ),
    final=(Wrapped,),
)

# -- the workflow


def not_on_a_sunday(state: Placed, command: ConfirmOrder, stamp: Stamp) -> Refusal | None:
    """Nothing is confirmed on a Sunday."""
    return refuse("sunday", "nobody confirms on a Sunday") if stamp.at.weekday() == 6 else None


def wrap(h: EventContext) -> Iterator[Send]:
    """A gift is wrapped under the order's id."""
    gift = h.after.content.gift
    if gift is not None:
        yield Send(h.key.beside("gift_wrapping", h.key.id), WrapGift(gift.wrapping))


def print_card(h: EventContext) -> Iterator[Effect]:
    """A wrapped gift gets a card."""
    yield Effect("print_card", h.key)


WORKFLOW: Final = (
    standard_workflow()
    .extended(
        machines=(REVIEWED_ORDER, WRAPPING),
        table=(on(OrderConfirmed, tells(wrap, WrapGift)), on(GiftWrapped, asks(print_card, "print_card"))),
    )
    .guarded(ConfirmOrder, not_on_a_sunday)
)
