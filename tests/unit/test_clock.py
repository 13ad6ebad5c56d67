"""The clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from orderflow.adapters.clock import FixedClock, SystemClock
from orderflow.errors import InputError
from orderflow.ports.clock import Clock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_system_clock_tells_the_present_in_utc() -> None:
    """The machine's time lies between two readings of it and is in UTC."""
    clock: Clock = SystemClock()
    before, now, after = datetime.now(UTC), clock.now(), datetime.now(UTC)
    assert before <= now <= after
    assert now.tzinfo is UTC


def test_a_fixed_clock_stands_still() -> None:
    """A fixed clock says the same until it is moved."""
    clock: Clock = FixedClock(NOON)
    assert clock.now() == clock.now() == NOON


def test_a_fixed_clock_moves_when_told() -> None:
    """It can be advanced by a span and set to any moment."""
    clock = FixedClock(NOON)
    clock.advance(timedelta(hours=2))
    assert clock.now() == NOON + timedelta(hours=2)
    clock.set(NOON - timedelta(days=1))
    assert clock.now() == NOON - timedelta(days=1)


def test_a_fixed_clock_speaks_utc_whatever_zone_it_was_given() -> None:
    """A moment in another zone is the same moment, told in UTC."""
    clock = FixedClock(NOON.astimezone(timezone(timedelta(hours=9))))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC


def test_a_moment_without_zone_is_refused() -> None:
    """A naive time is ambiguous, at the start and later."""
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(InputError, match="time zone"):
        FixedClock(naive)
    with pytest.raises(InputError, match="time zone"):
        FixedClock(NOON).set(naive)
