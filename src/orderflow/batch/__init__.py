"""A file of documents through all six steps, with the file's own times as the clock."""

from __future__ import annotations

__all__: list[str] = []
