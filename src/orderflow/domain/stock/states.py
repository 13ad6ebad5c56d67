"""A stock row: counters of one SKU at one location. Who holds what stands in the orders."""

from __future__ import annotations

from attrs import frozen

from orderflow.domain.shape import Count
from orderflow.errors import InvariantBroken

__all__ = ["NOTHING", "Stocked", "check_stock"]


@frozen
class Stocked:
    """Units on hand, promised, set aside, announced and waited for.

    ``shortfall`` is what a count or damage found missing under the promises; only such findings raise it, and while
    it stands nothing new is allocated.
    """

    on_hand: Count = 0
    allocated: Count = 0
    unavailable: Count = 0
    incoming: Count = 0
    backordered: Count = 0
    shortfall: Count = 0

    @property
    def available(self) -> int:
        """What may be promised (引当可能数), never below 0."""
        return max(0, self.on_hand - self.allocated - self.unavailable)

    @property
    def promised(self) -> int:
        """Waiting demand that announced goods will cover."""
        return min(self.incoming, self.backordered)


#: What a row holds before its first movement.
NOTHING = Stocked()


def check_stock(row: Stocked) -> None:
    """No counter is negative; promises never exceed what is there plus the known shortfall (I02).

    Raises:
        InvariantBroken: naming the counters.
    """
    negative = row.on_hand < 0 or row.allocated < 0 or row.unavailable < 0 or row.incoming < 0
    if negative or row.backordered < 0 or row.shortfall < 0:
        raise InvariantBroken("I02", repr(row))
    if row.allocated + row.unavailable > row.on_hand + row.shortfall:
        raise InvariantBroken("I02", repr(row))
