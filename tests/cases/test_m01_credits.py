"""M01 to M04, M16, M17's like, M21, M29 to M31: what is credited, and what may be billed after it."""

from __future__ import annotations

import pytest
from money_shop import MoneyShop, every_currency

from orderflow.domain.billing.credit_note import CreditItem
from orderflow.domain.billing.invoice import VoidInvoice
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, InvoiceBasis
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.resolving import DeclareLost, WriteOffParcel
from orderflow.domain.shipping.state import Item
from orderflow.domain.values import CreditIntent, LineQuantity
from orderflow.errors import CommandRefused
from orderflow.ports.storage import Storage

both_bases = pytest.mark.parametrize("basis", list(InvoiceBasis))
KEPT, AHEAD, REBILL = CreditIntent.KEPT, CreditIntent.AHEAD, CreditIntent.REBILL


def cancel(units: int) -> CancelUnits:
    """So many units of the first line are cancelled."""
    return CancelUnits("changed", CancelledBy.CUSTOMER, (LineQuantity(1, units),))


def write_off(units: int) -> WriteOffParcel:
    """So many missing units of the first line are written off."""
    return WriteOffParcel((Item("O", 1, "main", units),))


@every_currency
@both_bases
def test_m01_a_refund_without_a_return_is_final(storage: Storage, currency: str, basis: InvoiceBasis) -> None:
    """10 x 10.00 + 20 %, 5 credited and kept: owes 60.00 for ever, also when the 5 come back later."""
    shop = MoneyShop(storage, currency).confirmed("O", (10, 1000), invoice_basis=basis)
    shop.send("O", 10)
    shop.credit(shop.bill("O"), 5)
    for _ in range(5):
        shop.advance("O")
    assert (shop.owes(), shop.billable("O"), shop.credit_due("O")) == (6000, [], [])
    assert [type(shop.orders.get("O")).__name__, len(shop.progress("O").bills)] == ["Completed", 1]
    shop.take_back("O", 5)
    shop.advance("O")
    assert (shop.owes(), shop.billable("O"), shop.credit_due("O")) == (6000, [], [])
    assert shop.worklist("to_credit") == shop.worklist("to_bill") == []
    assert shop.refused("O", BillUnits("O/9", "inv")) == ("nothing_billable",)


@every_currency
@both_bases
def test_m01_it_is_final_whatever_becomes_of_the_goods(storage: Storage, currency: str, basis: InvoiceBasis) -> None:
    """5 credited and kept; 7 come back, one by one, and all are rejected: owes 60.00 for ever, nothing is billed again.

    What is credited meanwhile of the others is billed again, as they stay the customer's too.
    """
    shop = MoneyShop(storage, currency).confirmed("O", (10, 1000), invoice_basis=basis)
    shop.send("O", 10)
    invoice = shop.bill("O")
    shop.credit(invoice, 5)
    rows = [shop.take_back("O", 1, usable=False) for _ in range(7)]
    assert (shop.owes(), shop.billable("O"), shop.credit_due("O")) == (6000, [], [2])
    for row in rows[:5]:
        shop.reject(row, "O", 1)
    assert (shop.owes(), shop.billable("O"), shop.credit_due("O")) == (6000, [], [2])
    shop.credit(invoice, 2)
    shop.reject(rows[5], "O", 1)
    shop.reject(rows[6], "O", 1)
    assert (shop.owes(), shop.billable("O"), shop.credit_due("O")) == (3600, [2], [])
    for _ in range(5):
        shop.advance("O")
    assert (shop.owes(), shop.exposure(), shop.billable("O"), shop.credit_due("O")) == (6000, 6000, [], [])
    assert [type(shop.orders.get("O")).__name__, len(shop.progress("O").bills)] == ["Completed", 2]


