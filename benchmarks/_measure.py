"""What the benchmarks share: contenders take turns, so that noise hits all of them; ratios are taken pair by pair."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

__all__ = [
    "Costs",
    "Goal",
    "Measured",
    "Work",
    "compare",
    "interleaved",
    "judge",
    "micro",
    "milli",
    "print_head",
    "rate",
    "verdict",
]

#: Does a piece of work and gives the number of orders (or what is counted) it was.
Work: TypeAlias = Callable[[], int]
#: Seconds for each order, one figure for each round, by contender.
Costs: TypeAlias = Mapping[str, Sequence[float]]


class Goal(NamedTuple):
    """A contender against its floor. ``most`` bounds its cost, ``least`` its rate, as multiples of the floor's.

    A ``least`` of 0, or neither of them, is for information.
    """

    name: str
    contender: str
    floor: str
    most: float | None = None
    least: float | None = None

    @property
    def by_cost(self) -> bool:
        """Whether the ratio is of costs, not of rates."""
        return self.least is None


class Measured(NamedTuple):
    """The same slices by two clocks: ``processor`` is less disturbed by others, ``wall`` knows what the disk takes."""

    wall: Costs
    processor: Costs


def interleaved(contenders: Mapping[str, Work], *, seconds: float, rounds: int) -> Measured:
    """Every contender in turn for ``seconds`` each, ``rounds`` times after a round that does not count."""
    wall: dict[str, list[float]] = {name: [] for name in contenders}
    processor: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, work in contenders.items():
            waited, worked = _slice(work, seconds if turn else seconds / 4)
            if turn:
                wall[name].append(waited)
                processor[name].append(worked)
    return Measured(wall, processor)


def _slice(work: Work, seconds: float) -> tuple[float, float]:
    done, start, worked = 0, time.perf_counter(), time.process_time()
    while (waited := time.perf_counter() - start) < seconds:
        done += work()
    return waited / done, (time.process_time() - worked) / done


def print_head(title: str, clock: str) -> None:
    """A title over the columns of :func:`compare`."""
    print(f"\n{title} ({clock}; median of paired ratios, [smallest, largest])")
    print(f"{'':44}{'measured':>14}{'floor':>14}{'ratio':>8}{'':16}{'goal':>9}")


def compare(goal: Goal, costs: Costs, show: Callable[[float], str]) -> bool:
    """Print the line of a goal; whether it is met. Without a bound it is for information, and is met."""
    ours, floors = costs[goal.contender], costs[goal.floor]
    ratios = [our / floor if goal.by_cost else floor / our for our, floor in zip(ours, floors, strict=True)]
    ratio = statistics.median(ratios)
    met = (goal.most is None or ratio <= goal.most) and (goal.least is None or ratio >= goal.least)
    bound = f"<= {goal.most:g}" if goal.most else f">= {goal.least:g}" if goal.least else ""
    print(
        f"{goal.name:44}{show(statistics.median(ours)):>14}{show(statistics.median(floors)):>14}{ratio:>8.2f}"
        f"{f'[{min(ratios):.2f}, {max(ratios):.2f}]':>16}{bound:>9}{verdict(met) if bound else ''}"
    )
    return met


def verdict(met: bool) -> str:
    """The last word of a line."""
    return "  met" if met else "  MISSED"


def judge(name: str, value: float, *, most: float | None = None, least: float | None = None, note: str = "") -> bool:
    """Print the line of one figure under its bound; whether it is met."""
    met = (most is None or value <= most) and (least is None or value >= least)
    bound = f"<= {most:g}" if most is not None else f">= {least:g}" if least is not None else ""
    print(f"{name:44}{note:>28}{value:>8.2f}{'':16}{bound:>9}{verdict(met) if bound else ''}")
    return met


def micro(seconds: float) -> str:
    """Seconds as microseconds."""
    return f"{seconds * 1e6:.1f} us"


def milli(seconds: float) -> str:
    """Seconds as milliseconds."""
    return f"{seconds * 1e3:.1f} ms"


def rate(seconds: float) -> str:
    """Seconds for each of something, as so many a second."""
    return f"{1 / seconds:.0f} /s"
