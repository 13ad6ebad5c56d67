"""What the events of one life tell other lives: a table, and a function for each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from orderflow.domain.billing.account import BlockAccount, Post, Posting, ReserveCredit, UnblockAccount
from orderflow.domain.billing.credit_note import CreditNoteDrafted, CreditNoteIssued, IssueCreditNote
from orderflow.domain.billing.invoice import (
    ApplyCredit,
    DraftInvoice,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceVoided,
    IssueInvoice,
    RecordApplication,
    WithdrawApplication,
    WrittenOff,
)
from orderflow.domain.billing.invoice_state import InvoiceContent, InvoiceLine
from orderflow.domain.billing.numbering import AllotNumber, NumberAllotted
from orderflow.domain.engine.workflow import EventContext, Reaction, Send
from orderflow.domain.intake import AcceptDocument, intake_key
from orderflow.domain.inventory.documents import AdjustmentPosted, ReceiptPosted, TransferPosted
from orderflow.domain.inventory.stock import (
    Adjust,
    Allocate,
    Backorder,
    DropBackorder,
    ReceiveGoods,
    Release,
    Restock,
    Ship,
    TakeOutShort,
    TransferIn,
    TransferOut,
)
from orderflow.domain.money.calendar import business_date
from orderflow.domain.money.money import Money
from orderflow.domain.orders import shipping
from orderflow.domain.orders.allocating import AllocationExpired, StockAllocated, StockReleased
from orderflow.domain.orders.billing import OrderCompleted, RecordCredit, UnitsBilled
from orderflow.domain.orders.cancelling import OrderCancelled, UnitsCancelled
from orderflow.domain.orders.placing import OrderConfirmed, OrderPlaced, OrderUnconfirmed
from orderflow.domain.orders.shipping import (
    CancelPreparation,
    DispatchShipment,
    PrepareShipment,
    RecordDelivery,
    RecordReturn,
    ShipmentDispatched,
    UnitsPickedShort,
    UnitsReturned,
)
from orderflow.domain.parties.customer import CustomerBlocked, CustomerClosed, CustomerUnblocked
from orderflow.domain.payments.applying import PaymentApplied, PaymentUnapplied
from orderflow.domain.payments.collecting import PaymentCaptured, PaymentReceived
from orderflow.domain.payments.refunding import ChargedBack, PaymentRefunded
from orderflow.domain.payments.state import ApplicationTarget
from orderflow.domain.returns import ReturnReceived
from orderflow.domain.shipping.carriage import (
    DeliveredUnscanned,
    HandedOver,
    ReceivedBack,
    ShipmentDelivered,
    ShipmentFound,
)
from orderflow.domain.shipping.planning import ItemsDropped, ShipmentPlanned, ShipmentVoided, ShortPickRecorded
from orderflow.domain.shipping.state import Item
from orderflow.domain.values import LineQuantity, Pick, stock_key, summed
from orderflow.errors import Key

__all__ = ["OPEN_COMMANDS", "REACTIONS"]


def _told_stock(h: EventContext, items: Iterable[Pick], command: Callable[[int, str], Any]) -> list[Send]:
    """One command for each stock row, however many lines draw on it."""
    lines = h.after.content.lines
    tenant, _, document = h.key
    units = summed([((lines[line - 1].sku, location), quantity) for line, location, quantity in items])
    return [
        Send(stock_key(tenant, sku, location), command(quantity, document))
        for (sku, location), quantity in units.items()
    ]


def _allocated(h: EventContext) -> Iterable[Send]:
    event, picks = h.event, h.event.picks
    told: list[Send] = []
    if event.filled:
        waited = [Pick(item.line, item.waited_at, item.quantity) for item in event.filled]
        told += _told_stock(h, waited, DropBackorder)
        picks = (*picks, *[Pick(item.line, item.location, item.quantity) for item in event.filled])
    told += _told_stock(h, picks, Allocate)
    if event.backordered:
        told += _told_stock(h, event.backordered, Backorder)
    return told


def _released(h: EventContext) -> Iterable[Send]:
    return _told_stock(h, h.event.picks, Release)


def _picked_short(h: EventContext) -> Iterable[Send]:
    return _told_stock(h, h.event.loads, TakeOutShort)


def _dispatched(h: EventContext) -> Iterable[Send]:
    return _told_stock(h, h.event.loads, Ship)


def _returned(h: EventContext) -> Iterable[Send]:
    event = h.event
    back = [Pick(units.line, event.location, units.quantity) for units in event.units]
    return _told_stock(h, back, lambda units, _: Restock(units, event.usable, event.document))


def _cancelled(h: EventContext) -> Iterable[Send]:
    slices = h.event.slices
    kept = [Pick(s.line, s.location, s.quantity) for s in slices if s.bucket in ("allocated", "preparing")]
    waiting = [Pick(s.line, s.location, s.quantity) for s in slices if s.bucket == "backordered"]
    yield from _told_stock(h, kept, Release)
    yield from _told_stock(h, waiting, DropBackorder)


def _taken_in(h: EventContext) -> Iterable[Send]:
    content = h.event.content
    if content.channel and content.external_id:
        key = intake_key(h.key.tenant, content.channel, content.external_id)
        yield Send(key, AcceptDocument("order", h.key.id))


def _exposed(h: EventContext) -> Iterable[Send]:
    order = h.after
    amount = Money(order.progress.exposed_minor, order.content.currency)
    return _told_account(h.key, order.content.customer, ReserveCredit(h.key.id, amount))


def _relieved(h: EventContext) -> Iterable[Send]:
    if h.event.relieved_minor:
        post = Post(Posting.ORDER, h.key.id, Money(0, h.after.content.currency), h.event.relieved_minor)
        yield from _told_account(h.key, h.after.content.customer, post)


def _told_account(key: Key, customer: str, command: Any) -> Iterable[Send]:
    if customer:
        yield Send(key.beside("account", customer), command)


def _billed(h: EventContext) -> Iterable[Send]:
    event, content, order = h.event, h.after.content, h.key.id
    lines = tuple(
        [
            InvoiceLine(order, b.line, b.quantity, b.net_minor, content.lines[b.line - 1].tax, b.shipment)
            for b in event.lines
        ]
    )
    content = InvoiceContent(
        series=event.series,
        customer=content.customer,
        bill_to=content.bill_to or content.ship_to,
        currency=content.currency,
        lines=lines,
        tax=content.tax,
        dated=business_date(h.stamp.moment, content.policy.timezone),
        terms=content.terms,
    )
    return (Send(h.key.beside("invoice", event.invoice), DraftInvoice(content)),)


def _named(h: EventContext) -> list[tuple[Key, tuple[Pick, ...]]]:
    """The items that the event names, by order."""
    return _by_order(h.key, h.event.items)


def _all(h: EventContext) -> list[tuple[Key, tuple[Pick, ...]]]:
    """All items that the shipment holds, by order."""
    return _by_order(h.key, h.after.items)


def _by_order(shipment: Key, items: Iterable[Item]) -> list[tuple[Key, tuple[Pick, ...]]]:
    found: dict[str, list[Pick]] = {}
    for order, line, location, quantity in items:
        found.setdefault(order, []).append(Pick(line, location, quantity))
    return [(shipment.beside("order", order), tuple(picks)) for order, picks in found.items()]


def _units(picks: Iterable[Pick]) -> tuple[LineQuantity, ...]:
    sums = summed([(line, quantity) for line, _, quantity in picks])
    return tuple([LineQuantity(line, quantity) for line, quantity in sums.items()])


def _planned(h: EventContext) -> Iterable[Send]:
    return [Send(key, PrepareShipment(h.key.id, picks)) for key, picks in _named(h)]


def _short(h: EventContext) -> Iterable[Send]:
    return [Send(key, shipping.TakeOutShort(h.key.id, picks)) for key, picks in _named(h)]


def _dropped(h: EventContext) -> Iterable[Send]:
    if not h.event.cancelled:
        yield from _unprepared(h)


def _unprepared(h: EventContext) -> Iterable[Send]:
    return [Send(key, CancelPreparation(h.key.id, picks)) for key, picks in _named(h)]


def _handed_over(h: EventContext) -> Iterable[Send]:
    return [Send(key, DispatchShipment(h.key.id, picks)) for key, picks in _all(h)]


def _delivered(h: EventContext) -> Iterable[Send]:
    return [Send(key, RecordDelivery(h.key.id, _units(picks))) for key, picks in _all(h)]


def _delivered_unscanned(h: EventContext) -> Iterable[Send]:
    yield from _handed_over(h)
    yield from _delivered(h)


def _sent_back(h: EventContext) -> Iterable[Send]:
    event = h.event
    for key, picks in _all(h):
        yield Send(key, RecordReturn(h.key.id, _units(picks), event.location, event.usable, brought=True))


def _came_back(h: EventContext) -> Iterable[Send]:
    event, document = h.event, h.key.id
    by_order: dict[str, list[Pick]] = {}
    for order, line, quantity in event.units:
        by_order.setdefault(order, []).append(Pick(line, event.location, quantity))
    for order, picks in by_order.items():
        yield Send(h.key.beside("order", order), RecordReturn(document, _units(picks), event.location, event.usable))
    for sku, quantity in summed((item.sku, item.quantity) for item in event.loose).items():
        yield Send(stock_key(h.key.tenant, sku, event.location), Restock(quantity, event.usable, document))


def _credited(h: EventContext) -> Iterable[Send]:
    terms, linked = h.event.content, [line for line in h.event.content.lines if line.order]
    for order in dict.fromkeys(line.order for line in linked):
        units = summed((line.order_line, line.quantity) for line in linked if line.order == order).items()
        credit = RecordCredit(h.key.id, tuple(LineQuantity(number, quantity) for number, quantity in units))
        yield Send(h.key.beside("order", order), credit)
    for invoice, minor in h.event.shares:
        if minor > 0:
            yield Send(h.key.beside("invoice", invoice), ApplyCredit(h.key.id, minor, terms.currency))
    number = AllotNumber("credit_note", h.key.id, terms.dated)
    yield Send(h.key.beside("series", terms.series), number)


def _note_issued(h: EventContext) -> Iterable[Send]:
    return _posted(h, Posting.CREDIT_NOTE, h.after.content.customer, h.after.totals.gross)


def _posted(h: EventContext, posting: Posting, customer: str, amount: Money) -> Iterable[Send]:
    if amount.minor:
        yield from _told_account(h.key, customer, Post(posting, h.key.id, amount))


def _invoice_drafted(h: EventContext) -> Iterable[Send]:
    content = h.event.content
    return (Send(h.key.beside("series", content.series), AllotNumber("invoice", h.key.id, content.dated)),)


def _invoice_issued(h: EventContext) -> Iterable[Send]:
    return _posted(h, Posting.INVOICE, h.after.content.customer, h.after.totals.gross)


def _invoice_voided(h: EventContext) -> Iterable[Send]:
    return _posted(h, Posting.INVOICE, h.after.content.customer, -h.after.totals.gross)


def _written_off(h: EventContext) -> Iterable[Send]:
    content = h.after.content
    return _posted(h, Posting.WRITE_OFF, content.customer, Money(h.event.amount_minor, content.currency))


def _numbered(h: EventContext) -> Iterable[Send]:
    event = h.event
    issue = IssueInvoice if event.kind == "invoice" else IssueCreditNote
    return (Send(h.key.beside(event.kind, event.document), issue(event.text)),)


def _paid(h: EventContext) -> Iterable[Send]:
    return _posted(h, Posting.PAYMENT, h.after.origin.customer, h.event.amount)


def _unpaid(h: EventContext) -> Iterable[Send]:
    return _posted(h, Posting.PAYMENT, h.after.origin.customer, -h.event.amount)


def _charged_back(h: EventContext) -> Iterable[Send]:
    for target, document, minor in h.event.released:
        if target is ApplicationTarget.INVOICE:
            unapply = WithdrawApplication(h.key.id, minor, h.event.amount.currency)
            yield Send(h.key.beside("invoice", document), unapply)
    yield from _unpaid(h)


def _applied(h: EventContext) -> Iterable[Send]:
    return _told_invoice(h, RecordApplication)


def _unapplied(h: EventContext) -> Iterable[Send]:
    return _told_invoice(h, WithdrawApplication)


def _told_invoice(h: EventContext, command: Callable[[str, int, str], Any]) -> Iterable[Send]:
    event = h.event
    if event.target is ApplicationTarget.INVOICE:
        amount = event.amount
        yield Send(h.key.beside("invoice", event.id), command(h.key.id, amount.minor, amount.currency))


def _blocked(h: EventContext) -> Iterable[Send]:
    return (Send(h.key.beside("account", h.key.id), BlockAccount(h.event.reason)),)


def _closed(h: EventContext) -> Iterable[Send]:
    return (Send(h.key.beside("account", h.key.id), BlockAccount("closed")),)


def _unblocked(h: EventContext) -> Iterable[Send]:
    return (Send(h.key.beside("account", h.key.id), UnblockAccount()),)


def _receipt(h: EventContext) -> Iterable[Send]:
    for (sku, location), quantity in summed(((i.sku, i.location), i.quantity) for i in h.event.items).items():
        yield Send(stock_key(h.key.tenant, sku, location), ReceiveGoods(quantity, 0, h.key.id))


def _adjustment(h: EventContext) -> Iterable[Send]:
    for item in h.event.items:
        reason = item.reason or h.event.reason
        yield Send(stock_key(h.key.tenant, item.sku, item.location), Adjust(item.quantity, reason, h.key.id))


def _transfer(h: EventContext) -> Iterable[Send]:
    for (sku, location), quantity in summed(((i.sku, i.location), i.quantity) for i in h.event.items).items():
        yield Send(stock_key(h.key.tenant, sku, location), TransferOut(quantity, h.key.id))
        yield Send(stock_key(h.key.tenant, sku, h.event.to), TransferIn(quantity, h.key.id))


REACTIONS: Final = (
    Reaction(OrderPlaced, (("intake", AcceptDocument),), _taken_in),
    Reaction(OrderConfirmed, (("account", ReserveCredit),), _exposed),
    Reaction(OrderUnconfirmed, (("account", Post),), _relieved),
    Reaction(OrderCancelled, (("account", Post),), _relieved),
    Reaction(OrderCompleted, (("account", Post),), _relieved),
    Reaction(UnitsBilled, (("account", Post),), _relieved),
    Reaction(UnitsBilled, (("invoice", DraftInvoice),), _billed),
    Reaction(StockAllocated, (("stock", DropBackorder), ("stock", Allocate), ("stock", Backorder)), _allocated),
    Reaction(StockReleased, (("stock", Release),), _released),
    Reaction(AllocationExpired, (("stock", Release),), _released),
    Reaction(UnitsPickedShort, (("stock", TakeOutShort),), _picked_short),
    Reaction(ShipmentDispatched, (("stock", Ship),), _dispatched),
    Reaction(UnitsReturned, (("stock", Restock),), _returned),
    Reaction(UnitsCancelled, (("stock", Release), ("stock", DropBackorder)), _cancelled),
    Reaction(OrderCancelled, (("stock", Release), ("stock", DropBackorder)), _cancelled),
    Reaction(ShipmentPlanned, (("order", PrepareShipment),), _planned),
    Reaction(ShortPickRecorded, (("order", shipping.TakeOutShort),), _short),
    Reaction(ItemsDropped, (("order", CancelPreparation),), _dropped),
    Reaction(ShipmentVoided, (("order", CancelPreparation),), _unprepared),
    Reaction(HandedOver, (("order", DispatchShipment),), _handed_over),
    Reaction(ShipmentDelivered, (("order", RecordDelivery),), _delivered),
    Reaction(ShipmentFound, (("order", RecordDelivery),), _delivered),
    Reaction(DeliveredUnscanned, (("order", DispatchShipment), ("order", RecordDelivery)), _delivered_unscanned),
    Reaction(ReceivedBack, (("order", RecordReturn),), _sent_back),
    Reaction(ReturnReceived, (("order", RecordReturn), ("stock", Restock)), _came_back),
    Reaction(
        CreditNoteDrafted,
        (("order", RecordCredit), ("invoice", ApplyCredit), ("series", AllotNumber)),
        _credited,
    ),
    Reaction(CreditNoteIssued, (("account", Post),), _note_issued),
    Reaction(InvoiceDrafted, (("series", AllotNumber),), _invoice_drafted),
    Reaction(InvoiceIssued, (("account", Post),), _invoice_issued),
    Reaction(InvoiceVoided, (("account", Post),), _invoice_voided),
    Reaction(WrittenOff, (("account", Post),), _written_off),
    Reaction(NumberAllotted, (("invoice", IssueInvoice), ("credit_note", IssueCreditNote)), _numbered, known=True),
    Reaction(PaymentReceived, (("account", Post),), _paid),
    Reaction(PaymentCaptured, (("account", Post),), _paid),
    Reaction(PaymentRefunded, (("account", Post),), _unpaid),
    Reaction(ChargedBack, (("account", Post), ("invoice", WithdrawApplication)), _charged_back),
    Reaction(PaymentApplied, (("invoice", RecordApplication),), _applied),
    Reaction(PaymentUnapplied, (("invoice", WithdrawApplication),), _unapplied),
    Reaction(CustomerBlocked, (("account", BlockAccount),), _blocked),
    Reaction(CustomerClosed, (("account", BlockAccount),), _closed),
    Reaction(CustomerUnblocked, (("account", UnblockAccount),), _unblocked),
    Reaction(ReceiptPosted, (("stock", ReceiveGoods),), _receipt),
    Reaction(AdjustmentPosted, (("stock", Adjust),), _adjustment),
    Reaction(TransferPosted, (("stock", TransferOut), ("stock", TransferIn)), _transfer),
)


#: Told by reactions, and harmless from outside: they change one row and break no rule across rows.
OPEN_COMMANDS: Final = (ReceiveGoods, Adjust, BlockAccount, UnblockAccount)
