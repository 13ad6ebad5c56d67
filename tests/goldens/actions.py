"""What a walk may do: one table of actions. Their names are the recorder's own and never change."""

# ruff: noqa: E501 - a row of the table is a line

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple

from house import (
    ABSENT,
    Adjust,
    AllocateStock,
    AnnotateOrder,
    ApplicationTarget,
    ApplyPayment,
    AuthorisePayment,
    BillUnits,
    BlockAccount,
    BlockCustomer,
    CancelledBy,
    CancelUnits,
    CapturePayment,
    ChangeParty,
    ChargeBackPayment,
    CloseCustomer,
    ClosePayment,
    ClosePeriod,
    CompleteOrder,
    ConfirmOrder,
    CountStock,
    DeclareLost,
    DiscardDraft,
    DisputePayment,
    DraftCreditNote,
    DropItems,
    EditDraft,
    ErasePartyVersion,
    ExpectGoods,
    ExpectPayment,
    ExpireAllocation,
    FillBackorder,
    HandOver,
    Item,
    MarkPending,
    MarkSent,
    Money,
    OpenDraft,
    OpenSeries,
    OrderContent,
    OrderLine,
    PackShipment,
    PartyRef,
    PaymentSource,
    Person,
    PlaceHold,
    PlaceOrder,
    Plan,
    PlanShipment,
    PostAdjustment,
    PostReceipt,
    PostTransfer,
    Price,
    Quarantine,
    ReceiveBack,
    ReceiveGoods,
    ReceiveReturn,
    RecordDelivered,
    RecordLabel,
    RecordParty,
    RecordPayment,
    RecordReturning,
    RecordSettlement,
    RecordShortPick,
    RecordTracking,
    RefundPayment,
    RegisterCustomer,
    RejectDocument,
    ReleaseHold,
    ReleaseQuarantine,
    ReleaseStock,
    Request,
    ResolveDispute,
    ResolveLoss,
    ResolvePending,
    ReturnedUnits,
    SetCreditLimit,
    SettleReturn,
    ShippingLabel,
    SkuChange,
    SkuQuantity,
    TagCustomer,
    TaxCategory,
    TaxPolicy,
    UnapplyPayment,
    UnblockAccount,
    UnblockCustomer,
    UnconfirmOrder,
    UnmatchedReturn,
    VoidInvoice,
    VoidLabel,
    VoidShipment,
    WriteOff,
)
from outcomes import outcome
from world import (
    BY,
    GOODS,
    MANUAL,
    NOON,
    OPERATIONS,
    ORDERS,
    PEOPLE,
    PLACES,
    RETURN_REASONS,
    TRACKING,
    World,
    basket,
    hold,
    origin,
    terms,
)

STEPS = 50
STOCK, PARCELS, MONEY, RECORDS = range(4)


def receive(world: World, order: str) -> Any:
    """Take an order in by its channel."""
    placed = (hold(world),) if world.draw.once_in(8) else ()
    return world.shop.receive(order, basket(world, order), holds=placed)


def pay_an_invoice(world: World) -> Any:
    """All that an invoice owes, as a rule."""
    invoice = world.invoice()
    return world.tell(
        world.payment(),
        ApplyPayment(ApplicationTarget.INVOICE, invoice, world.money(world.due(invoice))),
    )


