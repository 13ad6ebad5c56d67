"""``orderflow doctor``: what storage settings are in force, whether they are safe, what they cost, and what waits."""

from __future__ import annotations

from pathlib import Path

import click
from attrs import asdict

from orderflow.adapters.storage.health import Health, Unfinished, health
from orderflow.adapters.storage.safety import Settings, report
from orderflow.cli.options import as_json, database
from orderflow.cli.output import facts, print_json, table
from orderflow.cli.views import View
from orderflow.domain.engine.workflow import Workflow


@click.command()
@database
@as_json
def doctor(db: Path, tenant: str, workflow: Workflow | None, *, as_json: bool) -> None:
    """Show the storage settings, whether they are safe and why, what a commit costs, sizes, and what waits.

    The cost of a commit is measured in files beside the database, for a file shared by processes and for one that a
    single process keeps to itself. Exit 1 if the settings are not safe.
    """
    found = health(db, tenant)
    settings = {"shared": report(db), "exclusive": report(db, exclusive=True)}
    if as_json:
        print_json(_view(found, settings))
    else:
        _print(found, settings)
    if not settings["shared"].safe:
        raise SystemExit(1)


def _milliseconds(settings: Settings) -> float | None:
    return None if settings.commit_microseconds is None else settings.commit_microseconds / 1000


def _view(found: Health, settings: dict[str, Settings]) -> View:
    view = asdict(found)
    view["rows"] = dict(found.rows)
    modes = {
        use: {
            "journal_mode": each.journal_mode,
            "synchronous": each.synchronous,
            "safe": each.safe,
            "reasons": [*each.reasons],
            "commit_milliseconds": _milliseconds(each),
        }
        for use, each in settings.items()
    }
    shared = settings["shared"]
    return {"sqlite": shared.library_version, "file_system": shared.file_system, "settings": modes, **view}


def _shown(message: Unfinished) -> str:
    return f"{message.id}, {message.attempts} attempts" + (f", last error: {message.error}" if message.error else "")


def _mode(each: Settings) -> tuple[str, ...]:
    safe, cost = "yes" if each.safe else "NO", _milliseconds(each)
    shown = "not measured" if cost is None else f"{cost:.2f}"
    return each.journal_mode, each.synchronous, safe, shown, "; ".join(each.reasons)


def _print(found: Health, settings: dict[str, Settings]) -> None:
    shared = settings["shared"]
    facts(
        [
            ("SQLite", shared.library_version),
            ("file system", shared.file_system),
            ("layout", found.layout),
            ("journal mode of the file", found.journal_mode),
            ("size", f"{found.file_bytes:,} bytes, {found.free_bytes:,} of them free"),
            ("write-ahead log", f"{found.log_bytes:,} bytes"),
            ("messages pending", str(found.pending)),
            ("dead letters", str(found.dead)),
        ]
    )
    if found.oldest is not None:
        click.echo(f"oldest unfinished: {_shown(found.oldest)}")
    for message in found.dead_letters:
        click.echo(f"dead: {_shown(message)}")
    if found.dead_letters:
        click.echo("once the cause is mended, `orderflow requeue` has them sent again")
    rows = [(use, *_mode(each)) for use, each in settings.items()]
    table("settings", ("use", "journal mode", "synchronous", "safe", "ms a commit", "because"), rows)
    table("rows", ("table", "rows"), found.rows)
