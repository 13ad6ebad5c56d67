"""Print the lowest releases that ``pyproject.toml`` declares, as constraints for pip: ``python tools/lowest.py``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["declared", "pins"]

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
FLOOR = re.compile(r"(?P<name>[\w.-]+)(\[[\w,-]+\])?(>=|==)(?P<floor>[\w.]+)")


def declared(text: str) -> list[str]:
    """The requirements of a project file and its extras, without the project itself."""
    project = tomllib.loads(text)["project"]
    extras = project.get("optional-dependencies", {}).values()
    every = [*project["dependencies"], *(requirement for extra in extras for requirement in extra)]
    return [requirement for requirement in every if not requirement.startswith(f"{project['name']}[")]


def pins(requirements: Iterable[str]) -> Iterator[str]:
    """``name==floor`` for each requirement.

    Raises:
        ValueError: a requirement declares no floor.
    """
    for requirement in requirements:
        found = FLOOR.match(requirement)
        if found is None:
            raise ValueError(f"{requirement!r} declares no lowest release")
        yield f"{found['name']}=={found['floor']}"


if __name__ == "__main__":
    print("\n".join(pins(declared(PROJECT.read_text(encoding="utf-8")))))
