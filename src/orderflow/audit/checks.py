"""The base of the checks: a check sees each row's events, then the stored row, and reports what is left at the end."""

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

    ``command`` is the name of the command that was sent to the row, None if another row's event caused this one.
    ``workflow`` is the workflow that decided it, None if it is not one of those given.
    """

    context: EventContext
    version: int
    command: str | None
    workflow: Workflow | None


class Check(ABC):
    """The base of the checks. ``counted`` counts the facts checked, by invariant.

    A check goes by the attributes of a state, not by its class, because a host may define its own states.
    """

    kinds: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, counted: Counter[str]) -> None:
        self.counted = counted

    def concerns(self, kind: str) -> bool:
        """Whether this check wants to see rows of this kind."""
        return kind in self.kinds

    @abstractmethod
    def event(self, seen: Seen) -> Iterable[Violation]:
        """Check the next event of a row."""

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterable[Violation]:
        """Check a stored row after its events; ``whole`` is true if all of them were shown."""
        return ()

    def end(self) -> Iterable[Violation]:
        """Report what is only known after all rows."""
        return ()


class Balance(Generic[K]):
    """Sums that two sides must agree on: one adds, the other subtracts. A sum that reaches zero is dropped."""

    def __init__(self) -> None:
        self._sums: dict[K, int] = {}

    def add(self, key: K, amount: int) -> None:
        """Add a positive or negative amount to a sum."""
        total = self._sums.get(key, 0) + amount
        if total:
            self._sums[key] = total
        else:
            self._sums.pop(key, None)

    def left(self) -> Iterator[tuple[K, int]]:
        """The sums that are not zero."""
        yield from self._sums.items()
