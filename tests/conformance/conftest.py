"""The published vectors, read in place beside the project; without them the tests skip, saying so."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def vectors_text(shared_data: Path) -> Callable[[str], str]:
    """Reads one file of the shared data, or skips the test."""

    def read(name: str) -> str:
        path = shared_data / name
        if not path.exists():
            pytest.skip(f"{name} is not in ../shared/data: this test needs it")
        return path.read_text(encoding="utf-8")

    return read


@pytest.fixture(scope="session")
def json_vectors(vectors_text: Callable[[str], str]) -> Callable[[str], Any]:
    """Reads one JSON file."""
    return lambda name: json.loads(vectors_text(name))


@pytest.fixture(scope="session")
def jsonl_vectors(vectors_text: Callable[[str], str]) -> Callable[[str], list[dict[str, Any]]]:
    """Reads one JSON object a line."""
    return lambda name: [json.loads(line) for line in vectors_text(name).splitlines()]


@pytest.fixture(scope="session")
def csv_rows(vectors_text: Callable[[str], str]) -> Callable[[str], list[dict[str, str]]]:
    """Reads the rows of one CSV file by column."""
    return lambda name: list(csv.DictReader(vectors_text(name).splitlines()))
