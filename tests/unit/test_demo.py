"""The demo of a checkout, as ``make demo`` shows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orderflow.cli.root import root
from orderflow_examples.demo import demo


def show_demo(*arguments: object) -> Result:
    """What a call answers."""
    return CliRunner().invoke(demo, [str(argument) for argument in arguments])


def test_the_demo_shows_a_whole_shop(tmp_path: Path) -> None:
    """What came in, what was rejected, states, money, stock, one order in full, and how to look further."""
    database = tmp_path / "demo.db"
    answer = show_demo("--orders", 66, "--db", database)
    assert answer.exit_code == 0, answer.output
    shown = answer.stdout
    assert "155 documents: 66 orders, 74 payments, 8 cancellations, 1 stock adjustments, 2 goods receipts" in shown
    assert "  69  unknown_currency  content.currency: 'EUX' is not a currency of ISO 4217 that has a minor" in shown
    for part in ("WHAT CAME OF IT", "order     Completed", "owed by named customers", "BOWL-RAKU", "OrderCompleted"):
        assert part in shown
    assert f"orderflow verify --db {database}" in shown
    again = f"run {tmp_path / 'demo.jsonl'} --format jsonl --db again.db --location tokyo --location osaka"
    assert f"orderflow {again}\n" in shown
    assert CliRunner().invoke(root, ["verify", "--db", str(database)]).exit_code == 0
    assert (tmp_path / "demo.jsonl").exists()
    assert "where the money of orders ends" in shown
    assert len((tmp_path / "demo.money.csv").read_text("utf-8").splitlines()) == 67


def test_the_demo_leaves_nothing_behind_unless_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder is gone at the end; with --keep it stays, and the commands name the database in it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = show_demo("--orders", 1)
    assert (gone.exit_code, [*tmp_path.iterdir()]) == (0, [])
    assert "-m orderflow_examples.demo --db demo.db" in gone.stdout
    kept = show_demo("--orders", 1, "--keep")
    [folder] = tmp_path.iterdir()
    assert f"orderflow verify --db {folder / 'shop.db'}" in kept.stdout


def test_the_demo_touches_no_database_that_is_there(tmp_path: Path) -> None:
    """A shop's own file is refused, and so is a folder that is not there."""
    nowhere = tmp_path / "nowhere" / "x.db"
    assert "No such file or directory" in str(show_demo("--db", nowhere).exception)
    (tmp_path / "mine.db").write_bytes(b"mine")
    answer = show_demo("--db", tmp_path / "mine.db")
    assert (answer.exit_code, "already exists" in answer.stderr) == (1, True)
    assert (tmp_path / "mine.db").read_bytes() == b"mine"
