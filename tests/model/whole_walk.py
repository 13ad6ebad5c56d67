"""The widest walk: two orders of two articles from two places, parcels, a bill, a credit, a payment and a return.

It does not close in any time one would wait; it goes as far as it is told, breadth first, with every law in each world.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from attrs import evolve
from test_walk import ANN, CARRY, FREE, NOON, S1, S2, SCAN, STAMP, WORKFLOW, payment, told

from orderflow.domain.billing.credit_note import CreditItem, CreditNoteContent, DraftCreditNote
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.workflow import Send
from orderflow.domain.inventory.counting import CountStock
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxPolicy
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, OrderContent, OrderLine
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.payments.state import ApplicationTarget
from orderflow.domain.returns.inspecting import InspectedUnits, InspectReturn
from orderflow.domain.returns.receiving import ReceiveReturn, ReturnedUnits
from orderflow.domain.shipping.carriage import RecordDelivered, RecordLost, RecordReturning
from orderflow.domain.shipping.leaving import HandOver, RecordLeftBehind
from orderflow.domain.shipping.planning import PackShipment, PlanShipment, VoidShipment
from orderflow.domain.shipping.resolving import ResupplyParcel, WriteOffParcel
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.shipping.state import Item, Plan, ReturnReason
from orderflow.domain.values import CreditIntent, InspectionOutcome, LineQuantity, Pick, stock_key
from orderflow.errors import Key
from orderflow.testing.explore import Exploration, World, explore

__all__ = ["SOMETIMES", "walk_everything"]

FIRST, SECOND = Key("main", "order", "O"), Key("main", "order", "P")
RETURN, BILL, NOTE = Key("main", "return", "R"), Key("main", "invoice", "I1"), Key("main", "credit_note", "N1")
STOCK: Final = {stock_key("main", sku, place): StockLevel(1) for sku in ("TEA", "CUP") for place in ("main", "shop")}

#: Events that a walk of some length has seen.
SOMETIMES: Final = frozenset({
    "OrderPlaced", "OrderConfirmed", "StockAllocated", "ShipmentPrepared", "ShipmentDispatched", "DepartureRecorded",
    "UnitsDelivered", "UnitsReturned", "UnitsLost", "UnitsOwedAgain", "UnitsCancelled", "OrderCancelled", "UnitsBilled",
    "CreditNoteIssued", "PaymentApplied", "ReturnReceived", "ReturnInspected", "UnitsSentBack", "ShipmentVoided",
    "StockCounted", "OrderCompleted",
})  # fmt: skip


def walk_everything(limit: int) -> Exploration:
    """Walk so many worlds."""
    return explore(WORKFLOW, STOCK, _tried, stamp=STAMP, carry=CARRY, limit=limit)


def _content(*skus: str) -> OrderContent:
    lines = [OrderLine.of(number, sku, 1, Price.of("1.00", "EUR"), FREE) for number, sku in enumerate(skus, start=1)]
    return OrderContent("EUR", tuple(lines), TaxPolicy(), bill_to=ANN, ship_to=ANN)


def _order(key: Key, places: tuple[str, ...], *skus: str) -> Iterator[Send]:
    """One order, each line taken from a place of its own."""
    picks = tuple([Pick(line, place, 1) for line, place in enumerate(places, start=1)])
    one = (LineQuantity(1, 1),)
    yield from told(
        key, PlaceOrder(_content(*skus)), ConfirmOrder(), AllocateStock(picks), CompleteOrder(),
        CancelUnits("no", CancelledBy.CUSTOMER, one),
    )  # fmt: skip


def _parcel(key: Key, *items: Item) -> list[Send]:
    """One parcel without a label, with all that the world may tell of it."""
    heard = (SCAN, RecordDelivered("d"), RecordReturning("r", ReturnReason.REFUSED), RecordLost("l"))
    hands = (PackShipment(0, 1), HandOver(), VoidShipment(), WriteOffParcel(), ResupplyParcel(), ReceiveBack("shop"))
    plan = PlanShipment(items, Plan(needs_label=False))
    return told(key, plan, *hands, *heard, RecordLeftBehind(items[:1]))


def _returned() -> Iterator[Send]:
    """A return of the first order's tea, put back on sale or sent back to the customer."""
    yield from told(RETURN, ReceiveReturn("main", (ReturnedUnits("O", 1, 1),), arrival="T"))
    for outcome in (InspectionOutcome.RESTOCK, InspectionOutcome.REJECT):
        yield from told(RETURN, InspectReturn((InspectedUnits(outcome, "main", "O", 1, 1, "S1"),)))


def _paid() -> Iterator[Send]:
    """The first order's bill, paid and credited."""
    yield Send(FIRST, BillUnits("I1", "inv"))
    empty = CreditNoteContent("cn", "", ANN, "EUR", NOON.date(), ())
    for intent in (CreditIntent.KEPT, CreditIntent.AHEAD):
        yield Send(NOTE, DraftCreditNote(evolve(empty, items=(CreditItem("I1", 1, 1, intent=intent),))))
    yield from payment(200, (ApplicationTarget.INVOICE, "I1", 200), (ApplicationTarget.ORDER, "O", 100))


_ALPHABET: Final[tuple[Send, ...]] = (
    *_order(FIRST, ("main", "shop"), "TEA", "CUP"),
    *_order(SECOND, ("shop",), "TEA"),
    *_parcel(S1, Item("O", 1, "main", 1), Item("P", 1, "shop", 1)),
    *_parcel(S1, Item("O", 1, "main", 1))[:1],
    *_parcel(S2, Item("O", 2, "shop", 1)),
    *_returned(),
    *_paid(),
    Send(next(iter(STOCK)), CountStock(1)),
)

#: Of two alike the one that begins first, so that worlds which differ by names alone are walked once.
_AFTER: Final[dict[Key, Key]] = {SECOND: FIRST, RETURN: S1, NOTE: BILL}


def _tried(world: World) -> Iterable[Any]:
    return (send for send in _ALPHABET if send.key not in _AFTER or world[_AFTER[send.key]] is not ABSENT)
