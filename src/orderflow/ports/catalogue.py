"""The shop's catalogue: facts about goods, asked before an order is placed and frozen on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Protocol

from orderflow.domain.engine.record import Record
from orderflow.domain.money.price import Price

__all__ = ["Catalogue", "Product"]


class Product(Record):
    """What the shop says about one SKU today. ``tax_rate`` is a fraction of 1; ``kind`` is a line kind."""

    sku: str
    description: str
    price: Price
    tax_category: str
    tax_rate: Decimal
    weight_grams: int
    kind: str


class Catalogue(Protocol):
    """Knows products and their prices."""

    def look_up(self, skus: Collection[str], currency: str) -> Mapping[str, Product]:
        """The products by SKU, priced in ``currency``; what is unknown, or has no such price, is absent.

        Raises:
            PortError: the catalogue cannot answer now.
        """
        ...
