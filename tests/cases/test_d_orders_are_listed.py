"""Law D for orders: each stands on the list of the gate it comes to, with what keeps it, or moves by itself."""

from __future__ import annotations

from datetime import timedelta

from goods_shop import ARRIVED, GO, NOON, GoodsShop, item

from orderflow import MemoryStorage, OrderFlow, standard_workflow
from orderflow.domain.billing.account import SetCreditLimit
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.money import Money
from orderflow.domain.orders.allocating import AllocateStock, ExpireAllocation
from orderflow.domain.orders.billing import BillUnits
from orderflow.domain.orders.content import AllocateAt, CompleteOn, Gate, Hold, HoldReason, PayBefore
from orderflow.domain.orders.holding import PlaceHold, ReleaseHold
from orderflow.domain.orders.placing import ConfirmOrder, DiscardDraft, OpenDraft
from orderflow.domain.returns import state as returns
from orderflow.domain.values import Pick
from orderflow.domain.workflow.attention import Standing, attention
from orderflow.flows.worklists import WORKLISTS
from orderflow.ports.storage import Storage


def listed(shop: GoodsShop, name: str) -> list[tuple[str, list[str]]]:
    """The orders on a list, and why."""
    tasks = [task for task in shop.worklist(name) if task.key.kind == "order"]
    return [(task.key.id, [str(reason) for reason in task.reasons]) for task in tasks]


def codes(shop: GoodsShop, order: str = "O") -> list[str]:
    """What an order waits for."""
    return [found.reason.code for found in shop.attention("order", order)]


def test_a_draft_is_listed_until_it_is_placed_or_discarded(storage: Storage) -> None:
    """Nothing else ends it."""
    shop = GoodsShop(storage)
    place, _ = shop.order(2)
    assert place.content is not None
    shop.tell("O", OpenDraft(place.content))
    assert listed(shop, "to_confirm") == [("O", ["draft: begun, and not placed"])]
    assert listed(shop, "can_advance") == []
    shop.tell("O", DiscardDraft())
    assert (listed(shop, "to_confirm"), shop.attention("order", "O")) == ([], ())


def test_what_can_advance_is_what_nothing_refuses(storage: Storage) -> None:
    """Also no other row: an order beyond its customer's limit is to be confirmed, and cannot advance."""
    shop = GoodsShop(storage).tell("ann", SetCreditLimit(Money(3_000, "EUR")))
    shop.tell("O", shop.order(1)[0]).tell("O2", shop.order(9)[0])
    assert listed(shop, "can_advance") == [("O", ["ready: ready for ConfirmOrder"])]
    assert [(row, [reason.split(":")[0] for reason in why]) for row, why in listed(shop, "to_confirm")] == [
        ("O", ["ready"]),
        ("O2", ["credit_exceeded"]),
    ]
    [one] = shop.worklist("can_advance")
    assert one.commands[0] == "ConfirmOrder"


def test_u21_a_crash_between_hand_over_and_advance(storage: Storage) -> None:
    """The order is on a list, and the next round takes it."""
    shop = GoodsShop(storage).allocated(2).sent("S", item(2)).tell("S", ARRIVED)
    assert listed(shop, "to_bill") == [("O", ["to_bill: 2 units may be billed"])]
    assert [row for row, _ in listed(shop, "can_advance")] == ["O"]
    shop.advance_all()
    assert (shop.status(), listed(shop, "can_advance"), listed(shop, "to_bill")) == ("Completed", [], [])


def test_each_step_of_an_order_is_said_by_its_list(storage: Storage) -> None:
    """To confirm, to be allocated, to prepare, in parcels, to complete."""
    shop = GoodsShop(storage)
    shop.tell("O", shop.order(2)[0])
    assert codes(shop) == ["ready"]
    shop.tell("O", ConfirmOrder())
    assert listed(shop, "awaiting_stock") == [("O", ["ready: ready for AllocateStock"])]
    shop.allocate("O")
    assert listed(shop, "to_prepare") == [("O", ["ready: ready for PlanShipment"])]
    shop.sent("S", item(2))
    [elsewhere, bill] = shop.attention("order", "O")
    assert (elsewhere.standing, str(elsewhere.reason)) == (
        Standing.ELSEWHERE,
        "in_parcels: 0 units in preparation, 2 on the way",
    )
    assert bill.worklist == "to_bill"
    shop.tell("O", BillUnits("I", "invoice")).tell("S", ARRIVED)
    assert listed(shop, "to_complete") == listed(shop, "can_advance") == [("O", ["ready: ready for CompleteOrder"])]


