"""When to order more of an article at a location (発注点), and how much is right (適正在庫)."""

from __future__ import annotations

from attrs import evolve

from orderflow.domain.engine.bounds import Count
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Fields
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.level import Row, StockLevel, level_of
from orderflow.errors import Refusal

__all__ = ["ReorderLevelsSet", "SetReorderLevels"]


class _Levels(Fields):
    """``reorder_point``: order more at or below it, None: never. ``target``: how many are right."""

    reorder_point: Count | None = None
    target: Count = 0


class SetReorderLevels(_Levels, Command):
    """Say when to order more, and up to how many."""


class ReorderLevelsSet(_Levels, Event):
    """It was said when to order more."""


def reaches_above(state: Row, command: SetReorderLevels, stamp: Stamp) -> Refusal | None:
    """What is ordered brings the row above the point at which more is ordered."""
    point = command.reorder_point
    if point is None or command.target > point:
        return None
    return refuse("target_too_low", "a target of {target} is not above {point}", target=command.target, point=point)


def levels_set(state: Row, event: ReorderLevelsSet) -> StockLevel:
    return evolve(level_of(state), reorder_point=event.reorder_point, target=event.target)
