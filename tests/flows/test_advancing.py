"""Orders go on by themselves, one or all of them, each in one commit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from tea_shop import ARRIVE, BY_HAND, GO, VAT, Counted, Shop, content

from orderflow.adapters.storage.memory import MemoryStorage, MemoryUnit
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.engine.decide import Loaded
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.planner import Supply, one_location_first
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.price import Price
from orderflow.domain.orders.content import Gate, Hold, HoldReason, OrderLine
from orderflow.domain.orders.holding import PlaceHold
from orderflow.domain.orders.placing import OpenDraft, PlaceOrder
from orderflow.errors import ConcurrencyConflict, InputError, Key, NotFound, StorageError
from orderflow.flows.advance import Advanced, ShopSettings, advance
from orderflow.flows.allocate import AllocationSettings
from orderflow.ports.storage import Batch


def test_advancing_stops_at_what_needs_hands() -> None:
    """Advance says where it stopped and why; a draft and a completed order have no step to take."""
    shop = Shop().placed(1).tell("O", PlaceHold(Hold(HoldReason.FRAUD, Gate.CONFIRM)))
    stopped = shop.advance("O")
    assert (stopped.state, stopped.acks, [refusal.code for refusal in stopped.refusals]) == ("Placed", (), ["on_hold"])
    shop.tell("D", OpenDraft(content(1)))
    assert shop.advance("D").refusals == ()
    assert shop.plan_shipments("O") == []


def test_an_order_that_is_not_there_is_not_advanced() -> None:
    """Advancing an order that nobody placed is NotFound."""
    with pytest.raises(NotFound, match="no order 'X'"):
        Shop().advance("X")


def test_advancing_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order goes a bounded number of steps in one call."""
    shop = Shop().stocked(main=1).placed(1)
    monkeypatch.setattr("orderflow.flows.advance.STEP_LIMIT", 1)
    assert len(shop.advance("O").acks) == 1
    assert shop.state == "Confirmed"


def test_settings_that_would_make_bad_commands_make_no_shop() -> None:
    """Settings are checked when the shop is made, not when an order fails by them."""
    with pytest.raises(InputError, match=r"settings\.series"):
        Shop(ShopSettings(AllocationSettings(), BY_HAND, series=""))
    with pytest.raises(InputError, match=r"settings\.allocation\.locations"):
        Shop(ShopSettings(AllocationSettings(()), BY_HAND))


def test_what_is_there_goes_ahead_where_nothing_waits() -> None:
    """A shop without back-orders: two of three units are packed, the third stays open, and the rest is on a list."""
    shop = Shop(ShopSettings(AllocationSettings(backorder=False), BY_HAND)).stocked(main=2).placed(3)
    assert shop.advance("O").state == "Preparing"
    assert (shop.progress().lines[0].preparing_quantity, shop.progress().lines[0].open) == (2, 1)
    assert [task.key.id for task in shop.worklist("awaiting_stock")] == ["O"]


def commands_of(batch: Batch) -> list[str]:
    """The commands of a batch by name, in their order."""
    return [record.command for record in batch.commands]


def test_all_steps_are_one_commit() -> None:
    """Confirmed, allocated at two places, planned and packed: six commands in one batch; then billed and completed."""
    storage = Counted()
    shop = Shop(storage=storage).stocked(main=1, shop=1).placed(2)
    storage.batches.clear()
    assert len(shop.advance("O").acks) == 6
    parcel = ["PlanShipment", "PackShipment"]
    assert [*map(commands_of, storage.batches)] == [["ConfirmOrder", "AllocateStock", *parcel, *parcel]]
    shop.tell("O/1", GO, ARRIVE).tell("O/2", GO, ARRIVE)
    storage.batches.clear()
    assert shop.advance("O").state == "Completed"
    assert [*map(commands_of, storage.batches)] == [["BillUnits", "CompleteOrder"]]


