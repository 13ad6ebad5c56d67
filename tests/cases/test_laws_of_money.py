"""Laws B and F bite: what each reaction of the standard workflow does is missed by the law that names it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from money_shop import NOON, MoneyShop

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.billing import account as ac
from orderflow.domain.billing import credit_note as cn
from orderflow.domain.billing import invoice as inv
from orderflow.domain.billing import invoice_credit as ic
from orderflow.domain.billing import invoice_money as im
from orderflow.domain.engine.machine import Machine, Rule
from orderflow.domain.engine.workflow import Part, Requires, Tells, Workflow, on
from orderflow.domain.orders import billing as ob
from orderflow.domain.orders import cancelling as oc
from orderflow.domain.orders import charging
from orderflow.domain.orders import crediting as oe
from orderflow.domain.orders import parcels as ol
from orderflow.domain.orders import placing as op
from orderflow.domain.orders import prepaying as om
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.content import CancelledBy, CompleteOn, InvoiceBasis, PayBefore
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.orders.shipping import DispatchShipment, PrepareShipment
from orderflow.domain.payments import applying as pa
from orderflow.domain.payments import collecting as pc
from orderflow.domain.payments import pending as pp
from orderflow.domain.payments import refunding as pr
from orderflow.domain.payments.state import ApplicationTarget, Operation, PaymentSource
from orderflow.domain.values import CreditIntent, LineQuantity, Pick
from orderflow.domain.workflow.money_laws import MONEY_LAWS
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import CommandRefused, InvariantBroken

STANDARD = standard_workflow(())
ORDERED = InvoiceBasis.ORDERED


def lives(shop: MoneyShop) -> None:
    """Every way in which money goes out and comes back, once."""
    shop.confirmed("A", (3, 1000), invoice_basis=ORDERED).confirmed("B", (2, 500), customer="bob")
    shop.handle(shop.bill("A", 1), inv.VoidInvoice("wrong"))
    first, second = shop.bill("A", 1), shop.bill("A", 1)
    direct = shop.pay(1200, customer="bob", invoice=first)
    shop.handle(direct, pa.UnapplyPayment(ApplicationTarget.INVOICE, first, shop.money(200)))
    shop.apply(direct, 200, first)
    prepaid = shop.pay(2400, order="A")
    shop.handle(prepaid, pa.UnapplyPayment(ApplicationTarget.ORDER, "A", shop.money(100)))
    shop.charge_back(prepaid, 1500)
    shop.handle(second, im.WriteOff(200, "fee"))
    shop.handle(second, im.TakeBackWriteOff(100, "comes"))
    account = shop.note(cn.AccountLine(1, "GOODWILL", 1, 500, shop.tax))
    shop.handle(account, cn.UseCredit(second, 50))
    shop.credit(second, 1)
    shop.credit(first, amount=100)
    shop.credit(first, 1)
    shop.handle("A", oc.CancelUnits("no", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    shop.handle("A", oc.CancelUnits("no", CancelledBy.CUSTOMER))
    shop.send("B", 2)
    shop.take_back("B", 1)
    shop.confirmed("D", (1, 100)).handle("D", op.UnconfirmOrder())
    card = PaymentSource("card", "1", "ann", "card", authorises=True, order="D")
    shop.handle("card/1", pc.ExpectPayment(card, shop.money(120)))
    shop.handle("card/1", pc.AuthorisePayment(shop.money(120)))
    shop.handle("card/1", pc.CapturePayment(shop.money(100)))
    shop.handle("card/1", pc.EndAuthorisation())
    shop.handle("D", oc.CancelUnits("no", CancelledBy.CUSTOMER))
    for succeeded in (False, True):
        shop.handle("card/1", pp.RequestOperation(Operation.REFUND, shop.money(20), "D"))
        shop.handle("card/1", pp.ResolvePending(Operation.REFUND, succeeded))
    shop.confirmed("C", (2, 100), invoice_basis=ORDERED)
    shop.credit(shop.bill("C", 1), 1, intent=CreditIntent.REBILL)
    shop.handle("C", oc.CancelUnits("no", CancelledBy.CUSTOMER))


def without(event: type[Any], *commands: type[Any]) -> Workflow:
    """The standard workflow in which an event does not tell anybody these commands."""

    def deaf(part: Part) -> Part:
        if not isinstance(part, Tells):
            return part
        react = part.react
        return evolve(
            part, react=lambda context: [sent for sent in react(context) if type(sent.command) not in commands]
        )

    table = [
        on(line.event, *(deaf(part) if line.event is event else part for part in line.parts)) for line in STANDARD.table
    ]
    return Workflow(STANDARD.machines.values(), [*table, *STANDARD.looks])


FORGOTTEN = {
    "an invoice that is not posted": (inv.InvoiceIssued, ac.Post, "B1"),
    "a void that is not posted": (inv.InvoiceVoided, ac.Post, "B1"),
    "a credit note that is not posted": (cn.CreditNoteIssued, ac.Post, "B1"),
    "a payment that is not posted": (pc.PaymentReceived, ac.Post, "B1"),
    "a chargeback that is not posted": (pr.ChargedBack, ac.Post, "B1"),
    "a write-off that is not posted": (im.WrittenOff, ac.Post, "B1"),
    "a write-off taken back and not posted": (im.WriteOffTakenBack, ac.Post, "B1"),
    "another customer's money that is not moved": (im.ApplicationRecorded, ac.Post, "B1"),
    "another customer's money that is not moved back": (im.ApplicationWithdrawn, ac.Post, "B1"),
    "what was given up, or another's, not posted after a credit": (ic.CreditApplied, ac.Post, "B1"),
    "a void that its order does not hear of": (inv.InvoiceVoided, oe.RecordUnbilling, "B3"),
    "a credit that its order does not hear of": (ic.CreditApplied, oe.RecordCredit, "B3"),
    "a credit that its note does not hear of": (ic.CreditApplied, cn.RecordCredited, "B5"),
    "a prepayment that its order does not hear of": (pa.PaymentApplied, om.RecordPrepayment, "B6"),
    "a prepayment withdrawn unheard": (pa.PaymentUnapplied, om.WithdrawPrepayment, "B6"),
    "a chargeback that takes nothing off": (pr.ChargedBack, om.WithdrawPrepayment, "B6"),
    "money of the order that does not reach its invoice": (om.PrepaymentRecorded, im.RecordPrepaid, "B7"),
    "money of the order that stays on its invoice": (om.PrepaymentWithdrawn, im.RecordPrepaid, "B7"),
    "an invoice paid without its order": (im.ApplicationRecorded, om.RecordDue, "B7"),
    "an invoice written off without its order": (im.WrittenOff, om.RecordDue, "B7"),
    "money that is not free after a credit": (ic.CreditApplied, pa.ReleaseApplication, "B8"),
    "credit on account that its invoice does not hear of": (cn.CreditUsed, im.RecordCreditUse, "B9"),
    "a bill that leaves the exposure": (ob.UnitsBilled, ac.Post, "F2"),
    "a credit that leaves the exposure": (oe.UnitsCredited, ac.Post, "F2"),
    "a cancellation that leaves the exposure": (oc.UnitsCancelled, ac.Post, "F2"),
    "a return that leaves the exposure": (ol.UnitsReturned, ac.Post, "F2"),
    "a void that leaves the exposure": (oe.UnitsUnbilled, ac.Post, "F2"),
    "a confirmation taken back that leaves the exposure": (op.OrderUnconfirmed, ac.Post, "F2"),
    "a capture that its order does not hear of": (pc.PaymentCaptured, om.RecordCapture, "B6"),
    "a refund asked for that takes nothing off": (pp.OperationRequested, om.WithdrawPrepayment, "B6"),
    "a refund that failed and does not come back": (pp.OperationFailed, om.RecordCapture, "B6"),
    "the last cancellation that leaves the exposure": (oc.OrderCancelled, ac.Post, "F2"),
    "a reservation that its order does not hear of": (pc.PaymentAuthorised, om.RecordAuthorisation, "B10"),
    "a capture after which as much is reserved as before": (pc.PaymentCaptured, om.RecordAuthorisation, "B10"),
    "a reservation that ends unheard": (pc.AuthorisationEnded, om.RecordAuthorisation, "B10"),
}


def test_the_life_breaks_no_law() -> None:
    """Nothing is found where nothing is forgotten."""
    lives(MoneyShop(MemoryStorage(), workflow=STANDARD))


@pytest.mark.parametrize("what", FORGOTTEN)
def test_what_is_forgotten_is_found_by_its_law(what: str) -> None:
    """A reaction taken out of the workflow is found, by the law that names what it keeps."""
    event, command, law = FORGOTTEN[what]
    with pytest.raises(InvariantBroken) as caught:
        lives(MoneyShop(MemoryStorage(), workflow=without(event, command)))
    assert law in {caught.value.invariant, *[part.split()[0] for part in str(caught.value).split("; ")]}


# -- rules of one row


def unguarded(command: type[Any]) -> Workflow:
    """The standard workflow whose orders take a command without any guard, and look at no invoice."""

    def change(rule: Rule) -> Rule:
        return evolve(rule, guards=()) if rule.command is command else rule

    order = STANDARD.machines["order"]
    machine = Machine("order", rules=map(change, order.rules), final=order.final, check=order.check)
    table = [on(line.event, *(p for p in line.parts if not isinstance(p, Requires))) for line in STANDARD.table]
    machines = {**STANDARD.machines, "order": machine}
    return Workflow(machines.values(), [*table, *STANDARD.looks])


def confirms(shop: MoneyShop) -> None:
    """It is confirmed without its money."""
    shop.placed("O", (1, 1000), pay_before=PayBefore.CONFIRM)
    shop.handle("O", ConfirmOrder())


def allocates(shop: MoneyShop) -> None:
    """It gets stock without its money."""
    shop.confirmed("O", (1, 1000), pay_before=PayBefore.ALLOCATE)
    shop.handle("O", AllocateStock((Pick(1, "main", 1),)))


def prepares(shop: MoneyShop) -> None:
    """It is packed without its money."""
    shop.confirmed("O", (1, 1000), pay_before=PayBefore.PREPARE)
    shop.send("O", 1)


def ships(shop: MoneyShop) -> None:
    """It leaves without its money."""
    shop.confirmed("O", (1, 1000), pay_before=PayBefore.SHIP)
    shop.send("O", 1)


def ships_after_a_chargeback(shop: MoneyShop) -> None:
    """Its money was there, and is not any more."""
    shop.confirmed("O", (1, 1000), pay_before=PayBefore.SHIP)
    shop.charge_back(shop.pay(1200, order="O"), 1)
    shop.send("O", 1)


def ships_by_what_was_reserved(shop: MoneyShop) -> None:
    """Its money was reserved, for a day that is over."""
    shop.confirmed("O", (1, 1000), pay_before=PayBefore.SHIP)
    card = PaymentSource("card", "1", "ann", "card", authorises=True, order="O")
    shop.handle("card/1", pc.ExpectPayment(card, shop.money(1200)))
    shop.handle("card/1", pc.AuthorisePayment(shop.money(1200), until=NOON + timedelta(days=1)))
    shop.time.advance(timedelta(days=1))
    shop.send("O", 1)


def ships_with_an_open_invoice(shop: MoneyShop) -> None:
    """All of it is billed, and nothing paid."""
    shop.confirmed("O", (1, 1000), pay_before=PayBefore.SHIP, invoice_basis=ORDERED)
    shop.bill("O")
    shop.send("O", 1)


def completes_unbilled(shop: MoneyShop) -> None:
    """An order is closed before it is billed."""
    shop.confirmed("O", (1, 1000))
    shop.send("O", 1)
    shop.handle("O", ob.CompleteOrder())


def completes_with_a_credit_due(shop: MoneyShop) -> None:
    """An order is closed before what came back is credited."""
    shop.confirmed("O", (1, 1000))
    shop.send("O", 1)
    shop.bill("O")
    shop.take_back("O", 1)
    shop.handle("O", ob.CompleteOrder())


def completes_unpaid(shop: MoneyShop) -> None:
    """An order that is to be paid first is closed with an open invoice."""
    shop.confirmed("O", (1, 1000), complete_on=CompleteOn.PAID)
    shop.send("O", 1)
    shop.bill("O")
    shop.handle("O", ob.CompleteOrder())


@pytest.mark.parametrize(
    "command, life, law",
    [
        (ConfirmOrder, confirms, "F1"),
        (AllocateStock, allocates, "F1"),
        (PrepareShipment, prepares, "F1"),
        (DispatchShipment, ships, "F1"),
        (DispatchShipment, ships_after_a_chargeback, "F1"),
        (DispatchShipment, ships_by_what_was_reserved, "F1"),
        (DispatchShipment, ships_with_an_open_invoice, "F1"),
        (ob.CompleteOrder, completes_unbilled, "F3"),
        (ob.CompleteOrder, completes_with_a_credit_due, "F3"),
        (ob.CompleteOrder, completes_unpaid, "F3"),
    ],
)
def test_a_gate_without_its_guard_is_found(command: type[Any], life: Callable[[MoneyShop], None], law: str) -> None:
    """A gate that opens without its money, or closes an order too early, is found when it happens."""
    with pytest.raises(CommandRefused):
        life(MoneyShop(MemoryStorage(), workflow=STANDARD))
    with pytest.raises(InvariantBroken) as caught:
        life(MoneyShop(MemoryStorage(), workflow=unguarded(command)))
    assert caught.value.invariant == law


def by_unit(order: Any, line: Any, v: Any, units: int) -> int:
    """Each unit rounded on its own, not the running sum."""
    return int(units * -(-line.net_minor // line.quantity))


def test_a_bill_without_its_running_sum_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten for three, each unit rounded up: the line is charged more than its share."""
    monkeypatch.setattr(charging, "bill_minor", by_unit)
    shop = MoneyShop(MemoryStorage(), rate=0).together("O", 3, 1000)
    shop.send("O", 3)
    with pytest.raises(InvariantBroken) as caught:
        shop.bill("O", 2)
    assert caught.value.invariant == "B4"


def test_every_law_is_broken_by_something() -> None:
    """No law stands here that no planted fault breaks; B2 is told of sums that only B1's balance hides."""
    assert {law for _, _, law in FORGOTTEN.values()} | {"F1", "F3", "B4", "B2"} == set(MONEY_LAWS)
