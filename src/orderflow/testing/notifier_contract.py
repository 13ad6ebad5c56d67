"""The contract of a notifier: a notice is delivered once, however often it is sent.

A notifier is tried together with a function that tells what has been delivered::

    def test_my_notifier_keeps_the_contract():
        def fresh():
            chat = FakeChat()
            return MyNotifier(chat), lambda: chat.subjects

        check_all(NOTIFIER, fresh)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final, TypeAlias

from attrs import evolve

from orderflow.ports.notifier import Notice, Notifier
from orderflow.testing.contracts import Clause, Expect

__all__ = ["NOTIFIER", "Rig"]

#: A notifier, and a function that returns the subjects of the notices delivered, in any order.
Rig: TypeAlias = tuple[Notifier, Callable[[], Iterable[str]]]

_NOTICE: Final = Notice(
    "N-1", "17850", "placed", "Thank you", "We have your order.", "SO-1", datetime(2026, 3, 1, tzinfo=UTC)
)
_IDS: Final = ("shop/536365/ship", "../../etc/passwd", ".", "通知 1", "N\n1", "x" * 100)
_THREADS: Final = 8


def _delivered(rig: Rig, expect: Expect, times: int) -> None:
    _, subjects = rig
    expect.equal("subjects delivered", ["Thank you"] * times, sorted(subjects()))


def _arrives(rig: Rig, expect: Expect) -> None:
    notifier, _ = rig
    notifier.send(_NOTICE)
    _delivered(rig, expect, 1)


def _once(rig: Rig, expect: Expect) -> None:
    notifier, _ = rig
    for _ in range(3):
        notifier.send(_NOTICE)
    _delivered(rig, expect, 1)


def _first_wording(rig: Rig, expect: Expect) -> None:
    notifier, _ = rig
    notifier.send(_NOTICE)
    notifier.send(evolve(_NOTICE, subject="Thanks", body="again"))
    _delivered(rig, expect, 1)


def _apart(rig: Rig, expect: Expect) -> None:
    notifier, _ = rig
    notifier.send(_NOTICE)
    notifier.send(evolve(_NOTICE, id="N-2"))
    _delivered(rig, expect, 2)


def _any_id(rig: Rig, expect: Expect) -> None:
    notifier, _ = rig
    for id_ in _IDS:
        notifier.send(evolve(_NOTICE, id=id_))
    _delivered(rig, expect, len(_IDS))


def _at_once(rig: Rig, expect: Expect) -> None:
    notifier, subjects = rig
    notices = [evolve(_NOTICE, id=f"N-{n}", subject=f"{n:02d}") for n in range(20)]
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(notifier.send, notices * _THREADS))
    expect.equal("subjects delivered", [notice.subject for notice in notices], sorted(subjects()))


NOTIFIER: Final[tuple[Clause[Rig], ...]] = (
    Clause("NOTIFIER-SEND-01", "What is sent arrives.", _arrives),
    Clause("NOTIFIER-ONCE-01", "However often a notice is sent, it is delivered once.", _once),
    Clause("NOTIFIER-ONCE-02", "Notices with one id are the same notice: the first wording stands.", _first_wording),
    Clause("NOTIFIER-ONCE-03", "Two ids are two notices, even if every other field is equal.", _apart),
    Clause("NOTIFIER-ID-01", "An id may be any text, and cannot reach outside the notifier's own place.", _any_id),
    Clause("NOTIFIER-ONCE-04", "Sent from many threads, each notice is delivered once.", _at_once),
)
"""What every notifier must keep."""
