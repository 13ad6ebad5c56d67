"""The laws across rows, asked of a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from orderflow.audit.checks import Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.workflow.laws import Laws
from orderflow.errors import Key


class LawCheck(Check):
    """Asks ``laws`` of every event and row that they speak of."""

    def __init__(self, counted: Counter[str], laws: Laws) -> None:
        super().__init__(counted)
        self._laws = laws

    def concerns(self, kind: str) -> bool:
        """Whether the laws speak of rows of this kind."""
        return kind in self._laws.KINDS

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
