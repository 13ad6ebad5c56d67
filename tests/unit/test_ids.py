"""Time-ordered identifiers, after RFC 9562."""

from __future__ import annotations

import gc
import os
import sys
import time
import uuid
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderflow.adapters.ids import SequenceIds, Uuid7Ids
from orderflow.ports.ids import IdSource

MOMENT = 0x017F22E279B0
"""The timestamp of the example in RFC 9562, appendix A.6, in milliseconds."""


def all_ones(bits: int) -> int:
    """The highest value a random source can give."""
    return (1 << bits) - 1


def readings(*milliseconds: int) -> Callable[[], int]:
    """A clock that shows the given times one after the other."""
    times = iter(milliseconds)
    return lambda: next(times)


def test_the_layout_is_that_of_the_rfc() -> None:
    """48 bits of time, version 7, variant 10: section 5.7, with the time of the example in appendix A.6."""
    text = Uuid7Ids(lambda: MOMENT, lambda bits: 0).new()
    assert text == "017f22e2-79b0-7000-8000-000000000000"


def test_the_standard_library_reads_it_as_version_7() -> None:
    """Version and variant survive whatever the counter and the tail hold."""
    read = uuid.UUID(Uuid7Ids(lambda: MOMENT, all_ones).new())
    assert (read.version, read.variant) == (7, uuid.RFC_4122)
    assert read.int >> 80 == MOMENT


def test_the_time_is_the_present() -> None:
    """Without a clock of the caller's, the first 48 bits are the Unix time in milliseconds."""
    before = time.time_ns() // 1_000_000
    stamp = uuid.UUID(Uuid7Ids().new()).int >> 80
    assert before <= stamp <= time.time_ns() // 1_000_000


def test_the_top_bit_of_a_fresh_counter_is_clear() -> None:
    """Section 6.2: a guard bit keeps a counter from rolling over at once."""
    first = uuid.UUID(Uuid7Ids(lambda: MOMENT, all_ones).new())
    assert first.int >> 75 & 1 == 0


def test_within_a_millisecond_it_counts_on() -> None:
    """Ids of one millisecond differ by one in the counter."""
    ids = Uuid7Ids(lambda: MOMENT, lambda bits: 0)
    ids.new()
    assert ids.new() == "017f22e2-79b0-7000-8000-000100000000"


def test_a_counter_that_rolls_over_moves_the_time_ahead() -> None:
    """Section 6.2, counter rollover: the timestamp may run ahead of the clock rather than repeat."""
    ids = Uuid7Ids(lambda: MOMENT, all_ones)
    ids._timestamp, ids._counter = MOMENT, (1 << 42) - 1
    assert uuid.UUID(ids.new()).int >> 80 == MOMENT + 1


@given(st.lists(st.integers(0, 2**47), min_size=2, max_size=50))
def test_ids_grow_wherever_the_clock_goes(times: list[int]) -> None:
    """Each id sorts after the one before, as text too, though the clock stands still or goes back."""
    ids = Uuid7Ids(readings(*times))
    made = [ids.new() for _ in times]
    assert made == sorted(set(made))


def test_threads_share_a_source_without_repeats() -> None:
    """Eight threads draw 16,000 ids, all different, each thread's own in growing order."""
    ids = Uuid7Ids(lambda: MOMENT, lambda bits: 0)
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda _: [ids.new() for _ in range(2_000)], range(8)))
    assert all(part == sorted(part) for part in parts)
    assert len({made for part in parts for made in part}) == 16_000


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_goes_its_own_way() -> None:
    """Parent and child share no counter, and the child does not wait for a lock held elsewhere."""
    ids = Uuid7Ids(lambda: MOMENT)
    ids.new()
    reader, writer = os.pipe()
    with ids._lock:
        child = os.fork()
        if child == 0:
            os.write(writer, ids.new().encode())
            os._exit(0)
    os.waitpid(child, 0)
    theirs, ours = uuid.UUID(os.read(reader, 36).decode()), uuid.UUID(ids.new())
    os.close(reader)
    os.close(writer)
    assert theirs.int >> 32 != ours.int >> 32


def test_a_source_that_nobody_uses_is_let_go() -> None:
    """The fork hook does not keep a source alive."""
    ids = Uuid7Ids()
    gone = weakref.ref(ids)
    del ids
    gc.collect()
    assert gone() is None


def test_sequence_ids_count_from_one() -> None:
    """Readable ids for tests: prefix and number."""
    ids: IdSource = SequenceIds("order")
    assert [ids.new(), ids.new()] == ["order-1", "order-2"]
