"""``orderflow show`` and ``orderflow history``: one order with all that belongs to it, and one row's events."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from orderflow.adapters.codec import Codec
from orderflow.cli.options import as_json, database, reading
from orderflow.cli.output import facts, print_json, table
from orderflow.cli.views import VECTOR, View, event_view
from orderflow.cli.whole import found, whole
from orderflow.domain.engine.workflow import Workflow
from orderflow.errors import NotFound

_HEADER: Final = (
    "number", "customer", "channel", "external_id", "bill_to", "ship_to", "placed_at", "confirmed_at", "completed_at",
    "requested", "tags", "notes",
)  # fmt: skip
_WAITS: Final = ("kind", "id", "standing", "reason", "commands")
_AMENDMENT: Final = ("revision", "by", "reason", "less", "more", "prices", "lines", "before", "after", "to_pay")
#: The other rows of an order, and what is printed of each.
_SECTIONS: Final = {
    "shipments": ("id", "state", "carrier", "service", "tracking_number", "units"),
    "invoices": ("id", "number", "state", "dated", "due_on", "gross", "owed", "currency"),
    "credit_notes": ("id", "number", "state", "dated", "of_order", "gross", "currency", "reason"),
    "payments": ("id", "state", "method", "currency", "received", "refunded", "free", "pays"),
    "returns": ("id", "state", "reason", "wanted", "out", "came", "to_inspect"),
}
_SHOWN_APART: Final = ("kind", "id", "state", "waits_for", "timeline")


@click.command()
@click.argument("name")
@database
@as_json
def show(name: str, db: Path, tenant: str, workflow: Workflow | None, *, as_json: bool) -> None:
    """Show the order, parcel, invoice, credit note, payment or return NAME, with what it waits for.

    NAME is an id, a number, the id in a channel or a tracking number.
    """
    with reading(db, tenant, workflow) as shop:
        view = whole(shop, found(shop, name))
    if as_json:
        print_json(view)
    elif view["kind"] == "order":
        _print(view)
    else:
        _print_other(view)


def _print(view: View) -> None:
    """An order."""
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
    _list("waits for", _WAITS, view["waits_for"])
    _list("amendment", _AMENDMENT, [view["amendment"]] if view["amendment"] else [])
    _list("lines", ("line", "sku", "description", "quantity", "price", "net", *moved), view["lines"])
    _list("money", ("currency", *(view["money"] or ())), [view | view["money"]] if view["money"] else [])
    for title, names in _SECTIONS.items():
        _list(title, names, view[title])
    table("timeline", ("version", "when (UTC)", "event", "actor"), [_moment(entry) for entry in view["timeline"]])


def _print_other(view: View) -> None:
    """A row of another kind: its facts, one on each line."""
    click.echo(f"{view['kind'].replace('_', ' ')} {view['id']}: {view['state']}")
    facts((name, value) for name, value in view.items() if name not in _SHOWN_APART)
    _list("waits for", _WAITS, view["waits_for"])
    table("timeline", ("version", "when (UTC)", "event", "actor"), [_moment(entry) for entry in view["timeline"]])


def _moment(entry: View) -> tuple[object, ...]:
    """An event with the time it occurred, to the minute; its history also has the time it was recorded."""
    at = entry["occurred_at"] or entry["at"]
    return entry["version"], at[:16].replace("T", " "), entry["event"], entry["actor"]


def _list(title: str, names: tuple[str, ...], views: list[View]) -> None:
    if views:
        table(title.replace("_", " "), names, [[_cell(view.get(name)) for name in names] for view in views])


def _cell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


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
