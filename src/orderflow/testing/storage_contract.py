"""The contract of a storage, tried with stock rows, orders and parties of the standard workflow.

A trial gets a function that makes handles: given a tenant, it returns a storage of that tenant, and all its handles see
the same content. Clauses ``OUTBOX-*`` are about messages, all others about rows, journal and queries.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Event
from time import sleep
from typing import Final

from attrs import evolve

from orderflow.domain.engine.decide import NOTHING
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.stock import GoodsReceived
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.parties.party import PARTY, ErasePartyVersion, Person, RecordParty
from orderflow.domain.values import stock_key
from orderflow.errors import ConcurrencyConflict, InputError, Key, StorageError
from orderflow.ports.storage import Batch, KnownCommand, Query, Storage
from orderflow.testing.contracts import Clause, Expect
from orderflow.testing.queries_contract import QUERIES
from orderflow.testing.search_contract import SEARCH
from orderflow.testing.storage_material import (
    AT,
    StorageMaker,
    command,
    holds,
    joined,
    level,
    loaded,
    placed,
    receipt,
    received,
    stepped,
    store,
)

__all__ = ["STORAGE"]

_RACERS, _LAPS = 4, 25


_A, _B, _C = (stock_key("main", *ref) for ref in (("A-1", "TOKYO"), ("B-2", "大阪"), ("C-3", "TOKYO")))


def _unchanged(storage: Storage, expect: Expect) -> None:
    """Nothing was stored of a batch on ``_B`` by the command ``lost``."""
    with storage.unit() as unit:
        expect.equal("the other row", NOTHING, unit.load([_B])[_B])
        expect.equal("the command", {}, dict(unit.known_commands(["lost"])))
    expect.equal("journal entries", 1, len(storage.entries(0, 100)))


# --- the clauses ---


def _round_trip(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    with storage.unit() as unit:
        expect.equal("rows never stored", {_A: NOTHING, _B: NOTHING}, dict(unit.load([_A, _B])))
    received(storage, "c-1", _A, 5)
    for handle in (storage, make("main")):
        expect.equal("the stored row", level(1, 5), loaded(handle, _A))


def _load_again(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)
    with storage.unit() as unit:
        first = dict(unit.load([_A]))
        expect.equal("a second load with more keys", {_A: level(1, 5), _B: NOTHING}, dict(unit.load([_A, _B])))
        expect.equal("a third load", first, dict(unit.load([_A, _A])))


def _conflict_is_atomic(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)
    stale = joined(receipt("lost", _B, NOTHING), receipt("lost-too", _A, NOTHING))
    error = expect.raises("a batch with one stale row", ConcurrencyConflict, lambda: store(storage, stale))
    expect.true("the key the conflict names", error.key in {_A, None})
    _unchanged(storage, expect)


def _leaving_rolls_back(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)

    def interrupted() -> None:
        with storage.unit() as unit:
            unit.load([_B])
            raise KeyError("interrupted")

    expect.raises("the error raised in the unit", KeyError, interrupted)
    with storage.unit() as unit:
        unit.load([_B])
    _unchanged(storage, expect)
    received(storage, "c-2", _B)
    expect.equal("a unit after an interrupted one", level(1, 1), loaded(storage, _B))


def _stale_write(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)
    seen = loaded(storage, _A)
    received(storage, "c-2", _A, 7)
    expect.raises("a write to an old version", ConcurrencyConflict, lambda: store(storage, receipt("c-3", _A, seen)))
    expect.equal("the newer row", level(2, 12), loaded(storage, _A))


def _read_versions(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)
    for name, seen in (("a row that has changed since", (_A, 0)), ("a row that does not exist", (_B, 1))):
        stale = evolve(receipt("lost", _C, NOTHING), read=(seen,))
        expect.raises(name, ConcurrencyConflict, partial(store, storage, stale))
    expect.equal("the row written in the same batch", NOTHING, loaded(storage, _C))
    store(storage, evolve(receipt("c-2", _C, NOTHING), read=((_A, 1), (_B, 0))))
    expect.equal("a row written when the versions read are current", level(1, 1), loaded(storage, _C))
    expect.equal("the row only read", level(1, 5), loaded(storage, _A))


def _changed_at(make: StorageMaker, expect: Expect) -> None:
    storage, later = make("main"), AT + timedelta(hours=1, microseconds=5)
    received(storage, "c-1", _A, 5)
    store(storage, receipt("c-2", _A, level(1, 5), 2, at=later))
    for handle in (storage, make("main")):
        expect.equal("the row with the time of its last event", level(2, 7, later), loaded(handle, _A))
        expect.equal("the same, outside a unit", level(2, 7, later), handle.read([_A])[_A])


def _other_kinds(make: StorageMaker, expect: Expect) -> None:
    storage, key = make("main"), Key("main", "order", "SO-1")
    before = placed(storage, "SO-1", tags=("vip",))
    expect.equal("the state of a placed order", "Placed", type(before.state).__name__)
    store(storage, stepped(ORDER, "confirm", key, before, ConfirmOrder(), at=AT + timedelta(minutes=1)))
    for handle in (storage, make("main")):
        row = loaded(handle, key)
        expect.equal("its state after two commands", ("Confirmed", 2), (type(row.state).__name__, row.version))
        expect.equal("its content", before.state.content, row.state.content)
        events = [type(entry.event).__name__ for entry in handle.history(key)]
        expect.equal("its history", ["OrderPlaced", "OrderConfirmed"], events)
        expect.equal("the first event's content", before.state.content, next(iter(handle.history(key))).event.content)


def _vault(make: StorageMaker, expect: Expect) -> None:
    storage, key, secret = make("main"), Key("main", "party", "ann@1"), "Ann Example"
    store(storage, stepped(PARTY, "record", key, NOTHING, RecordParty(Person(name=secret))))
    kept = loaded(storage, key)
    expect.equal("the person in the row", secret, kept.state.person.name)
    journal = [*storage.history(key), *storage.entries(0, 100)]
    expect.equal("entries of the party", 2, len(journal))
    expect.true("a journal without personal data", not holds([entry.event for entry in journal], secret))
    store(storage, stepped(PARTY, "erase", key, kept, ErasePartyVersion()))
    expect.true("no personal data in the erased row", not holds(loaded(storage, key), secret))


def _feed_under_way(make: StorageMaker, expect: Expect) -> None:
    storage, stop = make("main"), Event()

    def write(racer: int) -> None:
        for lap in range(_LAPS):
            received(storage, f"{racer}/{lap}", stock_key("main", f"SKU-{racer}", "TOKYO"))
            sleep(0.001)  # so that the reader reads in between

    def follow() -> list[str]:
        seen, after = list[str](), 0
        while True:
            ended = stop.is_set()
            while page := storage.entries(after, 7):
                seen += [entry.command_id for entry in page]
                after = page[-1].position
            if ended:
                return seen

    with ThreadPoolExecutor(_RACERS + 1) as pool:
        reader = pool.submit(follow)
        list(pool.map(write, range(_RACERS)))
        stop.set()
        seen = reader.result()
    expected = sorted(f"{racer}/{lap}" for racer in range(_RACERS) for lap in range(_LAPS))
    expect.equal("entries seen by a reader that follows writers, each once", expected, sorted(seen))


def _read_outside(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)
    expect.equal("rows as last committed", {_A: level(1, 5), _B: NOTHING}, dict(storage.read([_A, _B])))


def _insert_over(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)
    again = receipt("c-2", _A, NOTHING, 9)
    expect.raises("a new row in place of a stored one", ConcurrencyConflict, lambda: store(storage, again))
    expect.equal("the row", level(1, 5), loaded(storage, _A))


def _command_twice(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)
    again = joined(receipt("lost", _B, NOTHING), Batch((command("c-1", _B, 1),), (), ()))
    expect.raises("a command id already in use", ConcurrencyConflict, lambda: store(storage, again))
    _unchanged(storage, expect)


def _known(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A)
    with storage.unit() as unit:
        known = dict(unit.known_commands(["c-1", "c-2"]))
    expected = {"c-1": KnownCommand("print of c-1", command("c-1", _A, 1).ack)}
    expect.equal("the known commands", expected, known)


def _journal(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for number in range(1, 4):
        received(storage, f"c-{number}", _A, number)
        received(storage, f"d-{number}", _B, number)
    history = list(storage.history(_A))
    expect.equal("versions", [1, 2, 3], [entry.version for entry in history])
    expect.equal("events", [GoodsReceived(n, document=f"c-{n}") for n in (1, 2, 3)], [entry.event for entry in history])
    last, by = history[-1], command("c-3", _A, 3)
    expected = (by.ack.at, by.actor, by.ack.command_id, by.cause, by.occurred_at, by.workflow)
    seen = (last.at, last.actor, last.command_id, last.cause, last.occurred_at, last.workflow)
    expect.equal("the facts of its command in the entry", expected, seen)


def _feed(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for number in range(5):
        received(storage, f"c-{number}", _A if number % 2 else _B)
    seen, after = [], 0
    while page := storage.entries(after, 2):
        expect.true("no more entries than the limit", len(page) <= 2)
        seen += [(entry.position > after, entry.command_id) for entry in page]
        after = page[-1].position
        if len(seen) > 5:
            break
    expect.equal("every entry once, in commit order", [(True, f"c-{number}") for number in range(5)], seen)


def _tenants(make: StorageMaker, expect: Expect) -> None:
    ours, theirs = make("main"), make("other")
    key = Key("other", _A.kind, _A.id)
    received(ours, "c-1", _A, 5)
    expect.equal("their row with the same id", NOTHING, loaded(theirs, key))
    with theirs.unit() as unit:
        expect.equal("our command, as known to them", {}, dict(unit.known_commands(["c-1"])))
    received(theirs, "c-1", key, 8)
    expect.equal("our row", level(1, 5), loaded(ours, _A))
    expect.equal("their listing", [StockLevel(8)], [row.state for row in theirs.find(Query("stock"))])
    expect.equal("their feed", [key], [entry.key for entry in theirs.entries(0, 100)])
    expect.equal("their sums", {(): (8,)}, dict(theirs.sums("stock", ["on_hand"])))
    expect.raises("a load of another tenant's key", InputError, lambda: loaded(ours, key))
    expect.raises("another tenant's history", InputError, lambda: ours.history(key))


def _finished(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    with storage.unit() as unit:
        unit.commit(receipt("c-1", _A, NOTHING))
        expect.raises("a load after the commit", StorageError, lambda: unit.load([_A]))
        expect.raises("a second commit", StorageError, lambda: unit.commit(receipt("c-2", _B, NOTHING)))
    expect.equal("rows", 1, len(storage.find(Query("stock"))))


def _many(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    keys = [stock_key("main", f"SKU-{number:03d}", "TOKYO") for number in range(300)]
    with storage.unit() as unit:
        rows = unit.load(keys)
        unit.commit(joined(*[receipt(f"c-{key.id}", key, rows[key], 2) for key in keys]))
    with storage.unit() as unit:
        rows = unit.load(keys)
        expect.equal("rows", {level(1, 2)}, set(rows.values()))
        unit.commit(joined(*[receipt(f"d-{key.id}", key, rows[key], 3) for key in keys]))
        expect.equal("commands", 600, len({entry.command_id for entry in storage.entries(0, 1000)}))
    expect.equal("the sum", {(): (1500,)}, dict(storage.sums("stock", ["on_hand"])))


def _race(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")

    def run(racer: int) -> None:
        for lap in range(_LAPS):
            while True:
                try:
                    received(storage, f"{racer}/{lap}", _A)
                except ConcurrencyConflict:
                    continue
                break

    with ThreadPoolExecutor(_RACERS) as pool:
        list(pool.map(run, range(_RACERS)))
    total = _RACERS * _LAPS
    expect.equal("the row after the race", level(total, total), loaded(storage, _A))
    versions = [entry.version for entry in storage.history(_A)]
    expect.equal("its versions", list(range(1, total + 1)), versions)


STORAGE: Final[tuple[Clause[StorageMaker], ...]] = (
    Clause("STORAGE-ROW-01", "A committed row is seen by every handle, with its version and state.", _round_trip),
    Clause("STORAGE-ROW-02", "Within a unit, loading a row again gives the same row.", _load_again),
    Clause("STORAGE-ROW-04", "A row says when its last event was recorded.", _changed_at),
    Clause("STORAGE-ROW-05", "A read outside a unit gives rows as last committed.", _read_outside),
    Clause("STORAGE-ROW-06", "Rows of every kind in the workflow are stored.", _other_kinds),
    Clause("STORAGE-ROW-03", "A batch of hundreds of rows is stored just like a batch of one.", _many),
    Clause("STORAGE-ATOMIC-01", "A batch with a conflict leaves no row, entry or command.", _conflict_is_atomic),
    Clause(
        "STORAGE-ATOMIC-02", "Leaving a unit without a commit, by error or not, leaves nothing.", _leaving_rolls_back
    ),
    Clause("STORAGE-ATOMIC-03", "A commit finishes its unit.", _finished),
    Clause("STORAGE-VERSION-01", "A write to an outdated version is a conflict.", _stale_write),
    Clause("STORAGE-VERSION-02", "A new row in place of a stored one is a conflict.", _insert_over),
    Clause("STORAGE-VERSION-04", "A row that was only read must still be at the version read.", _read_versions),
    Clause("STORAGE-VERSION-03", "Racing threads lose no update.", _race),
    Clause(
        "STORAGE-COMMAND-01", "A command id is stored once; a batch that repeats one leaves nothing.", _command_twice
    ),
    Clause(
        "STORAGE-COMMAND-02",
        "Known commands are returned with fingerprint and Ack, unknown ones are left out.",
        _known,
    ),
    Clause("STORAGE-JOURNAL-01", "A row's history has every event, in order, with the facts of its command.", _journal),
    Clause("STORAGE-JOURNAL-02", "A reader of the feed sees every entry once, in commit order.", _feed),
    Clause("STORAGE-JOURNAL-03", "A reader that follows the feed while others write misses nothing.", _feed_under_way),
    Clause("STORAGE-VAULT-01", "Personal data is stored in its row only, never in the journal.", _vault),
    Clause("STORAGE-TENANT-01", "Tenants with equal ids never see each other's rows, commands or entries.", _tenants),
    *QUERIES,
    *SEARCH,
)
"""What every storage must keep, whether or not it has an outbox."""
