"""The bounded walks: order x stock x shipment x invoice on the shipped code, every law held in every world."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Any

import pytest
from attrs import evolve

from orderflow.domain.billing.credit_note import AccountLine, CreditItem, CreditNoteContent, DraftCreditNote, UseCredit
from orderflow.domain.billing.invoice import MarkSent, VoidInvoice
from orderflow.domain.billing.invoice_money import TakeBackWriteOff, WriteOff
from orderflow.domain.billing.invoice_state import Void
from orderflow.domain.engine.decide import Loaded, Message, Read
from orderflow.domain.engine.machine import ABSENT, Machine, Rule
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Effect, Send, Workflow
from orderflow.domain.inventory.counting import CountStock
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
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
from orderflow.domain.orders.cancelling import CancelUnits, OrderCancelled
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
from orderflow.domain.orders.exceeding import AddExcess
from orderflow.domain.orders.holding import PlaceHold, ReleaseHold
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.parcels import OweAgain, RecordDeparture, RecordLoss, UnitsReturned
from orderflow.domain.orders.placing import ConfirmOrder, DiscardDraft, EditDraft, OpenDraft, PlaceOrder, UnconfirmOrder
from orderflow.domain.orders.prepaying import RecordAuthorisation, RecordCapture
from orderflow.domain.orders.readdressing import ChangeAddress
from orderflow.domain.orders.reinstating import ReinstateOrder
from orderflow.domain.orders.returning import RecordInspection, RecordRejection
from orderflow.domain.orders.state import Completed, Draft
from orderflow.domain.payments.applying import ApplyPayment, UnapplyPayment
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.payments.refunding import ChargeBackPayment
from orderflow.domain.payments.state import ApplicationTarget, PaymentSource
from orderflow.domain.returns.receiving import ReceiveReturn, ReturnedUnits
from orderflow.domain.shipping.carriage import (
    RecordDelivered,
    RecordLost,
    RecordReturning,
    RecordTracking,
    TrackingStatus,
)
from orderflow.domain.shipping.choosing import ChooseCarrier
from orderflow.domain.shipping.labelling import ChangeCarrier, Readdress, RecordLabel, RequestLabel, VoidLabel
from orderflow.domain.shipping.leaving import HandOver, RecordDispatch, RecordLeftBehind, RecordOrderDate
from orderflow.domain.shipping.planning import (
    AddItems,
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
from orderflow.domain.shipping.state import (
    Item,
    Plan,
    Planned,
    ReturnReason,
    ShippingLabel,
)
from orderflow.domain.values import CreditIntent, LineQuantity, PartyRef, Pick, stock_key
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import Key
from orderflow.flows import relay
from orderflow.runtime import run
from orderflow.testing.explore import Carry, Counterexample, Exploration, World, explore

ANN = PartyRef("ann", 1)
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
STAMP = Stamp(NOON, "walker", "c")
ORDER_KEY = Key("main", "order", "O")
TEA, CUP = stock_key("main", "TEA", "main"), stock_key("main", "CUP", "main")
S1, S2 = Key("main", "shipment", "S1"), Key("main", "shipment", "S2")
I1, I2 = Key("main", "invoice", "I1"), Key("main", "invoice", "I2")
SERIES_KEY = Key("main", "series", "inv")
USUAL = Policy()
FREE = TaxCategory.of("Z", 0)
SCAN = RecordTracking("t", TrackingStatus.IN_TRANSIT)
LABEL = RecordLabel(ShippingLabel("post", "parcel", "T-1"))
WORKFLOW = standard_workflow().only(
    "return", "credit_note", "payment", "shipment", "order", "invoice", "series", "account", "stock"
)
P = Key("main", "payment", "P")

# -- the small shop


def content(*quantities: int, policy: Policy = USUAL) -> OrderContent:
    """An order of TEA and CUP, without a customer's account."""
    lines = [
        OrderLine.of(number, sku, quantity, Price.of("1.00", "EUR"), FREE)
        for number, (sku, quantity) in enumerate(zip(("TEA", "CUP"), quantities, strict=False), start=1)
    ]
    return OrderContent("EUR", tuple(lines), TaxPolicy(), bill_to=ANN, ship_to=ANN, policy=policy)


