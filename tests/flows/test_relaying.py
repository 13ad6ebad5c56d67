"""Effects: labels are bought, customers are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tea_shop import ARRIVE, CANCEL, GO, NOON, VAT, Counted, Shop, content, item, note, shipped

from orderflow.adapters.carriers.memory import CarrierFailure, MemoryCarrier
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.billing.credit_note import AccountLine
from orderflow.domain.billing.invoice import VoidInvoice
from orderflow.domain.engine.decide import Message
from orderflow.domain.money.money import Money
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.content import Policy, RefundOn
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.payments.applying import ApplyPayment
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.payments.state import ApplicationTarget, PaymentSource
from orderflow.domain.shipping import state as ss
from orderflow.domain.shipping.labelling import RecordLabel, RequestLabel, VoidLabel
from orderflow.domain.shipping.planning import DropItems, PackShipment, PlanShipment, VoidShipment
from orderflow.domain.shipping.state import Item, Plan, ShippingLabel
from orderflow.domain.values import Pick
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import ConcurrencyConflict, DefinitionError, Key, PortError, StorageError
from orderflow.flows.advance import ShopSettings
from orderflow.flows.prepare import ShippingSettings
from orderflow.flows.relay import POLICIES, RelayReport, TopicPolicy, _envelopes, _Round
from orderflow.ports.notifier import Notice
from orderflow.ports.storage import Batch, Lease
from orderflow.runtime import run
from orderflow.shop import OrderFlow

SHIPS = ShopSettings(shipping=ShippingSettings("post"))
QUIET = standard_workflow(())


def test_labels_are_bought_and_customers_are_told() -> None:
    """The relay buys a label for a packed shipment and mails what happened, once each."""
    shop = Shop(SHIPS).stocked(main=1).placed(1)
    shop.advance("O")
    shop.settle()
    assert isinstance(shop.shipments.get("O/1"), ss.Labelled)
    shop.tell("O/1", GO, ARRIVE)
    assert shop.advance("O").state == "Completed"
    shop.settle().tell("n", note(AccountLine(1, "TEA", 1, 500, VAT))).settle()
    templates = [notice.template for notice in shop.mail.delivered]
    assert set(templates) >= {"order_received", "order_confirmed", "shipment_sent", "invoice_issued", "order_completed"}
    assert "credit_note_issued" in templates
    assert shop.relay().done == 0


def test_a_carrier_that_says_no_is_not_asked_again() -> None:
    """What the other side refuses for good becomes a dead letter at once."""
    shop = Shop(SHIPS, script=[CarrierFailure.REFUSED], workflow=QUIET).stocked(main=1).placed(1)
    shop.advance("O")
    assert shop.relay() == RelayReport(done=0, retried=0, dead=1)
    [(message, error, *_)] = shop.storage.dead_letters()
    assert (message.topic, "refused" in error) == ("buy_label", True)
    shop.storage.requeue(message.id, shop.time.now())
    assert shop.relay().done == 1
    assert isinstance(shop.shipments.get("O/1"), ss.Labelled)


def test_an_absent_port_is_a_dead_letter() -> None:
    """Without a notifier or the carrier that is asked for, effects are listed as dead."""
    shop = Shop(notifier=None).stocked(main=1).placed(1)
    shop.tell("O", ConfirmOrder()).tell("O", AllocateStock((Pick(1, "main", 1),)))
    shop.tell("O/1", PlanShipment((Item("O", 1, "main", 1),), Plan(carrier="nobody")))
    shop.tell("O/1", PackShipment(100, 1)).settle()
    assert {message.topic for message, *_ in shop.storage.dead_letters()} == {"notify", "buy_label"}


def test_plans_name_carriers_that_are_there() -> None:
    """A shop whose plans name a carrier that is not wired is not made at all."""
    with pytest.raises(DefinitionError, match="nobody"):
        Shop(ShopSettings(shipping=ShippingSettings("nobody")))


def test_the_only_carrier_is_the_carrier() -> None:
    """ShopSettings that name none mean the one that is wired; two of one name are a mistake."""
    one, two = MemoryCarrier(name="van"), MemoryCarrier(name="bike")
    assert OrderFlow(MemoryStorage(), carriers=[one]).settings.shipping.carrier == "van"
    assert OrderFlow(MemoryStorage(), carriers=[one, two]).settings.shipping.carrier == ""
    assert OrderFlow(MemoryStorage()).settings == ShopSettings()
    with pytest.raises(DefinitionError, match="two carriers are named 'van'"):
        OrderFlow(MemoryStorage(), carriers=[one, MemoryCarrier(name="van")])


def test_labels_of_given_up_shipments_are_voided() -> None:
    """A label that was bought for a shipment that is given up goes back to its carrier."""
    shop = Shop(SHIPS).stocked(main=1).placed(1)
    shop.advance("O")
    shop.settle().tell("O/1", VoidShipment()).settle()
    assert len(shop.post.voided) == 1


def test_a_label_that_is_taken_off_is_replaced_when_asked_for() -> None:
    """A voided label goes back to its carrier; the shipment waits without one until somebody asks for another."""
    shop = Shop(SHIPS, workflow=QUIET).stocked(main=1).placed(1)
    shop.advance("O")
    shop.settle().tell("O/1", VoidLabel()).settle()
    assert shop.refusal("O/1", GO) == ("not_labelled",)
    shop.tell("O/1", RequestLabel()).settle()
    first, second = (label.tracking_number for label in shop.post.sold)
    assert shop.post.voided == {first}
    assert shop.tracking_number() == second != first


def test_a_label_that_came_too_late_is_given_back() -> None:
    """A label bought by an attempt that seemed to fail is voided when the shipment has another one by then."""
    shop = Shop(SHIPS, script=[CarrierFailure.TIMEOUT_AFTER], workflow=QUIET).stocked(main=1).placed(1)
    shop.advance("O")
    assert shop.relay().retried == 1
    shop.tell("O/1", RecordLabel(ShippingLabel("van", "own", "MINE")))
    shop.time.advance(timedelta(minutes=1))
    shop.settle()
    assert len(shop.post.voided) == 1
    assert shop.tracking_number() == "MINE"


def test_a_label_that_was_entered_by_hand_is_not_given_back() -> None:
    """Where an attempt seemed to fail and its label was taken over by hand, asking again gives the same label: kept."""
    shop = Shop(SHIPS, script=[CarrierFailure.TIMEOUT_AFTER], workflow=QUIET).stocked(main=1).placed(1)
    shop.advance("O")
    assert shop.relay().retried == 1
    [sold] = shop.post.sold
    shop.tell("O/1", RecordLabel(ShippingLabel("post", sold.service, sold.tracking_number)))
    shop.time.advance(timedelta(minutes=1))
    shop.settle()
    assert shop.post.voided == set()
    assert shop.post.sold == [sold]


def test_no_label_is_bought_for_a_shipment_that_was_unpacked() -> None:
    """What is not packed any more when the relay comes needs no label."""
    shop = Shop(SHIPS, workflow=QUIET).stocked(main=2).placed(2)
    shop.advance("O")
    shop.tell("O/1", DropItems((item(2),))).settle()
    assert shop.post.sold == []


# -- how a topic is worked off


def test_messages_to_rows_of_ours_share_one_commit() -> None:
    """Three shipments hear in one batch that their units are cancelled."""
    storage = Counted()
    shop = cancelled(storage, "A", "B", "C")
    assert shop.relay() == RelayReport(done=3, retried=0, dead=0)
    assert [[record.command for record in batch.commands] for batch in storage.batches] == [["DropCancelledItems"] * 3]


def cancelled(storage: Counted, *orders: str) -> Shop:
    """A shop in which an order of each name was packed, and cancelled then."""
    shop = Shop(storage=storage, workflow=QUIET).stocked(main=9)
    for order in orders:
        shop.tell(order, PlaceOrder(content(1)), ConfirmOrder())
        shop.allocate(order)
        shop.tell(f"S-{order}", PlanShipment((Item(order, 1, "main", 1),), Plan(needs_label=False))).tell(order, CANCEL)
    storage.batches.clear()
    return shop


def rejecting(error: Exception, *, about: str) -> Callable[[Batch], Exception | None]:
    """Says that a batch cannot be stored if it writes a row of that id."""
    return lambda batch: error if about in {write.key.id for write in batch.writes} else None


@pytest.mark.parametrize("error", [ConcurrencyConflict(None), StorageError("too large", retry=False)])
def test_a_message_that_cannot_be_stored_stops_no_other(error: Exception) -> None:
    """Where the storage takes a commit of many at no attempt, each message is committed alone."""
    for orders in (("A", "B"), ("A", "B", "C")):
        storage = Counted()
        shop = cancelled(storage, *orders)
        storage.rejects = rejecting(error, about="S-B")
        assert shop.relay() == RelayReport(done=len(orders) - 1, retried=1, dead=0)
        states = [type(shop.shipments.get(f"S-{order}")).__name__ for order in orders]
        assert states == ["Planned" if order == "B" else "Voided" for order in orders]


def test_a_storage_that_is_down_puts_all_of_them_off() -> None:
    """Nothing is tried message by message against a storage that may come back."""
    storage = Counted()
    shop = cancelled(storage, "A", "B")
    storage.rejects = lambda batch: StorageError("busy")
    assert shop.relay() == RelayReport(done=0, retried=2, dead=0)
    storage.rejects = lambda batch: None
    shop.time.advance(timedelta(minutes=1))
    assert shop.relay() == RelayReport(done=2, retried=0, dead=0)


def test_a_conflict_is_no_failure_of_a_message() -> None:
    """Somebody was faster: the answer is decided again on fresh rows, in the same round."""
    storage = Counted()
    shop = cancelled(storage, "A")
    rejected = iter([ConcurrencyConflict(None)] * 3)
    storage.rejects = lambda batch: next(rejected, None)
    assert shop.relay() == RelayReport(done=1, retried=0, dead=0)


def test_a_notice_whose_answer_is_not_stored_comes_again() -> None:
    """It is done only with the commit that says so; the notifier knows it by its id, and the invoice is marked then."""
    storage = Counted()
    shop = shipped(Shop(storage=storage))
    storage.rejects = rejecting(StorageError("busy"), about="O/1")
    report = shop.relay()
    assert (report.retried, report.dead) == (1, 0)
    storage.rejects = lambda batch: None
    shop.time.advance(timedelta(minutes=1))
    assert shop.relay() == RelayReport(done=1, retried=0, dead=0)
    assert shop.invoice().amounts.sent
    assert len([notice for notice in shop.mail.delivered if notice.template == "invoice_issued"]) == 1


def test_a_round_takes_so_many_messages_and_no_more() -> None:
    """The limit counts messages of all topics together; the rest waits for the next call."""
    shop = Shop(SHIPS).stocked(main=2).placed(2)
    shop.advance("O")
    waiting = shop.storage.pending()
    assert shop.relay(limit=2).taken == 2
    assert shop.relay(limit=1).taken == 1
    assert shop.storage.pending() == waiting - 3


@pytest.mark.parametrize(
    "failure, report",
    [
        (CarrierFailure.TIMEOUT_BEFORE, RelayReport(done=0, retried=1, dead=0)),
        (CarrierFailure.REFUSED, RelayReport(done=0, retried=0, dead=1)),
    ],
)
def test_what_fails_is_taken_too(failure: CarrierFailure, report: RelayReport) -> None:
    """A message that is put off or given up counts towards the limit: no other is sent in its place."""
    shop = Shop(SHIPS, script=[failure]).stocked(main=1).placed(1)
    shop.advance("O")
    assert shop.relay(limit=1) == report
    assert report.taken == 1
    assert not shop.mail.delivered


def test_what_an_ended_worker_left_is_sent_again_until_its_deadline() -> None:
    """A lease that ran out is taken over; where the deadline has passed meanwhile, nobody sends it once more."""
    shop = Shop(SHIPS, workflow=QUIET).stocked(main=1).placed(1)
    shop.advance("O")
    noon = shop.time.now()
    assert len(shop.storage.lease("buy_label", 1, noon, noon + timedelta(minutes=1))) == 1
    assert shop.relay().taken == 0
    shop.time.advance(timedelta(days=1))
    assert shop.relay() == RelayReport(done=0, retried=0, dead=1)
    assert shop.post.sold == []
    [(message, error, *_)] = shop.storage.dead_letters()
    assert "its worker stopped" in error
    shop.storage.requeue(message.id, shop.time.now())
    again = shop.time.now()
    assert len(shop.storage.lease("buy_label", 1, again, again + timedelta(minutes=1))) == 1
    shop.time.advance(timedelta(minutes=1))
    assert shop.relay().done == 1
    assert len(shop.post.sold) == 1


def test_delays_are_spread_within_what_doubles_with_each_attempt() -> None:
    """Never later than the bound, the same for the same attempt, not below what the other side asks for."""
    policy = TopicPolicy(deadline_seconds=None, first_delay_seconds=10, most_delay_seconds=100)
    down = PortError("carrier", "down")

    def delay(attempts: int, number: int = 0, error: PortError = down) -> float:
        lease = Lease(Message(f"m-{number}", "notify", Key("t", "order", "O")), attempts, 1, NOON)
        return policy.delay_seconds(lease, error)

    for attempts, most in ((1, 10), (2, 20), (4, 80), (5, 100), (1_000, 100)):
        delays = [delay(attempts, number) for number in range(200)]
        assert 0 <= min(delays) < most / 4
        assert most * 3 / 4 < max(delays) <= most
    assert delay(3) == delay(3)
    assert delay(1, error=PortError("carrier", "busy", retry_after_seconds=60)) == 60


def test_a_deadline_counts_from_the_first_sending() -> None:
    """However often a message was tried, it is given up when its time is over, and never where it has none."""
    lease = Lease(Message("m", "notify", Key("t", "order", "O")), 9, 1, NOON)
    for policy, end in ((TopicPolicy(60), True), (TopicPolicy(None), False)):
        assert not policy.is_over(lease, NOON + timedelta(seconds=59))
        assert policy.is_over(lease, NOON + timedelta(seconds=60)) is end


def test_each_command_of_an_answer_has_an_id_of_its_own() -> None:
    """They are made of the message's, so that they are known when it comes again."""
    commands = [(Key("t", "order", name), CompleteOrder()) for name in "ABC"]
    flow = _envelopes(
        _Round(QUIET, "relay", lambda message: NOON), Message("m", "drop_items", Key("t", "shipment", "S")), commands
    )
    assert [envelope.stamp.command_id for envelope in run(flow, lambda request: None)] == ["m", "m/1", "m/2"]


