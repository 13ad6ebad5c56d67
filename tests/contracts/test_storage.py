"""The storage contract, asked of every storage that ships, and of broken ones that must be caught."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.inventory.machine import STOCK
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.parties.customer import CUSTOMER
from orderflow.domain.parties.party import PARTY
from orderflow.errors import StorageError
from orderflow.ports.storage import Storage
from orderflow.testing.contracts import Clause, ContractViolation, Expect, check_all
from orderflow.testing.outbox_contract import OUTBOX
from orderflow.testing.storage_contract import STORAGE
from orderflow.testing.storage_material import StorageMaker

CLAUSES = (*STORAGE, *OUTBOX)


class Handles:
    """Keeps one memory storage for each tenant, as every handle must see the same content."""

    def __init__(self, make: Callable[[str], MemoryStorage]) -> None:
        self._make, self._made = make, dict[str, MemoryStorage]()

    def __call__(self, tenant: str) -> MemoryStorage:
        """The storage of a tenant."""
        return self._made.setdefault(tenant, self._make(tenant))


@pytest.fixture(params=["memory", "sqlite", "sqlite exclusive"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StorageMaker]:
    """A maker of handles on one fresh content; those of an exclusive file share its one connection."""
    if request.param == "memory":
        yield Handles(MemoryStorage)
        return
    machines, path = (STOCK, ORDER, PARTY, CUSTOMER), tmp_path / "shop.db"
    if request.param == "sqlite exclusive":
        with closing(SqliteStorage(path, machines, exclusive=True)) as alone:
            yield alone.for_tenant
        return
    with ExitStack() as opened:
        yield lambda tenant: opened.enter_context(closing(SqliteStorage(path, machines, tenant=tenant)))


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)
def test_shipped_storages_keep_every_clause(clause: Clause[StorageMaker], make: StorageMaker) -> None:
    """Memory and SQLite keep the whole contract."""
    clause.check(make)


def test_clause_ids_are_unique() -> None:
    """A clause is cited by its id, so no two share one."""
    assert len({clause.id for clause in CLAUSES}) == len(CLAUSES)


def test_memory_has_one_unit_in_a_thread() -> None:
    """A second unit in a thread would see half of the first; it is refused, as every storage refuses it."""
    storage = MemoryStorage()
    assert storage.tenant == "main"
    with storage.unit(), pytest.raises(StorageError, match="already open"), storage.unit():
        pass
    with storage.unit() as unit:
        assert unit.known_commands(["c-1"]) == {}


# --- what a clause says ---


def test_an_expectation_tells_what_it_saw() -> None:
    """A violation carries the clause, what was expected and what was observed."""
    expect = Expect("X-01")
    with pytest.raises(ContractViolation) as caught:
        expect.equal("rows", 1, 2)
    assert (caught.value.clause, caught.value.expected, caught.value.observed) == ("X-01", "rows: 1", "2")
    with pytest.raises(ContractViolation, match="X-01: expected rows, observed 0"):
        expect.true("rows", 0)


def test_an_expected_error_is_the_only_way() -> None:
    """An answer breaks the clause, and so does another error; the expected one is handed back."""
    expect = Expect("X-01")
    error = expect.raises("a key", KeyError, lambda: dict[str, int]()["ghost"])
    assert error.args == ("ghost",)
    with pytest.raises(ContractViolation, match="the result 1"):
        expect.raises("a key", KeyError, lambda: 1)
    with pytest.raises(ContractViolation, match="ValueError") as caught:
        expect.raises("a key", KeyError, lambda: int("x"))
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_clause_takes_any_failure_for_a_violation() -> None:
    """An adapter that fails in a way nobody thought of breaks the clause; the foreign error is the cause."""

    def absent(tenant: str) -> Storage:
        raise OSError("no disk")

    with pytest.raises(ContractViolation, match=r"STORAGE-ROW-01.*no disk") as caught:
        check_all(STORAGE, lambda: absent)
    assert isinstance(caught.value.__cause__, OSError)
    check_all(CLAUSES, lambda: Handles(MemoryStorage))
