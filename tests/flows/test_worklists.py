"""What waits for whom, and why; what would be refused."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tea_shop import ANN, CANCEL, GO, PACK, Shop, content, item, pick, plan

from orderflow.domain.billing.account import SetCreditLimit
from orderflow.domain.engine.record import Command
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.money import Money
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.billing import BillUnits
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, Gate, Hold, HoldReason
from orderflow.domain.orders.holding import PlaceHold, ReleaseHold
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.orders.shipping import DispatchShipment
from orderflow.domain.parties.customer import BlockCustomer, RegisterCustomer, UnblockCustomer
from orderflow.domain.shipping.planning import DropItems, VoidShipment
from orderflow.domain.shipping.state import Item
from orderflow.domain.values import DeliveryWish, LineQuantity
from orderflow.errors import InputError, NotFound


class Unheard(Command):
    """A command that no machine takes."""


def test_what_cannot_be_asked_is_bad_input() -> None:
    """A command of no machine, a reaction's own command, a bad id or an unknown list is an InputError."""
    shop = Shop().placed(1)
    with pytest.raises(InputError, match="no machine takes Unheard"):
        shop.handle("O", Unheard())
    with pytest.raises(InputError, match="DispatchShipment may only be sent by the library"):
        shop.handle("O", DispatchShipment("S", pick(1)))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="control"):
        shop.handle("O\n", ConfirmOrder())
    with pytest.raises(InputError, match="must be one of"):
        shop.worklist("nothing")
    with pytest.raises(NotFound):
        shop.orders.get("N")
    assert shop.balance("nobody", "EUR") == 0


def test_worklists_name_what_waits_and_why() -> None:
    """Each list shows its rows, with the reasons that hold them back."""
    shop = Shop().stocked(main=1).placed(1)
    shop.tell("O", PlaceHold(Hold(HoldReason.FRAUD, Gate.CONFIRM)))
    [task] = shop.worklist("to_confirm")
    assert [reason.code for reason in task.reasons] == ["on_hold"]
    shop.tell("O", ReleaseHold(HoldReason.FRAUD, Gate.CONFIRM), ConfirmOrder())
    shop.allocate("O")
    assert [task.key.id for task in shop.worklist("to_prepare")] == ["O"]
    shop.tell("S", plan(item(1)), PACK)
    [task] = shop.worklist("to_ship")
    assert (task.key.id, [reason.code for reason in task.reasons], task.commands[0]) == ("S", ["ready"], "HandOver")
    shop.tell("S", GO).tell("O", BillUnits("I", "inv"))
    assert shop.worklist("invoices_due") == []
    shop.time.advance(timedelta(days=1))
    assert [task.key.id for task in shop.worklist("invoices_due")] == ["I"]
    assert [row.key.id for row in shop.orders.find()] == ["O"]
    assert [entry.version for entry in shop.orders.history("O")][:2] == [1, 2]


def test_a_parcel_says_on_which_day_it_is_wanted() -> None:
    """Of each of its orders that wished for one, so that nobody hands it over too early."""
    shop = Shop().stocked(main=2)
    wishes = {"O": DeliveryWish(date(2026, 4, 9), "pm"), "P": DeliveryWish(date(2026, 4, 11)), "Q": None}
    shop.stocked(main=1)
    for order, wish in wishes.items():
        shop.tell(order, PlaceOrder(content(1, requested=wish)), ConfirmOrder())
    shop.allocate(*wishes)
    shop.tell("S", plan(*[Item(order, 1, "main", 1) for order in wishes]), PACK)
    [task] = shop.worklist("to_ship")
    assert [reason.message for reason in task.reasons] == [
        "ready for HandOver",
        "O is wished for 2026-04-09 pm",
        "P is wished for 2026-04-11",
    ]
    assert task.commands[0] == "HandOver"


def test_what_helps_is_what_removes_the_refusal() -> None:
    """First the command against the reason; the one that is refused now is not named."""
    shop = Shop().stocked(main=2).tell("ann", RegisterCustomer(ANN), BlockCustomer("bad payer")).placed(1)
    [blocked] = shop.worklist("to_confirm")
    assert (blocked.reasons[0].code, blocked.commands) == (
        "customer_blocked",
        ("UnblockCustomer", "UnblockAccount", "ReleaseHold", "CancelUnits"),
    )
    shop.tell("ann", UnblockCustomer(), SetCreditLimit(Money(1, "EUR")))
    assert shop.worklist("to_confirm")[0].commands[0] == "SetCreditLimit"
    shop.tell("ann", SetCreditLimit(None)).tell("O", ConfirmOrder())
    shop.allocate("O")
    shop.tell("S", plan(item(1)), PACK).tell("O", PlaceHold(Hold(HoldReason.MANUAL, Gate.SHIP)))
    assert shop.worklist("to_ship")[0].commands == ("ReleaseHold", "DropItems", "VoidShipment")
    shop.tell("O", CANCEL)
    [task] = shop.worklist("to_ship")
    assert [str(reason) for reason in task.reasons] == ["order_over: its order is Cancelled"]
    assert task.commands == ("VoidShipment", "DropItems")
    shop.tell("S", VoidShipment())
    assert shop.worklist("to_ship") == []


