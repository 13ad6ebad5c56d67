"""``python -m orderflow``: the command line."""

from __future__ import annotations

from orderflow.cli import main

if __name__ == "__main__":
    main()
