"""What importing costs, in fresh processes: the library against attrs, a bare interpreter taken off both."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Final

from _measure import Costs, Goal, compare, print_head

ROUNDS: Final = 15
STATEMENTS: Final = {
    "bare": "",
    "attrs": "import attrs",
    "orderflow": "import orderflow",
    "shop": "from orderflow import MemoryStorage, OrderFlow",
}


def started(statement: str) -> float:
    """Seconds until a fresh interpreter has carried out ``statement`` and ended."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def measure() -> Costs:
    """Each statement's own seconds in every round; the first round, which may compile, does not count."""
    turns = [{name: started(text) for name, text in STATEMENTS.items()} for _ in range(ROUNDS + 1)][1:]
    return {name: [turn[name] - turn["bare"] for turn in turns] for name in STATEMENTS if name != "bare"}


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    costs = measure()
    print_head("Imports in fresh processes", "wall time")
    met = compare(Goal("import orderflow", "orderflow", "attrs", most=3), costs, _milli)
    compare(Goal("OrderFlow and MemoryStorage from it", "shop", "attrs"), costs, _milli)
    return 0 if met else 1


def _milli(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


if __name__ == "__main__":
    sys.exit(main())
