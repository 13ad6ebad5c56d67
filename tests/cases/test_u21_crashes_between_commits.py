"""U21: a worker that dies between two commits leaves the order where another finds it, and it goes on to the end."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from attrs import evolve
from small_shop import NOON, content

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.clock import FixedClock
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.billing.credit_note import CreditItem, CreditNoteContent, DraftCreditNote
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.price import Price
from orderflow.domain.orders.content import InvoiceBasis, OrderContent, OrderLine, Policy
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.orders.state import Completed
from orderflow.domain.parties.party import Person
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.shipping.planning import PackShipment
from orderflow.domain.shipping.resolving import DeclareLost, WriteOffParcel
from orderflow.domain.values import PartyRef
from orderflow.flows.advance import ShopSettings
from orderflow.flows.allocate import AllocationSettings
from orderflow.flows.worklists import WORKLISTS
from orderflow.shop import OrderFlow
from orderflow.testing.lawful import lawful

Step = Callable[[OrderFlow], Any]


class Place(NamedTuple):
    """Where a shop's rows outlive its workers."""

    path: Path | None
    memory: MemoryStorage

    @contextmanager
    def worker(self) -> Generator[OrderFlow]:
        """A worker that knows nothing but the rows, until it dies."""
        storage = SqliteStorage(self.path) if self.path else self.memory
        try:
            yield OrderFlow(
                lawful(storage),
                clock=FixedClock(NOON),
                carriers=[MemoryCarrier()],
                notifier=MemoryNotifier(),
                settings=ShopSettings(AllocationSettings(("main", "shop"))),
            )
        finally:
            if isinstance(storage, SqliteStorage):
                storage.close()


@pytest.fixture(params=["memory", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A shop with three units at each of two locations, that dies and opens again."""
    place = Place(tmp_path / "shop.db" if request.param == "sqlite" else None, MemoryStorage())
    with place.worker() as shop:
        shop.record_party("ann", Person("Ann", email="ann@example.org"))
        shop.handle("TEA@main", ReceiveGoods(3))
        shop.handle("TEA@shop", ReceiveGoods(3))
    return place


def ordered(units: int, currency: str, **policy: Any) -> OrderContent:
    """An order in a currency."""
    given = content(units)
    [line] = given.lines
    priced = OrderLine.of(1, line.sku, units, Price.of("105", currency), line.tax, policy=given.tax)
    return evolve(given, currency=currency, lines=(priced,), policy=Policy(**policy))


def parcels(shop: OrderFlow) -> list[str]:
    """The parcels of the shop."""
    return [row.key.id for row in shop.shipments.find()]


def each_parcel(command: Any) -> Step:
    """All parcels are told, each in a commit of its own."""
    return lambda shop: [shop.handle(parcel, command) for parcel in parcels(shop)]


def plan(shop: OrderFlow) -> None:
    """Parcels are planned by hand."""
    for key, planning, _ in shop.plan_shipments("O"):
        shop.handle(key.id, planning)


#: The life of an order after it was placed; a worker may die after each.
LIFE: dict[str, Step] = {
    "confirm": lambda shop: shop.handle("O", ConfirmOrder()),
    "allocate": lambda shop: shop.allocate("O"),
    "plan": plan,
    "pack": each_parcel(PackShipment(100, 1)),
    "label": lambda shop: shop.relay(),
    "hand over": each_parcel(HandOver()),
    "deliver": each_parcel(RecordDelivered("arrived")),
}


def listed(shop: OrderFlow) -> set[str]:
    """The rows that stand on any list."""
    return {task.key.id for name in WORKLISTS for task in shop.worklist(name)}


def go_round(shop: OrderFlow) -> bool:
    """What a shop does all day, by what it sees: whether there was anything to do."""
    did = bool(shop.advance_all()) or bool(shop.relay().taken)
    for task in shop.worklist("to_pack"):
        did = bool(shop.handle(task.key.id, PackShipment(100, 1)))
    for task in shop.worklist("to_ship"):
        if not shop.explain(task.key.id, HandOver()):
            did = bool(shop.handle(task.key.id, HandOver()))
    for row in shop.shipments.find(status=["InTransit"]):
        did = bool(shop.handle(row.key.id, RecordDelivered(f"arrived {row.key.id}")))
    return did


@pytest.mark.parametrize(
    "units, currency, basis", [(2, "JPY", InvoiceBasis.DISPATCHED), (6, "GBP", InvoiceBasis.ORDERED)]
)
@pytest.mark.parametrize("died_after", ["place", *LIFE])
def test_u21_the_next_worker_finds_it_and_it_goes_on_to_the_end(
    place: Place, died_after: str, units: int, currency: str, basis: InvoiceBasis
) -> None:
    """In one parcel or in two: delivered once, billed once, completed."""
    with place.worker() as shop:
        shop.receive("O", ordered(units, currency, invoice_basis=basis))
        for name, step in LIFE.items() if died_after != "place" else ():
            step(shop)
            if name == died_after:
                break
    with place.worker() as shop:
        assert {"O", *parcels(shop)} & (listed(shop) | shop.advance_all().keys())
        while go_round(shop):
            pass
        order = shop.orders.get("O")
        assert isinstance(order, Completed)
        assert order.progress.lines[0].delivered == units
        assert shop.balance("ann", currency) == order.totals.gross_minor
        assert len(shop.invoices.find()) == 1
        assert len(parcels(shop)) == (1 if units < 4 else 2)


def test_u21_handed_over_and_not_billed_yet(place: Place) -> None:
    """The order is on the list of what is to be billed, and the next round bills it, once."""
    with place.worker() as shop:
        shop.receive("O", ordered(2, "GBP"))
        for step in [*LIFE.values()][:-1]:
            step(shop)
    with place.worker() as shop:
        assert [task.key.id for task in shop.worklist("to_bill")] == ["O"]
        assert [*shop.advance_all()] == ["O"]
        assert (shop.worklist("to_bill"), [*shop.advance_all()]) == ([], [])


def test_u21_what_turns_up_after_completion_is_billed(place: Place) -> None:
    """Written off, credited and completed; then it arrives after all: a completed order is taken on, too."""
    with place.worker() as shop:
        shop.receive("O", ordered(6, "GBP"))
        for step in [*LIFE.values()][:-1]:
            step(shop)
        shop.advance_all()
        first, second = parcels(shop)
        shop.handle(first, RecordDelivered("arrived"))
        shop.handle(second, DeclareLost())
        shop.handle(second, WriteOffParcel())
        [invoice] = shop.invoices.find()
        items = (CreditItem(invoice.key.id, 1, units=3),)
        note = CreditNoteContent("credit", "ann", PartyRef("ann", 1), "GBP", date(2026, 4, 1), items)
        shop.handle("C-1", DraftCreditNote(note))
        shop.advance_all()
        assert isinstance(shop.orders.get("O"), Completed)
        shop.handle(second, RecordDelivered("found"))
    with place.worker() as shop:
        assert [task.key.id for task in shop.worklist("to_bill")] == ["O"]
        assert [*shop.advance_all()] == ["O"]
        assert (shop.worklist("to_bill"), [*shop.advance_all()]) == ([], [])
        assert shop.balance("ann", "GBP") == 6 * 12600