def told(key: Key, *commands: Any) -> list[Send]:
    """Commands for one row."""
    return [Send(key, command) for command in commands]


def pick(line: int, quantity: int = 1) -> tuple[Pick, ...]:
    """Units of a line at the only location."""
    return (Pick(line, "main", quantity),)


def order_commands(lines: int, *places: PlaceOrder) -> list[Send]:
    """What the small shop tells its order, one unit at a time."""
    each = [
        command
        for line in range(1, lines + 1)
        for command in (
            AllocateStock(pick(line)),
            AllocateStock(backorder=pick(line)),
            FillBackorder(pick(line)),
            ReleaseStock(pick(line)),
            CancelUnits("not wanted", CancelledBy.CUSTOMER, (LineQuantity(line, 1),)),
        )
    ]
    whole = (ConfirmOrder(), UnconfirmOrder(), CancelUnits("not wanted", CancelledBy.CUSTOMER), CompleteOrder())
    return told(ORDER_KEY, *places, *whole, *each)


def hold_commands(gate: Gate) -> list[Send]:
    """One hold, placed and released."""
    return told(ORDER_KEY, PlaceHold(Hold(HoldReason.MANUAL, gate)), ReleaseHold(HoldReason.MANUAL, gate))


def bill_commands(*invoices: Key) -> list[Send]:
    """Invoices for what is billable, each id once."""
    return [Send(ORDER_KEY, BillUnits(key.id, "inv")) for key in invoices]


def shipment_commands(key: Key, label: bool, *items: tuple[int, int], resolved: bool = False) -> list[Send]:
    """One shipment's life, with each of ``items`` (line, quantity) as what may be planned."""
    plan = Plan(carrier="post", needs_label=label)
    plans = [PlanShipment((Item("O", line, "main", quantity),), plan) for line, quantity in items]
    one = Item("O", items[0][0], "main", 1)
    parcel = (PackShipment(0, 1), RecordShortPick((one,)), HandOver(), VoidShipment())
    route = (RecordDelivered("d"), RecordReturning("r", ReturnReason.REFUSED), ReceiveBack("main"))
    labels = (LABEL, VoidLabel()) if label else ()
    lost = (DeclareLost(), WriteOffParcel((one,)), ResupplyParcel((one,))) if resolved else (DeclareLost(),)
    return told(key, *plans, *parcel, *labels, *route, *lost, DropItems((one,)))


def sent_commands(key: Key, *items: tuple[int, int]) -> list[Send]:
    """One shipment with a label that is packed, sent and arrives, or is given up; units may be taken out of it."""
    unwanted = (RecordReturning, ReceiveBack, DeclareLost)
    return [send for send in shipment_commands(key, True, *items) if not isinstance(send.command, unwanted)]


def short_commands(key: Key, *items: tuple[int, int]) -> list[Send]:
    """A shipment without a label that goes straight to its end."""
    plans = [PlanShipment((Item("O", line, "main", quantity),), Plan(needs_label=False)) for line, quantity in items]
    return told(key, *plans, PackShipment(0, 1), HandOver(), RecordDelivered("d"))


def carried(world: World, effect: Effect) -> list[Send]:
    """What the shipped relay answers an effect with."""

    def answer(request: Any) -> Any:
        return {key: Loaded(1, world[key]) for key in request.keys} if isinstance(request, Read) else NOON

    return [Send(*told) for told in run(relay._COMMANDS[effect.topic](Message("m", *effect)), answer)]


CARRY: dict[str, Carry] = {"drop_items": carried, "request_operation": carried}

# -- the laws across rows


def planned_shipments_are_what_orders_prepare(world: World) -> str | None:
    """What stands in a planned shipment is preparing in its order, or the order's message to drop it is on its way."""
    dropping = {
        (effect.lane.id, dict(effect.data)["order"]) for effect in world.pending if effect.topic == "drop_items"
    }
    preparing: Counter[tuple[str, str, int]] = Counter()
    for key, order in world.of("order"):
        if not isinstance(order, Draft):
            for line, vector in enumerate(order.progress.lines, start=1):
                for place in vector.preparing:
                    preparing[place.shipment, key.id, line] += place.quantity
    for key, shipment in world.of("shipment"):
        for item in shipment.items if isinstance(shipment, Planned) else ():
            kept = preparing[key.id, item.order, item.line]
            if kept != item.quantity and (key.id, item.order) not in dropping:
                return f"{key} holds {item.quantity} of line {item.line}, of which {kept} are prepared"
    return None


