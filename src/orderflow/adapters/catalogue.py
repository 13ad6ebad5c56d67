"""An in-memory catalogue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from orderflow.errors import Fault, InputError
from orderflow.ports.catalogue import Product

__all__ = ["MemoryCatalogue"]


class MemoryCatalogue:
    """A fixed set of products; one SKU may be priced in several currencies.

    Raises:
        InputError: two products have the same SKU and currency.
    """

    def __init__(self, products: Iterable[Product]) -> None:
        self._products: dict[tuple[str, str], Product] = {}
        faults: list[Fault] = []
        for index, product in enumerate(products):
            key = product.sku, product.price.currency
            if key in self._products:
                faults.append(Fault(f"products[{index}]", "repeated", f"{key[0]} has two prices in {key[1]}"))
            self._products[key] = product
        if faults:
            raise InputError(faults)

    def look_up(self, skus: Collection[str], currency: str) -> Mapping[str, Product]:
        """The products by SKU that have a price in ``currency``."""
        found = ((sku, self._products.get((sku, currency))) for sku in skus)
        return {sku: product for sku, product in found if product is not None}
