"""The lowest dependencies that the project declares."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest


def test_every_dependency_declares_a_floor(project_root: Path) -> None:
    """What is declared without a lowest release cannot be tested with it."""
    tool = runpy.run_path(str(project_root / "tools" / "lowest.py"))
    text = (project_root / "pyproject.toml").read_text(encoding="utf-8")
    assert all("==" in pin for pin in tool["pins"](tool["declared"](text)))
    assert list(tool["pins"](["a[b]==1.2", "c-d>=3.0.post0,<5"])) == ["a==1.2", "c-d==3.0.post0"]
    with pytest.raises(ValueError, match="declares no lowest release"):
        list(tool["pins"](["a<2"]))
