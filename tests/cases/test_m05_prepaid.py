"""M05 to M10, M15, M32, M34: orders that are paid before they are sent, and money that goes back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from money_shop import NOON, MoneyShop, every_currency

from orderflow.domain.billing.invoice_money import WriteOff
from orderflow.domain.billing.invoice_state import Settled
from orderflow.domain.engine.schema import check
from orderflow.domain.money.tax import DatedRate, TaxPolicy
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.billing import CompleteOrder
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, CompleteOn, PayBefore
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.payments.applying import UnapplyPayment
from orderflow.domain.payments.refunding import RefundPayment
from orderflow.domain.payments.state import ApplicationTarget
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.shipping.planning import PackShipment, PlanShipment
from orderflow.domain.shipping.state import Item, Plan
from orderflow.domain.values import LineQuantity, Pick
from orderflow.errors import CommandRefused, InputError
from orderflow.flows.notices import compose
from orderflow.ports.storage import Storage

TAKE = AllocateStock((Pick(1, "main", 2),))
CANCEL = CancelUnits("changed", CancelledBy.CUSTOMER)


@every_currency
def test_m05_a_prepaid_order_is_billed_as_paid(storage: Storage, currency: str) -> None:
    """500 of 500 prepaid, shipped, billed: prepaid 500, due 0, Settled, the mail says paid, the order completes."""
    shop = MoneyShop(storage, currency, rate=0).confirmed("O", (5, 100), complete_on=CompleteOn.PAID)
    shop.pay(500, order="O")
    shop.send("O", 5)
    invoice = shop.bill("O")
    state = shop.invoices.get(invoice)
    assert isinstance(state, Settled)
    assert (state.amounts.prepaid, state.open_minor, shop.progress("O").pool_minor) == (500, 0, 0)
    assert shop.worklist("unpaid") == shop.worklist("invoices_due") == shop.worklist("to_apply") == []
    notice = compose("m", "invoice_issued", shop.key("invoice", invoice), state, None, NOON)
    assert "is paid" in notice.body
    shop.handle("O", CompleteOrder())
    assert shop.owes() == 0


@pytest.mark.parametrize("pay_before", [PayBefore.ALLOCATE, PayBefore.NEVER])
def test_m06_the_invoices_of_a_prepaid_order_sum_to_it(storage: Storage, pay_before: PayBefore) -> None:
    """20 parcels of 1 x JPY 105 + 10 %, prepaid in full: the sum of the invoices is the order's total, 2,310."""
    shop = MoneyShop(storage, "JPY", rate=10).confirmed("O", (20, 105), pay_before=pay_before)
    shop.pay(2310, order="O")
    totals = []
    for _ in range(20):
        shop.send("O", 1)
        invoice = shop.bill("O")
        totals.append(shop.invoices.get(invoice).totals.gross_minor)
        assert abs(totals[-1] * 10 - 1155) <= 10
    assert (sum(totals), shop.owes(), shop.to_refund("O")) == (2310, 0, 0)


def test_m06_the_unit_may_stand_outside_of_the_tax(storage: Storage) -> None:
    """The same order, each invoice with the tax of its own line: 11, and the difference is rounding."""
    tax = TaxPolicy(round_parts=True)
    shop = MoneyShop(storage, "JPY", rate=10).confirmed("O", (20, 105), pay_before=PayBefore.SHIP, tax=tax)
    shop.pay(2310, order="O")
    sums = []
    for _ in range(20):
        shop.send("O", 1)
        sums.append(shop.bill_of(shop.bill("O")).totals)
    assert {(each.tax_minor, each.rounding_minor) for each in sums} == {(11, 0), (11, -1)}
    assert (sum(each.gross_minor for each in sums), shop.owes(), shop.to_refund("O")) == (2310, 0, 0)
    for invoice in range(1, 21):
        shop.credit(f"O/{invoice}", 1)
    assert (shop.owes(), shop.to_refund("O")) == (-2310, 2310)
    with pytest.raises(InputError, match="round_parts: is not possible with dated rates"):
        check(evolve(tax, rates=(DatedRate("S", NOON.date(), Decimal(10)),)))


