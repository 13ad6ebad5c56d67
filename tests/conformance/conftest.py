"""The facts of published cases, as ``tools/make_conformance.py`` wrote them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parent / "data"


@pytest.fixture(scope="session")
def cases() -> Callable[[str], list[dict[str, Any]]]:
    """Reads the cases of one file, which names its sources."""

    def read(name: str) -> list[dict[str, Any]]:
        found = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        assert found["sources"]
        return list(found["cases"])

    return read
