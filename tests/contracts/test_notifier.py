"""What every notifier promises, asked of each one that ships; and each clause finds a notifier that breaks it."""

from __future__ import annotations

import mailbox
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from orderflow.adapters.notifiers.maildir import MaildirNotifier
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.ports.notifier import Notice
from orderflow.testing.contracts import Clause, violations
from orderflow.testing.notifier_contract import NOTIFIER, Rig


def memory(_: Path) -> Rig:
    """The notifier in memory."""
    notifier = MemoryNotifier()
    return notifier, lambda: [notice.subject for notice in notifier.delivered]


def maildir(folder: Path) -> Rig:
    """The notifier that writes mail, read back by the standard library."""
    notifier = MaildirNotifier(folder, "shop@example.com")
    box = mailbox.Maildir(folder, create=False)
    return notifier, lambda: [str(mail["Subject"]) for mail in box]


@pytest.mark.parametrize("make", [memory, maildir])
@pytest.mark.parametrize("clause", NOTIFIER, ids=lambda clause: clause.id)
def test_a_notifier_keeps_every_clause(clause: Clause[Rig], make: Callable[[Path], Rig], tmp_path: Path) -> None:
    """Each clause on a fresh notifier."""
    clause.check(make(tmp_path))


class Faulty:
    """A notifier that is to break a clause: what it has delivered, by a key of its own choice."""

    def __init__(self) -> None:
        self.delivered: dict[Any, str] = {}


class Lossy(Faulty):
    """Delivers nothing."""

    def send(self, notice: Notice) -> None:
        """Lost."""


class Repeating(Faulty):
    """Delivers every call."""

    def send(self, notice: Notice) -> None:
        """Once more."""
        self.delivered[len(self.delivered)] = notice.subject


class ByWording(Faulty):
    """Takes notices of one wording for one."""

    def send(self, notice: Notice) -> None:
        """By subject and body."""
        self.delivered[notice.subject, notice.body] = notice.subject


class LastWord(Faulty):
    """Lets the last wording stand."""

    def send(self, notice: Notice) -> None:
        """In place of the first."""
        self.delivered[notice.id] = notice.subject


class Picky(Faulty):
    """Takes ids of letters and digits only."""

    def send(self, notice: Notice) -> None:
        """Or fails."""
        if not notice.id.replace("-", "").isalnum():
            raise ValueError(notice.id)
        self.delivered.setdefault(evolve(notice, subject="", body="").id, notice.subject)


@pytest.mark.parametrize(
    "notifier, broken",
    [
        (Lossy, {clause.id for clause in NOTIFIER}),
        (Repeating, {"NOTIFIER-ONCE-01", "NOTIFIER-ONCE-02", "NOTIFIER-ONCE-04"}),
        (ByWording, {"NOTIFIER-ONCE-02", "NOTIFIER-ONCE-03", "NOTIFIER-ID-01"}),
        (LastWord, {"NOTIFIER-ONCE-02"}),
        (Picky, {"NOTIFIER-ID-01"}),
    ],
)
def test_a_notifier_that_breaks_a_clause_is_told_which(notifier: Any, broken: set[str]) -> None:
    """The contract has teeth: each fault is found, under its own clause."""

    def fresh() -> Rig:
        made = notifier()
        return made, made.delivered.values

    assert {violation.clause for violation in violations(NOTIFIER, fresh)} == broken
