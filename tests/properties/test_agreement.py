"""Three shops live the same life: memory one command at a time, memory in groups, SQLite in groups.

Orders are amended, sent, lost, returned, exchanged and paid for; carrier, mail and payment provider fail. After every
step the shops say the same, every law holds, no fact was refused, and folding each row's journal gives its state. At
the end of a life the adapters recover: everything pending is done, every label sold is on a parcel or voided, and
``verify`` finds nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from orderflow.adapters.carriers.memory import CarrierFailure, MemoryCarrier
from orderflow.adapters.clock import FixedClock
from orderflow.adapters.ids import SequenceIds
from orderflow.adapters.notifiers.memory import MemoryNotifier, NotifierFailure
from orderflow.adapters.payments.memory import MemoryProvider, PaymentFailure
from orderflow.adapters.storage.audit import SqliteAudit
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.audit.verify import verify
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
from orderflow.domain.orders.amending import ConfirmAmendment, DropAmendment, ProposeAmendment
from orderflow.domain.orders.annotating import AnnotateOrder
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.changes import Changes
from orderflow.domain.orders.content import CancelledBy, Gate, Hold, HoldReason, OrderContent, OrderLine, Policy
from orderflow.domain.orders.holding import PlaceHold, ReleaseHold
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder, UnconfirmOrder
from orderflow.domain.orders.reinstating import ReinstateOrder
from orderflow.domain.parties.party import Person
from orderflow.domain.payments.applying import ApplyPayment
from orderflow.domain.payments.collecting import CapturePayment, ExpectPayment, RecordPayment
from orderflow.domain.payments.pending import RequestOperation
from orderflow.domain.payments.refunding import ChargeBackPayment, DisputePayment, RefundPayment, ResolveDispute
from orderflow.domain.payments.state import ApplicationTarget, PaymentSource
from orderflow.domain.returns.inspecting import CloseShort, InspectedUnits, InspectReturn, SettleReturn
from orderflow.domain.returns.receiving import ReceiveReturn, ReturnedUnits
from orderflow.domain.returns.requesting import (
    AuthoriseReturn,
    CancelReturn,
    DeclineReturn,
    RecordReturnSent,
    RequestReturn,
)
from orderflow.domain.shipping.carriage import (
    RecordDelivered,
    RecordLost,
    RecordReturning,
    RecordTracking,
    TrackingStatus,
)
from orderflow.domain.shipping.labelling import ChangeCarrier, RecordLabel, RequestLabel, VoidLabel
from orderflow.domain.shipping.leaving import HandOver, RecordDispatch, RecordLeftBehind
from orderflow.domain.shipping.planning import (
    DropItems,
    PackShipment,
    PlanShipment,
    RecordOverPick,
    RecordShortPick,
    VoidShipment,
)
from orderflow.domain.shipping.resolving import (
    ClearExpected,
    CloseShipmentTask,
    DeclareLost,
    ResupplyParcel,
    WriteOffParcel,
)
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.shipping.state import Back, Item, Left, Plan, ReturnReason, ShippingLabel
from orderflow.domain.values import CreditIntent, InspectionOutcome, LineQuantity, PartyRef, Pick
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import CommandRefused, InputError
from orderflow.flows.advance import ShopSettings
from orderflow.flows.allocate import AllocationSettings
from orderflow.flows.prepare import ShippingSettings
from orderflow.ports.payments import Operation
from orderflow.shop import OrderFlow, Request
from orderflow.testing.lawful import lawful
from orderflow.testing.machine_tests import fold

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
WORKFLOW = standard_workflow()
VAT = TaxCategory.of("S", "19")
#: Some go by the names that an order's own way gives.
ORDERS, SHIPMENTS, INVOICES = ("O1", "O2"), ("S1", "O1/1", "O1/2", "O2/1"), ("I1", "O1/1", "O2/1")
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
CARD = PaymentSource("card", "2", "ann", "card")
LABEL = ShippingLabel("memory", "standard", "T-1")


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


returned = st.builds(
    ReturnedUnits,
    order,
    line,
    few,
    st.sampled_from(("", *SHIPMENTS)),
).map(lambda some: (some,))
seen = st.builds(
    InspectedUnits, st.sampled_from(InspectionOutcome), place, order, line, few, st.sampled_from(("", *SHIPMENTS))
).map(lambda some: (some,))
arrival = st.sampled_from(("", "T-9"))
changes = st.one_of(st.builds(Changes, less=units), st.builds(Changes, more=units))
revision = st.integers(0, 3)
#: What the world tells; whatever the state of a row that is there, it is taken.
FACTS = (
    RecordTracking, RecordDelivered, RecordReturning, RecordLost, RecordLeftBehind, RecordLabel, ReceiveBack,
    ReceiveReturn, CountStock, ReceiveGoods, RecordPayment, RefundPayment, ChargeBackPayment, CapturePayment,
    DisputePayment, ResolveDispute,
)  # fmt: skip
#: Of what they name something that is not there, or is none of theirs, or of no units.
UNSOUND = {"not_found", "not_in_shipment", "nothing_returned", "not_expected", "too_much", "no_such_line"}

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
        ReinstateOrder(),
        st.builds(ProposeAmendment, revision, changes, st.just(CancelledBy.CUSTOMER)),
        st.builds(ConfirmAmendment, revision),
        st.builds(DropAmendment, revision),
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
        st.builds(RecordTracking, st.sampled_from(("e", "f")), st.sampled_from(TrackingStatus)),
        st.builds(RecordLabel, st.sampled_from((LABEL, evolve(LABEL, tracking_number="T-2")))),
        st.builds(CloseShipmentTask, st.sampled_from(("count", "left_in_spite", "scanned_but_voided"))),
        st.builds(
            ReceiveBack, place, st.booleans(), st.builds(Back, order, line, few).map(lambda back: (back,)), arrival
        ),
    ),
    *on(invoice, VoidInvoice("mistaken"), st.builds(WriteOff, few, st.just("fee"))),
    *on(stock, st.builds(ReceiveGoods, few), st.builds(CountStock, few), st.builds(Quarantine, few)),
    *on(st.just("note"), PostTransfer((SkuQuantity("TEA", "main", 1),), "shop")),
    *on(
        st.sampled_from(("ret", "ret2")),
        st.builds(RequestReturn, order, units, goods_come_back=st.booleans()),
        AuthoriseReturn(NOON + timedelta(days=9)),
        DeclineReturn(),
        CancelReturn(),
        RecordReturnSent("T-9"),
        st.builds(ReceiveReturn, place, returned, usable=st.booleans(), arrival=arrival),
        st.builds(InspectReturn, seen),
        CloseShort(),
        SettleReturn(),
    ),
    *on(st.just("cn"), st.builds(DraftCreditNote, credit_terms)),
    *on(st.just("bank/1"), RecordPayment(ORIGIN, Money(5000, "EUR")), st.builds(RefundPayment, euros)),
    *on(st.just("bank/1"), st.builds(ApplyPayment, st.just(ApplicationTarget.INVOICE), invoice, euros)),
    *on(st.just("bank/1"), st.builds(ApplyPayment, st.just(ApplicationTarget.ORDER), order, euros)),
    *on(st.just("bank/1"), st.builds(ChargeBackPayment, euros)),
    *on(
        st.just("card/2"),
        ExpectPayment(CARD, Money(5000, "EUR")),
        st.builds(RequestOperation, st.sampled_from(Operation), st.one_of(st.none(), euros)),
        st.builds(CapturePayment, euros),
        st.builds(RefundPayment, euros),
        st.builds(DisputePayment, euros),
        st.builds(ResolveDispute, st.booleans()),
        st.builds(ApplyPayment, st.just(ApplicationTarget.ORDER), order, euros),
    ),
    *on(st.just("ann"), st.builds(SetCreditLimit, st.one_of(st.none(), euros))),
)
Troubles = tuple[list[Any], list[Any], list[Any]]
OTHERS = ("duplicate", "twice")
#: A duplicate sale and money moved twice are faults of the other side that nobody here can mend.
TROUBLES = st.tuples(
    *[
        st.lists(st.one_of(st.none(), st.sampled_from([each for each in kind if each.value not in OTHERS])), max_size=9)
        for kind in (CarrierFailure, NotifierFailure, PaymentFailure)
    ]
)
GROUPS = st.lists(COMMANDS, min_size=1, max_size=6)


class Agreement(RuleBasedStateMachine):
    """The three shops, and a number for each command so that ids are the same everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.file = SqliteStorage(self.folder / "shop.db", WORKFLOW.machines.values(), exclusive=True)
        self.clock = FixedClock(NOON)
        self.count = 0

    def shop(self, storage: Any, troubles: Troubles) -> OrderFlow:
        """A shop on this storage, its clock and ids fixed, its adapters in trouble."""
        return OrderFlow(
            lawful(storage, WORKFLOW),
            workflow=WORKFLOW,
            carriers=[MemoryCarrier(script=troubles[0]), MemoryCarrier("post", script=troubles[0])],
            notifier=MemoryNotifier(troubles[1]),
            providers=[MemoryProvider("card", script=troubles[2])],
            clock=self.clock,
            ids=SequenceIds(),
            settings=PLANS,
        )

    @initialize(tea=few, cups=few, troubles=TROUBLES, steps=st.integers(0, 4))
    def open(self, tea: int, cups: int, troubles: Troubles, steps: int) -> None:
        """Goods are there, and two orders are in."""
        stored = (MemoryStorage(), MemoryStorage(), self.file)
        self.shops = self.single, self.grouped, self.durable = [self.shop(each, troubles) for each in stored]
        for shop in self.shops:
            shop.record_party("ann", Person("Ann", email="ann@example.org"))
        goods = [(f"{sku}@{where}", ReceiveGoods(4)) for sku in ("TEA", "CUP") for where in ("main", "shop")]
        self.handle([*goods, *((order_, PlaceOrder(content(order_, tea, cups))) for order_ in ORDERS)])
        for _ in range(steps):
            self.go_on("O1")
            self.go_on("O2")

    @rule(group=GROUPS)
    def handle(self, group: list[tuple[str, Any]]) -> None:
        """A group of commands has the same outcomes in one commit and in many."""
        asked = [Request(row, command, f"c{self.count + at}") for at, (row, command) in enumerate(group)]
        self.count += len(group)
        self.clock.advance(timedelta(minutes=1))
        answers = [shop_one(self.single, do) for do in asked]
        self.agree([[*map(told, answers)], *self.in_groups(asked)])
        for do, answer in zip(asked, answers, strict=True):
            if isinstance(do.command, FACTS) and isinstance(answer, CommandRefused):
                assert answer.codes[0] in UNSOUND or "Absent" in str(answer), (do, answer)

    @rule(group=GROUPS)
    def repeat(self, group: list[tuple[str, Any]]) -> None:
        """The same commands under known ids give the first answers or a mismatch, and change nothing."""
        asked = [Request(row, command, f"c{self.count - 1}") for row, command in group]
        self.agree([[*map(told, [shop_one(self.single, do) for do in asked])], *self.in_groups(asked)])

    @rule(order_=order)
    def go_on(self, order_: str) -> None:
        """An order goes on by itself to the same place, and its parcel by the hands that it waits for."""
        self.agree([shop.advance(order_) for shop in self.shops])
        self.relay()
        hands = (PackShipment(500, 1), HandOver(), RecordTracking("h", TrackingStatus.IN_TRANSIT))
        self.handle([(f"{order_}/1", command) for command in hands])

    @rule()
    def relay(self) -> None:
        """Effects are carried out the same."""
        self.agree([shop.relay() for shop in self.shops])

    @rule()
    def tend(self) -> None:
        """Clerks' routines do the same: promises end, returns settle, dead letters are tried again."""
        self.clock.advance(timedelta(hours=7))
        self.agree([[*map(told, shop.expire()), *map(told, shop.advance_returns())] for shop in self.shops])
        self.agree([sorted(shop.effects.requeue_all()) for shop in self.shops])

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
        """The adapters recover, and everything ends well; then close and remove the file."""
        try:
            if hasattr(self, "shops"):
                self.end_well()
        finally:
            self.file.close()
            shutil.rmtree(self.folder)

    def end_well(self) -> None:
        """Nothing is left to do, no label is lost, and the file passes its verification."""
        for _ in range(40):
            self.clock.advance(timedelta(hours=7))
            self.agree([sorted(shop.effects.requeue_all()) for shop in self.shops])
            self.agree([shop.relay() for shop in self.shops])
        for shop in self.shops:
            assert labels_lost(shop) == set()
        self.file.close()
        with SqliteAudit(self.folder / "shop.db", WORKFLOW.machines.values()) as source:
            report = verify(source, WORKFLOW)
        assert report.violations == 0, [finding for finding in report.findings if finding.violations]


def labels_lost(shop: OrderFlow) -> set[str]:
    """Numbers of labels that were sold, are on no parcel and were not given back."""
    lost: set[str] = set()
    for carrier in shop._ports.carriers.values():
        assert isinstance(carrier, MemoryCarrier)
        lost |= {label.tracking_number for label in carrier.sold} - carrier.voided
    for row in shop.rows("shipment").find():
        parcel = row.state
        label = parcel.carriage.label if isinstance(parcel, Left) else getattr(parcel, "label", None)
        lost -= {label.tracking_number} if label else set()
    return lost


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
TestAgreement.settings = settings(max_examples=40, stateful_step_count=50)
