"""What the commands that read a database share: the options that name it, and how it is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from orderflow.adapters.storage.layout import APPLICATION_ID
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.workflow.effects import NOTICES
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import StorageError
from orderflow.importing.progress import PROGRESS
from orderflow.shop import OrderFlow

__all__ = ["as_json", "database", "distinct", "reading", "workflow_of", "writable"]

F = TypeVar("F", bound=Callable[..., Any])


def database(command: F) -> F:
    """Add ``--db`` and ``--tenant``."""
    path = click.Path(exists=True, dir_okay=False, path_type=Path)
    db = click.option(
        "--db",
        type=path,
        envvar="ORDERFLOW_DB",
        show_envvar=True,
        required=True,
        callback=_of_orderflow,
        help="The database.",
    )
    for option in (
        click.option("--tenant", default="main", show_default=True, help="Whose rows."),
        db,
    ):
        command = option(command)
    return command


def _of_orderflow(context: click.Context, parameter: click.Parameter, path: Path) -> Path:
    """Refuse, in the same words for every command, a file that holds nothing of this library."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            ((mark,),) = connection.execute("PRAGMA application_id")
            ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_schema")
    except sqlite3.Error as error:
        raise StorageError(f"{path}: {error}", retry=False) from error
    if not tables:
        raise StorageError(f"{path} is empty", retry=False)
    if mark != APPLICATION_ID:
        raise StorageError(f"{path} is a database of another application", retry=False)
    return path


def as_json(command: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON with stable keys.")(command)


def distinct(**files: Path | None) -> None:
    """Refuse two names for one file: what is read, what is written, and what a database keeps beside itself.

    Raises:
        click.UsageError: two of them are one file.
    """
    seen: dict[Path, str] = {}
    for name, path in files.items():
        shown = name.replace("_", " ")
        for each in () if path is None else _with_companions(path) if name == "database" else (path,):
            other = seen.setdefault(each.resolve(), shown)
            if other != shown:
                raise click.UsageError(f"{path} is both the {other} and the {shown}")


def _with_companions(database: Path) -> Iterator[Path]:
    """A database file, and the logs that SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        yield database.with_name(database.name + suffix)


def writable(path: Path) -> None:
    """Raise the ``OSError`` that a write of ``path`` would meet, before any work is done; leaves the file as it is."""
    there = path.exists()
    path.open("ab").close()
    if not there:
        path.unlink()


def workflow_of(templates: tuple[str, ...] = tuple(NOTICES.values())) -> Workflow:
    """The workflow that the command line reads a database by: the standard one, and the marks of runs."""
    return standard_workflow(templates).extended(machines=(PROGRESS,))


@contextmanager
def reading(db: Path, tenant: str) -> Generator[OrderFlow]:
    """A shop on the database, opened to read only."""
    workflow = workflow_of()
    storage = SqliteStorage(db, workflow.machines.values(), tenant=tenant, read_only=True)
    try:
        yield OrderFlow(storage, workflow=workflow)
    finally:
        storage.close()
