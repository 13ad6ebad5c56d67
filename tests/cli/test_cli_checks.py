"""The commands that check: verify, doctor, diagram; and the command line as a whole."""

from __future__ import annotations

import json
import re
import runpy
import sqlite3
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import orderflow.cli
from orderflow.adapters.storage import safety
from orderflow.adapters.storage.health import health
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.audit.invariants import UNCHECKED
from orderflow.cli.root import COMMANDS, root
from orderflow.domain.engine.record import Internal
from orderflow.domain.workflow.table import MACHINES
from orderflow.errors import StorageError


def changed(path: Path, statement: str) -> None:
    """Do damage to a database."""
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_verify_says_what_was_checked_and_what_cannot_be(history_file: Path) -> None:
    """A sound database: a line for each invariant with counts, the number of the others, status 0."""
    result = CliRunner().invoke(root, ["verify", "--db", str(history_file)])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "I43" in result.stdout
    assert f"{len(UNCHECKED)} rules are not checked on a database" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("0 violations")


def test_verify_tells_more_when_asked(history_file: Path) -> None:
    """With --verbose the progress on stderr, and a reason for each rule that is not checked; JSON stays alone."""
    result = CliRunner().invoke(root, ["verify", "--verbose", "--db", str(history_file)])
    assert "checking order\n" in result.stderr
    assert all(reason in result.stdout for reason in UNCHECKED.values())
    assert CliRunner().invoke(root, ["verify", "--verbose", "--json", "--db", str(history_file)]).stderr == ""


def test_verify_fails_on_a_violation_and_names_the_row(history_copy: Path) -> None:
    """A violation is listed with its row, as text and as JSON, and the status is 1."""
    changed(history_copy, "UPDATE orders SET total_minor = 1 WHERE id = 'o-1' AND tenant = 'main'")
    plain = CliRunner().invoke(root, ["verify", "--db", str(history_copy)])
    assert (plain.exit_code, "I26: order:o-1: columns" in plain.stdout) == (1, True)
    report = json.loads(CliRunner().invoke(root, ["verify", "--db", str(history_copy), "--json"]).stdout)
    [broken] = [finding for finding in report["findings"] if finding["violations"]]
    assert (broken["invariant"], broken["examples"][0]["id"], report["violations"]) == ("I26", "o-1", 1)


def test_verify_spells_out_the_first_violations_and_counts_the_rest(history_copy: Path) -> None:
    """A flood of violations stays readable, and kinds the workflow does not know are named."""
    changed(history_copy, "UPDATE commands SET actor = ''")
    changed(history_copy, "UPDATE journal SET kind = 'guest' WHERE position = (SELECT min(position) FROM journal)")
    text = CliRunner().invoke(root, ["verify", "--db", str(history_copy)]).stdout
    assert "I47: and " in text
    assert "rows of kind 'guest'" in text


def test_verify_counts_what_other_workflows_decided(history_copy: Path) -> None:
    """Entries of a workflow that is not at hand are counted in a note, and are no violation."""
    changed(history_copy, "UPDATE commands SET workflow = 'older' WHERE command = 'OpenSeries'")
    plain = CliRunner().invoke(root, ["verify", "--db", str(history_copy)])
    assert (
        plain.exit_code,
        "2 entries of 1 other workflows: events folded, decisions not checked" in plain.stdout,
    ) == (
        0,
        True,
    )
    report = json.loads(CliRunner().invoke(root, ["verify", "--db", str(history_copy), "--json"]).stdout)
    assert report["unasked"] == {"older": 2}


