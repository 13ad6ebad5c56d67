"""``orderflow orders``, ``worklist`` and ``stock``: listings, with cursors where they may be long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from orderflow.cli.options import as_json, database, reading
from orderflow.cli.output import print_json, table
from orderflow.cli.views import View, invoice_view, row_view
from orderflow.domain.engine.machine import Absent
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.values import StockRef
from orderflow.flows.worklists import WORKLISTS, Task, Worklist
from orderflow.ports.storage import Row
from orderflow.rows import Rows
from orderflow.shop import OrderFlow

_PAGE: Final = 1000
_COLUMNS: Final = ("id", "number", "state", "customer", "channel", "placed_at", "gross", "currency")
_OWED: Final = ("id", "number", "customer", "currency", "owed", "due_on")
_LEVELS: Final = ("on_hand", "allocated", "available", "unavailable", "incoming", "backordered", "shortfall")
#: The largest cursor that a database can hold.
_LAST: Final = 2**63 - 1


def _moment(context: click.Context, option: click.Parameter, text: str | None) -> datetime | None:
    """The time in an option's text, in ISO 8601, UTC if it has no offset; any other text is a usage error."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        sentence = f"{text!r} is not a time such as 2026-01-31 or 2026-01-31T09:00:00+09:00"
        raise click.BadParameter(sentence, context, option) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_limit = click.option(
    "--limit", type=click.IntRange(1, _PAGE), default=100, show_default=True, help="The most rows to list."
)
_cursor = click.option(
    "--cursor", type=click.IntRange(0, _LAST), default=0, help="Continue a listing from the cursor it ended with."
)


@click.command()
@click.option(
    "--state", "states", metavar="STATE", multiple=True, help="Only orders in this state, such as AwaitingStock."
)
@click.option("--customer", default="", help="Only orders of this customer.")
@click.option("--channel", default="", help="Only orders from this channel.")
@click.option("--external-id", default="", help="Only the order with this id in its channel.")
@click.option("--tag", default="", help="Only orders with this tag.")
@click.option("--text", default="", help="Only orders with this text in the id, number, customer or tags.")
@click.option(
    "--since",
    metavar="TIME",
    callback=_moment,
    help="Only orders placed at this time or later, such as 2026-01-31 (UTC if it has no offset).",
)
@click.option("--until", metavar="TIME", callback=_moment, help="Only orders placed before this time.")
@_limit
@_cursor
@database
@as_json
def orders(
    states: tuple[str, ...],
    customer: str,
    channel: str,
    external_id: str,
    tag: str,
    text: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    cursor: int,
    db: Path,
    tenant: str,
    workflow: Workflow | None,
    *,
    as_json: bool,
) -> None:
    """List the orders that pass every filter given, oldest first."""
    wanted = {"customer": customer, "channel": channel, "external_id": external_id}
    where = {name: value for name, value in wanted.items() if value}
    with reading(db, tenant, workflow) as shop:
        _check_states(shop, states)
        rows = shop.orders.find(
            status=states, where=where, since=since, until=until, tag=tag, text=text, cursor=cursor,
            limit=limit,
        )  # fmt: skip
    views = [row_view(row) for row in rows]
    onward = rows[-1].cursor if len(rows) == limit else None
    if as_json:
        print_json({"orders": views, "cursor": onward})
        return
    table("", _COLUMNS, [[view[name] for name in _COLUMNS] for view in views])
    _more(onward)


def _check_states(shop: OrderFlow, states: tuple[str, ...]) -> None:
    order = shop.workflow.machines.get("order")
    known = [state.__name__ for state in order.states if state is not Absent] if order else []
    for state in states:
        if state not in known:
            raise click.BadParameter(f"{state!r} is not one of {', '.join(known)}", param_hint="--state")


def _more(cursor: int | None) -> None:
    if cursor is not None:
        click.echo(f"more: --cursor {cursor}", err=True)


