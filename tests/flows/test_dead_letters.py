"""Dead letters: listed with their rows, sent again, closed where that loses nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from tea_shop import Shop, content

from orderflow.adapters.carriers.memory import CarrierFailure
from orderflow.adapters.notifiers.memory import MemoryNotifier, NotifierFailure
from orderflow.adapters.payments.memory import MemoryProvider, PaymentFailure
from orderflow.domain.engine.decide import Message
from orderflow.domain.money.money import Money
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.domain.payments.collecting import ExpectPayment
from orderflow.domain.payments.pending import RequestOperation
from orderflow.domain.payments.state import Operation, PaymentSource
from orderflow.domain.shipping.labelling import RecordLabel
from orderflow.domain.shipping.state import ShippingLabel
from orderflow.domain.workflow.attention import Standing
from orderflow.errors import CommandRefused, InputError, Key, NotFound
from orderflow.flows.advance import ShopSettings
from orderflow.flows.prepare import ShippingSettings
from orderflow.shop import OrderFlow

REFUSED, LOST = NotifierFailure.REFUSED, CarrierFailure.TIMEOUT_AFTER
SHIPS = ShopSettings(shipping=ShippingSettings("post"))


class LateShop(Shop):
    """Its notifier refuses the first mails."""

    def __init__(self, refused: int) -> None:
        super().__init__(notifier=MemoryNotifier([REFUSED] * refused))
        self.mail = self._ports.notifier  # type: ignore[assignment]


def told_in_vain(*orders: str) -> Shop:
    """A shop whose notifier refuses one mail for each order, a minute apart; then it would take them."""
    shop = LateShop(len(orders))
    for order in orders:
        shop.tell(order, PlaceOrder(content(1)))
        shop.relay()
        shop.time.advance(timedelta(minutes=1))
    return shop


def ids(shop: OrderFlow, **conditions: Any) -> list[str]:
    """The rows that have dead letters."""
    return [letter.message.lane.id for letter in shop.effects.dead_letters(**conditions)]


def test_a_dead_letter_is_on_the_worklist_of_its_row() -> None:
    """With its error, since when, and what helps; the row's own listing says the same."""
    shop = told_in_vain("A", "B")
    at = shop.time.now() - timedelta(minutes=2)
    first, second = shop.worklist("dead_letters")
    assert (first.key.id, type(first.state).__name__, first.since, second.key.id) == ("A", "Placed", at, "B")
    [reason] = first.reasons
    assert (reason.code, reason.message) == ("dead_letter", "notify: notifier: '<email>' refused")
    assert first.commands == ("Requeue", "Discard")
    assert [task.key.id for task in shop.worklist("dead_letters", cursor=first.cursor)] == ["B"]
    assert [task.key.id for task in shop.worklist("dead_letters", limit=1)] == ["A"]
    [attention] = [found for found in shop.attention("order", "A") if found.worklist == "dead_letters"]
    assert (attention.standing, attention.reason) == (Standing.LISTED, reason)
    shop.effects.requeue(str(reason["id"]))
    assert [found for found in shop.attention("order", "A") if found.worklist == "dead_letters"] == []
    with pytest.raises(NotFound):
        shop.attention("order", "Z")


def test_dead_letters_are_sent_again_one_or_by_topic_or_since_a_time() -> None:
    """What is requeued is due at once, and delivered when the cause is gone."""
    shop = told_in_vain("A", "B", "C", "D")
    [first, *_] = shop.effects.dead_letters()
    shop.effects.requeue(first.message.id)
    assert ids(shop) == ["B", "C", "D"]
    with pytest.raises(NotFound):
        shop.effects.requeue(first.message.id)
    since = shop.time.now() - timedelta(minutes=1)
    assert ids(shop, since=since) == ["D"]
    assert len(shop.effects.requeue_all(since=since)) == 1
    assert shop.effects.requeue_all(topic="buy_label") == []
    assert ids(shop) == ["B", "C"]
    assert len(shop.effects.requeue_all(topic="notify")) == 2
    shop.settle()
    assert {notice.order for notice in shop.mail.delivered} == {"A", "B", "C", "D"}
    assert ids(shop) == []


def test_many_are_sent_again_page_by_page() -> None:
    """More than a page of dead letters, none twice and none forgotten."""
    shop = told_in_vain(*(f"O-{number}" for number in range(250)))
    assert len(shop.effects.dead_letters(limit=1000)) == 250
    assert len(set(shop.effects.requeue_all())) == 250
    assert shop.effects.dead_letters() == []


def test_topics_of_a_host_are_its_own() -> None:
    """All that are dead means all that this library sends; a topic of the host's is sent again if it is named."""
    shop = told_in_vain("A")
    storage, now = shop.storage.wrapped, shop.time.now()  # type: ignore[attr-defined]
    storage._post([Message("h-1", "gift_wrap", Key(storage.tenant, "order", "A"))], now)
    [lease] = storage.lease("gift_wrap", 1, now, now)
    storage.dead_letter(lease, now, "out of paper")
    assert len(shop.effects.requeue_all()) == 1
    assert [letter.message.id for letter in shop.effects.dead_letters()] == ["h-1"]
    assert shop.worklist("dead_letters")[0].commands == ("Requeue", "Discard")
    assert shop.effects.requeue_all(topic="gift_wrap") == ["h-1"]


