"""U08: an address corrected late: parcels that wait follow with a label of their own, those that left say why not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from goods_shop import ANN, GO, PACK, SCAN, GoodsShop, item
from hypothesis import given
from hypothesis import strategies as st

from orderflow import (
    CancelUnits,
    LineKind,
    MemoryCarrier,
    MemoryStorage,
    PartyRef,
    Person,
    PlaceOrder,
    SqliteStorage,
)
from orderflow.domain.money.price import Price
from orderflow.domain.orders.addresses import NewAddress
from orderflow.domain.orders.amending import ConfirmAmendment, ProposeAmendment
from orderflow.domain.orders.changes import Changes, NewPrice
from orderflow.domain.orders.content import CancelledBy
from orderflow.domain.orders.readdressing import ChangeAddress
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.parties.party import ErasePartyVersion
from orderflow.domain.shipping.labelling import RecordLabel, VoidLabel
from orderflow.domain.shipping.leaving import RecordDispatch
from orderflow.domain.shipping.planning import DropItems, PackShipment, PlanShipment, RecordShortPick, VoidShipment
from orderflow.domain.shipping.state import Plan, ShippingLabel
from orderflow.domain.values import LineQuantity
from orderflow.errors import CommandRefused
from orderflow.flows.advance import ShopSettings
from orderflow.flows.prepare import ShippingSettings
from orderflow.ports.carrier import LabelRequest

Storage = MemoryStorage | SqliteStorage
NEW, THIRD = PartyRef("ann", 2), PartyRef("bob", 1)
MOVE, MOVE_ON = ChangeAddress(NEW, "FR"), ChangeAddress(THIRD, "DE")
BOX = PackShipment(0, 1)


class Post(MemoryCarrier):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__("post")
        self.asked: list[LabelRequest] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def buy_label(self, request: LabelRequest) -> Any:
        self.asked.append(request)
        label = super().buy_label(request)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return label


class AddressShop(GoodsShop):
    """A shop that knows two other addresses."""

    def __init__(self, storage: Any) -> None:
        self.post = Post()
        settings = ShopSettings(shipping=ShippingSettings("post"))
        super().__init__(storage, carriers=[self.post], settings=settings)
        self.record_party("ann", Person("Ann", city="Lyon", email="ann@example.org"))
        self.record_party("bob", Person("Bob", city="Bonn"))

    def parcelled(self, *units: int) -> AddressShop:
        """With a parcel of one order for each number of units, packed."""
        for number, quantity in enumerate(units):
            self.allocated(quantity, order=f"O{number or ''}")
        items = tuple(item(quantity, f"O{number or ''}") for number, quantity in enumerate(units))
        self.tell("S", PlanShipment(items, Plan("post", tariff_zone="north", country="GB", ship_to=ANN)), BOX)
        return self

    def settle(self) -> AddressShop:
        """Relay until nothing is left to do."""
        for _ in range(20):
            if not self.relay().taken:
                break
            self.time.advance(timedelta(hours=1))
        return self

    def goes_to(self, parcel: str = "S") -> tuple[PartyRef | None, str, str]:
        """Where a parcel goes: its party, country and zone."""
        plan = self.parcel(parcel).plan
        return plan.ship_to, plan.country, plan.tariff_zone

    def kept(self) -> list[str]:
        """The labels that were sold and not taken back."""
        return [label.tracking_number for label in self.post.sold if label.tracking_number not in self.post.voided]

    def requests(self) -> list[tuple[str, str, str]]:
        """Where the labels were asked for."""
        return [(request.ship_to, request.country, request.tariff_zone) for request in self.post.asked]


OLD_LABEL, NEW_LABEL = ("ann@1", "GB", "north"), ("ann@2", "FR", "")


@pytest.fixture
def shop(storage: Storage) -> AddressShop:
    """A shop of each storage."""
    return AddressShop(storage)


# -- before anything is packed


def test_u08_before_a_parcel_is_planned(shop: AddressShop) -> None:
    """Placed, confirmed or allocated: its parcels are planned for the new address."""
    place, confirm = shop.order(2)
    shop.tell("O", place, MOVE, confirm, MOVE_ON).allocate("O")
    shop.tell("O", MOVE)
    shop.advance("O")
    shop.settle()
    assert (shop.goes_to("O/1"), shop.requests()) == ((NEW, "FR", ""), [NEW_LABEL])


def test_u08_a_planned_parcel_follows(shop: AddressShop) -> None:
    """Nothing is bought before it is packed."""
    shop.allocated(2)
    shop.tell("S", PlanShipment((item(2),), Plan("post", country="GB", ship_to=ANN))).tell("O", MOVE)
    assert (shop.settle().goes_to(), shop.requests()) == ((NEW, "FR", ""), [])
    shop.tell("S", BOX)
    assert (shop.settle().status("S"), shop.requests()) == ("Labelled", [NEW_LABEL])


def test_u08_a_parcel_for_the_old_address_is_not_planned(shop: AddressShop) -> None:
    """Whoever plans one by hand names where it goes; nobody has to as long as the address was not changed."""
    shop.allocated(2).tell("O", MOVE)
    for plan in (Plan(ship_to=ANN), Plan()):
        assert shop.refusal("S", PlanShipment((item(2),), plan)) == ("other_address",)
    shop.tell("S", PlanShipment((item(2),), Plan(country="FR", ship_to=NEW, needs_label=False)), PACK, GO)
    assert shop.status() == "Shipped"


# -- packed


@pytest.mark.parametrize("when", ["before its label is bought", "while it is bought", "after it was bought"])
def test_u08_a_packed_parcel_gets_another_label(shop: AddressShop, when: str) -> None:
    """The old label is given back, the one on the parcel is for the new address, and told twice is told once."""
    shop.parcelled(2)
    if when == "while it is bought":
        shop.post.meanwhile = lambda: shop.tell("O", MOVE)
        shop.relay()
    else:
        if when == "after it was bought":
            shop.settle()
        shop.tell("O", MOVE)
    assert shop.refusal("O", MOVE) == ("same_address",)
    shop.settle()
    assert (shop.goes_to(), shop.status("S")) == ((NEW, "FR", ""), "Labelled")
    assert shop.requests()[-1] == NEW_LABEL
    assert set(shop.requests()[:-1]) <= {OLD_LABEL}
    state: Any = shop.parcel()
    assert shop.kept() == [state.label.tracking_number]
    shop.tell("S", GO)
    assert shop.status() == "Shipped"


def test_u08_not_handed_over_until_it_follows(shop: AddressShop) -> None:
    """It lies on the list of what is to be sent, with the reason; a label bought by hand does not help."""
    shop.parcelled(2).settle().tell("O", MOVE)
    assert shop.refusal("S", GO) == ("other_address",)
    [task] = shop.worklist("to_ship")
    assert [(reason.code, dict(reason.facts)["wanted"]) for reason in task.reasons] == [("other_address", "ann@2 FR")]
    shop.tell("S", VoidLabel(), RecordLabel(ShippingLabel("post", "standard", "MINE")))
    assert shop.refusal("S", GO) == ("other_address",)
    shop.settle()
    state: Any = shop.parcel()
    assert state.label.tracking_number in shop.kept()
    assert shop.refusal("S", GO) == ()


def test_u08_changed_again_and_back(shop: AddressShop) -> None:
    """Each change is followed; of all labels one is kept."""
    back = ChangeAddress(ANN, "GB")
    shop.parcelled(2).settle().tell("O", MOVE, MOVE_ON).settle().tell("O", back).settle()
    assert (shop.goes_to(), len(shop.kept()), shop.requests()[-1]) == ((ANN, "GB", ""), 1, ("ann@1", "GB", ""))


def test_u08_a_carrier_without_labels(shop: AddressShop) -> None:
    """It is readdressed, and nothing is bought."""
    shop.allocated(2).planned("S", item(2)).tell("S", PACK).tell("O", MOVE)
    assert shop.refusal("S", GO) == ("other_address",)
    shop.settle().tell("S", GO)
    assert (shop.goes_to(), shop.requests()) == ((NEW, "FR", ""), [])


def test_u08_several_parcels_of_one_order(shop: AddressShop) -> None:
    """All that wait follow; one that was voided stays as it was."""
    shop.allocated(3)
    for number in "123":
        shop.tell(f"S{number}", PlanShipment((item(1),), Plan("post", ship_to=ANN)), BOX)
    shop.settle().tell("S3", VoidShipment()).tell("O", MOVE).settle()
    assert [shop.goes_to(f"S{number}")[0] for number in "123"] == [NEW, NEW, ANN]
    assert len(shop.kept()) == 2


def test_u08_voided_before_it_heard(shop: AddressShop) -> None:
    """A message to a parcel that was given up meanwhile changes nothing."""
    shop.parcelled(2).settle().tell("O", MOVE).tell("S", VoidShipment())
    assert (shop.settle().goes_to()[0], shop.kept(), shop.worklist("dead_letters")) == (ANN, [], [])


# -- shared with other orders


def test_u08_a_shared_parcel_waits_for_a_hand(shop: AddressShop) -> None:
    """Until this order's goods are taken out it cannot go; then it goes where it went, and they go elsewhere."""
    shop.parcelled(2, 1).settle().tell("O", MOVE).settle()
    assert (shop.goes_to()[0], shop.refusal("S", GO)) == (ANN, ("other_address",))
    assert [task.key.id for task in shop.worklist("to_ship")] == ["S"]
    shop.tell("S", DropItems((item(2),)))
    shop.settle().tell("S", GO)
    assert (shop.goes_to()[0], shop.status("O1"), shop.status()) == (ANN, "Shipped", "Allocated")
    shop.advance("O")
    shop.settle()
    assert shop.goes_to("O/2")[0] == NEW