def test_all_rows_are_locked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the steps may touch is loaded together, in lock order, so that two workers never deadlock."""
    shop, loads, load = Shop().stocked(main=1, shop=1).placed(2), list[list[Key]](), MemoryUnit.load

    def noted(unit: MemoryUnit, keys: Collection[Key]) -> Mapping[Key, Loaded]:
        loads.append([*keys])
        return load(unit, keys)

    monkeypatch.setattr(MemoryUnit, "load", noted)
    shop.advance("O")
    _looked, rows = loads
    assert rows == sorted(rows, key=shop.workflow.lock_order)
    assert [key.id for key in rows if key.kind == "shipment"] == ["O/1", "O/2"]
    shop.tell("O/1", GO, ARRIVE).tell("O/2", GO, ARRIVE)
    loads.clear()
    assert shop.advance("O").state == "Completed"
    assert len(loads) == 2


@pytest.mark.parametrize(
    "gate, state, taken",
    [(Gate.CONFIRM, "Placed", 0), (Gate.ALLOCATE, "Confirmed", 1), (Gate.PREPARE, "Allocated", 2)],
)
def test_the_first_refusal_ends_it_and_earlier_steps_stand(gate: Gate, state: str, taken: int) -> None:
    """What comes before the hold is stored in one commit, or in none where nothing does; the refusal is told."""
    storage = Counted()
    shop = Shop(storage=storage).stocked(main=1).placed(1).tell("O", PlaceHold(Hold(HoldReason.MANUAL, gate)))
    storage.batches.clear()
    stopped = shop.advance("O")
    assert (stopped.state, len(stopped.acks)) == (state, taken)
    assert stopped.refusals[0].code == "on_hold"
    assert shop.state == state
    assert [len(batch.commands) for batch in storage.batches] == [taken][: bool(taken)]


def test_a_conflict_takes_all_steps_again_on_fresh_rows() -> None:
    """Somebody was faster: nothing of the first attempt is left, and nothing is done twice."""
    storage = Counted()
    shop = Shop(storage=storage).stocked(main=1).placed(1)
    rejected = iter([ConcurrencyConflict(None)])
    storage.rejects = lambda batch: next(rejected, None)
    assert shop.advance("O").state == "Preparing"
    assert shop.stock.level("TEA") == StockLevel(1, allocated=1)
    assert len([*shop.orders.history("O")]) == 4


def test_what_comes_in_later_goes_in_a_parcel_of_its_own() -> None:
    """An order that leaves in parts has a shipment and an invoice for each part, numbered on."""
    shop = Shop().stocked(main=1).placed(2)
    shop.advance("O")
    shop.tell("O/1", GO).advance("O")
    assert (shop.state, shop.lines[0].backordered_quantity) == ("PartlyShipped", 1)
    shop.stocked(main=1).advance("O")
    shop.tell("O/2", GO, ARRIVE).tell("O/1", ARRIVE)
    assert shop.advance("O").state == "Completed"
    assert [bill.invoice for bill in shop.progress().bills] == ["O/1", "O/2"]


# -- all of them


def many(shop: Shop, *names: str, **changes: Any) -> Shop:
    """With an order of one unit under each name, placed."""
    for name in names:
        shop.tell(name, PlaceOrder(content(1, **changes)))
    return shop


def test_all_that_can_go_on_do() -> None:
    """Each order in a commit of its own; what waits for hands, is held, is done or is a draft is not in the answer."""
    storage = Counted()
    shop = many(Shop(storage=storage).stocked(main=9), "held", "A", "B", "done")
    shop.tell("held", PlaceHold(Hold(HoldReason.MANUAL, Gate.CONFIRM))).tell("draft", OpenDraft(content(1)))
    shop.advance("done")
    shop.tell("done/1", GO, ARRIVE).advance("done")
    storage.batches.clear()
    moved = shop.advance_all(by="clerk")
    assert [(name, end.state) for name, end in moved.items() if isinstance(end, Advanced)] == [
        ("A", "Preparing"),
        ("B", "Preparing"),
    ]
    assert [{record.actor for record in batch.commands} for batch in storage.batches] == [{"clerk"}, {"clerk"}]
    assert shop.advance_all() == {}


def test_at_most_so_many_go_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest first; those that cannot go on do not count, and are not in the way, however many they are."""
    monkeypatch.setattr("orderflow.shop.PAGE", 2)
    shop = many(Shop().stocked(main=9), "H1", "H2", "H3", "A", "B", "C")
    for name in ("H1", "H2", "H3"):
        shop.tell(name, PlaceHold(Hold(HoldReason.MANUAL, Gate.CONFIRM)))
    assert [*shop.advance_all(2)] == ["A", "B"]
    assert [*shop.advance_all(2)] == ["C"]


