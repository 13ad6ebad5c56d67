"""U11: an order waits; its line needs one more, another article, a new price: amended, and the difference is known."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from money_shop import MoneyShop, every_currency

from orderflow import (
    CancelledBy,
    CancelUnits,
    ConfirmOrder,
    LineQuantity,
    MemoryStorage,
    OrderContent,
    OrderFlow,
    OrderLine,
    PartyRef,
    PlaceOrder,
    Price,
    ReceiveGoods,
    SqliteStorage,
    TaxPolicy,
)
from orderflow.adapters.storage.audit import SqliteAudit
from orderflow.audit.verify import verify
from orderflow.domain.orders.amending import ConfirmAmendment, Difference, DropAmendment, ProposeAmendment
from orderflow.domain.orders.changes import Changes, NewPrice
from orderflow.domain.orders.content import (
    Gate,
    Hold,
    HoldReason,
    InvoiceBasis,
    LineKind,
    PayBefore,
    Policy,
    SharedDiscount,
)
from orderflow.domain.orders.holding import PlaceHold
from orderflow.domain.orders.state import AwaitingStock
from orderflow.domain.shipping.planning import PlanShipment
from orderflow.domain.shipping.state import Item, Plan
from orderflow.domain.values import MAX_LINES, CreditIntent
from orderflow.errors import CommandRefused, InputError

Storage = MemoryStorage | SqliteStorage


def propose(revision: int = 0, **changes: Any) -> ProposeAmendment:
    """A customer asks for changes."""
    return ProposeAmendment(revision, Changes(**changes), CancelledBy.CUSTOMER)


def amend(shop: MoneyShop, order: str, **changes: Any) -> Difference:
    """Changes are proposed, priced, and confirmed twice under one id; returns what was shown before."""
    revision = shop.progress(order).revision
    shop.handle(order, propose(revision, **changes))
    shown = shop.orders.amendment(order)
    assert shown is not None
    for _ in range(2):
        shop.handle(order, ConfirmAmendment(revision + 1), command_id=f"{order}/{revision}")
    assert shop.orders.amendment(order) is None
    return shown


def units(*of_lines: tuple[int, int]) -> tuple[LineQuantity, ...]:
    """Units of lines."""
    return tuple([LineQuantity(*item) for item in of_lines])


def article(shop: MoneyShop, line: int, quantity: int, minor: int, sku: str = "MUG") -> OrderLine:
    """A line of another article."""
    return OrderLine.of(line, sku, quantity, shop.price(minor), shop.tax)


def total(shop: MoneyShop, order: str) -> int:
    """The order's total."""
    state: Any = shop.orders.get(order)
    return int(state.totals.gross_minor)


@every_currency
def test_u11_one_more_one_less_another_article(storage: Storage, currency: str) -> None:
    """Each with its difference; lines keep what was ordered, stock is freed, exposure follows."""
    shop = MoneyShop(storage, currency).confirmed("O", (10, 1000))
    shop.handle("MUG@main", ReceiveGoods(5))
    shop.allocate("O")
    assert type(shop.orders.get("O")).__name__ == "Allocated"
    shown = amend(shop, "O", more=units((1, 1)))
    assert shown == Difference(1, 12000, 13200, 13200)
    assert (shown.due_minor, shop.exposure(), total(shop, "O")) == (1200, 13200, 13200)
    assert (type(shop.orders.get("O")).__name__, shop.line("O", 2).open) == ("Confirmed", 1)
    shown = amend(shop, "O", less=units((1, 3)), lines=(article(shop, 7, 2, 500),))
    assert (shown.due_minor, shop.exposure()) == (1200 - 3600, 13200 - 2400)
    assert (shop.line("O").cancelled, shop.line("O").allocated_quantity, shop.line("O", 3).open) == (3, 7, 2)
    assert shop.stock.level("TEA").allocated == 7
    shop.allocate("O")
    assert (type(shop.orders.get("O")).__name__, shop.stock.level("MUG").allocated) == ("Allocated", 2)
    assert [line.line for line in shop.orders.get("O").content.lines] == [1, 2, 7]
    shop.send("O", 7)
    shop.send("O", 1, line=2)
    shop.send("O", 2, line=7)
    shop.bill("O")
    shop.advance("O")
    assert (shop.owes(), type(shop.orders.get("O")).__name__) == (10800, "Completed")


