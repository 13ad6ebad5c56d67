"""What the commands that read a database share: the options that name it, and how it is opened."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.batch.progress import PROGRESS
from orderflow.domain.book import Book
from orderflow.domain.follow_ups import NOTICES
from orderflow.domain.standard import standard_book
from orderflow.facade import OrderFlow

__all__ = ["as_json", "book_of", "database", "reading"]

F = TypeVar("F", bound=Callable[..., Any])


def database(command: F) -> F:
    """Add ``--db`` and ``--tenant``."""
    path = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option("--tenant", default="main", show_default=True, help="Whose rows."),
        click.option("--db", type=path, envvar="ORDERFLOW_DB", required=True, help="The database."),
    ):
        command = option(command)
    return command


def as_json(command: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON with stable keys.")(command)


def book_of(templates: tuple[str, ...] = tuple(NOTICES.values())) -> Book:
    """The book that the command line reads a database by: the standard one, and the marks of runs."""
    return standard_book(templates).extended(machines=(PROGRESS,))


@contextmanager
def reading(db: Path, tenant: str) -> Generator[OrderFlow]:
    """A shop on the database, opened to read only."""
    book = book_of()
    storage = SqliteStorage(db, book.machines.values(), tenant=tenant, read_only=True)
    try:
        yield OrderFlow(storage, book=book)
    finally:
        storage.close()
