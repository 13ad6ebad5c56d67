"""An order's money: what its bills ask for with tax, where what is kept for it lies, what is to be credited."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxGroup, TaxPolicy, TaxRounding
from orderflow.domain.orders.billing import BillUnits
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.charging import (
    bill_minor,
    billable,
    billable_lines,
    credit_due_minor,
    missing_minor,
    to_refund_minor,
    wants_money,
)
from orderflow.domain.orders.content import (
    CancelledBy,
    InvoiceBasis,
    LineKind,
    OrderContent,
    OrderLine,
    PayBefore,
    Policy,
)
from orderflow.domain.orders.crediting import RecordCredit, RecordUnbilling, UnbilledUnits
from orderflow.domain.orders.lines import CreditedUnits, LineVector
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.orders.prepaying import (
    Moved,
    RecordAuthorisation,
    RecordDue,
    RecordPrepayment,
    WithdrawPrepayment,
)
from orderflow.domain.orders.state import Authorisation, Bill
from orderflow.domain.values import CreditIntent, LineQuantity, PartyRef
from orderflow.testing.scenario import Life
from orderflow.testing.scenario import given as begun

ANN = PartyRef("ann", 1)

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
STAMP = Stamp(NOON, "tester", "c")
FREE, TEN = TaxCategory.of("Z", 0), TaxCategory.of("S", 10)
REBILL, AHEAD = CreditIntent.REBILL, CreditIntent.AHEAD


def ordered(
    *lines: tuple[int, int], tax: TaxCategory = FREE, level: TaxRounding = TaxRounding.PER_DOCUMENT, **policy: Any
) -> Life:
    """A confirmed order of lines of so many units for so many yen together; below 0, an allowance."""
    made = tuple(
        OrderLine.of(
            number,
            "TEA",
            units,
            Price.of(minor, "JPY", units),
            tax,
            kind=LineKind.GOODS if minor >= 0 else LineKind.ALLOWANCE,
        )
        for number, (units, minor) in enumerate(lines, start=1)
    )
    policy = {"invoice_basis": InvoiceBasis.ORDERED, **policy}
    content = OrderContent("JPY", made, TaxPolicy(level), bill_to=ANN, ship_to=ANN, policy=Policy(**policy))
    return begun(ORDER, PlaceOrder(content), ConfirmOrder(), stamp=STAMP)


def bill(invoice: str, units: int, line: int = 1) -> BillUnits:
    """So many units of a line go on an invoice."""
    return BillUnits(invoice, "inv", units=(LineQuantity(line, units),))


def pay(minor: int) -> RecordPrepayment:
    """Money is kept for the order."""
    return RecordPrepayment("p", minor, "JPY")


def gross(life: Life, command: BillUnits) -> int:
    """What a bill would ask for."""
    return int(life.when(command).event.totals.gross_minor)


# -- tax


@pytest.mark.parametrize(
    "policy, before, between, second",
    [
        ({}, [], [], 116),
        ({"pay_before": PayBefore.SHIP}, [], [], 115),
        ({}, [pay(116)], [], 115),
        ({}, [pay(1)], [], 115),
        ({}, [], [RecordDue("I", 0), pay(1)], 115),
    ],
)
def test_the_bills_of_an_order_that_had_money_sum_to_it(
    policy: dict[str, Any], before: list[Any], between: list[Any], second: int
) -> None:
    """Twice 105 and 10 % are 231: agreed on or paid for beforehand, even in part, it is 116 and 115, else twice 116."""
    order = ordered((2, 210), tax=TEN, **policy).and_then(*before)
    assert gross(order, bill("I", 1)) == 116
    assert gross(order.and_then(bill("I", 1), *between), bill("J", 1)) == second


@pytest.mark.parametrize(
    "level, minor, tax",
    [(TaxRounding.PER_DOCUMENT, 100, 10), (TaxRounding.PER_DOCUMENT, 99, 9), (TaxRounding.PER_UNIT, 100, 10)],
)
def test_what_a_bill_leaves_out_keeps_its_tax(level: TaxRounding, minor: int, tax: int) -> None:
    """105 of another line were taxed with 11, and stay so: 10 % of 205 are 21, of 204 they are 20."""
    order = ordered((2, 210), (1, minor), tax=TEN, level=level, pay_before=PayBefore.SHIP).and_then(bill("I", 1))
    assert gross(order, bill("J", 1, line=2)) == minor + tax


ELEVEN = (TaxGroup(TEN, 105, 11, 116),)


@pytest.mark.parametrize(
    "undone",
    [
        RecordUnbilling("I", (UnbilledUnits(1, 1, 105),), ELEVEN),
        RecordCredit("n", "I", (CreditedUnits(1, 1, 105, 0, REBILL),), ELEVEN, 0),
    ],
    ids=["voided", "credited"],
)
def test_a_bill_that_is_undone_is_made_again_with_its_tax(undone: Any) -> None:
    """The tax that was taken back is charged again, once, and the rest ends on the order's total."""
    order = ordered((2, 210), tax=TEN, pay_before=PayBefore.SHIP).and_then(bill("I", 1), undone)
    assert gross(order, bill("J", 1)) == 116
    assert gross(order.and_then(bill("J", 1)), bill("K", 1)) == 115
    assert gross(order, bill("J", 2)) == 231


