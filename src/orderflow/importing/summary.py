"""The summary of a run, read back from the database through the public API; nothing is counted during the run."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from attrs import define, field

from orderflow.domain.billing.credit_note import IssuedNote
from orderflow.domain.money.money import Money
from orderflow.ports.storage import Row
from orderflow.shop import OrderFlow

PAGE: Final = 500


INCOMING: Final = "GoodsReceived"


def summarise(shop: OrderFlow, timezone: str) -> dict[str, Any]:
    """Documents, lines, amounts, returns, stock and balances; amounts as decimal strings, months in ``timezone``."""
    orders, notes = _orders(shop), _Notes()
    for row in _pages(shop, "credit_note"):
        notes.add(row.state)
    adjustments = [lines for kind, lines in _stock_documents(shop) if kind == "adjustment"]
    amounts = _amounts(orders, notes, timezone)
    return {
        "documents": {
            "orders": sum(count for _, _, _, count in orders),
            "cancellations": notes.count,
            "adjustments": len(adjustments),
            "refused": sum(1 for _ in rejections(shop)),
        },
        "states": {kind: _states(shop, kind) for kind in ("order", "shipment", "invoice")},
        "lines": _order_lines(shop) + notes.lines + sum(adjustments),
        "amounts": next(iter(amounts.values())) if len(amounts) == 1 else None,
        "amounts_by_currency": amounts,
        "returns": {name: notes.found[name] for name in ("full", "partial", "none", "units", "units_matched")},
        "stock": _stock(shop),
        "balances": _balances(shop),
    }


@define
class _Notes:
    """Totals of the credit notes; no note is kept after it is counted.

    ``found`` counts the lines of cancellations by how far they matched earlier orders, and their units.
    """

    count: int = 0
    lines: int = 0
    credited: Counter[tuple[str, str]] = field(factory=Counter[tuple[str, str]])
    found: Counter[str] = field(factory=Counter[str])

    def add(self, note: IssuedNote) -> None:
        content = note.content
        self.count += 1
        self.credited[content.currency, f"{content.dated:%Y-%m}"] += note.totals.gross_minor
        units: Counter[int] = Counter()
        matched: Counter[int] = Counter()
        for item in content.items:
            units[item.own_line] += item.units
            matched[item.own_line] += item.units
        for line in content.on_account:
            units[line.line] += line.quantity
        self.lines += len(units)
        self.found["units"] += units.total()
        self.found["units_matched"] += matched.total()
        for number, quantity in units.items():
            self.found["full" if matched[number] == quantity else "partial" if matched[number] else "none"] += 1


def _stock_documents(shop: OrderFlow) -> Iterator[tuple[str, int]]:
    for row in _pages(shop, "stock_document"):
        yield row.state.kind, row.state.lines


def rejections(shop: OrderFlow) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Every rejected document: its channel and number, its line in the file, and the fault codes."""
    for row in _pages(shop, "intake", ("Rejected",)):
        yield row.key.id, row.state.line, row.state.codes


def _states(shop: OrderFlow, kind: str) -> dict[str, int]:
    """How many rows of a kind are in each state, the most frequent state first."""
    counts = {status: count for (status,), (count,) in shop.rows(kind).sums(["*"], by=["status"]).items()}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _pages(shop: OrderFlow, kind: str, status: tuple[str, ...] = ()) -> Iterator[Row[Any]]:
    cursor = 0
    while rows := shop.rows(kind).find(status=status, cursor=cursor, limit=PAGE):
        yield from rows
        cursor = rows[-1].cursor


def _orders(shop: OrderFlow) -> list[tuple[str, str, int, int]]:
    """Currency, time placed, total and number of orders, grouped; orders without ``placed_at`` are left out."""
    sums = shop.orders.sums(["total_minor", "*"], by=["currency", "placed_at"])
    return [(currency, placed, total, count) for (currency, placed), (total, count) in sums.items() if placed]


def _order_lines(shop: OrderFlow) -> int:
    return sum(lines for (lines,) in shop.orders.sums(["lines"]).values())


def _amounts(orders: Iterable[tuple[str, str, int, int]], notes: _Notes, timezone: str) -> dict[str, dict[str, Any]]:
    sales: Counter[str] = Counter()
    credited: Counter[str] = Counter()
    months: Counter[tuple[str, str]] = Counter()
    shop_timezone = ZoneInfo(timezone)
    for currency, placed, total, _ in orders:
        sales[currency] += total
        at = datetime.fromisoformat(placed).replace(tzinfo=UTC).astimezone(shop_timezone)
        months[currency, f"{at:%Y-%m}"] += total
    for (currency, month), total in notes.credited.items():
        credited[currency] -= total
        months[currency, month] -= total
    return {
        currency: {
            "sales": _text(sales[currency], currency),
            "cancellations": _text(credited[currency], currency),
            "net": _text(sales[currency] + credited[currency], currency),
            "by_month": {
                month: _text(minor, currency) for (code, month), minor in sorted(months.items()) if code == currency
            },
        }
        for currency in sorted({*sales, *credited})
    }


def _text(minor: int, currency: str) -> str:
    return str(Money(minor, currency).decimal)


def _stock(shop: OrderFlow) -> dict[str, Any]:
    received: Counter[str] = Counter()
    on_hand: Counter[str] = Counter()
    for (sku, _, event), units in shop.stock.movements().items():
        if event == INCOMING:
            received[sku] += units
    for (sku,), (units,) in shop.stock.sums(["on_hand"], by=["sku"]).items():
        on_hand[sku] += units
    listed = "\n".join(f"{sku},{received[sku]},{on_hand[sku]}" for sku in sorted({*received, *on_hand}))
    receipts = sum(received.values())
    return {"receipts": receipts, "net_out": receipts - sum(on_hand.values()), "sha256": _digest(listed)}


def _balances(shop: OrderFlow) -> dict[str, Any]:
    balances = sorted(
        (row.key.id, sums.currency, sums.balance) for row in _pages(shop, "account") for sums in row.state.sums
    )
    totals: Counter[str] = Counter()
    for _, currency, minor in balances:
        totals[currency] += minor
    listed = "\n".join(f"{customer},{_text(minor, currency)}" for customer, currency, minor in balances)
    by_currency = {currency: _text(minor, currency) for currency, minor in sorted(totals.items())}
    total = next(iter(by_currency.values())) if len(by_currency) == 1 else None
    return {"total": total, "by_currency": by_currency, "sha256": _digest(listed)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