def test_what_is_closed_is_not_sent_again() -> None:
    """Nor listed; its record says who closed it."""
    shop = told_in_vain("A")
    [letter] = shop.effects.dead_letters()
    shop.effects.discard(letter.message.id, by="eve")
    assert (shop.worklist("dead_letters"), shop.storage.pending()) == ([], 0)
    posted = shop.storage.wrapped._posted[letter.message.id]  # type: ignore[attr-defined]
    assert posted.error.startswith("discarded by eve: notifier:")
    for closing in (shop.effects.discard, shop.effects.requeue):
        with pytest.raises(NotFound):
            closing(letter.message.id)
    assert shop.effects.requeue_all() == []


def dead_purchase(*script: CarrierFailure | None) -> Shop:
    """A parcel whose label was asked for, by this script, until its time was over."""
    shop = Shop(SHIPS, script=script).stocked(main=1).placed(1)
    shop.advance("O")
    for _ in range(60):
        shop.relay()
        shop.time.advance(timedelta(hours=1))
    return shop


def test_a_purchase_that_may_have_been_made_is_not_closed() -> None:
    """No answer: the label may be bought. Sent again, the same key finds it, and no second one is sold."""
    shop = dead_purchase(*[LOST] * 60)
    [letter] = shop.effects.dead_letters(topic="buy_label")
    assert letter.maybe_sent
    [task] = [task for task in shop.worklist("dead_letters") if task.key.kind == "shipment"]
    assert task.commands == ("Requeue", "ChangeCarrier", "RequestLabel", "VoidShipment")
    with pytest.raises(CommandRefused) as refused:
        shop.effects.discard(letter.message.id)
    assert refused.value.codes == ("may_have_been_made",)
    shop.post._script.clear()
    shop.effects.requeue(letter.message.id)
    shop.settle()
    assert [label.tracking_number for label in shop.post.sold] == [shop.tracking_number()]


def test_a_purchase_that_may_have_been_made_is_asked_for_again_after_a_requeue() -> None:
    """A label was entered by hand meanwhile: the one that was bought is found by its key, and given back."""
    shop = dead_purchase(*[LOST] * 60)
    [letter] = shop.effects.dead_letters(topic="buy_label")
    shop.tell("O/1", RecordLabel(ShippingLabel("van", "own", "MINE")))
    shop.post._script.clear()
    shop.effects.requeue(letter.message.id)
    shop.settle()
    assert ({label.tracking_number for label in shop.post.sold}, shop.tracking_number()) == (shop.post.voided, "MINE")


def test_a_purchase_that_was_refused_may_be_closed() -> None:
    """A no for good says that nothing was bought; after a silence before it, nobody knows."""
    shop = dead_purchase(CarrierFailure.REFUSED)
    [letter] = shop.effects.dead_letters(topic="buy_label")
    assert not letter.maybe_sent
    shop.effects.discard(letter.message.id)
    assert ids(shop, topic="buy_label") == []
    silent = dead_purchase(LOST, CarrierFailure.REFUSED)
    [letter] = silent.effects.dead_letters(topic="buy_label")
    assert letter.maybe_sent
    with pytest.raises(CommandRefused, match="may_have_been_made"):
        silent.effects.discard(letter.message.id)


def test_a_purchase_whose_worker_died_may_have_been_made() -> None:
    """The lease has run out, the deadline is over: dead, and not to be closed."""
    shop = Shop(SHIPS).stocked(main=1).placed(1)
    shop.advance("O")
    now = shop.time.now()
    [lease] = shop.storage.lease("buy_label", 1, now, now + timedelta(seconds=60))
    assert not lease.maybe_sent
    shop.time.advance(timedelta(hours=30))
    shop.relay()
    [letter] = shop.effects.dead_letters(topic="buy_label")
    assert letter.maybe_sent


@pytest.mark.parametrize("failure", [PaymentFailure.TIMEOUT_BEFORE, PaymentFailure.TIMEOUT_AFTER])
def test_money_that_may_have_moved_is_not_closed(failure: PaymentFailure) -> None:
    """Requeued, the provider is asked what has become of it, and money moves once."""
    card = MemoryProvider("card", script=[failure] * 200)
    shop = Shop(providers=[card])
    source = PaymentSource("card", "1", "ann", authorises=True)
    shop.handle("card/1", ExpectPayment(source, Money.of("5.00", "EUR")))
    shop.handle("card/1", RequestOperation(Operation.AUTHORISE))
    card.find = Mock(side_effect=ConnectionError("down"))  # type: ignore[method-assign]
    for _ in range(100):
        shop.relay()
        shop.time.advance(timedelta(hours=1))
    [letter] = shop.effects.dead_letters()
    with pytest.raises(CommandRefused, match="may_have_been_made"):
        shop.effects.discard(letter.message.id)
    del card.find
    card._script.clear()
    shop.effects.requeue_all()
    shop.settle()
    assert type(shop.payments.get("card/1")).__name__ == "Authorised"
    assert len(card.facts) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda effects: effects.requeue(""),
        lambda effects: effects.requeue(7),
        lambda effects: effects.requeue_all(topic=None),
        lambda effects: effects.requeue_all(since="today"),
        lambda effects: effects.discard("x\n"),
        lambda effects: effects.dead_letters(limit=0),
        lambda effects: effects.dead_letters(cursor=2**70),
    ],
)
def test_wrong_arguments_are_bad_input(call: Any) -> None:
    """A typed error that says what is right."""
    with pytest.raises(InputError):
        call(Shop().effects)
