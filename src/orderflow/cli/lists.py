"""``orderflow orders``, ``worklist`` and ``stock``: listings, with cursors where they may be long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from orderflow.cli.options import as_json, database, moment, reading
from orderflow.cli.output import print_json, sentence, table, when
from orderflow.cli.views import View, invoice_view, row_view
from orderflow.domain.engine.machine import Absent
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.values import StockRef
from orderflow.errors import Refusal
from orderflow.flows.worklists import DEAD_LETTERS, WORKLISTS, Task
from orderflow.ports.storage import Row
from orderflow.rows import Rows
from orderflow.shop import OrderFlow

_PAGE: Final = 1000
_TOLD: Final = ("reasons", "what helps")
#: How far the rows of a list are counted where all lists are shown.
_COUNTED: Final = 99
_COLUMNS: Final = ("id", "number", "state", "customer", "channel", "placed_at", "gross", "currency")
_OWED: Final = ("id", "number", "customer", "currency", "owed", "due_on")
_LEVELS: Final = ("on_hand", "allocated", "available", "unavailable", "incoming", "backordered", "shortfall")
_LATEST: Final = datetime.max.replace(tzinfo=UTC)
#: The largest cursor that a database can hold.
_LAST: Final = 2**63 - 1


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
    callback=moment,
    help="Only orders placed at this time or later, such as 2026-01-31 (UTC if it has no offset).",
)
@click.option("--until", metavar="TIME", callback=moment, help="Only orders placed before this time.")
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
    "invoices that are overdue or open again, dead_letters effects that were given up. The commands that would help "
    "are those of Python; the first that is accepted leads on."
)
@click.argument("name", type=click.Choice([*WORKLISTS]), required=False, metavar="[NAME]")
@click.option("--all", "everything", is_flag=True, help="Without NAME, show empty lists, too.")
@_limit
@_cursor
@database
@as_json
def worklist(
    name: str | None,
    limit: int,
    cursor: int,
    db: Path,
    tenant: str,
    workflow: Workflow | None,
    *,
    everything: bool,
    as_json: bool,
) -> None:
    """List what is waiting for somebody to act, why, and what would help, the longest waiting first.

    Without NAME, show the head of every list on which something stands.
    """
    with reading(db, tenant, workflow) as shop:
        if name is None:
            _heads(shop, everything=everything, as_json=as_json)
            return
        found = shop.worklist(name, cursor=cursor, limit=limit)
    onward = found[-1].cursor if len(found) == limit else None
    tasks = _oldest_first(found)
    views = [_task(task) for task in tasks]
    if as_json:
        print_json({"worklist": name, "tasks": views, "cursor": onward})
        return
    if WORKLISTS[name] == ("invoice",):
        table(
            "",
            (*_OWED, *_TOLD),
            [(*(view[it] for it in _OWED), *_told(t)) for t, view in zip(tasks, views, strict=True)],
        )
    else:
        _print(name, tasks)
    _more(onward)


def _oldest_first(tasks: list[Task]) -> list[Task]:
    return sorted(tasks, key=lambda task: task.since or _LATEST)


def _print(name: str, tasks: list[Task]) -> None:
    """The tasks of one list; of effects with the id that `requeue` and `discard` ask for."""
    now, letters = datetime.now(UTC), name == DEAD_LETTERS
    heads = ("kind", "id", "state", *(("message",) if letters else ()), "age", *_TOLD)
    rows = [
        (t.key.kind, t.key.id, _state(t), *((str(t.reasons[0]["id"]),) if letters else ()), _age(t, now), *_told(t))
        for t in tasks
    ]
    table("", heads, rows)


def _told(task: Task) -> tuple[str, str]:
    return _reasons(task), ", ".join(task.commands)


def _reasons(task: Task) -> str:
    return "; ".join(sentence(reason) for reason in task.reasons)


def _state(task: Task) -> str:
    return "" if task.state is None else type(task.state).__name__


def _age(task: Task, now: datetime) -> str:
    """How long a row has stood like this, in its largest whole unit."""
    if task.since is None:
        return ""
    minutes = max(0, int((now - task.since).total_seconds()) // 60)
    hours, days = minutes // 60, minutes // 1440
    return f"{days} d" if days else f"{hours} h" if hours else f"{minutes} min"


def _task(task: Task) -> View:
    view: View = {"kind": task.key.kind, "id": task.key.id, "state": _state(task) or None}
    view["reasons"] = [_reason(reason) for reason in task.reasons]
    view |= {"commands": [*task.commands], "since": when(task.since)}
    return view | invoice_view(task) if task.key.kind == "invoice" and task.state is not None else view


def _reason(reason: Refusal) -> View:
    facts = {name: value if isinstance(value, int | str) else str(value) for name, value in reason.facts}
    return {"code": reason.code, "message": reason.message, "facts": facts}


def _heads(shop: OrderFlow, *, everything: bool, as_json: bool) -> None:
    """Every list: how many rows it has, up to a bound, and which of them waits longest."""
    heads = {name: _oldest_first(shop.worklist(name, limit=_COUNTED + 1)) for name in WORKLISTS}
    if as_json:
        print_json({name: _head(tasks) for name, tasks in heads.items()})
        return
    now = datetime.now(UTC)
    names = ("worklist", "rows", "first", "age", "reasons")
    shown = [(name, _number(tasks), *_first(tasks, now)) for name, tasks in heads.items() if tasks or everything]
    table("", names, shown)


def _head(tasks: list[Task]) -> View:
    more = len(tasks) > _COUNTED
    return {"rows": min(len(tasks), _COUNTED), "more": more, "first": _task(tasks[0]) if tasks else None}


def _number(tasks: list[Task]) -> int | str:
    return f"{_COUNTED}+" if len(tasks) > _COUNTED else len(tasks)


def _first(tasks: list[Task], now: datetime) -> tuple[str, str, str]:
    return next(((task.key.id, _age(task, now), _reasons(task)) for task in tasks), ("", "", ""))


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
