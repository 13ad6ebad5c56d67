"""Let shops live random lives with failing adapters, for as many steps as wanted.

python tests/campaigns/lives.py --steps 1000000
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "properties")]

from test_agreement import Agreement  # noqa: E402 - found by the path above


def main() -> None:
    """Live until so many steps were taken; what breaks is shrunk to the shortest life and ends it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=1_000_000, help="steps in all, of at most so many in a life")
    parser.add_argument("--length", type=int, default=50, help="the most steps of a life")
    given = parser.parse_args()
    began, lives = time.perf_counter(), max(1, given.steps // given.length)
    checks = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
    chosen = settings(max_examples=lives, stateful_step_count=given.length, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Agreement, settings=chosen)
    print(f"{lives} lives of up to {given.length} steps agree, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
