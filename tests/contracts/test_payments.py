"""What every payment provider promises; and each clause finds a provider that breaks it."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from orderflow.adapters.payments.memory import MemoryProvider
from orderflow.domain.money.money import Money
from orderflow.errors import PortError
from orderflow.ports.payments import Answer, Operation, Outcome, PaymentProvider, PaymentRequest
from orderflow.testing.contracts import Clause, violations
from orderflow.testing.payment_contract import payment_clauses


@pytest.mark.parametrize("clause", payment_clauses(), ids=lambda clause: clause.id)
def test_the_provider_in_memory_keeps_every_clause(clause: Clause[PaymentProvider]) -> None:
    """Each clause on a fresh provider."""
    clause.check(MemoryProvider("card"))


class Forgetful(MemoryProvider):
    """Moves money again for every call."""

    def operate(self, request: PaymentRequest) -> Answer:
        """Under a key of its own."""
        key = f"{request.idempotency_key}/{len(self.requests)}"
        return super().operate(evolve(request, idempotency_key=key))


class Anonymous(MemoryProvider):
    """Says of all that happens that it was the same."""

    def operate(self, request: PaymentRequest) -> Answer:
        """Always the same id."""
        return evolve(super().operate(request), fact_id="1")


class Stingy(MemoryProvider):
    """Takes a unit less than it was asked to."""

    def operate(self, request: PaymentRequest) -> Answer:
        """And says so."""
        less = Money(max(1, request.amount.minor - 1), request.amount.currency)
        return super().operate(evolve(request, amount=less) if request.operation is Operation.REFUND else request)


class Lending(MemoryProvider):
    """Takes more than is reserved, and gives back more than it took."""

    def operate(self, request: PaymentRequest) -> Answer:
        """Never says no."""
        answer = super().operate(request)
        yes = Answer(Outcome.SUCCEEDED, request.amount, f"lent-{len(self.requests)}")
        return yes if answer.outcome is Outcome.DECLINED else answer


class Hasty(MemoryProvider):
    """Says that what it refuses may be tried again."""

    def operate(self, request: PaymentRequest) -> Answer:
        """With retry."""
        try:
            answer = super().operate(request)
        except PortError as error:
            raise PortError("payments", str(error), retry=True) from error
        if answer.outcome is Outcome.DECLINED:
            raise PortError("payments", answer.reason)
        return answer


class Absent(MemoryProvider):
    """Remembers nothing that it is asked about."""

    def find(self, idempotency_key: str) -> Answer | None:
        """Never heard of it."""
        return None


class Inventive(MemoryProvider):
    """Has an answer to everything."""

    def find(self, idempotency_key: str) -> Answer | None:
        """It succeeded."""
        return super().find(idempotency_key) or Answer(Outcome.SUCCEEDED)


class Tenacious(MemoryProvider):
    """Does not let go of what is reserved."""

    def operate(self, request: PaymentRequest) -> Answer:
        """A void is only said to be done."""
        if request.operation is Operation.VOID:
            return Answer(Outcome.SUCCEEDED, fact_id="void")
        return super().operate(request)


@pytest.mark.parametrize(
    "provider, broken",
    [
        (Forgetful, {"PAYMENT-KEY-01", "PAYMENT-KEY-02", "PAYMENT-KEY-03", "PAYMENT-KEY-04", "PAYMENT-FIND-02"}),
        (Anonymous, {"PAYMENT-ANSWER-01", "PAYMENT-KEY-05", "PAYMENT-FIND-02"}),
        (Stingy, {"PAYMENT-LIMIT-02", "PAYMENT-FIND-02"}),
        (Lending, {"PAYMENT-LIMIT-01", "PAYMENT-LIMIT-02", "PAYMENT-VOID-01", "PAYMENT-FIND-02"}),
        (Hasty, {"PAYMENT-KEY-04", "PAYMENT-LIMIT-01", "PAYMENT-LIMIT-02", "PAYMENT-VOID-01", "PAYMENT-FIND-02"}),
        (Absent, {"PAYMENT-FIND-02"}),
        (Inventive, {"PAYMENT-FIND-01"}),
        (Tenacious, {"PAYMENT-VOID-01"}),
    ],
)
def test_a_provider_that_breaks_a_clause_is_told_which(provider: Any, broken: set[str]) -> None:
    """The contract has teeth: each fault is found, under its own clause."""
    assert {violation.clause for violation in violations(payment_clauses(), provider)} == broken
