"""F06: columns of Japanese text are aligned by the cells that they take on a screen, on every width, and piped."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from files import order, receipt, run, written

from orderflow.cli import output
from orderflow.cli.root import root

HEADS = ("品番", "name", "数量", "状態")
ROWS = [
    ("TEA-1", "煎茶", 3, "出荷済み"),
    ("TEA-22", "ほうじ茶 (業務用)", 120, "引当待ち"),
    ("CUP", "Cup", 7, "ok"),
    ("ﾁｬｲ", "ﾁｬｲ ﾃｨｰ", 1, "café"),
    ("か\u3099", "か\u3099き氷", 2, "🍵"),
]


def cells(text: str) -> int:
    """How many cells a text takes: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def places(line: str, row: tuple[object, ...]) -> list[tuple[int, int]]:
    """Where each cell of a row begins and ends on a printed line, in cells."""
    found, at = [], 0
    for cell in map(str, row):
        at = line.index(cell, at)
        found.append((cells(line[:at]), cells(line[:at]) + cells(cell)))
        at += len(cell)
    return found


@pytest.mark.parametrize("columns", ["60", "80", "200", "piped", "20"])
def test_f06_columns_begin_where_their_heads_begin(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts begin with their head, numbers end with it; so it is on a terminal of any width, and without one."""
    monkeypatch.setattr(output, "_on_terminal", lambda: columns != "piped")
    monkeypatch.setenv("COLUMNS", "80" if columns == "piped" else columns)
    monkeypatch.setenv("TERM", "dumb")
    output.table("", HEADS, ROWS)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.strip(" ─━")]
    head, *rows = [places(line, row) for line, row in zip(lines, [HEADS, *ROWS], strict=True)]
    for row in rows:
        assert [row[at][0] for at in (0, 1, 3)] == [head[at][0] for at in (0, 1, 3)]
        assert row[2][1] == head[2][1]


def test_f06_a_command_piped(tmp_path: Path) -> None:
    """The stock of three articles, two of them with Japanese names: the last column ends in the same cell."""
    items: list[Any] = [["煎茶", "本店", 4], ["TEA", "main", 5], ["ほうじ茶", "本店", 30]]
    file = written(tmp_path / "orders.jsonl", [receipt(1) | {"items": items}, order(1)])
    run(file)
    printed = CliRunner().invoke(root, ["stock", "--db", str(file.with_suffix(".db"))]).stdout
    assert len({cells(line) for line in printed.splitlines()}) == 1
    assert "ほうじ茶" in printed
