"""Clocks: the machine's, and one that a test or a replay sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orderflow.errors import InputError

__all__ = ["FixedClock", "SystemClock"]


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is told to move.

    Raises:
        InputError: a moment without a time zone was given.
    """

    def __init__(self, at: datetime) -> None:
        self._at = _in_utc(at)

    def now(self) -> datetime:
        """The moment it was last set to, in UTC."""
        return self._at

    def set(self, at: datetime) -> None:
        """Jumps to an aware moment, earlier or later."""
        self._at = _in_utc(at)

    def advance(self, by: timedelta) -> None:
        """Moves on by a span of time."""
        self._at += by


def _in_utc(at: datetime) -> datetime:
    if at.tzinfo is None or at.utcoffset() is None:
        raise InputError.at("at", "naive_time", "a time needs a time zone")
    return at.astimezone(UTC)