@click.command(
    epilog=f"NAME is one of {', '.join(WORKLISTS)}. unpaid lists orders that wait for money, invoices_due "
    "invoices that are overdue or open again. A row without reasons only waits for somebody to take its next step."
)
@click.argument("name", type=click.Choice([*WORKLISTS]), required=False, metavar="[NAME]")
@_limit
@_cursor
@database
@as_json
def worklist(
    name: str | None, limit: int, cursor: int, db: Path, tenant: str, workflow: Workflow | None, *, as_json: bool
) -> None:
    """List what is waiting for somebody to act, and why. Without NAME, count the rows of every list."""
    with reading(db, tenant, workflow) as shop:
        if name is None:
            _counts(shop, as_json=as_json)
            return
        tasks = shop.worklist(name, cursor=cursor, limit=limit)
    views = [_task(task) for task in tasks]
    onward = tasks[-1].cursor if len(tasks) == limit else None
    if as_json:
        print_json({"worklist": name, "tasks": views, "cursor": onward})
        return
    if WORKLISTS[name].kind == "invoice":
        table("", _OWED, [[view[column] for column in _OWED] for view in views])
    else:
        table("", ("kind", "id", "state", "reasons"), [_waiting(task) for task in tasks])
    _more(onward)


def _waiting(task: Task) -> tuple[str, ...]:
    return task.key.kind, task.key.id, type(task.state).__name__, "; ".join(map(str, task.reasons))


def _task(task: Task) -> View:
    reasons = [{"code": reason.code, "message": reason.message} for reason in task.reasons]
    view = {"kind": task.key.kind, "id": task.key.id, "state": type(task.state).__name__, "reasons": reasons}
    return view | invoice_view(task) if task.key.kind == "invoice" else view


def _counts(shop: OrderFlow, *, as_json: bool) -> None:
    counts = {name: _count(shop, listed) for name, listed in WORKLISTS.items()}
    if as_json:
        print_json(counts)
    else:
        table("", ("worklist", "rows"), [*counts.items()])


def _count(shop: OrderFlow, listed: Worklist) -> int:
    now = datetime.now(UTC)
    query = listed.query(shop.workflow, now, 0, 1)
    if query is None:
        return 0
    rows = _all(shop.rows(listed.kind), status=query.status, where=dict(query.where), due_by=query.due_by)
    if listed.attended:
        return sum(1 for row in rows if listed.reasons(row.state, now))
    return sum(1 for row in rows if listed.keeps(row.state))


def _all(rows: Rows[Any], **conditions: Any) -> Iterator[Row[Any]]:
    """Every row for which the conditions hold, page by page."""
    cursor = 0
    while page := rows.find(**conditions, cursor=cursor, limit=_PAGE):
        yield from page
        cursor = page[-1].cursor


@click.command()
@click.argument("row", metavar="[SKU[@LOCATION]]", required=False)
@click.option("--below", type=click.IntRange(0), help="Only rows with fewer units available than this.")
@database
@as_json
def stock(
    row: str | None, below: int | None, db: Path, tenant: str, workflow: Workflow | None, *, as_json: bool
) -> None:
    """Show stock levels: of everything, of one SKU at every location, or of one SKU at one location."""
    sku, location = StockRef.read(row or "")
    where = {name: value for name, value in (("sku", sku), ("location", location)) if value}
    with reading(db, tenant, workflow) as shop:
        rows = [*_all(shop.stock, where=where)]
        if row and not rows:
            raise click.ClickException(f"no stock {row!r}: `orderflow stock` lists what there is, by SKU and location")
    rows.sort(key=lambda found: StockRef.read(found.key.id))
    views = [_level(found) for found in rows if below is None or found.state.available < below]
    if as_json:
        print_json({"stock": views})
    else:
        names = ("sku", "location", *_LEVELS)
        table("", names, [[view[name] for name in names] for view in views])


def _level(row: Row[Any]) -> View:
    return StockRef.read(row.key.id)._asdict() | {name: getattr(row.state, name) for name in _LEVELS}
