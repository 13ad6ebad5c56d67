"""The demo: takes a generated sample through all six steps and shows the result (``make demo``)."""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from orderflow.cli.options import reading, writable
from orderflow.cli.output import table
from orderflow.cli.run import REJECTED, report_unfinished, states_of, work
from orderflow.cli.show import show
from orderflow.domain.money.money import Money
from orderflow.domain.values import StockRef
from orderflow.importing.documents import Document, RejectedDocument
from orderflow.importing.jsonl import JsonLinesFile
from orderflow.ports.storage import Row
from orderflow.shop import OrderFlow
from orderflow_examples.money_ends import MoneyEnd, ends_of_money
from orderflow_examples.sample import write_sample
from orderflow_examples.sample_data import LOCATIONS

__all__ = ["demo"]

_PAGE = 1000
_MODULE = "orderflow_examples.demo"


@click.command()
@click.option("--orders", type=click.IntRange(1, 100_000), default=320, show_default=True, help="How many orders.")
@click.option("--seed", type=int, default=7, show_default=True, help="A different seed draws different orders.")
@click.option(
    "--db", type=click.Path(dir_okay=False, path_type=Path), help="Keep the database here, and the sample beside it."
)
@click.option("--keep", is_flag=True, help="Keep the temporary folder.")
@click.pass_context
def demo(context: click.Context, orders: int, seed: int, db: Path | None, *, keep: bool) -> None:
    """Take a generated sample of orders through all six steps and show the result.

    Five currencies, prices with and without tax, two locations, split shipments, back-orders, payments in parts and too
    late, returns, faulty lines.
    """
    if db is not None and db.exists():
        raise click.ClickException(f"{db} already exists: the demo needs a new database")
    if db is not None:
        writable(db)
    with _place(db, keep=keep) as place:
        sample = place.with_suffix(".jsonl")
        write_sample(sample, orders, seed, payments=True)
        source = JsonLinesFile(sample)
        found = work(source, place, locations=LOCATIONS)
        documents = [*source.documents()]
        _intake(documents, found)
        with reading(place, "main", None) as shop:
            rows = [*_all(shop, "order")]
            _outcome(shop, rows, found)
            _money(shop, rows, place.with_suffix(".money.csv"))
            example = max(rows, key=_instructive).key.id
        report_unfinished(found)
        click.echo(f"\n{_title('one of them')}\n")
        context.invoke(show, name=example, db=place, tenant="main", workflow=None, as_json=False)
        _print_next_steps(place if db or keep else None, sample, example)


@contextmanager
def _place(db: Path | None, *, keep: bool) -> Generator[Path]:
    """Where the database goes: at ``db``, or in a temporary folder that is removed at the end unless it is kept."""
    if db is not None:
        yield db
        return
    folder = Path(tempfile.mkdtemp(prefix="orderflow-demo-"))
    try:
        yield folder / "shop.db"
    finally:
        if not keep:
            shutil.rmtree(folder)


def _title(text: str) -> str:
    return click.style(text.upper(), bold=True)


def _intake(documents: list[Document], found: dict[str, Any]) -> None:
    """Print what was in the file, and what of it was rejected."""
    kinds = Counter(type(document).__name__.removesuffix("Document").lower() for document in documents)
    click.echo(f"\n{_title('what came in')}")
    click.echo(
        f"{len(documents)} documents: {kinds['order']} orders, {kinds['payment']} payments, "
        f"{kinds['cancellation']} cancellations, {kinds['adjustment']} stock adjustments, "
        f"{kinds['receipt']} goods receipts, {kinds['rejected']} rejected"
    )
    click.echo(f"worked in {found['seconds']} s, {found['orders_per_second']} orders a second, every commit on disk")
    rejected = [document for document in documents if isinstance(document, RejectedDocument)]
    if rejected:
        table("rejected", REJECTED, [_first(document) for document in rejected])


