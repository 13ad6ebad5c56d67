"""U23: exchange M for L, and the return is not yet here: each names the other, and the difference is due."""

from __future__ import annotations

from datetime import timedelta

import pytest
from small_shop import NOON, content, small_shop

from orderflow import (
    BillUnits,
    CommandRefused,
    HandOver,
    LineQuantity,
    MemoryStorage,
    OrderFlow,
    Person,
    PlaceOrder,
    ReceiveGoods,
    ReceiveReturn,
    RecordDelivered,
    ReturnedUnits,
    SqliteStorage,
)
from orderflow.domain.orders.charging import credit_minor
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.returns.requesting import AuthoriseReturn, LinkExchange, RequestReturn
from orderflow.domain.returns.state import CustomerReason, HasReturn, Wanted
from orderflow.domain.workflow.returns_orders import exchange_difference_minor


def exchanging(storage: MemoryStorage | SqliteStorage) -> OrderFlow:
    """One TEA was delivered and billed, CUP is sent instead, and the TEA is still with the customer."""
    shop = small_shop(storage)
    shop.handle("CUP@main", ReceiveGoods(5))
    ann = shop.record_party("ann", Person("Ann"))
    shop.receive("M", content(external_id="M", bill_to=ann, ship_to=ann))
    shop.advance("M")
    while shop.relay().done:
        pass
    shop.handle("M/1", HandOver())
    shop.handle("M/1", RecordDelivered("d"))
    shop.handle("M", BillUnits("M/1", "invoice"))
    wish = RequestReturn("M", (LineQuantity(1, 1),), CustomerReason.DOES_NOT_FIT, Wanted.EXCHANGE)
    shop.request_return("R-1", wish)
    shop.handle("R-1", AuthoriseReturn(NOON + timedelta(days=14)))
    shop.handle("L", PlaceOrder(content(2, sku="CUP", external_id="L", bill_to=ann, ship_to=ann)))
    shop.handle("R-1", LinkExchange("L"))
    return shop


def order(shop: OrderFlow, name: str) -> HasProgress:
    """A placed order."""
    found = shop.orders.get(name)
    assert isinstance(found, HasProgress)
    return found


def test_u23_return_and_new_order_name_each_other(storage: MemoryStorage | SqliteStorage) -> None:
    """The return by a field, the order by a tag; each is found by the other's name."""
    shop = exchanging(storage)
    found = shop.returns.get("R-1")
    assert isinstance(found, HasReturn)
    assert found.handling.exchange == "L"
    assert [row.key.id for row in shop.orders.find(tag="exchange/R-1")] == ["L"]
    assert [row.key.id for row in shop.returns.find(where={"exchange": "L"})] == ["R-1"]


def test_u23_the_difference_is_due_before_the_goods_are_here(storage: MemoryStorage | SqliteStorage) -> None:
    """Two at 3.06 for one at 3.06: 3.06 more; the other way round it is given back."""
    shop = exchanging(storage)
    wish = shop.returns.get("R-1").wish
    credit = credit_minor(order(shop, "M"), wish.units)
    total = order(shop, "L").totals.gross_minor
    assert (credit, total) == (306, 612)
    assert exchange_difference_minor(credit, total) == 306
    assert exchange_difference_minor(total, credit) == -306


def test_u23_the_new_order_goes_on_without_the_return(storage: MemoryStorage | SqliteStorage) -> None:
    """It is sent, whether or not the goods come; when they come they are booked on the order that they left with."""
    shop = exchanging(storage)
    assert shop.advance("L").state == "Preparing"
    shop.handle("R-1", ReceiveReturn("main", (ReturnedUnits("M", 1, 1),)))
    assert (order(shop, "M").progress.lines[0].returned, order(shop, "L").progress.lines[0].returned) == (1, 0)


def test_u23_an_exchange_for_an_order_that_is_not_there(storage: MemoryStorage | SqliteStorage) -> None:
    """The link is refused, and the return names nothing."""
    shop = exchanging(storage)
    shop.handle("R-2", ReceiveReturn("main", (ReturnedUnits("M", 1, 1),)))
    with pytest.raises(CommandRefused) as caught:
        shop.handle("R-2", LinkExchange("nowhere"))
    assert caught.value.codes == ("not_found",)
    assert shop.returns.get("R-2").handling.exchange == ""
