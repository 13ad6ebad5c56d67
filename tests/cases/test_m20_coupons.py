"""M20: coupons, which lower the lines they are for, and go with their units."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from money_shop import MoneyShop, every_currency

from orderflow import Unchanged
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, OrderContent, SharedDiscount, totals_of, with_shared
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.values import LineQuantity
from orderflow.errors import InputError
from orderflow.ports.storage import Storage


def with_coupon(shop: MoneyShop, minor: int, *lines: tuple[int, int], on: tuple[int, ...] = ()) -> OrderContent:
    """What an order of these lines with a coupon says."""
    content: Any = shop.placed("plain", *lines).orders.get("plain").content
    made: OrderContent = evolve(content, discounts=(SharedDiscount("SPRING", minor, on),))
    return made


def paid_with_coupon(storage: Storage, currency: str) -> MoneyShop:
    """2 units of 5.00 with 2.00 off, confirmed and paid."""
    shop = MoneyShop(storage, currency, rate=0)
    shop.handle("O", PlaceOrder(with_coupon(shop, 200, (2, 500))))
    shop.handle("O", ConfirmOrder())
    shop.pay(800, order="O")
    return shop


@every_currency
def test_m20_a_coupon_goes_with_its_parcels(storage: Storage, currency: str) -> None:
    """2.00 off goods of 10.00 in two parcels, paid 8.00: no invoice is negative, nothing is open."""
    shop = paid_with_coupon(storage, currency)
    for _ in range(2):
        shop.send("O", 1)
        shop.bill("O")
    assert [shop.bill_of(f"O/{n}").totals.gross_minor for n in (1, 2)] == [400, 400]
    assert (shop.open("O/1", "O/2"), shop.owes()) == ([0, 0], 0)


@every_currency
def test_m20_half_the_coupon_goes_with_half_the_units(storage: Storage, currency: str) -> None:
    """One of two units is cancelled: the other costs 4.00, and 4.00 of 8.00 are to be refunded."""
    shop = paid_with_coupon(storage, currency)
    shop.handle("O", CancelUnits("less", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    assert shop.to_refund("O") == 400


def test_m20_a_coupon_larger_than_its_goods_is_cut(storage: Storage) -> None:
    """120 on 100: cut to 100, and the order says so; of the lines it names only."""
    shop = MoneyShop(storage, rate=0)
    shop.handle("O", PlaceOrder(with_coupon(shop, 12000, (1, 10000))))
    placed = shop.orders.get("O")
    assert [(d.amount_minor, d.shared_minor) for d in placed.content.discounts] == [(12000, 10000)]
    assert totals_of(placed.content).gross_minor == 0
    two = evolve(with_coupon(MoneyShop(MemoryStorage(), rate=0), 900, (1, 500), (1, 700), on=(1,)), number="2")
    shop.handle("P", PlaceOrder(two))
    assert [line.net_minor for line in shop.orders.get("P").content.lines] == [0, 700]


def test_m20_the_same_order_again_is_unchanged(storage: Storage) -> None:
    """A channel that sends the order with its coupon again sends nothing new."""
    shop = MoneyShop(storage)
    content = evolve(with_coupon(shop, 100, (3, 333)), channel="web", external_id="7")
    shop.receive("O", content)
    assert isinstance(shop.receive("Q", content), Unchanged)


def test_m20_a_coupon_for_a_line_that_is_not_there_is_a_fault() -> None:
    """Its path names the discount."""
    shop = MoneyShop(MemoryStorage())
    with pytest.raises(InputError, match=r"discounts\[0\].lines"):
        shop.handle("O", PlaceOrder(with_coupon(shop, 100, (1, 500), on=(2,))))


@given(
    lines=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 400)), min_size=1, max_size=4),
    coupons=st.lists(st.integers(1, 900), max_size=3),
)
def test_m20_shares_sum_to_the_coupon(lines: list[tuple[int, int]], coupons: list[int]) -> None:
    """What the lines lose is what the coupons say, at most what the goods cost; sharing again changes nothing."""
    shop = MoneyShop(MemoryStorage())
    content: Any = shop.placed("plain", *lines).orders.get("plain").content
    content = evolve(content, discounts=tuple([SharedDiscount(f"C{n}", minor) for n, minor in enumerate(coupons)]))
    shared = with_shared(content)
    assert with_shared(shared) == shared
    assert faults_of(shared) == ()
    before, after = (sum(line.net_minor for line in made.lines) for made in (content, shared))
    assert before - after == sum(d.shared_minor or 0 for d in shared.discounts) == min(before, sum(coupons))
    assert min(line.net_minor for line in shared.lines) >= 0
