"""Replaceable parts behind the ports: the only place for I/O, clocks, randomness and foreign formats."""

from __future__ import annotations
