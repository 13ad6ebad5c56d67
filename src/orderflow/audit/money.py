"""The laws of money across rows (B, F), asked of a database; and the credit limit, when an order was confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from orderflow.audit.checks import Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.billing.account import CreditReserved
from orderflow.domain.workflow.laws import MoneyLaws
from orderflow.errors import Key


class Money(Check):
    """Rows agree on money, gates were opened by it, and confirmed orders were within the credit limit (I27)."""

    kinds = MoneyLaws.KINDS

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted)
        self._laws = MoneyLaws()

    def event(self, seen: Seen) -> Iterator[Violation]:
        """Check what an event could only do once its money was there."""
        yield from (Violation(*breach) for breach in self._laws.event(seen.context))
        event, account = seen.context.event, seen.context.after
        if isinstance(event, CreditReserved) and account.limit is not None:
            self.counted["I27"] += 1
            exposure = account.of(account.limit.currency).exposure
            if exposure > account.limit.minor:
                detail = f"version {seen.version}: exposure {exposure} exceeds {account.limit.minor} (minor units)"
                yield Violation("I27", seen.context.key, detail)

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """Add what the row says."""
        yield from (Violation(*breach) for breach in self._laws.row(key, state))

    def end(self) -> Iterator[Violation]:
        """Report what differs."""
        yield from (Violation(*breach) for breach in self._laws.end())
        self.counted.update(self._laws.checked)
