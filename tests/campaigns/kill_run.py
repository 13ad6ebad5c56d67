"""kill -9 a run at random moments, again and again, and let it finish: is the content that of an undisturbed run?

    python tests/campaigns/kill_run.py                    50 kills on a generated sample
    python tests/campaigns/kill_run.py --uci FILE --first 1200

A killed run is started again on its database, and may be killed again, until it finishes; then a new one begins. Of
each finished one the content's hash, the notices and ``orderflow verify`` are looked at. Exit status 1 on any mismatch.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

from attrs import define, field

from orderflow_examples.digest import content_digest
from orderflow_examples.sample import write_sample
from orderflow_examples.sample_data import LOCATIONS

__all__ = ["main"]

ROOT: Final = Path(__file__).resolve().parents[2]
ENVIRONMENT: Final = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'examples'}"}
ORDERFLOW: Final = (sys.executable, "-m", "orderflow.cli")
SAMPLE: Final = ("--format", "jsonl", *(part for location in LOCATIONS for part in ("--location", location)))
UCI: Final = ("--format", "orderflow_examples.uci:UciFile", "--receive", "shortfall")
TENTHS: Final = 10


@define
class Campaign:
    """One file, killed so many times; ``where`` counts the kills by the tenth of the documents they came in."""

    run: tuple[str, ...]
    folder: Path
    chance: random.Random
    kills_left: int
    deadline: float
    undisturbed_seconds: float = 0.0
    expected: tuple[str, str] = ("", "")
    runs: int = 0
    databases: int = 0
    mismatches: list[str] = field(factory=list)
    where: Counter[str] = field(factory=Counter[str])

    def measure(self) -> None:
        """The undisturbed run: how long it takes and what it leaves."""
        database = self.folder / "undisturbed.db"
        began = time.monotonic()
        if not self._finish(database):
            raise SystemExit(self.mismatches[-1])
        self.undisturbed_seconds = time.monotonic() - began
        self.expected = found_in(database)
        if verified := violations(database):
            self._note(f"undisturbed: {verified}")

    def go(self) -> None:
        """Databases, one after the other, until the kills or the time are used up."""
        while self.kills_left and time.monotonic() < self.deadline:
            self.databases += 1
            database = self.folder / f"killed-{self.databases}.db"
            kills = 0
            while self.kills_left and time.monotonic() < self.deadline and self._killed(database):
                kills += 1
            if not self._finish(database):
                return
            self._check(database, kills)

    def _killed(self, database: Path) -> bool:
        """Start the run and kill it after a random part of the undisturbed time; False if it was done before."""
        delay = self.chance.uniform(0, self.undisturbed_seconds)
        with (self.folder / "progress").open("wb") as progress:
            process = self._start(database, progress.fileno())
            try:
                process.wait(delay)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
        if status != -signal.SIGKILL:
            self._succeeded(database, status)
            return False
        self.kills_left -= 1
        self.where[tenth(self.folder / "progress")] += 1
        return True

    def _finish(self, database: Path) -> bool:
        with (self.folder / "progress").open("wb") as progress:
            return self._succeeded(database, self._start(database, progress.fileno()).wait())

    def _start(self, database: Path, errors: int) -> subprocess.Popen[bytes]:
        self.runs += 1
        command = [*ORDERFLOW, *self.run, "--db", str(database)]
        return subprocess.Popen(
            command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
        )

    def _succeeded(self, database: Path, status: int) -> bool:
        if status:
            said = (self.folder / "progress").read_text(errors="replace").strip().splitlines()
            self._note(f"{database.name}: a run ended with {status}: {said[-1:]}")
        return status == 0

    def _note(self, mismatch: str) -> None:
        self.mismatches.append(mismatch)
        print(mismatch, flush=True)

    def _check(self, database: Path, kills: int) -> None:
        digest, notices = found_in(database)
        if digest != self.expected[0]:
            self._note(f"{database.name}: other content after {kills} kills")
        if notices != self.expected[1]:
            self._note(f"{database.name}: other notices after {kills} kills")
        if verified := violations(database):
            self._note(f"{database.name}: after {kills} kills: {verified}")
        print(f"{database.name}: {kills} kills, {self.kills_left} left, {len(self.mismatches)} mismatches", flush=True)
        if not self.mismatches:
            for left in self.folder.glob(f"{database.name}*"):
                left.unlink()


def found_in(database: Path) -> tuple[str, str]:
    """What a run leaves: the hash of the content, and the notices, each once, in any order."""
    notices = database.with_name(f"{database.name}.notices.jsonl").read_text("utf-8")
    return content_digest(database), "\n".join(sorted(notices.splitlines()))


def violations(database: Path) -> str:
    """What ``orderflow verify`` finds; empty when it finds nothing."""
    command = [*ORDERFLOW, "verify", "--db", str(database)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"verify: {(done.stdout + done.stderr).strip().splitlines()[-1:]}"


def tenth(progress: Path) -> str:
    """Which tenth of the documents was being worked, by the last line that the run told."""
    told = [line.split() for line in progress.read_text().splitlines() if " of " in line]
    if not told:
        return f"0/{TENTHS}"
    done, _, whole, *_ = told[-1]
    return f"{int(done) * TENTHS // int(whole)}/{TENTHS}"


def first_documents(file: Path, count: int, to: Path) -> None:
    """A copy of the first ``count`` documents of a gzipped file whose first column is the document's number."""
    numbers: set[str] = set()
    with gzip.open(file, "rt", encoding="utf-8", newline="") as whole:
        kept = [next(whole)]
        for line in whole:
            numbers.add(line.partition(",")[0])
            if len(numbers) > count:
                break
            kept.append(line)
    to.write_text("".join(kept), encoding="utf-8", newline="")


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Kill runs and see whether their content survives.")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--orders", type=int, default=320, help="of the generated sample")
    parser.add_argument("--uci", type=Path, help="the UCI file, instead of a sample")
    parser.add_argument("--first", type=int, default=800, help="so many documents of the UCI file")
    parser.add_argument("--minutes", type=float, default=8, help="no further kill after so many")
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args()


def main() -> int:
    """Run the campaign and print its figures."""
    asked = arguments()
    seed = random.randrange(10**6) if asked.seed is None else asked.seed
    with tempfile.TemporaryDirectory(prefix="orderflow-kills-") as name:
        folder = Path(name)
        file = folder / "documents"
        if asked.uci:
            first_documents(asked.uci, asked.first, file)
        else:
            write_sample(file, asked.orders, seed)
        run = ("run", str(file), *(UCI if asked.uci else SAMPLE))
        deadline = time.monotonic() + 60 * asked.minutes
        campaign = Campaign(run, folder, random.Random(seed), asked.kills, deadline)
        campaign.measure()
        print(f"seed {seed}; undisturbed: {campaign.undisturbed_seconds:.1f} s", flush=True)
        campaign.go()
    kills = sum(campaign.where.values())
    print(f"kills by tenth of the documents: {dict(sorted(campaign.where.items()))}")
    print(f"{kills} kills, {campaign.runs} runs, {campaign.databases} databases, {len(campaign.mismatches)} mismatches")
    return 1 if campaign.mismatches or kills < asked.kills else 0


if __name__ == "__main__":
    sys.exit(main())