def test_replays_say_when_an_answer_was_given() -> None:
    """A host that tells the past gives each answer its time; it is not moved on to that of the clock."""
    shop = Shop(SHIPS, workflow=QUIET).stocked(main=1).placed(1)
    shop.advance("O")
    shop.time.advance(timedelta(days=3))
    assert shop.relay(time_of=lambda message: NOON + timedelta(hours=1)).done == 1
    assert [*shop.shipments.history("O/1")][-1].at == NOON + timedelta(hours=1)


def test_labels_are_tried_for_a_day_and_notices_for_three() -> None:
    """A message to a row of ours is tried until it is accepted; after a timeout a topic rests for a minute."""
    hours = {topic: policy.deadline_seconds and policy.deadline_seconds / 3600 for topic, policy in POLICIES.items()}
    assert hours == {
        "buy_label": 24,
        "void_label": 24,
        "notify": 72,
        "operate_payment": 72,
        "drop_items": None,
        "readdress": None,
        "request_operation": None,
        "fill_backorders": None,
        "rebalance": None,
    }
    assert {(p.first_delay_seconds, p.most_delay_seconds, p.breaker_seconds) for p in POLICIES.values()} == {
        (10, 3600, 60)
    }


class Voiding(MemoryNotifier):
    """Voids the invoice that it tells of, once it has told."""

    shop: Shop

    def send(self, notice: Notice) -> None:
        super().send(notice)
        if notice.template == "invoice_issued":
            self.shop.handle(notice.order, VoidInvoice("wrong"))


