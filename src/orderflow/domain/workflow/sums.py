"""Laws across rows as code: whoever holds all rows of a tenant can ask whether they agree.

A row's own invariants are its machine's check; here stands what no row can know alone. A law is said in shares: each
row adds a number of its own to sums that are zero where all rows agree. What a row says depends on nothing else, so a
row that did not change need not be asked again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from orderflow.domain.engine.workflow import EventContext
from orderflow.errors import Key

__all__ = ["Breach", "Laws", "Said", "Share", "Sums"]

#: The laws by which one side may say more than the other: their sums are not negative.
AT_LEAST: Final = frozenset({"A2", "A5"})


class Breach(NamedTuple):
    """A law that is broken: its id, the row where that shows (None: between rows), and what was found."""

    law: str
    key: Key | None
    found: str

    def __str__(self) -> str:
        return f"{self.law} {self.key or ''} {self.found}"


class Share(NamedTuple):
    """What a row adds to a sum of a law. A number of 0 only says that the law was asked."""

    law: str
    what: Hashable
    number: int


Said: TypeAlias = Share | Breach


class Laws(NamedTuple):
    """What events and rows of these kinds say: an event when it happens, a row as it stands."""

    kinds: frozenset[str]
    row: Callable[[Key, Any], Iterator[Said]]
    event: Callable[[EventContext], Iterator[Said]] = lambda context: iter(())


class Sums:
    """Shares added up. ``checked`` counts them, by law."""

    def __init__(self) -> None:
        self.checked: Counter[str] = Counter()
        self._sums: dict[tuple[str, Hashable], int] = {}

    def add(self, said: Iterable[Said]) -> Iterator[Breach]:
        """Add the shares; what is a breach by itself is returned."""
        for each in said:
            if isinstance(each, Share):
                self.checked[each.law] += 1
                self._add(each.law, each.what, each.number)
            else:
                yield each

    def take_out(self, said: Iterable[Said]) -> None:
        """Take out what a row said that says something else now."""
        for each in said:
            if isinstance(each, Share):
                self._add(each.law, each.what, -each.number)

    def breaches(self) -> Iterator[Breach]:
        """The sums on which rows differ."""
        for (law, what), number in self._sums.items():
            if number < 0 or law not in AT_LEAST:
                yield Breach(law, None, f"{what}: differs by {number}")

    def _add(self, law: str, what: Hashable, number: int) -> None:
        name = law, what
        total = self._sums.get(name, 0) + number
        if total:
            self._sums[name] = total
        else:
            self._sums.pop(name, None)
