"""The library and an independent model of the money law agree after every operation, refusals included."""

from __future__ import annotations

from pathlib import Path

import pytest
from money_driver import walk

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.sqlite import SqliteStorage

STEPS = 28


@pytest.mark.parametrize("block", range(8))
def test_the_library_agrees_with_the_model_in_memory(block: int) -> None:
    """Some 3,500 operations on orders with amounts that do not divide, in three currencies, at three tax levels."""
    assert sum(walk(MemoryStorage(), 100 * block + seed, STEPS) for seed in range(22)) > 300


@pytest.mark.parametrize("block", range(4))
def test_the_library_agrees_with_the_model_on_sqlite(tmp_path: Path, block: int) -> None:
    """Some 1,500 more, on a file."""
    count = 0
    for seed in range(18):
        storage = SqliteStorage(tmp_path / f"{seed}.db")
        count += walk(storage, 10_000 + 100 * block + seed, STEPS)
        storage.close()
    assert count > 250