@every_currency
def test_u11_a_new_price_for_what_is_neither_charged_nor_sent(storage: Storage, currency: str) -> None:
    """10 x 10.00: 2 sent and billed, 8 move to a line at 9.00 and stay allocated; then 3 of them go to 8.00."""
    shop = MoneyShop(storage, currency).confirmed("O", (10, 1000))
    shop.send("O", 2)
    shop.bill("O")
    shown = amend(shop, "O", prices=(NewPrice(1, shop.price(900)),))
    assert shown == Difference(1, 12000, 2400 + 8640, 2400 + 8640)
    assert (shop.line("O").moved, shop.line("O").allocated, shop.line("O", 2).allocated_quantity) == (8, (), 8)
    assert (total(shop, "O"), shop.stock.level("TEA").allocated, shop.exposure()) == (11040, 8, 11040)
    amend(shop, "O", prices=(NewPrice(2, shop.price(800), 3),))
    assert (total(shop, "O"), shop.line("O", 2).moved, shop.line("O", 3).allocated_quantity) == (10680, 3, 3)
    assert shop.refused("O", propose(2, prices=(NewPrice(1, shop.price(1)),))) == ("not_movable",)
    shop.send("O", 5, line=2)
    shop.send("O", 3, line=3)
    shop.bill("O")
    assert (shop.owes(), type(shop.orders.get("O")).__name__) == (10680, "Shipped")


def test_u11_units_that_wait_or_are_on_hold_move_as_they_are(storage: Storage) -> None:
    """Open, waiting and allocated units keep their place in the queue; a line's hold goes with its units."""
    shop = MoneyShop(storage).confirmed("O", (3, 1000))
    shop.handle("CUP@main", ReceiveGoods(2))
    amend(shop, "O", lines=(article(shop, 2, 4, 500, "CUP"),))
    shop.allocate("O")
    assert isinstance(shop.orders.get("O"), AwaitingStock)
    hold = Hold(HoldReason.MANUAL, Gate.PREPARE, 2)
    shop.handle("O", PlaceHold(hold))
    amend(shop, "O", prices=(NewPrice(2, shop.price(400), 3),), less=units((1, 1)))
    old, new = shop.line("O", 2), shop.line("O", 3)
    assert (old.backordered_quantity, old.allocated_quantity) == (0, 1)
    assert (new.backordered_quantity, new.allocated_quantity) == (2, 1)
    assert shop.progress("O").holds == (hold, evolve(hold, line=3))
    shop.handle("CUP@main", ReceiveGoods(2))
    shop.allocate("O")
    assert (type(shop.orders.get("O")).__name__, shop.stock.level("CUP").backordered) == ("Allocated", 0)


def test_u11_parcels_drop_what_is_taken_out(storage: Storage) -> None:
    """Units being prepared are cancelled as by hand, but take no new price; the parcel loses them."""
    shop = MoneyShop(storage).confirmed("O", (3, 1000))
    shop.allocate("O")
    shop.handle("O/s1", PlanShipment((Item("O", 1, "main", 2),), Plan(needs_label=False)))
    price = shop.price(900)
    assert shop.refused("O", propose(0, prices=(NewPrice(1, price, 2),))) == ("not_movable",)
    amend(shop, "O", prices=(NewPrice(1, price),))
    assert (shop.line("O").moved, shop.line("O").preparing_quantity) == (1, 2)
    amend(shop, "O", less=units((1, 1)), more=units((1, 1)))
    shop.relay()
    assert [item.quantity for item in shop.shipments.get("O/s1").items] == [1]  # type: ignore[union-attr]
    assert type(shop.orders.get("O")).__name__ == "Preparing"


