"""Where new identifiers come from."""

from __future__ import annotations

from typing import Protocol

__all__ = ["IdSource"]


class IdSource(Protocol):
    """Mints identifiers for what the host has not named itself."""

    def new(self) -> str:
        """An identifier never issued before. Later ones should sort later: storage likes to append."""
        ...
