"""What the benchmarks share: contenders take turns, so that noise hits all of them; ratios are taken pair by pair."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

__all__ = ["Clock", "Costs", "Goal", "Work", "compare", "interleaved", "micro", "print_head", "process", "wall"]

#: Does a piece of work and gives the number of orders (or what is counted) it was.
Work: TypeAlias = Callable[[], int]
Clock: TypeAlias = Callable[[], float]
#: Seconds for each order, one figure for each round, by contender.
Costs: TypeAlias = Mapping[str, Sequence[float]]

#: For work that waits for the disk.
wall: Final[Clock] = time.perf_counter
#: For work of the processor alone: what others do meanwhile does not count.
process: Final[Clock] = time.process_time


class Goal(NamedTuple):
    """A contender against its floor. ``most`` bounds its cost, ``least`` its rate, as multiples of the floor's."""

    name: str
    contender: str
    floor: str
    most: float | None = None
    least: float | None = None


def interleaved(contenders: Mapping[str, Work], *, seconds: float, rounds: int, clock: Clock) -> Costs:
    """Every contender in turn for ``seconds`` each, ``rounds`` times after a round that does not count."""
    costs: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, work in contenders.items():
            cost = _slice(work, seconds if turn else seconds / 4, clock)
            if turn:
                costs[name].append(cost)
    return costs


def _slice(work: Work, seconds: float, clock: Clock) -> float:
    done, start = 0, clock()
    while (spent := clock() - start) < seconds:
        done += work()
    return spent / done


def print_head(title: str, clock: Clock) -> None:
    """A title over the columns of :func:`compare`."""
    kind = "processor time" if clock is process else "wall time"
    print(f"\n{title} ({kind}; median of paired ratios, [smallest, largest])")
    print(f"{'':44}{'measured':>14}{'floor':>14}{'ratio':>8}{'':16}{'goal':>9}")


def compare(goal: Goal, costs: Costs, show: Callable[[float], str]) -> bool:
    """Print the line of a goal; whether it is met. A goal without bounds is for information, and is met."""
    ours, floors = costs[goal.contender], costs[goal.floor]
    by_rate = goal.most is None
    ratios = [floor / our if by_rate else our / floor for our, floor in zip(ours, floors, strict=True)]
    ratio = statistics.median(ratios)
    met = _met(goal, ratio)
    verdict = f"{_bound(goal):>9} {'ok' if met else 'MISSED'}" if _bound(goal) else ""
    print(
        f"{goal.name:44}{show(statistics.median(ours)):>14}{show(statistics.median(floors)):>14}{ratio:>8.2f}"
        f"{f'[{min(ratios):.2f}, {max(ratios):.2f}]':>16}{verdict}"
    )
    return met


def _met(goal: Goal, ratio: float) -> bool:
    return (goal.most is None or ratio <= goal.most) and (goal.least is None or ratio >= goal.least)


def _bound(goal: Goal) -> str:
    if goal.most is not None:
        return f"<= {goal.most:g}"
    return f">= {goal.least:g}" if goal.least is not None else ""


def micro(seconds: float) -> str:
    """Seconds as microseconds."""
    return f"{seconds * 1e6:.1f} us"