@pytest.mark.parametrize("included", [True, False])
@pytest.mark.parametrize("currency", ["GBP", "JPY"])
def test_u11_discounts_of_other_lines_stay(storage: Storage, currency: str, included: bool) -> None:
    """A coupon over two lines is frozen; units that move take their part of it along."""
    shop = MoneyShop(storage, currency)
    tax, ref = TaxPolicy(prices_include_tax=included), PartyRef("ann", 1)
    lines = tuple([OrderLine.of(n, "TEA", 3, shop.price(1000), shop.tax, policy=tax) for n in (1, 2)])
    coupon = SharedDiscount("SPRING", 600)
    content = OrderContent(
        currency, lines, tax, customer="ann", bill_to=ref, ship_to=ref, discounts=(coupon,), policy=Policy()
    )
    for command in (PlaceOrder(content), ConfirmOrder()):
        shop.handle("O", command)
    amend(shop, "O", prices=(NewPrice(1, shop.price(2000), 1), NewPrice(1, shop.price(50), 1)))
    found = [(line.quantity, line.net_minor, line.discount_minor) for line in shop.orders.get("O").content.lines]
    assert found == [(3, 2700, 300), (3, 2700, 300), (1, 1900, 100), (1, 0, 50)]
    net = 900 + 2700 + 1900
    assert total(shop, "O") == (net if included else net * 6 // 5)
    for line, quantity in ((1, 1), (2, 3), (3, 1), (4, 1)):
        shop.send("O", quantity, line)
    shop.bill("O")
    assert shop.owes() == total(shop, "O")


@every_currency
def test_u11_money_kept_for_the_order(storage: Storage, currency: str) -> None:
    """Paid before it ships: more units close the gate, the difference opens it; less units are refunded."""
    shop = MoneyShop(storage, currency).confirmed("O", (2, 1000), pay_before=PayBefore.PREPARE)
    shop.pay(2400, order="O")
    shop.allocate("O")
    assert amend(shop, "O", more=units((1, 1))).to_pay_minor == 1200
    shop.allocate("O")
    with pytest.raises(CommandRefused, match="waits for money"):
        shop.handle("O/s1", PlanShipment((Item("O", 1, "main", 1),), Plan(needs_label=False)))
    shop.pay(1200, order="O")
    shop.send("O", 1)
    shown = amend(shop, "O", less=units((1, 1), (2, 1)))
    assert (shown.due_minor, shown.to_pay_minor, shop.to_refund("O")) == (-2400, -2400, 2400)
    assert type(shop.orders.get("O")).__name__ == "Shipped"
    shop.bill("O")
    assert (shop.to_refund("O"), shop.owes()) == (2400, -2400)


@every_currency
def test_m29_units_are_added_to_a_line_of_which_some_were_credited(storage: Storage, currency: str) -> None:
    """5 billed, 3 credited as kept, 3 cancelled, 3 added and shipped: 2 to credit on the old line, 3 to bill."""
    shop = MoneyShop(storage, currency).confirmed("O", (5, 1000), invoice_basis=InvoiceBasis.ORDERED)
    shop.credit(shop.bill("O"), 3, intent=CreditIntent.KEPT)
    shop.handle("O", CancelUnits("changed", CancelledBy.CUSTOMER, units((1, 3))))
    assert shop.credit_due("O") == [2]
    amend(shop, "O", more=units((1, 3)))
    shop.send("O", 3, line=2)
    assert (shop.credit_due("O"), shop.billable("O")) == ([2], [3])
    shop.bill("O")
    assert (shop.credit_due("O"), shop.billable("O"), shop.owes()) == ([2], [], 2400 + 3600)


@every_currency
def test_u11_charged_units_keep_their_price_until_they_are_billed_again(storage: Storage, currency: str) -> None:
    """4 billed as ordered cannot move; credited as wrongly billed they can."""
    shop = MoneyShop(storage, currency).confirmed("O", (4, 1000), invoice_basis=InvoiceBasis.ORDERED)
    invoice = shop.bill("O")
    assert shop.refused("O", propose(0, prices=(NewPrice(1, shop.price(900)),))) == ("not_movable",)
    shop.credit(invoice, 4, intent=CreditIntent.REBILL)
    amend(shop, "O", prices=(NewPrice(1, shop.price(900)),))
    shop.bill("O")
    assert (shop.owes(), shop.billable("O"), shop.credit_due("O")) == (4320, [], [])


def test_u11_an_order_that_is_not_confirmed_or_has_no_goods(storage: Storage) -> None:
    """A placed one stays placed; one of services gets another, and then goods."""
    shop = MoneyShop(storage).placed("O", (2, 1000))
    amend(shop, "O", less=units((1, 1)), more=units((1, 3)))
    assert (type(shop.orders.get("O")).__name__, shop.exposure()) == ("Placed", 0)
    service = OrderLine.of(1, "GIFT", 1, shop.price(300), shop.tax, kind=LineKind.SERVICE)
    shop.order_of("S", service)
    amend(shop, "S", more=units((1, 1)))
    assert type(shop.orders.get("S")).__name__ == "Confirmed"
    amend(shop, "S", lines=(article(shop, 5, 1, 1000, "TEA"),))
    shop.send("S", 1, line=5)
    shop.bill("S")
    assert shop.owes() == 1200 + 720


def test_u11_a_proposed_amendment_is_listed_until_somebody_decides(storage: Storage) -> None:
    """With the commands that decide; the order goes ahead meanwhile."""
    shop = MoneyShop(storage).confirmed("O", (2, 1000))
    shop.handle("O", propose(0, more=units((1, 1))))
    [task] = shop.worklist("to_confirm")
    assert ([str(reason) for reason in task.reasons], task.commands) == (
        ["amendment: amendment 1 is proposed"],
        ("ConfirmAmendment", "DropAmendment"),
    )
    shop.allocate("O")
    shop.handle("O", ConfirmAmendment(1))
    assert (shop.worklist("to_confirm"), shop.line("O").allocated_quantity) == ([], 2)


def test_u11_only_what_was_seen_is_confirmed(storage: Storage) -> None:
    """An amendment that was replaced or dropped, or that no longer fits, is not confirmed."""
    shop = MoneyShop(storage).confirmed("O", (2, 1000))
    assert shop.refused("O", ConfirmAmendment(1)) == ("no_amendment",)
    assert shop.refused("O", propose(1, more=units((1, 1)))) == ("other_revision",)
    shop.handle("O", propose(0, more=units((1, 1))))
    shop.handle("O", propose(1, less=units((1, 2)), more=units((1, 1))))
    assert shop.refused("O", ConfirmAmendment(1)) == ("other_revision",)
    shop.handle("O", CancelUnits("changed", CancelledBy.CUSTOMER, units((1, 1))))
    assert shop.refused("O", ConfirmAmendment(2)) == ("not_cancellable",)
    assert shop.orders.amendment("O") is None
    shop.handle("O", DropAmendment(2))
    assert shop.refused("O", DropAmendment(2)) == ("no_amendment",)
    shop.send("O", 1)
    assert shop.refused("O", propose(2, more=units((1, 1)))) == ("not_now",)
    shop.bill("O")
    shop.advance("O")
    assert (type(shop.orders.get("O")).__name__, shop.orders.amendment("O")) == ("Completed", None)


def test_u11_an_order_has_so_many_lines(storage: Storage) -> None:
    """Those that amendments bring are counted with the others."""
    shop = MoneyShop(storage)
    shop.order_of("O", *[article(shop, n, 1, 1, "TEA") for n in range(1, MAX_LINES + 1)])
    assert shop.refused("O", propose(0, more=units((1, 1)))) == ("too_many_lines",)


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"less": units((1, 3))}, "not_cancellable"),
        ({"less": units((9, 1))}, "no_such_line"),
        ({"less": units((2, 1))}, "no_such_line"),
        ({"more": units((9, 1))}, "no_such_line"),
        ({"prices": (NewPrice(2, Price.of("1", "GBP")),)}, "no_such_line"),
        ({"prices": (NewPrice(1, Price.of("1", "GBP"), 2), NewPrice(1, Price.of("2", "GBP")))}, "not_movable"),
        ({"prices": (NewPrice(1, Price.of("1", "EUR")),)}, "bad_lines"),
        ({"less": units((1, 2))}, "nothing_left"),
    ],
)
def test_u11_what_cannot_be_done_is_not_proposed(storage: Storage, changes: dict[str, Any], code: str) -> None:
    """Each refused whole, with its code."""
    shop = MoneyShop(storage)
    service = OrderLine.of(2, "GIFT", 1, shop.price(300), shop.tax, kind=LineKind.SERVICE)
    shop.order_of("O", article(shop, 1, 2, 1000, "TEA"), service)
    assert shop.refused("O", propose(0, **changes)) == (code,)


