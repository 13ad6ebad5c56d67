"""Holds: an order, or one line of it, is kept from passing a gate until the hold is released or ends."""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.schema import Count
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders.content import Gate, Hold, HoldReason
from orderflow.domain.orders.guards import Working
from orderflow.domain.orders.state import Draft, Open, Same
from orderflow.errors import Refusal

__all__ = [
    "HoldPlaced",
    "HoldReleased",
    "PlaceHold",
    "ReleaseHold",
    "draft_freed",
    "draft_held",
    "hold_is_new",
    "hold_placed",
    "hold_released",
    "hold_stands",
    "place_hold",
    "release_hold",
]


def hold_is_new(state: Any, command: PlaceHold, stamp: Stamp) -> Refusal | None:
    """The same hold is not placed twice."""
    hold = command.hold
    if any(_same(hold, other) for other in _holds(state)):
        return refuse(
            "already_held", "held at {gate} for {reason} already", gate=hold.gate.value, reason=hold.reason.value
        )
    return None


def hold_stands(state: Any, command: ReleaseHold, stamp: Stamp) -> Refusal | None:
    """Only a hold that stands can be released."""
    wanted = Hold(command.reason, command.gate, command.line)
    if any(_same(wanted, other) for other in _holds(state)):
        return None
    return refuse(
        "no_such_hold", "no hold at {gate} for {reason}", gate=command.gate.value, reason=command.reason.value
    )


def _same(hold: Hold, other: Hold) -> bool:
    return (hold.reason, hold.gate, hold.line) == (other.reason, other.gate, other.line)


def _holds(state: Working | Draft) -> tuple[Hold, ...]:
    return state.holds if isinstance(state, Draft) else state.progress.holds


@frozen
class PlaceHold:
    """Close a gate."""

    hold: Hold


@frozen
class ReleaseHold:
    """Open a gate again."""

    reason: HoldReason
    gate: Gate
    line: Count = 0


@frozen
class HoldPlaced:
    """A gate was closed."""

    hold: Hold


@frozen
class HoldReleased:
    """A gate was opened."""

    hold: Hold


def place_hold(state: Draft | Open, command: PlaceHold, stamp: Stamp) -> HoldPlaced:
    """What ``PlaceHold`` becomes."""
    return HoldPlaced(command.hold)


def draft_held(state: Draft, event: HoldPlaced) -> Draft:
    """The order after ``HoldPlaced``."""
    return Draft(state.content, (*state.holds, event.hold))


def hold_placed(state: Same, event: HoldPlaced) -> Same:
    """The order after ``HoldPlaced``."""
    return state.with_progress(evolve(state.progress, holds=(*state.progress.holds, event.hold)))


def release_hold(state: Draft | Open, command: ReleaseHold, stamp: Stamp) -> HoldReleased:
    """What ``ReleaseHold`` becomes."""
    holds = state.holds if isinstance(state, Draft) else state.progress.holds
    asked = (command.reason, command.gate, command.line)
    return HoldReleased(next(hold for hold in holds if (hold.reason, hold.gate, hold.line) == asked))


def draft_freed(state: Draft, event: HoldReleased) -> Draft:
    """The order after ``HoldReleased``."""
    return Draft(state.content, tuple(hold for hold in state.holds if hold != event.hold))


def hold_released(state: Same, event: HoldReleased) -> Same:
    """The order after ``HoldReleased``."""
    holds = tuple(hold for hold in state.progress.holds if hold != event.hold)
    return state.with_progress(evolve(state.progress, holds=holds))
