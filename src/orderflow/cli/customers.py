"""``orderflow customers`` and ``orderflow customer``: who is there, and how one stands. Names only where asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from orderflow.cli.options import as_json, database, reading
from orderflow.cli.output import amount, facts, print_json, table, when
from orderflow.cli.views import View
from orderflow.customers import CustomerFigures, CustomerSummary
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.parties.party import PartyVersion
from orderflow.domain.values import PartyRef
from orderflow.shop import OrderFlow

F = TypeVar("F", bound=Callable[..., Any])

_LISTED: Final = ("id", "state", "party", "merged_into", "tags")
_PERSONAL: Final = ("name", "kana", "phone", "email")
_FACTS: Final = (
    "party", *_PERSONAL, "tags", "merged_into", "duplicates", "limit", "blocked", "last_order_at", "last_orders",
    "open_invoices", "returns", "special_requests", "notes",
)  # fmt: skip
_FIGURES: Final = ("currency", "charged", "credited", "value", "paid", "balance", "exposure", "open")


def personal(command: F) -> F:
    """Add ``--personal``."""
    return click.option("--personal", is_flag=True, help="Also print names, telephone numbers and mail addresses.")(
        command
    )


@click.command()
@click.argument("text")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="The most to list.")
@personal
@database
@as_json
def customers(
    text: str, limit: int, db: Path, tenant: str, workflow: Workflow | None, *, personal: bool, as_json: bool
) -> None:
    """Find customers by TEXT: the beginning of a name or of its reading, a telephone number or a mail address."""
    with reading(db, tenant, workflow) as shop:
        rows = shop.customers.search(text, limit=limit)
        people = _people(shop, [row.state.party for row in rows]) if personal else [{}] * len(rows)
        views = [_one(row.key.id, row.state) | person for row, person in zip(rows, people, strict=True)]
    if as_json:
        print_json({"customers": views})
    else:
        names = (*_LISTED, *(_PERSONAL if personal else ()))
        table("", names, [[_text(view[name]) for name in names] for view in views])


@click.command()
@click.argument("id")
@personal
@database
@as_json
def customer(
    id: str,  # noqa: A002 - what it is
    db: Path,
    tenant: str,
    workflow: Workflow | None,
    *,
    personal: bool,
    as_json: bool,
) -> None:
    """Show the customer ID with its duplicates: orders by state, sums, open invoices."""
    with reading(db, tenant, workflow) as shop:
        summary = shop.customers.summary(id)
        view = _summary(summary) | (_people(shop, [summary.state.party])[0] if personal else {})
    if as_json:
        print_json(view)
        return
    click.echo(f"{view['id']}: {view['state']}")
    facts((name, view[name]) for name in _FACTS if name in view)
    table("orders", ("state", "orders"), view["orders"].items())
    table("sums", _FIGURES, [[sums[name] for name in _FIGURES] for sums in view["sums"]])


def _one(id: str, state: Any) -> View:  # noqa: A002
    return {
        "id": id,
        "state": type(state).__name__,
        "party": str(state.party),
        "merged_into": getattr(state, "into", ""),
        "tags": [*getattr(state, "tags", ())],
    }


def _summary(found: CustomerSummary) -> View:
    profile = found.state.profile
    return _one(found.id, found.state) | {
        "duplicates": [*found.duplicates],
        "limit": str(found.limit) if found.limit else None,
        "blocked": found.blocked,
        "orders": dict(found.orders),
        "last_order_at": when(found.last_order_at),
        "last_orders": [*found.last_orders],
        "open_invoices": [*found.open_invoices],
        "returns": found.returns,
        "special_requests": [*profile.special_requests],
        "notes": [*profile.notes],
        "sums": [_sums(figures) for figures in found.figures],
    }


def _sums(figures: CustomerFigures) -> View:
    return {"currency": figures.currency} | {
        name: amount(getattr(figures, f"{name}_minor"), figures.currency) for name in _FIGURES[1:]
    }


def _people(shop: OrderFlow, parties: Iterable[PartyRef]) -> list[View]:
    """What the vault says of each; empty where a party is erased, restricted or was never recorded."""
    keys = [shop.key("party", str(party)) for party in parties]
    rows = shop.read([*dict.fromkeys(keys)])
    states = [rows[key].state for key in keys]
    return [
        {name: getattr(state.person, name) if isinstance(state, PartyVersion) else "" for name in _PERSONAL}
        for state in states
    ]


def _text(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