def test_a_reduction_takes_its_tax_off_the_running_sum() -> None:
    """105 less 50 are taxed with 6, and 105 more make it 16: the next bill has a tax of 10."""
    off = RecordCredit("n", "I", (CreditedUnits(1, 0, 0, 50),), (TaxGroup(TEN, 50, 5, 55),), 61)
    order = ordered((2, 210), tax=TEN, pay_before=PayBefore.SHIP).and_then(bill("I", 1), off)
    assert gross(order, bill("J", 1)) == 115


# -- what a bill asks for


def test_an_allowance_waits_for_its_goods() -> None:
    """Even one of a single minor unit is no bill by itself; with the goods it is taken off, and only once."""
    order = ordered((2, 100), (2, -1))
    order.when(bill("I", 2, line=2)).refused("negative_bill")
    both = BillUnits("I", "inv", units=(LineQuantity(1, 1), LineQuantity(2, 1)))
    assert [item.net_minor for item in order.when(both).event.lines] == [50, -1]
    assert [item.net_minor for item in order.and_then(both).when(evolve(both, invoice="J")).event.lines] == [50, 0]


@pytest.mark.parametrize("sign", [1, -1])
def test_units_that_were_charged_too_much_already_are_free(sign: int) -> None:
    """5 for 10 units; the 5 that cost 1 each are charged, the free ones credited: the next costs nothing, not -2."""
    order = ordered((10, 5), (10, -5)).state
    line = order.content.lines[0 if sign > 0 else 1]
    charged = LineVector(10, invoiced=10, credited=5, unit_minor=5 * sign)
    assert bill_minor(order, line, charged, 1) == 0


def test_by_dispatch_an_allowance_waits_for_what_is_sent() -> None:
    """Before anything has left, nothing of the order may be billed."""
    order = ordered((2, 100), (1, -10), invoice_basis=InvoiceBasis.DISPATCHED).state
    assert billable_lines(order) == []
    assert [billable(order, line, v) for line, v in zip(order.content.lines, order.progress.lines, strict=True)] == [
        0,
        0,
    ]


def test_a_charge_is_billed_by_its_number() -> None:
    """A bill may name lines that are not goods."""
    event = ordered((1, 100), (2, -4)).when(BillUnits("I", "inv", units=(LineQuantity(1, 1), LineQuantity(2, 2)))).event
    assert [(item.line, item.quantity, item.net_minor) for item in event.lines] == [(1, 1, 100), (2, 2, -4)]


def test_an_order_has_at_most_a_thousand_invoices() -> None:
    """Voided ones too; the next one is refused."""
    order = ordered((2, 100))

    def after(count: int) -> Life:
        bills = tuple(Bill(f"I{number}", 0, 0, void=True) for number in range(count))
        return evolve(order, state=order.state.with_progress(evolve(order.state.progress, bills=bills)))

    assert len(after(999).and_then(bill("I", 1)).state.progress.bills) == 1_000
    after(1_000).when(bill("I", 1)).refused("too_many_invoices")


# -- where the money lies

THREE = ordered((3, 300)).and_then(bill("B", 1), bill("A", 1), bill("C", 1))


def test_money_goes_to_due_invoices_by_their_ids() -> None:
    """As far as it reaches; an invoice that gets none is not told of it, and neither is one that is paid."""
    for minor, moved in ((1, (("A", 1),)), (100, (("A", 100),)), (150, (("A", 100), ("B", 50)))):
        assert THREE.when(pay(minor)).event.moved == tuple(Moved(*item) for item in moved)
    order = THREE.and_then(pay(150))
    assert order.state.progress.bills == (Bill("B", 100, 50), Bill("A", 100, 100), Bill("C", 100, 0))
    assert order.when(pay(51)).event.moved == (Moved("B", 50), Moved("C", 1))
    assert order.and_then(pay(51)).state.progress.bills == (Bill("B", 100, 100), Bill("A", 100, 100), Bill("C", 100, 1))


