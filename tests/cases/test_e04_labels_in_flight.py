"""E04: whatever happens while a label is being bought, it ends on a parcel that left, or is given back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from goods_shop import GoodsShop, item
from hypothesis import given
from hypothesis import strategies as st

from orderflow import MemoryCarrier, MemoryStorage, SqliteStorage
from orderflow.adapters.carriers.memory import CarrierFailure
from orderflow.domain.shipping.carriage import RecordTracking, TrackingStatus
from orderflow.domain.shipping.labelling import ChangeCarrier, RecordLabel, RequestLabel, VoidLabel
from orderflow.domain.shipping.leaving import HandOver, RecordDispatch, RecordLeftBehind
from orderflow.domain.shipping.planning import DropItems, PackShipment, PlanShipment, VoidShipment
from orderflow.domain.shipping.state import Item, Labelled, Left, Plan, ShippingLabel
from orderflow.errors import CommandRefused

Storage = MemoryStorage | SqliteStorage
PARCEL = "S"
SCANNED = RecordTracking("scan", TrackingStatus.IN_TRANSIT)


class Counter(MemoryCarrier):
    """Does something of the shop's while it sells a label."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self.meanwhile: Callable[[], object] = lambda: None

    def buy_label(self, request: Any) -> Any:
        label = super().buy_label(request)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return label


class LabelShop(GoodsShop):
    """A shop with two carriers and a parcel of two units, packed, whose label is still to be bought."""

    def __init__(self, storage: Any, *script: CarrierFailure | None) -> None:
        self.post, self.van = Counter("post", script=script), Counter("van")
        super().__init__(storage, carriers=[self.post, self.van])
        self.allocated(2).tell(PARCEL, PlanShipment((item(2),), Plan("post")), PackShipment(0, 1))

    def try_to(self, *commands: Any) -> None:
        """Carry out what is possible now."""
        for command in commands:
            try:
                self.handle(PARCEL, command)
            except CommandRefused:
                continue

    def settle(self) -> LabelShop:
        """Relay until nothing is left to do, whatever time that takes."""
        for _ in range(40):
            self.time.advance(timedelta(hours=1))
            if not self.relay().taken:
                break
        return self

    def label(self) -> ShippingLabel | None:
        """The parcel's label, if it has one."""
        state: Any = self.parcel(PARCEL)
        found: ShippingLabel | None = getattr(state.carriage if isinstance(state, Left) else state, "label", None)
        return found

    def used(self) -> str:
        """The tracking number of the parcel's label, if it has one."""
        label = self.label()
        return label.tracking_number if label else ""

    def carrier(self) -> str:
        """Who is to carry the parcel."""
        return self.parcel(PARCEL).plan.carrier

    def kept(self) -> list[str]:
        """The labels that carriers have sold and not taken back."""
        return [
            label.tracking_number
            for carrier in (self.post, self.van)
            for label in carrier.sold
            if label.tracking_number not in carrier.voided
        ]


MEANWHILE: dict[str, tuple[Any, ...]] = {
    "voided": (VoidShipment(),),
    "all items dropped": (DropItems((item(2),)),),
    "another wanted": (RequestLabel(),),
    "another carrier": (ChangeCarrier("van"),),
    "a carrier without labels": (ChangeCarrier("", needs_label=False),),
    "one bought by hand and given back": (RecordLabel(ShippingLabel("post", "standard", "MINE")), VoidLabel()),
    "voided and sent all the same": (VoidShipment(), RecordDispatch()),
}


@pytest.mark.parametrize("when", ["before the answer", "after it"])
@pytest.mark.parametrize("commands", MEANWHILE.values(), ids=MEANWHILE)
def test_e04_a_label_that_nothing_waits_for_is_voided(storage: Storage, commands: tuple[Any, ...], when: str) -> None:
    """The first label is given back, whether the parcel changed while it was bought or afterwards."""
    shop = LabelShop(storage)
    if when == "before the answer":
        shop.post.meanwhile = lambda: shop.try_to(*commands)
        shop.relay()
    else:
        shop.relay()
        shop.try_to(*commands)
    first = shop.post.sold[0].tracking_number
    shop.settle()
    if when == "after it" and commands[0] == RequestLabel():  # it has its label, so it wants no other
        assert shop.kept() == [shop.used()] == [first]
        return
    assert first in shop.post.voided or shop.used() == first
    assert shop.kept() == [number for number in [shop.used()] if number and number != "MINE"]


def test_e04_an_item_dropped_while_the_label_is_bought(storage: Storage) -> None:
    """The rest still goes with it."""
    shop = LabelShop(storage)
    shop.post.meanwhile = lambda: shop.tell(PARCEL, DropItems((item(1),)))
    shop.settle()
    assert (shop.kept(), shop.status(PARCEL)) == ([shop.used()], "Labelled")