@every_currency
@pytest.mark.parametrize("how", ["chargeback", "unapplying", "refund"])
@pytest.mark.parametrize("stage", ["allocate", "prepare", "ship"])
def test_m07_money_that_goes_back_closes_the_gate(storage: Storage, currency: str, how: str, stage: str) -> None:
    """Paid, then withdrawn before allocation, preparing or dispatch: closed again in the same commit."""
    shop = MoneyShop(storage, currency).confirmed("O", (2, 1000), pay_before=PayBefore.ALLOCATE)
    payment = shop.pay(2400, order="O")
    plan = PlanShipment((Item("O", 1, "main", 2),), Plan(needs_label=False))
    done = {"allocate": 0, "prepare": 1, "ship": 2}[stage]
    if done >= 1:
        shop.handle("O", TAKE)
    if done >= 2:
        shop.handle("S", plan)
        shop.handle("S", PackShipment(100, 1))
    _withdraw(shop, payment, how)
    row, command = {"allocate": ("O", TAKE), "prepare": ("S", plan), "ship": ("S", HandOver())}[stage]
    assert shop.refused(row, command) == ("unpaid",)
    assert shop.progress("O").pool_minor == 0
    shop.pay(2400, order="O")
    shop.handle(row, command)


def _withdraw(shop: MoneyShop, payment: str, how: str) -> None:
    if how == "chargeback":
        shop.charge_back(payment, 2400)
        return
    shop.handle(payment, UnapplyPayment(ApplicationTarget.ORDER, "O", shop.money(2400)))
    if how == "refund":
        shop.handle(payment, RefundPayment(shop.money(2400)))


@every_currency
@pytest.mark.parametrize("before", [PayBefore.CONFIRM, PayBefore.PREPARE, PayBefore.SHIP])
def test_m07_every_gate_may_wait(storage: Storage, currency: str, before: PayBefore) -> None:
    """The gate that the policy names waits, and no earlier one does."""
    shop = MoneyShop(storage, currency).placed("O", (2, 1000), pay_before=before)
    plan = PlanShipment((Item("O", 1, "main", 2),), Plan(needs_label=False))
    steps = (("O", ConfirmOrder()), ("O", TAKE), ("S", plan), ("S", PackShipment(100, 1)), ("S", HandOver()))
    first = {PayBefore.CONFIRM: 0, PayBefore.PREPARE: 2, PayBefore.SHIP: 4}[before]
    for row, command in steps[:first]:
        shop.handle(row, command)
    assert shop.refused(*steps[first]) == ("unpaid",)
    shop.pay(2400, order="O")
    for row, command in steps[first:]:
        shop.handle(row, command)


@every_currency
def test_m08_what_is_left_after_a_cancellation_is_paid(storage: Storage, currency: str) -> None:
    """Waits for money; 5 of 10 are cancelled; the rest is paid: goes on."""
    shop = MoneyShop(storage, currency).confirmed("O", (10, 1000), pay_before=PayBefore.ALLOCATE)
    shop.handle("O", CancelUnits("less", CancelledBy.CUSTOMER, (LineQuantity(1, 5),)))
    shop.pay(5999, order="O")
    assert shop.refused("O", TAKE) == ("unpaid",)
    shop.pay(1, order="O")
    assert shop.advance("O").state == "Preparing"


def test_m09_a_free_order_waits_for_nothing(storage: Storage) -> None:
    """An order of 0.00 that waits for money goes on at once."""
    shop = MoneyShop(storage).confirmed("O", (2, 0), pay_before=PayBefore.ALLOCATE)
    assert shop.advance("O").state == "Preparing"


@every_currency
def test_m10_charged_back_before_delivery_is_not_complete(storage: Storage, currency: str) -> None:
    """complete_on=paid; paid, charged back, delivered: not Completed, and on the list of unpaid."""
    shop = MoneyShop(storage, currency).confirmed("O", (2, 1000), complete_on=CompleteOn.PAID)
    parcel = shop.send("O", 2, delivered=False)
    invoice = shop.bill("O")
    payment = shop.pay(2400, invoice=invoice)
    shop.charge_back(payment, 2400)
    shop.handle(parcel, RecordDelivered("arrived"))
    assert shop.advance("O").state == "Shipped"
    assert [task.key.id for task in shop.worklist("unpaid")] == ["O"]
    assert [task.key.id for task in shop.worklist("invoices_due")] == [invoice]
    assert shop.attention("order", "O")[0].reason["minor"] == 2400
    shop.pay(2400, order="O")
    assert shop.worklist("unpaid") == shop.worklist("invoices_due") == []
    assert shop.advance("O").state == "Completed"


@every_currency
def test_m32_the_gate_stays_open_after_a_part_bill(storage: Storage, currency: str) -> None:
    """100 prepaid in two parcels of 50, the first billed: its money is on the invoice, 50 in the pool, gate open."""
    shop = MoneyShop(storage, currency, rate=0).confirmed("O", (2, 50), pay_before=PayBefore.ALLOCATE)
    shop.pay(100, order="O")
    shop.send("O", 1)
    first = shop.bill("O")
    progress = shop.progress("O")
    assert (progress.bills[0].prepaid_minor, progress.pool_minor, shop.open(first)) == (50, 50, [0])
    shop.send("O", 1)
    assert shop.advance("O").state == "Completed"


