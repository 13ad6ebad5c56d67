"""The UCI Online Retail file from intake to completed, by the code of ``orderflow run``.

The floor is the lean one (``_lean_floor``), five commits an order, measured in pauses of the same run. Needs the file
beside the project and the extra ``cli``; without the file it says so and ends.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from _lean_floor import LeanFloor
from _measure import judge, print_head
from attrs import define, field

from orderflow.cli.run import work
from orderflow.importing.documents import Document, OrderDocument, Source
from orderflow_examples.uci import UciFile

FILE: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "uci_online_retail_2010-12_2011-05.csv.gz"
PART: Final = 1000
TENTHS: Final = 10
PAUSE_SECONDS: Final = 0.5
LEAST_RATIO, MOST_MEGABYTES, MOST_GROWTH, MOST_DATABASE_MEGABYTES, MOST_SLOWDOWN = 0.2, 180, 1.1, 250, 1.2


class Mark(NamedTuple):
    """The moment an order was taken from the file, by two clocks, and the lines taken before it."""

    wall: float
    processor: float
    lines: int


@define
class Pauses:
    """Pauses of a run, in which the floor is measured. Its clocks stand still meanwhile."""

    floor: LeanFloor
    rates: list[float] = field(factory=list[float])
    worked: list[float] = field(factory=list[float])
    megabytes: list[float] = field(factory=list[float])
    wall: float = 0
    processor: float = 0

    def clocks(self) -> tuple[float, float]:
        """Seconds by the wall and of the processor, without the pauses."""
        return time.perf_counter() - self.wall, time.process_time() - self.processor

    def take(self) -> None:
        """Note the peak of memory, and measure the floor for a while."""
        self.megabytes.append(_peak())
        before, worked, orders = time.perf_counter(), time.process_time(), 0
        while (waited := time.perf_counter() - before) < PAUSE_SECONDS:
            orders += self.floor.one()
        self.rates.append(orders / waited)
        spent = time.process_time() - worked
        self.worked.append(spent / orders)
        self.wall += time.perf_counter() - before
        self.processor += spent


@define
class Watched:
    """A source that notes when each order is taken from it, and pauses after each tenth of its documents."""

    source: Source
    pauses: Pauses
    marks: list[Mark] = field(factory=list[Mark])

    @property
    def path(self) -> Path:
        """The source's."""
        return self.source.path

    @property
    def channel(self) -> str:
        """The source's."""
        return self.source.channel

    @property
    def timezone(self) -> str:
        """The source's."""
        return self.source.timezone

    def count(self) -> int:
        """The source's."""
        return self.source.count()

    def documents(self) -> Iterator[Document]:
        """The source's documents, watched."""
        lines, tenth = 0, self.count() // TENTHS
        for number, document in enumerate(self.source.documents(), start=1):
            if isinstance(document, OrderDocument):
                self.marks.append(Mark(*self.pauses.clocks(), lines))
                lines += len(document.content.lines)
            yield document
            if number % tenth == 0:
                self.pauses.take()


def whole(folder: Path) -> bool:
    """The whole file as the command line works it; whether its goals are met."""
    pauses = Pauses(LeanFloor(folder / "lean.db"))
    source, database = Watched(UciFile(FILE), pauses), folder / "shop.db"
    began = time.process_time()
    found = work(source, database, receive=True)
    worked = time.process_time() - began - pauses.processor
    peak, size = _peak(), database.stat().st_size / 1e6
    orders, seconds = found["documents"]["orders"], found["seconds"] - pauses.wall
    rate, floor = orders / seconds, statistics.median(pauses.rates)
    print_head(f"{orders} orders, {found['lines']} lines in {seconds:.1f} s", "wall time")
    print("peak memory after each tenth, MB:", *[f"{tenth:.0f}" for tenth in pauses.megabytes])
    print(f"after the summary: {peak:.0f}")
    met = [
        judge(
            "orders a second against the lean floor",
            rate / floor,
            least=LEAST_RATIO,
            note=f"{rate:.0f} of {floor:.0f} /s",
        ),
        judge("the same by processor time", statistics.median(pauses.worked) / (worked / orders)),
        judge("peak memory, MB", peak, most=MOST_MEGABYTES),
        judge("the same, last tenth against first", pauses.megabytes[-1] / pauses.megabytes[0], most=MOST_GROWTH),
        judge("database, MB", size, most=MOST_DATABASE_MEGABYTES),
        _slowdown(_part(source.marks, 0), _part(source.marks, len(source.marks) - 1 - PART)),
    ]
    return all(met)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _part(marks: Sequence[Mark], start: int) -> Mark:
    """What a thousand orders took, and their lines."""
    begin, end = marks[start], marks[start + PART]
    return Mark(end.wall - begin.wall, end.processor - begin.processor, end.lines - begin.lines)


def _slowdown(first: Mark, last: Mark) -> bool:
    """Compared by processor time, as the machine is not ours alone. Orders differ in size: see the time a line too."""
    for name, part in (("first", first), ("last", last)):
        each, per_line = part.processor / PART * 1e3, part.processor / part.lines * 1e6
        print(f"{name} thousand orders: {each:.2f} ms each, {per_line:.0f} us a line, {PART / part.wall:.1f} /s")
    return judge("last against first, processor time", last.processor / first.processor, most=MOST_SLOWDOWN)


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    if not FILE.exists():
        print(f"{FILE.name} is not there: nothing to measure")
        return 0
    with tempfile.TemporaryDirectory(prefix="orderflow-bench-") as place:
        met = whole(Path(place))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
