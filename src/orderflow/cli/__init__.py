"""The ``orderflow`` command. It needs the extra ``cli``; the library itself needs none of it."""

from __future__ import annotations

import sys
from importlib.util import find_spec

_EXTRA = ("click", "rich")


def main() -> None:
    """Run the command line on the arguments of this process, and exit with its status."""
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        sys.exit(f"The command line needs {' and '.join(missing)}: pip install 'orderflow-sdk[cli]'")
    from orderflow.cli.root import root

    root(prog_name="orderflow")
