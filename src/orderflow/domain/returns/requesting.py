"""Asking for a return, and deciding whether the customer may send it."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import FreeText, Id, Name
from orderflow.domain.engine.machine import Absent, refuse
from orderflow.domain.engine.record import Command, Event, Fields
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.returns.state import (
    Authorised,
    Cancelled,
    Declined,
    Goods,
    Handling,
    HasReturn,
    Inspected,
    InTransit,
    Requested,
    ReturnWish,
    Wish,
)
from orderflow.errors import Refusal

__all__ = [
    "AuthoriseReturn",
    "CancelReturn",
    "DeclineReturn",
    "LinkExchange",
    "RecordReturnSent",
    "RequestReturn",
]

K = TypeVar("K", bound=HasReturn)


class RequestReturn(Wish, Command):
    """The customer asks to send units of an order back, or claims them (``goods_come_back=False``)."""


class ReturnRequested(Wish, Event):
    """A return was asked for."""


class _Authorisation(Fields):
    return_by: datetime


class AuthoriseReturn(_Authorisation, Command):
    """The customer may send the goods until a time; given again, until another. A claim has nothing to be sent."""


class ReturnAuthorised(_Authorisation, Event):
    """The customer may send the goods, or a claim was accepted."""


class _Refused(Fields):
    reason: FreeText = ""


class DeclineReturn(_Refused, Command):
    """Say no; the reason is for the customer."""


class ReturnDeclined(_Refused, Event):
    """The shop said no."""


class CancelReturn(_Refused, Command):
    """Nothing is waited for any more; goods that come all the same are taken in."""


class ReturnCancelled(_Refused, Event):
    """A return was given up before anything came."""


class _Sending(Fields):
    tracking: Name = ""


class RecordReturnSent(_Sending, Command):
    """The customer has sent the goods. A fact: it is recorded in every state."""


class ReturnSent(_Sending, Event):
    """The customer has sent the goods."""


class _Exchange(Fields):
    order: Id


class LinkExchange(_Exchange, Command):
    """Name the order that is sent instead; that order gets the tag ``exchange/`` and this return's id."""


class ExchangeLinked(_Exchange, Event):
    """An order is sent instead."""


def asks_for_units(state: Absent, command: RequestReturn, stamp: Stamp) -> Refusal | None:
    """A request names an order and units of it."""
    if command.order and command.units:
        return None
    return refuse("nothing_asked_back", "a request names an order and units of it")


def not_over_yet(state: HasReturn, command: AuthoriseReturn, stamp: Stamp) -> Refusal | None:
    """The time until which goods may be sent lies ahead."""
    if command.return_by > stamp.at:
        return None
    return refuse("return_by_over", "{until} is over", until=command.return_by.isoformat())


def not_exchanged(state: HasReturn, command: LinkExchange, stamp: Stamp) -> Refusal | None:
    """A return has one exchange, which is not the order that it takes back."""
    other = state.handling.exchange
    if other and other != command.order:
        return refuse("exchanged", "order {order} is sent instead", order=other)
    return refuse("same_order", "the exchange is an order of its own") if command.order == state.order else None


def requested(state: Absent, event: ReturnRequested) -> Requested:
    e = event
    wish = ReturnWish(e.order, e.units, e.reason, e.wanted, e.goods_come_back, e.customer, e.text)
    return Requested(wish, Goods(), Handling())


def authorised(state: HasReturn, event: ReturnAuthorised) -> Authorised | InTransit | Inspected:
    handling = evolve(state.handling, return_by=event.return_by)
    if not state.wish.goods_come_back:
        return Inspected(state.wish, state.goods, handling)
    sent = isinstance(state, InTransit) or bool(handling.tracking)
    return (InTransit if sent else Authorised)(state.wish, state.goods, handling)


def declined(state: Requested, event: ReturnDeclined) -> Declined:
    return Declined(state.wish, state.goods, evolve(state.handling, reason=event.reason))


def cancelled(state: HasReturn, event: ReturnCancelled) -> Cancelled:
    return Cancelled(state.wish, state.goods, evolve(state.handling, reason=event.reason))


def sent_off(state: Authorised, event: ReturnSent) -> InTransit:
    return InTransit(state.wish, state.goods, _tracked(state, event))


def sent(state: K, event: ReturnSent) -> K:
    """In any other state it changes nothing but the tracking number."""
    return evolve(state, handling=_tracked(state, event))


def _tracked(state: HasReturn, event: ReturnSent) -> Handling:
    return evolve(state.handling, tracking=event.tracking or state.handling.tracking)


def exchange_linked(state: K, event: ExchangeLinked) -> K:
    return evolve(state, handling=evolve(state.handling, exchange=event.order))