@pytest.mark.parametrize("command", [DropItems, RecordShortPick])
def test_u08_a_parcel_that_is_shared_no_longer(shop: AddressShop, command: Any) -> None:
    """Once the other order's goods are out of it, it follows this one; taking out some of them is not enough."""
    shop.allocated(1).allocated(2, order="O1")
    shop.tell("S", PlanShipment((item(1), item(2, "O1")), Plan("post", ship_to=ANN)))
    shop.tell("O", MOVE).tell("S", command((item(1, "O1"),)))
    assert shop.settle().goes_to()[0] == ANN
    shop.tell("S", command((item(1, "O1"),)))
    assert shop.settle().goes_to()[0] == NEW


def test_u08_all_orders_of_a_parcel_move(shop: AddressShop) -> None:
    """It follows once the last of them has moved."""
    shop.parcelled(2, 1).settle().tell("O", MOVE)
    assert shop.settle().goes_to()[0] == ANN
    shop.tell("O1", MOVE)
    assert shop.settle().goes_to()[0] == NEW
    shop.tell("S", GO)
    assert (shop.status(), shop.status("O1"), len(shop.kept())) == ("Shipped", "Shipped", 1)


# -- on the way


def test_u08_in_transit(shop: AddressShop) -> None:
    """An order of which something has left keeps its address: its carrier has to redirect it, or bring it back."""
    shop.parcelled(2).settle().tell("S", GO)
    assert shop.refusal("O", MOVE) == ("not_now",)


