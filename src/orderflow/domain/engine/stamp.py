"""The stamp: when, by whom and under which id a command is decided."""

from __future__ import annotations

from datetime import datetime

from orderflow.domain.engine.record import Record, replacing

__all__ = ["Stamp", "with_at"]


class Stamp(Record):
    """What the caller brings to a decision, so that no rule reads a clock or makes an id.

    ``at`` is aware UTC, the time that is recorded; ``occurred_at`` is when the source of a fact says it happened.
    """

    at: datetime
    actor: str
    command_id: str
    occurred_at: datetime | None = None

    @property
    def moment(self) -> datetime:
        """When it happened, for business dates: the time its source gives, else the time it is recorded."""
        return self.occurred_at or self.at


with_at = replacing(Stamp, lambda stamp: stamp.at)
