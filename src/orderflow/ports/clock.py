"""Where the time comes from."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

__all__ = ["Clock"]


class Clock(Protocol):
    """Tells the time. Only the facade asks; the rules see the answer in a stamp."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...