@every_currency
@both_bases
def test_m01_returned_again_after_it_was_rejected(storage: Storage, currency: str, basis: InvoiceBasis) -> None:
    """Back, rejected, back again and kept here, in two returns: owes 60.00 throughout, and nothing is credited more."""
    shop = MoneyShop(storage, currency).confirmed("O", (10, 1000), invoice_basis=basis)
    shop.send("O", 10)
    shop.credit(shop.bill("O"), 5)
    for again in (True, True, False):
        row = shop.take_back("O", 5, usable=not again)
        if again:
            shop.reject(row, "O", 5)
        shop.advance("O")
        assert (shop.owes(), shop.exposure(), shop.billable("O"), shop.credit_due("O")) == (6000, 6000, [], [])


@every_currency
@both_bases
@pytest.mark.parametrize("here", [False, True])
def test_m01_lost_and_found_after_it_was_credited(
    storage: Storage, currency: str, basis: InvoiceBasis, here: bool
) -> None:
    """All 5 credited and kept, then written off, and found at the customer, or here and rejected: owes nothing."""
    shop = MoneyShop(storage, currency).confirmed("O", (5, 1000), invoice_basis=basis)
    parcel = shop.send("O", 5, delivered=False)
    shop.credit(shop.bill("O"), 5)
    shop.handle(parcel, DeclareLost())
    shop.handle(parcel, write_off(5))
    assert (shop.owes(), shop.billable("O"), shop.credit_due("O")) == (0, [], [])
    if here:
        shop.reject(shop.take_back("O", 5, usable=False), "O", 5)
    else:
        shop.handle(parcel, RecordDelivered("found"))
    for _ in range(3):
        shop.advance("O")
    assert (shop.owes(), shop.exposure(), shop.billable("O"), shop.credit_due("O")) == (0, 0, [], [])
    assert (shop.line("O").delivered, len(shop.progress("O").bills)) == (5, 1)


@every_currency
def test_m01_credited_ahead_of_a_return_that_is_rejected(storage: Storage, currency: str) -> None:
    """Then the customer keeps what was refunded for its coming back: it is billed again, as if it had been lost."""
    shop = MoneyShop(storage, currency).confirmed("O", (10, 1000))
    shop.send("O", 10)
    shop.credit(shop.bill("O"), 5, intent=AHEAD)
    row = shop.take_back("O", 5, usable=False)
    assert (shop.owes(), shop.billable("O"), shop.credit_due("O")) == (6000, [], [])
    shop.reject(row, "O", 5)
    assert (shop.owes(), shop.billable("O"), shop.credit_due("O")) == (6000, [5], [])


@every_currency
def test_m01_what_is_credited_ahead_or_again(storage: Storage, currency: str) -> None:
    """Credited ahead, the return takes it up; to be billed again, it is billable at once."""
    shop = MoneyShop(storage, currency).confirmed("A", (10, 1000)).confirmed("B", (10, 1000))
    shop.send("A", 10)
    shop.credit(shop.bill("A"), 5, intent=AHEAD)
    assert (shop.line("A").ahead, shop.billable("A"), shop.credit_due("A")) == (5, [], [])
    shop.take_back("A", 3)
    assert (shop.line("A").ahead, shop.credit_due("A")) == (2, [])
    shop.take_back("A", 2)
    shop.take_back("A", 1)
    assert (shop.line("A").ahead, shop.credit_due("A")) == (0, [1])
    shop.send("B", 10)
    shop.credit(shop.bill("B"), 5, intent=REBILL)
    assert shop.billable("B") == [5]
    shop.bill("B")
    assert shop.owes() == 6000 + 12000


@every_currency
def test_m02_a_price_reduction_lowers_what_a_return_gives_back(storage: Storage, currency: str) -> None:
    """1.00 off each of 3 units of 10 x 10.00: owes 116.40; one unit back gives 9.70 + tax; nothing is billable."""
    shop = MoneyShop(storage, currency).confirmed("O", (10, 1000))
    shop.send("O", 10)
    invoice = shop.bill("O")
    shop.credit(invoice, amount=300)
    assert (shop.owes(), shop.billable("O"), shop.credit_due("O")) == (11640, [], [])
    shop.take_back("O", 1)
    assert shop.credit_due("O") == [1]
    note = shop.credit(invoice, 1)
    state = shop.issued(note)
    assert (state.parts[0].lines[0].amount_minor, shop.owes()) == (970, 11640 - 970 - 194)
    assert (shop.billable("O"), shop.credit_due("O")) == ([], [])
    assert (shop.line("O").unit_minor, shop.line("O").reduced_minor) == (9000, 270)


