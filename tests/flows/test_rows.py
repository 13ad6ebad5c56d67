"""Rows read by kind: what they are, which there are, how they became so; the same from memory and from a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tea_shop import ANN, ARRIVE, BY_HAND, CANCEL, GO, NOON, Shop, content

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.orders.annotating import AnnotateOrder
from orderflow.domain.orders.placing import ConfirmOrder, OrderPlaced, PlaceOrder
from orderflow.domain.orders.state import Placed
from orderflow.domain.parties.customer import BlockCustomer, RegisterCustomer, UnblockCustomer
from orderflow.errors import InputError, Key, NotFound
from orderflow.flows.advance import ShopSettings
from orderflow.flows.allocate import AllocationSettings

HOUR = timedelta(hours=1)


def storages(folder: Path, kind: str) -> Iterator[MemoryStorage | SqliteStorage]:
    """A fresh storage of a kind, closed in the end."""
    if kind == "memory":
        yield MemoryStorage()
    else:
        with closing(SqliteStorage(folder / "shop.db")) as storage:
            yield storage


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Orders placed an hour apart: A of ann, completed; B of bob, cancelled; C of ann, confirmed; D of ann."""
    settings = ShopSettings(AllocationSettings(hold_for=8 * HOUR), BY_HAND)
    for storage in storages(tmp_path_factory.mktemp("rows"), request.param):
        shop = Shop(settings, storage=storage).stocked(main=3)
        for hour, (name, customer) in enumerate({"A": "ann", "B": "bob", "C": "ann", "D": "ann"}.items()):
            document = content(1, customer=customer, channel="web", external_id=f"W-{name}")
            shop.tell(name, PlaceOrder(document))
            shop.time.set(NOON + (hour + 1) * HOUR)
        shop.advance("A")
        shop.tell("A/1", GO, ARRIVE).advance("A")
        shop.tell("B", CANCEL).tell("C", ConfirmOrder(), AnnotateOrder("call first", ("urgent",))).allocate("C")
        yield shop


def test_a_row_is_got_by_its_id(shop: Shop) -> None:
    """Its state, or NotFound with the key; a stock row by SKU and location."""
    assert isinstance(shop.orders.get("D"), Placed)
    assert shop.invoices.get("A/1") == shop.rows("invoice").get("A/1")
    assert shop.stock.level("TEA").on_hand == 2
    for missing in (lambda: shop.orders.get("E"), lambda: shop.stock.level("TEA", "shop")):
        with pytest.raises(NotFound):
            missing()


@pytest.mark.parametrize(
    "conditions, found",
    [
        ({}, "ABCD"),
        ({"status": ("Placed", "Cancelled")}, "BD"),
        ({"status": ["Completed"]}, "A"),
        ({"where": {"customer": "ann"}}, "ACD"),
        ({"where": {"customer": "ann", "external_id": "W-C"}}, "C"),
        ({"since": NOON + HOUR}, "BCD"),
        ({"until": NOON + HOUR}, "A"),
        ({"since": NOON + HOUR, "until": NOON + 3 * HOUR, "status": ("Confirmed", "Cancelled", "Allocated")}, "BC"),
        ({"due_by": NOON + 12 * HOUR}, "C"),
        ({"due_by": NOON + 11 * HOUR}, ""),
        ({"tag": "urgent"}, "C"),
        ({"text": "W-"}, "ABCD"),
        ({"text": "bob"}, "B"),
        ({"limit": 2}, "AB"),
        ({"status": ("Placed",), "tag": "urgent"}, ""),
    ],
)
def test_rows_are_found_by_all_conditions(shop: Shop, conditions: dict[str, Any], found: str) -> None:
    """Whatever is given must hold; in the order of creation."""
    assert "".join(row.key.id for row in shop.orders.find(**conditions)) == found


def test_a_listing_goes_on_after_a_cursor(shop: Shop) -> None:
    """Page by page, each row once."""
    pages, cursor = list[str](), 0
    while rows := shop.orders.find(limit=3, cursor=cursor):
        pages.append("".join(row.key.id for row in rows))
        cursor = rows[-1].cursor
    assert pages == ["ABC", "D"]


def test_a_history_tells_every_event_in_order(shop: Shop) -> None:
    """Versions count up, times do not go back, the first event is the first; a row that is not there has none."""
    told = [*shop.orders.history("A")]
    assert [entry.version for entry in told] == [*range(1, len(told) + 1)]
    assert isinstance(told[0].event, OrderPlaced)
    assert all(earlier.at <= later.at for earlier, later in pairwise(told))
    assert [*shop.orders.history("E")] == []


def test_columns_are_summed(shop: Shop) -> None:
    """Exactly, over all rows of a kind, by other columns; the star counts rows, and movements are summed by event."""
    assert shop.orders.sums(["*"], by=["customer"]) == {("ann",): (3,), ("bob",): (1,)}
    assert shop.stock.sums(["on_hand", "allocated"]) == {(): (2, 1)}
    moved = shop.stock.movements()
    assert moved["TEA", "main", "GoodsReceived"] == 3


@pytest.mark.parametrize(
    "asked, path",
    [
        ({"where": {"colour": "red"}}, "where"),
        ({"status": ("Plaecd",)}, "status"),
        ({"limit": 0}, "limit"),
        ({"cursor": -1}, "cursor"),
    ],
)
def test_a_condition_that_cannot_hold_is_told(shop: Shop, asked: dict[str, Any], path: str) -> None:
    """A misspelt column or state, a limit of nothing: bad input, not an empty answer."""
    with pytest.raises(InputError) as told:
        shop.orders.find(**asked)
    assert told.value.faults[0].path.startswith(path)


def test_rows_of_many_kinds_are_read_together(shop: Shop) -> None:
    """With their versions; what is not there is ABSENT at version 0, and keys of another tenant are refused."""
    keys = [shop.key("order", "D"), shop.key("account", "nobody")]
    order, account = shop.read(keys).values()
    assert (order.version, account.version, account.state) == (1, 0, ABSENT)
    with pytest.raises(InputError):
        shop.read([Key("other", "order", "D")])


def test_a_flag_is_grouped_as_a_number(storage: MemoryStorage | SqliteStorage) -> None:
    """Blocked customers are the group 1, all others 0, on every storage."""
    shop = Shop(storage=storage)
    for customer in ("ann", "bob"):
        shop.handle(customer, RegisterCustomer(ANN))
    shop.handle("ann", BlockCustomer("unpaid"))
    shop.handle("ann", UnblockCustomer())
    shop.handle("bob", BlockCustomer("unpaid"))
    assert shop.accounts.sums(["*"], by=["blocked"]) == {("0",): (1,), ("1",): (1,)}
