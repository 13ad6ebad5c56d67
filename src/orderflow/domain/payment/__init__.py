"""The payment: money of one source, independent of orders. Read ``machine`` first."""

from __future__ import annotations

__all__: list[str] = []
