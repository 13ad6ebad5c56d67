"""U10: where nobody names a carrier and there are several, one is chosen by what they offer, and stays chosen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from goods_shop import ANN, GO, NOON, GoodsShop, item

from orderflow import Money
from orderflow.adapters.carriers.memory import CarrierFailure, MemoryCarrier
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import OrderContent, OrderLine
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.domain.shipping.carriage import RecordTracking, TrackingStatus
from orderflow.domain.shipping.choosing import CarrierOffer, cheapest_in_time
from orderflow.domain.shipping.labelling import ChangeCarrier
from orderflow.domain.shipping.planning import PackShipment, PlanShipment, VoidShipment
from orderflow.domain.shipping.state import Labelled, Plan
from orderflow.domain.values import DeliveryWish, Gift
from orderflow.errors import DefinitionError
from orderflow.flows.advance import ShopSettings
from orderflow.flows.prepare import ShippingSettings
from orderflow.ports.carrier import Quote
from orderflow.ports.storage import Storage

TODAY = NOON.date()
ANY = Plan()


def quote(service: str, euros: int, days: int, currency: str = "EUR") -> Quote:
    """What a service costs."""
    return Quote(service, Money.of(euros, currency), days)


POST = (quote("letter", 4, 5), quote("parcel", 6, 3))
VAN = (quote("same day", 20, 0), quote("next day", 9, 1))


def carriers(**scripts: Any) -> list[MemoryCarrier]:
    """A slow and cheap one, and one that is neither."""
    post = MemoryCarrier("post", quotes=POST, script=scripts.get("post", ()))
    return [post, MemoryCarrier("van", quotes=VAN, script=scripts.get("van", ()))]


def packed(storage: Storage, plan: Plan = ANY, wired: Sequence[Any] | None = None, **more: Any) -> GoodsShop:
    """A packed parcel, and the carriers of the shop."""
    shop = GoodsShop(storage, carriers=wired or carriers(), **more).allocated(1)
    return shop.tell("S", PlanShipment((item(1),), plan), PackShipment(500, 1))


def label(shop: GoodsShop) -> tuple[str, str]:
    """The carrier and service of the parcel's label, once there is one."""
    while shop.relay().taken:
        pass
    parcel = shop.parcel()
    assert isinstance(parcel, Labelled)
    return parcel.label.carrier, parcel.label.service


@pytest.mark.parametrize(
    "days, chosen",
    [
        (None, ("post", "letter")),
        (5, ("post", "letter")),
        (4, ("post", "parcel")),
        (1, ("van", "next day")),
        (0, ("van", "same day")),
        (-1, ("van", "same day")),
    ],
)
def test_u10_the_cheapest_that_is_in_time(days: int | None, chosen: tuple[str, str]) -> None:
    """Without a wish the cheapest; where nobody is in time, the quickest."""
    offers = [CarrierOffer(name, q.service, q.price, q.days) for name, qs in (("post", POST), ("van", VAN)) for q in qs]
    wish = None if days is None else DeliveryWish(TODAY + timedelta(days=days))
    best = cheapest_in_time(offers, wish, TODAY)
    assert (best.carrier, best.service) == chosen


def test_u10_prices_in_several_currencies_are_not_compared() -> None:
    """The shop says how, by a choice of its own."""
    offers = [CarrierOffer("post", "letter", Money.of(4, "EUR"), 1), CarrierOffer("van", "", Money.of(4, "GBP"), 1)]
    with pytest.raises(DefinitionError, match="EUR, GBP"):
        cheapest_in_time(offers, None, TODAY)


def test_u10_chosen_and_bought(storage: Storage) -> None:
    """The choice is on the parcel before the label is bought; told twice, one label is bought."""
    wired = carriers(post=[None, CarrierFailure.TIMEOUT_AFTER])
    shop = packed(storage, Plan(requested=DeliveryWish(TODAY + timedelta(days=4))), wired)
    shop.relay()
    shop.time.advance(timedelta(hours=2))
    assert label(shop) == ("post", "parcel")
    assert (shop.parcel().plan.carrier, shop.parcel().plan.service) == ("post", "parcel")
    assert [len(each.sold) for each in wired] == [1, 0]


def test_u10_a_service_without_a_carrier(storage: Storage) -> None:
    """Only those that have it are asked."""
    assert label(packed(storage, Plan(service="next day"))) == ("van", "next day")


def test_u10_the_only_carrier_is_chosen(storage: Storage) -> None:
    """A plan by hand that names none."""
    assert label(packed(storage, wired=[MemoryCarrier("van", quotes=VAN)])) == ("van", "next day")


def test_u10_who_refuses_is_left_out(storage: Storage) -> None:
    """The cheap one does not carry it."""
    assert label(packed(storage, wired=carriers(post=[CarrierFailure.REFUSED]))) == ("van", "next day")


