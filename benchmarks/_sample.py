"""Orders to measure with: baskets of any number of lines, and the commands of a life."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.domain.allocation import Pick
from orderflow.domain.keys import PartyRef
from orderflow.domain.order.values import Basket, OrderLine
from orderflow.domain.price import Price
from orderflow.domain.tax import TaxCategory, TaxPolicy

__all__ = ["BUYER", "LOCATION", "SKUS", "basket_of", "picks_of", "skus_of"]

LOCATION = "main"
SKUS = 1000

_PRICE = Price.of("2.55", "GBP")
_TAX = TaxCategory.of("S", "20")
_POLICY = TaxPolicy()
BUYER = PartyRef("buyer", 1)


def skus_of(number: int, lines: int) -> Iterator[str]:
    """As many different SKUs, spread over all of them."""
    return (f"SKU-{(number * 7 + line * 331) % SKUS:04}" for line in range(lines))


def basket_of(number: int, lines: int) -> Basket:
    """What the ``number``-th customer wants: 1, 2, 3, ... units of one SKU for each line."""
    wanted = [OrderLine.of(line, sku, line, _PRICE, _TAX) for line, sku in enumerate(skus_of(number, lines), start=1)]
    return Basket(
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


def picks_of(basket: Basket) -> tuple[Pick, ...]:
    """Every unit of every line, from the one location."""
    return tuple([Pick(line.line, LOCATION, line.quantity) for line in basket.lines])