def billed_once(world: World) -> str | None:
    """Units of a line on invoices that stand are its billed units; less those credited, never more than ordered."""
    billed: Counter[tuple[str, int]] = Counter()
    for _, invoice in world.of("invoice"):
        if not isinstance(invoice, Void):
            billed.update({(line.order, line.line): line.quantity for line in invoice.content.lines})
    for key, order in world.of("order"):
        if isinstance(order, Draft):
            continue
        for line, v in zip(order.content.lines, order.progress.lines, strict=True):
            if v.invoiced != billed[key.id, line.line]:
                return f"line {line.line}: {v.invoiced} billed, invoices say {billed[key.id, line.line]}"
            if v.invoiced - v.credited > line.quantity:
                return f"line {line.line}: more is billed than was ordered"
    return None


def numbers_are_gapless(world: World) -> str | None:
    """I18: invoices are numbered 1 to n, and the series gives n + 1 next."""
    numbers = sorted(int(invoice.number.removeprefix("inv#")) for _, invoice in world.of("invoice"))
    series = world[SERIES_KEY]
    following = series.next if series is not ABSENT else 1
    return None if numbers == list(range(1, following)) else f"numbers {numbers}, next {following}"


def completed_owes_nothing(world: World) -> str | None:
    """A completed order has no unit left to send; one on its way left though it had been cancelled."""
    for key, order in world.of("order"):
        if isinstance(order, Completed):
            for v in order.progress.lines:
                if v.open or v.backordered or v.allocated or v.preparing:
                    return f"{key} is completed with {v}"
    return None


LAWS = (
    planned_shipments_are_what_orders_prepare,
    billed_once,
    numbers_are_gapless,
    completed_owes_nothing,
)


def alphabet(commands: list[Send], most_on_hand: int) -> Any:
    """The commands a world may try: ids in order, and goods received while few are there."""
    needs = {S2: S1, I2: I1}

    def tried(world: World) -> Iterable[Send]:
        for command in commands:
            before = needs.get(command.key)
            if before is None or world[before] is not ABSENT:
                yield command
        for key in (TEA, CUP):
            row = world[key]
            if isinstance(row, StockLevel) and row.on_hand < most_on_hand:
                yield Send(key, ReceiveGoods(1))

    return tried


def walk(commands: list[Send], tea: int, cup: int, most_on_hand: int = 0, **options: Any) -> Exploration:
    """A walk of the small shop that begins with this much stock."""
    start = {TEA: StockLevel(tea), CUP: StockLevel(cup)}
    tried = alphabet(commands, most_on_hand)
    options = {"carry": CARRY, **options}
    return explore(options.pop("workflow", WORKFLOW), start, tried, LAWS, stamp=STAMP, **options)


def parcels() -> Exploration:
    """2 units of TEA and 1 CUP, two shipments, a hold and an invoice: the walk the promise is about."""
    order = order_commands(2, PlaceOrder(content(2, 1)))
    shipments = sent_commands(S1, (1, 2)) + short_commands(S2, (2, 1))
    return walk(order + shipments + hold_commands(Gate.PREPARE) + bill_commands(I1), 2, 1, limit=500_000)


def documents() -> Exploration:
    """One unit through labels, tracking, a late return, payment, void and a second invoice."""
    money = told(I1, VoidInvoice("mistaken"), MarkSent()) + payment(100, (ApplicationTarget.INVOICE, "I1", 100))
    back = ReceiveReturn("main", (ReturnedUnits("O", 1, 1),), arrival="T")
    late = told(Key("main", "return", "R"), back)
    tracking = told(S1, RecordTracking("t", TrackingStatus.INFO))
    order = order_commands(1, PlaceOrder(content(1)))
    shipment = shipment_commands(S1, True, (1, 1))
    return walk(order + shipment + tracking + late + bill_commands(I1, I2) + money, 1, 0, limit=200_000)


