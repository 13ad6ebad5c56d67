"""What the events of one life tell other lives: a table, and a function for each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from orderflow.domain import credit as cn
from orderflow.domain import customer as cu
from orderflow.domain import returns as rt
from orderflow.domain.allocation import Pick
from orderflow.domain.book import Happened, Reaction, Told
from orderflow.domain.calendar import business_date
from orderflow.domain.invoice import messages as inv
from orderflow.domain.keys import Key, stock_key
from orderflow.domain.money import Money
from orderflow.domain.order import messages as om
from orderflow.domain.order.values import Units
from orderflow.domain.payment import messages as pay
from orderflow.domain.quantity import summed
from orderflow.domain.records import account as ac
from orderflow.domain.records import series as se
from orderflow.domain.records import stock_note as sn
from orderflow.domain.records.account import Posting
from orderflow.domain.records.intake import AcceptDocument, intake_key
from orderflow.domain.shipment import messages as sm
from orderflow.domain.stock import messages as st

__all__ = ["OPEN_COMMANDS", "REACTIONS"]

# -- order to stock


def _told_stock(h: Happened, items: Iterable[Pick], command: Callable[[int, str], Any]) -> list[Told]:
    """One command for each stock row, however many lines draw on it."""
    lines = h.after.basket.lines
    tenant, _, document = h.key
    units = summed([((lines[line - 1].sku, location), quantity) for line, location, quantity in items])
    return [
        Told(stock_key(tenant, sku, location), command(quantity, document))
        for (sku, location), quantity in units.items()
    ]


def _allocated(h: Happened) -> Iterable[Told]:
    event, picks = h.event, h.event.picks
    told: list[Told] = []
    if event.filled:
        waited = [Pick(item.line, item.waited_at, item.quantity) for item in event.filled]
        told += _told_stock(h, waited, st.DropBackorder)
        picks = (*picks, *[Pick(item.line, item.location, item.quantity) for item in event.filled])
    told += _told_stock(h, picks, st.Allocate)
    if event.backordered:
        told += _told_stock(h, event.backordered, st.Backorder)
    return told


def _released(h: Happened) -> Iterable[Told]:
    return _told_stock(h, h.event.picks, st.Release)


def _picked_short(h: Happened) -> Iterable[Told]:
    return _told_stock(h, h.event.loads, st.PickShort)


def _dispatched(h: Happened) -> Iterable[Told]:
    return _told_stock(h, h.event.loads, st.Ship)


def _returned(h: Happened) -> Iterable[Told]:
    event = h.event
    back = [Pick(units.line, event.location, units.quantity) for units in event.units]
    return _told_stock(h, back, lambda units, _: st.Restock(units, event.usable, event.document))


def _cancelled(h: Happened) -> Iterable[Told]:
    slices = h.event.slices
    kept = [Pick(s.line, s.location, s.quantity) for s in slices if s.bucket in ("allocated", "preparing")]
    waiting = [Pick(s.line, s.location, s.quantity) for s in slices if s.bucket == "backordered"]
    yield from _told_stock(h, kept, st.Release)
    yield from _told_stock(h, waiting, st.DropBackorder)


# -- order to intake, account, invoice


def _taken_in(h: Happened) -> Iterable[Told]:
    basket = h.event.basket
    if basket.channel and basket.external_id:
        key = intake_key(h.key.tenant, basket.channel, basket.external_id)
        yield Told(key, AcceptDocument("order", h.key.id))


def _exposed(h: Happened) -> Iterable[Told]:
    order = h.after
    amount = Money(order.progress.exposed_minor, order.basket.currency)
    return _told_account(h.key, order.basket.customer, ac.TakeExposure(h.key.id, amount))


def _relieved(h: Happened) -> Iterable[Told]:
    if h.event.relieved_minor:
        post = ac.Post(Posting.ORDER, h.key.id, Money(0, h.after.basket.currency), h.event.relieved_minor)
        yield from _told_account(h.key, h.after.basket.customer, post)


def _told_account(key: Key, customer: str, command: Any) -> Iterable[Told]:
    if customer:
        yield Told(key.beside("account", customer), command)


def _billed(h: Happened) -> Iterable[Told]:
    event, basket, order = h.event, h.after.basket, h.key.id
    lines = tuple(
        [
            inv.InvoiceLine(order, b.line, b.quantity, b.net_minor, basket.lines[b.line - 1].tax, b.shipment)
            for b in event.lines
        ]
    )
    content = inv.Content(
        series=event.series,
        customer=basket.customer,
        bill_to=basket.bill_to or basket.ship_to,
        currency=basket.currency,
        lines=lines,
        tax=basket.tax,
        dated=business_date(h.stamp.moment, basket.policy.zone),
        terms=basket.terms,
    )
    return (Told(h.key.beside("invoice", event.invoice), inv.DraftInvoice(content)),)


# -- shipment to order


def _named(h: Happened) -> list[tuple[Key, tuple[Pick, ...]]]:
    """The items that the event names, by order."""
    return _by_order(h.key, h.event.items)


def _all(h: Happened) -> list[tuple[Key, tuple[Pick, ...]]]:
    """All items that the shipment holds, by order."""
    return _by_order(h.key, h.after.items)


def _by_order(shipment: Key, items: Iterable[sm.Item]) -> list[tuple[Key, tuple[Pick, ...]]]:
    found: dict[str, list[Pick]] = {}
    for order, line, location, quantity in items:
        found.setdefault(order, []).append(Pick(line, location, quantity))
    return [(shipment.beside("order", order), tuple(picks)) for order, picks in found.items()]


def _units(picks: Iterable[Pick]) -> tuple[Units, ...]:
    sums = summed([(line, quantity) for line, _, quantity in picks])
    return tuple([Units(line, quantity) for line, quantity in sums.items()])


def _planned(h: Happened) -> Iterable[Told]:
    return [Told(key, om.PrepareShipment(h.key.id, picks)) for key, picks in _named(h)]


def _short(h: Happened) -> Iterable[Told]:
    return [Told(key, om.ShortPick(h.key.id, picks)) for key, picks in _named(h)]


def _dropped(h: Happened) -> Iterable[Told]:
    if not h.event.cancelled:
        yield from _unprepared(h)


def _unprepared(h: Happened) -> Iterable[Told]:
    return [Told(key, om.CancelPreparation(h.key.id, picks)) for key, picks in _named(h)]


def _handed_over(h: Happened) -> Iterable[Told]:
    return [Told(key, om.DispatchShipment(h.key.id, picks)) for key, picks in _all(h)]


def _delivered(h: Happened) -> Iterable[Told]:
    return [Told(key, om.RecordDelivery(h.key.id, _units(picks))) for key, picks in _all(h)]


def _delivered_unscanned(h: Happened) -> Iterable[Told]:
    yield from _handed_over(h)
    yield from _delivered(h)


def _sent_back(h: Happened) -> Iterable[Told]:
    event = h.event
    for key, picks in _all(h):
        yield Told(key, om.RecordReturn(h.key.id, _units(picks), event.location, event.usable, brought=True))


# -- returns, credit notes, invoices, series, payments, customers, stock notes


def _came_back(h: Happened) -> Iterable[Told]:
    event, document = h.event, h.key.id
    by_order: dict[str, list[Pick]] = {}
    for order, line, quantity in event.units:
        by_order.setdefault(order, []).append(Pick(line, event.location, quantity))
    for order, picks in by_order.items():
        yield Told(h.key.beside("order", order), om.RecordReturn(document, _units(picks), event.location, event.usable))
    for sku, quantity in summed((item.sku, item.quantity) for item in event.loose).items():
        yield Told(stock_key(h.key.tenant, sku, event.location), st.Restock(quantity, event.usable, document))


def _credited(h: Happened) -> Iterable[Told]:
    terms, linked = h.event.terms, [line for line in h.event.terms.lines if line.order]
    for order in dict.fromkeys(line.order for line in linked):
        units = summed((line.order_line, line.quantity) for line in linked if line.order == order).items()
        credit = om.RecordCredit(h.key.id, tuple(Units(number, quantity) for number, quantity in units))
        yield Told(h.key.beside("order", order), credit)
    for invoice, minor in h.event.shares:
        if minor > 0:
            yield Told(h.key.beside("invoice", invoice), inv.ApplyCredit(h.key.id, minor, terms.currency))
    number = se.AllotNumber("credit_note", h.key.id, terms.dated)
    yield Told(h.key.beside("series", terms.series), number)


def _note_issued(h: Happened) -> Iterable[Told]:
    return _posted(h, Posting.CREDIT_NOTE, h.after.terms.customer, h.after.totals.gross)


def _posted(h: Happened, posting: Posting, customer: str, amount: Money) -> Iterable[Told]:
    if amount.minor:
        yield from _told_account(h.key, customer, ac.Post(posting, h.key.id, amount))


def _invoice_drafted(h: Happened) -> Iterable[Told]:
    content = h.event.content
    return (Told(h.key.beside("series", content.series), se.AllotNumber("invoice", h.key.id, content.dated)),)


def _invoice_issued(h: Happened) -> Iterable[Told]:
    return _posted(h, Posting.INVOICE, h.after.content.customer, h.after.totals.gross)


def _invoice_voided(h: Happened) -> Iterable[Told]:
    return _posted(h, Posting.INVOICE, h.after.content.customer, -h.after.totals.gross)


def _written_off(h: Happened) -> Iterable[Told]:
    content = h.after.content
    return _posted(h, Posting.WRITE_OFF, content.customer, Money(h.event.amount_minor, content.currency))


def _numbered(h: Happened) -> Iterable[Told]:
    event = h.event
    issue = inv.IssueInvoice if event.kind == "invoice" else cn.IssueCreditNote
    return (Told(h.key.beside(event.kind, event.document), issue(event.text)),)


def _paid(h: Happened) -> Iterable[Told]:
    return _posted(h, Posting.PAYMENT, h.after.origin.customer, h.event.amount)


def _unpaid(h: Happened) -> Iterable[Told]:
    return _posted(h, Posting.PAYMENT, h.after.origin.customer, -h.event.amount)


def _charged_back(h: Happened) -> Iterable[Told]:
    for target, document, minor in h.event.released:
        if target is pay.AllocationTarget.INVOICE:
            unapply = inv.UnapplyPayment(h.key.id, minor, h.event.amount.currency)
            yield Told(h.key.beside("invoice", document), unapply)
    yield from _unpaid(h)


def _applied(h: Happened) -> Iterable[Told]:
    return _told_invoice(h, inv.ApplyPayment)


def _unapplied(h: Happened) -> Iterable[Told]:
    return _told_invoice(h, inv.UnapplyPayment)


def _told_invoice(h: Happened, command: Callable[[str, int, str], Any]) -> Iterable[Told]:
    event = h.event
    if event.target is pay.AllocationTarget.INVOICE:
        amount = event.amount
        yield Told(h.key.beside("invoice", event.id), command(h.key.id, amount.minor, amount.currency))


def _blocked(h: Happened) -> Iterable[Told]:
    return (Told(h.key.beside("account", h.key.id), ac.BlockAccount(h.event.reason)),)


def _closed(h: Happened) -> Iterable[Told]:
    return (Told(h.key.beside("account", h.key.id), ac.BlockAccount("closed")),)


def _unblocked(h: Happened) -> Iterable[Told]:
    return (Told(h.key.beside("account", h.key.id), ac.UnblockAccount()),)


def _receipt(h: Happened) -> Iterable[Told]:
    for (sku, location), quantity in summed(((i.sku, i.location), i.quantity) for i in h.event.items).items():
        yield Told(stock_key(h.key.tenant, sku, location), st.ReceiveGoods(quantity, 0, h.key.id))


def _adjustment(h: Happened) -> Iterable[Told]:
    for item in h.event.items:
        reason = item.reason or h.event.reason
        yield Told(stock_key(h.key.tenant, item.sku, item.location), st.Adjust(item.quantity, reason, h.key.id))


def _transfer(h: Happened) -> Iterable[Told]:
    for (sku, location), quantity in summed(((i.sku, i.location), i.quantity) for i in h.event.items).items():
        yield Told(stock_key(h.key.tenant, sku, location), st.TransferOut(quantity, h.key.id))
        yield Told(stock_key(h.key.tenant, sku, h.event.to), st.TransferIn(quantity, h.key.id))


REACTIONS: Final = (
    Reaction(om.OrderPlaced, (("intake", AcceptDocument),), _taken_in),
    Reaction(om.OrderConfirmed, (("account", ac.TakeExposure),), _exposed),
    Reaction(om.OrderUnconfirmed, (("account", ac.Post),), _relieved),
    Reaction(om.OrderCancelled, (("account", ac.Post),), _relieved),
    Reaction(om.OrderCompleted, (("account", ac.Post),), _relieved),
    Reaction(om.UnitsBilled, (("account", ac.Post),), _relieved),
    Reaction(om.UnitsBilled, (("invoice", inv.DraftInvoice),), _billed),
    Reaction(
        om.StockAllocated, (("stock", st.DropBackorder), ("stock", st.Allocate), ("stock", st.Backorder)), _allocated
    ),
    Reaction(om.StockReleased, (("stock", st.Release),), _released),
    Reaction(om.AllocationExpired, (("stock", st.Release),), _released),
    Reaction(om.UnitsPickedShort, (("stock", st.PickShort),), _picked_short),
    Reaction(om.ShipmentDispatched, (("stock", st.Ship),), _dispatched),
    Reaction(om.UnitsReturned, (("stock", st.Restock),), _returned),
    Reaction(om.UnitsCancelled, (("stock", st.Release), ("stock", st.DropBackorder)), _cancelled),
    Reaction(om.OrderCancelled, (("stock", st.Release), ("stock", st.DropBackorder)), _cancelled),
    Reaction(sm.ShipmentPlanned, (("order", om.PrepareShipment),), _planned),
    Reaction(sm.ItemsShort, (("order", om.ShortPick),), _short),
    Reaction(sm.ItemsDropped, (("order", om.CancelPreparation),), _dropped),
    Reaction(sm.ShipmentVoided, (("order", om.CancelPreparation),), _unprepared),
    Reaction(sm.HandedOver, (("order", om.DispatchShipment),), _handed_over),
    Reaction(sm.ShipmentDelivered, (("order", om.RecordDelivery),), _delivered),
    Reaction(sm.ShipmentFound, (("order", om.RecordDelivery),), _delivered),
    Reaction(
        sm.DeliveredUnscanned, (("order", om.DispatchShipment), ("order", om.RecordDelivery)), _delivered_unscanned
    ),
    Reaction(sm.ReceivedBack, (("order", om.RecordReturn),), _sent_back),
    Reaction(rt.ReturnReceived, (("order", om.RecordReturn), ("stock", st.Restock)), _came_back),
    Reaction(
        cn.CreditNoteDrafted,
        (("order", om.RecordCredit), ("invoice", inv.ApplyCredit), ("series", se.AllotNumber)),
        _credited,
    ),
    Reaction(cn.CreditNoteIssued, (("account", ac.Post),), _note_issued),
    Reaction(inv.InvoiceDrafted, (("series", se.AllotNumber),), _invoice_drafted),
    Reaction(inv.InvoiceIssued, (("account", ac.Post),), _invoice_issued),
    Reaction(inv.InvoiceVoided, (("account", ac.Post),), _invoice_voided),
    Reaction(inv.WrittenOff, (("account", ac.Post),), _written_off),
    Reaction(
        se.NumberAllotted, (("invoice", inv.IssueInvoice), ("credit_note", cn.IssueCreditNote)), _numbered, held=True
    ),
    Reaction(pay.PaymentReceived, (("account", ac.Post),), _paid),
    Reaction(pay.PaymentCaptured, (("account", ac.Post),), _paid),
    Reaction(pay.PaymentRefunded, (("account", ac.Post),), _unpaid),
    Reaction(pay.ChargedBack, (("account", ac.Post), ("invoice", inv.UnapplyPayment)), _charged_back),
    Reaction(pay.PaymentAllocated, (("invoice", inv.ApplyPayment),), _applied),
    Reaction(pay.PaymentDeallocated, (("invoice", inv.UnapplyPayment),), _unapplied),
    Reaction(cu.CustomerBlocked, (("account", ac.BlockAccount),), _blocked),
    Reaction(cu.CustomerClosed, (("account", ac.BlockAccount),), _closed),
    Reaction(cu.CustomerUnblocked, (("account", ac.UnblockAccount),), _unblocked),
    Reaction(sn.ReceiptPosted, (("stock", st.ReceiveGoods),), _receipt),
    Reaction(sn.AdjustmentPosted, (("stock", st.Adjust),), _adjustment),
    Reaction(sn.TransferPosted, (("stock", st.TransferOut), ("stock", st.TransferIn)), _transfer),
)

#: Told by reactions, and harmless from outside: they change one row and break no rule across rows.
OPEN_COMMANDS: Final = (st.ReceiveGoods, st.Adjust, ac.BlockAccount, ac.UnblockAccount)
