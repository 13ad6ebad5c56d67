"""Worklists with what helps, and dead letters sent again or closed, from the command line."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from click.testing import CliRunner, Result

from orderflow.cli import lists, output
from orderflow.cli.root import root
from orderflow.errors import Refusal
from orderflow.flows.worklists import WORKLISTS

Run = Callable[..., Result]
DEAD = datetime(2027, 5, 6, 9, tzinfo=UTC)


@pytest.fixture
def letters(history_copy: Path) -> dict[str, str]:
    """Two dead notices and a dead purchase, an hour apart: their ids."""
    with closing(sqlite3.connect(history_copy)) as file, file:
        ids = [id_ for (id_,) in file.execute("SELECT id FROM outbox WHERE topic = 'notify' ORDER BY n LIMIT 3")]
        for number, (id_, topic) in enumerate(zip(ids, ("notify", "notify", "buy_label"), strict=True)):
            file.execute(
                "UPDATE outbox SET state = 'dead', due_at = NULL, done_at = ?, error = ?, topic = ?, maybe_sent = ?"
                " WHERE id = ?",
                (f"2027-05-06T{9 + number:02}:00:00", f"no answer {number}", topic, topic == "buy_label", id_),
            )
    return dict(zip(("first", "second", "purchase"), ids, strict=True))


@pytest.fixture
def run(history_copy: Path) -> Run:
    """A command on the shop's file."""
    return lambda *arguments: CliRunner().invoke(root, [*map(str, arguments), "--db", str(history_copy)])


def dead(run: Run) -> set[str]:
    """The ids of the dead letters, as the worklist tells them."""
    tasks = json.loads(run("worklist", "dead_letters", "--json").stdout)["tasks"]
    return {task["reasons"][0]["facts"]["id"] for task in tasks}


def test_all_lists_are_on_one_screen(run: Run, letters: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each list with its rows, counted up to a bound, what waits longest, its age and why; empty ones if asked for."""
    every = run("worklist", "--all").stdout.splitlines()
    assert [line.split()[0] for line in every] == ["worklist", *WORKLISTS]
    lines = run("worklist").stdout.splitlines()
    assert {line.split()[0] for line in every} - {line.split()[0] for line in lines} == {
        line.split()[0] for line in every if line.split()[1] == "0"
    }
    [line] = [line for line in lines if line.startswith("dead_letters")]
    assert "no answer 0" in line
    heads = json.loads(run("worklist", "--json").stdout)
    assert (heads["dead_letters"]["rows"], heads["dead_letters"]["more"]) == (len(letters), False)
    assert heads["disputed"] == {"rows": 0, "more": False, "first": None}
    monkeypatch.setattr(lists, "_COUNTED", 1)
    assert json.loads(run("worklist", "--json").stdout)["dead_letters"]["more"] is True
    [line] = [line for line in run("worklist").stdout.splitlines() if line.startswith("dead_letters")]
    assert line.split()[1] == "1+"


@pytest.mark.parametrize("name", WORKLISTS)
def test_every_row_of_a_list_says_why_and_what_helps(run: Run, letters: dict[str, str], name: str) -> None:
    """Reasons with codes, the commands that would help, and since when."""
    tasks = json.loads(run("worklist", name, "--json").stdout)["tasks"]
    assert all(task["reasons"] and task["commands"] and task["since"] for task in tasks)
    printed = run("worklist", name).stdout
    assert all(task["id"] in printed and task["commands"][0] in printed for task in tasks)
    assert "what helps" in printed or not tasks
    assert not any(f"{reason['code']}: " in printed for task in tasks for reason in task["reasons"])
    assert [task["since"] for task in tasks] == sorted(task["since"] for task in tasks)


def test_a_dead_letter_is_printed_with_the_id_that_requeue_asks_for(run: Run, letters: dict[str, str]) -> None:
    """In a column of its own."""
    heads, *lines = run("worklist", "dead_letters").stdout.splitlines()
    at = heads.index("message")
    assert [line[at:].split()[0] for line in lines] == [*letters.values()]


@pytest.mark.parametrize(
    "message, printed",
    [
        ("1 units wait at main", "1 unit waits at main"),
        ("1 units are set aside; 11 units are not", "1 unit is set aside; 11 units are not"),
        ("1 delivered units were to come back", "1 delivered unit was to come back"),
        ("-1 units and 2.1 units", "-1 units and 2.1 units"),
        ("arrived 2026-04-01T09:05:07.123456+00:00, and 2026-04-02", "arrived 2026-04-01 09:05 UTC, and 2026-04-02"),
        ("until 2026-04-01T09:05:00Z", "until 2026-04-01 09:05 UTC"),
    ],
)
def test_reasons_are_printed_as_sentences(message: str, printed: str) -> None:
    """Without their codes, which are in the JSON; times to the minute; one unit is no units."""
    assert output.sentence(Refusal("code", message)) == printed


@pytest.mark.parametrize(
    "minutes, age", [(0, "0 min"), (59, "59 min"), (60, "1 h"), (1439, "23 h"), (1440, "1 d"), (4320, "3 d")]
)
def test_the_age_is_told_in_one_unit(
    run: Run, letters: dict[str, str], monkeypatch: pytest.MonkeyPatch, minutes: int, age: str
) -> None:
    """Days, else hours, else minutes."""
    clock = Mock(now=lambda _: DEAD + timedelta(minutes=minutes))
    monkeypatch.setattr(lists, "datetime", clock)
    lines = run("worklist", "dead_letters").stdout.splitlines()
    [line] = [line for line in lines if "no answer 0" in line]
    assert f"  {age}  " in line


def test_one_dead_letter_is_sent_again(run: Run, letters: dict[str, str]) -> None:
    """By its id; a second time there is none."""
    one = next(iter(letters.values()))
    assert (run("requeue", one).exit_code, dead(run)) == (0, {*letters.values()} - {one})
    again = run("requeue", one)
    assert (again.exit_code, again.stderr.partition(":")[2]) == (
        1, f" no dead letter {one!r}: `orderflow worklist dead_letters` lists them, each with its message's id\n",
    )  # fmt: skip
    assert run("discard", one).stderr == again.stderr


def test_many_are_sent_again(run: Run, letters: dict[str, str]) -> None:
    """By topic, since a time, or all."""
    assert run("requeue", "--topic", "buy_label").stdout == "to be sent again: 1\n"
    assert dead(run) == {letters["first"], letters["second"]}
    assert run("requeue", "--since", "2027-05-06T10:00").stdout == "to be sent again: 1\n"
    assert dead(run) == {letters["first"]}
    assert run("requeue", "--all").stdout == "to be sent again: 1\n"
    assert dead(run) == set()


def test_what_may_not_be_closed_is_told(run: Run, letters: dict[str, str]) -> None:
    """A purchase stays; a mail is closed."""
    refused = run("discard", letters["purchase"])
    assert (refused.exit_code, "may_have_been_made" in refused.stderr) == (1, True)
    assert run("discard", letters["first"], "--by", "eve").stdout == "closed\n"
    assert dead(run) == {letters["second"], letters["purchase"]}


@pytest.mark.parametrize("arguments", [(), ("x", "--all"), ("x", "--topic", "notify"), ("--since", "soon")])
def test_requeue_needs_to_know_which(run: Run, arguments: tuple[str, ...]) -> None:
    """One by its id, or many by an option."""
    assert run("requeue", *arguments).exit_code == 2
