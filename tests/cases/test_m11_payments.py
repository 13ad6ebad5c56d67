"""M11, M13, M14: one payment is one row; facts beyond what is free; money for orders that cannot take it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from money_shop import NOON, MoneyShop, every_currency

from orderflow.domain.billing.credit_note import AccountLine, UseCredit
from orderflow.domain.money.money import Money
from orderflow.domain.orders.billing import CompleteOrder
from orderflow.domain.orders.content import PayBefore
from orderflow.domain.orders.placing import OpenDraft
from orderflow.domain.payments.applying import ApplyPayment, UnapplyPayment
from orderflow.domain.payments.collecting import (
    AuthorisePayment,
    CapturePayment,
    ClosePayment,
    ExpectPayment,
    RecordPayment,
)
from orderflow.domain.payments.facts import ClosePaymentTask
from orderflow.domain.payments.refunding import ChargeBackPayment, DisputePayment, RefundPayment, ResolveDispute
from orderflow.domain.payments.state import ApplicationTarget, PaymentSource
from orderflow.errors import InputError
from orderflow.ports.storage import Storage


@every_currency
def test_m11_one_payment_is_one_row(storage: Storage, currency: str) -> None:
    """The same reference under two rows is a fault; told again it counts once, with other money it is a task."""
    shop = MoneyShop(storage, currency)
    origin = PaymentSource("bank", "7", "ann")
    shop.handle("bank/7", RecordPayment(origin, shop.money(100)))
    with pytest.raises(InputError, match="the row of this payment is bank/7"):
        shop.handle("bank/8", RecordPayment(origin, shop.money(100)))
    shop.handle("bank/7", RecordPayment(origin, shop.money(100)))
    assert (shop.free("bank/7"), shop.owes()) == (100, -100)
    shop.handle("bank/7", RecordPayment(origin, shop.money(90)))
    assert (shop.free("bank/7"), shop.owes()) == (100, -100)
    [listed] = shop.worklist("contradictions")
    assert (listed.key.id, listed.reasons[0].code) == ("bank/7", "contradiction")
    shop.handle("bank/7", ClosePaymentTask("amount_differs"))
    assert shop.worklist("contradictions") == []


@every_currency
def test_m13_money_that_is_all_applied_goes_back(storage: Storage, currency: str) -> None:
    """Refunded 20.00 of applied money: recorded, the newest application taken back, its invoice reopened."""
    shop = MoneyShop(storage, currency, rate=0).confirmed("A", (1, 5000)).confirmed("B", (1, 5000))
    for order in ("A", "B"):
        shop.send(order, 1)
        shop.bill(order)
    payment = shop.pay(10000)
    shop.apply(payment, 5000, "A/1")
    shop.handle(payment, ApplyPayment(ApplicationTarget.ORDER, "B", shop.money(5000)))
    shop.handle(payment, RefundPayment(shop.money(2000), "re_1"))
    assert (shop.open("A/1", "B/1"), shop.owes()) == ([0, 2000], 2000)
    shop.handle(payment, RefundPayment(shop.money(2000), "re_1"))
    assert (shop.open("A/1", "B/1"), shop.owes()) == ([0, 2000], 2000)
    assert [task.key.id for task in shop.worklist("invoices_due")] == ["B/1"]
    shop.handle(payment, ChargeBackPayment(shop.money(9000), "cb_1"))
    shop.handle(payment, ChargeBackPayment(shop.money(9000), "cb_1"))
    assert (shop.open("A/1", "B/1"), shop.owes(), shop.free(payment)) == ([5000, 5000], 10000, 0)
    assert [dict(task.reasons[0].facts)["facts"] for task in shop.worklist("contradictions")] == ["minor 1000"]


@every_currency
def test_m13_a_dispute_that_is_lost_reopens(storage: Storage, currency: str) -> None:
    """Disputed money cannot be applied; lost, it goes; lost again, nothing changes."""
    shop = MoneyShop(storage, currency, rate=0).confirmed("A", (1, 100))
    shop.send("A", 1)
    invoice = shop.bill("A")
    payment = shop.pay(100, invoice=invoice)
    shop.handle(payment, DisputePayment(shop.money(100), "d"))
    assert [task.key.id for task in shop.worklist("disputed")] == [payment]
    shop.handle(payment, ResolveDispute(won=False, fact_id="e"))
    shop.handle(payment, ResolveDispute(won=False, fact_id="e"))
    assert (shop.open(invoice), shop.owes(), shop.worklist("contradictions")) == ([100], 100, [])


def test_m14_money_for_an_order_that_cannot_take_it(storage: Storage) -> None:
    """One that does not exist, is a draft, is of another currency: refused at once, the money stays free."""
    shop = MoneyShop(storage).placed("O", (1, 1000))
    shop.handle("D", OpenDraft(shop.orders.get("O").content))
    payment = shop.pay(1000)
    for order, code in (("none", "not_found"), ("D", "not_now")):
        assert shop.refused(payment, ApplyPayment(ApplicationTarget.ORDER, order, shop.money(1000))) == (code,)
    yen = PaymentSource("bank", "yen", "ann")
    shop.handle("bank/yen", RecordPayment(yen, Money(1000, "JPY")))
    assert shop.refused("bank/yen", ApplyPayment(ApplicationTarget.ORDER, "O", Money(1000, "JPY"))) == (
        "currency_differs",
    )
    assert (shop.free(payment), shop.free("bank/yen")) == (1000, 1000)
    assert [task.key.id for task in shop.worklist("to_apply")] == [payment, "bank/yen"]
    card = PaymentSource("card", "1", "ann", "card", authorises=True, order="none")
    assert shop.refused("card/1", ExpectPayment(card, shop.money(1))) == ("no_such_order",)
    assert shop.refused("card/2", ExpectPayment(PaymentSource("card", "2", order="O"), Money(1, "JPY"))) == (
        "currency_differs",
    )


def test_m14_a_completed_order_takes_what_its_invoices_have_open(storage: Storage) -> None:
    """Billed and closed, 24.00 are open: a minor unit more is refused, 24.00 are taken, and nothing after that."""
    shop = MoneyShop(storage).confirmed("O", (2, 1000))
    shop.send("O", 2)
    invoice = shop.bill("O")
    assert shop.advance("O").state == "Completed"
    payment = shop.pay(2402)
    for minor, codes in ((2401, ("more_than_open",)), (2399, ()), (1, ()), (1, ("more_than_open",))):
        command = ApplyPayment(ApplicationTarget.ORDER, "O", shop.money(minor))
        if codes:
            assert shop.refused(payment, command) == codes
        else:
            shop.handle(payment, command)
    assert (shop.open(invoice), shop.free(payment), shop.owes()) == ([0], 2, -2)


@every_currency
def test_m07_what_is_authorised_opens_the_gate_while_it_stands(storage: Storage, currency: str) -> None:
    """A card is authorised for the order: it goes on; captured on dispatch, the money is the order's own."""
    shop = MoneyShop(storage, currency).confirmed("O", (2, 1000), pay_before=PayBefore.ALLOCATE)
    card = PaymentSource("card", "1", "ann", "card", authorises=True, order="O")
    shop.handle("card/1", ExpectPayment(card, shop.money(2400)))
    shop.handle("card/1", AuthorisePayment(shop.money(2400), "a", NOON + timedelta(days=7)))
    shop.send("O", 1)
    shop.handle("card/1", CapturePayment(shop.money(1200), "c"))
    progress = shop.progress("O")
    assert (progress.pool_minor, [item.minor for item in progress.authorisations]) == (1200, [1200])
    assert shop.open(shop.bill("O")) == [0]
    shop.send("O", 1)
    shop.handle("card/1", CapturePayment(shop.money(1200), "d"))
    assert shop.open(shop.bill("O")) == [0]
    assert (shop.progress("O").authorisations, shop.owes()) == ((), 0)