def only_tea(supply: Supply) -> dict[str, tuple[str, ...]]:
    """A strategy that knows of one article."""
    if "TEA" not in supply.needs:
        raise InputError.at("sku", "unknown_sku", "is no tea")
    return one_location_first(supply)


def test_an_order_that_cannot_be_decided_hurts_no_other() -> None:
    """The error is that order's answer, which stays as it was; the others go on."""
    shop = Shop(ShopSettings(AllocationSettings(strategy=only_tea), BY_HAND)).stocked(main=9)
    shop.tell("CUP@main", ReceiveGoods(1))
    cup = OrderLine.of(1, "CUP", 1, Price.of("1.00", "EUR"), VAT)
    many(many(many(shop, "A"), "poisoned", lines=(cup,)), "B")
    moved = shop.advance_all()
    assert isinstance(moved["poisoned"], InputError)
    ends = [type(shop.orders.get(name)).__name__ for name in ("A", "poisoned", "B")]
    assert ends == ["Preparing", "Placed", "Preparing"]


@pytest.mark.parametrize("error", [ConcurrencyConflict(None), StorageError("too large", retry=False)])
def test_an_order_that_cannot_be_stored_hurts_no_other(error: Exception) -> None:
    """What the storage takes of no attempt is that order's answer."""
    storage = Counted()
    shop = many(Shop(storage=storage).stocked(main=9), "A", "poisoned", "B")
    storage.rejects = lambda batch: error if "poisoned" in {write.key.id for write in batch.writes} else None
    moved = shop.advance_all()
    assert type(moved.pop("poisoned")) is type(error)
    assert [*moved] == ["A", "B"]


def test_a_storage_that_is_down_ends_the_round() -> None:
    """An error that concerns every order is raised, not put down to each of them."""
    storage = Counted()
    shop = many(Shop(storage=storage).stocked(main=9), "A", "B")
    storage.rejects = lambda batch: StorageError("busy")
    with pytest.raises(StorageError, match="busy"):
        shop.advance_all()


def test_workers_share_the_orders(storage: MemoryStorage | SqliteStorage) -> None:
    """Three that advance all orders at once: each order is taken on once, and no unit is promised twice."""
    shop = Shop(storage=storage)
    names = [f"o-{number}" for number in range(12)]
    many(shop.stocked(main=8), *names)
    ready = Barrier(3)

    def work(_: int) -> list[str]:
        ready.wait()
        return [*shop.advance_all()]

    with ThreadPoolExecutor(3) as pool:
        moved = [name for found in pool.map(work, range(3)) for name in found]
    assert sorted(moved) == sorted(names)
    assert shop.stock.level("TEA") == StockLevel(8, allocated=8, backordered=4)


def test_what_cannot_be_a_command_ends_advancing() -> None:
    """Settings that nobody has checked make a malformed command: it is bad input, with the field's name."""
    shop = Shop().stocked(main=1).placed(1)
    settings = ShopSettings(AllocationSettings(skip_queue="yes"))  # type: ignore[arg-type]
    key = shop.key("order", "O")
    with pytest.raises(InputError, match="skip_queue"):
        shop.run(lambda: advance(shop.workflow, key, "me", settings))
