"""A shop for cases of goods: tea at one place, parcels by hand, and the laws asked after every commit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Self

from orderflow import FixedClock, MemoryCarrier, MemoryNotifier, OrderFlow, PartyRef, Person
from orderflow.domain.billing.invoice_state import Issued
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import OrderContent, OrderLine, Policy
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.shipping.carriage import (
    RecordDelivered,
    RecordLost,
    RecordReturning,
    RecordTracking,
    TrackingStatus,
)
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.shipping.planning import PackShipment, PlanShipment
from orderflow.domain.shipping.state import Item, Left, Plan, ReturnReason, ShipmentState
from orderflow.errors import CommandRefused
from orderflow.testing.lawful import lawful

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
ANN = PartyRef("ann", 1)
PACK, GO = PackShipment(0, 1), HandOver()
SCAN = RecordTracking("scan", TrackingStatus.IN_TRANSIT)
ARRIVED, REFUSED, LOST = RecordDelivered("arrived"), RecordReturning("back", ReturnReason.REFUSED), RecordLost("lost")

__all__ = ["ARRIVED", "GO", "LOST", "NOON", "PACK", "REFUSED", "SCAN", "GoodsShop", "item"]


def item(units: int, order: str = "O", line: int = 1, place: str = "main") -> Item:
    """Units of an order in a parcel."""
    return Item(order, line, place, units)


class GoodsShop(OrderFlow):
    """A shop with ten units of TEA at main."""

    def __init__(self, storage: Any, workflow: Workflow | None = None, **wired: Any) -> None:
        self.time = FixedClock(NOON)
        wired = {"clock": self.time, "carriers": [MemoryCarrier()], "notifier": MemoryNotifier(), **wired}
        if workflow is not None:
            wired["workflow"] = workflow
        super().__init__(lawful(storage, workflow), **wired)
        self.record_party("ann", Person("Ann", email="ann@example.org"))
        self.handle("TEA@main", ReceiveGoods(10))

    def tell(self, row: str, *commands: Any) -> Self:
        """Carry out commands on one row, none of which may be refused."""
        for command in commands:
            self.handle(row, command)
        return self

    def refusal(self, row: str, command: Any) -> tuple[str, ...]:
        """The codes a command is refused with, or none."""
        try:
            self.handle(row, command)
        except CommandRefused as refused:
            return refused.codes
        return ()

    def order(self, *units: int, **policy: Any) -> tuple[PlaceOrder, ConfirmOrder]:
        """An order of so many units on each line, placed and confirmed."""
        lines = [
            OrderLine.of(number, "TEA", quantity, Price.of("10.00", "EUR"), TaxCategory.of("S", 20))
            for number, quantity in enumerate(units, start=1)
        ]
        content = OrderContent(
            "EUR", tuple(lines), TaxPolicy(), "ann", bill_to=ANN, ship_to=ANN, policy=Policy(**policy)
        )
        return PlaceOrder(content), ConfirmOrder()

    def allocated(self, *units: int, order: str = "O", **policy: Any) -> Self:
        """With an order of so many units on each line, confirmed and allocated."""
        self.tell(order, *self.order(*units, **policy)).allocate(order)
        return self

    def planned(self, parcel: str, *items: Item) -> Self:
        """With a parcel that needs no label."""
        return self.tell(parcel, PlanShipment(items, Plan(needs_label=False)))

    def sent(self, parcel: str, *items: Item) -> Self:
        """With a parcel that was handed over."""
        return self.planned(parcel, *items).tell(parcel, PACK, GO)

    def vector(self, line: int = 1, order: str = "O") -> LineVector:
        """The buckets of a line."""
        state = self.orders.get(order)
        assert isinstance(state, HasProgress)
        return state.progress.lines[line - 1]

    def level(self, place: str = "main") -> StockLevel:
        """The stock of TEA at a place."""
        return self.stock.level("TEA", place)

    def parcel(self, parcel: str = "S") -> ShipmentState:
        """A parcel."""
        return self.shipments.get(parcel)

    def fate(self, parcel: str = "S", place: int = 0) -> dict[str, int]:
        """What has become of an item of a parcel, where anything has."""
        state = self.parcel(parcel)
        assert isinstance(state, Left)
        return {name: units for name, units in state.fates[place]._asdict().items() if units}

    def tasks(self, parcel: str = "S") -> list[str]:
        """What somebody should look at of a parcel."""
        return [task.code for task in self.parcel(parcel).tracking.tasks]

    def status(self, row: str = "O") -> str:
        """The state of an order, or of a parcel."""
        found: Any = self.orders.get(row) if row.startswith("O") else self.shipments.get(row)
        return type(found).__name__

    def invoice(self, invoice: str) -> Issued:
        """An invoice that is to be paid."""
        state = self.invoices.get(invoice)
        assert isinstance(state, Issued)
        return state