def test_money_comes_off_the_newest_invoice_first() -> None:
    """The pool goes before it, and an invoice that loses nothing is not told."""
    order = THREE.and_then(pay(150))
    assert order.when(WithdrawPrepayment("p", 1)).event.moved == (Moved("A", -1),)
    assert order.when(WithdrawPrepayment("p", 101)).event.moved == (Moved("A", -100), Moved("B", -1))
    assert order.and_then(WithdrawPrepayment("p", 101)).state.progress.bills == (
        Bill("B", 100, 49),
        Bill("A", 100, 0),
        Bill("C", 100, 0),
    )
    more = THREE.and_then(pay(310))
    assert more.when(WithdrawPrepayment("p", 10)).event.moved == ()
    assert more.when(WithdrawPrepayment("p", 11)).event.moved == (Moved("C", -1),)


def test_what_an_invoice_needs_no_more_goes_to_the_others() -> None:
    """By each unit that is due less there; what changes elsewhere moves nothing that lies well."""
    order = THREE.and_then(pay(150))
    assert order.when(RecordDue("C", 50)).event.moved == ()
    assert order.when(RecordDue("A", 99)).event.moved == (Moved("A", -1), Moved("B", 1))
    after = order.and_then(RecordDue("A", 99)).state.progress
    assert (after.bills, after.pool_minor) == ((Bill("B", 100, 51), Bill("A", 99, 99), Bill("C", 100, 0)), 0)


def test_a_voided_invoice_is_due_nothing_and_gives_its_money_back() -> None:
    """Its money goes to the others that are due."""
    order = THREE.and_then(pay(150), RecordUnbilling("A", (UnbilledUnits(1, 1, 100),), ()))
    assert order.state.progress.bills == (Bill("B", 100, 100), Bill("A", 0, 0, void=True), Bill("C", 100, 50))


def test_what_is_reserved_is_counted_by_payment() -> None:
    """Without a time it stands; a time is told once, and a later amount of the same payment takes its place."""
    until = NOON + timedelta(hours=1)
    order = ordered((1, 300), pay_before=PayBefore.ALLOCATE)
    order = order.and_then(RecordAuthorisation("p", 200, until), RecordAuthorisation("q", 60))
    assert [missing_minor(order.state, at) for at in (NOON, until)] == [40, 240]
    order = order.and_then(RecordAuthorisation("p", 100))
    assert order.state.progress.authorisations == (Authorisation("q", 60, None), Authorisation("p", 100, until))


# -- what is to be credited and refunded


def test_a_credit_that_is_due_has_the_tax_of_its_units() -> None:
    """100 for 3 units, each taxed by itself, are taxed with 9; 67 for the 2 that stay with 6."""
    order = ordered((3, 100), tax=TEN, level=TaxRounding.PER_UNIT, pay_before=PayBefore.SHIP).and_then(bill("I", 3))
    less = order.and_then(CancelUnits("less", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    assert credit_due_minor(less.state) == 33 + 3
    assert credit_due_minor(order.and_then(CancelUnits("no", CancelledBy.CUSTOMER)).state) == 109


def test_only_what_the_order_does_not_need_is_refunded() -> None:
    """Nothing as long as it is still to be charged; all of it once nothing is, whatever is to be credited besides."""
    order = ordered((2, 100))
    assert [to_refund_minor(order.and_then(pay(minor)).state) for minor in (99, 100, 101)] == [0, 0, 1]
    billed = order.and_then(bill("I", 2), pay(110))
    assert (to_refund_minor(billed.state), missing_minor(billed.state, NOON)) == (10, -10)
    assert to_refund_minor(billed.and_then(CancelUnits("no", CancelledBy.CUSTOMER)).state) == 10


def test_an_order_wants_money_looked_at_for_each_reason() -> None:
    """Units to bill, units to credit, money to refund, units credited ahead: each by itself, and nothing else."""
    order = ordered((2, 100))
    billed = order.and_then(bill("I", 2))
    ahead = RecordCredit("n", "I", (CreditedUnits(1, 1, 50, 0, AHEAD),), (), 50)
    assert wants_money(order.state)
    assert not wants_money(billed.state)
    assert wants_money(billed.and_then(CancelUnits("no", CancelledBy.CUSTOMER)).state)
    assert wants_money(billed.and_then(pay(101)).state)
    assert wants_money(billed.and_then(ahead).state)


@pytest.mark.parametrize("minor", [1, 30])
def test_what_came_last_is_the_newest_money(minor: int) -> None:
    """A payment that gives more is the newest then; one that takes some back keeps its place."""
    order = ordered((1, 1000))
    for payment in ("p", "q"):
        order = order.and_then(RecordPrepayment(payment, 100, "JPY"))
    less = order.and_then(WithdrawPrepayment("p", minor))
    assert less.state.progress.prepayments == (("p", 100 - minor), ("q", 100))
    more = less.and_then(RecordPrepayment("p", minor, "JPY"))
    assert more.state.progress.prepayments == (("q", 100), ("p", 100))
    assert more.and_then(WithdrawPrepayment("q", 100)).state.progress.prepayments == (("p", 100),)
