"""What a stock row holds: its counters, what follows from them, and who waits in it."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from orderflow.domain.engine.bounds import Count
from orderflow.domain.engine.machine import Absent
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import InvariantBroken


class QueueClass(NamedTuple):
    """Units that wait in a class of priority other than 0."""

    priority: int
    quantity: int


class StockLevel(Record):
    """Units on hand, promised, set aside, announced and on back-order.

    ``quarantined`` units were set aside; ``missing`` ones were not where a picker looked for them, until a stocktake
    says what is there. ``recount`` asks for that stocktake. Of the ``backordered`` units those in ``classes`` have a
    priority of their own; the others have priority 0. ``counted_at`` is the time of the last stocktake, ``expected_by``
    when the next of the ``incoming`` units should be here. At or below ``reorder_point`` more is ordered, up to
    ``target``. Of the ``quarantined`` units those ``in_returns`` wait to be inspected there.
    """

    on_hand: Count = 0
    allocated: Count = 0
    quarantined: Count = 0
    missing: Count = 0
    incoming: Count = 0
    backordered: Count = 0
    recount: bool = False
    classes: tuple[QueueClass, ...] = ()
    counted_at: datetime | None = None
    expected_by: datetime | None = None
    reorder_point: Count | None = None
    target: Count = 0
    in_returns: Count = 0

    @property
    def unavailable(self) -> int:
        """Units that may not be promised."""
        return self.quarantined + self.missing

    @property
    def set_aside(self) -> int:
        """Units in quarantine that wait in no return."""
        return self.quarantined - self.in_returns

    @property
    def available(self) -> int:
        """What may be promised (引当可能数), never below 0, and 0 while there is a shortfall."""
        return max(0, self.on_hand - self.allocated - self.unavailable)

    @property
    def shortfall(self) -> int:
        """Units that are promised or set aside, and not on hand."""
        return max(0, self.allocated + self.unavailable - self.on_hand)

    def queued(self, priority: int) -> int:
        """Units that wait in the classes up to ``priority``; a smaller one is served first."""
        before = sum([units for at, units in self.classes if at <= priority])
        return before + (self.waiting(0) if priority >= 0 else 0)

    def waiting(self, priority: int) -> int:
        """Units that wait in one class."""
        if priority:
            return dict(self.classes).get(priority, 0)
        return self.backordered - sum([units for _, units in self.classes])

    def offered(self, priority: int, own: int = 0) -> int:
        """What an order of ``priority`` may take of what is available: it leaves what others wait for before it.

        ``own`` are the units that it waits for at this row itself.
        """
        return max(0, min(self.available, self.available - self.queued(priority) + own))

    @property
    def to_order(self) -> int:
        """Units to order now: what is free or on its way, less what waits, has fallen to the reorder point."""
        position = self.on_hand - self.allocated - self.unavailable + self.incoming - self.backordered
        return self.target - position if self.reorder_point is not None and position <= self.reorder_point else 0

    @property
    def wants_attention(self) -> bool:
        """Whether somebody may have to look at the row, now or when goods are late."""
        aside = self.set_aside or self.missing
        return bool(aside or self.recount or self.shortfall or self.incoming or self.to_order)

    def has_seen(self, stamp: Stamp) -> bool:
        """Whether the last stocktake was made after what happened, so that it has counted it already."""
        return None not in {stamp.occurred_at, self.counted_at} and stamp.moment < (self.counted_at or stamp.moment)

    @property
    def promised(self) -> int:
        """Waiting demand that announced goods will cover."""
        return min(self.incoming, self.backordered)


#: What a row holds before its first movement.
EMPTY: Final = StockLevel()

Row: TypeAlias = Absent | StockLevel


def level_of(state: Row) -> StockLevel:
    return state if isinstance(state, StockLevel) else EMPTY


def check_stock(row: StockLevel) -> None:
    """No counter is negative (I02).

    Raises:
        InvariantBroken: naming the counters.
    """
    waiting = (row.waiting(0), *(units for _, units in row.classes))
    aside = (row.set_aside, row.in_returns, row.missing)
    if min(row.on_hand, row.allocated, row.incoming, *aside, *waiting) < 0:
        raise InvariantBroken("I02", repr(row))
