"""``orderflow run``, as a user calls it."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orderflow.cli.root import root
from orderflow.cli.run import work
from orderflow.importing.jsonl import JsonLinesFile
from orderflow.importing.pipeline import Pipeline
from orderflow_examples.digest import content_digest, content_of
from orderflow_examples.sample import write_sample

BOTH = ("--location", "tokyo", "--location", "osaka")


def orderflow(*arguments: object) -> Result:
    """What a call answers."""
    return CliRunner().invoke(root, [str(argument) for argument in arguments])


@contextmanager
def opened(path: Path) -> Generator[sqlite3.Connection]:
    """A connection that commits and is closed."""
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample with two faulty lines."""
    path = tmp_path_factory.mktemp("sample") / "sample.jsonl"
    write_sample(path, orders=66)
    return path


@pytest.fixture(scope="module")
def worked(sample: Path) -> Path:
    """The database it was run into."""
    database = sample.with_name("shop.db")
    answer = orderflow("run", sample, "--format", "jsonl", "--db", database, *BOTH)
    assert answer.exit_code == 0, answer.output
    return database


def test_a_run_tells_what_came_in_and_what_was_rejected(sample: Path, tmp_path: Path) -> None:
    """Sums by currency, rejected lines with number and code, progress on stderr, the summary as a file."""
    out = tmp_path / "out.json"
    answer = orderflow("run", sample, "--format", "jsonl", "--db", tmp_path / "shop.db", "--summary", out, *BOTH)
    assert answer.exit_code == 0
    assert "66 orders, 8 cancellations, 1 adjustments, 2 rejected" in answer.stdout
    assert "JPY: sales " in answer.stdout
    assert (
        "  35  unknown_currency  content.currency: 'EUX' is not a currency of ISO 4217 that has a minor"
        in answer.stdout
    )
    assert "order     Completed " in answer.stdout
    assert "79 of 79 documents" in answer.stderr
    summary = json.loads(out.read_text("utf-8"))
    assert summary["documents"] == {"orders": 66, "cancellations": 8, "adjustments": 1, "refused": 2}
    assert [row["line"] for row in summary["rejected"]] == [35, 71]
    assert summary["refused_commands"] == []
    assert {"seconds", "orders_per_second"} < summary.keys()


def test_the_summary_can_be_printed_for_programs(sample: Path, worked: Path) -> None:
    """With --json, stdout is one JSON document; a finished run tells its figures again."""
    answer = orderflow("run", sample, "--format", "jsonl", "--db", worked, "--json", *BOTH)
    assert json.loads(answer.stdout)["documents"]["orders"] == 66


def test_two_runs_give_the_same_content(sample: Path, worked: Path, tmp_path: Path) -> None:
    """And running a finished file again changes nothing."""
    again = tmp_path / "again.db"
    for _ in range(2):
        assert orderflow("run", sample, "--format", "jsonl", "--db", again, *BOTH).exit_code == 0
        assert content_digest(again) == content_digest(worked)


def test_another_file_goes_into_the_same_database(worked: Path, tmp_path: Path) -> None:
    """It is worked from its first line, whatever of other files is done already."""
    database = tmp_path / "shop.db"
    with opened(worked) as source, opened(database) as copy:
        source.backup(copy)
    entry = {"type": "receipt", "number": "R-900", "at": "2026-06-01T00:00:00Z", "items": [["NEW", "tokyo", 5]]}
    (tmp_path / "more.jsonl").write_text("{\n" + json.dumps(entry), "utf-8")
    answer = orderflow("run", tmp_path / "more.jsonl", "--format", "jsonl", "--db", database, *BOTH)
    assert answer.exit_code == 0
    assert "66 orders, 8 cancellations, 1 adjustments, 3 rejected" in answer.stdout
    assert "   1  bad_json  " in answer.stdout
    assert "rejected in other files or earlier runs: 2" in answer.stdout
    shown = json.loads(orderflow("history", "stock", "NEW@tokyo", "--db", database, "--json").stdout)
    assert [event["event"] for event in shown["events"]] == ["GoodsReceived"]


