"""``orderflow show`` and ``orderflow history``: one order with all that belongs to it, and one row's events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from orderflow.adapters.codec import Codec
from orderflow.cli.options import as_json, database, reading
from orderflow.cli.output import facts, print_json, table
from orderflow.cli.views import (
    VECTOR,
    View,
    credit_note_view,
    event_view,
    invoice_view,
    order_view,
    shipment_view,
)
from orderflow.domain.engine.workflow import Workflow
from orderflow.errors import NotFound
from orderflow.ports.storage import Row
from orderflow.shop import OrderFlow

_HEADER: Final = (
    "number", "customer", "channel", "external_id", "bill_to", "ship_to", "placed_at", "confirmed_at", "completed_at",
    "tags", "notes",
)  # fmt: skip
#: What an order may be found by, in this order.
_NAMES: Final = ("id", "number", "external_id")


@click.command()
@click.argument("order")
@database
@as_json
def show(order: str, db: Path, tenant: str, workflow: Workflow | None, *, as_json: bool) -> None:
    """Show ORDER, given by its id, its number or its external id."""
    with reading(db, tenant, workflow) as shop:
        view = _whole(shop, _find(shop, order))
    if as_json:
        print_json(view)
    else:
        _print(view)


def _find(shop: OrderFlow, name: str) -> Row[Any]:
    for column in _NAMES:
        found = shop.orders.find(where={column: name}, limit=2)
        if len(found) > 1:
            raise click.ClickException(f"several orders have the {column} {name!r}: give the id of the one you mean")
        if found:
            return found[0]
    raise click.ClickException(
        f"no order {name!r}: give its id, number or external id; `orderflow orders --text` searches for a part of one"
    )


def _whole(shop: OrderFlow, row: Row[Any]) -> View:
    codec = Codec(shop.workflow.machines.values())
    timeline = [event_view(entry, codec, data=False) for entry in shop.orders.history(row.key.id)]
    return order_view(row) | {
        "timeline": timeline,
        "shipments": _of(shop, "shipment", row.key.id, shipment_view),
        "invoices": _of(shop, "invoice", row.key.id, invoice_view),
        "credit_notes": _of(shop, "credit_note", row.key.id, credit_note_view),
    }


def _of(shop: OrderFlow, kind: str, order: str, view: Callable[[Row[Any]], View]) -> list[View]:
    return [view(row) for row in shop.rows(kind).find(where={"order_id": order}, limit=1000)]


def _print(view: View) -> None:
    click.echo(
        f"{view['id']}: {view['state']}, {view['gross']} {view['currency']} (net {view['net']}, tax {view['tax']})"
    )
    facts((name, view[name]) for name in _HEADER)
    for hold in view["holds"]:
        line = f", line {hold['line']}" if hold["line"] else ""
        click.echo(
            f"held at {hold['gate']}: {hold['reason']}{line}{', until ' + hold['until'] if hold['until'] else ''}"
        )
    moved = [name for name in VECTOR if any(line.get(name) for line in view["lines"])]
    _list("lines", ("line", "sku", "description", "quantity", "price", "net", *moved), view["lines"])
    table("timeline", ("version", "when (UTC)", "event", "actor"), [_moment(entry) for entry in view["timeline"]])
    _list("shipments", ("id", "state", "carrier", "service", "tracking_number", "units"), view["shipments"])
    _list("invoices", ("id", "number", "state", "dated", "due_on", "gross", "owed", "currency"), view["invoices"])
    _list("credit_notes", ("id", "number", "state", "dated", "gross", "currency", "reason"), view["credit_notes"])


def _moment(entry: View) -> tuple[object, ...]:
    """An event with the time it occurred, to the minute; its history also has the time it was recorded."""
    at = entry["occurred_at"] or entry["at"]
    return entry["version"], at[:16].replace("T", " "), entry["event"], entry["actor"]


def _list(title: str, names: tuple[str, ...], views: list[View]) -> None:
    if views:
        table(title.replace("_", " "), names, [[view.get(name) for name in names] for view in views])


@click.command()
@click.argument("kind")
@click.argument("id")
@database
@as_json
def history(
    kind: str,
    id: str,  # noqa: A002 - what it is
    db: Path,
    tenant: str,
    workflow: Workflow | None,
    *,
    as_json: bool,
) -> None:
    """Show every event of one row: KIND is `order`, `invoice`, `stock` and so on, ID is its id."""
    with reading(db, tenant, workflow) as shop:
        if kind not in shop.workflow.machines:
            raise click.BadParameter(f"must be one of {', '.join(shop.workflow.machines)}", param_hint="KIND")
        codec = Codec(shop.workflow.machines.values())
        views = [event_view(entry, codec, data=as_json) for entry in shop.rows(kind).history(id)]
        if not views:
            raise NotFound(shop.key(kind, id))
    if as_json:
        print_json({"kind": kind, "id": id, "events": views})
    else:
        _list("", ("version", "at", "occurred_at", "event", "actor", "command_id", "cause"), views)
