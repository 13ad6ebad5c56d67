"""The package's front door: what it exports, it has, and a type checker sees the same."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import orderflow

NAMES: list[str] = vars(orderflow)["__all__"]


def test_type_checkers_and_users_see_the_same_names() -> None:
    """The names imported for type checkers are those that are loaded when first used, and all are listed."""
    tree = ast.parse(Path(orderflow.__file__).read_text(encoding="utf-8"))
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in checked.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_can_be_loaded(name: str) -> None:
    """Each name leads to something of that name."""
    assert getattr(orderflow, name) is not None
    assert name in dir(orderflow)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as it does for any module."""
    with pytest.raises(AttributeError, match="Oder"):
        _ = orderflow.Oder  # type: ignore[attr-defined]
