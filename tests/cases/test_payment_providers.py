"""Payment providers: asked once for what is needed, whatever goes wrong. The laws are asked after each commit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from money_shop import NOON, MoneyShop, every_currency

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.payments.memory import MemoryProvider, PaymentFailure
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.money.money import Money
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.charging import to_capture_minor
from orderflow.domain.orders.content import CancelledBy, CaptureOn, PayBefore, RefundOn
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.payments.applying import ApplyPayment
from orderflow.domain.payments.collecting import (
    AuthorisePayment,
    CapturePayment,
    ClosePayment,
    EndAuthorisation,
    ExpectPayment,
    RecordPayment,
)
from orderflow.domain.payments.facts import ClosePaymentTask
from orderflow.domain.payments.pending import RequestOperation, ResolvePending
from orderflow.domain.payments.refunding import ChargeBackPayment, DisputePayment, RefundPayment, ResolveDispute
from orderflow.domain.payments.state import ApplicationTarget, Authorised, Closed, Expected, Operation, PaymentSource
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.shipping.planning import VoidShipment
from orderflow.domain.values import LineQuantity
from orderflow.domain.workflow.orders_payments import wishes
from orderflow.errors import CommandRefused, InputError, Key, NotFound
from orderflow.flows.prepare import ShippingSettings, shipments_for
from orderflow.ports.payments import Answer, Outcome, PaymentRequest
from orderflow.ports.storage import Storage

AUTHORISE, CAPTURE, VOID, REFUND = Operation.AUTHORISE, Operation.CAPTURE, Operation.VOID, Operation.REFUND
Failure = PaymentFailure
POLICY: dict[str, Any] = {
    "pay_before": PayBefore.ALLOCATE,
    "capture_on": CaptureOn.DISPATCH,
    "refund_on": RefundOn.DUE,
}


class CardShop(MoneyShop):
    """A shop with one order O, four units at 10.00 and 20 %, and a card payment that is reserved for it."""

    def __init__(
        self, storage: Storage, *script: PaymentFailure | None, currency: str = "GBP", provider: Any = None
    ) -> None:
        self.card = provider or MemoryProvider("card", script=(None, *script))
        super().__init__(storage, currency, providers=[self.card])
        self.placed("O", (4, 1000), **POLICY)
        self.handle("O", ConfirmOrder())
        self.settle()
        source = PaymentSource("card", "1", "ann", "card", authorises=True, order="O")
        self.handle("card/1", ExpectPayment(source, self.money(4800)))
        self.handle("card/1", RequestOperation(AUTHORISE))
        self.settle()

    def settle(self) -> None:
        """Carry out effects until none is due; what failed is due again after an hour."""
        for _ in range(12):
            while self.relay().taken:
                pass
            self.time.advance(timedelta(hours=1, seconds=1))

    def payment(self) -> Any:
        """The card payment."""
        return self.payments.get("card/1")

    def tasks(self) -> list[str]:
        """The codes of the tasks of the payment."""
        return [task.code for task in self.payment().notes.tasks]

    def funds(self) -> tuple[int, int, int, int]:
        """Authorised, received, refunded, applied."""
        funds = self.payment().funds
        return funds.authorised, funds.received, funds.refunded, funds.applied

    def cancel(self, units: int = 0) -> None:
        """All of the order, or so many units."""
        some = (LineQuantity(1, units),) if units else ()
        self.handle("O", CancelUnits("not wanted", CancelledBy.CUSTOMER, some))
        self.settle()

    def tell_again(self, number: int) -> None:
        """One of the provider's notices, by its number."""
        row, fact = self.card.facts[number]
        self.handle(row, fact)

    def asked(self) -> list[tuple[Operation, int]]:
        """What the provider was asked for."""
        return [(request.operation, request.amount.minor) for request in self.card.requests]


# -- by policy


@every_currency
def test_money_is_captured_as_goods_leave(storage: Storage, currency: str) -> None:
    """Two parcels, two captures, each of what it costs; both invoices are settled and nothing is reserved any more."""
    shop = CardShop(storage, currency=currency)
    assert isinstance(shop.payment(), Authorised)
    for units in (1, 3):
        shop.send("O", units)
        shop.bill("O")
        shop.settle()
    assert shop.asked() == [(AUTHORISE, 4800), (CAPTURE, 1200), (CAPTURE, 3600)]
    assert (shop.funds(), shop.owes(), shop.open("O/1", "O/2")) == ((4800, 4800, 0, 4800), 0, [0, 0])
    assert shop.progress("O").authorisations == ()


def test_what_is_reserved_is_let_go_when_the_order_is_cancelled(storage: Storage) -> None:
    """Cancelled: voided, and the payment is closed; nothing was taken."""
    shop = CardShop(storage)
    shop.cancel()
    assert shop.asked() == [(AUTHORISE, 4800), (VOID, 4800)]
    assert isinstance(shop.payment(), Closed)
    assert (shop.progress("O").authorisations, shop.owes()) == ((), 0)


