"""Notices: composed from the rows at the moment they are sent, as the outbox itself holds no personal data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from orderflow.domain.billing.credit_note import IssuedNote
from orderflow.domain.billing.invoice import MarkSent
from orderflow.domain.billing.invoice_state import Numbered, Void
from orderflow.domain.engine.decide import Flow, Read, ask
from orderflow.domain.money.money import Money
from orderflow.domain.orders.charging import charged_minor
from orderflow.domain.orders.content import OrderContent
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.parties.party import PartyVersion, Person
from orderflow.domain.values import PartyRef, party_id
from orderflow.errors import Key, PortError
from orderflow.flows.asks import Commands, Now, SendNotice
from orderflow.ports.notifier import Notice
from orderflow.ports.storage import Lease

#: Subject and body of each template; ``{order}``, ``{number}``, ``{total}``, ``{due}``, ``{tracking}`` are filled in.
TEMPLATES: Final[dict[str, tuple[str, str]]] = {
    "order_received": ("We have received order {number}", "Thank you. Your order {number} for {total} is with us."),
    "order_confirmed": ("Order {number} is confirmed", "We have accepted your order {number} for {total}."),
    "order_cancelled": ("Order {number} is cancelled", "Your order {number} has been cancelled."),
    "order_completed": ("Order {number} is complete", "Your order {number} is complete{charged}."),
    "shipment_sent": ("Your order {number} is on its way", "Shipment {order} has left us. Tracking: {tracking}."),
    "invoice_issued": ("Invoice {number}", "Your invoice {number} for {total} {due}."),
    "credit_note_issued": ("Credit note {number}", "We have credited {total} to you by credit note {number}."),
}


def addressee(state: Any) -> PartyRef | None:
    """The party version a row's notices go to."""
    if isinstance(state, Numbered | IssuedNote):
        return state.content.bill_to
    ref: PartyRef | None = None
    if _is_order(state):
        content = state.content_now if isinstance(state, HasProgress) else state.content
        ref = content.bill_to or content.ship_to
    elif getattr(state, "plan", None) is not None:
        ref = state.plan.ship_to
    return ref


def compose(message_id: str, template: str, key: Key, state: Any, person: Person | None, at: datetime) -> Notice:
    """The notice of ``template`` about a row; ``person`` is the addressee's data, if any is known.

    ``to`` is the mail address, or the customer id where none is known.

    Raises:
        PortError: there is no such template.
    """
    if template not in TEMPLATES:
        raise PortError("notifier", f"there is no template {template!r}", retry=False)
    facts = _facts(key, state)
    subject, body = TEMPLATES[template]
    to = (person.email if person else "") or facts["customer"]
    return Notice(message_id, to, template, subject.format_map(facts), body.format_map(facts), key.id, at, key.tenant)


def _facts(key: Key, state: Any) -> Mapping[str, str]:
    facts = {"order": key.id, "number": key.id, "total": "", "due": "", "charged": "", "tracking": "", "customer": ""}
    if isinstance(state, Numbered):
        facts |= _document(state.number, state.totals.gross, state.content.customer)
        facts["due"] = _due(state)
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


def _due(state: Numbered) -> str:
    """What is still to be paid, as the end of a sentence about the invoice."""
    if state.open_minor <= 0:
        return _settled(state)
    if state.open_minor == state.totals.gross_minor:
        return f"is due on {state.due_date.isoformat()}"
    return f"has {Money(state.open_minor, state.content.currency)} left, due on {state.due_date.isoformat()}"


def _settled(state: Numbered) -> str:
    a = state.amounts
    if a.credited >= state.totals.gross_minor:
        return "has been credited in full"
    return "is settled" if a.written_off else "is paid"


def _document(number: str, total: Money, customer: str) -> dict[str, str]:
    return {"number": number, "total": str(total), "customer": customer}


def _order(key: Key, state: Any) -> dict[str, str]:
    content = state.content
    total = getattr(state, "totals", None)
    charged = charged_minor(state) if isinstance(state, HasProgress) else 0
    return {
        "number": content.number or key.id,
        "total": str(total.gross) if total else "",
        "charged": f", for {Money(charged, content.currency)} in all" if charged > 0 else "",
        "customer": content.customer,
    }


def notify(lease: Lease) -> Flow[Commands]:
    """Tell the customer of a row as it stands now; of an invoice that was voided meanwhile nobody is told."""
    message = lease.message
    now = yield from ask(Now())
    state = (yield from ask(Read([message.lane])))[message.lane].state
    if isinstance(state, Void):
        return ()
    ref = addressee(state)
    person = (yield from _person(message.lane.beside("party", party_id(*ref)))) if ref else None
    notice = compose(message.id, dict(message.data)["template"], message.lane, state, person, now)
    yield from ask(SendNotice(notice, lease))
    return [(message.lane, MarkSent())] if notice.template == "invoice_issued" else ()


def _person(key: Key) -> Flow[Person | None]:
    party = (yield from ask(Read([key])))[key].state
    return party.person if isinstance(party, PartyVersion) else None
