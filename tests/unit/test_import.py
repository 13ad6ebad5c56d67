"""What an import brings along: heavy modules come with the names that need them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("cattrs", "dateutil", "sqlite3", "click", "rich", "hypothesis", "pytest")


@pytest.mark.parametrize(
    "statement",
    [
        "import orderflow",
        "from orderflow import OrderFlow, MemoryStorage",
        "from orderflow import MemoryStorage, OrderFlow; OrderFlow(MemoryStorage())",
    ],
)
def test_a_shop_in_memory_loads_nothing_heavy(statement: str) -> None:
    """Neither the codec, nor SQLite, nor anything of the extras is loaded before something needs it."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = set(json.loads(run.stdout))
    assert "orderflow" in loaded
    assert loaded.isdisjoint(HEAVY)