def test_the_rest_is_let_go_once_nothing_needs_it(storage: Storage) -> None:
    """One of four units is sent and paid, the others cancelled: the rest of what is reserved is voided."""
    shop = CardShop(storage)
    shop.send("O", 1)
    shop.bill("O")
    shop.cancel(3)
    assert shop.asked() == [(AUTHORISE, 4800), (CAPTURE, 1200), (VOID, 3600)]
    assert (shop.funds(), shop.owes()) == ((1200, 1200, 0, 1200), 0)


@every_currency
def test_money_goes_back_when_it_is_needed_no_longer(storage: Storage, currency: str) -> None:
    """All captured; one unit comes back and is credited: its money goes back by itself, once."""
    shop = CardShop(storage, currency=currency)
    shop.send("O", 4)
    invoice = shop.bill("O")
    shop.settle()
    shop.take_back("O", 1)
    shop.credit(invoice, 1)
    shop.settle()
    assert shop.asked() == [(AUTHORISE, 4800), (CAPTURE, 4800), (REFUND, 1200)]
    assert (shop.funds(), shop.owes(), shop.to_refund("O")) == ((4800, 4800, 1200, 3600), 0, 0)


def test_what_is_paid_beforehand_goes_back_when_the_order_is_cancelled(storage: Storage) -> None:
    """Captured by hand before anything is sent, two units cancelled, then the rest: each goes back."""
    shop = CardShop(storage)
    shop.handle("card/1", RequestOperation(CAPTURE))
    shop.settle()
    shop.cancel(2)
    assert (shop.funds(), shop.progress("O").pool_minor) == ((4800, 4800, 2400, 2400), 2400)
    shop.cancel()
    assert shop.asked()[2:] == [(REFUND, 2400), (REFUND, 2400)]
    assert (shop.funds(), shop.progress("O").pool_minor, shop.owes()) == ((4800, 4800, 4800, 0), 0, 0)


def test_without_a_policy_nobody_is_asked(storage: Storage) -> None:
    """Capture and refund are the shop's to ask for; what is due stands on the worklists."""
    shop = MoneyShop(storage, providers=[MemoryProvider("card")]).confirmed("O", (1, 1000))
    source = PaymentSource("card", "1", "ann", "card", authorises=True, order="O")
    shop.handle("card/1", ExpectPayment(source, shop.money(1200)))
    shop.handle("card/1", AuthorisePayment(shop.money(1200)))
    shop.handle("card/1", CapturePayment(shop.money(1200)))
    shop.handle("O", CancelUnits("not wanted", CancelledBy.CUSTOMER))
    while shop.relay().taken:
        pass
    assert [task.key.id for task in shop.worklist("to_refund")] == ["O"]
    payment: Any = shop.payments.get("card/1")
    assert payment.pending == ()


# -- whatever goes wrong


@pytest.mark.parametrize("failure", [Failure.TIMEOUT_BEFORE, Failure.TIMEOUT_AFTER, Failure.UNDER_WAY, Failure.GARBAGE])
@pytest.mark.parametrize("operation", [CAPTURE, REFUND])
def test_an_unknown_outcome_is_found_out_and_moves_money_once(
    storage: Storage, failure: PaymentFailure, operation: Operation
) -> None:
    """The provider is asked what has become of it before it is asked again."""
    shop = CardShop(storage, *([None] if operation is REFUND else []), failure)
    shop.send("O", 4)
    invoice = shop.bill("O")
    shop.settle()
    if operation is REFUND:
        shop.take_back("O", 4)
        shop.credit(invoice, 4)
        shop.settle()
    moved = [request for request, answer in shop.card._by_key.values() if answer.outcome is Outcome.SUCCEEDED]
    assert [request.operation for request in moved].count(operation) == 1
    assert shop.funds() == ((4800, 4800, 4800, 0) if operation is REFUND else (4800, 4800, 0, 4800))
    assert (shop.payment().pending, shop.tasks(), shop.owes()) == ((), [], 0)


@pytest.mark.parametrize(
    "failure, reason", [(Failure.DECLINED, "declined by the issuer"), (Failure.REFUSED, "refused")]
)
def test_a_declined_capture_is_a_task_and_what_is_reserved_stays(
    storage: Storage, failure: PaymentFailure, reason: str
) -> None:
    """The invoice stays due; asked again by hand, it is captured."""
    shop = CardShop(storage, failure)
    shop.send("O", 4)
    invoice = shop.bill("O")
    shop.settle()
    [task] = shop.worklist("contradictions")
    assert (task.key.id, shop.tasks()) == ("card/1", ["declined"])
    assert reason in task.reasons[0].message
    assert (shop.open(invoice), shop.owes()) == ([4800], 4800)
    shop.handle("card/1", ClosePaymentTask("declined"))
    shop.handle("card/1", RequestOperation(CAPTURE))
    shop.settle()
    assert (shop.open(invoice), shop.owes(), shop.worklist("contradictions")) == ([0], 0, [])


