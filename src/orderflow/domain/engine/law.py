"""The law of a table: what must hold for the rules of every machine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from orderflow.domain.engine.record import Command, Event, Internal

__all__ = ["foreign_messages", "unreachable"]

Arrow = tuple[type, type]


def unreachable(arrows: Collection[Arrow], start: type, final: tuple[type, ...]) -> Iterator[str]:
    """States that cannot be reached, states that lead to no final state, and final states that can be left."""
    forward = _ways(arrows)
    backward = _ways((target, source) for source, target in arrows)
    states = forward.keys() | backward.keys()
    reached, ending = _closure(forward, (start,)), _closure(backward, final)
    yield from sorted(f"{state.__name__} cannot be reached" for state in states - reached)
    yield from sorted(f"{state.__name__} can reach no final state" for state in states - ending)
    for state in final:
        leaks = forward.get(state, set()) - set(final)
        yield from sorted(f"{state.__name__} is final, yet leads to {target.__name__}" for target in leaks)


def foreign_messages(messages: Iterable[type]) -> Iterator[str]:
    """Message classes that are none of the three kinds."""
    for kind in messages:
        if not issubclass(kind, Command | Internal | Event):
            yield f"{kind.__name__} is not a Command, Internal or Event"


def _ways(arrows: Iterable[Arrow]) -> dict[type, set[type]]:
    found: dict[type, set[type]] = {}
    for source, target in arrows:
        found.setdefault(source, set()).add(target)
    return found


def _closure(ways: Mapping[type, set[type]], start: Iterable[type]) -> set[type]:
    seen = set(start)
    waiting = list(seen)
    while waiting:
        fresh = ways.get(waiting.pop(), set()) - seen
        seen |= fresh
        waiting += fresh
    return seen