def test_m07_an_authorisation_that_ends_closes_the_gate(storage: Storage) -> None:
    """Past its time, or given up, it opens nothing any more."""
    shop = MoneyShop(storage).confirmed("O", (1, 1000), pay_before=PayBefore.ALLOCATE)
    card = PaymentSource("card", "1", "ann", "card", authorises=True, order="O")
    shop.handle("card/1", ExpectPayment(card, shop.money(1200)))
    shop.handle("card/1", AuthorisePayment(shop.money(1200)))
    assert [item.reason.code for item in shop.attention("order", "O")] == ["ready"]
    shop.handle("card/1", ClosePayment())
    assert [item.reason.code for item in shop.attention("order", "O")] == ["unpaid"]


def test_m07_a_card_that_names_no_order_opens_nothing(storage: Storage) -> None:
    """Its money is free once it is captured, until somebody applies it."""
    shop = MoneyShop(storage)
    card = PaymentSource("card", "2", "ann", "card", authorises=True)
    for command in (
        ExpectPayment(card, shop.money(100)),
        AuthorisePayment(shop.money(100)),
        CapturePayment(shop.money(60)),
        RefundPayment(shop.money(60)),
        ClosePayment(),
    ):
        shop.handle("card/2", command)
    assert (shop.free("card/2"), shop.owes()) == (0, 0)


