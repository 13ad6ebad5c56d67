"""Money in, and credit given."""

from __future__ import annotations

from tea_shop import ANN, CANCEL, Shop, pick, shipped

from orderflow.domain.billing.account import SetCreditLimit
from orderflow.domain.money.money import Money
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.billing import CompleteOrder
from orderflow.domain.orders.content import CompleteOn, PayBefore
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.parties.customer import BlockCustomer, CloseCustomer, RegisterCustomer, UnblockCustomer
from orderflow.domain.payments.applying import ApplyPayment, UnapplyPayment
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.payments.refunding import ChargeBackPayment, RefundPayment
from orderflow.domain.payments.state import ApplicationTarget, PaymentSource
from orderflow.domain.workflow.table import standard_workflow


def test_payment_settles_an_invoice_and_completes_what_waits_for_it() -> None:
    """An order that waits for payment is completed once its invoice is settled, and not before."""
    shop = shipped(complete_on=CompleteOn.PAID)
    assert shop.refusal("O", CompleteOrder()) == ("unpaid",)
    paid = RecordPayment(PaymentSource("bank", "1", "ann"), Money(2_500, "EUR"))
    into = ApplyPayment(ApplicationTarget.INVOICE, "O/1", Money(2_380, "EUR"))
    shop.tell("bank/1", paid, into).settle()
    assert type(shop.invoices.get("O/1")).__name__ == "Settled"
    assert shop.balance("ann", "EUR") == -120
    shop.tell("bank/1", RefundPayment(Money(120, "EUR")))
    assert shop.balance("ann", "EUR") == 0
    assert shop.advance("O").state == "Completed"


def test_a_payment_is_taken_off_again() -> None:
    """Deallocated or charged back money leaves the invoice owed; money for an order touches no invoice."""
    shop = shipped()
    invoice, order = ApplicationTarget.INVOICE, ApplicationTarget.ORDER
    shop.tell("card/1", RecordPayment(PaymentSource("card", "1", "ann"), Money(2_380, "EUR")))
    shop.tell("card/1", ApplyPayment(order, "O", Money(380, "EUR")), UnapplyPayment(order, "O", Money(380, "EUR")))
    shop.tell("card/1", ApplyPayment(invoice, "O/1", Money(2_380, "EUR")))
    shop.tell("card/1", UnapplyPayment(invoice, "O/1", Money(380, "EUR")))
    assert shop.invoice().open_minor == 380
    shop.tell("card/1", ApplyPayment(order, "O", Money(380, "EUR")), ChargeBackPayment(Money(2_380, "EUR")))
    assert shop.invoice().open_minor == 2_380
    assert shop.balance("ann", "EUR") == 2_380
    assert shop.refusal("card/1", ApplyPayment(invoice, "O/1", Money(1, "EUR"))) == ("exceeds_free",)


def test_an_invoice_is_paid_in_its_own_currency() -> None:
    """Money of another currency pays no invoice."""
    shop = shipped()
    shop.tell("bank/1", RecordPayment(PaymentSource("bank", "1", "ann"), Money(100, "GBP")))
    into = ApplyPayment(ApplicationTarget.INVOICE, "O/1", Money(100, "GBP"))
    assert shop.refusal("bank/1", into) == ("currency_differs",)


def test_credit_is_limited_and_blocked_customers_wait() -> None:
    """An order beyond the limit, in a currency without credit, or of a blocked customer is not confirmed."""
    shop = Shop().tell("ann", SetCreditLimit(Money(2_000, "EUR"))).placed(2)
    assert shop.refusal("O", ConfirmOrder()) == ("credit_exceeded",)
    shop.tell("ann", SetCreditLimit(Money(2_380, "GBP")))
    assert shop.refusal("O", ConfirmOrder()) == ("credit_currency",)
    shop.tell("ann", SetCreditLimit(None), RegisterCustomer(ANN), BlockCustomer("unpaid"))
    assert shop.refusal("O", ConfirmOrder()) == ("customer_blocked",)
    shop.tell("ann", UnblockCustomer()).tell("O", ConfirmOrder())
    shop.tell("ann", CloseCustomer())
    assert shop.accounts.get("ann").blocked


def kept_for(order: str, minor: int, currency: str = "EUR") -> ApplyPayment:
    """So much money of a payment is used for an order."""
    return ApplyPayment(ApplicationTarget.ORDER, order, Money(minor, currency))


def test_an_order_that_waits_for_its_money_goes_on_when_all_of_it_is_there() -> None:
    """Payments used for the order count towards its total, taken off they do not; covered, stock is allocated."""
    shop = Shop(workflow=standard_workflow(())).stocked(main=2).confirmed(1, pay_before=PayBefore.ALLOCATE)
    shop.tell(
        "bank/1", RecordPayment(PaymentSource("bank", "1", "ann"), Money(1_190, "EUR")), kept_for("O", 1_189)
    ).settle()
    shop.tell("bank/1", UnapplyPayment(ApplicationTarget.ORDER, "O", Money(1_000, "EUR"))).settle()
    assert shop.progress().pool_minor == 189
    assert shop.refusal("O", AllocateStock(pick(1))) == ("unpaid",)
    shop.tell("bank/1", kept_for("O", 1_001)).settle()
    assert shop.tell("O", AllocateStock(pick(1))).state == "Allocated"
    shop.tell("bank/1", ChargeBackPayment(Money(1_190, "EUR"))).settle()
    assert shop.progress().pool_minor == 0
    assert shop.tell("O", CANCEL).state == "Cancelled"


def test_an_order_is_paid_in_its_own_currency() -> None:
    """Money of another currency is refused at once, and stays free."""
    shop = Shop().confirmed(1, pay_before=PayBefore.ALLOCATE)
    shop.tell("bank/1", RecordPayment(PaymentSource("bank", "1", "ann"), Money(9_000, "USD")))
    assert shop.refusal("bank/1", kept_for("O", 9_000, "USD")) == ("currency_differs",)