def test_doctor_tells_settings_costs_sizes_and_letters(history_copy: Path) -> None:
    """Everything an operator asks first, as JSON with stable keys."""
    changed(
        history_copy,
        "UPDATE outbox SET state = 'dead', error = 'no such address' WHERE id = 'main/order/o-1/1/notify/0'",
    )
    found = json.loads(CliRunner().invoke(root, ["doctor", "--db", str(history_copy), "--json"]).stdout)
    assert found["sqlite"] == sqlite3.sqlite_version
    assert found["settings"]["shared"]["safe"] is True
    assert found["settings"]["shared"]["commit_milliseconds"] > 0
    assert (found["layout"], found["rows"]["orders"], found["dead"]) == (1, 15, 1)
    assert found["dead_letters"][0]["error"] == "no such address"
    assert found["oldest"]["topic"]
    plain = CliRunner().invoke(root, ["doctor", "--db", str(history_copy)])
    assert plain.exit_code == 0
    assert "dead: main/order/o-1/1/notify/0" in plain.stdout
    assert "orderflow requeue" in plain.stdout


def test_doctor_fails_where_the_file_system_is_not_safe(history_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a network file system nobody vouches for the locks: status 1, and the reason is told."""
    monkeypatch.setattr(safety, "file_system_of", lambda path: "nfs4")
    result = CliRunner().invoke(root, ["doctor", "--db", str(history_file)])
    assert result.exit_code == 1
    assert "network file system" in result.stdout


def test_a_file_of_something_else_has_no_health(tmp_path: Path) -> None:
    """A foreign database and a foreign file are refused, each with a typed error."""
    changed(tmp_path / "other.db", "CREATE TABLE t (x)")
    (tmp_path / "notes.txt").write_text("not a database at all\n" * 100)
    for name in ("other.db", "notes.txt"):
        with pytest.raises(StorageError):
            health(tmp_path / name)


def test_a_sound_outbox_has_no_letters(tmp_path: Path) -> None:
    """An empty shop waits for nothing, and has nothing wrong."""
    SqliteStorage(tmp_path / "new.db", MACHINES).close()
    found = health(tmp_path / "new.db")
    assert (found.oldest, found.dead_letters, found.pending) == (None, (), 0)
    result = CliRunner().invoke(root, ["doctor", "--db", str(tmp_path / "new.db")])
    assert (result.exit_code, "oldest" in result.stdout) == (0, False)


def test_the_committed_diagrams_are_the_machines(project_root: Path) -> None:
    """docs/machines is what the tables say today."""
    result = CliRunner().invoke(root, ["diagram", "--check", str(project_root / "docs" / "machines")])
    assert (result.exit_code, result.output) == (0, "")


def test_stale_diagrams_are_found(tmp_path: Path) -> None:
    """A page that is missing, changed or left over fails the check."""
    assert CliRunner().invoke(root, ["diagram", "--write", str(tmp_path)]).exit_code == 0
    assert CliRunner().invoke(root, ["diagram", "--check", str(tmp_path)]).exit_code == 0
    (tmp_path / "order.md").write_text("old")
    (tmp_path / "stock.md").unlink()
    (tmp_path / "gone.md").write_text("left over")
    result = CliRunner().invoke(root, ["diagram", "--check", str(tmp_path)])
    assert result.exit_code == 1
    assert "order.md, stock.md; run orderflow diagram --write" in result.stderr
    assert CliRunner().invoke(root, ["diagram", "--write", str(tmp_path)]).exit_code == 0
    result = CliRunner().invoke(root, ["diagram", "--check", str(tmp_path)])
    assert (result.exit_code, "gone.md; remove them" in result.stderr) == (1, True)


def test_every_command_can_be_imported_from_where_the_page_says(project_root: Path) -> None:
    """Commands that anybody may send, and the values in them; those that only the library sends are not there."""
    page = (project_root / "docs" / "machines" / "commands.md").read_text(encoding="utf-8")
    commands, values = [
        re.findall(r"^\| (\w+) \| `([\w.]+)` \|", part, re.MULTILINE) for part in page.split("## Values")
    ]
    found = {getattr(import_module(module), name) for name, module in commands}
    assert found == {c for machine in MACHINES for c in machine.commands if not issubclass(c, Internal)}
    assert {"Money", "LineQuantity", "HoldReason", "Item"} <= {name for name, _ in values}
    assert all(hasattr(import_module(module), name) for name, module in values)
    assert "| PlaceHold | `orderflow` | `hold: Hold` | Close a gate. |\n" in page
    assert "`units: tuple[LineQuantity, ...] = ()`" in page


@pytest.mark.parametrize("kind", [machine.kind for machine in MACHINES])
def test_a_machine_is_printed_as_a_page(kind: str) -> None:
    """Each machine has a page with its diagram, and stands in the index."""
    page = CliRunner().invoke(root, ["diagram", kind]).stdout
    assert page.startswith(f"# {kind}\n")
    assert "stateDiagram-v2" in page
    assert f"[{kind}]({kind}.md)" in CliRunner().invoke(root, ["diagram"]).stdout


def test_the_help_lists_every_command() -> None:
    """The help names all commands, and an unknown one is wrong usage."""
    text = CliRunner().invoke(root, ["--help"]).stdout
    assert all(f"  {name} " in text for name in COMMANDS)
    assert CliRunner().invoke(root, ["nope"]).exit_code == 2
    assert root.list_commands(None) == [*COMMANDS]  # type: ignore[arg-type]


def test_help_and_version_load_no_storage() -> None:
    """Asking for help imports neither sqlite3 nor cattrs."""
    program = (
        "import sys; from orderflow.cli.root import root\n"
        "root(['--help'], standalone_mode=False)\n"
        "sys.exit('sqlite3' in sys.modules or 'cattrs' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("name", ["click", "rich"])
def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A library installed without its command line, or with half of it, says how to get it."""
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SystemExit, match=r"pip install 'orderflow-sdk\[cli\]'"):
        orderflow.cli.main()


