"""A shop that sells tea, in memory, and the steps of its orders in a few words each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from attrs import evolve

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.clock import FixedClock
from orderflow.adapters.ids import SequenceIds
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.billing.credit_note import AccountLine, CreditItem, CreditNoteContent, DraftCreditNote
from orderflow.domain.billing.invoice_state import Issued, Settled
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.billing import BillUnits
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, OrderContent, OrderLine, Policy
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.orders.state import HasProgress, Progress
from orderflow.domain.parties.party import Person
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.shipping.planning import PackShipment, PlanShipment
from orderflow.domain.shipping.state import Item, Labelled, Plan
from orderflow.domain.values import PartyRef, Pick
from orderflow.errors import CommandRefused
from orderflow.flows.advance import ShopSettings
from orderflow.flows.allocate import AllocationSettings
from orderflow.flows.prepare import ShippingSettings
from orderflow.ports.storage import Batch
from orderflow.shop import OrderFlow
from orderflow.testing.lawful import lawful

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
ANN = PartyRef("ann", 1)
VAT = TaxCategory.of("S", 19)
BY_HAND = ShippingSettings(needs_label=False)
TWO_PLACES = ShopSettings(AllocationSettings(("main", "shop")), BY_HAND)
PACK, GO, ARRIVE = PackShipment(100, 1), HandOver(), RecordDelivered("arrived")
CANCEL = CancelUnits("changed their mind", CancelledBy.CUSTOMER)


class Counted(MemoryStorage):
    """Keeps every batch that was committed; ``rejects`` says what is wrong with one, before it is."""

    rejects: Callable[[Batch], Exception | None] = staticmethod(lambda batch: None)

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Batch] = []

    def _commit(self, batch: Batch) -> None:
        error = self.rejects(batch)
        if error:
            raise error
        super()._commit(batch)
        self.batches.append(batch)


class Shop(OrderFlow):
    """A shop in memory with a clock, a carrier and a notifier at hand."""

    def __init__(self, settings: ShopSettings = TWO_PLACES, **options: Any) -> None:
        storage = lawful(options.pop("storage", None) or MemoryStorage(), options.get("workflow"))
        self.time = FixedClock(NOON)
        self.post = MemoryCarrier("post", script=options.pop("script", ()))
        self.mail = MemoryNotifier()
        options = {"carriers": [self.post], "notifier": self.mail, "ids": SequenceIds(), **options}
        super().__init__(storage, settings=settings, clock=self.time, **options)
        self.record_party("ann", Person("Ann", email="ann@example.org"))

    def stocked(self, **places: int) -> Shop:
        """With so much TEA at each place."""
        for place, quantity in places.items():
            self.handle(f"TEA@{place}", ReceiveGoods(quantity))
        return self

    def placed(self, *quantities: int, **policy: Any) -> Shop:
        """With order O of so many TEA on each line, placed."""
        self.handle("O", PlaceOrder(content(*quantities, policy=Policy(**policy))))
        return self

    def confirmed(self, *quantities: int, **policy: Any) -> Shop:
        """With order O confirmed."""
        self.placed(*quantities, **policy).handle("O", ConfirmOrder())
        return self

    def tell(self, row: str, *commands: Any) -> Shop:
        """Carry out commands on one row, none of which may be refused."""
        for command in commands:
            self.handle(row, command)
        return self

    def refusal(self, row: str, command: Any) -> tuple[str, ...]:
        """The codes a command is refused with; nothing has changed then."""
        before = self.storage.entries(0, 1_000)
        with pytest.raises(CommandRefused) as caught:
            self.handle(row, command)
        assert self.storage.entries(0, 1_000) == before
        return caught.value.codes

    def settle(self) -> Shop:
        """Carry out effects until none is left."""
        for _ in range(50):
            if not self.relay().done:
                break
        return self

    def progress(self, order: str = "O") -> Progress:
        """How far an order has come that is no draft."""
        state = self.orders.get(order)
        assert isinstance(state, HasProgress)
        return state.progress

    @property
    def lines(self) -> tuple[LineVector, ...]:
        """The line vectors of order O."""
        return self.progress().lines

    def invoice(self, invoice: str = "O/1") -> Issued | Settled:
        """An invoice that has a number and is not void."""
        state = self.invoices.get(invoice)
        assert isinstance(state, Issued | Settled)
        return state

    def tracking_number(self) -> str:
        """What the label of shipment O/1 says."""
        shipment = self.shipments.get("O/1")
        assert isinstance(shipment, Labelled)
        return shipment.label.tracking_number

    @property
    def state(self) -> str:
        """The state of order O."""
        return type(self.orders.get("O")).__name__


def content(*quantities: int, price: str = "10.00", **changes: Any) -> OrderContent:
    """An order of TEA, a line for each quantity."""
    lines = tuple(
        OrderLine.of(number, "TEA", quantity, Price.of(price, "EUR"), VAT, weight_grams=100)
        for number, quantity in enumerate(quantities, start=1)
    )
    return evolve(OrderContent("EUR", lines, TaxPolicy(), "ann", bill_to=ANN, ship_to=ANN), **changes)


def item(quantity: int, place: str = "main", line: int = 1) -> Item:
    """Units of order O in a shipment."""
    return Item("O", line, place, quantity)


def plan(*items: Item) -> PlanShipment:
    """A shipment that needs no label."""
    return PlanShipment(items, Plan(needs_label=False))


def pick(quantity: int, place: str = "main", line: int = 1) -> tuple[Pick, ...]:
    """Units of a line at a place."""
    return (Pick(line, place, quantity),)


def shipped(shop: Shop | None = None, **policy: Any) -> Shop:
    """An order of two units, delivered and billed as O/1: 20.00 and 3.80 tax."""
    shop = (shop or Shop()).stocked(main=2).placed(2, **policy)
    shop.advance("O")
    shop.tell("O/1", GO, ARRIVE).tell("O", BillUnits("O/1", "inv"))
    return shop


def note(*lines: AccountLine | CreditItem, currency: str = "EUR", bill_to: PartyRef | None = ANN) -> DraftCreditNote:
    """A credit note over these items of invoices, and these lines on account."""
    items = tuple([line for line in lines if isinstance(line, CreditItem)])
    on_account = tuple([line for line in lines if isinstance(line, AccountLine)])
    return DraftCreditNote(CreditNoteContent("cn", "ann", bill_to, currency, date(2026, 4, 2), items, on_account))
