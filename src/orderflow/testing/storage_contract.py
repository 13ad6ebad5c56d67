"""The contract of a storage, tried with stock rows, orders and parties of the standard workflow.

A trial gets a maker of handles: called with a tenant it gives a storage of that tenant, and every handle of one maker
sees the same content. Clauses ``OUTBOX-*`` are about messages, all others about rows, journal and queries.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from time import sleep
from typing import Any, Final

from attrs import evolve

from orderflow.domain.engine.decide import NOTHING, Entry, Loaded
from orderflow.domain.engine.machine import Machine
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.stock import GoodsReceived, StockLevel
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import OrderContent, OrderLine
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.parties.party import PARTY, ErasePartyVersion, Person, RecordParty
from orderflow.domain.values import stock_key
from orderflow.errors import ConcurrencyConflict, InputError, Key, StorageError
from orderflow.ports.storage import Ack, Batch, CommandRecord, KnownCommand, Query, Storage, Write
from orderflow.testing.contracts import Clause, Expect

__all__ = ["STORAGE", "StorageMaker", "command", "placed", "receipt", "received", "stepped", "store"]

StorageMaker = Callable[[str], Storage]
"""Gives a storage of a tenant."""

_AT: Final = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
_RACERS, _LAPS = 4, 25
_TEA: Final = OrderLine.of(1, "TEA", 3, Price.of("2.55", "GBP"), TaxCategory.of("S", 20))


# --- material, also for trials of your own ---


def command(command_id: str, key: Key, version: int, *, at: datetime = _AT) -> CommandRecord:
    """An accepted command on a row."""
    occurred = at - timedelta(minutes=1)
    return CommandRecord(
        Ack(command_id, key, version, at), f"print of {command_id}", "tester", "ReceiveGoods", "why", "w1", occurred
    )


def receipt(command_id: str, key: Key, before: Loaded, quantity: int = 1, *, at: datetime = _AT) -> Batch:
    """A batch of one command that receives goods on one stock row."""
    on_hand = 0 if before.version == 0 else before.state.on_hand
    version = before.version + 1
    return Batch(
        (command(command_id, key, version, at=at),),
        (Write(key, before.version, version, StockLevel(on_hand + quantity), at),),
        (Entry(key, version, GoodsReceived(quantity, document=command_id), command_id),),
    )


def stepped(machine: Machine, command_id: str, key: Key, before: Loaded, told: Any, *, at: datetime = _AT) -> Batch:
    """A batch of one command on one row, as its machine decides it."""
    event, state = machine.step(before.state, told, Stamp(at, "tester", command_id))
    version = before.version + 1
    return Batch(
        (command(command_id, key, version, at=at),),
        (Write(key, before.version, version, state, at),),
        (Entry(key, version, event, command_id),),
    )


def placed(storage: Storage, id: str, *, at: datetime = _AT, tags: tuple[str, ...] = ()) -> Loaded:  # noqa: A002 - a row's
    """Place an order of three units of tea in a unit of its own; the row as it is then."""
    content = OrderContent("GBP", (_TEA,), TaxPolicy(), number=f"N-{id}", external_id=f"X-{id}", tags=tags)
    key = Key(storage.tenant, "order", id)
    store(storage, stepped(ORDER, f"place {id}", key, NOTHING, PlaceOrder(content), at=at))
    return storage.read([key])[key]


def received(storage: Storage, command_id: str, key: Key, quantity: int = 1) -> None:
    """Receive goods in a unit of its own."""
    with storage.unit() as unit:
        unit.commit(receipt(command_id, key, unit.load([key])[key], quantity))


def store(storage: Storage, batch: Batch) -> None:
    """Commit a batch in a unit of its own."""
    with storage.unit() as unit:
        unit.commit(batch)


def _held(storage: Storage, key: Key) -> Loaded:
    with storage.unit() as unit:
        return unit.load([key])[key]


def _level(version: int, on_hand: int, at: datetime = _AT) -> Loaded:
    """A stock row as it is loaded."""
    return Loaded(version, StockLevel(on_hand), at)


def _holds(value: object, text: str) -> bool:
    """Whether a text stands anywhere in a value, whatever its ``repr`` shows."""
    return text.encode() in pickle.dumps(value)


def _joined(*batches: Batch) -> Batch:
    return Batch(
        tuple(item for batch in batches for item in batch.commands),
        tuple(item for batch in batches for item in batch.writes),
        tuple(item for batch in batches for item in batch.entries),
    )


_A, _B, _C = (stock_key("main", *ref) for ref in (("A-1", "TOKYO"), ("B-2", "大阪"), ("C-3", "TOKYO")))


def _unchanged(storage: Storage, expect: Expect) -> None:
    """Nothing of a batch on ``_B`` by the command ``lost`` is there."""
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
        expect.equal("the stored row", _level(1, 5), _held(handle, _A))


def _load_again(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)
    with storage.unit() as unit:
        first = dict(unit.load([_A]))
        expect.equal("a second load with more keys", {_A: _level(1, 5), _B: NOTHING}, dict(unit.load([_A, _B])))
        expect.equal("a third load", first, dict(unit.load([_A, _A])))


def _conflict_is_atomic(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)
    stale = _joined(receipt("lost", _B, NOTHING), receipt("lost-too", _A, NOTHING))
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

    expect.raises("the caller's own error", KeyError, interrupted)
    with storage.unit() as unit:
        unit.load([_B])
    _unchanged(storage, expect)
    received(storage, "c-2", _B)
    expect.equal("a unit after an interrupted one", _level(1, 1), _held(storage, _B))


def _stale_write(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)
    seen = _held(storage, _A)
    received(storage, "c-2", _A, 7)
    expect.raises("a write on an old version", ConcurrencyConflict, lambda: store(storage, receipt("c-3", _A, seen)))
    expect.equal("the newer row", _level(2, 12), _held(storage, _A))


def _read_versions(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)
    for name, seen in (("a row that has moved on", (_A, 0)), ("a row that is not there", (_B, 1))):
        stale = evolve(receipt("lost", _C, NOTHING), read=(seen,))
        expect.raises(name, ConcurrencyConflict, partial(store, storage, stale))
    expect.equal("the row that was written with it", NOTHING, _held(storage, _C))
    store(storage, evolve(receipt("c-2", _C, NOTHING), read=((_A, 1), (_B, 0))))
    expect.equal("a row written on the versions that hold", _level(1, 1), _held(storage, _C))
    expect.equal("the row only read", _level(1, 5), _held(storage, _A))


def _changed_at(make: StorageMaker, expect: Expect) -> None:
    storage, later = make("main"), _AT + timedelta(hours=1, microseconds=5)
    received(storage, "c-1", _A, 5)
    store(storage, receipt("c-2", _A, _level(1, 5), 2, at=later))
    for handle in (storage, make("main")):
        expect.equal("the row with the time of its last event", _level(2, 7, later), _held(handle, _A))
        expect.equal("the same, outside a unit", _level(2, 7, later), handle.read([_A])[_A])


def _other_kinds(make: StorageMaker, expect: Expect) -> None:
    storage, key = make("main"), Key("main", "order", "SO-1")
    before = placed(storage, "SO-1", tags=("vip",))
    expect.equal("the class of a placed order", "Placed", type(before.state).__name__)
    store(storage, stepped(ORDER, "confirm", key, before, ConfirmOrder(), at=_AT + timedelta(minutes=1)))
    for handle in (storage, make("main")):
        row = _held(handle, key)
        expect.equal("its state after two commands", ("Confirmed", 2), (type(row.state).__name__, row.version))
        expect.equal("what was ordered", before.state.content, row.state.content)
        told = [type(entry.event).__name__ for entry in handle.history(key)]
        expect.equal("its history", ["OrderPlaced", "OrderConfirmed"], told)
        expect.equal("what its first event says", before.state.content, next(iter(handle.history(key))).event.content)


def _vault(make: StorageMaker, expect: Expect) -> None:
    storage, key, secret = make("main"), Key("main", "party", "ann@1"), "Ann Example"
    store(storage, stepped(PARTY, "record", key, NOTHING, RecordParty(Person(name=secret))))
    held = _held(storage, key)
    expect.equal("the person in the row", secret, held.state.person.name)
    journal = [*storage.history(key), *storage.entries(0, 100)]
    expect.equal("entries of it", 2, len(journal))
    expect.true("the journal without personal data", not _holds([entry.event for entry in journal], secret))
    store(storage, stepped(PARTY, "erase", key, held, ErasePartyVersion()))
    expect.true("the row without personal data once it is erased", not _holds(_held(storage, key), secret))


def _find_dated(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for day in range(3):
        placed(storage, f"SO-{day}", at=_AT + timedelta(days=day), tags=("vip",) if day == 1 else ())

    def found(query: Query) -> list[str]:
        return [row.key.id for row in storage.find(query)]

    expect.equal("orders since a moment", ["SO-1", "SO-2"], found(Query("order", since=_AT + timedelta(days=1))))
    expect.equal("orders until a moment", ["SO-0"], found(Query("order", until=_AT + timedelta(days=1))))
    between = Query("order", since=_AT + timedelta(days=1), until=_AT + timedelta(days=2))
    expect.equal("orders between two moments", ["SO-1"], found(between))
    expect.equal("orders with a tag", ["SO-1"], found(Query("order", tag="vip")))
    expect.equal("orders with part of a tag", [], found(Query("order", tag="vi")))
    expect.equal("an order by its number", ["SO-2"], found(Query("order", where=(("number", "N-SO-2"),))))
    expect.equal("an order by its channel's id", ["SO-0"], found(Query("order", where=(("external_id", "X-SO-0"),))))
    expect.equal("all of a status", 3, len(found(Query("order", status=("Placed", "Draft")))))
    expect.equal("none of another kind", [], found(Query("stock")))


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
    expect.equal("rows as last committed", {_A: _level(1, 5), _B: NOTHING}, dict(storage.read([_A, _B])))


def _insert_over(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)
    again = receipt("c-2", _A, NOTHING, 9)
    expect.raises("a new row where there is one", ConcurrencyConflict, lambda: store(storage, again))
    expect.equal("the row", _level(1, 5), _held(storage, _A))


def _command_twice(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A, 5)
    again = _joined(receipt("lost", _B, NOTHING), Batch((command("c-1", _B, 1),), (), ()))
    expect.raises("a remembered command id", ConcurrencyConflict, lambda: store(storage, again))
    _unchanged(storage, expect)


def _known(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    received(storage, "c-1", _A)
    with storage.unit() as unit:
        known = dict(unit.known_commands(["c-1", "c-2"]))
    expected = {"c-1": KnownCommand("print of c-1", command("c-1", _A, 1).ack)}
    expect.equal("what is remembered", expected, known)


def _journal(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for number in range(1, 4):
        received(storage, f"c-{number}", _A, number)
        received(storage, f"d-{number}", _B, number)
    history = list(storage.history(_A))
    expect.equal("versions", [1, 2, 3], [entry.version for entry in history])
    expect.equal("events", [GoodsReceived(n, document=f"c-{n}") for n in (1, 2, 3)], [entry.event for entry in history])
    last, by = history[-1], command("c-3", _A, 3)
    told = (by.ack.at, by.actor, by.ack.command_id, by.cause, by.occurred_at, by.workflow)
    seen = (last.at, last.actor, last.command_id, last.cause, last.occurred_at, last.workflow)
    expect.equal("what the entry says of its command", told, seen)


def _feed(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for number in range(5):
        received(storage, f"c-{number}", _A if number % 2 else _B)
    seen, after = [], 0
    while page := storage.entries(after, 2):
        expect.true("entries on a page, at most", len(page) <= 2)
        seen += [(entry.position > after, entry.command_id) for entry in page]
        after = page[-1].position
        if len(seen) > 5:
            break
    expect.equal("every entry once, in commit order", [(True, f"c-{number}") for number in range(5)], seen)


def _tenants(make: StorageMaker, expect: Expect) -> None:
    ours, theirs = make("main"), make("other")
    key = Key("other", _A.kind, _A.id)
    received(ours, "c-1", _A, 5)
    expect.equal("their row of the same id", NOTHING, _held(theirs, key))
    with theirs.unit() as unit:
        expect.equal("our command, recalled by them", {}, dict(unit.known_commands(["c-1"])))
    received(theirs, "c-1", key, 8)
    expect.equal("our row", _level(1, 5), _held(ours, _A))
    expect.equal("their listing", [StockLevel(8)], [row.state for row in theirs.find(Query("stock"))])
    expect.equal("their feed", [key], [entry.key for entry in theirs.entries(0, 100)])
    expect.equal("their sums", {(): (8,)}, dict(theirs.sums("stock", ["on_hand"])))
    expect.raises("a load of another tenant's key", InputError, lambda: _held(ours, key))
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
        held = unit.load(keys)
        unit.commit(_joined(*[receipt(f"c-{key.id}", key, held[key], 2) for key in keys]))
    with storage.unit() as unit:
        held = unit.load(keys)
        expect.equal("rows", {_level(1, 2)}, set(held.values()))
        unit.commit(_joined(*[receipt(f"d-{key.id}", key, held[key], 3) for key in keys]))
        expect.equal("commands", 600, len({entry.command_id for entry in storage.entries(0, 1000)}))
    expect.equal("the sum", {(): (1500,)}, dict(storage.sums("stock", ["on_hand"])))


def _find(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for number in range(7):
        received(
            storage, f"c-{number}", stock_key("main", f"S{number}", "TOKYO" if number % 2 else "OSAKA"), number + 1
        )
    skus, cursor = [], 0
    while rows := storage.find(Query("stock", cursor=cursor, limit=3)):
        skus += [row.key.id.partition("@")[0] for row in rows]
        cursor = rows[-1].cursor
        if len(skus) > 7:
            break
    expect.equal("all rows, in order of creation", [f"S{number}" for number in range(7)], skus)
    tokyo = storage.find(Query("stock", where=(("location", "TOKYO"),), status=("StockLevel",)))
    expect.equal("rows at one location", [2, 4, 6], [row.state.on_hand for row in tokyo])
    expect.equal(
        "text in an id, in either case", ["S5@TOKYO"], [r.key.id for r in storage.find(Query("stock", text="s5@t"))]
    )
    expect.equal("a wildcard is only a character", [], list(storage.find(Query("stock", text="%"))))
    expect.equal("another status", [], list(storage.find(Query("stock", status=("Gone",)))))


def _find_refuses(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for query in (
        Query("stock", where=(("no_such", 1),)),
        Query("stock", where=(("on_hand = 1 OR 1", 1),)),
        Query("stock", limit=0),
        Query("stock", limit=1001),
        Query("stock", tag="vip"),
    ):
        expect.raises(f"{query}", InputError, partial(storage.find, query))
    expect.raises("sums of a text", InputError, lambda: storage.sums("stock", ["sku"]))


def _sums(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for number, (sku, place) in enumerate((("A", "T"), ("A", "O"), ("B", "T"))):
        received(storage, f"c-{number}", stock_key("main", sku, place), 10**14 + number)
    expected = {("A",): (2 * 10**14 + 1, 0), ("B",): (10**14 + 2, 0)}
    expect.equal("sums by SKU", expected, dict(storage.sums("stock", ["on_hand", "allocated"], ["sku"])))


def _movements(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for number, key in enumerate((_A, _B, _A)):
        received(storage, f"c-{number}", key, 10 + number)
    expected = {("A-1", "TOKYO", "GoodsReceived"): 22, ("B-2", "大阪", "GoodsReceived"): 11}
    expect.equal("movements", expected, dict(storage.movements()))


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
    expect.equal("the row after the race", _level(total, total), _held(storage, _A))
    versions = [entry.version for entry in storage.history(_A)]
    expect.equal("its versions", list(range(1, total + 1)), versions)


STORAGE: Final[tuple[Clause[StorageMaker], ...]] = (
    Clause("STORAGE-ROW-01", "A committed row is there for every handle, with its version and state.", _round_trip),
    Clause("STORAGE-ROW-02", "Loading is repeatable within a unit, with more keys or the same.", _load_again),
    Clause("STORAGE-ROW-04", "A row says when its last event was recorded.", _changed_at),
    Clause("STORAGE-ROW-05", "Rows are read outside a unit as they were last committed.", _read_outside),
    Clause("STORAGE-ROW-06", "Rows of every kind of the workflow are kept.", _other_kinds),
    Clause("STORAGE-ROW-03", "A batch of hundreds of rows is stored like one of one row.", _many),
    Clause(
        "STORAGE-ATOMIC-01", "A batch with a conflict leaves nothing: no row, entry or command.", _conflict_is_atomic
    ),
    Clause(
        "STORAGE-ATOMIC-02", "Leaving a unit without a commit, by error or not, leaves nothing.", _leaving_rolls_back
    ),
    Clause("STORAGE-ATOMIC-03", "A unit commits once and is finished then.", _finished),
    Clause("STORAGE-VERSION-01", "A write on a version that is no longer the row's is a conflict.", _stale_write),
    Clause("STORAGE-VERSION-02", "A new row where one is stored is a conflict.", _insert_over),
    Clause("STORAGE-VERSION-04", "A row that is only read must be at the version it was read at.", _read_versions),
    Clause("STORAGE-VERSION-03", "Racing threads lose no update.", _race),
    Clause(
        "STORAGE-COMMAND-01", "A command id is stored once; a batch that repeats one leaves nothing.", _command_twice
    ),
    Clause(
        "STORAGE-COMMAND-02",
        "Known commands come with fingerprint and Ack, and no others do.",
        _known,
    ),
    Clause("STORAGE-JOURNAL-01", "A row's history has every event, in order, with its command's facts.", _journal),
    Clause("STORAGE-JOURNAL-02", "A reader of the feed sees every entry once, in commit order.", _feed),
    Clause(
        "STORAGE-JOURNAL-03", "A reader that follows the feed misses nothing that is being written.", _feed_under_way
    ),
    Clause("STORAGE-VAULT-01", "Personal data stands in its row only, never in the journal.", _vault),
    Clause("STORAGE-TENANT-01", "Tenants that share ids never see each other's rows, commands or entries.", _tenants),
    Clause("STORAGE-FIND-01", "A listing walks all matching rows in order of creation, page by page.", _find),
    Clause("STORAGE-FIND-05", "Rows are found by date, tag, number and status, of the kind asked only.", _find_dated),
    Clause("STORAGE-FIND-02", "A query on what is not there to be asked is refused, and bounded.", _find_refuses),
    Clause("STORAGE-FIND-03", "Sums are exact and grouped.", _sums),
    Clause("STORAGE-FIND-04", "Movements are summed for each SKU, location and kind of event.", _movements),
)
"""What every storage keeps, whether or not it carries messages."""