@every_currency
@both_bases
@pytest.mark.parametrize("ahead", [False, True])
def test_m03_a_lost_unit_turns_up(storage: Storage, currency: str, basis: InvoiceBasis, ahead: bool) -> None:
    """3 sent and billed, 1 lost and credited, or credited ahead and then lost; found at the customer: 1 is billable."""
    shop = MoneyShop(storage, currency).confirmed("O", (3, 1000), invoice_basis=basis)
    shop.send("O", 2)
    parcel = shop.send("O", 1, delivered=False)
    invoice = shop.bill("O")
    if ahead:
        shop.credit(invoice, 1, intent=AHEAD)
    shop.handle(parcel, DeclareLost())
    shop.handle(parcel, write_off(1))
    if not ahead:
        assert shop.credit_due("O") == [1]
        shop.credit(invoice, 1)
    assert (shop.billable("O"), shop.credit_due("O"), shop.owes()) == ([], [], 2400)
    shop.handle(parcel, RecordDelivered("found"))
    assert (shop.billable("O"), shop.credit_due("O")) == ([1], [])
    assert [task.key.id for task in shop.worklist("to_bill")] == ["O"]
    shop.bill("O")
    assert shop.owes() == 3600


@every_currency
@pytest.mark.parametrize("again", ["void", "credit"])
@pytest.mark.parametrize("units", [3, 7])
def test_m04_voided_or_credited_and_billed_again_sums_to_the_whole(
    storage: Storage, currency: str, again: str, units: int
) -> None:
    """A line of 10.00 billed one by one; the first bill taken back and billed again: 10.00, not 10.01."""
    shop = MoneyShop(storage, currency, rate=0).together("O", units, 1000)
    shop.send("O", units)
    invoices = [shop.bill("O", 1) for _ in range(units)]
    assert shop.owes() == 1000
    if again == "void":
        shop.handle(invoices[0], VoidInvoice("wrong"))
    else:
        shop.credit(invoices[0], 1, intent=REBILL)
    shop.bill("O")
    assert (shop.owes(), shop.line("O").unit_minor) == (1000, 1000)


def test_m16_a_credit_that_is_not_the_invoices_own_is_refused(storage: Storage) -> None:
    """Too much, too many, of another line, customer or currency: refused; a second part refund is right."""
    shop = MoneyShop(storage).confirmed("O", (1, 10000), (1, 1150)).confirmed("B", (1, 1000), customer="bob")
    shop.send("O", 1)
    shop.send("O", 1, line=2)
    shop.send("B", 1)
    mine, his = shop.bill("O"), shop.bill("B")
    for item, code in (
        (CreditItem(mine, 1, amount_minor=20000), "more_than_left"),
        (CreditItem(mine, 1, units=2), "more_than_left"),
        (CreditItem(mine, 3, units=1), "no_such_line"),
        (CreditItem(mine, 1), "units_or_amount"),
        (CreditItem(his, 1, units=1), "other_customer"),
    ):
        with pytest.raises(CommandRefused) as caught:
            shop.note(item)
        assert code in caught.value.codes
    with pytest.raises(CommandRefused, match="billed in GBP"):
        shop.note(CreditItem(mine, 1, units=1), currency="EUR")
    shop.credit(mine, line=2, amount=450)
    shop.credit(mine, line=2, amount=700)
    assert shop.open(mine) == [12000]


@every_currency
def test_m21_an_order_is_not_closed_while_money_is_owed_back(storage: Storage, currency: str) -> None:
    """Refused at the door after billing, or 3 of 5 cancelled after they were billed as ordered: not closed before."""
    shop = (
        MoneyShop(storage, currency)
        .confirmed("A", (2, 1000))
        .confirmed("B", (5, 1000), invoice_basis=InvoiceBasis.ORDERED)
    )
    shop.send("A", 2)
    first = shop.bill("A")
    shop.take_back("A", 2)
    assert shop.refused("A", CompleteOrder()) == ("not_credited",)
    assert [(task.key.id, task.reasons[0]["minor"]) for task in shop.worklist("to_credit")] == [("A", 2400)]
    shop.credit(first, 2)
    shop.handle("A", CompleteOrder())
    second = shop.bill("B")
    shop.handle("B", cancel(3))
    shop.send("B", 2)
    assert (shop.credit_due("B"), shop.refused("B", CompleteOrder())) == ([3], ("not_credited",))
    shop.credit(second, 3)
    assert shop.advance("B").state == "Completed"
    assert shop.owes() == 2400