def test_u11_lines_that_are_not_sound_are_named(storage: Storage) -> None:
    """A number that is taken, an amount that does not follow from its price; an amendment of nothing."""
    shop = MoneyShop(storage).confirmed("O", (2, 1000))
    taken, wrong = article(shop, 1, 1, 500), evolve(article(shop, 2, 1, 500), net_minor=1)
    with pytest.raises(CommandRefused, match=r"changes.lines\[0\].line: number 1 .*; changes.lines\[1\].net_minor"):
        shop.handle("O", propose(0, lines=(taken, wrong)))
    many = tuple([article(shop, n, 1, 1) for n in range(2, 202)])
    shop.handle("O", propose(0, lines=many))
    with pytest.raises(InputError, match=r"changes\.lines: must have"):
        shop.handle("O", propose(1, lines=(*many, article(shop, 300, 1, 1))))
    with pytest.raises(InputError, match="changes: must change something"):
        shop.handle("O", propose(0))


def test_u11_an_amended_order_is_read_again_and_verified(tmp_path: Path) -> None:
    """From a file, after several amendments: the same state, what a replay gives, and every invariant kept."""
    path = tmp_path / "shop.db"
    with closing(SqliteStorage(path)) as storage:
        shop = MoneyShop(storage).confirmed("O", (5, 1000), (2, 333))
        shop.handle("O", propose(0, less=units((1, 1))))
        amend(shop, "O", prices=(NewPrice(1, shop.price(777), 2), NewPrice(2, shop.price(100))), more=units((2, 1)))
        shop.send("O", 2)
        amend(shop, "O", lines=(article(shop, 9, 1, 50, "TEA"),), less=units((1, 1)))
        shop.bill("O")
        shop.handle("O", propose(3, more=units((1, 1))))
        order, columns = shop.orders.get("O"), shop.orders.sums(("total_minor", "lines"))
    with closing(SqliteStorage(path)) as storage:
        again = OrderFlow(storage)
        assert (again.orders.get("O"), again.orders.sums(("total_minor", "lines"))) == (order, columns)
        assert [*again.orders.find(where={"lines": 6})]
    with SqliteAudit(path, again.workflow.machines.values()) as source:
        report = verify(source, again.workflow)
        assert report.violations == 0, [finding for finding in report.findings if finding.violations]
