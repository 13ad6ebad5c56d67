"""U18: an order whose id could not hold those of its parcels and invoices is refused at the door; others go to the end.

An order's shipments and invoices are ``order/n``, in an identifier of at most 100 characters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from small_shop import content, small_shop

from orderflow import (
    Ack,
    HandOver,
    InputError,
    NotFound,
    OrderFlow,
    PartyRef,
    Person,
    PlaceOrder,
    RecordDelivered,
    Request,
    SqliteStorage,
)
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.engine.limits import MAX_ID
from orderflow.domain.orders.placing import OpenDraft
from orderflow.domain.orders.state import Completed
from orderflow.domain.values import MAX_ORDER_ID

ANN = PartyRef("ann", 1)
ORDER = content(2, bill_to=ANN, ship_to=ANN)
LONGEST, TOO_LONG = "x" * MAX_ORDER_ID, [MAX_ORDER_ID + 1, 99, 100, 101]


@pytest.fixture
def shop(storage: MemoryStorage | SqliteStorage) -> OrderFlow:
    """A shop with goods and a customer."""
    made = small_shop(storage)
    made.record_party("ann", Person("Ann"))
    return made


DOORS: dict[str, Callable[[OrderFlow, str], Any]] = {
    "receive": lambda shop, order: shop.receive(order, ORDER),
    "place": lambda shop, order: shop.handle(order, PlaceOrder(ORDER)),
    "draft": lambda shop, order: shop.handle(order, OpenDraft(ORDER)),
}


@pytest.mark.parametrize("length", TOO_LONG)
@pytest.mark.parametrize("door", DOORS)
def test_u18_an_id_that_is_too_long_is_refused_at_the_door(shop: OrderFlow, door: str, length: int) -> None:
    """The error names the id, and nothing of the order is kept."""
    before = len([*shop.storage.entries(0, 100)])
    with pytest.raises(InputError) as caught:
        DOORS[door](shop, "x" * length)
    assert [fault.code for fault in caught.value.faults] == ["bad_length"]
    assert caught.value.faults[0].path.endswith("id")
    with pytest.raises(NotFound):
        shop.orders.get("x" * length)
    assert len([*shop.storage.entries(0, 100)]) == before


def test_u18_in_a_group_it_hurts_no_other(shop: OrderFlow) -> None:
    """Its neighbour is taken."""
    long, short = shop.handle_many([Request("x" * 99, PlaceOrder(ORDER)), Request("A", PlaceOrder(ORDER))])
    assert isinstance(long, InputError)
    assert isinstance(short, Ack)


@pytest.mark.parametrize("length", [1, MAX_ORDER_ID])
def test_u18_an_id_that_is_taken_is_good_to_the_end(shop: OrderFlow, length: int) -> None:
    """Received, packed, labelled, sent, billed and completed under the longest id there may be."""
    order = "x" * length
    shop.receive(order, ORDER)
    shop.advance(order)
    shop.relay()
    shop.handle(f"{order}/1", HandOver())
    shop.handle(f"{order}/1", RecordDelivered("d"))
    shop.advance(order)
    while shop.relay().taken:
        pass
    assert isinstance(shop.orders.get(order), Completed)
    assert shop.invoices.get(f"{order}/1").content.lines[0].order == order
    assert shop.storage.dead_letters() == []


def test_u18_there_is_room_for_the_parts_of_an_order() -> None:
    """What is left of an identifier holds a slash and more parts than any order has."""
    assert MAX_ID - len(f"{LONGEST}/") >= 10
