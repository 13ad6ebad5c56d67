"""``orderflow run``: a file of orders through all six steps, with the file's own times as the clock."""

from __future__ import annotations

import csv
import gc
import gzip
import json
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from orderflow.cli.named import format_named, naming
from orderflow.cli.options import distinct, own_workflow, writable
from orderflow.cli.output import table
from orderflow.domain.engine.workflow import Workflow
from orderflow.importing.documents import Format, RejectedDocument, Source, name_of
from orderflow.importing.pipeline import Pipeline
from orderflow.importing.stages import Until
from orderflow.importing.summary import rejections, summarise
from orderflow.importing.vetting import YEARS, Years, vetted
from orderflow.importing.wiring import import_workflow, notices_of, notifier_for, shop_for, start_clock, storage_at
from orderflow.shop import OrderFlow

__all__ = ["REJECTED", "progress_bar", "report", "report_unfinished", "run", "states_of", "work"]

#: The columns of the table of rejected documents.
REJECTED: Final = ("line", "code", "why (the first reason)")
FINISHED: Final = ("Completed", "Cancelled")

#: The exit status of an interrupted run, as a shell reports it: 128 plus the number of the signal.
INTERRUPTED: Final = 130

#: A run keeps many small immutable objects and makes no cycles, so looking for cycles at the usual rate is a waste.
GC_THRESHOLD: Final = (1_000_000, 20, 20)

#: The years whose times can be converted between any two time zones.
_YEAR: Final = click.IntRange(2, 9998)


