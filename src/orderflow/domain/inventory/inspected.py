"""Units set aside that wait in returns: only the inspection there decides what becomes of them."""

from __future__ import annotations

from attrs import evolve

from orderflow.domain.engine.bounds import Name, Quantity
from orderflow.domain.engine.record import Event, Fields, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.counting import QuarantineReleased, UnitsDiscarded
from orderflow.domain.inventory.level import Row, StockLevel, level_of
from orderflow.domain.inventory.stock import first_found, no_more_than
from orderflow.errors import Refusal


class _Returned(Fields):
    quantity: Quantity
    document: Name = ""


class ClaimReturned(_Returned, Internal):
    """Note that units which the dock took in wait in a return now. It is a fact, whatever is set aside."""


class ReturnedClaimed(_Returned, Event):
    """Units wait in a return; ``aside`` of them were not set aside any more."""

    aside: int = 0


class KeepReturned(_Returned, Internal):
    """Note that inspected units stay set aside."""


class ReturnedKept(_Returned, Event):
    """Inspected units stay set aside."""


class ReleaseReturned(_Returned, Internal):
    """Put inspected units on sale."""


class DiscardReturned(Internal):
    """Note that inspected units are gone: thrown away, or sent back. It is a fact, whatever is on hand."""

    quantity: Quantity
    reason: Name = ""
    document: Name = ""


Inspected = KeepReturned | ReleaseReturned | DiscardReturned


def wait_in_returns(state: StockLevel, command: Inspected, stamp: Stamp) -> Refusal | None:
    """Only units that wait in a return are inspected."""
    return no_more_than(state.in_returns, command.quantity, "not_in_returns", "{wanted} inspected, {found} in returns")


def claim(state: Row, command: ClaimReturned, stamp: Stamp) -> ReturnedClaimed:
    s = level_of(state)
    aside = max(0, command.quantity - (s.quarantined - s.in_returns))
    return ReturnedClaimed(command.quantity, command.document, aside)


def claimed(state: Row, event: ReturnedClaimed) -> StockLevel:
    s = level_of(state)
    return evolve(
        s,
        quarantined=s.quarantined + event.aside,
        in_returns=s.in_returns + event.quantity,
        recount=s.recount or event.aside > 0,
    )


def kept(state: StockLevel, event: ReturnedKept) -> StockLevel:
    return evolve(state, in_returns=state.in_returns - event.quantity)


def release(state: StockLevel, command: ReleaseReturned, stamp: Stamp) -> QuarantineReleased:
    return QuarantineReleased(command.quantity, command.document, in_return=True)


def discard(state: StockLevel, command: DiscardReturned, stamp: Stamp) -> UnitsDiscarded:
    """What is gone was there: units that nobody knew to be on hand are found first."""
    quantity, reason, document = command.quantity, command.reason, command.document
    return UnitsDiscarded(quantity, reason, document, *first_found(state, command, stamp), in_return=True)
