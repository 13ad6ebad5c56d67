"""Contracts: what an adapter must keep, clause by clause, each with a stable id.

Hand :func:`check_all` a maker of adapters of your own in a test; it raises for the first clause that is broken::

    def test_my_storage_keeps_the_contract(tmp_path):
        numbers = itertools.count()

        def fresh():
            path = tmp_path / f"{next(numbers)}.db"
            return lambda tenant: MyStorage(path, tenant=tenant)

        check_all(STORAGE, fresh)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, NoReturn, TypeVar

from attrs import frozen

__all__ = ["Clause", "ContractViolation", "Expect", "check_all", "violations"]

A = TypeVar("A")
E = TypeVar("E", bound=BaseException)


class ContractViolation(AssertionError):
    """An adapter breaks a clause: what the clause expects, and what was observed."""

    def __init__(self, clause: str, expected: str, observed: str) -> None:
        self.clause, self.expected, self.observed = clause, expected, observed
        super().__init__(f"{clause}: expected {expected}, observed {observed}")


class Expect:
    """What a clause says about an adapter while it is tried; everything it finds carries the clause's id."""

    def __init__(self, clause: str) -> None:
        self._clause = clause

    def equal(self, what: str, expected: object, observed: object) -> None:
        """Raise unless both are equal."""
        if expected != observed:
            self.fail(f"{what}: {expected!r}", repr(observed))

    def true(self, what: str, observed: object) -> None:
        """Raise unless ``observed`` is true."""
        if not observed:
            self.fail(what, repr(observed))

    def raises(self, what: str, error: type[E], call: Callable[[], object]) -> E:
        """The error that ``call`` raises; anything else it does breaks the clause."""
        try:
            answer = call()
        except error as found:
            return found
        except Exception as other:
            raise ContractViolation(self._clause, f"{what}: {error.__name__}", repr(other)) from other
        raise ContractViolation(self._clause, f"{what}: {error.__name__}", f"the answer {answer!r}")

    def fail(self, expected: str, observed: str) -> NoReturn:
        """Raise the violation."""
        raise ContractViolation(self._clause, expected, observed)


@frozen
class Clause(Generic[A]):
    """One promise: a stable id, the sentence, and the trial of a fresh adapter."""

    id: str
    rule: str
    trial: Callable[[A, Expect], None]

    def check(self, adapter: A) -> None:
        """Try a fresh adapter.

        Raises:
            ContractViolation: it breaks the clause, or fails in a way the clause does not know.
        """
        try:
            self.trial(adapter, Expect(self.id))
        except ContractViolation:
            raise
        except Exception as error:
            raise ContractViolation(self.id, self.rule, repr(error)) from error


def check_all(clauses: Iterable[Clause[A]], fresh: Callable[[], A]) -> None:
    """Try every clause on an adapter of its own.

    Raises:
        ContractViolation: the first clause that is broken.
    """
    for clause in clauses:
        clause.check(fresh())


def violations(clauses: Iterable[Clause[Any]], fresh: Callable[[], Any]) -> tuple[ContractViolation, ...]:
    """Every clause that is broken, in order."""
    found: list[ContractViolation] = []
    for clause in clauses:
        try:
            clause.check(fresh())
        except ContractViolation as violation:
            found.append(violation)
    return tuple(found)
