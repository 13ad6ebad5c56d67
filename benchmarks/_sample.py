"""Orders to measure with: contents of any number of lines, and the commands of a life."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import OrderContent, OrderLine
from orderflow.domain.values import PartyRef, Pick

__all__ = ["BUYER", "LOCATION", "SKUS", "content_of", "picks_of", "skus_of"]

LOCATION = "main"
SKUS = 1000

_PRICE = Price.of("2.55", "GBP")
_TAX = TaxCategory.of("S", "20")
_POLICY = TaxPolicy()
BUYER = PartyRef("buyer", 1)


def skus_of(number: int, lines: int) -> Iterator[str]:
    """As many different SKUs, spread over all of them."""
    return (f"SKU-{(number * 7 + line * 331) % SKUS:04}" for line in range(lines))


def content_of(number: int, lines: int) -> OrderContent:
    """What the ``number``-th customer wants: 1, 2, 3, ... units of one SKU for each line."""
    wanted = [OrderLine.of(line, sku, line, _PRICE, _TAX) for line, sku in enumerate(skus_of(number, lines), start=1)]
    return OrderContent(
        "GBP",
        tuple(wanted),
        _POLICY,
        customer=f"c-{number % 5000}",
        channel="web",
        external_id=str(number),
        bill_to=BUYER,
        ship_to=BUYER,
        country="GB",
    )


def picks_of(content: OrderContent) -> tuple[Pick, ...]:
    """Every unit of every line, from the one location."""
    return tuple([Pick(line.line, LOCATION, line.quantity) for line in content.lines])
