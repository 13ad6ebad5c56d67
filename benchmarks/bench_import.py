"""What importing costs, and the first order: processor time of whole fresh processes, against ``import attrs``.

The interpreter's own start is in both. The least of some rounds is taken: what others add is never negative.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from _measure import judge, milli, print_head

ROUNDS: Final = 11

_FIRST: Final = """
from orderflow import OrderContent, MemoryStorage, OrderFlow, OrderLine, PartyRef, Price, TaxCategory, TaxPolicy
shop, ann = OrderFlow(MemoryStorage()), PartyRef("ann", 1)
line = OrderLine.of(1, "TEA", 3, Price.of("2.55", "GBP"), TaxCategory.of("S", 20))
shop.receive("order-1", OrderContent("GBP", (line,), TaxPolicy(), customer="ann", bill_to=ann, ship_to=ann))
"""
FLOOR: Final = "import attrs"
#: What is run, and the most it may cost of the floor.
MOST: Final = {
    "": None,
    FLOOR: None,
    "import orderflow": None,
    "from orderflow import OrderFlow, MemoryStorage": 3.0,
    _FIRST: 5.5,
}
_NAMES: Final = {"": "a bare interpreter", _FIRST: "the first shop made, its first order placed"}


def cost_of(statement: str) -> float:
    """Processor seconds of a fresh interpreter that carries out ``statement``."""
    process = os.posix_spawn(sys.executable, [sys.executable, "-c", statement], os.environ)
    _, status, usage = os.wait4(process, 0)
    assert status == 0, statement
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    # The first round, which may compile, does not count.
    rounds = [{statement: cost_of(statement) for statement in MOST} for _ in range(ROUNDS + 1)][1:]
    least = {statement: min(found[statement] for found in rounds) for statement in MOST}
    print_head("fresh processes; the floor is import attrs", f"processor time, least of {ROUNDS}")
    met = [
        judge(
            _NAMES.get(statement, statement), least[statement] / least[FLOOR], most=most, note=milli(least[statement])
        )
        for statement, most in MOST.items()
    ]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
