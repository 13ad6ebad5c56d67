"""A type checker holds a row together: mypy --strict refuses rows whose parts do not fit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="mypy is not installed: rows cannot be checked without it")

TABLE = """
from __future__ import annotations

from attrs import frozen

from orderflow.domain.machine import Absent, Refusal, rule, to
from orderflow.domain.stamp import Stamp

@frozen
class Open:
    pass

@frozen
class Shut:
    pass

@frozen
class Close:
    pass

@frozen
class Paint:
    pass

@frozen
class Closed:
    pass

def decide(state: Open, command: Close, stamp: Stamp) -> Closed:
    return Closed()

def evolve(state: Open, event: Closed) -> Shut:
    return Shut()

def guard(state: Open, command: Close, stamp: Stamp) -> Refusal | None:
    return None

def dry(state: Open, command: Paint, stamp: Stamp) -> Refusal | None:
    return None

def reopen(state: Shut, command: Close, stamp: Stamp) -> Closed:
    return Closed()

"""
RIGHT = "rule(Open, Close, decide, to(Closed, Shut, evolve), guards=(guard,))"
WRONG = {
    "a guard of another command": "rule(Open, Close, decide, to(Closed, Shut, evolve), guards=(dry,))",
    "a source without that decide": "rule(Absent, Close, decide, to(Closed, Shut, evolve))",
    "a target that evolve does not return": "rule(Open, Close, decide, to(Closed, Open, evolve))",
    "a decide of another state": "rule(Open, Close, reopen, to(Closed, Shut, evolve))",
}


def faults(folder: Path, row: str) -> str:
    """What mypy --strict says about the row."""
    module = folder / "table.py"
    module.write_text(TABLE + row + "\n", encoding="utf-8")
    root = Path(__file__).resolve().parents[2]
    options = ("--strict", "--follow-imports=silent", "--config-file", str(root / "pyproject.toml"))
    command = [sys.executable, "-m", "mypy", *options, str(module)]
    done = subprocess.run([*command, "--cache-dir", str(folder / "cache")], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder, so that mypy reads the library once."""
    return tmp_path_factory.mktemp("table")


def test_a_row_that_fits_is_accepted(folder: Path) -> None:
    """A row of matching source, command, guard, decide, event and target has no fault."""
    assert not faults(folder, RIGHT)


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
def test_a_row_that_does_not_fit_is_refused(folder: Path, row: str) -> None:
    """A row whose parts belong to different rows does not pass the type checker, at its own line."""
    said = faults(folder, row)
    assert "error:" in said
    assert all("table.py" in line for line in said.splitlines() if "error:" in line)