@pytest.mark.parametrize("told", ["scanned", "voided and sent all the same"])
def test_u08_it_leaves_before_it_heard(shop: AddressShop, told: str) -> None:
    """The carrier had taken it: a task says that it goes to the old address, and its label stays."""
    shop.parcelled(2).settle().tell("O", MOVE)
    shop.tell("S", SCAN) if told == "scanned" else shop.tell("S", VoidShipment(), RecordDispatch())
    shop.settle()
    assert (shop.status("S"), shop.goes_to()[0]) == ("InTransit", ANN)
    [why] = [dict(task.facts)["why"] for task in shop.parcel().tracking.tasks if task.code == "left_in_spite"][-1:]
    assert why == "other_address"
    assert "S" in [task.key.id for task in shop.worklist("contradictions")]


# -- who it goes to


def test_u08_only_to_parties_on_record(shop: AddressShop) -> None:
    """Not to a version that was never recorded, or was erased."""
    shop.tell("O", *shop.order(1))
    assert shop.refusal("O", ChangeAddress(PartyRef("ann", 3), "FR")) == ("no_such_party",)
    shop.tell("bob@1", ErasePartyVersion())
    assert shop.refusal("O", MOVE_ON) == ("no_such_party",)
    shop.tell("O", MOVE)
    order = shop.orders.get("O")
    assert isinstance(order, HasProgress)
    assert (order.progress.readdressed, order.content.ship_to) == ((NewAddress(0, NEW, "FR"),), ANN)


def test_u08_a_country_alone(shop: AddressShop) -> None:
    """The same address, whose country a carrier knows by another name."""
    shop.parcelled(2).settle().tell("O", ChangeAddress(ANN, "UK")).settle()
    assert (shop.goes_to(), shop.requests()[-1], len(shop.kept())) == ((ANN, "UK", ""), ("ann@1", "UK", ""), 1)


def test_u08_goods_added_after_the_address(shop: AddressShop) -> None:
    """An order of services that got an address takes goods, too."""
    place, confirm = shop.order(1)
    assert place.content is not None
    service = evolve(place.content.lines[0], kind=LineKind.SERVICE)
    shop.tell("O", PlaceOrder(evolve(place.content, lines=(service,), ship_to=None)), confirm, MOVE)
    goods = Changes(lines=(evolve(place.content.lines[0], line=2),))
    assert shop.refusal("O", ProposeAmendment(0, goods, CancelledBy.CUSTOMER)) == ()


# -- lines that go their own ways


