"""The first worlds of the widest walk; tests/campaigns/walk_everything.py goes further."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from test_walk import untraced
from whole_walk import SOMETIMES, walk_everything


@pytest.mark.slow
def test_the_first_worlds_of_everything_keep_every_law() -> None:
    """Orders, stock, parcels, a bill, a credit, a payment and a return, in whatever order: no law is broken."""
    with ProcessPoolExecutor(1, get_context("fork")) as pool:
        found = pool.submit(untraced, walk_everything, 20_000).result()
    print(f"everything: {found}")
    seen = {edge.event.__name__ for edges in found.edges.values() for edge in edges}
    assert found.states > 20_000
    assert SOMETIMES - seen == set()
