"""The ``orderflow`` command. It needs the extra ``cli``; the library itself needs none of it."""

from __future__ import annotations

import sys

__all__ = ["main"]

_EXTRA = frozenset({"click", "rich"})


def main() -> None:
    """Run the command line on the arguments of this process, and exit with its status."""
    try:
        from orderflow.cli.root import root
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        sys.exit(f"The command line needs {error.name}: pip install 'orderflow-sdk[cli]'")
    root(prog_name="orderflow")