def payment(minor: int, *targets: tuple[ApplicationTarget, str, int]) -> list[Send]:
    """One payment: received, applied to each target and taken off again, charged back."""
    euros = [(target, document, Money(part, "EUR")) for target, document, part in targets]
    received = RecordPayment(PaymentSource("bank", "1", "ann"), Money(minor, "EUR"))
    applied = [command(*target) for target in euros for command in (ApplyPayment, UnapplyPayment)]
    return told(P, received, *applied, ChargeBackPayment(Money(minor // 2, "EUR")))


def notes(note: str, *items: CreditItem) -> list[Send]:
    """A credit note over any one of these items."""
    ann, dated = PartyRef("ann", 1), NOON.date()
    contents = [CreditNoteContent("cn", "", ann, "EUR", dated, (item,)) for item in items]
    return told(Key("main", "credit_note", note), *[DraftCreditNote(each) for each in contents])


def money() -> Exploration:
    """Two units at 0.05 together and their tax, two bills, one of them void, two notes, a payment in two parts.

    The customer has an account; the order is billed as ordered, and may be cancelled unit by unit.
    """
    line = OrderLine.of(1, "TEA", 2, Price.of("0.05", "EUR", 2), TaxCategory.of("S", 20))
    policy = Policy(invoice_basis=InvoiceBasis.ORDERED)
    ordered = evolve(content(1, policy=policy), lines=(line,), customer="ann")
    one = (LineQuantity(1, 1),)
    order = told(
        ORDER_KEY,
        PlaceOrder(ordered),
        ConfirmOrder(),
        CompleteOrder(),
        CancelUnits("no", CancelledBy.CUSTOMER, one),
        *[BillUnits(invoice, "inv", units=one) for invoice in ("I1", "I2")],
    )
    first = [CreditItem("I1", 1, 1, intent=intent) for intent in CreditIntent]
    credited = [
        Send(send.key, DraftCreditNote(evolve(send.command.content, customer="ann")))
        for send in (*notes("N1", *first, CreditItem("I1", 1, amount_minor=1)), *notes("N2", CreditItem("I2", 1, 1)))
    ]
    paid = payment(6, (ApplicationTarget.ORDER, "O", 3), (ApplicationTarget.INVOICE, "I1", 3))
    voided = told(I1, VoidInvoice("mistaken"), WriteOff(1, "fee"))
    return walk(order + credited + paid + voided, 0, 0, carry={}, limit=400_000)


def on_account() -> Exploration:
    """Credit on account and write-offs that pay an invoice, and are free again when it is credited."""
    line = OrderLine.of(1, "TEA", 1, Price.of("0.03", "EUR"), FREE)
    policy = Policy(invoice_basis=InvoiceBasis.ORDERED)
    ordered = evolve(content(1, policy=policy), lines=(line,), customer="ann")
    order = told(ORDER_KEY, PlaceOrder(ordered), ConfirmOrder(), BillUnits("I1", "inv"))
    ann, dated = PartyRef("ann", 1), NOON.date()
    given = CreditNoteContent("cn", "ann", ann, "EUR", dated, on_account=(AccountLine(1, "GIFT", 1, 2, FREE),))
    part, whole = (CreditItem("I1", 1, amount_minor=1),), (CreditItem("I1", 1, 1),)
    taken = [CreditNoteContent("cn", "ann", ann, "EUR", dated, items) for items in (part, whole)]
    notes = told(Key("main", "credit_note", "N1"), DraftCreditNote(given), UseCredit("I1", 1))
    notes += told(Key("main", "credit_note", "N2"), *map(DraftCreditNote, taken))
    given_up = told(I1, WriteOff(1, "fee"), TakeBackWriteOff(1, "it came"))
    paid = payment(2, (ApplicationTarget.INVOICE, "I1", 1))
    return walk(order + notes + given_up + paid, 0, 0, carry={})


def fragments() -> Exploration:
    """Two units of one line in two shipments: partial dispatch, loss, re-supply, short picks, billed as they go."""
    order = order_commands(1, PlaceOrder(content(2)))
    shipments = shipment_commands(S1, False, (1, 1), (1, 2), resolved=True) + short_commands(S2, (1, 1))
    return walk(order + shipments + bill_commands(I1), 2, 0, limit=200_000)


def facts(units: int = 1) -> Exploration:
    """What the world tells of two parcels of one order, in whatever order, beside what is done by hand."""
    one = Item("O", 1, "main", 1)
    order = told(
        ORDER_KEY,
        PlaceOrder(content(units)),
        ConfirmOrder(),
        AllocateStock(pick(1)),
        CancelUnits("not wanted", CancelledBy.CUSTOMER, (LineQuantity(1, 1),)),
        CompleteOrder(),
    )
    heard = (
        SCAN,
        RecordDelivered("d"),
        RecordReturning("r", ReturnReason.REFUSED),
        RecordLost("l"),
        ReceiveBack("main"),
    )
    hands = (HandOver(), VoidShipment(), RecordDispatch(), DropItems((one,)))
    after = (WriteOffParcel(), ResupplyParcel(), ClearExpected(), CloseShipmentTask("count"))
    packing = (PlanShipment((one,), Plan(needs_label=False)), PackShipment(0, 1))
    first = told(S1, *packing, *heard, *hands, *after)
    second = told(S2, *packing, HandOver(), RecordDelivered("d"))
    return walk(order + first + second + bill_commands(I1), units, 0, limit=200_000)


def left_behind() -> Exploration:
    """A parcel that was handed over and, as its carrier says at any time, did not take its unit."""
    one = Item("O", 1, "main", 1)
    heard = (SCAN, RecordDelivered("d"), RecordReturning("r", ReturnReason.REFUSED), ReceiveBack("main"))
    hands = (PackShipment(0, 1), HandOver(), VoidShipment(), RecordLeftBehind((one,)))
    parcel = told(S1, PlanShipment((one,), Plan(needs_label=False)), *hands, *heard)
    return walk(order_commands(1, PlaceOrder(content(1))) + parcel + bill_commands(I1), 1, 0)


def beginnings() -> Exploration:
    """Drafts, holds on drafts, stock kept before confirmation, promises that run out, a stocktake."""
    early = content(2, policy=Policy(allocate_at=AllocateAt.PLACED))
    draft = (OpenDraft(early), EditDraft(evolve(early, number="7")), PlaceOrder(), DiscardDraft())
    expiring = (AllocateStock(pick(1), until=NOON), ExpireAllocation())
    hold = hold_commands(Gate.CONFIRM)
    order = order_commands(1, PlaceOrder(early)) + told(ORDER_KEY, *draft, *expiring)
    return walk(order + hold + short_commands(S1, (1, 1)) + told(TEA, CountStock(0), CountStock(2)), 2, 0)


def ordered_basis() -> Exploration:
    """Billed before anything has left, then cancelled or unconfirmed."""
    policy = Policy(invoice_basis=InvoiceBasis.ORDERED)
    undone = told(I1, VoidInvoice("mistaken")) + payment(200, (ApplicationTarget.INVOICE, "I1", 200))
    undone += told(ORDER_KEY, AnnotateOrder(add=("gift",)))
    order = order_commands(1, PlaceOrder(content(2, policy=policy)))
    return walk(order + short_commands(S1, (1, 1)) + short_commands(S2, (1, 1)) + bill_commands(I1, I2) + undone, 2, 0)


def settled_early() -> Exploration:
    """Two units, paid in advance, billed as ordered, credited one by one wherever the order is."""
    policy = Policy(invoice_basis=InvoiceBasis.ORDERED)
    order = order_commands(1, PlaceOrder(content(2, policy=policy)))
    early = payment(200, (ApplicationTarget.ORDER, "O", 200)) + notes("N1", CreditItem("I1", 1, 1))
    return walk(order + short_commands(S1, (1, 1), (1, 2)) + bill_commands(I1) + early, 2, 0)


def service() -> Exploration:
    """Nothing but a service: billed and completed without any goods."""
    line = OrderLine.of(1, "ADVICE", 1, Price.of("0", "EUR"), FREE, kind=LineKind.SERVICE)
    order = PlaceOrder(evolve(content(1), lines=(line,)))
    return walk(told(ORDER_KEY, order, ConfirmOrder(), CompleteOrder()) + bill_commands(I1), 0, 0)


#: The longest first, so that two processes end at about the same time.
WALKS = (
    facts, documents, fragments, left_behind, money, ordered_basis, parcels, settled_early, beginnings, on_account,
    service,
)  # fmt: skip

#: What is told in every state alike, of which small worlds reach some: cases try the states one by one (E04, U01, U09,
#: U11, U16, U24, returns, payments).
TRIED_BY_CASES = {
    *(RecordAuthorisation, RecordCapture),
    *(RecordDeparture, RecordLoss, OweAgain, RecordInspection, RecordRejection, ReinstateOrder),
    *(ProposeAmendment, ConfirmAmendment, DropAmendment, ChangeAddress, Readdress),
    *(RecordOverPick, AddExcess, AddItems),
    *(RecordTracking, RecordDelivered, RecordReturning, RecordLost, ReceiveBack, RecordLeftBehind, SendBack),
    ReceiveReturned,
    *(ReturnToQueue, CloseShipmentTask, RecordLabel, RequestLabel, ChangeCarrier, ChooseCarrier, RecordOrderDate),
}

#: Other arrows that no world takes, and why.
NEVER_TAKEN = {
    "a confirmed order has no unit waiting: one that has is AwaitingStock": (
        "Confirmed FillBackorder Confirmed",
        "Confirmed FillBackorder AwaitingStock",
        "Confirmed FillBackorder Allocated",
    ),
    "allocating open units leaves the waiting ones waiting; only filling them leads on": (
        "AwaitingStock AllocateStock Confirmed",
        "AwaitingStock AllocateStock Allocated",
    ),
    "no unit of an order that is not confirmed is in a shipment": ("Placed ConfirmOrder Preparing",),
    "units that were not found are open": ("Preparing TakeOutShort Allocated",),
    "a unit that has left is live whatever became of it": ("PartlyShipped CancelUnits Cancelled",),
    "taking a payment off an open invoice leaves it open": ("Issued WithdrawApplication Settled",),
    "an invoice is overpaid between two steps of one decision at most": (
        "Issued TakeBackWriteOff Settled",
        "Settled TakeBackWriteOff Settled",
        "Settled WithdrawApplication Settled",
    ),
}


def untraced(walked_by: Callable[..., Exploration], *given: Any) -> Exploration:
    """A walk in a process of its own, where nobody measures which lines it takes: that would double its time."""
    sys.settrace(None)
    return walked_by(*given)


@pytest.fixture(scope="module")
def walked() -> dict[str, Exploration]:
    """Every walk, with what it found printed; two at a time."""
    with ProcessPoolExecutor(2, get_context("fork")) as pool:
        found = dict(zip([walk_.__name__ for walk_ in WALKS], pool.map(untraced, WALKS), strict=True))
    for name, exploration in found.items():
        print(f"{name}: {exploration}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", [walk_.__name__ for walk_ in WALKS])
def test_every_world_of_the_walks_keeps_every_law(walked: dict[str, Exploration], name: str) -> None:
    """Every world reachable in a walk keeps the laws, and nothing is left to try."""
    assert walked[name].closed


@pytest.mark.slow
def test_the_walk_over_two_articles_is_no_small_one(walked: dict[str, Exploration]) -> None:
    """Two SKUs, quantities of at most 2, two shipments, a hold, an invoice."""
    assert walked["parcels"].states > 20_000


@pytest.mark.slow
def test_every_arrow_is_taken_or_cannot_be(walked: dict[str, Exploration]) -> None:
    """Each arrow of order, shipment, invoice and note is taken in some walk, or listed with why it never is."""
    missed = {
        f"{edge.source.__name__} {edge.command.__name__} {edge.target.__name__}"
        for kind in ("order", "shipment", "invoice", "credit_note")
        for edge in WORKFLOW.machines[kind].edges()
        if edge.command not in TRIED_BY_CASES
        if not any(edge in found.edges.get(kind, ()) for found in walked.values())
    }
    assert missed == {edge for edges in NEVER_TAKEN.values() for edge in edges}


# -- planted faults


def test_a_forgotten_reaction_is_found() -> None:
    """Where a cancelled order does not give its stock back, the fewest commands that show it are named."""
    forgetful = Workflow(
        WORKFLOW.machines.values(), (line for line in WORKFLOW.table if line.event is not OrderCancelled)
    )
    with pytest.raises(Counterexample) as caught:
        walk(order_commands(1, PlaceOrder(content(1))), 1, 0, workflow=forgetful)
    assert caught.value.law == "A3"
    names = [type(step.command).__name__ for step in caught.value.commands if isinstance(step, Send)]
    assert names == ["PlaceOrder", "ConfirmOrder", "AllocateStock", "CancelUnits"]
    assert "4. order:O: CancelUnits" in str(caught.value)


def test_a_forgotten_reaction_that_no_row_shows_is_found() -> None:
    """Where units that come back reach no shelf, no row contradicts another: the events of that step do."""
    forgetful = Workflow(
        WORKFLOW.machines.values(), (line for line in WORKFLOW.table if line.event is not UnitsReturned)
    )
    commands = order_commands(1, PlaceOrder(content(1))) + shipment_commands(S1, False, (1, 1))
    with pytest.raises(Counterexample) as caught:
        walk(commands, 1, 0, workflow=forgetful)
    assert caught.value.law == "A4"
    last = caught.value.commands[-1]
    assert isinstance(last, Send)
    assert isinstance(last.command, ReceiveBack)


def planted(change: Any) -> Workflow:
    """The workflow with every line of the order's table changed."""
    machine = Machine("order", rules=map(change, ORDER.rules), final=ORDER.final, check=ORDER.check)
    return WORKFLOW.extended(machines=(machine,))


def test_a_rule_that_breaks_an_invariant_is_found() -> None:
    """Where a guard is taken out, the step that breaks the order's own invariant is the last one named."""

    def unguarded(line: Rule) -> Rule:
        return evolve(line, guards=()) if line.command is ReleaseStock else line

    with pytest.raises(Counterexample) as caught:
        walk(order_commands(1, PlaceOrder(content(1))), 1, 0, workflow=planted(unguarded))
    assert caught.value.law == "line vector"
    last = caught.value.commands[-1]
    assert isinstance(last, Send)
    assert isinstance(last.command, ReleaseStock)


def test_a_walk_that_meets_its_limit_is_not_closed() -> None:
    """A walk stops at its limit and says that it proves nothing."""
    found = walk(order_commands(2, PlaceOrder(content(2, 1))), 2, 1, limit=50)
    assert not found.closed
    assert "not closed" in str(found)


def test_a_broken_start_needs_no_command() -> None:
    """A law that the first world breaks is reported with no command at all."""

    def nothing_on_hand(world: World) -> str | None:
        return "goods are there" if any(row.on_hand for _, row in world.of("stock")) else None

    with pytest.raises(Counterexample, match="after nothing at all"):
        explore(WORKFLOW, {TEA: StockLevel(1)}, lambda world: (), (nothing_on_hand,), stamp=STAMP)


def test_an_effect_that_is_refused_waits_on() -> None:
    """An effect whose command is refused stays in the world and is tried again, as the relay does."""
    commands = order_commands(1, PlaceOrder(content(1))) + shipment_commands(S1, False, (1, 1))
    refusing: dict[str, Carry] = dict.fromkeys(CARRY, lambda world, effect: [Send(S1, ReceiveBack("main"))])
    lasting: list[bool] = []

    def seen(world: World) -> str | None:
        lasting.append(bool(world.pending))
        return None

    found = explore(WORKFLOW, {TEA: StockLevel(1)}, alphabet(commands, 0), (seen,), stamp=STAMP, carry=refusing)
    assert found.closed
    assert any(lasting)
    assert found.missed(WORKFLOW.machines["invoice"]) == list(WORKFLOW.machines["invoice"].edges())
