"""Stock rows against their movements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from orderflow.audit.checks import Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.inventory.counting import (
    QuarantineReleased,
    StockAdjusted,
    StockCounted,
    UnitsDiscarded,
    UnitsQuarantined,
)
from orderflow.domain.inventory.inspected import ReturnedClaimed, ReturnedKept
from orderflow.domain.inventory.stock import (
    BackorderDropped,
    GoodsExpected,
    GoodsReceived,
    UnitsAllocated,
    UnitsBackordered,
    UnitsNotFound,
    UnitsReleased,
    UnitsRestocked,
    UnitsShipped,
    UnitsTransferredIn,
    UnitsTransferredOut,
)
from orderflow.errors import Key

Sums = Counter[str]

#: The counters of a row that movements change.
_COUNTERS: Final = ("on_hand", "allocated", "quarantined", "missing", "incoming", "backordered", "in_returns")


def _not_found(event: Any, sums: Sums) -> dict[str, int]:
    """What a stocktake has found missing before is not set aside again."""
    free = sums["on_hand"] - (sums["allocated"] - event.quantity) - sums["quarantined"] - sums["missing"]
    return {"allocated": -event.quantity, "missing": max(0, min(event.quantity, free))}


def _shipped(event: Any, sums: Sums) -> dict[str, int]:
    return {"on_hand": 0 if event.counted else event.found - event.quantity, "allocated": -event.allocated}


def _restocked(event: Any, sums: Sums) -> dict[str, int]:
    aside = 0 if event.usable else event.quantity
    return {"on_hand": _unseen(event), "quarantined": aside, "in_returns": aside if event.in_return else 0}


def _received(event: Any, sums: Sums) -> dict[str, int]:
    return {"on_hand": _unseen(event), "incoming": -event.expected}


def _discarded(event: Any, sums: Sums) -> dict[str, int]:
    return {"on_hand": event.found - _unseen(event), **_inspected(event)}


def _inspected(event: Any) -> dict[str, int]:
    return {"quarantined": -event.quantity, "in_returns": -event.quantity if event.in_return else 0}


def _unseen(event: Any) -> int:
    """The units that no stocktake has counted already."""
    return 0 if event.counted else event.quantity


def _counted(event: Any, sums: Sums) -> dict[str, int]:
    return {"on_hand": event.quantity, "missing": -sums["missing"]}


def _by_quantity(**signs: int) -> Callable[[Any, Sums], dict[str, int]]:
    return lambda event, sums: {counter: sign * event.quantity for counter, sign in signs.items()}


#: What each movement does to the counters.
_MOVEMENTS: Final[Mapping[type[Any], Callable[[Any, Sums], dict[str, int]]]] = {
    GoodsReceived: _received,
    GoodsExpected: _by_quantity(incoming=1),
    UnitsAllocated: _by_quantity(allocated=1),
    UnitsReleased: _by_quantity(allocated=-1),
    UnitsBackordered: _by_quantity(backordered=1),
    BackorderDropped: _by_quantity(backordered=-1),
    UnitsShipped: _shipped,
    UnitsRestocked: _restocked,
    UnitsNotFound: _not_found,
    UnitsTransferredIn: lambda event, sums: {"on_hand": _unseen(event)},
    UnitsTransferredOut: lambda event, sums: {"on_hand": -_unseen(event)},
    UnitsQuarantined: _by_quantity(quarantined=1),
    QuarantineReleased: lambda event, sums: _inspected(event),
    ReturnedClaimed: lambda event, sums: {"quarantined": event.aside, "in_returns": event.quantity},
    ReturnedKept: _by_quantity(in_returns=-1),
    UnitsDiscarded: _discarded,
    StockAdjusted: lambda event, sums: {"on_hand": _unseen(event)},
    StockCounted: _counted,
}


class Stocks(Check):
    """A row's counters follow from its movements (I07)."""

    kinds = frozenset({"stock"})

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted)
        self._sums: Sums = Counter()

    def event(self, seen: Seen) -> tuple[Violation, ...]:
        """Add up the movements."""
        event = seen.context.event
        movement = _MOVEMENTS.get(type(event))
        if movement is not None:
            self._sums.update(movement(event, self._sums))
        return ()

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """Check a stock row against its movements."""
        sums, self._sums = self._sums, Counter()
        for counter in _COUNTERS if whole else ():
            self.counted["I07"] += 1
            found, moved = getattr(state, counter), sums[counter]
            if found != moved:
                yield Violation("I07", key, f"{found} {counter.replace('_', ' ')}, movements sum to {moved}")
