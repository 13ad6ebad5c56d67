"""Contracts: what an adapter must keep, in clauses with stable ids.

In a test, give :func:`check_all` a function that makes your adapter; it raises for the first broken clause::

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
    """An adapter breaks a clause: what was expected, and what was observed."""

    def __init__(self, clause: str, expected: str, observed: str) -> None:
        self.clause, self.expected, self.observed = clause, expected, observed
        super().__init__(f"{clause}: expected {expected}, observed {observed}")


class Expect:
    """The assertions of a clause; every violation carries the clause's id."""

    def __init__(self, clause: str) -> None:
        self._clause = clause

    def equal(self, what: str, expected: object, observed: object) -> None:
        """Raise unless the two are equal."""
        if expected != observed:
            self.fail(f"{what}: {expected!r}", repr(observed))

    def true(self, what: str, observed: object) -> None:
        """Raise unless ``observed`` is true."""
        if not observed:
            self.fail(what, repr(observed))

    def raises(self, what: str, error: type[E], call: Callable[[], object]) -> E:
        """The error that ``call`` raises; any other outcome breaks the clause."""
        try:
            answer = call()
        except error as found:
            return found
        except Exception as other:
            raise ContractViolation(self._clause, f"{what}: {error.__name__}", repr(other)) from other
        raise ContractViolation(self._clause, f"{what}: {error.__name__}", f"the result {answer!r}")

    def fail(self, expected: str, observed: str) -> NoReturn:
        """Raise the violation."""
        raise ContractViolation(self._clause, expected, observed)


@frozen
class Clause(Generic[A]):
    """One promise: a stable id, the rule in a sentence, and the trial that checks it on a fresh adapter."""

    id: str
    rule: str
    trial: Callable[[A, Expect], None]

    def check(self, adapter: A) -> None:
        """Try a fresh adapter.

        Raises:
            ContractViolation: it breaks the clause, or raises an unexpected error.
        """
        try:
            self.trial(adapter, Expect(self.id))
        except ContractViolation:
            raise
        except Exception as error:
            raise ContractViolation(self.id, self.rule, repr(error)) from error


def check_all(clauses: Iterable[Clause[A]], fresh: Callable[[], A]) -> None:
    """Try every clause on a fresh adapter.

    Raises:
        ContractViolation: for the first broken clause.
    """
    for clause in clauses:
        clause.check(fresh())


def violations(clauses: Iterable[Clause[Any]], fresh: Callable[[], Any]) -> tuple[ContractViolation, ...]:
    """Every broken clause, in order."""
    found: list[ContractViolation] = []
    for clause in clauses:
        try:
            clause.check(fresh())
        except ContractViolation as violation:
            found.append(violation)
    return tuple(found)
