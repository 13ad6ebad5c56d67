"""What returns and stock documents tell orders and stock."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.domain.engine.workflow import EventContext, Send
from orderflow.domain.inventory.counting import Adjust
from orderflow.domain.inventory.stock import ReceiveGoods, Restock, TransferIn, TransferOut
from orderflow.domain.orders.shipping import RecordReturn
from orderflow.domain.values import LineQuantity, stock_key, summed


def take_back(context: EventContext) -> Iterator[Send]:
    """Units of order lines go back to stock through their orders, others directly."""
    event, document = context.event, context.key.id
    for order in dict.fromkeys(units.order for units in event.units):
        sums = summed((units.line, units.quantity) for units in event.units if units.order == order)
        back = tuple([LineQuantity(line, quantity) for line, quantity in sums.items()])
        yield Send(context.key.beside("order", order), RecordReturn(document, back, event.location, event.usable))
    for sku, quantity in summed((item.sku, item.quantity) for item in event.unmatched).items():
        yield Send(stock_key(context.key.tenant, sku, event.location), Restock(quantity, event.usable, document))


def receive(context: EventContext) -> Iterator[Send]:
    for (sku, location), quantity in _by_row(context).items():
        yield Send(stock_key(context.key.tenant, sku, location), ReceiveGoods(quantity, 0, context.key.id))


def adjust(context: EventContext) -> Iterator[Send]:
    for item in context.event.items:
        command = Adjust(item.quantity, item.reason or context.event.reason, context.key.id)
        yield Send(stock_key(context.key.tenant, item.sku, item.location), command)


def transfer(context: EventContext) -> Iterator[Send]:
    for (sku, location), quantity in _by_row(context).items():
        yield Send(stock_key(context.key.tenant, sku, location), TransferOut(quantity, context.key.id))
        yield Send(stock_key(context.key.tenant, sku, context.event.to), TransferIn(quantity, context.key.id))


def _by_row(context: EventContext) -> dict[tuple[str, str], int]:
    return summed(((item.sku, item.location), item.quantity) for item in context.event.items)
