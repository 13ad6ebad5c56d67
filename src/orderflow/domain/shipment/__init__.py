"""The shipment: goods of one or more orders that travel together. Read ``machine`` first."""

from __future__ import annotations

__all__: list[str] = []
