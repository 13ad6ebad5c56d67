"""Units are cancelled wherever they stand."""

from __future__ import annotations

import pytest
from tea_shop import ARRIVE, CANCEL, GO, PACK, Shop, item, pick, plan

from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy
from orderflow.domain.orders.placing import ConfirmOrder, UnconfirmOrder
from orderflow.domain.shipping import state as ss
from orderflow.domain.values import LineQuantity
from orderflow.flows.advance import ShopSettings
from orderflow.flows.prepare import ShippingSettings
from orderflow.ports.storage import Ack
from orderflow.shop import Request


@pytest.mark.parametrize("bucket", ["open", "backordered", "allocated", "preparing"])
def test_units_are_cancelled_out_of_every_bucket(bucket: str) -> None:
    """Cancelling gives back what stock and shipments hold for the units, wherever they stand."""
    shop = Shop().stocked(main=1).confirmed(1)
    if bucket == "backordered":
        shop.tell("O", AllocateStock(backorder=pick(1)))
    if bucket in ("allocated", "preparing"):
        shop.allocate("O")
    if bucket == "preparing":
        shop.tell("S", plan(item(1)))
    shop.tell("O", CANCEL)
    assert shop.state == "Cancelled"
    assert shop.stock.level("TEA") == StockLevel(1)
    assert shop.accounts.get("ann").of("EUR").ordered == 0
    shop.settle()
    if bucket == "preparing":
        assert isinstance(shop.shipments.get("S"), ss.Voided)


def test_units_named_twice_are_cancelled_together() -> None:
    """A line named twice loses the sum; more than can be cancelled is refused."""
    shop = Shop().confirmed(3)
    shop.tell("O", CancelUnits("fewer", CancelledBy.CUSTOMER, (LineQuantity(1, 1), LineQuantity(1, 1))))
    assert shop.lines[0].cancelled == 2
    assert shop.refusal("O", CancelUnits("all", CancelledBy.CUSTOMER, (LineQuantity(1, 1), LineQuantity(1, 1)))) == (
        "not_cancellable",
    )
    assert shop.refusal("O", CancelUnits("which", CancelledBy.CUSTOMER, (LineQuantity(2, 1),))) == ("no_such_line",)


def test_nothing_is_cancelled_once_all_has_left() -> None:
    """Units that have left cannot be cancelled; the rest of a partly shipped order can."""
    shop = Shop().stocked(main=2).confirmed(2)
    shop.tell("O", AllocateStock(pick(1), pick(1))).tell("S", plan(item(1)), PACK, GO)
    assert shop.state == "PartlyShipped"
    shop.tell("O", CANCEL)
    assert shop.state == "Shipped"
    shop.tell("S", ARRIVE)
    assert shop.advance("O").state == "Completed"


def test_rows_of_two_moments_never_meet_in_one_settlement() -> None:
    """A command that ran ahead on the order as it was does not go on with the account as it is."""
    group = Shop(ShopSettings(shipping=ShippingSettings("post"))).stocked(main=2).placed(1)
    group.tell("O", ConfirmOrder())
    results = group.handle_many([Request("O", UnconfirmOrder()), Request("O", CancelUnits("no", CancelledBy.CUSTOMER))])
    assert [type(result) for result in results] == [Ack, Ack]
    assert type(group.orders.get("O")).__name__ == "Cancelled"
