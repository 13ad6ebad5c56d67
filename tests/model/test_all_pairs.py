"""Every state of every machine against every command: a row, or a refusal that changes nothing."""

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

from orderflow.domain import credit as cn
from orderflow.domain import customer as cu
from orderflow.domain import party as pa
from orderflow.domain import returns as rt
from orderflow.domain.allocation import Pick
from orderflow.domain.invoice import messages as inv
from orderflow.domain.keys import PartyRef
from orderflow.domain.machine import ABSENT, Machine
from orderflow.domain.money import Money
from orderflow.domain.order import messages as om
from orderflow.domain.order.values import (
    AllocateAt,
    Basket,
    By,
    Gate,
    Hold,
    HoldReason,
    InvoiceBasis,
    LineKind,
    OrderLine,
    Policy,
    Units,
)
from orderflow.domain.payment import messages as pm
from orderflow.domain.price import Price
from orderflow.domain.records import account as ac
from orderflow.domain.records import intake as it
from orderflow.domain.records import series as se
from orderflow.domain.records import stock_note as sn
from orderflow.domain.shipment import messages as sm
from orderflow.domain.stamp import Stamp
from orderflow.domain.standard import standard_book
from orderflow.domain.stock import messages as sk
from orderflow.domain.tax import TaxCategory, TaxPolicy
from orderflow.errors import CommandRefused, InputError
from orderflow.testing.machine_tests import PairsBroken, all_pairs, fold
from orderflow.testing.strategies import message

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
STAMP = Stamp(NOON, "tester", "c")
LATER = Stamp(NOON + timedelta(days=400), "tester", "d")
BOOK = standard_book()
ANN = PartyRef("ann", 1)
FREE = TaxCategory.of("Z", 0)
TEN = Money(10, "EUR")
PICK = (Pick(1, "main", 1),)
ONE = (Units(1, 1),)
ITEM = sm.Item("O", 1, "main", 1)
INVOICE, CARD = pm.AllocationTarget.INVOICE, pm.Origin("card", "ch_1", "ann", "card", authorises=True)


def basket(kind: LineKind = LineKind.GOODS, **policy: Any) -> Basket:
    """Two units, free of tax."""
    line = OrderLine.of(1, "TEA", 2, Price.of("0.10", "EUR"), FREE, kind=kind)
    return Basket("EUR", (line,), TaxPolicy(), "ann", bill_to=ANN, policy=Policy(**policy))


def content(minor: int) -> inv.Content:
    """What an invoice of one line says."""
    lines = (inv.InvoiceLine("O", 1, 1, minor, FREE),)
    return inv.Content("inv", "ann", ANN, "EUR", lines, TaxPolicy(), date(2026, 4, 1))


