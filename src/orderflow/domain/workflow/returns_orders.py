"""What returns tell the orders and the stock of what came back, and what they require of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import EventContext, Require, Send
from orderflow.domain.inventory.inspected import DiscardReturned, KeepReturned, ReleaseReturned
from orderflow.domain.orders.annotating import AnnotateOrder
from orderflow.domain.orders.returning import InspectedLine, RecordInspection, nothing_to_credit
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.values import InspectionOutcome, stock_key, summed
from orderflow.errors import Refusal

__all__ = [
    "credited",
    "exchange_difference_minor",
    "inspect",
    "link_exchange",
    "move_stock",
    "send_back",
]


def inspect(context: EventContext) -> Iterator[Send]:
    """What is decided about order lines is told to their orders, the rest to the stock; rejections to their shipments.

    Units that had left in no shipment are in no stock before somebody counts them, and what is counted is on sale.
    """
    key, rejected = context.key, InspectionOutcome.REJECT
    units = [item for item in context.event.units if item.shipment and item.outcome is not rejected]
    for order in dict.fromkeys(item.order for item in units):
        mine = [InspectedLine(i.line, i.location, i.outcome, i.quantity) for i in units if i.order == order]
        yield Send(key.beside("order", order), RecordInspection(key.id, tuple(mine)))
    loose = [(i.sku, i.location, i.outcome, i.quantity) for i in context.event.unmatched]
    yield from _moved(key.tenant, key.id, loose)


def move_stock(context: EventContext) -> Iterator[Send]:
    """The stock of inspected units of an order."""
    content, event = context.after.content, context.event
    items = [(content.line(i.line).sku, i.location, i.outcome, i.quantity) for i in event.units]
    yield from _moved(context.key.tenant, event.document, items)


def send_back(context: EventContext) -> Iterator[Send]:
    """Rejected units leave their stock."""
    content, event = context.after.content, context.event
    items = [
        (content.line(line).sku, event.location, InspectionOutcome.REJECT, quantity)
        for line, quantity in (*event.units, *event.recovered)
    ]
    yield from _moved(context.key.tenant, event.document, items)


#: What a stock row is told of units that were inspected.
DECISIONS: Final = (KeepReturned, ReleaseReturned, DiscardReturned)

#: Outcomes by which units leave the stock, and the reason of the movement.
_LEAVING = {InspectionOutcome.DISCARD: "discarded", InspectionOutcome.REJECT: "sent back"}


def _moved(tenant: str, document: str, items: Iterable[tuple[str, str, InspectionOutcome, int]]) -> Iterator[Send]:
    """Units were set aside when they came: what is restocked is so no longer, what leaves is taken out.

    What stays in quarantine waits in no return any more.
    """
    sums = summed(((sku, location, outcome), quantity) for sku, location, outcome, quantity in items)
    for (sku, location, outcome), quantity in sums.items():
        key = stock_key(tenant, sku, location)
        if outcome is InspectionOutcome.RESTOCK:
            yield Send(key, ReleaseReturned(quantity, document))
        elif outcome in _LEAVING:
            yield Send(key, DiscardReturned(quantity, _LEAVING[outcome], document))
        else:
            yield Send(key, KeepReturned(quantity, document))


def link_exchange(context: EventContext) -> Iterator[Send]:
    """The order that is sent instead names the return by a tag."""
    tag = f"exchange/{context.key.id}"
    yield Send(context.key.beside("order", context.event.order), AnnotateOrder(add=(tag,)))


def credited(context: EventContext) -> Iterator[Require]:
    """A return is settled once nothing of its lines is to be credited."""
    for order, lines in _lines_by_order(context.after).items():
        yield Require(context.key.beside("order", order), _no_credit_due(order, lines))


def _lines_by_order(state: Any) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for lot in state.goods.lots:
        if lot.order:
            found.setdefault(lot.order, set()).add(lot.line)
    return found


def _no_credit_due(name: str, lines: set[int]) -> Any:
    def guard(order: HasProgress, stamp: Stamp) -> Refusal | None:
        return nothing_to_credit(order, lines, name)

    return guard


def exchange_difference_minor(credit_minor: int, new_total_minor: int) -> int:
    """What an exchange comes to, in minor units of one currency: above 0 the customer pays it, below 0 he gets it back.

    ``credit_minor`` is what is credited for what comes back, ``new_total_minor`` the total of the order sent instead.
    """
    return new_total_minor - credit_minor
