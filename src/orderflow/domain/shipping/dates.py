"""Dates that cannot be: they are recorded as they were told, and somebody is asked to look."""

from __future__ import annotations

from datetime import datetime

from orderflow.domain.shipping.state import Tracking
from orderflow.domain.values import Task


def questioned(tracking: Tracking, code: str, after: tuple[str, datetime], before: tuple[str, datetime]) -> Tracking:
    """With a task, if what must have come ``after`` is dated earlier than what came ``before`` it."""
    if after[1] >= before[1]:
        return tracking
    return tracking.tasked(Task(code, tuple([(name, at.isoformat()) for name, at in (after, before)])))