def test_e04_bought_after_the_parcel_left(storage: Storage) -> None:
    """It is the parcel's label all the same: a scan had said that it is gone."""
    shop = LabelShop(storage)
    shop.post.meanwhile = lambda: shop.tell(PARCEL, SCANNED)
    shop.settle()
    assert (shop.status(PARCEL), shop.kept()) == ("InTransit", [shop.used()])
    assert shop.used() != ""


def test_e04_a_purchase_that_seemed_to_fail(storage: Storage) -> None:
    """No answer came, and the parcel was given up: the same key finds the label, and it is voided."""
    shop = LabelShop(storage, CarrierFailure.TIMEOUT_AFTER)
    assert shop.relay().retried == 1
    shop.tell(PARCEL, VoidShipment())
    shop.settle()
    assert (len(shop.post.sold), shop.kept()) == (1, [])


def test_e04_a_purchase_that_seemed_to_fail_of_a_parcel_that_left_though_voided(storage: Storage) -> None:
    """The carrier is asked for the same thing under the same key, and the label is voided."""
    shop = LabelShop(storage, CarrierFailure.TIMEOUT_AFTER)
    shop.relay()
    shop.tell(PARCEL, VoidShipment(), SCANNED, RecordDispatch())
    shop.settle()
    assert (len(shop.post.sold), shop.kept(), shop.effects.dead_letters()) == (1, [], [])


@pytest.mark.parametrize("units", [1, 2])
def test_e04_a_labelled_parcel_of_which_some_or_all_stayed(storage: Storage, units: int) -> None:
    """If nothing of it has left, its label is given back."""
    shop = LabelShop(storage).settle()
    shop.tell(PARCEL, HandOver(), RecordLeftBehind((item(units),)))
    shop.settle()
    assert shop.kept() == [number for number in [shop.used()] if number]
    assert (shop.status(PARCEL), len(shop.kept())) == (("Voided", 0) if units == 2 else ("InTransit", 1))


def test_e04_another_carrier_after_no_answer(storage: Storage) -> None:
    """The old carrier is asked under the old key, the new one sells the label."""
    shop = LabelShop(storage, CarrierFailure.TIMEOUT_AFTER)
    shop.relay()
    shop.tell(PARCEL, ChangeCarrier("van", "standard"))
    shop.settle()
    state = shop.parcel(PARCEL)
    assert isinstance(state, Labelled)
    assert (state.label.carrier, shop.kept(), len(shop.post.voided)) == ("van", [shop.used()], 1)


def test_e04_the_same_label_told_again(storage: Storage) -> None:
    """Nothing is voided, before it leaves and afterwards."""
    shop = LabelShop(storage).settle()
    state = shop.parcel(PARCEL)
    assert isinstance(state, Labelled)
    shop.tell(PARCEL, RecordLabel(state.label), HandOver(), RecordLabel(state.label))
    shop.settle()
    assert shop.kept() == [state.label.tracking_number]


def test_e04_without_a_label_nothing_leaves_by_hand(storage: Storage) -> None:
    """After the label was given back the parcel waits until somebody asks for another."""
    shop = LabelShop(storage).settle()
    shop.tell(PARCEL, VoidLabel())
    assert (shop.settle().kept(), shop.refusal(PARCEL, HandOver())) == ([], ("not_labelled",))
    assert [task.key.id for task in shop.worklist("to_ship")] == [PARCEL]
    shop.tell(PARCEL, RequestLabel())
    assert (shop.settle().kept(), shop.refusal(PARCEL, HandOver())) == ([shop.used()], ())


STEPS = st.lists(
    st.sampled_from(
        [
            "relay",
            RequestLabel(),
            ChangeCarrier("van"),
            ChangeCarrier("post"),
            ChangeCarrier("", needs_label=False),
            VoidLabel(),
            VoidShipment(),
            DropItems((Item("O", 1, "main", 1),)),
            HandOver(),
            SCANNED,
            RecordDispatch(),
        ]
    ),
    max_size=12,
)
SCRIPTS = st.lists(
    st.sampled_from([None, CarrierFailure.TIMEOUT_BEFORE, CarrierFailure.TIMEOUT_AFTER]),
    max_size=6,
)


@given(STEPS, SCRIPTS, st.integers(0, 11))
def test_e04_every_label_is_on_the_parcel_or_given_back(
    steps: list[Any], script: list[CarrierFailure | None], at: int
) -> None:
    """Whatever happens, between purchases or during one."""
    shop = LabelShop(MemoryStorage(), *script)
    shop.post.meanwhile = lambda: shop.try_to(*[step for step in steps[at:] if step != "relay"])
    for step in steps[:at]:
        if step == "relay":
            shop.relay()
            shop.time.advance(timedelta(hours=1))
        else:
            shop.try_to(step)
    shop.settle()
    assert shop.kept() == ([shop.used()] if shop.used() else [])
    label = shop.label()
    assert label is None or label.carrier == shop.carrier()
