"""Orders and notes as rows of money: what they refuse, and states that cannot be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from orderflow.domain.billing.credit_note import (
    CREDIT_NOTE,
    AccountLine,
    CreditItem,
    CreditNoteContent,
    IssuedNote,
    Part,
    ReleaseCreditUse,
    Use,
    note_totals,
)
from orderflow.domain.billing.invoice import INVOICE, DraftInvoice, InvoiceDrafted, IssueInvoice
from orderflow.domain.billing.invoice_money import ApplicationRecorded, RecordPrepaid
from orderflow.domain.billing.invoice_state import Amounts, Draft, InvoiceContent, InvoiceLine
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxableLine, TaxCategory, TaxGroup, TaxPolicy, totals
from orderflow.domain.orders import billing
from orderflow.domain.orders.billing import BillUnits
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.charging import credit_due, credit_due_minor, missing_minor
from orderflow.domain.orders.content import (
    CancelledBy,
    InvoiceBasis,
    LineKind,
    OrderContent,
    OrderLine,
    PayBefore,
    Policy,
)
from orderflow.domain.orders.crediting import RecordCredit, RecordUnbilling, UnitsCredited, UnitsUnbilled
from orderflow.domain.orders.lines import CreditedUnits, LineVector
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.orders.prepaying import RecordAuthorisation, RecordDue, RecordPrepayment, WithdrawPrepayment
from orderflow.domain.orders.state import Bill, Prepayment, Progress, check_order
from orderflow.domain.payments.state import Funds
from orderflow.domain.values import CreditIntent, LineQuantity, PartyRef
from orderflow.domain.workflow.attention import Standing, attention
from orderflow.domain.workflow.money_laws import MONEY
from orderflow.errors import InvariantBroken, Key
from orderflow.flows.notices import compose
from orderflow.testing.scenario import Life
from orderflow.testing.scenario import given as begun

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
STAMP = Stamp(NOON, "tester", "c")
FREE = TaxCategory.of("Z", 0)
ANN = PartyRef("ann", 1)


def of_goods_and_charge(**policy: Any) -> Life:
    """Two units of goods at 1.00 and a charge of 0.50, confirmed and billed as ordered."""
    lines = (
        OrderLine.of(1, "TEA", 2, Price.of("1.00", "EUR"), FREE),
        OrderLine.of(2, "POST", 1, Price.of("0.50", "EUR"), FREE, kind=LineKind.CHARGE),
    )
    policy = {"invoice_basis": InvoiceBasis.ORDERED, **policy}
    content = OrderContent("EUR", lines, TaxPolicy(), bill_to=ANN, ship_to=ANN, policy=Policy(**policy))
    return begun(ORDER, PlaceOrder(content), ConfirmOrder(), stamp=STAMP)


def test_a_bill_names_what_may_be_billed() -> None:
    """Only the named units are billed; a line that is not there, too many of one, or an id used before is refused."""
    order = of_goods_and_charge()
    one = BillUnits("I", "inv", units=(LineQuantity(1, 1),))
    assert [(item.line, item.quantity, item.net_minor) for item in order.when(one).event.lines] == [(1, 1, 100)]
    order.when(BillUnits("I", "inv", units=(LineQuantity(3, 1),))).refused("no_such_line")
    order.when(BillUnits("I", "inv", units=(LineQuantity(1, 3),))).refused("not_billable")
    order.and_then(one).when(BillUnits("I", "inv")).refused("invoice_exists")


def test_the_number_of_invoices_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than allowed is refused."""
    monkeypatch.setattr(billing, "MAX_BILLS", 1)
    order = of_goods_and_charge().and_then(BillUnits("I", "inv", units=(LineQuantity(1, 1),)))
    order.when(BillUnits("J", "inv")).refused("too_many_invoices")


def test_a_charge_falls_with_the_order() -> None:
    """Cancelled before anything left, it is to be credited; what was credited ahead of that is settled by it."""
    order = of_goods_and_charge().and_then(BillUnits("I", "inv"))
    ahead = (CreditedUnits(2, 1, 50, 0, CreditIntent.AHEAD),)
    before = order.and_then(RecordCredit("n", "I", ahead, (), 200))
    assert before.state.progress.lines[1].ahead == 1
    gone = CancelUnits("no", CancelledBy.CUSTOMER)
    after = before.and_then(gone).state
    assert (after.progress.lines[1].ahead, credit_due(after, after.content.line(2), after.progress.lines[1])) == (0, 0)
    uncredited = order.and_then(gone).state
    assert credit_due_minor(uncredited) == 250


