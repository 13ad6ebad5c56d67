"""The invoice: its amounts, what they amount to, what a credit gives back, and its invariants."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.billing.invoice import INVOICE, DraftInvoice, IssueInvoice, MarkSent, VoidInvoice
from orderflow.domain.billing.invoice_credit import ApplyCredit, CreditItem, Freed
from orderflow.domain.billing.invoice_money import (
    RecordApplication,
    RecordCreditUse,
    RecordPrepaid,
    TakeBackWriteOff,
    WithdrawApplication,
    WriteOff,
)
from orderflow.domain.billing.invoice_state import (
    Amounts,
    CreditUse,
    InvoiceContent,
    InvoiceLine,
    Issued,
    LineCredit,
    PaidBy,
    Settled,
    check_invoice,
)
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.tax import TaxableLine, TaxCategory, TaxPolicy, totals
from orderflow.domain.values import PartyRef
from orderflow.errors import InvariantBroken
from orderflow.testing.scenario import Life
from orderflow.testing.scenario import given as begun

ANN = PartyRef("ann", 1)
STAMP = Stamp(datetime(2026, 4, 1, 12, tzinfo=UTC), "tester", "c")
FREE = TaxCategory.of("Z", 0)


def drafted(minor: int, bill_to: PartyRef | None = ANN, *, units: int = 1, prepaid: int = 0) -> DraftInvoice:
    """An invoice over so much, free of tax."""
    content = InvoiceContent(
        "inv", "ann", bill_to, "EUR", (InvoiceLine("O", 1, units, minor, FREE),), TaxPolicy(), date(2026, 4, 1)
    )
    sums = totals([TaxableLine(minor, FREE, units)], content.tax, content.currency)
    return DraftInvoice(content, sums, prepaid)


def issued(minor: int = 100, *, units: int = 1, prepaid: int = 0) -> Life:
    """An issued invoice over so much."""
    return begun(INVOICE, drafted(minor, units=units, prepaid=prepaid), IssueInvoice("1"), stamp=STAMP)


def test_nothing_owed_is_settled_at_once() -> None:
    """A total of 0, or all of it prepaid, is settled when it is issued; nobody to bill is refused."""
    assert isinstance(issued(0).state, Settled)
    assert isinstance(issued(100, prepaid=100).state, Settled)
    assert isinstance(issued(100, prepaid=99).state, Issued)
    begun(INVOICE, stamp=STAMP).when(drafted(100, None)).refused("no_party")


PAY = RecordApplication("p", 40, "EUR")


def credit(
    minor: int = 0, units: int = 0, *, currency: str = "EUR", customer: str = "ann", line: int = 1
) -> ApplyCredit:
    """A credit of the only line."""
    return ApplyCredit("cn", (CreditItem("I", line, units, minor),), currency, customer)


def test_no_more_is_taken_than_is_owed() -> None:
    """Each guard refuses with its code."""
    part = issued().and_then(PAY)
    part.when(RecordApplication("q", 61, "EUR")).refused("more_than_open")
    part.when(RecordApplication("q", 1, "GBP")).refused("currency_differs")
    part.when(WithdrawApplication("p", 41)).refused("not_applied")
    part.when(WithdrawApplication("q", 1)).refused("not_applied")
    part.when(WriteOff(61, "fee")).refused("more_than_open")
    part.when(TakeBackWriteOff(1, "fee")).refused("not_written_off")
    part.when(RecordCreditUse("n", 61, "EUR", "ann")).refused("more_than_open")
    part.when(RecordCreditUse("n", 1, "EUR", "bob")).refused("other_customer")
    part.when(credit(101)).refused("more_than_left")
    part.when(credit(units=2)).refused("more_than_left")
    part.when(credit(-1)).refused("more_than_left")
    part.when(credit(1, 1)).refused("units_or_amount")
    part.when(credit(1, line=2)).refused("no_such_line")
    part.when(credit(1, currency="GBP")).refused("currency_differs")
    part.when(credit(1, customer="bob")).refused("other_customer")
    part.when(VoidInvoice("late")).refused("already_used")


def test_a_prepaid_invoice_may_be_taken_back() -> None:
    """The order's own money is no obstacle; that somebody has seen it is."""
    prepaid = issued(prepaid=100)
    assert type(prepaid.and_then(VoidInvoice("wrong")).state).__name__ == "Void"
    prepaid.and_then(MarkSent()).when(VoidInvoice("late")).refused("already_used")