@every_currency
def test_m34_a_chargeback_after_billing_reopens_the_invoice(storage: Storage, currency: str) -> None:
    """100 prepaid and on the invoice; chargeback of 100: pool 0, invoice open 100, the order's gate closed."""
    shop = MoneyShop(storage, currency, rate=0).confirmed("O", (2, 50), pay_before=PayBefore.ALLOCATE)
    payment = shop.pay(150, order="O")
    shop.send("O", 1)
    first = shop.bill("O")
    shop.charge_back(payment, 100)
    assert (shop.progress("O").pool_minor, shop.open(first)) == (0, [0])
    shop.charge_back(payment, 50)
    assert (shop.progress("O").pool_minor, shop.open(first), shop.owes()) == (0, [50], 50)
    rest = PlanShipment((Item("O", 1, "main", 1),), Plan(needs_label=False))
    assert shop.refused("S", rest) == ("unpaid",)
    shop.pay(50, order="O")
    assert shop.open(first) == [0]
    shop.pay(50, order="O")
    shop.send("O", 1)
    assert shop.advance("O").state == "Completed"


@every_currency
def test_m15_money_of_a_cancelled_order_is_to_be_refunded(storage: Storage, currency: str) -> None:
    """Prepaid, then cancelled: all of it is to be refunded; money that comes later stays free."""
    shop = MoneyShop(storage, currency).confirmed("O", (2, 1000))
    payment = shop.pay(2400, order="O")
    shop.handle("O", CANCEL)
    assert (shop.to_refund("O"), shop.owes()) == (2400, -2400)
    assert [task.key.id for task in shop.worklist("to_refund")] == ["O"]
    shop.charge_back(payment, 2400)
    assert (shop.to_refund("O"), shop.owes(), shop.worklist("to_refund")) == (0, 0, [])


# -- what is to be credited frees no money before it is


def half_sent(storage: Storage, currency: str) -> tuple[MoneyShop, str, str]:
    """A shop whose order O of two lines is prepaid, with the first sent and billed; its payment and its invoice."""
    shop = MoneyShop(storage, currency).placed("O", (3, 1000), (3, 1000), pay_before=PayBefore.SHIP)
    shop.handle("O", ConfirmOrder())
    payment = shop.pay(7200, order="O")
    shop.send("O", 3)
    return shop, payment, shop.bill("O")


@every_currency
def test_m06_a_reduced_unit_that_comes_back_refunds_nothing_twice(storage: Storage, currency: str) -> None:
    """All of a line's price was given back; the units come back too: there is nothing to credit, and none to refund."""
    shop, payment, invoice = half_sent(storage, currency)
    shop.credit(invoice, amount=3000)
    shop.handle(payment, RefundPayment(shop.money(3600)))
    shop.take_back("O", 3)
    assert (shop.to_refund("O"), shop.credit_due_minor("O")) == (0, 0)
    note = shop.credit(invoice, 3)
    assert shop.issued(note).totals.gross_minor == 0
    assert shop.to_refund("O") == 0
    shop.send("O", 3, 2)
    assert (shop.open(shop.bill("O")), shop.owes()) == ([0], 0)


@every_currency
def test_m06_part_of_a_reduction_goes_with_its_units(storage: Storage, currency: str) -> None:
    """Three of 10.00, reduced by 3.00: one that comes back is worth 9.00, before the credit as in it."""
    shop = MoneyShop(storage, currency, rate=0).confirmed("O", (3, 1000))
    shop.send("O", 3)
    invoice = shop.bill("O")
    shop.credit(invoice, amount=300)
    shop.take_back("O", 1)
    assert (shop.credit_due_minor("O"), shop.exposure()) == (900, 1800)
    assert shop.issued(shop.credit(invoice, 1)).totals.gross_minor == 900
    assert shop.exposure() == 1800


@every_currency
def test_m10_what_is_to_be_credited_opens_no_gate(storage: Storage, currency: str) -> None:
    """Charged back and written off, then returned: the credit frees what was given up, not the order's money."""
    shop, payment, invoice = half_sent(storage, currency)
    shop.charge_back(payment, 7200)
    shop.handle(invoice, WriteOff(3600, "bad"))
    shop.take_back("O", 3)
    with pytest.raises(CommandRefused, match="unpaid"):
        shop.send("O", 3, 2)
    shop.credit(invoice, 3)
    with pytest.raises(CommandRefused, match="unpaid"):
        shop.handle("O/s2", HandOver())
