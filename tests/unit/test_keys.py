"""Keys: which row of which tenant, and the order in which rows are locked."""

from __future__ import annotations

from orderflow.domain.engine.workflow import RANKS, lock_order
from orderflow.domain.values import PartyRef, stock_key
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import Key


def test_every_standard_kind_has_a_rank() -> None:
    """Locks climb through ranks, so each machine of the standard workflow has one of its own."""
    assert set(standard_workflow().machines) == set(RANKS)
    assert sorted(RANKS.values()) == list(range(len(RANKS)))


def test_rows_are_locked_by_rank_then_id_and_a_hosts_own_kinds_last() -> None:
    """Loading in this order rules out deadlock between processes."""
    keys = [Key("t", "loyalty", "a"), stock_key("t", "TEA", "main"), Key("t", "order", "b"), Key("t", "order", "a")]
    assert [str(key) for key in sorted(keys, key=lock_order)] == ["order:a", "order:b", "stock:TEA@main", "loyalty:a"]


def test_a_reference_names_one_version() -> None:
    """A party version prints as id@n, which is its row's id."""
    assert str(PartyRef("ann", 2)) == "ann@2"
