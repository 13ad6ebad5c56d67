"""Small keyed rows that make things unique: number series, intake, customer accounts, stock notes.

Each is a row that is locked and updated in the commit it guards, so every storage gets the rule for free.
"""

from __future__ import annotations

__all__: list[str] = []