def test_another_missing_module_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the extra's own modules are explained away."""
    monkeypatch.setitem(sys.modules, "orderflow.errors", None)
    monkeypatch.delitem(sys.modules, "orderflow.cli.root")
    with pytest.raises(ModuleNotFoundError):
        orderflow.cli.main()


@pytest.mark.parametrize("module", ["orderflow", "orderflow.cli"])
def test_the_module_runs_as_a_program(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    """``python -m orderflow``, and ``orderflow.cli``, reads the arguments of the process."""
    monkeypatch.setattr(sys, "argv", ["orderflow", "--version"])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module(module, run_name="__main__")
    assert stopped.value.code == 0
    assert "orderflow" in capsys.readouterr().out


def test_what_the_library_refuses_is_one_sentence(tmp_path: Path) -> None:
    """A file that is no database ends a command with status 1 and no traceback."""
    path: Any = tmp_path / "notes.txt"
    path.write_text("not a database\n" * 100)
    for command in (["orders"], ["verify"], ["doctor"], ["show", "x"]):
        result = CliRunner().invoke(root, [*command, "--db", str(path)])
        assert result.exit_code == 1
        assert result.stderr.splitlines()[-1].startswith("Error: storage: ")


@pytest.mark.parametrize("statement, reason", [("", "is empty"), ("CREATE TABLE t (x)", "of another application")])
@pytest.mark.parametrize("command", [("orders",), ("worklist",), ("stock",), ("show", "x"), ("verify",), ("doctor",)])
def test_a_foreign_file_is_told_alike_by_every_command(
    tmp_path: Path, statement: str, reason: str, command: tuple[str, ...]
) -> None:
    """Whoever opens a file that holds nothing of this library reads what it is."""
    path = tmp_path / "other.db"
    path.touch()
    changed(path, statement)
    result = CliRunner().invoke(root, [*command, "--db", str(path)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: storage: {path} is ")
    assert reason in result.stderr


def test_what_the_system_refuses_is_one_sentence(tmp_path: Path) -> None:
    """A folder that cannot be made: its name, the reason, status 1."""
    (tmp_path / "file").touch()
    result = CliRunner().invoke(root, ["diagram", "--write", str(tmp_path / "file" / "pages")])
    assert (result.exit_code, result.stderr) == (1, f"Error: {tmp_path / 'file' / 'pages'}: Not a directory\n")
