"""The pages tell the truth: every Python snippet runs, every command line is one, every link leads somewhere."""

from __future__ import annotations

import ast
import doctest
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from click.testing import CliRunner

from orderflow import SqliteStorage, errors, standard_workflow
from orderflow.domain.engine.record import Internal

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")) if page.parent != ROOT / "docs" / "machines"
)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
#: Most lines from import to a shipped order, blank lines not counted.
MOST_LINES = 15


class Snippet(NamedTuple):
    """A fenced block: its language, its text, and the line of the page it begins on."""

    language: str
    text: str
    line: int


def snippets(page: Path) -> Iterator[Snippet]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        yield Snippet(found[1], found[2], text.count("\n", 0, found.start()) + 2)


def run_code(page: Path, snippet: Snippet, names: dict[str, Any]) -> None:
    """Execute a block as if it stood in the page's own line."""
    exec(compile("\n" * (snippet.line - 1) + snippet.text, str(page), "exec", dont_inherit=True), names)


def run_session(page: Path, snippet: Snippet, names: dict[str, Any]) -> None:
    """Execute a block of ``>>>`` lines and compare what they print."""
    session = doctest.DocTestParser().get_doctest(snippet.text, names, page.name, str(page), snippet.line - 1)
    said: list[str] = []
    result = doctest.DocTestRunner().run(session, out=said.append, clear_globs=False)
    assert not result.failed, "".join(said)
    names.update(session.globs)


def run_console(page: Path, snippet: Snippet, names: dict[str, Any]) -> None:
    """Run the command lines of a block and compare what they print, but for blanks and ages."""
    from orderflow.cli.root import root

    for shown in re.split(r"^\$ ", snippet.text, flags=re.MULTILINE)[1:]:
        line, _, printed = shown.partition("\n")
        program, *arguments = shlex.split(line)
        assert program == "orderflow"
        answer = CliRunner().invoke(root, arguments)
        assert timeless(answer.output) == timeless(printed), f"{page.name}, line {snippet.line}: {line}"


def timeless(text: str) -> list[str]:
    """The lines of a text, with single blanks, and without ages."""
    return [re.sub(r"\b\d+ (?:d|h|min)\b", "AGE", " ".join(line.split())) for line in text.splitlines() if line.strip()]


RUNNERS = {"python": run_code, "pycon": run_session, "console": run_console}
RUNNABLE = [page for page in PAGES if any(snippet.language in RUNNERS for snippet in snippets(page))]


def name_of(page: Path) -> str:
    """How a page is called in a report."""
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_every_snippet_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run from top to bottom in one namespace, in an empty folder, and print what they show."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    for snippet in snippets(page):
        runner = RUNNERS.get(snippet.language)
        if runner:
            runner(page, snippet, names)


def test_an_order_is_shipped_within_fifteen_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """The README's first Python block needs at most 15 lines from the import to the shipped order."""
    first = next(snippet for snippet in snippets(ROOT / "README.md") if snippet.language == "python")
    run_code(ROOT / "README.md", first, {"__name__": "page"})
    assert capsys.readouterr().out == "Shipped\n"
    assert len([line for line in first.text.splitlines() if line.strip()]) <= MOST_LINES


