"""The laws of goods across rows (A), asked of a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from orderflow.audit.checks import Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.workflow.goods_laws import GoodsLaws
from orderflow.errors import Key


class Goods(Check):
    """Orders, shipments and stock rows agree on units."""

    kinds = GoodsLaws.KINDS

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted)
        self._laws = GoodsLaws()

    def event(self, seen: Seen) -> Iterator[Violation]:
        """Check what shows when it happens."""
        yield from (Violation(*breach) for breach in self._laws.event(seen.context))

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """Add what the row says."""
        yield from (Violation(*breach) for breach in self._laws.row(key, state))

    def end(self) -> Iterator[Violation]:
        """Report what differs."""
        yield from (Violation(*breach) for breach in self._laws.end())
        self.counted.update(self._laws.checked)
