"""Invoices and credit notes."""

from __future__ import annotations

from datetime import date, timedelta

from attrs import evolve
from tea_shop import CANCEL, GO, PACK, VAT, Shop, content, item, note, plan, shipped

from orderflow.domain.billing.credit_note import AccountLine, CreditItem
from orderflow.domain.billing.invoice import MarkSent, VoidInvoice
from orderflow.domain.billing.invoice_money import WriteOff
from orderflow.domain.billing.numbering import ClosePeriod, OpenSeries
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, CompleteOn, InvoiceBasis, LineKind, OrderLine, Policy
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder, UnconfirmOrder
from orderflow.domain.values import LineQuantity
from orderflow.domain.workflow.table import standard_workflow


def test_part_invoices_of_a_line_sum_to_the_line() -> None:
    """A line billed in parts is rounded cumulatively: the parts sum to the whole, whatever the steps."""
    lines = (OrderLine.of(1, "TEA", 3, Price.of("0.335", "EUR"), TaxCategory.of("Z", 0)),)
    shop = Shop().stocked(main=3)
    shop.tell("O", PlaceOrder(content(1, lines=lines)), ConfirmOrder())
    shop.allocate("O")
    nets = []
    for number in (1, 2, 3):
        shop.tell(f"S{number}", plan(item(1)), PACK, GO).tell("O", BillUnits(f"I{number}", "inv", f"S{number}"))
        nets.append(shop.invoices.get(f"I{number}").totals.net_minor)
    assert sum(nets) == lines[0].net_minor == 101
    assert [shop.invoice(f"I{number}").number[-1] for number in (1, 2, 3)] == ["1", "2", "3"]
    assert shop.refusal("O", BillUnits("I4", "inv")) == ("nothing_billable",)
    assert shop.accounts.get("ann").of("EUR").ordered == 0


LINKED = CreditItem("O/1", 1, 1)


def test_a_credit_note_is_linked_or_on_account() -> None:
    """A linked line takes off its invoice, the part on account off the customer's balance only."""
    shop = shipped()
    shop.tell("n", note(LINKED, AccountLine(2, "GOODWILL", 1, 500, VAT)))
    assert shop.invoice().amounts.credited == 1_190
    assert (shop.lines[0].credited, shop.lines[0].waived) == (1, 1)
    assert shop.balance("ann", "EUR") == 2_380 - 1_785
    assert shop.rows("credit_note").get("n").number.endswith("1")
    assert shop.refusal("m", note(LINKED, LINKED)) == ("more_than_left",)


def test_a_credit_note_that_does_not_fit_is_refused() -> None:
    """Another currency than the invoice's, half a link, or nobody to credit: each is refused with its code."""
    shop = shipped()
    assert shop.refusal("n", note(LINKED, currency="GBP")) == ("currency_differs",)
    assert shop.refusal("n", note(LINKED._replace(line=2))) == ("no_such_line",)
    assert shop.refusal("n", note(LINKED._replace(amount_minor=5))) == ("units_or_amount",)
    assert shop.refusal("n", note()) == ("nothing_asked",)
    assert shop.refusal("n", note(LINKED, bill_to=None)) == ("no_party",)
    for minor in (-1, -500):
        assert shop.refusal("n", note(AccountLine(1, "TEA", 1, minor, VAT))) == ("negative_credit",)
    assert shop.refusal("n", note(LINKED._replace(units=0, amount_minor=9_000))) == ("more_than_left",)


def test_a_mistaken_invoice_is_taken_back_and_billed_again() -> None:
    """A void invoice keeps its number, and its units can be billed again; a sent one is credited instead."""
    shop = shipped(Shop(workflow=standard_workflow(())))
    shop.tell("O/1", VoidInvoice("wrong address")).settle()
    assert shop.balance("ann", "EUR") == 0
    shop.tell("O", BillUnits("O/2", "inv")).tell("O/2", MarkSent())
    assert shop.refusal("O/2", VoidInvoice("late")) == ("already_used",)
    shop.tell("O/2", WriteOff(2_380, "goodwill"))
    assert shop.balance("ann", "EUR") == 0


