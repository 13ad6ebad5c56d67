"""The catalogue in memory."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orderflow.adapters.catalogue import MemoryCatalogue
from orderflow.domain.money.price import Price
from orderflow.errors import InputError
from orderflow.ports.catalogue import Catalogue, Product


def product(sku: str, currency: str = "EUR") -> Product:
    """A tea pot under any SKU."""
    return Product(sku, "Tea pot", Price.of("12.50", currency), "S", Decimal("0.19"), 900, "goods")


def test_known_skus_are_found() -> None:
    """Every known SKU is answered with its product."""
    catalogue: Catalogue = MemoryCatalogue([product("A"), product("B"), product("C")])
    assert catalogue.look_up(["A", "B"], "EUR") == {"A": product("A"), "B": product("B")}


def test_unknown_skus_are_absent() -> None:
    """What the shop does not sell is simply not in the answer."""
    assert MemoryCatalogue([product("A")]).look_up(["A", "ghost"], "EUR") == {"A": product("A")}


def test_a_product_has_a_price_for_each_currency() -> None:
    """One SKU may be priced in two currencies; one without a price in the asked currency is absent."""
    catalogue = MemoryCatalogue([product("A", "EUR"), product("A", "JPY"), product("B", "EUR")])
    assert catalogue.look_up(["A", "B"], "JPY") == {"A": product("A", "JPY")}


def test_two_prices_for_one_thing_are_refused() -> None:
    """SKU and currency name one product; every repeat is reported with its place."""
    with pytest.raises(InputError) as caught:
        MemoryCatalogue([product("A"), product("A"), product("B"), product("A")])
    assert [fault.path for fault in caught.value.faults] == ["products[1]", "products[3]"]
