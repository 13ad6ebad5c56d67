"""M12, M18, M19, M26, M33: balances, credit on account, exposure, write-offs."""

from __future__ import annotations

import pytest
from money_shop import MoneyShop, every_currency

from orderflow.domain.billing.account import SetCreditLimit
from orderflow.domain.billing.credit_note import AccountLine, UseCredit
from orderflow.domain.billing.invoice_money import TakeBackWriteOff, WriteOff
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, InvoiceBasis
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.payments.refunding import RefundPayment
from orderflow.domain.values import LineQuantity
from orderflow.errors import CommandRefused
from orderflow.ports.storage import Storage


@every_currency
@pytest.mark.parametrize("target", ["invoice", "order"])
def test_m12_who_paid_is_not_who_owes(storage: Storage, currency: str, target: str) -> None:
    """Bob pays ann's invoice: ann owes 0 and her credit is free, bob owes 0; taken back, ann owes again."""
    shop = MoneyShop(storage, currency).confirmed("O", (1, 1000))
    shop.handle("ann", SetCreditLimit(shop.money(1200)))
    shop.send("O", 1)
    invoice = shop.bill("O")
    payment = shop.pay(1200, customer="bob", **{target: invoice if target == "invoice" else "O"})
    assert (shop.owes("ann"), shop.owes("bob"), shop.exposure("ann"), shop.open(invoice)) == (0, 0, 0, [0])
    shop.placed("P", (1, 1000)).handle("P", ConfirmOrder())
    shop.charge_back(payment, 1200)
    assert (shop.owes("ann"), shop.owes("bob"), shop.open(invoice)) == (1200, 0, [1200])


@every_currency
def test_m12_a_credit_gives_another_customers_money_back_to_him(storage: Storage, currency: str) -> None:
    """Bob paid ann's invoice; it is credited: the money is bob's again."""
    shop = MoneyShop(storage, currency).confirmed("O", (1, 1000))
    shop.send("O", 1)
    invoice = shop.bill("O")
    shop.pay(1200, customer="bob", invoice=invoice)
    shop.credit(invoice, 1)
    assert (shop.owes("ann"), shop.owes("bob")) == (0, -1200)


@every_currency
def test_m18_credit_on_account_pays_an_invoice(storage: Storage, currency: str) -> None:
    """10.00 on account, used on an invoice of 10.00: balance 0, invoice settled; credited, it is free again."""
    shop = MoneyShop(storage, currency, rate=0).confirmed("O", (1, 1000))
    note = shop.note(AccountLine(1, "GOODWILL", 1, 1000, shop.tax))
    assert shop.owes() == -1000
    shop.send("O", 1)
    invoice = shop.bill("O")
    assert shop.refused(note, UseCredit(invoice, 1001)) == ("exceeds_free",)
    shop.handle(note, UseCredit(invoice, 1000))
    assert (shop.owes(), shop.open(invoice), shop.issued(note).free_minor) == (0, [0], 0)
    shop.take_back("O", 1)
    shop.credit(invoice, 1)
    assert (shop.owes(), shop.issued(note).free_minor) == (-1000, 1000)


def test_m18_credit_is_its_customers_and_of_its_currency(storage: Storage) -> None:
    """Credit of ann pays no invoice of bob, and no more than is open."""
    shop = MoneyShop(storage, rate=0).confirmed("O", (1, 500), customer="bob").confirmed("A", (1, 500))
    note = shop.note(AccountLine(1, "GOODWILL", 1, 1000, shop.tax))
    for order in ("O", "A"):
        shop.send(order, 1)
        shop.bill(order)
    assert shop.refused(note, UseCredit("O/1", 100)) == ("other_customer",)
    assert shop.refused(note, UseCredit("A/1", 501)) == ("more_than_open",)


