"""The smallest receipts that cover every document of a file: they bring in what exceeds the available stock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orderflow.domain.inventory.documents import PostReceipt, SkuQuantity
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.orders.content import LineKind
from orderflow.domain.values import summed
from orderflow.importing.documents import AdjustmentDocument, OrderDocument


class StockForecast:
    """What will be available at one location after the earlier documents of a window have taken what they need."""

    def __init__(self, location: str, rows: Mapping[str, Any]) -> None:
        self._location = location
        self._free = {sku: row.available if isinstance(row, StockLevel) else 0 for sku, row in rows.items()}

    def receipt_for_order(self, document: OrderDocument) -> PostReceipt | None:
        """The receipt an order needs, if any; what it orders is then taken from the forecast."""
        lines = document.content.lines
        return self._receipt(
            document.number, ((line.sku, line.quantity) for line in lines if line.kind is LineKind.GOODS)
        )

    def receipt_for_adjustment(self, document: AdjustmentDocument) -> PostReceipt | None:
        """The receipt that the net change of an adjustment needs, if any."""
        return self._receipt(document.number, ((change.sku, -change.quantity) for change in document.changes))

    def _receipt(self, reference: str, wanted: Iterable[tuple[str, int]]) -> PostReceipt | None:
        missing = []
        for sku, quantity in summed(wanted).items():
            free = self._free.get(sku, 0) - quantity
            if free < 0:
                missing.append(SkuQuantity(sku, self._location, -free))
            self._free[sku] = max(0, free)
        return PostReceipt(tuple(missing), reference) if missing else None
