"""A row with all that belongs to it: what it waits for, its money, and the rows that it has to do with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import click

from orderflow.adapters.codec import Codec
from orderflow.cli.output import amount, sentence
from orderflow.cli.views import (
    View,
    amendment_view,
    credit_note_view,
    event_view,
    invoice_view,
    money_view,
    order_view,
    payment_view,
    return_view,
    shipment_view,
)
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.workflow.attention import Standing
from orderflow.ports.storage import Recorded, Row
from orderflow.shop import OrderFlow

#: What a row may be named by, kind by kind, in the order in which it is looked for.
NAMES: Final = (
    ("order", ("id", "number", "external_id")),
    ("shipment", ("id", "tracking_number")),
    ("invoice", ("id", "number")),
    ("credit_note", ("id", "number")),
    ("payment", ("id", "external_id")),
    ("return", ("id", "tracking_number")),
)
_VIEWS: Final[dict[str, Callable[[Any], View]]] = {
    "order": order_view,
    "shipment": shipment_view,
    "invoice": invoice_view,
    "credit_note": credit_note_view,
    "payment": payment_view,
    "return": return_view,
}
_MOST: Final = 1000


def found(shop: OrderFlow, name: str) -> Row[Any]:
    """The one row that a name is of: an order's before a parcel's, an id before a number."""
    for kind, columns in NAMES:
        for column in columns:
            rows = shop.rows(kind).find(where={column: name}, limit=2)
            if len(rows) > 1:
                said = f"several {kind.replace('_', ' ')}s have the {column} {name!r}"
                raise click.ClickException(f"{said}: give the id of the one you mean")
            if rows:
                return rows[0]
    raise click.ClickException(
        f"no order, parcel, invoice, credit note, payment or return {name!r}: give its id, number, external id or "
        "tracking number; `orderflow orders --text` searches for a part of an order's"
    )


def whole(shop: OrderFlow, row: Row[Any]) -> View:
    """A row as it stands, its timeline, and what it waits for; an order also with its money and its other rows."""
    kind, codec = row.key.kind, Codec(shop.workflow.machines.values())
    history = [*shop.rows(kind).history(row.key.id)]
    view: View = {"kind": kind} | _VIEWS[kind](row)
    view |= {"timeline": [event_view(entry, codec, data=False) for entry in history]}
    if kind != "order":
        return view | {"waits_for": [*_waits(shop, [row])]}
    others = _others(shop, row, history)
    waiting = [row, *(other for rows in others.values() for other in rows)]
    state = row.state
    placed = isinstance(state, HasProgress)
    return view | {
        "waits_for": [*_waits(shop, waiting)],
        "money": money_view(state) if placed else None,
        "amendment": amendment_view(state, shop.orders.amendment(row.key.id)) if placed else None,
        **{f"{name}s": [_VIEWS[name](other) for other in rows] for name, rows in others.items()},
        "credit_notes": [credit_note_view(note) | _share(note, row.key.id) for note in others["credit_note"]],
    }


def _others(shop: OrderFlow, row: Row[Any], history: Iterable[Recorded]) -> dict[str, list[Row[Any]]]:
    """The rows that an order's events name, those that name it, and the payments that its invoices name."""
    events = [entry.event for entry in history]
    invoices = _named(shop, "invoice", events, "invoice")
    of_invoices = [entry.event for invoice in invoices for entry in shop.invoices.history(invoice.key.id)]
    payments = [*_named(shop, "payment", [*events, *of_invoices], "payment"), *_meant(shop, row)]
    returns = [*shop.returns.find(where={"order_id": row.key.id}, limit=_MOST)]
    return {
        "shipment": _named(shop, "shipment", events, "shipment"),
        "invoice": invoices,
        "credit_note": _named(shop, "credit_note", events, "credit_note"),
        "payment": [*{payment.key: payment for payment in payments}.values()],
        "return": [*{each.key: each for each in (*returns, *_named(shop, "return", events, "document"))}.values()],
    }


def _named(shop: OrderFlow, kind: str, events: Iterable[Any], field: str) -> list[Row[Any]]:
    """The rows of a kind that a field of events names, in the order of the events."""
    ids = dict.fromkeys(name for event in events if (name := getattr(event, field, "")))
    return [row for id_ in ids for row in shop.rows(kind).find(where={"id": id_}, limit=1)]


def _meant(shop: OrderFlow, row: Row[Any]) -> list[Row[Any]]:
    """Money of its customer that was told to be for the order, whether it was used for it or not."""
    customer = row.state.content.customer
    rows = shop.payments.find(where={"customer": customer}, limit=_MOST) if customer else ()
    return [payment for payment in rows if payment.state.origin.order == row.key.id]


def _share(note: Row[Any], order: str) -> View:
    """How much of a credit note is the order's."""
    minor = sum([part.totals.gross_minor for part in note.state.parts if part.order == order])
    return {"of_order": amount(minor, note.state.content.currency)}


def _waits(shop: OrderFlow, rows: Iterable[Row[Any]]) -> Iterator[View]:
    """What rows wait for, beside each other."""
    for row in rows:
        for each in shop.attention(row.key.kind, row.key.id):
            if each.standing is not Standing.ELSEWHERE:
                view: View = {"kind": row.key.kind, "id": row.key.id, "standing": each.standing.value}
                view |= {"reason": sentence(each.reason), "code": each.reason.code, "worklist": each.worklist}
                yield view | {"commands": [command.__name__ for command in each.commands]}
