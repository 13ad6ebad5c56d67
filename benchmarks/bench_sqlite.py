"""Orders on an SQLite file, each command durable: the library against two floors, and its statements counted.

``_by_hand`` is SQL for the library's own tables, ``_lean_floor`` the least that an order costs whatever the tables.
"""

from __future__ import annotations

import itertools
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from _by_hand import ByHand
from _lean_floor import GROUP, LeanFloor
from _measure import Costs, Goal, Work, compare, interleaved, judge, micro, print_head, rate
from _sample import BUYER, LOCATION, SKUS, content_of, picks_of

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.safety import Mode, commit_cost_microseconds
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.engine.decide import Envelope
from orderflow.domain.engine.record import Command
from orderflow.domain.engine.schema import check
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.orders.shipping import DispatchShipment, PrepareShipment
from orderflow.domain.parties.party import Person
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.workflow.table import standard_workflow
from orderflow.flows.advance import ShopSettings
from orderflow.flows.handle import handle_many
from orderflow.flows.prepare import ShippingSettings
from orderflow.ports.storage import Ack
from orderflow.shop import OrderFlow, Request

#: Least rate as a multiple of the hand-written floor's, by journal mode: one command a commit, and twenty.
GOALS: Final = {"delete": (0.7, 2.5), "wal": (0.45, 1.5)}
#: In WAL mode, as the lean floor is: least rates as multiples of its five commits an order.
LEAN_GOALS: Final = (
    Goal("five commands, one a commit (aim 0.5)", "one", "lean", least=0.4),
    Goal(f"five commands, {GROUP} orders a commit (aim 1.3)", "group", "lean", least=1.0),
    Goal("received to completed, one command a commit", "whole", "lean", least=0.2),
    Goal(f"the floor itself, {GROUP} orders a commit", "lean group", "lean", least=0),
    Goal("the hand-written floor", "floor", "lean", least=0),
)
MOST_COMMITS, MOST_STATEMENTS = 9, 75
#: Microseconds of a commit beyond which both sides mostly wait.
SLOW_DISK: Final = 400
#: The modelled disk: on a quiet virtual disk with a cheap flush, both floors agree with this for each page.
MEMORY: Final = Path("/dev/shm")
PAGE_SECONDS: Final = 25e-6
#: A page and its header in a write-ahead log, https://www.sqlite.org/fileformat2.html#walformat.
LOGGED_PAGE: Final = 4096 + 24


def life_of(number: int) -> Sequence[tuple[str, Any]]:
    """The five commands that take an order from placed to dispatched."""
    order, content = f"o-{number:08}", content_of(number, 3)
    picks = picks_of(content)
    return (
        (order, PlaceOrder(content)),
        (order, ConfirmOrder()),
        (order, AllocateStock(picks)),
        (order, PrepareShipment(f"{order}/1", picks)),
        (order, DispatchShipment(f"{order}/1", picks)),
    )


def carry_out(shop: OrderFlow, sent: Sequence[tuple[str, Any]]) -> None:
    """Commands in one commit. Where shipments are left out, nobody but their sender can tell an order what they do."""
    if isinstance(sent[0][1], Command):
        results = shop.handle_many([Request(order, command) for order, command in sent])
    else:
        results = shop.run(lambda: handle_many(shop.workflow, [*_told(shop, sent)], trusted=True))
    assert all(isinstance(result, Ack) for result in results)


def _told(shop: OrderFlow, sent: Sequence[tuple[str, Any]]) -> Iterator[Envelope]:
    for order, command in sent:
        check(command)
        stamp = Stamp(datetime.now(UTC), "bench", f"{order}/{type(command).__name__}")
        yield Envelope(shop.key("order", order), command, stamp)


def one_by_one(shop: OrderFlow) -> Work:
    """One order, its five commands in five commits."""
    numbers = itertools.count()

    def work() -> int:
        for sent in life_of(next(numbers)):
            carry_out(shop, [sent])
        return 1

    return work


def in_groups(shop: OrderFlow) -> Work:
    """Twenty orders, each step of all of them in one commit."""
    numbers = itertools.count()

    def work() -> int:
        lives = [life_of(number) for number in itertools.islice(numbers, GROUP)]
        for step in zip(*lives, strict=True):
            carry_out(shop, step)
        return GROUP

    return work


