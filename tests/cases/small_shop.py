"""A small shop for cases: one article, its own clock, orders that are packed by one call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from orderflow import (
    FixedClock,
    MemoryCarrier,
    MemoryNotifier,
    MemoryStorage,
    OrderContent,
    OrderFlow,
    OrderLine,
    PartyRef,
    Person,
    Price,
    ReceiveGoods,
    TaxCategory,
    TaxPolicy,
)

ANN = PartyRef("ann", 1)
HOME = Person("Ann", lines=("1 Hill Road",), city="Leeds", email="ann@example.org")
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


def content(units: int = 1, *, sku: str = "TEA", external_id: str = "", **others: Any) -> OrderContent:
    """An order of one line."""
    line = OrderLine.of(1, sku, units, Price.of("2.55", "GBP"), TaxCategory.of("S", "20"))
    whose: dict[str, Any] = {
        "customer": "ann",
        "bill_to": ANN,
        "ship_to": ANN,
        "external_id": external_id,
        "channel": "web" if external_id else "",
    }
    return OrderContent("GBP", (line,), TaxPolicy(), **{**whose, **others})


def small_shop(storage: Any = None, *, units: int = 1000, **wired: Any) -> OrderFlow:
    """A shop at noon with stock of one article, a carrier and a notifier in memory unless others are given."""
    wired = {"clock": FixedClock(NOON), "carriers": [MemoryCarrier()], "notifier": MemoryNotifier(), **wired}
    shop = OrderFlow(storage if storage is not None else MemoryStorage(), **wired)
    shop.record_party("ann", HOME)
    shop.handle("TEA@main", ReceiveGoods(units))
    return shop


def packed(shop: OrderFlow, *orders: str) -> None:
    """Orders of one unit, received and advanced: each has a shipment that waits for its label."""
    for order in orders:
        shop.receive(order, content(external_id=order))
        shop.advance(order)
