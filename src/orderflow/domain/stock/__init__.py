"""The stock aggregate: read ``machine`` first."""

from __future__ import annotations

__all__: list[str] = []
