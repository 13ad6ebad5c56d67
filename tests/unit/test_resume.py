"""A run that is cut off anywhere and started again ends with the content of a run in one go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.adapters.storage.unit import SqliteUnit
from orderflow.importing.jsonl import JsonLinesFile
from orderflow.importing.pipeline import Pipeline
from orderflow.importing.wiring import import_workflow, shop_for, start_clock, storage_at
from orderflow_examples.digest import content_digest
from orderflow_examples.sample import write_sample
from orderflow_examples.sample_data import LOCATIONS

#: Of the sample: a split order, services only, total 0.00, back-orders that a receipt fills, what comes back, a fault.
TAKEN = (
    *(f"A-{n:05}" for n in (1, 3, 5, 7, 8, 11, 20, 35, 50, 61)), "C-001", "F-001", "J-001", "R-000", "R-001",
)  # fmt: skip

#: Where a run touches the disk.
WRITES: tuple[tuple[type[Any], str], ...] = ((SqliteUnit, "commit"), (SqliteStorage, "lease"))


class CutOff(BaseException):
    """The power went."""


class Power:
    """Goes at the ``last`` write to the disk, before it or right after it is durable."""

    def __init__(self) -> None:
        self.writes, self.last, self.after = 0, 0, False

    def wired(self, write: Callable[..., Any]) -> Callable[..., Any]:
        """The write, until the power goes."""

        def write_or_fail(*args: Any, **more: Any) -> Any:
            self.writes += 1
            if self.writes == self.last and not self.after:
                raise CutOff
            answer = write(*args, **more)
            if self.writes == self.last:
                raise CutOff
            return answer

        return write_or_fail


@pytest.fixture
def power(monkeypatch: pytest.MonkeyPatch) -> Power:
    """What every write to the disk depends on."""
    power = Power()
    for owner, name in WRITES:
        monkeypatch.setattr(owner, name, power.wired(getattr(owner, name)))
    return power


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small cut of the sample."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder / "whole.jsonl", orders=64)
    lines = (folder / "whole.jsonl").read_text("utf-8").splitlines(keepends=True)
    cut = folder / "cut.jsonl"
    cut.write_text("".join(line for line in lines if any(f'"number": "{name}"' in line for name in TAKEN)), "utf-8")
    return cut


def work(file: Path, database: Path) -> Pipeline:
    """Run the file into the database."""
    workflow, clock = import_workflow(), start_clock()
    storage = storage_at(database, workflow)
    try:
        shop = shop_for(storage, workflow, clock, notifier=MemoryNotifier(), locations=LOCATIONS)
        pipeline = Pipeline(shop, JsonLinesFile(file), clock, "orderflow")
        pipeline.run()
    finally:
        storage.close()
    return pipeline


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before it", "after it"])
def test_a_run_cut_off_at_any_write_ends_with_the_same_content(
    tmp_path: Path, file: Path, power: Power, *, after: bool
) -> None:
    """Whichever write to the disk is the last, and durable or not, a second run completes what the first began."""
    assert work(file, tmp_path / "whole.db").refused == []
    whole = content_digest(tmp_path / "whole.db")
    writes = power.writes
    assert writes > 40
    power.after = after
    for last in range(1, writes + 1):
        power.writes, power.last = 0, last
        database = tmp_path / f"cut-{last}.db"
        with pytest.raises(CutOff):
            work(file, database)
        power.last = 0
        work(file, database)
        assert content_digest(database) == whole, f"cut off at write {last} of {writes}"