@every_currency
def test_m19_exposure_stays_while_an_order_is_billed_and_falls_when_it_is_cancelled(
    storage: Storage, currency: str
) -> None:
    """Limit 120.00, order of 120.00; 9 of 10 billed: 120.00 throughout; 5 cancelled: 60.00."""
    shop = MoneyShop(storage, currency).placed("O", (10, 1000), invoice_basis=InvoiceBasis.ORDERED)
    shop.handle("ann", SetCreditLimit(shop.money(12000)))
    shop.handle("O", ConfirmOrder())
    for _ in range(9):
        shop.bill("O", 1)
        assert shop.exposure() == 12000
    shop.handle("O", CancelUnits("less", CancelledBy.CUSTOMER, (LineQuantity(1, 5),)))
    assert shop.exposure() == 6000
    shop.placed("P", (5, 1001))
    assert shop.refused("P", ConfirmOrder()) == ("credit_exceeded",)


@every_currency
@pytest.mark.parametrize("target", ["invoice", "order"])
def test_m26_money_comes_after_it_was_written_off(storage: Storage, currency: str, target: str) -> None:
    """A bank fee is written off, then comes after all: the write-off is taken back, nothing counts twice."""
    shop = MoneyShop(storage, currency, rate=0).confirmed("O", (1, 1000))
    shop.send("O", 1)
    invoice = shop.bill("O")
    shop.pay(990, invoice=invoice)
    shop.handle(invoice, WriteOff(10, "bank fee"))
    assert (shop.owes(), shop.open(invoice)) == (0, [0])
    if target == "order":
        shop.handle(invoice, TakeBackWriteOff(10, "it comes"))
        assert (shop.owes(), shop.open(invoice)) == (10, [10])
        shop.pay(10, order="O")
    else:
        with pytest.raises(CommandRefused, match=r"wanted, .* possible"):
            shop.pay(11, invoice=invoice)
        shop.pay(10, invoice=invoice)
    written_off = shop.bill_of(invoice).amounts.written_off
    assert (written_off, shop.open(invoice)) == (0, [0])
    free = 11 if target == "invoice" else 0
    assert shop.owes() == -free
    assert shop.refused(invoice, TakeBackWriteOff(1, "again")) == ("not_written_off",)


@every_currency
def test_m33_a_refund_after_a_credit_dunns_nobody(storage: Storage, currency: str) -> None:
    """A and B of 100 paid by one transfer of 200; A credited; 100 refunded: nothing is open on A or B."""
    shop = MoneyShop(storage, currency, rate=0).confirmed("A", (1, 100)).confirmed("B", (1, 100))
    for order in ("A", "B"):
        shop.send(order, 1)
        shop.bill(order)
    payment = shop.pay(100 + 100)
    shop.apply(payment, 100, "A/1")
    shop.apply(payment, 100, "B/1")
    shop.take_back("A", 1)
    shop.credit("A/1", 1)
    assert shop.free(payment) == 100
    shop.handle(payment, RefundPayment(shop.money(100)))
    assert (shop.open("A/1", "B/1"), shop.owes()) == ([0, 0], 0)


@every_currency
def test_m33_the_same_with_prepaid_orders(storage: Storage, currency: str) -> None:
    """Prepaid: A's money is in its pool after the credit, to be refunded; B's stays where it is."""
    shop = MoneyShop(storage, currency, rate=0).confirmed("A", (1, 100)).confirmed("B", (1, 100))
    payments = [shop.pay(100, order=order) for order in ("A", "B")]
    for order in ("A", "B"):
        shop.send(order, 1)
        shop.bill(order)
    shop.take_back("A", 1)
    shop.credit("A/1", 1)
    assert (shop.to_refund("A"), shop.to_refund("B"), shop.open("A/1", "B/1")) == (100, 0, [0, 0])
    shop.charge_back(payments[0], 100)
    assert (shop.to_refund("A"), shop.open("A/1", "B/1"), shop.owes()) == (0, [0, 0], 0)