def whole(shop: OrderFlow) -> Work:
    """One order from received to completed: shipment, label, invoice and three notices."""
    numbers = itertools.count()

    def work() -> int:
        order = f"o-{next(numbers):08}"
        shop.receive(order, content_of(int(order[2:]), 3))
        shop.advance(order)
        shop.relay()
        shop.handle(f"{order}/1", HandOver())
        shop.handle(f"{order}/1", RecordDelivered("delivered"))
        end = shop.advance(order)
        assert end.state == "Completed", end
        shop.relay()
        return 1

    return work


def by_hand(path: Path, storage: SqliteStorage, *, exclusive: bool) -> Work:
    """The floor in the same journal mode."""
    floor, numbers = ByHand(path, storage.mode, exclusive=exclusive), itertools.count()

    def work() -> int:
        floor.live(next(numbers))
        return 1

    return work


def shop_on(path: Path, workflow: Workflow, *, exclusive: bool) -> OrderFlow:
    """A shop with stock of every SKU on a fresh file."""
    storage = SqliteStorage(path, workflow.machines.values(), exclusive=exclusive)
    settings = ShopSettings(shipping=ShippingSettings(carrier="memory"))
    shop = OrderFlow(
        storage, workflow=workflow, carriers=[MemoryCarrier()], notifier=MemoryNotifier(), settings=settings
    )
    shop.handle_many([Request(f"SKU-{sku:04}@{LOCATION}", ReceiveGoods(900_000_000)) for sku in range(SKUS)])
    return shop


def contenders(folder: Path, *, exclusive: bool) -> tuple[dict[str, Work], Mode]:
    """Everything that is compared, each on a fresh file of its name, and the mode the library writes its own in."""
    small, full = standard_workflow().only("order", "stock"), standard_workflow()
    one, group = (shop_on(folder / name, small, exclusive=exclusive) for name in ("one", "group"))
    life = shop_on(folder / "whole", full, exclusive=exclusive)
    life.record_party(BUYER.id, Person(name="Ann", email="ann@example.org"))
    assert isinstance(one.storage, SqliteStorage)
    works = {
        "lean": LeanFloor(folder / "lean").one,
        "lean group": LeanFloor(folder / "lean group").group,
        "floor": by_hand(folder / "floor", one.storage, exclusive=exclusive),
        "one": one_by_one(one),
        "group": in_groups(group),
        "whole": whole(life),
    }
    return works, one.storage.mode


def measure(folder: Path, *, exclusive: bool) -> bool:
    """One journal mode; whether its goals are met."""
    works, mode = contenders(folder, exclusive=exclusive)
    cost = commit_cost_microseconds(folder, mode, exclusive=exclusive)
    measured = interleaved(works, seconds=0.5, rounds=15)
    print_head(f"journal {mode.journal_mode}, synchronous {mode.synchronous}, orders a second", "wall time")
    print(f"a commit of one row takes {cost} us on this disk now: the slower, the nearer the first ratio comes to 1")
    if cost > SLOW_DISK:
        print("too slow to tell much: the modelled disk below tells more")
    single, grouped = GOALS[mode.journal_mode]
    goals = (
        Goal("five commands, one a commit", "one", "floor", least=single),
        Goal(f"five commands, {GROUP} orders a commit", "group", "floor", least=grouped),
        Goal("received to completed, one command a commit", "whole", "floor", least=0),
    )
    met = [compare(goal, measured.wall, rate) for goal in goals]
    if mode.journal_mode == "wal":
        print_head("the same against the lean floor, five commits an order", "wall time")
        met += [compare(goal, measured.wall, rate) for goal in LEAN_GOALS]
    print_head("the same, what an order costs", "processor time")
    for name, contender, _, _, _ in goals:
        compare(Goal(name, contender, "floor"), measured.processor, micro)
    return all(met)