def test_facts_of_other_rows_fit() -> None:
    """Money that is not there, an invoice that is not the order's, more units than are charged: refused with a code."""
    order = of_goods_and_charge().and_then(RecordPrepayment("p", 10, "EUR"))
    order.when(WithdrawPrepayment("p", 11)).refused("not_applied")
    order.when(RecordDue("I", 1)).refused("no_such_invoice")
    billed = order.and_then(BillUnits("I", "inv"))
    billed.when(RecordCredit("n", "I", (CreditedUnits(1, 3, 300, 0),), (), 0)).refused("not_charged")
    billed.when(RecordCredit("n", "I", (CreditedUnits(9, 1, 1, 0),), (), 0)).refused("no_such_line")


def test_what_is_authorised_counts_until_its_time() -> None:
    """It opens the gate as money does, and no longer once it has run out or ended."""
    order = of_goods_and_charge(pay_before=PayBefore.ALLOCATE)
    reserved = order.and_then(RecordAuthorisation("p", 250, NOON + timedelta(hours=1)))
    assert missing_minor(reserved.state, NOON) == 0
    assert missing_minor(reserved.state, NOON + timedelta(hours=1)) == 250
    assert reserved.and_then(RecordAuthorisation("p", 0)).state.progress.authorisations == ()


@pytest.mark.parametrize(
    "progress",
    [
        {"pool_minor": -1},
        {"bills": (Bill("I", 5, 6),)},
        {"bills": (Bill("I", 5, -1),)},
        {"pool_minor": 1, "bills": (Bill("I", 5, 0),), "prepayments": (Prepayment("p", 1),)},
        {"pool_minor": 1},
        {"prepayments": (Prepayment("p", 1),)},
        {"pool_minor": 1, "prepayments": (Prepayment("p", 2), Prepayment("q", -1))},
    ],
)
def test_money_that_cannot_be_is_a_bug(progress: dict[str, Any]) -> None:
    """None below 0, none more on an invoice than is due, none kept while one is due, and all of it some payment's."""
    state = of_goods_and_charge().state
    with pytest.raises(InvariantBroken, match="order money"):
        check_order(state.with_progress(evolve(state.progress, **progress)))


@pytest.mark.parametrize("vector", [{"waived": -1}, {"ahead": -1}, {"waived_back": 1}, {"waived_back": -1}])
def test_counters_below_zero_are_a_bug(vector: dict[str, Any]) -> None:
    """Units waived or ahead are counted from 0."""
    state = of_goods_and_charge().state
    lines = (LineVector(2, invoiced=1, **vector), LineVector())
    with pytest.raises(InvariantBroken):
        check_order(state.with_progress(evolve(state.progress, lines=lines)))


@pytest.mark.parametrize("minor", [11, -1])
def test_no_more_credit_is_used_than_is_on_account(minor: int) -> None:
    """A note that says so, or that less than nothing of it is used, is a bug."""
    content = CreditNoteContent("cn", "ann", ANN, "EUR", date(2026, 4, 1))
    sums = totals([TaxableLine(10, FREE)], TaxPolicy(), "EUR")
    with pytest.raises(InvariantBroken):
        CREDIT_NOTE.check(IssuedNote(content, (), sums, "1", 10, (Use("I", minor),)))


def test_a_note_has_one_group_for_each_rate() -> None:
    """What it credits of two invoices, and on account, is added up: net, tax and gross."""
    vat = TaxCategory.of("S", 20)
    account = (AccountLine(1, "GOODWILL", 1, 50, vat), AccountLine(2, "GIFT", 1, 7, FREE))
    content = CreditNoteContent("cn", "ann", ANN, "EUR", date(2026, 4, 1), on_account=account)
    parts = [
        Part("O", name, (), totals([TaxableLine(minor, vat)], TaxPolicy(), "EUR"))
        for name, minor in (("I", 100), ("J", 200))
    ]
    sums = note_totals(content, parts)
    assert sums.groups == (TaxGroup(vat, 350, 70, 420), TaxGroup(FREE, 7, 0, 7))
    assert (sums.net_minor, sums.tax_minor, sums.gross_minor) == (357, 70, 427)


def invoice(minor: int = 100, prepaid: int = 0) -> Life:
    """An issued invoice over so much."""
    lines = (InvoiceLine("O", 1, 1, minor, FREE),)
    content = InvoiceContent("inv", "ann", ANN, "EUR", lines, TaxPolicy(), date(2026, 4, 1))
    sums = totals([TaxableLine(minor, FREE)], TaxPolicy(), "EUR")
    return begun(INVOICE, DraftInvoice(content, sums, prepaid), IssueInvoice("1"), stamp=STAMP)


def test_an_invoice_gives_back_only_what_the_order_has_there() -> None:
    """More than its prepaid amount does not come off."""
    invoice(prepaid=40).when(RecordPrepaid("O", -41)).refused("not_applied")


