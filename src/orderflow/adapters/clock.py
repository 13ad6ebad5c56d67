"""Clocks: the system's, and one that a test or a replay sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orderflow.errors import InputError

__all__ = ["FixedClock", "SystemClock"]


class SystemClock:
    """The system clock."""

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is set or advanced.

    Raises:
        InputError: the given time has no time zone.
    """

    def __init__(self, at: datetime) -> None:
        self._at = _in_utc(at)

    def now(self) -> datetime:
        """The time it is set to, in UTC."""
        return self._at

    def set(self, at: datetime) -> None:
        """Jumps to an aware time, earlier or later."""
        self._at = _in_utc(at)

    def advance(self, by: timedelta) -> None:
        """Moves on by a span of time."""
        self._at += by


def _in_utc(at: datetime) -> datetime:
    if at.tzinfo is None or at.utcoffset() is None:
        raise InputError.at("at", "naive_time", "a time needs a time zone")
    return at.astimezone(UTC)