@every_currency
def test_m29_what_is_credited_first_settles_what_is_due(storage: Storage, currency: str) -> None:
    """10 billed as ordered, 5 delivered and credited as kept, the other 5 cancelled: credit due 5."""
    shop = MoneyShop(storage, currency).confirmed("O", (10, 1000), invoice_basis=InvoiceBasis.ORDERED)
    invoice = shop.bill("O")
    shop.send("O", 5)
    shop.credit(invoice, 5)
    shop.handle("O", cancel(5))
    assert (shop.credit_due("O"), shop.billable("O")) == ([5], [])
    shop.credit(invoice, 5)
    assert (shop.owes(), shop.credit_due("O"), shop.billable("O")) == (0, [], [])


@every_currency
def test_m30_no_bill_is_below_nothing(storage: Storage, currency: str) -> None:
    """10 for 100.00, reduced by 50.00, all lost and credited, 1 found: the bill is 10.00, not less than nothing."""
    shop = MoneyShop(storage, currency, rate=0).confirmed("O", (10, 1000))
    parcel = shop.send("O", 10, delivered=False)
    invoice = shop.bill("O")
    shop.credit(invoice, amount=5000)
    shop.handle(parcel, DeclareLost())
    shop.handle(parcel, write_off(10))
    shop.credit(invoice, 10)
    assert shop.owes() == 0
    shop.handle(parcel, RecordDelivered("found"))
    again = shop.bill("O", 1)
    assert (shop.open(again), shop.owes()) == ([1000], 1000)


@every_currency
def test_m30_free_units_of_a_tiny_line(storage: Storage, currency: str) -> None:
    """0.05 in 10 units billed one by one, the five free ones credited, 1 found: nothing below 0."""
    shop = MoneyShop(storage, currency, rate=0).together("O", 10, 5)
    parcel = shop.send("O", 10, delivered=False)
    invoices = [shop.bill("O", 1) for _ in range(10)]
    amounts = shop.open(*invoices)
    assert (sum(amounts), min(amounts)) == (5, 0)
    shop.handle(parcel, DeclareLost())
    shop.handle(parcel, write_off(5))
    for invoice in [invoice for invoice, minor in zip(invoices, amounts, strict=True) if not minor]:
        shop.credit(invoice, 1)
    shop.handle(parcel, RecordDelivered("found"))
    while shop.billable("O"):
        assert shop.open(shop.bill("O", 1))[0] >= 0
    assert shop.owes() >= 0


@every_currency
def test_m31_what_is_left_of_ten_for_three(storage: Storage, currency: str) -> None:
    """10.00 for 3 billed one by one; the second comes back: 6.66 or 6.67 is left; then everything: 0."""
    shop = MoneyShop(storage, currency, rate=0).together("O", 3, 1000)
    shop.send("O", 3)
    invoices = [shop.bill("O", 1) for _ in range(3)]
    shop.take_back("O", 1)
    shop.credit(invoices[1], 1)
    assert shop.owes() in (666, 667)
    shop.take_back("O", 2)
    shop.credit(invoices[0], 1)
    shop.credit(invoices[2], 1)
    assert shop.owes() == 0


def test_m16_a_note_names_something(storage: Storage) -> None:
    """A credit note of nothing, or for an invoice that is not there, is refused."""
    shop = MoneyShop(storage).confirmed("O", (1, 1000))
    with pytest.raises(CommandRefused) as caught:
        shop.note()
    assert caught.value.codes == ("nothing_asked",)
    with pytest.raises(CommandRefused):
        shop.credit("O/1", 1)
