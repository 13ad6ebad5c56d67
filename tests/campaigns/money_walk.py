"""Hold the library against the independent model of the money law for as many operations as wanted.

python tests/campaigns/money_walk.py --steps 1000000 --seed 1
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / folder) for folder in ("model", "cases", "flows")]

from money_driver import walk  # noqa: E402 - found by the path above

from orderflow.adapters.storage.memory import MemoryStorage  # noqa: E402


def main() -> None:
    """Walk until so many operations were carried out, or refused by both; the first disagreement ends it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=1_000_000, help="operations in all")
    parser.add_argument("--seed", type=int, default=1, help="where the seeds begin")
    parser.add_argument("--length", type=int, default=30, help="operations tried on one order")
    given = parser.parse_args()
    began, done, seed = time.perf_counter(), 0, given.seed
    while done < given.steps:
        try:
            done += walk(MemoryStorage(), seed, given.length)
        except Exception:
            print(f"seed {seed} disagrees, after {done} operations")
            raise
        seed += 1
    seconds = time.perf_counter() - began
    print(f"{done} operations on {seed - given.seed} orders agree, {seconds:.0f} s")


if __name__ == "__main__":
    main()