def test_a_hold_is_the_reason_on_the_list_of_its_gate(storage: Storage) -> None:
    """At every gate that an order comes to; at the ship gate its parcel says so."""
    shop = GoodsShop(storage)
    shop.tell("O", shop.order(2)[0])
    lists = {
        Gate.CONFIRM: "to_confirm",
        Gate.ALLOCATE: "awaiting_stock",
        Gate.PREPARE: "to_prepare",
        Gate.COMPLETE: "to_complete",
    }
    for gate, name in lists.items():
        shop.tell("O", PlaceHold(Hold(HoldReason.FRAUD, gate)))
        shop.advance("O")
        if gate is Gate.COMPLETE:
            shop.relay()
            shop.tell("O/1", GO, ARRIVED)
            shop.advance("O")
        assert listed(shop, name) == [("O", [f"on_hold: held at {gate.value}: fraud"])]
        assert [row for row, _ in listed(shop, "can_advance")] == []
        shop.tell("O", ReleaseHold(HoldReason.FRAUD, gate))
    shop.advance("O")
    assert shop.status() == "Completed"


def test_a_hold_on_one_line_keeps_that_line(storage: Storage) -> None:
    """The other goes ahead; the order stands on the list all the same."""
    shop = GoodsShop(storage)
    shop.tell("O", *shop.order(1, 1), PlaceHold(Hold(HoldReason.STOCK, Gate.ALLOCATE, line=2)))
    assert listed(shop, "awaiting_stock") == [("O", ["on_hold: held at allocate: stock"])]


def test_who_waits_is_told_where(storage: Storage) -> None:
    """By location."""
    shop = GoodsShop(storage).allocated(10, order="O2")
    shop.tell("O", *shop.order(3), AllocateStock(backorder=(Pick(1, "main", 1), Pick(1, "shop", 2))))
    assert listed(shop, "awaiting_stock") == [
        ("O", ["backordered: 1 units wait at main", "backordered: 2 units wait at shop"])
    ]


def test_goods_that_only_held_orders_wait_for(storage: Storage) -> None:
    """They are there, and all who wait are held: the row is listed."""
    shop = GoodsShop(storage).allocated(10, order="O2").allocated(2)
    shop.tell("O", PlaceHold(Hold(HoldReason.MANUAL, Gate.ALLOCATE))).tell("TEA@main", ReceiveGoods(2))
    shop.relay()
    [task] = [task for task in shop.worklist("awaiting_stock") if task.key.kind == "stock"]
    assert (task.key.id, [reason.code for reason in task.reasons]) == ("TEA@main", ["not_served"])
    shop.tell("O", ReleaseHold(HoldReason.MANUAL, Gate.ALLOCATE))
    shop.relay()
    assert [task for task in shop.worklist("awaiting_stock") if task.key.kind == "stock"] == []


def test_promises_are_due_and_then_listed(storage: Storage) -> None:
    """Before confirmation and after; once one has ended unused and it could still not be prepared, it says so."""
    shop = GoodsShop(storage)
    until = NOON + timedelta(hours=1)
    shop.tell("O", shop.order(2, allocate_at=AllocateAt.PLACED, pay_before=PayBefore.PREPARE)[0])
    shop.tell("O", AllocateStock((Pick(1, "main", 2),), until=until))
    [_, due] = shop.attention("order", "O")
    assert (due.standing, due.worklist, due.due) == (Standing.DUE, "to_confirm", until)
    shop.tell("O", ConfirmOrder())
    assert [(a.standing, a.worklist) for a in shop.attention("order", "O")] == [
        (Standing.DUE, "to_prepare"),
        (Standing.LISTED, "unpaid"),
    ]
    shop.time.advance(timedelta(hours=1))
    assert [why for _, why in listed(shop, "to_prepare")] == [
        [f"promised: stock is promised until {until.isoformat()}"]
    ]
    shop.tell("O", ExpireAllocation())
    assert [why for _, why in listed(shop, "awaiting_stock")] == [
        ["promise_ended: a promise of stock ended, and what it waits for is missing"]
    ]


def test_what_is_to_be_paid_before_it_is_completed(storage: Storage) -> None:
    """It stands on unpaid, not among those that can advance."""
    shop = GoodsShop(storage).allocated(2, complete_on=CompleteOn.PAID).sent("S", item(2)).tell("S", ARRIVED)
    shop.tell("O", BillUnits("I", "invoice"))
    assert (codes(shop), listed(shop, "can_advance")) == (["unpaid"], [])


def test_every_list_can_be_asked_for_with_nothing_there(storage: Storage) -> None:
    """A shop without rows has nothing on any list; the screen shows all of them."""
    shop = GoodsShop(storage)
    assert [name for name in WORKLISTS if shop.worklist(name)] == []
    assert {"on_the_way", "to_resolve", "to_complete", "can_advance", "contradictions"} <= set(WORKLISTS)


def test_a_workflow_without_a_kind_has_nothing_of_it_on_a_list() -> None:
    """A host that takes only some machines may ask for every list."""
    shop = OrderFlow(MemoryStorage(), workflow=standard_workflow().only("order", "stock"))
    assert [name for name in WORKLISTS if shop.worklist(name)] == []


def test_a_return_without_a_day_is_never_due() -> None:
    """One that was authorised always has one."""
    wish = returns.ReturnWish("O", ())
    assert attention(returns.Authorised(wish, returns.Goods(), returns.Handling()), NOON) == ()
