"""Every state of every machine against every command: a rule, or a refusal that changes nothing."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.billing.account import BlockAccount, Post, Posting, ReserveCredit, SetCreditLimit, UnblockAccount
from orderflow.domain.billing.credit_note import (
    AccountLine,
    CreditItem,
    CreditNoteContent,
    DraftCreditNote,
    IssueCreditNote,
    RecordCredited,
    ReleaseCreditUse,
    UseCredit,
)
from orderflow.domain.billing.invoice import DraftInvoice, IssueInvoice, MarkSent, VoidInvoice
from orderflow.domain.billing.invoice_credit import ApplyCredit, CreditedLine
from orderflow.domain.billing.invoice_money import (
    RecordApplication,
    RecordCreditUse,
    RecordPrepaid,
    TakeBackWriteOff,
    WithdrawApplication,
    WriteOff,
)
from orderflow.domain.billing.invoice_state import InvoiceContent, InvoiceLine
from orderflow.domain.billing.numbering import AllotNumber, ClosePeriod, OpenSeries
from orderflow.domain.billing.prefixes import ClaimPrefix, ReleasePrefix
from orderflow.domain.engine.machine import ABSENT, Machine
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.intake import AcceptDocument, RejectDocument
from orderflow.domain.inventory.counting import (
    Adjust,
    CountStock,
    Discard,
    Quarantine,
    ReleaseQuarantine,
    RequestRecount,
)
from orderflow.domain.inventory.documents import PostAdjustment, PostReceipt, PostTransfer, SkuChange, SkuQuantity
from orderflow.domain.inventory.inspected import ClaimReturned, DiscardReturned, KeepReturned, ReleaseReturned
from orderflow.domain.inventory.reordering import SetReorderLevels
from orderflow.domain.inventory.stock import (
    Allocate,
    Backorder,
    DropBackorder,
    ExpectGoods,
    ReceiveGoods,
    Release,
    Restock,
    Ship,
    TransferIn,
    TransferOut,
)
from orderflow.domain.inventory.stock import TakeOutShort as TakeOutShort_stock
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxableLine, TaxCategory, TaxPolicy, totals
from orderflow.domain.orders.allocating import (
    AllocateStock,
    ExpireAllocation,
    FillBackorder,
    ReleaseStock,
    ReturnToQueue,
)
from orderflow.domain.orders.amending import ConfirmAmendment, DropAmendment, ProposeAmendment
from orderflow.domain.orders.annotating import AnnotateOrder
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.changes import Changes
from orderflow.domain.orders.content import (
    AllocateAt,
    CancelledBy,
    Gate,
    Hold,
    HoldReason,
    InvoiceBasis,
    LineKind,
    OrderContent,
    OrderLine,
    Policy,
)
from orderflow.domain.orders.crediting import RecordCredit, RecordUnbilling, UnbilledUnits
from orderflow.domain.orders.exceeding import AddExcess
from orderflow.domain.orders.holding import PlaceHold, ReleaseHold
from orderflow.domain.orders.lines import CreditedUnits
from orderflow.domain.orders.parcels import (
    OweAgain,
    RecordBack,
    RecordDelivery,
    RecordDeparture,
    RecordLoss,
    Reported,
    Stage,
)
from orderflow.domain.orders.placing import ConfirmOrder, DiscardDraft, EditDraft, OpenDraft, PlaceOrder, UnconfirmOrder
from orderflow.domain.orders.prepaying import (
    RecordAuthorisation,
    RecordCapture,
    RecordDue,
    RecordPrepayment,
    WithdrawPrepayment,
)
from orderflow.domain.orders.readdressing import ChangeAddress
from orderflow.domain.orders.reinstating import ReinstateOrder
from orderflow.domain.orders.returning import InspectedLine, RecordInspection, RecordRejection
from orderflow.domain.orders.shipping import CancelPreparation, DispatchShipment, Kept, PrepareShipment, TakeOutShort
from orderflow.domain.parties.customer import (
    BlockCustomer,
    ChangeParty,
    CloseCustomer,
    RegisterCustomer,
    TagCustomer,
    UnblockCustomer,
)
from orderflow.domain.parties.merging import MergeCustomers, RecordMerge
from orderflow.domain.parties.party import Erased, ErasePartyVersion, PartyErased, PartyVersion, Person, RecordParty
from orderflow.domain.parties.profile import (
    NoteCustomer,
    RecordConsent,
    RemoveAddress,
    RemoveContact,
    SetAddress,
    SetContact,
    SetSpecialRequests,
)
from orderflow.domain.payments.applying import ApplyPayment, ReleaseApplication, UnapplyPayment
from orderflow.domain.payments.collecting import (
    AuthorisePayment,
    CapturePayment,
    ClosePayment,
    EndAuthorisation,
    ExpectPayment,
    RecordPayment,
)
from orderflow.domain.payments.facts import ClosePaymentTask
from orderflow.domain.payments.pending import RequestOperation, ResolvePending
from orderflow.domain.payments.refunding import ChargeBackPayment, DisputePayment, RefundPayment, ResolveDispute
from orderflow.domain.payments.state import ApplicationTarget, Operation, PaymentSource
from orderflow.domain.returns.inspecting import (
    CloseShort,
    InspectedUnits,
    InspectedUnmatched,
    InspectReturn,
    SettleReturn,
)
from orderflow.domain.returns.receiving import LooseUnits, ReceiveReturn, RecordLoose, ReturnedUnits, UnmatchedReturn
from orderflow.domain.returns.requesting import (
    AuthoriseReturn,
    CancelReturn,
    DeclineReturn,
    LinkExchange,
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
from orderflow.domain.shipping.choosing import ChooseCarrier
from orderflow.domain.shipping.labelling import ChangeCarrier, Readdress, RecordLabel, RequestLabel, VoidLabel
from orderflow.domain.shipping.leaving import HandOver, RecordAnswer, RecordDispatch, RecordLeftBehind, RecordOrderDate
from orderflow.domain.shipping.planning import (
    AddItems,
    DropCancelledItems,
    DropItems,
    PackShipment,
    PlanShipment,
    RecordOverPick,
    RecordShortPick,
    VoidShipment,
)
from orderflow.domain.shipping.rejecting import SendBack
from orderflow.domain.shipping.resolving import (
    ClearExpected,
    CloseShipmentTask,
    DeclareLost,
    ResupplyParcel,
    WriteOffParcel,
)
from orderflow.domain.shipping.returning import ReceiveBack, ReceiveReturned
from orderflow.domain.shipping.state import Back, Item, Plan, ReturnReason, ShippingLabel
from orderflow.domain.values import CreditIntent, InspectionOutcome, LineQuantity, PartyRef, Pick
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import CommandRefused, InputError
from orderflow.testing.machine_tests import PairsBroken, all_pairs, fold
from orderflow.testing.strategies import message

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
STAMP = Stamp(NOON, "tester", "c")
LATER = Stamp(NOON + timedelta(days=400), "tester", "d")
WORKFLOW = standard_workflow()
ANN = PartyRef("ann", 1)
FREE = TaxCategory.of("Z", 0)
TEN = Money(10, "EUR")
PICK = (Pick(1, "main", 1),)
ONE = (LineQuantity(1, 1),)
SENT = (Reported(1, Stage.SHIPPED, 1),)
ITEM = Item("O", 1, "main", 1)
INVOICE, CARD = ApplicationTarget.INVOICE, PaymentSource("card", "ch_1", "ann", "card", authorises=True)


def content(kind: LineKind = LineKind.GOODS, **policy: Any) -> OrderContent:
    """Two units, free of tax."""
    line = OrderLine.of(1, "TEA", 2, Price.of("0.10", "EUR"), FREE, kind=kind)
    return OrderContent("EUR", (line,), TaxPolicy(), "ann", bill_to=ANN, ship_to=ANN, policy=Policy(**policy))


def billed(minor: int) -> InvoiceContent:
    """What an invoice of one line says."""
    lines = (InvoiceLine("O", 1, 1, minor, FREE),)
    return InvoiceContent("inv", "ann", ANN, "EUR", lines, TaxPolicy(), date(2026, 4, 1))


def summed(minor: int) -> Any:
    """The sums of a document over so much, free of tax."""
    return totals([TaxableLine(minor, FREE)], TaxPolicy(), "EUR")


#: Of every machine, commands that together lead to each of its states.
COMMANDS: dict[str, tuple[Any, ...]] = {
    "customer": (
        RegisterCustomer(ANN),
        ChangeParty(PartyRef("ann", 2)),
        TagCustomer(("vip",)),
        BlockCustomer("unpaid"),
        UnblockCustomer(),
        CloseCustomer(),
        SetContact("accounts", ANN),
        RemoveContact("accounts"),
        SetAddress("office", ANN, default_billing=True),
        RemoveAddress("office"),
        NoteCustomer("asks for samples"),
        SetSpecialRequests(("no plastic",)),
        RecordConsent("news", granted=True),
        MergeCustomers("dup"),
        RecordMerge("dup", "kept", blocked=True),
    ),
    "party": (
        RecordParty(Person("Ann")),
        RecordParty(Person("Ann"), retain_until=date(2027, 1, 1)),
        ErasePartyVersion(),
    ),
    "return": (
        RequestReturn("O", (LineQuantity(1, 2),)),
        RequestReturn("O", (LineQuantity(1, 1),), goods_come_back=False),
        AuthoriseReturn(NOON + timedelta(days=500)),
        DeclineReturn("too late"),
        CancelReturn(),
        RecordReturnSent("T-1"),
        ReceiveReturn("main", unmatched=(UnmatchedReturn("TEA", 1),)),
        ReceiveReturn("main", (ReturnedUnits("O", 1, 1),)),
        ReceiveReturn("main", (ReturnedUnits("O", 1, 2),), usable=True, arrival="T-1"),
        ReceiveReturn("main"),
        ReceiveReturn("main", (ReturnedUnits("O", 1, 1, "S"),)),
        ReceiveReturn("main", (ReturnedUnits("O", 1, 2, "S"),), usable=True),
        RecordLoose("main", "S", (LooseUnits("O", 1, 1),), usable=False),
        RecordLoose("main", "S", (LooseUnits("O", 1, 1),), usable=True),
        InspectReturn((InspectedUnits(InspectionOutcome.RESTOCK, "main", "O", 1, 1),)),
        InspectReturn((InspectedUnits(InspectionOutcome.REJECT, "main", "O", 1, 1),)),
        InspectReturn(unmatched=(InspectedUnmatched(InspectionOutcome.REJECT, "main", "TEA", 1),)),
        CloseShort(),
        SettleReturn("cn"),
        LinkExchange("N"),
    ),
    "credit_note": (
        DraftCreditNote(
            CreditNoteContent("cn", "ann", ANN, "EUR", NOON.date(), (), (AccountLine(1, "TEA", 1, 10, FREE),))
        ),
        RecordCredited("O", "I", (CreditedLine(1, 1, 10, 0, 10, CreditIntent.KEPT),), summed(10)),
        IssueCreditNote("1"),
        UseCredit("I", 5),
        ReleaseCreditUse("I", 5),
    ),
    "shipment": (
        PlanShipment((ITEM,)),
        PlanShipment((ITEM,), Plan(needs_label=False)),
        PlanShipment((ITEM._replace(quantity=2),), Plan(needs_label=False)),
        PackShipment(0, 1),
        RecordShortPick((ITEM,)),
        RecordLabel(ShippingLabel("post", "parcel", "T-1")),
        DropItems((ITEM,)),
        DropCancelledItems((ITEM,)),
        VoidLabel(),
        HandOver(),
        ReceiveBack("main", units=(Back("O", 1, 1),)),
        RecordTracking("t", TrackingStatus.INFO),
        RecordDelivered("d"),
        RecordReturning("r", ReturnReason.REFUSED),
        ReceiveBack("main"),
        SendBack("r", "main", (Back("O", 1, 1),)),
        DeclareLost(),
        RecordLost("l"),
        WriteOffParcel(),
        ResupplyParcel((ITEM,)),
        RecordLeftBehind((ITEM,)),
        RecordDispatch(),
        RecordAnswer("O", PICK, ("on_hold",)),
        RecordOrderDate("O", NOON),
        ChooseCarrier(STAMP.command_id, "van", ""),
        ClearExpected(),
        CloseShipmentTask("count"),
        ReceiveReturned("main", units=(Back("O", 1, 1),), returned="R"),
        CloseShipmentTask("came_back_unsent"),
        VoidShipment(),
        RequestLabel(),
        ChangeCarrier("van", needs_label=False),
        Readdress(ANN, "GB"),
        RecordOverPick((ITEM,)),
        AddItems((ITEM._replace(line=9),)),
    ),
    "order": (
        PlaceOrder(content()),
        PlaceOrder(content(invoice_basis=InvoiceBasis.ORDERED, excess_percent=100)),
        PlaceOrder(content(LineKind.SERVICE)),
        PlaceOrder(content(allocate_at=AllocateAt.PLACED)),
        OpenDraft(content()),
        EditDraft(content()),
        DiscardDraft(),
        ConfirmOrder(),
        UnconfirmOrder(),
        AllocateStock(PICK),
        AllocateStock(PICK, until=NOON),
        AllocateStock(backorder=PICK),
        FillBackorder(PICK),
        ReleaseStock(PICK),
        ExpireAllocation(),
        PrepareShipment("S", PICK),
        CancelPreparation("S", (Kept(1, "main", 0),)),
        TakeOutShort("S", (Kept(1, "main", 0),)),
        DispatchShipment("S", PICK),
        RecordDeparture("S", PICK),
        RecordDelivery("S", SENT),
        RecordBack("S", "main", units=SENT),
        RecordBack("R", "main", recount=(1,)),
        RecordLoss("S", ONE),
        RecordInspection("r", (InspectedLine(1, "main", InspectionOutcome.DISCARD, 1),)),
        RecordRejection("r", "main", ONE),
        RecordRejection("r", "main", (), ONE),
        OweAgain("S", SENT),
        OweAgain("S", (Reported(1, Stage.DELIVERED, 1),), PICK),
        CancelUnits("not wanted", CancelledBy.CUSTOMER, ONE),
        ReinstateOrder(),
        ProposeAmendment(0, Changes(more=ONE), CancelledBy.CUSTOMER),
        ProposeAmendment(0, Changes(less=ONE), CancelledBy.CUSTOMER),
        ConfirmAmendment(1),
        DropAmendment(1),
        BillUnits("I", "inv"),
        RecordCredit("cn", "I", (CreditedUnits(1, 1, 10, 0),), (), 0),
        RecordUnbilling("I", (UnbilledUnits(1, 1, 10),), ()),
        RecordDue("I", 5),
        RecordPrepayment("p", 10, "EUR"),
        RecordCapture("p", 10, "EUR"),
        WithdrawPrepayment("p", 10),
        RecordAuthorisation("p", 10),
        CompleteOrder(),
        PlaceHold(Hold(HoldReason.MANUAL, Gate.COMPLETE)),
        ReleaseHold(HoldReason.MANUAL, Gate.COMPLETE),
        AnnotateOrder(add=("gift",)),
        ChangeAddress(ANN, "GB"),
        AddExcess("S", PICK),
        ReturnToQueue(PICK),
    ),
    "intake": (AcceptDocument("order", "O"), RejectDocument(1, ("bad",))),
    "payment": (
        ExpectPayment(CARD, TEN),
        ExpectPayment(evolve(CARD, authorises=False), TEN),
        AuthorisePayment(TEN),
        EndAuthorisation(),
        CapturePayment(Money(5, "EUR")),
        RecordPayment(evolve(CARD, authorises=False), TEN),
        ApplyPayment(INVOICE, "I", Money(5, "EUR")),
        UnapplyPayment(INVOICE, "I", Money(5, "EUR")),
        ReleaseApplication(INVOICE, "I", 5),
        RefundPayment(Money(5, "EUR")),
        ChargeBackPayment(Money(5, "EUR")),
        DisputePayment(Money(5, "EUR")),
        ResolveDispute(won=True),
        ResolveDispute(won=False),
        ClosePaymentTask("never_received"),
        RequestOperation(Operation.REFUND, Money(5, "EUR")),
        RequestOperation(Operation.AUTHORISE, TEN),
        RequestOperation(Operation.CAPTURE, Money(5, "EUR")),
        RequestOperation(Operation.VOID),
        ResolvePending(Operation.REFUND, succeeded=True),
        ResolvePending(Operation.AUTHORISE, succeeded=True),
        ResolvePending(Operation.CAPTURE, succeeded=True),
        ResolvePending(Operation.VOID, succeeded=True),
        ResolvePending(Operation.VOID, succeeded=False),
        ClosePayment(),
    ),
    "invoice": (
        DraftInvoice(billed(100), summed(100)),
        IssueInvoice("1"),
        RecordPrepaid("O", 50),
        RecordApplication("p", 50, "EUR"),
        WithdrawApplication("p", 50),
        ApplyCredit("cn", (CreditItem("I", 1, amount_minor=50),), "EUR", "ann"),
        RecordCreditUse("cn", 50, "EUR", "ann"),
        WriteOff(50, "bank fee"),
        TakeBackWriteOff(50, "it came"),
        MarkSent(),
        VoidInvoice("mistaken"),
    ),
    "account": (
        ReserveCredit("O", TEN),
        Post(Posting.INVOICE, "I", TEN),
        SetCreditLimit(TEN),
        BlockAccount("unpaid"),
        UnblockAccount(),
    ),
    "series": (
        OpenSeries("INV-"),
        AllotNumber("invoice", "I", date(2026, 4, 1)),
        ClosePeriod(date(2026, 3, 31)),
    ),
    "number_prefix": (
        ClaimPrefix("inv", "INV-"),
        ReleasePrefix(),
    ),
    "stock_document": (
        PostReceipt((SkuQuantity("TEA", "main", 1),)),
        PostAdjustment((SkuChange("TEA", "main", -1),)),
        PostTransfer((SkuQuantity("TEA", "main", 1),), "shop"),
    ),
    "stock": (
        ReceiveGoods(1),
        ExpectGoods(1),
        Allocate(1),
        Release(1),
        Backorder(1),
        DropBackorder(1),
        Ship(1, "O", 1),
        Ship(1, "O", 0),
        Restock(1),
        Quarantine(1),
        TakeOutShort_stock(1),
        ReleaseQuarantine(1),
        Restock(1, usable=False, in_return=True),
        ClaimReturned(1),
        KeepReturned(1),
        ReleaseReturned(1),
        DiscardReturned(1),
        TransferOut(1),
        TransferIn(1),
        Adjust(1),
        CountStock(0),
        Discard(1),
        RequestRecount(),
        SetReorderLevels(1, 2),
    ),
}

#: Rules that stand by the law, yet whose guards refuse in every state that can be reached.
NEVER_OPEN = {
    ("order", "Confirmed", "FillBackorder"),
    ("intake", "Accepted", "AcceptDocument"),
}
KINDS = sorted(WORKFLOW.machines)
#: What reactions tell an account follows from the state of an order: they alone know how much.
KNOWING = {Post, ReserveCredit}
DRAWN = {
    kind: st.one_of(*[message(command) for command in machine.commands if command not in KNOWING])
    for kind, machine in WORKFLOW.machines.items()
}
MOST_OF_A_CLASS = 200


def reached(machine: Machine, commands: Iterable[Any]) -> tuple[Any, ...]:
    """States the commands lead to: for each way a life begins, breadth first, a bounded number of each class."""
    tried = tuple(commands)
    first = {
        machine.step(ABSENT, command, STAMP)[1] for command in tried if not machine.explain(ABSENT, command, STAMP)
    }
    return tuple(dict.fromkeys(state for begun in first for state in _reached(machine, begun, tried)))


def _reached(machine: Machine, begun: Any, commands: tuple[Any, ...]) -> dict[Any, None]:
    found: dict[Any, None] = {begun: None}
    count = Counter[type[Any]]()
    waiting = deque([begun])
    while waiting:
        state = waiting.popleft()
        for command, stamp in product(commands, (STAMP, LATER)):
            if machine.explain(state, command, stamp):
                continue
            after = machine.step(state, command, stamp)[1]
            if after not in found and count[type(after)] < MOST_OF_A_CLASS:
                count[type(after)] += 1
                found[after] = None
                waiting.append(after)
    return found


@cache
def states_of(kind: str) -> tuple[Any, ...]:
    """Many states of a machine."""
    return reached(WORKFLOW.machines[kind], COMMANDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_takes_or_refuses_every_command(kind: str) -> None:
    """A command without a rule is refused as not_now or not_found; a rule is taken, or its guards say why not."""
    machine = WORKFLOW.machines[kind]
    pairs = all_pairs(machine, states_of(kind), COMMANDS[kind], LATER)
    classes = len(machine.states) * len(machine.commands)
    assert len(pairs.stepped) + len(pairs.guarded) + len(pairs.refused) == classes
    print(f"{kind}: {len(pairs.stepped)} taken, {len(pairs.guarded)} guarded, {len(pairs.refused)} refused")
    shut = {(kind, state.__name__, command.__name__) for state, command in pairs.guarded}
    assert shut == {pair for pair in NEVER_OPEN if pair[0] == kind}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_no_command_breaks_a_machine(kind: str, data: st.DataObject) -> None:
    """Whatever a well-formed command says, a state takes it, refuses it with a reason, or finds a sum too large."""
    machine = WORKFLOW.machines[kind]
    state, command = data.draw(st.tuples(st.sampled_from((ABSENT, *states_of(kind))), DRAWN[kind]))
    try:
        event, after = machine.step(state, command, STAMP)
    except (CommandRefused, InputError):
        return
    assert fold(machine, [event], state) == after


# -- the kit itself


def test_a_class_without_a_sample_is_named() -> None:
    """All pairs are all only if every state class and every command class has a sample."""
    with pytest.raises(PairsBroken, match="no sample of Restricted"):
        all_pairs(WORKFLOW.machines["party"], [Erased(), PartyVersion(Person(), "", None)], COMMANDS["party"], STAMP)


def test_a_machine_whose_code_leaves_its_table_is_found() -> None:
    """A step that goes where no rule leads is reported with its pair."""

    class Loose(Machine):
        def step(self, state: Any, command: Any, stamp: Stamp) -> tuple[Any, Any]:
            return PartyErased(), Erased()

    party = WORKFLOW.machines["party"]
    loose = Loose("party", rules=party.rules, final=party.final, check=party.check)
    samples = reached(party, COMMANDS["party"])
    with pytest.raises(PairsBroken, match="RecordParty in state Absent led to Erased, which is not in the table"):
        all_pairs(loose, samples, COMMANDS["party"], STAMP)


def test_a_machine_that_explains_otherwise_than_it_steps_is_found() -> None:
    """What explain says and what step does are the same."""

    class Silent(Machine):
        def explain(self, state: Any, command: Any, stamp: Stamp) -> tuple[Any, ...]:
            return ()

    party = WORKFLOW.machines["party"]
    silent = Silent("party", rules=party.rules, final=party.final, check=party.check)
    with pytest.raises(PairsBroken, match="step and explain disagree"):
        all_pairs(silent, reached(party, COMMANDS["party"]), COMMANDS["party"], STAMP)


def test_folding_a_journal_gives_the_state() -> None:
    """The events of a life, folded from nothing, give its state."""
    stock = WORKFLOW.machines["stock"]
    state, events = ABSENT, []
    for command in (ReceiveGoods(3), Allocate(2), Ship(1, "O", 1), CountStock(0)):
        event, state = stock.step(state, command, STAMP)
        events.append(event)
    assert fold(stock, events) == state
