"""How the sample's orders are paid: as on a marketplace, by several kinds of payment, in parts, late, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from attrs import define, field

from orderflow.adapters.codec import Codec
from orderflow.domain.money.money import Money
from orderflow.domain.money.split import share
from orderflow.domain.orders.content import OrderContent, totals_of

__all__ = ["Payer"]

Tree: TypeAlias = dict[str, Any]

_CODEC: Final = Codec(())

#: Orders that are paid some orders later; those that wait for their money are among them.
_LATE_EVERY, _WAITING_EVERY, _LATE_BY = 4, 8, 6


Part: TypeAlias = tuple[str, int]


def _by_card(total: int) -> list[Part]:
    return [("credit_card", total)]


def _by_voucher_and_card(total: int) -> list[Part]:
    voucher = min(total, 1000)
    return [("voucher", voucher), ("credit_card", total - voucher)]


#: Of 40 orders, how some are paid; the others are paid by card. What is late is said above.
_WAYS: Final[dict[int, Callable[[int], list[Part]]]] = {
    **dict.fromkeys((1, 8, 21, 28), _by_voucher_and_card),
    **dict.fromkeys((5, 25), lambda total: [("voucher", minor) for minor in share(total, [1, 2, 3])]),
    **dict.fromkeys((4, 12, 16, 36), lambda total: [("boleto", total)]),
    **dict.fromkeys((9, 29), lambda total: [("debit_card", total // 2)]),
    **dict.fromkeys((13, 33), lambda total: [("credit_card", total + 100)]),
    **dict.fromkeys((17, 37), lambda total: []),
    38: lambda total: [("voucher", 0), ("credit_card", total)],
}


@define
class Payer:
    """Draws the payments of an order; what is late comes with a later order.

    Most orders are paid by card at once; the others by voucher and card, by three vouchers, by slip and late, in part,
    too much, not at all, or with a voucher of 0 beside the card.
    """

    _late: list[tuple[int, Tree]] = field(factory=list)
    _number: int = 0

    def waits(self, n: int) -> bool:
        """Whether the ``n``-th order waits for its money before stock is allocated."""
        return n % _WAITING_EVERY == 0

    def paid(self, n: int, order: Tree) -> Iterator[Tree]:
        """The payments that come with the ``n``-th order: its own, and those that are due by now."""
        at = order["at"]
        yield from [self._dated(payment, at) for due, payment in self._late if due <= n]
        self._late = [(due, payment) for due, payment in self._late if due > n]
        for method, minor in _WAYS.get(n % 40, _by_card)(_total(order)):
            if not minor and method != "voucher":
                continue
            payment = self._payment(order, method, minor)
            if n % _LATE_EVERY == 0:
                self._late.append((n + _LATE_BY, payment))
            else:
                yield self._dated(payment, at)

    def _payment(self, order: Tree, method: str, minor: int) -> Tree:
        self._number += 1
        content, currency = order["content"], order["content"]["currency"]
        amount = f"{Money(minor, currency).decimal} {currency}"
        names = {"order": order["number"], "customer": content.get("customer", ""), "method": method}
        return {"type": "payment", "number": f"P-{self._number:05}", "amount": amount, **names}

    @staticmethod
    def _dated(payment: Tree, at: str) -> Tree:
        return payment | {"at": at}


def _total(order: Tree) -> int:
    return totals_of(_CODEC.read(OrderContent, order["content"])).gross_minor
