"""What events ask of the world after the commit: labels, notices, and commands to rows of lower rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from orderflow.domain.billing.credit_note import CreditNoteIssued
from orderflow.domain.billing.invoice import (
    ApplicationRecorded,
    CreditApplied,
    InvoiceIssued,
    InvoiceVoided,
    WrittenOff,
)
from orderflow.domain.billing.invoice_state import Settled
from orderflow.domain.engine.workflow import Effect, EventContext, FollowUp
from orderflow.domain.orders.billing import OrderCompleted, RecordPrepayment, RecordSettlement, RecordUnbilling
from orderflow.domain.orders.cancelling import OrderCancelled, UnitsCancelled
from orderflow.domain.orders.placing import OrderConfirmed, OrderPlaced
from orderflow.domain.payments.applying import PaymentApplied, PaymentUnapplied
from orderflow.domain.payments.refunding import ChargedBack
from orderflow.domain.payments.state import ApplicationTarget
from orderflow.domain.shipping.carriage import HandedOver
from orderflow.domain.shipping.labelling import LabelVoided
from orderflow.domain.shipping.planning import DropCancelledItems, ItemsDropped, ShipmentPacked, ShipmentVoided
from orderflow.errors import Key

__all__ = ["CLOSED_COMMANDS", "FOLLOW_UPS", "NOTICES", "notices"]


def _buy_label(h: EventContext) -> Iterator[Effect]:
    if h.after.plan.needs_label:
        yield Effect("buy_label", h.key)


def _void_label(h: EventContext) -> Iterator[Effect]:
    if h.event.tracking_number:
        data = (("tracking_number", h.event.tracking_number), ("carrier", h.before.plan.carrier))
        yield Effect("void_label", h.key, data)


def _replace_label(h: EventContext) -> Iterator[Effect]:
    yield from _void_label(h)
    yield Effect("buy_label", h.key)


def _drop_items(h: EventContext) -> Iterator[Effect]:
    """A shipment stands below its order in the order of locks, so it hears of a cancellation afterwards."""
    for piece in h.event.slices:
        if piece.bucket == "preparing":
            data = (("order", h.key.id), ("line", str(piece.line)), ("location", piece.location))
            lane = h.key.beside("shipment", piece.shipment)
            yield Effect("drop_items", lane, (*data, ("quantity", str(piece.quantity))))


def _settled(h: EventContext) -> Iterator[Effect]:
    if isinstance(h.after, Settled) and not isinstance(h.before, Settled):
        for order in dict.fromkeys(line.order for line in h.after.content.lines):
            yield Effect("record_settlement", h.key, (("order", order),))


def _prepaid(h: EventContext) -> Iterator[Effect]:
    event = h.event
    if event.target is ApplicationTarget.ORDER:
        yield _prepayment(h.key, event.id, event.amount.minor, event.amount.currency)


def _unprepaid(h: EventContext) -> Iterator[Effect]:
    event = h.event
    if event.target is ApplicationTarget.ORDER:
        yield _prepayment(h.key, event.id, -event.amount.minor, event.amount.currency)


def _charged_back(h: EventContext) -> Iterator[Effect]:
    for target, order, minor in h.event.released:
        if target is ApplicationTarget.ORDER:
            yield _prepayment(h.key, order, -minor, h.event.amount.currency)


def _prepayment(payment: Key, order: str, minor: int, currency: str) -> Effect:
    data = (("order", order), ("amount_minor", str(minor)), ("currency", currency))
    return Effect("record_prepayment", payment, data)


def _unbill(h: EventContext) -> Iterator[Effect]:
    yield Effect("unbill", h.key)


FOLLOW_UPS: Final = (
    FollowUp(ShipmentPacked, ("buy_label",), _buy_label),
    FollowUp(LabelVoided, ("void_label", "buy_label"), _replace_label),
    FollowUp(ItemsDropped, ("void_label",), _void_label),
    FollowUp(ShipmentVoided, ("void_label",), _void_label),
    FollowUp(UnitsCancelled, ("drop_items",), _drop_items),
    FollowUp(OrderCancelled, ("drop_items",), _drop_items),
    FollowUp(InvoiceIssued, ("record_settlement",), _settled),
    FollowUp(ApplicationRecorded, ("record_settlement",), _settled),
    FollowUp(CreditApplied, ("record_settlement",), _settled),
    FollowUp(WrittenOff, ("record_settlement",), _settled),
    FollowUp(PaymentApplied, ("record_prepayment",), _prepaid),
    FollowUp(PaymentUnapplied, ("record_prepayment",), _unprepaid),
    FollowUp(ChargedBack, ("record_prepayment",), _charged_back),
    FollowUp(InvoiceVoided, ("unbill",), _unbill),
)


#: What the relay alone sends, as the effect of a follow-up.
CLOSED_COMMANDS: Final = (DropCancelledItems, RecordSettlement, RecordUnbilling, RecordPrepayment)


#: Event to the template of the notice the customer gets.
NOTICES: Final = {
    OrderPlaced: "order_received",
    OrderConfirmed: "order_confirmed",
    OrderCancelled: "order_cancelled",
    OrderCompleted: "order_completed",
    HandedOver: "shipment_sent",
    InvoiceIssued: "invoice_issued",
    CreditNoteIssued: "credit_note_issued",
}


def notices(*templates: str) -> tuple[FollowUp, ...]:
    """A follow-up for each of these notice templates."""
    return tuple(
        FollowUp(event, ("notify",), _notice(template)) for event, template in NOTICES.items() if template in templates
    )


def _notice(template: str) -> Callable[[EventContext], Iterator[Effect]]:
    def effects(h: EventContext) -> Iterator[Effect]:
        yield Effect("notify", h.key, (("template", template),))

    return effects