def _first(document: RejectedDocument) -> tuple[int, str, str]:
    line, code, reason = document.rows[0]
    return line, code, reason


def _outcome(shop: OrderFlow, orders: list[Row[Any]], found: dict[str, Any]) -> None:
    """Print states, money and stock, as read from the database."""
    click.echo(f"\n{_title('what came of it')}")
    table("states", ("what", "state", "number"), states_of(found))
    split = sum(1 for row in orders if len(row.state.progress.shipments) > 1)
    returns = found["returns"]
    click.echo(
        f"{split} orders were split into several shipments; {returns['units']} units came back, "
        f"{returns['units_matched']} of them matched to orders"
    )
    balances = found["balances"]["by_currency"]
    sums = found["amounts_by_currency"].items()
    names = ("sales", "cancellations", "net")
    cells = [(code, *(amounts[name] for name in names), balances.get(code, "")) for code, amounts in sums]
    table("money", ("currency", *names, "owed by named customers"), _aligned(cells))
    _shelves(shop)


def _money(shop: OrderFlow, orders: list[Row[Any]], file: Path) -> None:
    """Print where the orders' money has ended, by currency, and write it down for each order."""
    ends = [*ends_of_money(shop, orders, _all(shop, "payment"))]
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(MoneyEnd._fields)
        writer.writerows(ends)
    sums: dict[str, Counter[str]] = {}
    for end in ends:
        sums.setdefault(end.currency, Counter()).update(end._asdict() | {"order": 1, "state": 0, "currency": 0})
    heads = MoneyEnd._fields[3:]
    cells = [(code, *(str(Money(counted[head], code).decimal) for head in heads)) for code, counted in sums.items()]
    table(
        "where the money of orders ends",
        ("currency", *(head.removesuffix("_minor") for head in heads)),
        _aligned(cells),
    )


def _aligned(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Align amounts, which are texts, to the right of their columns."""
    widths = [0, *(max(map(len, column)) for column in [*zip(*rows, strict=True)][1:])]
    return [tuple(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _shelves(shop: OrderFlow) -> None:
    """Print how much stock is at each location, and how much of it orders wait for."""
    levels: dict[str, Counter[str]] = {}
    for row in _all(shop, "stock"):
        sku, location = StockRef.read(row.key.id)
        levels.setdefault(sku, Counter()).update({location: row.state.on_hand, "on back-order": row.state.backordered})
    heads = (*LOCATIONS, "on back-order")
    table("stock", ("sku", *heads), [(sku, *(levels[sku][head] for head in heads)) for sku in sorted(levels)])


def _all(shop: OrderFlow, kind: str) -> Iterator[Row[Any]]:
    cursor = 0
    while rows := shop.rows(kind).find(cursor=cursor, limit=_PAGE):
        yield from rows
        cursor = rows[-1].cursor


def _instructive(row: Row[Any]) -> tuple[bool, int, int]:
    """Rank an order as an example: best is a completed one with several shipments, invoices and lines."""
    progress = row.state.progress
    return type(row.state).__name__ == "Completed", len(progress.shipments) + len(progress.bills), len(progress.lines)


def _print_next_steps(db: Path | None, sample: Path, example: str) -> None:
    click.echo(f"\n{_title('look further')}")
    program = Path(sys.executable).with_name("orderflow")
    if db is None:
        click.echo(f"This database was removed. Keep one with `{sys.executable} -m {_MODULE} --db demo.db`, then:")
    name = db or "demo.db"
    for command in (f"show {example}", "orders --state AwaitingStock", "worklist", "stock", "verify", "doctor"):
        click.echo(f"  {program} {command} --db {name}")
    file = sample if db else "demo.jsonl"
    places = " ".join(f"--location {location}" for location in LOCATIONS)
    click.echo(f"  {program} run {file} --format jsonl --db again.db {places}")


if __name__ == "__main__":
    demo()