def test_u10_nobody_carries_it(storage: Storage) -> None:
    """It is listed with what each of them said; a person names one."""
    shop = packed(storage, wired=carriers(post=[CarrierFailure.REFUSED], van=[CarrierFailure.REFUSED]))
    assert shop.relay().dead == 1
    [task] = shop.worklist("dead_letters")
    assert "post: refused" in str(task.reasons[0])
    assert "van: refused" in str(task.reasons[0])
    assert label(shop.tell("S", ChangeCarrier("post", "parcel"))) == ("post", "parcel")


def test_u10_who_does_not_answer_is_asked_again(storage: Storage) -> None:
    """An outage does not make parcels dear."""
    shop = packed(storage, wired=carriers(post=[CarrierFailure.TIMEOUT_BEFORE]))
    assert shop.relay().retried == 1
    shop.time.advance(timedelta(hours=2))
    assert label(shop) == ("post", "letter")


def test_u10_given_up_before_one_was_chosen(storage: Storage) -> None:
    """Nobody is asked for a parcel that is voided."""
    wired = carriers()
    shop = packed(storage, wired=wired).tell("S", VoidShipment())
    while shop.relay().taken:
        pass
    assert [each.sold for each in wired] == [[], []]


def test_u10_scanned_before_one_was_chosen(storage: Storage) -> None:
    """It has left; the label that is still wanted is bought for it."""
    shop = packed(storage).tell("S", RecordTracking("scan", TrackingStatus.IN_TRANSIT))
    while shop.relay().taken:
        pass
    found: Any = shop.parcel()
    assert (shop.status("S"), found.carriage.label.carrier) == ("InTransit", "post")


class Odd(MemoryCarrier):
    """Offers what it was made with, whatever that is."""

    def __init__(self, answer: Any) -> None:
        super().__init__("odd")
        self.answer = answer

    def quote(self, request: Any) -> Any:
        """What it was made with."""
        return self.answer


@pytest.mark.parametrize(
    "answer",
    ["5.00", None, (Quote("x", 5, 1),), (Quote("", Money.of(5, "EUR"), 1.5),), ("letter",)],  # type: ignore[arg-type]
)
def test_u10_a_carrier_that_quotes_nonsense_is_asked_again(storage: Storage, answer: Any) -> None:
    """Nothing is chosen by it, and the parcel still waits."""
    shop = packed(storage, wired=[*carriers(), Odd(answer)])
    assert shop.relay().retried == 1
    assert shop.status("S") == "Packed"


def test_u10_a_choice_of_ones_own(storage: Storage) -> None:
    """By any rule: here the last in the alphabet; one that chooses nothing of what is offered is given up."""

    def last(offers: Sequence[CarrierOffer], wish: DeliveryWish | None, today: date) -> CarrierOffer:
        return max(offers, key=lambda offer: (offer.carrier, offer.service))

    settings = ShopSettings(shipping=ShippingSettings(choose=last))
    assert label(packed(storage, settings=settings)) == ("van", "same day")


@pytest.mark.parametrize("raises", [True, False])
def test_u10_a_choice_that_chooses_nothing(storage: Storage, raises: bool) -> None:
    """It is a dead letter at once, with what is wrong."""

    def none(offers: Sequence[CarrierOffer], wish: DeliveryWish | None, today: date) -> CarrierOffer:
        if raises:
            raise DefinitionError("by no rule")
        return CarrierOffer("bike", "fast", Money.of(1, "EUR"), 0)

    shop = packed(storage, settings=ShopSettings(shipping=ShippingSettings(choose=none)))
    assert shop.relay().dead == 1
    [task] = shop.worklist("dead_letters")
    assert ("by no rule" if raises else "bike") in str(task.reasons[0])


def test_u10_what_the_customer_wished_reaches_the_carrier(storage: Storage) -> None:
    """Day and slot, gift, and what the contents cost."""
    wired = carriers()
    shop = GoodsShop(storage, carriers=wired)
    line = OrderLine.of(1, "TEA", 3, Price.of("10.00", "EUR"), TaxCategory.of("S", 20), discount_minor=600)
    wish, gift = DeliveryWish(TODAY + timedelta(days=1), "am"), Gift("blue", "お祝い")
    content = OrderContent("EUR", (line,), TaxPolicy(), bill_to=ANN, ship_to=ANN, requested=wish, gift=gift)
    shop.tell("O", PlaceOrder(content)).advance("O")
    while shop.relay().taken:
        pass
    [(request, sold)] = wired[1]._by_key.values()
    assert (request.requested, request.gift, request.value) == (wish, gift, Money(2400, "EUR"))
    assert sold.service == "next day"
    shop.tell("O/1", GO)
