"""The UCI Online Retail file from intake to completed, by the code of ``orderflow run``.

Its goals are absolute, there is no floor. Needs the file beside the project and the extra ``cli``; without the file it
says so and ends.
"""

from __future__ import annotations

import itertools
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from _measure import verdict
from attrs import define, field

from orderflow.batch.documents import Document, OrderDocument, Source
from orderflow.batch.pipeline import Pipeline
from orderflow.batch.uci import UciFile
from orderflow.batch.wiring import batch_book, carrier, notifier_for, shop_for, start_clock, storage_at
from orderflow.cli.run import work
from orderflow.facade import Do, OrderFlow
from orderflow.flows.handle import Outcome
from orderflow.flows.relay import RelayReport
from orderflow.ports.storage import Message

FILE: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "uci_online_retail_2010-12_2011-05.csv.gz"
PART: Final = 1000
SINGLE_DOCUMENTS: Final = 500
LEAST_RATE, MOST_MEGABYTES, MOST_DATABASE_MEGABYTES, MOST_SLOWDOWN = 150, 200, 250, 1.2


class Mark(NamedTuple):
    """The moment an order was taken from the file, by two clocks, and the lines taken before it."""

    wall: float
    processor: float
    lines: int


@define
class Watched:
    """A source that notes when each order is taken from it; up to ``limit`` documents."""

    source: Source
    limit: int | None = None
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
    def zone(self) -> str:
        """The source's."""
        return self.source.zone

    def count(self) -> int:
        """Documents there are."""
        return self.source.count() if self.limit is None else min(self.limit, self.source.count())

    def documents(self) -> Iterator[Document]:
        """The source's documents, watched."""
        lines = 0
        for document in itertools.islice(self.source.documents(), self.limit):
            if isinstance(document, OrderDocument):
                self.marks.append(Mark(time.perf_counter(), time.process_time(), lines))
                lines += len(document.basket.lines)
            yield document


class OneByOne(OrderFlow):
    """A shop that commits each command on its own, whatever the group it came in."""

    def handle_many(self, commands: Sequence[Do]) -> list[Outcome]:
        """Each command's own outcome."""
        return [outcome for command in commands for outcome in super(OneByOne, self).handle_many([command])]

    def allocate(self, *wishes: str | Do) -> list[Outcome]:
        """Each order's own outcome."""
        return [outcome for wish in wishes for outcome in super(OneByOne, self).allocate(wish)]

    def relay(self, limit: int = 1, *, time_of: Callable[[Message], datetime] | None = None) -> RelayReport:
        """One effect."""
        return super().relay(1, time_of=time_of)


def whole(folder: Path) -> bool:
    """The whole file as the command line works it; whether its goals are met."""
    source, database = Watched(UciFile(FILE)), folder / "shop.db"
    found = work(source, database, receive=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = database.stat().st_size / 1e6
    first, last = _part(source.marks, 0), _part(source.marks, len(source.marks) - 1 - PART)
    print(f"\n{found['documents']['orders']} orders, {found['lines']} lines in {found['seconds']} s")
    rate = found["orders_per_second"]
    return all(
        [
            _line("orders a second, file to completed", rate, f">= {LEAST_RATE}", rate >= LEAST_RATE),
            _line("peak memory, MB", peak, f"<= {MOST_MEGABYTES}", peak <= MOST_MEGABYTES),
            _line("database, MB", size, f"<= {MOST_DATABASE_MEGABYTES}", size <= MOST_DATABASE_MEGABYTES),
            _slowdown(first, last),
        ]
    )


def _part(marks: Sequence[Mark], start: int) -> Mark:
    """What a thousand orders took, and their lines."""
    begin, end = marks[start], marks[start + PART]
    return Mark(end.wall - begin.wall, end.processor - begin.processor, end.lines - begin.lines)


def _slowdown(first: Mark, last: Mark) -> bool:
    """Compared by processor time, as the machine is not ours alone. Orders differ in size: see the time a line too."""
    for name, part in (("first", first), ("last", last)):
        each, per_line = part.processor / PART * 1e3, part.processor / part.lines * 1e6
        print(
            f"{f'{name} thousand orders':44}{each:>9.2f} ms each, {per_line:.0f} us a line, {PART / part.wall:.1f} /s"
        )
    slowdown = last.processor / first.processor
    return _line("last against first, processor time", slowdown, f"<= {MOST_SLOWDOWN}", slowdown <= MOST_SLOWDOWN)


def _line(name: str, value: float, bound: str, met: bool) -> bool:  # noqa: FBT001
    print(f"{name:44}{value:>9.2f}{bound:>12}{verdict(met)}")
    return met


def singly(folder: Path) -> None:
    """The first documents with one command a commit, for comparison."""
    source, database = Watched(UciFile(FILE), SINGLE_DOCUMENTS), folder / "single.db"
    book, clock = batch_book(), start_clock()
    storage = storage_at(database, book)
    notifier = notifier_for(database, None)
    grouped = shop_for(storage, book, clock, notifier=notifier)
    shop = OneByOne(
        storage,
        book=book,
        carriers=[carrier()],
        notifier=notifier,
        clock=clock,
        plans=grouped.plans,
        actor="batch",
        lease_seconds=0,
    )
    pipeline, began = Pipeline(shop, source, clock, source.channel, receive=True), time.perf_counter()
    pipeline.run()
    rate = pipeline.worked / (time.perf_counter() - began)
    storage.close()
    print(f"{f'orders a second, first {SINGLE_DOCUMENTS} documents singly':44}{rate:>9.2f}")


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    if not FILE.exists():
        print(f"{FILE.name} is not there: nothing to measure")
        return 0
    with tempfile.TemporaryDirectory(prefix="orderflow-bench-") as place:
        met = whole(Path(place))
        singly(Path(place))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