def test_a_declined_refund_gives_the_order_its_money_back(storage: Storage) -> None:
    """It was set aside, so no new invoice took it meanwhile. Once the task is closed, it is asked for again."""
    shop = CardShop(storage, None, Failure.DECLINED)
    shop.handle("card/1", RequestOperation(CAPTURE))
    shop.settle()
    shop.cancel()
    assert (shop.tasks(), shop.free("card/1"), shop.progress("O").pool_minor) == (["declined"], 0, 4800)
    assert ([task.key.id for task in shop.worklist("to_refund")], shop.worklist("to_apply")) == (["O"], [])
    shop.handle("card/1", ClosePaymentTask("declined"))
    shop.settle()
    assert (shop.funds(), shop.owes()) == ((4800, 4800, 4800, 0), 0)


def test_money_taken_in_part_leaves_the_rest_due(storage: Storage) -> None:
    """Half of a capture succeeds: half of the invoice is open, and what is still reserved may be asked for."""
    shop = CardShop(storage, Failure.PARTIAL)
    shop.send("O", 4)
    invoice = shop.bill("O")
    shop.settle()
    assert (shop.asked()[1:], shop.open(invoice), shop.owes()) == ([(CAPTURE, 4800), (CAPTURE, 2400)], [0], 0)


def test_money_taken_twice_is_a_task(storage: Storage) -> None:
    """What the provider took twice is the customer's: recorded when it is told, and to be given back."""
    shop = CardShop(storage, Failure.TWICE)
    shop.send("O", 2)
    shop.bill("O")
    shop.settle()
    told = shop.card.facts
    assert [type(fact).__name__ for _, fact in told] == ["AuthorisePayment", "CapturePayment", "CapturePayment"]
    for row, fact in told:
        shop.handle(row, fact)
    assert (shop.funds(), shop.owes(), shop.progress("O").pool_minor) == ((4800, 4800, 0, 4800), -2400, 2400)


def test_nobody_is_asked_for_money_that_came_by_bank(storage: Storage) -> None:
    """A person sends it back, as the list says; asked for by hand, that there is no provider is a task."""
    shop = MoneyShop(storage).confirmed("O", (1, 1000), **POLICY)
    payment = shop.pay(1200, order="O")
    shop.handle("O", CancelUnits("not wanted", CancelledBy.CUSTOMER))
    while shop.relay().taken:
        pass
    assert ([task.key.id for task in shop.worklist("to_refund")], shop.worklist("contradictions")) == (["O"], [])
    shop.handle(payment, RequestOperation(REFUND, order="O"))
    shop.relay()
    assert (shop.to_refund("O"), shop.free(payment)) == (1200, 0)
    assert "no payment provider 'bank' is wired" in shop.worklist("contradictions")[0].reasons[0].message


class Silent(MemoryProvider):
    """Carries everything out, and never answers."""

    def operate(self, request: PaymentRequest) -> Answer:
        """No answer."""
        super().operate(request)
        raise TimeoutError

    def find(self, idempotency_key: str) -> Answer | None:
        """No answer either."""
        raise TimeoutError


def test_an_outcome_that_stays_unknown_is_listed_and_settled_by_hand(storage: Storage) -> None:
    """After a day it is on a list; what a person finds out ends it, and the provider's notice then changes nothing."""
    shop = CardShop(storage, provider=Silent("card"))
    assert (shop.worklist("to_reconcile"), isinstance(shop.payment(), Expected)) == ([], True)
    shop.time.advance(timedelta(days=1))
    assert [task.key.id for task in shop.worklist("to_reconcile")] == ["card/1"]
    shop.handle("card/1", ResolvePending(AUTHORISE, succeeded=True))
    assert (shop.worklist("to_reconcile"), shop.payment().authorised) == ([], shop.money(4800))
    shop.handle("card/1", shop.card.facts[0][1])
    assert shop.payment().authorised == shop.money(4800)


ODD: tuple[Any, ...] = (
    None,
    "yes",
    Answer(Outcome.SUCCEEDED, Money(0, "GBP")),
    Answer(Outcome.SUCCEEDED, Money(-5, "GBP")),
    Answer(Outcome.SUCCEEDED, Money(5, "XXQ")),
    Answer("succeeded"),  # type: ignore[arg-type]
    Answer(Outcome.SUCCEEDED, fact_id="x" * 1000),
    Answer(Outcome.DECLINED, reason="a\ud800b"),
    NotFound(Key("main", "order", "O")),
    CommandRefused(()),
    KeyError("x"),
    TimeoutError(),
)


