"""The contract of an outbox: each message of a committed batch is handed out until it is done or dead."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import evolve

from orderflow.domain.engine.decide import NOTHING, Message
from orderflow.domain.values import stock_key
from orderflow.errors import ConcurrencyConflict, Key, NotFound, StorageError
from orderflow.ports.storage import Batch, Lease, Storage
from orderflow.testing.contracts import Clause, Expect
from orderflow.testing.storage_material import StorageMaker, command, receipt, received, store

__all__ = ["OUTBOX"]

_AT: Final = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
_LEASE: Final = timedelta(seconds=60)
_LATER: Final = _AT + _LEASE
_INSTANT: Final = timedelta(microseconds=1)
_ROW: Final = stock_key("main", "A-1", "TOKYO")
_LANE, _OTHER = Key("main", "order", "SO-1"), Key("main", "order", "SO-2")
_FIRST, _SECOND = Message("m-1", "notify", _LANE), Message("m-2", "notify", _LANE)
_THIRD: Final = Message("m-3", "notify", _OTHER, (("template", "送り状"), ("copy", "1")))
_LABEL: Final = Message("m-4", "label", _LANE)
_WORKERS: Final = 4


def _post(storage: Storage, *messages: Message, at: datetime = _AT) -> None:
    command_id = f"post-{messages[0].id}"
    with storage.unit() as unit:
        unit.commit(evolve(receipt(command_id, _ROW, unit.load([_ROW])[_ROW], at=at), messages=messages))


def _lease(storage: Storage, now: datetime = _AT, topic: str = "notify", limit: int = 10) -> list[Lease]:
    return list(storage.lease(topic, limit, now, now + _LEASE))


def _ids(leases: list[Lease]) -> list[str]:
    return [lease.message.id for lease in leases]


def _answer(storage: Storage, *message_ids: str) -> None:
    store(storage, Batch((), (), (), answered=message_ids))


def _three(storage: Storage) -> None:
    """Two messages of one lane and one of another."""
    _post(storage, _FIRST, _SECOND)
    _post(storage, _THIRD)


def _delivered(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _three(storage)
    expect.equal("messages pending", 3, storage.pending())
    first = _lease(storage)
    expect.equal("the messages", [_FIRST, _THIRD], [lease.message for lease in first])
    expect.equal("attempts, including this one", [1, 1], [lease.attempts for lease in first])
    _answer(storage, "m-1", "m-3")
    expect.equal("messages pending", 1, storage.pending())
    expect.equal("the next of the lane", ["m-2"], _ids(_lease(make("main"))))
    _answer(storage, "m-2")
    expect.equal("once everything is done", ([], 0), (_lease(storage, _LATER), storage.pending()))


def _lanes(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _three(storage)
    expect.equal("one of each lane", ["m-1", "m-3"], _ids(_lease(storage)))
    expect.equal("a lane whose first message is leased", [], _ids(_lease(storage)))
    fresh = make("main")
    (first, _) = _lease(fresh, _LATER)
    fresh.retry(first, _LATER + timedelta(hours=1), "no answer")
    expect.equal("a lane whose first message is not due", [], _ids(_lease(fresh, _LATER)))


def _lanes_by_topic(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _three(storage)
    _post(storage, _LABEL)
    expect.equal("another topic of a row with a pending message", ["m-4"], _ids(_lease(storage, topic="label")))
    expect.equal("its own topic", ["m-1", "m-3"], _ids(_lease(storage)))
    expect.equal("a topic without messages", [], _ids(_lease(storage, topic="none")))


def _order(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _post(storage, _FIRST, at=_AT)
    _post(storage, _THIRD, at=_AT + _INSTANT)
    expect.equal("no more than the limit", ["m-1"], _ids(_lease(storage, _AT + _INSTANT, limit=1)))
    (third,) = _lease(storage, _AT + _INSTANT)
    storage.retry(third, _AT + 2 * _INSTANT, "no answer")
    expect.equal("the longest overdue first", ["m-3", "m-1"], _ids(_lease(storage, _LATER + timedelta(hours=1))))


def _due(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    expect.equal("topics of an empty outbox", set(), set(storage.due(_AT)))
    _three(storage)
    _post(storage, _LABEL)
    expect.equal("topics", {"notify", "label"}, set(storage.due(_AT)))
    (label,) = _lease(storage, topic="label")
    expect.equal("topics, when one is fully leased", {"notify"}, set(storage.due(_AT)))
    storage.retry(label, _LATER, "no answer")
    _lease(storage)
    expect.equal("topics before anything is due again", set(), set(storage.due(_LATER - _INSTANT)))
    expect.equal("topics when everything is due again", {"notify", "label"}, set(storage.due(_LATER)))


def _leases(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _post(storage, _FIRST)
    (first,) = _lease(storage)
    expect.equal("leases while it is leased", [], _lease(storage, _LATER - _INSTANT))
    (again,) = _lease(storage, _LATER)
    expect.equal("when the lease has run out", (_FIRST, 2, True), (again.message, again.attempts, again.abandoned))
    expect.true("a newer token", again.token > first.token)
    expect.equal("when the first attempt began", (_AT, _AT), (first.since, again.since))


def _renewed(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _post(storage, _FIRST)
    (old,) = _lease(storage)
    storage.renew(old, _LATER + _LEASE)
    expect.equal("leases when the first lease would have run out", [], _lease(storage, _LATER))
    (new,) = _lease(storage, _LATER + _LEASE)
    storage.renew(old, _LATER + 9 * _LEASE)
    expect.equal("leases after a lost lease was renewed", ["m-1"], _ids(_lease(storage, _LATER + 2 * _LEASE)))
    expect.equal("attempts", 2, new.attempts)


def _leased_once(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    messages = [Message(f"r-{number:02}", "notify", _LANE.beside("order", f"R-{number}")) for number in range(40)]
    _post(storage, *messages)

    def work(_: int) -> list[str]:
        found: list[str] = []
        while len(found) <= len(messages) and (leases := _lease(storage, limit=3)):
            found += _ids(leases)
        return found

    with ThreadPoolExecutor(_WORKERS) as pool:
        leased = [message_id for found in pool.map(work, range(_WORKERS)) for message_id in found]
    expect.equal("messages leased by racing workers", [message.id for message in messages], sorted(leased))


def _done_with_the_next(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _three(storage)
    first, _ = _lease(storage)
    (next_,) = storage.lease("notify", 10, _AT, _LATER, [first.message.id, "m-unknown"])
    expect.equal("the next of the lane, once the first is marked done", "m-2", next_.message.id)
    expect.equal("messages pending", 2, storage.pending())
    expect.equal("leases of an empty topic", [], list(storage.lease("none", 1, _AT, _LATER, ["m-2", "m-3"])))
    expect.equal("messages pending", 0, storage.pending())


def _fenced(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _post(storage, _FIRST)
    (old,) = _lease(storage)
    (new,) = _lease(storage, _LATER)
    storage.dead_letter(old, _LATER, "too late")
    storage.retry(old, _AT, "too late")
    expect.equal(
        "pending and dead messages after a late settlement", (1, []), (storage.pending(), list(storage.dead_letters()))
    )
    expect.equal("leases after a retry on a lost lease", [], _lease(storage, _LATER))
    storage.retry(new, _LATER + _LEASE, "no answer")
    storage.retry(new, _AT, "again")
    storage.dead_letter(new, _LATER, "again")
    expect.equal(
        "leases and dead letters after settling twice", ([], []), (_lease(storage, _LATER), [*storage.dead_letters()])
    )


def _retried(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _post(storage, _FIRST)
    (lease,) = _lease(storage)
    due = _AT + timedelta(seconds=5)
    storage.retry(lease, due, "no answer")
    expect.equal("before it is due", [], _lease(storage, due - _INSTANT))
    (again,) = _lease(storage, due)
    expect.equal("when it is due", (2, _AT, False), (again.attempts, again.since, again.abandoned))


def _dead(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _three(storage)
    (first, _) = _lease(storage)
    storage.dead_letter(first, _AT, "address unknown")
    expect.equal(
        "dead letters", [(first.message, "address unknown", _AT)], [dead[:3] for dead in storage.dead_letters()]
    )
    expect.equal("messages pending", 2, storage.pending())
    expect.equal("the next of its lane", ["m-2"], _ids(_lease(storage)))


def _requeued(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _three(storage)
    (first, _) = _lease(storage)
    storage.dead_letter(first, _AT, "address unknown")
    expect.raises("requeuing a message that is not dead", NotFound, lambda: storage.requeue("m-2", _AT))
    expect.raises("requeuing an unknown message", NotFound, lambda: storage.requeue("m-9", _AT))
    storage.requeue("m-1", _LATER)
    expect.equal("dead letters after requeuing", [], list(storage.dead_letters()))
    expect.equal("the rest of its lane, before it", ["m-2", "m-3"], _ids(_lease(storage, _LATER)))
    _answer(storage, "m-2")
    (again,) = _lease(storage, _LATER)
    begun = (again.message, again.attempts, again.since, again.abandoned)
    expect.equal("with all its attempts to come", (_FIRST, 1, _LATER, False), begun)
    expect.true("a newer token", again.token > first.token)


def _discarded(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _three(storage)
    (first, _) = _lease(storage)
    storage.dead_letter(first, _AT, "address unknown")
    expect.raises("discarding a message that is not dead", NotFound, lambda: storage.discard("m-2", _AT, "ann"))
    expect.raises("discarding an unknown message", NotFound, lambda: storage.discard("m-9", _AT, "ann"))
    storage.discard("m-1", _LATER, "ann")
    expect.equal("dead letters after discarding", [], list(storage.dead_letters()))
    expect.raises("requeuing what was discarded", NotFound, lambda: storage.requeue("m-1", _LATER))
    expect.equal("what is leased after discarding", ["m-2", "m-3"], _ids(_lease(storage, _LATER)))
    expect.equal("messages pending", 2, storage.pending())


def _maybe_sent(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _post(storage, _FIRST)
    (first,) = _lease(storage)
    storage.retry(first, _AT, "refused", maybe_sent=False)
    (second,) = _lease(storage)
    storage.retry(second, _AT, "no answer", maybe_sent=True)
    (third,) = _lease(storage)
    expect.equal(
        "whether it may have been sent, before each sending",
        [False, False, True],
        [lease.maybe_sent for lease in (first, second, third)],
    )
    storage.dead_letter(third, _AT, "refused", maybe_sent=True)
    expect.equal("of the dead letter", [True], [dead.maybe_sent for dead in storage.dead_letters()])
    storage.requeue("m-1", _AT)
    (again,) = _lease(storage)
    expect.true("it may have been sent, though it was requeued", again.maybe_sent)
    _post(storage, _THIRD)
    (lost,) = _lease(storage)
    (abandoned,) = [lease for lease in _lease(storage, _LATER) if lease.message == _THIRD]
    expect.equal("after a lease that ran out", (False, True), (lost.maybe_sent, abandoned.maybe_sent))
    storage.dead_letter(abandoned, _LATER, "refused", maybe_sent=False)
    expect.equal(
        "of a dead letter that cannot have been", [False], [dead.maybe_sent for dead in storage.dead_letters()]
    )


def _found(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _three(storage)
    _post(storage, _LABEL)
    for number, lease in enumerate([*_lease(storage), *_lease(storage, topic="label")]):
        storage.dead_letter(lease, _AT + number * _LEASE, "no")
    first, *_ = storage.dead_letters(1)
    expect.equal("the first", "m-1", first.message.id)
    found = {
        "all": storage.dead_letters(),
        "after the first": storage.dead_letters(cursor=first.cursor),
        "of a topic": storage.dead_letters(topic="notify"),
        "since a time": storage.dead_letters(since=_AT + _LEASE),
        "of a row": storage.dead_letters(lane=_OTHER),
        "by id": storage.dead_letters(message_id="m-4"),
        "of a topic since a time": storage.dead_letters(topic="notify", since=_AT + _LEASE),
        "none": storage.dead_letters(message_id="m-9"),
    }
    wanted = {
        "all": ["m-1", "m-3", "m-4"],
        "after the first": ["m-3", "m-4"],
        "of a topic": ["m-1", "m-3"],
        "since a time": ["m-3", "m-4"],
        "of a row": ["m-3"],
        "by id": ["m-4"],
        "of a topic since a time": ["m-3"],
        "none": [],
    }
    ids = {name: [letter.message.id for letter in letters] for name, letters in found.items()}
    expect.equal("dead letters by condition", wanted, ids)


def _answered(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _post(storage, _FIRST, _THIRD)
    _lease(storage)
    with storage.unit() as unit:
        unit.commit(evolve(receipt("c-1", _ROW, unit.load([_ROW])[_ROW]), answered=("m-1",)))
    expect.equal("messages pending after the answer's commit", 1, storage.pending())
    stale = evolve(receipt("c-2", _ROW, NOTHING), answered=("m-3",))
    expect.raises("an answer in a conflicting batch", ConcurrencyConflict, lambda: store(storage, stale))
    expect.equal("messages pending after the conflict", 1, storage.pending())
    _answer(storage, "m-3")
    expect.equal("messages pending after a batch with only an answer", 0, storage.pending())


def _answered_by_anyone(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _three(storage)
    _lease(storage)
    _lease(storage, _LATER)
    _answer(storage, "m-1")
    expect.equal("the next of the lane, answered on a lost lease", ["m-2"], _ids(_lease(storage, _LATER)))
    _answer(storage, "m-2", "m-3")
    expect.equal("messages pending after an answer while another worker holds the lease", 0, storage.pending())


def _atomic(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _ROW)
    stale = evolve(receipt("c-2", _ROW, NOTHING), messages=(_FIRST,))
    expect.raises("a message in a conflicting batch", ConcurrencyConflict, lambda: store(storage, stale))
    expect.equal("messages of a batch that was not stored", 0, storage.pending())


def _unique(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _post(storage, _FIRST)
    _answer(storage, "m-1")
    again = Batch((command("c-2", _ROW, 1),), (), (), (_FIRST,))
    expect.raises("a message id that is already in use", StorageError, lambda: store(storage, again))
    with storage.unit() as unit:
        expect.equal("the command of that batch", {}, dict(unit.known_commands(["c-2"])))
    expect.equal("leases of a message that was done", [], _lease(storage, _LATER))


def _own(make: StorageMaker, expect: Expect) -> None:
    ours, theirs = make("main"), make("other")
    _post(ours, _FIRST)
    expect.equal("their messages", (0, [], set()), (theirs.pending(), _lease(theirs), set(theirs.due(_AT))))
    (lease,) = _lease(ours)
    theirs.dead_letter(lease, _AT, "not theirs")
    theirs.retry(lease, _AT, "not theirs")
    _answer(theirs, "m-1")
    expect.raises("requeuing our message", NotFound, lambda: theirs.requeue("m-1", _AT))
    expect.raises("discarding our message", NotFound, lambda: theirs.discard("m-1", _AT, "ann"))
    expect.equal("our messages", (1, []), (ours.pending(), _lease(ours)))


OUTBOX: Final[tuple[Clause[StorageMaker], ...]] = (
    Clause("OUTBOX-DELIVER-01", "Every message of a committed batch is handed out until it is done.", _delivered),
    Clause("OUTBOX-DELIVER-02", "The topics are listed that have a message that may be leased.", _due),
    Clause("OUTBOX-ATOMIC-01", "A batch that is not stored leaves no message.", _atomic),
    Clause("OUTBOX-ATOMIC-02", "An answered message is done in its answer's commit, or not at all.", _answered),
    Clause("OUTBOX-ANSWER-01", "An answered message is done, whoever holds its lease.", _answered_by_anyone),
    Clause("OUTBOX-ANSWER-02", "Leasing first marks the given messages done.", _done_with_the_next),
    Clause("OUTBOX-ONCE-01", "A message id is used only once, even after its message is done.", _unique),
    Clause("OUTBOX-LANE-01", "Only the first pending message of each lane is handed out.", _lanes),
    Clause("OUTBOX-LANE-02", "Each topic of a row is a lane of its own.", _lanes_by_topic),
    Clause("OUTBOX-ORDER-01", "The limit is kept, and the longest overdue message goes first.", _order),
    Clause("OUTBOX-LEASE-01", "A leased message is handed out again only once its lease has run out.", _leases),
    Clause("OUTBOX-LEASE-02", "A lost lease cannot put off or give up its message (fencing token).", _fenced),
    Clause("OUTBOX-LEASE-03", "Only its holder can renew a lease.", _renewed),
    Clause("OUTBOX-LEASE-04", "Racing workers lease each message once.", _leased_once),
    Clause("OUTBOX-RETRY-01", "A retried message is handed out when it is due, not before.", _retried),
    Clause("OUTBOX-DEAD-01", "A dead letter is listed with its error and blocks no lane.", _dead),
    Clause("OUTBOX-DEAD-02", "A dead letter is requeued with all its attempts to come.", _requeued),
    Clause("OUTBOX-DEAD-03", "A discarded dead letter is done, and nothing brings it back.", _discarded),
    Clause("OUTBOX-DEAD-04", "Dead letters are found by topic, time, row and id, page by page.", _found),
    Clause("OUTBOX-SENT-01", "Whether a message may have been sent is known, after requeueing too.", _maybe_sent),
    Clause("OUTBOX-TENANT-01", "Tenants never see, answer or requeue each other's messages.", _own),
)
"""What every outbox must keep."""
