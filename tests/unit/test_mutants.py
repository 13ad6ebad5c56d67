"""What ``make mutants`` decides by itself; the faults are Cosmic Ray's."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SOURCE = """
from __future__ import annotations
X: TypeAlias = int | str
LIMIT = 3

@frozen(eq=False)
class Row:
    size: int | None = 1

    def grown(self, by: int | None) -> int | None:
        return self.size + by, f"{self.size + 1}"

    double = lambda self: self.size * 2

def maker():
    return lambda: 1
"""


@pytest.fixture
def tool(project_root: Path) -> dict[str, Any]:
    """The names of the script that draws and reports."""
    return runpy.run_path(str(project_root / "tools" / "mutants.py"))


@pytest.fixture
def changed_code(project_root: Path) -> Callable[[str, str], dict[Any, Any] | None]:
    """What of a module a fault changes."""
    code = runpy.run_path(str(project_root / "tools" / "planting.py"))["changed_code"]
    return lambda old, new: code(SOURCE, SOURCE.replace(old, new))


def test_the_tests_that_concern_a_folder_are_there(tool: dict[str, Any], project_root: Path) -> None:
    """Every folder and every test that the table names exists; the longest name of a folder decides."""
    for folder, tests in tool["TESTS"].items():
        assert (project_root / "src" / "orderflow" / folder).is_dir()
        assert all(list(project_root.glob(test)) for test in tests)
    assert tool["tests_of"]("src/orderflow/domain/money/tax.py") == tool["TESTS"]["domain/money"]
    assert tool["tests_of"]("src/orderflow/shop.py") == tool["TESTS"][""]


def test_no_fault_is_planted_where_none_could_be_noticed(tool: dict[str, Any]) -> None:
    """Annotations, decorators, aliases and sentences are spared; what runs is not."""
    lines, spans = SOURCE.splitlines(), tool["spared"](SOURCE)
    spared = [lines[start[0] - 1][start[1] : end[1]] for start, end in sorted(spans)]
    assert spared[:2] == ["X: TypeAlias = int | str", "frozen(eq=False)"]
    assert spared[2:] == ["int | None", "int | None", "int | None", 'f"{self.size + 1}"']
    assert tool["is_drawn"]("core/ReplaceComparisonOperator_Lt_LtE")
    assert not tool["is_drawn"]("core/ReplaceComparisonOperator_Lt_Is")


def test_changed_lines_are_read_off_the_diff(tool: dict[str, Any]) -> None:
    """Lines as they are numbered in the working tree; a deletion changes none."""
    diff = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,3 @@ def f\n@@ -9 +10 @@\n--- a/y.py\n+++ b/y.py\n@@ -5,2 +4,0 @@"
    assert tool["changed_lines"](diff) == {"x.py": {1, 2, 3, 10}, "y.py": set()}


@pytest.mark.parametrize(
    "old, new, functions",
    [
        ("self.size + by", "self.size - by", {"grown"}),
        ("size * 2", "size * 3", {"<lambda>"}),
        ("lambda: 1", "lambda: 2", {"maker", "<lambda>"}),
    ],
)
def test_a_fault_in_a_function_is_its_code(changed_code: Any, old: str, new: str, functions: set[str]) -> None:
    """A function is faulty, and one that makes it is; what runs on import is not touched."""
    assert {code.co_name for code in changed_code(old, new)} == functions


@pytest.mark.parametrize("old, new", [("LIMIT = 3", "LIMIT = 4"), ("None = 1", "None = 2")])
def test_a_fault_on_import_needs_a_new_import(changed_code: Any, old: str, new: str) -> None:
    """Constants and defaults of fields are read once."""
    assert changed_code(old, new) is None
