"""``orderflow run``: a file of orders through all six steps, with the file's own times as the clock."""

from __future__ import annotations

import csv
import gc
import json
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from orderflow.batch.documents import RejectedDocument, Source, name_of
from orderflow.batch.jsonl import JsonLinesFile
from orderflow.batch.pipeline import Pipeline
from orderflow.batch.summary import rejections, summarise
from orderflow.batch.uci import UciFile
from orderflow.batch.wiring import batch_book, notifier_for, shop_for, start_clock, storage_at

__all__ = ["LAYOUTS", "progress_bar", "report", "run", "work"]

LAYOUTS: Final[dict[str, Callable[[Path], Source]]] = {"uci": UciFile, "orderflow": JsonLinesFile}

#: A run keeps many small immutable objects and makes hardly a cycle: looking for some at the usual pace costs a sixth.
GC_THRESHOLD: Final = (100_000, 20, 20)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--layout", type=click.Choice([*LAYOUTS]), required=True, help="How the file is laid out.")
@click.option("--db", type=click.Path(dir_okay=False, path_type=Path), envvar="ORDERFLOW_DB", help="The database.")
@click.option("--receive", type=click.Choice(["shortfall"]), help="Receive what exceeds the available stock.")
@click.option("--summary", type=click.Path(dir_okay=False, path_type=Path), help="Write the summary as JSON here.")
@click.option("--rates", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The carrier's rate table.")
@click.option("--mail", type=click.Path(file_okay=False, path_type=Path), help="Put notices into this mail folder.")
@click.option("--location", "locations", multiple=True, default=("main",), help="Where stock is, by priority.")
@click.option("--dry-run", is_flag=True, help="Say what would happen and which rows would be rejected.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(
    file: Path,
    layout: str,
    db: Path | None,
    receive: str | None,
    summary: Path | None,
    rates: Path | None,
    mail: Path | None,
    locations: tuple[str, ...],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take FILE through all six steps: receive, confirm, allocate, prepare, ship, complete and tell the customer.

    Interrupted and started again, it goes on where it stopped.
    """
    source = LAYOUTS[layout](file)
    if db is None and not dry_run:
        raise click.UsageError("name the database with --db")
    try:
        if db is None or dry_run:
            _foretell(source, as_json=as_json)
            return
        found = work(source, db, receive=receive is not None, rates=rates, mail=mail, locations=locations)
    except (OSError, EOFError, csv.Error) as error:
        raise click.ClickException(f"{file}: {error}") from error
    if summary is not None:
        summary.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        report(found)


def work(
    source: Source,
    db: Path,
    *,
    receive: bool = False,
    rates: Path | None = None,
    mail: Path | None = None,
    locations: tuple[str, ...] = ("main",),
) -> dict[str, Any]:
    """Run a source into a database and give the summary, with the seconds the run took."""
    book, clock = batch_book(), start_clock()
    storage = storage_at(db, book)
    try:
        shop = shop_for(storage, book, clock, notifier=notifier_for(db, mail), rates=rates, locations=locations)
        began = time.perf_counter()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLD)
        with progress_bar(source.count()) as advanced:
            pipeline = Pipeline(shop, source, clock, name_of(source), receive=receive, advanced=advanced)
            pipeline.run()
        seconds = time.perf_counter() - began
        found = summarise(shop, source.zone)
        found["rejected"] = [
            {"document": name, "line": line, "codes": list(codes)} for name, line, codes in rejections(shop)
        ]
        found["refused_commands"] = [{"command_id": name, "reason": reason} for name, reason in pipeline.refused]
        found["seconds"] = round(seconds, 2)
        found["orders_per_second"] = round(pipeline.worked / seconds, 1)
        return found
    finally:
        storage.close()


@contextmanager
def progress_bar(total: int) -> Generator[Callable[[int], None]]:
    """A bar on a terminal; otherwise a line on stderr for each tenth."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task("documents", total=total)
            yield lambda done: bar.update(task, completed=done)
        return
    step = max(1, total // 10)
    told = 0

    def tell(done: int) -> None:
        nonlocal told
        if done // step > told or done == total:
            told = done // step
            click.echo(f"{done} of {total} documents", err=True)

    yield tell


def _foretell(source: Source, *, as_json: bool) -> None:
    counts: dict[str, int] = {}
    rejected = []
    for document in source.documents():
        name = type(document).__name__.removesuffix("Document").lower()
        counts[name] = counts.get(name, 0) + 1
        if isinstance(document, RejectedDocument):
            rejected += [{"line": row.line, "code": row.code, "reason": row.reason} for row in document.rows]
    if as_json:
        click.echo(json.dumps({"documents": counts, "rejected": rejected}))
        return
    for name, count in counts.items():
        click.echo(f"{count:>8} {name}")
    for row in rejected:
        click.echo(f"line {row['line']}: {row['code']}: {row['reason']}")


def report(found: dict[str, Any]) -> None:
    """The summary for people."""
    documents = found["documents"]
    click.echo(
        f"{documents['orders']} orders, {documents['cancellations']} cancellations, "
        f"{documents['adjustments']} adjustments, {documents['refused']} rejected; {found['lines']} lines"
    )
    for currency, sums in found["amounts_by_currency"].items():
        click.echo(f"{currency}: sales {sums['sales']}, cancellations {sums['cancellations']}, net {sums['net']}")
    returns = found["returns"]
    click.echo(f"returned: {returns['units']} units, {returns['units_matched']} of them matched to orders")
    for row in found["rejected"]:
        click.echo(f"rejected: line {row['line']} ({row['document']}): {', '.join(row['codes'])}")
    if found["refused_commands"]:
        click.echo(
            f"{len(found['refused_commands'])} steps were refused; the first: {found['refused_commands'][0]['reason']}"
        )
    click.echo(f"{found['seconds']} s, {found['orders_per_second']} orders a second")
