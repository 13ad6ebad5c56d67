"""The door is typed: what it gives is known by class, and what may not be handed in is reported."""

from __future__ import annotations

from orderflow import HandOver, MemoryStorage, OrderFlow, PlaceOrder, Request
from orderflow.domain.engine.record import Command, Internal
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.stock import TakeOutShort
from orderflow.domain.orders.state import OrderState, Placed
from orderflow.domain.payments.state import PaymentState

shop = OrderFlow(MemoryStorage())


class Stamp9(Command):
    """A host's own command."""

    page: int


class Hidden(Internal):
    """A host's own message between rows."""


def imports() -> None:
    """A name that is loaded lazily must be one of those there are."""
    from orderflow import NoSuchName  # noqa: F401 # wrong: the package exports no such name


def reads() -> None:
    """Readers give their own types."""
    order: OrderState = shop.orders.get("o-1")
    level: StockLevel = shop.stock.level("TEA")
    payment: PaymentState = shop.payments.get("p-1")
    placed: Placed = shop.orders.get("o-1")  # wrong: it may be in any other state
    wrong: StockLevel = shop.orders.get("o-1")  # wrong: an order is no stock
    shop.orders.get(1)  # wrong: an id is a text
    for row in shop.orders.find(status=("Placed",)):
        state: OrderState = row.state
        other: StockLevel = row.state  # wrong: an order is no stock
        print(state, other)
    print(order, level, payment, placed, wrong)
    shop.orders.find(limit="5")  # wrong: a limit is an integer
    print(shop.ordres)  # wrong: there is no such reader


def handles() -> None:
    """Commands may be handed in, a host's own too; what only the library sends may not."""
    shop.handle("o-1", PlaceOrder())
    shop.handle("o-1/1", HandOver())
    shop.handle("s-1", Stamp9(1))
    shop.handle("s-1", Hidden())  # wrong: the library's own
    shop.handle("TEA@main", TakeOutShort(1))  # wrong: the library's own
    shop.handle("o-1", PlaceOrder)  # wrong: a class is no command
    shop.handle("o-1", "place")  # wrong: a text is no command
    shop.handle_many([Request("o-1", HandOver()), "o-2"])  # wrong: requests only
    shop.explain("o-1", Hidden())  # wrong: the library's own
    shop.advance(1)  # wrong: an id is a text
    shop.worklist("to_ship", limit="5")  # wrong: a limit is an integer
