"""What the commands that read a database share: the options that name it, and how it is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from orderflow.adapters.storage.layout import APPLICATION_ID
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.cli.named import naming, workflow_named
from orderflow.domain.engine.workflow import Workflow
from orderflow.errors import StorageError
from orderflow.importing.wiring import import_workflow
from orderflow.shop import OrderFlow

F = TypeVar("F", bound=Callable[..., Any])


def database(command: F) -> F:
    """Add ``--db``, ``--tenant`` and ``--workflow``."""
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
    tenant = click.option("--tenant", default="main", show_default=True, help="The tenant whose rows are read.")
    return db(tenant(own_workflow(command)))


def own_workflow(command: F) -> F:
    """Add ``--workflow``, which gives a ``Workflow``, or None for the standard one."""
    return click.option(
        "--workflow",
        metavar="MODULE:NAME",
        callback=naming(workflow_named),
        envvar="ORDERFLOW_WORKFLOW",
        show_envvar=True,
        help="The workflow, if it is not the standard one.",
    )(command)


def _of_orderflow(context: click.Context, parameter: click.Parameter, path: Path) -> Path:
    """Refuse a file that is not a database of this library, with the same message in every command."""
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
    """Refuse to use one file for two purposes; the logs that SQLite keeps beside a database count as its files.

    Raises:
        click.UsageError: two of ``files`` are the same file.
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
    """Raise the ``OSError`` that writing to ``path`` would raise, before any work is done. The file stays as it is."""
    there = path.exists()
    path.open("ab").close()
    if not there:
        path.unlink()


def moment(context: click.Context, option: click.Parameter, text: str | None) -> datetime | None:
    """The time in an option's text, in ISO 8601, UTC if it has no offset; any other text is a usage error."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        sentence = f"{text!r} is not a time such as 2026-01-31 or 2026-01-31T09:00:00+09:00"
        raise click.BadParameter(sentence, context, option) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@contextmanager
def reading(db: Path, tenant: str, workflow: Workflow | None) -> Generator[OrderFlow]:
    """A shop on the database, opened read-only; its workflow is the standard one unless another is given."""
    with _opened(db, tenant, workflow, read_only=True) as shop:
        yield shop


@contextmanager
def writing(db: Path, tenant: str, workflow: Workflow | None) -> Generator[OrderFlow]:
    """The same, to change something in it."""
    with _opened(db, tenant, workflow, read_only=False) as shop:
        yield shop


@contextmanager
def _opened(db: Path, tenant: str, workflow: Workflow | None, *, read_only: bool) -> Generator[OrderFlow]:
    known = import_workflow(workflow)
    storage = SqliteStorage(db, known.machines.values(), tenant=tenant, read_only=read_only)
    try:
        yield OrderFlow(storage, workflow=known)
    finally:
        storage.close()