def modelled() -> bool:
    """The goals against the lean floor where a disk takes the same for every page, whatever else it has to do.

    Files in memory give the processor's time, their logs the pages that are written.
    """
    if not MEMORY.exists():
        print(f"\nthere is no {MEMORY}: no modelled disk")
        return True
    with tempfile.TemporaryDirectory(prefix="orderflow-bench-", dir=MEMORY) as place:
        works, _ = contenders(Path(place), exclusive=True)
        costs = modelled_costs(works, Path(place))
    met = [compare(goal, costs, rate) for goal in LEAN_GOALS]
    return all(met)


def modelled_costs(works: Mapping[str, Work], folder: Path) -> Costs:
    """What an order costs each of them; prints of what, under a head for what follows."""
    pages = {name: pages_of(work, folder / f"{name}-wal") for name, work in works.items()}
    processor = interleaved(works, seconds=0.3, rounds=9).processor
    print_head("the same on a modelled disk", f"processor time, and {PAGE_SECONDS * 1e6:.0f} us a page")
    print("pages an order:", ", ".join(f"{name} {count:.0f}" for name, count in pages.items()))
    print("processor time:", ", ".join(f"{name} {micro(statistics.median(processor[name]))}" for name in works))
    return {name: [cost + pages[name] * PAGE_SECONDS for cost in found] for name, found in processor.items()}


def pages_of(work: Work, log: Path) -> float:
    """Pages written for an order, where the log does not begin anew meanwhile."""
    before = log.stat().st_size
    done = some(work)
    return (log.stat().st_size - before) / LOGGED_PAGE / done


def some(work: Work) -> int:
    """Work a group of orders."""
    done = 0
    while done < GROUP:
        done += work()
    return done


def counted(path: Path) -> bool:
    """Lives in calls of the facade, counted: commits, and statements of any sort; whether they are few enough."""
    shop = shop_on(path, standard_workflow(), exclusive=False)
    shop.record_party(BUYER.id, Person(name="Ann", email="ann@example.org"))
    verbs: list[str] = []
    assert isinstance(shop.storage, SqliteStorage)
    connection = shop.storage._sessions.session().connection  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    connection.set_trace_callback(lambda text: verbs.append(text.split()[0]))
    print_head("an order by the facade on a file, one line", "counted")
    met = [_few(f"{step}:", verbs, gate=step in {"README, shipped", "completed"}) for step in _steps(shop)]
    return all(met)


def _steps(shop: OrderFlow) -> Iterator[str]:
    """The README's order call by call, then on to its completion; the name of what was reached."""
    order = "o-1"
    shop.receive(order, content_of(1, 1))
    yield "received"
    shop.advance(order)
    yield "advanced"
    shop.relay()
    yield "relayed"
    shop.handle(f"{order}/1", HandOver())
    yield "handed over"
    assert shop.advance(order).state == "Shipped"
    yield "README, shipped"
    shop.handle(f"{order}/1", RecordDelivered("delivered"))
    yield "delivered"
    assert shop.advance(order).state == "Completed"
    shop.relay()
    yield "completed"


def _few(name: str, verbs: Sequence[str], *, gate: bool) -> bool:
    """Print the counts so far; where there is a bound, whether they keep it."""
    commits = judge(f"{name} commits so far", _commits(verbs), most=MOST_COMMITS if gate else None)
    return judge(f"{name} statements so far", len(verbs), most=MOST_STATEMENTS if gate else None) and commits


def _commits(verbs: Sequence[str]) -> int:
    """Transactions that were committed, and statements outside any that write."""
    count, inside = 0, False
    for verb in verbs:
        inside = verb == "BEGIN" or (inside and verb not in {"COMMIT", "ROLLBACK"})
        count += verb == "COMMIT" or (not inside and verb in {"INSERT", "UPDATE", "DELETE"})
    return count


def main() -> int:
    """Measure both modes and print; 1 when a goal is missed."""
    print(f"SQLite {sqlite3.sqlite_version}, three lines an order")
    met: list[bool] = []
    for exclusive in (False, True):
        with tempfile.TemporaryDirectory(prefix="orderflow-bench-") as place:
            met.append(measure(Path(place), exclusive=exclusive))
    met.append(modelled())
    with tempfile.TemporaryDirectory(prefix="orderflow-bench-") as place:
        met.append(counted(Path(place) / "counted.db"))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
