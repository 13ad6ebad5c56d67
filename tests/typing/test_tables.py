"""Type checkers hold tables and the public surface together: mypy --strict and pyright report what does not fit.

Each file in ``wrong`` marks the lines that must be reported, and on no other line may anything be. What is wrong for
mypy only, pyright takes: it widens a type until all arguments fit.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="mypy is not installed: types cannot be checked without it")

ROOT = Path(__file__).resolve().parents[2]
WRONG = ROOT / "tests" / "typing" / "wrong"
FILES = sorted(WRONG.glob("*.py"))
Lines = dict[str, set[int]]


def said(*command: str) -> str:
    """What a checker prints, faults or not."""
    run = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout


def mypy() -> Lines:
    """The lines that mypy --strict reports, by file."""
    found: Lines = {}
    pattern = re.compile(r"^(.+\.py):(\d+): error:", re.MULTILINE)
    for path, line in pattern.findall(said("mypy", "--strict", "--follow-imports=silent", *map(str, FILES))):
        found.setdefault(Path(path).name, set()).add(int(line))
    return found


def pyright() -> Lines:
    """The lines that pyright reports as errors, by file."""
    pytest.importorskip("pyright", reason="pyright is not installed")
    found: Lines = {}
    report = said("pyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(WRONG))
    for fault in json.loads(report)["generalDiagnostics"]:
        if fault["severity"] == "error":
            found.setdefault(Path(fault["file"]).name, set()).add(fault["range"]["start"]["line"] + 1)
    return found


def marked(*words: str) -> Lines:
    """The lines that say they are wrong in one of these ways, by file."""
    pattern = re.compile(f"# ({'|'.join(words)}): ")
    texts = {path.name: path.read_text(encoding="utf-8").splitlines() for path in FILES}
    return {name: {at for at, line in enumerate(lines, 1) if pattern.search(line)} for name, lines in texts.items()}


def test_mypy_reports_what_does_not_fit_and_nothing_else() -> None:
    """Every marked line is reported by mypy --strict, and every other line passes."""
    assert mypy() == marked("wrong", "wrong for mypy")


def test_pyright_reports_what_does_not_fit_and_nothing_else() -> None:
    """Every marked line is reported by pyright, and every other line passes."""
    assert pyright() == marked("wrong")
