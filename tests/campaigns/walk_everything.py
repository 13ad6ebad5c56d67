"""Walk orders x stock x parcels x bills x credits x payments x returns as far as wanted, every law in every world.

python tests/campaigns/walk_everything.py --worlds 1000000
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / folder) for folder in ("model", "cases", "flows")]

import whole_walk  # noqa: E402 - found by the path above


def main() -> None:
    """Walk, and print how far and how fast it went and what it has seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--worlds", type=int, default=1_000_000, help="where to stop, unless it closes before")
    found = whole_walk.walk_everything(parser.parse_args().worlds)
    print(f"{found}; {found.transitions / found.seconds:,.0f} transitions a second")
    seen = sorted({edge.event.__name__ for edges in found.edges.values() for edge in edges})
    print(f"seen ({len(seen)}): {', '.join(seen)}")
    print(f"never: {', '.join(sorted(whole_walk.SOMETIMES.difference(seen))) or 'none of those looked for'}")


if __name__ == "__main__":
    main()
