"""``python -m orderflow.cli``."""

from __future__ import annotations

from orderflow.cli import main

if __name__ == "__main__":
    main()
