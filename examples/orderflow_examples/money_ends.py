"""Where the money of an order has ended: on its invoices, with the order, or not there at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from orderflow.domain.orders.charging import to_refund_minor, uncharged_gross
from orderflow.ports.storage import Row
from orderflow.shop import OrderFlow

__all__ = ["MoneyEnd", "ends_of_money"]


class MoneyEnd(NamedTuple):
    """An order's money in minor units.

    ``paid`` is what came in for it: ``on_invoices``, ``kept`` with the order, of which ``to_refund`` is not needed, and
    ``free`` on payments, which the order did not take. ``open`` is due on invoices, ``uncharged`` not billed yet,
    ``credited`` given back by credit notes.
    """

    order: str
    state: str
    currency: str
    paid_minor: int
    on_invoices_minor: int
    kept_minor: int
    to_refund_minor: int
    free_minor: int
    open_minor: int
    uncharged_minor: int
    credited_minor: int


def ends_of_money(shop: OrderFlow, orders: Iterable[Row[Any]], payments: Iterable[Row[Any]]) -> Iterator[MoneyEnd]:
    """Read off orders, invoices and payments."""
    free: Counter[str] = Counter()
    for payment in payments:
        free[payment.state.origin.order] += payment.state.free
    for row in orders:
        yield _end_of_money(shop, row.key.id, row.state, free[row.key.id])


def _end_of_money(shop: OrderFlow, order: str, state: Any, free_minor: int) -> MoneyEnd:
    p = state.progress
    invoices: list[Any] = [shop.invoices.get(bill.invoice) for bill in p.bills if not bill.void]
    return MoneyEnd(
        order,
        type(state).__name__,
        state.content.currency,
        sum(item.minor for item in p.prepayments) + free_minor,
        sum(bill.prepaid_minor for bill in p.bills),
        p.pool_minor,
        to_refund_minor(state),
        free_minor,
        sum(bill.open_minor for bill in p.bills),
        uncharged_gross(state),
        sum(invoice.amounts.credited for invoice in invoices),
    )
