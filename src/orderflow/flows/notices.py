"""What a notice says, made when it is sent from the rows as they are: the outbox itself holds no personal data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from orderflow.domain.billing.credit_note import IssuedNote
from orderflow.domain.billing.invoice import Numbered
from orderflow.domain.money.money import Money
from orderflow.domain.orders.content import OrderContent
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.values import PartyRef
from orderflow.errors import Key
from orderflow.ports.notifier import Notice

__all__ = ["TEMPLATES", "addressee", "compose"]

#: Subject and body of each template; ``{order}``, ``{number}``, ``{total}``, ``{tracking}`` are filled in.
TEMPLATES: Final[dict[str, tuple[str, str]]] = {
    "order_received": ("We have received order {number}", "Thank you. Your order {number} over {total} is with us."),
    "order_confirmed": ("Order {number} is confirmed", "We have accepted your order {number} over {total}."),
    "order_cancelled": ("Order {number} is cancelled", "Your order {number} has been cancelled."),
    "order_completed": ("Order {number} is complete", "Your order {number} over {total} is delivered and complete."),
    "shipment_sent": ("Your order {number} is on its way", "Shipment {order} has left us. Tracking: {tracking}."),
    "invoice_issued": ("Invoice {number}", "Your invoice {number} over {total}, due {due}."),
    "credit_note_issued": ("Credit note {number}", "We have credited {total} to you, note {number}."),
}


def addressee(state: Any) -> PartyRef | None:
    """The party version a row's notices go to."""
    if isinstance(state, Numbered | IssuedNote):
        return state.content.bill_to
    ref: PartyRef | None = None
    if _is_order(state):
        ref = state.content.bill_to or state.content.ship_to
    elif getattr(state, "plan", None) is not None:
        ref = state.plan.ship_to
    return ref


def compose(message_id: str, template: str, key: Key, state: Any, person: Any, at: datetime) -> Notice:
    """The notice of ``template`` about a row; ``person`` is the addressee's data, if any is known.

    ``to`` is the mail address, or the customer id where none is known.
    """
    facts = _facts(key, state)
    subject, body = TEMPLATES[template]
    to = getattr(person, "email", "") or facts["customer"]
    return Notice(message_id, to, template, subject.format_map(facts), body.format_map(facts), key.id, at)


def _facts(key: Key, state: Any) -> Mapping[str, str]:
    facts = {"order": key.id, "number": key.id, "total": "", "due": "", "tracking": "", "customer": ""}
    if isinstance(state, Numbered):
        facts |= _document(state.number, state.totals.gross, state.content.customer)
        facts["due"] = state.due_date.isoformat()
    elif isinstance(state, IssuedNote):
        facts |= _document(state.number, state.totals.gross, state.content.customer)
    elif _is_order(state):
        facts |= _order(key, state)
    elif hasattr(state, "carriage"):
        label = state.carriage.label
        facts |= {"number": state.plan.reference or key.id, "tracking": label.tracking_number if label else "none"}
    return facts


def _is_order(state: Any) -> bool:
    return isinstance(getattr(state, "content", None), OrderContent)


def _document(number: str, total: Money, customer: str) -> dict[str, str]:
    return {"number": number, "total": str(total), "customer": customer}


def _order(key: Key, state: HasProgress) -> dict[str, str]:
    content = state.content
    total = getattr(state, "totals", None)
    return {
        "number": content.number or key.id,
        "total": str(total.gross) if total else "",
        "customer": content.customer,
    }
