"""The values an amendment is made of: changes of an order's lines, and the amendment that is proposed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, NamedTuple

from orderflow.domain.engine.bounds import Count, FreeText, Length, Quantity
from orderflow.domain.engine.record import Record
from orderflow.domain.money.price import Price
from orderflow.domain.orders.content import CancelledBy, OrderLine
from orderflow.domain.values import LineQuantity
from orderflow.errors import Fault

__all__ = ["MAX_CHANGES", "Changes", "NewPrice", "Proposal"]

#: Changes of one kind in an amendment.
MAX_CHANGES: Final = 200

Several = Length(0, MAX_CHANGES)


class NewPrice(NamedTuple):
    """A new price for units of a line that are neither charged nor sent: so many, or all of them (0)."""

    line: Quantity
    price: Price
    units: Count = 0


class Changes(Record):
    """What becomes different, in this order: units ``less`` of a line, new prices, units ``more``, other lines.

    Units ``more`` cost what the units of their line do, without its discount. The ``lines`` bring numbers of their own;
    lines that come of ``prices`` and ``more`` get the lowest that are free.
    """

    less: Annotated[tuple[LineQuantity, ...], Several] = ()
    prices: Annotated[tuple[NewPrice, ...], Several] = ()
    more: Annotated[tuple[LineQuantity, ...], Several] = ()
    lines: Annotated[tuple[OrderLine, ...], Several] = ()

    def faults(self) -> Iterator[Fault]:
        """Something changes."""
        if not (self.less or self.prices or self.more or self.lines):
            yield Fault("", "missing", "must change something")


class Proposal(Record):
    """An amendment that waits for somebody to confirm or drop it; by whom it was asked for, and why."""

    revision: Quantity
    changes: Changes
    by: CancelledBy
    reason: FreeText = ""
