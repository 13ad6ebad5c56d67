"""This tree against the tag ``before-house``: the pure work of one placing and of one life, side by side.

Each side is a process of its own on its own tree (``before/side_old.py``, ``before/side_new.py``); they take turns.
Needs the tag, or the commit it stands for, in the repository; without it says so and ends.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from _measure import Costs, Goal, compare, micro, print_head

HERE: Final = Path(__file__).resolve().parent
REVISIONS: Final = ("before-house", "5d23e1c")
#: Fresh pairs of processes, and turns in each: a process keeps the speed it happens to start with.
PAIRS, TURNS, SECONDS = 5, 3, 0.1

#: What is worked, and the most it may cost of what it did.
MOST: Final = {
    "life": ("the pure life, 13 commands", 0.67),
    "check": ("checking a placing of 3 lines", 0.72),
    "fingerprint": ("its fingerprint", 0.1),
    "read": ("reading it from JSON outside", 0.33),
    "encode": ("encoding it", 1.1),
}


def unpacked(folder: Path) -> bool:
    """The tree of the tag in ``folder``; false where the repository has neither it nor its commit."""
    for revision in REVISIONS:
        command = ["git", "-C", str(HERE.parent), "archive", revision, "src", "benchmarks"]
        archive = subprocess.run(command, check=False, capture_output=True)
        if archive.returncode == 0:
            with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
                files.extractall(folder, filter="data")
            return True
    return False


@contextmanager
def side(script: str, tree: Path) -> Generator[subprocess.Popen[str]]:
    """A process that works on ``tree`` what it is asked."""
    paths = (tree / "src", tree / "benchmarks", HERE)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, str(HERE / "before" / script)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


def measure(old: Path) -> Costs:
    """Seconds for each piece of work, in turns of one side and the other."""
    costs: dict[str, list[float]] = {f"{tree} {name}": [] for name in MOST for tree in ("old", "new")}
    for _ in range(PAIRS):
        with side("side_old.py", old) as before, side("side_new.py", HERE.parent) as now:
            for turn in range(TURNS + 1):
                for name in MOST:
                    found = [(tree, asked(process, name)) for tree, process in (("old", before), ("new", now))]
                    for tree, cost in found if turn else []:
                        costs[f"{tree} {name}"].append(cost)
    return costs


def asked(process: subprocess.Popen[str], name: str) -> float:
    """What the side says a piece of work costs."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{name} {SECONDS}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    with tempfile.TemporaryDirectory(prefix="orderflow-bench-") as place:
        if not unpacked(Path(place)):
            print(f"this repository has no {' or '.join(REVISIONS)}: nothing to compare with")
            return 0
        costs = measure(Path(place))
    print_head("this tree; the floor is the tag before-house", "processor time")
    goals = [Goal(said, f"new {name}", f"old {name}", most=most) for name, (said, most) in MOST.items()]
    met = [compare(goal, costs, micro) for goal in goals]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
