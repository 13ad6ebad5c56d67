"""What a check is: it sees the events of a row, then the row as stored, and at the end what is left over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from orderflow.audit.invariants import Violation
from orderflow.domain.engine.workflow import EventContext, Workflow
from orderflow.errors import Key

K = TypeVar("K", bound=Hashable)


class Seen(NamedTuple):
    """An event as a check sees it: the ``version``-th of its row.

    ``command`` is the name of the row's own command, None where another row's event told it; ``workflow`` is the one it
    was decided by, None where that one is not at hand.
    """

    context: EventContext
    version: int
    command: str | None
    workflow: Workflow | None


class Check(ABC):
    """The base of the checks. ``counted`` gathers how many facts were looked at.

    What a row is asked for follows from what its state has, not from its class: a host may have states of its own.
    """

    kinds: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, counted: Counter[str]) -> None:
        self.counted = counted

    def concerns(self, kind: str) -> bool:
        """Whether rows of this kind are to be shown."""
        return kind in self.kinds

    @abstractmethod
    def event(self, seen: Seen) -> Iterable[Violation]:
        """An event of a row, in order."""

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterable[Violation]:
        """The row after its events; ``whole`` says that all of them were shown."""
        return ()

    def end(self) -> Iterable[Violation]:
        """After all rows."""
        return ()


class Balance(Generic[K]):
    """Sums that two sides must agree on: one adds, the other takes away; what is level is forgotten."""

    def __init__(self) -> None:
        self._sums: dict[K, int] = {}

    def add(self, key: K, amount: int) -> None:
        """Add to a sum, or take away."""
        total = self._sums.get(key, 0) + amount
        if total:
            self._sums[key] = total
        else:
            self._sums.pop(key, None)

    def left(self) -> Iterator[tuple[K, int]]:
        """The sums that are not level, and by how much."""
        yield from self._sums.items()