def take_money_off(world: World, kind: str, target: ApplicationTarget) -> Any:
    """What was allocated, or as much at random."""
    d, payment = world.draw, world.payment()
    funds: Any = getattr(world.held("payment", payment), "funds", None)
    taken = [each for each in funds.applications if each.target is target] if funds else []
    if taken and not d.once_in(3):
        of = d.of(taken)
        money = Money(d.of((of.minor, (of.minor + 1) // 2)), funds.currency)
        return world.tell(payment, UnapplyPayment(target, of.id, money))
    return world.tell(payment, UnapplyPayment(target, world.known(kind), world.money()))


def record_money(world: World) -> Any:
    """Money has come in."""
    payment, day = world.payment(), world.draw.of((None, date(2026, 4, 1), date(2026, 12, 1)))
    return world.tell(payment, RecordPayment(origin(world, payment), world.money(world.draw.of((0, 2000, 9000))), day))


def short(world: World, command: Callable[[Any], Any]) -> Any:
    """A command about an item of a shipment."""
    shipment = world.shipment()
    return world.tell(shipment, command(world.items(shipment)))


def write_off(world: World) -> Any:
    """All that an invoice owes."""
    invoice = world.invoice()
    return world.tell(invoice, WriteOff(world.due(invoice) or 1, "bad debt"))


def plan(world: World, order: str) -> Any:
    """A shipment of what is allocated, or of anything; with a label or without."""
    d = world.draw
    parcels = world.shop.plan_shipments(order) if not d.once_in(4) and world.held("order", order) is not ABSENT else []
    items = parcels[0].plan.items if parcels else world.items()
    return world.tell(d.of(("S1", "S2")), PlanShipment(items, Plan("memory", needs_label=d.once_in(2))))


def wait(world: World) -> str:
    """Time goes by."""
    days = world.draw.of((0, 1, 3, 40))
    world.clock.advance(timedelta(days=days, hours=1))
    return f"{days} days"


def fault(world: World) -> Any:
    """A command that is malformed in one of several ways."""
    d = world.draw
    line = OrderLine.of(2, "TEA", 1, Price.of("1.00", "EUR"), TaxCategory.of("S", 0))
    wrong: tuple[tuple[str, Any], ...] = (
        ("TEA@main", ReceiveGoods(0)),
        ("TEA", ReceiveGoods(1)),
        ("O1", CancelUnits("x" * 5000, CancelledBy.CUSTOMER)),
        ("O1", BillUnits("", "invoice")),
        ("O9", PlaceOrder(OrderContent("GBP", (line,), TaxPolicy()))),
        ("O9", PlaceOrder(OrderContent("XXQ", (), TaxPolicy()))),
        ("O1", RecordSettlement("O1/1")),
        (" ", ConfirmOrder()),
        ("P9", RefundPayment(Money(-1, "GBP"))),
        ("O1/1", PlanShipment((Item("O1", 1, "main", 1), Item("O1", 1, "main", 2)))),
    )
    return world.tell(*d.of(wrong))


def twice(world: World) -> Any:
    """A command id is used again: for the same, or for something else."""
    first, second = ConfirmOrder(), world.draw.of((ConfirmOrder(), UnconfirmOrder()))
    order = world.order()
    asked = [Request(order, first, f"twice/{order}"), Request(order, second, f"twice/{order}")]
    return world.shop.handle_many(asked)


class Action(NamedTuple):
    """What may be done: its name, how often in each of the four themes, and the doing.

    Themes: orders and stock, parcels, money, records.
    """

    name: str
    often: str
    do: Callable[[World], Any]


ORDER_PAYS, INVOICE_PAYS = ApplicationTarget.ORDER, ApplicationTarget.INVOICE

ACTIONS = (
    # orders
    Action("receive", "6332", lambda w: receive(w, w.order())),
    Action("advance", "2786", lambda w: w.shop.advance(w.order())),
    Action("relay", "4994", World.relay),
    Action("allocate", "4411", lambda w: w.shop.allocate(w.order())),
    Action("expire", "3101", lambda w: w.shop.expire()),
    Action("demote", "2101", lambda w: w.shop.rebalance(w.draw.of(GOODS), w.draw.of(PLACES))),
    Action("wait", "6212", wait),
    Action("fault", "1111", fault),
    Action("twice", "1001", twice),
    Action("place", "1001", lambda w: w.tell(w.draw.of(("O1", "O4")), PlaceOrder(basket(w, w.order())))),
    Action("open draft", "1003", lambda w: w.tell("D1", OpenDraft(basket(w, "D1")))),
    Action("edit draft", "1002", lambda w: w.tell("D1", EditDraft(basket(w, "D1")))),
    Action("discard draft", "0001", lambda w: w.tell("D1", DiscardDraft())),
    Action("place draft", "1002", lambda w: w.tell(w.draw.of(("D1", "D1", "O1", "O8")), PlaceOrder())),
    Action("confirm", "5311", lambda w: w.tell(w.order(), ConfirmOrder())),
    Action("unconfirm", "3111", lambda w: w.tell(w.order(), UnconfirmOrder())),
    Action("allocate units", "7100", lambda w: w.tell(w.order(), AllocateStock(w.picks()))),
    Action("back-order units", "9100", lambda w: w.tell(w.order(), AllocateStock(backorder=w.picks()))),
    Action("allocate nothing", "1000", lambda w: w.tell(w.order(), AllocateStock())),
    Action("allocate for a while", "5100", lambda w: w.tell(w.order(), AllocateStock(w.picks(), until=w.clock.now() + timedelta(hours=2)))),
    Action("fill", "9100", lambda w: w.tell(w.order(), FillBackorder(w.picks()))),
    Action("release", "7100", lambda w: w.tell(w.order(), ReleaseStock(w.picks()))),
    Action("expire one", "4000", lambda w: w.tell(w.order(), ExpireAllocation())),
    Action("cancel units", "4311", lambda w: w.tell(w.order(), CancelUnits("no", CancelledBy.CUSTOMER, w.units()))),
    Action("cancel", "1111", lambda w: w.tell(w.order(), CancelUnits("no", w.draw.of(BY)))),
    Action("resolve loss", "1601", lambda w: w.tell(w.order(), ResolveLoss(w.units(), w.draw.once_in(2)))),
    Action("bill", "1351", lambda w: w.tell(w.order(), BillUnits(w.draw.of(("B1", "B2")), "invoice"))),
    Action("adjust widely", "1000", lambda w: w.tell(w.stock(), Adjust(w.draw.of((10**9, -(10**9))), "found"))),
    Action("explain stock", "1000", lambda w: w.shop.explain(w.stock(), CountStock(1))),
    Action("complete", "1221", lambda w: w.tell(w.order(), CompleteOrder())),
    Action("hold", "4201", lambda w: w.tell(w.order(), PlaceHold(hold(w)))),
    Action("release hold", "4201", lambda w: w.tell(w.order(), ReleaseHold(MANUAL, w.gate()))),
    Action("annotate", "1001", lambda w: w.tell(w.order(), AnnotateOrder("call", ("vip",), w.draw.of(((), ("x",)))))),
    Action("explain", "2221", lambda w: w.shop.explain(w.order(), w.draw.of((CompleteOrder(), ConfirmOrder())))),
    Action("explain hand-over", "0200", lambda w: w.shop.explain(w.shipment(), HandOver())),
    # parcels
    Action("plan", "2900", lambda w: plan(w, w.order())),
    Action("pack", "1700", lambda w: w.tell(w.shipment(), PackShipment(100, 1))),
    Action("pack short", "1700", lambda w: short(w, RecordShortPick)),
    Action("label", "0500", lambda w: w.tell(w.shipment(), RecordLabel(ShippingLabel("memory", "std", "T-1", 500, "EUR")))),
    Action("void label", "0600", lambda w: w.tell(w.shipment(), VoidLabel())),
    Action("drop items", "0500", lambda w: short(w, DropItems)),
    Action("void shipment", "0201", lambda w: w.tell(w.shipment(), VoidShipment())),
    Action("hand over", "2953", lambda w: w.tell(w.shipment(), HandOver())),
    Action("track", "0411", lambda w: w.tell(w.shipment(), RecordTracking(w.draw.of(("t", "u")), w.draw.of(TRACKING)))),
    Action("delivered", "1732", lambda w: w.tell(w.shipment(), RecordDelivered(w.draw.of(("d", "t"))))),
    Action("returning", "0400", lambda w: w.tell(w.shipment(), RecordReturning("r", w.draw.of(RETURN_REASONS)))),
    Action("received back", "0500", lambda w: w.tell(w.shipment(), ReceiveBack(w.draw.of(PLACES), w.draw.once_in(2)))),
    Action("lost", "0401", lambda w: w.tell(w.shipment(), DeclareLost())),
    Action("return", "0443", lambda w: w.tell(w.draw.of(("R1", "R2")), ReceiveReturn(w.draw.of(PLACES), (ReturnedUnits(w.order(), w.line(), w.draw.of((1, 1, 2))),), usable=w.draw.once_in(2)))),
    Action("return loose", "0101", lambda w: w.tell("R3", ReceiveReturn("main", unmatched=w.draw.of(((UnmatchedReturn("TEA", 1),), ()))))),
    Action("settle return", "0144", lambda w: w.tell(w.draw.of(("R1", "R2", "R3")), SettleReturn("C1"))),
    # money
    Action("credit note", "0151", lambda w: w.tell(w.draw.of(("C1", "C2", "C3")), DraftCreditNote(terms(w)))),
    Action("expect money", "0031", lambda w: w.tell(w.payment(), ExpectPayment(origin(w, w.payment()), w.money()))),
    Action("expect card", "0031", lambda w: w.tell("P2", ExpectPayment(PaymentSource("card", "P2", "ann", authorises=True), w.money()))),
    Action("authorise", "0041", lambda w: w.tell(w.payment(), AuthorisePayment(w.money()), occurred_at=w.draw.of((None, None, NOON)))),
    Action("capture", "0041", lambda w: w.tell("P2", CapturePayment(w.money()))),
    Action("money in", "1141", record_money),
    Action("pay invoice", "1181", pay_an_invoice),
    Action("pay order", "2161", lambda w: w.tell(w.payment(), ApplyPayment(ORDER_PAYS, w.order(), w.money()))),
    Action("unpay order", "1051", lambda w: take_money_off(w, "order", ORDER_PAYS)),
    Action("unpay invoice", "0071", lambda w: take_money_off(w, "invoice", INVOICE_PAYS)),
    Action("refund", "0031", lambda w: w.tell(w.payment(), RefundPayment(w.money()))),
    Action("charge back", "0021", lambda w: w.tell(w.payment(), ChargeBackPayment(w.money()))),
    Action("dispute", "0061", lambda w: w.tell(w.payment(), DisputePayment(w.money()))),
    Action("dispute over", "0061", lambda w: w.tell(w.payment(), ResolveDispute(w.draw.once_in(2)))),
    Action("mark pending", "0051", lambda w: w.tell(w.payment(), MarkPending(w.draw.of(OPERATIONS), w.money()))),
    Action("resolve pending", "0071", lambda w: w.tell(w.payment(), ResolvePending(w.draw.of(OPERATIONS), w.draw.once_in(2)))),
    Action("close payment", "0021", lambda w: w.tell(w.payment(), ClosePayment())),
    Action("write off", "0041", lambda w: w.tell(w.invoice(), WriteOff(w.draw.of((1, 100, 5000)), "fee"))),
    Action("write all off", "0011", write_off),
    Action("invoice sent", "0021", lambda w: w.tell(w.invoice(), MarkSent())),
    Action("void invoice", "0142", lambda w: w.tell(w.invoice(), VoidInvoice("mistaken"))),
    Action("credit limit", "1011", lambda w: w.tell(w.draw.of(PEOPLE), SetCreditLimit(w.draw.of((None, Money(1, "GBP"), Money(900, w.currency), Money(10**7, w.currency)))))),
    Action("block account", "1011", lambda w: w.tell(w.draw.of(PEOPLE), BlockAccount("unpaid"))),
    Action("unblock account", "2022", lambda w: w.tell(w.draw.of(PEOPLE), UnblockAccount())),
    # stock
    Action("goods in", "5212", lambda w: w.tell(w.stock(), ReceiveGoods(w.draw.few(), w.draw.of((0, 0, 2))))),
    Action("goods expected", "2001", lambda w: w.tell(w.stock(), ExpectGoods(w.draw.of((5, 2, -1))))),
    Action("set aside", "2101", lambda w: w.tell(w.stock(), Quarantine(w.draw.few(), "damaged"))),
    Action("restore", "2101", lambda w: w.tell(w.stock(), ReleaseQuarantine(w.draw.few()))),
    Action("adjust", "2101", lambda w: w.tell(w.stock(), Adjust(w.draw.of((1, -1, -4, 0, 10**9)), "found"))),
    Action("count", "2101", lambda w: w.tell(w.stock(), CountStock(w.draw.of((0, 1, 3, 8)), "stocktake"))),
    Action("receipt", "1001", lambda w: w.tell("N1", PostReceipt((SkuQuantity("TEA", "main", 3), SkuQuantity("CUP", "shop", 1))))),
    Action("adjustment", "1001", lambda w: w.tell("N2", PostAdjustment((SkuChange("TEA", "main", w.draw.of((-1, 2)), "broken"),), memo=1))),
    Action("transfer", "2002", lambda w: w.tell(w.draw.of(("N3", "N4")), PostTransfer((SkuQuantity(w.draw.of(GOODS), "main", w.draw.of((1, 1, 3))),), w.draw.of(("shop", "shop", "main"))))),
    # records
    Action("register", "0003", lambda w: w.tell(w.draw.of(PEOPLE), RegisterCustomer(PartyRef("ann", 1), ("vip",)))),
    Action("change party", "0002", lambda w: w.tell(w.draw.of(PEOPLE), ChangeParty(PartyRef("ann", 2)))),
    Action("tag", "0002", lambda w: w.tell(w.draw.of(PEOPLE), TagCustomer(w.draw.of((("a",), tuple(f"t{n}" for n in range(50)))), w.draw.of((("vip",), ()))))),
    Action("block customer", "0003", lambda w: w.tell(w.draw.of(PEOPLE), BlockCustomer("fraud"))),
    Action("unblock customer", "0004", lambda w: w.tell(w.draw.of(PEOPLE), UnblockCustomer())),
    Action("close customer", "0001", lambda w: w.tell(w.draw.of(PEOPLE), CloseCustomer())),
    Action("record party", "0002", lambda w: w.shop.record_party("ann", Person("Ann", city=w.draw.of(("Bath", "York"))))),
    Action("party to keep", "0001", lambda w: w.tell("eve@1", RecordParty(Person("Eve"), retain_until=date(2026, 4, 20)))),
    Action("erase party", "0003", lambda w: w.tell(w.draw.of(("ann@1", "bob@1", "eve@1", "eve@1")), ErasePartyVersion())),
    Action("reject", "0002", lambda w: w.tell(w.draw.of(("web/W-O1", "web/W-O3", "web/W-9")), RejectDocument(7, ("bad_price",)))),
    Action("open series", "0012", lambda w: w.tell("invoice", OpenSeries("INV-", w.draw.of((100, 1)), w.draw.of((4, 6))))),
    Action("close period", "0011", lambda w: w.tell(w.draw.of(("invoice", "credit")), ClosePeriod(w.draw.of((date(2026, 3, 31), date(2026, 4, 10)))))),
)  # fmt: skip


def _opening(world: World) -> Iterator[tuple[str, Callable[[], Any]]]:
    """How every walk begins; the themes of parcels and money go on until goods have left."""
    for name in PEOPLE:
        person = Person(name.title(), email=f"{name}@example.org")
        yield "person", partial(world.shop.record_party, name, person)
    for sku in GOODS:
        yield "goods", partial(world.tell, f"{sku}@main", ReceiveGoods(world.draw.of((2, 6, 12))))
    for order in ORDERS[:2]:
        yield "order", partial(receive, world, order)


def _further(world: World, theme: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    card = PaymentSource("card", "P2", "ann", authorises=True)
    money = Money(world.draw.of((2000, 9000)), world.currency)
    if theme == MONEY:
        yield "money", lambda: world.tell("P1", RecordPayment(PaymentSource("bank", "P1", "ann"), money))
        yield "money", lambda: world.tell("P2", ExpectPayment(card, money))
    for order in ("O1", "O2") if theme == STOCK else ("O2",) if theme == PARCELS else ():
        yield "confirm", partial(world.tell, order, ConfirmOrder())
    if theme == STOCK:
        return
    if theme == PARCELS:
        yield "allocate", lambda: world.shop.allocate("O2")
        yield "plan", lambda: plan(world, "O2")
    yield "advance", lambda: world.shop.advance("O1")
    for _ in range(2):
        yield "relay", world.relay
    yield "hand over", lambda: world.tell("O1/1", HandOver())
    yield "advance", lambda: world.shop.advance("O1")


def _chosen(world: World, theme: int) -> Action:
    at = world.draw.below(sum(int(action.often[theme]) for action in ACTIONS))
    for action in ACTIONS:
        at -= int(action.often[theme])
        if at < 0:
            return action
    raise AssertionError("the weights sum to what was drawn below")


def steps(world: World, seed: int) -> Iterator[tuple[str, str]]:
    """Each step's name and outcome."""
    theme = seed % 4
    begun = [*_opening(world), *(_further(world, theme) if theme != RECORDS and seed % 3 else ())]
    for name, do in begun:
        yield name, outcome(do)
    for _ in range(STEPS):
        world.clock.advance(timedelta(minutes=1))
        action = _chosen(world, theme)
        yield action.name, outcome(partial(action.do, world))
