"""The invoice: its amounts, what they amount to, and its invariants."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.billing.invoice import (
    INVOICE,
    ApplyCredit,
    DraftInvoice,
    IssueInvoice,
    RecordApplication,
    VoidInvoice,
    WithdrawApplication,
    WriteOff,
)
from orderflow.domain.billing.invoice_state import (
    Amounts,
    InvoiceContent,
    InvoiceLine,
    Issued,
    Settled,
    check_invoice,
)
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.values import PartyRef
from orderflow.errors import InvariantBroken
from orderflow.testing.scenario import Life
from orderflow.testing.scenario import given as begun

ANN = PartyRef("ann", 1)
STAMP = Stamp(datetime(2026, 4, 1, 12, tzinfo=UTC), "tester", "c")


def drafted(minor: int, bill_to: PartyRef | None = ANN) -> DraftInvoice:
    """An invoice over so much, free of tax."""
    lines = (InvoiceLine("O", 1, 1, minor, TaxCategory.of("Z", 0)),)
    return DraftInvoice(InvoiceContent("inv", "ann", bill_to, "EUR", lines, TaxPolicy(), date(2026, 4, 1)))


def issued(minor: int = 100) -> Life:
    """An issued invoice over so much."""
    return begun(INVOICE, drafted(minor), IssueInvoice("1"), stamp=STAMP)


def test_nothing_owed_is_settled_at_once() -> None:
    """A total of 0 is settled when it is issued; nobody to bill is refused."""
    assert isinstance(issued(0).state, Settled)
    begun(INVOICE, stamp=STAMP).when(drafted(100, None)).refused("no_party")


PAY, CREDIT, FEE = RecordApplication("p", 40, "EUR"), ApplyCredit("cn", 100, "EUR"), WriteOff(60, "fee")


def test_no_more_is_taken_than_is_owed() -> None:
    """Each guard refuses with its code."""
    part = issued().and_then(PAY)
    part.when(RecordApplication("q", 61, "EUR")).refused("more_than_open")
    part.when(RecordApplication("q", 1, "GBP")).refused("currency_differs")
    part.when(WithdrawApplication("p", 41, "EUR")).refused("not_applied")
    part.when(ApplyCredit("cn", 101, "EUR")).refused("more_than_billed")
    part.when(ApplyCredit("cn", 1, "GBP")).refused("currency_differs")
    part.when(VoidInvoice("late")).refused("already_used")


@given(
    commands=st.lists(
        st.one_of(
            st.builds(RecordApplication, st.just("p"), st.integers(1, 60), st.just("EUR")),
            st.builds(WithdrawApplication, st.just("p"), st.integers(1, 60), st.just("EUR")),
            st.builds(ApplyCredit, st.just("cn"), st.integers(1, 60), st.just("EUR")),
            st.builds(WriteOff, st.integers(1, 60), st.just("fee")),
        ),
        max_size=12,
    )
)
def test_settled_means_that_nothing_is_owed(commands: list[Any]) -> None:
    """I21: whatever is applied, credits stay within the bill, and the state says whether something is owed."""
    life = issued()
    for command in commands:
        ended = life.when(command)
        life = Life(INVOICE, ended.state, STAMP)
        assert isinstance(life.state, Settled) is (life.state.open_minor <= 0)
        assert life.state.amounts.credited <= 100


@pytest.mark.parametrize(
    "state",
    [
        evolve(issued().state, amounts=Amounts(applied=-1)),
        evolve(issued().state, amounts=Amounts(credited=101)),
        Settled(issued().state.content, issued().state.totals, date(2026, 4, 1), "1"),
        evolve(issued().state, amounts=Amounts(applied=100)),
    ],
)
def test_amounts_that_cannot_be_are_a_bug(state: Issued | Settled) -> None:
    """A negative amount, more credited than billed, or a state its amounts deny, is an InvariantBroken."""
    with pytest.raises(InvariantBroken):
        check_invoice(state)
