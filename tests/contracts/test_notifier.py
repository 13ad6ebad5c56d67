"""What every notifier promises, asked of each one that ships."""

from __future__ import annotations

import mailbox
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve

from orderflow.adapters.notifiers.maildir import MaildirNotifier
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.ports.notifier import Notice, Notifier

NOTICE = Notice("N-1", "17850", "placed", "Thank you", "We have your order.", "SO-1", datetime(2026, 3, 1, tzinfo=UTC))

Rig = tuple[Notifier, Callable[[], list[str]]]
"""A notifier, and how to ask what was delivered: the subjects, sorted."""


def memory(_: Path) -> Rig:
    """The notifier in memory."""
    notifier = MemoryNotifier()
    return notifier, lambda: sorted(notice.subject for notice in notifier.delivered)


def maildir(folder: Path) -> Rig:
    """The notifier that writes mail, read back by the standard library."""
    notifier = MaildirNotifier(folder, "shop@example.com")
    box = mailbox.Maildir(folder, create=False)
    return notifier, lambda: sorted(str(mail["Subject"]) for mail in box)


@pytest.fixture(params=[memory, maildir])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    """One notifier after the other."""
    make: Callable[[Path], Rig] = request.param
    return make(tmp_path)


def test_a_notice_is_delivered(rig: Rig) -> None:
    """What is sent arrives."""
    notifier, subjects = rig
    notifier.send(NOTICE)
    assert subjects() == ["Thank you"]


def test_a_notice_is_delivered_once(rig: Rig) -> None:
    """However often the relay sends it, the customer hears it once."""
    notifier, subjects = rig
    for _ in range(3):
        notifier.send(NOTICE)
    assert subjects() == ["Thank you"]


def test_the_id_alone_makes_a_notice_the_same(rig: Rig) -> None:
    """A repeat with another wording is still a repeat: the first wording stands."""
    notifier, subjects = rig
    notifier.send(NOTICE)
    notifier.send(evolve(NOTICE, subject="Thanks", body="again"))
    assert subjects() == ["Thank you"]


def test_notices_of_one_wording_are_kept_apart(rig: Rig) -> None:
    """Two ids are two notices, though every other field is equal."""
    notifier, subjects = rig
    notifier.send(NOTICE)
    notifier.send(evolve(NOTICE, id="N-2"))
    assert subjects() == ["Thank you", "Thank you"]


@pytest.mark.parametrize("id_", ["shop/536365/ship", "../../etc/passwd", ".", "通知 1", "N\n1", "x" * 100])
def test_an_id_may_be_any_text(rig: Rig, id_: str) -> None:
    """Ids are opaque: no text in one reaches beyond the notifier's own place."""
    notifier, subjects = rig
    notifier.send(evolve(NOTICE, id=id_))
    notifier.send(NOTICE)
    assert subjects() == ["Thank you", "Thank you"]


def test_sending_from_many_threads_delivers_each_once(rig: Rig) -> None:
    """Eight threads send twenty notices each, all the same twenty."""
    notifier, subjects = rig
    notices = [evolve(NOTICE, id=f"N-{n}", subject=f"{n:02d}") for n in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(notifier.send, notices * 8))
    assert subjects() == [f"{n:02d}" for n in range(20)]
