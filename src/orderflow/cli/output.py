"""How answers are printed: tables on a terminal, aligned lines elsewhere, JSON where a program reads."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from unicodedata import category, east_asian_width

import click

from orderflow.domain.money.money import Money
from orderflow.errors import Refusal

_NO_CELL: Final = frozenset({"Mn", "Me", "Cf"})
_WIDE: Final = frozenset({"W", "F"})
#: A time as facts have it.
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:\+00:00|Z)")
_ONE: Final = re.compile(r"(?<![\d.,-])1 (delivered )?units( (?:are|were|wait))?\b")
_VERBS: Final = {" are": " is", " were": " was", " wait": " waits"}
#: Wider than any terminal.
_UNBOUNDED: Final = 100_000


def print_json(value: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


def amount(minor: int, currency: str) -> str:
    """An amount in major units as a plain decimal, with all decimals of its currency."""
    return f"{Money(minor, currency).decimal:f}"


def when(at: datetime | None) -> str | None:
    """A moment as ISO 8601 text in UTC."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def sentence(reason: Refusal) -> str:
    """A reason for people to read: times to the minute, and one unit is no units."""
    return _ONE.sub(_singular, _TIME.sub(r"\1 \2 UTC", reason.message))


def _singular(found: re.Match[str]) -> str:
    adjective, verb = found.groups()
    return f"1 {adjective or ''}unit{_VERBS[verb] if verb else ''}"


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and their values, one on each line; empty values are left out."""
    for name, value in pairs:
        if value not in (None, "", [], ()):
            click.echo(f"{name}: {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}")


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table, with its title if it has one. Numbers are aligned right; without rows it prints ``none``."""
    listed = [["" if cell is None else cell for cell in row] for row in rows]
    if title:
        click.echo(f"\n{title}")
    if not listed:
        click.echo("none")
    elif not (_on_terminal() and _rich(heads, listed)):
        _plain(heads, listed)


def _plain(heads: Sequence[str], listed: Sequence[Sequence[object]]) -> None:
    widths = [max([_width(head), *(_width(str(row[at])) for row in listed)]) for at, head in enumerate(heads)]
    numbers = [all(row[at] == "" or isinstance(row[at], int) for row in listed) for at in range(len(heads))]
    for row in [heads, *listed]:
        cells = [
            _padded(str(cell), width, right=right) for cell, width, right in zip(row, widths, numbers, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _padded(text: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - _width(text))
    return blanks + text if right else text + blanks


def _width(text: str) -> int:
    """How many cells a text takes on a screen: wide characters take two, and what combines with another none."""
    return sum(
        0 if category(character) in _NO_CELL else 2 if east_asian_width(character) in _WIDE else 1 for character in text
    )


def _on_terminal() -> bool:
    return sys.stdout.isatty()


def _rich(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> bool:
    """Draw the table if the terminal is wide enough to hold it; return whether it was."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for at, head in enumerate(heads):
        numbers = all(row[at] == "" or isinstance(row[at], int) for row in rows)
        shown.add_column(Text(head), justify="right" if numbers else "left", no_wrap=True)
    for row in rows:
        shown.add_row(*(Text(str(cell)) for cell in row))
    console = Console()
    fits = console.measure(shown, options=console.options.update(max_width=_UNBOUNDED)).maximum <= console.width
    if fits:
        console.print(shown)
    return fits
