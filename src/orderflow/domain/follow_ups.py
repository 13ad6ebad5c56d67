"""What events ask of the world after the commit: labels, notices, and commands to rows of lower rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from orderflow.domain import credit as cn
from orderflow.domain.book import Effect, FollowUp, Happened
from orderflow.domain.invoice import messages as inv
from orderflow.domain.invoice.states import Settled
from orderflow.domain.keys import Key
from orderflow.domain.order import messages as om
from orderflow.domain.payment import messages as pay
from orderflow.domain.shipment import messages as sm

__all__ = ["CLOSED_COMMANDS", "FOLLOW_UPS", "NOTICES", "notices"]


def _buy_label(h: Happened) -> Iterator[Effect]:
    if h.after.plan.needs_label:
        yield Effect("buy_label", h.key)


def _void_label(h: Happened) -> Iterator[Effect]:
    if h.event.tracking_number:
        data = (("tracking_number", h.event.tracking_number), ("carrier", h.before.plan.carrier))
        yield Effect("void_label", h.key, data)


def _replace_label(h: Happened) -> Iterator[Effect]:
    yield from _void_label(h)
    yield Effect("buy_label", h.key)


def _drop_items(h: Happened) -> Iterator[Effect]:
    """A shipment stands below its order in the order of locks, so it hears of a cancellation afterwards."""
    for piece in h.event.slices:
        if piece.bucket == "preparing":
            data = (("order", h.key.id), ("line", str(piece.line)), ("location", piece.location))
            lane = h.key.beside("shipment", piece.shipment)
            yield Effect("drop_items", lane, (*data, ("quantity", str(piece.quantity))))


def _settled(h: Happened) -> Iterator[Effect]:
    if isinstance(h.after, Settled) and not isinstance(h.before, Settled):
        for order in dict.fromkeys(line.order for line in h.after.content.lines):
            yield Effect("record_settlement", h.key, (("order", order),))


def _prepaid(h: Happened) -> Iterator[Effect]:
    event = h.event
    if event.target is pay.AllocationTarget.ORDER:
        yield _prepayment(h.key, event.id, event.amount.minor, event.amount.currency)


def _unprepaid(h: Happened) -> Iterator[Effect]:
    event = h.event
    if event.target is pay.AllocationTarget.ORDER:
        yield _prepayment(h.key, event.id, -event.amount.minor, event.amount.currency)


def _charged_back(h: Happened) -> Iterator[Effect]:
    for target, order, minor in h.event.released:
        if target is pay.AllocationTarget.ORDER:
            yield _prepayment(h.key, order, -minor, h.event.amount.currency)


def _prepayment(payment: Key, order: str, minor: int, currency: str) -> Effect:
    data = (("order", order), ("amount_minor", str(minor)), ("currency", currency))
    return Effect("record_prepayment", payment, data)


def _unbill(h: Happened) -> Iterator[Effect]:
    yield Effect("unbill", h.key)


FOLLOW_UPS: Final = (
    FollowUp(sm.ShipmentPacked, ("buy_label",), _buy_label),
    FollowUp(sm.LabelVoided, ("void_label", "buy_label"), _replace_label),
    FollowUp(sm.ItemsDropped, ("void_label",), _void_label),
    FollowUp(sm.ShipmentVoided, ("void_label",), _void_label),
    FollowUp(om.UnitsCancelled, ("drop_items",), _drop_items),
    FollowUp(om.OrderCancelled, ("drop_items",), _drop_items),
    FollowUp(inv.InvoiceIssued, ("record_settlement",), _settled),
    FollowUp(inv.PaymentApplied, ("record_settlement",), _settled),
    FollowUp(inv.CreditApplied, ("record_settlement",), _settled),
    FollowUp(inv.WrittenOff, ("record_settlement",), _settled),
    FollowUp(pay.PaymentAllocated, ("record_prepayment",), _prepaid),
    FollowUp(pay.PaymentDeallocated, ("record_prepayment",), _unprepaid),
    FollowUp(pay.ChargedBack, ("record_prepayment",), _charged_back),
    FollowUp(inv.InvoiceVoided, ("unbill",), _unbill),
)

#: What the relay alone sends, as the effect of a follow-up.
CLOSED_COMMANDS: Final = (sm.DropCancelledItems, om.RecordSettlement, om.RecordUnbilling, om.RecordPrepayment)

#: Event to the template of the notice the customer gets.
NOTICES: Final = {
    om.OrderPlaced: "order_received",
    om.OrderConfirmed: "order_confirmed",
    om.OrderCancelled: "order_cancelled",
    om.OrderCompleted: "order_completed",
    sm.HandedOver: "shipment_sent",
    inv.InvoiceIssued: "invoice_issued",
    cn.CreditNoteIssued: "credit_note_issued",
}


def notices(*templates: str) -> tuple[FollowUp, ...]:
    """A follow-up for each of these notice templates."""
    return tuple(
        FollowUp(event, ("notify",), _notice(template)) for event, template in NOTICES.items() if template in templates
    )


def _notice(template: str) -> Callable[[Happened], Iterator[Effect]]:
    def effects(h: Happened) -> Iterator[Effect]:
        yield Effect("notify", h.key, (("template", template),))

    return effects