def test_a_voided_invoice_frees_services_and_payment_is_not_waited_for() -> None:
    """Services of a void invoice are billed again; an order completed on payment waits for the second invoice alone."""
    shop = Shop(workflow=standard_workflow(()))
    work = OrderLine.of(1, "ADVICE", 1, Price.of("20.00", "EUR"), VAT, kind=LineKind.SERVICE)
    shop.tell("O", PlaceOrder(evolve(content(1, policy=Policy(complete_on=CompleteOn.PAID)), lines=(work,))))
    shop.tell("O", ConfirmOrder(), BillUnits("O/1", "inv")).tell("O/1", VoidInvoice("mistaken")).settle()
    shop.tell("O", BillUnits("O/2", "inv"))
    assert shop.refusal("O", CompleteOrder()) == ("unpaid",)
    shop.tell("O/2", WriteOff(2_380, "goodwill")).settle()
    assert shop.tell("O", CompleteOrder()).state == "Completed"


def test_an_order_with_an_invoice_does_not_step_back() -> None:
    """A billed order is not unconfirmed, until its invoice is void."""
    shop = Shop(workflow=standard_workflow(())).confirmed(1, invoice_basis=InvoiceBasis.ORDERED)
    shop.tell("O", BillUnits("I", "inv"))
    assert shop.refusal("O", UnconfirmOrder()) == ("already_billed",)
    shop.tell("I", VoidInvoice("mistaken")).settle()
    assert shop.tell("O", UnconfirmOrder()).state == "Placed"


def test_an_order_billed_as_ordered_owes_nothing_more_when_cancelled_units_are_gone() -> None:
    """On the ordered basis all live units are billable once the order is confirmed."""
    shop = Shop().confirmed(3, invoice_basis=InvoiceBasis.ORDERED)
    shop.tell("O", CancelUnits("one less", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)), BillUnits("I", "inv"))
    assert shop.invoices.get("I").totals.net_minor == 2_000


def test_services_are_billed_once_the_order_moves() -> None:
    """A service of an order with goods is billed with the first goods; an order of services alone at once."""
    advice = OrderLine.of(2, "ADVICE", 1, Price.of("5.00", "EUR"), VAT, kind=LineKind.SERVICE)
    shop = Shop().stocked(main=1)
    mixed = content(1)
    shop.tell("O", PlaceOrder(evolve(mixed, lines=(*mixed.lines, advice))), ConfirmOrder())
    assert shop.refusal("O", BillUnits("I", "inv")) == ("nothing_billable",)
    shop.allocate("O")
    shop.tell("S", plan(item(1)), PACK, GO).tell("O", BillUnits("I", "inv"))
    assert shop.invoices.get("I").totals.net_minor == 1_500
    shop.tell("A", PlaceOrder(content(1, lines=(evolve(advice, line=1),))))
    assert shop.advance("A").state == "Completed"


def test_a_closed_period_takes_no_document() -> None:
    """No invoice is dated into a period that is closed, and a closed period stays closed."""
    shop = Shop().stocked(main=2).placed(2)
    shop.advance("O")
    shop.tell("O/1", GO).tell("inv", OpenSeries("R-", 7, 3), ClosePeriod(date(2026, 4, 1)))
    assert shop.refusal("O", BillUnits("I", "inv")) == ("period_closed",)
    assert shop.refusal("inv", ClosePeriod(date(2026, 3, 1))) == ("already_closed",)
    shop.time.advance(timedelta(days=1))
    shop.tell("O", BillUnits("I", "inv"))
    assert shop.invoice("I").number == "R-007"


def test_what_costs_nothing_posts_nothing() -> None:
    """A gift is billed, settled and credited at 0 without touching the account's sums."""
    shop = Shop().stocked(main=1)
    shop.tell("O", PlaceOrder(content(1, price="0.00"))).advance("O")
    shop.tell("O/1", GO).tell("O", BillUnits("O/1", "inv"))
    assert type(shop.invoices.get("O/1")).__name__ == "Settled"
    shop.tell("n", note(LINKED))
    shop.tell("P", PlaceOrder(content(1, price="0.00")), ConfirmOrder(), CANCEL)
    assert shop.balance("ann", "EUR") == 0


def test_a_voided_invoice_frees_its_units_while_notices_wait() -> None:
    """The notice of an invoice that was taken back does not keep its units from being billed again."""
    shop = shipped()
    shop.tell("O/1", VoidInvoice("mistaken")).settle()
    assert (shop.lines[0].invoiced, shop.lines[0].credited) == (0, 0)
    assert (shop.storage.pending(), shop.storage.dead_letters()) == (0, [])
    assert [bill.open_minor for bill in shop.progress().bills] == [0]
