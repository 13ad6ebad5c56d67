"""U09: an order cancelled by mistake is brought back."""

from __future__ import annotations

from money_shop import MoneyShop
from small_shop import content, small_shop

from orderflow import CancelledBy, CancelUnits, ConfirmOrder, LineQuantity, MemoryStorage, SqliteStorage, Unchanged
from orderflow.domain.orders.content import InvoiceBasis
from orderflow.domain.orders.placing import DiscardDraft, OpenDraft
from orderflow.domain.orders.reinstating import ReinstateOrder
from orderflow.domain.orders.state import Placed
from orderflow.domain.payments.refunding import RefundPayment

Storage = MemoryStorage | SqliteStorage


def cancel(*units: LineQuantity) -> CancelUnits:
    """Units are cancelled, or all of them."""
    return CancelUnits("mistake", CancelledBy.MERCHANT, units)


def test_u09_placed_again_allocated_once_and_known_to_its_channel(storage: Storage) -> None:
    """Cancelled with units allocated, brought back: Placed, allocated once; sent again it is Unchanged."""
    shop = small_shop(storage, units=3)
    document = content(3, external_id="7")
    shop.receive("O", document)
    for command in (ConfirmOrder(), cancel(LineQuantity(1, 1))):
        shop.handle("O", command)
    shop.allocate("O")
    shop.handle("O", cancel())
    assert shop.stock.level("TEA").available == 3
    shop.handle("O", ReinstateOrder())
    assert isinstance(shop.orders.get("O"), Placed)
    [vector] = shop.orders.get("O").progress.lines  # type: ignore[union-attr]
    assert (vector.open, vector.cancelled) == (2, 1)
    assert isinstance(shop.receive("P", document), Unchanged)
    shop.handle("O", ConfirmOrder())
    shop.allocate("O")
    assert shop.stock.level("TEA").available == 1
    shop.handle("O", cancel())
    shop.handle("O", ReinstateOrder())
    assert shop.orders.get("O").progress.lines[0].open == 2  # type: ignore[union-attr]


def test_u09_credit_and_money_come_out_right(storage: Storage) -> None:
    """The customer's exposure falls with the order and comes back when it is confirmed; kept money counts again."""
    shop = MoneyShop(storage).confirmed("O", (10, 1000))
    shop.pay(12000, order="O")
    assert shop.exposure() == 0
    shop.handle("O", cancel())
    assert (shop.to_refund("O"), shop.exposure()) == (12000, -12000)
    shop.handle("O", ReinstateOrder())
    assert (shop.to_refund("O"), shop.exposure()) == (0, -12000)
    shop.handle("O", ConfirmOrder())
    assert shop.exposure() == 0


def test_u09_what_left_was_billed_or_paid_back_is_not_brought_back(storage: Storage) -> None:
    """A draft, a billed order and one whose money went back stay cancelled."""
    shop = MoneyShop(storage).confirmed("A", (1, 1000), invoice_basis=InvoiceBasis.ORDERED).confirmed("B", (1, 1000))
    shop.bill("A")
    shop.handle("A", cancel())
    assert shop.refused("A", ReinstateOrder()) == ("already_billed",)
    payment = shop.pay(1200, order="B")
    shop.handle("B", cancel())
    shop.handle(payment, RefundPayment(shop.money(1200)))
    assert shop.refused("B", ReinstateOrder()) == ("paid_back",)
    shop.handle("D", OpenDraft(content(1)))
    shop.handle("D", DiscardDraft())
    assert shop.refused("D", ReinstateOrder()) == ("never_placed",)


def test_u09_a_running_order_is_not_brought_back(storage: Storage) -> None:
    """Only a cancelled order is."""
    shop = MoneyShop(storage).confirmed("O", (1, 1000))
    assert shop.refused("O", ReinstateOrder()) == ("not_now",)
