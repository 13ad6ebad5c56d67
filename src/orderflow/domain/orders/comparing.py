"""What a document that its channel has changed wants of the order that it became."""

from __future__ import annotations

import attrs
from attrs import evolve

from orderflow.domain.engine.schema import sound
from orderflow.domain.orders.changes import Changes, NewPrice
from orderflow.domain.orders.content import LineKind, OrderContent, OrderLine, line_minor
from orderflow.domain.orders.state import HasProgress, lines_of
from orderflow.domain.values import LineQuantity

__all__ = ["changes_to"]


def changes_to(order: HasProgress, received: OrderContent) -> Changes | None:
    """The changes of goods that make of an order what its channel now says; of lines it has changed, no others.

    None where there are none, or where they cannot be said: where more than lines of goods differ, where discounts
    would be shared anew, or where the order was amended before, so that its lines are not the channel's.
    """
    placed = order.content
    if order.progress.added or placed.discounts or _but_for_lines(placed, received):
        return None
    wanted = {line.line: line for line in received.lines}
    free = max(*placed.places, *wanted, 0)
    changes = Changes()
    for line, v in lines_of(order):
        after = wanted.pop(line.line, None)
        if after == line:
            continue
        if not _are_goods(line, after):
            return None
        free += 1
        changes = _changed(changes, line, line.quantity - v.cancelled, after, free, received)
    changes = evolve(changes, lines=(*changes.lines, *wanted.values()))
    return changes if sound(Changes)(changes) else None


def _but_for_lines(placed: OrderContent, received: OrderContent) -> bool:
    """Whether anything differs but the lines and their total."""
    names = attrs.fields_dict(OrderContent).keys() - {"lines", "expected_total_minor"}
    return any(getattr(placed, name) != getattr(received, name) for name in names)


def _are_goods(line: OrderLine, after: OrderLine | None) -> bool:
    """Whether a line is one of goods before and after, without a discount of its own."""
    lines = (line,) if after is None else (line, after)
    return all(each.kind is LineKind.GOODS and not each.discount_minor for each in lines)


def _changed(
    changes: Changes, line: OrderLine, live: int, after: OrderLine | None, free: int, content: OrderContent
) -> Changes:
    """The changes with those that make of the ``live`` units of a line what is wanted ``after``."""
    wanted = 0 if after is None else after.quantity
    kept = min(live, wanted) if after is not None and _article(after) == _article(line) else 0
    if live > kept:
        changes = evolve(changes, less=(*changes.less, LineQuantity(line.line, live - kept)))
    if after is None:
        return changes
    if kept and after.price != line.price:
        changes = evolve(changes, prices=(*changes.prices, NewPrice(line.line, after.price, kept)))
    if wanted > kept:
        net = line_minor(after.price, wanted - kept, content.tax)
        more = evolve(after, line=free, quantity=wanted - kept, net_minor=net)
        changes = evolve(changes, lines=(*changes.lines, more))
    return changes


def _article(line: OrderLine) -> tuple[object, ...]:
    """What an amendment does not change of a line."""
    way = line.ship_to, line.country, line.location, line.carrier, line.service
    return line.sku, line.description, line.tax, line.weight_grams, way, line.vendor