def test_a_cancelled_unit_is_taken_out_by_hand() -> None:
    """Of two units packed one is cancelled: the parcel cannot be handed over until somebody has taken it out."""
    shop = Shop().stocked(main=2).confirmed(2)
    shop.allocate("O")
    shop.tell("S", plan(item(2)), PACK)
    shop.tell("O", CancelUnits("not wanted", CancelledBy.CUSTOMER, (LineQuantity(1, 1),))).settle()
    (waiting,) = shop.worklist("to_ship")
    assert [reason.code for reason in waiting.reasons] == ["not_preparing"]
    shop.tell("S", DropItems((item(1),)))
    assert (shop.lines[0].preparing_quantity, shop.stock.level("TEA").allocated) == (1, 1)
    [task] = shop.worklist("to_ship")
    assert [reason.code for reason in task.reasons] == ["ready"]
    shop.tell("S", GO)


def test_what_is_on_its_way_in_part_still_waits_for_stock() -> None:
    """Orders with units on back-order wait for stock, whatever their other units do; others of that state do not."""
    shop = Shop().stocked(main=1).confirmed(2)
    shop.allocate("O")
    shop.tell("S", plan(item(1)))
    assert shop.state == "Preparing"
    assert [task.key.id for task in shop.worklist("awaiting_stock")] == ["O"]
    shop.tell("S", PACK, GO)
    for number in range(3):
        shop.tell("TEA@main", ReceiveGoods(1)).tell(f"A{number}", PlaceOrder(content(1)), ConfirmOrder())
        shop.tell(f"A{number}", AllocateStock(pick(1), skip_queue=True))
        shop.tell(f"SA{number}", plan(Item(f"A{number}", 1, "main", 1)))
    shop.tell("Z", PlaceOrder(content(1)), ConfirmOrder())
    [first] = shop.worklist("awaiting_stock", limit=1)
    assert (first.key.id, [str(refusal) for refusal in first.reasons]) == ("O", ["backordered: 1 units wait at main"])
    assert [task.key.id for task in shop.worklist("awaiting_stock", cursor=first.cursor, limit=1)] == ["Z"]
    shop.tell("Y", PlaceOrder(content(1)), ConfirmOrder())
    assert [task.key.id for task in shop.worklist("awaiting_stock", limit=2)] == ["O", "Z"]


def test_unknown_kinds_and_states_are_refused() -> None:
    """A misspelt kind or state is told, not answered with nothing."""
    shop = Shop()
    with pytest.raises(InputError, match="must be one of customer, "):
        shop.rows("ordr")
    with pytest.raises(InputError, match="Shiped"):
        shop.orders.find(status=("Placed", "Shiped"))


# -- explaining


def test_explaining_goes_on_to_the_rows_that_would_be_told() -> None:
    """A parcel of two held orders: handing over is refused by the first, explaining names the holds of both."""
    shop = Shop().stocked(main=2).confirmed(1).tell("P", PlaceOrder(content(1)), ConfirmOrder())
    shop.allocate("O", "P")
    shop.tell("S", plan(item(1), Item("P", 1, "main", 1)), PACK)
    for order, reason in (("O", HoldReason.MANUAL), ("P", HoldReason.FRAUD)):
        shop.tell(order, PlaceHold(Hold(reason, Gate.SHIP)))
    assert shop.refusal("S", GO) == ("on_hold",)
    assert [refusal["reasons"] for refusal in shop.explain("S", GO)] == ["manual", "fraud"]


def test_explaining_asks_the_customers_account() -> None:
    """Confirming is refused by the limit of an account; where the order refuses, what it would tell is unknown."""
    shop = Shop().tell("ann", SetCreditLimit(Money(1_000, "EUR"))).placed(1)
    before = shop.storage.entries(0, 100)
    assert [refusal.code for refusal in shop.explain("O", ConfirmOrder())] == ["credit_exceeded"]
    assert shop.storage.entries(0, 100) == before
    shop.tell("O", PlaceHold(Hold(HoldReason.FRAUD, Gate.CONFIRM)))
    assert [refusal.code for refusal in shop.explain("O", ConfirmOrder())] == ["on_hold"]


def test_what_may_happen_has_no_reasons_against_it() -> None:
    """No refusal means that the command would be taken; an unknown row has its own."""
    shop = Shop().stocked(main=1).confirmed(1)
    assert shop.explain("O", AllocateStock(pick(1))) == ()
    assert [refusal.code for refusal in shop.explain("O", AllocateStock(pick(2)))] == ["not_open"]
    assert [refusal.code for refusal in shop.explain("N", ConfirmOrder())] == ["not_found"]
    with pytest.raises(InputError, match="control"):
        shop.explain("O\n", ConfirmOrder())
