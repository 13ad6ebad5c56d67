"""What stock documents tell stock."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.domain.engine.workflow import EventContext, Send
from orderflow.domain.inventory.counting import Adjust
from orderflow.domain.inventory.stock import ReceiveGoods, TransferIn, TransferOut
from orderflow.domain.values import stock_key, summed


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
