"""Rows as plain values with stable keys: what JSON shows, and what the tables are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeAlias

from orderflow.adapters.codec import Codec
from orderflow.cli.output import amount, when
from orderflow.domain.orders.amending import Difference
from orderflow.domain.orders.charging import charged_minor, credit_due_minor, to_pay_minor, to_refund_minor
from orderflow.domain.orders.content import Hold, LineKind, OrderContent, OrderLine, totals_of
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.payments.state import currency_of
from orderflow.domain.shipping.state import Item, Voided
from orderflow.flows.worklists import Task
from orderflow.ports.storage import Recorded, Row

View: TypeAlias = dict[str, Any]

#: The buckets of a line vector as they are shown, then the counters outside their sum.
VECTOR = (
    "open", "backordered", "allocated", "preparing", "shipped", "delivered", "returned", "lost", "cancelled",
    "invoiced", "credited",
)  # fmt: skip


def row_view(row: Row[Any]) -> View:
    """An order in one line."""
    state = row.state
    content = state.content
    sums = getattr(state, "totals", None) or totals_of(content)
    return {
        "id": row.key.id,
        "number": content.number,
        "state": type(state).__name__,
        "customer": content.customer,
        "channel": content.channel,
        "external_id": content.external_id,
        "placed_at": when(getattr(state, "placed_at", None)),
        "currency": content.currency,
        "gross": amount(sums.gross_minor, content.currency),
        "lines": len(content.lines),
    }


def order_view(row: Row[Any]) -> View:
    """Everything about an order that is on its own row."""
    state, content = row.state, row.state.content
    sums = totals_of(content)
    progress = getattr(state, "progress", None)
    ship_to = (state.content_now if progress else content).ship_to
    vectors = progress.lines if progress else [LineVector() for _ in content.lines]
    return row_view(row) | {
        "version": row.version,
        "net": amount(sums.net_minor, content.currency),
        "tax": amount(sums.tax_minor, content.currency),
        "confirmed_at": when(getattr(state, "confirmed_at", None)),
        "completed_at": when(getattr(state, "completed_at", None)),
        "bill_to": str(content.bill_to) if content.bill_to else None,
        "ship_to": str(ship_to) if ship_to else None,
        "requested": str(content.requested) if content.requested else None,
        "tags": [*(progress.tags if progress else content.tags)],
        "notes": [*progress.notes] if progress else [],
        "holds": [_hold(hold) for hold in (progress or state).holds],
        "lines": [_line(content, line, vector) for line, vector in zip(content.lines, vectors, strict=True)],
    }


def money_view(order: HasProgress) -> View:
    """How an order stands: charged and open on its invoices, kept for it, still to pay, to be credited, to go back."""
    sums = {
        "charged": charged_minor(order),
        "open": order.progress.open_minor,
        "kept": order.progress.pool_minor,
        "to_pay": max(0, to_pay_minor(order)),
        "to_credit": credit_due_minor(order),
        "to_refund": to_refund_minor(order),
    }
    return {name: amount(minor, order.content.currency) for name, minor in sums.items()}


def amendment_view(order: HasProgress, difference: Difference | None) -> View | None:
    """The amendment that is proposed: what changes, and what the order costs then, if it can be confirmed now."""
    proposal, currency = order.progress.proposed, order.content.currency
    if proposal is None:
        return None
    changes = proposal.changes
    told: dict[str, Iterable[str]] = {
        "less": (f"{each.quantity} of line {each.line}" for each in changes.less),
        "more": (f"{each.quantity} of line {each.line}" for each in changes.more),
        "prices": (f"line {each.line}: {each.price}" for each in changes.prices),
        "lines": (f"line {each.line}: {each.quantity} {each.sku} at {each.price}" for each in changes.lines),
    }
    view: View = {"revision": proposal.revision, "by": proposal.by.value, "reason": proposal.reason}
    view |= {name: [*texts] for name, texts in told.items()}
    costs = difference._asdict() if difference else {}
    return view | {
        name: amount(costs[f"{name}_minor"], currency) if costs else None for name in ("before", "after", "to_pay")
    }


def _hold(hold: Hold) -> View:
    return {"reason": hold.reason.value, "gate": hold.gate.value, "line": hold.line, "until": when(hold.until)}


def _line(content: OrderContent, line: OrderLine, v: LineVector) -> View:
    view: View = {
        "line": line.line,
        "sku": line.sku,
        "description": line.description,
        "kind": line.kind.value,
        "quantity": line.quantity,
        "price": str(line.price),
        "net": amount(line.net_minor, content.currency),
        "tax": line.tax.text_form.write(line.tax),
    }
    moves = {name: getattr(v, name) for name in VECTOR}
    moves |= {"backordered": v.backordered_quantity, "allocated": v.allocated_quantity}
    moves["preparing"] = v.preparing_quantity
    return view | (moves if line.kind is LineKind.GOODS else {name: moves[name] for name in ("invoiced", "credited")})


def shipment_view(row: Row[Any]) -> View:
    """A shipment: how it travels and what is in it."""
    state = row.state
    carriage = getattr(state, "carriage", None)
    label = carriage.label if carriage else getattr(state, "label", None)
    return {
        "id": row.key.id,
        "state": type(state).__name__,
        "carrier": label.carrier if label else state.plan.carrier,
        "service": label.service if label else state.plan.service,
        "tracking_number": label.tracking_number if label else None,
        "handed_over_at": when(carriage.handed_over_at) if carriage else None,
        "delivered_at": when(getattr(state, "delivered_at", None)),
        "units": sum(item.quantity for item in getattr(state, "items", ())),
        "orders": [*dict.fromkeys(item.order for item in _items(state))],
    }


def _items(shipment: Any) -> tuple[Item, ...]:
    """What is in a shipment, or was in it last."""
    found: tuple[Item, ...] = shipment.last_items if isinstance(shipment, Voided) else shipment.items
    return found


def invoice_view(row: Row[Any] | Task) -> View:
    """An invoice and what is still owed on it."""
    state, currency = row.state, row.state.content.currency
    due = getattr(state, "open_minor", None)
    return {
        "id": row.key.id,
        "number": getattr(state, "number", None),
        "state": type(state).__name__,
        "dated": state.content.dated.isoformat(),
        "due_on": state.due_date.isoformat(),
        "customer": state.content.customer,
        "currency": currency,
        "gross": amount(state.totals.gross_minor, currency),
        "owed": None if due is None else amount(due, currency),
        "orders": [*dict.fromkeys(line.order for line in state.content.lines)],
    }


def credit_note_view(row: Row[Any]) -> View:
    """A credit note."""
    state, content = row.state, row.state.content
    return {
        "id": row.key.id,
        "number": getattr(state, "number", None),
        "state": type(state).__name__,
        "dated": content.dated.isoformat(),
        "currency": content.currency,
        "gross": amount(state.totals.gross_minor, content.currency),
        "reason": content.reason,
        "orders": [*dict.fromkeys(part.order for part in state.parts)],
        "invoices": [*dict.fromkeys(part.invoice for part in state.parts)],
    }


def payment_view(row: Row[Any]) -> View:
    """A payment: what came, what it pays, and what of it pays nothing."""
    state, currency = row.state, currency_of(row.state)
    funds = getattr(state, "funds", None)
    sums = {
        "expected": getattr(getattr(state, "amount", None), "minor", None),
        "authorised": funds.authorised if funds else getattr(getattr(state, "authorised", None), "minor", None),
        "received": funds and funds.received,
        "refunded": funds and funds.refunded,
        "charged_back": funds and funds.charged_back,
        "free": getattr(state, "free", None),
    }
    return {
        "id": row.key.id,
        "state": type(state).__name__,
        "customer": state.origin.customer,
        "method": state.origin.method,
        "order": state.origin.order or None,
        "currency": currency,
        **{name: None if minor is None else amount(minor, currency) for name, minor in sums.items()},
        "pays": [
            f"{a.target.value} {a.id}: {amount(a.minor, currency)}" for a in (funds.applications if funds else ())
        ],
    }


def return_view(row: Row[Any]) -> View:
    """A return: what was to come, what came, and how its money was settled."""
    state = row.state
    return {
        "id": row.key.id,
        "state": type(state).__name__,
        "order": state.order or None,
        "customer": state.wish.customer,
        "reason": state.wish.reason.value,
        "wanted": state.wish.wanted.value,
        "out": state.units_outstanding,
        "came": sum([lot.received for lot in state.goods.lots]),
        "to_inspect": state.goods.waiting,
        "tracking_number": state.handling.tracking or None,
        "exchange": state.handling.exchange or None,
        "credit_note": state.handling.credit_note or None,
    }


def event_view(recorded: Recorded, codec: Codec, *, data: bool) -> View:
    """An event of a history, with its fields if ``data`` is true."""
    view: View = {
        "version": recorded.version,
        "at": when(recorded.at),
        "event": type(recorded.event).__name__,
        "actor": recorded.actor,
        "command_id": recorded.command_id,
        "cause": recorded.cause,
        "occurred_at": when(recorded.occurred_at),
    }
    return view | {"data": json.loads(codec.encode(recorded.event))} if data else view