class Odd(MemoryProvider):
    """Gives these answers first, and has done nothing then."""

    odd: list[Any]

    def operate(self, request: PaymentRequest) -> Any:
        """One after another, but for authorisations."""
        if request.operation is AUTHORISE or not self.odd:
            return super().operate(request)
        answer = self.odd.pop()
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize("answer", ODD, ids=repr)
def test_an_odd_answer_is_asked_for_again(answer: Any) -> None:
    """Nonsense, or whatever an adapter raises, is no outcome: the next answer counts."""
    card = Odd("card")
    shop = CardShop(MemoryStorage(), provider=card)
    card.odd = [answer]
    shop.send("O", 4)
    shop.bill("O")
    shop.settle()
    assert (shop.funds(), shop.payment().pending, shop.owes()) == ((4800, 4800, 0, 4800), (), 0)


def test_money_in_another_currency_is_a_task(storage: Storage) -> None:
    """An answer in yen to a request in pounds ends the request, and changes no amount."""
    card = Odd("card")
    shop = CardShop(storage, provider=card)
    card.odd = [Answer(Outcome.SUCCEEDED, Money(4800, "JPY"), "f")]
    shop.handle("card/1", RequestOperation(CAPTURE))
    shop.settle()
    assert (shop.tasks(), shop.payment().pending, shop.payment().authorised) == (
        ["other_currency"], (), shop.money(4800)
    )  # fmt: skip


@given(
    late=st.lists(st.integers(0, 2), min_size=3, max_size=3),
    again=st.lists(st.integers(0, 2), max_size=3),
    failures=st.lists(st.sampled_from([None, Failure.TIMEOUT_AFTER, Failure.UNDER_WAY]), max_size=4),
)
def test_answers_and_notifications_count_once(late: list[int], again: list[int], failures: list[Any]) -> None:
    """Authorised, captured, refunded: each is told by answer and by notice, sooner or later, once or again."""
    shop = CardShop(MemoryStorage(), *failures)
    told: list[tuple[str, Any]] = []

    def notices(step: int) -> None:
        fresh = [fact for place, fact in enumerate(shop.card.facts) if late[min(place, 2)] <= step and fact not in told]
        told.extend(fresh)
        for row, fact in [*fresh, *[told[n] for n in again if n < len(told)]]:
            shop.handle(row, fact)

    notices(0)
    shop.handle("card/1", RequestOperation(CAPTURE))
    notices(1)
    shop.settle()
    notices(1)
    shop.cancel(1)
    notices(2)
    shop.settle()
    assert (shop.funds(), shop.tasks(), shop.payment().pending) == ((4800, 4800, 1200, 3600), [], ())


@pytest.mark.parametrize("failure", [None, Failure.TIMEOUT_BEFORE])
def test_nothing_is_asked_for_that_is_settled_elsewhere(storage: Storage, failure: PaymentFailure | None) -> None:
    """A person says that it failed, before the provider was asked or after it did not answer: it is not asked again."""
    shop = CardShop(storage, failure)
    shop.handle("card/1", RequestOperation(CAPTURE))
    if failure:
        shop.relay()
    asked = len(shop.asked())
    shop.handle("card/1", ResolvePending(CAPTURE, succeeded=False))
    shop.settle()
    assert (len(shop.asked()), shop.tasks(), isinstance(shop.payment(), Authorised)) == (asked, [], True)


@pytest.mark.parametrize("reserved, received", [(4800, 4800), (0, 0)])
def test_what_turns_out_after_all_is_a_fact(storage: Storage, reserved: int, received: int) -> None:
    """A person gave the capture up, and it was under way: what the provider says of it then counts."""
    shop = CardShop(storage, Failure.UNDER_WAY)
    shop.handle("card/1", RequestOperation(CAPTURE))
    shop.relay()
    shop.handle("card/1", ResolvePending(CAPTURE, succeeded=False))
    shop.card._accounts["main", "1"].authorised = reserved
    shop.settle()
    assert getattr(shop.payment(), "funds", None) is None if not received else shop.funds()[1] == received
    assert (shop.payment().pending, shop.tasks()) == ((), [])


