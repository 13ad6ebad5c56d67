"""Rules about the source text that no linter knows. Each check is proved on planted offenders first."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "src" / "orderflow"
MODULES = sorted(PACKAGE.rglob("*.py"))
PURE = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] in {"errors.py", "domain", "ports", "flows"}]
ADAPTERS = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] == "adapters"]
MOST_FUNCTION_LINES, MOST_FILE_LINES = 45, 400

Function = ast.FunctionDef | ast.AsyncFunctionDef
Check = Callable[[str], list[str]]


def every_module(paths: list[Path]) -> pytest.MarkDecorator:
    """Runs a test for each of these modules, under its name."""
    return pytest.mark.parametrize("path", paths, ids=lambda path: str(path.relative_to(PACKAGE)))


def imported_by_the_pages() -> set[str]:
    """The modules that the README and the documentation import from."""
    pages = [PROJECT / "README.md", *PROJECT.glob("docs/**/*.md")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    return set(re.findall(r"from (orderflow[\w.]*) import ", text))


def module_name(path: Path) -> str:
    """The dotted name under which a file of the package is imported."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def functions(source: str) -> Iterator[Function]:
    """Every function and method, nested ones too."""
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, Function))


# --- the checks: each takes the text of a module and lists its offenders ---

IMPURE_MODULES = frozenset({"random", "secrets", "time", "uuid"})
IMPURE_NAMES = frozenset({"now", "today", "utcnow", "urandom", "random", "randint", "uuid1", "uuid4", "uuid7"})


def impure_calls(source: str) -> list[str]:
    """Calls that read the clock, draw chance or mint an id."""
    calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [name for name in calls if _is_impure(name.split("."))]


def _is_impure(parts: list[str]) -> bool:
    return parts[-1] in IMPURE_NAMES or (len(parts) > 1 and parts[0] in IMPURE_MODULES)


def without_all(source: str) -> list[str]:
    """The module, if it does not say what it offers; it may say so where no type checker looks."""
    targets: list[ast.expr] = []
    body = ast.parse(source).body
    for node in [*body, *(inner for branch in body if isinstance(branch, ast.If) for inner in branch.body)]:
        targets += node.targets if isinstance(node, ast.Assign) else []
        targets += [node.target] if isinstance(node, ast.AnnAssign) else []
    return [] if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets) else ["__all__"]


def composed_sql(source: str) -> list[str]:
    """SQL put together where it is executed, or in the same function, from anything but constants in capitals."""
    return sorted({text for function in functions(source) for text in _composed_in(function)})


def _composed_in(function: Function) -> Iterator[str]:
    nodes = list(ast.walk(function))
    built = {ast.unparse(node.targets[0]): node.value for node in nodes if isinstance(node, ast.Assign)}
    for node in nodes:
        if isinstance(node, ast.Call) and _executes(node):
            statement = built.get(ast.unparse(node.args[0]), node.args[0])
            if _is_composed(statement):
                yield ast.unparse(statement)


def _executes(call: ast.Call) -> bool:
    names = {"execute", "executemany", "executescript"}
    return isinstance(call.func, ast.Attribute) and call.func.attr in names and bool(call.args)


def _is_composed(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return not all(_is_fixed(part.value) for part in node.values if isinstance(part, ast.FormattedValue))
    if isinstance(node, ast.BinOp):
        return not (_is_fixed(node.left) and _is_fixed(node.right))
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"format", "join"}


def _is_fixed(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


def long_functions(source: str) -> list[str]:
    """Functions of more code lines than the house allows; docstrings, comments and blank lines do not count."""
    code = _code_lines(source)
    return [node.name for node in functions(source) if len(code & _lines(node)) > MOST_FUNCTION_LINES]


def _code_lines(source: str) -> set[int]:
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    code = {line for token in tokens if token.type not in layout for line in range(token.start[0], token.end[0] + 1)}
    texts = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Expr) and _is_text(node.value)]
    return code.difference(*map(_lines, texts))


def _lines(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def long_file(source: str) -> list[str]:
    """The number of lines, if the file is longer than the house allows."""
    lines = source.count("\n")
    return [f"{lines} lines"] if lines > MOST_FILE_LINES else []


# --- the checks find what they look for ---

PLANTED = [
    (impure_calls, "at = datetime.now(UTC)", ["datetime.now"]),
    (impure_calls, "at = clock.utcnow()", ["clock.utcnow"]),
    (impure_calls, "day = date.today()", ["date.today"]),
    (impure_calls, "n = random.choice(x)", ["random.choice"]),
    (impure_calls, "id = uuid4()", ["uuid4"]),
    (impure_calls, "t = time.monotonic()", ["time.monotonic"]),
    (impure_calls, "def now(self) -> datetime: ...\nat = stamp.now", []),
    (without_all, "import os", ["__all__"]),
    (without_all, "__all__ = []", []),
    (without_all, "__all__: list[str] = []", []),
    (without_all, "if not TYPE_CHECKING:\n    __all__ = []", []),
    (without_all, "def f():\n    __all__ = []", ["__all__"]),
    (composed_sql, "def f(c, t):\n    c.execute(f'SELECT * FROM {t}')", ["f'SELECT * FROM {t}'"]),
    (composed_sql, "def f(c, t):\n    sql = 'SELECT ' + t\n    c.execute(sql)", ["'SELECT ' + t"]),
    (composed_sql, "def f(c, t):\n    c.executemany('SELECT %s' % t, [])", ["'SELECT %s' % t"]),
    (composed_sql, "def f(c, t):\n    c.execute('SELECT {}'.format(t))", ["'SELECT {}'.format(t)"]),
    (composed_sql, "def f(c, n):\n    c.execute(SELECT, (n,))\n    c.execute(f'{SELECT} LIMIT 1')", []),
    (long_functions, "def f():\n" + "    x = 1\n" * 45 + "class A:\n    def f(self): ...\n", ["f"]),
    (long_functions, 'def f():\n    """Does.\n' + "\n" * 50 + '    """\n' + "    # why\n    x = 1\n\n" * 44, []),
    (long_file, "\n" * 401, ["401 lines"]),
    (long_file, "\n" * 400, []),
]


@pytest.mark.parametrize("check, source, offenders", PLANTED)
def test_a_check_finds_what_is_planted(check: Check, source: str, offenders: list[str]) -> None:
    """Each check reports planted offenders, and nothing else."""
    assert check(source) == offenders


def test_the_rules_see_the_package() -> None:
    """A moved folder must not make every rule vacuous."""
    assert PACKAGE / "errors.py" in MODULES
    assert PURE
    assert ADAPTERS


# --- the rules ---


@every_module(PURE)
def test_the_core_reads_no_clock_and_draws_no_chance(path: Path) -> None:
    """Time, chance and ids come into errors, domain, ports and flows as values."""
    assert impure_calls(path.read_text(encoding="utf-8")) == []


def test_a_public_module_says_what_it_offers() -> None:
    """A module that the documentation imports from lists its names in __all__."""
    public = [path for path in MODULES if module_name(path) in imported_by_the_pages()]
    assert public
    assert [path for path in public if without_all(path.read_text(encoding="utf-8"))] == []


@every_module(ADAPTERS)
def test_sql_is_never_put_together_from_values(path: Path) -> None:
    """Values travel as parameters; only constants of the module may stand inside a statement."""
    assert composed_sql(path.read_text(encoding="utf-8")) == []


@every_module(MODULES)
def test_functions_and_files_stay_short(path: Path) -> None:
    """No function above 45 lines of code, no file above 400 lines."""
    source = path.read_text(encoding="utf-8")
    assert long_functions(source) + long_file(source) == []
