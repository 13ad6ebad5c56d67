"""U14: what staff have settled of a changed order is not raised again by the next poll."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from small_shop import content, small_shop

from orderflow import (
    CancelledBy,
    CancelUnits,
    Changed,
    ConfirmOrder,
    Gate,
    HoldReason,
    LineKind,
    LineQuantity,
    MemoryStorage,
    OrderContent,
    OrderFlow,
    OrderLine,
    Price,
    ReleaseHold,
    SqliteStorage,
    TaxCategory,
    Unchanged,
)
from orderflow.domain.orders.amending import ConfirmAmendment, DropAmendment, ProposeAmendment
from orderflow.domain.orders.changes import Changes
from orderflow.domain.orders.content import SharedDiscount, totals_of

RELEASE = ReleaseHold(HoldReason.CHANNEL_CHANGED, Gate.PREPARE)


def holds(shop: OrderFlow) -> int:
    """How many holds the order has."""
    return len(shop.orders.get("O").progress.holds)  # type: ignore[union-attr]


def test_u14_each_content_holds_once(storage: MemoryStorage | SqliteStorage) -> None:
    """Held, released, polled twice with the same: not held again; another content holds, and neither comes back."""
    shop = small_shop(storage)
    shop.receive("O", content(1, external_id="7"))
    for units in (2, 3):
        assert isinstance(shop.receive("P", content(units, external_id="7")), Changed)
        assert holds(shop) == 1
        shop.handle("O", RELEASE)
        for _ in range(2):
            assert isinstance(shop.receive("P", content(units, external_id="7")), Changed)
            assert holds(shop) == 0
    assert isinstance(shop.receive("P", content(1, external_id="7")), Unchanged)
    shop.receive("P", content(2, external_id="7"))
    assert holds(shop) == 0


def test_u14_a_second_change_while_the_first_is_held(storage: MemoryStorage | SqliteStorage) -> None:
    """One hold is enough until somebody has looked."""
    shop = small_shop(storage)
    shop.receive("O", content(1, external_id="7"))
    for units in (2, 3):
        assert isinstance(shop.receive("P", content(units, external_id="7")), Changed)
    assert holds(shop) == 1


def test_u14_the_same_change_of_two_orders_holds_each(storage: MemoryStorage | SqliteStorage) -> None:
    """What is settled for one order is not settled for another."""
    shop = small_shop(storage)
    for order, number in (("N", "6"), ("O", "7")):
        shop.receive(order, content(1, external_id=number))
        shop.receive("P", content(2, external_id=number))
    assert holds(shop) == 1


def lines(*wanted: tuple[int, str, int, str]) -> tuple[OrderLine, ...]:
    """Lines: number, article, units, price."""
    tax = TaxCategory.of("S", "20")
    return tuple(
        [OrderLine.of(number, sku, units, Price.of(price, "GBP"), tax) for number, sku, units, price in wanted]
    )


def document(**fields: Any) -> OrderContent:
    """What the channel says of its order 7."""
    return evolve(content(external_id="7"), **fields)


BEFORE = lines((1, "TEA", 3, "2.55"), (2, "CUP", 2, "4.00"))
AFTER = [
    lines((1, "TEA", 5, "2.55"), (2, "CUP", 2, "4.00")),
    lines((1, "TEA", 1, "2.55"), (2, "CUP", 2, "3.50")),
    lines((1, "TEA", 4, "2.50"), (2, "CUP", 1, "3.50")),
    lines((2, "CUP", 2, "4.00")),
    lines((1, "TEA", 3, "2.55"), (2, "MUG", 1, "6.00"), (9, "CUP", 1, "4.00")),
    lines((3, "TEA", 3, "2.55")),
]


@pytest.mark.parametrize("after", AFTER)
def test_u14_a_change_is_proposed_as_an_amendment(storage: MemoryStorage | SqliteStorage, after: Any) -> None:
    """What the channel wants is proposed once; confirmed, the order costs what the channel says."""
    shop = small_shop(storage)
    shop.receive("O", document(lines=BEFORE))
    told = document(lines=after)
    for _ in range(2):
        assert isinstance(shop.receive("P", told), Changed)
    proposed = shop.orders.get("O").progress.proposed  # type: ignore[union-attr]
    shown = shop.orders.amendment("O")
    assert proposed is not None
    assert proposed.by is CancelledBy.CHANNEL
    assert shown is not None
    assert (shown.revision, shown.after_minor) == (1, totals_of(told).gross_minor)
    shop.handle("O", ConfirmAmendment(1))
    shop.handle("O", RELEASE)
    shop.handle("O", ConfirmOrder())
    order: Any = shop.orders.get("O")
    assert sum(v.kept for v in order.progress.lines) == sum(line.quantity for line in after)
    assert isinstance(shop.receive("P", document(lines=BEFORE)), Unchanged)
    assert isinstance(shop.receive("P", told), Changed)
    assert shop.orders.get("O").progress.proposed is None  # type: ignore[union-attr]
    assert holds(shop) == 0


def test_u14_staff_who_dropped_a_proposal_or_made_their_own_are_not_overruled(
    storage: MemoryStorage | SqliteStorage,
) -> None:
    """Dropped, it does not come back; a later one of the channel replaces the channel's own, not that of staff."""
    shop = small_shop(storage)
    shop.receive("O", content(3, external_id="7"))
    shop.receive("P", content(4, external_id="7"))
    shop.handle("O", DropAmendment(1))
    shop.receive("P", content(4, external_id="7"))
    assert shop.orders.get("O").progress.proposed is None  # type: ignore[union-attr]
    for units in (5, 6):
        shop.receive("P", content(units, external_id="7"))
    changes = Changes(more=(LineQuantity(1, 1),))
    shop.handle("O", ProposeAmendment(3, changes, CancelledBy.MERCHANT))
    shop.receive("P", content(7, external_id="7"))
    proposed = shop.orders.get("O").progress.proposed  # type: ignore[union-attr]
    assert proposed is not None
    assert (proposed.revision, proposed.changes) == (4, changes)