def _zone(context: click.Context, option: click.Parameter, text: str) -> tuple[str, str]:
    country, sign, zone = text.partition("=")
    if not (country and sign and zone):
        raise click.BadParameter(f"{text!r} is not of the form COUNTRY=ZONE", context, option)
    return country, zone


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "reader",
    metavar="FORMAT",
    callback=naming(format_named),
    required=True,
    help="How to read the file: jsonl, another registered name, or module:name.",
)
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="ORDERFLOW_DB",
    show_envvar=True,
    help="The database.",
)
@own_workflow
@click.option(
    "--receive",
    type=click.Choice(["shortfall"]),
    callback=lambda context, option, value: value is not None,
    help="Receive whatever an order needs beyond the available stock.",
)
@click.option(
    "--years",
    type=(_YEAR, _YEAR),
    metavar="FIRST LAST",
    default=YEARS,
    show_default=True,
    help="Reject documents dated outside these years.",
)
@click.option("--summary", type=click.Path(dir_okay=False, path_type=Path), help="Write the summary to this file.")
@click.option("--rates", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The carrier's rate table.")
@click.option(
    "--zone",
    "zones",
    metavar="COUNTRY=ZONE",
    multiple=True,
    callback=lambda context, option, values: dict(_zone(context, option, value) for value in values),
    help="The zone of the rate table that a country is in.",
)
@click.option("--mail", type=click.Path(file_okay=False, path_type=Path), help="Put notices into this mail folder.")
@click.option(
    "--location",
    "locations",
    multiple=True,
    default=("main",),
    help="A stock location; give several in order of priority.",
)
@click.option(
    "--until",
    type=click.Choice([until.value for until in Until if until is not Until.WISHED]),
    callback=lambda context, option, value: Until.WISHED if value is None else Until(value),
    help="The last step to take. With completed, parcels are delivered at once, even if a later day was wished.",
)
@click.option("--dry-run", is_flag=True, help="Only count the documents and list those that would be rejected.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(
    file: Path,
    reader: Format,
    db: Path | None,
    summary: Path | None,
    *,
    years: tuple[int, int],
    dry_run: bool,
    as_json: bool,
    **wishes: Any,
) -> None:
    """Take FILE through all six steps: receive, confirm, allocate, prepare, ship, complete and tell the customer.

    Parcels are taken to be handed over and delivered at the times in the file, but not before the day that the customer
    wished. If a run is interrupted, start it again: it resumes where it stopped.
    """
    source = reader(file)
    if db is None and not dry_run:
        raise click.UsageError("name the database with --db")
    with _readable(file):
        if db is None or dry_run:
            _print_documents(source, Years(*years), as_json=as_json)
            return
        notices = None if wishes["mail"] else notices_of(db)
        distinct(file=file, database=db, summary=summary, rate_table=wishes["rates"], file_of_notices=notices)
        for target in filter(None, (summary, db)):
            writable(target)
        found = work(source, db, years=Years(*years), **wishes)
    if summary is not None:
        summary.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        report(found)
    if not found["accepted"]:
        raise click.ClickException(f"{file}: no document was accepted")


@contextmanager
def _readable(file: Path) -> Generator[None]:
    """Turn an unreadable file, or an interruption, into a message and an exit status."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, csv.Error) as error:
        raise click.ClickException(f"{file}: {error}") from error
    except KeyboardInterrupt:
        click.echo("Interrupted; run the same command again to resume.", err=True)
        raise SystemExit(INTERRUPTED) from None


@contextmanager
def _few_collections() -> Generator[None]:
    """Look for cycles rarely, and never among existing objects; the process's own settings are restored afterwards."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@_few_collections()
def work(
    source: Source,
    db: Path,
    *,
    workflow: Workflow | None = None,
    receive: bool = False,
    years: Years = YEARS,
    rates: Path | None = None,
    zones: Mapping[str, str] | None = None,
    mail: Path | None = None,
    locations: tuple[str, ...] = ("main",),
    until: Until = Until.WISHED,
) -> dict[str, Any]:
    """Run a source into a database and return the summary, with the seconds that the run took."""
    used, clock = import_workflow(workflow), start_clock()
    storage = storage_at(db, used)
    try:
        notifier = notifier_for(db, mail)
        shop = shop_for(storage, used, clock, notifier=notifier, rates=rates, zones=zones, locations=locations)
        began = time.perf_counter()
        with progress_bar(source.count()) as advanced:
            options: dict[str, Any] = {"receive": receive, "advanced": advanced, "years": years, "until": until}
            pipeline = Pipeline(shop, source, clock, name_of(source), **options)
            pipeline.run()
        seconds = time.perf_counter() - began
        found = summarise(shop, source.timezone)
        found["rejected"] = [*_rejected(shop, source.channel, pipeline.rejected)]
        found["accepted"] = pipeline.accepted
        found["elsewhere"] = [place for place in pipeline.places if place not in locations]
        found["refused_commands"] = [{"command_id": name, "reason": reason} for name, reason in pipeline.refused]
        found["seconds"] = round(seconds, 2)
        found["orders_per_second"] = round(pipeline.worked / seconds, 1)
        return found
    finally:
        storage.close()


def _rejected(shop: OrderFlow, channel: str, here: Iterable[RejectedDocument]) -> Iterator[dict[str, Any]]:
    """All rejected documents in the database; those of this file with their current codes and first reason."""
    now = {f"{channel}/{each.number}": each.rows for each in here}
    for name, line, codes in rejections(shop):
        rows = now.get(name, ())
        seen = list(dict.fromkeys(row.code for row in rows)) or list(codes)
        yield {"document": name, "line": line, "codes": seen, "reason": rows[0].reason if rows else None}


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
    shown = 0

    def tell(done: int) -> None:
        nonlocal shown
        if done // step > shown or done == total:
            shown = done // step
            click.echo(f"{done} of {total} documents", err=True)

    yield tell


def _print_documents(source: Source, years: Years, *, as_json: bool) -> None:
    counts: dict[str, int] = {}
    rejected = []
    for document in vetted(source, years):
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
    """Print the summary for people to read."""
    documents = found["documents"]
    click.echo(
        f"{documents['orders']} orders, {documents['cancellations']} cancellations, "
        f"{documents['adjustments']} adjustments, {documents['refused']} rejected; {found['lines']} lines"
    )
    for currency, sums in found["amounts_by_currency"].items():
        click.echo(f"{currency}: sales {sums['sales']}, cancellations {sums['cancellations']}, net {sums['net']}")
    returns = found["returns"]
    click.echo(f"returned: {returns['units']} units, {returns['units_matched']} of them matched to orders")
    click.echo(f"{found['seconds']} s, {found['orders_per_second']} orders a second")
    table("states", ("what", "state", "number"), states_of(found))
    _report_rejected(found["rejected"])
    report_unfinished(found)


def states_of(found: dict[str, Any]) -> list[tuple[str, str, int]]:
    """A row for each kind and state, with the number of rows in that state."""
    return [(kind, state, count) for kind, counts in found["states"].items() for state, count in counts.items()]


def _report_rejected(rejected: list[dict[str, Any]]) -> None:
    """Print the rejected documents of this file, with the first reason; those of other files are only counted."""
    rows = [(row["line"], row["codes"][0], row["reason"]) for row in rejected if row["reason"] is not None]
    if rows:
        table("rejected", REJECTED, rows)
    if len(rejected) > len(rows):
        click.echo(f"rejected in other files or earlier runs: {len(rejected) - len(rows)}")


def report_unfinished(found: dict[str, Any]) -> None:
    """Print what keeps orders from completion, as far as this run knows."""
    waiting = sum(count for state, count in found["states"]["order"].items() if state not in FINISHED)
    if waiting:
        click.echo(f"\norders not completed: {waiting}; `orderflow worklist` on this database says what they wait for")
    if found["refused_commands"]:
        first = found["refused_commands"][0]
        many = len(found["refused_commands"])
        click.echo(f"steps refused: {many}, the first of them {first['command_id']}: {first['reason']}")
    if found["elsewhere"]:
        named = " ".join(f"--location {place}" for place in found["elsewhere"])
        click.echo(f"Warning: goods came in at locations that this run does not allocate from: add {named}", err=True)
