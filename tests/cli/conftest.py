"""A small shop with a rich history in an SQLite file, for the verifier and the command line."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.clock import FixedClock
from orderflow.adapters.ids import SequenceIds
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.billing.account import SetCreditLimit
from orderflow.domain.billing.credit_note import AccountLine, CreditItem, CreditNoteContent, DraftCreditNote, UseCredit
from orderflow.domain.billing.invoice import VoidInvoice
from orderflow.domain.billing.invoice_money import WriteOff
from orderflow.domain.billing.invoice_state import Numbered
from orderflow.domain.billing.numbering import OpenSeries
from orderflow.domain.intake import RejectDocument
from orderflow.domain.inventory.counting import CountStock
from orderflow.domain.inventory.documents import PostAdjustment, PostReceipt, PostTransfer, SkuChange, SkuQuantity
from orderflow.domain.inventory.stock import ExpectGoods, ReceiveGoods
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.annotating import AnnotateOrder
from orderflow.domain.orders.billing import BillUnits
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import (
    CancelledBy,
    Gate,
    Hold,
    HoldReason,
    InvoiceBasis,
    LineKind,
    OrderContent,
    OrderLine,
    PayBefore,
    Policy,
)
from orderflow.domain.orders.holding import PlaceHold
from orderflow.domain.orders.placing import ConfirmOrder, DiscardDraft, OpenDraft
from orderflow.domain.parties.customer import BlockCustomer, RegisterCustomer
from orderflow.domain.parties.party import Person
from orderflow.domain.payments.applying import ApplyPayment
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.payments.refunding import RefundPayment
from orderflow.domain.payments.state import ApplicationTarget, PaymentSource
from orderflow.domain.returns.receiving import ReceiveReturn, ReturnedUnits, UnmatchedReturn
from orderflow.domain.shipping.carriage import RecordDelivered, RecordReturning, RecordTracking, TrackingStatus
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.shipping.resolving import DeclareLost, ResupplyParcel, WriteOffParcel
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.shipping.state import Item, ReturnReason
from orderflow.domain.values import LineQuantity, PartyRef
from orderflow.domain.workflow.table import MACHINES
from orderflow.flows.advance import ShopSettings
from orderflow.flows.allocate import AllocationSettings
from orderflow.flows.prepare import ShippingSettings
from orderflow.shop import OrderFlow

EVE = PartyRef("eve", 1)

START = datetime(2026, 4, 1, 9, tzinfo=UTC)
VAT = TaxCategory.of("S", 20)
TEN = TaxCategory.of("S", 10)


class Shop:
    """A shop on a file, whose clock goes on by a minute with every command."""

    def __init__(self, path: Path, tenant: str = "main") -> None:
        self.clock = FixedClock(START)
        self.storage = SqliteStorage(path, MACHINES, tenant=tenant)
        self.flow = OrderFlow(
            self.storage,
            carriers=[MemoryCarrier()],
            notifier=MemoryNotifier(),
            clock=self.clock,
            ids=SequenceIds("c"),
            settings=ShopSettings(
                allocation=AllocationSettings(locations=("main", "north")),
                shipping=ShippingSettings(carrier="memory"),
            ),
            actor="clerk",
        )

    def do(self, id: str, *commands: Any) -> None:  # noqa: A002
        """Commands on one row."""
        for command in commands:
            self.clock.advance(timedelta(minutes=1))
            self.flow.handle(id, command)

    def go(self, *orders: str) -> None:
        """Advance orders, with their labels and letters."""
        for order in orders:
            self.clock.advance(timedelta(minutes=1))
            self.flow.advance(order)
            while self.flow.relay().done:
                pass

    def order(self, id: str, customer: str, *lines: tuple[str, int, str], **more: Any) -> None:  # noqa: A002
        """Place an order in pounds: SKU, quantity and price of each line."""
        self.clock.advance(timedelta(minutes=1))
        made = [OrderLine.of(n, sku, q, Price.of(p, "GBP"), VAT) for n, (sku, q, p) in enumerate(lines, start=1)]
        ref = PartyRef(customer, 1)
        content = OrderContent(
            "GBP", tuple(made), TaxPolicy(), customer=customer, bill_to=ref, ship_to=ref, channel="web",
            external_id=id.upper(), number=f"N-{id}", **more,
        )  # fmt: skip
        self.flow.receive(id, content)

    def deliver(self, *shipments: str) -> None:
        """Hand shipments over and have them delivered."""
        for shipment in shipments:
            self.do(shipment, HandOver(), RecordDelivered(f"{shipment}-delivered"))


def _supply(shop: Shop) -> None:
    shop.do(
        "n-1",
        PostReceipt(
            (SkuQuantity("TEA", "main", 40), SkuQuantity("CUP", "main", 6), SkuQuantity("CUP", "north", 10)), "PO-1"
        ),
    )
    shop.do("n-2", PostTransfer((SkuQuantity("TEA", "main", 5),), "north"))
    shop.do("n-3", PostAdjustment((SkuChange("TEA", "main", -1, "broken"),), reason="stocktake"))
    shop.do("POT@main", ExpectGoods(5), ReceiveGoods(2, 2))
    shop.do("POT@main", CountStock(1, "miscounted"), CountStock(2, "found"))
    for name in ("ann", "bob", "eve"):
        shop.flow.record_party(name, Person(name=name.title(), email=f"{name}@example.org"))
        shop.do(name, RegisterCustomer(PartyRef(name, 1)))
    shop.do("ann", SetCreditLimit(Money.of("1000", "GBP")))
    shop.do("invoice", OpenSeries("INV-", 100))


def _sell(shop: Shop) -> None:
    shop.order("o-1", "ann", ("TEA", 3, "2.55"), ("CUP", 2, "4.10"), tags=("gift",))
    shop.order("o-2", "bob", ("POT", 5, "19.99"), ("TEA", 1, "2.55"))
    shop.order("o-3", "ann", ("CUP", 9, "4.10"))
    shop.order("o-4", "bob", ("TEA", 4, "2.55"))
    shop.order("o-5", "eve", ("TEA", 2, "2.55"))
    shop.do("o-5", PlaceHold(Hold(HoldReason.MANUAL, Gate.CONFIRM)), AnnotateOrder("call back", ("vip",)))
    shop.go("o-1", "o-2", "o-3", "o-4", "o-5")
    shop.deliver("o-1/1", "o-2/1")
    shop.go("o-1", "o-2")
    shop.do("o-4", CancelUnits("changed mind", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)))
    shop.go("o-4")
    shop.do("o-5", CancelUnits("fraud", CancelledBy.MERCHANT))
    tracked = RecordTracking("t-1", TrackingStatus.IN_TRANSIT, "depot")
    shop.do("o-3/1", HandOver(), tracked, tracked, RecordReturning("t-2", ReturnReason.REFUSED))
    shop.do("o-3/1", ReceiveBack("north", usable=False))
    shop.go("o-3")


def _give_back(shop: Shop) -> None:
    shop.do("r-1", ReceiveReturn("main", (ReturnedUnits("o-1", 1, 1),), (UnmatchedReturn("TEA", 1),), customer="ann"))
    items, on_account = (CreditItem("o-1/1", 1, 1, own_line=1),), (AccountLine(2, "TEA", 1, 255, VAT),)
    terms = CreditNoteContent("credit", "ann", PartyRef("ann", 1), "GBP", date(2026, 4, 2), items, on_account)
    shop.do("k-1", DraftCreditNote(terms))
    shop.do("bank/1", RecordPayment(PaymentSource("bank", "1", "ann", "transfer"), Money.of("20", "GBP")))
    invoice = shop.flow.invoices.get("o-1/1")
    assert isinstance(invoice, Numbered)
    shop.do("bank/1", ApplyPayment(ApplicationTarget.INVOICE, "o-1/1", Money(invoice.open_minor - 2, "GBP")))
    shop.do("bank/1", RefundPayment(Money(100, "GBP")))
    shop.do("o-1/1", WriteOff(2, "bank fee"))
    shop.go("o-1")


def _lose(shop: Shop) -> None:
    shop.order("o-6", "bob", ("TEA", 2, "2.55"))
    shop.go("o-6")
    shop.do("o-6/1", HandOver(), DeclareLost())
    shop.do("o-6/1", ResupplyParcel((Item("o-6", 1, "main", 1),)), WriteOffParcel())
    shop.go("o-6")
    shop.deliver("o-6/2")
    shop.go("o-6")
    yen = [
        OrderLine.of(1, "TEA", 2, Price.of("330", "JPY"), TEN),
        OrderLine.of(2, "SHIP", 1, Price.of("550", "JPY"), TEN, kind=LineKind.CHARGE),
    ]
    content = OrderContent(
        "JPY", tuple(yen), TaxPolicy(prices_include_tax=True), customer="eve", bill_to=EVE, ship_to=EVE
    )
    shop.flow.receive("o-7", content)
    shop.do("o-7", ConfirmOrder())
    shop.flow.allocate("o-7")
    shop.go("o-7")
    shop.deliver("o-7/1")
    shop.do("o-7", BillUnits("v-1", "yen"))
    shop.do("v-1", VoidInvoice("wrong series"))
    shop.go("o-7")
    shop.do("d-1", OpenDraft(content), DiscardDraft())
    shop.do("d-2", OpenDraft(content))
    shop.order("o-9", "bob", ("POT", 1, "19.99"), ("TEA", 1, "2.55"), policy=Policy(invoice_basis=InvoiceBasis.ORDERED))
    shop.order("o-10", "bob", ("TEA", 5, "2.55"))
    shop.do("o-10", PlaceHold(Hold(HoldReason.ADDRESS, Gate.PREPARE, line=1)))
    shop.go("o-9", "o-10")
    shop.flow.receive("o-0", OrderContent("JPY", tuple(yen), TaxPolicy(), bill_to=EVE, ship_to=EVE))
    shop.do("web/O-99", RejectDocument(99, ("bad_price",)))
    shop.do("eve", BlockCustomer("fraud"))
    shop.order("o-8", "bob", ("TEA", 7, "2.55"), ("POT", 1, "19.99"))


def _prepay(shop: Shop) -> None:
    shop.order("o-11", "bob", ("TEA", 2, "2.55"), policy=Policy(pay_before=PayBefore.ALLOCATE))
    shop.do("bank/2", RecordPayment(PaymentSource("bank", "2", "bob", "transfer"), Money.of("7", "GBP")))
    shop.do("bank/2", ApplyPayment(ApplicationTarget.ORDER, "o-11", Money.of("7", "GBP")))
    shop.go("o-11")
    shop.deliver("o-11/1")
    shop.go("o-11")
    given = (AccountLine(1, "GOODWILL", 1, 100, VAT),)
    terms = CreditNoteContent("credit", "bob", PartyRef("bob", 1), "GBP", date(2026, 4, 2), on_account=given)
    shop.do("k-2", DraftCreditNote(terms), UseCredit("o-2/1", 50))
    shop.do("bank/3", RecordPayment(PaymentSource("bank", "3", "bob", "transfer"), Money.of("1", "GBP")))
    shop.do("bank/3", ApplyPayment(ApplicationTarget.INVOICE, "o-2/1", Money.of("1", "GBP")))


@pytest.fixture(scope="session")
def history_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file; tests that write copy it."""
    path = tmp_path_factory.mktemp("history") / "shop.db"
    shop = Shop(path)
    for chapter in (_supply, _sell, _give_back, _lose, _prepay):
        chapter(shop)
    shop.storage.close()
    other = Shop(path, "other")
    other.do("TEA@main", ReceiveGoods(4))
    other.flow.record_party("ann", Person(name="Ann"))
    other.order("o-1", "ann", ("TEA", 1, "1.00"))
    other.go("o-1")
    other.storage.close()
    return path


@pytest.fixture
def history_copy(history_file: Path, tmp_path: Path) -> Path:
    """A copy of the file to do damage to."""
    return Path(shutil.copy(history_file, tmp_path / "copy.db"))
