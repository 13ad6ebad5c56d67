"""Customers' accounts, checked against the documents, payments and open orders they sum up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from orderflow.audit.checks import Balance, Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.billing.account import Account, CreditReserved
from orderflow.errors import Key


class Accounts(Check):
    """Each sum of an account is that of its documents, payments and orders (I24); credit is within its limit (I27)."""

    kinds = frozenset({"account", "invoice", "credit_note", "payment", "order"})

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted)
        self._sums: Balance[tuple[str, str, str]] = Balance()

    def event(self, seen: Seen) -> Iterator[Violation]:
        """When an order reserved credit, the exposure was within the limit of that time."""
        event, account = seen.context.event, seen.context.after
        if isinstance(event, CreditReserved) and account.limit is not None:
            self.counted["I27"] += 1
            exposure = account.of(account.limit.currency).exposure
            if exposure > account.limit.minor:
                detail = f"version {seen.version}: exposure {exposure} exceeds {account.limit.minor} (minor units)"
                yield Violation("I27", seen.context.key, detail)

    def row(self, key: Key, state: Any, *, whole: bool) -> tuple[Violation, ...]:
        """Add documents, payments and orders to their customer's sums; subtract the sums that the account states."""
        if key.kind == "account":
            self._account(key.id, state)
        elif key.kind == "invoice" and hasattr(state, "amounts"):
            customer, currency = state.content.customer, state.content.currency
            self._add(customer, currency, "invoiced", state.totals.gross_minor)
            self._add(customer, currency, "written_off", state.amounts.written_off)
        elif key.kind == "credit_note" and hasattr(state, "number"):
            self._add(state.content.customer, state.content.currency, "credited", state.totals.gross_minor)
        elif key.kind == "payment" and hasattr(state, "funds"):
            self._add(state.origin.customer, state.funds.currency, "paid", state.funds.kept)
        elif key.kind == "order" and hasattr(state, "progress"):
            self._add(state.content.customer, state.content.currency, "ordered", state.progress.exposed_minor)
        return ()

    def _add(self, customer: str, currency: str, name: str, minor: int) -> None:
        if customer:
            self._sums.add((customer, currency, name), minor)

    def _account(self, customer: str, state: Account) -> None:
        for sums in state.sums:
            for name in ("ordered", "invoiced", "credited", "paid", "written_off"):
                self.counted["I24"] += 1
                self._sums.add((customer, sums.currency, name), -getattr(sums, name))

    def end(self) -> Iterator[Violation]:
        """Report the sums that differ."""
        for (customer, currency, name), more in self._sums.left():
            detail = f"account {customer!r}: {name} is {-more} {currency} (minor units) off the sum of its sources"
            yield Violation("I24", None, detail)
