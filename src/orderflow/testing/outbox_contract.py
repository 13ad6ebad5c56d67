"""The contract of an outbox: messages of committed batches, each handed out until it is done or given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import evolve

from orderflow.domain.engine.decide import Loaded, Message
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.values import stock_key
from orderflow.errors import ConcurrencyConflict, Key, NotFound, StorageError
from orderflow.ports.storage import Batch, Lease, Storage
from orderflow.testing.contracts import Clause, Expect
from orderflow.testing.storage_contract import StorageMaker, command, receipt, received, store

__all__ = ["OUTBOX"]

_AT: Final = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
_LEASE_SECONDS: Final = 60
_LATER: Final = _AT + timedelta(seconds=_LEASE_SECONDS)
_ROW: Final = stock_key("main", "A-1", "TOKYO")
_LANE, _OTHER = Key("main", "order", "SO-1"), Key("main", "order", "SO-2")


def _post(storage: Storage, *messages: Message) -> None:
    number = len(storage.entries(0, 1000))
    command_id = f"post-{number}"
    with storage.unit() as unit:
        unit.commit(evolve(receipt(command_id, _ROW, unit.load([_ROW])[_ROW]), messages=messages))


def _claim(storage: Storage, now: datetime = _AT, limit: int = 10) -> list[Lease]:
    return list(storage.claim(limit, now, _LEASE_SECONDS))


def _ids(leases: list[Lease]) -> list[str]:
    return [lease.message.id for lease in leases]


def _three(storage: Storage) -> None:
    """Two messages of one lane and one of another."""
    _post(storage, Message("m-1", "label", _LANE), Message("m-2", "notify", _LANE))
    _post(storage, Message("m-3", "notify", _OTHER, (("template", "送り状"), ("copy", "1"))))


def _delivered(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _three(storage)
    expect.equal("messages pending", 3, storage.pending())
    first = _claim(storage)
    third = Message("m-3", "notify", _OTHER, (("template", "送り状"), ("copy", "1")))
    expect.equal("the messages", [Message("m-1", "label", _LANE), third], [lease.message for lease in first])
    expect.equal("attempts, this one counted", [1, 1], [lease.attempts for lease in first])
    storage.done(first, _AT)
    expect.equal("messages pending", 1, storage.pending())
    second = _claim(make("main"))
    expect.equal("the next of the lane", ["m-2"], _ids(second))
    storage.done(second, _AT)
    expect.equal("after all is done", ([], 0), (_claim(storage, _LATER), storage.pending()))


def _lanes(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _three(storage)
    expect.equal("one of each lane, oldest first", ["m-1", "m-3"], _ids(_claim(storage)))
    expect.equal("a lane whose first is leased", [], _ids(_claim(storage)))
    fresh = make("main")
    (first, _) = _claim(fresh, _LATER)
    fresh.retry(first, _LATER + timedelta(hours=1), "no answer")
    expect.equal("a lane whose first is not due", [], _ids(_claim(fresh, _LATER)))


def _topics(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _three(storage)
    notices = list(storage.claim(10, _AT, _LEASE_SECONDS, ["notify"]))
    expect.equal("of the topic, and first of their lane", ["m-3"], _ids(notices))
    expect.equal("no topic", [], list(storage.claim(10, _AT, _LEASE_SECONDS, [])))
    expect.equal("at most so many", 1, len(_claim(storage, _LATER, limit=1)))


def _leases(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _post(storage, Message("m-1", "label", _LANE))
    (first,) = _claim(storage)
    expect.equal("while it is leased", [], _claim(storage, _LATER - timedelta(microseconds=1)))
    again = _claim(storage, _LATER)
    expect.equal("when the lease has run out", ["m-1"], _ids(again))
    expect.equal("attempts", 2, again[0].attempts)
    expect.true("a newer token", again[0].token > first.token)


def _fenced(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _post(storage, Message("m-1", "label", _LANE))
    (old,) = _claim(storage)
    (new,) = _claim(storage, _LATER)
    storage.done([old], _LATER)
    storage.dead_letter(old, _LATER, "too late")
    storage.retry(old, _AT, "too late")
    expect.equal("a lost lease settles nothing", (1, []), (storage.pending(), list(storage.dead_letters())))
    expect.equal("nor frees it", [], _claim(storage, _LATER))
    storage.done([new], _LATER)
    expect.equal("the lease that holds settles it", 0, storage.pending())


def _retried(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _post(storage, Message("m-1", "label", _LANE))
    (lease,) = _claim(storage)
    due = _AT + timedelta(seconds=5)
    storage.retry(lease, due, "no answer")
    expect.equal("before it is due", [], _claim(storage, due - timedelta(microseconds=1)))
    expect.equal("when it is due", [2], [lease.attempts for lease in _claim(storage, due)])


def _dead(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _three(storage)
    (first, _) = _claim(storage)
    storage.dead_letter(first, _AT, "address unknown")
    expect.equal("dead letters", [(first.message, "address unknown")], list(storage.dead_letters()))
    expect.equal("messages pending", 2, storage.pending())
    expect.equal("its lane goes on", ["m-2"], _ids(_claim(storage)))
    expect.raises("reviving what is not dead", NotFound, lambda: storage.requeue("m-2", _AT))
    storage.requeue("m-1", _LATER)
    expect.equal("no dead letter is left", [], list(storage.dead_letters()))
    requeued = [lease for lease in _claim(storage, _LATER) if lease.message.id == "m-1"]
    expect.equal("attempts are counted anew", [1], [lease.attempts for lease in requeued])
    expect.true("its token is a newer one", requeued[0].token > first.token)


def _answered(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _post(storage, Message("m-1", "label", _LANE), Message("m-2", "notify", _OTHER))
    label, notice = _claim(storage)
    with storage.unit() as unit:
        unit.commit(evolve(receipt("c-1", _ROW, unit.load([_ROW])[_ROW]), answered=(label,)))
    expect.equal("after the answer's commit", 1, storage.pending())
    stale = evolve(receipt("c-2", _ROW, Loaded(0, ABSENT)), answered=(notice,))
    expect.raises("an answer in a conflict", ConcurrencyConflict, lambda: store(storage, stale))
    expect.equal("after the conflict", 1, storage.pending())
    store(storage, Batch((), (), (), answered=(notice,)))
    expect.equal("after an answer that says nothing more", 0, storage.pending())


def _atomic(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _ROW)
    stale = evolve(receipt("c-2", _ROW, Loaded(0, ABSENT)), messages=(Message("m-1", "label", _LANE),))
    expect.raises("a message in a conflict", ConcurrencyConflict, lambda: store(storage, stale))
    expect.equal("messages of a batch that was not stored", 0, storage.pending())


def _unique(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    _post(storage, Message("m-1", "label", _LANE))
    storage.done(_claim(storage), _AT)
    again = Batch((command("c-2", _ROW, 1),), (), (), (Message("m-1", "label", _LANE),))
    expect.raises("a message id that was used", StorageError, lambda: store(storage, again))
    with storage.unit() as unit:
        expect.equal("the command of that batch", {}, dict(unit.known_commands(["c-2"])))
    expect.equal("a message that was done", [], _claim(storage, _LATER))


def _own(make: StorageMaker, expect: Expect) -> None:
    ours, theirs = make("main"), make("other")
    _post(ours, Message("m-1", "label", _LANE))
    expect.equal("their messages", (0, []), (theirs.pending(), _claim(theirs)))
    (lease,) = _claim(ours)
    theirs.done([lease], _AT)
    theirs.dead_letter(lease, _AT, "not theirs")
    expect.raises("reviving ours", NotFound, lambda: theirs.requeue("m-1", _AT))
    expect.equal("ours", 1, ours.pending())


OUTBOX: Final[tuple[Clause[StorageMaker], ...]] = (
    Clause("OUTBOX-DELIVER-01", "Every message of a committed batch is handed out until it is done.", _delivered),
    Clause("OUTBOX-ATOMIC-01", "A batch that is not stored leaves no message.", _atomic),
    Clause("OUTBOX-ATOMIC-02", "An answered message is done with the answer's commit, or not at all.", _answered),
    Clause("OUTBOX-ONCE-01", "A message id is used once, even when its message is done.", _unique),
    Clause("OUTBOX-LANE-01", "Of each lane only the first unfinished message is handed out.", _lanes),
    Clause("OUTBOX-LANE-02", "Topics and a limit narrow what is handed out; they let nothing overtake.", _topics),
    Clause("OUTBOX-LEASE-01", "A leased message is handed out again only when its lease has run out.", _leases),
    Clause("OUTBOX-LEASE-02", "A lost lease settles nothing (fencing token).", _fenced),
    Clause("OUTBOX-RETRY-01", "A message to be retried is handed out when it is due, not before.", _retried),
    Clause("OUTBOX-DEAD-01", "A dead letter is listed with its error, blocks no lane, and can be requeued.", _dead),
    Clause("OUTBOX-TENANT-01", "Tenants never see, settle or requeue each other's messages.", _own),
)
"""What every outbox keeps."""