def test_a_notice_that_was_sent_is_done_whatever_its_row_says_to_it() -> None:
    """The invoice is void by then and cannot be marked as sent: it is told once, and nothing is left to do."""
    post = Voiding()
    post.shop = shop = Shop(SHIPS, notifier=post).stocked(main=1).placed(1)
    shop.advance("O")
    shop.settle().tell("O/1", GO).tell("O", BillUnits("O/1", "inv")).settle()
    assert type(shop.invoices.get("O/1")).__name__ == "Void"
    assert [notice.template for notice in post.delivered].count("invoice_issued") == 1
    assert (shop.storage.pending(), shop.storage.dead_letters()) == (0, [])


def test_a_message_that_asks_for_nothing_any_more_is_done() -> None:
    """Money came by bank, so there is nobody to ask for a refund: the message to its row is done all the same."""
    shop = Shop(workflow=QUIET)
    shop.tell("O", PlaceOrder(content(1, policy=Policy(refund_on=RefundOn.DUE))))
    shop.tell("bank/1", RecordPayment(PaymentSource("bank", "1", "ann", order="O"), Money.of("5.95", "EUR")))
    shop.tell("bank/1", ApplyPayment(ApplicationTarget.ORDER, "O", Money.of("5.95", "EUR"))).tell("O", CANCEL)
    assert "request_operation" in shop.storage.due(shop.time.now())
    assert shop.relay().done == 1
    assert (shop.storage.pending(), shop.storage.dead_letters()) == (0, [])
