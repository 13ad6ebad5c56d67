"""Which SQLite settings are safe for a file, and why.

SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode when two connections race on a reset of the log (fixed in
3.51.3, 3.50.7 and 3.44.6). So WAL with ``synchronous=FULL`` is used only with a fixed library or with one exclusive
connection; otherwise the rollback journal with ``synchronous=EXTRA``, which is just as durable.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import frozen

#: File systems on which SQLite's shared memory and locks do not work as WAL needs.
_NETWORK: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
)
_MOUNTS: Final = Path("/proc/self/mounts")
_UNKNOWN: Final = "unknown"


@frozen
class Mode:
    """How a file is written: ``journal_mode``, ``synchronous``, and why."""

    journal_mode: str
    synchronous: str
    reasons: tuple[str, ...]


@frozen
class Settings:
    """The settings in use for a file, whether they are safe, and what a commit costs there.

    ``safe`` is false for a network file system, whose locks and flushes cannot be relied on. ``commit_microseconds`` is
    None if the folder is not writable, so that a commit cannot be measured.
    """

    library_version: str
    journal_mode: str
    synchronous: str
    file_system: str
    safe: bool
    reasons: tuple[str, ...]
    commit_microseconds: int | None


def report(path: Path | str, *, exclusive: bool = False) -> Settings:
    """The settings that a storage at ``path`` would use; a commit is timed on a file in the same folder."""
    file_system = file_system_of(Path(path))
    mode = mode_for(sqlite3.sqlite_version_info, file_system, exclusive=exclusive)
    cost: int | None = None
    with suppress(OSError):
        cost = commit_cost_microseconds(Path(path).absolute().parent, mode, exclusive=exclusive)
    safe = not _is_network(file_system)
    reasons = mode.reasons if safe else (*mode.reasons, "locks on a network file system may fail: use a local disk")
    return Settings(sqlite3.sqlite_version, mode.journal_mode, mode.synchronous, file_system, safe, reasons, cost)


def mode_for(library: tuple[int, ...], file_system: str, *, exclusive: bool) -> Mode:
    """The quickest mode that is safe with this library on this file system."""
    version = ".".join(map(str, library))
    reasons = []
    if not exclusive and not _is_fixed(library):
        reasons.append(f"SQLite {version} may corrupt a WAL shared by connections; fixed in 3.51.3, 3.50.7, 3.44.6")
    if _is_network(file_system):
        reasons.append(f"WAL does not work on a network file system ({file_system})")
    if file_system == _UNKNOWN and not exclusive:
        reasons.append("a shared WAL needs a local file system, and this one is unknown")
    if reasons:
        return Mode("delete", "extra", tuple(reasons))
    return Mode("wal", "full", ("one exclusive connection" if exclusive else f"SQLite {version} is fixed",))


def file_system_of(path: Path, mounts: Path = _MOUNTS) -> str:
    """The type of the file system that holds ``path``; ``unknown`` if the system does not say."""
    try:
        text = mounts.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _UNKNOWN
    place = path.absolute().parent.resolve() / path.name
    found = [(len(point.parts), type_) for point, type_ in _mounts(text.splitlines()) if place.is_relative_to(point)]
    # Of several mounts on the same point, the last one hides the others.
    return max(enumerate(found), key=lambda item: (item[1][0], item[0]))[1][1] if found else _UNKNOWN


def commit_cost_microseconds(folder: Path, mode: Mode, *, exclusive: bool = False, commits: int = 20) -> int:
    """The median time of a durable commit of one row in ``folder``, in microseconds."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".orderflow-probe-") as place:
        connection = sqlite3.connect(Path(place) / "probe.db", isolation_level=None)
        try:
            return round(statistics.median(_timed(connection, mode, commits, exclusive=exclusive)) / 1000)
        finally:
            connection.close()


def _timed(connection: sqlite3.Connection, mode: Mode, commits: int, *, exclusive: bool) -> Iterable[int]:
    if exclusive:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL" if mode.journal_mode == "wal" else "PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = FULL" if mode.synchronous == "full" else "PRAGMA synchronous = EXTRA")
    connection.execute("CREATE TABLE probe (n INTEGER PRIMARY KEY)")
    for _ in range(commits):
        start = time.perf_counter_ns()
        connection.execute("INSERT INTO probe DEFAULT VALUES")
        yield time.perf_counter_ns() - start


def _is_fixed(library: tuple[int, ...]) -> bool:
    return library >= (3, 51, 3) or (3, 50, 7) <= library < (3, 51) or (3, 44, 6) <= library < (3, 45)


def _is_network(file_system: str) -> bool:
    return file_system in _NETWORK or file_system.startswith("fuse")


def _mounts(lines: Iterable[str]) -> Iterator[tuple[Path, str]]:
    for line in lines:
        fields = line.split(" ")
        if len(fields) > 2:
            # The kernel writes spaces in a path as octal escapes.
            yield (
                Path(fields[1].encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")),
                fields[2],
            )