SERVICE = evolve(BEFORE[1], kind=LineKind.SERVICE)
COUPON = SharedDiscount("SPRING", 100)
UNSAYABLE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"lines": BEFORE}, {"lines": BEFORE[:1], "number": "8"}),
    ({"lines": BEFORE, "discounts": (COUPON,)}, {"lines": BEFORE[:1], "discounts": (COUPON,)}),
    ({"lines": (BEFORE[0], SERVICE)}, {"lines": BEFORE[:1]}),
    ({"lines": BEFORE, "expected_total_minor": 1878}, {"lines": BEFORE}),
]


@pytest.mark.parametrize("documents", UNSAYABLE)
def test_u14_what_is_no_change_of_goods_only_holds(storage: MemoryStorage | SqliteStorage, documents: Any) -> None:
    """Another number, shared discounts, services: somebody looks."""
    shop = small_shop(storage)
    for fields in documents:
        shop.receive("O", document(**fields))
    assert holds(shop) == 1
    assert shop.orders.get("O").progress.proposed is None  # type: ignore[union-attr]


def test_u14_an_order_that_left_or_was_amended_is_only_held(storage: MemoryStorage | SqliteStorage) -> None:
    """Its lines are not the channel's any more, or it takes no amendment; units cancelled meanwhile stay so."""
    shop = small_shop(storage)
    shop.receive("O", document(lines=BEFORE))
    shop.handle("O", CancelUnits("by phone", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    shop.receive("P", document(lines=lines((1, "TEA", 3, "2.55"), (2, "CUP", 1, "4.00"))))
    shop.handle("O", ConfirmAmendment(1))
    assert [v.kept for v in shop.orders.get("O").progress.lines] == [2, 1]  # type: ignore[union-attr]
    shop.receive("P", document(lines=lines((1, "TEA", 9, "2.55"), (2, "CUP", 1, "4.00"))))
    shop.handle("O", ConfirmAmendment(2))
    shop.receive("P", document(lines=BEFORE[:1]))
    assert shop.orders.get("O").progress.proposed is None  # type: ignore[union-attr]
    shop.receive("X", content(2, external_id="8"))
    shop.handle("X", CancelUnits("gone", CancelledBy.CUSTOMER))
    assert isinstance(shop.receive("X", content(3, external_id="8")), Changed)
