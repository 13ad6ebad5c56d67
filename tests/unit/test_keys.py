"""Keys and references: which row of which tenant, and the order in which rows are locked."""

from __future__ import annotations

from itertools import pairwise

from orderflow.domain.engine.machine import Absent, Machine, rule
from orderflow.domain.engine.record import Command, Event, Record
from orderflow.domain.values import PartyRef, StockRef, stock_key
from orderflow.domain.workflow.table import MACHINES, standard_workflow
from orderflow.errors import Key

WORKFLOW = standard_workflow()


class Points(Record):
    """A host's own state."""


class Earn(Command):
    """A host's own command."""


class Earned(Event):
    """A host's own event."""


def test_every_kind_has_a_rank_of_its_own() -> None:
    """Locks climb through ranks, in the order in which the machines are given; numbers before accounts."""
    ranks = [WORKFLOW.ranks[machine.kind] for machine in MACHINES]
    assert all(low < high for low, high in pairwise(ranks))
    assert WORKFLOW.ranks["series"] < WORKFLOW.ranks["account"]


def test_rows_are_locked_by_rank_then_id_and_a_hosts_own_kinds_last() -> None:
    """Loading in this order rules out deadlock between processes."""
    line = rule(
        Absent, Earn, Earned, Points, lambda state, event: Points(), decide=lambda state, command, stamp: Earned()
    )
    loyalty = Machine("loyalty", rules=(line,), final=(Points,))
    keys = [Key("t", "loyalty", "a"), stock_key("t", "TEA", "main"), Key("t", "order", "b"), Key("t", "order", "a")]
    climbing = sorted(keys, key=WORKFLOW.extended(machines=(loyalty,)).lock_order)
    assert [str(key) for key in climbing] == ["order:a", "order:b", "stock:TEA@main", "loyalty:a"]


def test_a_reference_names_one_version() -> None:
    """A party version prints as id@n, which is its row's id."""
    assert str(PartyRef("ann", 2)) == "ann@2"


def test_a_stock_row_is_named_by_sku_and_location() -> None:
    """The printed form is the row's id and can be read back; what is missing is empty."""
    assert stock_key("t", "TEA", "main").id == str(StockRef("TEA", "main")) == "TEA@main"
    assert StockRef.read("TEA@main") == StockRef("TEA", "main")
    assert StockRef.read("TEA") == StockRef("TEA", "")
