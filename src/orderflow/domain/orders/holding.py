"""Holds: a named reason closes one gate of the order, or of one line, until it is released or runs out."""

from __future__ import annotations

from typing import TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Count
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Fields
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders.content import Gate, Hold, HoldReason
from orderflow.domain.orders.state import Draft, HasProgress, Working
from orderflow.errors import Refusal

K = TypeVar("K", bound=HasProgress)
Holding: TypeAlias = Draft | Working


class _Hold(Fields):
    hold: Hold


class PlaceHold(_Hold, Command):
    """Close a gate."""


class HoldPlaced(_Hold, Event):
    """A gate was closed."""


class ReleaseHold(Command):
    """Open a gate again."""

    reason: HoldReason
    gate: Gate
    line: Count = 0


class HoldReleased(_Hold, Event):
    """A gate was opened."""


def hold_is_new(state: Holding, command: PlaceHold, stamp: Stamp) -> Refusal | None:
    """The same hold cannot be placed twice."""
    hold = command.hold
    if _found(state, hold.reason, hold.gate, hold.line) is None:
        return None
    facts = {"gate": hold.gate.value, "reason": hold.reason.value}
    return refuse("already_held", "already held at {gate}: {reason}", **facts)


def hold_stands(state: Holding, command: ReleaseHold, stamp: Stamp) -> Refusal | None:
    """Only a hold in force can be released."""
    if _found(state, command.reason, command.gate, command.line) is not None:
        return None
    facts = {"gate": command.gate.value, "reason": command.reason.value}
    return refuse("no_such_hold", "there is no hold at {gate}: {reason}", **facts)


def _found(state: Holding, reason: HoldReason, gate: Gate, line: int) -> Hold | None:
    asked = (reason, gate, line)
    return next((hold for hold in _holds(state) if (hold.reason, hold.gate, hold.line) == asked), None)


def _holds(state: Holding) -> tuple[Hold, ...]:
    return state.holds if isinstance(state, Draft) else state.progress.holds


def draft_held(state: Draft, event: HoldPlaced) -> Draft:
    return Draft(state.content, (*state.holds, event.hold))


def hold_placed(state: K, event: HoldPlaced) -> K:
    return state.with_progress(evolve(state.progress, holds=(*state.progress.holds, event.hold)))


def release_hold(state: Holding, command: ReleaseHold, stamp: Stamp) -> HoldReleased:
    hold = _found(state, command.reason, command.gate, command.line)
    assert hold is not None, "guarded by hold_stands"
    return HoldReleased(hold)


def draft_freed(state: Draft, event: HoldReleased) -> Draft:
    return Draft(state.content, tuple([hold for hold in state.holds if hold != event.hold]))


def hold_released(state: K, event: HoldReleased) -> K:
    holds = tuple([hold for hold in state.progress.holds if hold != event.hold])
    return state.with_progress(evolve(state.progress, holds=holds))
