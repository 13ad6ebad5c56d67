"""Cash on delivery (代引): what the carriers of an order's parcels collect, and what their contents cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from orderflow.domain.money.split import round_ratio
from orderflow.domain.money.tax import TaxableLine, gross_of, tax_groups
from orderflow.domain.orders.charging import to_pay_minor
from orderflow.domain.orders.content import LineKind
from orderflow.domain.orders.state import HasProgress, lines_of

#: Units of a parcel by line.
Contents = Mapping[int, int]


def value_minor(order: HasProgress, contents: Contents) -> int:
    """What units cost by the prices of their lines, in minor units."""
    return sum([line.amount_minor for line in _taxable(order, contents)])


def shares_to_collect(order: HasProgress, parcels: Iterable[Contents]) -> Iterator[int]:
    """What each of the parcels that are about to be sent is to collect, in minor units.

    That is what its units cost, if anything is to be collected; money that is there counts for the first ones. The
    first parcel of an order collects what is no goods as well, the last one all that is left.
    """
    if not order.content.policy.collect_on_delivery:
        yield from (0 for _ in parcels)
        return
    rest = {line.line: v.unsent - v.preparing_quantity for line, v in lines_of(order) if line.kind is LineKind.GOODS}
    due, begun = to_pay_minor(order), any(v.preparing or v.shipped or v.delivered for v in order.progress.lines)
    asked = _beyond(order, rest, due) if begun else 0
    for contents in parcels:
        rest = {line: units - contents.get(line, 0) for line, units in rest.items()}
        after = _beyond(order, rest, due)
        yield max(0, after - asked)
        asked = max(asked, after)


def _beyond(order: HasProgress, rest: Contents, due: int) -> int:
    """What is due beyond what later parcels will cost."""
    return max(0, due - gross_of(tax_groups(_taxable(order, rest), order.content.tax)))


def _taxable(order: HasProgress, units: Contents) -> list[TaxableLine]:
    content = order.content
    return [
        TaxableLine(round_ratio(line.net_minor * count, line.quantity, content.tax.rounding), line.tax, count)
        for line, count in [(content.line(number), count) for number, count in units.items()]
        if count
    ]
