"""Which SQLite settings are chosen, and that they are in force."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from orderflow.adapters.storage import safety
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.inventory.machine import STOCK

MACHINES = (STOCK,)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "shop.db"


@pytest.mark.parametrize(
    "library, file_system, exclusive, journal_mode",
    [
        ((3, 40, 1), "ext4", False, "delete"),
        ((3, 51, 2), "ext4", False, "delete"),
        ((3, 51, 3), "ext4", False, "wal"),
        ((3, 50, 7), "ext4", False, "wal"),
        ((3, 50, 6), "ext4", False, "delete"),
        ((3, 44, 6), "ext4", False, "wal"),
        ((3, 45, 0), "ext4", False, "delete"),
        ((3, 40, 1), "ext4", True, "wal"),
        ((3, 40, 1), "nfs4", True, "delete"),
        ((3, 53, 0), "fuse.sshfs", False, "delete"),
        ((3, 53, 0), "unknown", False, "delete"),
        ((3, 53, 0), "unknown", True, "wal"),
    ],
)
def test_wal_is_used_only_where_it_is_safe(
    library: tuple[int, ...], file_system: str, exclusive: bool, journal_mode: str
) -> None:
    """WAL needs a library without the WAL-reset bug, or one connection alone; and a file system that is local."""
    mode = safety.mode_for(library, file_system, exclusive=exclusive)
    assert mode.journal_mode == journal_mode
    assert mode.synchronous == ("full" if journal_mode == "wal" else "extra")
    assert mode.reasons


def test_the_modes_are_in_force(path: Path) -> None:
    """What was chosen is what the connection says of itself."""
    for exclusive in (False, True):
        with closing(SqliteStorage(path, MACHINES, exclusive=exclusive)) as storage:
            run = storage._sessions.session().rows
            ((journal_mode,),), ((level,),) = run("PRAGMA journal_mode"), run("PRAGMA synchronous")
            assert (journal_mode, level) == (
                storage.mode.journal_mode,
                {"full": 2, "extra": 3}[storage.mode.synchronous],
            )
            assert run("PRAGMA secure_delete") == [(1,)]


def test_the_file_system_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    """The innermost mount counts, the later of two on one point, and escapes in its path are read."""
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "a / ext4 rw 0 0\nb /srv nfs4 rw 0 0\nc /srv/my\\040shop xfs rw 0 0\nd /srv/my\\040shop cifs rw 0 0\nbroken\n",
        encoding="utf-8",
    )
    found = [safety.file_system_of(Path(p), mounts) for p in ("/x.db", "/srv/x.db", "/srv/my shop/x.db", "/srvx/x.db")]
    assert found == ["ext4", "nfs4", "cifs", "ext4"]
    assert safety.file_system_of(Path("/x.db"), tmp_path / "none") == "unknown"


def test_a_network_file_system_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file on a network is not safe, whatever the library is."""
    monkeypatch.setattr(safety, "file_system_of", lambda _: "nfs4")
    settings = safety.report(path, exclusive=True)
    assert (settings.safe, settings.journal_mode) == (False, "delete")
    assert "network" in settings.reasons[-1]


def test_the_report_measures_what_a_commit_costs(path: Path) -> None:
    """The report names library, modes and file system, measures a commit, and leaves nothing behind."""
    settings = safety.report(path)
    assert settings.library_version == sqlite3.sqlite_version
    assert settings.commit_microseconds is not None
    assert settings.commit_microseconds > 0
    assert settings.reasons
    assert list(path.parent.iterdir()) == []


def test_where_nothing_may_be_written_the_rest_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only folder costs the measurement, not the report."""

    def denied(*_: object, **__: object) -> int:
        raise PermissionError("read-only")

    monkeypatch.setattr(safety, "commit_cost_microseconds", denied)
    settings = safety.report(path)
    assert (settings.commit_microseconds, settings.library_version) == (None, sqlite3.sqlite_version)
