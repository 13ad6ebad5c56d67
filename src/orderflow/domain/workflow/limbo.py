"""Nothing in limbo (law D), as code: whatever is not at rest waits for something.

What waits elsewhere waits in its parcels: by the laws of goods, units that an order prepares or has on the way are in
parcels that say the same, and those are no more at rest than it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.orders.charging import wants_money
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.payments.guards import capturable
from orderflow.domain.payments.state import Funded
from orderflow.domain.returns.state import HasReturn
from orderflow.domain.shipping.state import Left, Voided, units_on_the_way
from orderflow.domain.workflow.attention import TABLE, attention
from orderflow.domain.workflow.standing import RESTING
from orderflow.domain.workflow.sums import Breach, Laws, Said, Share
from orderflow.domain.workflow.table import MACHINES
from orderflow.errors import Key

__all__ = ["LIMBO", "LIMBO_LAWS"]

#: Id to law. A breach names the id.
LIMBO_LAWS: Final = {
    "D1": "Every row is at rest, final and balanced, or it waits for something, now and at any time.",
}

#: What a row waits for may change with time, but never that it waits.
_TIMES: Final = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))

#: A host's own states are its own to list.
_OURS: Final = frozenset(state for machine in MACHINES for state in machine.states)


def _row(key: Key, state: Any) -> Iterator[Said]:
    yield Share("D1", None, 0)
    if type(state) in _OURS and not _is_at_rest(key.kind, state):
        for at in _TIMES:
            if not attention(state, at):
                yield Breach("D1", key, f"a {type(state).__name__} that waits for nothing in {at.year}")


LIMBO: Final = Laws(frozenset(TABLE), _row)


def _is_at_rest(kind: str, state: Any) -> bool:
    return type(state).__name__ in RESTING[kind] and _is_balanced(state)


def _is_balanced(state: Any) -> bool:
    """Whether nothing of a row that may be at rest is to be done."""
    if isinstance(state, HasProgress):
        seen = state.progress.tally
        return not (seen.preparing or seen.shipped or wants_money(state))
    if isinstance(state, Left | Voided):
        return not (state.tracking.tasks or (isinstance(state, Left) and _is_out(state)))
    if isinstance(state, Funded):
        return not (state.free or state.pending or state.notes.tasks or capturable(state))
    if isinstance(state, StockLevel):
        return not (state.wants_attention or (state.available and state.backordered))
    return not isinstance(state, HasReturn) or not state.goods.waiting


def _is_out(parcel: Left) -> bool:
    return bool(units_on_the_way(parcel)) or any(fate.expected_back for fate in parcel.fates)