def test_the_first_block_run_again_on_a_file_sells_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the README says of it: with a database in place of the memory, a second run finds everything done."""
    block = next(snippet for snippet in snippets(ROOT / "README.md") if snippet.language == "python")
    on_file = block._replace(
        text=block.text.replace("MemoryStorage()", f"SqliteStorage({str(tmp_path / 'shop.db')!r})")
    )
    versions = []
    for _ in range(2):
        names: dict[str, Any] = {"__name__": "page", "SqliteStorage": SqliteStorage}
        run_code(ROOT / "README.md", on_file, names)
        versions.append([names["shop"].rows(kind).find() for kind in ("order", "shipment", "stock")])
        names["shop"].storage.close()
    assert versions[0] == versions[1]
    assert capsys.readouterr().out == "Shipped\nShipped\n"


def command_lines() -> list[str]:
    """The shell commands that pages show, in blocks and between backticks, comments cut off."""
    shown = [line for page in PAGES for s in snippets(page) if s.language == "sh" for line in s.text.splitlines()]
    inline = [code for page in PAGES for code in CODE.findall(FENCE.sub("", page.read_text(encoding="utf-8")))]
    shown += [code for code in inline if code.startswith(("make ", "orderflow ", "python ", ".venv/bin/"))]
    return sorted({line.split("#")[0].strip() for line in shown if line.split("#")[0].strip()})


@pytest.mark.parametrize("line", command_lines())
def test_every_command_line_is_one(line: str) -> None:
    """A command that a page shows names a target, a script, a test folder or a command that is there."""
    program, *rest = shlex.split(line)
    check = CHECKS.get(Path(program).name)
    assert check is not None, f"no check for {program}"
    check(rest)


def check_make(rest: list[str]) -> None:
    """Each word is a target of the Makefile, or sets a variable that it asks for."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    asked = {word.partition("=")[0] for word in rest if "=" in word}
    assert {word for word in rest if "=" not in word} <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert asked <= set(re.findall(r"\$\((?:if \$\()?([A-Z]+)\)", makefile))


def check_paths(rest: list[str]) -> None:
    """Each word that is no option names a file or folder of the project."""
    assert all((ROOT / word).exists() for word in rest if not word.startswith("-"))


def check_pip(rest: list[str]) -> None:
    """What is installed is this project."""
    name = re.search(r'^name = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert name is not None
    assert rest[0] == "install"
    assert rest[1].partition("[")[0] == name[1]


def check_orderflow(rest: list[str]) -> None:
    """The command, its options and the number of its arguments are known to the command line."""
    from orderflow.cli.root import root

    command: click.Command = root
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), rest.pop(0))
        assert found is not None
        command = found
    context = click.Context(command)
    _, surplus, _ = command.make_parser(context).parse_args(rest)
    assert not surplus


CHECKS = {
    "make": check_make,
    "python": check_paths,
    "pytest": check_paths,
    "pip": check_pip,
    "orderflow": check_orderflow,
}


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link inside the project names a file that is there, and a heading of it."""
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_found() -> None:
    """Every page of the documentation is linked from its index, decisions from theirs."""
    for index in (ROOT / "docs" / "index.md", ROOT / "docs" / "adr" / "README.md"):
        linked = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(index.read_text("utf-8"))}
        assert {page for page in index.parent.glob("*.md") if page != index} <= linked


def literal_codes() -> set[str]:
    """The codes that the rules refuse with, as far as they stand in the text of the domain."""
    calls = [
        node
        for path in sorted((ROOT / "src" / "orderflow" / "domain").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "refuse"
    ]
    codes = [call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)]
    return {code for code in codes if isinstance(code, str)}


def test_every_refusal_code_is_explained() -> None:
    """The page on errors has each code and each exception."""
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    codes = literal_codes()
    assert "on_hold" in codes
    assert sorted(code for code in codes if f"`{code}`" not in page) == []
    exceptions = [name for name in errors.__all__ if issubclass(getattr(errors, name), Exception)]
    assert "OrderFlowError" in exceptions
    assert [name for name in exceptions if name not in page] == []


def test_the_glossary_has_every_state_and_command() -> None:
    """Each machine of the standard workflow has its line, with its states and commands, internal ones in brackets."""
    workflow = standard_workflow()
    lines = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    for kind, machine in workflow.machines.items():
        [line] = [line for line in lines if line.startswith(f"| {kind.replace('_', ' ')} | `")]
        named = set(CODE.findall(line))
        assert named == {item.__name__ for item in (*machine.states, *machine.commands)} - {"Absent"}
        internal = set(re.findall(r"\[`(\w+)`\]", line))
        assert internal == {command.__name__ for command in machine.commands if issubclass(command, Internal)}
