"""The laws across rows, asked of a database; and the credit limit, when an order was confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from orderflow.audit.checks import Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.billing.account import CreditReserved
from orderflow.domain.workflow.laws import KINDS, Sums, said_by_event, said_by_row
from orderflow.errors import Key


class Laws(Check):
    """Asks the laws of every event and row that they speak of."""

    kinds = KINDS

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted)
        self._sums = Sums()

    def event(self, seen: Seen) -> Iterator[Violation]:
        """Add what the event says."""
        yield from (Violation(*breach) for breach in self._sums.add(said_by_event(seen.context)))

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """Add what the row says."""
        yield from (Violation(*breach) for breach in self._sums.add(said_by_row(key, state)))

    def end(self) -> Iterator[Violation]:
        """Report what differs."""
        yield from (Violation(*breach) for breach in self._sums.breaches())
        self.counted.update(self._sums.checked)


class CreditLimits(Check):
    """Confirmed orders were within the credit limit (I27)."""

    kinds = frozenset({"account"})

    def event(self, seen: Seen) -> Iterator[Violation]:
        """Check the exposure that a confirmed order leaves."""
        event, account = seen.context.event, seen.context.after
        if isinstance(event, CreditReserved) and account.limit is not None:
            self.counted["I27"] += 1
            exposure = account.of(account.limit.currency).exposure
            if exposure > account.limit.minor:
                detail = f"version {seen.version}: exposure {exposure} exceeds {account.limit.minor} (minor units)"
                yield Violation("I27", seen.context.key, detail)
