"""What every carrier promises, asked of each one that ships; and each clause finds a carrier that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.carriers.table import TableRateCarrier
from orderflow.domain.money.money import Money
from orderflow.errors import PortError
from orderflow.ports.carrier import Carrier, Label, LabelRequest, Quote
from orderflow.testing.carrier_contract import REQUEST, carrier_clauses
from orderflow.testing.contracts import Clause, violations

TABLE = """\
zone,service,max_weight_grams,price,currency,days
home,slow,30000,4.90,EUR,5
home,fast,30000,9.90,EUR,1
"""
QUOTES = (Quote("slow", Money.of("4.90", "EUR"), 5), Quote("fast", Money.of("9.90", "EUR"), 1))


def memory_carrier(_: Path) -> Carrier:
    """The carrier in memory."""
    return MemoryCarrier("van", quotes=QUOTES)


def table_carrier(folder: Path) -> Carrier:
    """The carrier with a table file."""
    (folder / "rates.csv").write_text(TABLE, encoding="utf-8")
    return TableRateCarrier.from_file(folder / "rates.csv", name="van")


@pytest.mark.parametrize("make", [memory_carrier, table_carrier])
@pytest.mark.parametrize("clause", carrier_clauses(), ids=lambda clause: clause.id)
def test_a_carrier_keeps_every_clause(clause: Clause[Carrier], make: Callable[[Path], Carrier], tmp_path: Path) -> None:
    """Each clause on a fresh carrier; each serves REQUEST by the services slow and fast."""
    assert sorted(quote.service for quote in make(tmp_path).quote(REQUEST)) == ["fast", "slow"]
    clause.check(make(tmp_path))


class Faulty(MemoryCarrier):
    """A carrier in memory that is to break a clause."""

    def __init__(self) -> None:
        super().__init__("van", quotes=QUOTES)
        self.bought = 0


class Dearer(Faulty):
    """Asks more than it said."""

    def buy_label(self, request: LabelRequest) -> Label:
        """At twice the price."""
        label = super().buy_label(request)
        return evolve(label, price=label.price + label.price if label.price else None)


class Forgetful(Faulty):
    """Sells a label for every call."""

    def buy_label(self, request: LabelRequest) -> Label:
        """Under a key of its own."""
        self.bought += 1
        return super().buy_label(evolve(request, idempotency_key=f"{request.idempotency_key}/{self.bought}"))


class OneNumber(Faulty):
    """Gives every parcel one number."""

    def buy_label(self, request: LabelRequest) -> Label:
        """Always the same."""
        return evolve(super().buy_label(request), tracking_number="1")


class Deaf(Faulty):
    """Does not listen to the service that is named."""

    def quote(self, request: LabelRequest) -> tuple[Quote, ...]:
        """All of them."""
        return tuple(super().quote(evolve(request, service=None)))


class Hasty(Faulty):
    """Says that what it refuses may be tried again."""

    def buy_label(self, request: LabelRequest) -> Label:
        """With retry."""
        try:
            return super().buy_label(request)
        except PortError as error:
            raise PortError("carrier", str(error), retry=True) from error


class Generous(Faulty):
    """Takes any number back."""

    def void_label(self, tracking_number: str, idempotency_key: str) -> None:
        """Whatever it is."""


class Strict(Faulty):
    """Takes a label back only once."""

    def void_label(self, tracking_number: str, idempotency_key: str) -> None:
        """The second time is an error."""
        self.bought += 1
        if self.bought > 1:
            raise PortError("carrier", "void already", retry=False)
        super().void_label(tracking_number, idempotency_key)


@pytest.mark.parametrize(
    "carrier, broken",
    [
        (Dearer, {"CARRIER-LABEL-01"}),
        (Forgetful, {"CARRIER-KEY-01", "CARRIER-KEY-02"}),
        (OneNumber, {"CARRIER-KEY-03", "CARRIER-KEY-04", "CARRIER-VOID-01"}),
        (Deaf, {"CARRIER-QUOTE-02", "CARRIER-REFUSE-01"}),
        (Hasty, {"CARRIER-REFUSE-01"}),
        (Generous, {"CARRIER-VOID-02"}),
        (Strict, {"CARRIER-VOID-01"}),
    ],
)
def test_a_carrier_that_breaks_a_clause_is_told_which(carrier: Any, broken: set[str]) -> None:
    """The contract has teeth: each fault is found, under its own clause."""
    assert {violation.clause for violation in violations(carrier_clauses(), carrier)} == broken
