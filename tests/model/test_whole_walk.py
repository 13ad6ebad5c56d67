"""The first worlds of the widest walk; tests/campaigns/walk_everything.py goes further."""

from __future__ import annotations

import pytest
from whole_walk import SOMETIMES, walk_everything


@pytest.mark.slow
def test_the_first_worlds_of_everything_keep_every_law() -> None:
    """Orders, stock, parcels, a bill, a credit, a payment and a return, in whatever order: no law is broken."""
    found = walk_everything(20_000)
    print(f"everything: {found}")
    seen = {edge.event.__name__ for edges in found.edges.values() for edge in edges}
    assert found.states > 20_000
    assert SOMETIMES - seen == set()