@pytest.mark.parametrize(
    "used",
    [
        RecordApplication("p", 1, "EUR"),
        RecordCreditUse("n", 1, "EUR", "ann"),
        WriteOff(1, "fee"),
        credit(1),
        credit(units=1),
    ],
    ids=lambda command: type(command).__name__,
)
def test_an_invoice_that_was_used_is_not_taken_back(used: Any) -> None:
    """Each by itself stands in the way: a payment, credit on account, a write-off, a credit."""
    issued(units=2).and_then(used).when(VoidInvoice("late")).refused("already_used")


def test_an_invoice_that_is_open_again_says_so() -> None:
    """It was settled, and money went back; settled again, it says so no more."""
    paid = issued().and_then(RecordApplication("p", 100, "EUR"))
    again = paid.and_then(WithdrawApplication("p", 40))
    assert (paid.state.amounts.reopened, again.state.amounts.reopened) == (False, True)
    assert not again.and_then(RecordPrepaid("O", 40)).state.amounts.reopened


def test_what_a_credit_leaves_over_is_freed_in_order() -> None:
    """First what was given up, then credit on account, then the order's money stays for it, then the newest payment."""
    life = issued(100, units=4).and_then(
        RecordApplication("p", 20, "EUR"),
        RecordApplication("q", 20, "EUR"),
        RecordPrepaid("O", 20),
        RecordCreditUse("n", 20, "EUR", "ann"),
        WriteOff(20, "fee"),
    )
    assert life.when(credit(units=1)).event.freed == Freed(20, (CreditUse("n", 5),))
    assert life.when(credit(units=3)).event.freed == Freed(20, (CreditUse("n", 20),), (PaidBy("q", 15, ""),))
    done = life.when(credit(units=4))
    assert done.event.freed == Freed(20, (CreditUse("n", 20),), (PaidBy("q", 20, ""), PaidBy("p", 20, "")))
    assert (done.then(Settled).open_minor, done.then(Settled).due_minor) == (-20, 0)


@pytest.mark.parametrize("credited, freed", [(39, 0), (40, 0), (41, 1), (60, 20), (100, 60)])
def test_a_credit_takes_what_is_open_before_it_frees_anything(credited: int, freed: int) -> None:
    """60 of 100 are paid: a credit of up to 40 lowers what is owed, and each unit above frees one of the payment."""
    after = issued().and_then(RecordApplication("p", 60, "EUR")).when(credit(credited))
    assert after.event.freed == Freed(paid_by=(PaidBy("p", freed, ""),) if freed else ())
    assert after.state.open_minor == max(0, 40 - credited)


def test_units_give_back_their_share_of_what_is_left() -> None:
    """A reduction is spread over the units still charged; they take their share of it along."""
    life = issued(100, units=3).and_then(credit(10))
    first = life.when(credit(units=1)).event.lines[0]
    assert (first.unit_minor, first.share_minor, first.amount_minor) == (33, 3, 30)
    rest = life.and_then(credit(units=1), credit(units=2))
    assert (rest.state.amounts.credited, rest.state.left()[0][1:]) == (100, (0, 0))