#: Of every machine, commands that together lead to each of its states.
COMMANDS: dict[str, tuple[Any, ...]] = {
    "customer": (
        cu.RegisterCustomer(ANN),
        cu.ChangeParty(PartyRef("ann", 2)),
        cu.TagCustomer(("vip",)),
        cu.BlockCustomer("unpaid"),
        cu.UnblockCustomer(),
        cu.CloseCustomer(),
    ),
    "party": (
        pa.RecordParty(pa.Person("Ann")),
        pa.RecordParty(pa.Person("Ann"), retain_until=date(2027, 1, 1)),
        pa.ErasePartyVersion(),
    ),
    "return": (rt.ReceiveReturn("main", loose=(rt.Loose("TEA", 1),)), rt.ReceiveReturn("main"), rt.SettleReturn("cn")),
    "credit_note": (
        cn.DraftCreditNote(
            cn.CreditTerms("cn", "ann", ANN, "EUR", (cn.CreditLine(1, "TEA", 1, 10, FREE),), TaxPolicy(), NOON.date())
        ),
        cn.IssueCreditNote("1"),
    ),
    "shipment": (
        sm.PlanShipment((ITEM,)),
        sm.PlanShipment((ITEM,), sm.Plan(needs_label=False)),
        sm.PackShipment(0, 1),
        sm.RecordLabel(sm.ShippingLabel("post", "parcel", "T-1")),
        sm.DropItems((ITEM,)),
        sm.DropCancelledItems((ITEM,)),
        sm.VoidLabel(),
        sm.HandOver(),
        sm.RecordTracking("t", sm.TrackingStatus.INFO),
        sm.RecordDelivered("d"),
        sm.RecordReturning("r", sm.ReturnReason.REFUSED),
        sm.ReceiveBack("main"),
        sm.DeclareLost(),
        sm.VoidShipment(),
    ),
    "order": (
        om.PlaceOrder(basket()),
        om.PlaceOrder(basket(invoice_basis=InvoiceBasis.ORDERED)),
        om.PlaceOrder(basket(LineKind.SERVICE)),
        om.PlaceOrder(basket(allocate_at=AllocateAt.PLACED)),
        om.OpenDraft(basket()),
        om.EditDraft(basket()),
        om.DiscardDraft(),
        om.ConfirmOrder(),
        om.UnconfirmOrder(),
        om.AllocateStock(PICK),
        om.AllocateStock(PICK, until=NOON),
        om.AllocateStock(backorder=PICK),
        om.FillBackorder(PICK),
        om.ReleaseStock(PICK),
        om.ExpireAllocation(),
        om.PrepareShipment("S", PICK),
        om.CancelPreparation("S", PICK),
        om.ShortPick("S", PICK),
        om.DispatchShipment("S", PICK),
        om.RecordDelivery("S", ONE),
        om.RecordReturn("r", ONE, "main"),
        om.RecordReturn("S", ONE, "main", brought=True),
        om.ResolveLoss(ONE),
        om.CancelUnits("not wanted", By.CUSTOMER, ONE),
        om.BillUnits("I", "inv"),
        om.RecordCredit("cn", ONE),
        om.RecordUnbilling("I", ONE),
        om.RecordSettlement("I"),
        om.RecordPrepayment("p", 10, "EUR"),
        om.CompleteOrder(),
        om.PlaceHold(Hold(HoldReason.MANUAL, Gate.COMPLETE)),
        om.ReleaseHold(HoldReason.MANUAL, Gate.COMPLETE),
        om.AnnotateOrder(add=("gift",)),
    ),
    "intake": (it.AcceptDocument("order", "O"), it.RejectDocument(1, ("bad",))),
    "payment": (
        pm.ExpectPayment(CARD, TEN),
        pm.ExpectPayment(evolve(CARD, authorises=False), TEN),
        pm.AuthorisePayment(TEN),
        pm.CapturePayment(Money(5, "EUR")),
        pm.RecordPayment(evolve(CARD, authorises=False), TEN),
        pm.AllocatePayment(INVOICE, "I", Money(5, "EUR")),
        pm.DeallocatePayment(INVOICE, "I", Money(5, "EUR")),
        pm.RefundPayment(Money(5, "EUR")),
        pm.ChargeBackPayment(Money(5, "EUR")),
        pm.DisputePayment(Money(5, "EUR")),
        pm.ResolveDispute(won=True),
        pm.MarkPending(pm.Operation.REFUND, Money(5, "EUR")),
        pm.MarkPending(pm.Operation.AUTHORISE, TEN),
        pm.MarkPending(pm.Operation.CAPTURE, Money(5, "EUR")),
        pm.ResolvePending(pm.Operation.REFUND, succeeded=True),
        pm.ResolvePending(pm.Operation.AUTHORISE, succeeded=True),
        pm.ResolvePending(pm.Operation.CAPTURE, succeeded=True),
        pm.ClosePayment(),
    ),
    "invoice": (
        inv.DraftInvoice(content(100)),
        inv.IssueInvoice("1"),
        inv.ApplyPayment("p", 50, "EUR"),
        inv.UnapplyPayment("p", 50, "EUR"),
        inv.ApplyCredit("cn", 50, "EUR"),
        inv.WriteOff(50, "bank fee"),
        inv.MarkSent(),
        inv.VoidInvoice("mistaken"),
    ),
    "account": (
        ac.TakeExposure("O", TEN),
        ac.Post(ac.Posting.INVOICE, "I", TEN),
        ac.SetCreditLimit(TEN),
        ac.BlockAccount("unpaid"),
        ac.UnblockAccount(),
    ),
    "series": (
        se.OpenSeries("INV-"),
        se.AllotNumber("invoice", "I", date(2026, 4, 1)),
        se.ClosePeriod(date(2026, 3, 31)),
    ),
    "stock_note": (
        sn.PostReceipt((sn.Moved("TEA", "main", 1),)),
        sn.PostAdjustment((sn.Change("TEA", "main", -1),)),
        sn.PostTransfer((sn.Moved("TEA", "main", 1),), "shop"),
    ),
    "stock": (
        sk.ReceiveGoods(1),
        sk.ExpectGoods(1),
        sk.Allocate(1),
        sk.Release(1),
        sk.Backorder(1),
        sk.DropBackorder(1),
        sk.Ship(1),
        sk.Restock(1),
        sk.MarkUnavailable(1),
        sk.PickShort(1),
        sk.Restore(1),
        sk.TransferOut(1),
        sk.TransferIn(1),
        sk.Adjust(1),
        sk.CountStock(0),
    ),
}