def test_goods_at_a_place_that_is_not_looked_at_are_warned_of(sample: Path, tmp_path: Path) -> None:
    """Orders that wait for what lies elsewhere are counted, with the option that is missing."""
    answer = orderflow("run", sample, "--format", "jsonl", "--db", tmp_path / "shop.db")
    assert answer.exit_code == 0
    assert "orders not completed: " in answer.stdout
    assert ", the first of them orderflow/C-001/credit: not_found: " in answer.stdout
    assert "Warning: " in answer.stderr
    assert "add --location tokyo --location osaka\n" in answer.stderr


def test_a_run_that_accepts_nothing_fails(tmp_path: Path) -> None:
    """A file of rejected documents only, or of none, is status 1, and says why."""
    (tmp_path / "bad.jsonl").write_text("{\n{}\n", "utf-8")
    (tmp_path / "none.jsonl").touch()
    for name in ("bad", "none"):
        answer = orderflow(
            "run", tmp_path / f"{name}.jsonl", "--format", "jsonl", "--db", tmp_path / f"{name}.db"
        )  # fmt: skip
        assert answer.exit_code == 1
        assert answer.stderr.endswith(f"{name}.jsonl: no document was accepted\n")


@pytest.mark.parametrize("option", ["--summary", "--db"])
def test_what_cannot_be_written_is_told_before_the_work(sample: Path, tmp_path: Path, option: str) -> None:
    """One sentence, status 1, and nothing was done."""
    nowhere = tmp_path / "nowhere" / "x"
    answer = orderflow("run", sample, "--format", "jsonl", "--db", tmp_path / "shop.db", option, nowhere)
    assert (answer.exit_code, answer.stderr) == (1, f"Error: {nowhere}: No such file or directory\n")
    assert not [*tmp_path.iterdir()]


def test_a_dry_run_foretells_and_writes_nothing(sample: Path, tmp_path: Path) -> None:
    """What the file holds, and the rows that would be rejected with the reason; no database is made."""
    database = tmp_path / "shop.db"
    answer = orderflow("run", sample, "--format", "jsonl", "--db", database, "--dry-run")
    assert answer.exit_code == 0
    assert "66 order\n" in answer.stdout
    assert "line 71: wrong_type: content.lines[0].quantity: must be an integer, not float" in answer.stdout
    assert not database.exists()
    foretold = json.loads(orderflow("run", sample, "--format", "jsonl", "--dry-run", "--json").stdout)
    assert foretold["documents"] == {"receipt": 2, "order": 66, "cancellation": 8, "rejected": 2, "adjustment": 1}
    assert {row["line"] for row in foretold["rejected"]} == {35, 71}


def test_a_run_needs_a_database(sample: Path) -> None:
    """Wrong usage is told in one sentence, with status 2."""
    answer = orderflow("run", sample, "--format", "jsonl")
    assert (answer.exit_code, "name the database with --db" in answer.output) == (2, True)


@pytest.mark.parametrize("content", [b"a,b\n", b"\x1f\x8b\x08broken"])
def test_a_file_of_another_format_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    """A wrong header, or an archive that is none: status 1, no traceback, nothing worked."""
    file = tmp_path / ("f.gz" if content.startswith(b"\x1f") else "f.csv")
    file.write_bytes(content)
    answer = orderflow("run", file, "--format", "orderflow_examples.uci:UciFile", "--db", tmp_path / "shop.db")
    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: ")
    assert isinstance(answer.exception, SystemExit)


