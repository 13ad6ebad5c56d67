"""Identifier sources: time-ordered UUIDs, and plain numbers for tests."""

from __future__ import annotations

import os
import secrets
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from itertools import count

__all__ = ["SequenceIds", "Uuid7Ids"]

_COUNTER_BITS = 42
_TAIL_BITS = 32
_VERSION_7 = 7 << 76
_VARIANT_RFC = 0b10 << 62


def _system_milliseconds() -> int:
    return time.time_ns() // 1_000_000


class Uuid7Ids:
    """UUID version 7: 48 bits of milliseconds, a 42-bit counter, 32 random bits.

    The counter follows RFC 9562 section 6.2, method 1 (fixed bit-length dedicated counter): each new millisecond seeds
    it with 41 random bits, the top bit kept clear as a guard against rollover; within a millisecond it increments. If
    it rolls over all the same, the timestamp runs one millisecond ahead; if the clock goes back, the timestamp stays.
    So the ids of one source only ever grow, in any number of threads; a forked child starts a counter of its own.

    ``milliseconds`` returns the Unix time; ``random_bits(n)`` returns n random bits.
    """

    def __init__(
        self,
        milliseconds: Callable[[], int] = _system_milliseconds,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        self._milliseconds, self._random_bits = milliseconds, random_bits
        self._lock, self._timestamp, self._counter = threading.Lock(), -1, 0
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=partial(_forget, weakref.ref(self)))

    def new(self) -> str:
        """A UUIDv7 in its usual 36 characters, greater than all before it."""
        with self._lock:
            self._tick()
            timestamp, counter = self._timestamp, self._counter
        high = timestamp << 80 | _VERSION_7 | counter >> 30 << 64
        low = _VARIANT_RFC | (counter & 0x3FFF_FFFF) << _TAIL_BITS | self._random_bits(_TAIL_BITS)
        text = f"{high | low:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _tick(self) -> None:
        """Moves to the next timestamp and counter; the caller holds the lock."""
        now = self._milliseconds()
        if now > self._timestamp:
            self._timestamp, self._counter = now, self._seed()
            return
        self._counter += 1
        if self._counter >> _COUNTER_BITS:
            self._timestamp, self._counter = self._timestamp + 1, self._seed()

    def _seed(self) -> int:
        return self._random_bits(_COUNTER_BITS - 1)

    def forget(self) -> None:
        """Starts over, as a forked child must: without its parent's counter, or a lock held by a parent's thread."""
        self._lock, self._timestamp, self._counter = threading.Lock(), -1, 0


def _forget(source: weakref.ref[Uuid7Ids]) -> None:
    """Runs in the child after a fork; the reference is weak so that an unused source can be freed."""
    if ids := source():
        ids.forget()


class SequenceIds:
    """``prefix-1``, ``prefix-2``, ...: readable ids for tests and examples. Use a new source for each run."""

    def __init__(self, prefix: str = "id") -> None:
        self._prefix, self._numbers = prefix, count(1)

    def new(self) -> str:
        """The prefix with the next number."""
        return f"{self._prefix}-{next(self._numbers)}"