def test_m13_what_pays_less_keeps_its_place(storage: Storage) -> None:
    """Paid A, then B; 20.00 taken off A; refunded 50.00: 20.00 are free, 30.00 come off B, the newest."""
    shop = MoneyShop(storage, rate=0).confirmed("A", (1, 5000)).confirmed("B", (1, 5000))
    for order in ("A", "B"):
        shop.send(order, 1)
        shop.bill(order)
    payment = shop.pay(10000)
    shop.apply(payment, 5000, "A/1")
    shop.apply(payment, 5000, "B/1")
    shop.handle(payment, UnapplyPayment(ApplicationTarget.INVOICE, "A/1", shop.money(2000)))
    shop.handle(payment, RefundPayment(shop.money(5000), "re_1"))
    assert shop.open("A/1", "B/1") == [2000, 3000]


@every_currency
def test_m15_a_completed_order_takes_what_its_invoices_have_open(storage: Storage, currency: str) -> None:
    """Money that comes late pays what is due; one unit more is refused and stays free."""
    shop = MoneyShop(storage, currency).confirmed("O", (1, 1000))
    shop.send("O", 1)
    invoice = shop.bill("O")
    shop.handle("O", CompleteOrder())
    payment = shop.pay(1300)
    for minor, code in ((1201, "more_than_open"), (1301, "exceeds_free")):
        assert shop.refused(payment, ApplyPayment(ApplicationTarget.ORDER, "O", shop.money(minor))) == (code,)
    shop.handle(payment, ApplyPayment(ApplicationTarget.ORDER, "O", shop.money(1200)))
    assert (shop.open(invoice), shop.free(payment), shop.owes()) == ([0], 100, -100)


def test_m18_credit_that_is_freed_is_the_newest(storage: Storage) -> None:
    """Two notes pay an invoice; what a credit leaves over frees the second's first, and a reduction has no share."""
    shop = MoneyShop(storage, rate=0).confirmed("O", (2, 1000))
    shop.send("O", 2)
    invoice = shop.bill("O")
    first, second = (shop.note(AccountLine(1, "GOODWILL", 1, minor, shop.tax)) for minor in (1200, 800))
    shop.handle(first, UseCredit(invoice, 1200))
    shop.handle(second, UseCredit(invoice, 800))
    reduction = shop.issued(shop.credit(invoice, amount=900))
    assert [line.share_minor for part in reduction.parts for line in part.lines] == [0]
    assert (shop.issued(first).free_minor, shop.issued(second).free_minor) == (100, 800)
    shop.credit(invoice, 2)
    assert (shop.issued(first).free_minor, shop.issued(second).free_minor, shop.owes()) == (1200, 800, -2000)
