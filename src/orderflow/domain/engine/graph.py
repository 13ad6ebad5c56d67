"""What can be reached along arrows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["arrows", "closure"]


def arrows(pairs: Iterable[tuple[type, type]]) -> dict[type, set[type]]:
    found: dict[type, set[type]] = {}
    for source, target in pairs:
        found.setdefault(source, set()).add(target)
    return found


def closure(ways: Mapping[type, set[type]], start: Iterable[type]) -> set[type]:
    seen = set(start)
    waiting = list(seen)
    while waiting:
        fresh = ways.get(waiting.pop(), set()) - seen
        seen |= fresh
        waiting += fresh
    return seen