#: Rows that stand by the law, yet whose guards refuse in every state that can be reached.
NEVER_OPEN = {
    ("order", "Confirmed", "FillBackorder"),
    ("order", "Completed", "ResolveLoss"),
    ("intake", "Accepted", "AcceptDocument"),
}
KINDS = sorted(BOOK.machines)
#: What reactions tell an account follows from the state of an order: they alone know how much.
KNOWING = {ac.Post, ac.TakeExposure}
DRAWN = {
    kind: st.one_of(*[message(command) for command in machine.commands if command not in KNOWING])
    for kind, machine in BOOK.machines.items()
}
MOST_OF_A_CLASS = 60


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
    return reached(BOOK.machines[kind], COMMANDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_takes_or_refuses_every_command(kind: str) -> None:
    """A command without a row is refused as not_now or not_found; a row is taken, or its guards say why not."""
    machine = BOOK.machines[kind]
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
    machine = BOOK.machines[kind]
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
        all_pairs(
            BOOK.machines["party"], [pa.Erased(), pa.PartyVersion(pa.Person(), "", None)], COMMANDS["party"], STAMP
        )


def test_a_machine_whose_code_leaves_its_table_is_found() -> None:
    """A step that goes where no row leads is reported with its pair."""

    class Loose(Machine):
        def step(self, state: Any, command: Any, stamp: Stamp) -> tuple[Any, Any]:
            return pa.PartyErased(), pa.Erased()

    party = BOOK.machines["party"]
    loose = Loose(
        "party", commands=party.commands, events=party.events, rules=party.rules, final=party.final, check=party.check
    )
    samples = reached(party, COMMANDS["party"])
    with pytest.raises(PairsBroken, match="RecordParty in state Absent led off the table to Erased"):
        all_pairs(loose, samples, COMMANDS["party"], STAMP)


def test_a_machine_that_explains_otherwise_than_it_steps_is_found() -> None:
    """What explain says and what step does are the same."""

    class Silent(Machine):
        def explain(self, state: Any, command: Any, stamp: Stamp) -> tuple[Any, ...]:
            return ()

    party = BOOK.machines["party"]
    silent = Silent(
        "party", commands=party.commands, events=party.events, rules=party.rules, final=party.final, check=party.check
    )
    with pytest.raises(PairsBroken, match="step and explain disagree"):
        all_pairs(silent, reached(party, COMMANDS["party"]), COMMANDS["party"], STAMP)


def test_folding_a_journal_gives_the_state() -> None:
    """The events of a life, folded from nothing, give its state."""
    stock = BOOK.machines["stock"]
    state, events = ABSENT, []
    for command in (sk.ReceiveGoods(3), sk.Allocate(2), sk.Ship(1), sk.CountStock(0)):
        event, state = stock.step(state, command, STAMP)
        events.append(event)
    assert fold(stock, events) == state