def test_a_notice_of_something_else_does_not_answer_a_request(storage: Storage) -> None:
    """A refund of 5.00 made on the provider's own page is not the one of 12.00 that was asked for."""
    shop = CardShop(storage, None, Failure.TIMEOUT_BEFORE)
    shop.handle("card/1", RequestOperation(CAPTURE))
    shop.settle()
    shop.handle("O", CancelUnits("not wanted", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    shop.relay()
    shop.handle("card/1", RefundPayment(shop.money(500), "page-1"))
    assert [item.minor for item in shop.payment().pending] == [1200]
    shop.settle()
    assert shop.funds() == (4800, 4800, 1700, 3100)


# -- other ways to pay


def test_an_expected_payment_is_listed_when_its_time_is_over(storage: Storage) -> None:
    """Konbini: not paid in time it is on a list; paid late, after it was closed, the money is there all the same."""
    shop = MoneyShop(storage).placed("O", (1, 1000), pay_before=PayBefore.CONFIRM)
    source = PaymentSource("konbini", "1", "ann", "konbini", order="O")
    shop.handle("konbini/1", ExpectPayment(source, shop.money(1200), NOON + timedelta(days=3)))
    [due] = shop.attention("payment", "konbini/1")
    assert (due.standing.value, due.due, shop.worklist("payments_due")) == ("due", NOON + timedelta(days=3), [])
    shop.time.advance(timedelta(days=3))
    assert [task.key.id for task in shop.worklist("payments_due")] == ["konbini/1"]
    shop.handle("konbini/1", ClosePayment())
    assert shop.worklist("payments_due") == []
    shop.handle("konbini/1", RecordPayment(source, shop.money(1200)))
    assert (shop.free("konbini/1"), shop.owes()) == (1200, -1200)
    assert [task.key.id for task in shop.worklist("to_apply")] == ["konbini/1"]


def test_what_is_reserved_is_listed_when_its_time_is_over(storage: Storage) -> None:
    """It opens no gate any more; the provider's word that it has ended makes the money expected again."""
    shop = MoneyShop(storage).placed("O", (1, 1000), pay_before=PayBefore.CONFIRM)
    source = PaymentSource("card", "1", "ann", "card", authorises=True, order="O")
    shop.handle("card/1", ExpectPayment(source, shop.money(1200)))
    shop.handle("card/1", AuthorisePayment(shop.money(1200), "a", NOON + timedelta(days=7)))
    [due] = shop.attention("payment", "card/1")
    assert (due.standing.value, due.due, shop.worklist("payments_due")) == ("due", NOON + timedelta(days=6), [])
    shop.time.advance(timedelta(days=7))
    assert [task.key.id for task in shop.worklist("payments_due")] == ["card/1"]
    assert shop.refused("O", ConfirmOrder()) == ("unpaid",)
    shop.handle("card/1", EndAuthorisation("b"))
    shop.handle("card/1", EndAuthorisation("b"))
    assert isinstance(shop.payments.get("card/1"), Expected)
    assert shop.progress("O").authorisations == ()


def test_money_expected_for_an_order_is_its_own_when_it_comes(storage: Storage) -> None:
    """Paid in time, the order goes on; nobody has to apply anything."""
    shop = MoneyShop(storage).placed("O", (1, 1000), pay_before=PayBefore.CONFIRM)
    source = PaymentSource("konbini", "1", "ann", "konbini", order="O")
    shop.handle("konbini/1", ExpectPayment(source, shop.money(1200)))
    assert shop.refused("O", ConfirmOrder()) == ("unpaid",)
    shop.handle("konbini/1", RecordPayment(source, shop.money(1200)))
    assert (shop.progress("O").pool_minor, shop.free("konbini/1")) == (1200, 0)
    shop.handle("O", ConfirmOrder())


def test_the_carrier_collects_what_the_order_costs(storage: Storage) -> None:
    """代引: the first parcel carries the amount, the second none; the settlement pays the order less a fee."""
    van = MemoryCarrier("van")
    shop = MoneyShop(storage, carriers=[van]).confirmed("O", (2, 1000), collect_on_delivery=True)
    shop.allocate("O")
    settings = ShippingSettings("van")
    [plan] = shipments_for(shop.key("order", "O"), shop.orders.get("O"), settings)
    shop.handle(plan.key.id, plan.plan)
    shop.handle(plan.key.id, plan.pack)
    while shop.relay().taken:
        pass
    assert [request.collect for request, _ in van._by_key.values()] == [shop.money(2400)]
    source = PaymentSource("van", "2026-04/1", "ann", "cash_on_delivery", order="O")
    row = "van/2026-04/1"
    shop.handle(row, ExpectPayment(source, shop.money(2400)))
    shop.handle(plan.key.id, HandOver())
    invoice = shop.bill("O")
    shop.handle(row, RecordPayment(source, shop.money(2400), fee_minor=33))
    paid: Any = shop.payments.get(row)
    assert (shop.open(invoice), shop.owes(), paid.funds.fee) == ([0], 0, 33)


def test_a_fee_is_at_most_what_was_paid() -> None:
    """The collector keeps a part, and not more than there is."""
    shop = MoneyShop(MemoryStorage())
    with pytest.raises(InputError, match="fee_minor: must be at most the amount"):
        shop.handle("van/1", RecordPayment(PaymentSource("van", "1"), shop.money(100), fee_minor=101))


def card_of(*, authorises: bool = True) -> PaymentSource:
    """A card payment of ann's for the order O."""
    return PaymentSource("card", "1", "ann", "card", authorises=authorises, order="O")


def test_yen_that_are_reserved_open_no_gate_of_pounds(storage: Storage) -> None:
    """A reservation in another currency is a task; money that comes in it is for no order, and all of it is booked."""
    shop = MoneyShop(storage).placed("O", (4, 1000), pay_before=PayBefore.CONFIRM)
    shop.handle("card/1", ExpectPayment(card_of(), shop.money(4800)))
    shop.handle("card/1", AuthorisePayment(Money(4800, "JPY"), "a"))
    assert shop.refused("O", ConfirmOrder()) == ("unpaid",)
    assert [task.key.id for task in shop.worklist("contradictions")] == ["card/1"]
    shop.handle("card/1", RecordPayment(card_of(), Money(500, "JPY")))
    shop.handle("card/1", CapturePayment(Money(100, "JPY"), "c"))
    assert (shop.free("card/1"), shop.progress("O").pool_minor) == (600, 0)


def test_nothing_less_than_nothing_is_asked_for(storage: Storage) -> None:
    """Of a transfer nothing is reserved, so nothing can be taken or let go."""
    shop = MoneyShop(storage).confirmed("O", (1, 1000))
    payment = shop.pay(1200, order="O")
    for operation in (CAPTURE, VOID):
        assert shop.refused(payment, RequestOperation(operation)) == ("nothing_left",)


@pytest.mark.parametrize("fact", ["record", "capture"])
def test_what_was_reserved_and_has_come_counts_once(storage: Storage, fact: str) -> None:
    """Also of a method that is not known to reserve: in the pool, it is reserved no longer."""
    shop = MoneyShop(storage).placed("O", (8, 1000), pay_before=PayBefore.CONFIRM)
    source, money = card_of(authorises=False), shop.money(4800)
    shop.handle("card/1", ExpectPayment(source, money))
    shop.handle("card/1", AuthorisePayment(money, "a"))
    shop.handle("card/1", RecordPayment(source, money) if fact == "record" else CapturePayment(money, "c"))
    assert (shop.progress("O").pool_minor, shop.progress("O").authorisations) == (4800, ())
    assert shop.refused("O", ConfirmOrder()) == ("unpaid",)


def test_more_that_is_reserved_later_is_known_to_the_order(storage: Storage) -> None:
    """Taken in part, then told as authorised: the rest is reserved for the order; of a closed payment nothing is."""
    shop = MoneyShop(storage).placed("O", (4, 1000), pay_before=PayBefore.CONFIRM)
    shop.handle("card/1", ExpectPayment(card_of(), shop.money(4800)))
    shop.handle("card/1", CapturePayment(shop.money(1200), "c"))
    shop.handle("card/1", AuthorisePayment(shop.money(4800), "a"))
    assert [(item.payment, item.minor) for item in shop.progress("O").authorisations] == [("card/1", 3600)]
    shop.handle("O", ConfirmOrder())


# -- what must not be lost, and not counted twice


def test_nothing_is_given_back_that_the_order_needs_by_then(storage: Storage) -> None:
    """Looked at before a chargeback, asked for after it: the order itself refuses, in the same commit."""
    shop = CardShop(storage)
    shop.handle("card/1", RequestOperation(CAPTURE))
    shop.settle()
    shop.handle("O", CancelUnits("not wanted", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    shop.handle("card/1", ChargeBackPayment(shop.money(1200), "cb"))
    assert shop.refused("card/1", RequestOperation(REFUND, shop.money(1200), "O")) == ("needed",)
    shop.settle()
    assert (shop.funds(), shop.progress("O").pool_minor) == ((4800, 4800, 0, 3600), 3600)


def test_nothing_is_taken_or_let_go_against_what_the_order_needs(storage: Storage) -> None:
    """On its behalf: nothing before goods leave, then what they cost; what is reserved stays while it is needed."""
    shop = CardShop(storage)
    assert shop.refused("card/1", RequestOperation(CAPTURE, shop.money(1), "O")) == ("exceeds_needed",)
    assert shop.refused("card/1", RequestOperation(VOID, order="O")) == ("needed",)
    assert shop.refused("card/1", RequestOperation(VOID, order="nobody")) == ("no_such_order",)
    shop.send("O", 1)
    assert shop.refused("card/1", RequestOperation(CAPTURE, shop.money(1201), "O")) == ("exceeds_needed",)
    shop.handle("card/1", RequestOperation(CAPTURE, shop.money(1200), "O"))
    shop.settle()
    assert shop.funds() == (4800, 1200, 0, 1200)


def test_goods_leave_during_a_dispute_and_are_paid_for(storage: Storage) -> None:
    """A dispute about the first parcel stops no capture for the second; what is to be refunded waits for its end."""
    shop = CardShop(storage)
    shop.send("O", 1)
    shop.settle()
    shop.handle("card/1", DisputePayment(shop.money(100), "d"))
    shop.send("O", 2)
    shop.settle()
    assert shop.funds() == (4800, 3600, 0, 3600)
    invoice = shop.bill("O")
    shop.cancel(1)
    assert shop.funds() == (3600, 3600, 0, 3600)
    shop.credit(invoice, 1)
    shop.settle()
    assert (shop.asked()[-1][0], [task.key.id for task in shop.worklist("to_refund")]) == (VOID, ["O"])
    assert shop.storage.pending() == 0
    shop.handle("card/1", ResolveDispute(won=True))
    shop.settle()
    assert (shop.asked()[-1], shop.funds(), shop.owes()) == ((REFUND, 1200), (3600, 3600, 1200, 2400), 0)


@pytest.mark.parametrize("by", ["relay", "notice", "both"])
@pytest.mark.parametrize("operation", [CAPTURE, REFUND])
def test_what_a_person_resolved_counts_once(storage: Storage, operation: Operation, by: str) -> None:
    """The outcome was not known; a person finds out; then the provider tells."""
    script = (Failure.TIMEOUT_AFTER,) if operation is CAPTURE else (None, Failure.TIMEOUT_AFTER)
    shop = CardShop(storage, *script)
    if operation is REFUND:
        shop.handle("card/1", RequestOperation(CAPTURE))
        shop.settle()
        shop.handle("O", CancelUnits("not wanted", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    else:
        shop.handle("card/1", RequestOperation(CAPTURE))
    shop.relay()
    shop.handle("card/1", ResolvePending(operation, succeeded=True))
    if by != "relay":
        shop.tell_again(-1)
    if by != "notice":
        shop.settle()
    back = 1200 if operation is REFUND else 0
    assert (shop.funds(), shop.tasks()) == ((4800, 4800, back, 4800 - back), [])
    assert shop.progress("O").pool_minor == 4800 - back


def test_what_a_statement_told_first_counts_once(storage: Storage) -> None:
    """The capture that was pending is known from the bank; its answer comes later."""
    shop = CardShop(storage, Failure.TIMEOUT_AFTER)
    shop.handle("card/1", RequestOperation(CAPTURE))
    shop.relay()
    shop.handle("card/1", RecordPayment(shop.payment().origin, shop.money(4800)))
    shop.settle()
    assert (shop.funds(), shop.tasks(), shop.payment().notes.awaited) == ((4800, 4800, 0, 4800), [], ())


def test_a_notice_told_again_ends_no_other_refund(storage: Storage) -> None:
    """Two refunds of the same amount: the notice of the first comes again while the second is pending."""
    shop = CardShop(storage)
    shop.handle("card/1", RequestOperation(CAPTURE))
    shop.settle()
    shop.cancel(1)
    first = len(shop.card.facts) - 1
    shop.handle("O", CancelUnits("not wanted", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    shop.handle("card/1", RequestOperation(REFUND, shop.money(1200), "O"))
    shop.tell_again(first)
    shop.settle()
    assert (shop.funds(), shop.owes()) == ((4800, 4800, 2400, 2400), -2400)


def test_a_refund_that_was_wanted_during_another_is_asked_for_after_it(storage: Storage) -> None:
    """The answer to the first is late, and a second unit is cancelled meanwhile."""
    shop = CardShop(storage, None, Failure.TIMEOUT_AFTER)
    shop.handle("card/1", RequestOperation(CAPTURE))
    shop.settle()
    for _ in range(2):
        shop.handle("O", CancelUnits("not wanted", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
        while shop.relay().done:
            pass
    assert (len(shop.payment().pending), shop.funds()) == (1, (4800, 4800, 0, 3600))
    assert shop.storage.pending() == 1
    shop.settle()
    assert (shop.funds(), shop.tasks()) == ((4800, 4800, 2400, 2400), [])


def test_a_chargeback_during_a_refund_that_is_declined_is_booked_whole(storage: Storage) -> None:
    """Nothing of what the bank has taken stands there as free."""
    shop = CardShop(storage, None, Failure.DECLINED)
    shop.handle("card/1", RequestOperation(CAPTURE))
    shop.settle()
    shop.handle("O", CancelUnits("not wanted", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    shop.handle("card/1", RequestOperation(REFUND, shop.money(1200), "O"))
    shop.handle("card/1", ChargeBackPayment(shop.money(4800), "cb"))
    shop.settle()
    assert (shop.payment().funds.charged_back, shop.free("card/1"), shop.progress("O").pool_minor) == (4800, 0, 0)


@pytest.mark.parametrize("closed_by", ["hand", "policy"])
def test_what_is_reserved_at_a_closed_payment_is_listed(storage: Storage, closed_by: str) -> None:
    """Closed while it was reserved, or reserved after it was closed; once it is let go, it is on no list."""
    shop = CardShop(storage)
    if closed_by == "hand":
        shop.handle("card/1", ClosePayment())
    else:
        shop.cancel()
        shop.handle("card/1", AuthorisePayment(shop.money(4800), "late"))
    assert [task.reasons[0].code for task in shop.worklist("payments_due")] == ["reserved_in_vain"]
    shop.handle("card/1", EndAuthorisation("e"))
    assert shop.worklist("payments_due") == []


def test_what_is_expected_without_an_end_is_listed_after_a_month(storage: Storage) -> None:
    """Cash on delivery that nobody settles, a card that nobody takes: neither is forgotten."""
    shop = MoneyShop(storage).confirmed("O", (1, 1000))
    shop.handle("cod/1", ExpectPayment(PaymentSource("cod", "1", "ann"), shop.money(1200)))
    card = PaymentSource("card", "1", "ann", authorises=True)
    shop.handle("card/1", ExpectPayment(card, shop.money(1200)))
    shop.handle("card/1", AuthorisePayment(shop.money(1200), "a"))
    shop.handle("card/2", ExpectPayment(evolve(card, external_id="2"), shop.money(1200)))
    shop.handle("card/2", AuthorisePayment(shop.money(1200), "a"))
    shop.handle("card/2", CapturePayment(shop.money(200), "b"))
    assert shop.worklist("payments_due") == []
    shop.time.advance(timedelta(days=6))
    assert {task.key.id for task in shop.worklist("payments_due")} == {"card/1", "card/2"}
    shop.time.advance(timedelta(days=24))
    assert {task.key.id for task in shop.worklist("payments_due")} == {"cod/1", "card/1", "card/2"}


def test_facts_about_money_for_an_order_that_is_not_there_are_taken(storage: Storage) -> None:
    """Recorded without being expected: whatever comes later is taken, and the money is free."""
    shop = MoneyShop(storage).confirmed("O", (1, 1000))
    source = PaymentSource("card", "9", "ann", "card", authorises=True, order="NOWHERE")
    shop.handle("card/9", RecordPayment(source, shop.money(500)))
    shop.handle("card/9", AuthorisePayment(shop.money(900), "a"))
    shop.handle("card/9", CapturePayment(shop.money(400), "c"))
    shop.handle("card/9", EndAuthorisation("e"))
    assert (shop.free("card/9"), shop.owes()) == (900, -900)


def test_a_reservation_that_lasts_longer_opens_the_gate_again(storage: Storage) -> None:
    """Reserved once more for the same amount, after the first has run out."""
    shop = MoneyShop(storage).placed("O", (1, 1000), pay_before=PayBefore.CONFIRM)
    shop.handle("card/1", ExpectPayment(card_of(), shop.money(1200)))
    shop.handle("card/1", AuthorisePayment(shop.money(1200), "a", NOON + timedelta(days=7)))
    shop.time.advance(timedelta(days=8))
    shop.handle("card/1", AuthorisePayment(shop.money(1200), "b", NOON + timedelta(days=15)))
    shop.handle("O", ConfirmOrder())


def test_the_rest_of_a_reservation_is_known_after_a_statement(storage: Storage) -> None:
    """10.00 of 48.00 came by the statement; cancelled, the rest is let go at the provider."""
    shop = CardShop(storage)
    shop.handle("card/1", RecordPayment(shop.payment().origin, shop.money(1000)))
    shop.cancel()
    assert shop.asked()[-2:] == [(VOID, 3800), (REFUND, 1000)]


def test_a_refund_for_an_order_takes_that_orders_money(storage: Storage) -> None:
    """One transfer for two orders; the older one is cancelled, and the younger one keeps its money."""
    shop = MoneyShop(storage).confirmed("A", (1, 1000)).confirmed("B", (1, 1000))
    payment = shop.pay(2400)
    shop.handle(payment, ApplyPayment(ApplicationTarget.ORDER, "A", shop.money(1200)))
    shop.handle(payment, ApplyPayment(ApplicationTarget.ORDER, "B", shop.money(1200)))
    shop.handle("A", CancelUnits("not wanted", CancelledBy.CUSTOMER))
    shop.handle(payment, RefundPayment(shop.money(1200), "r", order="A"))
    assert (shop.progress("A").pool_minor, shop.progress("B").pool_minor, shop.worklist("to_refund")) == (0, 1200, [])


def test_the_parcel_that_replaces_another_collects(storage: Storage) -> None:
    """代引: the first parcel was voided before it left; the next one carries the amount."""
    shop = MoneyShop(storage).confirmed("O", (2, 1000), collect_on_delivery=True)
    shop.allocate("O")

    def planned() -> Any:
        [plan] = shipments_for(shop.key("order", "O"), shop.orders.get("O"), ShippingSettings("van"))
        shop.handle(plan.key.id, plan.plan)
        return plan

    first = planned()
    shop.handle(first.key.id, VoidShipment())
    shop.allocate("O")
    second = planned()
    assert (second.key.id, second.plan.plan.collect) == ("O/2", shop.money(2400))


def test_nothing_is_taken_while_the_order_has_more_than_it_needs_by_now(storage: Storage) -> None:
    """One of two units has left and is paid, with money for half of the other; a card is reserved for the rest."""
    shop = MoneyShop(storage).confirmed("O", (2, 1000), capture_on=CaptureOn.DISPATCH)
    shop.handle("card/1", ExpectPayment(card_of(), shop.money(2400)))
    shop.handle("card/1", AuthorisePayment(shop.money(2400), "a"))
    shop.pay(1800, order="O")
    shop.send("O", 1)
    shop.bill("O")
    order: Any = shop.orders.get("O")
    assert (shop.progress("O").pool_minor, to_capture_minor(order, NOON), [*wishes(order, NOON)]) == (600, 0, [])