def test_u08_one_line_is_sent_elsewhere(shop: AddressShop) -> None:
    """Its parcel is another; the order's address is that of the rest."""
    shop.allocated(2, 1)
    shop.tell("O", ChangeAddress(THIRD, "DE", (2,))).advance("O")
    assert shop.refusal("O", ChangeAddress(THIRD, "DE", (2, 2))) == ("same_address",)
    assert shop.settle().requests() == [("ann@1", "", ""), ("bob@1", "DE", "")]
    shop.tell("O", MOVE).settle()
    assert [shop.goes_to(f"O/{number}")[0] for number in (1, 2)] == [NEW, THIRD]
    assert len(shop.kept()) == 2
    shop.tell("O/1", GO).tell("O/2", GO)
    assert shop.status() == "Shipped"


def test_u08_a_line_of_a_parcel_is_sent_elsewhere(shop: AddressShop) -> None:
    """It is to be taken out; what is left goes where it went, or follows once all that is left goes elsewhere."""
    shop.allocated(2, 1)
    both = (item(2), item(1, line=2))
    shop.tell("S", PlanShipment(both, Plan("post", ship_to=ANN)), BOX).settle()
    shop.tell("O", ChangeAddress(THIRD, "DE", (2,))).settle()
    assert (shop.refusal("S", GO), shop.goes_to()[0]) == (("other_address",), ANN)
    shop.tell("S", DropItems((item(2),))).settle()
    assert shop.goes_to()[0] == THIRD
    shop.tell("S", GO)
    assert shop.vector(2).shipped == 1


def test_u08_only_lines_of_goods(shop: AddressShop) -> None:
    """Others go nowhere."""
    shop.tell("O", *shop.order(1))
    assert shop.refusal("O", ChangeAddress(NEW, "FR", (7,)))[0] == "no_such_line"


@pytest.mark.parametrize(
    "changes",
    [Changes(prices=(NewPrice(2, Price.of("5.00", "EUR")),)), Changes(more=(LineQuantity(2, 1),))],
    ids=["another price", "one more"],
)
def test_u08_amended_afterwards(shop: AddressShop, changes: Changes) -> None:
    """Units that an amendment moves or adds to a line go where that line goes."""
    shop.tell("O", *shop.order(1, 1), ChangeAddress(THIRD, "DE", (2,)))
    shop.tell("O", ProposeAmendment(0, changes, CancelledBy.CUSTOMER), ConfirmAmendment(1)).advance("O")
    found = {shop.goes_to(f"O/{number}")[0]: shop.parcel(f"O/{number}") for number in (1, 2)}
    where: Any = found[THIRD]
    assert 3 in [each.line for each in where.items]


# -- whatever happens

STEPS = st.lists(
    st.sampled_from(
        [
            ("relay", None),
            ("O", MOVE),
            ("O", MOVE_ON),
            ("O", ChangeAddress(ANN, "GB")),
            ("O1", MOVE),
            ("O", CancelUnits("no", CancelledBy.CUSTOMER)),
            ("S", DropItems((item(1),))),
            ("S", DropItems((item(1, "O1"),))),
            ("S", VoidLabel()),
            ("S", VoidShipment()),
            ("S", GO),
            ("S", SCAN),
        ]
    ),
    max_size=12,
)


@given(STEPS, st.integers(0, 11))
def test_u08_what_is_handed_over_goes_where_its_orders_go(steps: list[tuple[str, Any]], at: int) -> None:
    """Whatever happens, between purchases or during one; and each label is on the parcel or given back."""
    shop = AddressShop(MemoryStorage()).parcelled(1, 1)

    def carry_out(some: list[tuple[str, Any]]) -> None:
        for row, command in some:
            if command is None:
                shop.relay()
                continue
            try:
                shop.handle(row, command)
            except CommandRefused:
                continue
            if command is GO:
                assert goes_there(shop)

    shop.post.meanwhile = lambda: carry_out([step for step in steps[at:] if step[1]])
    carry_out(steps[:at])
    shop.settle()
    state: Any = shop.parcel()
    label = getattr(getattr(state, "carriage", state), "label", None)
    assert shop.kept() == ([label.tracking_number] if label else [])


def goes_there(shop: AddressShop) -> bool:
    """Whether the parcel goes where each of its orders goes that was readdressed."""
    parcel: Any = shop.parcel()
    orders: list[Any] = [shop.orders.get(each.order) for each in parcel.items]
    changes = [order.progress.readdressed for order in orders if order.progress.readdressed]
    return all(change == (NewAddress(0, parcel.plan.ship_to, parcel.plan.country),) for change in changes)
