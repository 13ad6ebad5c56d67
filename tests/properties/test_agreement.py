"""Three shops live the same life: memory one command at a time, memory in groups, SQLite in groups.

After every step they say the same, and folding each row's journal gives its state.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.clock import FixedClock
from orderflow.adapters.ids import SequenceIds
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.billing.account import SetCreditLimit
from orderflow.domain.billing.credit_note import CreditItem, CreditNoteContent, DraftCreditNote
from orderflow.domain.billing.invoice import VoidInvoice
from orderflow.domain.billing.invoice_money import WriteOff
from orderflow.domain.inventory.counting import CountStock, Quarantine
from orderflow.domain.inventory.documents import PostTransfer, SkuQuantity
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.allocating import AllocateStock, FillBackorder, ReleaseStock
from orderflow.domain.orders.annotating import AnnotateOrder
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, Gate, Hold, HoldReason, OrderContent, OrderLine, Policy
from orderflow.domain.orders.holding import PlaceHold, ReleaseHold
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder, UnconfirmOrder
from orderflow.domain.parties.party import Person
from orderflow.domain.payments.applying import ApplyPayment
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.payments.refunding import ChargeBackPayment, RefundPayment
from orderflow.domain.payments.state import ApplicationTarget, PaymentSource
from orderflow.domain.returns.receiving import ReceiveReturn, ReturnedUnits
from orderflow.domain.shipping.carriage import RecordDelivered, RecordLost, RecordReturning
from orderflow.domain.shipping.labelling import ChangeCarrier, RequestLabel, VoidLabel
from orderflow.domain.shipping.leaving import HandOver, RecordDispatch, RecordLeftBehind
from orderflow.domain.shipping.planning import (
    DropItems,
    PackShipment,
    PlanShipment,
    RecordOverPick,
    RecordShortPick,
    VoidShipment,
)
from orderflow.domain.shipping.resolving import ClearExpected, DeclareLost, ResupplyParcel, WriteOffParcel
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.shipping.state import Item, Plan, ReturnReason
from orderflow.domain.values import CreditIntent, LineQuantity, PartyRef, Pick
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import CommandRefused, InputError
from orderflow.flows.advance import ShopSettings
from orderflow.flows.allocate import AllocationSettings
from orderflow.flows.prepare import ShippingSettings
from orderflow.shop import OrderFlow, Request
from orderflow.testing.lawful import lawful
from orderflow.testing.machine_tests import fold

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
WORKFLOW = standard_workflow()
VAT = TaxCategory.of("S", "19")
ORDERS, SHIPMENTS, INVOICES = ("O1", "O2"), ("S1", "S2"), ("I1", "I2")
PLANS = ShopSettings(AllocationSettings(("main", "shop")), ShippingSettings("memory"))


def content(order: str, tea: int, cups: int) -> OrderContent:
    """Two lines of one customer, with tax that needs rounding."""
    lines = (
        OrderLine.of(1, "TEA", tea, Price.of("2.55", "EUR"), VAT),
        OrderLine.of(2, "CUP", cups, Price.of("9.99", "EUR"), VAT),
    )
    ann = PartyRef("ann", 1)
    policy = Policy(excess_percent=100)
    return OrderContent("EUR", lines, TaxPolicy(), "ann", "", "web", order, bill_to=ann, ship_to=ann, policy=policy)


few, line, place = st.integers(1, 3), st.integers(1, 2), st.sampled_from(("main", "shop"))
order, shipment, invoice = st.sampled_from(ORDERS), st.sampled_from(SHIPMENTS), st.sampled_from(INVOICES)
stock = st.builds("{}@{}".format, st.sampled_from(("TEA", "CUP")), place)
picks = st.builds(Pick, line, place, few).map(lambda pick: (pick,))
units = st.builds(LineQuantity, line, few).map(lambda some: (some,))
euros = st.sampled_from((500, 1500, 5000)).map(lambda minor: Money(minor, "EUR"))
ORIGIN = PaymentSource("bank", "1", "ann", "transfer")


def items(orders: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[Item, ...]]:
    """One item of a shipment."""
    return st.builds(Item, orders, line, place, few).map(lambda item: (item,))


credit_items = st.one_of(
    st.builds(CreditItem, invoice, line, few, intent=st.sampled_from(CreditIntent)),
    st.builds(CreditItem, invoice, line, amount_minor=st.integers(1, 255)),
)
credit_terms = credit_items.map(
    lambda item: CreditNoteContent("credit", "ann", PartyRef("ann", 1), "EUR", NOON.date(), (item,))
)


def on(rows: st.SearchStrategy[str], *commands: Any) -> list[st.SearchStrategy[tuple[str, Any]]]:
    """Row ids with one of these commands, given as strategies or as values."""
    drawn = [item if isinstance(item, st.SearchStrategy) else st.just(item) for item in commands]
    return [st.tuples(rows, item) for item in drawn]


hold = Hold(HoldReason.MANUAL, Gate.PREPARE)
COMMANDS = st.one_of(
    *on(
        order,
        ConfirmOrder(),
        UnconfirmOrder(),
        st.builds(AllocateStock, picks),
        st.builds(AllocateStock, st.just(()), picks),
        st.builds(FillBackorder, picks),
        st.builds(ReleaseStock, picks),
        st.builds(CancelUnits, st.just("no"), st.just(CancelledBy.CUSTOMER), st.one_of(st.just(()), units)),
        st.builds(BillUnits, invoice, st.just("inv")),
        CompleteOrder(),
        PlaceHold(hold),
        ReleaseHold(HoldReason.MANUAL, Gate.PREPARE),
        AnnotateOrder("called", ("vip",)),
    ),
    *on(
        shipment,
        st.builds(PlanShipment, items(order), st.just(Plan(carrier="memory"))),
        st.builds(RecordShortPick, items(order)),
        st.builds(RecordOverPick, items(order)),
        st.builds(DropItems, items(order)),
        PackShipment(500, 1),
        HandOver(),
        st.builds(RecordDelivered, st.sampled_from(("a", "b"))),
        RecordReturning("c", ReturnReason.REFUSED),
        ReceiveBack("shop"),
        DeclareLost(),
        RecordLost("d"),
        WriteOffParcel(),
        ResupplyParcel(),
        st.builds(RecordLeftBehind, items(order)),
        ClearExpected(),
        RecordDispatch(),
        VoidLabel(),
        RequestLabel(),
        ChangeCarrier("post"),
        VoidShipment(),
    ),
    *on(invoice, VoidInvoice("mistaken"), st.builds(WriteOff, few, st.just("fee"))),
    *on(stock, st.builds(ReceiveGoods, few), st.builds(CountStock, few), st.builds(Quarantine, few)),
    *on(st.just("note"), PostTransfer((SkuQuantity("TEA", "main", 1),), "shop")),
    *on(
        st.just("ret"),
        st.builds(ReceiveReturn, st.just("shop"), st.builds(ReturnedUnits, order, line, few).map(lambda u: (u,))),
    ),
    *on(st.just("cn"), st.builds(DraftCreditNote, credit_terms)),
    *on(st.just("bank/1"), RecordPayment(ORIGIN, Money(5000, "EUR")), st.builds(RefundPayment, euros)),
    *on(st.just("bank/1"), st.builds(ApplyPayment, st.just(ApplicationTarget.INVOICE), invoice, euros)),
    *on(st.just("bank/1"), st.builds(ApplyPayment, st.just(ApplicationTarget.ORDER), order, euros)),
    *on(st.just("bank/1"), st.builds(ChargeBackPayment, euros)),
    *on(st.just("ann"), st.builds(SetCreditLimit, st.one_of(st.none(), euros))),
)
GROUPS = st.lists(COMMANDS, min_size=1, max_size=6)


class Agreement(RuleBasedStateMachine):
    """The three shops, and a number for each command so that ids are the same everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.file = SqliteStorage(self.folder / "shop.db", WORKFLOW.machines.values(), exclusive=True)
        self.clock = FixedClock(NOON)
        self.single, self.grouped, self.durable = (self.shop(s) for s in (MemoryStorage(), MemoryStorage(), self.file))
        self.shops = (self.single, self.grouped, self.durable)
        self.count = 0

    def shop(self, storage: Any) -> OrderFlow:
        """A shop on this storage, its clock and ids fixed."""
        return OrderFlow(
            lawful(storage, WORKFLOW),
            workflow=WORKFLOW,
            carriers=[MemoryCarrier()],
            notifier=MemoryNotifier(),
            clock=self.clock,
            ids=SequenceIds(),
            settings=PLANS,
        )

    @initialize(tea=few, cups=few)
    def open(self, tea: int, cups: int) -> None:
        """Goods are there, and two orders are in."""
        for shop in self.shops:
            shop.record_party("ann", Person("Ann", email="ann@example.org"))
        goods = [(f"{sku}@{where}", ReceiveGoods(4)) for sku in ("TEA", "CUP") for where in ("main", "shop")]
        self.handle([*goods, *((order_, PlaceOrder(content(order_, tea, cups))) for order_ in ORDERS)])

    @rule(group=GROUPS)
    def handle(self, group: list[tuple[str, Any]]) -> None:
        """A group of commands has the same outcomes in one commit and in many."""
        asked = [Request(row, command, f"c{self.count + at}") for at, (row, command) in enumerate(group)]
        self.count += len(group)
        self.clock.advance(timedelta(minutes=1))
        self.agree([[*map(told, [shop_one(self.single, do) for do in asked])], *self.in_groups(asked)])

    @rule(group=GROUPS)
    def repeat(self, group: list[tuple[str, Any]]) -> None:
        """The same commands under known ids give the first answers or a mismatch, and change nothing."""
        asked = [Request(row, command, f"c{self.count - 1}") for row, command in group]
        self.agree([[*map(told, [shop_one(self.single, do) for do in asked])], *self.in_groups(asked)])

    @rule(order_=order)
    def advance(self, order_: str) -> None:
        """An order goes on by itself to the same place."""
        self.agree([shop.advance(order_) for shop in self.shops])

    @rule()
    def relay(self) -> None:
        """Effects are carried out the same."""
        self.agree([shop.relay() for shop in self.shops])

    @invariant()
    def the_same_rows(self) -> None:
        """Every row is the same, and is what its journal folds to."""
        journals = [shop.storage.entries(0, 1_000) for shop in self.shops]
        keys = sorted({entry.key for journal in journals for entry in journal})
        for key in keys:
            if key.kind == "party":
                continue
            held = [shop.rows(key.kind).get(key.id) for shop in self.shops]
            assert held[0] == held[1] == held[2]
            for shop in self.shops:
                events = [entry.event for entry in shop.rows(key.kind).history(key.id)]
                assert fold(WORKFLOW.machines[key.kind], events) == held[0]
        assert len({shop.storage.pending() for shop in self.shops}) == 1

    def in_groups(self, asked: list[Request]) -> list[list[Any]]:
        """The outcomes of one group, in memory and in SQLite."""
        return [[*map(told, shop.handle_many(asked))] for shop in (self.grouped, self.durable)]

    def agree(self, answers: list[Any]) -> None:
        """All shops gave the same answer."""
        assert answers[0] == answers[1], "memory in groups"
        assert answers[0] == answers[2], "SQLite"

    def teardown(self) -> None:
        """Close and remove the file."""
        self.file.close()
        shutil.rmtree(self.folder)


def shop_one(shop: OrderFlow, do: Request) -> Any:
    """The outcome of one command in a commit of its own."""
    return shop.handle_many([do])[0]


def told(result: Any) -> Any:
    """An outcome in a form that compares: the Ack, or the class of the error and what it names."""
    if isinstance(result, CommandRefused):
        return result.refusals
    if isinstance(result, InputError):
        return result.faults
    return (type(result), str(result)) if isinstance(result, Exception) else result


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(max_examples=60, stateful_step_count=25)
