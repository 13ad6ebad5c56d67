"""Rows as plain values with stable keys: what JSON shows, and what the tables are made of."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from orderflow.adapters.codec import Codec
from orderflow.cli.output import amount, when
from orderflow.domain.orders.addresses import addressed
from orderflow.domain.orders.content import Hold, LineKind, OrderContent, OrderLine, totals_of
from orderflow.domain.orders.lines import LineVector
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
    ship_to = addressed(content, progress.readdressed if progress else ()).ship_to
    vectors = progress.lines if progress else [LineVector() for _ in content.lines]
    return row_view(row) | {
        "version": row.version,
        "net": amount(sums.net_minor, content.currency),
        "tax": amount(sums.tax_minor, content.currency),
        "confirmed_at": when(getattr(state, "confirmed_at", None)),
        "completed_at": when(getattr(state, "completed_at", None)),
        "bill_to": str(content.bill_to) if content.bill_to else None,
        "ship_to": str(ship_to) if ship_to else None,
        "tags": [*(progress.tags if progress else content.tags)],
        "notes": [*progress.notes] if progress else [],
        "holds": [_hold(hold) for hold in (progress or state).holds],
        "lines": [_line(content, line, vector) for line, vector in zip(content.lines, vectors, strict=True)],
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
    }


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