def test_the_digest_sees_every_change_of_content(worked: Path, tmp_path: Path) -> None:
    """One value in any table changes it; where a row lies and how often it was sent do not."""
    database = tmp_path / "copy.db"
    with opened(worked) as source, opened(database) as copy:
        source.backup(copy)
    whole = content_digest(database)
    with opened(database) as copy:
        copy.execute("UPDATE outbox SET attempts = attempts + 1, token = 9, done_at = '2030-01-01'")
        copy.execute("UPDATE orders SET n = n + 1000000")
    assert content_digest(database) == whole
    for change in (
        "UPDATE stock SET on_hand = on_hand + 1 WHERE id = 'CUP-BLUE@tokyo'",
        "UPDATE commands SET actor = 'x' WHERE id = (SELECT min(id) FROM commands)",
        "DELETE FROM journal WHERE position = (SELECT max(position) FROM journal)",
        "UPDATE journal SET data = '{}' WHERE id = 'A-00001' AND version = 1",
        "UPDATE outbox SET state = 'dead' WHERE n = (SELECT min(n) FROM outbox)",
    ):
        before = content_digest(database)
        with opened(database) as copy:
            copy.execute(change)
        assert content_digest(database) != before, change
    assert next(content_of(database)).startswith("('accounts', 'tenant', 'id', 'version', 'changed_at'")


@pytest.mark.parametrize("output", ["sample", "database", "log", "notices"])
def test_a_summary_is_never_written_over_what_is_read_or_kept(sample: Path, tmp_path: Path, output: str) -> None:
    """One file under two names is refused before any work, and nothing is touched."""
    database = tmp_path / "shop.db"
    target = {
        "sample": sample,
        "database": database,
        "log": tmp_path / "shop.db-wal",
        "notices": tmp_path / "shop.db.notices.jsonl",
    }[output]
    before = sample.read_bytes()
    answer = orderflow("run", sample, "--format", "jsonl", "--db", database, "--summary", target, *BOTH)
    assert (answer.exit_code, "is both the" in answer.stderr) == (2, True)
    assert sample.read_bytes() == before
    assert not database.exists()


def test_a_file_is_not_its_own_database(sample: Path) -> None:
    """FILE and --db mixed up, or named alike, are told."""
    answer = orderflow("run", sample, "--format", "jsonl", "--db", sample, *BOTH)
    assert (answer.exit_code, "is both the file and the database" in answer.stderr) == (2, True)


def test_what_is_no_text_is_refused_before_anything_is_stored(worked: Path, tmp_path: Path) -> None:
    """A database given in place of a file of orders leaves no thousand rejections behind."""
    answer = orderflow("run", worked, "--format", "jsonl", "--db", tmp_path / "new.db", *BOTH)
    assert (answer.exit_code, "is not text in UTF-8" in answer.stderr) == (1, True)
    with opened(tmp_path / "new.db") as connection:
        assert connection.execute("SELECT count(*) FROM intake").fetchone() == (0,)


def test_the_collector_has_its_pace_back_after_a_run(sample: Path, tmp_path: Path) -> None:
    """A host that runs a file keeps its own settings of the process."""
    before = gc.get_threshold(), gc.get_freeze_count()
    work(JsonLinesFile(sample), tmp_path / "shop.db", locations=("tokyo", "osaka"))
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_an_interrupted_run_says_how_to_go_on(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is no crash: one sentence, and the status that a shell gives an interrupt."""

    def interrupted(self: Pipeline) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Pipeline, "run", interrupted)
    answer = orderflow("run", sample, "--format", "jsonl", "--db", tmp_path / "shop.db", *BOTH)
    assert (answer.exit_code, "run the same command again to resume" in answer.stderr) == (130, True)


def test_a_mended_line_is_told_by_what_is_wrong_with_it_now(tmp_path: Path) -> None:
    """Code and reason of a rejected line are those of this try, not of an earlier one."""
    file, database = tmp_path / "orders.jsonl", tmp_path / "shop.db"
    good = {"type": "receipt", "number": "R-1", "at": "2026-01-05T08:00:00Z", "items": [["TEA", "main", 4]]}
    for wrong, code in (('{"type": "no such"}', "not_a_choice"), ("{", "bad_json")):
        file.write_text(json.dumps(good) + "\n" + wrong, "utf-8")
        answer = orderflow("run", file, "--format", "jsonl", "--db", database, "--json")
        assert [row["codes"] for row in json.loads(answer.stdout)["rejected"]] == [[code]]
