"""U20: an order says whom to bill and where to send, by parties on record, or that somebody else does that."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from goods_shop import ANN, GO, GoodsShop

from orderflow import (
    CommandRefused,
    ConfirmOrder,
    LineKind,
    MemoryStorage,
    OrderContent,
    PartyRef,
    Person,
    PlaceOrder,
    Policy,
    Request,
    SqliteStorage,
)
from orderflow.domain.orders.amending import ProposeAmendment
from orderflow.domain.orders.billing import CompleteOrder
from orderflow.domain.orders.changes import Changes
from orderflow.domain.orders.content import CancelledBy, CompleteOn, PayBefore
from orderflow.domain.orders.placing import EditDraft, OpenDraft
from orderflow.domain.orders.state import Draft
from orderflow.domain.parties.customer import RegisterCustomer
from orderflow.domain.parties.party import ErasePartyVersion
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.state import Planned
from orderflow.errors import InputError

Storage = MemoryStorage | SqliteStorage
BOB = PartyRef("bob", 1)


def ordered(shop: GoodsShop, **changes: Any) -> OrderContent:
    """An order of two units."""
    place, _ = shop.order(2)
    assert place.content is not None
    return evolve(place.content, **changes)


#: What an order leaves out, and the code it is refused with.
LEFT_OUT: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "nobody to bill": ({"bill_to": None}, ("no_bill_to",)),
    "nowhere to send goods": ({"ship_to": None}, ("no_ship_to",)),
    "neither": ({"bill_to": None, "ship_to": None}, ("no_bill_to", "no_ship_to")),
    "billed to nobody on record": ({"bill_to": BOB}, ("no_such_party",)),
    "sent to nobody on record": ({"ship_to": BOB}, ("no_such_party",)),
    "another version": ({"ship_to": PartyRef("ann", 2)}, ("no_such_party",)),
}


@pytest.mark.parametrize("changes, codes", LEFT_OUT.values(), ids=LEFT_OUT)
def test_u20_refused_when_placed(storage: Storage, changes: dict[str, Any], codes: tuple[str, ...]) -> None:
    """Nothing is stored, whichever way the order comes in."""
    shop = GoodsShop(storage)
    content = ordered(shop, channel="web", external_id="W-1", **changes)
    assert shop.refusal("O", PlaceOrder(content)) == codes
    with pytest.raises(CommandRefused) as caught:
        shop.receive("O", content)
    assert caught.value.codes == codes
    [answer] = shop.handle_many([Request("O", PlaceOrder(content))])
    assert isinstance(answer, CommandRefused)
    assert answer.codes == codes
    assert [*map(str, shop.explain("O", PlaceOrder(content)))] == [*map(str, caught.value.refusals)]
    assert shop.orders.find() == []


@pytest.mark.parametrize("changes, codes", LEFT_OUT.values(), ids=LEFT_OUT)
def test_u20_a_draft_may_wait_for_them(storage: Storage, changes: dict[str, Any], codes: tuple[str, ...]) -> None:
    """It is placed once they are there."""
    shop = GoodsShop(storage)
    shop.tell("O", OpenDraft(ordered(shop, **changes)))
    assert shop.refusal("O", PlaceOrder()) == codes
    assert isinstance(shop.orders.get("O"), Draft)
    shop.tell("O", EditDraft(ordered(shop)), PlaceOrder())
    assert shop.status() == "Placed"


def test_u20_a_party_that_was_erased(storage: Storage) -> None:
    """Nobody is left to bill."""
    shop = GoodsShop(storage)
    shop.handle("ann@1", ErasePartyVersion())
    assert shop.refusal("O", PlaceOrder(ordered(shop))) == ("no_such_party",)


def test_u20_services_are_sent_nowhere(storage: Storage) -> None:
    """Only goods need an address."""
    shop = GoodsShop(storage)
    content = ordered(shop, ship_to=None)
    service = evolve(content.lines[0], kind=LineKind.SERVICE)
    shop.tell("O", PlaceOrder(evolve(content, lines=(service,))), ConfirmOrder())
    assert shop.status() == "Confirmed"
    goods = Changes(lines=(evolve(content.lines[0], line=2),))
    assert shop.refusal("O", ProposeAmendment(0, goods, CancelledBy.CUSTOMER)) == ("no_ship_to",)


def test_u20_billed_and_shipped_by_somebody_else(storage: Storage) -> None:
    """Nothing waits for an invoice or an address: the order goes its way and completes, and exposes nobody."""
    shop = GoodsShop(storage)
    policy = Policy(billed_elsewhere=True, shipped_elsewhere=True)
    shop.handle("ann", RegisterCustomer(ANN))
    shop.tell("O", PlaceOrder(ordered(shop, bill_to=None, ship_to=None, policy=policy)), ConfirmOrder())
    assert shop.customers.summary("ann").of("EUR").exposure_minor == 0
    shop.advance("O")
    parcel = shop.shipments.get("O/1")
    assert not isinstance(parcel, Planned)
    assert not parcel.plan.needs_label
    shop.tell("O/1", GO, RecordDelivered("d")).tell("O", CompleteOrder())
    assert shop.worklist("to_bill") == []
    assert shop.status() == "Completed"


@pytest.mark.parametrize(
    "policy, path",
    [({"pay_before": PayBefore.SHIP}, "pay_before"), ({"complete_on": CompleteOn.PAID}, "complete_on")],
)
def test_u20_money_of_others_is_not_waited_for(policy: dict[str, Any], path: str) -> None:
    """An order that somebody else bills cannot wait for its money here."""
    shop = GoodsShop(MemoryStorage())
    with pytest.raises(InputError) as caught:
        shop.handle("O", PlaceOrder(ordered(shop, policy=Policy(billed_elsewhere=True, **policy))))
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [(f"content.policy.{path}", "not_possible")]


def test_u20_parties_are_read_once_with_the_order(storage: Storage) -> None:
    """Both parties of several orders of one group are there, in lock order."""
    shop = GoodsShop(storage)
    bob = shop.record_party("bob", Person("Bob"))
    answers = shop.handle_many(
        [Request("O1", PlaceOrder(ordered(shop, bill_to=bob))), Request("O0", PlaceOrder(ordered(shop, ship_to=bob)))]
    )
    assert [type(answer).__name__ for answer in answers] == ["Ack", "Ack"]
    assert bob != ANN
