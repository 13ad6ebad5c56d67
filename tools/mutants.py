"""Plant one fault at a time in a copy of the project, and see whether a test notices: ``make mutants``.

The faults are Cosmic Ray's. They are planted in a file or folder (``--on``), or else in the lines that differ from
``main``; all of them, or ``--sample`` of them, drawn by ``--seed``. Those that survive are printed as diffs.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

__all__ = ["TESTS", "changed_lines", "is_drawn", "main", "spared", "tests_of"]

ROOT = Path(__file__).resolve().parent.parent
SOURCE = "src/orderflow"

FLOWS = ("tests/flows", "tests/unit/test_workflow.py")
CASES = tuple(
    f"tests/cases/test_{name}*.py"
    for name in ("e01", "e03", "e07", "e1", "f02", "f05", "m", "u18", "u19", "u22")  # the others take long
)
#: The tests that concern a folder, the quickest and closest first. The longest matching name decides.
TESTS: dict[str, tuple[str, ...]] = {
    "": ("tests/unit", *FLOWS),
    "domain/money": (
        "tests/unit/test_money.py",
        "tests/unit/test_price.py",
        "tests/unit/test_tax.py",
        "tests/unit/test_calendar.py",
        "tests/properties/test_money.py",
        "tests/properties/test_tax.py",
        "tests/properties/test_calendar.py",
        "tests/conformance",
        "tests/unit/test_invoice.py",
        "tests/unit/test_schema*.py",
        "tests/unit/test_text.py",
        "tests/flows/test_billing.py",
        "tests/cases/test_m*.py",
    ),
    "domain/engine": (
        "tests/unit/test_machine.py",
        "tests/unit/test_schema*.py",
        "tests/unit/test_text.py",
        "tests/unit/test_decide.py",
        "tests/unit/test_diagram.py",
        *FLOWS,
    ),
    "domain/workflow": (*FLOWS, "tests/unit/test_decide.py", "tests/model/test_all_pairs.py", *CASES),
    "domain/orders": (
        "tests/unit/test_order.py",
        "tests/unit/test_money_rows.py",
        "tests/unit/test_order_money.py",
        *FLOWS,
        "tests/unit/test_decide.py",
        "tests/unit/test_counts.py",
        "tests/unit/test_schema.py",
        "tests/unit/test_text.py",
        *CASES,
        "tests/model/test_all_pairs.py",
    ),
    "domain/billing": (
        "tests/unit/test_invoice.py",
        "tests/unit/test_money_rows.py",
        "tests/unit/test_records_rows.py",
        *FLOWS,
        *CASES,
        "tests/model/test_all_pairs.py",
    ),
    "domain/payments": ("tests/unit/test_payment.py", *FLOWS, *CASES, "tests/model/test_all_pairs.py"),
    "domain": ("tests/unit", *FLOWS, "tests/model/test_all_pairs.py"),
    "flows": (*FLOWS, "tests/unit/test_decide.py", "tests/unit/test_counts.py", "tests/unit/test_resume.py", *CASES),
    "adapters/storage": ("tests/unit/test_sqlite*.py", "tests/unit/test_storage_columns.py", "tests/contracts"),
    "cli": ("tests/cli", "tests/unit/test_cli*.py"),
}

#: Faults that a test can notice: a neighbouring comparison, an opposite operator.
#: Left out are faults that raise a TypeError in any test, and those in decorators, which the type checkers notice.
DRAWN = re.compile(
    r"""core/(
    AddNot | NumberReplacer | ZeroIterationForLoop | ExceptionReplacer
    | Replace(Break|Continue|And|Or|True|False)With\w+
    | ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Is_IsNot|IsNot_Is)
    | ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_FloorDiv|Div_Mul|FloorDiv_Mul|Mod_FloorDiv|Pow_Mul|BitOr_BitAnd
        |BitAnd_BitOr|LShift_RShift|RShift_LShift)
    | ReplaceUnaryOperator_(USub_UAdd|Delete_Not)
    )""",
    re.VERBOSE,
)

Position = tuple[int, int]
Span = tuple[Position, Position]


class Mutant(NamedTuple):
    """A fault that can be planted: at the ``occurrence``-th place in the file where the operator applies."""

    path: str
    line: int
    operator: str
    occurrence: int

    def fault(self) -> str:
        """The whole faulty text of the file."""
        operator = _cosmic_ray("plugins").get_operator(self.operator)()
        return str(_cosmic_ray("mutating").mutate_code(_truth(self.path), operator, self.occurrence))

    def diff(self) -> str:
        """The lines that differ."""
        rows = difflib.unified_diff(_truth(self.path).splitlines(), self.fault().splitlines(), lineterm="", n=0)
        return "\n".join(row for row in rows if not row.startswith(("---", "+++", "@@")))

    def is_python(self) -> bool:
        """Whether the faulty text parses: a ``*`` before an argument, say, cannot become another operator."""
        try:
            ast.parse(self.fault())
        except SyntaxError:
            return False
        return True


def _cosmic_ray(module: str) -> ModuleType:
    """Imported late, because ``make test`` imports this file on machines without Cosmic Ray."""
    return import_module(f"cosmic_ray.{module}")


def _truth(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def tests_of(path: str) -> tuple[str, ...]:
    """The tests that concern a source file, as paths and patterns below the project."""
    module = path.removeprefix(f"{SOURCE}/")
    return TESTS[max((name for name in TESTS if module.startswith(name)), key=len)]


def is_drawn(operator: str) -> bool:
    """Whether faults of this operator are planted at all."""
    return DRAWN.fullmatch(operator) is not None


# -- where faults are planted


def spared(source: str) -> list[Span]:
    """Spans where no fault is planted: annotations, decorators, type aliases, ``__all__``, f-strings, ``strict=``."""
    return [span for node in ast.walk(ast.parse(source)) for part in _spared_in(node) for span in _span(part)]


def _spared_in(node: ast.AST) -> list[ast.AST | None]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [node.returns, *node.decorator_list]
        case ast.ClassDef():
            return [*node.decorator_list]
        case (
            ast.AnnAssign(annotation=ast.Name("TypeAlias"))
            | ast.Assign(targets=[ast.Name("__all__")])
            | ast.Assign(value=ast.Subscript(ast.Name("Annotated")))
            | ast.JoinedStr()
            | ast.keyword(arg="strict")
        ):
            return [node]
        case ast.AnnAssign() | ast.arg():
            return [node.annotation]
        case _:
            return []


def _span(node: ast.AST | None) -> Iterator[Span]:
    if isinstance(node, ast.expr | ast.stmt | ast.keyword):
        yield (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)


def changed_lines(diff: str) -> dict[str, set[int]]:
    """The lines of each file that a ``git diff -U0`` adds or changes."""
    lines: dict[str, set[int]] = {}
    path = ""
    for row in diff.splitlines():
        if row.startswith("+++ "):
            path = row.removeprefix("+++ b/")
        elif hunk := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", row):
            first, count = int(hunk[1]), int(hunk[2] or 1)
            lines.setdefault(path, set()).update(range(first, first + count))
    return lines


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _places(on: str) -> dict[str, set[int] | None]:
    """The source files to plant faults in, each with its lines (None: all of them)."""
    if on:
        found = [ROOT / on] if on.endswith(".py") else sorted((ROOT / on).rglob("*.py"))
        return {str(path.relative_to(ROOT)): None for path in found}
    changed = changed_lines(_git("diff", "-U0", "main", "--", SOURCE))
    fresh = _git("ls-files", "--others", "--exclude-standard", "--", SOURCE).split()
    return {path: lines for path, lines in changed.items() if path.endswith(".py")} | dict.fromkeys(fresh)


def _mutants(path: str, lines: set[int] | None) -> Iterator[Mutant]:
    trees, plugins = _cosmic_ray("ast"), _cosmic_ray("plugins")
    source = _truth(path)
    nodes, spans = list(trees.ast_nodes(trees.get_ast(source))), spared(source)
    for name in filter(is_drawn, sorted(plugins.operator_names())):
        operator = plugins.get_operator(name)()
        places = [start for node in nodes for start, _ in operator.mutation_positions(node)]
        for occurrence, at in enumerate(places):
            wanted = lines is None or at[0] in lines
            if wanted and not any(start <= at < end for start, end in spans):
                yield Mutant(path, at[0], name, occurrence)


# -- planting


def _copy(to: Path) -> Path:
    """Copy the working tree as it is, without the files that git ignores."""
    for name in _git("ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    return to


def _arguments(copy: Path, tests: Sequence[str]) -> list[str]:
    paths = [str(path.relative_to(copy)) for pattern in tests for path in sorted(copy.glob(pattern))]
    options = ["-x", "-q", "-n0", "-p", "no:cacheprovider", "--hypothesis-seed=0", "-m", "not slow"]
    return [*options, f"--basetemp={copy.parent / 'tmp'}", *dict.fromkeys(paths)]


def _plant(copy: Path, tests: Sequence[str], faults: Sequence[tuple[str, str]]) -> list[str]:
    """Plant each fault and return the outcomes; the tests must pass without any fault."""
    report = copy.parent / "report.jsonl"
    told = {"arguments": _arguments(copy, tests), "faults": faults, "report": str(report)}
    environment = {"ORDERFLOW_PROFILE": "quick", "PYTHONPATH": str(copy / "src")}
    subprocess.run(
        [sys.executable, str(copy / "tools" / "planting.py")],
        input=json.dumps(told),
        text=True,
        cwd=copy,
        env=os.environ | environment,
        check=False,
        stdout=subprocess.DEVNULL,
    )
    first, *outcomes = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()] or [""]
    report.unlink()
    if first != "survived":
        raise SystemExit(f"tests fail without any fault: {' '.join(tests)}")
    return outcomes


def _ends(copy: Path, mutants: Sequence[Mutant]) -> list[tuple[Mutant, str]]:
    """Plant each mutant and return the outcomes; mutants with the same tests are planted together."""
    by_tests: dict[tuple[str, ...], list[Mutant]] = {}
    for mutant in mutants:
        by_tests.setdefault(tests_of(mutant.path), []).append(mutant)
    ends: list[tuple[Mutant, str]] = []
    for tests, group in by_tests.items():
        ends += zip(group, _plant(copy, tests, [(mutant.path, mutant.fault()) for mutant in group]), strict=True)
    return ends


def _run(mutants: Sequence[Mutant], jobs: int) -> Iterator[tuple[Mutant, str]]:
    """Plant each mutant, in ``jobs`` copies at once."""
    shares = [mutants[at::jobs] for at in range(min(jobs, len(mutants)))]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        copies = [_copy(Path(folder, str(at), "project")) for at in range(len(shares))]
        for ends in pool.map(_ends, copies, shares):
            yield from ends


def _chosen(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Plant faults and see whether tests notice.")
    parser.add_argument("--on", default="", help="a file or folder below src; default: the lines that differ from main")
    parser.add_argument("--sample", type=int, help="how many to draw; default: all")
    parser.add_argument("--seed", type=int, help="the seed of the draw; default: a random one")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    return parser.parse_args(arguments)


def _draw(on: str, sample: int | None, seed: int) -> list[Mutant]:
    every = [mutant for path, lines in _places(on).items() for mutant in _mutants(path, lines)]
    random.Random(seed).shuffle(every)
    return list(islice(filter(Mutant.is_python, every), sample))


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw mutants, plant them, and report."""
    chosen = _chosen(arguments)
    seed = random.randrange(10**6) if chosen.seed is None else chosen.seed
    drawn, begun = _draw(chosen.on, chosen.sample, seed), time.monotonic()
    print(f"{len(drawn)} mutants, seed {seed}", flush=True)
    counts = {"killed": 0, "survived": 0, "timeout": 0}
    for mutant, outcome in _run(drawn, chosen.jobs):
        counts[outcome] += 1
        if outcome != "killed":
            print(f"\n{outcome} {mutant.path}:{mutant.line} {mutant.operator}\n{mutant.diff()}", flush=True)
    noticed = f"{1 - counts['survived'] / len(drawn):.1%}" if drawn else "nothing"
    print(f"\n{counts}; noticed {noticed}; seed {seed}; {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