@pytest.mark.parametrize(
    "prepaid, sentence", [(0, "is due on 2026-04-01"), (40, "has 0.60 EUR left, due on 2026-04-01"), (100, "is paid")]
)
def test_a_mail_says_what_is_still_to_be_paid(prepaid: int, sentence: str) -> None:
    """All of it, the rest, or nothing."""
    notice = compose("m", "invoice_issued", Key("main", "invoice", "I"), invoice(prepaid=prepaid).state, None, NOON)
    assert notice.body == f"Your invoice 1 for {Money(100, 'EUR')} {sentence}."


def test_an_invoice_is_due_then_listed() -> None:
    """Before its day it is due at a time; after it, on a list."""
    state = invoice().state
    assert [item.standing for item in attention(state, NOON)] == [Standing.DUE]
    assert [item.reason.code for item in attention(state, NOON + timedelta(days=1))] == ["overdue"]
    assert attention(None, NOON) == ()


def test_an_order_says_what_it_waits_for() -> None:
    """Units to bill, and credited ahead; money its next gate waits for, and none where no gate does."""
    order = of_goods_and_charge(pay_before=PayBefore.ALLOCATE).and_then(
        BillUnits("I", "inv", units=(LineQuantity(1, 1),))
    )
    found = {item.worklist: dict(item.reason.facts) for item in attention(order.state, NOON)}
    assert found == {"to_bill": {"units": 2}, "unpaid": {"amount": "2.50 EUR", "minor": 250}}
    ahead = order.and_then(RecordCredit("n", "I", (CreditedUnits(1, 1, 100, 0, CreditIntent.AHEAD),), (), 0))
    assert [item.reason.code for item in attention(ahead.state, NOON) if item.worklist == "to_credit"] == [
        "credited_ahead"
    ]


def test_a_row_of_money_no_law_knows_is_told() -> None:
    """A state of one's own that holds money is not passed over in silence."""

    class Odd:
        amounts = 1

    with pytest.raises(TypeError, match="no law knows a Odd"):
        list(MONEY.row(Key("main", "invoice", "I"), Odd()))
    assert [*MONEY.row(Key("main", "order", "O"), Progress(()))] == []


def test_what_is_not_said_is_nothing() -> None:
    """Amounts that are left out are 0, in documents and in what is stored of them."""
    content = CreditNoteContent("cn", "ann", ANN, "EUR", date(2026, 4, 1))
    sums = totals([TaxableLine(10, FREE)], TaxPolicy(), "EUR")
    assert IssuedNote(content, (), sums, "1").on_account_minor == 0
    assert CreditItem("I", 1) == CreditItem("I", 1, 0, 0, CreditIntent.KEPT, 0)
    assert Amounts() == Amounts(0, 0, 0, (), (), (), sent=False, reopened=False)
    billed = InvoiceContent(
        "inv", "ann", ANN, "EUR", (InvoiceLine("O", 1, 1, 10, FREE),), TaxPolicy(), date(2026, 4, 1)
    )
    drafted = DraftInvoice(billed, sums)
    assert (drafted.prepaid_minor, InvoiceDrafted(billed, sums, date(2026, 4, 1)).prepaid_minor) == (0, 0)
    assert Draft(billed, sums, date(2026, 4, 1)).prepaid_minor == 0
    assert ApplicationRecorded("p", 1, "") == ApplicationRecorded("p", 1, "", 0)
    assert Progress(()) == Progress((), (), (), (), (), (), 0, (), ())
    assert LineVector() == LineVector(0, (), (), (), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def test_nothing_is_rounded_or_reserved_unless_it_is_said() -> None:
    """Where no till rounds, nothing was rounded, on the way out and back; a payment reserves nothing by itself."""
    assert RecordCredit("n", "I", (), (), 0) == RecordCredit("n", "I", (), (), 0, 0)
    assert UnitsCredited("n", "I", (), (), 0, ()) == UnitsCredited("n", "I", (), (), 0, (), 0)
    assert RecordUnbilling("I", (), ()) == RecordUnbilling("I", (), (), 0)
    assert UnitsUnbilled("I", (), (), ()) == UnitsUnbilled("I", (), (), (), 0)
    assert Funds("EUR") == Funds("EUR", 0)


def test_no_more_credit_is_released_than_is_used() -> None:
    """An invoice that the note never paid releases nothing."""
    content = CreditNoteContent("cn", "ann", ANN, "EUR", date(2026, 4, 1))
    sums = totals([TaxableLine(10, FREE)], TaxPolicy(), "EUR")
    note = IssuedNote(content, (), sums, "1", 10, (Use("I", 4),))
    for command, codes in ((ReleaseCreditUse("J", 1), ("not_applied",)), (ReleaseCreditUse("I", 5), ("not_applied",))):
        refusals = CREDIT_NOTE.explain(note, command, STAMP)
        assert tuple(refusal.code for refusal in refusals) == codes
        assert refusals[0]["most"] == (0 if command.invoice == "J" else 4)
