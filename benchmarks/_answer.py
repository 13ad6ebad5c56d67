"""One side's end of the line to ``bench_before``: a name and seconds come in, seconds for each piece of work go out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping

__all__ = ["answer"]


def answer(works: Mapping[str, Callable[[], object]]) -> None:
    """Do the named work for so long, in processor time, until nothing more is asked."""
    for line in sys.stdin:
        name, seconds = line.split()
        print(_slice(works[name], float(seconds)), flush=True)


def _slice(work: Callable[[], object], seconds: float) -> float:
    done, start = 0, time.process_time()
    while (worked := time.process_time() - start) < seconds:
        for _ in range(10):
            work()
        done += 10
    return worked / done
