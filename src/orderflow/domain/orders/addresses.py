"""Where the goods of an order go since that was changed; its content stays as it was placed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from attrs import evolve

from orderflow.domain.orders.content import OrderContent
from orderflow.domain.values import PartyRef

__all__ = ["NewAddress", "addressed"]


class NewAddress(NamedTuple):
    """Where a line goes; ``line`` 0 is the order, for all lines that name no address of their own."""

    line: int
    ship_to: PartyRef
    country: str


def addressed(content: OrderContent, changes: Iterable[NewAddress]) -> OrderContent:
    """The content with the addresses as they are now."""
    now: dict[int, dict[str, Any]] = {line: {"ship_to": to, "country": country} for line, to, country in changes}
    if not now:
        return content
    lines = tuple([evolve(line, **now.get(line.line, {})) for line in content.lines])
    return evolve(content, lines=lines, **now.get(0, {}))