def test_an_allowance_is_credited_along() -> None:
    """What a bill took off is not paid out: goods alone would give back more than was charged."""
    goods, off = InvoiceLine("O", 1, 1, 100, FREE), InvoiceLine("O", 2, 1, -30, FREE)
    content = InvoiceContent("inv", "ann", ANN, "EUR", (goods, off), TaxPolicy(), date(2026, 4, 1))
    sums = totals([TaxableLine(100, FREE), TaxableLine(-30, FREE)], TaxPolicy(), "EUR")
    life = begun(INVOICE, DraftInvoice(content, sums), IssueInvoice("1"), stamp=STAMP)
    life.when(credit(units=1)).refused("more_than_billed")
    life.when(credit(units=1, line=2)).refused("negative_credit")
    life.and_then(credit(60)).when(credit(units=1)).refused("more_than_billed")
    both = ApplyCredit("cn", (CreditItem("I", 1, 1), CreditItem("I", 2, 1)), "EUR", "ann")
    assert life.when(both).event.totals.gross_minor == 70


def test_an_allowance_is_reduced_within_what_it_took_off() -> None:
    """Even one of the least amount: it alone would ask for money, and no more of it is taken back than there is."""
    goods, off = InvoiceLine("O", 1, 1, 100, FREE), InvoiceLine("O", 2, 1, -1, FREE)
    content = InvoiceContent("inv", "ann", ANN, "EUR", (goods, off), TaxPolicy(), date(2026, 4, 1))
    sums = totals([TaxableLine(100, FREE), TaxableLine(-1, FREE)], TaxPolicy(), "EUR")
    life = begun(INVOICE, DraftInvoice(content, sums), IssueInvoice("1"), stamp=STAMP)
    life.when(credit(-1, line=2)).refused("negative_credit")
    life.when(credit(-2, line=2)).refused("more_than_left")
    life.when(credit(1, line=2)).refused("more_than_left")
    both = ApplyCredit("cn", (CreditItem("I", 1, 0, 10), CreditItem("I", 2, 0, -1)), "EUR", "ann")
    assert life.when(both).event.totals.gross_minor == 9


@given(
    commands=st.lists(
        st.one_of(
            st.builds(RecordApplication, st.sampled_from("pq"), st.integers(1, 60), st.just("EUR")),
            st.builds(WithdrawApplication, st.sampled_from("pq"), st.integers(1, 60)),
            st.builds(credit, st.integers(1, 60)),
            st.builds(credit, units=st.integers(1, 3)),
            st.builds(WriteOff, st.integers(1, 60), st.just("fee")),
            st.builds(TakeBackWriteOff, st.integers(1, 60), st.just("fee")),
            st.builds(RecordCreditUse, st.just("n"), st.integers(1, 60), st.just("EUR"), st.just("ann")),
        ),
        max_size=12,
    )
)
def test_settled_means_that_nothing_is_owed(commands: list[Any]) -> None:
    """I21: whatever is applied, credits stay within the bill, nothing is overpaid, and the state says what is owed."""
    life = issued(units=3)
    for command in commands:
        life = Life(INVOICE, life.when(command).state, STAMP)
        assert isinstance(life.state, Settled) is (life.state.open_minor <= 0)
        assert 0 <= life.state.amounts.credited <= 100
        assert life.state.open_minor >= 0


@pytest.mark.parametrize(
    "state",
    [
        evolve(issued().state, amounts=Amounts(prepaid=-1)),
        evolve(issued().state, amounts=Amounts(credited=101)),
        evolve(issued().state, amounts=Amounts(lines=(LineCredit(2, 100),))),
        evolve(issued().state, amounts=Amounts(lines=(LineCredit(1, 99),))),
        Settled(issued().state.content, issued().state.totals, date(2026, 4, 1), "1"),
        evolve(issued().state, amounts=Amounts(prepaid=100)),
    ],
)
def test_amounts_that_cannot_be_are_a_bug(state: Issued | Settled) -> None:
    """A negative amount, more credited than billed, or a state its amounts deny, is an InvariantBroken."""
    with pytest.raises(InvariantBroken):
        check_invoice(state)
