"""The pure core: values, rules and tables. No clock, no I/O, no randomness."""

from __future__ import annotations
