"""What a command names as text: objects, workflows and formats, found or refused with a typed error."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderflow.cli import named
from orderflow.cli.root import root
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import DefinitionError, InputError
from orderflow.importing.jsonl import JsonLinesFile


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with modules of one's own in it; what a command adds to the path is gone afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "own_flows.py").write_text(
        "from orderflow.domain.workflow.table import standard_workflow\nworkflow = standard_workflow(())\n", "utf-8"
    )
    (tmp_path / "own_broken.py").write_text("import nothing_of_the_kind\n", "utf-8")
    (tmp_path / "own_wrong.py").write_text("1 / 0\n", "utf-8")
    return tmp_path


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The formats that installed packages have registered."""
    point = EntryPoint("jsonl", "orderflow.importing.jsonl:JsonLinesFile", named.FORMATS)

    def points(group: str, name: str = "jsonl") -> EntryPoints:
        return EntryPoints([point]).select(group=group, name=name)

    monkeypatch.setattr(named, "entry_points", points)


@pytest.mark.parametrize(
    "reference, code",
    [
        ("workflow", "bad_form"),
        (":workflow", "bad_form"),
        ("own_flows:", "bad_form"),
        ("no_such_module:workflow", "unknown_module"),
        ("own_flows.deeper:workflow", "unknown_module"),
        ("own_flows:no_such_name", "unknown_name"),
        ("own_flows:standard_workflow", "wrong_type"),
    ],
)
def test_a_workflow_that_is_not_there_is_a_typed_error(here: Path, reference: str, code: str) -> None:
    """Form, module, name and type are told apart by a code."""
    with pytest.raises(InputError) as caught:
        named.workflow_named(reference)
    assert [fault.code for fault in caught.value.faults] == [code]


@pytest.mark.parametrize("module, why", [("own_broken", "ModuleNotFoundError"), ("own_wrong", "ZeroDivisionError")])
def test_a_module_that_fails_says_why(here: Path, module: str, why: str) -> None:
    """A fault inside the module is not taken for a module that is not there."""
    with pytest.raises(DefinitionError, match=f"importing {module} failed: {why}"):
        named.workflow_named(f"{module}:workflow")


def test_a_workflow_is_found_in_the_working_directory(here: Path) -> None:
    """A file beside the caller is as good as an installed package."""
    assert named.workflow_named("own_flows:workflow").fingerprint == standard_workflow(()).fingerprint


@pytest.mark.parametrize("reference, status", [("no_such_module:workflow", 2), ("own_wrong:workflow", 1)])
def test_the_status_tells_a_wrong_name_from_a_broken_module(here: Path, reference: str, status: int) -> None:
    """What is named wrongly is wrong usage; what cannot be loaded is a failure. Neither is a traceback."""
    answer = CliRunner().invoke(root, ["diagram", "order", "--workflow", reference])
    assert (answer.exit_code, isinstance(answer.exception, SystemExit)) == (status, True)


@pytest.mark.usefixtures("registered")
def test_a_format_is_found_by_its_registered_name_or_by_reference() -> None:
    """The library's own format is registered as anybody's is."""
    assert named.formats() == ["jsonl"]
    assert named.format_named("jsonl") is JsonLinesFile
    assert named.format_named("orderflow.importing.jsonl:JsonLinesFile") is JsonLinesFile


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("name, code", [("csv", "not_a_choice"), ("orderflow.cli.named:FORMATS", "wrong_type")])
def test_a_format_that_is_none_is_a_typed_error(name: str, code: str) -> None:
    """A name that nobody has registered, or that is nothing to call."""
    with pytest.raises(InputError) as caught:
        named.format_named(name)
    assert [fault.code for fault in caught.value.faults] == [code]
