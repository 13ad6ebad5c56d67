"""How answers are printed: tables on a terminal, aligned lines elsewhere, JSON where a program reads."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click

from orderflow.domain.money import Money

__all__ = ["amount", "facts", "print_json", "table", "when"]


def print_json(value: Any) -> None:
    """One JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


def amount(minor: int, currency: str) -> str:
    """An amount in major units as a plain decimal, with all decimals of its currency."""
    return f"{Money(minor, currency).decimal:f}"


def when(at: datetime | None) -> str | None:
    """A moment as ISO 8601 text in UTC."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Names and what they stand for, a line each; what is empty is left out."""
    for name, value in pairs:
        if value not in (None, "", [], ()):
            click.echo(f"{name}: {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}")


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table, with a title where there is one. Numbers stand to the right."""
    listed = [["" if cell is None else cell for cell in row] for row in rows]
    if _on_terminal():
        _rich(title, heads, listed)
        return
    if title:
        click.echo(f"\n{title}")
    widths = [max([len(head), *(len(str(row[at])) for row in listed)]) for at, head in enumerate(heads)]
    for row in [heads, *listed]:
        cells = [
            str(cell).rjust(width) if isinstance(cell, int) else str(cell).ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _on_terminal() -> bool:
    return sys.stdout.isatty()


def _rich(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=title or None, title_justify="left")
    for at, head in enumerate(heads):
        numbers = bool(rows) and all(isinstance(row[at], int) for row in rows)
        shown.add_column(head, justify="right" if numbers else "left")
    for row in rows:
        shown.add_row(*(Text(str(cell)) for cell in row))
    Console().print(shown)
