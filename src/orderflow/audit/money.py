"""The laws of money across rows (B, F), asked of a database; and the credit limit, when an order was confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from orderflow.audit.checks import Seen
from orderflow.audit.invariants import Violation
from orderflow.audit.laws import LawCheck
from orderflow.domain.billing.account import CreditReserved
from orderflow.domain.workflow.laws import MoneyLaws


class Money(LawCheck):
    """Rows agree on money, gates were opened by it, and confirmed orders were within the credit limit (I27)."""

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted, MoneyLaws())

    def event(self, seen: Seen) -> Iterator[Violation]:
        """Check what an event could only do once its money was there."""
        yield from super().event(seen)
        event, account = seen.context.event, seen.context.after
        if isinstance(event, CreditReserved) and account.limit is not None:
            self.counted["I27"] += 1
            exposure = account.of(account.limit.currency).exposure
            if exposure > account.limit.minor:
                detail = f"version {seen.version}: exposure {exposure} exceeds {account.limit.minor} (minor units)"
                yield Violation("I27", seen.context.key, detail)
